//! The pure core: state, messages, update, settings, the command line.

pub mod settings;
