//! The lists `servers` and `hosts`: what is watched besides the usual server, here and elsewhere.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::app::core::nearest::nearest;
use crate::app::settings::check::{is_line, shown};
use crate::app::settings::problem::MOST;
use crate::app::settings::yaml::Step;
use crate::monitor::{Connector, HostConfig};

/// A host as the settings name it. Exactly one of `ssh` and `connect` is there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HostSettings {
    /// What people call it.
    pub name: String,
    /// A destination as ssh takes it.
    #[serde(default)]
    pub ssh: Option<String>,
    /// A program and its arguments that join standard input and output to a bridge there.
    #[serde(default)]
    pub connect: Option<Vec<String>>,
    /// Where tmux-orc is there, when it is in none of the usual places.
    #[serde(default)]
    pub program: Option<String>,
    /// Which tmux servers there: names, or `all`; none: the usual one.
    #[serde(default)]
    pub servers: Vec<String>,
    /// Nothing is ever typed into a pane there.
    #[serde(default)]
    pub read_only: bool,
}

impl HostSettings {
    /// The host as it is linked to.
    #[must_use]
    pub fn config(&self) -> HostConfig {
        let connector = match (&self.connect, &self.ssh) {
            (Some(words), _) => Connector::Command(words.clone()),
            // They were checked when they were read: one of the two is there.
            (None, destination) => Connector::Ssh {
                destination: destination.clone().unwrap_or_else(|| self.name.clone()),
                program: self.program.clone(),
            },
        };
        HostConfig { name: self.name.clone(), connector, servers: self.servers.clone(), read_only: self.read_only }
    }
}

/// Longest name of a host.
const LONGEST_NAME: usize = 32;

const NAMES: [&str; 6] = ["name", "ssh", "connect", "program", "servers", "read_only"];

type Inner = (Vec<Step>, String);

/// Whether a host may be called so: in `TARGET@HOST/SERVER` it must end at the slash, and no command takes it for an option.
#[must_use]
pub fn is_host_name(text: &str) -> bool {
    (1..=LONGEST_NAME).contains(&text.len())
        && !text.starts_with('-')
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
}

/// Whether this names a tmux server: a name, a path, or `all`.
#[must_use]
pub(super) fn is_server(value: &Value) -> bool {
    value.as_str().is_some_and(is_argument)
}

/// Text that no program takes for an option.
fn is_argument(text: &str) -> bool {
    !text.trim().is_empty() && !text.starts_with('-') && is_line(text)
}

/// All that is wrong with the list; `None`: it is no list.
pub(super) fn findings(value: &Value) -> Option<Vec<Inner>> {
    let list = value.as_array()?;
    let mut findings = Vec::new();
    for (index, entry) in list.iter().enumerate() {
        if findings.len() > MOST {
            break;
        }
        let at = Step::Index(index);
        let Some(map) = entry.as_object() else {
            findings.push((vec![at], format!("expected name and ssh or connect, found {}", shown(entry))));
            continue;
        };
        for (key, value) in map {
            if let Some(message) = wrong(key, value) {
                findings.push((vec![at.clone(), Step::Key(key.clone())], message));
            }
        }
        let has = |key: &str| map.contains_key(key);
        if !has("name") {
            findings.push((vec![at.clone()], "expected a name".to_owned()));
        }
        match (has("ssh"), has("connect")) {
            (false, false) => findings.push((vec![at], "expected ssh or connect: how it is reached".to_owned())),
            (true, true) => {
                findings.push((vec![at], "expected ssh or connect, found both: leave one out".to_owned()));
            }
            (false, true) if has("program") => {
                let message = "goes with ssh: the words of `connect` name the program already";
                findings.push((vec![at, Step::Key("program".to_owned())], message.to_owned()));
            }
            _ => {}
        }
    }
    let mut names = std::collections::BTreeMap::new();
    for (index, entry) in list.iter().enumerate() {
        let Some(name) = entry.get("name").and_then(Value::as_str) else { continue };
        if let Some(first) = names.insert(name, index).filter(|_| findings.len() <= MOST) {
            let message = format!("{name:?} is the name of entry {} too: each host has its own", first + 1);
            findings.push((vec![Step::Index(index), Step::Key("name".to_owned())], message));
        }
    }
    Some(findings)
}

fn wrong(key: &str, value: &Value) -> Option<String> {
    let expected = match key {
        "name" if value.as_str().is_some_and(is_host_name) => return None,
        "name" => {
            format!("a name of at most {LONGEST_NAME} letters, digits, '.', '_' and '-' that does not begin with '-'")
        }
        "ssh" if value.as_str().is_some_and(|text| is_argument(text) && !text.contains(char::is_whitespace)) => {
            return None;
        }
        "ssh" => "a destination as ssh takes it, such as box or me@box, that does not begin with '-'".to_owned(),
        "program" if value.as_str().is_some_and(is_argument) => return None,
        "program" => "the path of tmux-orc on that host".to_owned(),
        "connect" if is_command(value) => return None,
        "connect" => "a program and its arguments such as [docker, exec, -i, web, tmux-orc, bridge]".to_owned(),
        "servers" if value.as_array().is_some_and(|list| list.iter().all(is_server)) => return None,
        "servers" => "a list of tmux servers such as [default, work], or [all]".to_owned(),
        "read_only" if value.is_boolean() => return None,
        "read_only" => "true or false".to_owned(),
        _ => {
            let near = nearest(key, NAMES).map(|near| format!("; did you mean `{near}`?"));
            return Some(format!(
                "unknown here{}",
                near.unwrap_or_else(|| format!("; there are {}", NAMES.join(", ")))
            ));
        }
    };
    Some(format!("expected {expected}, found {}", shown(value)))
}

fn is_command(value: &Value) -> bool {
    let Some(words) = value.as_array() else { return false };
    words.first().and_then(Value::as_str).is_some_and(is_argument)
        && words.iter().all(|word| word.as_str().is_some_and(is_line))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn good_hosts_are_read_and_each_fault_is_told_of_at_its_place() {
        let good = json!([
            { "name": "box", "ssh": "box" },
            { "name": "g.p_u-1", "ssh": "me@gpu1", "program": "~/bin/tmux-orc", "servers": ["all"], "read_only": true },
            { "name": "web", "connect": ["docker", "exec", "-i", "web", "tmux-orc", "bridge"] },
        ]);
        assert_eq!(findings(&good), Some(Vec::new()));
        let hosts: Vec<HostSettings> = serde_json::from_value(good).unwrap();
        assert!(hosts[1].read_only && hosts[2].ssh.is_none() && hosts[0].servers.is_empty());
        for (bad, phrase) in [
            (json!([{ "ssh": "box" }]), "expected a name"),
            (json!([{ "name": "box" }]), "expected ssh or connect: how"),
            (json!([{ "name": "box", "ssh": "box", "connect": ["x"] }]), "found both"),
            (json!([{ "name": "-x", "ssh": "box" }]), "does not begin with '-', found \"-x\""),
            (json!([{ "name": "a/b", "ssh": "box" }]), "found \"a/b\""),
            (json!([{ "name": "a@b", "ssh": "box" }]), "found \"a@b\""),
            (json!([{ "name": "a".repeat(33), "ssh": "box" }]), "at most 32"),
            (json!([{ "name": "box", "ssh": "-oProxyCommand=x" }]), "that does not begin with '-'"),
            (json!([{ "name": "box", "ssh": "" }]), "a destination as ssh takes it"),
            (json!([{ "name": "box", "ssh": "a b" }]), "a destination as ssh takes it"),
            (json!([{ "name": "box", "connect": [] }]), "a program and its arguments"),
            (json!([{ "name": "box", "connect": ["-x"] }]), "a program and its arguments"),
            (json!([{ "name": "box", "connect": ["x"], "program": "y" }]), "goes with ssh"),
            (json!([{ "name": "box", "ssh": "box", "servers": ["-x"] }]), "a list of tmux servers"),
            (json!([{ "name": "box", "ssh": "box", "read_only": "yes" }]), "expected true or false"),
            (json!([{ "name": "box", "ssh": "box", "sever": [] }]), "did you mean `servers`?"),
            (json!([{ "name": "a", "ssh": "a" }, { "name": "a", "ssh": "b" }]), "is the name of entry 1 too"),
            (json!(["box"]), "expected name and ssh or connect"),
        ] {
            let found = findings(&bad).unwrap();
            assert!(found.len() == 1 && found[0].1.contains(phrase), "{bad}: {found:?}");
        }
        assert_eq!(findings(&json!("box")), None);
    }
}
