//! Writes to the panes' terminals, as the kernel notifies us of them: a quiet pane is watched without asking tmux.
//!
//! We subscribe to a pane at rest for its next write only (`IN_ONESHOT`, inotify(7)) and wait for it ([`Writes`]). A busy
//! one is followed: subscribed to again and again, but asked at a fixed rate only, so that a program that writes all the
//! time wakes nobody ([`Followed`]). On systems without inotify the probes find all.
//! Nothing rests on a notification but speed. One that does not come, because a program writes past the file of its
//! terminal (through `/dev/tty`, tty(4)), delays the news until the next probe.

#[cfg(target_os = "linux")]
mod followed;
#[cfg(target_os = "linux")]
mod linux;
#[cfg(not(target_os = "linux"))]
mod none;

#[cfg(target_os = "linux")]
pub use followed::Followed;
#[cfg(target_os = "linux")]
pub use linux::Writes;
#[cfg(not(target_os = "linux"))]
pub use none::{Followed, Writes};

use crate::tmux::PaneId;

/// What the kernel notified us of.
#[cfg_attr(not(target_os = "linux"), expect(dead_code, reason = "nothing is notified there"))]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notified {
    /// A program wrote to the pane, or the last one that had it open closed it. The subscription has ended.
    Pane(PaneId),
    /// A terminal was made or is gone: a pane came or went, or somebody else's terminal did.
    Terminals,
    /// The queue was full and the kernel dropped notifications (`IN_Q_OVERFLOW`): every pane may have written.
    Overflow,
}

/// What the panes that are followed did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Taken {
    /// They wrote.
    pub wrote: Vec<PaneId>,
    /// They are followed no more: their terminal is gone, or the system gives no watch.
    pub lost: Vec<PaneId>,
}
