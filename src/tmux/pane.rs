//! What tmux tells of a pane: the cheap pulse that every probe reads, and the expensive rest.

use std::hash::{DefaultHasher, Hash, Hasher};

use serde::{Deserialize, Serialize};

use crate::tmux::PaneId;

/// The light fields of one pane, read by every probe: enough to know whether it may have changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pulse {
    /// The pane.
    pub id: PaneId,
    /// Unix second of the last output: the pane's where tmux tells that (`pane_last_output_time`, 3.8; 0 before the
    /// first), else that of any pane of its window (`window_activity`).
    pub activity: i64,
    /// `pane_pid`: the process tmux started in the pane (0 when tmux gave none).
    pub pid: u32,
    /// Width in cells.
    pub width: u16,
    /// Height in rows.
    pub height: u16,
    /// The pane's process has ended and the pane was kept (`remain-on-exit`).
    pub dead: bool,
    /// The end of what a hook last stored in `@tmux_orc_hook`, hashed: another one is another event. 0 for none.
    pub hook: u64,
    /// Hash of where it stands and who looks (session's name, window's index and viewers, at all its places), when that
    /// was asked for: another one says that its place must be read anew.
    pub place: Option<u64>,
}

/// All that tmux tells of one pane: names and places, its program, and hints about its screen.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pane {
    /// The pane.
    pub id: PaneId,
    /// Session's name, cleaned of control characters.
    pub session: String,
    /// Window's index in the session.
    pub window_index: u32,
    /// Window's name, cleaned.
    pub window: String,
    /// Pane's index in the window.
    pub pane_index: u32,
    /// `pane_pid`.
    pub pid: u32,
    /// `pane_tty`, such as `/dev/pts/4`; empty when unknown.
    pub tty: String,
    /// Width in cells.
    pub width: u16,
    /// Height in rows.
    pub height: u16,
    /// As [`Pulse::activity`].
    pub activity: i64,
    /// The program has ended and the pane was kept.
    pub dead: bool,
    /// Exit status of a dead pane, if known.
    pub dead_status: Option<i32>,
    /// Signal that ended a dead pane's program, if known.
    pub dead_signal: Option<i32>,
    /// The pane is in a mode (copy, clock, choose, ...); its screen is still the live one.
    pub in_mode: bool,
    /// The alternate screen is in use.
    pub alternate_on: bool,
    /// The cursor is shown.
    pub cursor_shown: bool,
    /// Cursor's column and row, from 0.
    pub cursor: (u16, u16),
    /// `pane_current_command`; empty when it was not asked for.
    pub command: String,
    /// `pane_current_path`; empty when it was not asked for.
    pub path: String,
    /// `pane_title`, cleaned.
    pub title: String,
    /// What a hook of the agent stored in the pane option `@tmux_orc_hook`; empty when none.
    pub hook: String,
    /// The pane is the one in view of a client, at any of its places: active in its window, its window active there.
    pub in_view: bool,
    /// Every place it stands at, as `session:window.pane`, its own first: a window of a session group, or one that was
    /// linked, has several. A list of all panes tells them all, one of a single pane only one.
    #[serde(default)]
    pub places: Vec<String>,
}

/// Which fields of a pane are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fields {
    /// All but the program in front and its directory, for which the server reads `/proc`.
    Cheap,
    /// All.
    All,
}

impl From<&Pane> for Pulse {
    fn from(pane: &Pane) -> Self {
        let &Pane { id, activity, pid, width, height, dead, .. } = pane;
        let hook = hook_mark(&pane.hook);
        Self { id, activity, pid, width, height, dead, hook, place: None }
    }
}

impl Default for PaneId {
    fn default() -> Self {
        Self(u32::MAX)
    }
}

impl Pane {
    /// The place as people read and type it: `session:window.pane`.
    #[must_use]
    pub fn target(&self) -> String {
        format!("{}:{}.{}", self.session, self.window_index, self.pane_index)
    }

    /// Whether `target` names it exactly: `%12`, or any of its places.
    #[must_use]
    pub fn is_at(&self, target: &str) -> bool {
        self.places.iter().any(|place| place == target)
            || self.target() == target
            || target.parse().is_ok_and(|id: PaneId| id == self.id)
    }
}

/// So much of a hook's word tells it from the one before: its milliseconds.
pub(crate) const HOOK_END: usize = 13;

/// What a pulse says of the newest word of a hook, from the whole word or its end.
pub(crate) fn hook_mark(word: &str) -> u64 {
    let from = word.char_indices().rev().nth(HOOK_END - 1).map_or(0, |(at, _)| at);
    if word.is_empty() { 0 } else { hash(&word[from..]) }
}

/// A short stand-in for a text: another one is another text.
pub(crate) fn hash(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}
