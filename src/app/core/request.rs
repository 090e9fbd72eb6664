//! What an agent asks of its user, as its row shows it: in lines of a width, what matters most first, the command and the
//! diff told apart from the words around them.

use std::ops::Range;

use crate::app::core::command_line::command;
use crate::app::core::text::{cut, flow, unframed, width};
use crate::monitor::{Agent, Asks};

/// What a piece of a request is; themes give each a style.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ink {
    /// The question itself.
    Question,
    /// The program of a command.
    Program,
    /// Of a command: what it is told.
    Argument,
    /// Of a command: an option.
    Flag,
    /// Of a command: text in quotes.
    Quoted,
    /// Of a command: what joins its parts.
    Sign,
    /// A line that is added.
    Added,
    /// A line that is removed.
    Removed,
    /// The words around it.
    Plain,
}

/// A line of a request: its pieces from left to right.
pub type RequestLine = Vec<(Ink, String)>;

/// The widest heading: what is longer says something of its own.
const HEADING: usize = 48;

/// So many rows above a command or a question are none of it: where a profile does not know the request's first row they
/// are what was said before.
const FAR: usize = 8;

/// Cells by which what had no room in its line is set in.
const HANG: usize = 2;

/// A request as it is shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Request<'a> {
    /// What stands above it and says of what kind it is: `Bash command`, `Edit file`.
    pub heading: Option<&'a str>,
    /// Its lines; none where nothing is asked.
    pub lines: Vec<RequestLine>,
}

/// The request of an agent that waits, in at most `most` lines of `cells`: first the command, the edit or the question,
/// then the rest of it from the top. Where that is more, the last line ends with `…`.
#[must_use]
pub fn request(agent: &Agent, cells: usize, most: usize) -> Request<'_> {
    let Some(asks) = asked(agent).filter(|_| cells > 0 && most > 0) else { return Request::default() };
    let mut out = Vec::new();
    let line = asks.line.trim();
    let inks = if is_command(agent, line) { command(line) } else { vec![(Ink::Question, 0..line.len())] };
    add(&mut out, line, &inks, (cells, most + 1));
    let rows = rows(agent, asks);
    let heading = heading_of(asks, &rows);
    let rows = &rows[usize::from(heading.is_some())..];
    let diff = rows.iter().any(|row| is_diff(row));
    for row in around(line, rows, diff) {
        if out.len() > most {
            break;
        }
        let ink = sign(row).filter(|_| diff).map_or(Ink::Plain, |(ink, _)| ink);
        add(&mut out, row, &[(ink, 0..row.len())], (cells, most + 1));
    }
    if out.len() > most {
        out.truncate(most);
        if let Some(last) = out.last_mut() {
            end_with_more(last, cells);
        }
    }
    let heading = heading.map(|row| row.trim().trim_start_matches(|c: char| !c.is_alphanumeric()));
    Request { heading, lines: out }
}

/// Whether an agent asks something that can be shown.
#[must_use]
pub fn asks(agent: &Agent) -> bool {
    asked(agent).is_some()
}

fn asked(agent: &Agent) -> Option<&Asks> {
    agent.asks.as_ref().filter(|asks| agent.needs_user() && !asks.line.trim().is_empty())
}

fn heading_of<'a>(asks: &Asks, rows: &[&'a str]) -> Option<&'a str> {
    let first = rows.first().copied().filter(|_| rows.len() > 1)?;
    let line = asks.line.trim();
    (width(first.trim()) <= HEADING && !says(line, first) && !first.trim().contains(line) && sign(first).is_none())
        .then_some(first)
}

/// The rows that say more than the line, without the blanks that all of them begin with.
fn around<'a>(line: &str, rows: &[&'a str], diff: bool) -> Vec<&'a str> {
    let mut more = Vec::new();
    let mut said = false;
    for row in rows {
        if diff && sign(row).is_some() {
            more.push(*row);
            continue;
        }
        // The end of what was broken in two is a part of the line however short it is.
        said = says(line, row) || said && line.contains(row.trim());
        if said || is_formula(line, row) {
            continue;
        }
        more.push(row.trim().strip_prefix(line).filter(|_| !line.is_empty()).map_or(*row, str::trim));
    }
    let blanks = |row: &&str| row.len() - row.trim_start_matches(' ').len();
    let common = more.iter().map(blanks).min().unwrap_or(0);
    more.into_iter().map(|row| &row[common..]).collect()
}

/// The rows of the request, without the box around them, blank ones, and tips on how to use the program.
fn rows<'a>(agent: &Agent, asks: &'a Asks) -> Vec<&'a str> {
    let line = asks.line.trim();
    let mut rows = Vec::new();
    let mut tip = false;
    for row in asks.full.lines() {
        let words = row.trim();
        tip = !words.is_empty() && (tip || words.starts_with("Tip:"));
        if !words.is_empty() && !tip {
            rows.push(row.trim_end());
        }
    }
    // A bar at its left joins the rows of a request where what was said before has none.
    let has_bar = |row: &&str| row.trim_start().starts_with('┃');
    if let Some(at) = rows.iter().rposition(|row| says(line, row)) {
        let from = if has_bar(&rows[at]) {
            rows[..at].iter().rposition(|row| !has_bar(row)).map_or(0, |last| last + 1)
        } else if at >= FAR && !(line.ends_with('?') && agent.kind.as_deref() == Some("permission")) {
            at
        } else {
            0
        };
        rows.drain(..from);
    }
    rows.into_iter().map(unframed).filter(|row| !row.trim().is_empty()).collect()
}

/// Whether the line says already what a row does: the row is a part of it, or it with a sign of a prompt in front.
fn says(line: &str, row: &str) -> bool {
    let begins = |c: char| c.is_alphanumeric() || matches!(c, '/' | '~' | '.' | '-' | '_' | '"' | '\'' | '(' | '<');
    let row = row.split_whitespace().collect::<Vec<_>>().join(" ");
    let row = row.trim_start_matches(|c| !begins(c)).trim_end_matches([' ', '│', '┃', '←']);
    let words = row.chars().filter(|c| c.is_alphanumeric()).count();
    (words >= 3 && line.contains(row)) || (!line.is_empty() && row.starts_with(line) && row.len() <= line.len() + 4)
}

/// Whether a row is but the question that a program puts below every command: `Do you want to proceed?`.
fn is_formula(line: &str, row: &str) -> bool {
    let row = row.trim();
    !line.ends_with('?')
        && row.ends_with('?')
        && row.split_whitespace().count() <= 8
        && row.chars().all(|c| c.is_alphabetic() || matches!(c, ' ' | '?' | ',' | '\'' | '[' | ']'))
}

fn is_command(agent: &Agent, line: &str) -> bool {
    agent.kind.as_deref() == Some("permission") && !line.ends_with('?')
}

/// Whether a row can only be of a diff: a number and a sign, the head of a hunk, an added line.
fn is_diff(row: &str) -> bool {
    let row = row.trim_start();
    row.starts_with("@@ ") || sign(row).is_some_and(|(ink, numbered)| numbered || ink == Ink::Added)
}

/// The sign of a line of a diff, and whether its number stands before it.
fn sign(row: &str) -> Option<(Ink, bool)> {
    let row = row.trim_start();
    let rest = row.trim_start_matches(|c: char| c.is_ascii_digit());
    let numbered = rest.len() < row.len();
    let ink = match rest.trim_start().chars().next()? {
        '+' => Ink::Added,
        '-' | '−' => Ink::Removed,
        _ => return None,
    };
    // A range, such as 3-4, is no line that was removed.
    (!numbered || rest.starts_with([' ', '+']) || rest.starts_with("- ")).then_some((ink, numbered))
}

/// Adds a text as lines, until there are `most`.
fn add(out: &mut Vec<RequestLine>, text: &str, inks: &[(Ink, Range<usize>)], (cells, most): (usize, usize)) {
    let prose = inks.iter().all(|(ink, _)| matches!(ink, Ink::Question | Ink::Plain));
    let indent = text.len() - text.trim_start_matches(' ').len();
    let hang = if prose { indent } else { indent + HANG };
    let hang = if hang * 2 > cells { 0 } else { hang };
    for (i, part) in flow(text, cells, cells - hang).into_iter().enumerate() {
        if out.len() >= most {
            return;
        }
        let mut line: RequestLine = Vec::new();
        if i > 0 && hang > 0 {
            line.push((Ink::Plain, " ".repeat(hang)));
        }
        for (ink, range) in inks {
            let (from, to) = (range.start.max(part.start), range.end.min(part.end));
            if from < to {
                line.push((*ink, text[from..to].to_owned()));
            }
        }
        out.push(line);
    }
}

/// Lets a line end with a sign that there is more.
fn end_with_more(line: &mut RequestLine, cells: usize) {
    let used: usize = line.iter().map(|(_, words)| width(words)).sum();
    let mut over = (used + 1).saturating_sub(cells);
    while over > 0 {
        let Some((ink, words)) = line.last_mut() else { break };
        let wide = width(words);
        words.truncate(cut(words, wide.saturating_sub(over)));
        over = over.saturating_sub(wide - width(words));
        // Half of `&&` would be another sign.
        if words.is_empty() || *ink == Ink::Sign {
            line.pop();
        }
    }
    line.push((Ink::Plain, "…".to_owned()));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::core::fixture::test_agent;
    use crate::monitor::AgentState;

    fn asking(kind: &str, line: &str, full: &str) -> Agent {
        let mut agent = test_agent(1, AgentState::Waiting);
        agent.kind = Some(kind.to_owned());
        agent.asks = Some(Asks { line: line.to_owned(), full: full.to_owned() });
        agent
    }

    fn shown(agent: &Agent, cells: usize, most: usize) -> Vec<String> {
        let text = |line: RequestLine| line.into_iter().map(|(_, words)| words).collect::<String>();
        request(agent, cells, most).lines.into_iter().map(text).collect()
    }

    const BASH: &str = " Bash command\n\n Tip: a mode handles these\n for you\n\n Create a marker file\n\n touch /srv/a.txt && \
                        echo\n hi\n\n Do you want to proceed?";

    #[test]
    fn the_command_comes_first_and_what_says_nothing_is_left_out() {
        let agent = asking("permission", "touch /srv/a.txt && echo hi", BASH);
        assert_eq!(request(&agent, 60, 9).heading, Some("Bash command"));
        assert_eq!(shown(&agent, 60, 9), ["touch /srv/a.txt && echo hi", "Create a marker file"]);
        assert_eq!(shown(&agent, 20, 9), ["touch /srv/a.txt &&", "  echo hi", "Create a marker file"]);
        assert_eq!(shown(&agent, 20, 2), ["touch /srv/a.txt &&", "  echo hi…"]);
        assert_eq!(shown(&agent, 20, 1), ["touch /srv/a.txt &&…"]);
        assert_eq!(shown(&agent, 19, 1), ["touch /srv/a.txt …"]);
        assert!(shown(&agent, 0, 3).is_empty() && shown(&agent, 20, 0).is_empty());
    }

    #[test]
    fn a_question_is_shown_whole_and_an_edit_with_its_diff() {
        let agent = asking(
            "question",
            "Which database should the service use?",
            " ☐ Database\n\nWhich database should the service use?",
        );
        assert_eq!(shown(&agent, 21, 9), ["Which database should", "the service use?"]);
        assert_eq!(request(&agent, 60, 9).heading, Some("Database"));
        let full = " Edit file\n hello.py\n\n 1  print(\"hello\")\n 2 -print(\"x\")\n 2 +print(\"world\")\n\n Do you want to make this edit to hello.py?";
        let agent = asking("permission", "Do you want to make this edit to hello.py?", full);
        let lines = request(&agent, 60, 9).lines;
        let inks: Vec<(Ink, &str)> = lines.iter().map(|line| (line[0].0, line[0].1.as_str())).collect();
        assert_eq!(
            inks,
            [
                (Ink::Question, "Do you want to make this edit to hello.py?"),
                (Ink::Plain, "1  print(\"hello\")"),
                (Ink::Removed, "2 -print(\"x\")"),
                (Ink::Added, "2 +print(\"world\")"),
            ]
        );
    }

    #[test]
    fn what_was_said_before_the_request_is_none_of_it() {
        let full = "     Fine, 42 tests pass.\n\n     ▣  Build · Model\n\n  ┃  △ Permission required\n  ┃    $ docker compose up\n\n  ┃  \
                    - /srv/*";
        let agent = asking("permission", "docker compose up", full);
        assert_eq!(request(&agent, 60, 9).heading, Some("Permission required"));
        assert_eq!(shown(&agent, 60, 9), ["docker compose up", "- /srv/*"]);
        let said = (0..12).map(|row| format!("said {row}\n")).collect::<String>();
        let agent = asking("question", "Which one?", &format!("{said}? Which  one?\n│ 2 + more │"));
        assert_eq!(shown(&agent, 60, 20), ["Which one?", "2 + more"]);
        let agent = asking("permission", "Create a.txt?", &format!("{said}Create a.txt?"));
        assert_eq!(shown(&agent, 60, 20).len(), 12, "what a file is to hold is all of it, below its heading");
    }

    #[test]
    fn what_begins_with_the_line_goes_on_below_it() {
        let agent = asking("trust", "Do you trust it?", "Do you trust it? It may hold\nwhat harms.");
        assert_eq!(shown(&agent, 60, 9), ["Do you trust it?", "It may hold", "what harms."]);
    }

    #[test]
    fn a_list_is_no_diff() {
        let agent =
            asking("question", "Which one?", "There are:\n- one thing\n- another\n3-4 more of them\nWhich one?");
        assert!(
            request(&agent, 40, 9).lines.iter().flatten().all(|(ink, _)| matches!(ink, Ink::Question | Ink::Plain))
        );
    }

    #[test]
    fn no_line_is_wider_than_its_room() {
        let long = "x".repeat(90);
        for (line, full) in
            [("touch a && echo b", BASH), (&*long, &*long), ("解析器解析器", "解析器\n+解析器解析器"), ("?", "")]
        {
            for kind in ["permission", "question"] {
                let agent = asking(kind, line, full);
                for cells in 4..40 {
                    for most in 1..5 {
                        let lines = shown(&agent, cells, most);
                        assert!((1..=most).contains(&lines.len()), "{cells} {most}: {lines:?}");
                        assert!(lines.iter().all(|line| width(line) <= cells), "{cells} {most}: {lines:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn only_who_waits_asks() {
        let mut agent = asking("permission", "ls", "ls");
        assert_eq!(shown(&agent, 20, 3), ["ls"]);
        agent.state = AgentState::Working;
        assert!(shown(&agent, 20, 3).is_empty() && request(&agent, 20, 3).heading.is_none());
    }
}
