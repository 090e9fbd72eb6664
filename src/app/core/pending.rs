//! Commands between the key and the answer of the engine: shown as asked for, never as done.

use crate::app::core::fleet::{AgentKey, MemberId};
use crate::app::core::state::State;
use crate::app::core::tidy;
use crate::monitor::{Agent, Command, Tidy, TidyChange};

/// A command that was sent.
#[derive(Clone, Debug, PartialEq)]
pub struct Pending {
    /// Number by which it is answered.
    pub id: u64,
    /// Whose engine was asked.
    pub member: MemberId,
    /// The command.
    pub command: Command,
}

impl Pending {
    /// A later command of the same kind to the same engine takes its place.
    #[must_use]
    pub fn same_kind(&self, member: MemberId, command: &Command) -> bool {
        let same_agent = match (&self.command, command) {
            (Command::Tidy(before), Command::Tidy(after)) => before.pane_id == after.pane_id,
            _ => true,
        };
        same_agent && self.member == member && std::mem::discriminant(&self.command) == std::mem::discriminant(command)
    }

    /// What was asked for, in words.
    #[must_use]
    pub fn words(&self) -> String {
        match &self.command {
            Command::Strategy(name) => format!("strategy {name}"),
            Command::PoolSize(size) => format!("pool {size}"),
            Command::Interval(seconds) => format!("interval {}", crate::app::core::format::interval(*seconds)),
            Command::Transport(name) => format!("transport {name}"),
            Command::Cache(on) => format!("cache {}", if *on { "on" } else { "off" }),
            Command::CachePolicy(policy) => format!("cache policy {policy}"),
            Command::Pause(true) => "pause".to_owned(),
            Command::Pause(false) => "resume".to_owned(),
            Command::ClearCache => "clear cache".to_owned(),
            Command::Refresh => "refresh".to_owned(),
            Command::Seen(_) => "dismiss".to_owned(),
            Command::Tidy(tidying) => tidy::asked(&tidying.change).to_owned(),
            Command::Focus(_)
            | Command::Tiles(_)
            | Command::Watched(_)
            | Command::Instruments(_)
            | Command::Acted(_)
            | Command::Reload
            | Command::Noted(_)
            | Command::Problem(_)
            | Command::Stop => String::new(),
        }
    }

    /// What is so now that it was carried out, in words; `None` when the screen says it without them.
    #[must_use]
    pub fn done(&self) -> Option<String> {
        match &self.command {
            Command::ClearCache => Some("cache cleared".to_owned()),
            Command::Strategy(_)
            | Command::PoolSize(_)
            | Command::Interval(_)
            | Command::Transport(_)
            | Command::Cache(_)
            | Command::CachePolicy(_) => Some(self.words()),
            _ => None,
        }
    }
}

// The settings of the engine that is shown, as they will be when all that is pending there is done: what a further key
// press goes on from.
impl State {
    fn pending(&self) -> impl Iterator<Item = &Command> {
        let shown = self.member().id;
        self.pending.iter().rev().filter(move |pending| pending.member == shown).map(|pending| &pending.command)
    }

    /// What is put on an agent, as it will be.
    #[must_use]
    pub fn tidied(&self, key: AgentKey, agent: &Agent) -> Tidy {
        let now = Tidy::of(agent);
        match self.pending_tidy(key) {
            Some(change) => now.after(change.clone(), self.now),
            None => now,
        }
    }

    /// What is to be put on an agent, if that is pending.
    #[must_use]
    pub fn pending_tidy(&self, key: AgentKey) -> Option<&TidyChange> {
        self.pending.iter().rev().find_map(|pending| match &pending.command {
            Command::Tidy(tidying) if (pending.member, tidying.pane_id) == (key.member, key.pane) => {
                Some(&tidying.change)
            }
            _ => None,
        })
    }

    /// The strategy asked for, if that is pending.
    #[must_use]
    pub fn pending_strategy(&self) -> Option<&str> {
        self.pending().find_map(|command| match command {
            Command::Strategy(name) => Some(name.as_str()),
            _ => None,
        })
    }

    /// The pool size asked for, if that is pending.
    #[must_use]
    pub fn pending_pool(&self) -> Option<usize> {
        self.pending().find_map(|command| match *command {
            Command::PoolSize(size) => Some(size),
            _ => None,
        })
    }

    /// The interval asked for, if that is pending.
    #[must_use]
    pub fn pending_interval(&self) -> Option<f64> {
        self.pending().find_map(|command| match *command {
            Command::Interval(seconds) => Some(seconds),
            _ => None,
        })
    }

    /// Cache on or off as asked for, if that is pending.
    #[must_use]
    pub fn pending_cache(&self) -> Option<bool> {
        self.pending().find_map(|command| match *command {
            Command::Cache(on) => Some(on),
            _ => None,
        })
    }

    /// The cache policy asked for, if that is pending.
    #[must_use]
    pub fn pending_policy(&self) -> Option<&str> {
        self.pending().find_map(|command| match command {
            Command::CachePolicy(policy) => Some(policy.as_str()),
            _ => None,
        })
    }

    /// Paused or not as asked for, if that is pending.
    #[must_use]
    pub fn pending_pause(&self) -> Option<bool> {
        self.pending().find_map(|command| match *command {
            Command::Pause(paused) => Some(paused),
            _ => None,
        })
    }
}
