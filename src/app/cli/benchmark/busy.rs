//! Agents that redraw all the time, as programs do that show how long they work.

use std::{fs::File, io::Write, path::Path, time::Duration};

use rustix::fs::{Mode, OFlags};
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::task::AbortOnDropHandle;

use crate::app::cli::Failure;

/// Time between two redraws of a busy agent.
const REDRAWS: Duration = Duration::from_millis(100);

/// The terminal of a pane, written to as a program in it would.
pub(super) struct Tty {
    path: String,
    file: File,
}

impl Tty {
    /// Opens it so that nobody waits for a server that does not read, and that it becomes nobody's own terminal.
    pub(super) fn open(path: String) -> Result<Self, Failure> {
        let flags = OFlags::WRONLY | OFlags::NOCTTY | OFlags::NONBLOCK | OFlags::CLOEXEC;
        match rustix::fs::open(Path::new(&path), flags, Mode::empty()) {
            Ok(file) => Ok(Self { path, file: file.into() }),
            Err(error) => Err(Failure::failed(format!("{path}: cannot open a pane's terminal: {error}"))),
        }
    }

    /// Changes what the pane shows: a number in its first row.
    pub(super) fn draw(&self, number: usize) -> Result<(), Failure> {
        write!(&self.file, "\x1b7\x1b[1;1Hrun {number}\x1b8")
            .map_err(|error| Failure::failed(format!("{}: cannot write to a pane's terminal: {error}", self.path)))
    }
}

/// Agents that redraw until this is dropped.
pub(super) struct Busy {
    _task: AbortOnDropHandle<()>,
}

impl Busy {
    /// Has the programs in these terminals redraw from now on.
    pub(super) fn start(ttys: Vec<Tty>) -> Self {
        let mut due = interval(REDRAWS);
        due.set_missed_tick_behavior(MissedTickBehavior::Skip);
        let redraw = async move {
            for number in 0.. {
                due.tick().await;
                // One that cannot be written to just now is not read just now: the rows say how many were.
                ttys.iter().for_each(|tty| drop(tty.draw(number)));
            }
        };
        Self { _task: AbortOnDropHandle::new(tokio::spawn(redraw)) }
    }
}
