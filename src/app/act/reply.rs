//! Types a message into an agent's input: one bracketed paste, then Enter when the text is there.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use crate::app::act::tmux::{Look, run};
use crate::app::act::{Actor, Refusal};
use crate::app::core::act::{LONGEST_MESSAGE, Seen};
use crate::{
    monitor::AgentState,
    tmux::{Command, Guard, PaneId},
};

/// How long the pasted text is waited for before Enter is pressed all the same.
const ARRIVES_WITHIN: Duration = Duration::from_millis(1500);

/// Least time between the paste and Enter: programs take an Enter that comes with the paste for a part of it.
const SETTLES: Duration = Duration::from_millis(120);

/// Time between two looks at the input.
const LOOK_EVERY: Duration = Duration::from_millis(60);

/// How a message went.
enum Sent {
    /// Enter was pressed.
    Entered,
    /// The text was pasted, but something came in between before Enter.
    NotEntered(String),
}

/// A message without what no input line can hold: controls, escapes and invisible marks go, lines stay lines and tabs
/// tabs.
///
/// # Errors
/// When nothing is left, or it is too long: in words.
fn tidy(text: &str) -> Result<String, String> {
    // `clean` would end a paste's own brackets too, were they in the text.
    let clean = |line: &str| line.split('\t').map(crate::tmux::clean).collect::<Vec<_>>().join("\t");
    let lines: Vec<String> = text.replace("\r\n", "\n").split(['\n', '\r']).map(clean).collect();
    let text = lines.join("\n");
    let text = text.trim_matches('\n').trim_end();
    if text.trim().is_empty() {
        return Err("the message is empty".to_owned());
    }
    if text.len() > LONGEST_MESSAGE {
        return Err(format!(
            "nothing was sent, the message has {} bytes and at most {LONGEST_MESSAGE} are sent: put it into a file and name that",
            text.len()
        ));
    }
    Ok(text.to_owned())
}

/// How the lines of a message get into an input.
#[derive(Debug, PartialEq, Eq)]
enum Way {
    /// One paste; the ends of lines are those of a terminal.
    Paste,
    /// One paste that keeps the ends of lines: they are in brackets, or are Ctrl-J.
    Lines,
    /// A paste for each line, with these keys between.
    Keys(Vec<String>),
}

/// The way for this message, `brackets` as tmux tells it, or why there is none.
fn way(text: &str, brackets: Option<bool>, newline: Option<Vec<String>>) -> Result<Way, &'static str> {
    if brackets == Some(false) && text.contains('\t') {
        return Err("the message has tabs, and its program takes no paste: there each would be a key");
    }
    match (text.contains('\n'), brackets, newline) {
        (false, ..) | (_, Some(true), _) => Ok(Way::Paste),
        (_, _, Some(keys)) if keys == ["C-j"] => Ok(Way::Lines),
        (_, _, Some(keys)) => Ok(Way::Keys(keys)),
        (_, Some(false), None) => {
            Err("its program takes no paste of several lines: each would be sent by itself; write one line")
        }
        (_, None, None) => {
            Err("this tmux does not tell whether its program takes a paste of several lines (3.7 does), and \
             its profile has no `keys.newline`: write one line")
        }
    }
}

impl Actor {
    pub(super) async fn reply(
        &self,
        pane: PaneId,
        text: &str,
        seen: &Seen,
        sent: &mut String,
    ) -> Result<String, Refusal> {
        let name = seen.name(pane);
        let text = tidy(text).map_err(|why| Refusal(format!("{name}: {why}")))?;
        let before = self.look(pane, seen).await?;
        before.takes_keys(&name)?;
        takes_messages(&before, seen, &name)?;
        let way = way(&text, before.brackets, self.keys(before.agent()).newline());
        let way = way.map_err(|why| Refusal(format!("{name}: nothing was sent, {why}")))?;
        match type_text(self, pane, seen, &text, &way, &before).await? {
            Sent::Entered => {}
            Sent::NotEntered(why) => {
                // The place is said once.
                let why = why.strip_prefix(&format!("{name}: ")).unwrap_or(&why);
                let why = why.strip_prefix("nothing was sent, ").unwrap_or(why).to_owned();
                *sent = text;
                return Err(Refusal(format!("{name}: the message is in its input but was not sent off: {why}")));
            }
        }
        *sent = text;
        let (followed, _) = self.followed(pane, seen, &before).await;
        Ok(format!("{name}: message sent, {followed}"))
    }
}

/// Whether a message for this pane would be read as a message.
fn takes_messages(look: &Look, seen: &Seen, name: &str) -> Result<(), Refusal> {
    let refuse = |what: String| Err(Refusal(format!("{name}: nothing was sent, {what}")));
    let Some(verdict) = &look.verdict else { return refuse("no agent runs in it any more".to_owned()) };
    if verdict.state == AgentState::Exited {
        return refuse("its program has ended, a shell would run the text".to_owned());
    }
    if let Err(why) = look.same_agent(seen) {
        return refuse(why);
    }
    match (verdict.state, verdict.kind.as_deref()) {
        (AgentState::Waiting, _) => refuse("it asks something now: answer its prompt".to_owned()),
        (AgentState::Unknown, Some("suspended")) => {
            refuse("its program is suspended: bring it back with fg".to_owned())
        }
        (AgentState::Unknown | AgentState::Starting, _) => {
            refuse("what it shows is not recognised: jump to it and type there".to_owned())
        }
        _ => Ok(()),
    }
}

/// Pastes the text and presses Enter.
async fn type_text(
    actor: &Actor,
    pane: PaneId,
    seen: &Seen,
    text: &str,
    way: &Way,
    before: &Look,
) -> Result<Sent, Refusal> {
    paste(actor, before, text, way).await?;
    let started = tokio::time::Instant::now();
    let rows = |look: &Look| look.screen.text().to_owned();
    let (first, mut last) = (rows(before), None);
    let name = seen.name(pane);
    loop {
        tokio::time::sleep(LOOK_EVERY).await;
        let now = match actor.look(pane, seen).await {
            Ok(now) => now,
            Err(refusal) => return Ok(Sent::NotEntered(refusal.to_string())),
        };
        // A prompt that came up meanwhile would take Enter for its answer.
        if let Err(refusal) = now.takes_keys(&name).and_then(|()| takes_messages(&now, seen, &name)) {
            return Ok(Sent::NotEntered(refusal.to_string()));
        }
        let now = rows(&now);
        let arrived = now != first && last.as_ref() == Some(&now) && started.elapsed() >= SETTLES;
        if arrived || started.elapsed() >= ARRIVES_WITHIN {
            break;
        }
        last = Some(now);
    }
    let submit = actor.keys(before.agent()).submit();
    let fits = |now: &Look| now.takes_keys(&name).and_then(|()| takes_messages(now, seen, &name));
    match actor.press_where(pane, seen, &submit, fits).await {
        Ok(()) => Ok(Sent::Entered),
        Err(refusal) => Ok(Sent::NotEntered(refusal.to_string())),
    }
}

/// Pastes the text through buffers of its own, which are gone afterwards however it ends: all of it in one step of the
/// server, and only while the pane's program is the one that was looked at.
async fn paste(actor: &Actor, look: &Look, text: &str, way: &Way) -> Result<(), Refusal> {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let pane = look.pane.id;
    let parts: Vec<&str> = if matches!(way, Way::Keys(_)) { text.split('\n').collect() } else { vec![text] };
    let (mut before, mut typed, mut after) = (Vec::new(), Vec::new(), Vec::new());
    for (index, part) in parts.into_iter().enumerate() {
        if let (1.., Way::Keys(keys)) = (index, way) {
            typed.push(Command::send_keys(pane, keys));
        }
        if part.is_empty() {
            continue;
        }
        let buffer = format!("tmux-orc-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let [set, paste] = match way {
            Way::Lines => Command::paste_lines(pane, part, &buffer),
            _ => Command::paste(pane, part, &buffer),
        };
        before.push(set);
        typed.push(paste);
        after.push(Command::new("delete-buffer").args(["-b", &buffer]));
    }
    let set = before.len();
    before.push(look.guard(0..0).then(&typed));
    // `paste-buffer -d` removes a buffer; the last commands do when nothing was pasted, and else fail themselves.
    before.extend(after.iter().cloned());
    match run(&actor.pool, before).await {
        Ok(parts) => {
            let mut printed = String::new();
            for part in parts.into_iter().take(set + 1) {
                printed = part.map_err(|error| Refusal::command(pane, &error))?;
            }
            if Guard::was_done(&printed) {
                return Ok(());
            }
            let place = look.pane.target();
            Err(Refusal(format!("{place}: nothing was sent, its pane has just changed: look at it again")))
        }
        Err(error) => {
            run(&actor.pool, after).await.ok();
            Err(error.into())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_keep_their_lines_and_lose_what_could_act() {
        let tidy = |text: &str| super::tidy(text).ok();
        assert_eq!(tidy("one\r\ntwo\n\n\tthree ✓ 日本\n\n").as_deref(), Some("one\ntwo\n\n\tthree ✓ 日本"));
        assert_eq!(tidy("a\x1b[201~rm -rf /\x07b").as_deref(), Some("arm -rf /b"));
        assert_eq!(tidy(" \n\x1b[A\n "), None);
        assert!(super::tidy(&"x".repeat(LONGEST_MESSAGE)).is_ok());
        let why = super::tidy(&"é".repeat(LONGEST_MESSAGE / 2 + 1)).unwrap_err();
        assert!(why.contains("65538 bytes") && why.contains("65536"), "{why}");
    }

    #[test]
    fn several_lines_go_only_where_they_stay_one_message() {
        let keys = |key: &str| Some(vec![key.to_owned()]);
        assert_eq!(way("a", Some(false), None), Ok(Way::Paste));
        assert_eq!(way("a\nb", Some(true), None), Ok(Way::Paste));
        assert_eq!(way("a\nb", None, keys("C-j")), Ok(Way::Lines));
        assert_eq!(way("a\nb", Some(false), keys("M-Enter")), Ok(Way::Keys(vec!["M-Enter".into()])));
        assert!(way("a\nb", Some(false), None).is_err());
        assert!(way("a\nb", None, None).is_err());
        assert!(way("a\tb", Some(false), keys("C-j")).is_err());
        assert_eq!(way("a\tb", None, None), Ok(Way::Paste));
    }
}
