//! All panes of the server: what runs in each, when it was read, what its agent does.

pub(crate) mod cache;
pub(crate) mod fleet;
pub(crate) mod memory;
pub(crate) mod record;
pub(crate) mod tracked;
