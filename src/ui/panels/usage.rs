//! The usage view: what each agent spends, what they spend together, and where that is known from.

use ratatui::{
    layout::{Margin, Position, Rect},
    style::Style,
};

use crate::app::core::action::Action;
use crate::app::core::column::Column;
use crate::app::core::heights::Room;
use crate::app::core::message::Hit;
use crate::app::core::state::State;
use crate::app::core::text::{fit_sentence, right, width};
use crate::app::core::usage::{COLUMNS, Sums, Total, by_program, parts};
use crate::app::core::view::{Main, Panel};
use crate::app::core::widths::Widths;
use crate::app::core::{format, usage};
use crate::monitor::{Agent, Tokens};
use crate::ui::canvas::{Canvas, Frame};
use crate::ui::panels::columns::{Placed, place};
use crate::ui::panels::list::Styles;
use crate::ui::panels::{DrawContext, Section, hints, limits, list};
use crate::ui::slot::{Class, Slot};

/// Fewest cells of three numbers of tokens: in, out, cached.
const THREE: u16 = 14;

/// Cells of the used part of a context, which has a column only where that is wider.
const USED: u16 = 12;

/// It has the place of the agents while it is open.
pub(super) const SECTION: Section = Section {
    shows: |state| state.view.main == Main::Usage,
    room: |state, _, rect| Room { rows: Parts::of(state, rect).rows.height.into(), ..Room::default() },
    hit,
    ..Section::new(Some(Panel::Agents), Slot::Main, "Usage", draw)
};

/// ```text
/// ╭ Usage tokens in, out, cached ─────────────────────────────────────────────────── 12 ╮
/// │ claude  5h    ━━━━━━━━━━━━━━━╸───  87%  until 14:30                                  │
/// │ ──────────────────────────────────────────────────────────────────────────────────── │
/// │    TARGET   AGENT   MODEL      CTX             SESSION           TODAY  PLAN    COST │
/// │▌▲ api:2.0  claude  opus-4  ━━━ 34%   12k 4.5k 1.2M   12k 4.5k 1.2M  3 of 7  $1.20 │
/// │ ──────────────────────────────────────────────────────────────────────────────────── │
/// │    claude  5 agents                  62k  21k 6.3M  4 of 5 known            - 4/5 │
/// │    all  12 agents                    ...                                            │
/// │  api:2.0 from ~/.claude/projects/x.jsonl (its program says that this is its session) │
/// ╰───────────────────────────────────────────────────────────────── enter jump  u back ─╯
/// ```
fn draw(c: &mut Canvas, area: Rect, context: &DrawContext) {
    let state = context.state;
    let shown = Shown::of(state, area);
    let tokens = if shown.three { "tokens in, out, cached" } else { "tokens" };
    let note = list::note(state);
    let note = if note.is_empty() { tokens.to_owned() } else { format!("{tokens} · {note}") };
    let keys = hints(&state.keymap, &[(&[Action::Jump], "jump"), (&[Action::Usage], "back")]);
    let place = list::place(state);
    let words = Frame {
        note: &note,
        value: &list::shown(state),
        keys: if place.is_empty() { &keys } else { &place },
        ..Frame::default()
    };
    SECTION.frame(c, area, state, words);
    let parts = Parts::of(state, area);
    if parts.limits.height > 1 {
        let rule = parts.limits.bottom() - 1;
        let bars =
            Rect { x: parts.limits.x + 1, width: limits_width(area), height: parts.limits.height - 1, ..parts.limits };
        limits::draw(c, bars, state);
        line_across(c, Rect { y: rule, height: 1, ..parts.limits });
    }
    if parts.head.height > 0 {
        list::head(c, parts.head, &shown.columns, state);
    }
    list::rows(c, parts.rows, state, |c, rect, (_, agent)| row(c, rect, &shown, state, agent));
    sums(c, &parts, &shown, state);
    if parts.source.height > 0 {
        source(c, parts.source, state);
    }
}

/// The columns that there is room for.
struct Shown {
    columns: Vec<Placed>,
    /// Tokens are three numbers: in every column of them, or in none.
    three: bool,
}

impl Shown {
    fn of(state: &State, area: Rect) -> Self {
        // Of the gap behind the last column one cell is enough.
        let columns = place(
            area.width.saturating_sub(1),
            &Widths::of(COLUMNS, state.fleet.agents()),
            COLUMNS.iter().filter(|row| row.column != Column::Host || state.fleet.several()),
        );
        let tokens = |placed: &&Placed| matches!(placed.row.column, Column::Turn | Column::Tokens | Column::Today);
        let mut widths = columns.iter().filter(tokens).map(|placed| placed.width).peekable();
        let three = widths.peek().is_some() && widths.all(|width| width >= THREE);
        Self { columns, three }
    }
}

/// What stands where in the panel.
struct Parts {
    /// The accounts' limits, and the line below them.
    limits: Rect,
    head: Rect,
    rows: Rect,
    /// The line above the sums, a row for each program that there is room for, and all.
    sums: Rect,
    /// Where the numbers of the selected one are known from.
    source: Rect,
}

impl Parts {
    /// The list has what the rest leaves; of the sums those by program give way first, then that of all.
    fn of(state: &State, area: Rect) -> Self {
        let mut rest = area.inner(Margin::new(1, 1));
        let head = u16::from(rest.height >= 2);
        let mut top = |height: u16| {
            let height = height.min(rest.height);
            let part = Rect { height, ..rest };
            rest = Rect { y: rest.y + height, height: rest.height - height, ..rest };
            part
        };
        // At most a third of the room: this is about agents.
        let limits = limits::rows(state, limits_width(area)).min((area.height / 3).saturating_sub(2));
        let limits = top(if limits > 0 { limits + 1 } else { 0 });
        let head = top(head);
        let source_height = u16::from(rest.height >= 5);
        let source = Rect { y: rest.bottom() - source_height, height: source_height, ..rest };
        rest.height -= source_height;
        let lines = u16::try_from(state.list.lines.len()).unwrap_or(u16::MAX);
        let mut sums = 0;
        if rest.height >= 5 && lines > 0 {
            let programs = u16::try_from(by_program(state).len()).unwrap_or(u16::MAX);
            let room = (rest.height - 2).saturating_sub(lines).max((rest.height - 2) / 3);
            // One of several, and that there are more, says nothing.
            let programs = if programs == 1 || room < programs.min(2) { 0 } else { programs.min(room) };
            sums = 2 + programs;
        }
        // The sums stand right below the last row.
        let rows = Rect { height: (rest.height - sums).min(lines.max(if sums > 0 { 1 } else { rest.height })), ..rest };
        Self { limits, head, rows, sums: Rect { y: rows.bottom(), height: sums, ..rest }, source }
    }
}

/// The agent in a row, or the column of a head.
fn hit(state: &State, _: Class, rect: Rect, at: Position) -> Option<Hit> {
    let parts = Parts::of(state, rect);
    if parts.head.height > 0 && at.y == parts.head.y {
        return list::hit_head(&Shown::of(state, rect).columns, parts.head, at);
    }
    list::hit_row(state, parts.rows, at)
}

fn row(c: &mut Canvas, rect: Rect, shown: &Shown, state: &State, agent: &Agent) {
    let styles = Styles::of(c, state, agent);
    for placed in &shown.columns {
        let tokens = match placed.row.column {
            Column::Turn => agent.tokens.turn,
            Column::Tokens => agent.tokens.session,
            Column::Today => agent.tokens.today,
            Column::Context if placed.width > USED => {
                context(c, rect, placed, agent, styles.plain);
                continue;
            }
            _ => {
                list::cell(c, rect, placed, state, agent, &styles);
                continue;
            }
        };
        match tokens {
            Some(tokens) => spent(c, rect, placed, shown.three, &tokens, styles.plain),
            None => none(c, rect, placed, format::NONE),
        }
    }
}

/// `34k of 200k  ━━━╸── 83%`: how much of its context is used, and how much is left.
fn context(c: &mut Canvas, rect: Rect, placed: &Placed, agent: &Agent, style: Style) {
    let x = rect.x + placed.x;
    // Alone it is shown there where the percentage would be.
    if let (Some(used), Some(_)) = (agent.tokens.context_used, agent.context_percent) {
        let of = agent.tokens.context_window.map_or_else(String::new, |window| format!(" of {}", format::kilo(window)));
        c.right(x + USED, rect.y, USED, &format!("{}{of}", format::kilo(used)), style);
    }
    list::context(c, x + USED + 1, rect.y, placed.width - USED - 1, agent);
}

/// Tokens, right-aligned: in, out and cached, or all of them.
fn spent(c: &mut Canvas, rect: Rect, placed: &Placed, three: bool, tokens: &Tokens, style: Style) {
    let end = rect.x + placed.x + placed.width;
    if !three {
        c.right(end, rect.y, placed.width, &format::short(tokens.total()), style);
        return;
    }
    let [input, output, cached] = parts(tokens).map(|part| right(&format::short(part), 4));
    let muted = c.theme.muted;
    c.pieces(
        end - THREE,
        rect.y,
        THREE,
        &[(&input, style), (" ", style), (&output, style), (" ", style), (&cached, muted)],
    );
}

/// What stands where nothing is known.
fn none(c: &mut Canvas, rect: Rect, placed: &Placed, words: &str) {
    let faint = c.theme.faint;
    c.right(rect.x + placed.x + placed.width, rect.y, placed.width, words, faint);
}

/// The sums below the list, in its columns.
fn sums(c: &mut Canvas, parts: &Parts, shown: &Shown, state: &State) {
    let area = parts.sums;
    if area.height < 2 {
        return;
    }
    let theme = c.theme;
    line_across(c, area);
    let programs = by_program(state);
    let room = usize::from(area.height - 2);
    // Where not all of them have a row, the last one says so.
    let named = if room < programs.len() { room.saturating_sub(1) } else { room };
    let line = |n: usize| Rect { y: area.y + 1 + u16::try_from(n).unwrap_or(0), height: 1, ..area };
    for (n, of) in programs.iter().take(named).enumerate() {
        sum(c, line(n), shown, of, theme.text);
    }
    if named < room {
        let words = format!("{} more programs", programs.len() - named);
        c.text(area.x + 4, line(named).y, area.width.saturating_sub(4), &words, theme.faint);
    }
    sum(c, line(room), shown, &usage::all(state), theme.value);
}

/// A line between the parts of the panel.
fn line_across(c: &mut Canvas, area: Rect) {
    let room = area.width.saturating_sub(2);
    let faint = c.theme.faint;
    c.text(area.x + 1, area.y, room, &"─".repeat(room.into()), faint);
}

/// The cells that the accounts' limits have.
fn limits_width(area: Rect) -> u16 {
    area.width.saturating_sub(4)
}

/// A row of sums.
fn sum(c: &mut Canvas, rect: Rect, shown: &Shown, of: &Sums, style: Style) {
    let muted = c.theme.muted;
    // The columns before the first that is summed up have none: the name has their room.
    let summed = |placed: &&Placed| {
        !matches!(
            placed.row.column,
            Column::State | Column::Target | Column::Agent | Column::Model | Column::Context | Column::Plan
        )
    };
    let columns = || shown.columns.iter().filter(summed);
    let end = columns().next().map_or(rect.width, |placed| placed.x);
    let x = shown.columns.iter().find(|placed| placed.row.column == Column::Target).map_or(4, |placed| placed.x);
    let room = end.saturating_sub(x + 1);
    let mut agents = format!("  {} agent{}", of.agents, if of.agents == 1 { "" } else { "s" });
    if width(&of.name) + width(&agents) > room.into() {
        agents = format!("  {}", of.agents);
    }
    c.pieces(rect.x + x, rect.y, room, &[(&of.name, style), (&agents, muted)]);
    for placed in columns() {
        match placed.row.column {
            Column::Turn => total(c, rect, placed, &of.turn, |c, sum| spent(c, rect, placed, shown.three, &sum, style)),
            Column::Tokens => {
                total(c, rect, placed, &of.session, |c, sum| spent(c, rect, placed, shown.three, &sum, style))
            }
            Column::Today => {
                total(c, rect, placed, &of.today, |c, sum| spent(c, rect, placed, shown.three, &sum, style))
            }
            Column::Turns => {
                total(c, rect, placed, &of.turns, |c, sum| number(c, rect, placed, &format::short(sum), style))
            }
            Column::Tools => {
                total(c, rect, placed, &of.tools, |c, sum| number(c, rect, placed, &format::short(sum), style))
            }
            _ => total(c, rect, placed, &of.cost, |c, sum| number(c, rect, placed, &format::usd(sum), style)),
        }
    }
}

/// A sum by `draw`, or that it is none.
fn total<T: Copy + Default + std::iter::Sum<T>>(
    c: &mut Canvas,
    rect: Rect,
    placed: &Placed,
    of: &Total<T>,
    draw: impl Fn(&mut Canvas, T),
) {
    match of.whole() {
        Some(sum) => draw(c, sum),
        None => none(c, rect, placed, &of.not_whole(placed.width.into())),
    }
}

/// A number at the end of its column.
fn number(c: &mut Canvas, rect: Rect, placed: &Placed, words: &str, style: Style) {
    c.right(rect.x + placed.x + placed.width, rect.y, placed.width, words, style);
}

/// Where the numbers of the selected one are known from.
fn source(c: &mut Canvas, area: Rect, state: &State) {
    let Some(agent) = state.selected() else { return };
    let place = format::place(agent);
    let theme = c.theme;
    let words = agent.usage_source.as_deref().unwrap_or("no transcript of its program is known");
    let x = c.text(area.x + 1, area.y, area.width.saturating_sub(2), &place, theme.text) + 2;
    let room = area.right().saturating_sub(x + 1);
    if usize::from(room) > width("no transcript") {
        c.text(x, area.y, room, &fit_sentence(words, room.into()), theme.muted);
    }
}
