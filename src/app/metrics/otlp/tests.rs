//! An exporter and a collector of the test's own, which reads what comes with the protocol's own types.

use std::{sync::Arc, time::Duration};

use opentelemetry_proto::tonic::{
    collector::{metrics::v1::ExportMetricsServiceRequest, trace::v1::ExportTraceServiceRequest},
    common::v1::{KeyValue, any_value},
    metrics::v1::{AggregationTemporality, metric, number_data_point},
};
use prost::Message;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    sync::{mpsc, watch},
};

use super::*;
use crate::app::core::fixture::{test_agent, test_snapshot};
use crate::app::journal::{Happened, Journal, Record};
use crate::app::metrics::measure::Detail;
use crate::app::metrics::source::Kept;
use crate::app::metrics::text::{Format, render};
use crate::monitor::{AgentState, EnginePaths, EventKind, Evidence, Snapshot};
use crate::tmux::PaneId;

/// A collector that answers as it is told, and hands on what came: the request's head and its body.
async fn collector(answers: &'static [&'static str]) -> (String, mpsc::Receiver<(String, Vec<u8>)>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let (tell, told) = mpsc::channel(32);
    tokio::spawn(async move {
        let mut answers = answers.iter().copied().chain(std::iter::repeat("200 OK"));
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut bytes = Vec::new();
            let mut chunk = [0; 4096];
            let (head, body) = loop {
                let read = stream.read(&mut chunk).await.unwrap();
                bytes.extend_from_slice(&chunk[..read]);
                let Some(end) = memchr::memmem::find(&bytes, b"\r\n\r\n") else { continue };
                let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
                let length = head.lines().find_map(|line| line.strip_prefix("Content-Length: ")).unwrap();
                if bytes.len() >= end + 4 + length.parse::<usize>().unwrap() {
                    break (head, bytes[end + 4..].to_vec());
                }
            };
            let answer = format!("HTTP/1.1 {}\r\nContent-Length: 0\r\n\r\n", answers.next().unwrap());
            stream.write_all(answer.as_bytes()).await.unwrap();
            if tell.send((head, body)).await.is_err() {
                return;
            }
        }
    });
    (address, told)
}

struct Bench {
    dir: tempfile::TempDir,
    measures: Measures,
    _publish: watch::Sender<Arc<Snapshot>>,
}

impl Bench {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("run")).unwrap();
        let engine = EnginePaths::new(&dir.path().join("run"), std::path::Path::new("/s"));
        let kept = Kept { events: dir.path().join("events"), engine, profiles: dir.path().join("agents") };
        let mut snapshot = test_snapshot();
        snapshot.agents = vec![test_agent(1, AgentState::Waiting), test_agent(2, AgentState::Idle)].into();
        snapshot.base_status.cycle_count = 12;
        let (publish, snapshots) = watch::channel(Arc::new(snapshot));
        let measures = Measures::load(&kept, snapshots.into(), Detail::Agents, true, true);
        Self { dir, measures, _publish: publish }
    }

    fn exporter(&self, setting: &str) -> Exporter {
        let target = Target::of(setting, &|_| None).unwrap().unwrap();
        Exporter::new(target, self.measures.clone())
    }

    /// A turn with a wait, in the journal.
    fn turn(&self) {
        let mut journal = Journal::new(self.dir.path().join("events"));
        use AgentState::{Idle, Waiting, Working};
        let now = jiff::Timestamp::now();
        for (second, from, to) in
            [(1, Idle, Working), (2, Working, Waiting), (9, Waiting, Working), (10, Working, Idle)]
        {
            let (target, agent, kind) = ("s:0.1".into(), "claude".into(), Some("permission".to_owned()));
            let evidence = Evidence::default();
            let what = EventKind::Transition { pane_id: PaneId(1), target, agent, from, to, kind, evidence };
            let at = now + Duration::from_secs(second);
            journal.append(&Record::new(at, "/s", 7, Happened::Event(what))).unwrap();
        }
    }
}

fn labels(attributes: &[KeyValue]) -> Vec<(String, String)> {
    let text = |pair: &KeyValue| match pair.value.as_ref().and_then(|value| value.value.as_ref()) {
        Some(any_value::Value::StringValue(text)) => text.clone(),
        other => panic!("{other:?}"),
    };
    attributes.iter().map(|pair| (pair.key.clone(), text(pair))).collect()
}

#[tokio::test]
async fn what_a_collector_reads_is_what_the_text_says() {
    let (address, mut told) = collector(&[]).await;
    let bench = Bench::new();
    bench.turn();
    bench.exporter(&address).export().await;
    let (head, body) = told.recv().await.unwrap();
    assert!(head.starts_with("POST /v1/metrics HTTP/1.1\r\n"), "{head}");
    assert!(head.contains("Content-Type: application/x-protobuf"), "{head}");
    let request = ExportMetricsServiceRequest::decode(&*body).unwrap();
    let resource = labels(&request.resource_metrics[0].resource.as_ref().unwrap().attributes);
    let names: Vec<&str> = resource.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["service.name", "service.version", "service.instance.id", "host.name"]);
    assert_eq!(resource[0].1, "tmux-orc");
    // Each number of the protocol as a line of the text, under the name that the text has.
    let now = bench.measures.now().await.unwrap();
    let text = render(&now.families, Format::Prometheus);
    let mut lines: Vec<String> = text.lines().filter(|line| !line.starts_with('#')).map(str::to_owned).collect();
    let cumulative = i32::from(AggregationTemporality::Cumulative);
    let mut made = Vec::new();
    for metric in &request.resource_metrics[0].scope_metrics[0].metrics {
        let family = now.families.iter().find(|family| family.spec.otlp == metric.name).unwrap();
        assert_eq!((metric.unit.as_str(), metric.description.as_str()), (family.spec.unit, family.spec.help));
        let name = family.spec.name;
        let line = |name: &str, attributes: &[KeyValue], more: &str, value: f64| {
            let label = |(key, value): (String, String)| {
                let key = match key.as_str() {
                    "gen_ai.agent.name" => "agent",
                    "tmux_orc.wait.kind" => "kind",
                    key => key.strip_prefix("tmux_orc.").unwrap(),
                }
                .to_owned();
                format!("{key}=\"{value}\"")
            };
            let all: Vec<String> = labels(attributes).into_iter().map(label).collect();
            format!("{name}{{{}{more}}} {value}", all.join(","))
        };
        let number = |value: &Option<number_data_point::Value>| match value {
            Some(number_data_point::Value::AsDouble(number)) => *number,
            other => panic!("{other:?}"),
        };
        match metric.data.as_ref().unwrap() {
            metric::Data::Gauge(gauge) => {
                made.extend(gauge.data_points.iter().map(|p| line(name, &p.attributes, "", number(&p.value))));
            }
            metric::Data::Sum(sum) => {
                assert!(sum.is_monotonic && sum.aggregation_temporality == cumulative, "{name}");
                for point in &sum.data_points {
                    assert!(point.start_time_unix_nano <= point.time_unix_nano, "{name}");
                    made.push(line(name, &point.attributes, "", number(&point.value)));
                }
            }
            metric::Data::Histogram(histogram) => {
                assert_eq!(histogram.aggregation_temporality, cumulative);
                for point in &histogram.data_points {
                    let mut up_to = 0.0;
                    let bounds =
                        point.explicit_bounds.iter().map(|bound| format!("{bound}.0")).chain(["+Inf".to_owned()]);
                    for (bound, count) in bounds.zip(&point.bucket_counts) {
                        up_to += crate::app::metrics::text::whole(*count);
                        let more = format!(",le=\"{bound}\"");
                        made.push(line(&format!("{name}_bucket"), &point.attributes, &more, up_to));
                    }
                    made.push(line(&format!("{name}_sum"), &point.attributes, "", point.sum.unwrap()));
                    made.push(line(&format!("{name}_count"), &point.attributes, "", up_to));
                }
            }
            other => panic!("{other:?}"),
        }
    }
    lines.sort();
    made.sort();
    assert_eq!(made, lines);
    // The spans of the turn.
    let (head, body) = told.recv().await.unwrap();
    assert!(head.starts_with("POST /v1/traces HTTP/1.1\r\n"), "{head}");
    let request = ExportTraceServiceRequest::decode(&*body).unwrap();
    let spans = &request.resource_spans[0].scope_spans[0].spans;
    let names: Vec<&str> = spans.iter().map(|span| span.name.as_str()).collect();
    assert_eq!(names, ["wait", "turn"]);
    assert!(spans[0].trace_id == spans[1].trace_id && spans[0].trace_id.len() == 16);
    assert!(spans[0].parent_span_id == spans[1].span_id && spans[1].parent_span_id.is_empty());
    assert_eq!(spans[1].end_time_unix_nano - spans[1].start_time_unix_nano, 9_000_000_000);
    let wait = labels(&spans[0].attributes);
    assert!(wait.contains(&("tmux_orc.wait.kind".into(), "permission".into())), "{wait:?}");
    assert!(wait.contains(&("gen_ai.agent.name".into(), "claude".into())), "{wait:?}");
}

#[tokio::test]
async fn one_that_is_busy_is_left_alone_and_gets_the_spans_later_and_what_is_lost_is_counted() {
    // Metrics, traces, then metrics and traces again.
    let answers =
        &["200 OK", "503 Service Unavailable\r\nRetry-After: 0", "200 OK", "200 OK", "400 Bad Request", "500 Oh"];
    let (address, mut told) = collector(answers).await;
    let bench = Bench::new();
    bench.turn();
    let mut exporter = bench.exporter(&address);
    exporter.export().await;
    let spans =
        |body: &[u8]| ExportTraceServiceRequest::decode(body).unwrap().resource_spans[0].scope_spans[0].spans.len();
    told.recv().await.unwrap();
    assert_eq!(spans(&told.recv().await.unwrap().1), 2);
    exporter.export().await;
    told.recv().await.unwrap();
    assert_eq!(spans(&told.recv().await.unwrap().1), 2, "the same again");
    let dropped = async |bench: &Bench| {
        let now = bench.measures.now().await.unwrap();
        let text = render(&now.families, Format::Prometheus);
        text.lines().find(|line| line.starts_with("tmux_orc_exports_dropped_total")).unwrap().to_owned()
    };
    assert_eq!(dropped(&bench).await, "tmux_orc_exports_dropped_total{server=\"s\"} 0");
    bench.turn();
    exporter.export().await;
    assert!(exporter.waiting.is_empty(), "what it never takes is not kept");
    assert_eq!(dropped(&bench).await, "tmux_orc_exports_dropped_total{server=\"s\"} 3", "one of measures, two spans");
    // Nobody there.
    let mut nobody = bench.exporter("http://127.0.0.1:1");
    nobody.export().await;
    assert_eq!(dropped(&bench).await, "tmux_orc_exports_dropped_total{server=\"s\"} 4");
}

#[tokio::test]
async fn one_that_said_how_long_is_not_asked_before() {
    let (address, mut told) = collector(&["429 Too Many Requests\r\nRetry-After: 3000"]).await;
    let bench = Bench::new();
    let mut exporter = bench.exporter(&address);
    exporter.export().await;
    told.recv().await.unwrap();
    exporter.export().await;
    exporter.export().await;
    assert!(told.try_recv().is_err(), "it is left alone");
    let left = exporter.pause[0].unwrap().duration_since(std::time::Instant::now());
    assert!(left > Duration::from_secs(2900) && left <= Duration::from_secs(3000), "{left:?}");
}

#[tokio::test]
async fn one_that_takes_and_says_nothing_holds_up_nothing_for_long() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let bench = Bench::new();
    let variable = |name: &str| (name == "OTEL_EXPORTER_OTLP_TIMEOUT").then(|| "50".to_owned());
    let target = Target::of(&address, &variable).unwrap().unwrap();
    let signal = target.metrics.unwrap();
    let sent = post(&signal, b"x".to_vec()).await;
    assert_eq!(sent, Sent::Lost("no answer within 50 ms".to_owned()));
    drop((listener, bench));
}
