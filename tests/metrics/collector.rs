//! A collector of the test's own: what an engine sends it by the settings or the variables of OpenTelemetry.

use std::{
    fs::File,
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    process::{Command, Stdio},
    sync::mpsc,
    thread,
};

use opentelemetry_proto::tonic::{
    collector::{metrics::v1::ExportMetricsServiceRequest, trace::v1::ExportTraceServiceRequest},
    metrics::v1::{metric, number_data_point},
};
use prost::Message;
use serde::de::DeserializeOwned;

use crate::place::{Place, free_port};
use crate::support::{PATIENCE, wait_for};

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
                let small = head.to_lowercase();
                let length = small.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
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

/// A request as it was posted, in the form that its head names.
fn read<T: Message + Default + DeserializeOwned>(head: &str, body: &[u8]) -> T {
    let head = head.to_lowercase();
    // Real ones do, whatever they are told.
    let body = if head.contains("content-encoding: gzip") { &unpacked(body)[..] } else { body };
    if head.contains("content-type: application/json") {
        return serde_json::from_slice(body).unwrap();
    }
    assert!(head.contains("content-type: application/x-protobuf"), "{head}");
    T::decode(body).unwrap()
}

fn unpacked(body: &[u8]) -> Vec<u8> {
    let mut gzip = Command::new("gzip").arg("-dc").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    gzip.stdin.take().unwrap().write_all(body).unwrap();
    gzip.wait_with_output().unwrap().stdout
}

#[test]
fn an_engine_sends_by_the_variables_what_the_verb_says_as_protobuf() {
    sends("http/protobuf");
}

#[test]
fn and_as_json() {
    sends("http/json");
}

fn sends(protocol: &str) {
    let (address, told) = collector();
    let place = Place::new();
    place.settings("{ otlp: env, detail: agents }");
    let variables = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", address.as_str()),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", protocol),
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
    assert_eq!(head.contains("application/json"), protocol == "http/json", "{head}");
    let request: ExportMetricsServiceRequest = read(&head, &body);
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
            let request: ExportTraceServiceRequest = read(&head, &body);
            spans.extend(request.resource_spans[0].scope_spans[0].spans.clone());
        } else {
            let request: ExportMetricsServiceRequest = read(&head, &body);
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
    wait_for("silence", PATIENCE, || told.recv_timeout(std::time::Duration::from_secs(2)).is_err());
}

#[test]
fn a_collector_elsewhere_is_refused_in_words() {
    let place = Place::new();
    place.settings("{ otlp: env }");
    let start = place.stage.server.orc(&["monitor", "start"]);
    assert!(start.env("OTEL_EXPORTER_OTLP_ENDPOINT", "https://otlp.example.com").output().status.success());
    wait_for("an event", PATIENCE, || {
        let (_, events, _) = place.orc(&["events", "--json"]);
        events.contains("OTEL_EXPORTER_OTLP_ENDPOINT is") && events.contains("only a collector on this machine")
    });
}

/// A collector that is not of the test's own, where `COLLECTOR` says where its program is: it takes both forms, and hands on
/// what the text says.
#[test]
fn a_real_collector_takes_both_forms_with_the_numbers_of_the_text() {
    let Some(program) = std::env::var_os("COLLECTOR") else {
        eprintln!("COLLECTOR names no program of rotel: skipped");
        return;
    };
    for protocol in ["http/protobuf", "http/json"] {
        let (behind, told) = collector();
        let place = Place::new();
        let dir = place.stage.server.home();
        let [http, grpc] = [free_port(), free_port()].map(|port| SocketAddr::from(([127, 0, 0, 1], port)));
        let args = [
            format!("--otlp-http-endpoint={http}"),
            format!("--otlp-grpc-endpoint={grpc}"),
            format!("--pid-file={}", dir.join("pid").display()),
            format!("--log-file={}", dir.join("log").display()),
            "--exporter=otlp".to_owned(),
            format!("--otlp-exporter-endpoint={behind}"),
            "--otlp-exporter-protocol=http".to_owned(),
            "--disable-batching".to_owned(),
        ];
        let said = File::create(dir.join("said")).unwrap();
        let mut command = Command::new(&program);
        command.arg("start").args(args).stdin(Stdio::null()).stdout(said.try_clone().unwrap()).stderr(said);
        let mut child = command.spawn().unwrap();
        wait_for("it listens", PATIENCE, || TcpStream::connect(http).is_ok());
        place.settings("{ otlp: env }");
        let start = place.stage.server.orc(&["monitor", "start"]);
        let start = start
            .env("OTEL_EXPORTER_OTLP_ENDPOINT", format!("http://{http}"))
            .env("OTEL_EXPORTER_OTLP_PROTOCOL", protocol)
            .env("OTEL_METRIC_EXPORT_INTERVAL", "300");
        assert!(start.output().status.success());
        place.asks();
        place.works();
        // Of a histogram it hands on the name alone.
        let text = place.metrics(&[]);
        let counted = text.lines().filter(|line| line.starts_with("tmux_orc_transitions_total{"));
        let counted: f64 = counted.filter_map(|line| line.rsplit_once(' ')?.1.parse::<f64>().ok()).sum();
        assert!(counted >= 2.0, "{text}");
        wait_for("what was counted", PATIENCE, || {
            let (head, body) = told.recv_timeout(PATIENCE).unwrap();
            let request: ExportMetricsServiceRequest = read(&head, &body);
            number(&request, "tmux_orc.transitions") == Some(counted)
                && number(&request, "tmux_orc.agents") == Some(1.0)
        });
        child.kill().unwrap();
        child.wait().unwrap();
    }
}
