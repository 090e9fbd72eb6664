//! Every measure that there is, made of a server's sums and its newest snapshot. Pure.
//!
//! Without [`Detail::Agents`] a measure has few labels, so that a thousand hosts are no burden; with it each has all, and
//! panes are named. Sums over the labels are the same. Where a name differs from what others call it there is a reason:
//! `process_*` would meet the collector's own in a textfile, so it is `tmux_orc_engine_*`.

use std::{collections::BTreeMap, time::Duration};

use jiff::Timestamp;
use strum::IntoEnumIterator;

use crate::app::metrics::budget;
use crate::app::metrics::family::{Family, Sample, Value};
use crate::app::metrics::histogram::Histogram;
use crate::app::metrics::specs::SPECS;
use crate::app::metrics::text::whole;
use crate::app::metrics::totals::{Program, Totals};
use crate::app::metrics::words::{self, OTHER, Words};
use crate::monitor::{Agent, AgentState, ServerStatus, Snapshot, Tokens};

/// How much is told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Detail {
    /// Sums of a server and its programs.
    #[default]
    Totals,
    /// Each agent too, by its pane and its session's name.
    Agents,
}

/// What is known of one tmux server.
#[derive(Clone, Copy, Debug)]
pub struct Measured<'m> {
    /// Its sums.
    pub totals: &'m Totals,
    /// What its engine has published.
    pub snapshot: &'m Snapshot,
    /// How much of what was sent to a collector was lost; `None`: none is sent to.
    pub dropped: Option<u64>,
}

/// Most servers of which measures are made.
const SERVERS: usize = 16;

/// Most agents of a server that are named.
const AGENTS: usize = 500;

/// The measures of these servers. Those without a value are left out.
#[must_use]
pub fn families(servers: &[Measured<'_>], detail: Detail, words: &Words) -> Vec<Family> {
    let mut made = Made::new();
    let mut names: Vec<String> = Vec::new();
    for server in servers.iter().take(SERVERS) {
        let name = words::server(server.snapshot.server.name());
        // Two sockets in two folders may have one name.
        let taken = names.iter().filter(|taken| **taken == name).count();
        let label = if taken == 0 { name.clone() } else { format!("{name}-{}", taken + 1) };
        names.push(name);
        let labels = match detail {
            Detail::Totals => budget::named(server, words),
            Detail::Agents => budget::programs(server, words),
        };
        One { made: &mut made, server: *server, label, words, programs: labels, detail }.measure();
    }
    made.end()
}

/// A host of the settings, as a front end reaches it.
#[derive(Clone, Debug, PartialEq)]
pub struct HostMeasured {
    /// What the settings call it.
    pub name: String,
    /// It is reached.
    pub up: bool,
    /// Time there and back, once that is known.
    pub rtt: Option<Duration>,
    /// When it last said something.
    pub last_heard: Option<Timestamp>,
}

/// The measures of hosts.
#[must_use]
pub fn hosts(all: &[HostMeasured]) -> Vec<Family> {
    let mut made = Made::new();
    for host in all {
        let mut put = |name, value| made.put(name, vec![("host", host.name.clone())], Value::Number(value));
        put("tmux_orc_host_up", f64::from(host.up));
        if let Some(rtt) = host.rtt {
            put("tmux_orc_host_rtt_seconds", rtt.as_secs_f64());
        }
        if let Some(at) = host.last_heard {
            put("tmux_orc_host_last_heard_timestamp_seconds", seconds(at));
        }
    }
    made.end()
}

struct Made(Vec<Family>);

impl Made {
    fn new() -> Self {
        Self(SPECS.iter().map(|spec| Family { spec, samples: Vec::new() }).collect())
    }

    fn put(&mut self, name: &str, labels: Vec<(&'static str, String)>, value: Value) {
        let family = self.0.iter_mut().find(|family| family.spec.name == name);
        debug_assert!(family.is_some(), "{name} is no measure");
        if let Some(family) = family {
            family.samples.push(Sample { labels, value });
        }
    }

    fn end(self) -> Vec<Family> {
        self.0.into_iter().filter(|family| !family.samples.is_empty()).collect()
    }
}

/// Makes the measures of one server.
struct One<'a, 'm> {
    made: &'a mut Made,
    server: Measured<'m>,
    label: String,
    words: &'a Words,
    /// The programs that are labels.
    programs: Vec<&'m str>,
    detail: Detail,
}

impl One<'_, '_> {
    fn put(&mut self, name: &str, labels: &[(&'static str, &str)], value: f64) {
        let labels = self.labels(labels);
        self.made.put(name, labels, Value::Number(value));
    }

    fn put_times(&mut self, name: &str, labels: &[(&'static str, &str)], times: Histogram) {
        let labels = self.labels(labels);
        self.made.put(name, labels, Value::Times(times));
    }

    fn labels(&self, more: &[(&'static str, &str)]) -> Vec<(&'static str, String)> {
        let more = more.iter().map(|(name, text)| (*name, (*text).to_owned()));
        std::iter::once(("server", self.label.clone())).chain(more).collect()
    }

    /// The label of a program.
    fn program<'p>(&self, name: &'p str) -> &'p str {
        if self.programs.contains(&name) { name } else { OTHER }
    }

    fn measure(mut self) {
        let snapshot = self.server.snapshot;
        let mut sums: BTreeMap<String, Program> = BTreeMap::new();
        for (name, program) in &self.server.totals.programs {
            sums.entry(self.program(name).to_owned()).or_default().merge(program);
        }
        let mut agents: BTreeMap<String, Vec<&Agent>> = sums.keys().map(|name| (name.clone(), Vec::new())).collect();
        for agent in &snapshot.agents {
            agents.entry(self.program(&agent.agent).to_owned()).or_default().push(agent);
        }
        for (name, agents) in &agents {
            self.agents(name, agents);
        }
        self.sums(&sums);
        self.limits();
        self.engine();
        if self.detail == Detail::Agents {
            for agent in snapshot.agents.iter().take(AGENTS) {
                self.agent(agent);
            }
        }
    }

    fn agents(&mut self, program: &str, agents: &[&Agent]) {
        for state in AgentState::iter() {
            let count = agents.iter().filter(|agent| agent.state == state).count();
            let state: &'static str = state.into();
            self.put("tmux_orc_agents", &[("agent", program), ("state", state)], whole(count as u64));
        }
        let waits = agents.iter().filter(|agent| agent.needs_user()).map(|agent| agent.since);
        if let Some(oldest) = waits.min() {
            self.put("tmux_orc_oldest_wait_timestamp_seconds", &[("agent", program)], seconds(oldest));
        }
        let left = agents.iter().filter(|agent| agent.state != AgentState::Exited).filter_map(|agent| left(agent));
        if let Some(least) = left.min_by(f64::total_cmp) {
            self.put("tmux_orc_context_remaining_ratio", &[("agent", program)], least);
        }
    }

    fn sums(&mut self, sums: &BTreeMap<String, Program>) {
        for (name, program) in sums {
            if let Some(tokens) = program.tokens {
                for (direction, count) in directions(tokens) {
                    self.put("tmux_orc_tokens_total", &[("agent", name), ("direction", direction)], whole(count));
                }
            }
            if let Some(cost) = program.cost_usd {
                self.put("tmux_orc_cost_usd_total", &[("agent", name)], cost);
            }
        }
        for (act, (worked, failed)) in &self.server.totals.acts {
            for (ok, count) in [("true", *worked), ("false", *failed)] {
                if count > 0 {
                    self.put("tmux_orc_acts_total", &[("act", act), ("ok", ok)], whole(count));
                }
            }
        }
        match self.detail {
            Detail::Totals => {
                let mut all = Program::default();
                sums.values().for_each(|program| all.merge(program));
                self.together(&all);
            }
            Detail::Agents => sums.iter().for_each(|(name, program)| self.apart(name, program)),
        }
    }

    /// The sums of all programs together.
    fn together(&mut self, all: &Program) {
        let mut answers = Histogram::default();
        all.answers.values().for_each(|some| answers.add(some));
        self.put_times("tmux_orc_answer_seconds", &[], answers);
        self.put_times("tmux_orc_turn_seconds", &[], all.turns.clone());
        let mut entered: BTreeMap<AgentState, u64> = BTreeMap::new();
        for (to, count) in all.transitions.values().flatten() {
            *entered.entry(*to).or_default() += count;
        }
        for (to, count) in entered {
            self.put("tmux_orc_transitions_total", &[("to", to.into())], whole(count));
        }
        for (state, time) in &all.seconds {
            self.put("tmux_orc_state_seconds_total", &[("state", (*state).into())], *time);
        }
    }

    /// The sums of one program.
    fn apart(&mut self, name: &str, program: &Program) {
        for (kind, answers) in &program.answers {
            self.put_times("tmux_orc_answer_seconds", &[("agent", name), ("kind", kind)], answers.clone());
        }
        if program.turns.count() > 0 {
            self.put_times("tmux_orc_turn_seconds", &[("agent", name)], program.turns.clone());
        }
        for (from, all) in &program.transitions {
            for (to, count) in all {
                let labels = [("agent", name), ("from", (*from).into()), ("to", (*to).into())];
                self.put("tmux_orc_transitions_total", &labels, whole(*count));
            }
        }
        for (state, time) in &program.seconds {
            self.put("tmux_orc_state_seconds_total", &[("agent", name), ("state", (*state).into())], *time);
        }
    }

    fn limits(&mut self) {
        let now = self.server.snapshot.timestamp;
        let mut used: BTreeMap<(String, &'static str), f64> = BTreeMap::new();
        for account in &self.server.snapshot.accounts {
            for limit in &account.limits {
                let share = limit.at_time(now).used_percent / 100.0;
                if share.is_finite() {
                    let key = (self.program(&account.program).to_owned(), window(limit.minutes));
                    let most = used.entry(key).or_insert(share);
                    *most = most.max(share);
                }
            }
        }
        match self.detail {
            Detail::Agents => {
                for ((program, window), share) in used {
                    self.put("tmux_orc_limit_used_ratio", &[("agent", &program), ("window", window)], share);
                }
            }
            Detail::Totals => {
                let mut most: BTreeMap<String, f64> = BTreeMap::new();
                for ((program, _), share) in used {
                    let one = most.entry(program).or_insert(share);
                    *one = one.max(share);
                }
                for (program, share) in most {
                    self.put("tmux_orc_limit_used_ratio", &[("agent", &program)], share);
                }
            }
        }
    }

    fn engine(&mut self) {
        let snapshot = self.server.snapshot;
        let (base, health, pool) = (&snapshot.base_status, &snapshot.health_summary, &snapshot.connection_pool);
        let unhealthy =
            [("unresponsive", health.unresponsive), ("warning", health.warning), ("critical", health.critical)];
        for (health, count) in unhealthy {
            self.put("tmux_orc_agents_unhealthy", &[("health", health)], whole(count as u64));
        }
        self.put("tmux_orc_server_up", &[], f64::from(snapshot.server.status == ServerStatus::Reachable));
        self.put("tmux_orc_snapshot_timestamp_seconds", &[], seconds(snapshot.timestamp));
        self.put("tmux_orc_cycles_total", &[], whole(base.cycle_count));
        self.put("tmux_orc_cycle_overruns_total", &[], whole(snapshot.cycle.overruns));
        self.put("tmux_orc_errors_total", &[], whole(base.errors_detected));
        if let Some(last) = base.last_cycle_time {
            self.put("tmux_orc_last_cycle_seconds", &[], last);
        }
        let cache = &snapshot.cache_performance;
        let layers = [
            ("pane_content", &cache.pane_content),
            ("agent_status", &cache.agent_status),
            ("session_info", &cache.session_info),
            ("config", &cache.config),
        ];
        match self.detail {
            Detail::Agents => {
                for (layer, info) in layers {
                    for (result, count) in [("hit", info.hits), ("miss", info.misses)] {
                        let labels = [("layer", layer), ("result", result)];
                        self.put("tmux_orc_cache_lookups_total", &labels, whole(count));
                    }
                }
            }
            Detail::Totals => {
                let hits = layers.iter().map(|(_, info)| info.hits).fold(0, u64::saturating_add);
                let misses = layers.iter().map(|(_, info)| info.misses).fold(0, u64::saturating_add);
                for (result, count) in [("hit", hits), ("miss", misses)] {
                    self.put("tmux_orc_cache_lookups_total", &[("result", result)], whole(count));
                }
            }
        }
        for (kind, count) in [("active", pool.active_connections), ("idle", pool.idle_connections)] {
            self.put("tmux_orc_pool_connections", &[("use", kind)], whole(count as u64));
        }
        if let Some(cpu) = snapshot.cost.cpu_percent {
            self.put("tmux_orc_engine_cpu_ratio", &[], cpu / 100.0);
        }
        if let Some(dropped) = self.server.dropped {
            self.put("tmux_orc_exports_dropped_total", &[], whole(dropped));
        }
        if let Some(memory) = snapshot.cost.memory_bytes {
            self.put("tmux_orc_engine_resident_memory_bytes", &[], whole(memory));
        }
        let tmux = snapshot.server.version.as_deref().map_or("", words::version);
        self.put("tmux_orc_build_info", &[("version", words::version(&snapshot.engine.version)), ("tmux", tmux)], 1.0);
    }

    fn agent(&mut self, agent: &Agent) {
        let (pane, session) = (agent.pane_id.to_string(), words::server(&agent.session));
        let program = self.words.program(&agent.agent);
        let who = [("pane", pane.as_str()), ("session", session.as_str()), ("agent", program)];
        let state: &'static str = agent.state.into();
        let with = |more: (&'static str, &'static str)| [who[0], who[1], who[2], more];
        self.put("tmux_orc_agent_state_since_timestamp_seconds", &with(("state", state)), seconds(agent.since));
        if let Some(left) = left(agent) {
            self.put("tmux_orc_agent_context_remaining_ratio", &who, left);
        }
        if let Some(tokens) = agent.tokens.session {
            for (direction, count) in directions(tokens) {
                self.put("tmux_orc_agent_session_tokens", &with(("direction", direction)), whole(count));
            }
        }
        if let Some(cost) = agent.cost_usd.filter(|cost| cost.is_finite()) {
            self.put("tmux_orc_agent_session_cost_usd", &who, cost);
        }
    }
}

/// Share of its context that an agent has left.
fn left(agent: &Agent) -> Option<f64> {
    agent.context_percent.filter(|percent| percent.is_finite()).map(|percent| percent / 100.0)
}

fn directions(tokens: Tokens) -> [(&'static str, u64); 4] {
    [
        ("input", tokens.input_tokens),
        ("output", tokens.output_tokens),
        ("cache_read", tokens.cache_read_tokens),
        ("cache_write", tokens.cache_write_tokens),
    ]
}

/// How long a limit lasts, as a label.
fn window(minutes: Option<u64>) -> &'static str {
    match minutes {
        Some(300) => "5h",
        Some(1440) => "1d",
        Some(10_080) => "7d",
        _ => OTHER,
    }
}

/// Seconds since 1970.
fn seconds(at: Timestamp) -> f64 {
    at.duration_since(Timestamp::UNIX_EPOCH).as_secs_f64()
}
