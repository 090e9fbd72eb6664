//! The list to pick an agent from, over all of the screen: what is searched, the agents, the screen of the one under the
//! cursor.

use ratatui::{
    layout::{Position, Rect},
    style::Style,
};
use tui_input::Input;

use crate::app::core::action::Action;
use crate::app::core::fleet::AgentKey;
use crate::app::core::keymap::Keymap;
use crate::app::core::pick::picks;
use crate::app::core::state::State;
use crate::app::core::text::{fit_end, fit_sentence, left, right, width};
use crate::app::core::words::{tone, word};
use crate::app::core::{format, request};
use crate::monitor::Agent;
use crate::ui::canvas::{Canvas, Frame};
use crate::ui::panels::overlay::entry;
use crate::ui::panels::{Preview, hints};

/// From how many columns on the screen stands beside the list.
const BESIDE: u16 = 150;
/// From how many rows on it stands below.
const BELOW: u16 = 12;
/// Most cells of a place.
const PLACE: usize = 28;

/// Where its parts are.
struct Parts {
    /// What is searched.
    entry: Rect,
    /// The agents.
    list: Rect,
    /// The screen of the one under the cursor.
    preview: Rect,
}

impl Parts {
    fn of(area: Rect) -> Self {
        let inner = inner(area);
        let entry = Rect { height: inner.height.min(1), ..inner };
        let rest = Rect { y: inner.y + entry.height, height: inner.height - entry.height, ..inner };
        let (list, preview) = if inner.width >= BESIDE {
            let list = rest.width * 11 / 20;
            let x = rest.x + list + 1;
            (Rect { width: list, ..rest }, Rect { x, width: rest.right() - x, ..rest })
        } else if rest.height >= BELOW {
            let list = rest.height / 2;
            let y = rest.y + list + 1;
            (Rect { height: list, ..rest }, Rect { y, height: rest.bottom() - y, ..rest })
        } else {
            (rest, Rect { height: 0, ..rest })
        };
        Self { entry, list, preview }
    }
}

fn inner(area: Rect) -> Rect {
    let (width, height) = (area.width.saturating_sub(2), area.height.saturating_sub(2));
    Rect { x: area.x + 1, y: area.y + 1, width, height }
}

/// ```text
/// ╭ Go to an agent ──────────────────────────────────────── 12 ╮
/// │ > cla                                                      │
/// │▌▲ api:2.0  claude  permission  12m  rm -rf build │ screen  │
/// │ ● web:1.0  claude  working      2m  Running the… │ of it   │
/// ╰────────────────────────────────────────────────────────────╯
/// ```
pub(super) fn draw(
    c: &mut Canvas,
    area: Rect,
    state: &State,
    (input, key): (&Input, Option<AgentKey>),
    preview: &Preview,
) -> Position {
    let theme = c.theme;
    let listed = picks(state, input.value());
    let count = if listed.len() == state.fleet.len() {
        listed.len().to_string()
    } else {
        format!("{} of {}", listed.len(), state.fleet.len())
    };
    c.frame(
        area,
        &Frame {
            title: "Go to an agent",
            value: &count,
            value_style: Some(theme.muted),
            focus: true,
            ..Frame::default()
        },
    );
    let parts = Parts::of(area);
    let cursor = entry(c, parts.entry, "> ", input);
    if listed.is_empty() && parts.list.height > 1 {
        let words = match (state.fleet.is_empty(), state.loading()) {
            (true, true) => "Looking for agents …",
            (true, false) => "No agents yet: start one in any pane.",
            (false, _) => "Nothing matches.",
        };
        c.text(parts.list.x + 1, parts.list.y + 1, parts.list.width.saturating_sub(2), words, theme.muted);
        return cursor;
    }
    rows(c, parts.list, state, &listed, key);
    if parts.preview.height == 0 || parts.preview.width == 0 {
        return cursor;
    }
    if parts.preview.x > parts.list.x {
        for y in parts.preview.top()..parts.preview.bottom() {
            c.text(parts.preview.x - 1, y, 1, "│", theme.border);
        }
    } else {
        let rule = "─".repeat(parts.preview.width.into());
        c.text(parts.preview.x, parts.preview.y - 1, parts.preview.width, &rule, theme.border);
    }
    if key.and_then(|key| state.fleet.preview(key)).is_some() {
        // A pane's own colours are made for the terminal's own ground.
        c.clear(parts.preview, Style::reset());
        preview.draw_end(c, parts.preview, 0);
    } else {
        c.text(
            parts.preview.x + 1,
            parts.preview.y,
            parts.preview.width.saturating_sub(2),
            "Reading the pane …",
            theme.muted,
        );
    }
    cursor
}

fn rows(c: &mut Canvas, area: Rect, state: &State, listed: &[(AgentKey, &Agent)], key: Option<AgentKey>) {
    let theme = c.theme;
    let cells =
        |of: &dyn Fn(&(AgentKey, &Agent)) -> usize, most: usize| listed.iter().map(of).max().unwrap_or(0).min(most);
    let place = cells(&|(_, agent)| width(&state.called(agent)), PLACE.min(usize::from(area.width / 3)));
    let program = cells(&|(_, agent)| width(&agent.agent), 10);
    let kind = cells(&|(_, agent)| width(&word(agent.state, agent.kind.as_deref())), 12);
    let first = first_row(area, listed, key);
    for (row, (at, agent)) in listed.iter().skip(first).take(area.height.into()).enumerate() {
        let y = area.y + u16::try_from(row).unwrap_or(0);
        let tone = tone(agent);
        let style = theme.tone(tone);
        let name = left(&fit_end(&state.called(agent), place), place);
        let (age, word) = (format::age(agent.since, state.now), word(agent.state, agent.kind.as_deref()));
        // The sign, four gaps and the age.
        let taken = 3 + place + program + kind + 5 + 8;
        let what = fit_sentence(what(agent), usize::from(area.width).saturating_sub(taken)).into_owned();
        let (program, word, age) = (left(&agent.agent, program), left(&word, kind), right(&age, 5));
        let gap = ("  ", theme.muted);
        let pieces = [
            (" ", theme.text),
            (tone.glyph(), style),
            (" ", theme.text),
            (&*name, theme.value),
            gap,
            (&*program, theme.muted),
            gap,
            (&*word, style),
            gap,
            (&*age, theme.muted),
            gap,
            (&*what, theme.text),
        ];
        c.pieces(area.x, y, area.width, &pieces);
        if Some(*at) == key {
            c.style(Rect { y, height: 1, ..area }, theme.select);
            c.text(area.x, y, 1, "▌", theme.focus);
        }
    }
}

/// What it asks, or has said last.
fn what(agent: &Agent) -> &str {
    if request::asks(agent) {
        return agent.asks.as_ref().map_or("", |asks| asks.line.trim());
    }
    agent.doing.as_deref().unwrap_or_default()
}

/// The first row in view: the one under the cursor is.
fn first_row(area: Rect, listed: &[(AgentKey, &Agent)], key: Option<AgentKey>) -> usize {
    let at = listed.iter().position(|(listed, _)| Some(*listed) == key).unwrap_or(0);
    (at + 1).saturating_sub(usize::from(area.height).max(1))
}

/// The row of the list at a cell, from 0.
pub(in crate::ui) fn row_at(
    state: &State,
    area: Rect,
    (input, key): (&Input, Option<AgentKey>),
    position: Position,
) -> Option<usize> {
    let list = Parts::of(area).list;
    let listed = picks(state, input.value());
    let row = first_row(list, &listed, key) + usize::from(position.y.checked_sub(list.y)?);
    (list.contains(position) && row < listed.len()).then_some(row)
}

/// What the keys do, for the bottom line.
pub(super) fn keys(keymap: &Keymap) -> String {
    let rows: [(&[Action], &str); 3] =
        [(&[Action::Accept], "go there"), (&[Action::PrevItem, Action::NextItem], "move"), (&[Action::Leave], "leave")];
    format!("type to search  {}", hints(keymap, &rows))
}
