//! Tells people how a verdict came about. It is made by the same code as the verdict.

use std::fmt;

use serde::Serialize;

use crate::monitor::detect::judge::{Trail, judge_with};
use crate::monitor::detect::{Observation, Process, Profiles, Step, Verdict};

/// How a verdict came about.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Explanation {
    /// The pane and its place.
    pub pane: String,
    /// The program and how it was recognised; `None` when no agent is in the pane.
    pub recognised: Option<String>,
    /// What the process tree said, one line a process.
    pub processes: Vec<String>,
    /// Title of the pane.
    pub title: String,
    /// The cursor, the alternate screen, the modes: in words.
    pub fields: Vec<String>,
    /// Parts that were found on the screen.
    pub regions: Vec<String>,
    /// Each rule that was tried, in order; the last one decided if it held.
    pub steps: Vec<Step>,
    /// What the program says of itself outside its screen.
    pub own_word: Vec<String>,
    /// Where two sources disagreed, and which decided.
    pub notes: Vec<String>,
    /// The verdict; `None` when no agent is in the pane.
    pub verdict: Option<Verdict>,
}

/// Explains the verdict that [`crate::monitor::detect::judge`] gives for the same observation.
#[must_use]
pub fn explain(profiles: &Profiles, seen: &Observation<'_>) -> Explanation {
    let mut trail = Trail::default();
    let verdict = judge_with(profiles, seen, Some(&mut trail));
    let pane = seen.pane;
    let mut fields = vec![
        format!("{} columns, {} rows", pane.width, pane.height),
        format!("cursor {}", if pane.cursor_shown { "shown" } else { "hidden" }),
        format!("alternate screen {}", if pane.alternate_on { "on" } else { "off" }),
    ];
    if pane.in_mode {
        fields.push("in a mode (copy, clock, ...)".to_owned());
    }
    if pane.dead {
        fields.push("dead".to_owned());
    }
    let mut own_word = Vec::new();
    if !pane.hook.is_empty() {
        own_word.push(format!("hook: {}", pane.hook));
    }
    if let Some(file) = seen.published {
        let what = file.detail.as_deref().map(|w| format!(", {w}")).unwrap_or_default();
        own_word.push(format!("session file: {}{what}", file.status));
    }
    let mut notes = trail.notes;
    notes.extend(verdict.as_ref().and_then(|verdict| newer(profiles, verdict)));
    Explanation {
        pane: format!("{} {}", pane.id, pane.target()),
        recognised: trail.recognised.as_ref().map(|r| format!("{} by {}", r.agent, r.by)),
        processes: seen.processes.iter().map(process).collect(),
        title: pane.title.clone(),
        fields,
        regions: trail.regions,
        steps: trail.steps,
        own_word,
        notes,
        verdict,
    }
}

/// That the program is newer than what its rules were made from: then a wrong verdict is no wonder, and worth a report.
fn newer(profiles: &Profiles, verdict: &Verdict) -> Option<String> {
    let (profile, version) = (profiles.get(&verdict.agent)?, verdict.version.as_deref()?);
    let newest = profile.newest_before(version)?;
    Some(format!(
        "version {version} is newer than {newest}, the newest that the profile was checked against; \
         if this is wrong, `tmux-orc why TARGET --save FILE` saves the screen for a report"
    ))
}

fn process(process: &Process) -> String {
    let mut marks = Vec::new();
    if process.foreground {
        marks.push("foreground");
    }
    if process.stopped {
        marks.push("stopped");
    }
    if process.zombie {
        marks.push("ended");
    }
    let marks = if marks.is_empty() { String::new() } else { format!(" [{}]", marks.join(", ")) };
    let args: String = process.args.join(" ").chars().take(120).collect();
    format!("{}{} {}: {args}{marks}", "  ".repeat(usize::from(process.depth)), process.pid, process.comm)
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "Pane {}", self.pane)?;
        match (&self.verdict, &self.recognised) {
            (Some(verdict), _) => {
                let kind = verdict.kind.as_deref().map(|k| format!(" ({k})")).unwrap_or_default();
                writeln!(f, "{} is {}{kind}", verdict.agent, verdict.state)?;
                writeln!(f, "  decided by   {}, from the {}", verdict.evidence.rule, source(verdict))?;
                if !verdict.evidence.line.is_empty() {
                    writeln!(f, "  on the line  {}", verdict.evidence.line)?;
                }
                writeln!(f, "  recognised   by {}", verdict.recognised_by)?;
            }
            (None, _) => writeln!(f, "No agent: no process under the pane is a known program.")?,
        }
        section(f, "Processes", &self.processes)?;
        writeln!(f, "\nTitle: {}", self.title)?;
        writeln!(f, "Fields: {}", self.fields.join(", "))?;
        section(f, "Its own word", &self.own_word)?;
        section(f, "Parts of the screen", &self.regions)?;
        if !self.steps.is_empty() {
            writeln!(f, "\nRules, in order")?;
        }
        for step in &self.steps {
            writeln!(f, "  {} {} -> {} in {}", if step.held { "✓" } else { "·" }, step.rule, step.says, step.region)?;
            if !step.line.is_empty() {
                writeln!(f, "      looked at: {}", step.line)?;
            }
            writeln!(f, "      {}", step.outcome)?;
        }
        section(f, "Notes", &self.notes)
    }
}

fn source(verdict: &Verdict) -> String {
    match &verdict.evidence.region {
        Some(region) if region != "title" => format!("{} ({region})", verdict.evidence.source),
        _ => match verdict.evidence.source {
            crate::monitor::Source::Kept => "state before".to_owned(),
            crate::monitor::Source::None => "lack of anything known".to_owned(),
            other => other.to_string(),
        },
    }
}

fn section(f: &mut fmt::Formatter<'_>, name: &str, lines: &[String]) -> fmt::Result {
    if lines.is_empty() {
        return Ok(());
    }
    writeln!(f, "\n{name}")?;
    lines.iter().try_for_each(|line| writeln!(f, "  {line}"))
}
