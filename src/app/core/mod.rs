//! The pure core of the dashboard: state, messages, update, keys, words. No file, no clock, no process.

pub mod act;
pub mod action;
pub mod asked;
pub mod events;
#[cfg(test)]
pub(crate) mod fixture;
pub mod format;
pub mod fuzzy;
pub mod help;
pub mod key;
pub mod keymap;
pub mod list;
pub mod message;
pub mod nearest;
pub mod palette;
pub mod pending;
pub mod plain;
pub mod roles;
pub mod state;
pub mod target;
pub mod text;
pub mod update;
pub mod view;
pub mod wanted;
pub mod words;
