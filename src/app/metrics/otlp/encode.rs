//! Measures and spans in the types of the protocol. Nothing is in them that is not in the text.

use std::hash::{BuildHasher, RandomState};

use jiff::Timestamp;
use opentelemetry_proto::tonic::{
    collector::{metrics::v1::ExportMetricsServiceRequest, trace::v1::ExportTraceServiceRequest},
    common::v1::{AnyValue, InstrumentationScope, KeyValue, any_value},
    metrics::v1::{
        AggregationTemporality, Gauge, HistogramDataPoint, Metric, NumberDataPoint, ResourceMetrics, ScopeMetrics, Sum,
        metric, number_data_point,
    },
    resource,
    trace::v1::{ResourceSpans, ScopeSpans, Status, span, status},
};

use crate::app::metrics::family::{Family, Kind, Sample, Value};
use crate::app::metrics::otlp::spans::Span;
use crate::app::metrics::source::Now;

/// What sends: its names.
#[derive(Clone, Debug)]
pub struct Resource(Vec<(String, String)>);

impl Resource {
    /// This process, and what the user says of it, which goes before.
    #[must_use]
    pub fn new(user: &[(String, String)]) -> Self {
        let system = rustix::system::uname();
        let own = [
            ("service.name", "tmux-orc".to_owned()),
            ("service.version", env!("CARGO_PKG_VERSION").to_owned()),
            ("service.instance.id", format!("{:016x}{:016x}", random(), random())),
            ("host.name", system.nodename().to_string_lossy().into_owned()),
        ];
        let own = own.into_iter().filter(|(name, _)| !user.iter().any(|(set, _)| set == name));
        Self(own.map(|(name, value)| (name.to_owned(), value)).chain(user.iter().cloned()).collect())
    }

    fn proto(&self) -> resource::v1::Resource {
        let attributes = self.0.iter().map(|(name, value)| pair(name, value)).collect();
        resource::v1::Resource { attributes, ..Default::default() }
    }
}

/// A number that no other has: the standard library seeds each of these anew.
pub fn random() -> u64 {
    RandomState::new().hash_one(0)
}

fn pair(key: &str, value: &str) -> KeyValue {
    let value = AnyValue { value: Some(any_value::Value::StringValue(value.to_owned())) };
    KeyValue { key: key.to_owned(), value: Some(value), ..Default::default() }
}

fn scope() -> InstrumentationScope {
    let (name, version) = ("tmux-orc".to_owned(), env!("CARGO_PKG_VERSION").to_owned());
    InstrumentationScope { name, version, ..Default::default() }
}

/// Nanoseconds since 1970; 0, which means unknown, for a moment before.
fn nanoseconds(at: Timestamp) -> u64 {
    u64::try_from(at.as_nanosecond()).unwrap_or(0)
}

/// What a label is called as an attribute.
fn attribute(label: &str) -> String {
    match label {
        "agent" => "gen_ai.agent.name".to_owned(),
        "kind" => "tmux_orc.wait.kind".to_owned(),
        label => format!("tmux_orc.{label}"),
    }
}

fn attributes(sample: &Sample) -> Vec<KeyValue> {
    sample.labels.iter().map(|(label, value)| pair(&attribute(label), value)).collect()
}

/// The measures as they are sent.
#[must_use]
pub fn metrics(resource: &Resource, now: &Now) -> ExportMetricsServiceRequest {
    let metrics = now.families.iter().map(|family| metric(family, now)).collect();
    let scope_metrics = vec![ScopeMetrics { scope: Some(scope()), metrics, ..Default::default() }];
    let all = ResourceMetrics { resource: Some(resource.proto()), scope_metrics, ..Default::default() };
    ExportMetricsServiceRequest { resource_metrics: vec![all] }
}

fn metric(family: &Family, now: &Now) -> Metric {
    let at = nanoseconds(now.at);
    // Sums of the journal go on from one engine to the next, its own counts begin with it.
    let since = if family.spec.is_of_the_engine() { Some(now.started) } else { now.since };
    let since = nanoseconds(since.unwrap_or(now.started)).min(at);
    let numbers = |since| {
        let point = |sample: &Sample| match &sample.value {
            Value::Number(number) => Some(NumberDataPoint {
                attributes: attributes(sample),
                start_time_unix_nano: since,
                time_unix_nano: at,
                value: Some(number_data_point::Value::AsDouble(*number)),
                ..Default::default()
            }),
            Value::Times(_) => None,
        };
        family.samples.iter().filter_map(point).collect()
    };
    let cumulative = i32::from(AggregationTemporality::Cumulative);
    let data = match family.spec.kind {
        Kind::Gauge => metric::Data::Gauge(Gauge { data_points: numbers(0) }),
        Kind::Counter => metric::Data::Sum(Sum {
            data_points: numbers(since),
            aggregation_temporality: cumulative,
            is_monotonic: true,
        }),
        Kind::Histogram(bounds) => {
            let point = |sample: &Sample| match &sample.value {
                Value::Times(times) => Some(HistogramDataPoint {
                    attributes: attributes(sample),
                    start_time_unix_nano: since,
                    time_unix_nano: at,
                    count: times.count(),
                    sum: Some(times.sum()),
                    bucket_counts: times.buckets(bounds),
                    explicit_bounds: bounds.to_vec(),
                    ..Default::default()
                }),
                Value::Number(_) => None,
            };
            let data_points = family.samples.iter().filter_map(point).collect();
            metric::Data::Histogram(opentelemetry_proto::tonic::metrics::v1::Histogram {
                data_points,
                aggregation_temporality: cumulative,
            })
        }
    };
    let spec = family.spec;
    Metric {
        name: spec.otlp.to_owned(),
        description: spec.help.to_owned(),
        unit: spec.unit.to_owned(),
        data: Some(data),
        ..Default::default()
    }
}

/// The spans as they are sent.
#[must_use]
pub fn traces(resource: &Resource, server: &str, spans: &[Span]) -> ExportTraceServiceRequest {
    let one = |one: &Span| {
        let mut attributes = vec![
            pair("gen_ai.agent.name", &one.agent),
            pair("tmux_orc.server", server),
            pair("tmux_orc.pane", &one.pane.to_string()),
            pair("tmux_orc.state", one.state),
        ];
        attributes.extend(one.kind.map(|kind| pair("tmux_orc.wait.kind", kind)));
        let failed = one.state == "error";
        let code = if failed { status::StatusCode::Error } else { status::StatusCode::Unset };
        opentelemetry_proto::tonic::trace::v1::Span {
            trace_id: one.trace.to_be_bytes().to_vec(),
            span_id: one.id.to_be_bytes().to_vec(),
            parent_span_id: one.parent.map(|id| id.to_be_bytes().to_vec()).unwrap_or_default(),
            name: one.name.to_owned(),
            kind: i32::from(span::SpanKind::Internal),
            start_time_unix_nano: nanoseconds(one.start),
            end_time_unix_nano: nanoseconds(one.end),
            attributes,
            status: Some(Status { code: i32::from(code), ..Default::default() }),
            ..Default::default()
        }
    };
    let spans = spans.iter().map(one).collect();
    let scope_spans = vec![ScopeSpans { scope: Some(scope()), spans, ..Default::default() }];
    let all = ResourceSpans { resource: Some(resource.proto()), scope_spans, ..Default::default() };
    ExportTraceServiceRequest { resource_spans: vec![all] }
}
