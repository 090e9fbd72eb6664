//! Measures from outside: the verb, the file, the endpoint, a collector, and Prometheus itself where it is installed.

mod collector;
mod endpoint;
mod file;
mod place;
mod prometheus;
mod shipped;
#[path = "../act/stage.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod stage;
#[path = "../support/mod.rs"]
mod support;
mod verb;
