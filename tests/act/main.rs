//! Acting on agents in real panes: prompts that change between look and key, panes that die in between, two clients.

#[path = "../support/mod.rs"]
mod support;

mod ages;
mod aimed;
mod answers;
mod badges;
mod dashboard;
mod journal;
mod jumps;
mod messages;
mod notices;
mod several;
mod stage;
mod verbs;
