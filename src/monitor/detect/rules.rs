//! Tries a profile's rules on a screen, in order, and keeps what each one saw.

use std::ops::Range;

use serde::Serialize;

use crate::monitor::detect::pattern::Pattern;
use crate::monitor::detect::profile::{Look, Says, When};
use crate::monitor::detect::profiles::{CompiledRule, CompiledWhen, Profile, Where};
use crate::monitor::detect::view::View;

/// A rule that holds, and the line it holds for.
#[derive(Clone, Copy)]
pub(super) struct Hit<'a> {
    pub rule: &'a CompiledRule,
    pub says: Says,
    pub line: &'a str,
}

/// What one rule saw, for `why`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Step {
    /// Rule.
    pub rule: String,
    /// State it would give.
    pub says: String,
    /// Region it looked at, with its rows counted from 1.
    pub region: String,
    /// The line it matched, or the last line it looked at.
    pub line: String,
    /// It held.
    pub held: bool,
    /// Why it held or not, in words.
    pub outcome: String,
    /// Versions in which it was seen; empty: in all that were looked at.
    pub seen: Vec<String>,
}

/// Tries the rules in order up to the first that holds. `steps` gets what each one saw.
pub(super) fn first_hit<'a>(
    profile: &'a Profile,
    view: &View<'a>,
    mut steps: Option<&mut Vec<Step>>,
) -> Option<Hit<'a>> {
    for rule in &profile.rules {
        let seen = try_rule(rule, view);
        if let Some(steps) = steps.as_deref_mut() {
            steps.push(step(profile, rule, view, &seen));
        }
        if let Ok(line) = seen {
            return Some(Hit { rule, says: rule.rule.state, line });
        }
    }
    None
}

/// The line for which a rule holds, or why it does not.
fn try_rule<'a>(rule: &CompiledRule, view: &View<'a>) -> Result<&'a str, Miss> {
    fields(&rule.rule.when, view)?;
    places(&rule.when, view)?;
    let mut line = None;
    for (place, look) in &rule.looks {
        let found = try_look(*place, look, view)?;
        line = line.or(Some(found));
    }
    Ok(line.unwrap_or_default())
}

fn try_look<'a>(place: Where, look: &Look, view: &View<'a>) -> Result<&'a str, Miss> {
    if place == Where::Title {
        let title = view.pane.title.as_str();
        if let Some(miss) = look.line.iter().find(|p| !p.matches(title)) {
            return Err(Miss::Line(miss.as_str().to_owned()));
        }
        return match look.not.iter().any(|p| p.matches(title)) {
            true => Err(Miss::Not(title.to_owned())),
            false => Ok(title),
        };
    }
    let range = view.region(place).ok_or(Miss::NoRegion)?;
    let rows = view.rows(range.clone());
    let row = |row: usize| rows[row - range.start];
    let filled = |at: &usize| !row(*at).is_empty();
    let mut line = None;
    if let Some(last) = &look.last {
        line = Some(edge(view, range.clone().rev().find(filled), last)?);
    }
    if let Some(first) = &look.first {
        let found = edge(view, range.clone().find(filled), first)?;
        line = line.or(Some(found));
    }
    for pattern in &look.line {
        let found = range.clone().rev().find(|at| view.fits(*at, pattern));
        let found = found.ok_or_else(|| Miss::Line(pattern.as_str().to_owned()))?;
        line = line.or(Some(row(found)));
    }
    if let Some(begins) = look.says.first() {
        let text = view.text(place).ok_or(Miss::NoRegion)?;
        if let Some(phrase) = look.says.iter().find(|phrase| !text.says(phrase)) {
            return Err(Miss::Phrase(phrase.text.clone()));
        }
        line = line.or_else(|| text.row_of(begins).map(|at| rows[at]).or(rows.last().copied()));
    }
    for pattern in &look.not {
        if let Some(found) = range.clone().find(|at| view.fits(*at, pattern)) {
            return Err(Miss::Not(row(found).to_owned()));
        }
    }
    Ok(line.or_else(|| range.clone().rev().find(filled).map(row)).unwrap_or_default())
}

/// Why a rule did not hold.
enum Miss {
    Field(&'static str),
    Region(bool),
    NoRegion,
    Line(String),
    Phrase(String),
    Not(String),
}

/// The row at an edge of a region, blank ones apart, when it fits. A region without one has an empty row there.
fn edge<'a>(view: &View<'a>, row: Option<usize>, pattern: &Pattern) -> Result<&'a str, Miss> {
    let fits = row.map_or_else(|| pattern.matches(""), |row| view.fits(row, pattern));
    let miss = || Miss::Line(pattern.as_str().to_owned());
    fits.then(|| row.map_or("", |row| view.row(row))).ok_or_else(miss)
}

fn fields(when: &When, view: &View<'_>) -> Result<(), Miss> {
    let pane = view.pane;
    if when.cursor.is_some_and(|shown| shown != pane.cursor_shown) {
        return Err(Miss::Field(if pane.cursor_shown { "the cursor is shown" } else { "the cursor is hidden" }));
    }
    if when.alternate.is_some_and(|on| on != pane.alternate_on) {
        return Err(Miss::Field(if pane.alternate_on {
            "the alternate screen is in use"
        } else {
            "the alternate screen is not in use"
        }));
    }
    if when.title.as_ref().is_some_and(|p| !p.matches(&pane.title)) {
        return Err(Miss::Field("the title does not match"));
    }
    if when.not_title.as_ref().is_some_and(|p| p.matches(&pane.title)) {
        return Err(Miss::Field("the title says otherwise"));
    }
    Ok(())
}

fn places(when: &CompiledWhen, view: &View<'_>) -> Result<(), Miss> {
    for (place, there) in &when.regions {
        if view.region(*place).is_some() != *there {
            return Err(Miss::Region(*there));
        }
    }
    if let Some(place) = when.cursor_in
        && !view.region(place).is_some_and(|range| range.contains(&view.cursor_row()))
    {
        return Err(Miss::Field("the cursor is elsewhere"));
    }
    Ok(())
}

/// Whether a condition on the pane and on the regions holds.
pub(super) fn holds(when: &When, compiled: &CompiledWhen, view: &View<'_>) -> bool {
    fields(when, view).is_ok() && places(compiled, view).is_ok()
}

fn step(profile: &Profile, rule: &CompiledRule, view: &View<'_>, seen: &Result<&str, Miss>) -> Step {
    let range = view.region(rule.place);
    let region = region_words(profile, rule.place, range.as_ref());
    let last = || match (rule.place, range.clone()) {
        (Where::Title, _) => view.pane.title.clone(),
        (_, Some(range)) => {
            view.rows(range).iter().rev().find(|r| !r.is_empty()).map_or_else(String::new, |r| (*r).to_owned())
        }
        _ => String::new(),
    };
    let (line, outcome) = match seen {
        Ok(line) => ((*line).to_owned(), "holds".to_owned()),
        Err(Miss::Field(fact)) => (String::new(), format!("no: {fact}")),
        Err(Miss::Region(true)) => (String::new(), "no: a region it needs is not on the screen".to_owned()),
        Err(Miss::Region(false)) => (String::new(), "no: a region is on the screen that must not be".to_owned()),
        Err(Miss::NoRegion) => (String::new(), "no: its region is not on the screen".to_owned()),
        Err(Miss::Line(pattern)) => (last(), format!("no: nothing matches `{pattern}`")),
        Err(Miss::Phrase(phrase)) => (last(), format!("no: `{phrase}` is not there")),
        Err(Miss::Not(row)) => (row.clone(), "no: this line speaks against it".to_owned()),
    };
    let says = match rule.rule.state {
        Says::Keep => "keep".to_owned(),
        Says::State(state) => match &rule.rule.kind {
            Some(kind) => format!("{state} ({kind})"),
            None => state.to_string(),
        },
    };
    Step {
        rule: rule.id.clone(),
        says,
        region,
        line: line.trim().to_owned(),
        held: seen.is_ok(),
        outcome,
        seen: rule.rule.seen.clone(),
    }
}

/// A region and its rows in words.
pub(super) fn region_words(profile: &Profile, place: Where, range: Option<&Range<usize>>) -> String {
    let name = match place {
        Where::Screen => "screen",
        Where::Title => return "title".to_owned(),
        Where::Region(index) => &profile.regions[index].name,
    };
    match range {
        None => format!("{name} (not on the screen)"),
        Some(range) if range.is_empty() => format!("{name} (empty)"),
        Some(range) if range.len() == 1 => format!("{name} (row {})", range.end),
        Some(range) => format!("{name} (rows {} to {})", range.start + 1, range.end),
    }
}
