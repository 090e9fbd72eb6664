//! What each turn took: seconds and tokens, told once when the turn is over and its transcript was read.

use std::{collections::HashMap, time::Duration};

use jiff::Timestamp;

use crate::app::journal::record::Standing;
use crate::monitor::{Agent, AgentState, Snapshot, Tokens};
use crate::tmux::PaneId;

/// How long an agent rests before its turn is told: by then what its program wrote down of it was read.
const RESTS: Duration = Duration::from_secs(6);

/// Most time between two snapshots that is counted: in a longer one nobody watched.
const MOST_BETWEEN: f64 = 30.0;

/// The turns that go on.
#[derive(Debug, Default)]
pub struct Turns {
    of: HashMap<PaneId, Turn>,
}

/// The turn of one agent.
#[derive(Debug)]
struct Turn {
    process: (Option<u32>, Option<u64>),
    session: Option<String>,
    seen: (Timestamp, AgentState),
    worked: f64,
    waited: f64,
    /// What its session had spent when the last turn was told, as far as it was known.
    before: Spent,
    /// And now.
    spent: Spent,
    pane_id: PaneId,
    target: String,
    agent: String,
    model: Option<String>,
}

/// Tokens of a session and what they cost, as far as that is known.
type Spent = Option<(Tokens, Option<f64>)>;

impl Turns {
    /// Takes in a snapshot, and gives the turns that are over.
    pub fn take(&mut self, snapshot: &Snapshot) -> Vec<Standing> {
        let now = snapshot.timestamp;
        let mut over = Vec::new();
        for agent in &snapshot.agents {
            let process = (agent.pid, agent.start);
            match self.of.get_mut(&agent.pane_id) {
                Some(turn) if turn.process == process || agent.state == AgentState::Exited => turn.go_on(agent, now),
                _ => {
                    let new = Turn::new(agent, now);
                    over.extend(self.of.insert(agent.pane_id, new).and_then(|mut turn| turn.tell()));
                }
            }
            let rests = !matches!(agent.state, AgentState::Working | AgentState::Waiting | AgentState::Starting);
            let for_long = now.duration_since(agent.since).as_secs_f64() >= RESTS.as_secs_f64();
            if let Some(turn) = self.of.get_mut(&agent.pane_id).filter(|_| rests && for_long) {
                over.extend(turn.tell());
            }
        }
        let gone = |pane: &PaneId| !snapshot.agents.iter().any(|agent| agent.pane_id == *pane);
        let gone: Vec<PaneId> = self.of.keys().filter(|pane| gone(pane)).copied().collect();
        over.extend(gone.into_iter().filter_map(|pane| self.of.remove(&pane)?.tell()));
        over
    }
}

impl Turn {
    fn new(agent: &Agent, now: Timestamp) -> Self {
        Self {
            process: (agent.pid, agent.start),
            session: agent.session_id.clone(),
            seen: (now, agent.state),
            worked: 0.0,
            waited: 0.0,
            before: spent(agent),
            spent: spent(agent),
            pane_id: agent.pane_id,
            target: agent.target.clone(),
            agent: agent.agent.clone(),
            model: agent.model.clone(),
        }
    }

    fn go_on(&mut self, agent: &Agent, now: Timestamp) {
        let (at, state) = std::mem::replace(&mut self.seen, (now, agent.state));
        let passed = now.duration_since(at).as_secs_f64();
        if (0.0..=MOST_BETWEEN).contains(&passed) {
            match state {
                AgentState::Working => self.worked += passed,
                AgentState::Waiting => self.waited += passed,
                _ => {}
            }
        }
        if self.session.is_some() && self.session != agent.session_id {
            // Another session: only its last turn is surely new.
            let turn = agent.tokens.turn.unwrap_or_default();
            self.before = agent.tokens.session.map(|session| (session.since(turn), None));
        } else if self.before.is_none() {
            self.before = spent(agent);
        }
        if agent.session_id.is_some() {
            self.session.clone_from(&agent.session_id);
        }
        // What is known of one that has ended may be less.
        if let Some(spent) = spent(agent) {
            self.spent = Some(spent);
            self.model.clone_from(&agent.model);
        }
        self.target.clone_from(&agent.target);
    }

    /// What the turn took, if it took anything; the next one begins.
    fn tell(&mut self) -> Option<Standing> {
        let now = self.spent;
        let tokens = now.zip(self.before).map(|((now, _), (before, _))| now.since(before));
        let cost_usd = now.zip(self.before).and_then(|((_, now), (_, before))| Some((now? - before?).max(0.0)));
        let (worked, waited) = (std::mem::take(&mut self.worked), std::mem::take(&mut self.waited));
        self.before = now.or(self.before);
        let any = worked > 0.0 || waited > 0.0 || tokens.is_some_and(|tokens| tokens != Tokens::default());
        any.then(|| Standing::Turn {
            pane_id: self.pane_id,
            target: self.target.clone(),
            agent: self.agent.clone(),
            model: self.model.clone(),
            tokens,
            cost_usd,
            worked,
            waited,
        })
    }
}

/// What the session of an agent has spent.
fn spent(agent: &Agent) -> Spent {
    Some((agent.tokens.session?, agent.cost_usd))
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;
    use crate::app::core::fixture::{test_agent, test_snapshot};

    fn tokens(input_tokens: u64) -> Option<Tokens> {
        Some(Tokens { input_tokens, ..Tokens::default() })
    }

    /// Snapshots of one agent: second, state, since, tokens of the session.
    fn told(all: &[(i64, AgentState, i64, Option<u64>)]) -> Vec<(f64, f64, Option<u64>)> {
        let mut turns = Turns::default();
        let mut told = Vec::new();
        let start = test_snapshot().timestamp;
        for (second, state, since, spent) in all {
            let mut snapshot = test_snapshot();
            let mut agent = test_agent(1, *state);
            agent.since = start + SignedDuration::from_secs(*since);
            agent.tokens.session = spent.and_then(tokens);
            agent.session_id = spent.map(|_| "s".to_owned());
            snapshot.timestamp = start + SignedDuration::from_secs(*second);
            snapshot.agents = vec![agent].into();
            told.extend(turns.take(&snapshot));
        }
        let numbers = |standing: &Standing| match standing {
            Standing::Turn { worked, waited, tokens, .. } => (*worked, *waited, tokens.map(|t| t.input_tokens)),
            other => panic!("{other:?}"),
        };
        told.iter().map(numbers).collect()
    }

    #[test]
    fn a_turn_is_told_once_when_it_is_over_and_read() {
        use AgentState::{Idle, Waiting, Working};
        let all = [
            (0, Idle, 0, Some(100)),
            (10, Working, 10, Some(100)),
            (15, Waiting, 15, Some(150)),
            (18, Working, 18, Some(150)),
            (20, Idle, 20, Some(150)),
            (22, Idle, 20, Some(180)),
            (26, Idle, 20, Some(180)),
            (60, Idle, 20, Some(180)),
        ];
        assert_eq!(told(&all), [(7.0, 3.0, Some(80))]);
    }

    #[test]
    fn what_was_spent_before_anybody_watched_is_of_no_turn() {
        use AgentState::{Idle, Working};
        let late =
            [(0, Working, 0, None), (5, Working, 0, Some(9000)), (8, Idle, 8, Some(9010)), (20, Idle, 8, Some(9010))];
        assert_eq!(told(&late), [(8.0, 0.0, Some(10))]);
        let never = [(0, Working, 0, None), (8, Idle, 8, None), (20, Idle, 8, None)];
        assert_eq!(told(&never), [(8.0, 0.0, None)]);
        let slept = [(0, Working, 0, None), (4000, Idle, 4000, None), (4010, Idle, 4000, None)];
        assert!(told(&slept).is_empty(), "nobody watched meanwhile");
    }
}
