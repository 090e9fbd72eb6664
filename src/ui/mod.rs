//! The terminal: event loop, layout, panels, themes.

mod background;
mod burst;
mod canvas;
pub mod colour;
mod csi;
mod decode;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzz;
pub mod glyphs;
pub mod hit;
mod input;
pub mod layout;
mod listen;
mod panels;
mod reader;
mod render;
mod run;
mod screen;
mod stop;
mod terminal;
pub mod theme;

pub use colour::ColourChoice;
pub use panels::Preview;
pub use render::{Frame, draw};
pub use run::{Actions, Error, Exit, Options, run};
pub use screen::{Screen, Synchronised};
