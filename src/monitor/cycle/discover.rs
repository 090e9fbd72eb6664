//! Discover: which panes there are, which may have changed, and whose server it is.
//!
//! Everything is asked for first, and taken in only when all of it was answered: a step that fails leaves what is known
//! as it was, and the next cycle finds the same news again.

use std::time::Instant;

use bytes::Bytes;
use jiff::Timestamp;

use crate::monitor::access::{Access, Incarnation};
use crate::monitor::cycle::count;
use crate::monitor::meter::ceiling::Ceiling;
use crate::monitor::panes::fleet::{Probe, Probed};
use crate::monitor::panes::known::{Panes, TimedEvent};
use crate::monitor::{CycleStats, EngineSettings, EventKind, clock};
use crate::tmux::{
    Batch, Command, CommandError, Expect, Features, Fields, Lease, Pane, TmuxError, clean, parse_panes, parse_pulses,
};

/// What a cycle found first.
pub(crate) struct Discovered {
    /// Events, in their order.
    pub(crate) happened: Vec<TimedEvent>,
    /// Things that the user should know for as long as they last, such as a fallback to another transport.
    pub(crate) notes: Vec<String>,
    /// All panes' fields were read.
    pub(crate) listed: bool,
}

/// What the server said.
struct Said {
    probe: Probe,
    /// Places were asked for with the probe.
    places: bool,
    /// Some panes stand elsewhere than before.
    moved: bool,
    /// The newest list of all panes.
    listed: Option<(Vec<Pane>, Fields)>,
    server: Option<Incarnation>,
}

/// Finds out which panes there are.
///
/// With the cache on, the probe is the pulse alone, and the panes' names and places are read when the topology changed or
/// their time is over. With the cache off they are read in every cycle, and the probe is made of them.
///
/// # Errors
/// When not all of it was answered. Then nothing was taken in.
pub(crate) async fn discover(
    access: &mut Access,
    panes: &mut Panes,
    ceiling: &mut Ceiling,
    settings: &EngineSettings,
    stats: &mut CycleStats,
) -> Result<Discovered, TmuxError> {
    let now = clock::now();
    let said = ask(access, panes, ceiling, settings.cache.enabled, stats, now).await?;
    Ok(take_in(said, access, panes, settings, now).await)
}

async fn ask(
    access: &Access,
    panes: &Panes,
    ceiling: &mut Ceiling,
    cached: bool,
    stats: &mut CycleStats,
    now: Instant,
) -> Result<Said, TmuxError> {
    let features = access.features();
    let mut lease = access.acquire().await?;
    let (mut listed, mut server) = (None, None);
    let places = cached && panes.is_places_due(now);
    ceiling.begin(access.server_cpu(), now);
    let mut probe = if cached {
        let list = if places { Command::list_pulses_and_places } else { Command::list_pulses };
        let mut batch = Batch::default();
        batch.push(list(features), Expect::Any);
        let reply = lease.request(&batch).await?;
        count(stats, &reply);
        Probe::from(whole(reply.parts.into_iter().next(), parse_pulses)?)
    } else {
        let (all, who) = list(&mut lease, features, Fields::Cheap, stats).await?;
        server = who;
        let probe = Probe::from(&*all);
        listed = Some((all, Fields::Cheap));
        probe
    };
    ceiling.probed(access.server_cpu(), panes.part_new(0), clock::now());
    if probe.is_empty() && !panes.fleet.is_empty() {
        // That all panes are gone at once is believed when it is said twice.
        let (all, who) = list(&mut lease, features, Fields::Cheap, stats).await?;
        server = who.or(server);
        probe = Probe::from(&*all);
        listed = Some((all, Fields::Cheap));
    }
    let another = server.is_some_and(|server| access.is_another(server));
    let new =
        if another { Probed { topology_changed: true, ..Probed::default() } } else { panes.fleet.compare(&probe) };
    let moved = panes.has_moved() || new.moved;
    let known = panes.cache.session_info.get(&(), |()| !new.topology_changed && !moved).await.is_some();
    let outdated = listed.is_none() && (moved || !known);
    let fields = match new.topology_changed {
        true => Some(Fields::All),
        false if outdated && ceiling.may_list(now) => Some(Fields::Cheap),
        false => None,
    };
    let anybody = !probe.is_empty() || access.incarnation().or(server).is_none();
    if let Some(fields) = fields.filter(|_| anybody) {
        ceiling.begin(access.server_cpu(), clock::now());
        let (all, who) = list(&mut lease, features, fields, stats).await?;
        ceiling.listed(access.server_cpu(), panes.part_new(new.made), clock::now());
        if who.is_some_and(|who| access.is_another(who)) {
            // The probe may be of the one before.
            probe = Probe::from(&*all);
        }
        server = who.or(server);
        listed = Some((all, fields));
    }
    Ok(Said { probe, places, moved, listed, server })
}

async fn take_in(
    said: Said,
    access: &mut Access,
    panes: &mut Panes,
    settings: &EngineSettings,
    now: Instant,
) -> Discovered {
    let at = Timestamp::now();
    let mut happened = Vec::new();
    if said.server.is_some_and(|server| access.met(server)) {
        happened.extend(another_server(panes, settings, at));
    }
    happened.extend(panes.take_probe(said.probe, at, now).await);
    if said.places {
        panes.places_read(now);
    }
    if said.moved {
        panes.moved();
    }
    let listed = said.listed.is_some();
    if let Some((list, fields)) = said.listed {
        panes.take_list(list, fields, &settings.named, now).await;
    }
    if let Some(server) = access.incarnation() {
        panes.recall((server.pid, server.started));
    }
    panes.elsewhere = access.pool.is_elsewhere();
    if access.answered().await {
        happened.push((at, notice("the tmux server answers again".to_owned(), false)));
    }
    let notes = access.pool.take_notes();
    notes.iter().for_each(|note| tracing::warn!(note, "transport"));
    Discovered { happened, notes, listed }
}

/// The server is another one: nothing that was known of panes holds. Returns the events of that.
pub(crate) fn another_server(panes: &mut Panes, settings: &EngineSettings, at: Timestamp) -> Vec<TimedEvent> {
    let mut happened = vec![(at, notice("the tmux server is a new one".to_owned(), false))];
    happened.extend(panes.forget_all(&settings.cache, at));
    happened
}

fn notice(text: String, problem: bool) -> EventKind {
    EventKind::Notice { text, problem }
}

/// Asks for the fields of all panes, and for the server's pid and start: another one means that all panes are others.
async fn list(
    lease: &mut Lease,
    features: Features,
    fields: Fields,
    stats: &mut CycleStats,
) -> Result<(Vec<Pane>, Option<Incarnation>), TmuxError> {
    let mut batch = Batch::default();
    batch.push(Command::new("display-message").args(["-p", "#{pid} #{start_time}"]), Expect::Any);
    batch.push(Command::list_panes(features, fields), Expect::Any);
    let reply = lease.request(&batch).await?;
    count(stats, &reply);
    let mut parts = reply.parts.into_iter();
    let server =
        parts.next().and_then(Result::ok).and_then(|bytes| Incarnation::parse(&String::from_utf8_lossy(&bytes)));
    Ok((whole(parts.next(), parse_panes)?, server))
}

/// A list as it was asked for. A list that failed, or that cannot be read, says nothing of what there is; only tmux's
/// own words for a server without a session do.
fn whole<T>(part: Option<Result<Bytes, CommandError>>, parse: fn(&[u8]) -> Vec<T>) -> Result<Vec<T>, TmuxError> {
    let bytes = match part {
        Some(Ok(bytes)) => bytes,
        Some(Err(error)) if error.is_no_sessions() => Bytes::new(),
        Some(Err(error)) => return Err(TmuxError::Refused { message: error.message }),
        None => return Err(TmuxError::Refused { message: "no answer to the list of panes".into() }),
    };
    let list = parse(&bytes);
    if list.is_empty() && !bytes.trim_ascii().is_empty() {
        let words = clean(&String::from_utf8_lossy(&bytes)).chars().take(200).collect::<String>();
        return Err(TmuxError::Refused { message: format!("the list of panes cannot be read: {words}") });
    }
    Ok(list)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tmux::{PaneId, PoolSettings, Pulse, Server, TransportChoice, scripted::Script};

    struct Room {
        script: Script,
        access: Access,
        panes: Panes,
        ceiling: Ceiling,
        settings: EngineSettings,
    }

    impl Room {
        fn with(panes: u32) -> Self {
            let (script, settings) = (Script::default(), EngineSettings::default());
            script.play().panes = (0..panes).map(|id| (pulse(id), String::new())).collect();
            let server = Server::scripted(script.clone());
            Self {
                access: Access::new(server, TransportChoice::Auto, PoolSettings::default()),
                panes: Panes::new(&settings.cache),
                ceiling: Ceiling::new(100.0, clock::now()),
                script,
                settings,
            }
        }

        async fn discover(&mut self) -> Result<Discovered, TmuxError> {
            let Self { access, panes, ceiling, settings, .. } = self;
            discover(access, panes, ceiling, settings, &mut CycleStats::default()).await
        }

        /// Ids, processes and places of the panes as they are known.
        fn known(&self) -> Vec<(u32, u32, String)> {
            let known = |tracked: &crate::monitor::panes::tracked::Tracked| {
                (tracked.pulse.id.0, tracked.pulse.pid, tracked.pane.target())
            };
            self.panes.fleet.iter().map(known).collect()
        }
    }

    fn pulse(id: u32) -> Pulse {
        Pulse { id: PaneId(id), pid: 40 + id, width: 80, height: 24, ..Pulse::default() }
    }

    #[tokio::test(start_paused = true)]
    async fn names_are_read_when_something_changed_and_not_again() {
        let mut room = Room::with(2);
        assert!(room.discover().await.is_ok_and(|found| found.listed));
        assert!(room.discover().await.is_ok_and(|found| !found.listed));
        room.script.play().panes[1].0.pid = 7;
        assert!(room.discover().await.is_ok_and(|found| found.listed), "another process");
    }

    #[tokio::test(start_paused = true)]
    async fn a_list_that_fails_after_a_probe_leaves_all_as_it_was_and_the_next_one_finds_the_same() {
        let mut room = Room::with(3);
        room.discover().await.expect("an answer");
        let before = room.known();
        {
            let mut play = room.script.play();
            play.failing[1] = Some("client 3: killed".to_owned());
            play.panes.remove(0);
            play.panes[0].0.pid = 7;
            play.panes.push((pulse(9), String::new()));
        }
        for _ in 0..3 {
            assert!(room.discover().await.is_err());
            assert_eq!(room.known(), before);
        }
        room.script.play().failing[1] = None;
        assert!(room.discover().await.is_ok_and(|found| found.listed));
        let known: Vec<_> = room.known().into_iter().map(|(id, pid, _)| (id, pid)).collect();
        assert_eq!(known, [(1, 7), (2, 42), (9, 49)]);
        assert!(room.known().iter().all(|(id, _, target)| *target == format!("main:{id}.0")), "{:?}", room.known());
    }

    #[tokio::test(start_paused = true)]
    async fn another_place_that_could_not_be_read_is_read_with_the_next_probe() {
        let mut room = Room::with(2);
        room.discover().await.expect("an answer");
        tokio::time::advance(std::time::Duration::from_secs(3)).await;
        {
            let mut play = room.script.play();
            play.session = Some("desk".to_owned());
            play.failing[1] = Some("client 3: killed".to_owned());
        }
        assert!(room.discover().await.is_err());
        room.script.play().failing[1] = None;
        assert!(room.discover().await.is_ok_and(|found| found.listed));
        assert!(room.known().iter().all(|(.., target)| target.starts_with("desk:")), "{:?}", room.known());
    }

    #[tokio::test(start_paused = true)]
    async fn that_all_are_gone_is_believed_when_it_is_said_twice() {
        let mut room = Room::with(2);
        room.discover().await.expect("an answer");
        let requests = room.script.play().requests;
        room.script.play().panes.clear();
        room.discover().await.expect("an answer");
        assert!(room.known().is_empty());
        assert_eq!(room.script.play().requests - requests, 2);
    }
}
