//! What every verb works with: options, paths, settings, the server, the engine's place.

use std::sync::Arc;

use crate::app::cli::{Failure, Global, InForce, Output};
use crate::{
    app::settings::{self, Loaded, Overrides, Paths, Settings, SettingsError},
    monitor::{EnginePaths, EngineSettings},
    tmux::{Server, SocketChoice, TmuxError},
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

    /// Another one for what goes on beside the verb.
    pub fn again(&self) -> Self {
        Self { global: self.global.clone(), paths: self.paths.clone(), out: Output::stdout(self.global.color) }
    }

    /// Reads the settings in force.
    pub fn load(&self, overrides: &Overrides) -> Result<Loaded, SettingsError> {
        let loaded = settings::load(&self.paths, &environment, overrides);
        match &loaded {
            Ok(Loaded { file: Some(file), .. }) => tracing::debug!(file = %file.display(), "settings read"),
            Ok(_) => tracing::debug!(file = %self.paths.config.display(), "no settings file: the defaults"),
            Err(_) => tracing::debug!(file = %self.paths.config.display(), "settings with problems"),
        }
        loaded
    }

    /// Reads the settings for a process that goes on living by them.
    pub fn in_force(&self, overrides: Overrides) -> Result<Arc<InForce>, SettingsError> {
        let loaded = self.load(&overrides)?;
        Ok(InForce::new(self.paths.clone(), overrides, loaded))
    }

    /// The one tmux server that is meant. Nothing is contacted.
    pub fn server(&self) -> Result<Server, Failure> {
        if self.global.socket_name.len() > 1 {
            return Err(Failure::usage("-L: this is about one tmux server: name one"));
        }
        self.first_server()
    }

    /// The tmux server that is meant, or the first one where several may be. Nothing is contacted.
    pub fn first_server(&self) -> Result<Server, Failure> {
        let name = self.global.socket_name.first().cloned();
        let choice = SocketChoice { name, path: self.global.socket_path.clone() };
        let server = Server::resolve(&choice).map_err(|error| Failure::usage(error.to_string()))?;
        tracing::debug!(socket = %server.socket().display(), tmux = %server.program().display(), "the tmux server");
        Ok(server)
    }

    /// Where the engine of this server keeps its lock and its socket.
    #[must_use]
    pub fn engine_paths(&self, server: &Server) -> EnginePaths {
        EnginePaths::new(&self.paths.run(), server.socket())
    }

    /// The engine's part of the settings.
    pub fn engine_settings(&self, settings: &Settings) -> Result<EngineSettings, Failure> {
        settings::for_engine(settings, &self.paths).map_err(Failure::failed)
    }
}

/// The process's environment variables; one that is not UTF-8 counts as not set.
pub(super) fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

impl From<TmuxError> for Failure {
    fn from(error: TmuxError) -> Self {
        Self::unreachable(error.to_string())
    }
}
