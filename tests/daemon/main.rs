//! The engine in the background and its socket.

mod background;
mod hostile;
mod socket;
mod stand_in;
#[path = "../support/mod.rs"]
mod support;
