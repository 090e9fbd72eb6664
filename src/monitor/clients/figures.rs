//! What of an agent goes on by itself while it rests: the slices in which it wrote move on, its processes take this or
//! that. No reason to send all of the agent to who understands these alone.

use std::collections::{HashMap, HashSet};

use serde::{Deserialize, Serialize};

use crate::monitor::{Agent, Agents};
use crate::tmux::PaneId;

/// The figures of an agent that differs in nothing else.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Figures {
    /// Its pane.
    pub pane_id: PaneId,
    /// [`Agent::activity`].
    #[serde(default)]
    pub activity: Vec<u8>,
    /// [`Agent::cpu_percent`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu_percent: Option<f64>,
    /// [`Agent::memory_bytes`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_bytes: Option<u64>,
}

impl Figures {
    /// Those of an agent.
    #[must_use]
    pub fn of(agent: &Agent) -> Self {
        Self {
            pane_id: agent.pane_id,
            activity: agent.activity.clone(),
            cpu_percent: agent.cpu_percent,
            memory_bytes: agent.memory_bytes,
        }
    }

    /// Gives them to their agent.
    pub(crate) fn put_on(self, agent: &mut Agent) {
        (agent.activity, agent.cpu_percent, agent.memory_bytes) = (self.activity, self.cpu_percent, self.memory_bytes);
    }

    /// Those of the same agent after one more slice in which it wrote nothing.
    #[must_use]
    pub fn rested(mut self) -> Self {
        rest(&mut self.activity);
        self
    }

    /// Whether they read the same as others wherever they are shown: tenths of a percent, kilobytes, and whole ones of
    /// both where they are large. What reads the same of two reads the same of all, so that nothing is lost by small steps.
    #[must_use]
    pub fn read_as(&self, other: &Self) -> bool {
        let percent =
            |of: &Self| of.cpu_percent.map(|cpu| if cpu < 9.95 { (cpu * 10.0).round() } else { cpu.round() * 10.0 });
        let memory =
            |of: &Self| of.memory_bytes.map(|bytes| if bytes < 1 << 20 { (bytes >> 10, 0) } else { (0, bytes >> 20) });
        self.activity == other.activity && percent(self) == percent(other) && memory(self) == memory(other)
    }
}

fn rest(activity: &mut [u8]) {
    activity.rotate_left(usize::from(!activity.is_empty()));
    activity.iter_mut().next_back().into_iter().for_each(|newest| *newest = 0);
}

/// Moves the slices of agents on that wrote nothing in one more.
pub(crate) fn rested(agents: &mut Agents, panes: &[PaneId]) {
    let panes: HashSet<PaneId> = panes.iter().copied().collect();
    let theirs = |place: &usize| panes.contains(&agents[*place].pane_id);
    let places: Vec<usize> = (0..agents.len()).filter(theirs).collect();
    places.into_iter().for_each(|place| rest(&mut agents[place].activity));
}

/// Gives figures to the agents that they are of.
pub(crate) fn put_on(agents: &mut Agents, figures: Vec<Figures>) {
    let mut of: HashMap<PaneId, Figures> = figures.into_iter().map(|figures| (figures.pane_id, figures)).collect();
    for place in 0..agents.len() {
        if of.is_empty() {
            return;
        }
        if let Some(figures) = of.remove(&agents[place].pane_id) {
            figures.put_on(&mut agents[place]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figures(cpu: f64, memory: u64) -> Figures {
        Figures { pane_id: PaneId(1), activity: vec![0, 7], cpu_percent: Some(cpu), memory_bytes: Some(memory) }
    }

    #[test]
    fn what_nobody_could_read_apart_is_the_same() {
        let one = figures(0.31, 90 << 20);
        assert!(one.read_as(&figures(0.34, (90 << 20) + 70_000)));
        assert!(!one.read_as(&figures(0.36, 90 << 20)) && !one.read_as(&figures(0.31, 91 << 20)));
        assert!(
            figures(41.2, 1000).read_as(&figures(41.4, 1000)) && !figures(41.2, 1000).read_as(&figures(41.6, 1000))
        );
        assert!(!one.read_as(&Figures { activity: vec![7, 0], ..one.clone() }));
        assert!(!one.read_as(&Figures { cpu_percent: None, ..one.clone() }));
        assert_eq!(one.clone().rested().activity, [7, 0]);
        let none = Figures { activity: Vec::new(), ..one };
        assert_eq!(none.clone().rested(), none);
    }
}
