//! `perf tune`: tries strategies and pool sizes on the running server, one after another, and recommends one.

use std::{sync::Arc, time::Duration};

use serde_json::json;

use super::{Context, Failure, Look, TuneOptions, engine::Signals, source};
use crate::{
    app::settings::Overrides,
    monitor::{Command, Following, Handle, ServerStatus, Snapshot, TuneRow},
};

/// Shortest time that a combination runs: less says nothing about CPU.
const SHORTEST: Duration = Duration::from_secs(3);

/// How long an engine may take to confirm a change.
const CONFIRM: Duration = Duration::from_secs(15);

/// A cheap one is recommended before a fresher one that costs more than this many times as much.
const WORTH: f64 = 2.0;

/// Runs it. The settings are as before when it ends, also by a signal.
pub async fn run(options: &TuneOptions, context: &mut Context) -> Result<(), Failure> {
    if !options.seconds.is_finite() || options.seconds <= 0.0 || options.seconds > 86_400.0 {
        return Err(Failure::usage(format!("--seconds {}: a number above 0, up to 86400", options.seconds)));
    }
    let follow = source::follow(context, context.in_force(Overrides::new())?, false)?;
    let Following { mut handle, task, .. } = follow.start().await.map_err(|error| Failure::usage(error.to_string()))?;
    let mut signals = Signals::listen()?;
    let before = until(&mut handle, "its first cycle", |s| s.server.status != ServerStatus::Connecting).await?;
    if before.server.status != ServerStatus::Reachable {
        let problem = before.server.problem.clone().unwrap_or_else(|| "the tmux server cannot be reached".to_owned());
        return Err(Failure::unreachable(problem));
    }
    let tried = tokio::select! {
        tried = try_all(options, &before, &mut handle, context) => tried,
        () = signals.any() => Err(Failure::failed("interrupted; the settings are as before".to_owned())),
    };
    restore(&mut handle, &before).await;
    drop(handle);
    let _ = task.await;
    report(options, &before, &tried?, context)
}

/// The combinations that are tried: every strategy that can run, with a narrow, a middle and the present pool.
fn combinations(snapshot: &Snapshot) -> Vec<(String, usize)> {
    let present = snapshot.settings.pool_max;
    let mut sizes = vec![1, 4, present];
    sizes.sort_unstable();
    sizes.dedup();
    let usable = snapshot.strategies.iter().filter(|s| s.problem.is_none());
    usable.flat_map(|s| sizes.iter().map(move |size| (s.name.clone(), *size))).collect()
}

async fn until(
    handle: &mut Handle,
    what: &str,
    good: impl FnMut(&Arc<Snapshot>) -> bool,
) -> Result<Arc<Snapshot>, Failure> {
    match tokio::time::timeout(CONFIRM, handle.snapshots.wait_for(good)).await {
        Ok(Ok(snapshot)) => Ok(Arc::clone(&snapshot)),
        Ok(Err(_)) => Err(Failure::failed("the engine ended".to_owned())),
        Err(_) => Err(Failure::failed(format!("the engine did not confirm {what}"))),
    }
}

async fn send(handle: &Handle, command: Command) -> Result<(), Failure> {
    handle.commands.send(command).await.map_err(|_| Failure::failed("the engine ended".to_owned()))
}

async fn try_all(
    options: &TuneOptions,
    before: &Snapshot,
    handle: &mut Handle,
    context: &mut Context,
) -> Result<Vec<TuneRow>, Failure> {
    let all = combinations(before);
    let each = Duration::from_secs_f64(options.seconds / all.len() as f64).max(SHORTEST);
    let mut rows = Vec::new();
    for (strategy, pool_size) in all {
        if !options.json {
            context
                .out
                .line(format!("trying {strategy} with {pool_size} connections for {:.0} s", each.as_secs_f64()))?;
            context.out.flush()?;
        }
        send(handle, Command::Strategy(strategy.clone())).await?;
        send(handle, Command::PoolSize(pool_size)).await?;
        let confirmed = |s: &Arc<Snapshot>| s.current_strategy == strategy && s.connection_pool.pool_size == pool_size;
        until(handle, &format!("{strategy} with {pool_size} connections"), confirmed).await?;
        tokio::time::sleep(each).await;
        let snapshot = Arc::clone(&handle.snapshots.borrow_and_update());
        rows.extend(snapshot.tune.iter().find(|row| row.current).cloned());
    }
    Ok(rows)
}

/// Puts the settings of before in force again, and waits until they are: an engine in the background goes on with them.
async fn restore(handle: &mut Handle, before: &Snapshot) {
    let (strategy, pool) = (before.current_strategy.clone(), before.settings.pool_max);
    let sent = send(handle, Command::Strategy(strategy.clone())).await.is_ok();
    if sent && send(handle, Command::PoolSize(pool)).await.is_ok() {
        let restored = |s: &Arc<Snapshot>| s.current_strategy == strategy && s.settings.pool_max == pool;
        let _ = until(handle, "the settings of before", restored).await;
    }
}

/// CPU of both processes, percent of one core; without it the share of time that cycles took.
fn cost(row: &TuneRow) -> f64 {
    match (row.cpu_percent, row.tmux_cpu_percent) {
        (Some(own), Some(tmux)) => own + tmux,
        _ => row.p50_ms.unwrap_or(0.0) * row.cycles as f64 / (row.seconds.max(0.001) * 10.0),
    }
}

/// The one with the freshest verdicts among those that cost no more than twice the cheapest.
fn best(rows: &[TuneRow]) -> Option<&TuneRow> {
    let cheapest = rows.iter().map(cost).fold(f64::INFINITY, f64::min);
    let affordable = rows.iter().filter(|row| cost(row) <= cheapest * WORTH);
    affordable.min_by(|a, b| {
        let age = |row: &TuneRow| row.staleness_ms.unwrap_or(f64::INFINITY);
        age(a).total_cmp(&age(b)).then(cost(a).total_cmp(&cost(b)))
    })
}

fn report(options: &TuneOptions, before: &Snapshot, rows: &[TuneRow], context: &mut Context) -> Result<(), Failure> {
    let best = best(rows);
    if options.json {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        return context.out.json(&json!({
            "schema": crate::monitor::SCHEMA,
            "tmux": before.server.version,
            "transport": before.server.transport,
            "agents": before.agents.len(),
            "cores": cores,
            "tried": rows,
            "recommended": best,
        }));
    }
    let number = |value: Option<f64>, digits: usize| value.map_or("-".to_owned(), |v| format!("{v:.digits$}"));
    let heading = format!(
        "{:<14}{:>5}{:>9}{:>10}{:>10}{:>10}{:>8}{:>8}",
        "strategy", "pool", "cycles", "p50 ms", "p99 ms", "age ms", "cpu %", "tmux %"
    );
    context.out.line("")?;
    let heading = context.out.paint(Look::Title, &heading);
    context.out.line(heading)?;
    for row in rows {
        let mark = if best.is_some_and(|best| best == row) { "  best" } else { "" };
        context.out.line(format!(
            "{:<14}{:>5}{:>9}{:>10}{:>10}{:>10}{:>8}{:>8}{mark}",
            row.strategy,
            row.pool_size,
            row.cycles,
            number(row.p50_ms, 2),
            number(row.p99_ms, 2),
            number(row.staleness_ms, 0),
            number(row.cpu_percent, 2),
            number(row.tmux_cpu_percent, 2),
        ))?;
    }
    if let Some(best) = best {
        context.out.line("")?;
        context.out.line(format!(
            "With {} agents here: strategy {} with a pool of {}. What it shows is {} ms old on average; it costs {:.2} % \
             of a core, tmux included.",
            before.agents.len(),
            best.strategy,
            best.pool_size,
            number(best.staleness_ms, 0),
            cost(best)
        ))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(strategy: &str, cpu: f64, staleness_ms: f64) -> TuneRow {
        TuneRow {
            strategy: strategy.to_owned(),
            cpu_percent: Some(cpu),
            tmux_cpu_percent: Some(cpu),
            staleness_ms: Some(staleness_ms),
            ..TuneRow::default()
        }
    }

    #[test]
    fn fresh_is_best_unless_it_costs_too_much() {
        let rows = [row("polling", 0.2, 900.0), row("adaptive", 0.3, 130.0), row("concurrent", 2.0, 20.0)];
        assert_eq!(best(&rows).map(|r| r.strategy.as_str()), Some("adaptive"));
        assert_eq!(best(&[]), None);
    }
}
