//! The engine: discovery, cycles, strategies, caches, detection, history and the snapshot it publishes.

mod access;
pub mod clients;
mod clock;
mod cycle;
pub mod detect;
pub mod engine;
pub mod facts;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzz;
pub mod link;
pub(crate) mod meter;
pub(crate) mod panes;
pub(crate) mod scripts;
mod snapshot;
pub mod strategy;
pub mod usage;

pub use crate::monitor::clients::attach::{AttachError, Client, Wishes};
pub(crate) use crate::monitor::clients::follow::Follow;
pub use crate::monitor::clients::follow::{FollowError, Following};
pub(crate) use crate::monitor::clients::keeper::Keeper;
pub use crate::monitor::clients::lock::EngineLock;
pub(crate) use crate::monitor::clients::lock::LockError;
pub(crate) use crate::monitor::clients::pace::{LEAST_APART, Pace};
pub use crate::monitor::clients::paths::EnginePaths;
pub(crate) use crate::monitor::clients::paths::private_dir;
pub use crate::monitor::clients::serve::EngineSocket;
pub(crate) use crate::monitor::engine::client::ClientId;
pub use crate::monitor::engine::client::{Clients, Interest};
pub(crate) use crate::monitor::engine::command::{ANSWER_LIMIT, NotDone};
pub use crate::monitor::engine::command::{Command, NotSent, Order, Refused};
pub(crate) use crate::monitor::engine::handle::WeakCommands;
pub use crate::monitor::engine::handle::{Commands, Ended, Handle, Requests, Snapshots};
pub use crate::monitor::engine::launch::Engine;
pub(crate) use crate::monitor::engine::launch::{EngineError, OnceError};
pub(crate) use crate::monitor::engine::settings_source::{Reread, SettingsSource};
pub use crate::monitor::link::acts::ActLost;
pub use crate::monitor::link::connector::{Connector, HostConfig, Shared};
pub use crate::monitor::link::linked::LinkedHost;
pub use crate::monitor::link::member::RemoteMember;
pub use crate::monitor::link::open::Links;
pub use crate::monitor::panes::memory::Memory;
pub use crate::monitor::snapshot::settings::{
    CachePolicy, CacheSettings, EngineSettings, Mode, NamedAgent, RepositorySettings, UsageSettings,
};
pub(crate) use crate::monitor::snapshot::settings::{Change, MAX_INTERVAL, MAX_POOL, MIN_INTERVAL};
pub use snapshot::*;
