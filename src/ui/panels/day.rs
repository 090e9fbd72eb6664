//! The day of the agents: a strip for each, with the time above; of the selected one its sums and its waits.

use ratatui::layout::{Margin, Position, Rect};

use crate::app::core::action::Action;
use crate::app::core::day::{Known, Span, Track, axis, shown};
use crate::app::core::fleet::AgentKey;
use crate::app::core::format;
use crate::app::core::heights::Room;
use crate::app::core::message::Hit;
use crate::app::core::state::State;
use crate::app::core::text::{fit, fit_end, fit_sentence, left, width, wrap};
use crate::app::core::view::{Main, Panel};
use crate::app::core::words::{Tone, tone, word};
use crate::monitor::AgentState;
use crate::ui::canvas::{Canvas, Frame};
use crate::ui::panels::{DrawContext, Section, hints};
use crate::ui::slot::{Class, Slot, take_bottom, take_top};

/// It has the place of the agents while it is open.
pub(super) const SECTION: Section = Section {
    shows: |state| state.view.main == Main::Day,
    room: |_, class, rect| Room { rows: Parts::of(class, rect).rows.height.into(), ..Room::default() },
    hit,
    ..Section::new(Some(Panel::Agents), Slot::Main, "History", draw)
};

/// Cells of the time that an agent waited, behind its strip, with the gap before it.
const WAITED: u16 = 8;

/// The states whose time is told of, each with what it is called then.
const SUMS: [(AgentState, Tone, &str); 6] = [
    (AgentState::Working, Tone::Working, "worked"),
    (AgentState::Waiting, Tone::NeedsYou, "waited"),
    (AgentState::Idle, Tone::Idle, "idle"),
    (AgentState::Limited, Tone::Limited, "limited"),
    (AgentState::Error, Tone::Error, "error"),
    (AgentState::Exited, Tone::Exited, "exited"),
];

/// What stands where in the panel.
struct Parts {
    /// The time of day.
    axis: Rect,
    rows: Rect,
    /// Sums and waits of the selected one, below a line.
    detail: Rect,
}

impl Parts {
    fn of(class: Class, area: Rect) -> Self {
        let mut rest = if class == Class::Sidebar { area } else { area.inner(Margin::new(1, 1)) };
        let detail = if rest.height >= 8 { (rest.height / 4).clamp(3, 7) } else { 0 };
        let detail = take_bottom(&mut rest, detail);
        let head = usize::from(rest.height >= 2);
        let axis = take_top(&mut rest, head);
        Self { axis, rows: rest, detail }
    }
}

/// A row: its agent, where that is there, and what it did.
type Row<'a> = (Option<AgentKey>, &'a Track);

/// Cells of the names, and where the strips begin and how wide they are.
struct Columns {
    name: usize,
    agent: usize,
    strip: (u16, u16),
    waited: bool,
}

impl Columns {
    fn of(area: Rect, rows: &[Row], state: &State) -> Self {
        let widest = |of: &dyn Fn(&Row) -> usize| rows.iter().map(of).max().unwrap_or(0);
        let name = widest(&|row| width(&called(state, row))).clamp(4, usize::from(area.width / 4).max(6));
        let agent = if area.width >= 70 { widest(&|(_, track)| width(&track.agent)).min(10) } else { 0 };
        let begin = u16::try_from(3 + name + 1 + if agent > 0 { agent + 1 } else { 0 }).unwrap_or(area.width);
        let waited = area.width >= 50;
        let end = area.width.saturating_sub(if waited { WAITED } else { 0 } + 1);
        Self { name, agent, strip: (area.x + begin, end.saturating_sub(begin)), waited }
    }
}

/// What a row's agent is called now; of one that is gone, its last place.
fn called(state: &State, (key, track): &Row) -> String {
    key.and_then(|key| state.fleet.agent(key)).map_or_else(|| track.target.clone(), |agent| state.called(agent))
}

/// What stands for a state in a strip.
fn cell(tone: Tone) -> &'static str {
    match tone {
        Tone::Working => "█",
        Tone::Idle => "·",
        tone => tone.glyph(),
    }
}

/// ```text
/// ╭ History since 07:50 ──────────────────────────────────────────────────────────── 3 ╮
/// │                   08:00     09:00     10:00     11:00     12:00     13:00   WAITED  │
/// │▌▲ api:2.0 claude  ····███████▲▲████✓✓✓···███████████▲▲▲▲▲▲▲▲███████████▲       41m  │
/// │ ● api:1.0 claude  ··████████████████████····████████████████████████████         -  │
/// │ × old:1.0 codex          ███████▲██×                                            4m  │
/// │ ─────────────────────────────────────────────────────────────────────────────────── │
/// │ api:2.0 claude  █ worked 3h12m  ▲ waited 41m in 3, longest 31m  · idle 1h02m        │
/// │ waits: 13:58 permission 2m14s · 12:01 question 31m · 09:12 permission 8m            │
/// ╰──────────────────────────────────────────────────────────── enter jump  h back ─╯
/// ```
fn draw(c: &mut Canvas, area: Rect, context: &DrawContext) {
    let state = context.state;
    let rows = state.day_rows();
    let span = state.day.day().map(|day| shown(day, rows.iter().map(|(_, track)| *track)));
    let since = span.map(|(from, _)| format!("since {}", format::minute(from, &state.zone))).unwrap_or_default();
    let note = if matches!(state.day, Known::Reading(_)) { format!("{since} …") } else { since };
    let keys = hints(&state.keymap, &[(&[Action::Jump], "jump"), (&[Action::Day], "back")]);
    let value = if span.is_some() { rows.len().to_string() } else { String::new() };
    if context.class != Class::Sidebar {
        SECTION.frame(c, area, state, Frame { note: note.trim(), value: &value, keys: &keys, ..Frame::default() });
    }
    let parts = Parts::of(context.class, area);
    let Some(span) = span.filter(|_| !rows.is_empty()) else {
        return instead(c, Rect { height: parts.axis.height + parts.rows.height, ..parts.axis }, state);
    };
    let columns = Columns::of(parts.rows, &rows, state);
    let (x, cells) = columns.strip;
    if parts.axis.height > 0 {
        for (cell, words) in axis(span, cells.into(), &state.zone) {
            c.text(x + u16::try_from(cell).unwrap_or(0), parts.axis.y, 5, &words, c.theme.muted);
        }
        if columns.waited {
            c.right(parts.axis.right().saturating_sub(1), parts.axis.y, WAITED, "WAITED", c.theme.muted);
        }
    }
    let at = state.day_row.min(rows.len() - 1);
    let first = first_row(at, parts.rows);
    for ((n, row), y) in rows.iter().enumerate().skip(first).zip(parts.rows.top()..parts.rows.bottom()) {
        strip(c, Rect { y, height: 1, ..parts.rows }, state, row, &columns, span);
        if n == at {
            c.style(Rect { y, height: 1, ..parts.rows }, c.theme.select);
            c.text(parts.rows.x, y, 1, "▌", c.theme.focus);
        }
    }
    detail(c, parts.detail, state, &rows[at]);
}

/// The first row in view, with the cursor at this one.
fn first_row(at: usize, rows: Rect) -> usize {
    (at + 1).saturating_sub(usize::from(rows.height).max(1))
}

/// What stands where no day is: that it is read, why it cannot be, or that there is nothing in it.
fn instead(c: &mut Canvas, area: Rect, state: &State) {
    let (words, style) = match &state.day {
        Known::Failed(why) => (why.clone(), c.theme.warn),
        Known::Nothing | Known::Reading(None) => ("Reading the journal …".to_owned(), c.theme.muted),
        Known::Reading(Some(_)) | Known::Read(_) => {
            let words = "Nothing was watched today: `tmux-orc monitor start` keeps an engine and its journal running.";
            (words.to_owned(), c.theme.muted)
        }
    };
    let room = usize::from(area.width.saturating_sub(3));
    for (line, y) in
        wrap(&words, room, area.height.into()).iter().zip(area.y + u16::from(area.height > 2)..area.bottom())
    {
        c.text(area.x + 2, y, area.width.saturating_sub(3), line, style);
    }
}

/// One agent's day in a row.
fn strip(
    c: &mut Canvas,
    rect: Rect,
    state: &State,
    row @ (key, track): &Row,
    columns: &Columns,
    span: (jiff::Timestamp, jiff::Timestamp),
) {
    let theme = c.theme;
    let agent = key.and_then(|key| state.fleet.agent(key));
    let (glyph, style) = agent.map_or(("×", theme.faint), |agent| (tone(agent).glyph(), theme.tone(tone(agent))));
    let words = if agent.is_some() { theme.text } else { theme.muted };
    let name = left(&fit_end(&called(state, row), columns.name), columns.name);
    let program = left(&fit(&track.agent, columns.agent), columns.agent);
    let pieces = [(glyph, style), (" ", style), (&name, words), (" ", words), (&program, theme.muted)];
    c.pieces(rect.x + 1, rect.y, rect.width.saturating_sub(1), &pieces);
    let (x, cells) = columns.strip;
    for (tone, x) in track.cells(span, cells.into()).into_iter().zip(x..) {
        if let Some(tone) = tone {
            c.text(x, rect.y, 1, cell(tone), theme.tone(tone));
        }
    }
    if columns.waited {
        let waited = track.seconds(AgentState::Waiting);
        let text = if waited > 0 { format::seconds(waited) } else { format::NONE.to_owned() };
        c.right(rect.right().saturating_sub(1), rect.y, WAITED - 1, &text, theme.muted);
    }
}

/// Sums and waits of one agent, the latest first.
fn detail(c: &mut Canvas, mut area: Rect, state: &State, row: &Row) {
    if area.height < 2 {
        return;
    }
    let theme = c.theme;
    let rule = take_top(&mut area, 1);
    let inner = Rect { x: area.x + 1, width: area.width.saturating_sub(2), ..area };
    c.text(rule.x + 1, rule.y, rule.width.saturating_sub(2), &"─".repeat(inner.width.into()), theme.faint);
    let track = row.1;
    let waits = track.waits();
    let mut x =
        c.text(inner.x, inner.y, inner.width, &format!("{} {}", called(state, row), track.agent), theme.text) + 2;
    for (of, tone, called) in SUMS {
        let seconds = track.seconds(of);
        if seconds == 0 || x >= inner.right() {
            continue;
        }
        let mut words = format!("{} {called} {}", cell(tone), format::seconds(seconds));
        if of == AgentState::Waiting {
            let longest = waits.iter().map(Span::seconds).max().unwrap_or(0);
            words.push_str(&match waits.len() {
                1 => " once".to_owned(),
                many => format!(" in {many}, longest {}", format::seconds(longest)),
            });
        }
        x = c.text(x, inner.y, inner.right() - x, &words, theme.tone(tone)) + 2;
    }
    let told: Vec<String> = waits.iter().rev().map(|wait| told(state, wait)).collect();
    let words = if told.is_empty() { "no waits".to_owned() } else { format!("waits: {}", told.join(" · ")) };
    let rows = usize::from(inner.height.saturating_sub(1));
    let mut lines = wrap(&words, inner.width.into(), rows);
    if state.fleet.members().iter().any(|member| member.label.host.is_some()) && rows > lines.len() {
        lines.push("Hosts keep their own journals: `tmux-orc report --host NAME` tells of them.".into());
    }
    for (line, y) in lines.iter().zip(inner.y + 1..inner.bottom()) {
        c.text(inner.x, y, inner.width, &fit_sentence(line, inner.width.into()), theme.muted);
    }
}

/// `13:58 permission 2m14s`.
fn told(state: &State, wait: &Span) -> String {
    let what = word(wait.state, wait.kind.as_deref());
    format!("{} {what} {}", format::minute(wait.since, &state.zone), format::seconds(wait.seconds()))
}

/// The agent in a row.
fn hit(state: &State, class: Class, rect: Rect, at: Position) -> Option<Hit> {
    let rows = Parts::of(class, rect).rows;
    let row = rows.contains(at).then(|| usize::from(at.y - rows.y))?;
    let all = state.day_rows().len();
    let row = first_row(state.day_row.min(all.saturating_sub(1)), rows) + row;
    (row < all).then_some(Hit::Day(row))
}
