//! What every list of agents on the screen has: its border's words, heads, heads of groups, rows, and what is hit.

use ratatui::{
    layout::{Position, Rect},
    style::{Modifier, Style},
};

use crate::app::core::action::Action;
use crate::app::core::column::Column;
use crate::app::core::fleet::{AgentKey, Place};
use crate::app::core::format;
use crate::app::core::grouping::Grouping;
use crate::app::core::heights::Room;
use crate::app::core::hosts;
use crate::app::core::list::{Line, Sort};
use crate::app::core::message::Hit;
use crate::app::core::scrolling::InView;
use crate::app::core::state::State;
use crate::app::core::text::{fit_end, fit_sentence, width};
use crate::app::core::update::fresh;
use crate::app::core::view::Panel;
use crate::app::core::words::{TONES, Tone, tone, word};
use crate::monitor::Agent;
use crate::ui::canvas::Canvas;
use crate::ui::panels::columns::Placed;
use crate::ui::panels::tidy;
use crate::ui::slot::Class;

/// The room of a list that takes all of its section: below its head in a border, or without both where it is narrow.
pub(super) fn room(_: &State, class: Class, rect: Rect) -> Room {
    let rows = if class == Class::Sidebar { rect.height } else { rect.height.saturating_sub(3) };
    Room { rows: rows.into(), ..Room::default() }
}

/// How many agents there are, and of them how many are listed.
pub(super) fn shown(state: &State) -> String {
    let all = state.fleet.len();
    let listed = state.list.agents(&state.fleet).count();
    if listed == all { all.to_string() } else { format!("{listed} of {all}") }
}

/// Sorting, grouping and filter, as far as they are not the usual.
pub(super) fn note(state: &State) -> String {
    let list = &state.list;
    let mut parts = Vec::new();
    if list.sort != Sort::Need || list.reverse {
        parts.push(format!("by {}{}", list.sort, if list.reverse { " ↑" } else { " ↓" }));
    }
    if list.grouping != Grouping::None {
        parts.push(format!("by {}", list.grouping));
    }
    if !list.filter.is_empty() {
        parts.push(format!("/{}", list.filter));
    }
    parts.join(" · ")
}

/// `8 of 12 ▼` when not all lines are in view.
pub(super) fn place(state: &State) -> String {
    let list = &state.list;
    let shown = list.in_view();
    let lines = list.lines.len();
    let end = (list.top + shown.len()).min(lines);
    if shown.is_empty() || shown.len() >= lines {
        return String::new();
    }
    // Agents are counted, the heads of their groups are none.
    let is_agent = |line: &Line| matches!(line, Line::Agent(_));
    let all = list.lines.iter().filter(|line| is_agent(line)).count();
    let seen = shown.iter().filter(|shown| is_agent(&shown.line)).count();
    let above = list.lines[..end].iter().filter(|line| is_agent(line)).count().saturating_sub(seen);
    let up = if list.top > 0 { "▲" } else { " " };
    let down = if end < lines { "▼" } else { " " };
    format!("{}–{} of {all} {up}{down}", above + 1, above + seen)
}

/// The heads of the columns; the one that is sorted by stands out.
pub(super) fn head(c: &mut Canvas, inner: Rect, columns: &[Placed], state: &State) {
    let list = &state.list;
    for placed in columns {
        let sorted = list.sort != Sort::Need && placed.row.sort == Some(list.sort);
        let style = if sorted { c.theme.value } else { c.theme.muted };
        let x = inner.x + placed.x;
        let words = placed.row.head;
        if placed.row.right {
            c.right(x + placed.width, inner.y, placed.width, words, style);
        } else {
            // Beside the glyph, where it has a word.
            let beside = if placed.row.column == Column::State { 2 } else { 0 };
            c.text(x + beside, inner.y, placed.width.saturating_sub(beside), words, style);
        }
    }
}

/// The lines in view, each drawn by `row` into the rows that it has; where nothing matches the filter that is said.
pub(super) fn rows(c: &mut Canvas, area: Rect, state: &State, row: impl Fn(&mut Canvas, Rect, (AgentKey, &Agent))) {
    let list = &state.list;
    if list.lines.is_empty() {
        nothing(c, area, state);
    }
    for shown in list.in_view() {
        let rect = part(area, &shown);
        if rect.height == 0 {
            break;
        }
        match shown.line {
            Line::Head(first) => head_of(c, rect, state, first),
            Line::Host(at) => lost(c, rect, state, at),
            Line::Aside { parked, snoozed } => tidy::aside(c, rect, state, (parked, snoozed)),
            Line::Agent(place) => {
                let Some((key, agent)) = state.fleet.at(place) else { continue };
                row(c, rect, (key, agent));
                if list.selected == Some(key) {
                    // The blank row between two agents is neither's.
                    let own = list.level().min(2) + list.request(key);
                    let rect = Rect { height: rect.height.min(u16::try_from(own).unwrap_or(u16::MAX)), ..rect };
                    c.style(rect, c.theme.select);
                    let bar = if state.view.focus == Panel::Agents { c.theme.focus } else { c.theme.muted };
                    for y in rect.top()..rect.bottom() {
                        c.text(rect.x, y, 1, "▌", bar);
                    }
                }
            }
        }
    }
}

/// That no agent matches the filter, or that all are out of the way.
pub(super) fn nothing(c: &mut Canvas, area: Rect, state: &State) {
    if area.height < 2 {
        return;
    }
    let filtered = !state.list.filter.trim().is_empty();
    let key = state.keymap.label(if filtered { Action::Back } else { Action::Aside });
    let how = match (key.is_empty(), filtered) {
        (true, _) => String::new(),
        (_, true) => format!("  {key} shows all."),
        (_, false) => format!("  {key} shows them in the list."),
    };
    let what =
        if filtered { format!("Nothing matches \"{}\".", state.list.filter) } else { format!("{}.", state.aside()) };
    let words = format!("{what}{how}");
    c.text(area.x + 2, area.y + 1, area.width.saturating_sub(3), &words, c.theme.muted);
}

/// Where a line in view stands in the area of the list.
fn part(area: Rect, shown: &InView) -> Rect {
    let cells = |n: usize| u16::try_from(n).unwrap_or(u16::MAX);
    let y = cells(shown.y).min(area.height);
    Rect { y: area.y + y, height: cells(shown.rows).min(area.height - y), ..area }
}

/// A host that is not reached: one line stands for all that is known of it.
fn lost(c: &mut Canvas, rect: Rect, state: &State, at: usize) {
    let Some(host) = state.fleet.hosts().get(at) else { return };
    let style = c.theme.tone(hosts::tone(host));
    let keys = state.keymap.label(Action::Hosts);
    let hint = if keys.is_empty() { String::new() } else { format!("{keys} hosts") };
    let hint_width = u16::try_from(width(&hint)).unwrap_or(0);
    let room = rect.width.saturating_sub(3);
    let words = hosts::line(host, &state.fleet, state.now);
    let fits = width(&words) + usize::from(hint_width) + 4 <= room.into();
    c.pieces(
        rect.x + 1,
        rect.y,
        room,
        &[(hosts::glyph(host), style), (" ", style), (&fit_sentence(&words, room.saturating_sub(2).into()), style)],
    );
    if fits {
        c.right(rect.right().saturating_sub(1), rect.y, hint_width, &hint, c.theme.muted);
    }
}

/// The column of a head, by its place among `columns`.
pub(super) fn hit_head(columns: &[Placed], area: Rect, at: Position) -> Option<Hit> {
    let x = at.x.saturating_sub(area.x);
    let placed = columns.iter().find(|placed| (placed.x..=placed.x + placed.width).contains(&x))?;
    placed.row.sort.map(Hit::Header)
}

/// The agent in a row of the lines in view.
pub(super) fn hit_row(state: &State, area: Rect, at: Position) -> Option<Hit> {
    let shown = state.list.in_view();
    match shown.iter().find(|shown| part(area, shown).contains(at))?.line {
        Line::Agent(place) => state.fleet.at(place).map(|(key, _)| Hit::Agent(key)),
        Line::Head(_) => None,
        Line::Host(_) => Some(Hit::Key(Action::Hosts)),
        Line::Aside { .. } => Some(Hit::Key(Action::Aside)),
    }
}

/// How an agent's row is drawn: its state, what calls for the user, and the rest.
pub(super) struct Styles {
    /// Of the state.
    pub(super) toned: Style,
    /// Of the words of a row.
    pub(super) plain: Style,
    /// Its user is needed.
    pub(super) needs: bool,
}

impl Styles {
    /// Those of an agent.
    pub(super) fn of(c: &Canvas, state: &State, agent: &Agent) -> Self {
        let tone_of = tone(agent);
        let quiet = agent.is_aside() || matches!(tone_of, Tone::Idle | Tone::Exited | Tone::Unknown);
        Self {
            toned: tone_style(c, state, agent),
            plain: if quiet { c.theme.muted } else { c.theme.text },
            needs: tone_of == Tone::NeedsYou && !agent.is_aside(),
        }
    }
}

/// A value of an agent's row that is drawn the same in every list.
pub(super) fn cell(c: &mut Canvas, rect: Rect, placed: &Placed, state: &State, agent: &Agent, styles: &Styles) {
    let theme = c.theme;
    let (x, room) = (rect.x + placed.x, placed.width);
    let Styles { toned, plain, needs } = *styles;
    match placed.row.column {
        Column::State => {
            let words = word(agent.state, agent.kind.as_deref());
            c.pieces(x, rect.y, room, &[(tone(agent).glyph(), toned), (" ", toned), (&words, toned)]);
        }
        Column::For => {
            let style = if needs { toned } else { theme.muted };
            c.right(x + room, rect.y, room, &format::age(agent.since, state.now), style);
        }
        Column::Agent => {
            let version = agent.version.as_ref().filter(|_| placed.roomy);
            let version = version.map(|v| format!(" {v}")).unwrap_or_default();
            c.pieces(x, rect.y, room, &[(&agent.agent, plain), (&version, theme.muted)]);
        }
        Column::Context => context(c, x, rect.y, room, agent),
        column => {
            let row = placed.row;
            let value = (row.value)(agent).unwrap_or(format::NONE.into());
            let style = if column == Column::Target && needs {
                toned
            } else if column.stays() {
                plain
            } else {
                theme.muted
            };
            let value = if row.keeps_end { fit_end(&value, room.into()) } else { value };
            if row.right {
                c.right(x + room, rect.y, room, &value, style);
            } else {
                c.text(x, rect.y, room, &value, style);
            }
        }
    }
}

/// Context left: percent, after a small gauge where there is room for one; tokens in it where its size is not known.
pub(super) fn context(c: &mut Canvas, x: u16, y: u16, room: u16, agent: &Agent) {
    let theme = c.theme;
    let Some(percent) = agent.context_percent.filter(|p| p.is_finite()) else {
        let (text, style) = match agent.tokens.context_used {
            Some(used) => (format::kilo(used), theme.muted),
            None => (format::NONE.to_owned(), theme.faint),
        };
        c.right(x + room, y, room, &text, style);
        return;
    };
    let percent = percent.clamp(0.0, 100.0);
    let low = percent < 10.0;
    if room > 6 {
        c.gauge(x, y, room - 5, Some(percent / 100.0), if low { theme.warn } else { theme.gauge });
    }
    c.right(x + room, y, 4, &format!("{percent:.0}%"), if low { theme.warn } else { theme.muted });
}

/// Head of a group, with its counts.
pub(super) fn head_of(c: &mut Canvas, rect: Rect, state: &State, first: Place) {
    let by = state.list.grouping;
    let Some((_, first)) = state.fleet.at(first) else { return };
    let (name, more) = by.head(first);
    let theme = c.theme;
    let mut x = c.text(
        rect.x + 1,
        rect.y,
        rect.width.saturating_sub(1),
        &fit_end(&name, rect.width.saturating_sub(12).into()),
        theme.title,
    ) + 2;
    for t in TONES {
        let count = state.fleet.agents().filter(|a| by.of(a) == by.of(first) && tone(a) == t && !a.is_aside()).count();
        if count > 0 {
            let words = format!("{} {count}  ", t.glyph());
            x = c.text(x, rect.y, rect.right().saturating_sub(x), &words, theme.tone(t));
        }
    }
    // Where the repository is, as far as there is room for it.
    let room = usize::from(rect.right().saturating_sub(x)).saturating_sub(4).min(width(more));
    if room >= 8 {
        x = c.text(x, rect.y, rect.right().saturating_sub(x), &fit_end(more, room), theme.faint) + 1;
    }
    let rest = "─".repeat(rect.right().saturating_sub(x + 1).into());
    c.text(x, rect.y, rect.right().saturating_sub(x), &rest, theme.faint);
}

/// Style of an agent's row: the state's, bold while it is new and calls for the user, dim while it is stale.
pub(super) fn tone_style(c: &Canvas, state: &State, agent: &Agent) -> Style {
    let tone = tone(agent);
    let mut style = c.theme.tone(tone);
    if agent.is_aside() {
        style = c.theme.muted;
    }
    if tone == Tone::NeedsYou && !agent.is_aside() && fresh(agent.since, state.now) {
        style = style.add_modifier(Modifier::BOLD);
    }
    if agent.stale {
        style = style.add_modifier(Modifier::DIM);
    }
    style
}
