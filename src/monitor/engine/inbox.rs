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
    send_fresh: mpsc::Sender<Fresh>,
    pub(crate) fresh: mpsc::Receiver<Fresh>,
    /// Those who wait until the settings were read again.
    rereading: Vec<Order>,
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
        Self { commands, clients, own, source, send_fresh, fresh, rereading: Vec::new(), done: Vec::new() }
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
            tokio::task::spawn_blocking(move || send_fresh.blocking_send(source.read_again()).ok());
            self.rereading.push(order);
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

    /// Settings were read again: those who asked for it get their answer after the snapshot that shows it.
    pub(crate) fn reread(&mut self, core: &mut Core, fresh: Fresh) {
        let answer = fresh.as_ref().map(drop).map_err(|why| Refused(format!("settings unchanged: {why}")));
        core.take_settings(fresh);
        self.done.extend(self.rereading.drain(..).map(|order| (order, answer.clone())));
    }

    /// Publishes, and answers those whose commands it shows.
    pub(crate) fn publish(&mut self, publisher: &watch::Sender<Arc<Snapshot>>, snapshot: Snapshot) {
        publisher.send_replace(Arc::new(snapshot));
        for (order, answer) in self.done.drain(..) {
            order.answer(answer);
        }
    }
}
