//! What its user has put on an agent by hand: out of the way, on top, silent, a name, a note. It lasts as long as the
//! program runs, and no engine decides it.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::monitor::snapshot::agent::Agent;
use crate::monitor::snapshot::state::AgentState;
use crate::tmux::{PaneId, clean};

/// Longest name that is given to an agent, characters: it has one column.
pub const LONGEST_NAME: usize = 40;

/// Longest note on an agent, characters: it has one line.
pub const LONGEST_NOTE: usize = 200;

/// Longest snooze, seconds: a week.
const LONGEST_SNOOZE: u64 = 7 * 24 * 3600;

/// What its user has put on an agent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Tidy {
    /// Out of the way until its state changes.
    pub parked: bool,
    /// Out of the way until then, or until its program ends.
    pub snoozed: bool,
    /// When the snooze ends; `None`: with its program.
    pub snoozed_until: Option<Timestamp>,
    /// On top of the list.
    pub pinned: bool,
    /// No notice tells of it.
    pub muted: bool,
    /// What it is called.
    pub name: Option<String>,
    /// A line about it.
    pub note: Option<String>,
    /// When its user last changed one of these: of two engines that differ the later one is right.
    pub at: Option<Timestamp>,
}

/// One of these is changed for the program in a pane.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tidying {
    /// The pane.
    pub pane_id: PaneId,
    /// The program in it: of another one nothing is changed.
    #[serde(default)]
    pub pid: Option<u32>,
    /// Its start time, as [`Agent::start`].
    #[serde(default)]
    pub start: Option<u64>,
    /// What is changed.
    pub change: TidyChange,
}

/// A change of what is put on an agent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TidyChange {
    /// Out of the way until its state changes, or back.
    Park(bool),
    /// Out of the way for so many seconds; `None`: until its program ends.
    Snooze(Option<u64>),
    /// No longer snoozed.
    Wake,
    /// On top of the list, or not.
    Pin(bool),
    /// No notice tells of it, or they do again.
    Mute(bool),
    /// What it is called, and a line about it; an empty one takes it away.
    Describe {
        /// The name.
        name: String,
        /// The note.
        note: String,
    },
    /// All as another engine of this server has it, if its user did that later.
    As(Tidy),
}

impl Tidy {
    /// What is put on an agent.
    #[must_use]
    pub fn of(agent: &Agent) -> Self {
        Self {
            parked: agent.parked,
            snoozed: agent.snoozed,
            snoozed_until: agent.snoozed_until,
            pinned: agent.pinned,
            muted: agent.muted,
            name: agent.given_name.clone(),
            note: agent.note.clone(),
            at: agent.tidied_at,
        }
    }

    /// The same after a change at that time.
    #[must_use]
    pub fn after(&self, change: TidyChange, at: Timestamp) -> Self {
        let mut next = Self { at: Some(at), ..self.clone() };
        let back = |tidy: &mut Self| (tidy.parked, tidy.snoozed, tidy.snoozed_until) = (false, false, None);
        match change {
            TidyChange::Park(parked) => {
                back(&mut next);
                next.parked = parked;
            }
            TidyChange::Snooze(seconds) => {
                back(&mut next);
                next.snoozed = true;
                let length = |seconds: u64| SignedDuration::from_secs(seconds.clamp(1, LONGEST_SNOOZE).cast_signed());
                next.snoozed_until = seconds.and_then(|seconds| at.checked_add(length(seconds)).ok());
            }
            TidyChange::Wake => (next.snoozed, next.snoozed_until) = (false, None),
            TidyChange::Pin(pinned) => next.pinned = pinned,
            TidyChange::Mute(muted) => next.muted = muted,
            TidyChange::Describe { name, note } => {
                (next.name, next.note) = (line(&name, LONGEST_NAME), line(&note, LONGEST_NOTE));
            }
            TidyChange::As(other) => {
                next = if other.at > self.at { other } else { self.clone() };
                next.at = next.at.min(Some(at));
                next.sanitise();
            }
        }
        next
    }

    /// What a change of the agent's state takes away: it is parked until then, and snoozed at most until it ends.
    pub fn state_changed(&mut self, to: AgentState) {
        self.parked = false;
        if to == AgentState::Exited {
            (self.snoozed, self.snoozed_until) = (false, None);
        }
    }

    /// Ends a snooze whose time is over. Says whether it did.
    pub fn pass_time(&mut self, now: Timestamp) -> bool {
        let over = self.snoozed && self.snoozed_until.is_some_and(|until| until <= now);
        if over {
            (self.snoozed, self.snoozed_until) = (false, None);
        }
        over
    }

    /// Makes what a stranger may have written safe to show.
    pub fn sanitise(&mut self) {
        self.name = self.name.as_deref().and_then(|name| line(name, LONGEST_NAME));
        self.note = self.note.as_deref().and_then(|note| line(note, LONGEST_NOTE));
    }
}

/// One line of at most so many characters, of which no sign steers a terminal; `None` where nothing is left.
fn line(text: &str, most: usize) -> Option<String> {
    let text: String = clean(text).trim().chars().take(most).collect();
    let text = text.trim_end();
    (!text.is_empty()).then(|| text.to_owned())
}

impl Agent {
    /// Its user has put it out of the way: it calls for nobody till then.
    #[must_use]
    pub fn is_aside(&self) -> bool {
        self.parked || self.snoozed
    }

    /// It waits for its user, who has not put it out of the way.
    #[must_use]
    pub fn needs_user(&self) -> bool {
        self.state.needs_user() && !self.is_aside()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).unwrap()
    }

    #[test]
    fn parked_and_snoozed_take_each_others_place_and_end_by_themselves() {
        let tidy = Tidy::default().after(TidyChange::Pin(true), at(0));
        let parked = tidy.after(TidyChange::Park(true), at(1));
        assert!(parked.parked && parked.pinned && parked.at == Some(at(1)));
        let mut snoozed = parked.after(TidyChange::Snooze(Some(600)), at(2));
        assert_eq!((snoozed.parked, snoozed.snoozed, snoozed.snoozed_until), (false, true, Some(at(602))));
        snoozed.state_changed(AgentState::Waiting);
        assert!(snoozed.snoozed, "a snooze is for a time, whatever happens meanwhile");
        assert!(!snoozed.pass_time(at(601)) && snoozed.snoozed);
        assert!(snoozed.pass_time(at(602)) && !snoozed.snoozed && !snoozed.pass_time(at(603)));
        let mut forever = parked.after(TidyChange::Snooze(None), at(3));
        assert!(!forever.pass_time(at(1_000_000)) && forever.snoozed);
        assert_eq!(forever.after(TidyChange::Park(false), at(4)).after(TidyChange::Wake, at(4)), {
            Tidy { at: Some(at(4)), ..tidy.clone() }
        });
        forever.state_changed(AgentState::Exited);
        assert!(!forever.snoozed && forever.pinned);
    }

    #[test]
    fn names_and_notes_are_short_lines_that_steer_nothing() {
        let long = format!("  \x1b[2Ja\u{202e}b\nc {}", "x".repeat(1000));
        let tidy = Tidy::default().after(TidyChange::Describe { name: long.clone(), note: long }, at(0));
        let (name, note) = (tidy.name.clone().unwrap(), tidy.note.clone().unwrap());
        assert_eq!((name.chars().count(), note.chars().count()), (LONGEST_NAME, LONGEST_NOTE));
        assert!(crate::tmux::is_clean(&name) && !name.starts_with(' '), "{name:?}");
        let none = tidy.after(TidyChange::Describe { name: " ".into(), note: String::new() }, at(1));
        assert_eq!((none.name, none.note), (None, None));
        let mut read = Tidy { note: Some("\x07".repeat(9)), ..tidy };
        read.sanitise();
        assert_eq!((read.name, read.note), (Some(name), None));
        let far = Tidy::default().after(TidyChange::Snooze(Some(u64::MAX)), at(0));
        assert_eq!(far.snoozed_until, Some(at(i64::try_from(LONGEST_SNOOZE).unwrap())));
    }
}
