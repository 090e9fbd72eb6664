//! What reaches the engine's task from outside: commands and who waits for them, who is there, settings read again.

use std::sync::Arc;

use tokio::sync::{mpsc, watch};

use crate::monitor::engine::core::Core;
use crate::monitor::engine::reload::Fresh;
use crate::monitor::{ClientId, Clients, Command, Order, Refused, Requests, SettingsSource, Snapshot};

/// The engine's ends of what its clients hold.
pub(crate) struct Inbox {
    pub(crate) commands: mpsc::Receiver<Order>,
    pub(crate) clients: watch::Receiver<Clients>,
    own: ClientId,
    source: SettingsSource,
    /// Settings are read again on a thread of their own: a disk that does not answer holds no cycle up.
    send_fresh: mpsc::Sender<(Order, Fresh)>,
    /// Who asked for a reading, and what it gave.
    pub(crate) fresh: mpsc::Receiver<(Order, Fresh)>,
    /// What was carried out, or turned out to be impossible, and is not published yet.
    done: Vec<(Order, Result<(), Refused>)>,
}

/// What a command asks of the schedule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Obeyed {
    /// A cycle should begin at once, and shows what was changed.
    Cycle,
    /// What was changed needs no cycle to be shown, only to be published.
    Publish,
    /// Nothing: it was refused, or it is answered later.
    Nothing,
}

impl Inbox {
    pub(crate) fn new(requests: Requests, source: SettingsSource) -> Self {
        let Requests { commands, clients, own } = requests;
        let (send_fresh, fresh) = mpsc::channel(1);
        Self { commands, clients, own, source, send_fresh, fresh, done: Vec::new() }
    }

    /// Takes in who is there. Says whether the next cycle should begin at once.
    pub(crate) fn attend(&mut self, core: &mut Core) -> bool {
        let clients = self.clients.borrow_and_update();
        core.attend(&clients, self.own)
    }

    /// Carries out a command.
    pub(crate) fn obey(&mut self, core: &mut Core, order: Order) -> Obeyed {
        if order.command == Command::Reload {
            let (source, send_fresh) = (self.source.clone(), self.send_fresh.clone());
            tokio::task::spawn_blocking(move || send_fresh.blocking_send((order, source.read_again())).ok());
            return Obeyed::Nothing;
        }
        match core.obey(order.command.clone()) {
            Ok(at_once) => {
                self.done.push((order, Ok(())));
                if at_once { Obeyed::Cycle } else { Obeyed::Publish }
            }
            Err(why) => {
                tracing::warn!(%why, "refused");
                // A reason that nobody waits for is an event.
                if let Some(Refused(why)) = order.answer(Err(why)) {
                    core.refuse(why);
                }
                Obeyed::Nothing
            }
        }
    }

    /// Settings were read again: who asked for it gets the answer after the snapshot that shows it.
    pub(crate) fn reread(&mut self, core: &mut Core, (order, fresh): (Order, Fresh)) {
        let answer = fresh.as_ref().map(drop).map_err(|why| Refused(format!("settings unchanged: {why}")));
        core.take_settings(fresh);
        self.done.push((order, answer));
    }

    /// Publishes, and answers those whose commands it shows.
    pub(crate) fn publish(&mut self, publisher: &watch::Sender<Arc<Snapshot>>, snapshot: Snapshot) {
        publisher.send_replace(Arc::new(snapshot));
        for (order, answer) in self.done.drain(..) {
            order.answer(answer);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Mutex,
        atomic::{AtomicU32, Ordering},
    };

    use super::*;
    use crate::monitor::Engine;
    use crate::monitor::engine::paused::fleet;
    use crate::tmux::Server;

    #[tokio::test(flavor = "multi_thread")]
    async fn each_who_asks_for_the_settings_is_answered_by_the_reading_that_it_asked_for() {
        let (began, mut first_began) = mpsc::channel(1);
        let (let_go, held) = std::sync::mpsc::channel::<()>();
        let (held, count) = (Mutex::new(held), AtomicU32::new(0));
        let source = SettingsSource::new(move || {
            let number = count.fetch_add(1, Ordering::SeqCst);
            if number == 0 {
                began.blocking_send(()).unwrap();
                held.lock().unwrap().recv().unwrap();
            }
            Err(format!("reading {number}"))
        });
        let (script, settings) = fleet(1);
        let engine = Engine::new(Server::scripted(script), settings).reading_from(source);
        let (handle, _task) = engine.start().unwrap();
        let first = tokio::spawn(handle.commands.ask(Command::Reload));
        first_began.recv().await.unwrap();
        let why = |answer: Result<(), crate::monitor::NotDone>| answer.unwrap_err().to_string();
        assert!(why(handle.commands.ask(Command::Reload).await).contains("reading 1"));
        assert!(!first.is_finished(), "a disk that holds up one reading answers nobody by another");
        let_go.send(()).unwrap();
        assert!(why(first.await.unwrap()).contains("reading 0"));
    }
}
