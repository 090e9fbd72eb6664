//! Talks to tmux and knows nobody above: ids, formats, screens, transports, the pool.

mod id;
mod pane;
mod screen;

pub use id::{PaneId, ParseIdError};
pub use pane::{Pane, Pulse};
pub use screen::{Screen, clean};
