//! Publish: the snapshot of what is known.

use std::{collections::BTreeSet, sync::Arc, time::Instant};

use jiff::Timestamp;

use crate::monitor::access::Access;
use crate::monitor::facts::repository::{Place, Repositories};
use crate::monitor::meter::ceiling::Ceiling;
use crate::monitor::meter::events::Events;
use crate::monitor::meter::history::{Combination, History};
use crate::monitor::meter::ledger::Ledger;
use crate::monitor::panes::known::Panes;
use crate::monitor::panes::tracked::Tracked;
use crate::monitor::usage::Accounts;
use crate::monitor::{
    Agent, AgentTokens, Agents, BaseStatus, CostInfo, CycleInfo, EngineInfo, EngineSettings, HealthSummary,
    LiveSettings, MOST_TILES, PoolInfo, RereadInfo, SCHEMA, ServerInfo, ServerStatus, Snapshot, StrategyInfo, clock,
};
use crate::tmux::PaneId;

/// What a snapshot is made from.
pub(crate) struct SnapshotParts<'a> {
    pub(crate) settings: &'a EngineSettings,
    pub(crate) reread: Option<&'a RereadInfo>,
    pub(crate) access: &'a Access,
    pub(crate) panes: &'a Panes,
    pub(crate) accounts: &'a Accounts,
    pub(crate) repositories: &'a Repositories,
    pub(crate) ceiling: &'a Ceiling,
    pub(crate) ledger: &'a mut Ledger,
    pub(crate) events: &'a mut Events,
    /// The strategy in force, and all that there are.
    pub(crate) strategy: &'a str,
    pub(crate) strategies: &'a [StrategyInfo],
    /// The settings as a row of what was tried.
    pub(crate) combination: &'a Combination,
    /// Panes that clients show, and the one of the client for which the engine was started.
    pub(crate) shown: &'a BTreeSet<PaneId>,
    pub(crate) own_focus: Option<PaneId>,
    pub(crate) paused: bool,
    /// When the engine started.
    pub(crate) started: (Instant, Timestamp),
}

/// The snapshot of this moment.
pub(crate) fn snapshot(parts: SnapshotParts<'_>) -> Snapshot {
    let SnapshotParts { settings, access, panes, ceiling, ledger, events, .. } = parts;
    let now = clock::now();
    let (started, started_at) = parts.started;
    let uptime = now.saturating_duration_since(started).as_secs_f64();
    let at = Timestamp::now();
    let server = server(access, settings.simulated);
    let agents = agents(panes, &server.name().into(), parts.repositories, settings.max_failures, at);
    let preview = |id: PaneId| panes.fleet.get(id).and_then(|tracked| tracked.coloured.preview().cloned());
    let reading = panes.reading().filter(|_| access.reach.status() == ServerStatus::Reachable);
    let cycle = CycleInfo { reading, ..ledger.history.info(now) };
    let mut base_status = BaseStatus {
        is_running: !parts.paused,
        cycle_count: ledger.history.count(),
        last_cycle_time: cycle.last.as_ref().map(|last| last.duration_ms / 1000.0),
        errors_detected: ledger.errors(),
        uptime,
        ..BaseStatus::default()
    };
    base_status.count(&agents);
    Snapshot {
        schema: SCHEMA,
        timestamp: at,
        server,
        engine: EngineInfo {
            mode: settings.mode.to_string(),
            pid: std::process::id(),
            started: started_at,
            uptime,
            paused: parts.paused,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            tiles: MOST_TILES,
        },
        current_strategy: parts.strategy.to_owned(),
        base_status,
        connection_pool: pool_info(access, ledger.peak()),
        cache_performance: panes.cache.info(),
        health_summary: HealthSummary::of(&agents),
        cycle,
        cost: CostInfo {
            watching_percent: ceiling.spent_percent(now),
            held_back: ceiling.holds_back(),
            ..ledger.cost()
        },
        settings: live_settings(settings, parts.reread),
        strategies: strategies(parts.strategies, &ledger.history),
        tune: ledger.history.tune(parts.combination),
        history: ledger.history.points(),
        hour: ledger.history.hour(),
        events: events.published(),
        backlog: events.backlog(),
        instruments: true,
        notes: events.notes().to_vec(),
        preview: parts.own_focus.and_then(preview),
        tiles: Vec::new(),
        previews: parts.shown.iter().filter_map(|id| preview(*id)).collect(),
        agents,
        accounts: parts.accounts.info(at),
    }
}

fn agents(panes: &Panes, server: &Arc<str>, repositories: &Repositories, max_failures: u32, at: Timestamp) -> Agents {
    let agent = |tracked| agent(tracked, server, repositories, max_failures, at);
    let all = panes.fleet.iter().filter_map(|tracked| Some((tracked, agent(tracked)?)));
    let mut agents: Vec<(&Tracked, Agent)> = all.collect();
    agents.sort_by(|(a, _), (b, _)| {
        let place = |t: &&Tracked| (t.pane.window_index, t.pane.pane_index, t.pane.id);
        a.pane.session.cmp(&b.pane.session).then_with(|| place(a).cmp(&place(b)))
    });
    agents.into_iter().map(|(_, agent)| agent).collect()
}

fn server(access: &Access, simulated: bool) -> ServerInfo {
    ServerInfo {
        socket: access.server().socket().display().to_string(),
        version: access.pool.version().map(|version| version.to_string()),
        transport: access.transport().map(|kind| kind.to_string()),
        status: access.reach.status(),
        problem: access.reach.problem().map(str::to_owned),
        pid: access.incarnation().map(|server| server.pid),
        started: access.incarnation().and_then(|server| server.started),
        simulated,
    }
}

fn pool_info(access: &Access, peak: usize) -> PoolInfo {
    let stats = access.pool.stats();
    PoolInfo {
        pool_size: stats.pool_size,
        // Both of the moment in the last cycle at which most were in use: now, between cycles, none is.
        active_connections: peak,
        idle_connections: (stats.active_connections + stats.idle_connections).saturating_sub(peak),
        waiters: stats.waiters,
        connections_created: stats.connections_created,
        connections_reused: stats.connections_reused,
        connections_recycled: stats.connections_recycled,
        total_acquisitions: stats.total_acquisitions,
        acquisition_timeouts: stats.acquisition_timeouts,
        wait_p50_ms: stats.wait_p50_ms,
        wait_p99_ms: stats.wait_p99_ms,
    }
}

fn live_settings(settings: &EngineSettings, reread: Option<&RereadInfo>) -> LiveSettings {
    LiveSettings {
        interval: settings.interval.as_secs_f64(),
        transport: settings.transport.to_string(),
        pool_min: settings.pool.min_size,
        pool_max: settings.pool.max_size,
        cache_enabled: settings.cache.enabled,
        cache_policy: settings.cache.policy.to_string(),
        cache_ttl: settings.cache.ttl.as_secs_f64(),
        cache_max_size: settings.cache.max_size,
        max_failures: settings.max_failures,
        max_server_percent: settings.max_server_percent,
        pool_connection_timeout: settings.pool.connection_timeout.as_secs_f64(),
        pool_max_age: settings.pool.max_age.as_secs_f64(),
        reread: reread.cloned(),
    }
}

fn strategies(all: &[StrategyInfo], history: &History) -> Vec<StrategyInfo> {
    let measured = |info: &StrategyInfo| StrategyInfo { p50_ms: history.strategy_p50(&info.name), ..info.clone() };
    all.iter().map(measured).collect()
}

fn agent(
    tracked: &Tracked,
    server: &Arc<str>,
    repositories: &Repositories,
    max_failures: u32,
    at: Timestamp,
) -> Option<Agent> {
    let record = tracked.record()?;
    let place = tracked.workplace().and_then(|folder| repositories.place(folder));
    let lines = place.and_then(|place| repositories.lines(place));
    let (pane, verdict, tidy) = (&tracked.pane, &record.verdict, &record.tidy);
    let configured = || tracked.named.as_ref().and_then(|named| named.name.clone());
    let name = tidy.name.clone().or_else(configured).unwrap_or_else(|| pane.window.clone());
    let spending = tracked.program().spending().cloned().unwrap_or_default();
    Some(Agent {
        host: None,
        server: Arc::clone(server),
        pane_id: pane.id,
        target: pane.target(),
        places: pane.places.clone(),
        session: pane.session.clone(),
        window: pane.window.clone(),
        name,
        agent: verdict.agent.clone(),
        version: verdict.version.clone(),
        state: record.state(),
        kind: record.kind.clone(),
        since: record.since,
        last_change: record.last_change,
        evidence: verdict.evidence.clone(),
        stale: record.stale,
        health: record.health(max_failures),
        context_percent: verdict.context_percent.or(spending.context_left),
        reset_at: verdict.reset_at,
        deadline: verdict.deadline,
        title: pane.title.clone(),
        cwd: (!pane.path.is_empty()).then(|| pane.path.clone()),
        repository: place.map(|place| place.repository.clone()),
        repository_path: place.map(|place| place.path.clone()),
        worktree: place.and_then(|place| place.worktree.clone()),
        branch: place.and_then(Place::branch),
        added: lines.map(|lines| lines.added),
        removed: lines.map(|lines| lines.removed),
        pid: verdict.pid,
        start: verdict.start,
        pane_pid: pane.pid,
        cpu_percent: tracked.program().load().cpu_percent(),
        memory_bytes: tracked.program().load().memory_bytes(),
        width: pane.width,
        height: pane.height,
        doing: verdict.doing.clone(),
        asks: verdict.asks.clone(),
        model: spending.model.or_else(|| verdict.model.clone()),
        tokens: AgentTokens { shown: verdict.tokens.clone(), ..spending.tokens },
        usage_source: tracked.program().transcript().map(|transcript| transcript.source().to_owned()),
        session_id: spending.session_id,
        cost_usd: spending.cost_usd,
        turns: spending.turns,
        tools: spending.tools,
        plan: spending.plan,
        limits: spending.limits.iter().map(|limit| limit.at_time(at)).collect(),
        background: verdict.background,
        choices: verdict.choices.clone(),
        in_view: pane.in_view,
        activity: record.activity.levels(),
        transitions: record.transitions.iter().cloned().collect(),
        read_at: tracked.reading().read_at_wall(),
        parked: tidy.parked,
        snoozed: tidy.snoozed,
        snoozed_until: tidy.snoozed_until,
        pinned: tidy.pinned,
        muted: tidy.muted,
        given_name: tidy.name.clone(),
        note: tidy.note.clone(),
        tidied_at: tidy.at,
    })
}
