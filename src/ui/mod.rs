//! The terminal: event loop, layout, panels, themes.

mod canvas;
pub mod colour;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzz;
pub mod glyphs;
pub mod hit;
pub mod layout;
mod panels;
mod render;
mod run;
pub mod slot;
mod terminal;
pub mod theme;

pub use crate::ui::terminal::screen::{Screen, Synchronised};
pub use colour::ColourChoice;
pub use panels::{Preview, Screens};
pub use render::draw;
pub use run::{Actions, Error, Exit, Options, run};
