//! Values read from a screen once its state is known: what it does, how much context is left, what can be answered.

use jiff::{Timestamp, tz::TimeZone};

use crate::monitor::AgentState;
use crate::monitor::detect::choices::choices;
use crate::monitor::detect::profile::{Pattern, What, names_rule};
use crate::monitor::detect::profiles::{Profile, Where};
use crate::monitor::detect::rules::Hit;
use crate::monitor::detect::view::View;
use crate::monitor::detect::{Verdict, reset};

/// Fills in what the profile can read for the verdict's state.
pub(super) fn fill(
    profile: &Profile,
    view: &View<'_>,
    hit: Option<&Hit<'_>>,
    now: Timestamp,
    zone: Option<&TimeZone>,
    verdict: &mut Verdict,
) {
    for (place, extract) in &profile.extract {
        if !extract.states.is_empty() && !extract.states.contains(&verdict.state) {
            continue;
        }
        if !extract.rules.is_empty() && !hit.is_some_and(|hit| names_rule(&extract.rules, &hit.rule.rule.id)) {
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
            What::ResetAt => verdict.reset_at = reset::parse(text, now, zone),
            What::Model => verdict.model = Some(text.to_owned()),
            What::Tokens => verdict.tokens = Some(text.to_owned()),
            What::Version => verdict.version = Some(text.to_owned()),
            What::Background => verdict.background = text.parse().unwrap_or(1),
        }
    }
    if verdict.state == AgentState::Waiting
        && let Some(hit) = hit
    {
        verdict.choices = choices(profile, view, hit);
    }
    if verdict.doing.is_none()
        && verdict.state == AgentState::Waiting
        && let Some(hit) = hit
    {
        verdict.doing = question(view, hit).map(str::to_owned);
    }
    if verdict.doing.is_none() && verdict.state != AgentState::Idle {
        // A title is shown beside it anyway, and says nothing of what is asked.
        let line = hit.filter(|hit| hit.rule.place != Where::Title || verdict.state != AgentState::Waiting);
        verdict.doing = line.map(|hit| bare(hit.line).to_owned()).filter(|line| !line.is_empty());
    }
}

/// What a prompt asks: the lowest row that ends with a question mark above the line that matched, which may be an answer;
/// else the prompt's first words.
fn question<'a>(view: &View<'a>, hit: &Hit<'a>) -> Option<&'a str> {
    let rows = view.rows(view.region(hit.rule.place)?);
    let end = rows.iter().position(|row| *row == hit.line)?;
    let above = || rows[..end].iter().map(|row| bare(row)).filter(|row| row.chars().any(char::is_alphabetic));
    above().rev().find(|row| row.ends_with('?')).or_else(|| above().next())
}

/// A row without the frame around it and the mark in front.
fn bare(row: &str) -> &str {
    let frame = |c: char| c.is_whitespace() || ('\u{2500}'..='\u{259f}').contains(&c);
    row.trim_matches(frame).trim_start_matches(['❯', '›', '●', '>']).trim_start()
}

fn percent(text: &str) -> Option<f64> {
    text.parse().ok().filter(|p| (0.0..=100.0).contains(p))
}

fn read<'a>(view: &View<'a>, place: Where, extract: &crate::monitor::detect::profile::Extract) -> Option<&'a str> {
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
