//! What a person saw when they decided, and whether a pane still shows it.

use crate::{
    monitor::{Agent, Choice, Preview, State},
    tmux::{PaneId, Screen},
};

/// What a person saw when they decided. Acting compares it with the pane as it is then, and refuses when it differs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// The agent's program, such as `claude`.
    pub agent: String,
    /// Its place, for messages and the journal.
    pub target: String,
    /// The state that was shown.
    pub state: Option<State>,
    /// Rule that named the prompt.
    pub rule: String,
    /// Line that it matched.
    pub line: String,
    /// What the prompt asks, as shown.
    pub doing: Option<String>,
    /// Answers that were offered.
    pub choices: Vec<Choice>,
    /// The pane's rows as they were shown; empty when its screen was not in view.
    pub rows: Vec<String>,
}

impl Seen {
    /// What is seen of an agent now: its row, and its screen if that is in view.
    #[must_use]
    pub fn of(agent: &Agent, preview: Option<&Preview>) -> Self {
        let rows = match preview.filter(|preview| preview.pane_id == agent.pane_id) {
            Some(preview) => Screen::plain(preview.text.as_bytes()).rows().map(str::to_owned).collect(),
            None => Vec::new(),
        };
        Self {
            agent: agent.agent.clone(),
            target: agent.target.clone(),
            state: Some(agent.state),
            rule: agent.evidence.rule.clone(),
            line: agent.evidence.line.clone(),
            doing: agent.doing.clone(),
            choices: agent.choices.clone(),
            rows,
        }
    }

    /// What people call its pane.
    pub(super) fn name(&self, pane: PaneId) -> String {
        if self.target.is_empty() { pane.to_string() } else { self.target.clone() }
    }
}

/// Whether two looks at a pane show the same prompt with these answers: the same words in every row of the dialog, from
/// its upper edge to the bottom of the screen. What moves without meaning (a bullet that blinks, blank rows) is passed
/// over; the mark of the selected answer is not, since keys may start from it.
#[must_use]
pub fn same_prompt<'a>(
    before: impl IntoIterator<Item = &'a str>,
    now: impl IntoIterator<Item = &'a str>,
    choices: &[Choice],
) -> bool {
    let (before, now): (Vec<&str>, Vec<&str>) = (before.into_iter().collect(), now.into_iter().collect());
    let (from_before, from_now) = (anchor(&before, choices), anchor(&now, choices));
    // Labels that are not on the screen (a prompt that takes keys it does not name) leave the whole screen to compare.
    from_before.is_some() == from_now.is_some() && dialog(&before, from_before) == dialog(&now, from_now)
}

/// The row of the first answer; `None` when not all of them are on the screen, in order.
fn anchor(rows: &[&str], choices: &[Choice]) -> Option<usize> {
    let mut from = rows.len().checked_sub(1)?;
    for choice in choices.iter().rev() {
        // Several may share a row. The lowest place where they are is the dialog; above it may be words like them.
        from = (0..=from).rev().find(|index| holds(rows, *index, &choice.label))?;
    }
    (!choices.is_empty()).then_some(from)
}

/// The words of the dialog around a row, blank rows left out.
fn dialog(rows: &[&str], anchor: Option<usize>) -> Vec<String> {
    let top = anchor.and_then(|from| (0..from).rev().find(|index| is_edge(rows[*index]))).unwrap_or(0);
    rows[top..].iter().filter(|row| !row.trim().is_empty()).map(|row| words(row)).collect()
}

/// Whether a row holds the label, or its beginning where the label goes on in the next row.
fn holds(rows: &[&str], index: usize, label: &str) -> bool {
    let squeeze = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let label = squeeze(label);
    let row = squeeze(rows[index]);
    if label.is_empty() || row.contains(&label) {
        return !label.is_empty();
    }
    let next = rows.get(index + 1).map(|row| squeeze(row)).unwrap_or_default();
    let both = format!("{row} {next}");
    both.contains(&label) && !next.contains(&label)
}

/// The upper edge of a dialog: a line from side to side, or the top of a box.
fn is_edge(row: &str) -> bool {
    let row = row.trim();
    row.starts_with(['╭', '┌', '┏', '╔'])
        || (row.chars().count() >= 10 && row.chars().all(|c| matches!(c, '─' | '━' | '═' | '▔' | '▁')))
}

/// A row's words, without a leading mark that blinks or spins.
fn words(row: &str) -> String {
    let row = row.trim_start();
    let blinks = |c: char| {
        matches!(c, '●' | '⏺' | '○' | '◦' | '•' | '·' | '✢' | '✳' | '✶' | '✻' | '✽' | '\u{2800}'..='\u{28ff}')
    };
    row.trim_start_matches(blinks).split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    const ASK: &str = "\
● Running a tool
  ⎿  $ touch a

────────────────────────────────
 Bash command
 touch a
╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌
 Do you want to proceed?
 ❯ 1. Yes
   2. Yes, and always allow access to
      /home/user/p
   3. No

 Esc to cancel";

    fn choices() -> Vec<Choice> {
        let choice = |label: &str| Choice { label: label.into(), keys: vec!["1".into()], selected: false };
        vec![choice("Yes"), choice("Yes, and always allow access to /home/user/p"), choice("No")]
    }

    fn same(now: &str) -> bool {
        same_prompt(ASK.lines(), now.lines(), &choices())
    }

    #[test]
    fn a_prompt_is_the_same_while_only_what_is_above_it_moves() {
        assert!(same(ASK));
        assert!(same(&ASK.replace("● Running", "  Running")));
        assert!(same(&format!("other\n\n{}\n\n\n", ASK.replace("touch a\n\n──", "touch b\n\n──"))));
    }

    #[test]
    fn another_command_another_mark_or_no_prompt_is_not_the_same() {
        assert!(!same(&ASK.replace(" touch a\n╌", " rm -rf /\n╌")));
        assert!(!same(&ASK.replace("❯ 1. Yes", "  1. Yes").replace("  3. No", "❯ 3. No")));
        assert!(!same(&ASK.replace("1. Yes", "1. Sure")));
        assert!(!same(&ASK.replace("Esc to cancel", "Esc to cancel · n to add notes")));
        assert!(!same("$ "));
        assert!(!same(""));
    }

    #[test]
    fn without_an_edge_the_whole_screen_counts() {
        let ask = "Allow command?\n$ ls\n› 1. Yes\n  2. No";
        let choice = |label: &str| Choice { label: label.into(), keys: vec![], selected: false };
        let choices = [choice("Yes"), choice("No")];
        assert!(same_prompt(ask.lines(), ask.lines(), &choices));
        assert!(!same_prompt(ask.lines(), ask.replace("ls", "rm x").lines(), &choices));
    }

    #[test]
    fn answers_may_share_a_row_or_have_no_row() {
        let choice = |label: &str| Choice { label: label.into(), keys: vec![], selected: false };
        let ask = "old\n╭──────────\n Run it?\n  Yes   No\n";
        assert!(same_prompt(ask.lines(), ask.replace("old", "new").lines(), &[choice("Yes"), choice("No")]));
        let keys = "Apply? (y/n)";
        assert!(same_prompt(keys.lines(), keys.lines(), &[choice("Sure"), choice("Never")]));
        assert!(!same_prompt(keys.lines(), "Delete? (y/n)".lines(), &[choice("Sure"), choice("Never")]));
    }
}
