//! Time for one verdict: every recorded screen, and the slowest kinds of them.
//!
//! `cargo bench --bench detect` for criterion's statistics, `cargo bench --bench detect -- --table` for the tables of
//! `docs/performance.md`: median and worst of each program, and what the profiles take of time and memory.

use std::collections::BTreeMap;
use std::hint::black_box;
use std::path::Path;
use std::time::Instant;

use criterion::{Criterion, Throughput};
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

/// Rows of the screens that the table is about.
const TALL: usize = 50;

/// The same screen in a pane of at least [`TALL`] rows: what is missing are its own rows once more above it, as a
/// longer transcript would be.
fn tall(fixture: &Fixture) -> Fixture {
    let mut tall = fixture.clone();
    let height = usize::from(fixture.pane.height);
    let missing = TALL.saturating_sub(height);
    tall.rows.resize(height, String::new());
    let above: Vec<String> = tall.rows.iter().cycle().take(missing).cloned().collect();
    tall.rows.splice(0..0, above);
    let down = u16::try_from(missing).expect("a few rows");
    tall.pane.height += down;
    tall.pane.cursor.1 += down;
    tall
}

/// Microseconds for one verdict of each screen: the median of its runs. Between two runs of one screen stand those of all
/// others, so that another program's turn on the CPU is none of most of them.
fn costs(profiles: &Profiles, fixtures: &[Fixture]) -> Vec<f64> {
    const RUNS: usize = 15;
    const EACH: u32 = 10;
    let screens: Vec<Screen> = fixtures.iter().map(Fixture::screen).collect();
    let mut costs = vec![Vec::with_capacity(RUNS); fixtures.len()];
    for run in 0..=RUNS {
        for ((fixture, screen), costs) in fixtures.iter().zip(&screens).zip(&mut costs) {
            let begun = Instant::now();
            (0..EACH).for_each(|_| drop(black_box(judge(profiles, &observe(fixture, screen)))));
            // Patterns are compiled in the first one.
            if run > 0 {
                costs.push(begun.elapsed().as_secs_f64() * 1e6 / f64::from(EACH));
            }
        }
    }
    costs.into_iter().map(median).collect()
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// What this process has of its own, in MB: its data without the program's file.
fn memory() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<f64>().ok()).unwrap_or(f64::NAN) / 1e3
}

fn tables() {
    let all = fixtures();
    let mut programs: BTreeMap<&str, Vec<&Fixture>> = BTreeMap::new();
    for (file, fixture, _) in &all {
        programs.entry(file.split_once('-').map_or(file, |(name, _)| name)).or_default().push(fixture);
    }
    let before = memory();
    let begun = Instant::now();
    let profiles = Profiles::embedded();
    let read = begun.elapsed().as_secs_f64() * 1e3;
    let loaded = memory();
    let again = |_| {
        let begun = Instant::now();
        drop(black_box(Profiles::embedded()));
        begun.elapsed().as_secs_f64() * 1e3
    };
    let usual = median((0..30).map(again).collect());
    let count = profiles.list().count();
    println!("{count} profiles: read in {read:.1} ms, then in {usual:.1} ms, {:.1} MB of data", loaded - before);
    println!(
        "\n| program | screens | median | worst | the worst screen | memory once it was seen |\n|---|---:|---:|---:|---|---:|"
    );
    let mut worst_of_all = 0.0_f64;
    for (program, fixtures) in programs {
        let before = memory();
        let fixtures: Vec<Fixture> = fixtures.into_iter().map(tall).collect();
        let costs: Vec<(f64, &str)> =
            costs(&profiles, &fixtures).into_iter().zip(fixtures.iter().map(|fixture| fixture.name.as_str())).collect();
        let middle = median(costs.iter().map(|(cost, _)| *cost).collect());
        let (worst, name) = costs.iter().max_by(|a, b| a.0.total_cmp(&b.0)).expect("a file holds a screen");
        worst_of_all = worst_of_all.max(*worst);
        let grown = memory() - before;
        println!("| {program} | {} | {middle:.1} us | {worst:.1} us | {name} | {grown:.1} MB |", costs.len());
    }
    println!(
        "\nworst of all, each screen the median of its runs: {worst_of_all:.1} us; all profiles compiled: {:.1} MB",
        memory() - before
    );
}

fn main() {
    if std::env::args().any(|argument| argument == "--table") {
        return tables();
    }
    let mut criterion = Criterion::default().configure_from_args();
    verdicts(&mut criterion);
    criterion.final_summary();
}
