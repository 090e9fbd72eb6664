//! What verbs print: colour when wanted, columns by display width, and no control character of anyone else's.

use std::{
    borrow::Cow,
    io::{self, BufWriter, IsTerminal, Write},
};

use unicode_width::UnicodeWidthStr;

use crate::app::cli::{Color, Failure};
use crate::tmux::{clean, is_clean, is_unsafe};

/// Standard output, buffered, and whether it may be coloured.
pub struct Output {
    to: To,
    colour: bool,
    /// Columns of the terminal; `None` when standard output is none.
    width: Option<usize>,
}

/// Where it goes.
enum To {
    /// To its reader, who may take his time.
    Now(BufWriter<io::Stdout>),
    /// Kept until it is handed on.
    Later(Vec<u8>),
}

impl Write for To {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Now(out) => out.write(bytes),
            Self::Later(kept) => kept.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Now(out) => out.flush(),
            Self::Later(_) => Ok(()),
        }
    }
}

/// What is done to a table that is wider than the terminal: one after another until it fits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// This column shrinks, at most to so many cells.
    To(usize, usize),
    /// This column is left out.
    Out(usize),
}

/// The meaning of a text, which decides its look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// As it is.
    Plain,
    /// A heading.
    Title,
    /// Of less weight.
    Muted,
    /// All is well.
    Good,
    /// Wants attention.
    Warn,
    /// Is wrong.
    Bad,
}

impl Look {
    fn code(self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::Title => "1",
            Self::Muted => "2",
            Self::Good => "32",
            Self::Warn => "33",
            Self::Bad => "31",
        }
    }
}

impl Output {
    /// Standard output, coloured as asked for.
    #[must_use]
    pub fn stdout(color: Color) -> Self {
        let colour = match color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => {
                let unwanted = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
                let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
                !unwanted && !dumb && io::stdout().is_terminal()
            }
        };
        let width = if io::stdout().is_terminal() { terminal_width() } else { None };
        Self { to: To::Now(BufWriter::new(io::stdout())), colour, width }
    }

    /// Prints one line. Whatever a path, a name or an engine brought into it, nothing but a [`Look`] steers the terminal.
    pub fn line(&mut self, text: impl AsRef<str>) -> Result<(), Failure> {
        writeln!(self.to, "{}", shown(text.as_ref())).map_err(Failure::from_output)
    }

    /// Prints a value as JSON: indented on a terminal, one line in a pipe.
    pub fn json(&mut self, value: &impl serde::Serialize) -> Result<(), Failure> {
        let text =
            if io::stdout().is_terminal() { serde_json::to_string_pretty(value) } else { serde_json::to_string(value) };
        let text = text.map_err(|error| Failure::failed(format!("cannot make JSON of the result: {error}")))?;
        self.line(escaped(&text))
    }

    /// Prints a value as JSON on one line, wherever it goes.
    pub fn json_line(&mut self, value: &impl serde::Serialize) -> Result<(), Failure> {
        let text = serde_json::to_string(value);
        let text = text.map_err(|error| Failure::failed(format!("cannot make JSON of the result: {error}")))?;
        self.line(escaped(&text))
    }

    /// Prints bytes as they are.
    pub fn raw(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        self.to.write_all(bytes).map_err(Failure::from_output)
    }

    /// Hands on what is buffered.
    pub fn flush(&mut self) -> Result<(), Failure> {
        self.to.flush().map_err(Failure::from_output)
    }

    /// What is printed from now on is kept until [`Output::hand_on`]: for verbs that go on. A reader who does not read must
    /// hold up neither the watching nor the end.
    pub fn goes_on(&mut self) -> Result<(), Failure> {
        self.flush()?;
        self.to = To::Later(Vec::new());
        Ok(())
    }

    /// Hands on what was printed since the last call; returns when its reader took it.
    pub async fn hand_on(&mut self) -> Result<(), Failure> {
        let To::Later(kept) = &mut self.to else { return self.flush() };
        if kept.is_empty() {
            return Ok(());
        }
        let bytes = std::mem::take(kept);
        // On a thread of its own, which the end of the program does not wait for.
        let written = tokio::task::spawn_blocking(move || {
            let mut out = io::stdout().lock();
            out.write_all(&bytes)?;
            out.flush()
        });
        written.await.unwrap_or_else(|error| Err(io::Error::other(error))).map_err(Failure::from_output)
    }

    /// The text in its look, when output is coloured.
    #[must_use]
    pub fn paint(&self, look: Look, text: &str) -> String {
        if self.colour && look != Look::Plain { format!("\x1b[{}m{text}\x1b[0m", look.code()) } else { text.to_owned() }
    }

    /// Prints the name of the server that what follows is of.
    pub fn heading(&mut self, name: &str) -> Result<(), Failure> {
        let heading = self.paint(Look::Title, &format!("## {}", cell(name, 100)));
        self.line(heading)
    }

    /// Prints rows in columns, each as wide as its widest cell; the last one is not padded.
    pub fn table(&mut self, rows: &[Vec<(Look, String)>]) -> Result<(), Failure> {
        self.table_cut(rows, &[])
    }

    /// The same; on a terminal that is too narrow for it, cut as told.
    pub fn table_cut(&mut self, rows: &[Vec<(Look, String)>], cuts: &[Cut]) -> Result<(), Failure> {
        let widths = fit(natural(rows), self.width, cuts);
        for row in rows {
            let mut line = String::new();
            let shown = || row.iter().enumerate().filter(|(column, _)| widths[*column].is_some());
            let last = shown().next_back().map_or(0, |(column, _)| column);
            for (column, (look, text)) in shown() {
                let width = widths[column].unwrap_or(0);
                let text = cell(text, width);
                line.push_str(&self.paint(*look, &text));
                if column < last {
                    line.push_str(&" ".repeat(width.saturating_sub(text.width()) + 2));
                }
            }
            self.line(line.trim_end())?;
        }
        Ok(())
    }
}

fn terminal_width() -> Option<usize> {
    let size = rustix::termios::tcgetwinsize(io::stdout()).ok()?;
    Some(usize::from(size.ws_col)).filter(|width| *width > 0)
}

/// The widest cell of each column.
fn natural(rows: &[Vec<(Look, String)>]) -> Vec<usize> {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|(_, cell)| cell.width()).max();
    (0..columns).map(|column| width(column).unwrap_or(0)).collect()
}

/// Widths of the columns in a terminal of so many cells; `None`: left out.
fn fit(natural: Vec<usize>, room: Option<usize>, cuts: &[Cut]) -> Vec<Option<usize>> {
    let mut widths: Vec<Option<usize>> = natural.into_iter().map(Some).collect();
    let Some(room) = room else { return widths };
    for cut in cuts {
        let shown = widths.iter().flatten();
        let over = (shown.clone().sum::<usize>() + 2 * shown.count().saturating_sub(1)).saturating_sub(room);
        if over == 0 {
            break;
        }
        match *cut {
            Cut::Out(column) => widths[column] = None,
            Cut::To(column, least) => {
                widths[column] = widths[column].map(|width| width.min(width.saturating_sub(over).max(least)));
            }
        }
    }
    widths
}

/// The text without characters that a terminal obeys, but for newlines, tabs and the codes of [`Output::paint`].
fn shown(text: &str) -> Cow<'_, str> {
    if is_clean(text) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let look = painted(rest);
        let taken = if look > 0 { look } else { c.len_utf8() };
        if look > 0 || matches!(c, '\n' | '\t') || !is_unsafe(c) {
            out.push_str(&rest[..taken]);
        }
        rest = &rest[taken..];
    }
    Cow::Owned(out)
}

/// Length of the code of a [`Look`], or of its end, with which the text begins; 0: with none.
fn painted(text: &str) -> usize {
    let Some(code) = text.strip_prefix("\x1b[") else { return 0 };
    let digits = code.bytes().take_while(u8::is_ascii_digit).count();
    let known = matches!(&code[..digits], "0" | "1" | "2" | "31" | "32" | "33");
    if known && code[digits..].starts_with('m') { "\x1b[m".len() + digits } else { 0 }
}

/// JSON in which no character is raw that a terminal obeys or that hides: the same values, spelled otherwise.
fn escaped(json: &str) -> Cow<'_, str> {
    use std::fmt::Write as _;
    let raw = |c: char| is_unsafe(c) && c != '\n';
    if !json.chars().any(raw) {
        return Cow::Borrowed(json);
    }
    let mut out = String::with_capacity(json.len() + 64);
    for c in json.chars() {
        if raw(c) {
            for unit in c.encode_utf16(&mut [0; 2]) {
                let _ = write!(out, "\\u{unit:04x}");
            }
        } else {
            out.push(c);
        }
    }
    Cow::Owned(out)
}

/// Text of others made safe for a line of output and cut to `most` cells.
#[must_use]
pub fn cell(text: &str, most: usize) -> String {
    let text = clean(text);
    if text.width() <= most {
        return text;
    }
    let mut out = String::new();
    for cluster in unicode_segmentation::UnicodeSegmentation::graphemes(text.as_str(), true) {
        if out.width() + cluster.width() + 1 > most {
            break;
        }
        out.push_str(cluster);
    }
    out.push('…');
    out
}

/// An age or a duration in the words of the dashboard.
#[must_use]
pub fn age(seconds: f64) -> String {
    #[expect(clippy::cast_possible_truncation, reason = "an f64 beyond i64 is its end")]
    crate::app::core::format::seconds(seconds.round() as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_of_others_is_cut_by_cells_and_cleaned() {
        assert_eq!(cell("\x1b[31mred\x1b[0m", 9), "red");
        assert_eq!(cell("日本語テキスト", 7), "日本語…");
        assert_eq!(cell("plain", 5), "plain");
    }

    #[test]
    fn a_table_is_cut_where_it_matters_least() {
        let cuts = [Cut::To(2, 10), Cut::Out(2), Cut::To(1, 5)];
        let fit = |room| fit(vec![8, 12, 40], room, &cuts);
        assert_eq!(fit(None), [Some(8), Some(12), Some(40)]);
        assert_eq!(fit(Some(64)), [Some(8), Some(12), Some(40)]);
        assert_eq!(fit(Some(50)), [Some(8), Some(12), Some(26)]);
        assert_eq!(fit(Some(30)), [Some(8), Some(12), None]);
        assert_eq!(fit(Some(18)), [Some(8), Some(8), None]);
        assert_eq!(fit(Some(3)), [Some(8), Some(5), None]);
    }

    #[test]
    fn only_our_own_looks_reach_the_terminal() {
        let hostile = "\x1b[31mred\x1b[0m\ta\nb \x1b]0;t\x07 \x1b[8m \u{9b}2J \u{202e}";
        assert_eq!(shown(hostile), "\x1b[31mred\x1b[0m\ta\nb ]0;t [8m 2J ");
        assert_eq!(shown("plain ├─ text"), "plain ├─ text");
        let value = serde_json::json!(["\u{9b}", "\u{202e}\u{e0041}", "日本"]);
        let json = escaped(&value.to_string()).into_owned();
        assert!(!json.is_ascii() && !json.chars().any(is_unsafe), "{json}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&json).unwrap(), value);
    }

    #[test]
    fn ages_are_short() {
        let shown: Vec<String> = [0.4, 41.0, 134.0, 840.0, 11_000.0, 200_000.0].map(age).into();
        assert_eq!(shown, ["0s", "41s", "2m14s", "14m", "3h03m", "2d07h"]);
    }
}
