//! The engine in the background and its socket.

mod hostile;
mod socket;
mod stand_in;
