//! One cycle: discover (probe) -> fetch (capture what may have changed) -> detect -> publish.

pub(crate) mod detect;
pub(crate) mod fetch;
pub(crate) mod pace;
pub(crate) mod publish;
pub(crate) mod ration;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use jiff::Timestamp;

use crate::monitor::cycle::detect::cached_verdict;
use crate::monitor::engine::core::Core;
use crate::monitor::panes::tracked::Tracked;
use crate::monitor::strategy::{Known, Plan, View, answer_of};
use crate::monitor::{CycleStats, ServerStatus, clock};
use crate::tmux::{
    Batch, Command as Tmux, CommandError, Expect, Features, Fields, Lease, Pane, Pulse, Reply, TmuxError, clean,
    parse_panes, parse_pulses,
};

/// What one cycle brought.
#[derive(Debug)]
pub struct Outcome {
    /// What it did.
    pub stats: CycleStats,
    /// From its start to the start of the next.
    pub next: Duration,
    /// It could not be done: why.
    pub problem: Option<TmuxError>,
}

impl Outcome {
    /// Whether it was the probe and nothing else.
    pub fn is_quiet(&self) -> bool {
        self.problem.is_none() && self.stats.checked == 0 && self.stats.tmux_requests <= 1
    }
}

fn millis(since: Instant) -> f64 {
    clock::since(since).as_secs_f64() * 1000.0
}

pub(crate) fn count(stats: &mut CycleStats, reply: &Reply) {
    stats.tmux_commands += u64::from(reply.commands);
    stats.tmux_requests += u64::from(reply.requests);
    stats.tmux_processes += u64::from(reply.processes);
    stats.bytes += reply.bytes;
}

/// How often a probe tells places too: a session's new name is shown within this time. Their three fields make a probe of
/// 100 panes dearer by 40 % (1.0 to 1.4 ms of the server, 3.3a and 3.8), so not each one has them.
const PLACES_EVERY: Duration = Duration::from_millis(1950);

/// A server, told apart from one that was started later on the same socket: its pid and the second of its start.
pub(crate) type Incarnation = (u32, Option<i64>);

/// Asks for the fields of all panes, and for the server's pid and start: another one means that all panes are others.
async fn list(
    lease: &mut Lease,
    features: Features,
    fields: Fields,
    stats: &mut CycleStats,
) -> Result<(Vec<Pane>, Option<Incarnation>), TmuxError> {
    let mut batch = Batch::default();
    batch.push(Tmux::new("display-message").args(["-p", "#{pid} #{start_time}"]), Expect::Any);
    batch.push(Tmux::list_panes(features, fields), Expect::Any);
    let reply = lease.request(&batch).await?;
    count(stats, &reply);
    let mut parts = reply.parts.into_iter();
    let server = parts.next().and_then(Result::ok).and_then(|bytes| incarnation(&String::from_utf8_lossy(&bytes)));
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

/// `PID START` as tmux prints them; a tmux that does not know the start prints none.
fn incarnation(text: &str) -> Option<Incarnation> {
    let mut words = text.split_ascii_whitespace();
    Some((words.next()?.parse().ok()?, words.next().and_then(|start| start.parse().ok())))
}

impl Core {
    /// Runs one cycle. Cancelling it anywhere loses nothing but this cycle.
    pub async fn cycle(&mut self) -> Outcome {
        let began = clock::now();
        self.fields_fresh = false;
        self.woken = false;
        let mut stats = CycleStats { publish_ms: self.last_publish_ms, ..CycleStats::default() };
        if let Err(problem) = self.discover(&mut stats).await {
            self.more_new = false;
            self.cannot_reach(&problem, began);
            if problem.is_unreachable() {
                self.look_for_another_server().await;
            }
            stats.discover_ms = millis(began);
            stats.duration_ms = millis(began);
            return Outcome { stats, next: self.settings.interval.max(self.retry_after()), problem: Some(problem) };
        }
        self.measured.probe = clock::since(began);
        self.know_listener().await;
        let mut plan = self.plan(began).await;
        let first_sight = self.ration(&mut plan, began);
        self.early = plan.early;
        stats.discover_ms = millis(began);

        let fetching = clock::now();
        self.listen();
        let reads = if plan.batches.is_empty() {
            Vec::new()
        } else {
            self.toll_begin();
            let reads = self.fetch(&plan, &mut stats).await;
            let cost = self.toll_end(first_sight);
            self.prices.fetched(cost, plan.batches.len(), reads.len());
            reads
        };
        self.listen();
        stats.fetch_ms = millis(fetching);

        let detecting = clock::now();
        let profiles = self.profiles_now();
        let checked = reads.len();
        let failed: Vec<TmuxError> =
            reads.iter().filter_map(|read| read.screen.as_ref()?.as_ref().err().cloned()).collect();
        if checked > 0 {
            self.read_all_but(&failed);
        }
        for read in reads {
            self.take_in(read, &profiles, &mut stats).await;
        }
        for (id, screen) in std::mem::take(&mut self.rejudge) {
            let (at, now) = (Timestamp::now(), clock::now());
            let Some(tracked) = self.fleet.get_mut(id) else { continue };
            if let Some(verdict) = cached_verdict(&self.cache, &profiles, tracked, &screen, at).await {
                self.apply(id, verdict, at, now);
            }
        }
        self.settle();
        stats.checked = checked;
        stats.skipped = self.fleet.iter().filter(|t| t.is_candidate()).count().saturating_sub(checked);
        stats.detect_ms = millis(detecting);
        stats.duration_ms = millis(began);
        Outcome { stats, next: plan.next, problem: None }
    }

    /// Probes: which panes there are, and which may have changed.
    ///
    /// With the cache on, the probe is the pulse alone, and the panes' names and places are read when the topology
    /// changed or their time is over. With the cache off they are read in every cycle, and the probe is made of them.
    async fn discover(&mut self, stats: &mut CycleStats) -> Result<(), TmuxError> {
        let now = clock::now();
        let features = self.features();
        let cached = self.settings.cache.enabled;
        let mut lease = self.pool.acquire().await?;
        let mut listed = None;
        self.toll_begin();
        let pulses = if cached {
            let mut probe = Batch::default();
            let places = self.places_at.is_none_or(|at| now.saturating_duration_since(at) >= PLACES_EVERY);
            let list = if places { Tmux::list_pulses_and_places } else { Tmux::list_pulses };
            if places {
                self.places_at = Some(now);
            }
            probe.push(list(features), Expect::Any);
            let reply = lease.request(&probe).await?;
            count(stats, &reply);
            whole(reply.parts.into_iter().next(), parse_pulses)?
        } else {
            let (panes, server) = list(&mut lease, features, Fields::Cheap, stats).await?;
            self.met_server(server, Timestamp::now());
            listed.insert(panes).iter().map(Pulse::from).collect()
        };
        let cost = self.toll_end(self.part_new());
        self.prices.probed(cost);
        (self.measured.request, self.measured.worth_a_request) = (self.prices.request, self.prices.fewest());
        let pulses = if pulses.is_empty() && !self.fleet.is_empty() {
            // That all panes are gone at once is believed when it is said twice.
            let (panes, server) = list(&mut lease, features, Fields::Cheap, stats).await?;
            self.met_server(server, Timestamp::now());
            panes.iter().map(Pulse::from).collect()
        } else {
            pulses
        };
        let (probed, gone) = self.fleet.probe(pulses, now);
        let at = Timestamp::now();
        for tracked in gone {
            self.cache.pane_content.drop_entry(&tracked.pulse.id).await;
            self.forget(tracked, at);
        }
        self.undescribed |= probed.topology_changed;
        self.moved |= probed.moved;
        let known = self.cache.session_info.get(&(), |()| !self.undescribed && !self.moved).await.is_some();
        if let Some(panes) = listed {
            self.fleet.describe(panes, Fields::Cheap, &self.settings.named, now);
            self.fields_fresh = true;
            self.moved = false;
        }
        let outdated = self.undescribed || ((self.moved || (cached && !known)) && self.may_list(now));
        if outdated && (!self.fleet.is_empty() || self.server_pid.is_none()) {
            let fields = if self.undescribed { Fields::All } else { Fields::Cheap };
            self.toll_begin();
            let (panes, server) = list(&mut lease, features, fields, stats).await?;
            self.listed = (self.toll_end(self.part_new()), Some(now));
            if self.met_server(server, at) {
                self.fleet.probe(panes.iter().map(Pulse::from).collect(), now);
            }
            self.fleet.describe(panes, fields, &self.settings.named, now);
            self.fields_fresh = true;
            (self.undescribed, self.moved) = (false, false);
            self.cache.session_info.put((), ()).await;
        }
        drop(lease);
        self.recall();
        self.reached(at);
        Ok(())
    }

    /// Gives each pane what another engine knew of it, once it is known that this is the same server.
    fn recall(&mut self) {
        let Some(server) = self.server_pid.map(|pid| (pid, self.server_started)) else { return };
        let Some(memory) = self.memory.take() else { return };
        let known = memory.of_server(server, |pane| self.fleet.get(pane).map(|tracked| &tracked.pane));
        for (pane, remembered) in known {
            if let Some(tracked) = self.fleet.get_mut(pane) {
                tracked.remember(remembered);
            }
        }
    }

    /// Looks at the process trees and the cache, and lets the strategy plan.
    async fn plan(&mut self, now: Instant) -> Plan {
        let profiles = self.profiles().await;
        let at = Timestamp::now();
        let mut known = Vec::new();
        let focus = self.focus.clone();
        let (cached, ttl, generation) = (self.settings.cache.enabled, self.settings.cache.ttl, self.cache.generation());
        for tracked in self.fleet.iter_mut() {
            tracked.walk(&profiles, at, now);
            if !tracked.is_candidate() {
                // An agent may be started in it.
                if self.early.is_some() {
                    tracked.subscribe(&mut self.writes, at, now);
                }
                continue;
            }
            let focused = focus.contains(&tracked.pulse.id);
            let stamp = tracked.stamp();
            let id = tracked.pulse.id;
            let content = self.cache.pane_content.get(&id, |c| c.holds_for(stamp) && (c.coloured || !focused)).await;
            let verdict = match (&content, tracked.reading().verdict_key()) {
                (Some(_), Some(key)) => self.cache.agent_status.get(&key, |_| true).await,
                _ => None,
            };
            // The verdict's time is over but the screen still holds: judged anew without a capture.
            let news = tracked.publishes_news(now);
            if let (true, Some(content), false) =
                (verdict.is_none() || news, &content, tracked.reading().must_be_read())
            {
                self.rejudge.push((id, Arc::clone(&content.screen)));
            }
            // A fleet may be larger than the cache: what it had no room for is not read again and again.
            let proven = cached
                && (!focused || tracked.preview.is_some())
                && tracked.reading().is_proven(stamp, generation, now, ttl);
            if news && content.is_none() {
                tracked.require_read();
            }
            tracked.check_read(content.is_some() || proven);
            known.push(Known {
                pane: id,
                state: tracked.state(),
                may_have_changed: tracked.reading().may_have_changed(),
                read_at: tracked.reading().read_at(),
                changed_at: tracked.reading().changed_at(),
                focused,
                announced: tracked.is_notified(),
            });
        }
        let view = View {
            now,
            panes: &known,
            interval: self.settings.interval,
            pool_size: self.pool.stats().pool_size,
            measured: self.measured,
            // One that is gone is shown by nobody.
            watched: self.watched || known.iter().any(|pane| pane.focused),
        };
        let planned = match self.strategy.plan_apart(&view) {
            Some(plan) => answer_of(plan).await,
            None => self.strategy.plan(&view),
        };
        match planned {
            Ok(plan) => plan,
            Err(problem) => self.strategy_failed(&problem, &view_of(&known, &view)),
        }
    }

    pub(crate) fn features(&self) -> Features {
        self.pool.version().map(|version| version.features()).unwrap_or_default()
    }

    fn forget(&mut self, mut tracked: Tracked, at: Timestamp) {
        if let Some(event) = tracked.forget_agent() {
            self.events.push(at, event);
        }
    }

    /// Which server it is, as it just told. Says whether it is another one than before: then nothing that was known of
    /// panes holds.
    fn met_server(&mut self, server: Option<Incarnation>, at: Timestamp) -> bool {
        let Some((pid, started)) = server else { return false };
        let is_new = self.server_pid.is_some_and(|before| before != pid)
            || matches!((self.server_started, started), (Some(before), Some(after)) if before != after);
        if is_new {
            self.events.notice(at, "the tmux server is a new one", false);
            // Its panes have the ids of other panes, and nothing else of them.
            for tracked in self.fleet.clear() {
                self.forget(tracked, at);
            }
            self.cache.reset(&self.settings.cache);
        }
        (self.server_pid, self.server_started) = (Some(pid), started.or(self.server_started.filter(|_| !is_new)));
        is_new
    }

    /// Notes who listens at the socket of the server that just told its pid.
    async fn know_listener(&mut self) {
        let Some(pid) = self.server_pid else { return };
        if self.listener.is_none_or(|(of, _)| of != pid) {
            self.listener = Some((pid, self.server.listener().await));
        }
    }

    /// A server that we cannot speak with, such as one of a much newer tmux, may stand in the place of the one that we
    /// knew: who listens at the socket says so. Then the agents that we knew are gone with theirs.
    async fn look_for_another_server(&mut self) {
        let Some((pid, Some(before))) = self.listener else { return };
        if self.server_pid == Some(pid)
            && let Some(now) = self.server.listener().await.filter(|now| *now != before)
        {
            self.met_server(Some((now, None)), Timestamp::now());
            self.listener = Some((now, Some(now)));
        }
    }

    fn reached(&mut self, at: Timestamp) {
        if !matches!(self.status, ServerStatus::Reachable) {
            if self.problem.is_some() {
                self.events.notice(at, "the tmux server answers again", false);
            }
            self.answered();
        }
        for note in self.pool.take_notes() {
            tracing::warn!(note, "transport");
            self.events.notice(at, note.clone(), true);
            self.note(note);
        }
    }
}

fn view_of<'a>(panes: &'a [Known], view: &View<'_>) -> View<'a> {
    View { panes, ..*view }
}
