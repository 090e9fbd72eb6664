//! A collector of the test's own: what an engine sends it by the settings or the variables of OpenTelemetry.

use std::{
    io::{Read, Write},
    net::TcpListener,
    sync::mpsc,
    thread,
};

use opentelemetry_proto::tonic::{
    collector::{metrics::v1::ExportMetricsServiceRequest, trace::v1::ExportTraceServiceRequest},
    metrics::v1::{metric, number_data_point},
};
use prost::Message;

use crate::place::Place;
use crate::support::PATIENCE;

/// Hands on the heads and bodies of what is posted to it.
fn collector() -> (String, mpsc::Receiver<(String, Vec<u8>)>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let (tell, told) = mpsc::channel();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut bytes = Vec::new();
            let mut chunk = [0; 4096];
            let (head, body) = loop {
                let read = stream.read(&mut chunk).unwrap();
                bytes.extend_from_slice(&chunk[..read]);
                let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else { continue };
                let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
                let length = head.lines().find_map(|line| line.strip_prefix("Content-Length: ")).unwrap();
                if bytes.len() >= end + 4 + length.parse::<usize>().unwrap() {
                    break (head, bytes[end + 4..].to_vec());
                }
            };
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").unwrap();
            if tell.send((head, body)).is_err() {
                return;
            }
        }
    });
    (address, told)
}

fn number(request: &ExportMetricsServiceRequest, name: &str) -> Option<f64> {
    let metrics = &request.resource_metrics[0].scope_metrics[0].metrics;
    let metric = metrics.iter().find(|metric| metric.name == name)?;
    let value = |value: &Option<number_data_point::Value>| match value {
        Some(number_data_point::Value::AsDouble(number)) => *number,
        other => panic!("{other:?}"),
    };
    Some(match metric.data.as_ref()? {
        metric::Data::Gauge(gauge) => gauge.data_points.iter().map(|point| value(&point.value)).sum(),
        metric::Data::Sum(sum) => sum.data_points.iter().map(|point| value(&point.value)).sum(),
        metric::Data::Histogram(times) => times.data_points.iter().map(|point| point.sum.unwrap_or(0.0)).sum(),
        _ => return None,
    })
}

#[test]
fn an_engine_sends_by_the_variables_what_the_verb_says() {
    let (address, told) = collector();
    let place = Place::new();
    place.settings("{ otlp: env, detail: agents }");
    let variables = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", address.as_str()),
        ("OTEL_EXPORTER_OTLP_HEADERS", "x-team=a%20b"),
        ("OTEL_METRIC_EXPORT_INTERVAL", "300"),
        ("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment=test"),
    ];
    let start = variables
        .iter()
        .fold(place.stage.server.orc(&["monitor", "start"]), |start, (name, value)| start.env(name, *value));
    assert!(start.output().status.success());
    let (head, body) = told.recv_timeout(PATIENCE).unwrap();
    assert!(head.starts_with("POST /v1/metrics HTTP/1.1") && head.contains("x-team: a b"), "{head}");
    let request = ExportMetricsServiceRequest::decode(&*body).unwrap();
    let resource = &request.resource_metrics[0].resource.as_ref().unwrap().attributes;
    assert!(resource.iter().any(|pair| pair.key == "deployment.environment"), "{resource:?}");
    assert_eq!((number(&request, "tmux_orc.server.up"), number(&request, "tmux_orc.agents")), (Some(1.0), Some(1.0)));
    // A wait and its answer: the sums of it, and with `agents` a span.
    place.asks();
    place.works();
    let mut spans = Vec::new();
    let mut answered = 0.0;
    while spans.is_empty() || answered == 0.0 {
        let (head, body) = told.recv_timeout(PATIENCE).unwrap();
        if head.starts_with("POST /v1/traces ") {
            let request = ExportTraceServiceRequest::decode(&*body).unwrap();
            spans.extend(request.resource_spans[0].scope_spans[0].spans.clone());
        } else {
            let request = ExportMetricsServiceRequest::decode(&*body).unwrap();
            answered = number(&request, "tmux_orc.answer.duration").unwrap_or(0.0);
        }
    }
    let names: Vec<&str> = spans.iter().map(|span| span.name.as_str()).collect();
    assert_eq!(names, ["wait"], "the turn goes on");
    let all = format!("{spans:?}");
    assert!(!all.contains("proceed") && all.contains("permission") && all.contains("claude"), "{all}");
    // Switched off while it runs.
    place.settings("{ otlp: \"\" }");
    place.hang_up();
    crate::support::wait_for("silence", PATIENCE, || told.recv_timeout(std::time::Duration::from_secs(2)).is_err());
}

#[test]
fn a_collector_elsewhere_is_refused_in_words() {
    let place = Place::new();
    place.settings("{ otlp: env }");
    let start = place.stage.server.orc(&["monitor", "start"]);
    assert!(start.env("OTEL_EXPORTER_OTLP_ENDPOINT", "https://otlp.example.com").output().status.success());
    crate::support::wait_for("an event", PATIENCE, || {
        let (_, events, _) = place.orc(&["events", "--json"]);
        events.contains("OTEL_EXPORTER_OTLP_ENDPOINT is") && events.contains("only a collector on this machine")
    });
}
