//! The command line: its words, and one file for each verb.

mod args;
mod config;
mod failure;
mod generate;
mod output;

pub use args::{Cli, Color, ConfigVerb, Global, Verb};
pub use failure::Failure;
pub use output::{Look, Output, age, cell};

use super::settings::{self, Loaded, Overrides, Paths, SettingsError};

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
}

/// The process's environment variables; one that is not UTF-8 counts as not set.
fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// Runs a verb to its end.
pub fn run(cli: Cli) -> Result<(), Failure> {
    let mut context = Context::new(cli.global)?;
    let Some(verb) = cli.verb else {
        return Err(Failure::usage("say what to do: `tmux-orc --help` lists the verbs"));
    };
    match verb {
        Verb::Config { verb } => config::run(&verb, &mut context),
        Verb::Completions { shell } => generate::completions(shell, &mut context),
        Verb::Man => generate::man(&mut context),
    }?;
    context.out.flush()
}
