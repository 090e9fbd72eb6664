//! What a client asks of an engine when it comes: here and on another machine.

/// What a client asks of an engine when it comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wishes {
    /// Somebody will look at the snapshots from now on.
    pub watch: bool,
    /// At most one snapshot in so many milliseconds; 0: each.
    pub every_ms: u64,
    /// The engine may let go of this client when it says nothing for half a minute. A handle says something every four
    /// seconds; who uses [`crate::monitor::Client`] by itself has to see to it.
    pub pings: bool,
    /// Snapshots are to be up to date in what they say of the watching itself: pool, cache, cycles, cost, settings.
    pub instruments: bool,
    /// The engine is on another machine: less is taken of it.
    pub remote: bool,
}

impl Wishes {
    /// Those of a client on the engine's own machine.
    #[must_use]
    pub fn local(watch: bool) -> Self {
        Self { watch, every_ms: 0, pings: false, instruments: true, remote: false }
    }

    /// Those of a client on another machine.
    #[must_use]
    pub fn remote() -> Self {
        Self { watch: true, every_ms: 250, pings: true, instruments: false, remote: true }
    }
}
