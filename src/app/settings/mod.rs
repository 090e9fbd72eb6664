//! Settings: one table says what there is; a file, the environment and options set it; errors tell the place.

mod check;
mod engine;
mod hosts;
mod load;
mod names;
mod outlets;
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
pub(crate) use engine::{engine_files, for_engine, problems_beside};
pub use hosts::{HostSettings, is_host_name};
#[cfg(any(test, fuzzing))]
pub(super) use load::resolve;
pub(crate) use load::{Loaded, Overrides};
pub use load::{defaults, load};
pub(crate) use outlets::{CollectorAddress, loopback};
pub(crate) use paths::{NoHome, Paths};
pub(crate) use problem::{Problem, SettingsError};
pub use reload::changes;
pub use sources::Environment;
pub(crate) use sources::Origin;
pub use table::Row;
pub(crate) use table::{METRICS_DETAIL, ROWS};
pub use typed::{Async, Cache, Dashboard, Metrics, Monitoring, Pool, Repositories, Settings, Tmux};
pub(crate) use typed::{KeyNames, Notifications};

/// The commented default file, as `config init` writes it.
pub const DEFAULT_FILE: &str = include_str!("../../../assets/config.yaml");

#[cfg(test)]
mod tests;
