//! The desktop's own notices: notify-send, with a button that leads to the agent where it can show one, or osascript.

use std::time::Duration;

use tokio::{process::Command, sync::OnceCell, sync::Semaphore};

use crate::app::notify::program::{COMMAND_LIMIT, run_to_end};
use crate::app::notify::words::without_markup;

/// How long a notice with a button is there. notify-send waits that long for an answer, and ends with us if we go before
/// (notify-send(1), `--wait`).
const SHOWN: Duration = Duration::from_secs(60);

/// Most notices with a button at once, each of which is a process that waits. Further ones have no button.
const MOST_BUTTONS: usize = 4;

/// What notify-send prints when the button was pressed.
const PRESSED: &str = "jump";

/// What the button of a notice runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Jump {
    /// The program and its arguments.
    pub words: Vec<String>,
    /// It goes through the tmux in which this runs: to another host.
    pub through_own: bool,
}

/// The desktop of the person.
#[derive(Debug)]
pub struct Desktop {
    /// Whether its notify-send knows `--action`: libnotify 0.8 and newer.
    buttons: OnceCell<bool>,
    room: Semaphore,
}

impl Default for Desktop {
    fn default() -> Self {
        Self { buttons: OnceCell::new(), room: Semaphore::new(MOST_BUTTONS) }
    }
}

impl Desktop {
    /// Shows a text, with a button where there is something for it to run.
    ///
    /// # Errors
    /// Why it was not shown.
    pub async fn show(&self, text: &str, jump: Option<Jump>) -> Result<(), String> {
        // The text is an argument, never a part of a script.
        if cfg!(target_os = "macos") {
            let script = ["on run words", "display notification (item 1 of words) with title \"tmux-orc\"", "end run"];
            let mut command = Command::new("osascript");
            command.args(["-e", script[0], "-e", script[1], "-e", script[2], "--", text]);
            return run_to_end(command, Vec::new(), COMMAND_LIMIT).await.map(drop);
        }
        let text = &body(text);
        let mut command = Command::new("notify-send");
        command.arg("--app-name=tmux-orc");
        let room = if jump.is_some() && self.has_buttons().await { self.room.try_acquire().ok() } else { None };
        let Some((_room, jump)) = room.zip(jump) else {
            command.args(["--", "tmux-orc", text]);
            return run_to_end(command, Vec::new(), COMMAND_LIMIT).await.map(drop).map_err(hint);
        };
        command.arg(format!("--expire-time={}", SHOWN.as_millis())).arg(format!("--action={PRESSED}=Go there"));
        command.args(["--", "tmux-orc", text]);
        let said = run_to_end(command, Vec::new(), SHOWN + COMMAND_LIMIT).await.map_err(hint)?;
        if String::from_utf8_lossy(&said.output).trim() == PRESSED
            && let Some((program, arguments)) = jump.words.split_first()
        {
            let mut command = Command::new(program);
            // Where this program was started once says nothing of where the person is now.
            command.args(arguments).env_remove("TMUX_PANE");
            if !jump.through_own {
                command.env_remove("TMUX");
            }
            let gone = run_to_end(command, Vec::new(), COMMAND_LIMIT).await;
            gone.map_err(|problem| format!("the jump failed: {problem}"))?;
        }
        Ok(())
    }

    async fn has_buttons(&self) -> bool {
        let ask = async {
            let mut command = Command::new("notify-send");
            command.arg("--help");
            let said = run_to_end(command, Vec::new(), COMMAND_LIMIT).await;
            said.is_ok_and(|said| String::from_utf8_lossy(&said.output).contains("--action"))
        };
        *self.buttons.get_or_init(|| ask).await
    }
}

/// A text as the body of a notice: it is markup there, with links, and notify-send reads escapes in it
/// (<https://specifications.freedesktop.org/notification-spec/latest/markup.html>).
fn body(text: &str) -> String {
    without_markup(&text.replace('\\', "\\\\"))
}

fn hint(problem: String) -> String {
    if problem.starts_with("it cannot be started") {
        return format!("notify-send: {problem} (the package libnotify-bin has it)");
    }
    format!("notify-send: {problem}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_pane_shows_is_no_markup_and_no_escape() {
        assert_eq!(
            body(r#"<a href="https://x">ok</a> && printf '\n'"#),
            r#"&lt;a href="https://x"&gt;ok&lt;/a&gt; &amp;&amp; printf '\\n'"#
        );
    }
}
