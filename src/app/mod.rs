//! Beside the engine: the dashboard's pure core, settings, acts, journal, notices, measures, what was spent, the verbs of the command line, the demo.

pub mod act;
pub(crate) mod badges;
pub mod cli;
pub mod core;
pub mod demo;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzz;
pub(crate) mod integration;
pub mod journal;
pub(crate) mod logging;
pub mod members;
pub mod metrics;
pub mod notify;
pub mod settings;
pub mod usage;

pub use crate::app::core::message::Effect;
