//! Tells a person who looks elsewhere that an agent needs them: which changes, when, and by which ways.

mod batch;
mod channel;
mod desktop;
mod elsewhere;
mod notice;
mod post;
mod program;
mod recipes;
mod rules;
mod run;
mod service;
mod waits;
mod words;

pub(crate) use batch::Batcher;
pub(crate) use channel::{Telling, Ways};
pub(crate) use elsewhere::notify_elsewhere;
pub(crate) use notice::summary;
pub use notice::{AgentNotice, LimitNotice, Notice};
pub(crate) use post::post;
pub use program::COMMAND_LIMIT;
pub(crate) use recipes::RECIPES;
pub use rules::Rules;
pub use run::notify;
pub(crate) use service::Service;
