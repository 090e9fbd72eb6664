//! The panels, one file each. Every one draws its part of the state into its rectangle and nowhere else.

mod agents;
pub(super) mod answer;
mod cache;
mod columns;
mod cost;
pub(super) mod counts;
mod cycle;
mod day;
mod empty;
mod events;
mod facts;
pub(super) mod footer;
pub(super) mod header;
mod hosts;
mod limits;
mod lines;
mod list;
pub(super) mod overlay;
mod page;
pub(super) mod pick;
mod pool;
mod preview;
mod strategy;
pub(super) mod tidy;
mod tiles;
pub(super) mod tour;
mod tune;
mod usage;
pub(super) mod wall;
mod why;

use ratatui::layout::{Position, Rect};

use crate::app::core::action::Action;
use crate::app::core::format;
use crate::app::core::heights::Room;
use crate::app::core::keymap::Keymap;
use crate::app::core::message::Hit;
use crate::app::core::state::State;
use crate::app::core::text::width;
use crate::app::core::view::{Main, Panel};
use crate::monitor::CyclePoint;
use crate::ui::canvas::{Canvas, Frame, Point};
use crate::ui::colour::Depth;
use crate::ui::slot::{Class, Slot};
pub use preview::Preview;

/// Every section between header and footer, in the order of Tab; where several share a slot, the first that shows has it.
pub const SECTIONS: &[Section] = &[
    empty::SECTION,
    tune::SECTION,
    usage::SECTION,
    wall::SECTION,
    hosts::SECTION,
    day::SECTION,
    agents::SECTION,
    preview::SECTION,
    why::SECTION,
    why::DETAIL,
    pool::SECTION,
    cache::SECTION,
    cycle::SECTION,
    cost::SECTION,
    strategy::SECTION,
    lines::SECTION,
    events::SECTION,
];

/// A section of the screen, all of it: where it stands, when it shows, what its border says, how it is drawn, and what a
/// click on it means.
pub struct Section {
    /// The panel that has the focus with it; none for what never has it.
    pub panel: Option<Panel>,
    /// Where it stands.
    pub slot: Slot,
    /// Its name, in its border.
    pub title: &'static str,
    /// Keys that its border shows.
    pub keys: &'static [Action],
    /// Whether it has its place now.
    pub shows: fn(&State) -> bool,
    /// Draws it.
    pub draw: fn(&mut Canvas, Rect, &DrawContext),
    /// The room of the list of agents in it; of those that stand in the list's place.
    pub room: fn(&State, Class, Rect) -> Room,
    /// What is under the mouse; `None`: nothing but the panel.
    pub hit: fn(&State, Class, Rect, Position) -> Option<Hit>,
}

/// What is drawn.
#[derive(Clone, Copy)]
pub struct DrawContext<'a> {
    /// The state.
    pub state: &'a State,
    /// The arrangement.
    pub class: Class,
    /// The panes' screens as they were read.
    pub screens: &'a Screens,
}

/// The panes' screens that are in view, read once for each capture.
#[derive(Clone, Debug, Default)]
pub struct Screens {
    /// That of the selected pane.
    pub(super) preview: Preview,
    tiles: tiles::Tiles,
}

impl Screens {
    /// Reads what is another one than before.
    pub fn read(&mut self, state: &State, depth: Depth) {
        self.preview.read(state.preview(), depth, state.reduced_motion);
        self.tiles.read(state, depth);
    }
}

impl Section {
    /// A section that shows always, whose border shows no keys, and which has nothing for the mouse but its panel.
    const fn new(
        panel: Option<Panel>,
        slot: Slot,
        title: &'static str,
        draw: fn(&mut Canvas, Rect, &DrawContext),
    ) -> Self {
        Self { panel, slot, title, keys: &[], shows: |_| true, draw, room: list::room, hit: |_, _, _, _| None }
    }

    /// Draws it. What an engine has not said is nowhere shown as if it were measured.
    pub fn show(&self, c: &mut Canvas, area: Rect, context: &DrawContext) {
        if self.is_instrument() && !context.state.snapshot().instruments {
            let inner = self.frame(c, area, context.state, Frame { value: format::NONE, ..Frame::default() });
            let inner = padded(inner);
            c.text(inner.x, inner.y, if inner.height > 0 { inner.width } else { 0 }, format::NONE, c.theme.muted);
            return;
        }
        (self.draw)(c, area, context);
    }

    /// It shows what an engine says of the watching itself, and nothing else.
    fn is_instrument(&self) -> bool {
        matches!(self.slot, Slot::Box(..))
    }

    /// Its border, with what `words` has beside the title and the keys; gives the room inside. An instrument's says whose
    /// engine it is where there are several.
    fn frame(&self, c: &mut Canvas, area: Rect, state: &State, words: Frame) -> Rect {
        let whose = (self.is_instrument() && state.fleet.several()).then(|| state.member().label.whose());
        let note = match (&whose, words.note) {
            (Some(whose), "") => whose.as_ref().into(),
            (Some(whose), note) => {
                // The value is what the panel is for: whose it is says more than a setting, and less than that.
                let both = format!("{whose} {note}");
                let rest = width(self.title) + width(words.value) + 8;
                if width(&both) + rest <= area.width.into() { both } else { whose.as_ref().into() }
            }
            (None, note) => note.to_owned(),
        };
        let keys = self.keys.iter().map(|action| state.keymap.label(*action)).collect::<Vec<_>>().join(" ");
        let focus = self.panel == Some(state.view.focus);
        let title = if words.title.is_empty() { self.title } else { words.title };
        let keys = if words.keys.is_empty() { &keys } else { words.keys };
        c.frame(area, &Frame { title, keys, focus, note: &note, ..words })
    }

    /// What is under the mouse in its border: a key, or its title.
    pub fn border_hit(&self, state: &State, class: Class, rect: Rect, at: Position) -> Option<Hit> {
        let panel = self.panel.filter(|_| class != Class::Sidebar && state.view.main != Main::Wall)?;
        if at.y == rect.y {
            return Some(Hit::Title(panel));
        }
        if at.y + 1 != rect.bottom() {
            return None;
        }
        let labels: Vec<u16> =
            self.keys.iter().map(|key| u16::try_from(width(&state.keymap.label(*key))).unwrap_or(0)).collect();
        // As the border is drawn: the keys one blank apart, three cells before its end.
        let cells = labels.iter().sum::<u16>() + u16::try_from(labels.len()).unwrap_or(0).saturating_sub(1);
        let mut x = rect.right().saturating_sub(cells + 3);
        for (action, label) in self.keys.iter().zip(labels) {
            if (x..x + label).contains(&at.x) {
                return Some(Hit::Key(*action));
            }
            x += label + 1;
        }
        None
    }
}

/// The section that has a slot now.
#[must_use]
pub fn section(slot: Slot, state: &State) -> Option<&'static Section> {
    SECTIONS.iter().find(|section| section.slot == slot && (section.shows)(state))
}

/// The slot of a panel.
#[must_use]
pub fn slot_of(panel: Panel) -> Option<Slot> {
    SECTIONS.iter().find(|section| section.panel == Some(panel)).map(|section| section.slot)
}

/// The first keys of actions, each with its words: `enter send  esc leave`. Those without keys are left out.
fn hints(keymap: &Keymap, rows: &[(&[Action], &str)]) -> String {
    let hint = |(actions, word): &(&[Action], &str)| {
        let keys: Vec<String> =
            actions.iter().map(|action| keymap.label(*action)).filter(|key| !key.is_empty()).collect();
        (!keys.is_empty()).then(|| format!("{} {word}", keys.join(" ")))
    };
    rows.iter().filter_map(hint).collect::<Vec<_>>().join("  ")
}

/// Points for a sparkline from the history.
fn points(history: &[CyclePoint], value: impl Fn(&CyclePoint) -> Option<f32>) -> Vec<Point> {
    history.iter().map(|point| Point { value: value(point), marked: point.mark.is_some() }).collect()
}

/// The room inside a border, with a blank column at each side where there is room for it.
fn padded(inner: Rect) -> Rect {
    if inner.width < 12 {
        return inner;
    }
    Rect { x: inner.x + 1, width: inner.width - 2, ..inner }
}

/// Rows of an instrument's chart: one in a box, most of the room when it is zoomed.
fn chart_height(height: u16) -> u16 {
    if height > 12 { height - 8 } else { height.saturating_sub(3).max(1) }
}

/// The most cells that labels and values below a chart have.
const WIDEST: u16 = 64;

/// The room below a chart for labels and values, no wider than the eye follows.
fn below(inner: Rect, top: u16) -> Rect {
    let gap = u16::from(inner.height > 12);
    Rect { y: top + gap, height: inner.bottom().saturating_sub(top + gap), width: inner.width.min(WIDEST), ..inner }
}
