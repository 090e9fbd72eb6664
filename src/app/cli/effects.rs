//! What the dashboard asks of the world beside the engine: acts, copies, reading the settings again.

use std::sync::Arc;

use tokio::sync::{mpsc, watch};

use super::{Context, Failure, act::actor, watch::Dashboard};
use crate::{
    app::{
        act::{Act, ActionResult, Actor, Caller},
        keymap::Keymap,
        message::{Effect, Link, Message},
        settings::{self, Loaded, Overrides, Reload},
    },
    monitor::{Command, Followed},
};

/// Messages that may wait for the dashboard.
const WAITING: usize = 32;

/// The dashboard's ends of what is done for it.
pub struct Served {
    /// Effects to be done.
    pub effects: mpsc::Sender<Effect>,
    /// What came of them.
    pub results: mpsc::Receiver<Message>,
    /// How the engine is reached.
    pub link: watch::Receiver<Link>,
}

/// Starts doing what the dashboard asks. Ends when the dashboard does.
pub fn serve(dashboard: &Dashboard) -> Result<Served, Failure> {
    let context = Context::new(dashboard.global.clone())?;
    let (effects, mut asked) = mpsc::channel(WAITING);
    let (tell, results) = mpsc::channel(WAITING);
    let commands = dashboard.following.handle.commands.clone();
    let (mut loaded, overrides) = (dashboard.loaded.clone(), dashboard.overrides.clone());
    let server = context.server()?;
    let caller = Caller::from_environment(server.socket(), None);
    let actor = actor(&context, &server, &loaded.settings, caller, dashboard.read_only)?;
    let actor = Arc::new(actor.telling(commands.clone()));
    let exit_on_jump = dashboard.exit_on_jump;
    tokio::spawn(async move {
        while let Some(effect) = asked.recv().await {
            let (text, ok) = match effect {
                Effect::ReloadSettings => reload(&context, &mut loaded, &overrides, &commands, &tell).await,
                Effect::CopyText(text) => actor.copy(&text).await,
                Effect::Broadcast { text, to } => {
                    let (actor, tell) = (Arc::clone(&actor), tell.clone());
                    tokio::spawn(async move {
                        let ActionResult { text, ok } = actor.broadcast_summary(&text, to).await;
                        tell.send(Message::ActionResult { text, ok }).await.ok();
                    });
                    continue;
                }
                Effect::Act(act) => {
                    // By itself: what follows an act is waited for, and the keys that come meanwhile are not to wait.
                    let (actor, tell) = (Arc::clone(&actor), tell.clone());
                    tokio::spawn(async move { perform(&actor, act, exit_on_jump, &tell).await });
                    continue;
                }
                // The dashboard's own loop does these.
                Effect::Engine(_) | Effect::Repaint | Effect::Suspend | Effect::Quit => continue,
            };
            if tell.send(Message::ActionResult { text, ok }).await.is_err() {
                break;
            }
        }
    });
    Ok(Served { effects, results, link: link(dashboard.following.now.clone()) })
}

/// Does something to an agent and tells the dashboard how it ended.
async fn perform(actor: &Actor, act: Act, exit_on_jump: bool, tell: &mpsc::Sender<Message>) {
    let jumps = matches!(act, Act::Jump { .. });
    let ActionResult { text, ok } = actor.perform(act).await;
    let message = if ok && jumps && exit_on_jump { Message::Leave } else { Message::ActionResult { text, ok } };
    tell.send(message).await.ok();
}

/// Reads the settings again and tells the engine what changed; bad ones change nothing.
async fn reload(
    context: &Context,
    loaded: &mut Loaded,
    overrides: &Overrides,
    commands: &mpsc::Sender<Command>,
    tell: &mpsc::Sender<Message>,
) -> (String, bool) {
    let fresh = match context.load(overrides) {
        Ok(fresh) => fresh,
        Err(error) => return (format!("The settings stay as they are: {error}"), false),
    };
    let Reload { commands: changes, mut at_next_start } = settings::reload(&loaded.settings, &fresh.settings);
    let (was, is) = (&loaded.settings.dashboard, &fresh.settings.dashboard);
    if was.mouse != is.mouse || was.read_only != is.read_only {
        at_next_start.push("dashboard");
    }
    if was.keys != is.keys || was.theme != is.theme {
        let keys = is.keys.iter().map(|(action, keys)| (action.clone(), keys.all())).collect();
        // They were checked when they were read.
        if let Ok(keymap) = Keymap::new(&keys) {
            let theme = (was.theme != is.theme).then(|| is.theme.clone());
            tell.send(Message::Configured { keymap: Box::new(keymap), theme }).await.ok();
        }
    }
    let count = changes.len();
    for command in changes {
        if commands.send(command).await.is_err() {
            return ("The settings were not taken: the engine is gone".to_owned(), false);
        }
    }
    *loaded = fresh;
    let changed = match count {
        0 => "The settings were read again: nothing changed for the engine".to_owned(),
        1 => "The settings were read again: 1 change".to_owned(),
        count => format!("The settings were read again: {count} changes"),
    };
    match at_next_start[..] {
        [] => (changed, true),
        _ => (format!("{changed}; at the next start: {}", at_next_start.join(", ")), true),
    }
}

fn link(mut now: watch::Receiver<Followed>) -> watch::Receiver<Link> {
    let words = |followed: Followed| match followed {
        Followed::Inside => Link::Embedded,
        Followed::Background(pid) => Link::Attached(pid),
        Followed::Lost => Link::Lost,
    };
    let (tell, link) = watch::channel(words(*now.borrow_and_update()));
    tokio::spawn(async move {
        while now.changed().await.is_ok() {
            let followed = *now.borrow_and_update();
            tell.send_replace(words(followed));
        }
    });
    link
}
