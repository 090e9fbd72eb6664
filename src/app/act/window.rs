//! A window of the person's own tmux for a program that may ask them something.

use std::time::Duration;

use tokio::time::sleep;

use crate::app::act::elsewhere::{one, window_of};
use crate::app::act::tmux::run;
use crate::app::act::{Caller, Client, Refusal};
use crate::tmux::{Command, Pool, PoolSettings, TransportChoice};

/// How often it is looked at whether a window is still there.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// A window that was opened for a program, and that closes when it ends.
pub(crate) struct Window {
    pool: Pool,
    pane: String,
}

impl Window {
    /// Opens it where the person is, in front of them. `set`: variables of its environment, which is else that of their
    /// tmux. `None`: this runs in no tmux.
    ///
    /// # Errors
    /// No terminal shows that tmux server, or it refused.
    pub(crate) async fn open(name: &str, set: &[String], words: &[String]) -> Result<Option<Self>, Refusal> {
        let Some((server, caller)) = Caller::own(None) else { return Ok(None) };
        let sizes = PoolSettings { min_size: 0, max_size: 1, ..PoolSettings::default() };
        let pool = Pool::new(server, TransportChoice::default(), sizes);
        let panes = Command::new("list-panes").args(["-a", "-F", "#{pane_id} #{window_id}"]);
        let parts = run(&pool, [Client::list(), panes]).await?;
        let text = |index: usize| parts.get(index).and_then(|part| part.as_ref().ok()).map_or("", String::as_str);
        let clients = Client::parse(text(0));
        let window = caller.pane.and_then(|pane| window_of(pane, text(1)));
        let client = Client::of_person(&clients, &caller, window)
            .ok_or_else(|| Refusal("no terminal shows the tmux server in which this runs".to_owned()))?;
        let at = format!("{}:", client.session);
        let mut open = Command::new("new-window").args(["-P", "-F", "#{pane_id}", "-t", &at, "-n", name]);
        for variable in set {
            open = open.args(["-e", variable]);
        }
        let pane = one(&pool, open.args(words.iter().map(String::as_str))).await?.trim().to_owned();
        Ok(Some(Self { pool, pane }))
    }

    /// Waits until its program has ended.
    pub(crate) async fn ended(self) {
        let list = || Command::new("list-panes").args(["-a", "-F", "#{pane_id}"]);
        // A server that does not answer has no window either.
        while one(&self.pool, list()).await.is_ok_and(|all| all.lines().any(|pane| pane == self.pane)) {
            sleep(LOOK_EVERY).await;
        }
    }
}
