//! The signals that the dashboard lives by, as one table.

use std::{future::poll_fn, io, task::Poll, time::Duration};

use futures_util::FutureExt as _;
use rustix::process::Signal;
use tokio::{
    signal::unix::{SignalKind, signal},
    time::timeout,
};

/// What a signal asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    /// To leave the normal way; with the number of the signal.
    Leave(i32),
    /// To stop: the terminal is given back first, as for Ctrl-Z.
    Stop,
    /// Nothing: we go on after we were stopped, also by what nobody can catch. Whoever had the terminal meanwhile left it
    /// as it liked.
    GoneOn,
    /// The terminal has another size.
    Resize,
}

/// All of them; of several that came at once the upper one is first.
const TABLE: [(Signal, Asked); 6] = [
    (Signal::TERM, Asked::Leave(Signal::TERM.as_raw())),
    (Signal::HUP, Asked::Leave(Signal::HUP.as_raw())),
    (Signal::INT, Asked::Leave(Signal::INT.as_raw())),
    (Signal::TSTP, Asked::Stop),
    (Signal::CONT, Asked::GoneOn),
    (Signal::WINCH, Asked::Resize),
];

/// Where nobody can let us go on, a stop does nothing, and no signal comes after it.
const GO_ON_LIMIT: Duration = Duration::from_millis(200);

/// Listens to them as long as it lives.
#[derive(Debug)]
pub(crate) struct Signals(Vec<(Asked, tokio::signal::unix::Signal)>);

impl Signals {
    /// Begins to listen.
    ///
    /// # Errors
    /// They cannot be listened to.
    pub(crate) fn listen() -> io::Result<Self> {
        let listen = |(number, asked): (Signal, Asked)| Ok((asked, signal(SignalKind::from_raw(number.as_raw()))?));
        TABLE.into_iter().map(listen).collect::<io::Result<_>>().map(Self)
    }

    /// What the next one asks for.
    pub(crate) async fn next(&mut self) -> Asked {
        poll_fn(|cx| {
            let came = self.0.iter_mut().find_map(|(asked, signal)| signal.poll_recv(cx).is_ready().then_some(*asked));
            came.map_or(Poll::Pending, Poll::Ready)
        })
        .await
    }

    /// Stops by `stop`, and returns when we go on.
    pub(crate) async fn stopped(&mut self, stop: impl FnOnce()) {
        let Some((_, on)) = self.0.iter_mut().find(|(asked, _)| *asked == Asked::GoneOn) else { return };
        // One that came before says nothing of this stop.
        while on.recv().now_or_never().is_some() {}
        stop();
        timeout(GO_ON_LIMIT, on.recv()).await.ok();
    }
}

#[cfg(test)]
mod tests {
    use rustix::process::{getpid, kill_process};

    use super::*;

    #[test]
    fn each_signal_stands_in_the_table_once_and_those_to_leave_come_first() {
        for (at, (signal, asked)) in TABLE.iter().enumerate() {
            assert!(TABLE[..at].iter().all(|(other, same)| other != signal && same != asked));
            assert_eq!(matches!(asked, Asked::Leave(_)), at < 3);
        }
    }

    #[tokio::test]
    async fn what_came_is_reported_and_going_on_after_a_stop_is_not() {
        // These two are harmless: nobody stops, and sizes are not read here.
        let raise = |signal| kill_process(getpid(), signal).unwrap();
        let mut signals = Signals::listen().unwrap();
        raise(Signal::WINCH);
        assert_eq!(signals.next().await, Asked::Resize);
        raise(Signal::CONT);
        assert_eq!(signals.next().await, Asked::GoneOn);
        signals.stopped(|| raise(Signal::CONT)).await;
        assert_eq!(signals.next().now_or_never(), None);
    }
}
