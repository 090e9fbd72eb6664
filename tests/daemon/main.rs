//! The engine in the background and its socket.

mod background;
mod disk;
mod follow;
mod foreign;
mod hostile;
mod modes;
mod places;
mod recorded;
mod reload;
#[path = "../sample/mod.rs"]
mod sample;
mod scripts;
mod socket;
mod stand_in;
#[path = "../support/mod.rs"]
mod support;
mod tidy;
mod tune;
mod watched;
