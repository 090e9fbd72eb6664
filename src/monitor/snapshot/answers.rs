//! Where the answers of a prompt begin on its screen.

use std::ops::Range;

use crate::monitor::snapshot::agent::Choice;

/// Those of a prompt's rows that stand above its answers, when all answers stand in them, in order; else all.
#[must_use]
pub(crate) fn above_answers<T: AsRef<str>>(screen: &[T], rows: Range<usize>, choices: &[Choice]) -> Range<usize> {
    let end = rows.end.min(screen.len());
    // Where the answer below was found: its row, and the place in it.
    let mut below = (end, 0);
    for choice in choices.iter().rev() {
        let label = choice.label.trim();
        let place = |row: usize| place_of(label, screen[row].as_ref());
        // Answers may stand beside each other.
        let beside = Some(below.0).filter(|row| *row < end).and_then(|row| Some((row, place(row)?)));
        let beside = beside.filter(|found| found.1 < below.1);
        let above = || (rows.start..below.0).rev().find_map(|row| Some((row, place(row)?)));
        // One that is cut or broken into two rows is not whole in one of them.
        match beside.or_else(above) {
            Some(found) => below = found,
            None => return rows,
        }
    }
    rows.start.min(below.0)..below.0
}

/// Where a label first stands in a row. A search that prepares itself for the label takes longer than the few rows that
/// are searched for it.
fn place_of(label: &str, row: &str) -> Option<usize> {
    let (first, row) = (*label.as_bytes().first()?, row.as_bytes());
    memchr::memchr_iter(first, row).find(|at| row[*at..].starts_with(label.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choices(labels: &[&str]) -> Vec<Choice> {
        labels.iter().map(|label| Choice { label: (*label).to_owned(), ..Choice::default() }).collect()
    }

    #[test]
    fn the_request_ends_where_its_answers_begin() {
        let rows = ["Approve it?", " rm x", " 1. Yes", " 2. Yes, always", " 3. No", " Esc"];
        assert_eq!(above_answers(&rows, 0..6, &choices(&["Yes", "Yes, always", "No"])), 0..2);
        let rows = ["Approve it?", " rm x", "[y] Approve  [n] Deny", "Esc"];
        assert_eq!(above_answers(&rows, 0..4, &choices(&["Approve", "Deny"])), 0..2, "beside each other");
        assert_eq!(above_answers(&rows, 0..4, &choices(&["Approve", "Always"])), 0..4, "one is out of sight");
        assert_eq!(above_answers(&rows, 0..4, &[]), 0..4);
        assert_eq!(above_answers(&rows, 0..9, &choices(&["Deny"])), 0..2, "more rows than there are");
    }
}
