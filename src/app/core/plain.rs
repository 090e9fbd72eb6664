//! The dashboard as plain text, a frame at a time: for pipes, screen readers and `grep`.

use std::fmt::Write as _;

use jiff::tz::TimeZone;

use crate::app::core::text::{left, right};
use crate::app::core::words::{TONES, tone, word};
use crate::app::core::{format, limits, tidy};
use crate::{
    monitor::{LayerInfo, ServerStatus, Snapshot},
    tmux::{clean, is_clean},
};

/// One frame, ended by a newline, with times of day of that zone. No colour, no control character; `-` is what was not measured.
#[must_use]
pub fn frame(snapshot: &Snapshot, zone: &TimeZone) -> String {
    let mut out = String::with_capacity(2048);
    // Writing to a string cannot fail.
    let _ = write_frame(&mut out, snapshot, zone);
    if out.lines().all(is_clean) {
        return out;
    }
    out.lines().flat_map(|line| [clean(line), "\n".to_owned()]).collect()
}

fn write_frame(out: &mut String, s: &Snapshot, zone: &TimeZone) -> std::fmt::Result {
    writeln!(out, "=== TMux Orchestrator Performance Dashboard ===")?;
    let version = s.server.version.as_deref().map_or_else(String::new, |v| format!(", tmux {v}"));
    let transport = s.server.transport.as_deref().unwrap_or(format::NONE);
    writeln!(
        out,
        "{}  {} ({transport}{version}{})",
        s.timestamp.strftime("%Y-%m-%dT%H:%M:%SZ"),
        if s.server.socket.is_empty() { format::NONE } else { &s.server.socket },
        if s.server.simulated { ", simulated agents" } else { "" }
    )?;
    if s.server.status != ServerStatus::Reachable {
        writeln!(
            out,
            "Server: {}{}",
            s.server.status,
            s.server.problem.as_ref().map_or_else(String::new, |p| format!(": {p}"))
        )?;
    }
    for note in &s.notes {
        writeln!(out, "Note: {note}")?;
    }
    pool(out, s)?;
    cache(out, s)?;
    cycle(out, s)?;
    accounts(out, s, zone)?;
    agents(out, s)
}

fn pool(out: &mut String, s: &Snapshot) -> std::fmt::Result {
    let pool = &s.connection_pool;
    let used = pool.active_connections.saturating_mul(100).checked_div(pool.pool_size).unwrap_or(0);
    let reused = percent(pool.connections_reused, pool.total_acquisitions);
    writeln!(out)?;
    writeln!(out, "Connection Pool: {}/{} ({used}% used)", pool.active_connections, pool.pool_size)?;
    writeln!(out, "├─ Acquisitions: {} ({reused} reused)", pool.total_acquisitions)?;
    writeln!(
        out,
        "├─ Connections: {} created, {} idle, {} recycled",
        pool.connections_created, pool.idle_connections, pool.connections_recycled
    )?;
    writeln!(
        out,
        "└─ Waiting: {}, timeouts {}, p50 {}, p99 {}",
        pool.waiters,
        pool.acquisition_timeouts,
        format::ms_unit(pool.wait_p50_ms),
        format::ms_unit(pool.wait_p99_ms)
    )
}

fn cache(out: &mut String, s: &Snapshot) -> std::fmt::Result {
    let settings = &s.settings;
    let how = if settings.cache_enabled { settings.cache_policy.as_str() } else { "off" };
    let cache = &s.cache_performance;
    writeln!(out)?;
    writeln!(out, "Cache Performance: {how}")?;
    let layers = [
        ("├─", "pane_content", &cache.pane_content),
        ("├─", "agent_status", &cache.agent_status),
        ("├─", "session_info", &cache.session_info),
        ("└─", "config", &cache.config),
    ];
    for (branch, name, layer) in layers {
        writeln!(out, "{branch} {} {}", left(&format!("{name}:"), 13), layer_words(layer))?;
    }
    Ok(())
}

fn layer_words(layer: &LayerInfo) -> String {
    format!(
        "{} hits ({} of {}), {} of {} entries, {} evicted, {} expired",
        right(&format::share(layer.hit_rate), 4),
        layer.hits,
        layer.hits + layer.misses,
        layer.size,
        layer.capacity,
        layer.evictions,
        layer.expirations
    )
}

fn cycle(out: &mut String, s: &Snapshot) -> std::fmt::Result {
    let last = s.base_status.last_cycle_time.map_or_else(|| format::NONE.to_owned(), |t| format!("{t:.3}s"));
    writeln!(out)?;
    writeln!(out, "Monitoring: {} cycles, last: {last}", s.base_status.cycle_count)?;
    writeln!(
        out,
        "├─ Strategy: {}, every {}{}",
        s.current_strategy,
        format::interval(s.settings.interval),
        if s.engine.paused { ", paused" } else { "" }
    )?;
    writeln!(
        out,
        "├─ Cycle: p50 {}, p95 {}, p99 {}, overruns {}",
        format::ms_unit(s.cycle.p50_ms),
        format::ms_unit(s.cycle.p95_ms),
        format::ms_unit(s.cycle.p99_ms),
        s.cycle.overruns
    )?;
    if let Some(last) = &s.cycle.last {
        writeln!(
            out,
            "├─ Work: {} read, {} skipped, {} changed, {} requests, {} commands, {} processes",
            last.checked, last.skipped, last.changed, last.tmux_requests, last.tmux_commands, last.tmux_processes
        )?;
    }
    writeln!(
        out,
        "├─ Cost: engine {} CPU, {} memory, tmux server {} CPU, {} of it for watching",
        format::cpu(s.cost.cpu_percent),
        format::bytes(s.cost.memory_bytes),
        format::cpu(s.cost.tmux_cpu_percent),
        format::cpu(s.cost.watching_percent)
    )?;
    writeln!(out, "└─ Errors: {}", s.base_status.errors_detected)
}

fn accounts(out: &mut String, s: &Snapshot, zone: &TimeZone) -> std::fmt::Result {
    let all = limits::all(&s.accounts, s.timestamp);
    if all.is_empty() {
        return Ok(());
    }
    writeln!(out)?;
    writeln!(out, "Account Limits: {}", all.len())?;
    for (index, one) in all.iter().enumerate() {
        let branch = if index + 1 == all.len() { "└─" } else { "├─" };
        let (name, used) = limits::pair(one, s.timestamp, zone);
        writeln!(out, "{branch} {name}: {used}")?;
    }
    Ok(())
}

fn agents(out: &mut String, s: &Snapshot) -> std::fmt::Result {
    let aside = Some(tidy::aside(&s.agents)).filter(|aside| !aside.is_empty());
    let counts = TONES.iter().filter_map(|t| {
        let count = s.agents.iter().filter(|agent| tone(agent) == *t && !agent.is_aside()).count();
        (count > 0).then(|| format!("{count} {}", t.counted(count)))
    });
    let counts = counts.chain(aside);
    let counts = counts.collect::<Vec<_>>().join(", ");
    writeln!(out)?;
    writeln!(out, "Agents: {}{}", s.agents.len(), if counts.is_empty() { counts } else { format!(" ({counts})") })?;
    if s.agents.is_empty() {
        return Ok(());
    }
    let wide =
        s.agents.iter().map(|agent| crate::app::core::text::width(&agent.target)).max().unwrap_or(0).clamp(6, 28);
    writeln!(
        out,
        "  {} {} {} {} {} {} DOING",
        left("STATE", 12),
        right("FOR", 5),
        left("AGENT", 10),
        left("TARGET", wide),
        right("CTX", 4),
        right("CPU", 5),
    )?;
    let mut order: Vec<_> = s.agents.iter().collect();
    order.sort_by_key(|agent| (agent.is_aside(), tone(agent).rank(), agent.needs_user().then_some(agent.since)));
    for agent in order {
        let marks: Vec<String> = tidy::marks(agent, s.timestamp).chain(agent.note.clone()).collect();
        let marks = if marks.is_empty() { String::new() } else { format!("[{}] ", marks.join(", ")) };
        let stale = if agent.stale { " (stale)" } else { "" };
        let context = agent.context_percent.map_or_else(|| format::NONE.to_owned(), |c| format!("{c:.0}%"));
        let line = format!(
            "{} {} {} {} {} {} {} {marks}{}{stale}",
            tone(agent).glyph(),
            left(&word(agent.state, agent.kind.as_deref()), 12),
            right(&format::age(agent.since, s.timestamp), format::AGE_WIDTH),
            left(&agent.agent, 10),
            left(&agent.target, wide),
            right(&context, 4),
            right(&format::cpu(agent.cpu_percent), 5),
            agent.doing.as_deref().unwrap_or(format::NONE),
        );
        writeln!(out, "{}", line.trim_end())?;
    }
    Ok(())
}

fn percent(part: u64, whole: u64) -> String {
    (part * 100).checked_div(whole).map_or_else(|| format::NONE.to_owned(), |p| format!("{p}%"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::core::fixture::test_snapshot;
    use crate::monitor::{Account, Limit};

    #[test]
    fn limits_of_accounts_are_there_where_they_are_known() {
        let mut snapshot = test_snapshot();
        assert!(!frame(&snapshot, &TimeZone::UTC).contains("Account Limits"));
        let resets_at = snapshot.timestamp.checked_add(jiff::SignedDuration::from_hours(1)).ok();
        let five = Limit { minutes: Some(300), used_percent: 87.0, resets_at, at: None };
        let week = Limit { minutes: Some(10_080), resets_at: None, ..five.clone() };
        let (program, name) = ("claude".to_owned(), "~/.claude".to_owned());
        snapshot.accounts = vec![Account { program, name, limits: vec![five, week] }];
        let frame = frame(&snapshot, &TimeZone::UTC);
        assert!(frame.contains("\nAccount Limits: 2\n├─ claude 5h: 87% used, until "), "{frame}");
        assert!(frame.contains("\n└─ claude week: 87% used\n"), "{frame}");
    }
}
