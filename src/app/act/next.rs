//! The agent that has waited longest, and the next one when asked again.

use std::{
    fs,
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{app::wanted::Wanted, monitor::Agent, tmux::PaneId};

/// Seconds after which a round is forgotten: who asks again then wants the longest wait, not the next one.
const FORGET_AFTER: i64 = 600;

/// The agents that were gone to in this round.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Round {
    visited: Vec<(PaneId, Timestamp)>,
    last: Option<Timestamp>,
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

/// The next agent of those that are wanted, longest first; after all were gone to, the first one again. A wait that is a new
/// one counts as not gone to.
#[must_use]
pub fn next_waiting<'a>(
    agents: &'a [Agent],
    wanted: &[Wanted],
    round: &mut Round,
    now: Timestamp,
) -> Option<&'a Agent> {
    if round.last.is_none_or(|last| now.as_second() - last.as_second() > FORGET_AFTER) {
        round.visited.clear();
    }
    let mut waiting: Vec<&Agent> = agents.iter().filter(|agent| wanted.iter().any(|wanted| wanted.is(agent))).collect();
    // States in the order in which they were asked for, the longest wait first.
    waiting.sort_by_key(|agent| (wanted.iter().position(|wanted| wanted.is(agent)), agent.since, agent.pane_id));
    round.visited.retain(|(pane, since)| waiting.iter().any(|agent| agent.pane_id == *pane && agent.since == *since));
    let fresh = |agent: &&&Agent| !round.visited.contains(&(agent.pane_id, agent.since));
    let next = match waiting.iter().find(fresh) {
        Some(next) => Some(*next),
        None => {
            round.visited.clear();
            waiting.first().copied()
        }
    };
    if let Some(next) = next {
        round.visited.push((next.pane_id, next.since));
        round.last = Some(now);
    }
    next
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{app::act::test_agent as agent, monitor::State};

    const WAITING: &[Wanted] = &[Wanted::State(State::Waiting)];

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).unwrap()
    }

    #[test]
    fn the_longest_wait_comes_first_and_the_round_goes_on() {
        let mut agents: Vec<Agent> = [(1, 30), (2, 10), (3, 20)]
            .into_iter()
            .map(|(id, since)| Agent { since: at(since), ..agent(id, State::Waiting) })
            .collect();
        agents.push(Agent { since: at(0), ..agent(4, State::Working) });
        let mut round = Round::default();
        let mut next =
            |agents: &[Agent], now| next_waiting(agents, WAITING, &mut round, at(now)).map(|agent| agent.pane_id.0);
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
    fn a_round_outlives_the_program_and_a_broken_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.next");
        let agents = [agent(1, State::Waiting)];
        let mut round = Round::load(&path);
        assert!(next_waiting(&agents, WAITING, &mut round, at(1)).is_some());
        round.save(&path).unwrap();
        assert_eq!(Round::load(&path), round);
        fs::write(&path, "{").unwrap();
        assert_eq!(Round::load(&path), Round::default());
    }
}
