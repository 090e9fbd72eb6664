//! Where things are kept: all under one base directory.

use std::path::{Path, PathBuf};

use etcetera::BaseStrategy;

/// Name of the base directory in the home directory.
const BASE: &str = ".tmux_orchestrator";

/// The paths in use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paths {
    /// The base directory: `TMUX_ORC_HOME`, else `~/.tmux_orchestrator`.
    pub base: PathBuf,
    /// The settings file.
    pub config: PathBuf,
    /// It was named by `--config`, so it must exist.
    pub config_was_named: bool,
    /// The private directory of the demo whose agents are watched: what is kept of them goes there, and with it.
    pub demo: Option<PathBuf>,
}

/// No home directory was found to keep the base directory in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no home directory: set HOME, or TMUX_ORC_HOME to the directory to use")]
pub struct NoHome;

impl Paths {
    /// Finds them: `config` is the file that `--config` names.
    pub fn find(environment: crate::app::settings::Environment<'_>, config: Option<PathBuf>) -> Result<Self, NoHome> {
        let base = match environment("TMUX_ORC_HOME").filter(|dir| !dir.is_empty()) {
            Some(dir) => std::path::absolute(&dir).unwrap_or_else(|_| dir.into()),
            None => match environment("HOME").filter(|dir| !dir.is_empty()) {
                Some(home) => PathBuf::from(home).join(BASE),
                // Without HOME the user database knows the home directory.
                None => etcetera::base_strategy::choose_base_strategy().map_err(|_| NoHome)?.home_dir().join(BASE),
            },
        };
        let config_was_named = config.is_some();
        let config = config.unwrap_or_else(|| base.join("config.yaml"));
        Ok(Self { base, config, config_was_named, demo: None })
    }

    /// Script strategies, `NAME.rhai`.
    #[must_use]
    pub fn strategies(&self) -> PathBuf {
        self.base.join("strategies")
    }

    /// The user's own agent profiles.
    #[must_use]
    pub fn agents(&self) -> PathBuf {
        self.base.join("agents")
    }

    /// The user's own themes.
    #[must_use]
    pub fn themes(&self) -> PathBuf {
        self.base.join("themes")
    }

    /// Where what is written goes: of simulated agents nothing is left in the user's own directory.
    fn kept(&self) -> &Path {
        self.demo.as_deref().unwrap_or(&self.base)
    }

    /// Log files.
    #[must_use]
    pub fn logs(&self) -> PathBuf {
        self.kept().join("logs")
    }

    /// The journal of events.
    #[must_use]
    pub fn events(&self) -> PathBuf {
        self.kept().join("events")
    }

    /// What the commands of agents' status lines were told.
    #[must_use]
    pub fn status_lines(&self) -> PathBuf {
        self.run().join("status-lines")
    }

    /// Locks and sockets of running engines.
    #[must_use]
    pub fn run(&self) -> PathBuf {
        self.kept().join("run")
    }
}
