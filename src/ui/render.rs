//! From state to cells. Reads no clock, does no I/O, changes nothing.

use ratatui::{
    buffer::Buffer,
    layout::{Position, Rect},
};

use crate::app::core::state::{Mode, State};
use crate::ui::canvas::Canvas;
use crate::ui::layout::Layout;
use crate::ui::panels::{DrawContext, Preview, Screens};
use crate::ui::slot::Class;
use crate::ui::theme::Theme;
use crate::ui::{glyphs, panels};

/// What a drawn frame needs beside its cells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Frame {
    /// Where the terminal's cursor is shown, if it is.
    pub cursor: Option<Position>,
}

/// Draws the state. `buf` is empty before and covers the layout's area.
///
/// ```text
/// header: name, counts, engine
/// banner: what is wrong with the whole
/// agents (or tune)              | preview
///                               | why
/// pool | cache | cycle | cost | strategy
/// events
/// footer: keys, toasts
/// ```
pub fn draw(state: &State, layout: &Layout, theme: &Theme, screens: &Screens, buf: &mut Buffer) -> Frame {
    let frame = parts(state, layout, theme, screens, buf);
    if state.ascii {
        glyphs::plain(buf);
    }
    frame
}

fn parts(state: &State, layout: &Layout, theme: &Theme, screens: &Screens, buf: &mut Buffer) -> Frame {
    let mut canvas = Canvas { buf, theme };
    let c = &mut canvas;
    let area = layout.area;
    if area.width == 0 || area.height == 0 {
        return Frame::default();
    }
    c.style(area, theme.ground.patch(theme.text));
    if layout.class == Class::Counts {
        panels::counts::draw(c, area, state);
        return Frame::default();
    }
    let part = |rect: Option<Rect>| rect.filter(|r| r.width > 0 && r.height > 0);
    if let Some(rect) = part(layout.header) {
        panels::header::draw(c, rect, state);
    }
    if let Some(rect) = part(layout.banner) {
        panels::header::banner(c, rect, state);
    }
    let context = DrawContext { state, class: layout.class, screens };
    for (slot, rect) in &layout.slots {
        if let (Some(rect), Some(shown)) = (part(Some(*rect)), panels::section(*slot, state)) {
            shown.show(c, rect, &context);
        }
    }
    let mut frame = Frame::default();
    if let Some(rect) = part(layout.footer) {
        frame.cursor = panels::footer::draw(c, rect, state);
    }
    panels::tour::draw(c, layout, state);
    if !matches!(state.mode, Mode::Normal | Mode::Filter(_)) {
        frame.cursor = panels::overlay::draw(
            c,
            panels::overlay::rect(layout.area, &state.mode),
            state,
            &request(state, &screens.preview, theme),
        );
    }
    frame
}

/// The screen that an open request is read from; mostly the one that the preview shows.
fn request(state: &State, preview: &Preview, theme: &Theme) -> Preview {
    let asked = match &state.mode {
        Mode::Answer { asked, .. } => asked,
        Mode::Pick { .. } => return preview.clone(),
        _ => return Preview::default(),
    };
    let mut request = preview.clone();
    request.read(asked.screen.as_ref(), theme.depth, state.reduced_motion);
    request
}
