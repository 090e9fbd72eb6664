//! Which agent a person means: by pane id, place or name.

use crate::monitor::{Agent, Snapshot};
use crate::tmux::clean;
use crate::tmux::request::places;

/// Where a person says that an agent is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum At {
    /// On the tmux server that is meant anyway.
    Here,
    /// On another tmux server of this machine: the name of its socket.
    Server(String),
    /// On another host.
    Host {
        /// As the settings call it.
        host: String,
        /// One of its tmux servers; `None`: whichever it is.
        server: Option<String>,
    },
}

/// Takes `TARGET@HOST`, `TARGET@HOST/SERVER` and `TARGET@/SERVER` apart, as [`address`](super::fleet::address) writes them.
/// Names of sessions may hold `@`: what stands behind the last one counts only when it is a host of the settings or begins
/// with `/`.
#[must_use]
pub fn split(text: &str, is_host: impl Fn(&str) -> bool) -> (&str, At) {
    let here = (text, At::Here);
    let Some((target, place)) = text.rsplit_once('@').filter(|(target, _)| !target.is_empty()) else { return here };
    match place.split_once('/') {
        Some((_, "")) => here,
        Some(("", server)) => (target, At::Server(server.to_owned())),
        Some((host, server)) if is_host(host) => {
            (target, At::Host { host: host.to_owned(), server: Some(server.to_owned()) })
        }
        None if is_host(place) => (target, At::Host { host: place.to_owned(), server: None }),
        _ => here,
    }
}

/// No single agent is meant.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    /// None fits.
    #[error("no agent at '{target}'; {}", there_are(.there))]
    None {
        /// What was asked for.
        target: String,
        /// Places of the agents there are.
        there: Vec<String>,
    },
    /// Several fit.
    #[error("'{target}' could be {}: name one of them", .fit.join(", "))]
    Several {
        /// What was asked for.
        target: String,
        /// Places of those that fit.
        fit: Vec<String>,
    },
}

fn there_are(there: &[String]) -> String {
    match there.len() {
        0 => "no agent runs on this server".to_owned(),
        1..=12 => format!("there are {}", there.join(", ")),
        more => format!("there are {} and {} more", there[..12].join(", "), more - 12),
    }
}

/// Finds the agent that `target` names: `%12`, `session:window.pane`, `session:window` (by index or name), a session
/// or an agent's name. Exact ones win over those that fit several. An agent whose window stands in several sessions is
/// found at each.
pub fn find<'s>(snapshot: &'s Snapshot, target: &str) -> Result<&'s Agent, TargetError> {
    let exact = |agent: &&Agent| {
        agent.pane_id.to_string() == target
            || agent.target == target
            || agent.places.iter().any(|place| place == target)
    };
    if let Some(agent) = snapshot.agents.iter().find(exact) {
        return Ok(agent);
    }
    let ways: [fn(&Agent, &str) -> bool; 3] = [in_window, |agent, name| agent.name == name, in_session];
    for fits in ways {
        let found: Vec<&Agent> = snapshot.agents.iter().filter(|agent| fits(agent, target)).collect();
        match found[..] {
            [] => {}
            [agent] => return Ok(agent),
            [..] => {
                let fit = found.iter().map(|agent| clean(&agent.target)).collect();
                return Err(TargetError::Several { target: clean(target), fit });
            }
        }
    }
    let there = snapshot.agents.iter().map(|agent| clean(&agent.target)).collect();
    Err(TargetError::None { target: clean(target), there })
}

fn in_window(agent: &Agent, target: &str) -> bool {
    places::in_window(&all_places(agent), &agent.window, target)
}

fn in_session(agent: &Agent, target: &str) -> bool {
    places::in_session(&all_places(agent), target)
}

/// Its places; an engine of an earlier version tells one only.
fn all_places(agent: &Agent) -> Vec<&str> {
    std::iter::once(&agent.target).chain(&agent.places).map(String::as_str).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        app::core::fixture::{test_agent, test_snapshot},
        monitor::AgentState,
    };

    const HOSTS: [&str; 2] = ["box", "g.p_u-1"];

    fn place(text: &str) -> (&str, At) {
        split(text, |host| HOSTS.contains(&host))
    }

    #[test]
    fn where_a_person_says_an_agent_is_counts_when_it_can_be_a_place() {
        let host = |host: &str, server: Option<&str>| At::Host { host: host.into(), server: server.map(str::to_owned) };
        assert_eq!(place("api:2.0"), ("api:2.0", At::Here));
        assert_eq!(place("api:2.0@box"), ("api:2.0", host("box", None)));
        assert_eq!(place("%3@box/work"), ("%3", host("box", Some("work"))));
        assert_eq!(place("%3@/work"), ("%3", At::Server("work".into())));
        assert_eq!(place("a@b:1.0@g.p_u-1"), ("a@b:1.0", host("g.p_u-1", None)));
        // Sessions whose names hold the sign, and what is no whole place.
        for text in ["me@home", "me@home:1.0", "@box", "box@", "x@box/", "x@/", "x@other/work", "x@BOX", "x@box:1.0"] {
            assert_eq!(place(text), (text, At::Here));
        }
    }

    proptest::proptest! {
        /// What the dashboard and the lists print as an address leads back to it.
        #[test]
        fn an_address_is_read_as_it_is_written(
            target in "[a-z@/ .%-]{1,12}:[0-9]{1,3}\\.[0-9]",
            host in proptest::option::of(0..HOSTS.len()),
            server in "[a-z.][a-z0-9/.: -]{0,11}",
        ) {
            let mut agent = test_agent(1, AgentState::Idle);
            agent.target = target.clone();
            agent.host = host.map(|at| HOSTS[at].into());
            agent.server = server.as_str().into();
            let wanted = match (host, server.as_str()) {
                (None, "default") => At::Here,
                (None, _) => At::Server(server),
                (Some(at), name) => {
                    At::Host { host: HOSTS[at].into(), server: Some(name.to_owned()).filter(|name| name != "default") }
                }
            };
            let address = crate::app::core::fleet::address(&agent);
            proptest::prop_assert_eq!(place(&address), (target.as_str(), wanted));
        }

        /// Whatever is typed: nothing is lost, and only a known host is one.
        #[test]
        fn nothing_that_is_typed_is_lost(text in ".{0,30}|[a-z]{0,3}@(box|bog)?/?[a-z]{0,3}") {
            let (target, at) = place(&text);
            let again = match &at {
                At::Here => target.to_owned(),
                At::Server(server) => format!("{target}@/{server}"),
                At::Host { host, server: None } => format!("{target}@{host}"),
                At::Host { host, server: Some(server) } => format!("{target}@{host}/{server}"),
            };
            proptest::prop_assert_eq!(again, text.as_str());
            if let At::Host { host, .. } = at {
                proptest::prop_assert!(HOSTS.contains(&host.as_str()));
            }
        }
    }

    #[test]
    fn an_agent_is_found_at_each_of_its_places() {
        let mut agent = test_agent(3, AgentState::Idle);
        agent.target = "main:0.0".into();
        agent.places = vec!["main:0.0".into(), "view:4.0".into()];
        let mut other = test_agent(4, AgentState::Idle);
        other.target = "x:1.0".into();
        let snapshot = Snapshot { agents: vec![agent, other].into(), ..test_snapshot() };
        for target in ["%3", "main:0.0", "view:4.0", "main:0", "view:4", "view:w", "view", "view:", "main"] {
            assert_eq!(find(&snapshot, target).map(|agent| agent.pane_id.0), Ok(3), "{target}");
        }
        assert_eq!(find(&snapshot, "x").map(|agent| agent.pane_id.0), Ok(4));
        assert!(matches!(find(&snapshot, "w"), Err(TargetError::Several { fit, .. }) if fit == ["main:0.0", "x:1.0"]));
        assert!(matches!(find(&snapshot, "view:0.0"), Err(TargetError::None { .. })));
    }
}
