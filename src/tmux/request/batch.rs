//! A request of many commands, and its answer in parts: how the parts are asked for and told apart.

use std::collections::HashMap;

use bytes::Bytes;
use memchr::memmem;

use crate::tmux::request::{format, mark};
use crate::tmux::{Command, CommandError, PaneId, clean};

/// What is known beforehand of the length of a command's output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expect {
    /// A capture of about so many rows (the height of its pane when it was last seen). It is a hint: the height that
    /// counts is read in the same request.
    Lines(usize),
    /// Anything.
    Any,
}

/// Commands that are sent as one request and answered in order. One that fails does not stop those after it.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    items: Vec<(Command, Expect)>,
}

/// The answer to a [`Batch`], and what it cost.
#[derive(Clone, Debug, Default)]
pub struct Reply {
    /// Output of each command, in order, or why it failed. Always as many as there were commands.
    pub parts: Vec<Result<Bytes, CommandError>>,
    /// Requests that were sent for it: 1, or more where an answer could not be told apart and was asked again.
    pub requests: u32,
    /// tmux processes that were started for it.
    pub processes: u32,
    /// tmux commands that the server ran for it, marks not counted.
    pub commands: u32,
    /// Bytes of output that were read.
    pub bytes: u64,
}

impl Batch {
    /// An empty one.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a command.
    pub fn push(&mut self, command: Command, expect: Expect) {
        self.items.push((command, expect));
    }

    /// Number of commands.
    #[must_use]
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// There is no command in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    pub(crate) fn commands(&self) -> impl ExactSizeIterator<Item = &Command> {
        self.items.iter().map(|(command, _)| command)
    }

    fn counted(&self, index: usize) -> bool {
        let (command, expect) = &self.items[index];
        matches!(expect, Expect::Lines(_)) && command.pane().is_some()
    }
}

/// How the parts of an answer are told apart.
///
/// *Marks*: each command's line ends with a second command that prints a fresh random mark. tmux drops the rest of a
/// line when a command of it fails, so a mark that is missing says exactly which command failed.
///
/// *Heights*: captures have no marks; the request starts with the list of all panes' heights, and a capture has as many
/// rows as its pane. A server runs a request without doing anything between its commands (tmux's cmd-queue.c,
/// `cmdq_next`), so the heights are those of the captures, however fast somebody resizes. If anything does not add up, marks are used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Layout {
    Marks,
    Heights,
}

/// From this number of captures on, one list of all heights may be cheaper than a mark for each capture: when there are
/// no more than [`PANES_FOR_A_MARK`] panes for each capture. Measured: see docs/performance.md.
const HEIGHTS_FROM: usize = 24;
const PANES_FOR_A_MARK: usize = 8;

/// A request as it is written to `source-file -`, and what is needed to read its answer.
pub(crate) struct Script {
    pub(crate) text: String,
    mark: String,
    layout: Layout,
}

/// An answer in its parts.
pub(crate) struct Answer {
    pub(crate) parts: Vec<Result<Bytes, CommandError>>,
    pub(crate) learned: Option<Learned>,
}

/// What an answer tells of the server by the way; it makes the next requests cheaper, and nothing depends on it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Learned {
    pub(crate) panes: usize,
    pub(crate) first_tty: Option<String>,
    /// A hook of the user's fails after commands of ours: an exit status says nothing, and only marks tell what is whole.
    pub(crate) hooks_fail: bool,
}

/// The answer could not be told apart, or says that nothing was run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Muddled;

impl Layout {
    /// The cheaper one for this batch on a server with about so many panes.
    pub(crate) fn best(batch: &Batch, panes: usize) -> Self {
        let captures = (0..batch.len()).filter(|index| batch.counted(*index)).count();
        let many = captures >= HEIGHTS_FROM && captures * PANES_FOR_A_MARK >= panes;
        if many { Self::Heights } else { Self::Marks }
    }
}

impl Script {
    pub(crate) fn new(batch: &Batch, layout: Layout) -> Self {
        let mark = mark::fresh();
        let mut text = String::with_capacity(64 + batch.len() * 40);
        if layout == Layout::Heights {
            text.push_str("list-panes -a -F '");
            text.push_str(format::HEIGHTS);
            text.push('\'');
            push_mark(&mut text, &mark, "start");
        }
        for (index, command) in batch.commands().enumerate() {
            command.push_line(&mut text);
            if layout == Layout::Heights && batch.counted(index) {
                text.push('\n');
            } else {
                push_mark(&mut text, &mark, &index.to_string());
            }
        }
        if layout == Layout::Heights {
            text.push_str("display-message -p ");
            text.push_str(&mark);
            text.push_str("end\n");
        }
        Self { text, mark, layout }
    }

    /// The mark that tells its parts apart.
    #[cfg(any(test, fuzzing))]
    pub(crate) fn mark(&self) -> &str {
        &self.mark
    }

    /// Cuts the answer into its parts.
    ///
    /// # Errors
    /// [`Muddled`]: the answer fits the request in no way that is certain.
    pub(crate) fn split(&self, batch: &Batch, stdout: &Bytes, stderr: &[u8]) -> Result<Answer, Muddled> {
        match self.layout {
            Layout::Marks => self.split_marks(batch, stdout, stderr),
            Layout::Heights if stderr.is_empty() => self.split_heights(batch, stdout).ok_or(Muddled),
            Layout::Heights => Err(Muddled),
        }
    }

    fn split_marks(&self, batch: &Batch, stdout: &Bytes, stderr: &[u8]) -> Result<Answer, Muddled> {
        let mut found: Vec<Option<Bytes>> = vec![None; batch.len()];
        let mut start = 0;
        let mut next = 0;
        for at in memmem::find_iter(stdout, self.mark.as_bytes()) {
            let digits = at + self.mark.len();
            let end = digits + memchr::memchr(b'\n', &stdout[digits..]).ok_or(Muddled)?;
            let index: usize =
                std::str::from_utf8(&stdout[digits..end]).ok().and_then(|n| n.parse().ok()).ok_or(Muddled)?;
            if index < next || index >= batch.len() {
                return Err(Muddled);
            }
            found[index] = Some(stdout.slice(start..at));
            start = end + 1;
            next = index + 1;
        }
        let failed = found.iter().filter(|part| part.is_none()).count();
        let mut errors = error_lines(stderr);
        // Nothing ran and not everything failed by itself: the server did not understand the request.
        if failed == batch.len() && errors.len() != failed {
            return Err(Muddled);
        }
        if errors.len() != failed {
            errors = blame(batch, &found, errors);
        }
        let mut errors = errors.into_iter();
        let parts = found
            .into_iter()
            .map(|part| {
                part.ok_or_else(|| CommandError {
                    message: errors.next().unwrap_or_else(|| "the command failed without a word".into()),
                })
            })
            .collect();
        Ok(Answer { parts, learned: None })
    }

    fn split_heights(&self, batch: &Batch, stdout: &Bytes) -> Option<Answer> {
        let mark = memmem::Finder::new(&self.mark);
        // Up to the mark with this name, and where the text after it starts.
        let upto = |from: usize, name: &str| {
            let at = from + mark.find(&stdout[from..])?;
            let end = at + self.mark.len() + name.len();
            let named = stdout.get(at + self.mark.len()..end)? == name.as_bytes() && *stdout.get(end)? == b'\n';
            named.then_some((at, end + 1))
        };
        let (header, mut at) = upto(0, "start")?;
        let heads = format::parse_heights(std::str::from_utf8(&stdout[..header]).ok()?)?;
        let heights: HashMap<PaneId, usize> = heads.iter().map(|(id, _, height)| (*id, *height)).collect();
        let mut parts = Vec::with_capacity(batch.len());
        for (index, command) in batch.commands().enumerate() {
            let (end, next) = if batch.counted(index) {
                let end = after_lines(stdout, at, *heights.get(&command.pane()?)?)?;
                (end, end)
            } else {
                upto(at, &index.to_string())?
            };
            parts.push(Ok(stdout.slice(at..end)));
            at = next;
        }
        let (end, rest) = upto(at, "end")?;
        let learned = Learned {
            panes: heads.len(),
            first_tty: format::first_tty(heads.into_iter().map(|(id, tty, _)| (id, tty))),
            hooks_fail: false,
        };
        (end == at && rest == stdout.len()).then_some(Answer { parts, learned: Some(learned) })
    }
}

fn push_mark(text: &mut String, mark: &str, name: &str) {
    text.push_str(" ; display-message -p ");
    text.push_str(mark);
    text.push_str(name);
    text.push('\n');
}

/// Where the text goes on after this number of lines.
fn after_lines(text: &[u8], from: usize, lines: usize) -> Option<usize> {
    if lines == 0 {
        return Some(from);
    }
    memchr::memchr_iter(b'\n', &text[from..]).nth(lines - 1).map(|at| from + at + 1)
}

/// tmux's complaints, a line each, clean.
pub(crate) fn error_lines(stderr: &[u8]) -> Vec<String> {
    String::from_utf8_lossy(stderr).lines().map(clean).filter(|line| !line.is_empty()).collect()
}

/// Gives each failed command the next complaint that names its pane, when there are not as many as failures.
fn blame(batch: &Batch, found: &[Option<Bytes>], errors: Vec<String>) -> Vec<String> {
    let all = errors.join("; ");
    let mut rest = errors.into_iter().peekable();
    batch
        .commands()
        .zip(found)
        .filter(|(_, part)| part.is_none())
        .map(|(command, _)| {
            let named = |line: &String| command.pane().is_some_and(|pane| line.ends_with(&pane.to_string()));
            rest.next_if(named).unwrap_or_else(|| {
                if all.is_empty() { "the command failed without a word".into() } else { all.clone() }
            })
        })
        .collect()
}
