//! Tells a person who looks elsewhere that an agent needs them: which changes, when, and by which ways.

mod batch;
mod channel;
mod elsewhere;
mod notice;
mod run;

pub(crate) use batch::Batcher;
pub use channel::COMMAND_LIMIT;
pub(crate) use channel::{Telling, Ways};
pub(crate) use elsewhere::notify_elsewhere;
pub(crate) use notice::summary;
pub use notice::{AgentNotice, Notice, Rules};
pub use run::notify;
