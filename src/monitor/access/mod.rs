//! The way to the tmux server: its pool of connections, which server answers there, and whether it does.

pub(crate) mod reach;
pub(crate) mod reported;

use std::time::{Duration, Instant};

use crate::monitor::access::reach::{NotReached, Reach};
use crate::monitor::access::reported::Reported;
use crate::monitor::meter::cost::process_cpu;
use crate::tmux::{Features, Lease, Pool, PoolSettings, Server, TmuxError, TransportChoice, TransportKind};

/// A server, as distinct from one that was started later on the same socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Incarnation {
    /// Its process.
    pub(crate) pid: u32,
    /// The second of its start (`#{start_time}`); `None` where tmux does not know it.
    pub(crate) started: Option<i64>,
}

impl Incarnation {
    /// `PID START` as tmux prints them; a tmux that does not know the start prints none.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut words = text.split_ascii_whitespace();
        let pid = words.next()?.parse().ok()?;
        Some(Self { pid, started: words.next().and_then(|start| start.parse().ok()) })
    }

    /// Whether it is another one: a start that is not known says nothing.
    fn is_other_than(self, before: Self) -> bool {
        let restarted = matches!((before.started, self.started), (Some(before), Some(now)) if before != now);
        self.pid != before.pid || restarted
    }
}

/// The way to one tmux server.
pub(crate) struct Access {
    pub(crate) pool: Pool,
    server: Server,
    /// The transport in use; `None` before the first answer.
    transport: Option<TransportKind>,
    pub(crate) reach: Reach,
    /// Which server answered last; `None` before it said so.
    incarnation: Option<Incarnation>,
    /// Of which server it was asked who listens at its socket, and who did.
    listener: Option<(u32, Option<u32>)>,
    /// Problems of single panes that were reported.
    reads: Reported,
}

impl Access {
    pub(crate) fn new(server: Server, transport: TransportChoice, pool: PoolSettings) -> Self {
        Self {
            pool: Pool::new(server.clone(), transport, pool),
            server,
            transport: None,
            reach: Reach::default(),
            incarnation: None,
            listener: None,
            reads: Reported::default(),
        }
    }

    pub(crate) async fn acquire(&self) -> Result<Lease, TmuxError> {
        self.pool.acquire().await
    }

    pub(crate) fn server(&self) -> &Server {
        &self.server
    }

    /// What its version can do.
    pub(crate) fn features(&self) -> Features {
        self.pool.version().map(|version| version.features()).unwrap_or_default()
    }

    pub(crate) fn transport(&self) -> Option<TransportKind> {
        self.transport
    }

    /// Another transport from now on; which one is in use is known after the next answer.
    pub(crate) fn set_transport(&mut self, choice: TransportChoice, in_use: Option<TransportKind>) {
        self.transport = in_use;
        self.pool.set_transport(choice);
    }

    /// Which server answered last.
    pub(crate) fn incarnation(&self) -> Option<Incarnation> {
        self.incarnation
    }

    /// Whether this is another server than the one that answered before.
    pub(crate) fn is_another(&self, server: Incarnation) -> bool {
        self.incarnation.is_some_and(|before| server.is_other_than(before))
    }

    /// This server answered. Says whether it is another one than before: then nothing that was known of panes holds.
    pub(crate) fn met(&mut self, server: Incarnation) -> bool {
        let another = self.is_another(server);
        let known = self.incarnation.filter(|_| !another).and_then(|before| before.started);
        self.incarnation = Some(Incarnation { pid: server.pid, started: server.started.or(known) });
        another
    }

    /// A cycle's questions were answered. Says whether a problem is over with that.
    pub(crate) async fn answered(&mut self) -> bool {
        self.transport = self.pool.transport().await;
        self.know_listener().await;
        self.reach.answered()
    }

    /// A cycle could not be done.
    pub(crate) fn failed(&mut self, problem: &TmuxError, now: Instant) -> NotReached {
        let failure = self.reach.failed(problem, now);
        if failure.lost {
            self.incarnation = None;
        }
        failure
    }

    /// Some panes could not be read in this cycle, for these reasons; none where all could. Gives the words for those
    /// that are news.
    pub(crate) fn reads_failed(&mut self, problems: &[TmuxError]) -> Vec<String> {
        if problems.is_empty() {
            self.reads.clear();
        }
        let news = problems.iter().filter_map(|problem| {
            let (text, news) = self.reads.report(problem);
            news.then(|| format!("{} panes could not be read: {text}", problems.len()))
        });
        news.collect()
    }

    /// Notes who listens at the socket of the server whose pid is known.
    async fn know_listener(&mut self) {
        let Some(Incarnation { pid, .. }) = self.incarnation else { return };
        if self.listener.is_none_or(|(of, _)| of != pid) {
            self.listener = Some((pid, self.server.listener().await));
        }
    }

    /// A server that we cannot speak with, such as one of a much newer tmux, may stand in the place of the one that we
    /// knew: who listens at the socket says so. Says whether that is so; then the panes that we knew are gone.
    pub(crate) async fn finds_another(&mut self) -> bool {
        let Some((pid, Some(before))) = self.listener else { return false };
        if self.incarnation.is_none_or(|known| known.pid != pid) {
            return false;
        }
        let Some(now) = self.server.listener().await.filter(|now| *now != before) else { return false };
        self.listener = Some((now, Some(now)));
        self.met(Incarnation { pid: now, started: None })
    }

    /// CPU time of the tmux server so far; `None` where it is not known.
    pub(crate) fn server_cpu(&self) -> Option<Duration> {
        #[cfg(test)]
        if let Some(script) = self.server.script() {
            let play = script.play();
            return (!play.hides_cpu).then_some(play.spent);
        }
        // Its number is of another table of processes.
        self.incarnation.filter(|_| !self.pool.is_elsewhere()).and_then(|server| process_cpu(server.pid))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tmux::scripted::Script;

    fn access() -> Access {
        Access::new(Server::scripted(Script::default()), TransportChoice::Auto, PoolSettings::default())
    }

    fn server(pid: u32, started: Option<i64>) -> Incarnation {
        Incarnation { pid, started }
    }

    #[test]
    fn a_server_is_told_by_its_process_and_its_start() {
        assert_eq!(Incarnation::parse("12 1700000000\n"), Some(server(12, Some(1_700_000_000))));
        assert_eq!(Incarnation::parse("12 \n"), Some(server(12, None)));
        assert_eq!(Incarnation::parse(" "), None);
        assert_eq!(Incarnation::parse("no server"), None);
    }

    #[tokio::test]
    async fn another_process_or_another_start_is_another_server_and_a_start_that_is_not_known_is_none() {
        let mut access = access();
        assert!(!access.met(server(5, None)), "the first is no other");
        assert!(!access.met(server(5, Some(100))));
        assert!(!access.met(server(5, None)));
        assert_eq!(access.incarnation(), Some(server(5, Some(100))), "what was said once is known");
        assert!(
            access.is_another(server(5, Some(101))) && access.met(server(5, Some(101))),
            "a pid that was given anew"
        );
        assert!(access.met(server(6, None)));
        assert_eq!(access.incarnation(), Some(server(6, None)), "the start was another one's");
    }

    #[tokio::test]
    async fn a_server_that_is_lost_is_met_as_the_first_one_again() {
        let (mut access, now) = (access(), Instant::now());
        access.met(server(5, Some(100)));
        let gone = TmuxError::NoServer { socket: "/s".into() };
        assert!(!access.failed(&gone, now).lost);
        assert!(access.incarnation().is_some(), "it may only be restarting");
        assert!(access.failed(&gone, now + Duration::from_secs(3)).lost);
        assert!(!access.met(server(6, Some(200))), "its panes are forgotten already");
    }

    #[tokio::test]
    async fn panes_that_cannot_be_read_are_news_once_until_all_can() {
        let mut access = access();
        let refused = |message: &str| TmuxError::Refused { message: message.into() };
        let news = access.reads_failed(&[refused("killed"), refused("killed")]);
        assert_eq!(news.len(), 1, "{news:?}");
        assert!(news[0].starts_with("2 panes could not be read: "), "{news:?}");
        assert!(access.reads_failed(&[refused("killed")]).is_empty());
        assert!(access.reads_failed(&[]).is_empty());
        assert_eq!(access.reads_failed(&[refused("killed")]).len(), 1);
    }
}
