//! A measure with all its values: what every way out makes its own form of.

use crate::app::metrics::histogram::Histogram;

/// One measure.
#[derive(Clone, Debug, PartialEq)]
pub struct Family {
    /// What it is.
    pub spec: &'static Spec,
    /// Its values, each with its own labels.
    pub samples: Vec<Sample>,
}

/// What a measure is.
#[derive(Debug, PartialEq)]
pub struct Spec {
    /// Its name in Prometheus.
    pub name: &'static str,
    /// Its name in OpenTelemetry.
    pub otlp: &'static str,
    /// Its unit, in the words of OpenTelemetry (UCUM).
    pub unit: &'static str,
    /// How its values go on.
    pub kind: Kind,
    /// What it says.
    pub help: &'static str,
}

/// How the values of a measure go on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    /// As it is now.
    Gauge,
    /// A sum that only grows.
    Counter,
    /// Times in buckets with these upper bounds.
    Histogram(&'static [f64]),
}

/// One value.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// Names and values of its labels.
    pub labels: Vec<(&'static str, String)>,
    /// The value.
    pub value: Value,
}

/// A value.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A number.
    Number(f64),
    /// Times in buckets.
    Times(Histogram),
}

/// What an engine counts itself, from its start on; the other counters are sums of the journal.
const OF_THE_ENGINE: [&str; 5] = [
    "tmux_orc_cycles_total",
    "tmux_orc_cycle_overruns_total",
    "tmux_orc_errors_total",
    "tmux_orc_cache_lookups_total",
    "tmux_orc_exports_dropped_total",
];

impl Spec {
    /// Whether it counts from the engine's start on.
    #[must_use]
    pub fn is_of_the_engine(&self) -> bool {
        OF_THE_ENGINE.contains(&self.name)
    }
}

impl Family {
    /// How many series it is in Prometheus.
    #[must_use]
    pub fn series(&self) -> usize {
        let each = match self.spec.kind {
            Kind::Gauge | Kind::Counter => 1,
            // Each bucket with the one above the last, the sum and the count.
            Kind::Histogram(bounds) => bounds.len() + 3,
        };
        self.samples.len() * each
    }
}
