//! Takes a person to a pane on another host: to the window of their own tmux that shows that tmux server already, else to a
//! new one with ssh. Nothing goes through a shell here: tmux starts the words as they are.

use std::{path::Path, time::Duration};

use tokio::{process, time::timeout};

use crate::app::act::tmux::run;
use crate::app::act::{Caller, Client, Refusal};
use crate::monitor::HostConfig;
use crate::monitor::link::shared_way;
use crate::tmux::{Command, PaneId, Pool, PoolSettings, TransportChoice, clean};

/// Option of a window: which tmux server of which host it shows, `HOST/SERVER`.
const LINK: &str = "@tmux_orc_link";

/// Option of such a window: by what its client is known there.
const TOKEN: &str = "@tmux_orc_link_token";

/// A client there is moved within this time, or its window starts a new one.
const MOVE_LIMIT: Duration = Duration::from_secs(10);

/// Name of the usual server of a host.
const USUAL: &str = "default";

/// Words of the command line that show a pane there. `token`: by what the client that shows it is known again.
#[must_use]
pub(crate) fn words(server: &str, pane: PaneId, token: Option<&str>) -> Vec<String> {
    // As a person there writes it: the name may be that of a tmux server or of a host behind that one. In one word with the
    // pane, so that a name that another host gave is no option.
    let target = if server == USUAL { pane.to_string() } else { format!("{pane}@/{server}") };
    let mut words = vec!["jump".to_owned(), target];
    words.extend(token.map(|token| format!("--link={token}")));
    words
}

/// Takes the person's tmux client to a pane of a tmux server on a host. `run`: where `hosts login` leaves its connections.
///
/// # Errors
/// It does not run inside tmux; the host is not reached by ssh; tmux refused.
pub(crate) async fn jump_remote(
    client: Option<String>,
    host: &HostConfig,
    run_dir: &Path,
    server: &str,
    pane: PaneId,
) -> Result<String, Refusal> {
    let name = &host.name;
    let way = shared_way(run_dir, name);
    let shows = |token: &str| host.terminal_argv(&way, &words(server, pane, Some(token))).ok_or_else(|| by_other(name));
    // Before anything else: where it cannot be shown at all, no other reason is of use.
    shows("")?;
    let Some((own, caller)) = Caller::own(client) else {
        return Err(Refusal(format!(
            "not inside tmux: `tmux-orc jump {pane}@{name}/{server}` in a terminal goes there"
        )));
    };
    let sizes = PoolSettings { min_size: 0, max_size: 1, ..PoolSettings::default() };
    let pool = Pool::new(own, TransportChoice::default(), sizes);
    let windows = format!("#{{session_id}} #{{window_id}} #{{pane_id}} #{{{TOKEN}}} #{{{LINK}}}");
    let panes = Command::new("list-panes").args(["-a", "-F", "#{pane_id} #{window_id}"]);
    let list = Command::new("list-windows").args(["-a", "-F", &windows]);
    let parts = run(&pool, [Client::list(), panes, list]).await?;
    let text = |index: usize| parts.get(index).and_then(|part| part.as_ref().ok()).map_or("", String::as_str);
    let clients = Client::parse(text(0));
    let window = caller.pane.and_then(|pane| window_of(pane, text(1)));
    let client = Client::of_person(&clients, &caller, window)
        .ok_or_else(|| Refusal("no terminal shows the tmux server in which this runs".to_owned()))?;
    let link = format!("{name}/{server}");
    let Some(shown) = Shown::find(text(2), &link, &client.session) else {
        let token = token();
        let argv = shows(&token)?;
        let at = format!("{}:", client.session);
        let open = Command::new("new-window")
            .args(["-P", "-F", "#{window_id}", "-t", &at, "-n", name])
            .args(argv.iter().map(String::as_str));
        let opened = one(&pool, open).await?;
        for (option, value) in [(LINK, &link), (TOKEN, &token)] {
            one(&pool, Command::new("set-option").args(["-w", "-t", opened.trim(), option, value])).await?;
        }
        return Ok(format!("now at {pane} on {name}"));
    };
    // The client there goes to the pane; where that cannot be, its window shows the pane in a new one.
    if !moved(host.verb_argv(&way, &words(server, pane, Some(&shown.token)))).await {
        let argv = shows(&shown.token)?;
        one(&pool, Command::new("respawn-pane").args(["-k", "-t", &shown.pane]).args(argv.iter().map(String::as_str)))
            .await?;
    }
    let to = format!("{}:{}", shown.session, shown.window);
    one(&pool, Command::new("switch-client").args(["-Z", "-c", &client.name, "-t", &to])).await?;
    Ok(format!("now at {pane} on {name}"))
}

/// Why a host cannot be shown in a terminal.
pub(crate) fn by_other(host: &str) -> Refusal {
    Refusal(format!(
        "{host} is reached by the program of its `connect`, which has no terminal: go there by your own way"
    ))
}

/// A window that shows a tmux server of a host.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Shown {
    session: String,
    window: String,
    pane: String,
    token: String,
}

impl Shown {
    /// The one for this server, in the client's own session if it is there.
    fn find(listed: &str, link: &str, session: &str) -> Option<Self> {
        let one = |line: &str| {
            let mut fields = line.splitn(5, ' ').map(str::to_owned);
            let mut field = || fields.next();
            let shown = Self { session: field()?, window: field()?, pane: field()?, token: field()? };
            (field()? == link && is_token(&shown.token)).then_some(shown)
        };
        let all: Vec<Self> = listed.lines().filter_map(one).collect();
        all.iter().find(|shown| shown.session == session).or(all.first()).cloned()
    }
}

pub(super) fn window_of(pane: PaneId, listed: &str) -> Option<&str> {
    let pane = pane.to_string();
    listed.lines().find_map(|line| line.split_once(' ').filter(|(id, _)| *id == pane).map(|(_, window)| window))
}

/// Asks the host to move the client. Says whether it did.
async fn moved(argv: Option<Vec<String>>) -> bool {
    let Some(argv) = argv else { return false };
    let Some((program, arguments)) = argv.split_first() else { return false };
    let mut command = process::Command::new(program);
    command.args(arguments).kill_on_drop(true);
    command.stdin(std::process::Stdio::null()).stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null());
    matches!(timeout(MOVE_LIMIT, command.status()).await, Ok(Ok(status)) if status.success())
}

pub(super) async fn one(pool: &Pool, command: Command) -> Result<String, Refusal> {
    match run(pool, [command]).await?.pop() {
        Some(Ok(text)) => Ok(text),
        Some(Err(error)) => Err(Refusal(format!("tmux refused: {}", clean(&error.to_string())))),
        None => Err(Refusal("tmux gave no answer".to_owned())),
    }
}

/// By what a client is known again that shows a pane for somebody elsewhere.
fn token() -> String {
    use std::hash::BuildHasher;
    // The keys of a new one are random, which is all that is needed of it.
    format!("{:016x}", std::collections::hash_map::RandomState::new().hash_one(std::process::id()))
}

/// Whether this can be one.
#[must_use]
pub(crate) fn is_token(text: &str) -> bool {
    text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_that_shows_the_server_is_found() {
        let token = token();
        let listed = format!(
            "$0 @1 %1  \n$0 @2 %2 {token} box/default\n$1 @3 %3 {token} box/default\n$1 @4 %4 {token} box/my work\n$1 @5 %5 x box/odd\n"
        );
        let window = |link: &str, session: &str| Shown::find(&listed, link, session).map(|shown| shown.window);
        assert_eq!(window("box/default", "$1").as_deref(), Some("@3"));
        assert_eq!(window("box/default", "$9").as_deref(), Some("@2"));
        assert_eq!(window("box/my work", "$0").as_deref(), Some("@4"));
        assert_eq!(window("box/odd", "$1"), None, "not one of ours");
        assert_eq!(window("gpu/default", "$1"), None);
        assert_eq!(window_of(PaneId(4), "%1 @1\n%4 @7\n"), Some("@7"));
        assert!(is_token(&token) && !is_token("x") && !is_token("--config=/tmp/xxxx"));
    }

    #[test]
    fn a_name_that_another_host_gave_is_no_option() {
        assert_eq!(words("default", PaneId(3), None), ["jump", "%3"]);
        assert_eq!(words("-S/tmp/x", PaneId(3), Some("00")), ["jump", "%3@/-S/tmp/x", "--link=00"]);
    }
}
