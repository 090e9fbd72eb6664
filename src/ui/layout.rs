//! Where everything is: one pure function from the area to rectangles. Rendering and the mouse both go by it.

use ratatui::layout::Rect;

use crate::app::core::heights::Room;
use crate::app::core::state::{Mode, State};
use crate::app::core::view::{Main, Panel, Viewport};
use crate::ui::panels;
use crate::ui::panels::answer::Parts;
use crate::ui::panels::{SECTIONS, overlay, section, slot_of};
use crate::ui::slot::{Class, Slot, take_bottom, take_top};

/// What the arrangement hangs on, beside the area.
#[derive(Clone, Copy, Debug, Default)]
pub struct Shape {
    /// The preview: shown, hidden, or as the size suggests.
    pub preview: Option<bool>,
    /// The events likewise.
    pub events: Option<bool>,
    /// This panel has the whole screen.
    pub zoom: Option<Panel>,
    /// Something is to be said about the whole.
    pub banner: bool,
    /// There are agents; without them there is nothing to preview.
    pub agents: bool,
}

/// The rectangles. What is not shown has none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    /// The arrangement.
    pub class: Class,
    /// All of it.
    pub area: Rect,
    /// Name, counts, engine.
    pub header: Option<Rect>,
    /// What is wrong with the whole.
    pub banner: Option<Rect>,
    /// Keys and toasts.
    pub footer: Option<Rect>,
    /// What stands between them.
    pub slots: Vec<(Slot, Rect)>,
}

impl Layout {
    /// The arrangement for an area.
    #[must_use]
    pub fn new(area: Rect, shape: Shape) -> Self {
        let class = class(area);
        let mut layout = Self { class, area, header: None, banner: None, footer: None, slots: Vec::new() };
        if class == Class::Counts {
            return layout;
        }
        let mut rest = area;
        layout.header = Some(take_top(&mut rest, if class == Class::Sidebar { 2 } else { 1 }));
        layout.footer = Some(take_bottom(&mut rest, 1));
        if shape.banner && rest.height > 4 {
            layout.banner = Some(take_top(&mut rest, 1));
        }
        if let Some(slot) = shape.zoom.and_then(slot_of) {
            match slot {
                Slot::Side => layout.split_side(rest),
                slot => layout.put(slot, rest),
            }
            return layout;
        }
        match class {
            Class::Counts => {}
            Class::Sidebar => layout.sidebar(rest, shape),
            Class::Compact => layout.compact(rest, shape),
            Class::Full => layout.full(rest, shape),
        }
        layout
    }

    /// The rectangle of a slot.
    #[must_use]
    pub fn rect(&self, slot: Slot) -> Option<Rect> {
        self.slots.iter().find(|(other, _)| *other == slot).map(|(_, rect)| *rect)
    }

    fn put(&mut self, slot: Slot, rect: Rect) {
        self.slots.push((slot, rect));
    }

    fn sidebar(&mut self, mut rest: Rect, shape: Shape) {
        if rest.height >= 14 {
            self.put(Slot::Lines, take_bottom(&mut rest, 2));
        }
        if shape.events == Some(true) && rest.height >= 14 {
            self.put(Slot::Events, take_bottom(&mut rest, 6));
        }
        if shape.preview == Some(true) && shape.agents && rest.height >= 10 {
            let half = rest.height / 2;
            self.put(Slot::Side, take_bottom(&mut rest, half));
        } else if rest.height >= 12 && shape.agents {
            self.put(Slot::Detail, take_bottom(&mut rest, 4));
        }
        self.put(Slot::Main, rest);
    }

    fn compact(&mut self, mut rest: Rect, shape: Shape) {
        if rest.height >= 13 {
            self.put(Slot::Lines, take_bottom(&mut rest, 5));
        }
        let events = shape.events.unwrap_or(rest.height >= 20);
        if events && rest.height >= 10 {
            let height = if rest.height >= 20 { (rest.height / 4).clamp(4, 9) } else { 4 };
            self.put(Slot::Events, take_bottom(&mut rest, height));
        }
        let beside = rest.width >= 120;
        if shape.agents && shape.preview.unwrap_or(beside) {
            if beside {
                let agents = agents_width(rest.width);
                let (left, right) = split_left(rest, agents);
                rest = left;
                self.split_side(right);
            } else if rest.height >= 10 {
                let half = rest.height.div_ceil(2);
                self.put(Slot::Side, take_bottom(&mut rest, half));
            }
        }
        self.put(Slot::Main, rest);
    }

    fn full(&mut self, mut rest: Rect, shape: Shape) {
        let height = rest.height;
        if shape.events.unwrap_or(true) {
            self.put(Slot::Events, take_bottom(&mut rest, (height / 6).saturating_sub(2).clamp(4, 10)));
        }
        self.boxes(take_bottom(&mut rest, 6));
        if shape.agents && shape.preview.unwrap_or(true) {
            let (left, right) = split_left(rest, agents_width(rest.width));
            rest = left;
            self.split_side(right);
        }
        self.put(Slot::Main, rest);
    }

    /// The instruments side by side, by their weight; the last one takes what division leaves.
    fn boxes(&mut self, rest: Rect) {
        let weighed = |slot: Slot| if let Slot::Box(_, weight) = slot { Some((slot, weight)) } else { None };
        let boxes: Vec<(Slot, u16)> = SECTIONS.iter().filter_map(|section| weighed(section.slot)).collect();
        let total = boxes.iter().map(|(_, weight)| u32::from(*weight)).sum::<u32>().max(1);
        let mut x = rest.x;
        for (i, (slot, weight)) in boxes.iter().enumerate() {
            let share = u32::from(rest.width) * u32::from(*weight) / total;
            let last = i + 1 == boxes.len();
            let width = if last { rest.right() - x } else { u16::try_from(share).unwrap_or(0) };
            self.put(*slot, Rect { x, width, ..rest });
            x += width;
        }
    }

    /// The preview with the evidence below it, when there is room for both.
    fn split_side(&mut self, mut rest: Rect) {
        if rest.height >= 16 {
            let height = if rest.height >= 26 { 9 } else { 7 };
            self.put(Slot::BelowSide, take_bottom(&mut rest, height));
        }
        self.put(Slot::Side, rest);
    }

    /// Rows and panels in view, for the state.
    #[must_use]
    pub fn viewport(&self, state: &State) -> Viewport {
        let mode = &state.mode;
        let inner = |rect: Option<Rect>| rect.map_or(0, |r| usize::from(r.height.saturating_sub(2)));
        let (preview, events) = (self.rect(Slot::Side), self.rect(Slot::Events));
        let list = self.rect(Slot::Main).zip(section(Slot::Main, state));
        let list = list.map_or(Room::default(), |(rect, section)| (section.room)(state, self.class, rect));
        // One that has the whole screen gives it to any other, also where there is no room for boxes.
        let in_reach = |slot| state.view.zoom || self.rect(slot).is_some();
        let mut panels: Vec<Panel> =
            SECTIONS.iter().filter(|section| in_reach(section.slot)).filter_map(|section| section.panel).collect();
        panels.dedup();
        Viewport {
            list,
            preview: inner(preview).max(usize::from(preview.is_some())),
            events: inner(events).max(usize::from(events.is_some())),
            overlay: match mode {
                Mode::Normal | Mode::Filter(_) => 0,
                _ => inner(Some(overlay::rect(self.area, mode))),
            },
            request: match mode {
                Mode::Answer { seen, asked, .. } => {
                    let part = Parts::of(overlay::rect(self.area, mode), &state.keymap, seen, asked).request;
                    (part.width.into(), part.height.into())
                }
                _ => (0, 0),
            },
            preview_width: preview.map_or(0, |rect| usize::from(rect.width.saturating_sub(2))),
            panels,
            wall: self
                .rect(Slot::Main)
                .filter(|_| state.view.main == Main::Wall)
                .map(|rect| panels::wall::shape(state, rect)),
            instruments: self.slots.iter().any(|(slot, _)| matches!(slot, Slot::Lines | Slot::Box(..))),
        }
    }
}

/// The shape of the state.
#[must_use]
pub fn shape(state: &State) -> Shape {
    Shape {
        preview: state.view.preview,
        events: state.view.events,
        // The wall has all of the page; what is zoomed there is one tile of it.
        zoom: match state.view.main {
            Main::Wall => Some(Panel::Agents),
            _ => state.view.zoom.then_some(state.view.focus),
        },
        banner: state.banner().is_some(),
        agents: !state.fleet.is_empty() && state.view.main == Main::Agents,
    }
}

fn class(area: Rect) -> Class {
    match (area.width, area.height) {
        (0..20, _) | (_, 0..6) => Class::Counts,
        (20..60, _) => Class::Sidebar,
        (120.., 30..) => Class::Full,
        _ => Class::Compact,
    }
}

fn agents_width(width: u16) -> u16 {
    // From 200 columns on what an agent does gets more of the room than its screen: panes are seldom wider than 100.
    (width * 62 / 100).clamp(74, 118.max(width.saturating_sub(102))).min(width)
}

fn split_left(rest: Rect, width: u16) -> (Rect, Rect) {
    let width = width.min(rest.width);
    (Rect { width, ..rest }, Rect { x: rest.x + width, width: rest.width - width, ..rest })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(layout: &Layout) -> Vec<Rect> {
        [layout.header, layout.banner, layout.footer]
            .into_iter()
            .chain(layout.slots.iter().map(|(_, rect)| Some(*rect)))
            .flatten()
            .collect()
    }

    #[test]
    fn rectangles_fill_the_area_without_overlap_at_every_size() {
        for width in 1..230 {
            for height in 1..70 {
                for shape in [
                    Shape { agents: true, ..Shape::default() },
                    Shape { preview: Some(true), events: Some(true), banner: true, agents: true, ..Shape::default() },
                    Shape { zoom: Some(Panel::Preview), ..Shape::default() },
                    Shape { zoom: Some(Panel::Cycle), banner: true, ..Shape::default() },
                ] {
                    let area = Rect::new(0, 0, width, height);
                    let layout = Layout::new(area, shape);
                    let rects = all(&layout);
                    if layout.class == Class::Counts {
                        assert!(rects.is_empty());
                        continue;
                    }
                    let covered: u32 = rects.iter().map(|rect| rect.area()).sum();
                    assert_eq!(covered, area.area(), "{width}x{height} {layout:?}");
                    for (i, a) in rects.iter().enumerate() {
                        assert_eq!(a.intersection(area), *a, "{width}x{height}");
                        assert!(rects[i + 1..].iter().all(|b| !a.intersects(*b)), "{width}x{height} {layout:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn the_sizes_people_have_get_their_arrangement() {
        for (width, height, expected) in [
            (200, 55, Class::Full),
            (140, 42, Class::Full),
            (120, 35, Class::Full),
            (80, 24, Class::Compact),
            (60, 20, Class::Compact),
            (40, 30, Class::Sidebar),
            (19, 30, Class::Counts),
            (80, 5, Class::Counts),
            (1, 1, Class::Counts),
        ] {
            assert_eq!(class(Rect::new(0, 0, width, height)), expected, "{width}x{height}");
        }
    }
}
