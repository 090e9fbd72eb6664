//! `perf watch`: the dashboard on a terminal; plain frames or JSON lines elsewhere.

use std::{io::IsTerminal, sync::Arc, time::Duration};

use jiff::tz::TimeZone;
use serde_json::json;
use tokio::{
    sync::watch,
    time::{Instant, MissedTickBehavior},
};

use crate::app::act::Caller;
use crate::app::cli::{Beside, Context, Failure, Global, InForce, WatchOptions, source};
use crate::app::core::plain;
use crate::app::demo::Fleet;
use crate::app::logging;
use crate::app::settings::{Overrides, Paths};
use crate::monitor::{Following, Handle, Keeper, Link, ServerStatus, Snapshot, TELL_SWITCH_FOR};

/// What the dashboard is started with. The terminal belongs to the layer above, so it is handed up.
pub struct Dashboard {
    /// The engine, inside or attached. Its end by a crash must end the dashboard too.
    pub following: Following,
    /// The settings in force.
    pub in_force: Arc<InForce>,
    /// Options of every verb.
    pub global: Global,
    /// Where things are kept.
    pub paths: Paths,
    /// Nothing is ever typed into a pane, whatever the settings say.
    pub read_only: bool,
    /// It ends after a jump.
    pub exit_on_jump: bool,
    /// What runs beside an engine inside; its end is to be awaited.
    pub beside: Beside,
    /// The simulated agents that are shown, and that end with the dashboard.
    pub fleet: Option<Fleet>,
    /// Keeps the log's writer alive.
    pub logging: Option<logging::Logging>,
}

/// Runs it; on a terminal, returns what the dashboard needs.
pub async fn run(options: &WatchOptions, context: &mut Context) -> Result<Option<Box<Dashboard>>, Failure> {
    let mut overrides = Overrides::new();
    if let Some(seconds) = options.interval {
        overrides.push(("--interval", "monitoring.check_interval", json!(seconds)));
    }
    let in_force = context.in_force(overrides)?;
    let on_terminal = std::io::stdout().is_terminal() && !options.once && !options.json;
    if options.once && !options.json {
        let snapshot = once(options, context).await?;
        context.out.raw(plain::frame(&snapshot, &TimeZone::system()).as_bytes())?;
        return Ok(None);
    }
    if options.once {
        let snapshot = once(options, context).await?;
        context.out.json_line(&*snapshot)?;
        return Ok(None);
    }
    let logging = if on_terminal { log_to_file(context) } else { None };
    let follow = source::follow(context, Arc::clone(&in_force), options.embedded)?;
    let following = follow.start().await.map_err(|error| Failure::usage(error.to_string()))?;
    let (server, engine) = (context.server()?, context.engine_paths(&context.server()?));
    let settings = in_force.subscribe();
    let keeper = Keeper::inside(engine.clone());
    let beside = Beside::start(&following.handle, &server, &engine, &context.paths, settings, &keeper);
    if on_terminal {
        // A popup covers what was jumped to.
        let exit_on_jump = options.exit_on_jump || Caller::from_environment(server.socket(), None).in_popup();
        let (global, paths) = (context.global.clone(), context.paths.clone());
        return Ok(Some(Box::new(Dashboard {
            following,
            in_force,
            global,
            paths,
            read_only: options.read_only,
            exit_on_jump,
            beside,
            fleet: None,
            logging,
        })));
    }
    let interval = in_force.now().settings.monitoring.check_interval;
    let Following { handle, link, task } = following;
    let printed = print(handle, Switches::new(link), interval, options.json, context).await;
    let followed = task.await;
    beside.end().await;
    match (printed, followed) {
        (Err(failure), _) => Err(failure),
        (Ok(()), Ok(Err(error))) => Err(Failure::failed(error.to_string())),
        (Ok(()), _) => Ok(None),
    }
}

/// One snapshot: of the engine in the background, or of a cycle made now.
async fn once(options: &WatchOptions, context: &Context) -> Result<Arc<Snapshot>, Failure> {
    match (options.embedded, options.json) {
        (true, as_json) => source::now(context, as_json).await,
        (false, true) => source::from_engine_or_now_with_lines(context).await,
        (false, false) => source::from_engine_or_now(context).await,
    }
}

/// The dashboard logs to files only; without them it runs all the same.
fn log_to_file(context: &Context) -> Option<logging::Logging> {
    let dir = context.paths.logs();
    let target = logging::Target::Files { dir: &dir, prefix: "dashboard" };
    logging::start(target, "info", context.global.verbose).ok()
}

/// Prints until the reader goes away, the engine ends or a signal comes.
async fn print(
    mut handle: Handle,
    mut switches: Switches,
    interval: Duration,
    as_json: bool,
    context: &mut Context,
) -> Result<(), Failure> {
    let first = |snapshot: &Arc<Snapshot>| snapshot.server.status != ServerStatus::Connecting;
    if handle.snapshots.wait_for(first).await.is_err() {
        return Ok(());
    }
    let mut tick = tokio::time::interval(interval);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut end = crate::app::cli::engine::Signals::listen()?;
    loop {
        tokio::select! {
            _ = tick.tick() => {}
            () = end.any() => return Ok(()),
        }
        let ended = handle.snapshots.ended();
        let mut snapshot = handle.snapshots.borrow_and_update();
        if let Some(words) = switches.last() {
            Arc::make_mut(&mut snapshot).notes.push(words.to_owned());
        }
        if as_json {
            context.out.json_line(&*snapshot)?;
        } else {
            context.out.raw(plain::frame(&snapshot, &TimeZone::system()).as_bytes())?;
            context.out.line("")?;
        }
        context.out.flush()?;
        if ended {
            return Ok(());
        }
    }
}

/// The last switch to another engine: a note of what is printed while it is new.
struct Switches {
    link: watch::Receiver<Link>,
    before: Link,
    last: Option<(String, Instant)>,
}

impl Switches {
    fn new(mut link: watch::Receiver<Link>) -> Self {
        let before = *link.borrow_and_update();
        Self { link, before, last: None }
    }

    /// In words, for as long as it is worth telling.
    fn last(&mut self) -> Option<&str> {
        let now = *self.link.borrow_and_update();
        if let Some(words) = now.switched_from(self.before) {
            self.last = Some((words, Instant::now()));
        }
        self.before = now;
        self.last.as_ref().filter(|(_, at)| at.elapsed() < TELL_SWITCH_FOR).map(|(words, _)| words.as_str())
    }
}
