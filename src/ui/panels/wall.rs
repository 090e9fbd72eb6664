//! The wall: the agents' screens side by side in their own colours, each with its state in its border.

use ratatui::{
    layout::{Position, Rect},
    style::{Modifier, Style},
};

use crate::app::core::action::Action;
use crate::app::core::fleet::AgentKey;
use crate::app::core::format;
use crate::app::core::grouping::Grouping;
use crate::app::core::heights::Room;
use crate::app::core::message::Hit;
use crate::app::core::state::State;
use crate::app::core::text::{fit_end, fit_sentence, width};
use crate::app::core::tidy;
use crate::app::core::view::{Main, Panel};
use crate::app::core::wall;
use crate::app::core::wall::{Grid, Page, Wall};
use crate::app::core::words::{tone, word};
use crate::monitor::Agent;
use crate::ui::canvas::Canvas;
use crate::ui::panels::list::Styles;
use crate::ui::panels::preview::draw_lines;
use crate::ui::panels::tiles::Tiles;
use crate::ui::panels::{DrawContext, Section, list};
use crate::ui::slot::Slot;

/// It has the place of the agents while it is open, and all of the page.
pub(super) const SECTION: Section = Section {
    shows: |state| state.view.main == Main::Wall,
    room: |state, _, rect| Room { rows: shape(state, rect).grid.tiles(), ..Room::default() },
    hit: |state, _, rect, at| hit(state, rect, at),
    ..Section::new(Some(Panel::Agents), Slot::Main, "Wall", draw)
};

/// How its tiles stand in this room.
pub(in crate::ui) fn shape(state: &State, area: Rect) -> Wall {
    let below = below(area);
    let agents = state.list.agents(&state.fleet).count();
    let grid = if state.view.zoom { Grid::ONE } else { Grid::of(agents, below.width.into(), below.height.into()) };
    Wall { grid, rows: (usize::from(below.height) / grid.rows).saturating_sub(2) }
}

/// The room of the tiles, below the line that says which they are.
fn below(area: Rect) -> Rect {
    let line = u16::from(area.height > 3);
    Rect { y: area.y + line, height: area.height - line, ..area }
}

/// Where the tile at a place of the page stands.
fn rect(area: Rect, grid: Grid, place: usize) -> Rect {
    let area = below(area);
    let part = |from: u16, room: u16, place: usize, of: usize| {
        let at = |n: usize| from + u16::try_from(usize::from(room) * n / of.max(1)).unwrap_or(room);
        (at(place), at(place + 1) - at(place))
    };
    let (x, width) = part(area.x, area.width, place % grid.columns.max(1), grid.columns);
    // All are of one height: what is left stays at the end.
    let height = area.height / u16::try_from(grid.rows.max(1)).unwrap_or(1);
    let row = u16::try_from(place / grid.columns.max(1)).unwrap_or(0);
    Rect { x, y: area.y + row * height, width, height }.intersection(area)
}

/// ```text
///  Wall  by session                                                1–4 of 12 ▼  page 1 of 3
/// ┏ ▲ permission  api:2.0  claude 2.1 ━━━━━━━ 2m14s ┓╭ ● working  api:1.0  claude ── 3m02s ╮
/// ┃the end of its screen, in its own colours         ┃│                                      │
/// ┗ cargo publish --dry-run ━━━━━━━━━━━━━━━━━━━━━━━━━┛╰ tests ───────────────────────────────╯
/// ```
fn draw(c: &mut Canvas, area: Rect, context: &DrawContext) {
    let state = context.state;
    let Some(shape) = state.viewport.wall else { return };
    let page = wall::page(state);
    if below(area).y > area.y {
        line(c, Rect { height: 1, ..area }, state, &page);
    }
    if page.keys.is_empty() {
        list::nothing(c, below(area), state);
    }
    for (place, (key, agent)) in wall::agents(state, &page).enumerate() {
        tile(c, rect(area, shape.grid, place), state, &context.screens.tiles, (key, agent));
    }
}

/// What the wall shows, and how much of it.
fn line(c: &mut Canvas, area: Rect, state: &State, page: &Page) {
    let theme = c.theme;
    let x = c.text(
        area.x + 1,
        area.y,
        area.width.saturating_sub(1),
        if state.view.zoom { "Tile" } else { "Wall" },
        theme.title,
    );
    let place = place(page);
    let room = area.width.saturating_sub(x - area.x + 3);
    let at = c.right(area.right().saturating_sub(1), area.y, room, &place, theme.muted);
    c.text(x + 2, area.y, at.saturating_sub(x + 3), &list::note(state), theme.muted);
}

/// `1–12 of 60  page 1 of 5 ▼`
fn place(page: &Page) -> String {
    let Page { keys, number, pages, before, all } = page;
    match (*pages, keys.len()) {
        (1, 0) => String::new(),
        (1, 1) => "1 agent".to_owned(),
        (1, shown) => format!("{shown} agents"),
        (_, 1) => format!("{} of {all} {}", before + 1, arrows(*number, *pages)),
        (_, shown) => {
            format!(
                "{}–{} of {all} · page {} of {pages} {}",
                before + 1,
                before + shown,
                number + 1,
                arrows(*number, *pages)
            )
        }
    }
}

fn arrows(number: usize, pages: usize) -> String {
    let (up, down) = (if number > 0 { "▲" } else { " " }, if number + 1 < pages { "▼" } else { " " });
    format!("{up}{down}")
}

/// One agent: its screen, with its state above and what it asks or does below.
fn tile(c: &mut Canvas, area: Rect, state: &State, tiles: &Tiles, (key, agent): (AgentKey, &Agent)) {
    if area.width < 4 || area.height < 2 {
        return;
    }
    let theme = c.theme;
    let styles = Styles::of(c, state, agent);
    let selected = state.list.selected == Some(key);
    let border = match (styles.needs, selected) {
        (true, _) => styles.toned,
        (false, true) => theme.focus,
        (false, false) => theme.border,
    };
    frame(c, area, border, selected);
    let right = area.right() - 2;
    // Above: what it is doing since when, and who it is.
    let age = format!(" {} ", format::age(agent.since, state.now));
    let from = c.right(
        right + 1,
        area.y,
        area.width.saturating_sub(2),
        &age,
        if styles.needs { styles.toned } else { theme.muted },
    );
    let said = word(agent.state, agent.kind.as_deref());
    let name = state.called(agent);
    let named = if selected { theme.value.add_modifier(Modifier::BOLD) } else { theme.text };
    let program = match &agent.version {
        Some(version) => format!("  {} {version}", agent.agent),
        None => format!("  {}", agent.agent),
    };
    let room = from.saturating_sub(area.x + 2);
    let state_cells = width(&said) + 6;
    let name = fit_end(&name, usize::from(room).saturating_sub(state_cells));
    let mut pieces = vec![(" ", border), (tone(agent).glyph(), styles.toned), (" ", border), (&*said, styles.toned)];
    pieces.extend([("  ", border), (&*name, if styles.needs { styles.toned } else { named })]);
    if state_cells + width(&name) + width(&program) <= room.into() {
        pieces.push((&program, theme.muted));
    }
    pieces.push((" ", border));
    c.pieces(area.x + 1, area.y, room, &pieces);
    // Below: what is asked or done, and what is to be known of the screen.
    let bottom = area.bottom() - 1;
    let seen = screen(c, area, state, tiles, (key, agent));
    let group = match state.list.grouping {
        Grouping::None => String::new(),
        by => by.head(agent).0.into_owned(),
    };
    let notes: Vec<String> = std::iter::once(seen).chain(tidy::marks(agent, state.now)).chain([group]).collect();
    let notes = notes.into_iter().filter(|note| !note.is_empty()).collect::<Vec<_>>().join(" · ");
    let mut end = right;
    if !notes.is_empty() {
        let notes = format!(" {} ", fit_end(&notes, usize::from(area.width / 2)));
        let style = if is_old(state, key, agent) { theme.warn } else { theme.muted };
        end = c.right(right + 1, bottom, area.width / 2 + 2, &notes, style);
    }
    let words = match &agent.asks {
        Some(asks) if styles.needs => asks.line.trim(),
        _ => agent.doing.as_deref().unwrap_or("").trim(),
    };
    let room = end.saturating_sub(area.x + 2);
    if !words.is_empty() && room > 4 {
        let words = fit_sentence(words, usize::from(room) - 2);
        let style = if styles.needs { styles.toned } else { styles.plain };
        c.pieces(area.x + 1, bottom, room, &[(" ", border), (&words, style), (" ", border)]);
    }
}

/// Its screen is not that of now: nobody reads it.
fn is_old(state: &State, key: AgentKey, agent: &Agent) -> bool {
    let member = state.fleet.member(key.member);
    agent.stale || member.is_some_and(|member| member.snapshot.engine.paused || !state.fleet.answers(member))
}

/// The screen inside the border, or words in its place. Gives what is to be said of it.
fn screen(c: &mut Canvas, area: Rect, state: &State, tiles: &Tiles, (key, agent): (AgentKey, &Agent)) -> String {
    let inner = Rect { x: area.x + 1, y: area.y + 1, width: area.width - 2, height: area.height - 2 };
    let old = is_old(state, key, agent);
    let member = state.fleet.member(key.member);
    let lost = member.is_some_and(|member| !state.fleet.answers(member));
    let why = match member {
        Some(member) if lost => format!("{} is not reached", member.label.whose()),
        Some(member) if member.snapshot.engine.paused => "paused".to_owned(),
        _ if old => "stale".to_owned(),
        _ => String::new(),
    };
    let Some(tile) = tiles.get(key) else {
        let version = member.map_or("", |member| &member.snapshot.engine.version);
        let one_at_a_time = member.is_some_and(|member| member.snapshot.engine.tiles == 0) && !state.loading();
        let words = match () {
            () if lost => ["No screen was read before.".to_owned(), String::new()],
            () if one_at_a_time => [
                "Its engine shows one screen at a time,".to_owned(),
                format!("that of the cursor; it is tmux-orc {version}."),
            ],
            () => ["Reading the pane …".to_owned(), String::new()],
        };
        let room = inner.width.saturating_sub(2);
        for (y, words) in (inner.top()..inner.bottom()).zip(&words) {
            c.text(inner.x + 1, y, room, &fit_sentence(words, room.into()), c.theme.muted);
        }
        return why;
    };
    // A pane's own colours are made for the terminal's own ground.
    if c.theme.ground.bg.is_some() {
        c.clear(inner, Style::reset());
    }
    draw_lines(c, inner, &tile.lines, false);
    if !old {
        return String::new();
    }
    c.style(inner, Style::new().add_modifier(Modifier::DIM));
    format!("{why}, as of {}", format::clock(tile.captured_at(), &state.zone))
}

/// The border: of heavy lines where the cursor is, so that no colour is needed to see it.
fn frame(c: &mut Canvas, area: Rect, style: Style, selected: bool) {
    let [left_top, right_top, left_bottom, right_bottom, across, down] =
        if selected { ["┏", "┓", "┗", "┛", "━", "┃"] } else { ["╭", "╮", "╰", "╯", "─", "│"] };
    let (right, bottom) = (area.right() - 1, area.bottom() - 1);
    let bar = across.repeat(usize::from(area.width - 2));
    for (y, left, end) in [(area.y, left_top, right_top), (bottom, left_bottom, right_bottom)] {
        c.pieces(area.x, y, area.width, &[(left, style), (&bar, style), (end, style)]);
    }
    for y in area.y + 1..bottom {
        c.text(area.x, y, 1, down, style);
        c.text(right, y, 1, down, style);
    }
}

/// The agent of a tile, or what the line above them does.
fn hit(state: &State, area: Rect, at: Position) -> Option<Hit> {
    let shape = state.viewport.wall?;
    let page = wall::page(state);
    if at.y < below(area).y {
        // The arrows at its end turn the page.
        let is_back = at.x + 3 == area.right();
        let end = area.right().saturating_sub(u16::try_from(width(&place(&page))).unwrap_or(0) + 1);
        return (page.pages > 1 && at.x >= end).then_some(Hit::Key(if is_back {
            Action::PageUp
        } else {
            Action::PageDown
        }));
    }
    let mut tiles = page.keys.iter().enumerate();
    tiles.find(|(place, _)| rect(area, shape.grid, *place).contains(at)).map(|(_, key)| Hit::Agent(*key))
}
