//! A recorded screen with what must be said of it: what `why --save` writes and the table test reads.
//!
//! Plain text, several in one file. Each begins with `=== NAME`, has one `key: value` a line, and its rows after
//! `screen:`, each with a `|` in front:
//!
//! ```text
//! === perm-bash.100x30
//! expect: waiting permission
//! agent: claude
//! pane: command=claude size=100x30 cursor=hidden@1,24 alternate=on
//! title: ✳ Claude Code
//! process: 0 31694 S+ "claude" ["claude"]
//! screen:
//! | Do you want to proceed?
//! ```

use std::fmt::Write as _;

use jiff::Timestamp;

use crate::monitor::AgentState;
use crate::monitor::detect::{Observation, Process, Verdict};
use crate::tmux::{Pane, Screen, clean};

/// A recorded screen.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Fixture {
    /// Its name, unique within its file.
    pub name: String,
    /// States that are right (one of them).
    pub states: Vec<String>,
    /// Kind that is right; `None` for any.
    pub kind: Option<String>,
    /// The agent known to have run in the pane.
    pub agent: Option<String>,
    /// tmux's fields.
    pub pane: Pane,
    /// Processes under the pane.
    pub processes: Vec<Process>,
    /// The rows.
    pub rows: Vec<String>,
}

impl Fixture {
    /// A fixture of what was observed, secrets masked. `state` and `kind` are the label.
    #[must_use]
    pub fn record(name: &str, seen: &Observation<'_>, state: &str, kind: Option<&str>, agent: Option<&str>) -> Self {
        let rows = seen.screen.map(|s| s.rows().map(mask).collect()).unwrap_or_default();
        let mut pane = seen.pane.clone();
        pane.title = mask(&pane.title);
        let mut processes = seen.processes.to_vec();
        for process in &mut processes {
            process.args = process.args.iter().map(|arg| mask(arg)).collect();
        }
        Self {
            name: name.to_owned(),
            states: vec![state.to_owned()],
            kind: kind.map(str::to_owned),
            agent: agent.map(str::to_owned),
            pane,
            processes,
            rows,
        }
    }

    /// What a verdict is made from, as it was recorded. An agent is known to have run there only where it has ended.
    #[must_use]
    pub fn observation<'a>(&'a self, screen: &'a Screen, now: Timestamp) -> Observation<'a> {
        Observation {
            pane: &self.pane,
            screen: Some(screen),
            processes: &self.processes,
            published: None,
            known_agent: self.agent.as_deref().filter(|_| self.states.iter().any(|s| s == "exited")),
            named: None,
            previous: None,
            now,
            zone: None,
        }
    }

    /// What is wrong with a verdict for it, if anything. `absent` as its state: no agent may be found; `keep`: a menu
    /// or a viewer, which is taken for no request and no failure: what was before it holds, or the program is idle,
    /// working or unknown.
    #[must_use]
    pub fn fault(&self, verdict: Option<&Verdict>) -> Option<String> {
        let expected = format!("{} {}", self.states.join("|"), self.kind.as_deref().unwrap_or("*"));
        let absent = self.states.iter().any(|s| s == "absent");
        let Some(verdict) = verdict else {
            return (!absent).then(|| format!("no agent, expected {expected}"));
        };
        let state = verdict.state.to_string();
        let keeps = matches!(verdict.state, AgentState::Idle | AgentState::Working | AgentState::Unknown);
        let right = self.states.iter().any(|s| *s == state || (s == "keep" && keeps))
            && self.kind.as_deref().is_none_or(|kind| verdict.kind.as_deref() == Some(kind))
            // One that was saved before its program had a profile names none.
            && self.agent.as_deref().is_none_or(|agent| agent == verdict.agent);
        (!right).then(|| {
            let kind = verdict.kind.as_deref().unwrap_or("-");
            let why = match verdict.evidence.rule.as_str() {
                "none" => "no rule held".to_owned(),
                rule => format!("{rule}: {}", verdict.evidence.line),
            };
            format!("{} {state} {kind}, expected {expected} [{why}]", verdict.agent)
        })
    }

    /// The rows as a screen.
    #[must_use]
    pub fn screen(&self) -> Screen {
        let mut text = self.rows.join("\n");
        text.push('\n');
        // A screen has all its rows; blank ones at the end are not written down.
        let missing = usize::from(self.pane.height).saturating_sub(self.rows.len());
        text.extend(std::iter::repeat_n('\n', missing));
        Screen::plain(text.as_bytes())
    }

    /// The text form.
    #[must_use]
    pub fn text(&self) -> String {
        let mut out = format!("=== {}\n", self.name);
        let pane = &self.pane;
        // Writing to a String cannot fail.
        let _ = writeln!(out, "expect: {} {}", self.states.join("|"), self.kind.as_deref().unwrap_or("*"));
        if let Some(agent) = &self.agent {
            let _ = writeln!(out, "agent: {agent}");
        }
        let shown = if pane.cursor_shown { "shown" } else { "hidden" };
        let on = |on: bool| if on { "on" } else { "off" };
        let _ = write!(
            out,
            "pane: command={} size={}x{} cursor={shown}@{},{} alternate={}",
            pane.command.replace(' ', "_"),
            pane.width,
            pane.height,
            pane.cursor.0,
            pane.cursor.1,
            on(pane.alternate_on)
        );
        if pane.in_mode {
            out.push_str(" mode=on");
        }
        if pane.dead {
            out.push_str(" dead=on");
        }
        out.push('\n');
        for (key, value) in [("title", &pane.title), ("window", &pane.window), ("hook", &pane.hook)] {
            if !value.is_empty() {
                let _ = writeln!(out, "{key}: {}", clean(value));
            }
        }
        for p in &self.processes {
            let state = if p.zombie {
                "Z"
            } else if p.stopped {
                "T"
            } else {
                "S"
            };
            let front = if p.foreground {
                "+"
            } else if p.detached {
                "s"
            } else {
                ""
            };
            let comm = serde_json::Value::from(p.comm.as_str());
            let args = serde_json::Value::from(p.args.clone());
            let _ = writeln!(out, "process: {} {} {state}{front} {comm} {args}", p.depth, p.pid);
        }
        out.push_str("screen:\n");
        let filled = self.rows.iter().rposition(|row| !row.is_empty()).map_or(0, |last| last + 1);
        for row in &self.rows[..filled] {
            let _ = writeln!(out, "|{row}");
        }
        out
    }

    /// Reads every fixture of a file's text.
    ///
    /// # Errors
    /// The line (counted from 1) that is not of this form, and why.
    pub fn parse_all(text: &str) -> Result<Vec<Self>, String> {
        let mut all: Vec<Self> = Vec::new();
        for (index, line) in text.lines().enumerate() {
            let at = |reason: &str| format!("line {}: {reason}: {line}", index + 1);
            if let Some(name) = line.strip_prefix("=== ") {
                all.push(Self { name: name.to_owned(), ..Self::default() });
                continue;
            }
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let fixture = all.last_mut().ok_or_else(|| at("expected `=== NAME` first"))?;
            if let Some(row) = line.strip_prefix('|') {
                fixture.rows.push(row.to_owned());
                continue;
            }
            let (key, value) = line.split_once(':').ok_or_else(|| at("expected `key: value`"))?;
            fixture.take(key, value.trim()).ok_or_else(|| at("not understood"))?;
        }
        Ok(all)
    }

    fn take(&mut self, key: &str, value: &str) -> Option<()> {
        match key {
            "expect" => {
                let (states, kind) = value.split_once(' ').unwrap_or((value, "*"));
                self.states = states.split('|').map(str::to_owned).collect();
                self.kind = (kind != "*").then(|| kind.to_owned());
            }
            "agent" => self.agent = Some(value.to_owned()),
            "title" => self.pane.title = value.to_owned(),
            "window" => self.pane.window = value.to_owned(),
            "hook" => self.pane.hook = value.to_owned(),
            "pane" => {
                for word in value.split(' ') {
                    self.field(word)?;
                }
            }
            "process" => self.processes.push(process(value)?),
            "screen" => {}
            _ => return None,
        }
        Some(())
    }

    fn field(&mut self, word: &str) -> Option<()> {
        let (key, value) = word.split_once('=')?;
        let pane = &mut self.pane;
        match key {
            "command" => pane.command = value.to_owned(),
            "size" => {
                let (width, height) = value.split_once('x')?;
                (pane.width, pane.height) = (width.parse().ok()?, height.parse().ok()?);
            }
            "cursor" => {
                let (shown, at) = value.split_once('@')?;
                let (x, y) = at.split_once(',')?;
                pane.cursor_shown = shown == "shown";
                pane.cursor = (x.parse().ok()?, y.parse().ok()?);
            }
            "alternate" => pane.alternate_on = value == "on",
            "mode" => pane.in_mode = value == "on",
            "dead" => pane.dead = value == "on",
            _ => return None,
        }
        Some(())
    }
}

fn process(value: &str) -> Option<Process> {
    let mut words = value.splitn(4, ' ');
    let depth = words.next()?.parse().ok()?;
    let pid = words.next()?.parse().ok()?;
    let state = words.next()?;
    let mut json = serde_json::Deserializer::from_str(words.next()?).into_iter::<serde_json::Value>();
    let comm = json.next()?.ok()?.as_str()?.to_owned();
    let args: Vec<String> = serde_json::from_value(json.next()?.ok()?).ok()?;
    Some(Process {
        depth,
        pid,
        foreground: state.contains('+'),
        stopped: state.starts_with('T'),
        zombie: state.starts_with('Z'),
        detached: state.ends_with('s'),
        comm,
        args,
        ..Process::default()
    })
}

/// Replaces what looks like a key or a token by `*`, at the same width.
#[must_use]
pub fn mask(text: &str) -> String {
    use std::sync::LazyLock;
    static SECRET: LazyLock<Option<regex::Regex>> = LazyLock::new(|| {
        regex::Regex::new(
            r#"(?x)
            \b(?:sk|pk|rk|xai|gsk|hf|npm|glpat|xox[abposr]|gh[opusr]|github_pat|AIza|AKIA|ASIA|ya29)[-_.]?[A-Za-z0-9_\-.]{14,}
            | \beyJ[A-Za-z0-9_\-]{8,}\.[A-Za-z0-9_\-]{8,}(?:\.[A-Za-z0-9_\-]*)?
            | (?i:\b(?:api[_-]?key|token|secret|password|passwd|authorization|bearer)\b["']?\s*[:=]?\s*["']?)(?-i:[A-Za-z0-9_\-./+]{12,})
            | \b(?:[A-Fa-f0-9]{40,}|[A-Za-z0-9+/]{48,}={0,2})\b
            "#,
        )
        .ok()
    });
    match SECRET.as_ref() {
        Some(secret) => {
            secret.replace_all(text, |found: &regex::Captures<'_>| "*".repeat(found[0].chars().count())).into_owned()
        }
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        let text = "=== one.40x3\nexpect: waiting|idle permission\nagent: claude\npane: command=node size=40x3 cursor=shown@1,2 alternate=on mode=on\ntitle: a: b\nprocess: 0 7 S+ \"npm exec x\" [\"npm\",\"exec x\"]\nprocess: 1 8 Z \"git\" []\nscreen:\n|\n| Do you?\n";
        let all = Fixture::parse_all(text).unwrap();
        assert_eq!(all.len(), 1);
        assert_eq!(all[0].text(), text);
        assert_eq!(all[0].screen().height(), 3);
        assert_eq!(all[0].processes[0].args[1], "exec x");
        let verdict = |agent| {
            Verdict::blank(agent, "", None).say(
                AgentState::Waiting,
                Some("permission"),
                "",
                "",
                crate::monitor::Source::Screen,
            )
        };
        assert_eq!(all[0].fault(Some(&verdict("claude"))), None);
        assert!(all[0].fault(Some(&verdict("codex"))).is_some());
        let nameless = Fixture { agent: None, ..all[0].clone() };
        assert_eq!(nameless.fault(Some(&verdict("codex"))), None, "it was saved before there was a profile");
        assert!(Fixture::parse_all("|row").unwrap_err().starts_with("line 1"));
        assert!(Fixture::parse_all("=== a\npane: size=x").unwrap_err().starts_with("line 2"));
    }

    #[test]
    fn secrets_do_not_get_into_a_fixture() {
        let masked = mask("export KEY=sk-ant-REDACTED-REDACTED and ghp_0123456789abcdef0123");
        assert!(!masked.contains("REDACTED") && !masked.contains("0123456789"), "{masked}");
        assert!(mask("password: hunter2hunter2").ends_with('*'));
        let plain = "❯ 1. Yes, and don't ask again for touch /home/user/proj1/made-by-tool.txt";
        assert_eq!(mask(plain), plain);
    }
}
