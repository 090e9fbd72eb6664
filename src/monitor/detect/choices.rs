//! The answers that a prompt offers, and the keys that pick them.

use crate::monitor::Choice;
use crate::monitor::detect::keys::KeyName;
use crate::monitor::detect::profiles::{CompiledRule, Profile, Where};
use crate::monitor::detect::rules::Hit;
use crate::monitor::detect::values::{Answers, MarkedBy, Press, names_rule};
use crate::monitor::detect::view::View;

/// An answer as it stands on the screen.
struct Found {
    label: String,
    number: Option<String>,
    key: Option<String>,
    marked: bool,
    /// Row of the screen, and the label's place in it in characters.
    at: (usize, usize),
}

/// The answers that the prompt of `hit` offers.
pub(super) fn choices(profile: &Profile, view: &View<'_>, hit: &Hit<'_>) -> Vec<Choice> {
    for (place, answers) in fitting(profile, hit.rule) {
        let found = view.region(place).map(|range| find(answers, view, range)).unwrap_or_default();
        if !found.is_empty() {
            return with_keys(answers, view, found);
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

/// The ways in which answers are read for the prompts of a rule, and where they stand.
pub(super) fn fitting<'p>(
    profile: &'p Profile,
    rule: &'p CompiledRule,
) -> impl Iterator<Item = (Where, &'p Answers)> + 'p {
    let place = |answers: &Answers, place: Where| if answers.region.is_some() { place } else { rule.place };
    profile.answers.iter().filter(|(_, a)| names_rule(&a.rules, &rule.rule.id)).map(move |(at, a)| (place(a, *at), a))
}

fn find(answers: &Answers, view: &View<'_>, range: std::ops::Range<usize>) -> Vec<Found> {
    let Some(pattern) = &answers.option else { return Vec::new() };
    let Some(option) = pattern.regex() else { return Vec::new() };
    let mut found = Vec::new();
    // Groups are expensive to find: most rows have none.
    for row in range.filter(|row| view.fits(*row, pattern)) {
        let text = pattern.shortened(view.row(row));
        for c in option.captures_iter(&text) {
            let group = |name: &str| c.name(name).map(|m| m.as_str().trim()).filter(|t| !t.is_empty());
            let (Some(label), Some(at)) = (group("label"), c.name("label")) else { continue };
            found.push(Found {
                label: label.to_owned(),
                number: group("number").map(str::to_owned),
                key: group("key").and_then(key_name),
                marked: group("mark").is_some(),
                at: (row, text[..at.start()].chars().count()),
            });
        }
    }
    found
}

/// The key that a screen names, by tmux's name.
fn key_name(shown: &str) -> Option<String> {
    let name = if shown.eq_ignore_ascii_case("esc") { "Escape" } else { shown };
    KeyName::new(name).ok().map(|key| key.as_str().to_owned())
}

fn with_keys(answers: &Answers, view: &View<'_>, mut found: Vec<Found>) -> Vec<Choice> {
    // Keys that walk start from the marked answer. One that is marked by its colour is known only from a screen that
    // was read with its colours, as acting does; until then the first one is taken for it.
    let mut known = true;
    if answers.marked_by == MarkedBy::Colour {
        let labels: Vec<(usize, usize)> = found.iter().map(|one| one.at).collect();
        let marked = match view.backgrounds() {
            Some(backgrounds) => backgrounds.marked(&labels),
            None => Some(0),
        };
        known = marked.is_some();
        for (index, one) in found.iter_mut().enumerate() {
            one.marked = Some(index) == marked;
        }
    }
    let start = found.iter().position(|one| one.marked).unwrap_or(0);
    let choice = |(index, one): (usize, Found)| {
        let keys = match one.key {
            Some(key) => vec![key],
            None if !known => Vec::new(),
            None => keys(answers.press, index, start, one.number),
        };
        Choice { label: one.label, keys, selected: one.marked }
    };
    found.into_iter().enumerate().map(choice).collect()
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
