//! The pure core of the dashboard: state, messages, update, keys, words. No file, no clock, no process.

pub mod act;
pub mod action;
pub(crate) mod asked;
pub mod column;
pub(crate) mod detail;
pub mod events;
#[cfg(test)]
pub(crate) mod fixture;
pub mod fleet;
pub(crate) mod format;
pub(crate) mod fuzzy;
pub mod heights;
pub(crate) mod help;
pub(crate) mod hosts;
pub mod key;
pub mod keymap;
pub(crate) mod limits;
pub mod list;
pub mod message;
pub(crate) mod nearest;
pub mod palette;
pub(crate) mod pending;
pub mod plain;
pub(crate) mod request;
pub(crate) mod roles;
pub mod scrolling;
pub mod state;
pub(crate) mod target;
pub mod text;
pub mod update;
pub(crate) mod usage;
pub mod view;
pub(crate) mod wanted;
pub mod widths;
pub(crate) mod words;
