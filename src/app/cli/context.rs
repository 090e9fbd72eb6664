//! What every verb works with: options, paths, settings, the server, the engine's place.

use serde_json::{Value, json};

use super::{EngineOptions, Failure, Global, Output};
use crate::{
    app::settings::{self, Loaded, Overrides, Paths, Problem, Settings, SettingsError},
    monitor::{
        CacheSettings, EnginePaths, EngineSettings, Mode, NamedAgent,
        detect::{ProfileError, Profiles},
        strategy,
    },
    tmux::{PoolSettings, Server, SocketChoice, TmuxError},
};

/// What every verb works with.
pub struct Context {
    /// Options of every verb.
    pub global: Global,
    /// Where things are kept.
    pub paths: Paths,
    /// Where to print.
    pub out: Output,
}

impl Context {
    /// From the options of every verb and the environment.
    pub fn new(global: Global) -> Result<Self, Failure> {
        let paths = Paths::find(&environment, global.config.clone())?;
        let out = Output::stdout(global.color);
        Ok(Self { global, paths, out })
    }

    /// Reads the settings in force.
    pub fn load(&self, overrides: &Overrides) -> Result<Loaded, SettingsError> {
        settings::load(&self.paths, &environment, overrides)
    }

    /// The tmux server that is meant. Nothing is contacted.
    pub fn server(&self) -> Result<Server, Failure> {
        let choice = SocketChoice { name: self.global.socket_name.clone(), path: self.global.socket_path.clone() };
        Server::resolve(&choice).map_err(|error| Failure::usage(error.to_string()))
    }

    /// Where the engine of this server keeps its lock and its socket.
    #[must_use]
    pub fn engine_paths(&self, server: &Server) -> EnginePaths {
        EnginePaths::new(&self.paths.run(), server.socket())
    }

    /// Checks the files that the settings lead to: agent profiles, and the script of the strategy.
    pub fn check_files(&self, settings: &EngineSettings) -> Result<(), Failure> {
        Profiles::load(settings.agents_dir.as_deref()).map_err(|error| Failure::usage(error.to_string()))?;
        let strategies = strategy::list(settings.strategies_dir.as_deref());
        let problem = strategies.into_iter().find(|info| info.name == settings.strategy).and_then(|info| info.problem);
        problem.map_or(Ok(()), |problem| Err(Failure::usage(format!("strategy {}: {problem}", settings.strategy))))
    }

    /// What is wrong with the files beside the settings, whether they are in use or not.
    #[must_use]
    pub fn problems_beside(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        if let Err(error) = Profiles::load(Some(&self.paths.agents())) {
            problems.push(match error {
                ProfileError::Bad { path, line, column, reason } => Problem {
                    source: path.display().to_string(),
                    line: Some(line),
                    column: Some(column),
                    setting: None,
                    message: reason,
                },
                other => Problem {
                    source: "agent profiles".to_owned(),
                    line: None,
                    column: None,
                    setting: None,
                    message: other.to_string(),
                },
            });
        }
        for info in strategy::list(Some(&self.paths.strategies())) {
            if let Some(message) = info.problem {
                problems.push(Problem { source: info.origin, line: None, column: None, setting: None, message });
            }
        }
        problems
    }

    /// The engine's part of the settings.
    pub fn engine_settings(&self, settings: &Settings) -> Result<EngineSettings, Failure> {
        let monitoring = &settings.monitoring;
        let asynchronous = &monitoring.asynchronous;
        // Checked when they were read: a word that is not known here is a fault of ours, not of the user.
        let unknown = |what: &str, word: &str| Failure::failed(format!("{what} {word:?} is not known to the engine"));
        let transport = &asynchronous.transport;
        let policy = &asynchronous.cache.strategy;
        Ok(EngineSettings {
            mode: if asynchronous.enabled { Mode::Async } else { Mode::Sync },
            strategy: asynchronous.strategy.clone(),
            interval: monitoring.check_interval,
            max_failures: monitoring.max_failures,
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
            agents_dir: Some(self.paths.agents()),
            strategies_dir: Some(self.paths.strategies()),
            named: named_agents(settings),
        })
    }
}

/// The panes that the settings call agents.
#[must_use]
pub fn named_agents(settings: &Settings) -> Vec<NamedAgent> {
    let one = |named: &settings::NamedAgent| NamedAgent {
        target: named.target.clone(),
        name: named.name.clone(),
        agent: named.agent.clone(),
    };
    settings.agents.iter().map(one).collect()
}

/// The process's environment variables; one that is not UTF-8 counts as not set.
fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

impl EngineOptions {
    /// The settings that these options set.
    #[must_use]
    pub fn overrides(&self) -> Overrides {
        let mut set = Overrides::new();
        let mut push = |option, path, value: Value| set.push((option, path, value));
        if self.asynchronous {
            push("--async", "monitoring.async.enabled", json!(true));
        }
        if self.sync {
            push("--sync", "monitoring.async.enabled", json!(false));
        }
        if let Some(strategy) = &self.strategy {
            push("--strategy", "monitoring.async.strategy", json!(strategy));
        }
        if let Some(size) = self.pool_size {
            push("--pool-size", "monitoring.async.pool.max_size", json!(size));
        }
        if self.cache {
            push("--cache", "monitoring.async.cache.enabled", json!(true));
        }
        if self.no_cache {
            push("--no-cache", "monitoring.async.cache.enabled", json!(false));
        }
        if let Some(seconds) = self.interval {
            push("--interval", "monitoring.check_interval", json!(seconds));
        }
        if let Some(transport) = &self.transport {
            push("--transport", "monitoring.async.transport", json!(transport));
        }
        set
    }

    /// The same options as words, for the engine's own process.
    #[must_use]
    pub fn words(&self) -> Vec<String> {
        let mut words: Vec<String> = Vec::new();
        for (on, word) in [
            (self.asynchronous, "--async"),
            (self.sync, "--sync"),
            (self.cache, "--cache"),
            (self.no_cache, "--no-cache"),
        ] {
            if on {
                words.push(word.to_owned());
            }
        }
        let size = self.pool_size.map(|size| size.to_string());
        let interval = self.interval.map(|seconds| seconds.to_string());
        for (option, value) in [
            ("--strategy", &self.strategy),
            ("--pool-size", &size),
            ("--interval", &interval),
            ("--transport", &self.transport),
        ] {
            if let Some(value) = value {
                words.push(format!("{option}={value}"));
            }
        }
        words
    }
}

impl From<TmuxError> for Failure {
    fn from(error: TmuxError) -> Self {
        Self::unreachable(error.to_string())
    }
}
