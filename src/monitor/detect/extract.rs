//! Values read from a screen once its state is known: what it does, how much context is left, what can be answered.

use jiff::Timestamp;

use super::profile::{Pattern, Press, What};
use super::profiles::{Profile, Where};
use super::rules::Hit;
use super::view::View;
use super::{Verdict, reset};
use crate::monitor::{Choice, State};

/// Fills in what the profile can read for the verdict's state.
pub(super) fn fill(profile: &Profile, view: &View<'_>, hit: Option<&Hit<'_>>, now: Timestamp, verdict: &mut Verdict) {
    for (place, extract) in &profile.extract {
        if !extract.states.is_empty() && !extract.states.contains(&verdict.state) {
            continue;
        }
        let filled = match extract.what {
            What::Doing => verdict.doing.is_some(),
            What::ContextLeft | What::ContextUsed => verdict.context_percent.is_some(),
            What::ResetAt => verdict.reset_at.is_some(),
            What::Model => verdict.model.is_some(),
            What::Tokens => verdict.tokens.is_some(),
            What::Version => verdict.version.is_some(),
            What::Background => verdict.background > 0,
        };
        if filled {
            continue;
        }
        let Some(text) = read(view, *place, extract) else { continue };
        let text = text.trim();
        if text.is_empty() {
            continue;
        }
        match extract.what {
            What::Doing => verdict.doing = Some(text.to_owned()),
            What::ContextLeft => verdict.context_percent = percent(text),
            What::ContextUsed => verdict.context_percent = percent(text).map(|used| 100.0 - used),
            What::ResetAt => verdict.reset_at = reset::parse(text, now),
            What::Model => verdict.model = Some(text.to_owned()),
            What::Tokens => verdict.tokens = Some(text.to_owned()),
            What::Version => verdict.version = Some(text.to_owned()),
            What::Background => verdict.background = text.parse().unwrap_or(1),
        }
    }
    if verdict.state == State::Waiting
        && let Some(hit) = hit
    {
        verdict.choices = choices(profile, view, hit);
    }
    if verdict.doing.is_none() && verdict.state != State::Idle {
        verdict.doing = hit.map(|hit| bare(hit.line).to_owned()).filter(|line| !line.is_empty());
    }
}

/// A row without the frame around it and the mark in front.
fn bare(row: &str) -> &str {
    let frame = |c: char| c.is_whitespace() || ('\u{2500}'..='\u{259f}').contains(&c);
    row.trim_matches(frame).trim_start_matches(['❯', '›', '●', '>']).trim_start()
}

fn percent(text: &str) -> Option<f64> {
    text.parse().ok().filter(|p| (0.0..=100.0).contains(p))
}

fn read<'a>(view: &View<'a>, place: Where, extract: &super::profile::Extract) -> Option<&'a str> {
    if place == Where::Title {
        return group(&extract.line, &view.pane.title);
    }
    let range = view.region(place)?;
    let rows = view.rows(range);
    if extract.top {
        rows.iter().find_map(|row| group(&extract.line, row))
    } else {
        rows.iter().rev().find_map(|row| group(&extract.line, row))
    }
}

fn group<'a>(pattern: &Pattern, text: &'a str) -> Option<&'a str> {
    let found = pattern.regex()?.captures(text)?;
    found.get(1).or_else(|| found.get(0)).map(|m| m.as_str())
}

/// The answers that the prompt of `hit` offers.
fn choices(profile: &Profile, view: &View<'_>, hit: &Hit<'_>) -> Vec<Choice> {
    let id = &hit.rule.rule.id;
    let fits = |rules: &[String]| {
        rules.iter().any(|rule| rule.strip_suffix('*').map_or(rule == id, |start| id.starts_with(start)))
    };
    for (place, answers) in profile.answers.iter().filter(|(_, a)| fits(&a.rules)) {
        let place = if answers.region.is_some() { *place } else { hit.rule.place };
        let mut found = Vec::new();
        if let (Some(option), Some(range)) = (&answers.option, view.region(place)) {
            for row in view.rows(range) {
                for c in option.regex().into_iter().flat_map(|regex| regex.captures_iter(row)) {
                    let text = |name: &str| c.name(name).map(|m| m.as_str().trim()).filter(|t| !t.is_empty());
                    let Some(label) = text("label") else { continue };
                    found.push((
                        label.to_owned(),
                        text("number").map(str::to_owned),
                        text("key").map(str::to_owned),
                        text("mark").is_some(),
                    ));
                }
            }
        }
        if !found.is_empty() {
            let start = found.iter().position(|(.., mark)| *mark).unwrap_or(0);
            return found
                .into_iter()
                .enumerate()
                .map(|(index, (label, number, key, selected))| Choice {
                    label,
                    keys: key.map_or_else(|| keys(answers.press, index, start, number), |key| vec![key]),
                    selected,
                })
                .collect();
        }
        if !answers.fixed.is_empty() {
            return answers
                .fixed
                .iter()
                .map(|f| {
                    let keys = f.keys.iter().map(|key| key.as_str().to_owned()).collect();
                    Choice { label: f.label.clone(), keys, selected: f.selected }
                })
                .collect();
        }
    }
    Vec::new()
}

fn keys(press: Press, index: usize, start: usize, number: Option<String>) -> Vec<String> {
    let walk = |back: &str, forth: &str| {
        let (key, times) = if index >= start { (forth, index - start) } else { (back, start - index) };
        let mut keys = vec![key.to_owned(); times];
        keys.push("Enter".to_owned());
        keys
    };
    match (press, number) {
        (Press::Number, Some(number)) => vec![number],
        (Press::NumberEnter, Some(number)) => vec![number, "Enter".to_owned()],
        (Press::Sideways, _) => walk("Left", "Right"),
        _ => walk("Up", "Down"),
    }
}
