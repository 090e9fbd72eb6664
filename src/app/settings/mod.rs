//! Settings: one table says what there is; a file, the environment and options set it; errors tell the place.

mod check;
mod load;
mod nearest;
mod paths;
mod reload;
mod table;
mod typed;
mod yaml;

pub use check::hours;
#[cfg(any(test, fuzzing))]
pub(super) use load::resolve;
pub use load::{BUILT_IN_STRATEGIES, Environment, Loaded, Origin, Overrides, Problem, SettingsError, defaults, load};
pub use nearest::nearest;
pub use paths::{NoHome, Paths};
pub use reload::{Reload, reload};
pub use table::{Kind, ROWS, Row};
pub use typed::{Async, Cache, Dashboard, KeyNames, Monitoring, NamedAgent, Notifications, Pool, Settings};

/// The commented default file, as `config init` writes it.
pub const DEFAULT_FILE: &str = include_str!("../../../assets/config.yaml");

#[cfg(test)]
mod tests;
