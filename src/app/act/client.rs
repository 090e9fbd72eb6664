//! Which tmux client is the one that the person is in.

use crate::tmux::{Command, PaneId, Server, SocketChoice};

/// Where the request comes from, as the environment tells.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Caller {
    /// The client that was named, by `--client`.
    pub client: Option<String>,
    /// `$TMUX_PANE`: the pane it runs in. A popup and a key binding have none.
    pub pane: Option<PaneId>,
    /// The session's id that `$TMUX` tells, `$3`.
    pub session: Option<String>,
    /// It runs inside a tmux, on this or another server.
    pub inside: bool,
}

impl Caller {
    /// From the environment. What it tells counts only when it is about the server at `socket`.
    #[must_use]
    pub fn from_environment(socket: &std::path::Path, client: Option<String>) -> Self {
        let text = |name| std::env::var(name).ok();
        Self::new(text("TMUX").as_deref(), text("TMUX_PANE").as_deref(), socket, client)
    }

    /// The tmux server in which this runs, whichever is watched, and the caller as that one knows them; `None`: in none.
    #[must_use]
    pub(crate) fn own(client: Option<String>) -> Option<(Server, Self)> {
        let tmux = std::env::var("TMUX").ok()?;
        let path = std::path::Path::new(tmux.rsplitn(3, ',').nth(2)?);
        let server = Server::resolve(&SocketChoice { name: None, path: Some(path.to_owned()) }).ok()?;
        let caller = Self::from_environment(server.socket(), client);
        Some((server, caller))
    }

    fn new(tmux: Option<&str>, pane: Option<&str>, socket: &std::path::Path, client: Option<String>) -> Self {
        // SOCKET,PID,SESSION: the path may hold commas.
        let mut fields = tmux.unwrap_or_default().rsplitn(3, ',');
        let (session, _pid, path) = (fields.next(), fields.next(), fields.next());
        let same = |path: &str| {
            let real = |path: &std::path::Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
            real(std::path::Path::new(path)) == real(socket)
        };
        let inside = path.is_some_and(|path| !path.is_empty());
        let here = path.is_some_and(same);
        Self {
            client,
            pane: pane.filter(|_| here).and_then(|pane| pane.parse().ok()),
            session: session.filter(|_| here).filter(|id| !id.is_empty()).map(|id| format!("${id}")),
            inside,
        }
    }

    /// It runs in a popup or a key binding rather than in a pane.
    #[must_use]
    pub fn in_popup(&self) -> bool {
        self.session.is_some() && self.pane.is_none()
    }
}

/// A client of the server: a terminal that is attached to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Client {
    /// Its name, by which it is addressed: the path of its terminal.
    pub name: String,
    /// Its session's id, `$3`.
    pub session: String,
    /// The window it shows, `@5`.
    pub window: String,
    /// The active pane of that window.
    pub pane: Option<PaneId>,
    /// Unix second of its last key.
    pub activity: i64,
    /// It is a program's, not a terminal.
    pub control: bool,
    /// Path of its terminal.
    pub tty: String,
}

impl Client {
    /// Asks for all clients; read the answer with [`Client::parse`].
    #[must_use]
    pub fn list() -> Command {
        let fields = "#{session_id} #{window_id} #{pane_id} #{client_activity} #{client_control_mode} #{client_tty} #{client_name}";
        Command::new("list-clients").args(["-F", fields])
    }

    /// Reads the answer to [`Client::list`]. A line that is none is passed over.
    #[must_use]
    pub fn parse(output: &str) -> Vec<Self> {
        output.lines().filter_map(Self::parse_line).collect()
    }

    fn parse_line(line: &str) -> Option<Self> {
        let mut fields = line.splitn(7, ' ');
        let mut field = || fields.next();
        Some(Self {
            session: field()?.to_owned(),
            window: field()?.to_owned(),
            pane: field()?.parse().ok(),
            activity: field()?.parse().ok()?,
            control: field()? == "1",
            tty: field()?.to_owned(),
            name: field().filter(|name| !name.is_empty())?.to_owned(),
        })
    }

    /// The client that the person is in: the one that was named; else one that shows the caller's pane or session; else
    /// the one that was used last. `window` is the window of the caller's pane. A terminal comes before a client in
    /// control mode, which may be a mere program's; where there is nothing else (iTerm2 with `tmux -CC`), it is theirs.
    #[must_use]
    pub fn of_person<'c>(clients: &'c [Self], caller: &Caller, window: Option<&str>) -> Option<&'c Self> {
        if let Some(name) = &caller.client {
            return clients.iter().find(|client| client.name == *name);
        }
        let terminals = clients.iter().any(|client| !client.control);
        let latest = |fits: &dyn Fn(&Self) -> bool| {
            // The first one in tmux's order wins a tie: `max_by_key` would take the last.
            let all = clients.iter().rev().filter(|client| client.control != terminals);
            all.filter(|client| fits(client)).max_by_key(|client| client.activity)
        };
        window
            .and_then(|window| latest(&|client| client.window == window))
            .or_else(|| caller.session.as_ref().and_then(|session| latest(&|client| client.session == *session)))
            .or_else(|| latest(&|_| true))
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn clients() -> Vec<Client> {
        Client::parse(
            "$0 @0 %0 100 0 /dev/pts/1 /dev/pts/1\n$1 @5 %7 300 0 /dev/pts/2 /dev/pts/2\n$1 @6 %8 200 0 /dev/pts/3 /dev/pts/3\n\
             $0 @0 %0 999 1  client-77\nnonsense\n",
        )
    }

    #[test]
    fn the_person_is_where_they_asked_from_else_where_they_typed_last() {
        let clients = clients();
        assert_eq!(clients.len(), 4);
        let of =
            |caller: &Caller, window| Client::of_person(&clients, caller, window).map(|client| client.name.as_str());
        let nowhere = Caller::default();
        assert_eq!(of(&nowhere, None), Some("/dev/pts/2"));
        assert_eq!(of(&nowhere, Some("@6")), Some("/dev/pts/3"));
        let session = |id: &str| Caller { session: Some(id.into()), ..Caller::default() };
        assert_eq!(of(&session("$0"), None), Some("/dev/pts/1"));
        assert_eq!(of(&session("$1"), Some("@0")), Some("/dev/pts/1"), "the window in view before the session");
        assert_eq!(of(&session("$9"), Some("@9")), Some("/dev/pts/2"), "a detached session: the last used");
        let named = Caller { client: Some("/dev/pts/3".into()), ..Caller::default() };
        assert_eq!(of(&named, Some("@0")), Some("/dev/pts/3"));
        let control = &clients[3..];
        let of = |caller: &Caller| Client::of_person(control, caller, None).map(|client| client.name.as_str());
        assert_eq!(of(&nowhere), Some("client-77"), "there is nothing but a client in control mode");
        assert_eq!(of(&session("$1")), Some("client-77"));
        let of =
            |caller: &Caller, window| Client::of_person(&clients, caller, window).map(|client| client.name.as_str());
        let wrong = Caller { client: Some("/dev/pts/9".into()), ..Caller::default() };
        assert_eq!(of(&wrong, None), None);
    }

    #[test]
    fn the_environment_counts_only_for_its_own_server() {
        let here = Caller::new(Some("/tmp/a,b/s,123,4"), Some("%7"), Path::new("/tmp/a,b/s"), None);
        assert_eq!((here.pane, here.session.as_deref(), here.inside), (Some(PaneId(7)), Some("$4"), true));
        assert!(!here.in_popup());
        let other = Caller::new(Some("/tmp/x,123,4"), Some("%7"), Path::new("/tmp/s"), None);
        assert_eq!((other.pane, other.session, other.inside), (None, None, true));
        let popup = Caller::new(Some("/tmp/s,123,4"), None, Path::new("/tmp/s"), None);
        assert!(popup.in_popup());
        let outside = Caller::new(None, Some("%7"), Path::new("/tmp/s"), None);
        assert_eq!(outside, Caller::default());
    }
}
