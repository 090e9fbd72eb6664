//! The text formats of Prometheus (0.0.4) and OpenMetrics (1.0.0). Pure.
//!
//! Formats: <https://prometheus.io/docs/instrumenting/exposition_formats/>,
//! <https://github.com/prometheus/OpenMetrics/blob/main/specification/OpenMetrics.md>.

use std::fmt::Write;

use crate::app::metrics::family::{Family, Kind, Sample, Value};
use crate::app::metrics::measure::{Detail, Measured, families};
use crate::app::metrics::words::Words;

/// Which of the two.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// Prometheus's own, 0.0.4.
    #[default]
    Prometheus,
    /// OpenMetrics 1.0.0.
    OpenMetrics,
}

impl Format {
    /// Its media type.
    #[must_use]
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Prometheus => "text/plain; version=0.0.4; charset=utf-8",
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }
}

/// All measures of these servers as Prometheus reads them.
#[must_use]
pub fn text(servers: &[Measured<'_>], detail: Detail, words: &Words) -> String {
    render(&families(servers, detail, words), Format::Prometheus)
}

/// These measures in a format.
#[must_use]
pub fn render(families: &[Family], format: Format) -> String {
    let mut out = String::with_capacity(16 * 1024);
    for family in families {
        write_family(&mut out, family, format);
    }
    if format == Format::OpenMetrics {
        out.push_str("# EOF\n");
    }
    out
}

fn write_family(out: &mut String, family: &Family, format: Format) {
    let spec = family.spec;
    let kind = match spec.kind {
        Kind::Gauge => "gauge",
        Kind::Counter => "counter",
        Kind::Histogram(_) => "histogram",
    };
    // OpenMetrics names the family, and the `_total` belongs to its samples.
    let name = match format {
        Format::OpenMetrics if spec.kind == Kind::Counter => spec.name.strip_suffix("_total").unwrap_or(spec.name),
        _ => spec.name,
    };
    out.push_str("# HELP ");
    out.push_str(name);
    out.push(' ');
    escape(out, spec.help, format == Format::OpenMetrics);
    // Writing to a string does not fail.
    writeln!(out, "\n# TYPE {name} {kind}").ok();
    for sample in &family.samples {
        match (&sample.value, spec.kind) {
            (Value::Number(number), _) => line(out, spec.name, "", sample, None, *number),
            (Value::Times(times), Kind::Histogram(bounds)) => {
                let mut up_to = 0_u64;
                for (at, count) in times.buckets(bounds).into_iter().enumerate() {
                    up_to = up_to.saturating_add(count);
                    let bound = bounds.get(at).copied().unwrap_or(f64::INFINITY);
                    line(out, spec.name, "_bucket", sample, Some(bound), whole(up_to));
                }
                line(out, spec.name, "_sum", sample, None, times.sum());
                line(out, spec.name, "_count", sample, None, whole(up_to));
            }
            (Value::Times(_), _) => {}
        }
    }
}

/// A count as a number; above 2^53 the nearest one.
#[expect(clippy::cast_precision_loss, reason = "samples are floating point numbers")]
pub(super) fn whole(count: u64) -> f64 {
    count as f64
}

fn line(out: &mut String, name: &str, suffix: &str, sample: &Sample, bound: Option<f64>, value: f64) {
    out.push_str(name);
    out.push_str(suffix);
    let mut before = '{';
    for (label, text) in &sample.labels {
        out.push(before);
        before = ',';
        out.push_str(label);
        out.push_str("=\"");
        escape(out, text, true);
        out.push('"');
    }
    if let Some(bound) = bound {
        out.push(before);
        before = ',';
        out.push_str("le=\"");
        number(out, bound, true);
        out.push('"');
    }
    if before == ',' {
        out.push('}');
    }
    out.push(' ');
    number(out, value, false);
    out.push('\n');
}

/// What would end a line or a label's value is written otherwise.
fn escape(out: &mut String, text: &str, quotes: bool) {
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '"' if quotes => out.push_str("\\\""),
            c => out.push(c),
        }
    }
}

/// A number as both formats have it; with `point`, a whole one is `5.0`, as OpenMetrics wants bounds to be written.
fn number(out: &mut String, value: f64, point: bool) {
    if value.is_nan() {
        out.push_str("NaN");
    } else if value.is_infinite() {
        out.push_str(if value > 0.0 { "+Inf" } else { "-Inf" });
    } else {
        write!(out, "{value}").ok();
        if point && value.fract() == 0.0 {
            out.push_str(".0");
        }
    }
}
