//! All panes of the server: what runs in each, when it was read, what its agent does.
//!
//! `tracked` is one pane and owns its parts, each a machine of its own: `program` (what runs in it), `subscription`
//! (whether the kernel notifies us of its writes), `rhythm` (of the writes while it is busy), `reading` (whether its screen must be read), `occupant` (whose it
//! is), `described` (how old its fields are), `coloured` (its screen as clients show it). `fleet` holds them by id.

pub(crate) mod cache;
pub(crate) mod coloured;
pub(crate) mod described;
pub(crate) mod fleet;
pub(crate) mod known;
pub(crate) mod load;
pub(crate) mod memory;
pub(crate) mod occupant;
pub(crate) mod program;
pub(crate) mod reading;
pub(crate) mod record;
pub(crate) mod rhythm;
pub(crate) mod subscription;
pub(crate) mod tracked;
