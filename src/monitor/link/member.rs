//! A tmux server on another host, as it is held here: one handle for as long as the host is wanted, whatever becomes of the
//! connection behind it.

use std::sync::Arc;

use tokio::{
    net::UnixStream,
    sync::{mpsc, watch},
    task::JoinHandle,
};
use tokio_util::task::AbortOnDropHandle;

use crate::monitor::clients::admit::words;
use crate::monitor::clients::attach::{AttachError, Client, Wishes};
use crate::monitor::link::lines::MemberLine;
use crate::monitor::{Handle, Interest, NotDone, Order, Refused, Requests, Snapshot};

/// A tmux server on another host.
#[derive(Clone, Debug)]
pub struct RemoteMember {
    /// By what its bridge knows it: for acts.
    pub key: String,
    /// What people call the server there.
    pub server: String,
    /// Its engine, as if it ran here. While the host is not reached the last snapshot stays, its agents stale.
    pub handle: Handle,
}

/// Commands that may wait to be sent.
const COMMANDS_WAITING: usize = 64;

/// Members of one host that have shown something, in the order in which their bridge names them.
#[derive(Debug)]
pub(crate) struct Members {
    host: Arc<str>,
    all: Vec<Member>,
    shown: watch::Sender<Vec<RemoteMember>>,
    tell: mpsc::Sender<RemoteMember>,
    told: mpsc::Receiver<RemoteMember>,
}

#[derive(Debug)]
struct Member {
    line: MemberLine,
    connect: mpsc::Sender<(UnixStream, Wishes)>,
    _serving: AbortOnDropHandle<()>,
}

impl Members {
    /// None yet; and where they are shown.
    pub(crate) fn new(host: &str) -> (Self, watch::Receiver<Vec<RemoteMember>>) {
        let (shown, receiver) = watch::channel(Vec::new());
        let (tell, told) = mpsc::channel(1);
        (Self { host: host.into(), all: Vec::new(), shown, tell, told }, receiver)
    }

    /// These are all of them: others are gone, new ones are to come.
    pub(crate) fn are(&mut self, lines: Vec<MemberLine>) {
        let mut before = std::mem::take(&mut self.all);
        for line in lines {
            let known = before.iter().position(|member| member.line.key == line.key).map(|at| before.swap_remove(at));
            self.all.push(match known {
                Some(known) => Member { line, ..known },
                None => self.start(line),
            });
        }
        let keys: Vec<&str> = self.all.iter().map(|member| member.line.key.as_str()).collect();
        self.shown.send_if_modified(|shown| {
            let before = shown.len();
            shown.retain(|member| keys.contains(&member.key.as_str()));
            shown.len() != before
        });
    }

    fn start(&self, line: MemberLine) -> Member {
        let (connect, connections) = mpsc::channel(1);
        let serving = Serving {
            host: Arc::clone(&self.host),
            key: line.key.clone(),
            server: line.name.as_str().into(),
            tell: self.tell.clone(),
            why: "its engine has not answered yet".to_owned(),
        };
        let serving = AbortOnDropHandle::new(tokio::spawn(serving.run(connections)));
        Member { line, connect, _serving: serving }
    }

    /// A new connection to the engine of this member. Says whether there is such a member.
    pub(crate) async fn connect(&self, key: &str, stream: UnixStream, wishes: Wishes) -> bool {
        match self.all.iter().find(|member| member.line.key == key) {
            Some(member) => member.connect.send((stream, wishes)).await.is_ok(),
            None => false,
        }
    }

    /// Waits until a member has something to show, and shows it. A call that is dropped half-way loses nothing.
    pub(crate) async fn show_next(&mut self) {
        // This holds a sender itself: it never ends.
        let Some(member) = self.told.recv().await else { return };
        let place = |key: &str| self.all.iter().position(|known| known.line.key == key);
        if place(&member.key).is_some() {
            self.shown.send_modify(|shown| {
                shown.push(member);
                shown.sort_by_key(|member| place(&member.key));
            });
        }
    }
}

/// What serves one member's handle.
struct Serving {
    host: Arc<str>,
    key: String,
    server: Arc<str>,
    tell: mpsc::Sender<RemoteMember>,
    /// Why commands cannot be sent now.
    why: String,
}

/// A connection past its first snapshot.
struct Attached {
    handle: Handle,
    task: AbortOnDropHandle<AttachError>,
}

impl Serving {
    /// Until the host is not wanted any more.
    async fn run(mut self, mut connections: mpsc::Receiver<(UnixStream, Wishes)>) {
        let mut shown: Option<(watch::Sender<Arc<Snapshot>>, Requests)> = None;
        let mut attaching: Option<JoinHandle<Result<Attached, AttachError>>> = None;
        let mut now: Option<Attached> = None;
        loop {
            tokio::select! {
                stream = connections.recv() => {
                    let Some((stream, wishes)) = stream else { return };
                    let place = (Arc::clone(&self.host), Arc::clone(&self.server));
                    if let Some(before) = attaching.replace(tokio::spawn(attach(stream, wishes, place))) {
                        before.abort();
                    }
                }
                attached = ready(&mut attaching) => {
                    attaching = None;
                    match attached {
                        Ok(attached) => {
                            let snapshot = attached.handle.snapshots.borrow();
                            match &shown {
                                Some((publish, requests)) => {
                                    attached.handle.commands.set_interest(wanted(requests));
                                    drop(publish.send_replace(snapshot));
                                }
                                None => match self.show(snapshot).await {
                                    Some(first) => shown = Some(first),
                                    None => return,
                                },
                            }
                            now = Some(attached);
                        }
                        Err(error) => {
                            tracing::warn!(host = &*self.host, key = self.key, %error, "a member's engine is of no use");
                            self.why = error.to_string();
                        }
                    }
                }
                news = news(&mut now) => match (news, &shown) {
                    (News::Changed(snapshot), Some((publish, _))) => {
                        drop(publish.send_replace(snapshot));
                    }
                    (News::Ended(why), shown) => {
                        now = None;
                        self.why = why;
                        if let Some((publish, _)) = shown {
                            publish.send_modify(stale);
                        }
                    }
                    (News::Changed(_), None) => {}
                },
                wish = wish(&mut shown) => match wish {
                    Wish::Order(order) => self.pass_on(order, now.as_ref()),
                    Wish::Interest(wanted) => {
                        if let Some(attached) = &now {
                            attached.handle.commands.set_interest(wanted);
                        }
                    }
                    Wish::None => return,
                },
            }
        }
    }

    /// Shows the member for the first time.
    async fn show(&self, first: Arc<Snapshot>) -> Option<(watch::Sender<Arc<Snapshot>>, Requests)> {
        let (publish, snapshots) = watch::channel(first);
        let (handle, requests) = Handle::new(snapshots, COMMANDS_WAITING);
        let member = RemoteMember { key: self.key.clone(), server: self.server.to_string(), handle };
        self.tell.send(member).await.ok()?;
        Some((publish, requests))
    }

    fn pass_on(&self, order: Order, to: Option<&Attached>) {
        let Some(attached) = to else {
            let why = format!("{} is not reached: {}", self.host, self.why);
            order.answer(Err(Refused(why)));
            return;
        };
        let asked = attached.handle.commands.ask(order.command.clone());
        tokio::spawn(async move {
            let answer = asked.await.map_err(|error| match error {
                NotDone::Refused(refused) => refused,
                other => Refused(other.to_string()),
            });
            order.answer(answer);
        });
    }
}

async fn attach(
    stream: UnixStream,
    wishes: Wishes,
    (host, server): (Arc<str>, Arc<str>),
) -> Result<Attached, AttachError> {
    let client = Client::over(stream, wishes).await?.at(host, server);
    let (handle, task) = client.into_handle().await?;
    Ok(Attached { handle, task: AbortOnDropHandle::new(task) })
}

/// The last that was known, marked as such.
fn stale(snapshot: &mut Arc<Snapshot>) {
    Arc::make_mut(snapshot).agents.iter_mut().for_each(|agent| agent.stale = true);
}

/// Waits for the attaching that is under way, if one is.
async fn ready(attaching: &mut Option<JoinHandle<Result<Attached, AttachError>>>) -> Result<Attached, AttachError> {
    match attaching {
        Some(task) => task.await.unwrap_or_else(|error| Err(AttachError::Lost(words(&error.to_string())))),
        None => std::future::pending().await,
    }
}

/// What comes of a connection.
enum News {
    Changed(Arc<Snapshot>),
    Ended(String),
}

/// Waits for a newer snapshot or the end of the connection, if there is one.
async fn news(now: &mut Option<Attached>) -> News {
    let Some(Attached { handle, task }) = now else { return std::future::pending().await };
    tokio::select! {
        biased;
        Ok(()) = handle.snapshots.changed() => News::Changed(handle.snapshots.borrow_and_update()),
        ended = task => News::Ended(ended.map_or_else(|error| error.to_string(), |error| error.to_string())),
    }
}

/// What the holder of the handle wants.
enum Wish {
    Order(Order),
    Interest(Interest),
    /// Nothing any more: nobody holds it.
    None,
}

/// What all who hold the handle want. There is one screen in focus for all of them: that of the first who looks at one.
fn wanted(requests: &Requests) -> Interest {
    let clients = requests.clients.borrow();
    let own = clients.of(requests.own);
    let focus = own.focus.or_else(|| clients.focus().first().copied());
    let tiles = clients.all_tiles();
    Interest { focus, tiles, watched: clients.watched(), instruments: clients.instruments() }
}

/// Waits for the next wish, once there is a handle.
async fn wish(shown: &mut Option<(watch::Sender<Arc<Snapshot>>, Requests)>) -> Wish {
    let Some((_, requests)) = shown else { return std::future::pending().await };
    tokio::select! {
        order = requests.commands.recv() => order.map_or(Wish::None, Wish::Order),
        Ok(()) = requests.clients.changed() => {
            requests.clients.mark_unchanged();
            Wish::Interest(wanted(requests))
        }
    }
}
