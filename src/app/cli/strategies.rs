//! `strategies`: those there are, where they come from, and what each costs where that was measured.

use serde_json::json;

use crate::app::cli::{Context, Failure, Look, Report, cell, source};
use crate::monitor::{StrategyInfo, scripts, strategy};

/// Runs it, with or without an engine.
pub async fn run(report: Report, context: &mut Context) -> Result<(), Failure> {
    let running = source::from_engine(context).await.ok();
    let current = running.as_ref().map(|snapshot| snapshot.current_strategy.clone());
    // The folder as it is now, whenever the engine looked at it last.
    let mut list = scripts::list(Some(&context.paths.strategies()));
    if let Some(snapshot) = &running {
        list.iter_mut().for_each(|info| add_measures(info, &snapshot.strategies));
    }
    if report.json {
        let schema = crate::monitor::SCHEMA;
        return context.out.json(&json!({ "schema": schema, "current": current, "strategies": list }));
    }
    let rows: Vec<_> = list.iter().map(|info| row(info, current.as_deref())).collect();
    context.out.table(&rows)
}

/// What only the engine knows: what a strategy costs, and that a script that compiles could not plan.
fn add_measures(info: &mut StrategyInfo, known: &[StrategyInfo]) {
    let Some(known) = known.iter().find(|known| known.name == info.name && known.origin == info.origin) else { return };
    info.p50_ms = known.p50_ms;
    if info.problem.is_none() {
        info.problem = known.problem.clone().filter(|problem| problem.starts_with(strategy::COULD_NOT_PLAN));
    }
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
