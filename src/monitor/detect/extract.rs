//! Values read from a screen once its state is known: what it does, how much context is left, what can be answered.

use jiff::{Timestamp, tz::TimeZone};

use crate::monitor::detect::choices::choices;
use crate::monitor::detect::pattern::Pattern;
use crate::monitor::detect::profiles::{Profile, Where};
use crate::monitor::detect::rules::Hit;
use crate::monitor::detect::values::{Extract, What, names_rule};
use crate::monitor::detect::view::View;
use crate::monitor::detect::{Verdict, asks, reset};
use crate::monitor::{AgentState, Choice, above_answers};

/// Fills in what the profile can read for the verdict's state.
pub(super) fn fill(
    profile: &Profile,
    view: &View<'_>,
    hit: Option<&Hit<'_>>,
    now: Timestamp,
    zone: Option<&TimeZone>,
    verdict: &mut Verdict,
) {
    let waits = verdict.state == AgentState::Waiting;
    if let Some(hit) = hit.filter(|_| waits) {
        verdict.choices = choices(profile, view, hit);
    }
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
            What::Deadline => verdict.deadline.is_some(),
            What::Model => verdict.model.is_some(),
            What::Tokens => verdict.tokens.is_some(),
            What::Version => verdict.version.is_some(),
            What::Background => verdict.background > 0,
        };
        if filled {
            continue;
        }
        let above = (waits && extract.what == What::Doing).then_some(&verdict.choices[..]);
        let Some(text) = read(view, *place, extract, above) else { continue };
        let text = text.trim();
        if text.is_empty() {
            continue;
        }
        match extract.what {
            What::Doing => verdict.doing = Some(text.to_owned()),
            What::ContextLeft => verdict.context_percent = percent(text),
            What::ContextUsed => verdict.context_percent = percent(text).map(|used| 100.0 - used),
            What::ResetAt => verdict.reset_at = reset::parse(text, now, zone),
            What::Deadline => verdict.deadline = reset::parse(text, now, zone),
            What::Model => verdict.model = Some(text.to_owned()),
            What::Tokens => verdict.tokens = Some(text.to_owned()),
            What::Version => verdict.version = Some(text.to_owned()),
            What::Background => verdict.background = text.parse().unwrap_or(1),
        }
    }
    if let Some(hit) = hit.filter(|_| waits) {
        // The end of a question alone says nothing.
        let whole = |line: &String| !line.ends_with('?') || line.contains([' ', '/']);
        let read = verdict.doing.take().filter(whole);
        let own = || asks::question(profile, view, hit.rule, &verdict.choices).filter(whole);
        let asks = read.or_else(own).or_else(|| asks::of_kind(verdict.kind.as_deref()).map(str::to_owned));
        verdict.doing = asks.filter(|asks| !asks.is_empty());
        verdict.asks = asks::asked(profile, view, hit.rule, &verdict.choices, verdict.doing.as_deref());
    }
    if verdict.doing.is_none() && verdict.state != AgentState::Idle {
        // A title is shown beside it anyway, and says nothing of what is asked.
        let line = hit.filter(|hit| hit.rule.place != Where::Title || verdict.state != AgentState::Waiting);
        verdict.doing = line.map(|hit| bare(hit.line).to_owned()).filter(|line| !line.is_empty());
    }
}

/// A row without the frame around it and the mark in front.
fn bare(row: &str) -> &str {
    asks::unframed(row).trim_start_matches(['❯', '›', '●', '>']).trim_start()
}

fn percent(text: &str) -> Option<f64> {
    text.parse().ok().filter(|p| (0.0..=100.0).contains(p))
}

fn read(view: &View<'_>, place: Where, extract: &Extract, waits: Option<&[Choice]>) -> Option<String> {
    if place == Where::Title {
        return group(&extract.line, &view.pane.title).map(str::to_owned);
    }
    let mut range = view.region(place)?;
    let all = view.rows(0..view.height());
    if let Some(choices) = waits {
        // What a prompt asks stands above its answers, which may be worded alike.
        range = above_answers(all, range, choices);
    }
    // Groups are expensive to find: they are asked for in the one row that counts.
    let fits = |row: &usize| view.fits(*row, &extract.line);
    let row = if extract.top { range.find(fits) } else { range.rev().find(fits) }?;
    let shortened = extract.line.shortened(all[row]);
    let text = group(&extract.line, &shortened)?;
    Some(match waits {
        Some(_) if extract.subject => asks::with_its_subject(all, row, text),
        Some(_) if extract.wraps => asks::with_its_end(all, row, text),
        Some(_) if text.ends_with('?') => asks::with_its_begin(all, row, text),
        Some(_) => asks::tidy(text),
        None => text.to_owned(),
    })
}

fn group<'a>(pattern: &Pattern, text: &'a str) -> Option<&'a str> {
    let found = pattern.regex()?.captures(text)?;
    found.get(1).or_else(|| found.get(0)).map(|m| m.as_str())
}
