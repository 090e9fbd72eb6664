//! Sums over time: how often, how long, how much. Made of the journal's records, which outlive every engine. Pure.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::app::journal::{AgentReport, Happened, Record, Standing};
use crate::app::metrics::histogram::{ANSWERS, Histogram, TURNS};
use crate::app::metrics::words::{OTHER, is_word, wait_kind};
use crate::monitor::{Acted, AgentState, EventKind, Tokens};

/// Most programs that are told apart; the rest is one.
const PROGRAMS: usize = 64;

/// The sums of one tmux server.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Totals {
    /// Since when.
    pub since: Option<Timestamp>,
    /// Acts of people by their word: those that worked, and those that did not.
    pub acts: BTreeMap<String, (u64, u64)>,
    /// Each program's, in the order in which they were first seen.
    pub programs: Vec<(String, Program)>,
}

/// The sums of one program's agents.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Program {
    /// Changes of state: from, to, how often.
    pub transitions: BTreeMap<AgentState, BTreeMap<AgentState, u64>>,
    /// Seconds in each state.
    pub seconds: BTreeMap<AgentState, f64>,
    /// Times until an agent that waited went on, by what it waited for.
    pub answers: BTreeMap<String, Histogram>,
    /// Times that turns worked.
    pub turns: Histogram,
    /// Tokens of turns that ended; `None` where none was ever known.
    pub tokens: Option<Tokens>,
    /// What those cost whose cost is known, US dollars.
    pub cost_usd: Option<f64>,
}

impl Totals {
    /// Takes in what a record says by itself.
    pub(crate) fn take(&mut self, record: &Record) {
        self.since = Some(self.since.map_or(record.at, |since| since.min(record.at)));
        match &record.what {
            Happened::Event(EventKind::Transition { agent, from, to, .. }) => {
                let count = self.program(agent).transitions.entry(*from).or_default().entry(*to).or_default();
                *count = count.saturating_add(1);
            }
            Happened::Event(EventKind::Acted(Acted { act, ok, .. })) => {
                let (worked, failed) = self.acts.entry(act.to_string()).or_default();
                let count = if *ok { worked } else { failed };
                *count = count.saturating_add(1);
            }
            Happened::Standing(Standing::Turn { agent, tokens, cost_usd, worked, .. }) => {
                let program = self.program(agent);
                if *worked > 0.0 {
                    program.turns.take(TURNS, *worked);
                }
                if let Some(tokens) = tokens {
                    *program.tokens.get_or_insert_default() += *tokens;
                }
                if let Some(cost) = cost_usd.filter(|cost| cost.is_finite() && *cost >= 0.0) {
                    *program.cost_usd.get_or_insert(0.0) += cost;
                }
            }
            _ => {}
        }
    }

    /// Takes in what was added up of an agent's states.
    pub(crate) fn add(&mut self, report: &AgentReport) {
        let program = self.program(&report.agent);
        for (state, seconds) in report.times() {
            if seconds > 0.0 && seconds.is_finite() {
                *program.seconds.entry(state).or_default() += seconds;
            }
        }
        for answer in &report.waits.answers {
            let kind = wait_kind(answer.kind.as_deref());
            program.answers.entry(kind.to_owned()).or_default().take(ANSWERS, answer.seconds);
        }
    }

    fn program(&mut self, name: &str) -> &mut Program {
        let known = |name: &str, all: &[(String, Program)]| all.iter().position(|(one, _)| one == name);
        let name = if is_word(name) { name } else { OTHER };
        let at = known(name, &self.programs).or_else(|| {
            let name = if self.programs.len() < PROGRAMS { name } else { OTHER };
            known(name, &self.programs)
        });
        let at = at.unwrap_or_else(|| {
            let name = if self.programs.len() < PROGRAMS { name } else { OTHER };
            self.programs.push((name.to_owned(), Program::default()));
            self.programs.len() - 1
        });
        &mut self.programs[at].1
    }

    /// Whether they can have been made by this program.
    #[must_use]
    pub(crate) fn is_sound(&self) -> bool {
        let sound = |program: &Program| {
            let sums = program.seconds.values().chain(&program.cost_usd).all(|sum| sum.is_finite() && *sum >= 0.0);
            sums && program.turns.is_sound()
                && program.answers.iter().all(|(kind, one)| wait_kind(Some(kind)) == kind && one.is_sound())
        };
        self.programs.len() <= PROGRAMS + 1
            && self.programs.iter().all(|(name, program)| is_word(name) && sound(program))
            && self.acts.keys().all(|act| is_word(act))
    }
}

impl Program {
    /// Takes in all of another.
    pub(super) fn merge(&mut self, other: &Self) {
        for (from, all) in &other.transitions {
            for (to, count) in all {
                *self.transitions.entry(*from).or_default().entry(*to).or_default() += count;
            }
        }
        for (state, seconds) in &other.seconds {
            *self.seconds.entry(*state).or_default() += seconds;
        }
        for (kind, histogram) in &other.answers {
            self.answers.entry(kind.clone()).or_default().add(histogram);
        }
        self.turns.add(&other.turns);
        if let Some(tokens) = other.tokens {
            *self.tokens.get_or_insert_default() += tokens;
        }
        if let Some(cost) = other.cost_usd {
            *self.cost_usd.get_or_insert(0.0) += cost;
        }
    }
}
