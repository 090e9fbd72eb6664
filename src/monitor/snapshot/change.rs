//! Whether one snapshot says more than another: more than that clocks and figures went on, which they do by themselves.

use crate::monitor::snapshot::agent::Agent;
use crate::monitor::snapshot::engine::{EngineInfo, StrategyInfo};
use crate::monitor::snapshot::usage::{Account, Limit};
use crate::monitor::snapshot::{Agents, Evidence, Snapshot};

/// Whether two have the same in every field but those after the semicolon. Nothing is copied, since it is asked of each agent
/// whose clocks went on; and every field is named, so that one that is added is not forgotten here.
macro_rules! same_but {
    ($one:expr, $two:expr, $type:ident { $($same:ident),*; $($moves:ident),* }) => {{
        let (one, two): (&$type, &$type) = ($one, $two);
        let $type { $($same,)* $($moves: _,)* } = one;
        true $(&& *$same == two.$same)*
    }};
}

impl Agent {
    /// Whether it differs from what it was in more than clocks and figures: when it was looked at, what it writes and
    /// takes, what it spent, and the words on the screen that prove a state that is the same.
    #[must_use]
    pub fn says_more_than(&self, before: &Self) -> bool {
        let same = same_but!(self, before, Agent {
            host, server, pane_id, target, places, session, window, name, agent, version, state, kind, since, stale, health,
            reset_at, deadline, cwd, repository, repository_path, worktree, branch, added, removed, pid, start, pane_pid,
            width, height, doing, asks, model, usage_source, session_id, turns, tools, plan, background, choices, in_view,
            transitions, parked, snoozed, snoozed_until, pinned, muted, given_name, note, tidied_at;
            read_at, last_change, activity, cpu_percent, memory_bytes, tokens, context_percent, cost_usd,
            evidence, title, limits
        });
        // Programs count seconds and tokens in the row that proves that they work.
        let same_evidence = same_but!(&self.evidence, &before.evidence, Evidence { rule, source, region; line, rows });
        // ... and turn a sign before the words of their title.
        let same_title = words_of(&self.title) == words_of(&before.title);
        !(same && same_evidence && same_title && same_limits(&self.limits, &before.limits))
    }
}

/// A title without the sign before its words.
fn words_of(title: &str) -> &str {
    title.trim_start_matches(|c: char| !c.is_alphanumeric())
}

/// Whether limits are the same, whenever they were told.
fn same_limits(one: &[Limit], two: &[Limit]) -> bool {
    let same = |(one, two)| same_but!(one, two, Limit { minutes, used_percent, resets_at; at });
    one.len() == two.len() && one.iter().zip(two).all(same)
}

impl Agents {
    /// Whether other agents are there than before, or in another order, or one of them says more.
    #[must_use]
    pub fn say_more_than(&self, before: &Self) -> bool {
        let more = |(was, is): (&Agent, &Agent)| {
            (&was.host, &was.server, was.pane_id) != (&is.host, &is.server, is.pane_id) || is.says_more_than(was)
        };
        self.len() != before.len() || self.changed(before).any(more)
    }
}

impl Snapshot {
    /// Whether it differs from the one before in more than clocks and figures. What is shown of panes is not looked at: that
    /// is each client's own.
    #[must_use]
    pub fn says_more_than(&self, before: &Self) -> bool {
        // Every field by its name, so that one that is added is not forgotten here.
        let Self {
            schema,
            timestamp: _,
            server,
            engine,
            current_strategy,
            base_status: _,
            connection_pool: _,
            cache_performance: _,
            health_summary: _,
            cycle: _,
            cost: _,
            settings,
            strategies,
            tune: _,
            history: _,
            hour: _,
            events,
            backlog: _,
            notes,
            preview: _,
            tiles: _,
            previews: _,
            agents,
            accounts,
            instruments: _,
        } = self;
        let same_engine =
            same_but!(engine, &before.engine, EngineInfo { mode, pid, started, paused, version, tiles; uptime });
        let newest = |events: &[crate::monitor::snapshot::Event]| events.last().map(|event| event.seq);
        let same_strategy = |(one, two): (&StrategyInfo, &StrategyInfo)| {
            (&one.name, &one.origin, &one.problem) == (&two.name, &two.origin, &two.problem)
        };
        let same_account = |(one, two): (&Account, &Account)| {
            (&one.program, &one.name) == (&two.program, &two.name) && same_limits(&one.limits, &two.limits)
        };
        *schema != before.schema
            || *server != before.server
            || !same_engine
            || *current_strategy != before.current_strategy
            || *settings != before.settings
            || strategies.len() != before.strategies.len()
            || !strategies.iter().zip(&before.strategies).all(same_strategy)
            || newest(events) != newest(&before.events)
            || *notes != before.notes
            || accounts.len() != before.accounts.len()
            || !accounts.iter().zip(&before.accounts).all(same_account)
            || agents.say_more_than(&before.agents)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use jiff::Timestamp;

    use super::*;
    use crate::monitor::snapshot::{CyclePoint, Event, EventKind, ServerStatus};

    fn agent(pane: u32) -> Agent {
        serde_json::from_value(serde_json::json!({
            "pane_id": format!("%{pane}"), "agent": "claude", "state": "working", "title": "⠂ mend the tests",
            "evidence": { "rule": "claude/working", "line": "✻ Pondering… (12s)" },
            "limits": [{ "minutes": 300, "used_percent": 20.0 }],
        }))
        .unwrap()
    }

    fn snapshot() -> Snapshot {
        let limits = vec![Limit { minutes: Some(300), used_percent: 20.0, ..Limit::default() }];
        let account = Account { program: "claude".into(), name: "~/.claude".into(), limits };
        let strategy = StrategyInfo { name: "adaptive".into(), ..StrategyInfo::default() };
        let (accounts, strategies) = (vec![account], vec![strategy]);
        Snapshot { agents: (1..=3).map(agent).collect(), accounts, strategies, ..Snapshot::default() }
    }

    const LATER: Timestamp = Timestamp::MAX;

    #[test]
    fn clocks_and_figures_go_on_without_a_word() {
        let before = snapshot();
        let after = |change: fn(&mut Snapshot)| {
            let mut after = before.clone();
            change(&mut after);
            assert_ne!(after, before);
            after.says_more_than(&before)
        };
        let figures: &[fn(&mut Snapshot)] = &[
            |s| s.timestamp = LATER,
            |s| s.engine.uptime = 9.0,
            |s| s.base_status.cycle_count = 9,
            |s| s.connection_pool.total_acquisitions = 9,
            |s| s.cycle.overruns = 9,
            |s| s.strategies[0].p50_ms = Some(9.0),
            |s| s.accounts[0].limits[0].at = Some(LATER),
            |s| s.history = Arc::new(vec![CyclePoint::default()]),
            |s| s.agents[1].read_at = Some(LATER),
            |s| s.agents[1].last_change = LATER,
            |s| s.agents[1].activity = vec![7],
            |s| s.agents[1].cpu_percent = Some(9.0),
            |s| s.agents[1].memory_bytes = Some(9),
            |s| s.agents[1].tokens.shown = Some("1.2k".into()),
            |s| s.agents[1].cost_usd = Some(9.0),
            |s| s.agents[1].context_percent = Some(9.0),
            |s| s.agents[1].evidence.line = "✶ Pondering… (13s)".into(),
            |s| s.agents[1].title = "⠐ mend the tests".into(),
            |s| s.agents[1].limits[0].at = Some(LATER),
        ];
        for (n, change) in figures.iter().enumerate() {
            assert!(!after(*change), "figure {n}");
        }
    }

    #[test]
    fn what_changed_is_said() {
        let before = snapshot();
        let after = |change: fn(&mut Snapshot)| {
            let mut after = before.clone();
            change(&mut after);
            after.says_more_than(&before)
        };
        let changes: &[fn(&mut Snapshot)] = &[
            |s| s.server.status = ServerStatus::Unreachable,
            |s| s.engine.paused = true,
            |s| s.engine.pid = 9,
            |s| s.current_strategy = "polling".into(),
            |s| s.settings.pool_max = 9,
            |s| s.strategies[0].problem = Some("no".into()),
            |s| s.notes.push("a note".into()),
            |s| s.accounts[0].limits[0].used_percent = 21.0,
            |s| {
                let what = EventKind::Notice { text: "x".into(), problem: false };
                s.events = Arc::new(vec![Event { seq: 1, at: LATER, what }]);
            },
            |s| s.agents.push(agent(4)),
            |s| s.agents.truncate(2),
            |s| s.agents.shared_mut().swap(0, 1),
            |s| s.agents[1].state = crate::monitor::AgentState::Waiting,
            |s| s.agents[1].kind = Some("permission".into()),
            |s| s.agents[1].since = LATER,
            |s| s.agents[1].doing = Some("tests".into()),
            |s| s.agents[1].evidence.rule = "claude/other".into(),
            |s| s.agents[1].title = "⠂ write the tests".into(),
            |s| s.agents[1].stale = true,
            |s| s.agents[1].parked = true,
            |s| s.agents[1].target = "main:7.0".into(),
            |s| s.agents[1].limits[0].used_percent = 21.0,
        ];
        for (n, change) in changes.iter().enumerate() {
            assert!(after(*change), "change {n}");
        }
        assert!(!before.clone().says_more_than(&before));
    }
}
