//! Where everything is: one pure function from the area to rectangles. Rendering and the mouse both go by it.

use ratatui::layout::Rect;

use crate::app::core::act::Seen;
use crate::app::core::asked::Asked;
use crate::app::core::state::{Mode, State};
use crate::app::core::text;
use crate::app::core::view::{Panel, Viewport};

/// The arrangements, from the least room to the most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// Counts alone.
    Counts,
    /// A narrow column beside other panes.
    Sidebar,
    /// Agents above, the instruments as lines below.
    Compact,
    /// Agents and preview above, the instruments as boxes, the events below.
    Full,
}

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
    /// The agents, or the tune view.
    pub agents: Option<Rect>,
    /// The selected pane's screen.
    pub preview: Option<Rect>,
    /// The evidence, below the preview.
    pub why: Option<Rect>,
    /// The selected agent in words, in the sidebar.
    pub detail: Option<Rect>,
    /// Pool, cache, cycle, cost, strategy as boxes.
    pub boxes: [Option<Rect>; 5],
    /// The same as lines.
    pub lines: Option<Rect>,
    /// What happened.
    pub events: Option<Rect>,
    /// Keys and toasts.
    pub footer: Option<Rect>,
}

/// The instruments in the order of their boxes.
pub const INSTRUMENTS: [Panel; 5] = [Panel::Pool, Panel::Cache, Panel::Cycle, Panel::Cost, Panel::Strategy];

impl Layout {
    /// The arrangement for an area.
    #[must_use]
    pub fn new(area: Rect, shape: Shape) -> Self {
        let class = class(area);
        let mut layout = Self {
            class,
            area,
            header: None,
            banner: None,
            agents: None,
            preview: None,
            why: None,
            detail: None,
            boxes: [None; 5],
            lines: None,
            events: None,
            footer: None,
        };
        if class == Class::Counts {
            return layout;
        }
        let mut rest = area;
        layout.header = Some(take_top(&mut rest, if class == Class::Sidebar { 2 } else { 1 }));
        layout.footer = Some(take_bottom(&mut rest, 1));
        if shape.banner && rest.height > 4 {
            layout.banner = Some(take_top(&mut rest, 1));
        }
        if let Some(panel) = shape.zoom {
            layout.zoomed(rest, panel);
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

    fn zoomed(&mut self, rest: Rect, panel: Panel) {
        match panel {
            Panel::Agents => self.agents = Some(rest),
            Panel::Preview => self.split_why(rest),
            Panel::Events => self.events = Some(rest),
            other => {
                for (slot, instrument) in self.boxes.iter_mut().zip(INSTRUMENTS) {
                    *slot = (instrument == other).then_some(rest);
                }
            }
        }
    }

    fn sidebar(&mut self, mut rest: Rect, shape: Shape) {
        if rest.height >= 14 {
            self.lines = Some(take_bottom(&mut rest, 2));
        }
        if shape.events == Some(true) && rest.height >= 14 {
            self.events = Some(take_bottom(&mut rest, 6));
        }
        if shape.preview == Some(true) && shape.agents && rest.height >= 10 {
            let half = rest.height / 2;
            self.preview = Some(take_bottom(&mut rest, half));
        } else if rest.height >= 12 && shape.agents {
            self.detail = Some(take_bottom(&mut rest, 4));
        }
        self.agents = Some(rest);
    }

    fn compact(&mut self, mut rest: Rect, shape: Shape) {
        if rest.height >= 13 {
            self.lines = Some(take_bottom(&mut rest, 5));
        }
        let events = shape.events.unwrap_or(rest.height >= 20);
        if events && rest.height >= 10 {
            let height = if rest.height >= 20 { (rest.height / 4).clamp(4, 9) } else { 4 };
            self.events = Some(take_bottom(&mut rest, height));
        }
        let beside = rest.width >= 120;
        if shape.agents && shape.preview.unwrap_or(beside) {
            if beside {
                let agents = agents_width(rest.width);
                let (left, right) = split_left(rest, agents);
                rest = left;
                self.split_why(right);
            } else if rest.height >= 10 {
                let half = rest.height.div_ceil(2);
                self.preview = Some(take_bottom(&mut rest, half));
            }
        }
        self.agents = Some(rest);
    }

    fn full(&mut self, mut rest: Rect, shape: Shape) {
        let height = rest.height;
        if shape.events.unwrap_or(true) {
            self.events = Some(take_bottom(&mut rest, (height / 6).saturating_sub(2).clamp(4, 10)));
        }
        let boxes = take_bottom(&mut rest, 6);
        self.boxes = split_weighted(boxes, [23, 26, 30, 23, 28]).map(Some);
        if shape.agents && shape.preview.unwrap_or(true) {
            let (left, right) = split_left(rest, agents_width(rest.width));
            rest = left;
            self.split_why(right);
        }
        self.agents = Some(rest);
    }

    /// The preview with the evidence below it, when there is room for both.
    fn split_why(&mut self, mut rest: Rect) {
        if rest.height >= 16 {
            let height = if rest.height >= 26 { 9 } else { 7 };
            self.why = Some(take_bottom(&mut rest, height));
        }
        self.preview = Some(rest);
    }

    /// Rows and panels in view, for the state.
    #[must_use]
    pub fn viewport(&self, mode: &Mode) -> Viewport {
        let inner = |rect: Option<Rect>| rect.map_or(0, |r| usize::from(r.height.saturating_sub(2)));
        let agents = match (self.class, self.agents) {
            (Class::Sidebar, Some(rect)) => usize::from(rect.height),
            (_, rect) => inner(rect).saturating_sub(1),
        };
        let shown = [(Panel::Agents, self.agents), (Panel::Preview, self.preview)]
            .into_iter()
            .chain(INSTRUMENTS.into_iter().zip(self.boxes))
            .chain([(Panel::Events, self.events)]);
        Viewport {
            agents,
            preview: inner(self.preview).max(usize::from(self.preview.is_some())),
            events: inner(self.events).max(usize::from(self.events.is_some())),
            overlay: match mode {
                Mode::Normal | Mode::Filter(_) => 0,
                _ => inner(Some(self.overlay(mode))),
            },
            request: match mode {
                Mode::Answer { seen, .. } => {
                    let part = answer_parts(self.overlay(mode), seen.choices.len()).0;
                    (part.width.into(), part.height.into())
                }
                _ => (0, 0),
            },
            preview_width: self.preview.map_or(0, |rect| usize::from(rect.width.saturating_sub(2))),
            panels: shown.filter(|(_, rect)| rect.is_some()).map(|(panel, _)| panel).collect(),
            instruments: self.lines.is_some() || self.boxes.iter().any(Option::is_some),
        }
    }

    /// The overlay's rectangle, borders included.
    #[must_use]
    pub fn overlay(&self, mode: &Mode) -> Rect {
        let (width, height) = match mode {
            Mode::Palette { .. } => (64, 20),
            Mode::Answer { seen, asked, .. } => answer_size(self.area.width, seen, asked),
            Mode::Reply { .. } => (72, 6),
            Mode::Confirm { .. } => (56, 5),
            Mode::Broadcast { to, input: None, .. } => {
                (64, u16::try_from(to.len()).unwrap_or(20).saturating_add(2).clamp(6, 24))
            }
            Mode::Broadcast { .. } => (72, 6),
            _ => (76, self.area.height.saturating_sub(4)),
        };
        let width = width.min(self.area.width);
        let height = height.min(self.area.height);
        let x = self.area.x + (self.area.width - width) / 2;
        let above = match mode {
            Mode::Palette { .. } => (self.area.height - height) / 4,
            _ => (self.area.height - height) / 2,
        };
        Rect { x, y: self.area.y + above, width, height }
    }
}

/// Columns and rows of the box of the answers: the request in full where there is room.
fn answer_size(most: u16, seen: &Seen, asked: &Asked) -> (u16, u16) {
    let longest = seen.rows.iter().skip(asked.rows.start).take(asked.rows.len()).map(|row| text::width(row.trim_end()));
    let labels = seen.choices.iter().map(|choice| text::width(&choice.label) + 3);
    let cells = longest.chain(labels).max().unwrap_or(0).clamp(60, 160) + 4;
    let width = u16::try_from(cells).unwrap_or(most).min(most);
    let lines = asked.pieces(seen, width.saturating_sub(4).into()).len().max(1);
    (width, u16::try_from(lines + seen.choices.len() + 3).unwrap_or(u16::MAX))
}

/// The request, the row below it and the answers, in the box with its borders. The answers come first where there is
/// no room for all.
#[must_use]
pub fn answer_parts(area: Rect, answers: usize) -> (Rect, u16, Rect) {
    let mut rest = Rect {
        x: area.x + 2,
        y: area.y + 1,
        width: area.width.saturating_sub(4),
        height: area.height.saturating_sub(2),
    };
    let below = take_bottom(&mut rest, u16::try_from(answers).unwrap_or(u16::MAX));
    let between = take_bottom(&mut rest, 1);
    (rest, between.y, below)
}

/// The shape of the state.
#[must_use]
pub fn shape(state: &State) -> Shape {
    Shape {
        preview: state.view.preview,
        events: state.view.events,
        zoom: state.view.zoom.then_some(state.view.focus),
        banner: state.banner().is_some(),
        agents: !state.snapshot.agents.is_empty() && !state.view.tune,
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

fn take_top(rest: &mut Rect, height: u16) -> Rect {
    let height = height.min(rest.height);
    let top = Rect { height, ..*rest };
    rest.y += height;
    rest.height -= height;
    top
}

fn take_bottom(rest: &mut Rect, height: u16) -> Rect {
    let height = height.min(rest.height);
    rest.height -= height;
    Rect { y: rest.y + rest.height, height, ..*rest }
}

fn split_left(rest: Rect, width: u16) -> (Rect, Rect) {
    let width = width.min(rest.width);
    (Rect { width, ..rest }, Rect { x: rest.x + width, width: rest.width - width, ..rest })
}

/// Columns by weight; the last one takes what division leaves.
fn split_weighted<const N: usize>(rest: Rect, weights: [u16; N]) -> [Rect; N] {
    let total = u32::from(weights.iter().sum::<u16>()).max(1);
    let mut x = rest.x;
    let mut out = [rest; N];
    for (i, weight) in weights.into_iter().enumerate() {
        let share = u32::from(rest.width) * u32::from(weight) / total;
        let width = if i + 1 == N { rest.right() - x } else { u16::try_from(share).unwrap_or(0) };
        out[i] = Rect { x, width, ..rest };
        x += width;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(layout: &Layout) -> Vec<Rect> {
        [layout.header, layout.banner, layout.agents, layout.preview, layout.why, layout.detail, layout.lines]
            .into_iter()
            .chain(layout.boxes)
            .chain([layout.events, layout.footer])
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
