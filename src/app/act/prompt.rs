//! Whether two looks at a pane show the same prompt.

use std::ops::Range;

use crate::app::act::Refusal;
use crate::app::act::tmux::Look;
use crate::app::core::act::Seen;
use crate::{
    monitor::{
        AgentState, Choice,
        detect::{Profiles, Request, request},
    },
    tmux::Screen,
};

/// What differs between the prompt that was seen and the pane as it is.
#[derive(Debug)]
pub(super) enum Differs {
    /// Something that makes the answer another one, in words.
    Certainly(String),
    /// Only what is read from outside the prompt's rows: a bullet that blinks there may hide it for a moment.
    Perhaps(String),
}

impl Differs {
    fn another() -> Self {
        Self::Certainly("its prompt has changed: look at it again".to_owned())
    }

    /// Nothing was sent, for this.
    pub fn refusal(self, name: &str) -> Refusal {
        let (Self::Certainly(what) | Self::Perhaps(what)) = self;
        Refusal(format!("{name}: nothing was sent, {what}"))
    }
}

/// The rows of the pane's screen that its prompt takes, when it is the prompt that was seen: the same program, answers,
/// question and evidence, and the same words in every row of the region in which the profile's rule holds, down to the
/// end of the screen. Where the region's first row cannot be told, the whole screen counts.
pub(super) fn same_prompt(profiles: &Profiles, look: &Look, seen: &Seen) -> Result<Range<usize>, Differs> {
    let certainly = |what: String| Err(Differs::Certainly(what));
    let Some(verdict) = &look.verdict else { return certainly("no agent runs in it any more".to_owned()) };
    if verdict.state != AgentState::Waiting {
        return certainly(format!("its prompt is gone: it is {} now", verdict.state));
    }
    look.same_agent(seen).map_err(Differs::Certainly)?;
    if seen.rows.is_empty() {
        return certainly("its request was not shown: open its answers again".to_owned());
    }
    // Their labels only: the mark that is seen is in the rows, and one told by colour does not matter.
    let labels = |choices: &[Choice]| choices.iter().map(|choice| choice.label.clone()).collect::<Vec<_>>();
    if labels(&verdict.choices) != labels(&seen.choices) {
        return Err(Differs::another());
    }
    let then = Screen::plain(seen.rows.join("\n").as_bytes());
    let find = |screen: &Screen| request(profiles, &verdict.agent, &verdict.evidence.rule, &look.pane, screen);
    let (before, now) = (find(&then), find(&look.screen));
    let (all_before, all_now) = (rows(&then), rows(&look.screen));
    let whole_is_same = same_rows(&all_before, &all_now, &seen.choices);
    let range = match (before, now) {
        (Some(Request { rows: before, edged: true }), Some(Request { rows: now, edged: true })) => {
            if !same_rows(&all_before[within(&before, &all_before)], &all_now[within(&now, &all_now)], &seen.choices) {
                return Err(Differs::another());
            }
            now
        }
        _ if whole_is_same => 0..all_now.len(),
        _ => return Err(Differs::another()),
    };
    // Where the whole screens are alike, what is read from them can differ by nothing but what blinks.
    if !whole_is_same && (verdict.doing != seen.doing || verdict.evidence.line != seen.line) {
        return Err(Differs::Perhaps("what it asks about has changed: look at it again".to_owned()));
    }
    Ok(within(&range, &all_now))
}

/// The rows that the prompt takes while keys walk over its answers: the same prompt as at an earlier look, but for the
/// rows of the answers, in which the mark moves. `None` when it is another one.
pub(super) fn same_walk(profiles: &Profiles, before: &Look, now: &Look, seen: &Seen) -> Option<Range<usize>> {
    now.same_agent(seen).ok()?;
    let labels = |look: &Look| {
        let verdict = look.verdict.as_ref().filter(|verdict| verdict.state == AgentState::Waiting)?;
        Some(verdict.choices.iter().map(|choice| choice.label.clone()).collect::<Vec<_>>())
    };
    let answer = |row: &&str| seen.choices.iter().any(|choice| !choice.label.is_empty() && row.contains(&choice.label));
    let (then, range) = (asked(profiles, before)?, asked(profiles, now)?);
    let rest = |look: &Look, range: Range<usize>| -> Vec<String> {
        let rows = rows(&look.screen);
        rows[within(&range, &rows)].iter().filter(|row| !answer(row)).map(|row| steady(row)).collect()
    };
    let same = labels(before)? == labels(now)? && rest(before, then) == rest(now, range.clone());
    same.then_some(range)
}

/// Whether two looks at a pane that asks show the same request.
pub(super) fn same_request(profiles: &Profiles, before: &Look, now: &Look, choices: &[Choice]) -> bool {
    let (Some(then), Some(range)) = (asked(profiles, before), asked(profiles, now)) else { return false };
    let (before, now) = (rows(&before.screen), rows(&now.screen));
    same_rows(&before[within(&then, &before)], &now[within(&range, &now)], choices)
}

/// The rows that a prompt takes; all where that cannot be told.
fn asked(profiles: &Profiles, look: &Look) -> Option<Range<usize>> {
    let verdict = look.verdict.as_ref()?;
    let found = request(profiles, &verdict.agent, &verdict.evidence.rule, &look.pane, &look.screen);
    Some(found.filter(|found| found.edged).map_or(0..rows(&look.screen).len(), |found| found.rows))
}

/// Whether rows hold the same words, but for a sign in front that blinks. The rows of answers are the same in every
/// sign: keys may start from the mark of the selected one.
pub(super) fn same_rows(before: &[&str], now: &[&str], choices: &[Choice]) -> bool {
    let answer = |row: &str| choices.iter().any(|choice| !choice.label.is_empty() && row.contains(&choice.label));
    before.len() == now.len()
        && before.iter().zip(now).all(|(a, b)| a == b || !answer(a) && !answer(b) && steady(a) == steady(b))
}

/// A screen's rows, without blank ones at its end.
pub(super) fn rows(screen: &Screen) -> Vec<&str> {
    let mut rows: Vec<&str> = screen.rows().collect();
    while rows.last().is_some_and(|row| row.trim().is_empty()) {
        rows.pop();
    }
    rows
}

fn within(range: &Range<usize>, rows: &[&str]) -> Range<usize> {
    range.start.min(rows.len())..range.end.min(rows.len())
}

/// Whether a row begins with a sign that blinks or spins.
pub(super) fn blinks(row: &str) -> bool {
    row.trim_start().starts_with(is_blinking)
}

/// A row without the sign in front that blinks, in its place.
fn steady(row: &str) -> String {
    let start = row.len() - row.trim_start().len();
    match row[start..].chars().next().filter(|c| is_blinking(*c)) {
        Some(sign) => format!("{} {}", &row[..start], &row[start + sign.len_utf8()..]).trim_end().to_owned(),
        None => row.to_owned(),
    }
}

fn is_blinking(c: char) -> bool {
    matches!(c, '●' | '⏺' | '○' | '◦' | '•' | '·' | '✢' | '✳' | '✶' | '✻' | '✽' | '\u{2800}'..='\u{28ff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn same(before: &str, now: &str) -> bool {
        let choice = |label: &str| Choice { label: label.into(), ..Choice::default() };
        let rows = |text: &'static str| text.lines().collect::<Vec<_>>();
        let leak = |text: &str| -> &'static str { Box::leak(text.to_owned().into_boxed_str()) };
        same_rows(&rows(leak(before)), &rows(leak(now)), &[choice("Yes"), choice("No")])
    }

    #[test]
    fn only_a_sign_that_blinks_may_differ_and_never_the_mark_of_an_answer() {
        let ask = "● Running\n  rm  -rf x\n\n ● 1. Yes\n   2. No";
        assert!(same(ask, ask));
        assert!(same(ask, &ask.replace("● Running", "  Running")));
        assert!(same(ask, &ask.replace("● Running", "⠙ Running")));
        assert!(!same(ask, &ask.replace("● Running", "  running")));
        assert!(!same(ask, &ask.replace("rm  -rf", "rm -rf")), "blanks count: they may stand in a name");
        assert!(!same(ask, &ask.replace("\n\n", "\n  y\n")), "a row that was blank");
        assert!(!same(ask, &ask.replace(" ● 1. Yes\n   2. No", "   1. Yes\n ● 2. No")));
        assert!(!same(ask, &format!("{ask}\n more")));
    }
}
