//! The agents: who needs the user first, and what everybody does.

use ratatui::{
    layout::{Position, Rect},
    style::{Modifier, Style},
};

use crate::app::core::action::Action;
use crate::app::core::column::Column;
use crate::app::core::format;
use crate::app::core::list::{Grouping, Line, Sort};
use crate::app::core::message::Hit;
use crate::app::core::state::State;
use crate::app::core::text::{fit, fit_end, left, right, width};
use crate::app::core::update::fresh;
use crate::app::core::view::Panel;
use crate::app::core::words::{TONES, Tone, tone, word};
use crate::monitor::Agent;
use crate::ui::canvas::{Canvas, Frame, block};
use crate::ui::panels::Section;
use crate::ui::panels::columns::{Placed, columns};
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
    let list = &state.list;
    let agents = &state.snapshot.agents;
    let shown = list.agents(agents).count();
    let value = if list.filter.is_empty() { agents.len().to_string() } else { format!("{shown} of {}", agents.len()) };
    let inner = SECTION.frame(
        c,
        area,
        state,
        Frame { note: &note(state), value: &value, keys: &place(state), ..Frame::default() },
    );
    if inner.height == 0 {
        return;
    }
    let columns = columns(inner.width, agents, &state.columns);
    head(c, inner, &columns, state);
    if shown == 0 && inner.height > 2 {
        let back = state.keymap.label(Action::Back);
        let how = if back.is_empty() { String::new() } else { format!("  {back} shows all.") };
        let words = format!("Nothing matches \"{}\".{how}", list.filter);
        c.text(inner.x + 2, inner.y + 2, inner.width.saturating_sub(3), &words, c.theme.muted);
    }
    for (row, line) in list.visible().iter().enumerate() {
        let y = inner.y + 1 + u16::try_from(row).unwrap_or(u16::MAX - inner.y - 1);
        if y >= inner.bottom() {
            return;
        }
        let rect = Rect { y, height: 1, ..inner };
        match line {
            Line::Head(first) => head_of(c, rect, state, *first),
            Line::Agent(index) => {
                if let Some(agent) = agents.get(*index) {
                    row_of(c, rect, &columns, state, agent);
                }
            }
        }
    }
}

/// The agent in a row, or the column of a head.
fn hit(state: &State, class: Class, rect: Rect, at: Position) -> Option<Hit> {
    let framed = Rect {
        x: rect.x + 1,
        y: rect.y + 1,
        width: rect.width.saturating_sub(2),
        height: rect.height.saturating_sub(2),
    };
    let (inner, head) = if class == Class::Sidebar { (rect, 0) } else { (framed, 1) };
    if head == 1 && at.y == inner.y {
        let x = at.x.saturating_sub(inner.x);
        let mut columns = columns(inner.width, &state.snapshot.agents, &state.columns).into_iter();
        let column = columns.find(|placed| (placed.x..=placed.x + placed.width).contains(&x));
        return column.and_then(|placed| placed.column.row().sort).map(Hit::Header);
    }
    let row = at.y.checked_sub(inner.y + head).filter(|_| at.y < inner.bottom())?;
    match state.list.visible().get(usize::from(row))? {
        Line::Agent(index) => state.snapshot.agents.get(*index).map(|agent| Hit::Agent(agent.pane_id)),
        Line::Head(_) => None,
    }
}

/// Sorting, grouping and filter, as far as they are not the usual.
fn note(state: &State) -> String {
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
fn place(state: &State) -> String {
    let list = &state.list;
    let (lines, in_view) = (list.lines.len(), list.visible().len());
    if in_view >= lines || in_view == 0 {
        return String::new();
    }
    // Agents are counted, the heads of their groups are none.
    let agents = |lines: &[Line]| lines.iter().filter(|line| matches!(line, Line::Agent(_))).count();
    let (all, seen) = (agents(&list.lines), agents(&list.visible()));
    let above = agents(&list.lines[..(list.top + in_view).min(lines)]).saturating_sub(seen);
    let up = if list.top > 0 { "▲" } else { " " };
    let down = if list.top + in_view < lines { "▼" } else { " " };
    format!("{}–{} of {all} {up}{down}", above + 1, above + seen)
}

fn head(c: &mut Canvas, inner: Rect, columns: &[Placed], state: &State) {
    let list = &state.list;
    for placed in columns {
        let sorted = list.sort != Sort::Need && placed.column.row().sort == Some(list.sort);
        let style = if sorted { c.theme.value } else { c.theme.muted };
        let x = inner.x + placed.x;
        let words = placed.column.row().head;
        if placed.column.row().right {
            c.right(x + placed.width, inner.y, placed.width, words, style);
        } else {
            let x = if placed.column == Column::State { x + 2 } else { x };
            c.text(x, inner.y, placed.width, words, style);
        }
    }
}

/// Head of a group, with its counts.
fn head_of(c: &mut Canvas, rect: Rect, state: &State, first: usize) {
    let agents = &state.snapshot.agents;
    let by = state.list.grouping;
    let Some(first) = agents.get(first) else { return };
    let (name, more) = by.head(first);
    let theme = c.theme;
    let mut x = c.text(
        rect.x + 1,
        rect.y,
        rect.width.saturating_sub(1),
        &fit_end(name, rect.width.saturating_sub(12).into()),
        theme.title,
    ) + 2;
    for t in TONES {
        let count = agents.iter().filter(|a| by.of(a) == by.of(first) && tone(a) == t).count();
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
fn tone_style(c: &Canvas, state: &State, agent: &Agent) -> Style {
    let tone = tone(agent);
    let mut style = c.theme.tone(tone);
    if tone == Tone::NeedsYou && fresh(agent.since, state.now) {
        style = style.add_modifier(Modifier::BOLD);
    }
    if agent.stale {
        style = style.add_modifier(Modifier::DIM);
    }
    style
}

fn row_of(c: &mut Canvas, rect: Rect, columns: &[Placed], state: &State, agent: &Agent) {
    let theme = c.theme;
    let selected = state.list.selected == Some(agent.pane_id);
    let tone_of = tone(agent);
    let toned = tone_style(c, state, agent);
    let needs = tone_of == Tone::NeedsYou;
    let quiet = matches!(tone_of, Tone::Idle | Tone::Exited | Tone::Unknown);
    let plain = if quiet { theme.muted } else { theme.text };
    for placed in columns {
        let (x, room) = (rect.x + placed.x, placed.width);
        match placed.column {
            Column::State => {
                let words = word(agent.state, agent.kind.as_deref());
                c.pieces(x, rect.y, room, &[(tone_of.glyph(), toned), (" ", toned), (&words, toned)]);
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
            Column::Doing => doing(c, x, rect.y, room, agent, if needs { toned } else { plain }),
            Column::Activity => activity(c, x, rect.y, room, agent),
            Column::Context => context(c, x, rect.y, room, agent),
            column => {
                let row = column.row();
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
    if selected {
        c.style(rect, theme.select);
        let bar = if state.view.focus == Panel::Agents { theme.focus } else { theme.muted };
        c.text(rect.x, rect.y, 1, "▌", bar);
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

/// Context left: percent, after a small gauge where there is room for one; tokens in it where its size is not known.
fn context(c: &mut Canvas, x: u16, y: u16, room: u16, agent: &Agent) {
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

/// The narrow column: glyph, target and age, a line each.
///
/// ```text
/// ▌▲ api:2.0   claude        2m14s
///  ● api:1.0   claude        3m02s
/// ```
fn sidebar(c: &mut Canvas, area: Rect, state: &State) {
    let theme = c.theme;
    let agents = &state.snapshot.agents;
    let longest = agents.iter().map(|a| width(&format::place(a))).max().unwrap_or(0);
    let room = usize::from(area.width.saturating_sub(10));
    let target_room = longest.min(room);
    let kind_room = room.saturating_sub(target_room + 1).min(11);
    for (row, line) in state.list.visible().iter().enumerate() {
        let y = area.y + u16::try_from(row).unwrap_or(u16::MAX - area.y);
        if y >= area.bottom() {
            return;
        }
        let rect = Rect { y, height: 1, ..area };
        let agent = match line {
            Line::Head(first) => {
                head_of(c, rect, state, *first);
                continue;
            }
            Line::Agent(index) => match agents.get(*index) {
                Some(agent) => agent,
                None => continue,
            },
        };
        let toned = tone_style(c, state, agent);
        let needs = tone(agent) == Tone::NeedsYou;
        let plain = if needs { toned } else { theme.text };
        let target = left(&fit_end(&format::place(agent), target_room), target_room);
        let said = word(agent.state, agent.kind.as_deref());
        let words = if kind_room >= 6 { fit(&said, kind_room) } else { "".into() };
        c.pieces(
            area.x + 1,
            y,
            area.width.saturating_sub(7),
            &[
                (tone(agent).glyph(), toned),
                (" ", toned),
                (&target, plain),
                (" ", plain),
                (&words, if needs { toned } else { theme.muted }),
            ],
        );
        let age = right(&format::age(agent.since, state.now), format::AGE_WIDTH);
        c.right(area.right(), y, 5, &age, if needs { toned } else { theme.muted });
        if state.list.selected == Some(agent.pane_id) {
            c.style(rect, theme.select);
            c.text(rect.x, y, 1, "▌", theme.focus);
        }
    }
}
