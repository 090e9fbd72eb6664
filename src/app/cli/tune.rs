//! `perf tune`: tries strategies and pool sizes on the running server, in turns, and recommends one where that is more
//! than noise.

use std::{sync::Arc, time::Duration};

use serde_json::json;

use crate::app::cli::engine::Signals;
use crate::app::cli::tuned::{Advice, Tried, advice};
use crate::app::cli::{Context, Failure, Look, TuneOptions, source};
use crate::{
    app::settings::Overrides,
    monitor::{ANSWER_LIMIT, Command, Following, Handle, NotDone, NotSent, ServerStatus, Snapshot, TuneRow},
};

/// Shortest time that a combination runs at a stretch: less says nothing about CPU.
const SHORTEST: Duration = Duration::from_secs(3);

/// How often each combination has its turn, one after another and back again: what the machine does meanwhile, and what
/// the agents do, then falls on all of them.
const ROUNDS: usize = 2;

/// Runs it. The settings are as before when it ends, also by a signal.
pub async fn run(options: &TuneOptions, context: &mut Context) -> Result<(), Failure> {
    if !options.seconds.is_finite() || options.seconds <= 0.0 || options.seconds > 86_400.0 {
        return Err(Failure::usage(format!("--seconds {}: a number above 0, up to 86400", options.seconds)));
    }
    let follow = source::follow(context, &context.server()?, context.in_force(Overrides::new())?, false)?;
    let Following { mut handle, task, .. } = follow.start().await.map_err(|error| Failure::usage(error.to_string()))?;
    let mut signals = Signals::listen()?;
    let before = until(&mut handle, "its first cycle", |s| s.server.status != ServerStatus::Connecting).await?;
    if before.server.status != ServerStatus::Reachable {
        let problem = before.server.problem.clone().unwrap_or_else(|| "the tmux server cannot be reached".to_owned());
        return Err(Failure::unreachable(problem));
    }
    if before.engine.mode == "sync" {
        return Err(Failure::failed(
            "the sync engine has one strategy and one connection: nothing can be tuned; start one with --async",
        ));
    }
    let tried = tokio::select! {
        tried = try_all(options, &before, &mut handle, context) => tried,
        () = signals.any() => Err(Failure::failed("interrupted; the settings are as before".to_owned())),
    };
    restore(&handle, &before).await;
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
    match tokio::time::timeout(ANSWER_LIMIT, handle.snapshots.wait_for(good)).await {
        Ok(Ok(snapshot)) => Ok(Arc::clone(&snapshot)),
        Ok(Err(_)) => Err(Failure::failed("the engine ended".to_owned())),
        Err(_) => Err(Failure::failed(format!("the engine did not confirm {what}"))),
    }
}

/// Puts a combination in force: the newest snapshot shows it when this returns.
async fn set(handle: &Handle, strategy: &str, pool_size: usize) -> Result<(), Failure> {
    for command in [Command::Strategy(strategy.to_owned()), Command::PoolSize(pool_size)] {
        handle.commands.ask(command).await.map_err(|error| match error {
            NotDone::NotSent(NotSent::Ended) => Failure::failed("the engine ended".to_owned()),
            error => {
                Failure::failed(format!("the engine did not take {strategy} with {pool_size} connections: {error}"))
            }
        })?;
    }
    Ok(())
}

/// Each combination several times, there and back: what was measured in its turns alone.
async fn try_all(
    options: &TuneOptions,
    before: &Snapshot,
    handle: &mut Handle,
    context: &mut Context,
) -> Result<Vec<Tried>, Failure> {
    let all = combinations(before);
    let each = Duration::from_secs_f64(options.seconds / (all.len() * ROUNDS) as f64).max(SHORTEST);
    let mut rounds = vec![Vec::new(); all.len()];
    if !options.json {
        let took = each.as_secs_f64() * (all.len() * ROUNDS) as f64;
        context.out.line(format!("{} combinations, {ROUNDS} times each: {took:.0} s", all.len()))?;
    }
    for round in 0..ROUNDS {
        let there: Vec<usize> = (0..all.len()).collect();
        let order: Vec<usize> = if round % 2 == 0 { there } else { there.into_iter().rev().collect() };
        for index in order {
            let (strategy, pool_size) = &all[index];
            if !options.json {
                let line = format!("trying {strategy} with {pool_size} connections for {:.0} s", each.as_secs_f64());
                context.out.line(line)?;
                context.out.flush()?;
            }
            rounds[index].extend(turn(strategy, *pool_size, each, handle).await?);
        }
    }
    Ok(rounds.iter().filter_map(|rounds| Tried::of(rounds)).collect())
}

/// One turn of a combination: what the engine measured from its first cycle under it to the last.
async fn turn(
    strategy: &str,
    pool_size: usize,
    each: Duration,
    handle: &mut Handle,
) -> Result<Option<TuneRow>, Failure> {
    let what = format!("{strategy} with {pool_size} connections");
    set(handle, strategy, pool_size).await?;
    let current = |s: &Snapshot| s.tune.iter().find(|row| row.current).cloned();
    let first = until(handle, &format!("a cycle of {what}"), |s| current(s).is_some()).await?;
    let in_force = |s: &Snapshot| (s.current_strategy.clone(), s.settings.pool_max);
    let mut cycle = first.base_status.cycle_count;
    let mut durations: Vec<f64> = Vec::new();
    let deadline = tokio::time::Instant::now() + each;
    let mut last = Arc::clone(&first);
    while let Ok(changed) = tokio::time::timeout_at(deadline, handle.snapshots.changed()).await {
        changed.map_err(|_| Failure::failed("the engine ended".to_owned()))?;
        last = Arc::clone(&handle.snapshots.borrow_and_update());
        if in_force(&last) != in_force(&first) {
            return Err(Failure::failed(format!("somebody else changed the settings while {what} was tried")));
        }
        durations.extend(last.history.iter().filter(|point| point.cycle > cycle).map(|p| f64::from(p.duration_ms)));
        cycle = last.base_status.cycle_count;
    }
    let (Some(from), Some(to)) = (current(&first), current(&last)) else { return Ok(None) };
    Ok(between(&from, &to, &mut durations))
}

/// What a row took in between two snapshots. `None` when that was no cycle.
fn between(from: &TuneRow, to: &TuneRow, durations: &mut [f64]) -> Option<TuneRow> {
    let cycles = to.cycles.checked_sub(from.cycles).filter(|cycles| *cycles > 0)?;
    durations.sort_by(f64::total_cmp);
    let at = |share: f64| durations.get(((durations.len() as f64 - 1.0) * share).round() as usize).copied();
    // The sums behind the means.
    let mean = |of: fn(&TuneRow) -> (Option<f64>, u64)| {
        let ((before, n), (after, m)) = (of(from), of(to));
        let count = m.checked_sub(n).filter(|count| *count > 0)?;
        Some((after? * m as f64 - before.unwrap_or(0.0) * n as f64) / count as f64)
    };
    Some(TuneRow {
        cycles,
        seconds: to.seconds - from.seconds,
        p50_ms: at(0.5),
        p99_ms: at(0.99),
        staleness_ms: mean(|row| (row.staleness_ms, row.cycles)).map(|ms| ms.max(0.0)),
        cpu_percent: mean(|row| (row.cpu_percent, row.cpu_samples)).map(|percent| percent.max(0.0)),
        tmux_cpu_percent: mean(|row| (row.tmux_cpu_percent, row.cpu_samples)).map(|percent| percent.max(0.0)),
        cpu_samples: to.cpu_samples - from.cpu_samples,
        ..to.clone()
    })
}

/// Puts the settings of before in force again: an engine in the background goes on with them.
async fn restore(handle: &Handle, before: &Snapshot) {
    let restored = set(handle, &before.current_strategy, before.settings.pool_max).await;
    if let Err(failure) = restored {
        tracing::warn!(%failure, "the settings may not be as before");
    }
}

fn report(options: &TuneOptions, before: &Snapshot, all: &[Tried], context: &mut Context) -> Result<(), Failure> {
    let present = |row: &TuneRow| row.strategy == before.current_strategy && row.pool_size == before.settings.pool_max;
    let advice = advice(all, present);
    let best = advice.map(Advice::tried);
    if options.json {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        return context.out.json(&json!({
            "schema": crate::monitor::SCHEMA,
            "tmux": before.server.version,
            "transport": before.server.transport,
            "agents": before.agents.len(),
            "cores": cores,
            "tried": all,
            "recommended": best,
            "differs": matches!(advice, Some(Advice::Take(_))),
        }));
    }
    let number = |value: Option<f64>, digits: usize| value.map_or("-".to_owned(), |v| format!("{v:.digits$}"));
    let heading = format!(
        "{:<14}{:>5}{:>9}{:>10}{:>10}{:>10}{:>8}{:>8}{:>8}{:>9}",
        "strategy", "pool", "cycles", "p50 ms", "p99 ms", "age ms", "± ms", "cpu %", "tmux %", "± cpu %"
    );
    context.out.line("")?;
    let heading = context.out.paint(Look::Title, &heading);
    context.out.line(heading)?;
    for tried in all {
        let mark = match advice {
            Some(Advice::Take(best)) if best == tried => "  best",
            _ if present(&tried.row) => "  in force",
            _ => "",
        };
        let row = &tried.row;
        context.out.line(format!(
            "{:<14}{:>5}{:>9}{:>10}{:>10}{:>10}{:>8}{:>8}{:>8}{:>9}{mark}",
            row.strategy,
            row.pool_size,
            row.cycles,
            number(row.p50_ms, 2),
            number(row.p99_ms, 2),
            number(row.staleness_ms, 0),
            number(Some(tried.age_noise_ms), 0),
            number(row.cpu_percent, 2),
            number(row.tmux_cpu_percent, 2),
            number(Some(tried.cost_noise), 2),
        ))?;
    }
    let Some((advice, best)) = advice.zip(best) else { return Ok(()) };
    let agents = before.agents.len();
    let what = format!("strategy {} with a pool of {}", best.row.strategy, best.row.pool_size);
    let measured = format!(
        "What it shows is {} ms old on average; it costs {:.2} % of a core, tmux included.",
        number(best.row.staleness_ms, 0),
        best.cost_percent
    );
    context.out.line("")?;
    context.out.line(match advice {
        Advice::Take(_) => format!("With {agents} agents here: {what}. {measured}"),
        Advice::Stay(_) => format!(
            "With {agents} agents here nothing is better than what is in force, {what}, by more than the noise. {measured}"
        ),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ran_before_does_not_count() {
        let row = |cycles: u64, seconds, age, cpu, cpu_samples| TuneRow {
            cycles,
            seconds,
            staleness_ms: Some(age),
            cpu_percent: Some(cpu),
            tmux_cpu_percent: Some(cpu),
            cpu_samples,
            ..TuneRow::default()
        };
        // 900 cycles long ago, 10 now.
        let (from, to) = (row(900, 900.0, 50.0, 0.5, 400), row(910, 903.0, (50.0 * 900.0 + 2000.0) / 910.0, 0.51, 401));
        let new = between(&from, &to, &mut [3.0, 1.0, 2.0]).unwrap();
        assert_eq!((new.cycles, new.seconds, new.p50_ms, new.p99_ms), (10, 3.0, Some(2.0), Some(3.0)));
        assert!((new.staleness_ms.unwrap() - 200.0).abs() < 1e-6, "{new:?}");
        assert!((new.cpu_percent.unwrap() - 4.51).abs() < 1e-6, "{new:?}");
        assert_eq!(between(&from, &from, &mut []), None);
    }
}
