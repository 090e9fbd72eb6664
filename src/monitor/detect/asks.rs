//! What a prompt asks of its user: in one line, and in full.

use std::ops::Range;

use unicode_width::UnicodeWidthStr as _;

use crate::monitor::detect::profiles::{CompiledRule, Profile, Where};
use crate::monitor::detect::request::places;
use crate::monitor::detect::view::{View, is_frame};
use crate::monitor::{Asks, Choice, above_answers};

/// Most rows that one line is put together from.
const MOST_ROWS: usize = 6;

/// Longest line, in characters.
const LONGEST: usize = 400;

/// The same of a request in full.
const LONGEST_FULL: usize = 4000;

/// The rows of a prompt: from the uppermost of the regions that its rule and its answers look at to the lowest.
fn rows_of(profile: &Profile, view: &View<'_>, rule: &CompiledRule) -> Range<usize> {
    let named = profile.regions.iter().position(|region| region.name == "request").map(Where::Region);
    if let Some(region) = named.and_then(|place| view.region(place)) {
        return region;
    }
    let mut rows: Option<Range<usize>> = None;
    for found in
        places(profile, rule).filter(|place| matches!(place, Where::Region(_))).filter_map(|place| view.region(place))
    {
        let before = rows.unwrap_or(found.clone());
        rows = Some(before.start.min(found.start)..before.end.max(found.end));
    }
    rows.unwrap_or(0..view.height())
}

/// What the prompt that this rule holds for asks: `line` says it in short; in full it is the rows above the answers,
/// without frames and with blank rows only between. `None` when
/// nothing of it is in view.
pub(super) fn asked(
    profile: &Profile,
    view: &View<'_>,
    rule: &CompiledRule,
    choices: &[Choice],
    line: Option<&str>,
) -> Option<Asks> {
    let above = above_answers(view.rows(0..view.height()), rows_of(profile, view, rule), choices);
    let mut full = String::new();
    let mut blank = false;
    for row in view.rows(above).iter().map(|row| framed(row)) {
        if has_words(row) {
            if !full.is_empty() {
                full.push_str(if blank { "\n\n" } else { "\n" });
            }
            full.push_str(row);
            blank = false;
        } else {
            blank |= row.trim().is_empty();
        }
    }
    if let Some((end, _)) = full.char_indices().nth(LONGEST_FULL) {
        full.truncate(end);
    }
    Some(Asks { line: line?.to_owned(), full })
}

/// A row without the frame around it, but with the blanks in front: a text that is laid out stays so.
fn framed(row: &str) -> &str {
    trim_end(trim_end(row).trim_matches(is_frame))
}

/// As [`str::trim_end`]; blanks, which fill a wide frame, are passed over as bytes.
fn trim_end(row: &str) -> &str {
    let blanks = row.bytes().rev().take_while(|byte| *byte == b' ').count();
    row[..row.len() - blanks].trim_end()
}

/// The lowest row above the answers that ends with a question mark, whole when it is the end of a longer question.
pub(super) fn question(profile: &Profile, view: &View<'_>, rule: &CompiledRule, choices: &[Choice]) -> Option<String> {
    let all = view.rows(0..view.height());
    let mut rows = above_answers(all, rows_of(profile, view, rule), choices).rev();
    let at = rows.find(|row| unframed(all[*row]).ends_with('?') && has_words(all[*row]))?;
    Some(with_its_begin(all, at, unframed(all[at])))
}

/// The one line that a prompt of this kind asks, where its own words are not in view.
pub(super) fn of_kind(kind: Option<&str>) -> Option<&'static str> {
    match kind {
        Some("trust") => Some("Trust this folder?"),
        Some("login") => Some("Log in"),
        _ => None,
    }
}

/// A row without the frame around it.
pub(super) fn unframed(row: &str) -> &str {
    row.trim_matches(|c: char| is_frame(c) || c.is_whitespace())
}

fn has_words(row: &str) -> bool {
    // Frames are most of a screen, and the slowest to look up in Unicode's tables.
    row.chars().any(|c| !is_frame(c) && c.is_alphanumeric())
}

/// A line that ends in row `at`, with the rows above in which it begins: those before the first with a capital letter.
pub(super) fn with_its_begin(rows: &[&str], at: usize, text: &str) -> String {
    let mut line = text.to_owned();
    for row in rows[..at].iter().rev().take(MOST_ROWS) {
        let row = unframed(row);
        let begins = |line: &str| line.chars().find(|c| c.is_alphanumeric()).is_some_and(char::is_uppercase);
        if begins(&line) || !has_words(row) || row.ends_with(['.', '?', '!', ':']) {
            break;
        }
        line = joined(row, &line);
    }
    tidy(&line)
}

/// A line that begins in row `at`, with the rows below that it goes on in: those before one without words or a question.
pub(super) fn with_its_end(rows: &[&str], at: usize, text: &str) -> String {
    let mut line = text.to_owned();
    for row in rows[at + 1..].iter().take(MOST_ROWS) {
        let row = unframed(row);
        // A mark begins what is not the line's.
        let marked = row.starts_with(['⎿', '●', '⏺', '•', '◦', '■', '└', '✻', '❯', '›', '→']);
        if !has_words(row) || row.ends_with('?') || marked {
            break;
        }
        line = joined(&line, row);
    }
    tidy(&line)
}

/// A question in row `at` with what it is about behind it: the rows right above, up to one without words.
pub(super) fn with_its_subject(rows: &[&str], at: usize, text: &str) -> String {
    let about = rows[..at].iter().rev().take(MOST_ROWS).take_while(|row| has_words(row)).count();
    let subject = rows[at - about..at].iter().map(|row| unframed(row));
    tidy(&std::iter::once(text).chain(subject).collect::<Vec<_>>().join(" "))
}

/// Two rows as one line. A path that had no room in one row was broken: its parts belong together.
fn joined(upper: &str, lower: &str) -> String {
    let last = upper.rsplit(char::is_whitespace).next().unwrap_or_default();
    let first = lower.split(char::is_whitespace).next().unwrap_or_default();
    let no_room = last.width() + first.width() > upper.width() || last.ends_with(['-', '_', '/']);
    let broken = last.contains('/') && no_room;
    format!("{upper}{}{lower}", if broken { "" } else { " " })
}

/// On one line, each blank one space, without what is drawn behind it, and not too long.
pub(super) fn tidy(line: &str) -> String {
    let words: Vec<&str> = line.split_whitespace().collect();
    let line = words.join(" ");
    let line = line.trim_end_matches(['←', ' ']);
    line.char_indices().nth(LONGEST).map_or(line, |(end, _)| &line[..end]).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_put_together_from_its_rows() {
        let rows = ["A file", "", " Do you want to make this", " edit to hello.py?", " Yes"];
        assert_eq!(with_its_begin(&rows, 3, "edit to hello.py?"), "Do you want to make this edit to hello.py?");
        assert_eq!(with_its_begin(&rows, 2, "Do you want to make this"), "Do you want to make this");
        let rows = ["│ touch /srv/work/made-b │", "│ y-tool.txt && echo      │", "│ hello │", "│  │", "Go on?"];
        assert_eq!(with_its_end(&rows, 0, "touch /srv/work/made-b"), "touch /srv/work/made-by-tool.txt && echo hello");
        let rows = ["Edit /srv/work/copilot-", "rec/hello.py?"];
        assert_eq!(with_its_begin(&rows, 1, "rec/hello.py?"), "Edit /srv/work/copilot-rec/hello.py?");
        assert_eq!(tidy(" Shell   touch x  ←"), "Shell touch x");
        let rows = ["> fix it", "", "make", "make test", "Run shell commands? (Y)es/(N)o [Yes]:"];
        assert_eq!(with_its_subject(&rows, 4, "Run shell commands?"), "Run shell commands? make make test");
        assert_eq!(with_its_subject(&rows[1..2], 0, "Go on?"), "Go on?");
    }
}
