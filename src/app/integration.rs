//! What joins tmux-orc to the user's own tmux: key bindings to paste, the segment for the status line, the side pane.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{self, Read, Seek, SeekFrom, Write},
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

use serde::{Deserialize, Serialize};

use crate::app::badges::{PANE, WINDOW};
use crate::monitor::{Agent, AgentState, Snapshots};

/// How many agents are in which state, as the status line shows them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Blocked on their user.
    pub waiting: usize,
    /// Stopped with an error.
    pub error: usize,
    /// Held by a limit.
    pub limited: usize,
    /// Ended.
    pub exited: usize,
    /// Done, and nobody has looked.
    pub done: usize,
    /// At work.
    pub working: usize,
}

impl Counts {
    /// Counts them.
    #[must_use]
    pub fn of<'a>(agents: impl IntoIterator<Item = &'a Agent>) -> Self {
        let mut counts = Self::default();
        // Who is out of the way calls for nobody.
        for agent in agents.into_iter().filter(|agent| !agent.is_aside()) {
            match agent.state {
                AgentState::Waiting => counts.waiting += 1,
                AgentState::Error => counts.error += 1,
                AgentState::Limited => counts.limited += 1,
                AgentState::Exited => counts.exited += 1,
                AgentState::Working => counts.working += 1,
                AgentState::Idle if agent.kind.as_deref() == Some("done") => counts.done += 1,
                AgentState::Idle | AgentState::Starting | AgentState::Unknown => {}
            }
        }
        counts
    }

    /// These and those.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            waiting: self.waiting + other.waiting,
            error: self.error + other.error,
            limited: self.limited + other.limited,
            exited: self.exited + other.exited,
            done: self.done + other.done,
            working: self.working + other.working,
        }
    }

    fn parts(self) -> [(usize, &'static str, &'static str); 6] {
        [
            (self.waiting, "waiting", "fg=yellow,bold"),
            (self.error, "error", "fg=red"),
            (self.limited, "limited", "fg=magenta"),
            (self.exited, "exited", "fg=red"),
            (self.done, "done", "fg=green"),
            (self.working, "working", ""),
        ]
    }

    /// The segment in tmux's formats: what needs a person first, nothing for what there is none of. Empty when there is
    /// nothing to say. `range`: a click on it can be bound (`MouseDown1Status` with `#{mouse_status_range}` `orc`).
    #[must_use]
    pub fn segment(self, colours: bool, range: bool) -> String {
        let parts = self.parts().into_iter().filter(|(count, ..)| *count > 0);
        let words: Vec<String> = parts
            .map(|(count, word, style)| match style {
                "" => format!("{count} {word}"),
                _ if !colours => format!("{count} {word}"),
                style => format!("#[{style}]{count} {word}#[default]"),
            })
            .collect();
        match words.join(" ") {
            text if text.is_empty() || !range => text,
            text => format!("#[range=user|orc]{text}#[norange]"),
        }
    }
}

/// Keeps the counts of this process's engine in a small file for the status line, until the engine ends. What an engine
/// in the background publishes is passed over: it keeps its own.
///
/// The file is locked for as long as its engine lives: a reader that gets the lock knows that the counts are nobody's.
pub async fn keep_counts(mut snapshots: Snapshots, path: std::path::PathBuf) {
    let own = std::process::id();
    let mut kept: Option<(File, Option<Counts>)> = None;
    let mut told = false;
    loop {
        let counts = {
            let snapshot = snapshots.borrow_and_update();
            (snapshot.engine.pid == own).then(|| Counts::of(&snapshot.agents))
        };
        match (counts, &mut kept) {
            (None, _) => kept = None,
            (Some(_), None) => match open_counts(&path) {
                Ok(file) => kept = Some((file, None)),
                // Another engine may be about to end: it is tried again with the next snapshot.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) if !told => {
                    told = true;
                    tracing::warn!(path = %path.display(), %error, "the status line gets no counts");
                }
                Err(_) => {}
            },
            _ => {}
        }
        if let (Some(counts), Some((file, written))) = (counts, &mut kept)
            && *written != Some(counts)
        {
            // Some hundred bytes into the page cache: shorter than handing it to another thread.
            match write_counts(file, counts) {
                Ok(()) => (*written, told) = (Some(counts), false),
                // A disk that is full has room again some day: it is tried again with the next snapshot.
                Err(error) if !told => {
                    told = true;
                    tracing::warn!(path = %path.display(), %error, "the status line gets no counts");
                }
                Err(_) => {}
            }
        }
        if snapshots.changed().await.is_err() {
            return;
        }
    }
}

fn open_counts(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(io::Error::new(io::ErrorKind::AlreadyExists, "another engine keeps it")),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// Length of the file: one line, filled up, so that it is always replaced as a whole.
const LINE: usize = 160;

fn write_counts(file: &mut File, counts: Counts) -> io::Result<()> {
    let mut line = serde_json::to_vec(&counts)?;
    line.resize(line.len().max(LINE - 1), b' ');
    line.push(b'\n');
    file.seek(SeekFrom::Start(0))?;
    file.write_all(&line)
}

/// The counts that a running engine keeps; `None` when none runs.
///
/// # Errors
/// When the file is there and cannot be read.
pub fn read_counts(path: &Path) -> io::Result<Option<Counts>> {
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    match file.try_lock_shared() {
        // Whoever wrote it is gone.
        Ok(()) => return Ok(None),
        Err(TryLockError::WouldBlock) => {}
        Err(TryLockError::Error(error)) => return Err(error),
    }
    // It may be in the middle of being replaced: once more then.
    for _ in 0..3 {
        let mut text = String::new();
        file.seek(SeekFrom::Start(0))?;
        (&file).take(4096).read_to_string(&mut text)?;
        if let Ok(counts) = serde_json::from_str(text.trim()) {
            return Ok(Some(counts));
        }
    }
    Ok(None)
}

/// Columns of status-right: tmux's own default and the longest segment.
const STATUS_LENGTH: u16 = 120;

/// Columns of the side pane.
pub const SIDEBAR_WIDTH: u16 = 40;

/// The bindings, as lines for a tmux configuration. `program` is how tmux is to call tmux-orc.
#[must_use]
pub fn bindings(program: &str) -> String {
    // A path holds no NUL, the one thing that cannot be quoted.
    let run = shlex::try_quote(program).unwrap_or_default();
    // In tmux's double quotes a backslash, a quote and a dollar would mean something.
    let run = run.replace('\\', "\\\\").replace('"', "\\\"").replace('$', "\\$");
    // Doubled for formats, which tmux expands in `run-shell` and in the status line.
    let run = run.replace('#', "##");
    format!(
        "\
# tmux-orc: put this into ~/.tmux.conf, then `tmux source-file ~/.tmux.conf`. Change the keys as you like.
# prefix a: the dashboard over what you see; Enter there takes you to an agent and closes it
bind-key a display-popup -E -w 90% -h 85% \"{run} perf watch --exit-on-jump\"
# prefix g: the agents as a list: type to search, Enter goes there
bind-key g display-popup -E -w 80% -h 75% \"{run} jump\"
# prefix A: to the agent that has waited longest for you; again: to the next one
bind-key A run-shell -b \"{run} next --client '#{{client_name}}' --message\"
# prefix M-a: the dashboard as a pane at the side; again: closes it
bind-key M-a run-shell -b \"{run} sidebar --toggle --pane '#{{pane_id}}'\"
# The status line: who waits, who works. `#(...)` is asked every status-interval seconds.
set-option -g status-interval 2
# tmux shows 40 columns of status-right, which its own default fills: more of them, unless you have more already.
if-shell -F '#{{e|<:#{{status-right-length}},{STATUS_LENGTH}}}' 'set-option -g status-right-length {STATUS_LENGTH}'
# Only once, however often this is read.
if-shell -F '#{{m:*statusline --range*,#{{status-right}}}}' {{ }} {{ set-option -ag status-right \" #({run} statusline --range) \" }}
# Badges in the window list and in pane borders: which window needs you. They want `tmux: {{ badges: true }}` in the settings of
# tmux-orc; without it nothing shows here. Each line counts once, however often this is read.
if-shell -F '#{{m:*{WINDOW}*,#{{window-status-format}}}}' {{ }} {{ set-option -ag window-status-format '#{{{WINDOW}}}' }}
if-shell -F '#{{m:*{WINDOW}*,#{{window-status-current-format}}}}' {{ }} {{ set-option -ag window-status-current-format '#{{{WINDOW}}}' }}
if-shell -F '#{{m:*{PANE}*,#{{pane-border-format}}}}' {{ }} {{ set-option -ag pane-border-format '#{{{PANE}}} ' }}
# Pane borders show it where they have a line of words:
# set-option -g pane-border-status top
# A click on it: to the agent that has waited longest. tmux 3.4 and newer:
# bind-key -n MouseDown1Status if-shell -F '#{{==:#{{mouse_status_range}},orc}}' {{ run-shell -b \"{run} next --client '#{{client_name}}' --message\" }} {{ switch-client -t= }}
# Older ones know no ranges of one's own: a click anywhere in status-right
# bind-key -n MouseDown1StatusRight run-shell -b \"{run} next --client '#{{client_name}}' --message\"
"
    )
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tokio::sync::watch;

    use super::*;
    use crate::app::core::fixture::{test_agent, test_snapshot};
    use crate::monitor::Snapshot;

    #[test]
    fn the_segment_says_only_what_there_is() {
        let mut agents: Vec<Agent> = [
            AgentState::Working,
            AgentState::Waiting,
            AgentState::Working,
            AgentState::Exited,
            AgentState::Idle,
            AgentState::Waiting,
        ]
        .into_iter()
        .zip(0..)
        .map(|(state, id)| test_agent(id, state))
        .collect();
        assert_eq!(Counts::of(&agents).segment(false, false), "2 waiting 1 exited 2 working");
        assert_eq!(Counts::default().segment(true, true), "");
        (agents[1].parked, agents[2].snoozed) = (true, true);
        assert_eq!(Counts::of(&agents).segment(false, false), "1 waiting 1 exited 1 working");
        (agents[1].parked, agents[2].snoozed) = (false, false);
        agents.truncate(2);
        assert_eq!(Counts::of(&agents).segment(true, false), "#[fg=yellow,bold]1 waiting#[default] 1 working");
        assert_eq!(Counts::of(&agents).segment(false, true), "#[range=user|orc]1 waiting 1 working#[norange]");
    }

    #[tokio::test]
    async fn the_counts_are_there_while_the_engine_is() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.counts");
        assert_eq!(read_counts(&path).unwrap(), None);
        // What an engine that was killed left behind is nobody's.
        std::fs::write(&path, r#"{"waiting":9,"error":0,"limited":0,"exited":0,"done":0,"working":0}"#).unwrap();
        assert_eq!(read_counts(&path).unwrap(), None);

        let with = |agents: Vec<Agent>| {
            let mut snapshot = Snapshot { agents: agents.into(), ..test_snapshot() };
            snapshot.engine.pid = std::process::id();
            Arc::new(snapshot)
        };
        let (publish, snapshots) = watch::channel(with(vec![test_agent(1, AgentState::Waiting)]));
        let task = tokio::spawn(keep_counts(snapshots.into(), path.clone()));
        let read = |wanted: usize| {
            let path = path.clone();
            async move {
                while read_counts(&path).unwrap().map(|counts| counts.waiting) != Some(wanted) {
                    tokio::task::yield_now().await;
                }
            }
        };
        read(1).await;
        publish.send_replace(with(Vec::new()));
        read(0).await;
        drop(publish);
        task.await.unwrap();
        assert_eq!(read_counts(&path).unwrap(), None);
    }

    #[test]
    fn bindings_call_the_program_wherever_it_is() {
        assert!(bindings("tmux-orc").contains("\"tmux-orc next --client '#{client_name}' --message\""));
        assert!(bindings("/opt/my tools/tmux-orc").contains("'/opt/my tools/tmux-orc' next"));
        // What means something to a shell, to tmux or to its formats.
        let odd = bindings("/opt/$HOME `x` \"#{pid}\" it's/tmux-orc");
        assert!(odd.contains("##{pid}") && !odd.contains(" $HOME"), "{odd}");
    }
}
