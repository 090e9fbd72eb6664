//! The command line: its words, and one file for each verb.

mod act;
mod agents;
mod args;
mod benchmark;
mod beside;
mod bridge;
mod changes;
mod check;
mod config;
mod context;
mod demo;
mod effects;
mod engine;
mod failure;
mod gather;
mod generate;
mod health;
mod hooks;
mod hosts;
mod in_force;
mod integration;
mod journal;
mod local;
mod metrics;
mod monitor;
mod notices;
mod notify;
mod output;
mod profiles;
mod source;
mod status;
mod statusline;
mod strategies;
mod tune;
mod tuned;
mod usage;
mod watch;
mod why;
mod workplace;

use std::io::IsTerminal;

pub(crate) use args::{
    AgentsOptions, AgentsVerb, BridgeOptions, ConfigVerb, DemoOptions, EngineOptions, EventsOptions, Global, HostsVerb,
    JumpOptions, MetricsOptions, MonitorVerb, NextOptions, NotifyVerb, PerfVerb, ProfilesVerb, Report, ReportOptions,
    Scope, SidebarOptions, StatusOptions, StatuslineOptions, TmuxVerb, TuneOptions, UsageOptions, Verb, WatchOptions,
};
pub use args::{Cli, Color};
pub(crate) use benchmark::BenchmarkOptions;
pub use beside::Beside;
pub use context::Context;
pub use effects::{Served, serve};
pub use failure::Failure;
pub use hooks::Program;
pub(crate) use hooks::{HookVerb, HooksVerb};
pub(crate) use in_force::InForce;
pub(crate) use output::{Cut, Look};
pub use output::{Output, age, cell};
pub use watch::Dashboard;
pub(crate) use why::WhyOptions;

use crate::app::logging;
use crate::app::settings::Overrides;

/// Runs a verb to its end. `perf watch` on a terminal comes back with what the dashboard needs: the terminal belongs to
/// the layer above.
pub async fn run(cli: Cli) -> Result<Option<Box<Dashboard>>, Failure> {
    let verb = verb_of(cli.verb, cli.watch)?;
    if let Verb::Hook { verb: HookVerb::Statusline { command } } = &verb {
        // Without settings, paths or a log that could not be there: the agent's line must be.
        let _logging = logging::start(logging::Target::StandardError, "error", cli.global.verbose).ok();
        return statusline::run(command).await.map(|()| None);
    }
    let mut context = Context::new(cli.global)?;
    let _logging = if logs_elsewhere(&verb) {
        None
    } else {
        logging::start(logging::Target::StandardError, "error", context.global.verbose).ok()
    };
    let context = &mut context;
    tracing::debug!(version = env!("TMUX_ORC_VERSION"), ?verb, home = %context.paths.base.display(), "begins");
    // A file that is named is looked at by every verb, also by one that an engine in the background answers.
    if context.global.config.is_some() && !reads_settings_itself(&verb) {
        context.load(&Overrides::new())?;
    }
    match verb {
        Verb::Perf { verb: PerfVerb::Watch(options) } => {
            let dashboard = watch::run(&options, context).await?;
            context.out.flush()?;
            return Ok(dashboard);
        }
        Verb::Demo(options) => {
            let dashboard = demo::run(&options, context).await?;
            context.out.flush()?;
            return Ok(dashboard);
        }
        Verb::Jump(options) => {
            let dashboard = act::jump(&options, context).await?;
            context.out.flush()?;
            return Ok(dashboard);
        }
        Verb::Perf { verb: PerfVerb::Tune(options) } => tune::run(&options, context).await,
        Verb::Monitor { engine, verb } => monitor::run(&engine, verb.as_ref(), context).await,
        Verb::Bridge(options) => bridge::run(&options, context).await,
        Verb::Hosts { report, verb } => hosts::run(report, verb.as_ref(), context).await,
        Verb::Status(options) => status::run(&options, context).await,
        Verb::Agents { list, verb } => agents::run(&list, verb.as_ref(), context).await,
        Verb::Check { target, scope, report } => check::run(&target, &scope, report, context).await,
        Verb::Why(options) => why::run(&options, context).await,
        Verb::Health { scope, report } => health::run(&scope, report, context).await,
        Verb::Benchmark(options) => benchmark::run(&options, context).await,
        Verb::Strategies(report) => strategies::run(report, context).await,
        Verb::Config { verb } => config::run(&verb, context),
        Verb::Hook { verb: HookVerb::Claude { event } } => hooks::hook(Program::Claude, event).await,
        Verb::Hook { verb: HookVerb::Codex { event } } => hooks::hook(Program::Codex, event).await,
        // Done before all else.
        Verb::Hook { verb: HookVerb::Statusline { .. } } => Ok(()),
        Verb::Hooks { verb: HooksVerb::Show { program } } => hooks::show(program, context),
        Verb::Next(options) => act::next(&options, context).await,
        Verb::Events(options) => journal::events(&options, context).await,
        Verb::Report(options) => journal::report(&options, context).await,
        Verb::Usage(options) => usage::run(&options, context).await,
        Verb::Metrics(options) => metrics::run(&options, context).await,
        Verb::Notify { verb } => notify::run(&verb, context).await,
        Verb::Tmux { verb: TmuxVerb::Bindings } => integration::print_bindings(context),
        Verb::Statusline(options) => integration::statusline(options, context),
        Verb::Sidebar(options) => integration::sidebar(&options, context).await,
        Verb::Completions { shell } => generate::completions(shell, context),
        Verb::Man => generate::man(context),
    }?;
    context.out.flush()?;
    Ok(None)
}

/// The verb, with the dashboard's options where they may stand in front of it. Without one it is the dashboard.
fn verb_of(verb: Option<Verb>, options: WatchOptions) -> Result<Verb, Failure> {
    match verb {
        None if options.any() || std::io::stdout().is_terminal() => Ok(Verb::Perf { verb: PerfVerb::Watch(options) }),
        None => Err(Failure::usage("say what to do: `tmux-orc --help` lists the verbs")),
        Some(Verb::Perf { verb: PerfVerb::Watch(own) }) => Ok(Verb::Perf { verb: PerfVerb::Watch(options.or(own)) }),
        Some(verb) if !options.any() => Ok(verb),
        Some(_) => Err(Failure::usage(
            "--interval, --once, --json, --read-only, --exit-on-jump, --embedded, --host, --all and --strict before the verb \
             belong to the dashboard: put those of this verb behind it (`tmux-orc VERB --help` lists them)",
        )),
    }
}

/// Verbs that read the settings with options of their own, or are about the file itself, or need none.
fn reads_settings_itself(verb: &Verb) -> bool {
    matches!(
        verb,
        Verb::Config { .. } | Verb::Monitor { .. } | Verb::Completions { .. } | Verb::Man | Verb::Hook { .. }
    ) && !matches!(
        verb,
        Verb::Monitor { verb: Some(MonitorVerb::Stop | MonitorVerb::Status(_) | MonitorVerb::Logs { .. }), .. }
    )
}

impl Cli {
    /// The verb waits for nothing: it needs neither a server nor time.
    #[must_use]
    pub fn is_immediate(&self) -> bool {
        let is_line = |verb: &Verb| matches!(verb, Verb::Hook { verb: HookVerb::Statusline { .. } });
        self.verb.as_ref().is_some_and(is_line)
            || matches!(self.verb, Some(Verb::Statusline(_) | Verb::Completions { .. } | Verb::Man | Verb::Tmux { .. }))
    }
}

/// Verbs that set up their own log or need none: the engine, and the dashboard, on whose screen nothing may be written.
fn logs_elsewhere(verb: &Verb) -> bool {
    match verb {
        Verb::Perf { verb: PerfVerb::Watch(options) } => {
            std::io::stdout().is_terminal() && !options.once && !options.json
        }
        Verb::Jump(options) => options.target.is_none(),
        Verb::Demo(options) => std::io::stdout().is_terminal() && !options.once,
        Verb::Monitor { engine, verb } => match verb {
            None => !engine.dry_run,
            Some(verb) => matches!(verb, MonitorVerb::Run { .. }),
        },
        _ => false,
    }
}
