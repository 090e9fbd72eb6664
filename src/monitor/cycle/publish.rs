//! Makes the snapshot from the engine's state.

use jiff::Timestamp;

use crate::monitor::engine::core::Core;
use crate::monitor::engine::run::is_active;
use crate::monitor::panes::tracked::Tracked;
use crate::monitor::{
    Agent, BaseStatus, CostInfo, CycleInfo, EngineInfo, Health, HealthSummary, LiveSettings, PoolInfo, Reading, SCHEMA,
    ServerInfo, ServerStatus, Snapshot, State, StrategyInfo, clock,
};
use crate::tmux::PaneId;

impl Core {
    /// The snapshot of this moment.
    pub(crate) fn snapshot(&mut self) -> Snapshot {
        let now = clock::now();
        let uptime = now.saturating_duration_since(self.started).as_secs_f64();
        let mut agents: Vec<(&Tracked, Agent)> = self
            .fleet
            .iter()
            .filter_map(|tracked| Some((tracked, agent(tracked, self.settings.max_failures)?)))
            .collect();
        agents.sort_by(|(a, _), (b, _)| {
            let place = |t: &&Tracked| (t.pane.window_index, t.pane.pane_index, t.pane.id);
            a.pane.session.cmp(&b.pane.session).then_with(|| place(a).cmp(&place(b)))
        });
        let agents: Vec<Agent> = agents.into_iter().map(|(_, agent)| agent).collect();
        let preview = |id: PaneId| self.fleet.get(id).and_then(|tracked| tracked.preview.clone());
        let previews: Vec<_> = self.focus.iter().filter_map(|id| preview(*id)).collect();
        let preview = self.own_focus.and_then(preview);
        let combination = self.combination();
        let cycle = CycleInfo { reading: self.reading(), ..self.history.info(now) };
        let count = self.history.count();
        let last_cycle_time = cycle.last.as_ref().map(|last| last.duration_ms / 1000.0);
        Snapshot {
            schema: SCHEMA,
            timestamp: Timestamp::now(),
            server: ServerInfo {
                socket: self.server.socket().display().to_string(),
                version: self.pool.version().map(|version| version.to_string()),
                transport: self.transport.map(|kind| kind.to_string()),
                status: self.status,
                problem: self.problem.clone(),
                pid: self.server_pid,
                started: self.server_started,
                simulated: self.settings.simulated,
            },
            engine: EngineInfo {
                mode: self.settings.mode.to_string(),
                pid: std::process::id(),
                started: self.started_at,
                uptime,
                paused: self.paused,
                version: env!("CARGO_PKG_VERSION").to_owned(),
            },
            current_strategy: self.strategy.name().to_owned(),
            base_status: BaseStatus {
                is_running: !self.paused,
                active_agents: agents.iter().filter(|a| is_active(a.state)).count(),
                idle_agents: agents.iter().filter(|a| a.state == State::Idle).count(),
                cycle_count: count,
                last_cycle_time,
                errors_detected: self.errors,
                uptime,
            },
            connection_pool: self.pool_info(),
            cache_performance: self.cache.info(),
            health_summary: health_summary(&agents),
            cycle,
            cost: CostInfo {
                watching_percent: self.governor.percent(now),
                held_back: self.governor.holds_back(),
                ..self.cost.info()
            },
            settings: self.live_settings(),
            strategies: self.strategies(),
            tune: self.history.tune(&combination),
            history: self.history.points(),
            events: self.events.published(),
            backlog: self.events.backlog(),
            notes: self.notes.clone(),
            preview,
            previews,
            agents,
        }
    }

    /// How far the first look at the panes has come, while some were not looked at.
    fn reading(&self) -> Option<Reading> {
        let candidates = || self.fleet.iter().filter(|tracked| tracked.is_candidate());
        let of = candidates().count();
        let read = candidates().filter(|tracked| !tracked.is_unread()).count();
        (read < of && self.status == ServerStatus::Reachable).then_some(Reading { read, of })
    }

    fn pool_info(&self) -> PoolInfo {
        let stats = self.pool.stats();
        PoolInfo {
            pool_size: stats.pool_size,
            // Both of the moment in the last cycle at which most were in use: now, between cycles, none is.
            active_connections: self.peak,
            idle_connections: (stats.active_connections + stats.idle_connections).saturating_sub(self.peak),
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

    fn live_settings(&self) -> LiveSettings {
        let settings = &self.settings;
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
            reread: self.reread.clone(),
        }
    }

    fn strategies(&self) -> Vec<StrategyInfo> {
        let measured =
            |info: &StrategyInfo| StrategyInfo { p50_ms: self.history.strategy_p50(&info.name), ..info.clone() };
        self.strategies.iter().map(measured).collect()
    }
}

fn agent(tracked: &Tracked, max_failures: u32) -> Option<Agent> {
    let record = tracked.record()?;
    let (pane, verdict) = (&tracked.pane, &record.verdict);
    let name = tracked.named.as_ref().and_then(|n| n.name.clone()).unwrap_or_else(|| pane.window.clone());
    Some(Agent {
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
        context_percent: verdict.context_percent,
        reset_at: verdict.reset_at,
        title: pane.title.clone(),
        cwd: (!pane.path.is_empty()).then(|| pane.path.clone()),
        pid: verdict.pid,
        start: verdict.start,
        pane_pid: pane.pid,
        cpu_percent: tracked.program().load().cpu_percent(),
        memory_bytes: tracked.program().load().memory_bytes(),
        width: pane.width,
        height: pane.height,
        doing: verdict.doing.clone(),
        model: verdict.model.clone(),
        tokens: verdict.tokens.clone(),
        background: verdict.background,
        choices: verdict.choices.clone(),
        in_view: pane.in_view,
        activity: record.activity.levels(),
        transitions: record.transitions.iter().cloned().collect(),
        read_at: tracked.reading().read_at_wall(),
    })
}

fn health_summary(agents: &[Agent]) -> HealthSummary {
    let count = |health: Health| agents.iter().filter(|a| a.health == health).count();
    HealthSummary {
        total_agents: agents.len(),
        healthy: count(Health::Healthy),
        warning: count(Health::Warning),
        critical: count(Health::Critical),
        unresponsive: count(Health::Unresponsive),
    }
}
