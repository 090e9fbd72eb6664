//! Prometheus itself: it reads what is written, and an alert fires while an agent waits and clears when it is answered.

use std::{
    fs,
    io::Write,
    net::SocketAddr,
    path::Path,
    process::{Child, Command, Stdio},
};

use serde_json::Value;

use crate::place::{Place, free_port, get, installed, value};
use crate::support::{PATIENCE, wait_for, wait_some};

struct Prometheus {
    child: Child,
    address: SocketAddr,
}

impl Prometheus {
    /// One that scrapes this address and the rules of this file, both once a second.
    fn start(dir: &Path, target: SocketAddr, rules: &Path) -> Self {
        let address = SocketAddr::from(([127, 0, 0, 1], free_port()));
        let config = dir.join("prometheus.yml");
        let text = format!(
            "global: {{ scrape_interval: 1s, evaluation_interval: 1s }}\nrule_files: [{}]\nscrape_configs:\n\
             - job_name: tmux-orc\n  static_configs: [{{ targets: [\"{target}\"] }}]\n",
            rules.display()
        );
        fs::write(&config, text).unwrap();
        let log = fs::File::create(dir.join("log")).unwrap();
        let mut command = Command::new("prometheus");
        command
            .arg(format!("--config.file={}", config.display()))
            .arg(format!("--storage.tsdb.path={}", dir.join("data").display()))
            .arg(format!("--web.listen-address={address}"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log);
        Self { child: command.spawn().expect("prometheus starts"), address }
    }

    fn api(&self, path: &str) -> Option<Value> {
        serde_json::from_str(&get(self.address, path, "").filter(|answer| answer.status == 200)?.body).ok()
    }

    /// The value of a query's one result.
    fn query(&self, query: &str) -> Option<f64> {
        let answer = self.api(&format!("/api/v1/query?query={query}"))?;
        answer["data"]["result"][0]["value"][1].as_str()?.parse().ok()
    }

    fn fires(&self, alert: &str) -> Option<bool> {
        let answer = self.api("/api/v1/alerts")?;
        let alerts = answer["data"]["alerts"].as_array()?;
        Some(alerts.iter().any(|one| one["labels"]["alertname"] == alert && one["state"] == "firing"))
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// What promtool says of a text; nothing when all is well.
fn checked(text: &str) -> String {
    let mut promtool = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    promtool.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = promtool.wait_with_output().unwrap();
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[test]
fn promtool_finds_nothing_to_say() {
    if !installed("promtool") {
        return;
    }
    let place = Place::new();
    place.start();
    place.asks();
    place.works();
    for args in [&[][..], &["--detail", "agents"], &["--all"]] {
        let text = place.metrics(args);
        assert_eq!(checked(&text), "", "{text}");
    }
}

#[test]
fn an_agent_that_waits_fires_an_alert_and_its_answer_clears_it() {
    if !installed("prometheus") {
        return;
    }
    let place = Place::new();
    let target = SocketAddr::from(([127, 0, 0, 1], free_port()));
    place.settings(&format!("{{ listen: \"{target}\" }}"));
    place.start();
    Place::wait_answer(target);
    // The rules as they are shipped, with less patience.
    let rules = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/prometheus/alerts.yml")).unwrap();
    assert!(rules.contains("_seconds > 300"), "{rules}");
    let path = place.home().join("alerts.yml");
    fs::write(&path, rules.replace("_seconds > 300", "_seconds > 2")).unwrap();
    let prometheus = Prometheus::start(&place.home(), target, &path);
    wait_for("a scrape", PATIENCE, || prometheus.query("up") == Some(1.0));
    wait_for("the agent", PATIENCE, || prometheus.query("sum(tmux_orc_agents)") == Some(1.0));
    assert_eq!(prometheus.fires("AgentWaiting"), Some(false));
    place.asks();
    wait_for("the alert", PATIENCE, || prometheus.fires("AgentWaiting") == Some(true));
    place.works();
    wait_for("its end", PATIENCE, || prometheus.fires("AgentWaiting") == Some(false));
    wait_for("the answer among the sums", PATIENCE, || prometheus.query("tmux_orc_answer_seconds_count") == Some(1.0));
    // As many samples as lines.
    let text = get(target, "/metrics", "").unwrap().body;
    let lines = text.lines().filter(|line| !line.starts_with('#')).count();
    let scraped = wait_some("a count", PATIENCE, || prometheus.query("scrape_samples_scraped"));
    assert!((scraped - lines as f64).abs() < 3.0 && scraped < 100.0, "{scraped} scraped, {lines} lines");
    eprintln!("{scraped} series, {} bytes", text.len());
    assert_eq!(value(&text, "tmux_orc_answer_seconds_count", &[]), Some(1.0));
}
