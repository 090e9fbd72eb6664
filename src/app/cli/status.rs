//! `status`: what the engine does; with `--detailed` also pool, cache and health.

use jiff::{Timestamp, tz::TimeZone};
use serde_json::{Map, json};

use crate::app::cli::gather::{Ask, gather, object, several};
use crate::app::cli::{Context, Failure, Look, StatusOptions, age, cell, source};
use crate::app::core::limits;
use crate::monitor::{Account, AgentState, LayerInfo, Snapshot};

/// Runs it. Exit code 3 when no engine runs.
pub async fn run(options: &StatusOptions, context: &mut Context) -> Result<(), Failure> {
    if several(&options.scope, context) {
        return of_all(options, context).await;
    }
    let snapshot = match source::from_engine(context).await {
        Ok(snapshot) => snapshot,
        Err(failure) => {
            if options.report.json {
                let socket = context.server()?.socket().display().to_string();
                let now = jiff::Timestamp::now();
                let schema = crate::monitor::SCHEMA;
                context.out.json(
                    &json!({ "schema": schema, "timestamp": now, "server": { "socket": socket }, "engine": null }),
                )?;
            }
            return Err(failure);
        }
    };
    if options.report.json {
        return context.out.json(&*snapshot);
    }
    all_of(&snapshot, options, context)
}

/// Of several servers, each under its name.
async fn of_all(options: &StatusOptions, context: &mut Context) -> Result<(), Failure> {
    let all = gather(&options.scope, context, Ask::Engine).await?;
    if options.report.json {
        let of = |snapshot: &Snapshot| object(serde_json::to_value(snapshot).unwrap_or_default());
        context.out.json(&all.json(of, Map::new()))?;
        return all.end();
    }
    for (label, snapshot) in &all.answered {
        context.out.heading(&label.name())?;
        all_of(snapshot, options, context)?;
        context.out.line("")?;
    }
    all.tell(context)?;
    all.end()
}

fn all_of(snapshot: &Snapshot, options: &StatusOptions, context: &mut Context) -> Result<(), Failure> {
    summary(snapshot, context)?;
    if options.detailed {
        pool(snapshot, context)?;
        cache(snapshot, context)?;
        health(snapshot, context)?;
        if !snapshot.accounts.is_empty() {
            context.out.line("")?;
            limits(&snapshot.accounts, context)?;
        }
    }
    Ok(())
}

/// How much of the accounts' limits is used.
pub(super) fn limits(accounts: &[Account], context: &mut Context) -> Result<(), Failure> {
    heading("Account Limits", context)?;
    let (now, zone) = (Timestamp::now(), TimeZone::system());
    for one in limits::all(accounts, now) {
        let (name, used) = limits::pair(&one, now, &zone);
        context.out.line(format!("{}: {used}", cell(&name, 80)))?;
    }
    Ok(())
}

fn heading(text: &str, context: &mut Context) -> Result<(), Failure> {
    let heading = context.out.paint(Look::Title, &format!("=== {text} ==="));
    context.out.line(heading)
}

fn pairs(rows: &[(&str, String)], context: &mut Context) -> Result<(), Failure> {
    for (name, value) in rows {
        context.out.line(format!("{name}: {value}"))?;
    }
    Ok(())
}

fn summary(s: &Snapshot, context: &mut Context) -> Result<(), Failure> {
    heading("Async Monitoring Status", context)?;
    let engine = &s.engine;
    let state = if engine.paused { "paused" } else { "running" };
    let version =
        s.server.version.as_deref().map_or_else(|| "version unknown".to_owned(), |v| format!("tmux {}", cell(v, 20)));
    let transport = s.server.transport.as_deref().unwrap_or("-");
    pairs(
        &[
            ("Engine", format!("{state} (pid {}, {}, up {})", engine.pid, engine.mode, age(engine.uptime))),
            ("Server", format!("{} ({version}, {transport}, {})", cell(&s.server.socket, 200), s.server.status)),
            ("Strategy", s.current_strategy.clone()),
            ("Interval", format!("{}s", s.settings.interval)),
            ("Agents", agents(s)),
            ("Cycles", format!("{}, last: {}", s.base_status.cycle_count, seconds(s.base_status.last_cycle_time))),
            ("Errors", s.base_status.errors_detected.to_string()),
        ],
        context,
    )?;
    if let Some(problem) = &s.server.problem {
        context.out.line(context.out.paint(Look::Bad, &format!("Problem: {}", cell(problem, 400))))?;
    }
    for note in &s.notes {
        context.out.line(format!("Note: {}", cell(note, 400)))?;
    }
    Ok(())
}

fn agents(s: &Snapshot) -> String {
    use strum::IntoEnumIterator;
    let count = |state| s.agents.iter().filter(|agent| agent.state == state).count();
    let parts = AgentState::iter().map(|state| (state, count(state))).filter(|(_, count)| *count > 0);
    let parts: Vec<String> = parts.map(|(state, count)| format!("{count} {state}")).collect();
    let reading = s.cycle.reading.map(|r| format!(", reading {} of {} panes", r.read, r.of)).unwrap_or_default();
    let parts = if parts.is_empty() { String::new() } else { format!(" ({})", parts.join(", ")) };
    format!("{}{parts}{reading}", s.agents.len())
}

fn pool(s: &Snapshot, context: &mut Context) -> Result<(), Failure> {
    let pool = &s.connection_pool;
    context.out.line("")?;
    heading("Connection Pool", context)?;
    let reused = ratio(pool.connections_reused, pool.total_acquisitions);
    pairs(
        &[
            ("Pool size", pool.pool_size.to_string()),
            ("Active connections", pool.active_connections.to_string()),
            ("Idle connections", pool.idle_connections.to_string()),
            (
                "Acquisitions",
                format!(
                    "{} ({reused} reused, {} timed out, {} waiting)",
                    pool.total_acquisitions, pool.acquisition_timeouts, pool.waiters
                ),
            ),
            ("Connections", format!("{} created, {} recycled", pool.connections_created, pool.connections_recycled)),
            ("Wait", format!("p50 {}, p99 {}", milliseconds(pool.wait_p50_ms), milliseconds(pool.wait_p99_ms))),
        ],
        context,
    )
}

fn cache(s: &Snapshot, context: &mut Context) -> Result<(), Failure> {
    let cache = &s.cache_performance;
    context.out.line("")?;
    heading("Cache Performance", context)?;
    let layers = [
        ("pane_content", &cache.pane_content),
        ("agent_status", &cache.agent_status),
        ("session_info", &cache.session_info),
        ("config", &cache.config),
    ];
    let rows: Vec<_> = layers.into_iter().map(|(name, layer)| layer_row(name, layer)).collect();
    context.out.table(&rows)?;
    let policy = &s.settings;
    let line = if policy.cache_enabled {
        format!("Policy: {}, {}s at most", policy.cache_policy, policy.cache_ttl)
    } else {
        "Policy: the cache is off".to_owned()
    };
    context.out.line(line)
}

fn layer_row(name: &str, layer: &LayerInfo) -> Vec<(Look, String)> {
    let rate = layer.hit_rate.map_or("-".to_owned(), |rate| format!("{:.1}%", rate * 100.0));
    let plain = |text: String| (Look::Plain, text);
    vec![
        plain(format!("{name}:")),
        plain(format!("{rate:>6} hits")),
        plain(format!("{} of {} lookups", layer.hits, layer.hits + layer.misses)),
        plain(format!("{}/{} entries", layer.size, layer.capacity)),
        plain(format!("{} evicted, {} expired", layer.evictions, layer.expirations)),
    ]
}

fn health(s: &Snapshot, context: &mut Context) -> Result<(), Failure> {
    let health = &s.health_summary;
    context.out.line("")?;
    heading("Agent Health", context)?;
    pairs(
        &[
            ("Total agents", health.total_agents.to_string()),
            ("Healthy", health.healthy.to_string()),
            ("Unresponsive", health.unresponsive.to_string()),
            ("Warning", health.warning.to_string()),
            ("Critical", health.critical.to_string()),
        ],
        context,
    )?;
    context.out.line("")?;
    heading("Cycles", context)?;
    let cycle = &s.cycle;
    let cost = &s.cost;
    let percent = |value: Option<f64>| value.map_or("-".to_owned(), |value| format!("{value:.1}%"));
    let memory = cost.memory_bytes.map_or("-".to_owned(), |bytes| format!("{:.1} MB", bytes as f64 / 1e6));
    let mut rows = vec![
        (
            "Duration",
            format!(
                "p50 {}, p95 {}, p99 {}, max {}",
                milliseconds(cycle.p50_ms),
                milliseconds(cycle.p95_ms),
                milliseconds(cycle.p99_ms),
                milliseconds(cycle.max_ms)
            ),
        ),
        ("Overruns", cycle.overruns.to_string()),
        (
            "Cost",
            format!(
                "engine {} CPU, {memory}; tmux server {} CPU",
                percent(cost.cpu_percent),
                percent(cost.tmux_cpu_percent)
            ),
        ),
        (
            "Watching",
            format!(
                "{} of the tmux server's time, at most {}%{}",
                percent(cost.watching_percent),
                s.settings.max_server_percent,
                if cost.held_back { ": held back" } else { "" }
            ),
        ),
    ];
    if let Some(last) = &cycle.last {
        rows.push((
            "Last cycle",
            format!(
                "{} read, {} skipped, {} changed; {} requests, {} tmux processes, {} bytes",
                last.checked, last.skipped, last.changed, last.tmux_requests, last.tmux_processes, last.bytes
            ),
        ));
    }
    pairs(&rows, context)
}

fn seconds(value: Option<f64>) -> String {
    value.map_or("-".to_owned(), |value| format!("{value:.3}s"))
}

fn milliseconds(value: Option<f64>) -> String {
    value.map_or("-".to_owned(), |value| format!("{value:.2} ms"))
}

fn ratio(part: u64, whole: u64) -> String {
    if whole == 0 { "-".to_owned() } else { format!("{:.0}%", part as f64 * 100.0 / whole as f64) }
}
