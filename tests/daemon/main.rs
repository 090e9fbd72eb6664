//! The engine in the background and its socket.

mod background;
mod follow;
mod hostile;
mod modes;
mod socket;
mod stand_in;
#[path = "../support/mod.rs"]
mod support;
