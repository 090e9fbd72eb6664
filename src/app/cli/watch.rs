//! `perf watch`: the dashboard on a terminal; plain frames or JSON lines elsewhere.

use std::{
    io::IsTerminal,
    os::unix::process::CommandExt,
    process,
    sync::{Arc, OnceLock},
    time::Duration,
};

use jiff::tz::TimeZone;
use serde_json::json;
use tokio::{
    sync::watch,
    time::{Instant, sleep_until},
};
use tokio_util::task::AbortOnDropHandle;

use crate::app::act::{Actor, Caller};
use crate::app::cli::act::actor;
use crate::app::cli::engine::Signals;
use crate::app::cli::gather::{frames, several, wanted};
use crate::app::cli::local::{Local, Locals, Manner};
use crate::app::cli::{Context, Failure, Global, InForce, Scope, WatchOptions, local, notices, source};
use crate::app::core::pick::Opening;
use crate::app::core::plain;
use crate::app::demo::Fleet;
use crate::app::logging;
use crate::app::members::{Joined, Members, hosts};
use crate::app::settings::{Overrides, Paths};
use crate::monitor::{Handle, LEAST_APART, Link, Links, Pace, ServerStatus, Snapshot, TELL_SWITCH_FOR};
use crate::tmux::Server;

/// What the dashboard is started with. The terminal belongs to the layer above, so it is handed up.
pub struct Dashboard {
    /// What is watched: the engines, inside or attached. The end of the first one by a crash must end the dashboard too.
    pub members: Members,
    /// The first of them, where it is one of this machine: its end is to be awaited.
    first: Option<Local>,
    /// Who finds the others, of this machine and of hosts.
    others: Option<Others>,
    /// Who copies for a person whose own tmux server is not watched.
    pub(super) copies: Option<Arc<Actor>>,
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
    /// The simulated agents that are shown, and that end with the dashboard.
    pub fleet: Option<Fleet>,
    /// What it opens with.
    pub opening: Opening,
    /// The program that this one becomes when the dashboard has ended, where a jump takes its terminal.
    pub(super) becomes: Arc<OnceLock<Vec<String>>>,
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
    if several(&options.scope, context) && !on_terminal {
        return frames::run(options, in_force, context).await.map(|()| None);
    }
    if !options.scope.host.is_empty() {
        return of_hosts(options, in_force, context).map(Some);
    }
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
    let server = context.first_server()?;
    let manner = Manner { embedded: options.embedded, read_only: options.read_only };
    let (joined, first) = local::open(context, &server, &in_force, manner).await?;
    if on_terminal {
        // A popup covers what was jumped to.
        let exit_on_jump = options.exit_on_jump || Caller::from_environment(server.socket(), None).in_popup();
        let (global, paths) = (context.global.clone(), context.paths.clone());
        let members = Members::new(joined);
        let others = others(context, options.scope.all, &server, &in_force, manner, &members)?;
        let read_only = options.read_only;
        return Ok(Some(Box::new(Dashboard {
            members,
            first: Some(first),
            others,
            copies: None,
            in_force,
            global,
            paths,
            read_only,
            exit_on_jump,
            fleet: None,
            opening: Opening::Panels,
            becomes: Arc::default(),
            logging,
        })));
    }
    let interval = in_force.now().settings.monitoring.check_interval;
    let Joined { handle, link, doer, .. } = joined;
    // It holds the engine, which is to end when no more is printed.
    drop(doer);
    let printed = print(handle, Switches::new(link), interval, options.json, context).await;
    match (printed, first.end().await) {
        (Err(failure), _) => Err(failure),
        (Ok(()), Err(error)) => Err(Failure::failed(error.to_string())),
        (Ok(()), _) => Ok(None),
    }
}

/// The dashboard of these hosts alone: nothing of this machine is watched.
fn of_hosts(options: &WatchOptions, in_force: Arc<InForce>, context: &Context) -> Result<Box<Dashboard>, Failure> {
    let settings = &in_force.now().settings;
    wanted(&options.scope, settings)?;
    let logging = log_to_file(context);
    let members = Members::of_hosts();
    let (scope, reading) = (options.scope.clone(), Arc::clone(&in_force));
    // One that the settings do not name any more is let go.
    let meant = move || {
        let settings = &reading.now().settings;
        let there = |text: &&String| {
            let name = text.split('/').next().unwrap_or_default();
            settings.hosts.iter().any(|host| host.name == name)
        };
        let scope = Scope { host: scope.host.iter().filter(there).cloned().collect(), ..scope.clone() };
        let all = wanted(&scope, settings).unwrap_or_default();
        all.into_iter().map(|host| (host.config, host.only)).collect()
    };
    let (links, run) = (Links::new(Some(context.paths.run()), options.read_only), context.paths.run());
    let linked = hosts::link(members.downgrade(), (links, run), meant);
    let notices = notices::of_hosts(context, &in_force, &members)?;
    let own = Caller::own(None);
    let in_popup = own.as_ref().is_some_and(|(_, caller)| caller.in_popup());
    let copies = match own {
        Some((server, caller)) => Some(Arc::new(actor(context, &server, settings, caller, true)?)),
        None => None,
    };
    Ok(Box::new(Dashboard {
        members,
        first: None,
        others: Some(Others { locals: None, hosts: Some(linked), _notices: Some(notices) }),
        copies,
        in_force,
        global: context.global.clone(),
        paths: context.paths.clone(),
        read_only: options.read_only,
        exit_on_jump: options.exit_on_jump || in_popup,
        fleet: None,
        opening: Opening::Panels,
        becomes: Arc::default(),
        logging,
    }))
}

/// Who finds the other servers: those of this machine that are named, or else those and the hosts of the settings.
fn others(
    context: &Context,
    all: bool,
    first: &Server,
    in_force: &Arc<InForce>,
    manner: Manner,
    members: &Members,
) -> Result<Option<Others>, Failure> {
    let named = context.global.socket_name.get(1..).unwrap_or_default();
    let one = !all && (!context.global.socket_name.is_empty() || context.global.socket_path.is_some());
    if one && named.is_empty() {
        return Ok(None);
    }
    let mut own = Context::new(context.global.clone())?;
    own.paths.clone_from(&context.paths);
    let names = one.then(|| named.to_vec());
    let hosts = (!one).then(|| {
        let links = Links::new(Some(context.paths.run()), manner.read_only);
        let in_force = Arc::clone(in_force);
        let all = move || in_force.now().settings.hosts.iter().map(|host| (host.config(), Vec::new())).collect();
        hosts::link(members.downgrade(), (links, context.paths.run()), all)
    });
    let locals = Locals::start(own, first, names, Arc::clone(in_force), manner, members);
    let _notices = hosts.is_some().then(|| notices::of_hosts(context, in_force, members)).transpose()?;
    Ok(Some(Others { locals: Some(locals), hosts, _notices }))
}

/// Who finds what is watched beside the first server.
struct Others {
    locals: Option<Locals>,
    /// The hosts of the settings, linked to for as long as this is there.
    hosts: Option<AbortOnDropHandle<()>>,
    /// Tells of those whose engines do not.
    _notices: Option<AbortOnDropHandle<()>>,
}

impl Dashboard {
    /// Somebody can copy for its user.
    #[must_use]
    pub fn can_copy(&self) -> bool {
        self.copies.is_some() || !self.members.actors().is_empty()
    }

    /// Waits for the end of all that was watched, once the dashboard has let its members go.
    ///
    /// Does not come back where a jump took the terminal.
    ///
    /// # Errors
    /// The first engine crashed, or the program that the terminal is for cannot be started.
    pub async fn end(self) -> Result<(), Failure> {
        let Self { members, first, others, becomes, .. } = self;
        drop(members);
        if let Some(Others { locals, hosts, .. }) = others {
            drop(hosts);
            if let Some(locals) = locals {
                locals.end().await;
            }
        }
        if let Some(first) = first {
            first.end().await.map_err(|crashed| Failure::failed(crashed.to_string()))?;
        }
        match becomes.get().and_then(|argv| argv.split_first()) {
            Some((program, arguments)) => {
                let error = process::Command::new(program).args(arguments).exec();
                Err(Failure::failed(format!("cannot start {program}: {error}")))
            }
            None => Ok(()),
        }
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
    switches: Switches,
    interval: Duration,
    as_json: bool,
    context: &mut Context,
) -> Result<(), Failure> {
    let first = |snapshot: &Arc<Snapshot>| snapshot.server.status != ServerStatus::Connecting;
    if handle.snapshots.wait_for(first).await.is_err() {
        return Ok(());
    }
    let mut end = Signals::listen()?;
    context.out.goes_on()?;
    tokio::select! {
        printed = lines(handle, switches, interval, as_json, context) => printed,
        () = end.any() => Ok(()),
    }
}

async fn lines(
    mut handle: Handle,
    mut switches: Switches,
    interval: Duration,
    as_json: bool,
    context: &mut Context,
) -> Result<(), Failure> {
    let mut pace = Pace::new(LEAST_APART.min(interval), interval, Instant::now());
    loop {
        let mut ended = handle.snapshots.ended();
        let shown = handle.snapshots.borrow_and_update();
        let mut snapshot = Arc::clone(&shown);
        if let Some(words) = switches.last() {
            Arc::make_mut(&mut snapshot).notes.push(words.to_owned());
        }
        if as_json {
            context.out.json_line(&*snapshot)?;
        } else {
            context.out.raw(plain::frame(&snapshot, &TimeZone::system()).as_bytes())?;
            context.out.line("")?;
        }
        context.out.hand_on().await?;
        if ended {
            return Ok(());
        }
        pace.wrote(Instant::now());
        // Frames are for eyes: they come once an interval, whatever happens.
        while pace.due_or_heartbeat() > Instant::now() {
            tokio::select! {
                changed = handle.snapshots.changed(), if as_json && !ended => match changed {
                    Ok(()) => pace.saw(handle.snapshots.borrow_and_update().says_more_than(&shown)),
                    Err(_) => ended = true,
                },
                () = sleep_until(pace.due_or_heartbeat()) => {}
            }
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
