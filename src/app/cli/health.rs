//! `health`: whether the engine keeps to its thresholds.

use serde::Serialize;
use serde_json::json;

use crate::app::cli::gather::{Ask, gather, object, several};
use crate::app::cli::{Context, Failure, Look, Report, Scope, source};
use crate::app::settings::Overrides;
use crate::monitor::facts::repository;
use crate::monitor::{ServerStatus, Snapshot};

/// Lookups under which a hit rate says nothing.
const ENOUGH_LOOKUPS: u64 = 20;

/// How one threshold is met.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It is met.
    Good,
    /// It is not.
    Failed,
    /// Too little was measured to say.
    InsufficientData,
    /// What it is about is switched off.
    NotUsed,
}

/// One threshold and what was measured.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Check {
    /// What is measured.
    pub name: &'static str,
    /// The measure, as a number.
    pub measured: Option<f64>,
    /// How it is compared: `<`, `>`, `>=`.
    pub comparison: &'static str,
    /// The threshold.
    pub threshold: f64,
    /// Its unit, or nothing.
    pub unit: &'static str,
    /// How it is met.
    pub outcome: Outcome,
}

/// Runs it. Exit code 1 when a check failed, 3 when no engine runs.
pub async fn run(scope: &Scope, report: Report, context: &mut Context) -> Result<(), Failure> {
    if several(scope, context) {
        return of_all(scope, report, context).await;
    }
    let snapshot = match source::from_engine(context).await {
        Ok(snapshot) => snapshot,
        Err(failure) => {
            if report.json {
                let (schema, now) = (crate::monitor::SCHEMA, jiff::Timestamp::now());
                context
                    .out
                    .json(&json!({ "schema": schema, "timestamp": now, "ok": false, "engine": null, "checks": [] }))?;
            }
            return Err(failure);
        }
    };
    // What an engine without a server measures of its own says nothing good.
    let status = snapshot.server.status;
    if matches!(status, ServerStatus::NoServer | ServerStatus::NoTmux) {
        if report.json {
            let Snapshot { schema, timestamp, server, .. } = &*snapshot;
            context.out.json(
                &json!({ "schema": schema, "timestamp": timestamp, "ok": false, "server": server, "checks": [] }),
            )?;
        }
        let problem =
            snapshot.server.problem.clone().unwrap_or_else(|| format!("no tmux server at {}", snapshot.server.socket));
        return Err(Failure::unreachable(format!("{status}: {problem}")));
    }
    let checks = checks(&snapshot);
    let ok = checks.iter().all(|check| check.outcome != Outcome::Failed);
    let notes = notes(context)?;
    if report.json {
        let Snapshot { schema, timestamp, .. } = &*snapshot;
        context
            .out
            .json(&json!({ "schema": schema, "timestamp": timestamp, "ok": ok, "checks": checks, "notes": notes }))?;
    } else {
        let rows: Vec<_> = checks.iter().map(row).collect();
        context.out.table(&rows)?;
        for note in notes {
            context.out.line(format!("Note: {note}"))?;
        }
    }
    if ok { Ok(()) } else { Err(Failure::check()) }
}

/// Of several servers: exit code 1 when a check failed on one of them.
async fn of_all(scope: &Scope, report: Report, context: &mut Context) -> Result<(), Failure> {
    let all = gather(scope, context, Ask::Engine).await?;
    let is_good = |checks: &[Check]| checks.iter().all(|check| check.outcome != Outcome::Failed);
    let ok = all.answered.iter().all(|(_, snapshot)| is_good(&checks(snapshot)));
    if report.json {
        let of = |snapshot: &Snapshot| {
            let checks = checks(snapshot);
            object(json!({ "ok": is_good(&checks), "checks": checks, "server": snapshot.server }))
        };
        context.out.json(&all.json(of, object(json!({ "ok": ok && !all.answered.is_empty() }))))?;
    } else {
        for (label, snapshot) in &all.answered {
            context.out.heading(&label.name())?;
            let rows: Vec<_> = checks(snapshot).iter().map(row).collect();
            context.out.table(&rows)?;
            context.out.line("")?;
        }
        all.tell(context)?;
    }
    all.end()?;
    if ok { Ok(()) } else { Err(Failure::check()) }
}

/// What is missing for something that is wanted, and no reason to be called ill.
fn notes(context: &Context) -> Result<Vec<String>, Failure> {
    let repositories = context.load(&Overrides::new())?.settings.repositories;
    let no_git = repositories.enabled && repositories.diff && !repository::has_git();
    let note = "git is not installed: lines added and removed are not counted (`repositories.diff`)";
    Ok(no_git.then(|| note.to_owned()).into_iter().collect())
}

/// The four thresholds on a snapshot.
#[must_use]
pub fn checks(snapshot: &Snapshot) -> Vec<Check> {
    let asynchronous = snapshot.engine.mode != "sync";
    let layer = &snapshot.cache_performance.agent_status;
    let few = layer.hits + layer.misses < ENOUGH_LOOKUPS;
    let cycle = snapshot.cycle.p95_ms.map(|ms| ms / 1000.0).or(snapshot.base_status.last_cycle_time);
    let check = |name, measured: Option<f64>, comparison, threshold, unit, unused: Option<Outcome>| {
        let outcome = match (unused, measured) {
            (Some(outcome), _) => outcome,
            (None, None) => Outcome::InsufficientData,
            (None, Some(measured)) => {
                let met = match comparison {
                    "<" => measured < threshold,
                    ">" => measured > threshold,
                    _ => measured >= threshold,
                };
                if met { Outcome::Good } else { Outcome::Failed }
            }
        };
        Check { name, measured, comparison, threshold, unit, outcome }
    };
    let pool_unused = (!asynchronous).then_some(Outcome::NotUsed);
    let cache_unused = if !asynchronous || !snapshot.settings.cache_enabled {
        Some(Outcome::NotUsed)
    } else {
        few.then_some(Outcome::InsufficientData)
    };
    vec![
        check("cycle time", cycle, "<", 1.0, "s", None),
        check("pool size", Some(snapshot.connection_pool.pool_size as f64), ">=", 5.0, "", pool_unused),
        check("agent_status hit rate", layer.hit_rate, ">", 0.6, "", cache_unused),
        check("errors", Some(snapshot.base_status.errors_detected as f64), "<", 10.0, "", None),
    ]
}

fn row(check: &Check) -> Vec<(Look, String)> {
    let (look, word) = match check.outcome {
        Outcome::Good => (Look::Good, "✓ good"),
        Outcome::Failed => (Look::Bad, "✗ FAILED"),
        Outcome::InsufficientData => (Look::Muted, "? insufficient data"),
        Outcome::NotUsed => (Look::Muted, "- not used"),
    };
    // By the threshold, so that a rate is a rate also when it is 0.
    let number = |value: f64| match (check.unit, check.threshold.fract() == 0.0) {
        ("", true) => format!("{value:.0}"),
        ("", false) => format!("{value:.2}"),
        (unit, _) => format!("{value:.3}{unit}"),
    };
    let measured = check.measured.map_or("-".to_owned(), number);
    let limit = format!("{} {}", check.comparison, number(check.threshold));
    vec![
        (look, word.to_owned()),
        (Look::Plain, format!("{}:", check.name)),
        (Look::Plain, measured),
        (Look::Muted, format!("(threshold {limit})")),
    ]
}
