//! Measures for other systems: what an engine saw and what became of it, as Prometheus and OpenTelemetry take it.
//!
//! [`Totals`] are the sums over time, made of the journal; [`families()`] makes of them and of a snapshot every measure that
//! there is, of which [`text()`] is one way out. No words of a pane, no folder and no title are in any of them.

mod budget;
mod counter;
mod family;
mod file;
mod histogram;
mod listen;
mod measure;
mod otlp;
mod run;
mod source;
mod specs;
mod text;
mod totals;
mod words;

pub(crate) use counter::Counter;
pub use family::{Family, Kind, Sample, Spec, Value};
pub use histogram::Histogram;
pub use measure::{Detail, HostMeasured, Measured, families, hosts};
pub(crate) use run::tell;
pub(crate) use source::Kept;
pub use specs::SPECS;
pub use text::{Format, render, text};
pub use totals::Totals;
pub use words::Words;

/// Most series of one server without [`Detail::Agents`].
pub const SERIES_LIMIT: usize = 99;

#[cfg(test)]
mod lint;
#[cfg(test)]
mod tests;
