//! `agents profiles`: the programs that are known, and saved screens judged by their profiles.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use jiff::Timestamp;
use serde::Serialize;
use serde_json::json;

use crate::app::cli::{Context, Cut, Failure, Look, cell, source};
use crate::monitor::Agent;
use crate::monitor::detect::{Profile, Step, explain, fixture::Fixture, judge};
use crate::monitor::facts::profiles;

/// Largest file of saved screens that is read, bytes.
const MOST: u64 = 64 * 1024 * 1024;

/// What gives way in a narrow terminal, in this order.
const CUTS: [Cut; 8] = {
    let [program, checked, reads, kinds, answers, interrupt, from] = [1, 2, 3, 4, 5, 6, 7];
    [
        Cut::To(kinds, 24),
        Cut::To(checked, 16),
        Cut::To(program, 12),
        Cut::Out(kinds),
        Cut::Out(interrupt),
        Cut::Out(answers),
        Cut::Out(reads),
        Cut::To(from, 8),
    ]
};

/// Most rules that are named for one screen.
const MOST_TRIED: usize = 12;

/// A saved screen that is not judged as its label says.
#[derive(Serialize)]
struct Wrong {
    file: PathBuf,
    name: String,
    /// What it was judged as, and what its label is.
    fault: String,
    /// The rules for the state of its label that were tried, and why each did not hold.
    tried: Vec<Step>,
}

/// Whether the verdict would have been right, had this rule held.
fn would_be_right(step: &Step, fixture: &Fixture) -> bool {
    let kind = fixture.kind.as_deref().map_or(String::new(), |kind| format!(" ({kind})"));
    !step.held && fixture.states.iter().any(|state| step.says.starts_with(&format!("{state}{kind}")))
}

/// Judges the saved screens of a folder or a file, and names each that is wrong. Exit code 1 when one is.
pub fn test(place: &Path, as_json: bool, context: &mut Context) -> Result<(), Failure> {
    let profiles = profiles::load(Some(&context.paths.agents())).map_err(|error| Failure::usage(error.to_string()))?;
    let now = Timestamp::now();
    let (mut screens, mut wrong) = (0_usize, Vec::new());
    for file in files(place)? {
        let shown = file.display();
        let failed = |why: String| Failure::usage(format!("{shown}: {why}"));
        let size = fs::metadata(&file).map_err(|error| failed(error.to_string()))?.len();
        if size > MOST {
            return Err(failed(format!("{size} bytes are too many; saved screens have at most {MOST}")));
        }
        let text = fs::read_to_string(&file).map_err(|error| failed(error.to_string()))?;
        for fixture in Fixture::parse_all(&text).map_err(failed)? {
            screens += 1;
            let screen = fixture.screen();
            let seen = fixture.observation(&screen, now);
            if let Some(fault) = fixture.fault(judge(&profiles, &seen).as_ref()) {
                let tried = explain(&profiles, &seen).steps;
                let tried = tried.into_iter().filter(|step| would_be_right(step, &fixture)).collect();
                wrong.push(Wrong { file: file.clone(), name: fixture.name, fault, tried });
            }
        }
    }
    if screens == 0 {
        return Err(Failure::usage(format!(
            "{}: no saved screen is in it; `tmux-orc why TARGET --save FILE` saves one",
            place.display()
        )));
    }
    if as_json {
        context.out.json(&json!({ "schema": crate::monitor::SCHEMA, "screens": screens, "wrong": wrong }))?;
    } else {
        for Wrong { file, name, fault, tried } in &wrong {
            context.out.line(cell(&format!("{} {name}: {fault}", file.display()), 400))?;
            for step in tried.iter().take(MOST_TRIED) {
                context.out.line(cell(&format!("    {} in {}: {}", step.rule, step.region, step.outcome), 400))?;
            }
        }
        context.out.line(format!("{} of {screens} screens are judged as their labels say", screens - wrong.len()))?;
    }
    if wrong.is_empty() { Ok(()) } else { Err(Failure::check()) }
}

/// The files of a folder by name, without its subfolders; a file is itself.
fn files(place: &Path) -> Result<Vec<PathBuf>, Failure> {
    let failed = |error: io::Error| Failure::usage(format!("{}: {error}", place.display()));
    if !fs::metadata(place).map_err(failed)?.is_dir() {
        return Ok(vec![place.to_owned()]);
    }
    let mut files = Vec::new();
    for entry in fs::read_dir(place).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.extension().is_some_and(|ending| ending == "txt") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// Agents that run in a newer version than their profile was checked against.
fn newer<'a>(
    agents: impl IntoIterator<Item = &'a Agent>,
    profile: &'a Profile,
) -> impl Iterator<Item = (&'a Agent, &'a str, &'a str)> {
    agents.into_iter().filter(|agent| agent.agent == profile.name).filter_map(|agent| {
        let version = agent.version.as_deref()?;
        Some((agent, version, profile.newest_before(version)?))
    })
}

/// The programs that are known, where each profile comes from, and which agents are newer than it.
pub async fn list(as_json: bool, context: &mut Context) -> Result<(), Failure> {
    let profiles = profiles::load(Some(&context.paths.agents())).map_err(|error| Failure::usage(error.to_string()))?;
    // The list is about programs: it is as good where no server runs.
    let seen = source::from_engine_or_now(context).await.ok();
    let agents = seen.as_ref().map(|snapshot| &snapshot.agents);
    if as_json {
        let list: Vec<_> = profiles
            .list()
            .map(|profile| {
                json!({
                    "name": profile.name,
                    "title": profile.title,
                    "origin": profile.origin,
                    "verified": profile.verified,
                    "versions": profile.versions,
                    "note": profile.note,
                    "kinds": profile.kinds(),
                    "sources": profile.sources(),
                    "newer": agents.map(|agents| newer(agents, profile).map(|(agent, version, _)| json!({
                        "pane_id": agent.pane_id,
                        "target": agent.target,
                        "version": version,
                    })).collect::<Vec<_>>()),
                    "keys": {
                        "interrupt": profile.keys.interrupt(),
                        "submit": profile.keys.submit(),
                        "newline": profile.keys.newline(),
                        "answers": profile.answered_kinds(),
                    },
                })
            })
            .collect();
        return context.out.json(&json!({ "schema": crate::monitor::SCHEMA, "profiles": list }));
    }
    let title = |text: &str| (Look::Title, text.to_owned());
    let mut rows = vec![
        ["NAME", "PROGRAM", "CHECKED AGAINST", "READS", "KINDS", "ANSWERS", "INTERRUPT", "FROM"]
            .into_iter()
            .map(title)
            .collect::<Vec<_>>(),
    ];
    for profile in profiles.list() {
        // The newest is what the reader looks for first.
        let newest_first = || profile.versions.iter().rev().map(String::as_str).collect::<Vec<_>>().join(", ");
        let checked = if profile.verified { newest_first() } else { "not run here".to_owned() };
        let (reads, kinds) = (profile.sources().join(", "), profile.kinds().join(", "));
        let (answers, interrupt) = (profile.answered_kinds().join(", "), profile.keys.interrupt().join(" "));
        let cells = [&profile.name, &profile.title, &checked, &reads, &kinds, &answers, &interrupt, &profile.origin];
        rows.push(cells.into_iter().map(|text| (Look::Plain, cell(text, 80))).collect());
    }
    context.out.table_cut(&rows, &CUTS)?;
    let running: Vec<_> = profiles.list().flat_map(|profile| newer(agents.into_iter().flatten(), profile)).collect();
    let Some((first, ..)) = running.first() else { return Ok(()) };
    let save = first.pane_id;
    context.out.line("")?;
    for (agent, version, newest) in running {
        let (target, program) = (cell(&agent.target, 40), cell(&agent.agent, 20));
        let line = format!("{target} runs {program} {}, newer than {newest}, the newest checked", cell(version, 20));
        context.out.line(context.out.paint(Look::Warn, &line))?;
    }
    context.out.line(format!(
        "If one is judged wrong: `tmux-orc why {save} --save FILE` saves its screen for a report, keys and tokens masked"
    ))
}
