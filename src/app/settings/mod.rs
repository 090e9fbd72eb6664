//! Settings: one table says what there is; a file, the environment and options set it; errors tell the place.

mod check;
mod engine;
mod load;
mod names;
mod paths;
pub(super) mod places;
mod problem;
mod reload;
mod sources;
mod table;
pub mod theme;
mod typed;
pub(super) mod yaml;

pub use check::hours;
pub use engine::{engine_files, for_engine, problems_beside};
#[cfg(any(test, fuzzing))]
pub(super) use load::resolve;
pub use load::{Loaded, Overrides, defaults, load};
pub use paths::{NoHome, Paths};
pub use problem::{Problem, SettingsError};
pub use reload::changes;
pub use sources::{Environment, Origin};
pub use table::{Kind, ROWS, Row};
pub use typed::{Async, Cache, Dashboard, KeyNames, Monitoring, Notifications, Pool, Settings};

/// The commented default file, as `config init` writes it.
pub const DEFAULT_FILE: &str = include_str!("../../../assets/config.yaml");

#[cfg(test)]
mod tests;
