//! Hosts behind a host on the command line: waited for as long as they take and no longer, and named when they are lost.

use std::fs;

use serde_json::{Value, json};
use tmux_orc::monitor::Connector;

use crate::desk::Desk;
use crate::place::Place;
use crate::stage::ASKS;

fn words(place: &Place) -> Vec<String> {
    let Connector::Command(words) = place.config(&[]).connector else { unreachable!("by a program") };
    words
}

/// One that takes longer than anything that is there at once, and one that is off.
#[test]
fn one_that_is_slow_is_there_and_one_that_is_lost_is_named() {
    let (bastion, inner) = (Place::new(), Place::new());
    let _claude = inner.stage.agent("one", ASKS);
    let _own = bastion.stage.agent("own", ASKS);
    let mut slow = ["sh", "-c", "sleep 5; exec \"$@\"", "sh"].map(str::to_owned).to_vec();
    slow.extend(words(&inner));
    let off = ["sh", "-c", "echo 'ssh: connect to host off port 22: Connection timed out' >&2; exit 255"];
    let hosts = json!({ "hosts": [{ "name": "slow", "connect": slow }, { "name": "off", "connect": off }] });
    let orc = bastion.stage.server.home().join("orc");
    fs::create_dir_all(&orc).expect("a folder");
    fs::write(orc.join("config.yaml"), hosts.to_string()).expect("settings");
    let settings = json!({ "hosts": [{ "name": "bastion", "connect": words(&bastion) }] });
    let desk = Desk::new(&settings.to_string(), "");
    let (code, said) = desk.said(&["agents", "--host", "bastion", "--json"]);
    let json: Value = serde_json::from_str(&said).unwrap_or_else(|_| panic!("{said}"));
    let mut agents: Vec<&str> = json["agents"]
        .as_array()
        .expect("agents")
        .iter()
        .map(|agent| agent["server"].as_str().expect("a server"))
        .collect();
    agents.sort_unstable();
    assert_eq!(agents, ["s", "slow"], "{said}");
    let lost = &json["unreachable"];
    assert_eq!((lost.as_array().map(Vec::len), &lost[0]["server"]), (Some(1), &"off".into()), "{lost}");
    assert!(lost[0]["problem"].as_str().is_some_and(|why| why.contains("Connection timed out")), "{lost}");
    assert_eq!(code, 0);
    // In words, and with the exit code of somebody who needs all of them.
    let (code, said) = desk.said(&["agents", "--host", "bastion", "--strict"]);
    assert!(said.contains("bastion/off did not answer: ssh: connect to host off port 22"), "{said}");
    assert_eq!(code, 1);
    // One of them alone: the other is not waited for, and not told of.
    let (code, said) = desk.said(&["agents", "--host", "bastion/off"]);
    assert!(code == 3 && said.contains("bastion/off did not answer") && !said.contains("waiting"), "{said}");
    let (code, said) = desk.said(&["agents", "--host", "bastion/nothing"]);
    assert!(code == 3 && said.contains("it has no tmux server of this name"), "{said}");
}
