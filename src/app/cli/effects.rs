//! What the dashboard asks of the world beside the engine: acts, copies, reading the settings again.

use std::sync::Arc;

use jiff::Timestamp;
use tokio::sync::mpsc;

use crate::app::act::{ActionResult, Actor, Caller, Known, by_other, summary};
use crate::app::cli::InForce;
use crate::app::cli::beside::transport;
use crate::app::cli::hosts::Mending;
use crate::app::cli::watch::Dashboard;
use crate::app::core::act::{Act, Seen};
use crate::app::core::fleet::{AgentKey, MemberId};
use crate::app::core::keymap::Keymap;
use crate::app::core::message::{Effect, Message};
use crate::app::core::pick::Opening;
use crate::app::journal;
use crate::app::members::{Doer, Members};
use crate::app::settings;
use crate::app::settings::Loaded;
use crate::monitor::{Change, Command, Handle, NotDone, NotSent, Reread};
use crate::tmux::PaneId;

/// Messages that may wait for the dashboard.
const WAITING: usize = 32;
/// What is said of an agent whose server is not watched any more.
const GONE: &str = "nothing was done: its tmux server is not there any more";
/// Most changes of the settings that are told by name.
const TOLD: usize = 4;

/// The dashboard's ends of what is done for it.
pub struct Served {
    /// Effects to be done.
    pub effects: mpsc::Sender<Effect>,
    /// What came of them.
    pub results: mpsc::Receiver<Message>,
}

/// Starts doing what the dashboard asks. Ends when the dashboard does.
#[must_use]
pub fn serve(dashboard: &Dashboard) -> Served {
    let (effects, mut asked) = mpsc::channel(WAITING);
    let (tell, results) = mpsc::channel(WAITING);
    let in_force = Arc::clone(&dashboard.in_force);
    let read_only = dashboard.read_only;
    // It must not keep the members: they go with the dashboard, and this goes with them.
    let members = dashboard.members.downgrade();
    let exit_on_jump = dashboard.exit_on_jump;
    let copies = dashboard.copies.clone();
    // The list was opened outside of tmux: what is picked has its terminal.
    let becomes =
        (dashboard.opening == Opening::Pick && Caller::own(None).is_none()).then(|| Arc::clone(&dashboard.becomes));
    let events = dashboard.paths.events();
    let mending = Mending::new(&dashboard.global, &dashboard.paths);
    tokio::spawn(async move {
        while let Some(effect) = asked.recv().await {
            let Some(members) = members.upgrade() else { break };
            let (text, ok) = match effect {
                Effect::ReloadSettings => {
                    let reloading = Reloading {
                        in_force: Arc::clone(&in_force),
                        actors: members.actors(),
                        engines: members.here(),
                        tell: tell.clone(),
                        read_only,
                    };
                    let tell = tell.clone();
                    // By itself too: the engine is waited for.
                    tokio::spawn(async move {
                        if let Some((text, ok)) = reloading.reload().await {
                            tell.send(Message::ActionResult { text, ok }).await.ok();
                        }
                    });
                    continue;
                }
                Effect::CopyText(text) => match copies.clone().or_else(|| members.actors().first().cloned()) {
                    Some(actor) => actor.copy(&text).await,
                    None => continue,
                },
                Effect::Broadcast { text, to } => {
                    let tell = tell.clone();
                    tokio::spawn(async move {
                        let ActionResult { text, ok } = broadcast(&members, &text, to).await;
                        tell.send(Message::ActionResult { text, ok }).await.ok();
                    });
                    continue;
                }
                Effect::Act(member, act) => match members.doer(member) {
                    Some(doer) => {
                        if let (Some(becomes), Act::Jump { pane }) = (&becomes, &act) {
                            let message = match terminal_argv(&doer, *pane).await {
                                Ok(argv) => {
                                    becomes.set(argv).ok();
                                    Message::Leave
                                }
                                Err(text) => Message::ActionResult { text, ok: false },
                            };
                            tell.send(message).await.ok();
                            continue;
                        }
                        if let Some(run) = in_this_terminal(&doer, &act, &in_force) {
                            tell.send(run).await.ok();
                            continue;
                        }
                        // By itself: what follows an act is waited for, and the keys that come meanwhile are not to wait.
                        let tell = tell.clone();
                        tokio::spawn(async move { perform(&doer, act, exit_on_jump, &tell).await });
                        continue;
                    }
                    None => (GONE.to_owned(), false),
                },
                Effect::ReadDay(since) => {
                    let (folder, tell) = (events.clone(), tell.clone());
                    // On a thread of its own: a journal of many days, or a disk that does not answer, stops no key.
                    tokio::task::spawn_blocking(move || {
                        let read = journal::day(&folder, since, Timestamp::now());
                        tell.blocking_send(Message::Day(read.map(Arc::new).map_err(|error| error.to_string()))).ok()
                    });
                    continue;
                }
                Effect::Retry(name) => {
                    if let Some(host) = members.host(&name) {
                        host.retry();
                    }
                    continue;
                }
                Effect::Mend(name, verb) => match members.host(&name) {
                    Some(host) => {
                        let (mending, tell) = (mending.clone(), tell.clone());
                        tokio::spawn(async move { mending.mend(&host, verb, exit_on_jump, &tell).await });
                        continue;
                    }
                    None => continue,
                },
                // The dashboard's own loop does these.
                Effect::Run(..)
                | Effect::Engine(..)
                | Effect::Ask(..)
                | Effect::Mouse(_)
                | Effect::Repaint
                | Effect::Suspend
                | Effect::Quit => continue,
            };
            if tell.send(Message::ActionResult { text, ok }).await.is_err() {
                break;
            }
        }
    });
    Served { effects, results }
}

/// A jump that takes the dashboard's own terminal: where the settings say so, and where there is no tmux that could have a
/// window for it.
fn in_this_terminal(doer: &Doer, act: &Act, in_force: &InForce) -> Option<Message> {
    let (Doer::There(there), Act::Jump { pane }) = (doer, act) else { return None };
    let here = in_force.now().settings.dashboard.jumps_here() || Caller::own(None).is_none();
    let words = here.then(|| there.in_terminal(*pane)).flatten()?;
    Some(Message::Run(words, there.name().into()))
}

/// The program and its arguments by which this terminal shows a pane.
async fn terminal_argv(doer: &Doer, pane: PaneId) -> Result<Vec<String>, String> {
    match doer {
        Doer::Here(actor) => actor.attach_argv(pane).await.map_err(|refusal| refusal.to_string()),
        Doer::There(there) => there.in_terminal(pane).ok_or_else(|| by_other(there.name()).to_string()),
    }
}

/// Sends one message to agents of several servers, and says how it ended.
async fn broadcast(members: &Members, text: &str, to: Vec<(AgentKey, Seen)>) -> ActionResult {
    let mut of: Vec<(MemberId, Vec<(PaneId, Seen)>)> = Vec::new();
    for (AgentKey { member, pane }, seen) in to {
        match of.iter_mut().find(|(id, _)| *id == member) {
            Some((_, panes)) => panes.push((pane, seen)),
            None => of.push((member, vec![(pane, seen)])),
        }
    }
    let each = of.into_iter().map(|(member, panes)| async move {
        match members.doer(member) {
            Some(Doer::Here(actor)) => {
                actor.broadcast(text, panes).await.into_iter().map(|(_, result)| result).collect()
            }
            Some(doer) => {
                let reply = |(pane, seen)| Act::Reply { pane, text: text.to_owned(), seen };
                futures_util::future::join_all(panes.into_iter().map(|to| doer.perform(reply(to)))).await
            }
            None => vec![ActionResult { text: GONE.to_owned(), ok: false }; panes.len()],
        }
    });
    let results: Vec<Vec<ActionResult>> = futures_util::future::join_all(each).await;
    summary(&results.concat())
}

/// Does something to an agent and tells the dashboard how it ended.
async fn perform(doer: &Doer, act: Act, exit_on_jump: bool, tell: &mpsc::Sender<Message>) {
    let jumps = matches!(act, Act::Jump { .. });
    let ActionResult { text, ok } = doer.perform(act).await;
    let message = if ok && jumps && exit_on_jump { Message::Leave } else { Message::ActionResult { text, ok } };
    tell.send(message).await.ok();
}

/// Reads the settings again, for the dashboard and for the engine, wherever that runs.
struct Reloading {
    in_force: Arc<InForce>,
    actors: Vec<Arc<Actor>>,
    /// The first one is the one that tells of what changed.
    engines: Vec<Handle>,
    tell: mpsc::Sender<Message>,
    /// Nothing is ever typed into a pane, whatever the settings say.
    read_only: bool,
}

impl Reloading {
    /// Does it, and says what came of it. Bad settings change nothing. `None`: the engine has told of it already.
    async fn reload(self) -> Option<(String, bool)> {
        let before = self.in_force.now();
        // The engine reads by itself: it knows its own options, and one in the background is not of this process.
        let mut asked = self.engines.iter().map(|engine| engine.commands.ask(Command::Reload)).collect::<Vec<_>>();
        let first = if asked.is_empty() { None } else { Some(asked.remove(0)) };
        let others = futures_util::future::join_all(asked);
        let in_force = Arc::clone(&self.in_force);
        let read = match tokio::task::spawn_blocking(move || in_force.read_again()).await {
            Ok(read) => read,
            Err(error) => Err(error.to_string()),
        };
        let read = match read {
            Ok(read) => Ok(self.configure(&before, read).await),
            Err(error) => Err(error),
        };
        // Of hosts alone there is no engine here that reads them.
        let answer = match first {
            Some(first) => first.await,
            None => Ok(()),
        };
        // What the others refuse is an event of theirs.
        others.await;
        let mut changes = match (read, answer) {
            // An event of the engine says it.
            (_, Err(NotDone::Refused(_))) => return None,
            (_, Err(NotDone::NotSent(NotSent::Ended))) => {
                return Some(("The settings were not read again: the engine is gone".to_owned(), false));
            }
            (_, Err(NotDone::NotSent(error))) => {
                return Some((format!("The settings were not read again: {error}"), false));
            }
            (Err(error), _) => return Some((format!("Settings unchanged: {error}"), false)),
            (_, Err(NotDone::Unanswered)) => {
                let text = "The engine did not say that it read its settings again; the events tell more";
                return Some((text.to_owned(), false));
            }
            (Ok(changes), Ok(())) => changes,
        };
        // Answered after the snapshot that shows it.
        if let Some(engine) = self.engines.first() {
            let shown = engine.snapshots.borrow();
            changes.extend(shown.settings.reread.iter().flat_map(|reread| reread.changes.clone()));
        }
        let told: Vec<String> = changes.iter().take(TOLD).map(|c| format!("{} {}", c.setting, c.to)).collect();
        let more = changes.len().saturating_sub(told.len());
        let more = if more == 0 { String::new() } else { format!(" and {more} more: see the events") };
        match told[..] {
            [] => Some(("The settings were read again: nothing changed".to_owned(), true)),
            _ => Some((format!("The settings were read again: {}{more}", told.join(", ")), true)),
        }
    }

    /// Puts the dashboard's own settings in force, each change an event.
    async fn configure(&self, before: &Loaded, read: Reread) -> Vec<Change> {
        let now = self.in_force.now();
        let changes = settings::changes("dashboard", &before.settings, &now.settings);
        let is = &now.settings.dashboard;
        let read_only = self.read_only || is.read_only;
        for actor in &self.actors {
            let (profiles, named) = (Arc::clone(&read.profiles), read.engine.named.clone());
            actor.set(Known { profiles, named, read_only }, transport(&now.settings));
        }
        let keys = is.keys.iter().map(|(action, keys)| (action.clone(), keys.all())).collect();
        // They were checked when they were read.
        if let Ok(keymap) = Keymap::new(&keys) {
            let theme = (before.settings.dashboard.theme != is.theme).then(|| is.theme.clone());
            let configured = Message::Configured {
                keymap: Box::new(keymap),
                theme,
                mouse: is.mouse,
                act: !read_only,
                glyphs: is.glyphs.clone(),
                limit_threshold: is.limit_threshold,
                reduced_motion: is.reduced_motion,
                columns: is.columns(),
                grouping: (before.settings.dashboard.group != is.group).then(|| is.grouping()),
            };
            self.tell.send(configured).await.ok();
        }
        if let Some(engine) = self.engines.first().filter(|_| !changes.is_empty()) {
            engine.commands.send(Command::Noted(changes.clone())).await.ok();
        }
        changes
    }
}
