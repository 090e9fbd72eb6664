//! The sync engine says the same of the same screens as the async one.

use std::{collections::BTreeMap, path::PathBuf, time::Instant};

use tmux_orc::app::demo::{Fleet, Plan};

use super::support::{PATIENCE, Program, Watched};

type States = BTreeMap<String, (String, String, String)>;

/// Pane to (program, state, kind), as one cycle of an engine sees them.
fn states(fleet: &Fleet, variables: &[(&str, &str)]) -> States {
    let program = fleet.orc(&["perf", "watch", "--once", "--json"]);
    let program = variables.iter().fold(program, |program, (name, value)| program.env(name, value));
    let snapshot = program.json();
    assert_eq!(snapshot["engine"]["mode"], if variables.is_empty() { "async" } else { "sync" });
    let word = |agent: &serde_json::Value, name: &str| agent[name].as_str().unwrap_or("-").to_owned();
    let state = |agent| (word(agent, "agent"), word(agent, "state"), word(agent, "kind"));
    let agents = snapshot["agents"].as_array().expect("a list");
    agents.iter().map(|agent| (word(agent, "pane_id"), state(agent))).collect()
}

#[test]
fn both_engines_see_the_same_states() {
    let plan = Plan { program: PathBuf::from(Program::PATH), hold: true, ..Plan::new(1) };
    let fleet = Fleet::start_plan(&plan).expect("a fleet");
    // The simulated programs come up one by one and then stay as they are.
    let begun = Instant::now();
    loop {
        let (before, sync, after) =
            (states(&fleet, &[]), states(&fleet, &[("TMUX_ORC_ASYNC_DISABLED", "1")]), states(&fleet, &[]));
        if before.len() > 20 && before == after && sync == after {
            break;
        }
        assert!(begun.elapsed() < PATIENCE * 2, "async {after:#?}\nsync {sync:#?}");
    }
}
