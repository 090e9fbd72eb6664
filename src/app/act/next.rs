//! The agent that has waited longest, and the next one when asked again.

use std::{
    fs,
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::app::core::wanted::Wanted;
use crate::monitor::{Agent, AgentState};
use crate::tmux::PaneId;

/// Seconds after which a round is forgotten: who asks again then wants the longest wait, not the next one.
const FORGET_AFTER: i64 = 600;

/// The agents that were gone to in this round.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Round {
    gone_to: Vec<GoneTo>,
    last: Option<Timestamp>,
}

/// An agent that was gone to: which, since when it waited, and for what.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct GoneTo {
    #[serde(default)]
    host: Option<String>,
    #[serde(default)]
    server: String,
    pane: PaneId,
    pid: Option<u32>,
    start: Option<u64>,
    since: Timestamp,
    state: AgentState,
    asks: String,
}

impl GoneTo {
    fn new(agent: &Agent) -> Self {
        let asks =
            format!("{} {} {}", agent.evidence.rule, agent.evidence.line, agent.doing.as_deref().unwrap_or_default());
        let (pane, pid, start) = (agent.pane_id, agent.pid, agent.start);
        let (host, server) = (agent.host.as_deref().map(str::to_owned), agent.server.to_string());
        Self { host, server, pane, pid, start, since: agent.since, state: agent.state, asks }
    }

    /// It is the same wait. One who looks for the first time, without an engine, cannot know since when it lasts: then it
    /// is the same when the same is asked.
    fn is(&self, agent: &Self, watched: bool) -> bool {
        (&self.host, &self.server) == (&agent.host, &agent.server)
            && (self.pane, self.pid, self.start, self.state) == (agent.pane, agent.pid, agent.start, agent.state)
            && (self.since == agent.since || !watched && self.asks == agent.asks)
    }
}

impl Round {
    /// Reads a round; one that is not there or cannot be read is a new one.
    #[must_use]
    pub fn load(path: &Path) -> Self {
        fs::read(path).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default()
    }

    /// Keeps it for the next call.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn save(&self, path: &Path) -> io::Result<()> {
        let fresh = path.with_extension(format!("{}.tmp", std::process::id()));
        let mut file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&fresh)?;
        file.write_all(&serde_json::to_vec(self)?)?;
        fs::rename(&fresh, path)
    }
}

/// An agent that may be the next one.
#[derive(Clone, Copy, Debug)]
pub struct Candidate<'a> {
    /// Which.
    pub agent: &'a Agent,
    /// Since when it is in its state, by the clock of this machine.
    pub since: Timestamp,
    /// An engine was there and knows since when.
    pub watched: bool,
}

/// The next agent of those that are wanted, longest first; after all were gone to, the first one again. A wait that is a new
/// one counts as not gone to.
#[must_use]
pub fn next_waiting<'a>(
    candidates: impl IntoIterator<Item = Candidate<'a>>,
    wanted: &[Wanted],
    round: &mut Round,
    now: Timestamp,
) -> Option<&'a Agent> {
    if round.last.is_none_or(|last| now.as_second() - last.as_second() > FORGET_AFTER) {
        round.gone_to.clear();
    }
    let is_wanted = |one: &Candidate<'_>| !one.agent.is_aside() && wanted.iter().any(|wanted| wanted.is(one.agent));
    let mut waiting: Vec<Candidate<'_>> = candidates.into_iter().filter(is_wanted).collect();
    // States in the order in which they were asked for, the longest wait first.
    waiting.sort_by_key(|one| (wanted.iter().position(|wanted| wanted.is(one.agent)), one.since, one.agent.pane_id));
    let same = |gone: &GoneTo, one: &Candidate<'_>| gone.is(&GoneTo::new(one.agent), one.watched);
    round.gone_to.retain(|gone| waiting.iter().any(|one| same(gone, one)));
    let fresh = |one: &&Candidate<'_>| !round.gone_to.iter().any(|gone| same(gone, one));
    let next = match waiting.iter().find(fresh) {
        Some(next) => Some(next.agent),
        None => {
            round.gone_to.clear();
            waiting.first().map(|one| one.agent)
        }
    };
    if let Some(next) = next {
        round.gone_to.push(GoneTo::new(next));
        round.last = Some(now);
    }
    next
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{app::core::fixture::test_agent, monitor::AgentState};

    const WAITING: &[Wanted] = &[Wanted::State(AgentState::Waiting)];

    /// Of this machine.
    fn here(agents: &[Agent], watched: bool) -> impl Iterator<Item = Candidate<'_>> {
        agents.iter().map(move |agent| Candidate { agent, since: agent.since, watched })
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).unwrap()
    }

    #[test]
    fn the_longest_wait_comes_first_and_the_round_goes_on() {
        let mut agents: Vec<Agent> = [(1, 30), (2, 10), (3, 20)]
            .into_iter()
            .map(|(id, since)| Agent { since: at(since), ..test_agent(id, AgentState::Waiting) })
            .collect();
        agents.push(Agent { since: at(0), ..test_agent(4, AgentState::Working) });
        let mut round = Round::default();
        let mut next = |agents: &[Agent], now| {
            next_waiting(here(agents, true), WAITING, &mut round, at(now)).map(|agent| agent.pane_id.0)
        };
        assert_eq!(
            [next(&agents, 40), next(&agents, 41), next(&agents, 42), next(&agents, 43)].map(Option::unwrap),
            [2, 3, 1, 2]
        );
        // Answered and asking anew: its turn comes after the others of this round.
        agents[1].since = at(44);
        assert_eq!(next(&agents, 45), Some(3));
        assert_eq!(next(&agents, 46), Some(1));
        assert_eq!(next(&agents, 47), Some(2));
        assert_eq!(next(&agents, 47 + FORGET_AFTER + 1), Some(3), "a new round");
        assert_eq!(next(&[], 2000), None);
    }

    #[test]
    fn who_is_out_of_the_way_is_not_gone_to() {
        let mut agents = [1, 2].map(|id| test_agent(id, AgentState::Waiting));
        agents[0].parked = true;
        let mut round = Round::default();
        let mut next = |agents: &[Agent]| {
            next_waiting(here(agents, true), WAITING, &mut round, at(0)).map(|agent| agent.pane_id.0)
        };
        assert_eq!([next(&agents), next(&agents)], [Some(2), Some(2)]);
        agents[1].snoozed = true;
        assert_eq!(next(&agents), None);
    }

    #[test]
    fn panes_of_the_same_number_on_two_hosts_are_two_and_the_longest_wait_is_by_our_clock() {
        let on = |host: &str, since| Agent {
            host: Some(host.into()),
            since: at(since),
            ..test_agent(1, AgentState::Waiting)
        };
        // The clock of `late` is an hour behind.
        let agents = [on("box", 10), on("late", 20 - 3600)];
        let all = || {
            let since = |agent: &Agent| if agent.host.as_deref() == Some("late") { at(20) } else { agent.since };
            agents.iter().map(move |agent| Candidate { agent, since: since(agent), watched: true })
        };
        let mut round = Round::default();
        let mut next = |now| next_waiting(all(), WAITING, &mut round, at(now)).and_then(|agent| agent.host.as_deref());
        assert_eq!([next(30), next(31), next(32)], [Some("box"), Some("late"), Some("box")]);
    }

    #[test]
    fn without_an_engine_the_round_goes_by_what_is_asked() {
        let mut round = Round::default();
        let mut next = |now, asks: &str| {
            // Whoever looks only now finds that all of them wait since now.
            let mut agents = [1, 2, 3].map(|id| Agent { since: at(now), ..test_agent(id, AgentState::Waiting) });
            agents[0].doing = Some(asks.to_owned());
            next_waiting(here(&agents, false), WAITING, &mut round, at(now)).map(|agent| agent.pane_id.0)
        };
        assert_eq!([next(1, "a"), next(2, "a"), next(3, "a"), next(4, "a")].map(Option::unwrap), [1, 2, 3, 1]);
        assert_eq!(next(5, "b"), Some(1), "it asks something else");
    }

    #[test]
    fn a_round_outlives_the_program_and_a_broken_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.next");
        let agents = [test_agent(1, AgentState::Waiting)];
        let mut round = Round::load(&path);
        assert!(next_waiting(here(&agents, true), WAITING, &mut round, at(1)).is_some());
        round.save(&path).unwrap();
        assert_eq!(Round::load(&path), round);
        fs::write(&path, "{").unwrap();
        assert_eq!(Round::load(&path), Round::default());
    }
}
