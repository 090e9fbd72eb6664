//! What is known of the server's panes from cycle to cycle: each pane, the cache, and what another engine knew.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use jiff::Timestamp;

use crate::monitor::facts::repository::Worker;
use crate::monitor::facts::transcripts::allowance::Allowance;
use crate::monitor::facts::transcripts::watch::Transcript;
use crate::monitor::facts::writes::{Followed, Notified, Taken};
use crate::monitor::panes::cache::Layers;
use crate::monitor::panes::fleet::{Fleet, Probe};
use crate::monitor::panes::memory::Memory;
use crate::monitor::panes::tracked::Tracked;
use crate::monitor::{AgentState, CacheSettings, EventKind, NamedAgent, Reading, RhythmInfo};
use crate::tmux::{Fields, Pane, PaneId};

/// How often a probe asks for places too: a session's new name is shown within this time. Their three fields make a probe
/// of 100 panes more expensive by 40 % (measured on tmux 3.3a and 3.8: 1.4 ms of the server's time, not 1.0), so not each one
/// has them.
const PLACES_EVERY: Duration = Duration::from_millis(1950);

/// Something that happened, and when.
pub(crate) type TimedEvent = (Timestamp, EventKind);

/// All that is known of panes.
pub(crate) struct Panes {
    pub(crate) fleet: Fleet,
    pub(crate) cache: Layers,
    /// What another engine knew, until it is known which server this one watches.
    memory: Option<Memory>,
    /// Some stand elsewhere than the last list of all panes had them.
    moved: bool,
    /// When a probe asked for places too.
    places_at: Option<Instant>,
    /// The processes of this server's panes are out of sight: their numbers mean nothing here.
    pub(crate) elsewhere: bool,
    /// Bytes of transcripts that may be read.
    pub(crate) transcript_bytes: Allowance,
}

/// Most bytes of transcripts that are read in a second, of all agents together: those of many long sessions are read for
/// the first time without taking the machine.
const MOST_BYTES: u64 = 16 << 20;

impl Panes {
    pub(crate) fn new(cache: &CacheSettings) -> Self {
        Self {
            fleet: Fleet::default(),
            cache: Layers::new(cache),
            memory: None,
            moved: false,
            places_at: None,
            elsewhere: false,
            transcript_bytes: Allowance::new(MOST_BYTES),
        }
    }

    /// What another engine knew: it is recalled when it is known which server this is.
    pub(crate) fn remember(&mut self, memory: Option<Memory>) {
        self.memory = memory;
    }

    /// Whether a probe should ask for places too.
    pub(crate) fn is_places_due(&self, now: Instant) -> bool {
        self.places_at.is_none_or(|at| now.saturating_duration_since(at) >= PLACES_EVERY)
    }

    /// A probe that asked for places too was answered.
    pub(crate) fn places_read(&mut self, now: Instant) {
        self.places_at = Some(now);
    }

    /// Whether some stand elsewhere than the last list of all panes had them.
    pub(crate) fn has_moved(&self) -> bool {
        self.moved
    }

    /// Some stand elsewhere: their places are read again when the ceiling allows it.
    pub(crate) fn moved(&mut self) {
        self.moved = true;
    }

    /// Part of the panes that nobody has looked at, 0 to 1, when so many were made beside those that are known.
    pub(crate) fn part_new(&self, made: usize) -> f64 {
        let all = self.fleet.len() + made;
        if all == 0 {
            return 1.0;
        }
        let new = self.fleet.iter().filter(|tracked| tracked.is_new()).count();
        (new + made) as f64 / all as f64
    }

    /// Takes in a probe. Returns the events of panes that are gone.
    pub(crate) async fn take_probe(&mut self, probe: Probe, at: Timestamp, now: Instant) -> Vec<TimedEvent> {
        let mut happened = Vec::new();
        for mut gone in self.fleet.probe(probe, now) {
            self.cache.pane_content.drop_entry(&gone.pulse.id).await;
            happened.extend(gone.forget_agent().map(|event| (at, event)));
        }
        happened
    }

    /// Takes in a list of all panes.
    pub(crate) async fn take_list(&mut self, list: Vec<Pane>, fields: Fields, named: &[NamedAgent], now: Instant) {
        self.fleet.describe(list, fields, named, now);
        self.moved = false;
        self.cache.session_info.put((), ()).await;
    }

    /// Forgets all: the server is another one, whose panes have the ids of these and nothing else. Returns the
    /// events of that.
    pub(crate) fn forget_all(&mut self, cache: &CacheSettings, at: Timestamp) -> Vec<TimedEvent> {
        self.cache.reset(cache);
        self.fleet.clear().iter_mut().filter_map(|gone| Some((at, gone.forget_agent()?))).collect()
    }

    /// Gives each pane what another engine knew of it, now that it is known which server this is: its pid and start.
    pub(crate) fn recall(&mut self, server: (u32, Option<i64>)) {
        let Some(memory) = self.memory.take() else { return };
        let known = memory.of_server(server, |pane| self.fleet.get(pane).map(|tracked| &tracked.pane));
        for (pane, remembered) in known {
            if let Some(tracked) = self.fleet.get_mut(pane) {
                tracked.remember(remembered);
            }
        }
    }

    /// No pane could be read: what is known of them is stale.
    pub(crate) fn unreachable(&mut self, now: Instant, interval: Duration) {
        self.fleet.iter_mut().for_each(|tracked| tracked.read_failed(now, interval));
    }

    /// Takes in notifications of writes: those panes are read by the next cycle. Says how many panes they were about.
    pub(crate) fn notified(&mut self, all: &[Notified], now: Instant) -> usize {
        let mut panes = 0;
        for notified in all {
            match notified {
                Notified::Pane(pane) => {
                    panes += 1;
                    self.fleet.get_mut(*pane).into_iter().for_each(|tracked| tracked.notified(now));
                }
                Notified::Terminals => {}
                Notified::Overflow => self.fleet.iter_mut().for_each(|tracked| tracked.notified(now)),
            }
        }
        panes
    }

    /// Takes in what the panes that are followed did.
    pub(crate) fn take_followed(&mut self, followed: &mut Followed, rhythm: &mut RhythmInfo, now: Instant) {
        let Taken { wrote, lost } = followed.take();
        for pane in wrote {
            match self.fleet.get_mut(pane) {
                Some(tracked) if tracked.is_followed() => rhythm.missed += u64::from(tracked.wrote(now)),
                _ => followed.leave(pane),
            }
        }
        for pane in lost {
            self.fleet.get_mut(pane).into_iter().for_each(Tracked::lost_sight);
        }
    }

    /// Whether the rhythm of any of these is broken now.
    pub(crate) fn breaks_rhythm(&mut self, followed: &[PaneId], now: Instant) -> bool {
        let mut any = false;
        for pane in followed {
            any |= self.fleet.get_mut(*pane).is_some_and(|tracked| tracked.breaks_rhythm(now));
        }
        any
    }

    /// What agents spent is counted anew: the prices are others.
    pub(crate) fn forget_spending(&mut self) {
        self.fleet.iter_mut().filter_map(|tracked| tracked.program_mut().transcript_mut()).for_each(Transcript::forget);
    }

    /// Other panes are shown than before.
    pub(crate) fn show(&mut self, before: &BTreeSet<PaneId>, now: &BTreeSet<PaneId>) {
        for left in before.difference(now) {
            if let Some(tracked) = self.fleet.get_mut(*left) {
                tracked.coloured.forget();
            }
        }
        for came in now.difference(before) {
            // Its last screen may be known with its colours, but they were let go of.
            if let Some(tracked) = self.fleet.get_mut(*came) {
                tracked.require_read();
            }
        }
    }

    /// What the settings call an agent is another thing now. Returns the events of those that are none any more.
    pub(crate) fn set_named(&mut self, named: &[NamedAgent], at: Timestamp) -> Vec<TimedEvent> {
        let set = |tracked: &mut Tracked| tracked.set_named(NamedAgent::of(named, &tracked.pane).cloned());
        self.fleet.iter_mut().filter_map(|tracked| Some((at, set(tracked)?))).collect()
    }

    /// What time alone changes of the agents. Returns the events of that.
    pub(crate) fn pass_time(&mut self, interval: Duration, at: Timestamp, now: Instant) -> Vec<TimedEvent> {
        let mut happened = Vec::new();
        for tracked in self.fleet.iter_mut() {
            happened.extend(tracked.pass_time(at, now, interval).into_iter().map(|event| (at, event)));
        }
        happened
    }

    /// Believes what would be believed after a while. Returns the events of that.
    pub(crate) fn believe(&mut self, at: Timestamp) -> Vec<TimedEvent> {
        let believe = |tracked: &mut Tracked| tracked.settle(at, tracked.settles_at()?);
        self.fleet.iter_mut().filter_map(|tracked| Some((at, believe(tracked)?))).collect()
    }

    /// When the first verdict that is not believed yet will be.
    pub(crate) fn settles_at(&self) -> Option<Instant> {
        self.fleet.iter().filter_map(Tracked::settles_at).min()
    }

    /// Panes that hold an agent or may hold one.
    pub(crate) fn candidates(&self) -> impl Iterator<Item = &Tracked> {
        self.fleet.iter().filter(|tracked| tracked.is_candidate())
    }

    /// The agents that work in a folder that can be looked at.
    pub(crate) fn workers(&self) -> impl Iterator<Item = Worker<'_>> {
        self.fleet.iter().filter_map(|tracked| {
            let (pane, activity) = (tracked.pulse.id, tracked.pulse.activity);
            let runs = tracked.state() != Some(AgentState::Exited);
            Some(Worker { pane, folder: tracked.workplace()?, activity, runs })
        })
    }

    /// How far the first look at the panes has come, while some were not looked at.
    pub(crate) fn reading(&self) -> Option<Reading> {
        let (mut read, mut of) = (0, 0);
        for tracked in self.candidates() {
            of += 1;
            read += usize::from(!tracked.is_unread());
        }
        (read < of).then_some(Reading { read, of })
    }

    /// Mean age of the verdicts, milliseconds: 0 for a screen that is proven unchanged, else the time since its read.
    pub(crate) fn staleness_ms(&self, now: Instant) -> Option<f64> {
        let (mut sum, mut count) = (0.0, 0u32);
        for tracked in self.fleet.iter().filter(|tracked| tracked.record().is_some()) {
            let stale_for = tracked.reading().stale_since().map(|at| now.saturating_duration_since(at));
            sum += stale_for.map_or(0.0, |age| age.as_secs_f64() * 1000.0);
            count += 1;
        }
        (count > 0).then(|| sum / f64::from(count))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::monitor::detect::Verdict;
    use crate::monitor::{AgentState, Preview, Source};
    use crate::tmux::{Pulse, Screen};

    /// Panes of these ids, each with an agent.
    async fn panes(ids: &[u32], now: Instant) -> Panes {
        let mut panes = Panes::new(&CacheSettings::default());
        let pulse = |id: &u32| Pulse { id: PaneId(*id), width: 80, height: 24, ..Pulse::default() };
        let probe: Vec<Pulse> = ids.iter().map(pulse).collect();
        panes.take_probe(probe.into(), Timestamp::UNIX_EPOCH, now).await;
        for tracked in panes.fleet.iter_mut() {
            let verdict = Verdict::blank("claude", "", None).say(AgentState::Idle, None, "", "", Source::Screen);
            tracked.judge(Arc::new(verdict), Timestamp::UNIX_EPOCH, now, Duration::ZERO);
        }
        panes
    }

    fn gone(happened: &[TimedEvent]) -> Vec<u32> {
        let pane = |event: &EventKind| match event {
            EventKind::Gone { pane_id, .. } => Some(pane_id.0),
            _ => None,
        };
        happened.iter().filter_map(|(_, event)| pane(event)).collect()
    }

    #[tokio::test]
    async fn who_is_gone_is_told_of_once() {
        let (now, at) = (Instant::now(), Timestamp::UNIX_EPOCH);
        let mut panes = panes(&[1, 2, 3], now).await;
        let left = vec![Pulse { id: PaneId(2), ..Pulse::default() }];
        assert_eq!(gone(&panes.take_probe(left.clone().into(), at, now).await), [1, 3]);
        assert!(gone(&panes.take_probe(left.into(), at, now).await).is_empty());
        let generation = panes.cache.generation();
        assert_eq!(gone(&panes.forget_all(&CacheSettings::default(), at)), [2]);
        assert!(panes.fleet.is_empty() && panes.cache.generation() > generation);
    }

    #[tokio::test]
    async fn places_are_due_until_a_list_of_all_panes_is_taken_in() {
        let now = Instant::now();
        let mut panes = panes(&[1], now).await;
        assert!(panes.is_places_due(now));
        panes.places_read(now);
        assert!(!panes.is_places_due(now + Duration::from_secs(1)));
        assert!(panes.is_places_due(now + Duration::from_secs(2)));
        panes.moved();
        panes.take_list(Vec::new(), Fields::Cheap, &[], now).await;
        assert!(!panes.has_moved());
    }

    #[tokio::test]
    async fn how_many_are_new_counts_those_that_were_just_made() {
        let now = Instant::now();
        let nobody = Panes::new(&CacheSettings::default());
        assert!((nobody.part_new(0) - 1.0).abs() < 1e-9, "nobody has looked at anything");
        let panes = panes(&[1, 2, 3], now).await;
        // No process tree was walked: all are new.
        assert!((panes.part_new(1) - 1.0).abs() < 1e-9);
        assert_eq!(panes.reading(), Some(Reading { read: 0, of: 3 }));
    }

    #[tokio::test]
    async fn a_pane_that_is_shown_no_longer_gives_its_screen_back() {
        let now = Instant::now();
        let mut panes = panes(&[1, 2], now).await;
        let screen = Preview::of(PaneId(1), &Screen::plain(b""), Timestamp::UNIX_EPOCH);
        panes.fleet.get_mut(PaneId(1)).unwrap().coloured.take(screen, 7, now);
        let (before, after) = (BTreeSet::from([PaneId(1)]), BTreeSet::from([PaneId(2), PaneId(9)]));
        panes.show(&before, &after);
        assert!(panes.fleet.get(PaneId(1)).unwrap().coloured.preview().is_none());
        assert!(panes.fleet.get(PaneId(2)).unwrap().reading().must_be_read());
    }
}
