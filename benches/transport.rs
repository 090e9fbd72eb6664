//! What each way to ask a tmux server costs, on private servers with real panes.
//!
//! `cargo bench --bench transport` for criterion's statistics, `cargo bench --bench transport -- --table` for the tables
//! of docs/performance.md. `TMUX_ORC_TMUX` chooses the tmux.

#![expect(clippy::unwrap_used, reason = "a bench that cannot go on has failed")]

use std::{
    ffi::OsString,
    fs,
    io::Write,
    process::{self, Stdio},
    time::{Duration, Instant},
};

use criterion::{BenchmarkId, Criterion};
use tmux_orc::tmux::{
    Batch, Command, Expect, Features, Fields, PaneId, Pool, PoolSettings, Screen, Server, ServerFacts, Transport,
    TransportChoice, TransportKind, parse_panes, parse_pulses,
};

const LIMIT: Duration = Duration::from_secs(120);

/// A private server with panes that show text and then sleep, five in a session.
struct Fleet {
    server: Server,
    facts: ServerFacts,
    panes: Vec<PaneId>,
    _directory: tempfile::TempDir,
}

impl Fleet {
    fn start(runtime: &tokio::runtime::Runtime, panes: usize) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let program = std::env::var_os("TMUX_ORC_TMUX").unwrap_or_else(|| OsString::from("tmux"));
        let server = Server::at(directory.path().join("s"), program).unwrap();
        let text = directory.path().join("text");
        let lines: String = (0..30)
            .map(|n| {
                format!(
                    "\x1b[3{}m{n:>3}\x1b[0m the quick brown agent edits src/file_{n}.rs and runs its tests\n",
                    n % 8
                )
            })
            .collect();
        fs::write(&text, lines).unwrap();
        let show = format!("cat {}; exec sleep 100000", text.display());
        let mut script = String::new();
        for index in 1..panes {
            script += &match index % 5 {
                0 => format!("new-session -d -s s{} -x 120 -y 40 '{show}'\n", index / 5),
                _ => format!("new-window -d -t s{}: '{show}'\n", index / 5),
            };
        }
        let tmux = |args: &[&str], input: &str| {
            let mut child = process::Command::new(server.program())
                .args(["-f", "/dev/null", "-S"])
                .arg(server.socket())
                .args(args)
                .env_remove("TMUX")
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .spawn()
                .unwrap();
            child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
            String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap()
        };
        tmux(&["new-session", "-d", "-s", "s0", "-x", "120", "-y", "40", &show], "");
        tmux(&["source-file", "-"], &script);
        let started = Instant::now();
        let list = loop {
            let list = tmux(&["list-panes", "-a", "-F", "#{pane_id} #{cursor_y}"], "");
            if list.lines().filter(|line| line.ends_with(" 30")).count() == panes {
                break list;
            }
            assert!(started.elapsed() < LIMIT, "the panes never showed their text");
            std::thread::sleep(Duration::from_millis(50));
        };
        let panes = list.lines().map(|line| line.split(' ').next().unwrap().parse().unwrap()).collect();
        let facts = runtime.block_on(server.facts()).unwrap();
        Self { server, facts, panes, _directory: directory }
    }

    fn transport(&self, kind: TransportKind) -> Transport {
        Transport::new(self.server.clone(), kind, Some(&self.facts))
    }

    fn features(&self) -> Features {
        self.facts.version.features()
    }

    fn captures(&self, panes: &[PaneId], expect: Expect) -> Batch {
        let mut batch = Batch::new();
        for pane in panes {
            batch.push(Command::capture(*pane, false), expect);
        }
        batch
    }

    /// Time the server has been on a CPU.
    fn server_time(&self) -> Duration {
        let stat = fs::read_to_string(format!("/proc/{}/schedstat", self.facts.pid)).unwrap_or_default();
        Duration::from_nanos(stat.split(' ').next().and_then(|n| n.parse().ok()).unwrap_or(0))
    }
}

impl Drop for Fleet {
    fn drop(&mut self) {
        let mut kill = process::Command::new(self.server.program());
        let _ = kill.arg("-S").arg(self.server.socket()).arg("kill-server").stderr(Stdio::null()).status();
    }
}

/// One request, read to typed values as the engine does it.
async fn request(transport: &Transport, batch: &Batch) {
    let reply = transport.send(batch, LIMIT).await.unwrap();
    for part in &reply.parts {
        let screen = Screen::plain(part.as_ref().unwrap());
        std::hint::black_box(screen.height());
    }
}

async fn pulse(transport: &Transport, features: Features) {
    let mut batch = Batch::new();
    batch.push(Command::list_pulses(features), Expect::Any);
    let reply = transport.send(&batch, LIMIT).await.unwrap();
    assert!(!parse_pulses(reply.parts[0].as_ref().unwrap()).is_empty());
}

async fn details(transport: &Transport, features: Features) {
    let mut batch = Batch::new();
    batch.push(Command::list_panes(features, Fields::All), Expect::Any);
    let reply = transport.send(&batch, LIMIT).await.unwrap();
    assert!(!parse_panes(reply.parts[0].as_ref().unwrap()).is_empty());
}

fn nothing() -> Batch {
    let mut batch = Batch::new();
    batch.push(Command::new("list-sessions").args(["-f", "0"]), Expect::Any);
    batch
}

/// All captures in batches of equal size, each over its own connection of a pool of this width.
async fn wide(fleet: &Fleet, pool: &Pool, width: usize) {
    let size = fleet.panes.len().div_ceil(width);
    let requests = fleet.panes.chunks(size).map(|panes| {
        let batch = fleet.captures(panes, Expect::Lines(40));
        let pool = pool.clone();
        tokio::spawn(async move {
            let reply = pool.acquire().await.unwrap().request(&batch).await.unwrap();
            for part in &reply.parts {
                std::hint::black_box(Screen::plain(part.as_ref().unwrap()).height());
            }
        })
    });
    for request in requests.collect::<Vec<_>>() {
        request.await.unwrap();
    }
}

fn pool(fleet: &Fleet, width: usize) -> Pool {
    let settings = PoolSettings { max_size: width, request_timeout: LIMIT, ..PoolSettings::default() };
    Pool::new(fleet.server.clone(), TransportChoice::Auto, settings)
}

fn benches(criterion: &mut Criterion, runtime: &tokio::runtime::Runtime) {
    for panes in [100, 1000] {
        let fleet = Fleet::start(runtime, panes);
        let mut group = criterion.benchmark_group(format!("{panes} panes"));
        group.sample_size(20).measurement_time(Duration::from_secs(8));
        for kind in [TransportKind::Dial, TransportKind::Spawn] {
            let transport = fleet.transport(kind);
            group.bench_function(BenchmarkId::new("round trip", kind), |bencher| {
                bencher.iter(|| runtime.block_on(request(&transport, &nothing())));
            });
            group.bench_function(BenchmarkId::new("pulses", kind), |bencher| {
                bencher.iter(|| runtime.block_on(pulse(&transport, fleet.features())));
            });
            for (name, expect) in [("captures by heights", Expect::Lines(40)), ("captures by marks", Expect::Any)] {
                let batch = fleet.captures(&fleet.panes, expect);
                group.bench_function(BenchmarkId::new(name, kind), |bencher| {
                    bencher.iter(|| runtime.block_on(request(&transport, &batch)));
                });
            }
        }
        if panes == 100 {
            group.sample_size(10);
            let (transport, batch) =
                (fleet.transport(TransportKind::Process), fleet.captures(&fleet.panes, Expect::Any));
            group.bench_function(BenchmarkId::new("captures", "process"), |bencher| {
                bencher.iter(|| runtime.block_on(request(&transport, &batch)));
            });
        }
        group.finish();
    }
}

/// A row of a table: median and 95th percentile of the wall clock, and the server's own time.
struct Row {
    name: String,
    median: f64,
    p95: f64,
    server: f64,
}

fn measure(fleet: &Fleet, name: &str, times: usize, mut run: impl FnMut()) -> Row {
    run();
    let mut walls = Vec::new();
    let before = fleet.server_time();
    for _ in 0..times {
        let started = Instant::now();
        run();
        walls.push(started.elapsed().as_secs_f64() * 1000.0);
    }
    let server = (fleet.server_time() - before).as_secs_f64() * 1000.0 / times as f64;
    walls.sort_by(f64::total_cmp);
    Row { name: name.into(), median: walls[times / 2], p95: walls[times * 95 / 100], server }
}

fn print(title: &str, rows: &[Row], baseline: f64) {
    println!("\n{title}\n\n| what | median | p95 | server's own time | baseline / this |\n|---|---:|---:|---:|---:|");
    for Row { name, median, p95, server } in rows {
        println!("| {name} | {median:.2} ms | {p95:.2} ms | {server:.2} ms | {:.1} |", baseline / median);
    }
}

fn tables(runtime: &tokio::runtime::Runtime) {
    for (panes, times) in [(100, 100), (1000, 25)] {
        let fleet = Fleet::start(runtime, panes);
        let cores = std::thread::available_parallelism().map_or(0, usize::from);
        println!("\n## {panes} panes, tmux {}, {cores} cores, 120x40", fleet.facts.version);
        let mut rows = Vec::new();
        for kind in [TransportKind::Dial, TransportKind::Spawn] {
            let transport = fleet.transport(kind);
            let mut add = |name: &str, run: &mut dyn FnMut()| {
                rows.push(measure(&fleet, &format!("{kind}: {name}"), times, run));
            };
            add("a request that does nothing", &mut || runtime.block_on(request(&transport, &nothing())));
            add("the pulse of every pane", &mut || runtime.block_on(pulse(&transport, fleet.features())));
            add("details of every pane", &mut || runtime.block_on(details(&transport, fleet.features())));
            for (name, share, expect) in [
                ("5 % of the panes captured, by marks", 20, Expect::Any),
                ("every pane captured, by heights", 1, Expect::Lines(40)),
                ("every pane captured, by marks", 1, Expect::Any),
            ] {
                let batch = fleet.captures(&fleet.panes[..panes / share], expect);
                add(name, &mut || runtime.block_on(request(&transport, &batch)));
            }
            // Without knowing the first pane's terminal, as a client outside of any terminal asks.
            if kind == TransportKind::Dial {
                let mut facts = fleet.facts.clone();
                facts.first_tty = None;
                let batch = fleet.captures(&fleet.panes, Expect::Any);
                add("every pane captured, by marks, no terminal named", &mut || {
                    let transport = Transport::new(fleet.server.clone(), kind, Some(&facts));
                    runtime.block_on(request(&transport, &batch));
                });
            }
        }
        let transport = fleet.transport(TransportKind::Process);
        let batch = fleet.captures(&fleet.panes, Expect::Any);
        let name = "process: every pane captured, one after another (the baseline)";
        let repeat = if panes > 100 { 2 } else { 5 };
        rows.push(measure(&fleet, name, repeat, || runtime.block_on(request(&transport, &batch))));
        let baseline = rows.last().unwrap().median;
        print("Transports", &rows, baseline);

        let rows: Vec<Row> = [1, 2, 3, 4, 8, 16]
            .into_iter()
            .map(|width| {
                let pool = pool(&fleet, width);
                let name = format!("dial: every pane captured in {width} requests at once");
                measure(&fleet, &name, times, || runtime.block_on(wide(&fleet, &pool, width)))
            })
            .collect();
        print("Pool width", &rows, baseline);
    }
}

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    if std::env::args().any(|argument| argument == "--table") {
        return tables(&runtime);
    }
    let mut criterion = Criterion::default().configure_from_args();
    benches(&mut criterion, &runtime);
    criterion.final_summary();
}
