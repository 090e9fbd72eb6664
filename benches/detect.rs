//! Time for one verdict: every recorded screen, and the slowest kinds of them.

use std::hint::black_box;
use std::path::Path;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use tmux_orc::monitor::detect::fixture::Fixture;
use tmux_orc::monitor::detect::{Observation, Profiles, judge, recognise};
use tmux_orc::tmux::Screen;

fn fixtures() -> Vec<(String, Fixture, Screen)> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/detection/screens");
    let mut all = Vec::new();
    for entry in std::fs::read_dir(dir).expect("the recorded screens").flatten() {
        let text = std::fs::read_to_string(entry.path()).expect("a text file");
        let agent = entry.path().file_stem().expect("a name").to_string_lossy().into_owned();
        for fixture in Fixture::parse_all(&text).expect("fixtures") {
            let screen = fixture.screen();
            all.push((agent.clone(), fixture, screen));
        }
    }
    all
}

fn observe<'a>(fixture: &'a Fixture, screen: &'a Screen) -> Observation<'a> {
    Observation {
        pane: &fixture.pane,
        screen: Some(screen),
        processes: &fixture.processes,
        published: None,
        known_agent: None,
        named: None,
        previous: None,
        now: jiff::Timestamp::UNIX_EPOCH,
        zone: None,
    }
}

fn verdicts(criterion: &mut Criterion) {
    let profiles = Profiles::embedded();
    let all = fixtures();
    let mut group = criterion.benchmark_group("detect");
    group.throughput(Throughput::Elements(1));
    let mut agents: Vec<&str> = all.iter().map(|(agent, ..)| agent.as_str()).collect();
    agents.dedup();
    for agent in agents {
        for size in ["100x30", "200x50"] {
            let some: Vec<_> = all.iter().filter(|(a, f, _)| a == agent && f.name.ends_with(size)).collect();
            if some.is_empty() {
                continue;
            }
            let mut next = some.iter().cycle();
            group.bench_function(format!("{agent} {size}"), |bencher| {
                bencher.iter(|| {
                    let (_, fixture, screen) = next.next().expect("a cycle has no end");
                    black_box(judge(&profiles, &observe(fixture, screen)))
                });
            });
        }
    }
    group.finish();

    let mut group = criterion.benchmark_group("recognise");
    let mut next = all.iter().cycle();
    group.bench_function("all", |bencher| {
        bencher.iter(|| {
            let (_, fixture, _) = next.next().expect("a cycle has no end");
            black_box(recognise(&profiles, &fixture.processes))
        });
    });
    group.finish();
    criterion.bench_function("profiles embedded", |bencher| bencher.iter(|| black_box(Profiles::embedded())));
}

criterion_group!(benches, verdicts);
criterion_main!(benches);
