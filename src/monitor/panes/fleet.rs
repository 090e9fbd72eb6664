//! All panes of the server, as the probes tell them.

use std::{collections::BTreeMap, time::Instant};

use crate::monitor::NamedAgent;
use crate::monitor::panes::tracked::Tracked;
use crate::tmux::{Fields, Pane, PaneId, Pulse};

/// All panes of the server.
#[derive(Debug, Default)]
pub struct Fleet {
    panes: BTreeMap<PaneId, Tracked>,
}

/// What a probe showed to be new.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Probed {
    /// Panes were made or ended, or a pane's process was replaced: names and places must be read anew.
    pub topology_changed: bool,
    /// Panes stand elsewhere or their sessions have other names: the cheap fields must be read anew.
    pub moved: bool,
}

impl Fleet {
    /// Takes in a probe. Returns what is new and the panes that are gone.
    pub fn probe(&mut self, pulses: Vec<Pulse>, now: Instant) -> (Probed, Vec<Tracked>) {
        let mut probed = Probed::default();
        let mut before = std::mem::take(&mut self.panes);
        for pulse in pulses {
            let id = pulse.id;
            // A window that stands in several sessions is listed in each: one pane, told once.
            if self.panes.contains_key(&id) {
                continue;
            }
            match before.remove(&id) {
                Some(mut tracked) => {
                    let out_of_date = tracked.update(pulse, now);
                    probed.topology_changed |= out_of_date.topology;
                    probed.moved |= out_of_date.place;
                    self.panes.insert(id, tracked);
                }
                None => {
                    probed.topology_changed = true;
                    self.panes.insert(id, Tracked::new(pulse, now));
                }
            }
        }
        probed.topology_changed |= !before.is_empty();
        (probed, before.into_values().collect())
    }

    /// Takes in a list of panes.
    pub fn describe(&mut self, panes: Vec<Pane>, fields: Fields, named: &[NamedAgent], now: Instant) {
        for pane in panes {
            let Some(tracked) = self.panes.get_mut(&pane.id) else { continue };
            tracked.describe(pane, fields, now);
            tracked.named = NamedAgent::of(named, &tracked.pane).cloned();
        }
    }

    /// One pane.
    #[must_use]
    pub fn get(&self, id: PaneId) -> Option<&Tracked> {
        self.panes.get(&id)
    }

    /// One pane.
    pub fn get_mut(&mut self, id: PaneId) -> Option<&mut Tracked> {
        self.panes.get_mut(&id)
    }

    /// All panes by id.
    pub fn iter(&self) -> impl Iterator<Item = &Tracked> {
        self.panes.values()
    }

    /// All panes by id.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut Tracked> {
        self.panes.values_mut()
    }

    /// Number of panes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.panes.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.panes.is_empty()
    }

    /// Forgets all panes: the server is another one.
    pub fn clear(&mut self) -> Vec<Tracked> {
        std::mem::take(&mut self.panes).into_values().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pulse(id: u32, activity: i64, pid: u32) -> Pulse {
        Pulse { id: PaneId(id), activity, pid, width: 80, height: 24, dead: false, ..Pulse::default() }
    }

    #[test]
    fn a_pane_that_is_listed_twice_is_one_pane_and_stays_it() {
        let mut fleet = Fleet::default();
        let now = Instant::now();
        assert!(fleet.probe(vec![pulse(1, 10, 5), pulse(1, 10, 5)], now).0.topology_changed);
        fleet.get_mut(PaneId(1)).unwrap().take_read(1, now, jiff::Timestamp::UNIX_EPOCH, false);
        let (probed, gone) = fleet.probe(vec![pulse(1, 11, 5), pulse(1, 11, 5)], now);
        assert!(!probed.topology_changed && gone.is_empty());
        assert!(!fleet.get(PaneId(1)).unwrap().is_unread(), "its record is kept");
        let (probed, gone) = fleet.probe(vec![pulse(1, 11, 5)], now);
        assert!(!probed.topology_changed && gone.is_empty(), "a place less is no pane less");
    }

    #[test]
    fn a_probe_tells_what_came_went_and_was_replaced() {
        let mut fleet = Fleet::default();
        let now = Instant::now();
        assert!(fleet.probe(vec![pulse(1, 10, 5), pulse(2, 10, 6)], now).0.topology_changed);
        assert!(!fleet.probe(vec![pulse(1, 11, 5), pulse(2, 10, 6)], now).0.topology_changed, "output is no topology");
        assert!(fleet.probe(vec![pulse(1, 11, 7), pulse(2, 10, 6)], now).0.topology_changed, "respawned");
        let (probed, gone) = fleet.probe(vec![pulse(2, 10, 6)], now);
        assert!(probed.topology_changed);
        assert_eq!(gone.iter().map(|t| t.pulse.id).collect::<Vec<_>>(), [PaneId(1)]);
    }
}
