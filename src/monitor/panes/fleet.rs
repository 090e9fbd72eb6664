//! All panes of the server, as the probes list them.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    time::Instant,
};

use crate::monitor::NamedAgent;
use crate::monitor::panes::tracked::Tracked;
use crate::tmux::{Fields, Pane, PaneId, Pulse};

/// All panes of the server.
#[derive(Debug, Default)]
pub struct Fleet {
    panes: BTreeMap<PaneId, Tracked>,
}

/// What a probe listed: each pane once, by id.
#[derive(Clone, Debug, Default)]
pub struct Probe(Vec<Pulse>);

impl From<Vec<Pulse>> for Probe {
    fn from(mut pulses: Vec<Pulse>) -> Self {
        // A window that stands in several sessions is listed in each: one pane, of which the first line counts.
        if !pulses.is_sorted_by(|a, b| a.id < b.id) {
            pulses.sort_by_key(|pulse| pulse.id);
            pulses.dedup_by_key(|pulse| pulse.id);
        }
        Self(pulses)
    }
}

impl From<&[Pane]> for Probe {
    fn from(panes: &[Pane]) -> Self {
        panes.iter().map(Pulse::from).collect::<Vec<_>>().into()
    }
}

impl Probe {
    /// Whether it listed no pane.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn lists(&self, pane: PaneId) -> bool {
        self.0.binary_search_by_key(&pane, |pulse| pulse.id).is_ok()
    }
}

/// What a probe shows to be new.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Probed {
    /// Panes were made or ended, or a pane's process was replaced: names and places must be read anew.
    pub topology_changed: bool,
    /// Panes stand elsewhere or their sessions have other names: the cheap fields must be read anew.
    pub moved: bool,
    /// Panes that were made.
    pub made: usize,
}

impl Fleet {
    /// What a probe shows to be new. Nothing is taken in: what follows from it may fail.
    #[must_use]
    pub fn compare(&self, probe: &Probe) -> Probed {
        let mut probed = Probed::default();
        let mut known = self.panes.iter().peekable();
        for pulse in &probe.0 {
            while known.next_if(|(id, _)| **id < pulse.id).is_some() {
                probed.topology_changed = true;
            }
            match known.next_if(|(id, _)| **id == pulse.id) {
                Some((_, tracked)) => {
                    let change = tracked.compare(pulse);
                    probed.topology_changed |= change.topology;
                    probed.moved |= change.place;
                }
                None => probed.made += 1,
            }
        }
        probed.topology_changed |= probed.made > 0 || known.next().is_some();
        probed
    }

    /// Takes in a probe. Returns the panes that are gone.
    pub fn probe(&mut self, probe: Probe, now: Instant) -> Vec<Tracked> {
        let gone: Vec<PaneId> = self.panes.keys().copied().filter(|id| !probe.lists(*id)).collect();
        let gone = gone.iter().filter_map(|id| self.panes.remove(id)).collect();
        for pulse in probe.0 {
            match self.panes.entry(pulse.id) {
                Entry::Occupied(mut known) => {
                    known.get_mut().update(pulse, now);
                }
                Entry::Vacant(free) => {
                    free.insert(Tracked::new(pulse, now));
                }
            }
        }
        gone
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

    /// Compares and takes in. Says what was new and who is gone.
    fn probe(fleet: &mut Fleet, pulses: Vec<Pulse>, now: Instant) -> (Probed, Vec<u32>) {
        let probe = Probe::from(pulses);
        let probed = fleet.compare(&probe);
        let gone = fleet.probe(probe.clone(), now);
        assert_eq!(fleet.compare(&probe), Probed::default(), "what was taken in is new no longer");
        (probed, gone.iter().map(|tracked| tracked.pulse.id.0).collect())
    }

    #[test]
    fn a_pane_that_is_listed_twice_is_one_pane_and_stays_it() {
        let mut fleet = Fleet::default();
        let now = Instant::now();
        let probed = probe(&mut fleet, vec![pulse(1, 10, 5), pulse(1, 10, 5)], now).0;
        assert!(probed.topology_changed && probed.made == 1);
        fleet.get_mut(PaneId(1)).unwrap().take_read(1, now, jiff::Timestamp::UNIX_EPOCH, false);
        let (probed, gone) = probe(&mut fleet, vec![pulse(1, 11, 5), pulse(1, 11, 5)], now);
        assert!(!probed.topology_changed && gone.is_empty());
        assert!(!fleet.get(PaneId(1)).unwrap().is_unread(), "its record is kept");
        let (probed, gone) = probe(&mut fleet, vec![pulse(1, 11, 5)], now);
        assert!(!probed.topology_changed && gone.is_empty(), "a place less is no pane less");
    }

    #[test]
    fn the_first_line_of_a_pane_counts() {
        let mut fleet = Fleet::default();
        let now = Instant::now();
        probe(&mut fleet, vec![pulse(2, 10, 5), pulse(1, 20, 6), pulse(2, 99, 5)], now);
        assert_eq!(fleet.iter().map(|t| (t.pulse.id.0, t.pulse.activity)).collect::<Vec<_>>(), [(1, 20), (2, 10)]);
    }

    #[test]
    fn a_probe_tells_what_came_went_and_was_replaced() {
        let mut fleet = Fleet::default();
        let now = Instant::now();
        let changed = |fleet: &mut Fleet, pulses| probe(fleet, pulses, now).0.topology_changed;
        assert!(changed(&mut fleet, vec![pulse(1, 10, 5), pulse(2, 10, 6)]));
        assert!(!changed(&mut fleet, vec![pulse(1, 11, 5), pulse(2, 10, 6)]), "output is no topology");
        assert!(changed(&mut fleet, vec![pulse(1, 11, 7), pulse(2, 10, 6)]), "respawned");
        let (probed, gone) = probe(&mut fleet, vec![pulse(2, 10, 6)], now);
        assert_eq!((probed.topology_changed, probed.made, gone), (true, 0, vec![1]));
        let (probed, gone) = probe(&mut fleet, vec![pulse(1, 1, 1), pulse(3, 1, 1)], now);
        assert_eq!((probed.topology_changed, probed.made, gone), (true, 2, vec![2]));
    }

    proptest::proptest! {
        /// A comparison says what taking in would do.
        #[test]
        fn a_comparison_changes_nothing_and_is_right(
            before in proptest::collection::vec((0..8u32, 1..3u32), 0..8),
            after in proptest::collection::vec((0..8u32, 1..3u32), 0..8),
        ) {
            let pulses = |list: &[(u32, u32)]| -> Vec<Pulse> { list.iter().map(|(id, pid)| pulse(*id, 1, *pid)).collect() };
            let (mut fleet, now) = (Fleet::default(), Instant::now());
            fleet.probe(pulses(&before).into(), now);
            let was: Vec<(PaneId, u32)> = fleet.iter().map(|t| (t.pulse.id, t.pulse.pid)).collect();
            let probed = fleet.compare(&pulses(&after).into());
            fleet.probe(pulses(&after).into(), now);
            let is: Vec<(PaneId, u32)> = fleet.iter().map(|t| (t.pulse.id, t.pulse.pid)).collect();
            proptest::prop_assert_eq!(probed.topology_changed, was != is);
            let made = is.iter().filter(|(id, _)| was.iter().all(|(known, _)| known != id)).count();
            proptest::prop_assert_eq!(probed.made, made);
        }
    }
}
