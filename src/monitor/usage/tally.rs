//! Counts what the records of one session say.

use std::collections::{HashMap, HashSet};

use jiff::{civil::Date, tz::TimeZone};

use crate::monitor::usage::record::{Said, Spent};
use crate::monitor::usage::rules::Edge;
use crate::monitor::{AgentTokens, Limit, Plan, Tokens};

/// Most calls of tools that are kept as running: more were left open by a program that ended.
const MOST_CALLS: usize = 1000;

/// What was counted of one session.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// Every request that was counted: what is written again of it counts only as far as it is more.
    counted: HashMap<u64, Tokens>,
    session: Tokens,
    turn: Tokens,
    turns: u64,
    /// A turn was begun: programs that do not write that down have no turns.
    has_turns: bool,
    today: Option<(Date, Tokens)>,
    context_used: Option<u64>,
    context_window: Option<u64>,
    model: Option<String>,
    cost: Option<f64>,
    /// Requests without a cost of their own.
    without_cost: u64,
    requests: u64,
    limits: Vec<Limit>,
    calls: HashSet<u64>,
    has_calls: bool,
    plan: Option<Plan>,
}

/// What is known of a session, to be published.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Spending {
    /// Its tokens.
    pub tokens: AgentTokens,
    /// Its model.
    pub model: Option<String>,
    /// What it has cost, as its program recorded it, US dollars.
    pub cost_usd: Option<f64>,
    /// Its turns.
    pub turns: Option<u64>,
    /// Calls of tools that run.
    pub tools: Option<u32>,
    /// How far its plan is carried out.
    pub plan: Option<Plan>,
    /// Limits of its account.
    pub limits: Vec<Limit>,
}

impl Tally {
    /// Takes in what a record says. `zone`: where its user's days begin.
    pub fn take(&mut self, said: Said, zone: &TimeZone) {
        match said {
            Said::Spent(spent) => self.spend(spent, zone),
            Said::Window(window) => self.context_window = Some(window),
            Said::Limits(limits) => {
                let limit = |seen: crate::monitor::usage::record::Limited| Limit {
                    minutes: seen.minutes,
                    used_percent: seen.used,
                    resets_at: seen.resets_at,
                    at: seen.at,
                };
                self.limits = limits.into_iter().map(limit).collect();
            }
            Said::Turn(Edge::Begins, _) => {
                self.turn = Tokens::default();
                self.turns += 1;
                self.has_turns = true;
                self.calls.clear();
            }
            Said::Turn(Edge::Ends, _) => self.calls.clear(),
            Said::Tool(Edge::Begins, call) => {
                self.has_calls = true;
                if self.calls.len() < MOST_CALLS {
                    self.calls.insert(call);
                }
            }
            Said::Tool(Edge::Ends, call) => {
                self.calls.remove(&call);
            }
            Said::Plan(plan) => self.plan = (plan.of > 0).then_some(plan),
            Said::Compacted => self.context_used = None,
        }
    }

    fn spend(&mut self, spent: Spent, zone: &TimeZone) {
        let new = match spent.id {
            None => spent.tokens,
            Some(id) => {
                let known = self.counted.entry(id).or_default();
                let before = *known;
                *known = before.max(spent.tokens);
                known.since(before)
            }
        };
        let is_new = spent.id.is_none() || new != Tokens::default();
        self.session += new;
        self.turn += new;
        if let Some(day) = spent.at.map(|at| zone.to_datetime(at).date()) {
            match &mut self.today {
                Some((today, tokens)) if *today == day => *tokens += new,
                Some((today, _)) if *today > day => {}
                _ => self.today = Some((day, new)),
            }
        }
        if is_new {
            self.requests += 1;
            match spent.cost {
                Some(cost) => self.cost = Some(self.cost.unwrap_or(0.0) + cost),
                None => self.without_cost += 1,
            }
        }
        if !spent.side {
            self.context_used = spent.context.or(self.context_used);
            self.model = spent.model.or(self.model.take());
        }
    }

    /// What is known. `today`: the user's day now; `whole`: nothing of the transcript is left to be read.
    #[must_use]
    pub fn known(&self, today: Date, whole: bool) -> Spending {
        let any = whole && self.requests > 0;
        let of_today = || self.today.filter(|(day, _)| *day == today).map(|(_, tokens)| tokens).unwrap_or_default();
        Spending {
            tokens: AgentTokens {
                context_used: self.context_used,
                context_window: self.context_window,
                turn: (any && self.has_turns).then_some(self.turn),
                session: any.then_some(self.session),
                today: any.then(of_today),
                shown: None,
            },
            model: self.model.clone(),
            // A part of the cost would be a wrong number.
            cost_usd: self.cost.filter(|_| any && self.without_cost == 0),
            turns: (whole && self.has_turns).then_some(self.turns),
            tools: (whole && self.has_calls).then(|| u32::try_from(self.calls.len()).unwrap_or(u32::MAX)),
            plan: self.plan,
            limits: self.limits.clone(),
        }
    }
}
