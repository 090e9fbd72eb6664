//! Counts what the records of one session say.

use std::collections::{BTreeMap, HashSet};

use jiff::{Timestamp, civil::Date, tz::TimeZone};

use crate::monitor::usage::record::{Said, Spent, Turned};
use crate::monitor::usage::requests::{Counts, Requests};
use crate::monitor::usage::rules::{Edge, TranscriptRules};
use crate::monitor::{AgentTokens, Limit, Plan, Price, Prices, Tokens};

/// Most calls of tools that are kept as running: more were left open by a program that ended.
const MOST_CALLS: usize = 1000;

/// What was counted of one session.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    counted: Requests,
    session: Tokens,
    turn: Tokens,
    turns: u64,
    /// A turn was begun: programs that do not write that down have no turns.
    has_turns: bool,
    today: Option<(Date, Tokens)>,
    context_used: Option<u64>,
    context_window: Option<u64>,
    model: Option<String>,
    session_id: Option<String>,
    last_request_at: Option<Timestamp>,
    /// Requests without a time.
    without_time: u64,
    cost: f64,
    /// Tokens without a cost of their own, by model.
    without_cost: BTreeMap<Option<String>, Tokens>,
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
    /// How much of its context is left, percent, as its program reckons it.
    pub context_left: Option<f64>,
    /// Its session's name.
    pub session_id: Option<String>,
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
    /// When its last request was made, without those of sub-agents.
    pub last_request_at: Option<Timestamp>,
}

impl Tally {
    /// Takes in what a record says. `zone`: where its user's days begin.
    pub fn take(&mut self, said: Said, zone: &TimeZone) {
        match said {
            Said::Spent(spent) => self.spend(spent, zone),
            Said::Context(used) => self.context_used = Some(used),
            Said::Window(window) => self.context_window = Some(window),
            Said::Limits(limits) => self.limits = limits,
            Said::Turn(Turned { edge: Edge::Begins, .. }) => {
                self.turn = Tokens::default();
                self.turns += 1;
                self.has_turns = true;
                self.calls.clear();
            }
            Said::Turn(Turned { edge: Edge::Ends, .. }) => self.calls.clear(),
            Said::Tool(Edge::Begins, call) => {
                self.has_calls = true;
                if self.calls.len() < MOST_CALLS {
                    self.calls.insert(call);
                }
            }
            Said::Tool(Edge::Ends, call) => {
                self.has_calls = true;
                self.calls.remove(&call);
            }
            Said::Plan(plan) => self.plan = (plan.of > 0).then_some(plan),
            Said::Compacted => self.context_used = None,
        }
    }

    fn spend(&mut self, spent: Spent, zone: &TimeZone) {
        let counted = self.counted.take(&spent);
        let is_new = counted == Counts::New;
        // Of a request that is written several times the largest counts: the others were written before it was done.
        let (new, instead, cost) = match counted {
            Counts::New => (spent.tokens, Tokens::default(), spent.cost.unwrap_or(0.0)),
            Counts::Instead { of, cost, .. } => (spent.tokens, of, spent.cost.unwrap_or(0.0) - cost.unwrap_or(0.0)),
            Counts::Not => Default::default(),
        };
        let add = |sum: &mut Tokens| {
            *sum += new;
            *sum = sum.since(instead);
        };
        add(&mut self.session);
        add(&mut self.turn);
        if let Some(day) = spent.at.map(|at| zone.to_datetime(at).date()) {
            match &mut self.today {
                Some((today, tokens)) if *today == day => add(tokens),
                Some((today, _)) if *today > day => {}
                _ => self.today = Some((day, new)),
            }
        }
        if is_new {
            self.requests += 1;
            self.without_time += u64::from(spent.at.is_none());
        }
        self.cost += cost;
        if spent.cost.is_none() && new != Tokens::default() {
            add(self.without_cost.entry(spent.model.clone()).or_default());
        }
        if !spent.side && !spent.aside {
            self.model = spent.model.or(self.model.take());
            self.session_id = spent.session.or(self.session_id.take());
            self.last_request_at = self.last_request_at.max(spent.at);
        }
    }

    /// What it cost; `None` where that of a part is not known: a part would be a wrong number.
    fn cost(&self, prices: &Prices) -> Option<f64> {
        self.without_cost
            .iter()
            .try_fold(self.cost, |sum, (model, tokens)| Some(sum + Price::of(prices, model.as_deref()?)?.cost(tokens)))
    }

    /// What is known. `today`: the user's day now; `whole`: nothing of the transcript is left to be read.
    #[must_use]
    pub fn known(&self, rules: &TranscriptRules, prices: &Prices, today: Date, whole: bool) -> Spending {
        let any = whole && self.requests > 0;
        let of_today = || self.today.filter(|(day, _)| *day == today).map(|(_, tokens)| tokens).unwrap_or_default();
        let context_window = self.context_window.or_else(|| rules.windows.get(self.model.as_ref()?).copied());
        Spending {
            context_left: self.context_used.zip(context_window).and_then(|(used, of)| left(used, of, rules.reserve)),
            tokens: AgentTokens {
                context_used: self.context_used,
                context_window,
                turn: (any && self.has_turns).then_some(self.turn),
                session: any.then_some(self.session),
                today: (any && self.without_time == 0).then(of_today),
                shown: None,
            },
            session_id: self.session_id.clone(),
            model: self.model.clone(),
            cost_usd: self.cost(prices).filter(|_| any),
            turns: (whole && self.has_turns).then_some(self.turns),
            tools: (whole && self.has_calls).then(|| u32::try_from(self.calls.len()).unwrap_or(u32::MAX)),
            plan: self.plan,
            limits: self.limits.clone(),
            last_request_at: self.last_request_at,
        }
    }
}

/// How much of a context is left, whole percent.
pub(super) fn left(used: u64, of: u64, reserve: u64) -> Option<f64> {
    let room = of.checked_sub(reserve).filter(|room| *room > 0)?;
    let left = room.saturating_sub(used.saturating_sub(reserve));
    #[expect(clippy::cast_precision_loss, reason = "tokens are far fewer than 2^52")]
    let percent = left as f64 * 100.0 / room as f64;
    Some(percent.round())
}
