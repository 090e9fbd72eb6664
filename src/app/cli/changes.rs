//! `agents --follow`: a line for every agent, then one for each that changed, appeared or is gone.

use std::{
    collections::{BTreeMap, HashMap},
    convert::Infallible,
    sync::Arc,
    time::Duration,
};

use jiff::{Timestamp, tz::TimeZone};
use serde::Serialize;
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::app::cli::agents::{Row, doing, state};
use crate::app::cli::engine::Signals;
use crate::app::cli::gather::{object, several, watched::Watched};
use crate::app::cli::{AgentsOptions, Context, Failure, Look, cell};
use crate::app::core::fleet::{Label, address};
use crate::app::core::wanted::Wanted;
use crate::app::settings::Overrides;
use crate::monitor::{Agent, Agents, SCHEMA, ServerInfo, ServerStatus, Snapshot};
use crate::tmux::PaneId;

/// Prints them until a signal comes or the reader goes away.
pub async fn run(options: &AgentsOptions, context: &mut Context) -> Result<(), Failure> {
    let in_force = context.in_force(Overrides::new())?;
    let interval = in_force.now().settings.monitoring.check_interval;
    let mut end = Signals::listen()?;
    let mut watched = Watched::start(&options.scope, &in_force, false, context).await?;
    context.out.goes_on()?;
    let printed = tokio::select! {
        Err(failure) = follow(&mut watched, interval, options, context) => Err(failure),
        () = end.any() => Ok(()),
    };
    watched.end().await;
    printed
}

async fn follow(
    watched: &mut Watched,
    interval: Duration,
    options: &AgentsOptions,
    context: &mut Context,
) -> Result<Infallible, Failure> {
    let several = several(&options.scope, context);
    let mut lists: BTreeMap<Label, List> = BTreeMap::new();
    // For programs: a reader who has gone is noticed by it, and one who waits knows that it goes on.
    let heartbeat = options.report.json.then_some(interval);
    let news = |new: &Snapshot, old: &Snapshot| new.server != old.server || new.agents.say_more_than(&old.agents);
    let print = async |label: &Label, snapshot: Option<&Arc<Snapshot>>| {
        let list = lists.entry(label.clone()).or_default();
        let nothing = Snapshot { timestamp: Timestamp::now(), ..Snapshot::default() };
        let shown = snapshot.map_or(&nothing, |snapshot| &**snapshot);
        for change in list.take(&shown.agents, &options.state) {
            print(&change, shown, several, options, context)?;
        }
        let told = snapshot.filter(|shown| list.is_server_due(&shown.server, heartbeat));
        if let Some(snapshot) = told {
            print_server(label, snapshot, several, options, context)?;
        }
        context.out.hand_on().await
    };
    watched.each(interval, news, print).await
}

/// An agent that is printed.
#[derive(Debug, PartialEq)]
struct Change {
    agent: Arc<Agent>,
    /// It is as it was last: it is no more.
    gone: bool,
}

/// What was printed of one server.
#[derive(Debug, Default)]
struct List {
    agents: HashMap<PaneId, Arc<Agent>>,
    server: Option<(ServerInfo, Instant)>,
}

impl List {
    /// Those that are to be printed, now that these are there: of those that are wanted, also who was so until now.
    fn take(&mut self, agents: &Agents, wanted: &[Wanted]) -> Vec<Change> {
        let is_wanted = |agent: &Agent| wanted.is_empty() || wanted.iter().any(|wanted| wanted.is(agent));
        let mut before = std::mem::take(&mut self.agents);
        let mut changes = Vec::new();
        for agent in agents.shared() {
            let known = before.remove(&agent.pane_id);
            let keep = match &known {
                Some(known) if Arc::ptr_eq(known, agent) || !agent.says_more_than(known) => Arc::clone(known),
                _ => {
                    if is_wanted(agent) || known.as_deref().is_some_and(is_wanted) {
                        changes.push(Change { agent: Arc::clone(agent), gone: false });
                    }
                    Arc::clone(agent)
                }
            };
            self.agents.insert(agent.pane_id, keep);
        }
        let mut gone: Vec<_> = before.into_values().filter(|agent| is_wanted(agent)).collect();
        gone.sort_by_key(|agent| agent.pane_id);
        changes.extend(gone.into_iter().map(|agent| Change { agent, gone: true }));
        changes
    }

    /// Whether a line about the server is due, which is printed then: it is another than it was, or there was none for so
    /// long.
    fn is_server_due(&mut self, server: &ServerInfo, heartbeat: Option<Duration>) -> bool {
        let is_long = |at: Instant| heartbeat.is_some_and(|heartbeat| at.elapsed() >= heartbeat.mul_f64(0.9));
        let due = self.server.as_ref().is_none_or(|(told, at)| told != server || is_long(*at));
        if due {
            self.server = Some((server.clone(), Instant::now()));
        }
        due
    }
}

/// A line of JSON: the agent as `agents --json` has it.
#[derive(Serialize)]
struct Line<'a> {
    timestamp: Timestamp,
    gone: bool,
    #[serde(flatten)]
    agent: &'a Agent,
}

fn print(
    change: &Change,
    snapshot: &Snapshot,
    several: bool,
    options: &AgentsOptions,
    context: &mut Context,
) -> Result<(), Failure> {
    let Change { agent, gone } = change;
    if options.report.json {
        return context.out.json_line(&Line { timestamp: snapshot.timestamp, gone: *gone, agent });
    }
    let (look, state) = if *gone { (Look::Muted, "gone".to_owned()) } else { state(&Row { snapshot, agent }) };
    let place = if several { address(agent) } else { agent.target.clone() };
    let words = [cell(&agent.agent, 12), cell(&place, 40), cell(&doing(agent), 70)];
    let state = context.out.paint(look, &format!("{state:<20}"));
    let line = format!("{}  {state}  {}", time(snapshot, context), words.join("  "));
    context.out.line(line.trim_end())
}

fn print_server(
    label: &Label,
    snapshot: &Snapshot,
    several: bool,
    options: &AgentsOptions,
    context: &mut Context,
) -> Result<(), Failure> {
    let server = &snapshot.server;
    if options.report.json {
        let mut line = object(json!({ "schema": SCHEMA, "timestamp": snapshot.timestamp, "server": server }));
        if several {
            line.insert("host".to_owned(), json!(label.host));
            line.insert("name".to_owned(), Value::from(&*label.server));
        }
        return context.out.json_line(&line);
    }
    if server.status == ServerStatus::Reachable {
        return Ok(());
    }
    let name = if several { format!("{}: ", label.name()) } else { String::new() };
    let problem = server.problem.clone().unwrap_or_else(|| format!("no answer from {}", server.socket));
    let words = context.out.paint(Look::Bad, &cell(&format!("{name}{problem}"), 300));
    context.out.line(format!("{}  {words}", time(snapshot, context)))
}

fn time(snapshot: &Snapshot, context: &Context) -> String {
    let at = snapshot.timestamp.to_zoned_datetime(TimeZone::system()).strftime("%H:%M:%S").to_string();
    context.out.paint(Look::Muted, &at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::core::fixture::test_agent;
    use crate::monitor::AgentState;

    fn words(changes: &[Change]) -> Vec<String> {
        let word = |change: &Change| {
            let state = if change.gone { "gone".to_owned() } else { change.agent.state.to_string() };
            format!("{} {state}", change.agent.pane_id)
        };
        changes.iter().map(word).collect()
    }

    #[test]
    fn each_is_told_of_first_and_then_those_that_changed_appeared_or_are_gone() {
        let mut list = List::default();
        let mut agents: Agents = (1..=3).map(|pane| test_agent(pane, AgentState::Working)).collect();
        assert_eq!(words(&list.take(&agents, &[])), ["%1 working", "%2 working", "%3 working"]);
        assert_eq!(list.take(&agents, &[]), []);
        agents[1].cpu_percent = Some(99.0);
        assert_eq!(list.take(&agents, &[]), [], "figures alone");
        agents[1].state = AgentState::Waiting;
        agents.retain(|agent| agent.pane_id.0 != 1);
        agents.push(test_agent(4, AgentState::Idle));
        let changes = list.take(&agents, &[]);
        assert_eq!(words(&changes), ["%2 waiting", "%4 idle", "%1 gone"]);
        assert_eq!(changes[0].agent.cpu_percent, Some(99.0), "with its figures as they are");
        assert_eq!(words(&list.take(&Agents::new(), &[])), ["%2 gone", "%3 gone", "%4 gone"]);
    }

    #[test]
    fn of_those_that_are_wanted_it_is_told_too_that_they_are_not_any_more() {
        let wanted = [Wanted::State(AgentState::Waiting)];
        let mut list = List::default();
        let mut agents: Agents = (1..=2).map(|pane| test_agent(pane, AgentState::Working)).collect();
        assert_eq!(list.take(&agents, &wanted), []);
        agents[0].state = AgentState::Waiting;
        assert_eq!(words(&list.take(&agents, &wanted)), ["%1 waiting"]);
        agents[0].state = AgentState::Idle;
        agents[1].state = AgentState::Idle;
        assert_eq!(words(&list.take(&agents, &wanted)), ["%1 idle"]);
        assert_eq!(list.take(&Agents::new(), &wanted), [], "nobody knew of them");
    }

    #[tokio::test(start_paused = true)]
    async fn the_server_is_told_of_when_it_is_another_and_now_and_then() {
        let (mut list, second) = (List::default(), Duration::from_secs(1));
        let server = ServerInfo::default();
        assert!(list.is_server_due(&server, Some(second)));
        assert!(!list.is_server_due(&server, Some(second)));
        tokio::time::advance(second).await;
        assert!(!list.is_server_due(&server, None), "not to people");
        assert!(list.is_server_due(&server, Some(second)) && !list.is_server_due(&server, Some(second)));
        let lost = ServerInfo { status: ServerStatus::Unreachable, ..server };
        assert!(list.is_server_due(&lost, None) && !list.is_server_due(&lost, None));
    }
}
