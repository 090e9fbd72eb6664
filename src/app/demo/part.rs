//! What one simulated process is told to play: passed to it in one environment variable.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::app::demo::script::Project;

/// Name of the variable.
pub(super) const VARIABLE: &str = "TMUX_ORC_DEMO_PART";

/// Which process of a pane this is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Role {
    /// The pane's own process: a shell that starts the agent again when it ended.
    Shell,
    /// The agent's process number `depth`, counted from the outermost; the innermost one draws.
    Agent {
        /// Index into the script's processes.
        depth: usize,
    },
}

/// What one simulated process plays.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Part {
    /// Which process of the pane.
    pub(super) role: Role,
    /// Name of the agent's script.
    pub(super) agent: String,
    /// What it is busy with.
    pub(super) project: Project,
    /// Index of the scene to begin with.
    pub(super) scene: usize,
    /// Stay in that scene for ever.
    pub(super) hold: bool,
    /// Factor on all durations; 0.5 is twice as fast.
    pub(super) pace: f64,
    /// Makes the durations of this agent its own.
    pub(super) seed: u64,
    /// The fleet's private directory.
    pub(super) dir: PathBuf,
}

impl Part {
    /// Reads the part from the environment; `None` when there is none or it is not one.
    pub(super) fn from_environment() -> Option<Self> {
        serde_json::from_str(&std::env::var(VARIABLE).ok()?).ok()
    }

    /// The part as the variable's value.
    pub(super) fn to_value(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Seconds that a scene lasts here: between its two bounds, the same at every run with the same seed.
    pub(super) fn seconds(&self, scene: usize, round: u64, bounds: [f64; 2]) -> f64 {
        let random = mix(self.seed ^ mix(scene as u64 + 1) ^ mix(round.wrapping_mul(977)));
        #[expect(clippy::cast_precision_loss, reason = "a share of 1 needs no more than 53 bits")]
        let share = (random >> 11) as f64 / (1_u64 << 53) as f64;
        (bounds[0] + (bounds[1] - bounds[0]) * share) * self.pace
    }
}

/// Scatters the bits of a number (the finalizer of SplitMix64).
pub(super) fn mix(number: u64) -> u64 {
    let mut x = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}
