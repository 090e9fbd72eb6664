//! The agents: who needs the user first, and what everybody does.

use ratatui::{
    layout::{Margin, Position, Rect},
    style::Style,
};

use crate::app::core::column::Column;
use crate::app::core::fleet::host_of;
use crate::app::core::format;
use crate::app::core::message::Hit;
use crate::app::core::state::State;
use crate::app::core::text::{fit, fit_end, left, right, width};
use crate::app::core::view::Panel;
use crate::app::core::words::{tone, word};
use crate::monitor::Agent;
use crate::ui::canvas::{Canvas, Frame, block};
use crate::ui::panels::columns::{Placed, columns};
use crate::ui::panels::list::Styles;
use crate::ui::panels::{Section, list};
use crate::ui::slot::{Class, Slot};

/// Its place, its border and what it draws.
pub(super) const SECTION: Section = Section {
    hit,
    ..Section::new(Some(Panel::Agents), Slot::Main, "Agents", |c, area, context| match context.class {
        Class::Sidebar => sidebar(c, area, context.state),
        _ => table(c, area, context.state),
    })
};

/// ```text
/// ╭ Agents ──────────────────────────────────────────────── 12 ╮
/// │  STATE          FOR  AGENT   TARGET   DOING   ACTIVITY  CTX │
/// │▌ ▲ permission 2m14s  claude  api:2.0  publish ▁▂▅▂▁▁▁▁ ▆ 34%│
/// │  ● working    3m02s  claude  api:1.0  tests   ▅▇▆▇▅▇▇▆ ▇ 12%│
/// ╰───────────────────────────────────────────────── 8 of 12 ▼ ─╯
/// ```
fn table(c: &mut Canvas, area: Rect, state: &State) {
    let words =
        Frame { note: &list::note(state), value: &list::shown(state), keys: &list::place(state), ..Frame::default() };
    let inner = SECTION.frame(c, area, state, words);
    if inner.height == 0 {
        return;
    }
    let columns = columns(inner.width, state.fleet.agents(), &state.columns());
    list::head(c, inner, &columns, state);
    let below = Rect { y: inner.y + 1, height: inner.height - 1, ..inner };
    list::rows(c, below, state, |c, rect, agent| row_of(c, rect, &columns, state, agent));
}

/// The agent in a row, or the column of a head.
fn hit(state: &State, class: Class, rect: Rect, at: Position) -> Option<Hit> {
    if class == Class::Sidebar {
        return list::hit_row(state, rect, at);
    }
    let inner = rect.inner(Margin::new(1, 1));
    if at.y == inner.y {
        return list::hit_head(&columns(inner.width, state.fleet.agents(), &state.columns()), inner, at);
    }
    list::hit_row(state, Rect { y: inner.y + 1, height: inner.height.saturating_sub(1), ..inner }, at)
}

fn row_of(c: &mut Canvas, rect: Rect, columns: &[Placed], state: &State, agent: &Agent) {
    let styles = Styles::of(c, state, agent);
    for placed in columns {
        let (x, room) = (rect.x + placed.x, placed.width);
        match placed.row.column {
            Column::Doing => {
                doing(c, x, rect.y, room, agent, if styles.needs { styles.toned } else { styles.plain });
            }
            Column::Activity => activity(c, x, rect.y, room, agent),
            _ => list::cell(c, rect, placed, state, agent, &styles),
        }
    }
}

/// What it does, asks or said last, after its badges.
fn doing(c: &mut Canvas, x: u16, y: u16, room: u16, agent: &Agent, style: Style) {
    let badges = badges(agent);
    let words = agent.doing.as_deref().unwrap_or("");
    let between = if badges.is_empty() || words.is_empty() { "" } else { " · " };
    c.pieces(x, y, room, &[(&badges, c.theme.warn), (between, c.theme.muted), (words, style)]);
}

/// Words for what the state alone does not say.
fn badges(agent: &Agent) -> String {
    let background = (agent.background > 0).then(|| format!("{} in background", agent.background));
    let stale = agent.stale.then(|| "stale".to_owned());
    [stale, background].into_iter().flatten().collect::<Vec<_>>().join(" · ")
}

fn activity(c: &mut Canvas, x: u16, y: u16, room: u16, agent: &Agent) {
    let levels = &agent.activity;
    let from = levels.len().saturating_sub(room.into());
    let start = room - u16::try_from(levels.len() - from).unwrap_or(room);
    for (i, level) in levels[from..].iter().enumerate() {
        let at = x + start + u16::try_from(i).unwrap_or(0);
        let style = if *level == 0 { c.theme.faint } else { c.theme.gauge };
        c.text(at, y, 1, block(*level), style);
    }
}

/// The narrow column: glyph, target and age, a line each.
///
/// ```text
/// ▌▲ api:2.0   claude        2m14s
///  ● api:1.0   claude        3m02s
/// ```
fn sidebar(c: &mut Canvas, area: Rect, state: &State) {
    let theme = c.theme;
    let several = state.fleet.several();
    let place = |agent: &Agent| match host_of(agent) {
        host if several && host != "·" => format!("{host} {}", format::place(agent)),
        _ => format::place(agent),
    };
    let longest = state.fleet.agents().map(|a| width(&place(a))).max().unwrap_or(0);
    let room = usize::from(area.width.saturating_sub(10));
    let target_room = longest.min(room);
    let kind_room = room.saturating_sub(target_room + 1).min(11);
    list::rows(c, area, state, |c, rect, agent| {
        let Styles { toned, needs, .. } = Styles::of(c, state, agent);
        let plain = if needs { toned } else { theme.text };
        let target = left(&fit_end(&place(agent), target_room), target_room);
        let said = word(agent.state, agent.kind.as_deref());
        let words = if kind_room >= 6 { fit(&said, kind_room) } else { "".into() };
        c.pieces(
            rect.x + 1,
            rect.y,
            rect.width.saturating_sub(7),
            &[
                (tone(agent).glyph(), toned),
                (" ", toned),
                (&target, plain),
                (" ", plain),
                (&words, if needs { toned } else { theme.muted }),
            ],
        );
        let age = right(&format::age(agent.since, state.now), format::AGE_WIDTH);
        c.right(rect.right(), rect.y, 5, &age, if needs { toned } else { theme.muted });
    });
}
