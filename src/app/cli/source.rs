//! Where a verb gets its snapshot from: the engine in the background, or one cycle of its own.

use std::{sync::Arc, time::Duration};

use crate::app::cli::{Context, Failure, InForce};
use crate::{
    app::settings::Overrides,
    monitor::{AttachError, Client, Engine, EngineError, EnginePaths, Follow, Keeper, Memory, OnceError, Snapshot},
    tmux::{Batch, Command, Expect, Features, Fields, Server, Transport, TransportKind, parse_panes},
};

/// So long is waited for the places of now; those of the snapshot do otherwise.
const PLACES_WITHIN: Duration = Duration::from_secs(2);

/// The newest snapshot of the engine in the background. Fails with exit code 3 when there is none.
pub async fn from_engine(context: &Context) -> Result<Arc<Snapshot>, Failure> {
    from_engine_of(&context.server()?, context).await
}

/// The same of the engine of this server.
pub async fn from_engine_of(server: &Server, context: &Context) -> Result<Arc<Snapshot>, Failure> {
    let paths = context.engine_paths(server);
    let mut client = Client::connect(&paths, false).await.map_err(attach_failure)?;
    let snapshot = client.snapshot().await.map_err(attach_failure)?;
    tell(&snapshot, "the engine in the background answered");
    Ok(snapshot)
}

/// The newest snapshot of the engine in the background, or else one of a cycle made now.
pub async fn from_engine_or_now(context: &Context) -> Result<Arc<Snapshot>, Failure> {
    from_engine_or(&context.server()?, context, false).await
}

/// The same with the lines added and removed, which git is waited for where no engine knows them.
pub async fn from_engine_or_now_with_lines(context: &Context) -> Result<Arc<Snapshot>, Failure> {
    from_engine_or(&context.server()?, context, true).await
}

/// The newest snapshot of the engine of this server, or else one of a cycle made now; `with_lines`: git is waited for there.
pub async fn from_engine_or(server: &Server, context: &Context, with_lines: bool) -> Result<Arc<Snapshot>, Failure> {
    let paths = context.engine_paths(server);
    match Client::connect(&paths, false).await {
        Ok(mut client) => match client.snapshot().await {
            Ok(snapshot) => {
                tell(&snapshot, "the engine in the background answered");
                return reachable(snapshot);
            }
            Err(error) => tracing::warn!(%error, "the engine in the background is of no use; looking myself"),
        },
        Err(AttachError::NoEngine) => tracing::debug!("no engine in the background: looking myself"),
        Err(error) => tracing::warn!(%error, "the engine in the background is of no use; looking myself"),
    }
    look(server, context, with_lines).await
}

/// The same snapshot with every agent at the place where its pane stands now: an engine learns of a rename or a swap a
/// moment later, and who names a place means what they see. As it was where tmux does not answer.
pub async fn with_places_of_now(snapshot: Arc<Snapshot>, server: &Server) -> Arc<Snapshot> {
    let mut batch = Batch::new();
    batch.push(Command::list_panes(Features::default(), Fields::Cheap), Expect::Any);
    let transport = Transport::new(server.clone(), TransportKind::Spawn, None);
    let Ok(reply) = transport.send(&batch, PLACES_WITHIN).await else { return snapshot };
    let Some(Ok(bytes)) = reply.parts.first() else { return snapshot };
    let mut now = Snapshot::clone(&snapshot);
    for pane in parse_panes(bytes) {
        let Some(agent) = now.agents.iter_mut().find(|agent| agent.pane_id == pane.id) else { continue };
        if agent.name == agent.window {
            agent.name.clone_from(&pane.window);
        }
        agent.target = pane.target();
        (agent.session, agent.window, agent.places) = (pane.session, pane.window, pane.places);
    }
    Arc::new(now)
}

/// The snapshot of a cycle made now, whatever runs in the background. `with_lines`: git is waited for as well.
pub async fn now(context: &Context, with_lines: bool) -> Result<Arc<Snapshot>, Failure> {
    look(&context.server()?, context, with_lines).await
}

async fn look(server: &Server, context: &Context, with_lines: bool) -> Result<Arc<Snapshot>, Failure> {
    let loaded = context.load(&Overrides::new())?;
    let paths = context.engine_paths(server);
    let file = paths.memory();
    let memory = Memory::load(&file).unwrap_or_else(|error| {
        tracing::warn!(%error, "what was remembered of the agents cannot be used");
        None
    });
    let mut settings = context.engine_settings(&loaded.settings)?;
    settings.repositories.diff &= with_lines;
    let snapshot =
        Engine::new(server.clone(), settings).remembering(memory.clone()).once().await.map_err(
            |error| match error {
                OnceError::Engine(error) => engine_failure(&error),
                OnceError::Tmux(error) => Failure::unreachable(error.to_string()),
            },
        )?;
    tell(&snapshot, "looked");
    remember(&snapshot, memory.as_ref(), paths);
    Ok(Arc::new(snapshot))
}

/// Writes down what was seen, so that the next look knows since when it is so. Where somebody watches all the time that
/// is theirs to do; and where nobody was ever seen nothing is made.
fn remember(snapshot: &Snapshot, before: Option<&Memory>, paths: EnginePaths) {
    let Some(memory) = Memory::of(snapshot) else { return };
    let news = before.map_or(!memory.is_empty(), |before| !before.says_the_same_as(&memory));
    let file = paths.memory();
    if news
        && Keeper::inside(paths).keeps()
        && let Err(error) = memory.save(&file)
    {
        tracing::warn!(path = %file.display(), %error, "the next look will not know since when this is so");
    }
}

/// Says where the answer comes from.
fn tell(snapshot: &Snapshot, what: &str) {
    let (engine, server) = (&snapshot.engine, &snapshot.server);
    tracing::debug!(
        pid = engine.pid,
        mode = engine.mode,
        strategy = snapshot.current_strategy,
        tmux = server.version,
        transport = server.transport,
        agents = snapshot.agents.len(),
        cycle = ?snapshot.cycle.last,
        "{what}"
    );
}

/// What to follow for as long as a verb runs, with the settings in force.
pub fn follow(
    context: &Context,
    server: &Server,
    in_force: Arc<InForce>,
    embedded_only: bool,
) -> Result<Follow, Failure> {
    let (server, paths) = (server.clone(), context.engine_paths(server));
    let settings = context.engine_settings(&in_force.now().settings)?;
    Ok(Follow { server, settings, source: in_force.source(), paths, embedded_only })
}

/// A snapshot of a server that cannot be read is no answer to a question about its agents.
pub(super) fn reachable(snapshot: Arc<Snapshot>) -> Result<Arc<Snapshot>, Failure> {
    use crate::monitor::ServerStatus::{Connecting, NoServer, NoTmux, Reachable, Unreachable};
    match snapshot.server.status {
        Reachable | Unreachable | Connecting => Ok(snapshot),
        NoServer | NoTmux => {
            let problem = snapshot.server.problem.clone();
            Err(Failure::unreachable(
                problem.unwrap_or_else(|| format!("no tmux server at {}", snapshot.server.socket)),
            ))
        }
    }
}

/// How a verb ends that cannot talk to the engine.
#[must_use]
pub fn attach_failure(error: AttachError) -> Failure {
    match error {
        AttachError::NoEngine => Failure::unreachable(error.to_string()),
        other => Failure::failed(other.to_string()),
    }
}

/// How a verb ends whose engine cannot be made: by its settings.
#[must_use]
pub fn engine_failure(error: &EngineError) -> Failure {
    Failure::usage(error.to_string())
}
