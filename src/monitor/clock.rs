//! The engine's monotonic clock: tokio's, so that a test that pauses the time pauses the engine too.

use std::time::{Duration, Instant};

/// Now.
pub fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}

/// How long ago it was.
pub fn since(moment: Instant) -> Duration {
    now().saturating_duration_since(moment)
}
