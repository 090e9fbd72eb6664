//! What a read means: the cache is filled, the verdict made and put in force, changes become events.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    sync::Arc,
    time::Instant,
};

use jiff::{Timestamp, tz::TimeZone};

use crate::monitor::cycle::fetch::Read;
use crate::monitor::detect::{Observation, Profiles, Verdict, judge};
use crate::monitor::engine::core::Core;
use crate::monitor::panes::cache::{Captured, Layers};
use crate::monitor::panes::reading::{Brought, screen_hash};
use crate::monitor::panes::tracked::{Tracked, judged_by};
use crate::monitor::{CycleStats, Preview, clock};
use crate::tmux::{PaneId, Screen};

impl Core {
    /// Takes in one read: cache, verdict, record.
    pub(crate) async fn take_in(&mut self, read: Read, profiles: &Profiles, stats: &mut CycleStats) {
        let interval = self.settings.interval;
        let Some(tracked) = self.fleet.get_mut(read.pane) else { return };
        let screen = match read.screen {
            None => return,
            Some(Err(_)) => {
                self.errors += 1;
                tracked.read_failed(read.now, interval);
                return;
            }
            Some(Ok(screen)) => screen,
        };
        let stamp = tracked.stamp();
        if let Some((pane, fields)) = read.fields {
            self.moved |= tracked.describe_alone(pane, fields, read.now);
        }
        let brought = tracked.take_read(screen_hash(&screen), read.now, read.at, read.subscribed);
        stats.changed += usize::from(brought != Brought::Same);
        if read.coloured {
            tracked.preview = Some(Arc::new(Preview::of(read.pane, &screen, read.at)));
        }
        let screen = Arc::new(screen);
        let verdict = match tracked.occupant().is_over() {
            true => None,
            false => cached_verdict(&self.cache, profiles, tracked, &screen, read.at).await,
        };
        if read.settled {
            tracked.prove_read(stamp, self.cache.generation());
        }
        let captured = Captured { screen, stamp, settled: read.settled, coloured: read.coloured };
        self.cache.pane_content.put(read.pane, captured).await;
        match verdict {
            Some(verdict) => self.apply(read.pane, verdict, read.at, read.now),
            // No agent, and none was known: not listed.
            None => {
                if let Some(event) = tracked.forget_agent() {
                    self.events.push(read.at, event);
                }
            }
        }
    }

    /// Puts a verdict in force, as the record believes it.
    pub(crate) fn apply(&mut self, id: PaneId, verdict: Arc<Verdict>, at: Timestamp, now: Instant) {
        let interval = self.settings.interval;
        let Some(tracked) = self.fleet.get_mut(id) else { return };
        if let Some(event) = tracked.judge(verdict, at, now, interval) {
            self.events.push(at, event);
        }
    }

    /// Puts in force what would be believed after a while.
    pub(crate) fn believe(&mut self) {
        let at = Timestamp::now();
        for tracked in self.fleet.iter_mut() {
            if let Some(believed) = tracked.settles_at()
                && let Some(event) = tracked.settle(at, believed)
            {
                self.events.push(at, event);
            }
        }
    }

    /// What time alone changes: verdicts that are believed now, dead programs that are still dead, usage samples.
    pub(crate) fn settle(&mut self) {
        let (at, now) = (Timestamp::now(), clock::now());
        for tracked in self.fleet.iter_mut() {
            for event in tracked.pass_time(at, now, self.settings.interval) {
                self.events.push(at, event);
            }
        }
    }
}

/// The verdict for a screen, from the cache where the very same was judged before.
pub(crate) async fn cached_verdict(
    cache: &Layers,
    profiles: &Profiles,
    tracked: &mut Tracked,
    screen: &Screen,
    now: Timestamp,
) -> Option<Arc<Verdict>> {
    let zone = TimeZone::system();
    let published = tracked.read_published().await;
    let known = tracked.occupant().known();
    let observation = Observation {
        pane: &tracked.pane,
        screen: Some(screen),
        processes: tracked.program().processes(),
        published: published.as_ref(),
        known_agent: known.map(|(agent, ..)| agent),
        named: tracked.named.as_ref(),
        previous: known.map(|(_, state, kind)| (state, kind)),
        now,
        zone: Some(&zone),
    };
    let screen_hash = tracked.reading().screen_hash().unwrap_or_else(|| screen_hash(screen));
    let key = observation_key(profiles.stamp(), screen_hash, &observation);
    let judged = async { judge(profiles, &observation).map(Arc::new) };
    let verdict = cache.agent_status.get_or(key, judged).await;
    tracked.judged_as(key);
    verdict
}

/// A hash of all that a verdict is made from; the screen comes hashed.
fn observation_key(profiles: u64, screen_hash: u64, observation: &Observation<'_>) -> u64 {
    let mut hasher = DefaultHasher::new();
    let pane = observation.pane;
    (profiles, screen_hash).hash(&mut hasher);
    judged_by(pane).hash(&mut hasher);
    for process in observation.processes {
        (process.pid, process.start, process.foreground, process.stopped, process.zombie).hash(&mut hasher);
        (&process.comm, &process.args).hash(&mut hasher);
    }
    if let Some(published) = observation.published {
        (&published.status, &published.waiting_for, published.at).hash(&mut hasher);
    }
    let named = observation.named.map(|named| (&named.target, &named.agent));
    (observation.known_agent, observation.previous, named).hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{
        monitor::{EngineSettings, EventKind, Source, State, detect::Published},
        tmux::{Pane, Pulse, Server, scripted::Script},
    };

    #[tokio::test]
    async fn an_agent_that_is_gone_is_told_of_by_its_name() {
        let mut core = Core::new(Server::scripted(Script::default()), EngineSettings::default()).unwrap();
        let (at, now, id) = (Timestamp::now(), clock::now(), PaneId(7));
        core.fleet.probe(vec![Pulse { id, pid: 4_000_000_000, width: 80, height: 24, ..Pulse::default() }], now);
        // Of a profile that is there no more, so that nothing says what the pane is.
        let verdict = Verdict::blank("nobody", "", None).say(State::Idle, None, "", "", Source::Screen);
        core.fleet.get_mut(id).unwrap().judge(Arc::new(verdict), at, now, Duration::ZERO);
        let screen = Some(Ok(Screen::plain(b"$ \n")));
        let (fields, settled, coloured, subscribed) = (None, true, false, false);
        let read = Read { pane: id, fields, screen, settled, coloured, subscribed, at, now };
        let profiles = core.profiles_now();
        core.take_in(read, &profiles, &mut CycleStats::default()).await;
        assert!(core.fleet.get(id).unwrap().record().is_none());
        let snapshot = core.snapshot();
        let gone = snapshot.events.iter().filter_map(|event| match &event.what {
            EventKind::Gone { pane_id, agent, .. } if *pane_id == id => Some(agent.as_str()),
            _ => None,
        });
        assert_eq!(gone.collect::<Vec<_>>(), ["nobody"]);
    }

    fn key(pane: &Pane, published: Option<&Published>) -> u64 {
        let observation = Observation {
            pane,
            screen: None,
            processes: &[],
            published,
            known_agent: None,
            named: None,
            previous: None,
            zone: None,
            now: Timestamp::UNIX_EPOCH,
        };
        observation_key(1, 2, &observation)
    }

    #[test]
    fn a_verdict_is_looked_up_by_all_that_it_is_made_from() {
        let plain = Pane::default();
        let same = key(&plain, None);
        assert_eq!(key(&plain.clone(), None), same);
        let with = |change: fn(&mut Pane)| {
            let mut pane = plain.clone();
            change(&mut pane);
            key(&pane, None)
        };
        let hook = with(|pane| pane.hook = "claude waiting permission 1".into());
        let others = [
            hook,
            with(|pane| pane.title = "another".into()),
            with(|pane| pane.in_mode = true),
            with(|pane| pane.dead = true),
            with(|pane| pane.width = 7),
        ];
        let told = |status: &str, at: Option<Timestamp>| Published { status: status.to_owned(), waiting_for: None, at };
        let published = [
            key(&plain, Some(&told("busy", None))),
            key(&plain, Some(&told("idle", None))),
            key(&plain, Some(&told("idle", Some(Timestamp::UNIX_EPOCH)))),
        ];
        let mut all: Vec<u64> = others.into_iter().chain(published).chain([same]).collect();
        let count = all.len();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), count);
    }
}
