//! Other hosts: one stream of lines to the bridge on each, kept up by itself, and a handle for each of its members that
//! nobody can tell from that of an engine here.

pub(crate) mod acts;
pub(crate) mod backoff;
pub(crate) mod child;
pub(crate) mod connector;
pub(crate) mod end;
pub(crate) mod lines;
pub(crate) mod linked;
pub(crate) mod login;
pub(crate) mod member;
pub(crate) mod open;
pub(crate) mod session;
pub(crate) mod state;
pub(crate) mod wake;

pub(crate) use crate::monitor::link::connector::in_control_path;
pub use crate::monitor::link::login::login_socket;
pub(crate) use crate::monitor::link::login::shared_way;
pub use crate::monitor::link::open::open;
