//! An agent and a snapshot for tests.

use std::sync::Arc;

use jiff::Timestamp;

use crate::{
    monitor::{
        Agent, AgentState, AgentTokens, Agents, BaseStatus, CacheInfo, CostInfo, CycleInfo, EngineInfo, Evidence,
        Health, HealthSummary, LiveSettings, PoolInfo, SCHEMA, ServerInfo, Snapshot, Source,
    },
    tmux::PaneId,
};

/// An agent for tests.
pub(crate) fn test_agent(id: u32, state: AgentState) -> Agent {
    let at = Timestamp::from_second(1_800_000_000).expect("a time");
    Agent {
        host: None,
        server: "default".into(),
        pane_id: PaneId(id),
        target: format!("s:0.{id}"),
        session: "s".into(),
        window: "w".into(),
        name: "w".into(),
        agent: "claude".into(),
        version: None,
        state,
        kind: None,
        since: at,
        last_change: at,
        evidence: Evidence { rule: "r".into(), line: String::new(), source: Source::Screen, region: None, rows: None },
        stale: false,
        health: Health::Healthy,
        context_percent: None,
        reset_at: None,
        deadline: None,
        title: String::new(),
        cwd: None,
        repository: None,
        repository_path: None,
        worktree: None,
        branch: None,
        added: None,
        removed: None,
        pid: Some(1),
        start: Some(1),
        pane_pid: 1,
        cpu_percent: None,
        memory_bytes: None,
        width: 80,
        height: 24,
        doing: None,
        asks: None,
        model: None,
        tokens: AgentTokens::default(),
        usage_source: None,
        session_id: None,
        cost_usd: None,
        turns: None,
        tools: None,
        plan: None,
        limits: Vec::new(),
        background: 0,
        choices: Vec::new(),
        in_view: false,
        places: Vec::new(),
        activity: Vec::new(),
        transitions: Vec::new(),
        read_at: None,
        parked: false,
        snoozed: false,
        snoozed_until: None,
        pinned: false,
        muted: false,
        given_name: None,
        note: None,
        tidied_at: None,
    }
}

/// A snapshot without agents and events.
pub(crate) fn test_snapshot() -> Snapshot {
    Snapshot {
        schema: SCHEMA,
        timestamp: Timestamp::from_second(1_800_000_000).expect("a time"),
        server: ServerInfo { socket: "/s".into(), ..ServerInfo::default() },
        engine: EngineInfo { pid: 7, ..EngineInfo::default() },
        current_strategy: "adaptive".into(),
        base_status: BaseStatus::default(),
        connection_pool: PoolInfo::default(),
        cache_performance: CacheInfo::default(),
        health_summary: HealthSummary::default(),
        cycle: CycleInfo::default(),
        cost: CostInfo::default(),
        settings: LiveSettings::default(),
        strategies: Vec::new(),
        tune: Vec::new(),
        history: Arc::default(),
        hour: Arc::default(),
        events: Arc::default(),
        notes: Vec::new(),
        backlog: Arc::default(),
        instruments: true,
        preview: None,
        tiles: Vec::new(),
        previews: Vec::new(),
        agents: Agents::new(),
        accounts: Vec::new(),
    }
}
