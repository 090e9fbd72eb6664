//! The agents: who needs the user first, and what everybody does.

use ratatui::{
    layout::{Margin, Position, Rect},
    style::{Modifier, Style},
};

use crate::app::core::column::Column;
use crate::app::core::detail::{IN_DETAIL, details};
use crate::app::core::fleet::AgentKey;
use crate::app::core::format;
use crate::app::core::heights::Room;
use crate::app::core::message::Hit;
use crate::app::core::request::{Ink, RequestLine, request};
use crate::app::core::state::State;
use crate::app::core::text::{fit, fit_end, left, right, width};
use crate::app::core::tidy;
use crate::app::core::view::Panel;
use crate::app::core::words::{tone, word};
use crate::monitor::Agent;
use crate::ui::canvas::{Canvas, Frame, block};
use crate::ui::panels::columns::{Placed, columns};
use crate::ui::panels::list::Styles;
use crate::ui::panels::{Section, list};
use crate::ui::slot::{Class, Slot, take_top};

/// Its place, its border and what it draws.
pub(super) const SECTION: Section = Section {
    hit,
    room,
    ..Section::new(Some(Panel::Agents), Slot::Main, "Agents", |c, area, context| match context.class {
        Class::Sidebar => sidebar(c, area, context.state),
        _ => table(c, area, context.state),
    })
};

/// Most cells of a note in the column of what agents do.
const NOTE: usize = 20;

/// Cells before what stands below the first row of an agent: under the word of its state.
const INDENT: u16 = 3;

/// The room of the list: in a narrow one only requests have rows of their own.
fn room(state: &State, class: Class, rect: Rect) -> Room {
    let side = class == Class::Sidebar;
    let width = if side { rect.width } else { rect.width.saturating_sub(2) };
    let cells = width.saturating_sub(INDENT + 1).into();
    Room { cells, details: !side, ..list::room(state, class, rect) }
}

/// ```text
/// ╭ Agents ──────────────────────────────────────────────── 12 ╮
/// │  STATE          FOR  AGENT   TARGET   DOING   ACTIVITY  CTX │
/// │▌▲ permission  2m14s  claude  api:2.0  Bash    ▂▂▅▂▂▁▁▁ ▆ 34%│
/// │▌▎ cargo publish --dry-run                                   │
/// │▌▎ Try what would be published                               │
/// │ ● working     3m02s  claude  api:1.0  tests   ▅▆▅▆▅▆▆▅ ▇ 12%│
/// │   3 of 7 done · main +12 -3 · opus-4 · /home/u/src/parser   │
/// ╰───────────────────────────────────────────────── 8 of 12 ▼ ─╯
/// ```
fn table(c: &mut Canvas, area: Rect, state: &State) {
    let words =
        Frame { note: &list::note(state), value: &list::shown(state), keys: &list::place(state), ..Frame::default() };
    let inner = SECTION.frame(c, area, state, words);
    if inner.height == 0 {
        return;
    }
    let columns = columns_of(inner.width, state);
    list::head(c, inner, &columns, state);
    let below = Rect { y: inner.y + 1, height: inner.height - 1, ..inner };
    list::rows(c, below, state, |c, rect, (key, agent)| row_of(c, rect, &columns, state, key, agent));
}

/// The columns; of those whose values have a row of their own none.
fn columns_of(width: u16, state: &State) -> Vec<Placed> {
    let mut shown = state.columns().into_owned();
    if state.list.level() > 1 {
        shown.retain(|column| !IN_DETAIL.contains(column));
    }
    columns(width, &state.widths(), &shown)
}

/// The agent in a row, or the column of a head.
fn hit(state: &State, class: Class, rect: Rect, at: Position) -> Option<Hit> {
    if class == Class::Sidebar {
        return list::hit_row(state, rect, at);
    }
    let inner = rect.inner(Margin::new(1, 1));
    if at.y == inner.y {
        return list::hit_head(&columns_of(inner.width, state), inner, at);
    }
    list::hit_row(state, Rect { y: inner.y + 1, height: inner.height.saturating_sub(1), ..inner }, at)
}

fn row_of(c: &mut Canvas, rect: Rect, columns: &[Placed], state: &State, key: AgentKey, agent: &Agent) {
    let styles = Styles::of(c, state, agent);
    let badges = badges(state, key, agent);
    let most = state.list.request(key);
    let asks = request(agent, request_cells(rect), most);
    // Words that have no room beside the others, where there is a row for them.
    let mut whole = None;
    for placed in columns {
        let (x, room) = (rect.x + placed.x, placed.width);
        match placed.row.column {
            Column::Doing if most > 0 => {
                doing(c, (x, rect.y, room), &badges, (asks.heading.unwrap_or(""), styles.plain));
            }
            Column::Doing => {
                let words = agent.doing.as_deref().unwrap_or("");
                let style = if styles.needs { styles.toned } else { styles.plain };
                whole = doing(c, (x, rect.y, room), &badges, (words, style)).then_some(words);
            }
            Column::Activity => activity(c, x, rect.y, room, agent),
            _ => list::cell(c, rect, placed, state, agent, &styles),
        }
    }
    let mut below = Rect { y: rect.y + 1, height: rect.height - 1, ..rect };
    asked(c, take_top(&mut below, most), &asks.lines, &styles);
    if state.list.level() > 1 && below.height > 0 {
        detail(c, below, state, agent, (whole, styles.plain));
    }
}

/// Cells of a request below a row.
fn request_cells(rect: Rect) -> usize {
    rect.width.saturating_sub(INDENT + 1).into()
}

/// What an agent asks, below its row: a bar joins the two.
fn asked(c: &mut Canvas, rect: Rect, lines: &[RequestLine], styles: &Styles) {
    for y in rect.top()..rect.bottom() {
        // Its agent goes on, and the rows are its own till the others have settled.
        if !lines.is_empty() {
            c.text(rect.x + 1, y, 1, "▎", styles.toned);
        }
        if let Some(line) = lines.get(usize::from(y - rect.top())) {
            inked(c, (rect.x + INDENT, y), rect.right(), line, styles.toned);
        }
    }
}

/// A line of a request, in the colours of what it is.
fn inked(c: &mut Canvas, (mut x, y): (u16, u16), right: u16, line: &RequestLine, question: Style) {
    for (ink, words) in line {
        let theme = c.theme;
        let style = match ink {
            Ink::Question => question,
            Ink::Program => theme.key.add_modifier(Modifier::BOLD),
            Ink::Argument => theme.value,
            Ink::Flag => theme.text,
            Ink::Quoted | Ink::Added => theme.good,
            Ink::Removed => theme.bad,
            Ink::Sign | Ink::Plain => theme.muted,
        };
        x = c.text(x, y, right.saturating_sub(x), words, style);
    }
}

/// The second row: what it does where that has no room in its column, and what has no column.
fn detail(c: &mut Canvas, rect: Rect, state: &State, agent: &Agent, (whole, style): (Option<&str>, Style)) {
    let told = details(agent, &state.columns(), state.now, &state.zone).join(" · ");
    let between = if told.is_empty() || whole.is_none() { "" } else { " · " };
    let muted = c.theme.muted;
    let room = rect.width.saturating_sub(INDENT + 1);
    c.pieces(rect.x + INDENT, rect.y, room, &[(whole.unwrap_or(""), style), (between, muted), (&told, muted)]);
}

/// What it does, asks or said last, after its badges. Whether the words are cut.
fn doing(c: &mut Canvas, (x, y, room): (u16, u16, u16), badges: &str, (words, style): (&str, Style)) -> bool {
    let between = if badges.is_empty() || words.is_empty() { "" } else { " · " };
    c.pieces(x, y, room, &[(badges, c.theme.warn), (between, c.theme.muted), (words, style)]);
    width(badges) + width(between) + width(words) > room.into()
}

/// Words for what the state alone does not say, and for what was put on it or is asked to be.
fn badges(state: &State, key: AgentKey, agent: &Agent) -> String {
    let background = (agent.background > 0).then(|| format!("{} in background", agent.background));
    let stale = agent.stale.then(|| "stale".to_owned());
    let asked = state.pending_tidy(key).map(|change| format!("{} …", tidy::asked(change)));
    let marks = tidy::marks(agent, state.now);
    // Where there is no row for it; a long one leaves room for what the agent does.
    let note = agent.note.as_ref().filter(|_| state.list.level() < 2).map(|note| fit(note, NOTE).into_owned());
    asked.into_iter().chain(marks).chain(stale).chain(background).chain(note).collect::<Vec<_>>().join(" · ")
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
    let place = |agent: &Agent| state.called(agent);
    let longest = state.fleet.agents().map(|a| width(&place(a))).max().unwrap_or(0);
    let room = usize::from(area.width.saturating_sub(10));
    let target_room = longest.min(room);
    let kind_room = room.saturating_sub(target_room + 1).min(11);
    list::rows(c, area, state, |c, rect, (key, agent)| {
        let styles = Styles::of(c, state, agent);
        let Styles { toned, needs, .. } = styles;
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
        let most = state.list.request(key);
        let mut below = Rect { y: rect.y + 1, height: rect.height - 1, ..rect };
        asked(c, take_top(&mut below, most), &request(agent, request_cells(rect), most).lines, &styles);
    });
}
