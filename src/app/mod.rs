//! The pure core: state, messages, update, settings, the command line.

pub mod cli;
pub mod demo;
pub mod settings;
