//! tmux-orc: watches the AI coding agents in the panes of a tmux server.
//!
//! Four layers, each importing only those before it: [`tmux`] <- [`monitor`] <- [`app`] <- [`ui`] <- `main`. Below them [`yaml`] wraps
//! a library.
#![allow(
    rustdoc::private_intra_doc_links,
    reason = "most items are the program's own and are read beside their sources"
)]

pub mod app;
#[cfg(test)]
mod counts;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
pub mod monitor;
pub mod tmux;
pub mod ui;
pub mod yaml;

// The samples of the tests name this crate as others do.
#[cfg(any(test, fuzzing))]
extern crate self as tmux_orc;
