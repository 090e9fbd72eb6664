//! One cycle: discover (probe) -> fetch (capture what may have changed) -> detect -> publish.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::{StreamExt, stream};
use jiff::Timestamp;

use super::{
    CycleStats, Event, EventKind, Evidence, NamedAgent, Preview, ServerStatus, Source, State,
    cache::{Captured, Layers},
    clock,
    core::Core,
    detect::{self, Observation, Profiles, Verdict},
    fleet::{Tracked, screen_hash},
    record::{Change, Record},
    strategy::{Known, Plan, View},
};
use crate::tmux::{
    Batch, Command as Tmux, Expect, Features, Pane, PaneId, Pool, Reply, Screen, TmuxError, parse_panes, parse_pulses,
};

/// One list of all panes is cheaper than single lines from a quarter of them on.
const LIST_ALL_FROM: usize = 4;

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

/// One pane's read.
struct Read {
    pane: PaneId,
    /// Its fields, when they were asked for with it.
    fields: Option<Pane>,
    /// `None`: the pane vanished between probe and capture.
    screen: Option<Result<Screen, String>>,
    settled: bool,
    coloured: bool,
    at: Timestamp,
    now: Instant,
}

fn millis(since: Instant) -> f64 {
    clock::since(since).as_secs_f64() * 1000.0
}

fn count(stats: &mut CycleStats, reply: &Reply) {
    stats.tmux_commands += u64::from(reply.commands);
    stats.tmux_requests += u64::from(reply.requests);
    stats.tmux_processes += u64::from(reply.processes);
    stats.bytes += reply.bytes;
}

impl Core {
    /// Runs one cycle. Cancelling it anywhere loses nothing but this cycle.
    pub async fn cycle(&mut self) -> Outcome {
        let began = clock::now();
        self.fields_fresh = false;
        let mut stats = CycleStats { publish_ms: self.last_publish_ms, ..CycleStats::default() };
        if let Err(problem) = self.discover(&mut stats).await {
            self.cannot_reach(&problem, began);
            stats.discover_ms = millis(began);
            stats.duration_ms = millis(began);
            return Outcome { stats, next: self.settings.interval.max(self.retry_after()), problem: Some(problem) };
        }
        self.measured.probe = clock::since(began);
        let plan = self.plan(began).await;
        stats.discover_ms = millis(began);

        let fetching = clock::now();
        let reads = self.fetch(&plan, &mut stats).await;
        stats.fetch_ms = millis(fetching);

        let detecting = clock::now();
        let profiles = self.profiles_now();
        let checked = reads.len();
        for read in reads {
            self.take_in(read, &profiles, &mut stats).await;
        }
        for (id, screen) in std::mem::take(&mut self.rejudge) {
            let (at, now) = (Timestamp::now(), clock::now());
            let Some(tracked) = self.fleet.get_mut(id) else { continue };
            if let Some(verdict) = judge(&self.cache, &profiles, tracked, &screen, at).await {
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
    async fn discover(&mut self, stats: &mut CycleStats) -> Result<(), TmuxError> {
        let now = clock::now();
        let features = self.features();
        let mut lease = self.pool.acquire().await?;
        let mut probe = Batch::default();
        probe.push(Tmux::list_pulses(features), Expect::Any);
        let reply = lease.request(&probe).await?;
        count(stats, &reply);
        // A server without a session has no panes: that is no failure.
        let pulses = reply.parts.into_iter().next().and_then(Result::ok).unwrap_or_default();
        let (probed, gone) = self.fleet.probe(parse_pulses(&pulses), now);
        let at = Timestamp::now();
        for tracked in gone {
            self.cache.pane_content.drop_entry(&tracked.pulse.id).await;
            self.forget(tracked, at);
        }
        let known = self.cache.session_info.get(&(), |_| !probed.topology_changed).await;
        if known.is_none() && (!self.fleet.is_empty() || self.server_pid.is_none()) {
            let mut whole = Batch::default();
            whole.push(Tmux::new("display-message").args(["-p", "#{pid}"]), Expect::Any);
            whole.push(Tmux::list_panes(features), Expect::Any);
            let reply = lease.request(&whole).await?;
            count(stats, &reply);
            let mut parts = reply.parts.into_iter();
            if let Some(Ok(bytes)) = parts.next()
                && self.met_server(String::from_utf8_lossy(&bytes).trim().parse().ok(), at)
            {
                // Its panes have the ids of other panes, and nothing else of them.
                for tracked in self.fleet.clear() {
                    self.forget(tracked, at);
                }
                self.cache.reset(&self.settings.cache);
                self.fleet.probe(parse_pulses(&pulses), now);
            }
            if let Some(Ok(bytes)) = parts.next() {
                let panes = parse_panes(&bytes, features);
                self.fleet.describe(&panes, &self.settings.named);
                self.fields_fresh = true;
                self.cache.session_info.put((), Arc::new(panes)).await;
            }
        }
        drop(lease);
        self.reached(at);
        Ok(())
    }

    /// Looks at the process trees and the cache, and lets the strategy plan.
    async fn plan(&mut self, now: Instant) -> Plan {
        let profiles = self.profiles().await;
        let at = Timestamp::now();
        let mut known = Vec::new();
        let focus = self.focus;
        for tracked in self.fleet.iter_mut() {
            tracked.walk(&profiles, at, now);
            if !tracked.is_candidate() {
                continue;
            }
            let focused = focus == Some(tracked.pulse.id);
            let stamp = tracked.stamp();
            let id = tracked.pulse.id;
            let content = self.cache.pane_content.get(&id, |c| c.holds_for(stamp) && (c.coloured || !focused)).await;
            let verdict = match (&content, tracked.verdict_key) {
                (Some(_), Some(key)) => self.cache.agent_status.get(&key, |_| true).await,
                _ => None,
            };
            // The verdict's time is over but the screen still holds: judged anew without a capture.
            let news = tracked.publishes_news(now);
            if let (true, Some(content), false) = (verdict.is_none() || news, &content, tracked.must_read) {
                self.rejudge.push((id, Arc::clone(&content.screen)));
            }
            tracked.behind = content.is_none() || tracked.must_read;
            // The server answers again and the pane is proven unchanged: what was known of it is right after all.
            if let (false, Some(record)) = (tracked.behind, &mut tracked.record)
                && record.stale
            {
                record.read();
            }
            known.push(Known {
                pane: id,
                state: tracked.record.as_ref().map(Record::state),
                may_have_changed: tracked.behind,
                read_at: tracked.read_at.map(|(at, _)| at),
                changed_at: tracked.changed_at,
                focused,
            });
        }
        let view = View {
            now,
            panes: &known,
            interval: self.settings.interval,
            pool_size: self.pool.stats().pool_size,
            measured: self.measured,
            watched: self.watched || self.focus.is_some(),
        };
        match self.strategy.plan(&view) {
            Ok(plan) => plan,
            Err(problem) => self.strategy_failed(&problem, &view_of(&known, &view)),
        }
    }

    /// Captures what is planned, in parallel over the pool.
    ///
    /// The panes' fields (title, cursor, place) come along: one list of all panes where many are read, a line for each
    /// where few are, and not at all when this cycle has just read them.
    async fn fetch(&mut self, plan: &Plan, stats: &mut CycleStats) -> Vec<Read> {
        let at = Timestamp::now();
        let now = clock::now();
        let features = self.features();
        let planned: usize = plan.batches.iter().map(Vec::len).sum();
        let list_all = !self.fields_fresh && planned * LIST_ALL_FROM >= self.fleet.len() && planned > 1;
        let each = !self.fields_fresh && !list_all;
        let mut requests = Vec::with_capacity(plan.batches.len());
        for (index, panes) in plan.batches.iter().enumerate() {
            let mut batch = Batch::default();
            if index == 0 && list_all {
                batch.push(Tmux::list_panes(features), Expect::Any);
            }
            let mut reads = Vec::with_capacity(panes.len());
            for &id in panes {
                let Some(tracked) = self.fleet.get(id) else { continue };
                let coloured = self.focus == Some(id);
                if each {
                    batch.push(Tmux::pane_details(features, id), Expect::Any);
                }
                batch.push(Tmux::capture(id, coloured), Expect::Lines(usize::from(tracked.pulse.height)));
                let settled = tracked.is_settled(at, now);
                reads.push(Read { pane: id, fields: None, screen: None, settled, coloured, at, now });
            }
            requests.push(Request { batch, reads, list: index == 0 && list_all, each, features });
        }
        let pool = self.pool.clone();
        let mut answers =
            stream::iter(requests.into_iter().map(|r| r.send(pool.clone()))).buffer_unordered(plan.width.max(1));
        let mut all = Vec::with_capacity(planned);
        let mut listed = Vec::new();
        let mut first = None;
        while let Some(answer) = answers.next().await {
            if let Some(reply) = &answer.reply {
                count(stats, reply);
            }
            first.get_or_insert((answer.took, answer.reads.len()));
            listed.extend(answer.listed);
            all.extend(answer.reads);
        }
        drop(answers);
        if !listed.is_empty() {
            self.fleet.describe(&listed, &self.settings.named);
        }
        if let Some((took, panes)) = first {
            self.measured.batch = Some(took);
            self.measured.batch_panes = panes;
        }
        all
    }

    fn features(&self) -> Features {
        self.pool.version().map(|version| version.features()).unwrap_or_default()
    }

    /// Takes in one read: cache, verdict, record.
    async fn take_in(&mut self, read: Read, profiles: &Profiles, stats: &mut CycleStats) {
        let interval = self.settings.interval;
        let Some(tracked) = self.fleet.get_mut(read.pane) else { return };
        let screen = match read.screen {
            None => return,
            Some(Err(_)) => {
                self.errors += 1;
                if let Some(record) = &mut tracked.record {
                    record.stale = true;
                    record.failed(read.now, interval);
                }
                return;
            }
            Some(Ok(screen)) => screen,
        };
        let stamp = tracked.stamp();
        tracked.must_read = false;
        tracked.behind = false;
        if let Some(pane) = read.fields {
            tracked.pane = pane;
        }
        tracked.read_at = Some((read.now, read.at));
        let hash = screen_hash(&screen);
        if tracked.screen_hash != Some(hash) {
            let first = tracked.screen_hash.is_none();
            tracked.screen_hash = Some(hash);
            tracked.changed_at = Some(read.now);
            stats.changed += 1;
            if let (Some(record), false) = (&mut tracked.record, first) {
                record.last_change = read.at;
                record.activity.wrote(read.now);
            }
        }
        if read.coloured {
            tracked.preview = Some(Arc::new(Preview {
                pane_id: read.pane,
                text: screen.colours().unwrap_or_default().to_owned(),
                captured_at: read.at,
            }));
        }
        let screen = Arc::new(screen);
        let verdict = judge(&self.cache, profiles, tracked, &screen, read.at).await;
        let captured = Captured { screen, stamp, settled: read.settled, coloured: read.coloured };
        self.cache.pane_content.put(read.pane, captured).await;
        if let Some(record) = &mut tracked.record {
            record.read();
        }
        match verdict {
            Some(verdict) => self.apply(read.pane, verdict, read.at, read.now),
            // No agent, and none was known: not listed.
            None => {
                if let Some(tracked) = self.fleet.get_mut(read.pane)
                    && tracked.record.take().is_some()
                {
                    let gone = gone_event(tracked, String::new());
                    self.events.push(read.at, gone);
                }
            }
        }
    }

    /// Puts a verdict in force, as the record believes it.
    fn apply(&mut self, id: PaneId, verdict: Arc<Verdict>, at: Timestamp, now: Instant) {
        let interval = self.settings.interval;
        let Some(tracked) = self.fleet.get_mut(id) else { return };
        let target = tracked.pane.target();
        let in_view = tracked.pane.in_view;
        let dead = verdict.state == State::Exited;
        let event = match &mut tracked.record {
            Some(record) if record.verdict.agent == verdict.agent => record
                .judge(verdict, at, now, tracked.changed_at, in_view)
                .map(|change| transition(id, target, record, change)),
            record => {
                let new = Record::new(verdict, at, now);
                let event = EventKind::Appeared {
                    pane_id: id,
                    target,
                    agent: new.verdict.agent.clone(),
                    state: new.state(),
                    kind: new.kind.clone(),
                };
                *record = Some(new);
                Some(event)
            }
        };
        if dead && let Some(record) = &mut tracked.record {
            record.failed(now, interval);
        }
        if let Some(event) = event {
            self.events.push(at, event);
        }
    }

    /// What time alone changes: verdicts that are believed now, dead programs that are still dead, usage samples.
    fn settle(&mut self) {
        let (at, now) = (Timestamp::now(), clock::now());
        let interval = self.settings.interval;
        let mut events: Vec<EventKind> = Vec::new();
        for tracked in self.fleet.iter_mut() {
            let in_view = tracked.pane.in_view;
            let target = || tracked.pane.target();
            let Some(record) = &mut tracked.record else { continue };
            if let Some(change) = record.settle(at, now, in_view) {
                events.push(transition(tracked.pulse.id, target(), record, change));
            }
            if record.state() == State::Exited {
                record.failed(now, interval);
            }
            record.activity.advance(now);
            tracked.sample_usage(now);
        }
        for event in events {
            self.events.push(at, event);
        }
    }

    fn forget(&mut self, tracked: Tracked, at: Timestamp) {
        if tracked.record.is_some() {
            let target = tracked.pane.target();
            self.events.push(at, gone_event(&tracked, target));
        }
    }

    /// The server's pid as it just told. Says whether it is another server than before: then all panes are others.
    fn met_server(&mut self, pid: Option<u32>, at: Timestamp) -> bool {
        let is_new = matches!((self.server_pid, pid), (Some(before), Some(after)) if before != after);
        if is_new {
            self.events.notice(at, "the tmux server is a new one", false);
        }
        self.server_pid = pid.or(self.server_pid);
        is_new
    }

    fn reached(&mut self, at: Timestamp) {
        if !matches!(self.status, ServerStatus::Reachable) {
            if self.problem.is_some() {
                self.events.notice(at, "the tmux server answers again", false);
            }
            self.status = ServerStatus::Reachable;
            self.problem = None;
            self.unreachable_since = None;
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

fn transition(pane_id: PaneId, target: String, record: &Record, change: Change) -> EventKind {
    EventKind::Transition {
        pane_id,
        target,
        agent: record.verdict.agent.clone(),
        from: change.from,
        to: change.to,
        kind: change.kind,
        evidence: record.verdict.evidence.clone(),
    }
}

fn gone_event(tracked: &Tracked, target: String) -> EventKind {
    let target = if target.is_empty() { tracked.pane.target() } else { target };
    let agent = tracked.record.as_ref().map(|r| r.verdict.agent.clone()).unwrap_or_default();
    EventKind::Gone { pane_id: tracked.pulse.id, target, agent }
}

/// One request of a fetch.
struct Request {
    batch: Batch,
    reads: Vec<Read>,
    /// It begins with the list of all panes.
    list: bool,
    /// Each capture comes with its pane's fields before it.
    each: bool,
    features: Features,
}

struct Answer {
    reply: Option<Reply>,
    reads: Vec<Read>,
    listed: Vec<Pane>,
    took: Duration,
}

impl Request {
    /// Sends it and sorts the parts to the reads.
    async fn send(mut self, pool: Pool) -> Answer {
        let began = clock::now();
        let answer = match pool.acquire().await {
            Ok(mut lease) => lease.request(&self.batch).await,
            Err(problem) => Err(problem),
        };
        let took = clock::since(began);
        let mut reply = match answer {
            Ok(reply) => reply,
            Err(problem) => {
                for read in &mut self.reads {
                    read.screen = Some(Err(problem.to_string()));
                }
                return Answer { reply: None, reads: self.reads, listed: Vec::new(), took };
            }
        };
        let mut parts = std::mem::take(&mut reply.parts).into_iter();
        let listed = match self.list.then(|| parts.next()).flatten() {
            Some(Ok(bytes)) => parse_panes(&bytes, self.features),
            _ => Vec::new(),
        };
        for read in &mut self.reads {
            if self.each
                && let Some(Ok(fields)) = parts.next()
            {
                read.fields = parse_panes(&fields, self.features).into_iter().find(|p| p.id == read.pane);
            }
            // A capture that failed: the pane vanished since the probe, and the next one says so.
            if let Some(Ok(capture)) = parts.next() {
                let screen = if read.coloured { Screen::styled(&capture) } else { Screen::plain(&capture) };
                read.screen = Some(Ok(screen));
            }
        }
        Answer { reply: Some(reply), reads: self.reads, listed, took }
    }
}

/// The verdict for a screen, from the cache where the very same was judged before.
async fn judge(
    cache: &Layers,
    profiles: &Profiles,
    tracked: &mut Tracked,
    screen: &Screen,
    now: Timestamp,
) -> Option<Arc<Verdict>> {
    let published = tracked.read_published();
    let previous = tracked.record.as_ref().map(|r| (r.state(), r.verdict.kind.as_deref()));
    let known_agent = tracked.record.as_ref().map(|r| r.verdict.agent.as_str());
    let observation = Observation {
        pane: &tracked.pane,
        screen: Some(screen),
        processes: &tracked.processes,
        published: published.as_ref(),
        known_agent,
        previous,
        quiet_for: None,
        now,
    };
    let key = observation_key(&observation, tracked.named.as_ref().map(|n| n.agent.as_deref().unwrap_or("")));
    let judged = async {
        match &tracked.named {
            None => detect::detect(profiles, &observation),
            Some(named) => named
                .agent
                .as_deref()
                .map_or_else(
                    || detect::detect(profiles, &observation),
                    |a| detect::detect_as(profiles, a, &observation),
                )
                .or_else(|| Some(said_so(named, &observation))),
        }
        .map(Arc::new)
    };
    let verdict = cache.agent_status.get_or(key, judged).await;
    tracked.verdict_key = Some(key);
    verdict
}

/// The verdict for a pane that only the settings call an agent: what it does is not known, and said so.
fn said_so(named: &NamedAgent, observation: &Observation<'_>) -> Verdict {
    let line = format!("the settings name {} an agent; nothing that is known runs there", named.target);
    Verdict {
        agent: named.agent.clone().unwrap_or_else(|| "other".to_owned()),
        recognised_by: "the settings".to_owned(),
        pid: None,
        version: None,
        state: if observation.pane.dead { State::Exited } else { State::Unknown },
        kind: None,
        evidence: Evidence { rule: "settings/agents".to_owned(), line, source: Source::None, region: None },
        doing: None,
        context_percent: None,
        reset_at: None,
        model: None,
        tokens: None,
        background: 0,
        choices: Vec::new(),
    }
}

/// A hash of all that a verdict is made from.
fn observation_key(observation: &Observation<'_>, named: Option<&str>) -> u64 {
    let mut hasher = DefaultHasher::new();
    let pane = observation.pane;
    observation.screen.map(Screen::text).hash(&mut hasher);
    (&pane.title, &pane.command, &pane.hook, pane.dead, pane.dead_status, pane.dead_signal).hash(&mut hasher);
    (pane.in_mode, pane.alternate_on, pane.cursor_shown, pane.cursor, pane.width, pane.height).hash(&mut hasher);
    for process in observation.processes {
        (process.pid, process.start, process.foreground, process.stopped, process.zombie).hash(&mut hasher);
        (&process.comm, &process.args).hash(&mut hasher);
    }
    if let Some(published) = observation.published {
        (&published.status, &published.waiting_for).hash(&mut hasher);
    }
    (observation.known_agent, observation.previous, named).hash(&mut hasher);
    hasher.finish()
}

/// An event with its words, for the log.
pub fn log_event(event: &Event) {
    match &event.what {
        EventKind::Transition { pane_id, target, agent, from, to, kind, evidence } => tracing::info!(
            %pane_id, target, agent, %from, %to, kind, rule = evidence.rule, "transition"
        ),
        EventKind::Appeared { pane_id, target, agent, state, .. } => {
            tracing::info!(%pane_id, target, agent, %state, "appeared");
        }
        EventKind::Gone { pane_id, target, agent } => tracing::info!(%pane_id, target, agent, "gone"),
        // Not what was sent: a message may hold what no log should.
        EventKind::Acted(acted) => {
            tracing::info!(pane_id = %acted.pane_id, target = acted.target, act = %acted.act, ok = acted.ok, "acted");
        }
        EventKind::Changed { setting, from, to } => tracing::info!(setting, from, to, "changed"),
        EventKind::Notice { text, problem: true } => tracing::warn!(text),
        EventKind::Notice { text, problem: false } => tracing::info!(text),
    }
}
