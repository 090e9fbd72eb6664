//! `jump` and `next`: take the user's tmux client to an agent.

use std::{io::IsTerminal, os::unix::process::CommandExt, process, sync::Arc};

use jiff::{SignedDuration, Timestamp};

use crate::app::act::{Actor, Caller, Candidate, Known, Round, by_other, jump_remote, next_waiting, words};
use crate::app::cli::beside::small_pool;
use crate::app::cli::gather::{Ask, gather, known, place, several};
use crate::app::cli::{Context, Dashboard, Failure, JumpOptions, NextOptions, Scope, WatchOptions, source, watch};
use crate::app::core::act::Act;
use crate::app::core::pick::Opening;
use crate::app::core::target;
use crate::app::core::wanted::Wanted;
use crate::app::journal::Journal;
use crate::app::settings::{Overrides, Settings};
use crate::monitor::facts::profiles;
use crate::monitor::link::shared_way;
use crate::monitor::{Agent, AgentState};
use crate::tmux::{Batch, Command, Expect, PaneId, Server};

/// Variable in the environment of a client that shows a pane for somebody elsewhere: by what they know it again.
const LINK: &str = "TMUX_ORC_LINK";

/// One who acts on the agents of this server for the user who started the program.
pub fn actor(
    context: &Context,
    server: &Server,
    settings: &Settings,
    caller: Caller,
    read_only: bool,
) -> Result<Actor, Failure> {
    let profiles = profiles::load(Some(&context.paths.agents())).map_err(|error| Failure::usage(error.to_string()))?;
    let journal = Journal::new(context.paths.events());
    let known = Known { profiles: Arc::new(profiles), named: settings.agents.clone(), read_only };
    Ok(Actor::new(small_pool(server, settings), known, caller, journal).locking(context.engine_paths(server)))
}

/// Goes to a pane that is named; without a name, on a terminal, returns the list to pick one from.
pub async fn jump(options: &JumpOptions, context: &mut Context) -> Result<Option<Box<Dashboard>>, Failure> {
    match &options.target {
        Some(target) => to_target(target, options, context).await.map(|()| None),
        None => pick(context).await,
    }
}

/// The list to pick an agent from.
async fn pick(context: &mut Context) -> Result<Option<Box<Dashboard>>, Failure> {
    if !(std::io::stdout().is_terminal() && std::io::stdin().is_terminal()) {
        return Err(Failure::usage(
            "say where to: `tmux-orc jump TARGET` (`tmux-orc agents` lists them); on a terminal, without one, they are a list to \
             pick from",
        ));
    }
    let watching = WatchOptions { exit_on_jump: true, ..WatchOptions::default() };
    let mut dashboard = watch::run(&watching, context).await?;
    if let Some(dashboard) = &mut dashboard {
        dashboard.opening = Opening::Pick;
    }
    Ok(dashboard)
}

async fn to_target(target: &str, options: &JumpOptions, context: &mut Context) -> Result<(), Failure> {
    let meant = place::of(target, &Scope::default(), context)?;
    let (target, context) = (meant.target, &mut meant.context.unwrap_or(context.again()));
    if meant.scope.any() {
        let all = gather(&meant.scope, context, Ask::Engine).await?;
        let (_, agent) = all.find(target, context)?;
        return elsewhere(agent, options.client.clone(), context).await;
    }
    // For somebody elsewhere: on a terminal it becomes a client with their mark, without one the client with it is meant.
    let client = match &options.link {
        Some(token) if !std::io::stdout().is_terminal() => Some(marked(token, context).await?),
        _ => options.client.clone(),
    };
    let going = Going { link: options.link.clone(), ..Going::new(context, client)? };
    let named = going.actor.resolve(target).await.map_err(|refusal| Failure::unreachable(refusal.to_string()))?;
    let pane = match named {
        Some(pane) => pane,
        // A name of an agent, or a window: found among the agents.
        None => {
            let snapshot = source::from_engine_or_now(context).await?;
            target::find(&snapshot, target).map_err(|error| Failure::failed(error.to_string()))?.pane_id
        }
    };
    going.to(pane, context).await
}

/// The client that has this mark in its environment.
async fn marked(token: &str, context: &Context) -> Result<String, Failure> {
    let (server, settings) = (context.server()?, context.load(&Overrides::new())?.settings);
    let mut batch = Batch::new();
    batch.push(Command::new("list-clients").args(["-F", "#{client_pid} #{client_name}"]), Expect::Any);
    let reply = small_pool(&server, &settings).acquire().await?.request(&batch).await?;
    let listed = reply.parts.into_iter().next().and_then(Result::ok).map(|bytes| bytes.to_vec()).unwrap_or_default();
    let listed = String::from_utf8_lossy(&listed).into_owned();
    let mark = format!("{LINK}={token}");
    let has_it = |pid: &str| {
        let Ok(pid) = pid.parse::<u32>() else { return false };
        let environment = std::fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        environment.split(|byte| *byte == 0).any(|one| one == mark.as_bytes())
    };
    let client = listed.lines().filter_map(|line| line.split_once(' ')).find(|(pid, _)| has_it(pid));
    client.map(|(_, name)| name.to_owned()).ok_or_else(|| Failure::failed("no client has this mark"))
}

/// Goes to an agent of another host. Outside of tmux this terminal becomes the one there.
async fn elsewhere(agent: &Agent, client: Option<String>, context: &mut Context) -> Result<(), Failure> {
    let settings = context.load(&Overrides::new())?.settings;
    let (hosts, here) = (settings.hosts, settings.dashboard.jumps_here());
    let host = known(agent.host.as_deref().unwrap_or_default(), &hosts)?.config();
    let run = context.paths.run();
    let outside = std::env::var_os("TMUX").is_none_or(|tmux| tmux.is_empty());
    if (outside || here) && client.is_none() && std::io::stdout().is_terminal() {
        let words = words(&agent.server, agent.pane_id, None);
        let argv = host.terminal_argv(&shared_way(&run, &host.name), &words);
        let argv = argv.ok_or_else(|| Failure::failed(by_other(&host.name).to_string()))?;
        let Some((program, arguments)) = argv.split_first() else { return Ok(()) };
        let error = process::Command::new(program).args(arguments).exec();
        return Err(Failure::failed(format!("cannot start {program}: {error}")));
    }
    let gone = jump_remote(client, &host, &run, &agent.server, agent.pane_id).await;
    context.out.line(gone.map_err(|refusal| Failure::failed(refusal.to_string()))?)?;
    context.out.flush()
}

/// Goes to the agent that has waited longest; when asked again, to the next one.
pub async fn next(options: &NextOptions, context: &mut Context) -> Result<(), Failure> {
    let ended = go_next(options, context).await;
    if !options.message {
        return ended;
    }
    // In a key binding: what is printed or fails would fill the pane, so it is said in the status line.
    if let (Err(failure), Some(client)) = (ended, &options.client) {
        let (server, settings) = (context.first_server()?, context.load(&Overrides::new())?.settings);
        let mut batch = Batch::new();
        batch.push(Command::display_message(client, &failure.to_string()), Expect::Any);
        if let Ok(mut lease) = small_pool(&server, &settings).acquire().await {
            lease.request(&batch).await.ok();
        }
    }
    Ok(())
}

async fn go_next(options: &NextOptions, context: &mut Context) -> Result<(), Failure> {
    let several = several(&options.scope, context);
    let (snapshots, file) = if several {
        let all = gather(&options.scope, context, Ask::OrNow { with_lines: false }).await?;
        all.end()?;
        let snapshots = all.answered.into_iter().map(|(_, snapshot)| snapshot).collect();
        (snapshots, context.paths.run().join("all.next"))
    } else {
        let engine = context.engine_paths(&context.server()?);
        (vec![source::from_engine_or_now(context).await?], context.paths.run().join(format!("{}.next", engine.key())))
    };
    let mut round = Round::load(&file);
    let states: &[Wanted] =
        if options.state.is_empty() { &[Wanted::State(AgentState::Waiting)] } else { &options.state };
    let now = Timestamp::now();
    let candidates = snapshots.iter().flat_map(|snapshot| {
        // What was done there a minute ago by its own clock was done a minute ago.
        let ahead = if several { now.duration_since(snapshot.timestamp) } else { SignedDuration::ZERO };
        snapshot.agents.iter().filter(move |agent| !several || !agent.stale).map(move |agent| Candidate {
            agent,
            since: agent.since.checked_add(ahead).unwrap_or(agent.since),
            // Without an engine the look is our own.
            watched: agent.host.is_some() || snapshot.engine.pid != std::process::id(),
        })
    });
    let Some(agent) = next_waiting(candidates, states, &mut round, now) else {
        let states: Vec<String> = states.iter().map(ToString::to_string).collect();
        return Err(Failure::failed(format!("no agent is {}", states.join(" or "))));
    };
    // A round that cannot be kept costs the turn, not the jump.
    let keep = |context: &Context| {
        let prepared = context.first_server().map(|server| context.engine_paths(&server).prepare());
        let kept = prepared.map_err(|error| error.to_string()).and_then(|done| done.map_err(|error| error.to_string()));
        if let Err(error) = kept.and_then(|()| round.save(&file).map_err(|error| error.to_string())) {
            tracing::warn!(error, "the next call will begin with the same agent");
        }
    };
    if agent.host.is_some() {
        // This terminal may become the one there: nothing comes after that.
        keep(context);
        return elsewhere(agent, options.client.clone(), context).await;
    }
    let mut there = context.again();
    if several
        && let Some(snapshot) =
            snapshots.iter().find(|snapshot| snapshot.agents.iter().any(|one| std::ptr::eq(one, agent)))
    {
        (there.global.socket_name, there.global.socket_path) =
            (Vec::new(), Some(snapshot.server.socket.clone().into()));
    }
    let going = Going::new(&there, options.client.clone())?;
    let pane = agent.pane_id;
    if options.message || !going.attaches() {
        let text = going.jump(pane).await?;
        keep(context);
        return if options.message { Ok(()) } else { context.out.line(text) };
    }
    // This process becomes the tmux client: nothing comes after that.
    keep(context);
    Err(going.attach(pane).await)
}

/// All that a jump needs.
struct Going {
    actor: Actor,
    caller: Caller,
    server: Server,
    /// The mark of the client that this process becomes.
    link: Option<String>,
}

impl Going {
    fn new(context: &Context, client: Option<String>) -> Result<Self, Failure> {
        let server = context.server()?;
        let settings = context.load(&Overrides::new())?.settings;
        let caller = Caller::from_environment(server.socket(), client);
        let actor = actor(context, &server, &settings, caller.clone(), false)?;
        Ok(Self { actor, caller, server, link: None })
    }

    /// It is outside of tmux, on a terminal.
    fn attaches(&self) -> bool {
        !self.caller.inside && self.caller.client.is_none() && std::io::stdout().is_terminal()
    }

    /// Takes the client there, or attaches this terminal when it is outside of tmux.
    async fn to(&self, pane: PaneId, context: &mut Context) -> Result<(), Failure> {
        if self.attaches() {
            return Err(self.attach(pane).await);
        }
        let text = self.jump(pane).await?;
        context.out.line(text)
    }

    async fn jump(&self, pane: PaneId) -> Result<String, Failure> {
        let result = self.actor.perform(Act::Jump { pane }).await;
        if result.ok { Ok(result.text) } else { Err(Failure::failed(result.text)) }
    }

    /// Becomes the tmux client. Comes back only when that failed.
    async fn attach(&self, pane: PaneId) -> Failure {
        let words = match self.actor.attach_words(pane).await {
            Ok(words) => words,
            Err(refusal) => return Failure::failed(refusal.to_string()),
        };
        let mut client = process::Command::new(self.server.program());
        client.envs(self.link.iter().map(|token| (LINK, token)));
        let error = client.arg("-S").arg(self.server.socket()).args(words).exec();
        Failure::failed(format!("cannot start {}: {error}", self.server.program().display()))
    }
}
