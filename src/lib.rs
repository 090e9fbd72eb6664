//! tmux-orc: watches the AI coding agents in the panes of a tmux server.
//!
//! Four layers, each importing only those before it: [`tmux`] <- [`monitor`] <- [`app`] <- [`ui`] <- `main`.

pub mod app;
pub mod monitor;
pub mod tmux;
pub mod ui;
