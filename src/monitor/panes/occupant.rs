//! Whose pane it is: the agent in it with its record, or what the engine before this one knew of an agent in it.

use std::{sync::Arc, time::Instant};

use jiff::Timestamp;

use crate::monitor::AgentState;
use crate::monitor::detect::Verdict;
use crate::monitor::panes::memory::Remembered;
use crate::monitor::panes::record::{Change, Record};

/// The agent of one pane.
#[derive(Debug, Default)]
pub enum Occupant {
    /// No agent is known.
    #[default]
    Nobody,
    /// The engine before this one knew one; no verdict was made since.
    Remembered(Remembered),
    /// An agent with a verdict.
    Agent(Record),
    /// Its agent has ended and its user knows: what it left behind makes no agent.
    Over,
}

/// What a verdict means for the event log.
#[derive(Clone, Debug, PartialEq)]
pub enum News {
    /// An agent that was not known.
    Appeared,
    /// One that was known changed its state.
    Changed(Change),
}

impl Occupant {
    /// Its record, if it is an agent.
    #[must_use]
    pub fn record(&self) -> Option<&Record> {
        match self {
            Self::Agent(record) => Some(record),
            Self::Nobody | Self::Remembered(_) | Self::Over => None,
        }
    }

    /// The same, to change it.
    pub fn record_mut(&mut self) -> Option<&mut Record> {
        match self {
            Self::Agent(record) => Some(record),
            Self::Nobody | Self::Remembered(_) | Self::Over => None,
        }
    }

    /// Whether its agent has ended and its user knows.
    #[must_use]
    pub fn is_over(&self) -> bool {
        matches!(self, Self::Over)
    }

    /// The program that is known to have run here, and its state and kind before the next verdict.
    #[must_use]
    pub fn known(&self) -> Option<(&str, AgentState, Option<&str>)> {
        match self {
            Self::Agent(record) => Some((&record.verdict.agent, record.state(), record.verdict.kind.as_deref())),
            Self::Remembered(then) => Some((&then.agent, then.state, then.kind.as_deref())),
            Self::Nobody | Self::Over => None,
        }
    }

    /// What the engine before this one knew, where this one knows nothing yet.
    pub fn remember(&mut self, then: Remembered) {
        if matches!(self, Self::Nobody) {
            *self = Self::Remembered(then);
        }
    }

    /// Whether a verdict is about the very agent that the engine before this one knew.
    #[must_use]
    pub fn resumes_with(&self, verdict: &Verdict) -> bool {
        matches!(self, Self::Remembered(then) if then.is_of(verdict))
    }

    /// Takes in a verdict. `changed_at` and `in_view` as for [`Record::judge`].
    pub fn judge(
        &mut self,
        verdict: Arc<Verdict>,
        at: Timestamp,
        now: Instant,
        changed_at: Option<Instant>,
        in_view: bool,
    ) -> Option<News> {
        let resumes = self.resumes_with(&verdict);
        *self = match std::mem::take(self) {
            Self::Agent(record) if record.verdict.agent == verdict.agent => Self::Agent(record),
            Self::Remembered(then) if resumes => Self::Agent(Record::resume(then, &verdict, at, now)),
            _ => {
                *self = Self::Agent(Record::new(verdict, at, now));
                return Some(News::Appeared);
            }
        };
        self.record_mut()?.judge(verdict, at, now, changed_at, in_view).map(News::Changed)
    }

    /// Nobody is in it: what the engine before this one knew is not there either. Gives the record of who was.
    pub fn leave(&mut self) -> Option<Record> {
        match std::mem::take(self) {
            Self::Agent(record) => return Some(record),
            Self::Over => *self = Self::Over,
            Self::Nobody | Self::Remembered(_) => {}
        }
        None
    }

    /// Its agent has ended and its user knows. Gives its record.
    pub fn dismiss(&mut self) -> Option<Record> {
        match std::mem::replace(self, Self::Over) {
            Self::Agent(record) => Some(record),
            Self::Nobody | Self::Remembered(_) | Self::Over => None,
        }
    }

    /// Another program was started: what ended before is of no interest any more.
    pub fn reopen(&mut self) {
        if self.is_over() {
            *self = Self::Nobody;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::monitor::Source;
    use crate::monitor::panes::memory::tests::remembered;

    fn verdict(agent: &str, state: AgentState) -> Arc<Verdict> {
        let mut verdict = Verdict::blank(agent, "", Some(60)).say(state, None, "", "", Source::Screen);
        verdict.start = Some(7);
        Arc::new(verdict)
    }

    fn judge(occupant: &mut Occupant, verdict: Arc<Verdict>) -> Option<News> {
        occupant.judge(verdict, Timestamp::UNIX_EPOCH, Instant::now(), None, false)
    }

    #[test]
    fn a_new_agent_appears_once_and_another_program_is_another_agent() {
        let mut occupant = Occupant::default();
        assert_eq!(judge(&mut occupant, verdict("claude", AgentState::Working)), Some(News::Appeared));
        assert_eq!(judge(&mut occupant, verdict("claude", AgentState::Working)), None);
        let news = judge(&mut occupant, verdict("claude", AgentState::Waiting));
        assert!(matches!(news, Some(News::Changed(change)) if change.to == AgentState::Waiting));
        assert_eq!(judge(&mut occupant, verdict("codex", AgentState::Waiting)), Some(News::Appeared));
        assert_eq!(occupant.known(), Some(("codex", AgentState::Waiting, None)));
    }

    #[test]
    fn what_is_remembered_goes_on_with_the_same_program_and_only_with_it() {
        // A Claude that waits, of process 60.
        let mut same = Occupant::default();
        same.remember(remembered());
        assert_eq!(same.known(), Some(("claude", AgentState::Waiting, Some("permission"))));
        assert!(same.record().is_none());
        let news = judge(&mut same, verdict("claude", AgentState::Working));
        assert!(
            matches!(news, Some(News::Changed(change)) if change.from == AgentState::Waiting),
            "it went on meanwhile"
        );
        let mut other = Occupant::default();
        other.remember(remembered());
        assert_eq!(judge(&mut other, verdict("codex", AgentState::Working)), Some(News::Appeared));
        other.remember(remembered());
        assert_eq!(other.known().map(|known| known.0), Some("codex"), "what is seen is not overwritten");
    }

    #[test]
    fn one_that_is_over_stays_so_until_another_program_starts() {
        let mut occupant = Occupant::default();
        judge(&mut occupant, verdict("claude", AgentState::Exited));
        assert!(occupant.dismiss().is_some());
        assert!(occupant.is_over() && occupant.record().is_none());
        assert!(occupant.leave().is_none() && occupant.is_over());
        occupant.reopen();
        assert!(!occupant.is_over());
        judge(&mut occupant, verdict("claude", AgentState::Working));
        occupant.reopen();
        assert!(occupant.record().is_some(), "one that runs is left as it is");
        assert!(occupant.leave().is_some() && matches!(occupant, Occupant::Nobody));
    }
}
