//! The engine's clients: the wire, the socket that serves them, attaching, following, the lock.

pub(crate) mod admit;
pub(crate) mod alias;
pub(crate) mod attach;
mod bounds;
pub mod delta;
pub(crate) mod encode;
pub(crate) mod figures;
pub(crate) mod follow;
mod guest;
pub(crate) mod host;
pub(crate) mod keeper;
pub(crate) mod lock;
mod mend;
pub(crate) mod pace;
pub(crate) mod paths;
pub(crate) mod phase;
pub(crate) mod screens;
pub(crate) mod seats;
pub(crate) mod serve;
pub mod wire;
mod wishes;
