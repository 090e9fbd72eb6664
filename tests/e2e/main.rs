//! The whole program from outside: real tmux servers, the dashboard in a real terminal, keys and screens.

#[path = "../support/mod.rs"]
mod support;

mod agents;
mod dashboard;
mod demo;
mod docs;
mod fixture;
mod joined;
mod plugin;
