//! Takes the person's client to a pane: across sessions, into linked windows, and without undoing a zoom.

use crate::app::act::tmux::run;
use crate::app::act::{Caller, Client, Refusal};
use crate::tmux::{Command, PaneId, Pool};

/// One way to a pane: a session in which its window is.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Way {
    pane: PaneId,
    session: String,
    window: String,
    /// `session:window.pane`, for people.
    target: String,
}

impl Way {
    fn list() -> Command {
        let fields = "#{pane_id} #{session_id} #{window_id} #{session_name}:#{window_index}.#{pane_index}";
        Command::new("list-panes").args(["-a", "-F", fields])
    }

    fn parse(output: &str) -> Vec<Self> {
        let one = |line: &str| {
            let mut fields = line.splitn(4, ' ');
            let mut field = || fields.next();
            let pane = field()?.parse().ok()?;
            let (session, window) = (field()?.to_owned(), field()?.to_owned());
            Some(Self { pane, session, window, target: crate::tmux::clean(field()?) })
        };
        output.lines().filter_map(one).collect()
    }

    /// The way to `pane` that is best for a client: a session it is in, else the first one.
    fn best<'w>(ways: &'w [Self], pane: PaneId, session: Option<&str>) -> Option<&'w Self> {
        let mut to: Vec<&Self> = ways.iter().filter(|way| way.pane == pane).collect();
        to.sort_by_key(|way| Some(way.session.as_str()) != session);
        to.first().copied()
    }
}

/// Takes the client that the person is in to the pane.
pub(super) async fn jump(pool: &Pool, caller: &Caller, pane: PaneId) -> Result<String, Refusal> {
    let parts = run(pool, [Client::list(), Way::list()]).await?;
    let text = |index: usize| parts.get(index).and_then(|part| part.as_ref().ok()).map_or("", String::as_str);
    let (clients, ways) = (Client::parse(text(0)), Way::parse(text(1)));
    if !ways.iter().any(|way| way.pane == pane) {
        return Err(Refusal::gone(pane));
    }
    let window = caller.pane.and_then(|own| ways.iter().find(|way| way.pane == own)).map(|way| way.window.as_str());
    let Some(client) = Client::of_person(&clients, caller, window) else {
        let hint = match &caller.client {
            Some(name) => format!("no client is called {name}: `tmux list-clients` lists them"),
            None => {
                // With the socket: by itself the command would ask the server that is the default there.
                let socket = pool.server().socket().display().to_string();
                // A path holds no NUL, the one thing that cannot be quoted.
                let socket = shlex::try_quote(&socket).unwrap_or_default();
                format!(
                    "no terminal shows this tmux server: `tmux-orc -S {socket} jump {pane}` in a terminal attaches one"
                )
            }
        };
        return Err(Refusal(hint));
    };
    let way = Way::best(&ways, pane, Some(&client.session)).ok_or_else(|| Refusal::gone(pane))?;
    // `-Z` keeps a zoomed window zoomed, on the pane that is gone to.
    let to = format!("{}:{}.{}", way.session, way.window, pane);
    let go = if client.control && way.session == client.session {
        // A program that draws the windows itself follows what is selected; to switch to its own session is nothing new.
        let window = format!("{}:{}", way.session, way.window);
        vec![
            Command::new("select-window").args(["-t", &window]),
            Command::new("select-pane").args(["-Z", "-t", &pane.to_string()]),
        ]
    } else {
        vec![Command::new("switch-client").args(["-Z", "-c", &client.name, "-t", &to])]
    };
    let steps = go.len();
    let parts = run(pool, go.into_iter().chain([Client::list()])).await?;
    for part in parts.iter().take(steps) {
        if let Err(error) = part {
            return Err(Refusal::command(pane, error));
        }
    }
    // tmux does not say where a client ended up; a pane that died in between would leave it somewhere else.
    let after =
        parts.get(steps).and_then(|part| part.as_ref().ok()).map(|text| Client::parse(text)).unwrap_or_default();
    match after.iter().find(|now| now.name == client.name) {
        Some(now) if now.pane == Some(pane) => Ok(format!("now at {}", way.target)),
        Some(_) => Err(Refusal(format!("tmux did not go to {}: the pane may have just ended", way.target))),
        None => Err(Refusal(format!("the terminal {} was closed", client.name))),
    }
}

/// The arguments of the `tmux` command by which a terminal outside of tmux goes to the pane, after `-S SOCKET`.
pub(super) async fn attach_words(pool: &Pool, pane: PaneId) -> Result<Vec<String>, Refusal> {
    let parts = run(pool, [Way::list()]).await?;
    let text = parts.first().and_then(|part| part.as_ref().ok()).map_or("", String::as_str);
    let ways = Way::parse(text);
    let way = Way::best(&ways, pane, None).ok_or_else(|| Refusal::gone(pane))?;
    // The window and pane are selected first: `attach-session` takes a target without `:` and `.` for the name of a session
    // (cmd-attach-session.c).
    let window = format!("{}:{}", way.session, way.window);
    let words = ["select-window", "-t", &window, ";", "select-pane", "-Z", "-t", &pane.to_string(), ";"];
    let attach = ["attach-session", "-t", &way.session];
    Ok(words.iter().chain(&attach).map(ToString::to_string).collect())
}

/// The place of a pane, for the journal; empty when it is gone.
pub(super) async fn place(pool: &Pool, pane: PaneId) -> String {
    let parts = run(pool, [Way::list()]).await.unwrap_or_default();
    let text = parts.first().and_then(|part| part.as_ref().ok()).map_or("", String::as_str);
    Way::best(&Way::parse(text), pane, None).map(|way| way.target.clone()).unwrap_or_default()
}

/// The pane that a person names: `%12`, `session:window.pane`, or what tmux takes for a target, exactly.
pub(super) async fn resolve(pool: &Pool, target: &str) -> Result<Option<PaneId>, Refusal> {
    let parts = run(pool, [Way::list()]).await?;
    let text = parts.first().and_then(|part| part.as_ref().ok()).map_or("", String::as_str);
    let ways = Way::parse(text);
    if let Ok(pane) = target.parse::<PaneId>() {
        return Ok(ways.iter().find(|way| way.pane == pane).map(|way| way.pane));
    }
    Ok(ways.iter().find(|way| way.target == target).map(|way| way.pane))
}

impl crate::app::act::Actor {
    /// The pane that a person names by `%12` or `session:window.pane`; `None` when there is none.
    ///
    /// # Errors
    /// When tmux does not answer.
    pub async fn resolve(&self, target: &str) -> Result<Option<PaneId>, Refusal> {
        resolve(&self.pool, target).await
    }

    /// The words after `tmux -S SOCKET` by which a terminal outside of tmux attaches to the pane.
    ///
    /// # Errors
    /// When the pane is gone or tmux does not answer.
    pub async fn attach_words(&self, pane: PaneId) -> Result<Vec<String>, Refusal> {
        attach_words(&self.pool, pane).await
    }

    /// The program and its arguments by which this terminal, outside of tmux, becomes the client that shows the pane.
    ///
    /// # Errors
    /// The pane is gone, or tmux refused.
    pub async fn attach_argv(&self, pane: PaneId) -> Result<Vec<String>, Refusal> {
        let server = self.pool.server();
        let program = server.program().to_string_lossy().into_owned();
        let argv = [program, "-S".to_owned(), server.socket().display().to_string()];
        Ok(argv.into_iter().chain(self.attach_words(pane).await?).collect())
    }

    /// Puts text into the clipboard of the person's terminal, and into a paste buffer of tmux. In words, and whether it
    /// worked.
    pub async fn copy(&self, text: &str) -> (String, bool) {
        let listed = run(&self.pool, [Client::list()]).await.unwrap_or_default();
        let listed = listed.first().and_then(|part| part.as_ref().ok()).map_or("", String::as_str);
        let clients = Client::parse(listed);
        let mut set = Command::new("set-buffer").arg("-w");
        if let Some(client) = Client::of_person(&clients, &self.caller, None) {
            set = set.args(["-t", &client.name]);
        }
        match run(&self.pool, [set.args(["--", text])]).await.map(|mut parts| parts.pop()) {
            Ok(Some(Ok(_))) => (format!("copied {text}"), true),
            Ok(Some(Err(error))) => (format!("tmux refused to copy: {error}"), false),
            Ok(None) => ("tmux gave no answer".to_owned(), false),
            Err(error) => (error.to_string(), false),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_linked_window_is_gone_to_in_the_clients_own_session() {
        let ways = Way::parse("%1 $0 @1 a:0.0\n%2 $0 @2 a b:1.0\n%2 $3 @2 c:0.0\nbad\n");
        assert_eq!(ways.len(), 3);
        let session = |of| Way::best(&ways, PaneId(2), of).map(|way| way.session.as_str());
        assert_eq!(session(Some("$3")), Some("$3"));
        assert_eq!(session(Some("$9")), Some("$0"));
        assert_eq!(Way::best(&ways, PaneId(9), None), None);
        assert_eq!(ways[1].target, "a b:1.0");
    }
}
