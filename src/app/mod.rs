//! The pure core: state, messages, update, settings, the command line.

pub mod act;
pub mod action;
pub mod asked;
pub mod cli;
pub mod demo;
pub mod events;
pub mod format;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzz;
pub mod fuzzy;
pub mod help;
pub mod integration;
pub mod journal;
pub mod key;
pub mod keymap;
pub mod list;
pub mod logging;
pub mod message;
pub mod nearest;
pub mod notify;
pub mod palette;
pub mod pending;
pub mod plain;
pub mod remember;
pub mod settings;
pub mod state;
pub mod target;
pub mod text;
pub mod theme;
pub mod update;
pub mod wanted;
pub mod words;

pub use message::Effect;
