//! `check`: the health of one agent.

use serde_json::json;

use crate::app::cli::agents::given_name;
use crate::app::cli::gather::{Ask, gather, place, several};
use crate::app::cli::{Context, Failure, Look, Report, Scope, age, cell, source};
use crate::app::core::fleet::address;
use crate::app::core::target;
use crate::monitor::{Agent, AgentState, Health, Snapshot};

/// Runs it. Exit code 1 when the agent is not healthy, or there is no such agent.
pub async fn run(target: &str, scope: &Scope, report: Report, context: &mut Context) -> Result<(), Failure> {
    let meant = place::of(target, scope, context)?;
    let (target, scope, context) = (meant.target, &meant.scope, &mut meant.context.unwrap_or(context.again()));
    if several(scope, context) {
        let all = gather(scope, context, Ask::OrNow { with_lines: false }).await?;
        let (snapshot, agent) = all.find(target, context)?;
        return of_agent(snapshot, agent, &address(agent), report, context);
    }
    let snapshot = source::with_places_of_now(source::from_engine_or_now(context).await?, &context.server()?).await;
    let agent = target::find(&snapshot, target).map_err(|error| Failure::failed(error.to_string()))?;
    of_agent(&snapshot, agent, &agent.target, report, context)
}

fn of_agent(
    snapshot: &Snapshot,
    agent: &Agent,
    place: &str,
    report: Report,
    context: &mut Context,
) -> Result<(), Failure> {
    // A dead program answers nobody; a screen that could not be read may belong to one.
    let responsive = agent.health == Health::Healthy && agent.state != AgentState::Exited && !agent.stale;
    let idle = agent.state == AgentState::Idle;
    if report.json {
        context.out.json(&json!({
            "schema": snapshot.schema,
            "timestamp": snapshot.timestamp,
            "target": agent.target,
            "pane_id": agent.pane_id,
            "agent": agent.agent,
            "name": agent.name,
            "host": agent.host,
            "server": agent.server,
            "status": agent.health,
            "responsive": responsive,
            "idle": idle,
            "state": agent.state,
            "kind": agent.kind,
            "since": agent.since,
            "stale": agent.stale,
            "evidence": agent.evidence,
        }))?;
    } else {
        let kind = agent.kind.as_deref().map_or(String::new(), |kind| format!(" ({})", cell(kind, 40)));
        let since = age(snapshot.timestamp.duration_since(agent.since).as_secs_f64());
        let look = if agent.health == Health::Healthy { Look::Good } else { Look::Bad };
        let yes = |yes: bool| if yes { "yes" } else { "no" };
        let name = given_name(agent).map_or(String::new(), |name| format!(" ({})", cell(name, 40)));
        let status = context.out.paint(look, &agent.health.to_string());
        for line in [
            format!("Target: {} ({})", cell(place, 80), agent.pane_id),
            format!("Agent: {}{name}", cell(&agent.agent, 40)),
            format!("Status: {status}"),
            format!("Responsive: {}", yes(responsive)),
            format!("Idle: {}", yes(idle)),
            format!("State: {}{kind} for {since}", agent.state),
            format!("Evidence: {}: {}", cell(&agent.evidence.rule, 60), cell(&agent.evidence.line, 120)),
        ] {
            context.out.line(line)?;
        }
    }
    context.out.flush()?;
    if responsive { Ok(()) } else { Err(Failure::check()) }
}
