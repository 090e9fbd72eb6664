//! The engine's part of the settings, and the files that it is led to: agent profiles, script strategies.

use crate::app::settings::theme;
use crate::app::settings::yaml::Place;
use crate::app::settings::{Paths, Problem, Settings};
use crate::monitor::detect::{ProfileError, Profiles};
use crate::monitor::facts::profiles;
use crate::monitor::{CacheSettings, EngineSettings, Mode, RepositorySettings, scripts};
use crate::tmux::PoolSettings;

/// The engine's part of the settings.
///
/// # Errors
/// A word that the engine does not know: the settings were checked when they were read, so it is a fault of ours.
pub fn for_engine(settings: &Settings, paths: &Paths) -> Result<EngineSettings, String> {
    let monitoring = &settings.monitoring;
    let asynchronous = &monitoring.asynchronous;
    let unknown = |what: &str, word: &str| format!("{what} {word:?} is not known to the engine");
    let transport = &asynchronous.transport;
    let policy = &asynchronous.cache.strategy;
    Ok(EngineSettings {
        mode: if asynchronous.enabled { Mode::Async } else { Mode::Sync },
        strategy: asynchronous.strategy.clone(),
        interval: monitoring.check_interval,
        max_failures: monitoring.max_failures,
        max_server_percent: monitoring.max_server_percent,
        transport: transport.parse().map_err(|_| unknown("transport", transport))?,
        pool: PoolSettings {
            min_size: asynchronous.pool.min_size,
            max_size: asynchronous.pool.max_size,
            connection_timeout: asynchronous.pool.connection_timeout,
            max_age: asynchronous.pool.max_age,
            ..PoolSettings::default()
        },
        cache: CacheSettings {
            enabled: asynchronous.cache.enabled,
            ttl: asynchronous.cache.default_ttl,
            max_size: asynchronous.cache.max_size,
            policy: policy.parse().map_err(|_| unknown("cache policy", policy))?,
        },
        agents_dir: Some(paths.agents()),
        strategies_dir: Some(paths.strategies()),
        status_lines: Some(paths.status_lines()),
        usage: settings.usage.clone(),
        prices: settings.prices.clone(),
        named: settings.agents.clone(),
        repositories: RepositorySettings {
            enabled: settings.repositories.enabled,
            diff: settings.repositories.diff,
            work: Some(paths.run()),
        },
        simulated: paths.demo.is_some(),
    })
}

/// Reads the files that an engine with these settings would use: all agent profiles, and the script of the strategy.
///
/// # Errors
/// What is wrong with one of them, and where.
pub fn engine_files(settings: &EngineSettings) -> Result<Profiles, String> {
    let profiles = profiles::load(settings.agents_dir.as_deref()).map_err(|error| error.to_string())?;
    let strategies = scripts::list(settings.strategies_dir.as_deref());
    match strategies.into_iter().find(|info| info.name == settings.strategy).and_then(|info| info.problem) {
        None => Ok(profiles),
        Some(problem) => Err(format!("strategy {}: {problem}", settings.strategy)),
    }
}

/// What is wrong with the files beside the settings, whether they are in use or not.
#[must_use]
pub fn problems_beside(paths: &Paths) -> Vec<Problem> {
    let mut problems = Vec::new();
    if let Err(error) = profiles::load(Some(&paths.agents())) {
        problems.push(match error {
            ProfileError::Bad { path, line, column, reason } => {
                Problem::of(path.display().to_string(), reason).at(Some(Place { line, column }))
            }
            other => Problem::of("agent profiles", other.to_string()),
        });
    }
    let strategies = scripts::list(Some(&paths.strategies()));
    problems.extend(strategies.into_iter().filter_map(|info| Some(Problem::of(info.origin, info.problem?))));
    problems.extend(theme::problems(&paths.themes()));
    problems
}
