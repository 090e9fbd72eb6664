//! What a pane must be and show at the moment in which something is done to it: looked at by the server, in the same
//! step.

use crate::tmux::escape::{Piece, pieces};
use crate::tmux::{Command, PaneId};

/// Most rows that are compared by the server: each costs it a search over the pane's screen.
const MOST_ROWS: usize = 40;

/// Longest condition, bytes. A tmux command has at most about 16 000.
const LONGEST: usize = 12_000;

/// Runs of one character from this length on are said by their number.
const RUN: usize = 4;

/// What is printed when it was done, and when it was not.
const DONE: &str = "done";
const LEFT: &str = "left";

/// A condition on a pane, as a format of tmux's.
///
/// `#{C/r:PATTERN}` is the number of the first row of the pane's screen that matches a regular expression, 0 if none
/// does; it and `if-shell -F` are in every tmux from 3.2 on. Tried on 3.3a, 3.5a, 3.7c and 3.8: `if-shell` expands no
/// dates, so that `%` stands for itself; in a format only `#`, `,` and `}` are special, in a pattern the signs of an
/// extended regular expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Guard {
    pane: PaneId,
    conditions: Vec<String>,
    rows: usize,
}

impl Guard {
    /// The pane with this process of tmux's in it (`pane_pid`), whatever its state.
    #[must_use]
    pub fn process(pane: PaneId, pid: u32) -> Self {
        let conditions = vec![is("pane_id", &pane.to_string()), is("pane_pid", &pid.to_string())];
        Self { pane, conditions, rows: 0 }
    }

    /// The same: it runs, and keys for it reach its program and no other.
    #[must_use]
    pub fn new(pane: PaneId, pid: u32) -> Self {
        let mut guard = Self::process(pane, pid);
        let off = ["pane_dead", "pane_in_mode", "pane_synchronized", "pane_input_off"];
        guard.conditions.extend(off.map(|flag| is(flag, "0")));
        guard
    }

    /// And it shows these rows, of which each `loose` one may have another sign in front (a bullet that blinks).
    /// `captured`: its whole screen, by [`Command::capture`]. Blank rows and rows that are there twice tell nothing.
    #[must_use]
    pub fn showing(mut self, captured: &[u8], rows: std::ops::Range<usize>, loose: impl Fn(usize) -> bool) -> Self {
        let text = String::from_utf8_lossy(captured);
        let all: Vec<String> = text.split_terminator('\n').map(as_shown).collect();
        let mut said: Vec<String> = Vec::new();
        for index in ends_first(rows.start.min(all.len())..rows.end.min(all.len())) {
            let row = &all[index];
            if row.is_empty() || all.iter().position(|other| other == row) != Some(index) {
                continue;
            }
            let (pattern, exact) = pattern(row, loose(index));
            let found = format!("#{{C/r:{pattern}}}");
            let condition = if exact { format!("#{{==:{found},{}}}", index + 1) } else { found };
            let length: usize = said.iter().map(String::len).sum();
            if said.len() == MOST_ROWS || length + condition.len() > LONGEST {
                break;
            }
            said.push(condition);
        }
        self.rows += said.len();
        self.conditions.extend(said);
        self
    }

    /// How many rows are compared.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The command that does all of these if the condition holds, in one step of the server. Read its output with
    /// [`Guard::was_done`].
    #[must_use]
    pub fn then(&self, commands: &[Command]) -> Command {
        let mut done = String::new();
        for command in commands {
            command.push_line(&mut done);
            done.push_str(" ; ");
        }
        done.push_str("display-message -p ");
        done.push_str(DONE);
        let left = format!("display-message -p {LEFT}");
        Command::new("if-shell").arg("-F").target(self.pane).args([all_of(&self.conditions).as_str(), &done, &left])
    }

    /// Whether the condition held, and the commands were done.
    #[must_use]
    pub fn was_done(output: &str) -> bool {
        output.trim_end() == DONE
    }
}

fn is(name: &str, value: &str) -> String {
    format!("#{{==:#{{{name}}},{value}}}")
}

/// The first, the last, the second, the last but one, and so on: where not all can be said, both ends are.
fn ends_first(rows: std::ops::Range<usize>) -> impl Iterator<Item = usize> {
    let (start, end) = (rows.start, rows.end);
    (0..rows.len()).map(move |n| if n % 2 == 0 { start + n / 2 } else { end - 1 - n / 2 })
}

/// A row as the server searches it: without escapes, and without blanks at its end.
fn as_shown(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    for piece in pieces(line) {
        if let Piece::Text(text) = piece {
            // Line drawing on and off: the letters between them are what is in the cells.
            out.extend(text.split(['\x0e', '\x0f']));
        }
    }
    out.truncate(out.trim_end_matches(|c: char| c.is_ascii_whitespace()).len());
    out
}

/// The pattern of a row, ready to stand in a format, and whether it says the row exactly.
fn pattern(row: &str, loose: bool) -> (String, bool) {
    let (mut out, mut exact) = ("^".to_owned(), true);
    let mut row = row;
    if loose {
        // Any sign, or none, and then the rest.
        let words = row.trim_start();
        let rest = words.strip_prefix(|c: char| !c.is_alphanumeric()).unwrap_or(words).trim_start();
        row = if rest.is_empty() { row } else { rest };
        out.push_str(".*");
        exact = false;
    }
    let mut chars = row.chars().peekable();
    while let Some(c) = chars.next() {
        let mut run = 1;
        while chars.next_if_eq(&c).is_some() {
            run += 1;
        }
        if (c.is_control() && c != '\t') || c == '\u{fffd}' {
            out.push_str(".*");
            exact = false;
            continue;
        }
        let said = say(c);
        if run >= RUN {
            out.push_str(&format!("{said}{{{run}#}}"));
        } else {
            (0..run).for_each(|_| out.push_str(&said));
        }
    }
    out.push('$');
    (out, exact)
}

/// One character of a row in a pattern in a format.
fn say(c: char) -> String {
    match c {
        '\\' | '^' | '$' | '.' | '[' | ']' | '(' | ')' | '*' | '+' | '?' | '{' | '|' => format!("\\{c}"),
        '}' => "\\#}".to_owned(),
        ',' => "#,".to_owned(),
        // Not `##` before a `[`: tmux keeps both signs there, for its styles
        // (format.c, `format_expand1`). A row has `\[` in its place.
        '#' => "##".to_owned(),
        c => c.to_string(),
    }
}

/// All of these hold. As a tree of even depth: tmux expands a hundred levels and no more (format.c,
/// `FORMAT_LOOP_LIMIT`).
fn all_of(conditions: &[String]) -> String {
    match conditions {
        [] => "1".to_owned(),
        [one] => one.clone(),
        many => {
            let (left, right) = many.split_at(many.len() / 2);
            format!("#{{&&:{},{}}}", all_of(left), all_of(right))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(row: &str) -> String {
        pattern(&as_shown(row), false).0
    }

    #[test]
    fn what_is_special_in_a_pattern_or_a_format_is_quoted() {
        assert_eq!(said(" rm *.rs  "), "^ rm \\*\\.rs$");
        assert_eq!(said("#{x},} #[y] ##"), "^##\\{x\\#}#,\\#} ##\\[y\\] ####$");
        assert_eq!(said("a|b(c) \\ ^$ [d]+? %H ~ ;"), "^a\\|b\\(c\\) \\\\ \\^\\$ \\[d\\]\\+\\? %H ~ ;$");
        assert_eq!(said("\x1b[1m────\x1b[0m \x0eqq\x0f"), "^─{4#} qq$");
        assert_eq!(pattern("a\u{1}b", false), ("^a.*b$".to_owned(), false));
        assert_eq!(pattern(" ● Running", true), ("^.*Running$".to_owned(), false));
    }

    #[test]
    fn rows_that_tell_nothing_are_left_out_and_of_too_many_both_ends_are_said() {
        let guard = Guard::new(PaneId(3), 7);
        let few = guard.clone().showing(b"one\n\ntwo\ntwo\n", 0..4, |_| false);
        assert_eq!(few.rows(), 2);
        assert!(few.conditions.contains(&"#{==:#{C/r:^two$},3}".to_owned()), "{:?}", few.conditions);
        let many: String = (0..100).map(|n| format!("row {n}\n")).collect();
        let many = guard.showing(many.as_bytes(), 0..100, |_| false);
        assert_eq!(many.rows(), MOST_ROWS);
        assert!(many.conditions.last().is_some_and(|one| one.contains("row 80")), "{:?}", many.conditions);
    }
}
