//! The bottom line: keys, the filter being typed, or a line that shows for some seconds.

use ratatui::layout::{Position, Rect};

use crate::app::core::action::{ACTIONS, Action, Group, row};
use crate::app::core::palette::available;
use crate::app::core::state::{Mode, State};
use crate::app::core::text;
use crate::app::core::view::{Main, Panel};
use crate::monitor::Link;
use crate::ui::canvas::Canvas;
use crate::ui::panels;

/// A hint at its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hint {
    /// What it does.
    pub action: Action,
    /// Its keys.
    pub keys: String,
    /// Its word.
    pub word: &'static str,
    /// Its column.
    pub x: u16,
    /// Its cells.
    pub width: u16,
}

/// The hints that fit between two columns, from the live table: those that can be done now.
#[must_use]
pub fn hints(state: &State, from: u16, to: u16) -> Vec<Hint> {
    let mut out: Vec<Hint> = Vec::new();
    let mut x = from;
    let mut full = false;
    let cells = |keys: &str, word: &str| u16::try_from(text::width(keys) + 1 + text::width(word)).unwrap_or(u16::MAX);
    let help = row(Action::Help).and_then(|entry| entry.footer).unwrap_or_default();
    let help = cells(&state.keymap.label(Action::Help), help) + 2;
    for (what, word) in words(state) {
        let key = state.keymap.label(what);
        if key.is_empty() || !available(what, state) {
            continue;
        }
        if full && what != Action::Help {
            continue;
        }
        let to = if what == Action::Help { to } else { to.saturating_sub(help) };
        // Two in a row with the same word share it: `+ − pool`.
        let joined = out.last().filter(|hint| hint.word == word).cloned();
        let (action, keys, at) = match &joined {
            Some(hint) => (hint.action, format!("{} {key}", hint.keys), hint.x),
            None => (what, key, x),
        };
        let width = cells(&keys, word);
        if at.saturating_add(width) > to {
            full = true;
            continue;
        }
        if joined.is_some() {
            out.pop();
        }
        x = at + width + 2;
        out.push(Hint { action, keys, word, x: at, width });
    }
    out
}

/// What the line may list, in its order: on the wall what is done there first, and nothing of the engine.
fn words(state: &State) -> impl Iterator<Item = (Action, &'static str)> {
    let on_the_wall = state.view.main == Main::Wall;
    let first: &[(Action, &str)] = if on_the_wall { &WALL } else { &[] };
    let listed = first.iter().map(|(action, _)| *action);
    let rest = ACTIONS.iter().filter(move |entry| {
        !on_the_wall || entry.group != Group::Engine && listed.clone().all(|action| action != entry.action)
    });
    first.iter().copied().chain(rest.filter_map(|entry| Some((entry.action, entry.footer?))))
}

/// What is done on the wall.
const WALL: [(Action, &str); 8] = [
    (Action::Jump, "jump"),
    (Action::NextNeedy, "next"),
    (Action::Answer, "answer"),
    (Action::Wall, "list"),
    (Action::Zoom, "zoom"),
    (Action::Filter, "filter"),
    (Action::Reply, "message"),
    (Action::Group, "group"),
];

/// How the engine is reached, at the right end.
fn link(state: &State) -> String {
    match state.member().link {
        Link::Embedded => String::new(),
        Link::Attached(pid) => format!("attached to {pid}"),
        Link::Lost(_) => "engine lost".to_owned(),
    }
}

/// The columns between which hints stand.
#[must_use]
pub fn room(state: &State, area: Rect) -> (u16, u16) {
    let link = u16::try_from(text::width(&link(state))).unwrap_or(0);
    let reserved = if link > 0 && area.width >= 60 { link + 3 } else { 0 };
    (area.x + 1, area.right().saturating_sub(reserved))
}

/// Draws the line; gives the cursor's place while the filter is typed.
pub fn draw(c: &mut Canvas, area: Rect, state: &State) -> Option<Position> {
    let theme = c.theme;
    if let Mode::Filter(input) = &state.mode {
        let what = if state.view.focus == Panel::Events { "events" } else { "agents" };
        let prompt = format!("filter {what}: ");
        let x = c.text(area.x + 1, area.y, area.width.saturating_sub(1), &prompt, theme.key);
        let keys = panels::hints(&state.keymap, &[(&[Action::Accept], "keep"), (&[Action::Leave], "clear")]);
        let hint = format!("  {keys}");
        let hint_width = u16::try_from(text::width(&hint)).unwrap_or(0);
        let room = area.right().saturating_sub(x).saturating_sub(if area.width >= 60 { hint_width + 1 } else { 1 });
        let scroll = input.visual_scroll(room.max(1).into());
        let shown: String = skip_cells(input.value(), scroll);
        c.text(x, area.y, room, &shown, theme.value);
        if area.width >= 60 {
            c.right(area.right(), area.y, hint_width, &hint, theme.muted);
        }
        let at = u16::try_from(input.visual_cursor().saturating_sub(scroll)).unwrap_or(0).min(room);
        return Some(Position { x: x + at, y: area.y });
    }
    let (from, to) = room(state, area);
    match state.toasts.back() {
        Some(toast) => {
            let style = theme.tone(toast.tone);
            let room = to.saturating_sub(from);
            let words = text::fit_sentence(&toast.text, room.saturating_sub(2).into());
            c.pieces(from, area.y, room, &[(toast.tone.glyph(), style), (" ", style), (&words, style)]);
        }
        None if matches!(state.mode, Mode::Pick { .. }) => {
            let keys = panels::pick::keys(&state.keymap);
            c.text(from, area.y, to.saturating_sub(from), &keys, theme.muted);
        }
        None => {
            for hint in hints(state, from, to) {
                c.pieces(
                    hint.x,
                    area.y,
                    hint.width,
                    &[(&hint.keys, theme.key), (" ", theme.muted), (hint.word, theme.muted)],
                );
            }
        }
    }
    if to < area.right() {
        let link = link(state);
        let style = if matches!(state.member().link, Link::Lost(_)) { theme.bad } else { theme.muted };
        c.right(area.right().saturating_sub(1), area.y, area.width / 2, &link, style);
    }
    None
}

/// The text after its first cells.
pub(super) fn skip_cells(value: &str, cells: usize) -> String {
    let mut skipped = 0;
    value
        .chars()
        .skip_while(|c| {
            let skip = skipped < cells;
            skipped += text::width(c.encode_utf8(&mut [0; 4]));
            skip
        })
        .collect()
}
