//! Two buffers: the frame that is shown and the next one. Only what differs is written, in one synchronised write.

use std::io;

use ratatui::{
    backend::Backend,
    buffer::Buffer,
    layout::{Position, Rect},
};

use crate::app::core::state::State;
use crate::ui::layout::{Layout, shape};
use crate::ui::panels::Screens;
use crate::ui::render;
use crate::ui::theme::Theme;

/// What the terminal shows.
#[derive(Debug)]
pub struct Screen<B> {
    backend: B,
    shown: Buffer,
    next: Buffer,
    cursor: Option<Position>,
    screens: Screens,
    clear: bool,
}

/// Marks around a frame, so that terminals which know them show it at once.
pub trait Synchronised: Backend {
    /// Before a frame.
    ///
    /// # Errors
    /// The terminal cannot be written to.
    fn begin(&mut self) -> io::Result<()>;
    /// After a frame; writes everything out.
    ///
    /// # Errors
    /// The terminal cannot be written to.
    fn end(&mut self) -> io::Result<()>;
}

impl<B: Synchronised<Error = io::Error>> Screen<B> {
    /// A screen of a size; the first frame is written whole.
    pub fn new(backend: B, columns: u16, rows: u16) -> Self {
        let area = Rect::new(0, 0, columns, rows);
        Self {
            backend,
            shown: Buffer::empty(area),
            next: Buffer::empty(area),
            cursor: None,
            screens: Screens::default(),
            clear: true,
        }
    }

    /// The terminal has another size, or its content was lost: the next frame is written whole.
    pub fn reset(&mut self, columns: u16, rows: u16) {
        let area = Rect::new(0, 0, columns, rows);
        self.shown = Buffer::empty(area);
        self.next = Buffer::empty(area);
        self.clear = true;
    }

    /// The layout for the state at this size.
    #[must_use]
    pub fn layout(&self, state: &State) -> Layout {
        Layout::new(self.next.area, shape(state))
    }

    /// What is shown, cell by cell.
    #[must_use]
    pub fn shown(&self) -> &Buffer {
        &self.shown
    }

    /// The terminal.
    #[must_use]
    pub fn backend(&self) -> &B {
        &self.backend
    }

    /// Draws the state; writes what differs. Says whether anything was written.
    ///
    /// # Errors
    /// The terminal cannot be written to.
    pub fn draw(&mut self, state: &State, theme: &Theme) -> io::Result<bool> {
        self.screens.read(state, theme.depth);
        self.next.reset();
        let layout = self.layout(state);
        let frame = render::draw(state, &layout, theme, &self.screens, &mut self.next);
        let changes = self.shown.diff(&self.next);
        if changes.is_empty() && frame.cursor == self.cursor && !self.clear {
            return Ok(false);
        }
        self.backend.begin()?;
        if self.clear || self.cursor.is_some() {
            self.backend.hide_cursor()?;
        }
        if self.clear {
            self.backend.clear()?;
            self.clear = false;
        }
        self.backend.draw(changes.into_iter())?;
        if let Some(position) = frame.cursor {
            self.backend.set_cursor_position(position)?;
            self.backend.show_cursor()?;
        }
        self.backend.end()?;
        self.cursor = frame.cursor;
        std::mem::swap(&mut self.shown, &mut self.next);
        Ok(true)
    }
}
