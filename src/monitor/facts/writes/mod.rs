//! Writes to the panes' terminals, as the kernel tells of them: what a quiet pane does is heard without asking tmux.
//!
//! A pane at rest is watched for its next write only (a watch is gone once it has told), so that a program that writes
//! all the time costs nothing here; it is found by the probes, as everything is on systems without this. Nothing rests
//! on it but speed: a write that is not heard, such as one past the terminal's file, is found by the next probe.

#[cfg(target_os = "linux")]
mod linux;
#[cfg(not(target_os = "linux"))]
mod none;

#[cfg(target_os = "linux")]
pub use linux::Writes;
#[cfg(not(target_os = "linux"))]
pub use none::Writes;

use crate::tmux::PaneId;

/// What was heard.
#[cfg_attr(not(target_os = "linux"), expect(dead_code, reason = "nothing is heard there"))]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard {
    /// A program wrote to the pane, or the last one that had it open closed it. It is not watched any more.
    Pane(PaneId),
    /// A terminal was made or is gone: a pane came or went, or somebody else's did.
    Terminals,
    /// So much happened that some of it was lost: every pane may have written.
    TooMuch,
}
