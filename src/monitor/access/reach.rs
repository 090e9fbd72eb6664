//! Whether the tmux server is reached: what failed and since when, with named transitions.

use std::time::{Duration, Instant};

use crate::monitor::ServerStatus;
use crate::monitor::access::reported::Reported;
use crate::tmux::TmuxError;

/// How long the agents of a server that is gone stay in view, marked stale: it may only be restarting.
const KEEP_AFTER_LOSS: Duration = Duration::from_secs(3);

/// Failed cycles in a row, from the start, after which the async engine gives way to the sync one.
const GIVE_WAY_AFTER: u32 = 3;

/// Whether the server is reached.
#[derive(Debug, Default)]
pub struct Reach {
    status: ServerStatus,
    problem: Option<String>,
    reported: Reported,
    /// Cycles fail since then, for whatever reason.
    failing_since: Option<Instant>,
    /// Since then no server runs: not while one only did not answer.
    no_server_since: Option<Instant>,
    /// Failed cycles in a row.
    failed: u32,
    /// A cycle went well since the start.
    worked: bool,
}

/// What a failed cycle means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotReached {
    /// The problem in words, if it is the first of its kind.
    pub news: Option<String>,
    /// No server runs, for so long that its panes are gone with it.
    pub lost: bool,
}

impl Reach {
    /// A cycle could not be done.
    pub fn failed(&mut self, problem: &TmuxError, now: Instant) -> NotReached {
        self.failed += 1;
        self.status = if problem.is_no_server() {
            ServerStatus::NoServer
        } else if problem.is_no_tmux() {
            ServerStatus::NoTmux
        } else {
            ServerStatus::Unreachable
        };
        let (text, news) = self.reported.report(problem);
        self.failing_since.get_or_insert(now);
        // A server that is gone took its panes with it; one that only does not answer keeps them.
        let lost = match self.status {
            ServerStatus::NoServer => {
                let since = *self.no_server_since.get_or_insert(now);
                now.saturating_duration_since(since) >= KEEP_AFTER_LOSS
            }
            _ => {
                self.no_server_since = None;
                false
            }
        };
        self.problem = Some(text.clone());
        NotReached { news: news.then_some(text), lost }
    }

    /// A cycle's questions were answered: problems are over. Says whether there was one.
    pub fn answered(&mut self) -> bool {
        (self.failed, self.worked) = (0, true);
        (self.failing_since, self.no_server_since) = (None, None);
        if self.status == ServerStatus::Reachable {
            return false;
        }
        self.status = ServerStatus::Reachable;
        self.reported.clear();
        self.problem.take().is_some()
    }

    /// How it is reached now.
    #[must_use]
    pub fn status(&self) -> ServerStatus {
        self.status
    }

    /// What went wrong and what to do, when it is not reached.
    #[must_use]
    pub fn problem(&self) -> Option<&str> {
        self.problem.as_deref()
    }

    /// Whether a server is there with which no cycle went well yet, although it was tried again and again.
    #[must_use]
    pub fn has_never_worked(&self) -> bool {
        self.status == ServerStatus::Unreachable && !self.worked && self.failed >= GIVE_WAY_AFTER
    }

    /// How long to wait before a server that did not answer is tried again.
    #[must_use]
    pub fn retry_after(&self, now: Instant) -> Duration {
        let lost = self.failing_since.map_or(Duration::ZERO, |since| now.saturating_duration_since(since));
        (lost / 4).clamp(Duration::from_millis(250), Duration::from_secs(2))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn no_server() -> TmuxError {
        TmuxError::NoServer { socket: "/s".into() }
    }

    fn refused(message: &str) -> TmuxError {
        TmuxError::Refused { message: message.into() }
    }

    fn secs(n: u64) -> Duration {
        Duration::from_secs(n)
    }

    #[test]
    fn a_problem_is_news_once_and_is_over_with_the_first_answer() {
        let (mut reach, now) = (Reach::default(), Instant::now());
        assert!(!reach.answered(), "there was none");
        let text = refused("busy").to_string();
        assert_eq!(reach.failed(&refused("busy"), now), NotReached { news: Some(text.clone()), lost: false });
        assert_eq!(reach.failed(&refused("busy"), now + secs(60)), NotReached { news: None, lost: false });
        assert_eq!((reach.status(), reach.problem()), (ServerStatus::Unreachable, Some(&*text)));
        assert!(reach.answered());
        assert_eq!((reach.status(), reach.problem()), (ServerStatus::Reachable, None));
        assert!(!reach.answered(), "it is over already");
        assert!(reach.failed(&refused("busy"), now + secs(90)).news.is_some(), "the next is news again");
    }

    #[test]
    fn a_server_that_is_gone_is_lost_after_its_seconds_and_one_that_hangs_is_not() {
        let (mut reach, now) = (Reach::default(), Instant::now());
        assert!(!reach.failed(&refused("busy"), now).lost);
        assert!(!reach.failed(&refused("busy"), now + secs(60)).lost);
        assert!(!reach.failed(&no_server(), now + secs(61)).lost, "its seconds begin when it is gone");
        assert!(!reach.failed(&no_server(), now + secs(63)).lost);
        assert!(reach.failed(&no_server(), now + secs(64)).lost);
        assert!(!reach.failed(&refused("busy"), now + secs(65)).lost, "one is there again");
        assert!(!reach.failed(&no_server(), now + secs(66)).lost);
    }

    #[test]
    fn only_a_server_with_which_nothing_ever_worked_is_given_up() {
        let (mut reach, now) = (Reach::default(), Instant::now());
        for _ in 0..GIVE_WAY_AFTER {
            assert!(!reach.has_never_worked());
            reach.failed(&refused("busy"), now);
        }
        assert!(reach.has_never_worked());
        reach.failed(&no_server(), now);
        assert!(!reach.has_never_worked(), "where no server runs there is nothing to give up");
        reach.answered();
        for _ in 0..GIVE_WAY_AFTER * 2 {
            reach.failed(&refused("busy"), now);
        }
        assert!(!reach.has_never_worked());
    }

    #[test]
    fn the_longer_it_fails_the_rarer_it_is_tried() {
        let (mut reach, now) = (Reach::default(), Instant::now());
        assert_eq!(reach.retry_after(now), Duration::from_millis(250));
        reach.failed(&refused("busy"), now);
        assert_eq!(reach.retry_after(now + secs(4)), secs(1));
        reach.failed(&refused("busy"), now + secs(4));
        assert_eq!(reach.retry_after(now + secs(60)), secs(2));
        reach.answered();
        assert_eq!(reach.retry_after(now + secs(60)), Duration::from_millis(250));
    }
}
