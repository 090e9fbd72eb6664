//! `strategies`: those there are, where they come from, and what each costs where that was measured.

use serde_json::json;

use super::{Context, Failure, Look, Report, cell, source};
use crate::monitor::{StrategyInfo, strategy};

/// Runs it, with or without an engine.
pub async fn run(report: Report, context: &mut Context) -> Result<(), Failure> {
    let running = source::from_engine(context).await.ok();
    let current = running.as_ref().map(|snapshot| snapshot.current_strategy.clone());
    let list = match running {
        Some(snapshot) => snapshot.strategies.clone(),
        None => strategy::list(Some(&context.paths.strategies())),
    };
    if report.json {
        let schema = crate::monitor::SCHEMA;
        return context.out.json(&json!({ "schema": schema, "current": current, "strategies": list }));
    }
    let rows: Vec<_> = list.iter().map(|info| row(info, current.as_deref())).collect();
    context.out.table(&rows)
}

fn row(info: &StrategyInfo, current: Option<&str>) -> Vec<(Look, String)> {
    let mark = if current == Some(info.name.as_str()) { "▸" } else { " " };
    let cost = info.p50_ms.map_or(String::new(), |ms| format!("p50 {ms:.2} ms"));
    let problem = info.problem.as_deref().map_or(String::new(), |problem| cell(problem, 200));
    vec![
        (Look::Plain, format!("{mark} {}", cell(&info.name, 40))),
        (Look::Muted, cell(&info.origin, 120)),
        (Look::Plain, cost),
        (Look::Bad, problem),
    ]
}
