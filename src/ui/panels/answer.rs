//! The box of a prompt's answers: who asks and where, the request in its own colours, and what each answer means.

use std::ops::Range;

use ratatui::layout::Rect;

use crate::app::core::act::Seen;
use crate::app::core::action::Action;
use crate::app::core::asked::{Answer, Asked};
use crate::app::core::choice::beyond;
use crate::app::core::fleet::{AgentKey, host_of};
use crate::app::core::format;
use crate::app::core::keymap::Keymap;
use crate::app::core::state::State;
use crate::app::core::text;
use crate::app::core::words::{answer_by, tone, word};
use crate::monitor::Agent;
use crate::ui::canvas::{Canvas, Frame};
use crate::ui::panels::{Preview, hints};
use crate::ui::slot::{take_bottom, take_top};

/// Cells of an answer's number and the blank behind it, unless its key is another one.
const NUMBER: usize = 2;

/// Rows of who asks, with the line below.
const HEAD: usize = 2;
/// Rows of a request, of those that it has, without which there are none of those.
const LEAST: usize = 5;

/// Columns and rows of the box: the request in full where there is room.
pub(super) fn size(most: u16, seen: &Seen, asked: &Asked) -> (u16, u16) {
    let longest = seen.rows.iter().skip(asked.rows.start).take(asked.rows.len()).map(|row| text::width(row.trim_end()));
    let answers = asked.answers(seen);
    let labels = answers.iter().map(|answer| {
        let tag = beyond(&answer.text).map_or(0, |(_, reach)| text::width(reach.words()) + 2);
        text::width(&answer.text) + NUMBER + tag
    });
    let cells = longest.chain(labels).max().unwrap_or(0).clamp(60, 160) + 4;
    let width = u16::try_from(cells).unwrap_or(most).min(most);
    let inner = usize::from(width.saturating_sub(4));
    let lines = asked.pieces(seen, inner).len().max(1);
    let answers: usize = answers.iter().map(|answer| lines_of(&answer.text, inner.saturating_sub(NUMBER)).len()).sum();
    (width, u16::try_from(HEAD + lines + answers + 3).unwrap_or(u16::MAX))
}

/// The keys that pick the answers, as they are shown.
fn numbers(keymap: &Keymap, seen: &Seen) -> Vec<String> {
    (1..).zip(&seen.choices).map(|(n, _)| keymap.label(Action::Choose(n))).collect()
}

/// The lines of an answer in so many cells.
fn lines_of(answer: &str, cells: usize) -> Vec<Range<usize>> {
    let mut lines = text::flow(answer, cells, cells);
    if lines.is_empty() {
        lines.push(0..0);
    }
    lines
}

/// What stands where in the box.
#[derive(Clone, Debug)]
pub struct Parts {
    /// Who asks, where there is room for it.
    head: Rect,
    /// The request.
    pub request: Rect,
    /// The row below it: how much of it is out of view.
    between: Rect,
    /// Cells of the keys before the answers.
    indent: usize,
    /// The answers: the rows of each that are in view, its lines and its words.
    answers: Vec<(Rect, Vec<Range<usize>>, Answer)>,
}

impl Parts {
    /// Of a box with its borders. The answers come first where there is no room for all, who asks last.
    #[must_use]
    pub fn of(area: Rect, keymap: &Keymap, seen: &Seen, asked: &Asked) -> Self {
        let mut rest = Rect {
            x: area.x + 2,
            y: area.y + 1,
            width: area.width.saturating_sub(4),
            height: area.height.saturating_sub(2),
        };
        let widest = numbers(keymap, seen).iter().map(|number| text::width(number) + 1).max();
        let indent = widest.unwrap_or(0).max(NUMBER);
        let cells = usize::from(rest.width).saturating_sub(indent);
        let lined = |answer: Answer| (lines_of(&answer.text, cells), answer);
        let answers: Vec<_> = asked.answers(seen).into_iter().map(lined).collect();
        let rows: usize = answers.iter().map(|(lines, _)| lines.len()).sum();
        let mut below = take_bottom(&mut rest, u16::try_from(rows).unwrap_or(u16::MAX));
        let between = take_bottom(&mut rest, 1);
        let lines = asked.pieces(seen, rest.width.into()).len().max(1);
        let roomy = usize::from(rest.height) >= HEAD + lines.min(LEAST);
        let head = take_top(&mut rest, if roomy { HEAD } else { 0 });
        let placed = answers.into_iter().map(|(lines, answer)| (take_top(&mut below, lines.len()), lines, answer));
        Self { head, request: rest, between, indent, answers: placed.collect() }
    }

    /// The answer in a row of the screen, counted from 0.
    #[must_use]
    pub fn choice_at(&self, y: u16) -> Option<usize> {
        self.answers.iter().position(|(rows, ..)| (rows.top()..rows.bottom()).contains(&y))
    }
}

/// ```text
/// ╭ Answer api:2.0 ──────────────────────────── answer by 14:04:09 ╮
/// │ ▲ permission 2m14s · claude 2.1 · box · /home/u/src/web · main │
/// │ ────────────────────────────────────────────────────────────── │
/// │ Bash command                                                   │
/// │   npm publish                                                  │
/// │ ▲ 3 rows above  ▼ 0 below  pgup pgdn                           │
/// │ 1 Yes                                                          │
/// │ 2 Yes, and don't ask again for `npm *`        beyond this once │
/// │ 3 No                                                           │
/// ╰───────────────────────────────── number or enter  esc leave ─╯
/// ```
/// The request in its own colours, and the answers below it.
pub(super) fn draw(
    c: &mut Canvas,
    area: Rect,
    (state, key): (&State, AgentKey),
    (seen, asked, at): (&Seen, &Asked, Option<usize>),
    lines: &Preview,
) {
    let keymap = &state.keymap;
    let numbers = numbers(keymap, seen);
    let all = |fits: fn(&String) -> bool| numbers.iter().all(fits);
    let number = if all(|label| label.parse::<u8>().is_ok()) { "number".to_owned() } else { numbers.join(" ") };
    let leave = hints(keymap, &[(&[Action::Leave], "leave")]);
    let keys = format!("{number} or {}  {leave}", keymap.label(Action::Accept));
    let agent = state.fleet.agent(key);
    let by = agent.and_then(|agent| answer_by(agent, state.now, &state.zone)).unwrap_or_default();
    let title = format!("Answer {}", state.place(key));
    c.frame(area, &Frame { title: &title, keys: &keys, value: &by, focus: true, ..Frame::default() });
    let parts = Parts::of(area, keymap, seen, asked);
    if let Some(agent) = agent {
        head(c, parts.head, state, agent);
    }
    let request = parts.request;
    if asked.screen.is_none() && request.height > 0 {
        c.text(request.x, request.y, request.width, "Reading the pane: its request is shown first …", c.theme.muted);
    }
    let pieces = asked.pieces(seen, request.width.into());
    let view = asked.view(pieces.len(), request.height.into());
    for (y, piece) in (request.y..request.bottom()).zip(&pieces[view.clone()]) {
        lines.draw_part(c, request.x, y, request.width, piece.row, piece.bytes.clone());
    }
    let hint = match (view.start, pieces.len() - view.end) {
        (0, 0) => String::new(),
        (above, below) => {
            let unread = asked.unread(pieces.len());
            let must = if unread > 0 { format!(", {unread} of them not seen yet") } else { String::new() };
            let keys = [Action::PrevPage, Action::NextPage].map(|action| keymap.label(action)).join(" ");
            format!("▲ {above} rows above{must}  ▼ {below} below  {keys}")
        }
    };
    if parts.between.height > 0 {
        c.text(request.x, parts.between.y, request.width, &hint, c.theme.key);
    }
    for (i, (rows, lines, answer)) in parts.answers.iter().enumerate() {
        choice(c, *rows, (&numbers[i], parts.indent), lines, answer);
        if Some(i) == at {
            c.style(Rect { x: area.x + 1, width: area.width.saturating_sub(2), ..*rows }, c.theme.select);
            for y in rows.top()..rows.bottom() {
                c.text(area.x + 1, y, 1, "▌", c.theme.focus);
            }
        }
    }
}

/// An answer, in full: what it means beyond this once stands out, and is said beside it where there is room.
fn choice(c: &mut Canvas, rows: Rect, (number, indent): (&str, usize), lines: &[Range<usize>], answer: &Answer) {
    let theme = c.theme;
    let indent = u16::try_from(indent).unwrap_or(0);
    let words = &answer.text;
    let lasts = beyond(words);
    // Its label, what is told of it below, and from where on it lasts.
    let from = lasts.as_ref().map_or(words.len(), |(bytes, _)| bytes.start);
    let label = answer.label.min(from);
    for (y, line) in (rows.top()..rows.bottom()).zip(lines) {
        if y == rows.top() {
            c.text(rows.x, y, indent, number, theme.key);
        }
        let (a, b) = (label.clamp(line.start, line.end), from.clamp(line.start, line.end));
        let pieces =
            [(&words[line.start..a], theme.text), (&words[a..b], theme.muted), (&words[b..line.end], theme.warn)];
        let end = c.pieces(rows.x + indent, y, rows.width.saturating_sub(indent), &pieces);
        let tag = lasts.as_ref().filter(|_| y + 1 == rows.bottom()).map_or("", |(_, reach)| reach.words());
        let wide = u16::try_from(text::width(tag)).unwrap_or(0);
        if end + 2 + wide <= rows.right() {
            c.right(rows.right(), y, wide, tag, theme.muted);
        }
    }
}

/// Who asks, for how long and where it is.
fn head(c: &mut Canvas, area: Rect, state: &State, agent: &Agent) {
    if area.height == 0 {
        return;
    }
    let theme = c.theme;
    let said = word(agent.state, agent.kind.as_deref());
    let said = format!("{} {said} {}", tone(agent).glyph(), format::age(agent.since, state.now));
    let version = agent.version.as_ref().map_or_else(String::new, |version| format!(" {version}"));
    let mut more = format!(" · {}{version}", agent.agent);
    if state.fleet.several() {
        let host = host_of(agent);
        let here = if host == "·" { "this machine" } else { host.as_ref() };
        more = format!("{more} · on {here}");
    }
    let branch = agent.branch.as_ref().map_or_else(String::new, |branch| format!(" · {branch}"));
    let note = agent.note.as_ref().map_or_else(String::new, |note| format!(" · {note}"));
    // The end of a folder tells it apart, where there is no room for all.
    let used = text::width(&said) + text::width(&more) + text::width(&branch) + 3;
    let room = usize::from(area.width).saturating_sub(used);
    let folder = agent.cwd.as_deref().filter(|_| room >= 8).unwrap_or_default();
    let folder = if folder.is_empty() { String::new() } else { format!(" · {}", text::fit_end(folder, room)) };
    let pieces = [
        (said.as_str(), theme.tone(tone(agent))),
        (more.as_str(), theme.text),
        (folder.as_str(), theme.value),
        (branch.as_str(), theme.muted),
        (note.as_str(), theme.text),
    ];
    c.pieces(area.x, area.y, area.width, &pieces);
    if area.height > 1 {
        c.text(area.x, area.y + 1, area.width, &"─".repeat(area.width.into()), theme.faint);
    }
}
