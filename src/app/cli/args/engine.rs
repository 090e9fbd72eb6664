//! Options of an engine, and the verbs about one in the background.

use std::time::Duration;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use crate::app::cli::args::{Report, Scope, parse};
use crate::app::settings::Overrides;

/// Options of an engine.
#[derive(Clone, Debug, Default, Args)]
pub struct EngineOptions {
    /// The async engine: batched requests over a pool, cached
    #[arg(long = "async", conflicts_with = "sync")]
    pub asynchronous: bool,
    /// The sync engine: one tmux process per command, one agent at a time
    #[arg(long, conflicts_with_all = ["strategy", "pool_size", "cache"])]
    pub sync: bool,
    /// Strategy: concurrent, polling, adaptive, or the name of a script
    #[arg(long, value_name = "NAME")]
    pub strategy: Option<String>,
    /// Most connections at once (1 to 64)
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub pool_size: Option<i64>,
    /// Use the cache
    #[arg(long, conflicts_with = "no_cache")]
    pub cache: bool,
    /// Do not use the cache
    #[arg(long)]
    pub no_cache: bool,
    /// Seconds between cycles
    #[arg(long, value_name = "SECONDS", allow_negative_numbers = true)]
    pub interval: Option<f64>,
    /// How tmux is reached: auto, dial, spawn, process
    #[arg(long, value_name = "HOW")]
    pub transport: Option<String>,
    /// End so long after the last client has left, such as 1h or 90s
    #[arg(long, value_name = "TIME", value_parser = parse::time)]
    pub until_idle: Option<Duration>,
    /// Check everything, print the effective settings, start nothing
    #[arg(long)]
    pub dry_run: bool,
}

/// Verbs about an engine in the background.
#[derive(Debug, Subcommand)]
pub enum MonitorVerb {
    /// Start one; returns when its first cycle is published
    #[command(after_help = "Examples:\n  tmux-orc monitor start\n  tmux-orc monitor start --sync\n  \
                            tmux-orc monitor start --strategy concurrent --pool-size 15")]
    Start(EngineOptions),
    /// Stop it; returns when it is gone
    #[command(after_help = "Examples:\n  tmux-orc monitor stop\n\nExit codes: 0 it is gone; 3 none ran.")]
    Stop,
    /// Stop it if it runs, and start one
    #[command(after_help = "Examples:\n  tmux-orc monitor restart\n  tmux-orc monitor restart --strategy polling\n\n\
                            Settings are checked first: with bad ones the engine that runs goes on.")]
    Restart(EngineOptions),
    /// What it does
    #[command(after_help = "Examples:\n  tmux-orc monitor status\n  tmux-orc monitor status --detailed")]
    Status(StatusOptions),
    /// Its log
    #[command(after_help = "Examples:\n  tmux-orc monitor logs\n  tmux-orc monitor logs -f -n 100")]
    Logs {
        /// Go on as it grows
        #[arg(short, long)]
        follow: bool,
        /// Lines to begin with
        #[arg(short = 'n', long, value_name = "N", default_value_t = 50)]
        lines: usize,
    },
    /// The engine itself, as `start` runs it
    #[command(hide = true)]
    Run {
        /// Options of the engine.
        #[command(flatten)]
        engine: EngineOptions,
        /// Leave the terminal's session.
        #[arg(long)]
        daemon: bool,
    },
}

/// Options of `status`.
#[derive(Clone, Debug, Default, Args)]
pub struct StatusOptions {
    /// Also pool, cache and health
    #[arg(long)]
    pub detailed: bool,
    /// Whose.
    #[command(flatten)]
    pub scope: Scope,
    /// How to report.
    #[command(flatten)]
    pub report: Report,
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
        let until_idle = self.until_idle.map(|time| format!("{}s", time.as_secs_f64()));
        for (option, value) in [
            ("--strategy", &self.strategy),
            ("--pool-size", &size),
            ("--interval", &interval),
            ("--transport", &self.transport),
            ("--until-idle", &until_idle),
        ] {
            if let Some(value) = value {
                words.push(format!("{option}={value}"));
            }
        }
        words
    }
}
