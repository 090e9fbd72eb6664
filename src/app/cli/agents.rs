//! `agents`: every agent with its state and why, with or without an engine; waiting for one to be in a state.

use std::{sync::Arc, time::Duration};

use jiff::tz::TimeZone;
use serde_json::json;
use tokio::time::timeout;

use crate::app::cli::gather::{Ask, Gathered, gather, object, several, until};
use crate::app::cli::{
    AgentsOptions, AgentsVerb, Context, Cut, Failure, Look, ProfilesVerb, age, cell, changes, profiles, source,
};
use crate::app::core::column::Column;
use crate::app::core::fleet::host_of;
use crate::app::core::format::NONE;
use crate::app::core::text::{right, width};
use crate::app::core::tidy;
use crate::app::core::words::answer_by;
use crate::app::settings::Overrides;
use crate::monitor::{Agent, AgentState, ServerStatus, Snapshot};

/// Runs it.
pub async fn run(options: &AgentsOptions, verb: Option<&AgentsVerb>, context: &mut Context) -> Result<(), Failure> {
    match verb {
        Some(AgentsVerb::Profiles { verb: Some(ProfilesVerb::Test { dir, report }), .. }) => {
            return profiles::test(dir, report.json, context);
        }
        Some(AgentsVerb::Profiles { report, verb: None }) => {
            return profiles::list(report.json, context).await;
        }
        None if options.follow => return changes::run(options, context).await,
        None => {}
    }
    let wanted = if options.wait.is_empty() { &options.state } else { &options.wait };
    let is_wanted = |agent: &&Agent| wanted.is_empty() || wanted.iter().any(|wanted| wanted.is(agent));
    let with_lines = options.report.json || options.columns.contains(&Column::Diff);
    if several(&options.scope, context) {
        let all = if options.wait.is_empty() {
            gather(&options.scope, context, Ask::OrNow { with_lines }).await?
        } else {
            let there = |snapshot: &Snapshot| snapshot.agents.iter().any(|agent| is_wanted(&agent));
            within(options, until(&options.scope, context, there)).await?
        };
        return report(&all, is_wanted, options, context);
    }
    let snapshot = if !options.wait.is_empty() {
        wait(options, context).await?
    } else if with_lines {
        source::from_engine_or_now_with_lines(context).await?
    } else {
        source::from_engine_or_now(context).await?
    };
    let agents: Vec<Row<'_>> =
        snapshot.agents.iter().filter(is_wanted).map(|agent| Row { snapshot: &snapshot, agent }).collect();
    if options.report.json {
        let Snapshot { schema, timestamp, server, .. } = &*snapshot;
        let agents: Vec<&Agent> = agents.iter().map(|row| row.agent).collect();
        return context
            .out
            .json(&json!({ "schema": schema, "timestamp": timestamp, "server": server, "agents": agents }));
    }
    unreadable(None, &snapshot, context)?;
    table(agents, false, options, context)
}

/// An agent, and the snapshot that it is of: times are by the clock of its host.
#[derive(Clone, Copy)]
pub(super) struct Row<'s> {
    pub(super) snapshot: &'s Snapshot,
    pub(super) agent: &'s Agent,
}

/// Agents of several servers.
fn report(
    all: &Gathered,
    is_wanted: impl Fn(&&Agent) -> bool,
    options: &AgentsOptions,
    context: &mut Context,
) -> Result<(), Failure> {
    let rows =
        all.answered.iter().flat_map(|(_, snapshot)| snapshot.agents.iter().map(move |agent| Row { snapshot, agent }));
    let rows: Vec<Row<'_>> = rows.filter(|row| is_wanted(&row.agent)).collect();
    if options.report.json {
        let agents: Vec<&Agent> = rows.iter().map(|row| row.agent).collect();
        let of = |snapshot: &Snapshot| object(json!({ "server": snapshot.server }));
        context.out.json(&all.json(of, object(json!({ "agents": agents }))))?;
        return all.end();
    }
    all.tell(context)?;
    for (label, snapshot) in &all.answered {
        unreadable(Some(&label.name()), snapshot, context)?;
    }
    if !all.answered.is_empty() {
        table(rows, true, options, context)?;
    }
    all.end()
}

/// Blocks until an agent is in one of the states. Fails with exit code 1 when none was in time.
async fn wait(options: &AgentsOptions, context: &Context) -> Result<Arc<Snapshot>, Failure> {
    let follow = source::follow(context, &context.server()?, context.in_force(Overrides::new())?, false)?;
    let following = follow.start().await.map_err(|error| Failure::usage(error.to_string()))?;
    let (mut handle, task) = (following.handle, following.task);
    let states = options.wait.clone();
    let there = move |snapshot: &Arc<Snapshot>| {
        snapshot.agents.iter().any(|agent| states.iter().any(|wanted| wanted.is(agent)))
    };
    let waiting = async {
        let found = handle.snapshots.wait_for(there).await;
        found.map(|snapshot| Arc::clone(&snapshot)).map_err(|_| Failure::failed("the engine ended".to_owned()))
    };
    let found = within(options, waiting).await;
    drop(handle);
    match task.await {
        Ok(Err(error)) => Err(Failure::failed(error.to_string())),
        _ => found,
    }
}

/// As long as it may be waited.
async fn within<T>(options: &AgentsOptions, waiting: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let Some(seconds) = options.timeout else { return waiting.await };
    timeout(Duration::from_secs_f64(seconds), waiting).await.unwrap_or_else(|_| {
        let states: Vec<String> = options.wait.iter().map(ToString::to_string).collect();
        Err(Failure::failed(format!("no agent was {} within {seconds} s", states.join(" or "))))
    })
}

/// Says that a server cannot be read, where it is so.
fn unreadable(name: Option<&str>, snapshot: &Snapshot, context: &mut Context) -> Result<(), Failure> {
    if snapshot.server.status == ServerStatus::Unreachable {
        let problem = snapshot.server.problem.clone().unwrap_or_default();
        let server = name.map_or_else(|| "The server".to_owned(), |name| format!("The server {name}"));
        context.out.line(context.out.paint(
            Look::Bad,
            &format!("{server} cannot be read now; these are the last good states. {}", cell(&problem, 300)),
        ))?;
    }
    Ok(())
}

fn table(agents: Vec<Row<'_>>, several: bool, options: &AgentsOptions, context: &mut Context) -> Result<(), Failure> {
    if agents.is_empty() {
        let text = if options.wait.is_empty() && options.state.is_empty() {
            if several { "No agent runs on these servers." } else { "No agent runs on this server." }
        } else {
            "No agent is in such a state."
        };
        return context.out.line(text);
    }
    let mut order = agents;
    order.sort_by_key(|row| (row.agent.is_aside(), row.agent.state));
    if !options.columns.is_empty() {
        let mut columns = options.columns.clone();
        if several && !columns.contains(&Column::Host) {
            columns.insert(0, Column::Host);
        }
        return chosen(&order, &columns, context);
    }
    let title = |text: &str| (Look::Title, text.to_owned());
    let mut rows = vec![
        ["STATE", "FOR", "AGENT", "NAME", "TARGET", "PANE", "DOING", "EVIDENCE"]
            .into_iter()
            .map(title)
            .collect::<Vec<_>>(),
    ];
    rows.extend(order.iter().map(row));
    let [agent_column, name, target, pane, doing, evidence] = [2, 3, 4, 5, 6, 7];
    let mut cuts = vec![
        Cut::To(evidence, 24),
        Cut::To(doing, 24),
        Cut::Out(evidence),
        Cut::To(target, 20),
        Cut::To(doing, 12),
        Cut::Out(pane),
        Cut::Out(agent_column),
        Cut::Out(doing),
        Cut::To(target, 8),
        Cut::Out(name),
    ];
    // Only settings give names: without any the column is empty.
    if order.iter().all(|row| given_name(row.agent).is_none()) {
        rows.iter_mut().for_each(|row| drop(row.remove(name)));
        cuts = cuts.into_iter().filter_map(|cut| before_it(cut, name)).collect();
    }
    if several {
        let host = 2;
        rows[0].insert(host, title("HOST"));
        for (cells, row) in rows.iter_mut().skip(1).zip(&order) {
            cells.insert(host, (Look::Plain, cell(&host_of(row.agent), 24)));
        }
        cuts =
            cuts.into_iter().map(|cut| moved(cut, |column| if column < host { column } else { column + 1 })).collect();
    }
    context.out.table_cut(&rows, &cuts)
}

/// The columns that were asked for, in their order.
fn chosen(agents: &[Row<'_>], columns: &[Column], context: &mut Context) -> Result<(), Failure> {
    let mut rows = vec![columns.iter().map(|column| (Look::Title, column.row().head.to_owned())).collect::<Vec<_>>()];
    for row in agents {
        let Row { snapshot, agent } = *row;
        let value = |column: &Column| match column {
            Column::State => state(row),
            Column::For => (Look::Plain, age(snapshot.timestamp.duration_since(agent.since).as_secs_f64())),
            column => {
                let value = (column.row().value)(agent);
                (Look::Plain, value.map_or_else(|| NONE.to_owned(), |value| cell(&value, 70)))
            }
        };
        rows.push(columns.iter().map(value).collect());
    }
    // Numbers stand below each other by their end.
    for (at, _) in columns.iter().enumerate().filter(|(_, column)| column.row().right) {
        let wide = rows.iter().map(|row| width(&row[at].1)).max().unwrap_or(0);
        rows.iter_mut().for_each(|row| row[at].1 = right(&row[at].1, wide));
    }
    context.out.table_cut(&rows, &[])
}

/// The same cut of a table from which a column was taken out.
fn before_it(cut: Cut, gone: usize) -> Option<Cut> {
    match cut {
        Cut::Out(column) | Cut::To(column, _) if column == gone => None,
        cut => Some(moved(cut, |column| if column > gone { column - 1 } else { column })),
    }
}

/// The same cut where its column stands now.
fn moved(cut: Cut, to: impl Fn(usize) -> usize) -> Cut {
    match cut {
        Cut::Out(column) => Cut::Out(to(column)),
        Cut::To(column, least) => Cut::To(to(column), least),
    }
}

/// The name that the settings give an agent; without one it goes by its window's.
pub(super) fn given_name(agent: &Agent) -> Option<&str> {
    Some(agent.name.as_str()).filter(|name| !name.is_empty() && *name != agent.window)
}

/// Its state, with what there is to say of it.
pub(super) fn state(row: &Row<'_>) -> (Look, String) {
    let Row { snapshot, agent } = *row;
    let look = match agent.state {
        AgentState::Waiting => Look::Warn,
        AgentState::Error | AgentState::Exited | AgentState::Limited => Look::Bad,
        AgentState::Working => Look::Good,
        _ => Look::Plain,
    };
    let mut state = agent.state.to_string();
    if let Some(kind) = &agent.kind {
        state.push_str(&format!(" ({})", cell(kind, 20)));
    }
    if let Some(by) = answer_by(agent, snapshot.timestamp, &TimeZone::system()) {
        state.push_str(&format!(", {by}"));
    }
    if agent.stale {
        state.push_str(" stale");
    }
    for mark in tidy::marks(agent, snapshot.timestamp) {
        state.push_str(&format!(", {mark}"));
    }
    (look, state)
}

/// What it does, after the note on it.
pub(super) fn doing(agent: &Agent) -> String {
    let doing = agent.doing.as_deref().unwrap_or_default();
    match &agent.note {
        Some(note) if doing.is_empty() => note.clone(),
        Some(note) => format!("{note} · {doing}"),
        None => doing.to_owned(),
    }
}

fn row(row: &Row<'_>) -> Vec<(Look, String)> {
    let Row { snapshot, agent } = *row;
    let (look, state) = state(row);
    let seconds = snapshot.timestamp.duration_since(agent.since).as_secs_f64();
    let plain = |text: String| (Look::Plain, text);
    vec![
        (look, state),
        plain(age(seconds)),
        plain(cell(&agent.agent, 12)),
        (Look::Good, given_name(agent).map_or(String::new(), |name| cell(name, 24))),
        plain(cell(&agent.target, 40)),
        plain(agent.pane_id.to_string()),
        plain(cell(&doing(agent), 48)),
        (Look::Muted, cell(&format!("{}: {}", agent.evidence.rule, agent.evidence.line), 70)),
    ]
}
