//! What is let in of each thing that another process says: how long its words, how large its numbers, how many of them.
//!
//! Long because it is one list: every type is taken apart by all of its fields, so that one that is added is not forgotten
//! here. Nothing is copied that is good as it is.

use std::{collections::HashSet, sync::Arc};

use jiff::{SignedDuration, Timestamp};

use crate::monitor::clients::admit::NotAdmitted;
use crate::monitor::clients::delta::{Delta, Head};
use crate::monitor::clients::figures::Figures;
use crate::monitor::clients::wire::EngineHello;
use crate::monitor::snapshot::TRANSITIONS_KEPT;
use crate::monitor::{
    Account, Acted, Agent, AgentTokens, Agents, Asks, BaseStatus, Between, CacheInfo, Change, Choice, CostInfo,
    CycleInfo, CyclePoint, CycleStats, EVENTS_KEPT, EngineInfo, Event, EventKind, Evidence, HISTORY_POINTS,
    HOUR_POINTS, HealthSummary, HourPoint, LONGEST_NAME, LONGEST_NOTE, LayerInfo, Limit, LiveSettings, MOST_TILES,
    PoolInfo, Preview, RereadInfo, RhythmInfo, ServerInfo, Snapshot, StrategyInfo, Tokens, Transition, TuneRow,
};
use crate::tmux::{PaneId, Screen, clean, is_clean, is_unsafe};

// Characters.
const NAME: usize = 200;
const PATH: usize = 4096;
const LINE: usize = 1000;
const WHY: usize = 500;
/// A prompt in full: rows and all.
const PROMPT: usize = 8000;
/// A message that a person sent.
const MESSAGE: usize = 4000;

// How many.
const AGENTS_HERE: usize = 20_000;
const AGENTS_REMOTE: usize = 2000;
const NOTES: usize = 8;
const PLACES: usize = 64;
const CHOICES: usize = 20;
const KEYS: usize = 32;
const SLICES: usize = 64;
const HIGHEST_SLICE: u8 = 7;
const LIMITS: usize = 16;
const ACCOUNTS: usize = 64;
const STRATEGIES: usize = 256;
const TUNE_ROWS: usize = 256;
const CHANGES: usize = 64;
const PREVIEW_ROWS: usize = 500;
const PREVIEW_COLUMNS: usize = 1000;
/// Bytes of all screens that are shown side by side.
const TILES_BYTES: usize = 1024 * 1024;

/// Largest count: many of them can be added up.
const MOST: u64 = 100_000_000_000_000;
/// Largest number of seconds, milliseconds or dollars.
const MUCH: f64 = 1e10;
/// Most percent of one core.
const CORES: f64 = 1e6;

/// The bounds for what comes at one moment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    oldest: Timestamp,
    /// For what has happened: clocks differ a little.
    latest: Timestamp,
    /// For what is to come.
    furthest: Timestamp,
    remote: bool,
}

fn cut(text: &mut String, most: usize) {
    if text.len() > most
        && let Some((end, _)) = text.char_indices().nth(most)
    {
        text.truncate(end);
    }
}

fn text(text: &mut String, most: usize) {
    if !is_clean(text) {
        *text = clean(text);
    }
    cut(text, most);
}

fn some(value: &mut Option<String>, most: usize) {
    value.iter_mut().for_each(|value| text(value, most));
}

fn label(name: &mut Arc<str>) {
    if !is_clean(name) || name.len() > NAME {
        let mut owned = name.to_string();
        text(&mut owned, NAME);
        *name = owned.into();
    }
}

/// The newest of a list that grows at its end.
fn newest<T: Clone>(list: &mut Arc<Vec<T>>, most: usize) {
    if list.len() > most {
        *list = Arc::new(list[list.len() - most..].to_vec());
    }
}

fn last<T>(list: &mut Vec<T>, most: usize) {
    list.drain(..list.len().saturating_sub(most));
}

fn number(value: &mut f64, most: f64) {
    *value = if value.is_finite() { value.clamp(0.0, most) } else { 0.0 };
}

fn maybe(value: &mut Option<f64>, most: f64) {
    *value = value.filter(|value| value.is_finite()).map(|value| value.clamp(0.0, most));
}

fn share(value: &mut Option<f32>, most: f32) {
    *value = value.filter(|value| value.is_finite()).map(|value| value.clamp(0.0, most));
}

fn counts<const N: usize>(values: [&mut u64; N]) {
    values.into_iter().for_each(|value| *value = (*value).min(MOST));
}

fn sizes<const N: usize>(values: [&mut usize; N]) {
    values.into_iter().for_each(|value| *value = (*value).min(usize::try_from(MOST).unwrap_or(usize::MAX)));
}

fn count(value: &mut Option<u64>) {
    value.iter_mut().for_each(|value| counts([value]));
}

fn slices(activity: &mut Vec<u8>) {
    last(activity, SLICES);
    activity.iter_mut().for_each(|slice| *slice = (*slice).min(HIGHEST_SLICE));
}

impl Bounds {
    pub(super) fn new(now: Timestamp, remote: bool) -> Self {
        let by = |hours| now.checked_add(SignedDuration::from_hours(hours)).unwrap_or(now);
        Self { oldest: by(-24 * 365), latest: by(1), furthest: by(24 * 365), remote }
    }

    /// Whether there may be so many agents.
    pub(super) fn room(&self, agents: usize) -> Result<(), NotAdmitted> {
        let most = if self.remote { AGENTS_REMOTE } else { AGENTS_HERE };
        if agents > most { Err(NotAdmitted::Agents(most)) } else { Ok(()) }
    }

    /// When something was; 1970 is what nobody said.
    fn was(&self, at: &mut Timestamp) {
        if *at != Timestamp::UNIX_EPOCH {
            *at = (*at).clamp(self.oldest, self.latest);
        }
    }

    fn will_be(&self, at: &mut Option<Timestamp>) {
        *at = at.map(|at| at.clamp(self.oldest, self.furthest));
    }

    pub(super) fn name(&self, name: &mut String) {
        text(name, NAME);
    }

    pub(super) fn hello(&self, hello: &mut EngineHello, now: Timestamp) {
        let EngineHello { protocol: _, version, schema: _, pid: _, tmux_socket, oldest: _, logs, at } = hello;
        text(version, NAME);
        text(tmux_socket, PATH);
        some(logs, PATH);
        // A clock may be wrong by much, but not so that times cannot be reckoned with.
        let most = SignedDuration::from_hours(24 * 365 * 60);
        *at = at.filter(|at| at.duration_since(now).abs() <= most);
    }

    pub(super) fn snapshot(&self, snapshot: &mut Snapshot) {
        let Snapshot {
            schema: _,
            timestamp,
            server,
            engine,
            current_strategy,
            base_status,
            connection_pool,
            cache_performance,
            health_summary,
            cycle,
            cost,
            settings,
            strategies,
            tune,
            history,
            hour,
            events,
            backlog: _,
            instruments: _,
            notes,
            preview,
            tiles,
            previews: _,
            agents,
            accounts,
        } = snapshot;
        self.was(timestamp);
        self.server(server);
        self.engine(engine);
        text(current_strategy, NAME);
        status(base_status);
        pool(connection_pool);
        cache(cache_performance);
        health(health_summary);
        self.cycle(cycle);
        cost_of(cost);
        self.settings(settings);
        self.strategies(strategies);
        rows(tune);
        newest(history, HISTORY_POINTS);
        Arc::make_mut(history).iter_mut().for_each(point);
        newest(hour, HOUR_POINTS);
        Arc::make_mut(hour).iter_mut().for_each(hour_point);
        newest(events, EVENTS_KEPT);
        Arc::make_mut(events).iter_mut().for_each(|event| self.event(event));
        self.notes(notes);
        preview.iter_mut().for_each(|preview| self.preview(Arc::make_mut(preview)));
        self.tiles(tiles);
        self.agents(agents);
        self.accounts(accounts);
    }

    pub(super) fn delta(&self, delta: &mut Delta) {
        let Delta {
            n: _,
            timestamp,
            server,
            engine,
            agents,
            figures,
            rested,
            order,
            gone,
            events,
            notes,
            accounts,
            head,
            preview,
            tiles,
            hidden,
        } = delta;
        self.was(timestamp);
        server.iter_mut().for_each(|server| self.server(server));
        engine.iter_mut().for_each(|engine| self.engine(engine));
        self.agents(agents);
        figures.truncate(AGENTS_HERE);
        rested.truncate(AGENTS_HERE);
        for Figures { pane_id: _, activity, cpu_percent, memory_bytes } in figures {
            slices(activity);
            maybe(cpu_percent, CORES);
            count(memory_bytes);
        }
        order.iter_mut().for_each(|order| order.truncate(AGENTS_HERE));
        gone.truncate(AGENTS_HERE);
        last(events, EVENTS_KEPT);
        events.iter_mut().for_each(|event| self.event(event));
        notes.iter_mut().for_each(|notes| self.notes(notes));
        accounts.iter_mut().for_each(|accounts| self.accounts(accounts));
        head.iter_mut().for_each(|head| self.head(head));
        preview.iter_mut().flatten().for_each(|preview| self.preview(Arc::make_mut(preview)));
        self.tiles(tiles);
        hidden.truncate(MOST_TILES);
    }

    fn head(&self, head: &mut Head) {
        let Head {
            uptime,
            current_strategy,
            base_status,
            connection_pool,
            cache_performance,
            health_summary,
            cycle,
            cost,
            settings,
            strategies,
            tune,
            history,
            hour,
            looks,
        } = head;
        number(uptime, MUCH);
        some(current_strategy, NAME);
        base_status.iter_mut().for_each(status);
        connection_pool.iter_mut().for_each(pool);
        cache_performance.iter_mut().for_each(cache);
        health_summary.iter_mut().for_each(health);
        cycle.iter_mut().for_each(|cycle| self.cycle(cycle));
        cost.iter_mut().for_each(cost_of);
        settings.iter_mut().for_each(|settings| self.settings(settings));
        strategies.iter_mut().for_each(|strategies| self.strategies(strategies));
        tune.iter_mut().for_each(rows);
        last(history, HISTORY_POINTS);
        history.iter_mut().for_each(point);
        last(hour, HOUR_POINTS);
        hour.iter_mut().for_each(hour_point);
        looks.truncate(AGENTS_HERE);
        for look in looks {
            self.was(&mut look.last_change);
            look.read_at.iter_mut().for_each(|at| self.was(at));
        }
    }

    fn server(&self, server: &mut ServerInfo) {
        let ServerInfo { socket, version, transport, status: _, problem, pid: _, started, simulated: _ } = server;
        text(socket, PATH);
        some(version, NAME);
        some(transport, NAME);
        some(problem, LINE);
        *started = started.map(|second| second.clamp(0, self.latest.as_second()));
    }

    fn engine(&self, engine: &mut EngineInfo) {
        let EngineInfo { mode, pid: _, started, uptime, paused: _, version, tiles } = engine;
        *tiles = (*tiles).min(MOST_TILES);
        text(mode, NAME);
        self.was(started);
        number(uptime, MUCH);
        text(version, NAME);
    }

    fn cycle(&self, cycle: &mut CycleInfo) {
        let CycleInfo { last, p50_ms, p95_ms, p99_ms, max_ms, overruns, heard, rhythm, reading } = cycle;
        last.iter_mut().for_each(stats);
        [p50_ms, p95_ms, p99_ms, max_ms].into_iter().for_each(|ms| maybe(ms, MUCH));
        counts([overruns, heard]);
        let RhythmInfo { followed, breaks, false_breaks, missed } = rhythm;
        sizes([followed]);
        counts([breaks, false_breaks, missed]);
        reading.iter_mut().for_each(|reading| sizes([&mut reading.read, &mut reading.of]));
    }

    pub(super) fn settings(&self, settings: &mut LiveSettings) {
        let LiveSettings {
            interval,
            transport,
            pool_min,
            pool_max,
            cache_enabled: _,
            cache_policy,
            cache_ttl,
            cache_max_size,
            max_failures: _,
            max_server_percent,
            pool_connection_timeout,
            pool_max_age,
            reread,
        } = settings;
        [interval, cache_ttl, pool_connection_timeout, pool_max_age].into_iter().for_each(|value| number(value, MUCH));
        number(max_server_percent, CORES);
        text(transport, NAME);
        text(cache_policy, NAME);
        sizes([pool_min, pool_max]);
        counts([cache_max_size]);
        if let Some(RereadInfo { count, problem, changes }) = reread {
            counts([count]);
            some(problem, LINE);
            changes.truncate(CHANGES);
            for Change { setting, from, to } in changes {
                [setting, from, to].into_iter().for_each(|word| text(word, LINE));
            }
        }
    }

    fn strategies(&self, strategies: &mut Vec<StrategyInfo>) {
        strategies.truncate(STRATEGIES);
        for StrategyInfo { name, origin, problem, p50_ms } in strategies {
            text(name, NAME);
            text(origin, PATH);
            some(problem, LINE);
            maybe(p50_ms, MUCH);
        }
    }

    fn notes(&self, notes: &mut Vec<String>) {
        last(notes, NOTES);
        notes.iter_mut().for_each(|note| text(note, WHY));
    }

    fn preview(&self, preview: &mut Preview) {
        let Preview { pane_id: _, text, captured_at, above } = preview;
        self.was(captured_at);
        *above = (*above).min(PREVIEW_ROWS);
        // As a capture: colours and nothing else.
        let screen = Screen::styled(text.as_bytes());
        let styled = screen.colours().unwrap_or_default();
        text.clear();
        for row in styled.lines().take(PREVIEW_ROWS) {
            text.push_str(columns(row));
            text.push('\n');
        }
    }

    /// No more than one client is shown, and all of them together no more than a few large ones.
    fn tiles(&self, tiles: &mut Vec<Arc<Preview>>) {
        tiles.truncate(MOST_TILES);
        let mut left = TILES_BYTES;
        for tile in tiles {
            let tile = Arc::make_mut(tile);
            if tile.text.len() > left {
                tile.text.clear();
            }
            left -= tile.text.len();
            self.preview(tile);
        }
    }

    fn accounts(&self, accounts: &mut Vec<Account>) {
        accounts.truncate(ACCOUNTS);
        for Account { program, name, limits } in accounts {
            text(program, NAME);
            text(name, NAME);
            self.limits(limits);
        }
    }

    fn limits(&self, limits: &mut Vec<Limit>) {
        limits.truncate(LIMITS);
        limits.iter_mut().for_each(|limit| self.limit(limit));
    }

    fn limit(&self, limit: &mut Limit) {
        let Limit { minutes, used_percent, resets_at, at } = limit;
        count(minutes);
        // One that was overrun is more than full; what is read of it here has the same bound.
        number(used_percent, 1000.0);
        self.will_be(resets_at);
        at.iter_mut().for_each(|at| self.was(at));
    }

    fn evidence(&self, evidence: &mut Evidence) {
        let Evidence { rule, line, source: _, region, rows } = evidence;
        text(rule, NAME);
        text(line, WHY);
        some(region, NAME);
        *rows = rows.filter(|(first, end)| first <= end);
    }

    fn event(&self, event: &mut Event) {
        let Event { seq: _, at, what } = event;
        self.was(at);
        match what {
            EventKind::Appeared { pane_id: _, target, agent, state: _, kind } => {
                [target, agent].into_iter().for_each(|word| text(word, NAME));
                some(kind, NAME);
            }
            EventKind::Gone { pane_id: _, target, agent } => {
                [target, agent].into_iter().for_each(|word| text(word, NAME));
            }
            EventKind::Transition { pane_id: _, target, agent, from: _, to: _, kind, evidence } => {
                [target, agent].into_iter().for_each(|word| text(word, NAME));
                some(kind, NAME);
                self.evidence(evidence);
            }
            EventKind::Acted(Acted { pane_id: _, target, agent, act: _, sent, ok: _, result }) => {
                [target, agent].into_iter().for_each(|word| text(word, NAME));
                text(sent, MESSAGE);
                text(result, LINE);
            }
            EventKind::Changed { setting, from, to } => {
                [setting, from, to].into_iter().for_each(|word| text(word, LINE));
            }
            EventKind::Limit { program, account, percent, limit } => {
                [program, account].into_iter().for_each(|word| text(word, NAME));
                *percent = (*percent).min(100);
                self.limit(limit);
            }
            EventKind::Notice { text: words, problem: _ } => text(words, LINE),
        }
    }

    fn agents(&self, agents: &mut Agents) {
        let mut seen: HashSet<PaneId> = HashSet::with_capacity(agents.len());
        agents.retain(|agent| seen.insert(agent.pane_id));
        agents.iter_mut().for_each(|agent| self.agent(agent));
    }

    fn agent(&self, agent: &mut Agent) {
        let Agent {
            host,
            server,
            pane_id: _,
            target,
            places,
            session,
            window,
            name,
            agent,
            version,
            state: _,
            kind,
            since,
            last_change,
            evidence,
            stale: _,
            health: _,
            context_percent,
            reset_at,
            deadline,
            title,
            cwd,
            repository,
            repository_path,
            worktree,
            branch,
            added,
            removed,
            pid: _,
            start: _,
            pane_pid: _,
            cpu_percent,
            memory_bytes,
            width: _,
            height: _,
            doing,
            asks,
            model,
            tokens: AgentTokens { context_used, context_window, turn, session: spent, today, shown },
            usage_source,
            session_id,
            cost_usd,
            turns,
            tools: _,
            plan,
            limits,
            background: _,
            choices,
            in_view: _,
            activity,
            transitions,
            read_at,
            parked: _,
            snoozed: _,
            snoozed_until,
            pinned: _,
            muted: _,
            given_name,
            note,
            tidied_at,
        } = agent;
        host.iter_mut().chain([server]).for_each(label);
        [target, session, window, name, agent].into_iter().for_each(|word| text(word, NAME));
        places.truncate(PLACES);
        places.iter_mut().for_each(|place| text(place, NAME));
        for word in [version, kind, repository, worktree, branch, model, shown, session_id] {
            some(word, NAME);
        }
        [cwd, repository_path, usage_source].into_iter().for_each(|path| some(path, PATH));
        text(title, LINE);
        some(doing, LINE);
        some(given_name, LONGEST_NAME);
        some(note, LONGEST_NOTE);
        self.was(since);
        self.was(last_change);
        read_at.iter_mut().for_each(|at| self.was(at));
        self.will_be(reset_at);
        self.will_be(deadline);
        self.will_be(snoozed_until);
        tidied_at.iter_mut().for_each(|at| self.was(at));
        self.evidence(evidence);
        maybe(context_percent, 100.0);
        maybe(cpu_percent, CORES);
        maybe(cost_usd, MUCH);
        [added, removed, memory_bytes, context_used, context_window, turns].into_iter().for_each(count);
        [turn, spent, today].into_iter().flatten().for_each(used);
        plan.iter_mut().for_each(|plan| plan.done = plan.done.min(plan.of));
        self.limits(limits);
        asks.iter_mut().for_each(prompt);
        choices.truncate(CHOICES);
        for Choice { label, keys, selected: _ } in choices {
            text(label, LINE);
            // A remote's are asked for where they are pressed.
            keys.truncate(if self.remote { 0 } else { KEYS });
            keys.iter_mut().for_each(|key| text(key, NAME));
        }
        slices(activity);
        last(transitions, TRANSITIONS_KEPT);
        for Transition { at, from: _, to: _, kind } in transitions {
            self.was(at);
            some(kind, NAME);
        }
    }
}

/// A row of a screen up to so many characters, its colours not counted.
fn columns(row: &str) -> &str {
    let (mut shown, mut escape) = (0, false);
    for (at, c) in row.char_indices() {
        match (escape, c) {
            (false, '\x1b') => escape = true,
            (true, c) => escape = c != 'm',
            (false, _) if shown == PREVIEW_COLUMNS => return &row[..at],
            (false, _) => shown += 1,
        }
        // Colours without a character between them need an end too.
        if at >= PREVIEW_COLUMNS * 64 && !escape {
            return &row[..at];
        }
    }
    row
}

/// Each row by itself: an end of a row is no control character here.
fn prompt(asks: &mut Asks) {
    let Asks { line, full } = asks;
    text(line, LINE);
    if full.contains(|c| is_unsafe(c) && c != '\n') {
        *full = full.lines().map(clean).collect::<Vec<_>>().join("\n");
    }
    cut(full, PROMPT);
}

fn used(tokens: &mut Tokens) {
    let Tokens { input_tokens, output_tokens, cache_read_tokens, cache_write_tokens } = tokens;
    counts([input_tokens, output_tokens, cache_read_tokens, cache_write_tokens]);
}

fn status(status: &mut BaseStatus) {
    let BaseStatus { is_running: _, active_agents, idle_agents, cycle_count, last_cycle_time, errors_detected, uptime } =
        status;
    sizes([active_agents, idle_agents]);
    counts([cycle_count, errors_detected]);
    maybe(last_cycle_time, MUCH);
    number(uptime, MUCH);
}

fn pool(pool: &mut PoolInfo) {
    let PoolInfo {
        pool_size,
        active_connections,
        idle_connections,
        waiters,
        connections_created,
        connections_reused,
        connections_recycled,
        total_acquisitions,
        acquisition_timeouts,
        wait_p50_ms,
        wait_p99_ms,
    } = pool;
    sizes([pool_size, active_connections, idle_connections, waiters]);
    counts([connections_created, connections_reused, connections_recycled, total_acquisitions, acquisition_timeouts]);
    [wait_p50_ms, wait_p99_ms].into_iter().for_each(|ms| maybe(ms, MUCH));
}

fn cache(cache: &mut CacheInfo) {
    let CacheInfo { pane_content, agent_status, session_info, config } = cache;
    for layer in [pane_content, agent_status, session_info, config] {
        let LayerInfo { hits, misses, evictions, expirations, size, capacity, hit_rate } = layer;
        counts([hits, misses, evictions, expirations, size, capacity]);
        maybe(hit_rate, 1.0);
    }
}

fn health(health: &mut HealthSummary) {
    let HealthSummary { total_agents, healthy, warning, critical, unresponsive } = health;
    sizes([total_agents, healthy, warning, critical, unresponsive]);
}

fn stats(stats: &mut CycleStats) {
    let CycleStats {
        duration_ms,
        discover_ms,
        fetch_ms,
        detect_ms,
        publish_ms,
        checked,
        skipped,
        changed,
        tmux_commands,
        tmux_requests,
        tmux_processes,
        bytes,
    } = stats;
    [duration_ms, discover_ms, fetch_ms, detect_ms, publish_ms].into_iter().for_each(|ms| number(ms, MUCH));
    sizes([checked, skipped, changed]);
    counts([tmux_commands, tmux_requests, tmux_processes, bytes]);
}

fn cost_of(cost: &mut CostInfo) {
    let CostInfo { cpu_percent, memory_bytes, threads, tmux_cpu_percent, watching_percent, held_back: _ } = cost;
    [cpu_percent, tmux_cpu_percent, watching_percent].into_iter().for_each(|percent| maybe(percent, CORES));
    [memory_bytes, threads].into_iter().for_each(count);
}

fn rows(tune: &mut Vec<TuneRow>) {
    tune.truncate(TUNE_ROWS);
    for row in tune {
        let TuneRow {
            strategy,
            pool_size,
            interval,
            cache,
            cycles,
            seconds,
            p50_ms,
            p99_ms,
            staleness_ms,
            cpu_percent,
            tmux_cpu_percent,
            cpu_samples,
            p50_between,
            p99_between,
            cpu_between,
            tmux_cpu_between,
            current: _,
        } = row;
        [strategy, cache].into_iter().for_each(|word| text(word, NAME));
        sizes([pool_size]);
        counts([cycles, cpu_samples]);
        [interval, seconds].into_iter().for_each(|seconds| number(seconds, MUCH));
        [p50_ms, p99_ms, staleness_ms].into_iter().for_each(|ms| maybe(ms, MUCH));
        [cpu_percent, tmux_cpu_percent].into_iter().for_each(|percent| maybe(percent, CORES));
        for (between, most) in
            [(p50_between, MUCH), (p99_between, MUCH), (cpu_between, CORES), (tmux_cpu_between, CORES)]
        {
            between.iter_mut().flat_map(|Between { low, high }| [low, high]).for_each(|end| number(end, most));
        }
    }
}

fn hour_point(point: &mut HourPoint) {
    let HourPoint {
        n: _,
        cycles,
        duration_ms,
        slowest_ms,
        discover_ms,
        fetch_ms,
        detect_ms,
        publish_ms,
        checked,
        changed,
        requests,
        in_use: _,
        hits,
        lookups,
        cpu_percent,
        tmux_cpu_percent,
        mark,
    } = point;
    for ms in [duration_ms, slowest_ms, discover_ms, fetch_ms, detect_ms, publish_ms] {
        *ms = if ms.is_finite() { ms.clamp(0.0, 1e10) } else { 0.0 };
    }
    counts([cycles, checked, changed, requests, hits, lookups]);
    [cpu_percent, tmux_cpu_percent].into_iter().for_each(|percent| share(percent, 1e6));
    some(mark, NAME);
}

fn point(point: &mut CyclePoint) {
    let CyclePoint { cycle: _, duration_ms, checked: _, changed: _, in_use: _, hit_rate, cpu_percent, mark } = point;
    *duration_ms = if duration_ms.is_finite() { duration_ms.clamp(0.0, 1e10) } else { 0.0 };
    share(hit_rate, 1.0);
    share(cpu_percent, 1e6);
    some(mark, NAME);
}
