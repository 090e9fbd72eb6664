//! The engine in the background and its socket.

mod background;
mod disk;
mod follow;
mod hostile;
mod modes;
mod reload;
mod scripts;
mod socket;
mod stand_in;
#[path = "../support/mod.rs"]
mod support;
mod tune;
mod watched;
