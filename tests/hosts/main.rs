//! Other hosts, from outside: a bridge over a pipe and over a real sshd, acts over it, and each part ended in turn.

#[path = "../support/mod.rs"]
mod support;

#[path = "../act/stage.rs"]
#[allow(dead_code, reason = "the acts of this machine's own tests use the rest of it")]
mod stage;

mod acts;
mod behind;
mod bridge;
mod container;
mod dashboard;
mod desk;
mod install;
mod jump;
mod notices;
mod panel;
mod place;
mod ssh;
mod sshd;
mod verbs;
