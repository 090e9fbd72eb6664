//! What a read means: the cache is filled, the verdict made and put in force, changes become events.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    sync::Arc,
    time::Duration,
};

use jiff::{Timestamp, tz::TimeZone};

use crate::monitor::cycle::fetch::Read;
use crate::monitor::detect::{Observation, Profiles, Verdict, judge};
use crate::monitor::panes::cache::{Captured, Layers};
use crate::monitor::panes::known::{Panes, TimedEvent};
use crate::monitor::panes::reading::{Brought, screen_hash};
use crate::monitor::panes::tracked::{Tracked, judged_by};
use crate::monitor::{Preview, clock};
use crate::tmux::{PaneId, Screen, TmuxError};

/// What a cycle found out of the panes that it read.
#[derive(Default)]
pub(crate) struct Detected {
    /// Events, in their order.
    pub(crate) happened: Vec<TimedEvent>,
    /// Reads that failed.
    pub(crate) failed: Vec<TmuxError>,
    /// Reads that showed something new.
    pub(crate) changed: usize,
    /// Reads for a broken rhythm, and those of them that showed no other state.
    pub(crate) breaks: (u64, u64),
}

/// Judges what was read, and the screens whose verdicts' time is over; then what time alone changes is in force.
pub(crate) async fn detect(
    reads: Vec<Read>,
    rejudge: Vec<(PaneId, Arc<Screen>)>,
    panes: &mut Panes,
    profiles: &Profiles,
    interval: Duration,
) -> Detected {
    let mut detected = Detected::default();
    for read in reads {
        take_in(read, panes, profiles, interval, &mut detected).await;
    }
    for (id, screen) in rejudge {
        let (at, now) = (Timestamp::now(), clock::now());
        let Some(tracked) = panes.fleet.get_mut(id) else { continue };
        if let Some(verdict) = cached_verdict(&panes.cache, profiles, tracked, &screen, at).await {
            detected.happened.extend(tracked.judge(verdict, at, now, interval).map(|event| (at, event)));
        }
    }
    detected.happened.extend(panes.pass_time(interval, Timestamp::now(), clock::now()));
    detected
}

/// Takes in one read: cache, verdict, record.
async fn take_in(read: Read, panes: &mut Panes, profiles: &Profiles, interval: Duration, detected: &mut Detected) {
    let Some(tracked) = panes.fleet.get_mut(read.pane) else { return };
    let screen = match read.screen {
        None => return,
        Some(Err(problem)) => {
            detected.failed.push(problem);
            tracked.read_failed(read.now, interval);
            return;
        }
        Some(Ok(screen)) => screen,
    };
    let stamp = tracked.stamp();
    let moved = read.fields.is_some_and(|(pane, fields)| tracked.describe_alone(pane, fields, read.now));
    let brought = tracked.take_read(screen_hash(&screen), read.now, read.at, read.subscribed);
    detected.changed += usize::from(brought != Brought::Same);
    if read.coloured {
        tracked.coloured.take(Preview::of(read.pane, &screen, read.at), screen_hash(&screen), read.began);
    }
    let screen = Arc::new(screen);
    let verdict = match tracked.occupant().is_over() {
        true => None,
        false => cached_verdict(&panes.cache, profiles, tracked, &screen, read.at).await,
    };
    let other_state = verdict.as_ref().map(|verdict| verdict.state) != tracked.state();
    if read.broke {
        detected.breaks.0 += 1;
        detected.breaks.1 += u64::from(!other_state);
    } else if other_state {
        tracked.surprises();
    }
    if read.settled {
        tracked.prove_read(stamp, panes.cache.generation());
    }
    let captured = Captured { screen, stamp, settled: read.settled, coloured: read.coloured };
    panes.cache.pane_content.put(read.pane, captured).await;
    let event = match verdict {
        Some(verdict) => tracked.judge(verdict, read.at, read.now, interval),
        // No agent, and none was known: not listed.
        None => tracked.forget_agent(),
    };
    detected.happened.extend(event.map(|event| (read.at, event)));
    if moved {
        panes.moved();
    }
}

/// The verdict for a screen, from the cache where the very same was judged before.
async fn cached_verdict(
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
        (&published.status, &published.detail, published.at).hash(&mut hasher);
    }
    let named = observation.named.map(|named| (&named.target, &named.agent));
    (observation.known_agent, observation.previous, named).hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;
    use crate::{
        monitor::{AgentState, CacheSettings, EventKind, Source, detect::Published},
        tmux::{Pane, Pulse},
    };

    const ID: PaneId = PaneId(7);

    /// A pane with an agent of a profile that is there no more, so that nothing says what the pane is.
    async fn panes(at: Timestamp, now: Instant) -> Panes {
        let mut panes = Panes::new(&CacheSettings::default());
        let pulse = Pulse { id: ID, pid: 4_000_000_000, width: 80, height: 24, ..Pulse::default() };
        panes.take_probe(vec![pulse].into(), at, now).await;
        let verdict = Verdict::blank("nobody", "", None).say(AgentState::Idle, None, "", "", Source::Screen);
        panes.fleet.get_mut(ID).unwrap().judge(Arc::new(verdict), at, now, Duration::ZERO);
        panes
    }

    fn read(screen: Option<Result<Screen, TmuxError>>, at: Timestamp, now: Instant) -> Read {
        let (fields, settled, coloured, subscribed, broke) = (None, true, false, false, false);
        Read { pane: ID, fields, screen, settled, coloured, subscribed, broke, at, now, began: now }
    }

    #[tokio::test]
    async fn an_agent_that_is_gone_is_told_of_by_its_name() {
        let (at, now) = (Timestamp::now(), clock::now());
        let mut panes = panes(at, now).await;
        let read = read(Some(Ok(Screen::plain(b"$ \n"))), at, now);
        let detected = detect(vec![read], Vec::new(), &mut panes, &Profiles::embedded(), Duration::ZERO).await;
        assert!(panes.fleet.get(ID).unwrap().record().is_none());
        let gone = detected.happened.iter().filter_map(|(_, event)| match event {
            EventKind::Gone { pane_id: ID, agent, .. } => Some(agent.as_str()),
            _ => None,
        });
        assert_eq!(gone.collect::<Vec<_>>(), ["nobody"]);
    }

    #[tokio::test]
    async fn a_read_that_failed_and_a_pane_that_vanished_change_no_state() {
        let (at, now) = (Timestamp::now(), clock::now());
        let mut panes = panes(at, now).await;
        let failed = TmuxError::Refused { message: "killed".into() };
        let reads = vec![read(None, at, now), read(Some(Err(failed.clone())), at, now)];
        let detected = detect(reads, Vec::new(), &mut panes, &Profiles::embedded(), Duration::ZERO).await;
        assert_eq!((detected.happened.len(), detected.changed), (0, 0));
        assert_eq!(detected.failed.len(), 1);
        let record = panes.fleet.get(ID).unwrap().record().unwrap();
        assert_eq!((record.state(), record.stale), (AgentState::Idle, true));
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
        let told = |status: &str, at: Option<Timestamp>| Published {
            status: status.to_owned(),
            detail: None,
            at,
            session: None,
        };
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
