//! `monitor` and its verbs: start, stop, restart, logs of the engine in the background.

use std::{
    io::{BufRead, BufReader},
    process::{self, Child, Stdio},
    sync::mpsc,
    time::{Duration, Instant},
};

use crate::app::cli::source::attach_failure;
use crate::app::cli::{Context, EngineOptions, Failure, MonitorVerb, engine, status};
use crate::{
    app::{logging, settings},
    monitor::{AttachError, Client, Command, EnginePaths, Mode},
    tmux::clean,
};

/// A start takes no longer than this, or has failed.
const START_LIMIT: Duration = Duration::from_secs(30);
/// How often it is looked whether an engine that starts is still there.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// An engine that was asked to stop is gone within this time, or is ended by a signal.
const STOP_LIMIT: Duration = Duration::from_secs(10);
/// Lines of the log that a failed start shows.
const LOG_LINES: usize = 10;

/// Runs one of them; without a verb, the engine in the foreground.
pub async fn run(options: &EngineOptions, verb: Option<&MonitorVerb>, context: &mut Context) -> Result<(), Failure> {
    match verb {
        None if options.dry_run => dry_run(options, context).await,
        None => engine::run(options, false, context).await,
        Some(MonitorVerb::Run { engine: options, daemon }) => engine::run(options, *daemon, context).await,
        Some(MonitorVerb::Start(options) | MonitorVerb::Restart(options)) if options.dry_run => {
            dry_run(options, context).await
        }
        Some(MonitorVerb::Start(options)) => start(options, context).await,
        Some(MonitorVerb::Stop) => {
            let paths = context.engine_paths(&context.server()?);
            match stop(&paths).await? {
                Some(pid) => context.out.line(format!("Monitoring stopped (pid {pid})")),
                None => Err(attach_failure(AttachError::NoEngine)),
            }
        }
        Some(MonitorVerb::Restart(options)) => {
            // Bad settings must not leave the user without the engine that runs.
            check(options, context)?;
            let paths = context.engine_paths(&context.server()?);
            if let Some(pid) = stop(&paths).await? {
                context.out.line(format!("Monitoring stopped (pid {pid})"))?;
            }
            start(options, context).await
        }
        Some(MonitorVerb::Status(options)) => status::run(options, context).await,
        Some(MonitorVerb::Logs { follow, lines }) => logs(*follow, *lines, context).await,
    }
}

/// Whether an engine can be started with these settings and the files that they lead to.
fn check(options: &EngineOptions, context: &Context) -> Result<(), Failure> {
    let loaded = context.load(&options.overrides())?;
    let settings = context.engine_settings(&loaded.settings)?;
    settings::engine_files(&settings).map(drop).map_err(Failure::usage)
}

/// Checks everything and says what an engine would do.
async fn dry_run(options: &EngineOptions, context: &mut Context) -> Result<(), Failure> {
    let loaded = context.load(&options.overrides())?;
    let server = context.server()?;
    let mut settings = context.engine_settings(&loaded.settings)?;
    settings::engine_files(&settings).map_err(Failure::usage)?;
    if settings.mode == Mode::Sync {
        settings.make_sync();
    }
    let paths = context.engine_paths(&server);
    let reached = match server.version().await {
        Ok(version) => format!("tmux {version}"),
        Err(error) => format!("not reachable now: {error}"),
    };
    let pool = &settings.pool;
    let cache = &settings.cache;
    let engine = match Client::connect(&paths, false).await {
        Ok(client) => format!("runs already (pid {})", client.hello.pid),
        Err(_) => "none runs".to_owned(),
    };
    let seconds = |duration: Duration| duration.as_secs_f64();
    for line in [
        "Dry run: all is valid, nothing was started".to_owned(),
        format!("Mode: {}", settings.mode),
        format!("Strategy: {}", settings.strategy),
        format!("Pool size: {}", pool.max_size),
        format!(
            "Pool: {} to {} connections, {}s to wait, replaced after {}s",
            pool.min_size,
            pool.max_size,
            seconds(pool.connection_timeout),
            seconds(pool.max_age)
        ),
        format!("Cache: {}", if cache.enabled { "enabled" } else { "disabled" }),
        format!("Cache policy: {}, {} entries, {}s", cache.policy, cache.max_size, seconds(cache.ttl)),
        format!("Interval: {}s", seconds(settings.interval)),
        format!("Transport: {}", settings.transport),
        format!("Max failures: {}", settings.max_failures),
        match &loaded.file {
            Some(file) => format!("Settings: {}", clean(&file.display().to_string())),
            None => format!("Settings: defaults ({} is not there)", context.paths.config.display()),
        },
        format!("Server: {} ({reached})", server.socket().display()),
        format!("Engine: {engine}"),
    ] {
        context.out.line(line)?;
    }
    Ok(())
}

async fn start(options: &EngineOptions, context: &mut Context) -> Result<(), Failure> {
    // Read here first: bad settings are a usage error of this verb, not a start that failed.
    check(options, context)?;
    let server = context.server()?;
    let paths = context.engine_paths(&server);
    if let Ok(client) = Client::connect(&paths, false).await {
        return Err(Failure::failed(format!(
            "an engine (pid {}) already watches this tmux server; `tmux-orc monitor restart` replaces it",
            client.hello.pid
        )));
    }
    let log = logging_path(&paths, context);
    let mut child = spawn(options, context, server.socket())?;
    let started = tokio::task::spawn_blocking(move || {
        let told = listen(&mut child);
        if !told.ready {
            // Whatever is half started must not linger, nor stay a zombie of ours.
            child.kill().ok();
        }
        let status = if told.ready { None } else { child.wait().ok() };
        (told, status)
    });
    let (told, status) = started.await.map_err(|error| Failure::failed(format!("cannot start the engine: {error}")))?;
    if told.ready {
        for line in told.lines {
            context.out.line(line)?;
        }
        if let Some(file) = log {
            context.out.line(format!("Log: {}", clean(&file.display().to_string())))?;
        }
        return Ok(());
    }
    let mut message = if told.lines.is_empty() {
        match status.filter(|_| told.ended) {
            Some(status) => format!("the engine ended before it was ready, and said nothing ({status})"),
            None => format!("the engine did not start within {} s and said nothing", START_LIMIT.as_secs()),
        }
    } else {
        told.lines.iter().map(|line| line.trim_start_matches("tmux-orc: ")).collect::<Vec<_>>().join("\n")
    };
    // One that lost to another engine wrote nothing of interest; for others, the log tells more.
    if !message.contains("already watches")
        && let Some(file) = logging::newest(&context.paths.logs(), &engine::log_prefix(&paths))
    {
        message.push_str(&format!("\nThe end of its log ({}):", file.display()));
        for line in logging::tail(&file, LOG_LINES) {
            message.push_str(&format!("\n  {line}"));
        }
    }
    Err(if status.and_then(|status| status.code()) == Some(2) {
        Failure::usage(message)
    } else {
        Failure::failed(message)
    })
}

fn logging_path(paths: &EnginePaths, context: &Context) -> Option<std::path::PathBuf> {
    let today = jiff::Timestamp::now().strftime("%Y-%m-%d").to_string();
    Some(context.paths.logs().join(format!("{}.{today}.log", engine::log_prefix(paths))))
}

/// How many heaps glibc makes.
const MALLOC_ARENAS: &str = "MALLOC_ARENA_MAX";

/// Starts the engine's process: this program again, its standard error a pipe to us until it is ready.
fn spawn(options: &EngineOptions, context: &Context, socket: &std::path::Path) -> Result<Child, Failure> {
    let cannot = |error: std::io::Error| Failure::failed(format!("cannot start the engine's process: {error}"));
    let program = std::env::current_exe().map_err(cannot)?;
    let mut process = process::Command::new(program);
    process.arg("-S").arg(socket);
    if let Some(config) = &context.global.config {
        process.arg("--config").arg(std::path::absolute(config).map_err(cannot)?);
    }
    for _ in 0..context.global.verbose {
        process.arg("-v");
    }
    process.args(["monitor", "run", "--daemon"]).args(options.words());
    process.env("TMUX_ORC_HOME", &context.paths.base);
    // glibc gives each thread that allocates a heap of its own, which keeps what is free in it (mallopt(3), M_ARENA_MAX):
    // a tenth of the engine's memory, for a contention that one worker does not have.
    if std::env::var_os(MALLOC_ARENAS).is_none() {
        process.env(MALLOC_ARENAS, "1");
    }
    // A daemon keeps no directory busy that the user may want to unmount.
    process.current_dir("/").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    process.spawn().map_err(cannot)
}

/// What an engine told while it started.
struct Told {
    ready: bool,
    /// It ended by itself.
    ended: bool,
    lines: Vec<String>,
}

/// Reads what the engine says until it is ready, ends, or the time is over.
fn listen(child: &mut Child) -> Told {
    let (lines, heard) = mpsc::channel();
    if let Some(stderr) = child.stderr.take() {
        std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                if lines.send(line).is_err() {
                    break;
                }
            }
        });
    }
    let until = Instant::now() + START_LIMIT;
    let mut told = Told { ready: false, ended: false, lines: Vec::new() };
    loop {
        match heard.recv_timeout(LOOK_EVERY.min(until.saturating_duration_since(Instant::now()))) {
            Ok(line) if line == engine::READY => {
                told.ready = true;
                return told;
            }
            Ok(line) => told.lines.push(crate::tmux::clean(&line)),
            Err(mpsc::RecvTimeoutError::Disconnected) => {
                // It closes the pipe by ending; by nothing else, before it is ready.
                told.ended = true;
                return told;
            }
            // The pipe's end alone tells too late: a program that the engine started may still hold it.
            Err(mpsc::RecvTimeoutError::Timeout) if told.ended || Instant::now() >= until => return told,
            Err(mpsc::RecvTimeoutError::Timeout) => {
                told.ended = matches!(child.try_wait(), Ok(Some(_)) | Err(_));
            }
        }
    }
}

/// Stops the engine and waits until it is gone. `None`: none ran.
async fn stop(paths: &EnginePaths) -> Result<Option<u32>, Failure> {
    let holder = || paths.holder().map_err(|error| Failure::failed(error.to_string()));
    let pid = match Client::connect(paths, false).await {
        Ok(mut client) => {
            let pid = client.hello.pid;
            if let Err(error) = client.command(&Command::Stop).await {
                tracing::info!(%error, "the engine did not confirm that it stops");
            }
            Some(pid)
        }
        Err(AttachError::NoEngine) if holder()?.is_none() => return Ok(None),
        // It starts, hangs, or is of another version: a signal is understood by all.
        Err(_) => {
            let pid = holder()?.filter(|pid| *pid > 0);
            signal(pid, rustix::process::Signal::TERM);
            pid
        }
    };
    let begun = Instant::now();
    let mut pressed = 0;
    loop {
        let Some(held_by) = holder()? else { return Ok(Some(pid.unwrap_or(0))) };
        let waited = begun.elapsed();
        if pressed == 0 && waited > STOP_LIMIT / 2 {
            signal(Some(held_by), rustix::process::Signal::TERM);
            pressed = 1;
        } else if pressed == 1 && waited > STOP_LIMIT {
            tracing::warn!(pid = held_by, "the engine does not end by itself; it is killed");
            signal(Some(held_by), rustix::process::Signal::KILL);
            pressed = 2;
        } else if waited > STOP_LIMIT * 2 {
            return Err(Failure::failed(format!("the engine (pid {held_by}) does not end, not even killed")));
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn signal(pid: Option<u32>, signal: rustix::process::Signal) {
    let pid = pid.and_then(|pid| i32::try_from(pid).ok()).and_then(rustix::process::Pid::from_raw);
    if let Some(pid) = pid {
        rustix::process::kill_process(pid, signal).ok();
    }
}

/// Prints the engine's log, and goes on as it grows.
async fn logs(follow: bool, lines: usize, context: &mut Context) -> Result<(), Failure> {
    let paths = context.engine_paths(&context.server()?);
    let (dir, prefix) = (context.paths.logs(), engine::log_prefix(&paths));
    let newest = || logging::newest(&dir, &prefix);
    let Some(mut file) = newest() else {
        return Err(Failure::unreachable(format!(
            "no log of an engine in {}: `tmux-orc monitor start` starts one",
            dir.display()
        )));
    };
    let mut at = size(&file);
    for line in logging::tail(&file, lines) {
        context.out.line(line)?;
    }
    if !follow {
        return Ok(());
    }
    loop {
        context.out.flush()?;
        tokio::time::sleep(Duration::from_millis(200)).await;
        at = more(&file, at, context)?;
        if let Some(next) = newest().filter(|next| *next != file) {
            (file, at) = (next, 0);
        }
    }
}

fn size(file: &std::path::Path) -> u64 {
    std::fs::metadata(file).map_or(0, |meta| meta.len())
}

/// Prints the whole lines that came after `at`; returns where the next ones start.
fn more(file: &std::path::Path, at: u64, context: &mut Context) -> Result<u64, Failure> {
    use std::io::{Read, Seek, SeekFrom};
    const MOST: u64 = 1 << 20;
    let mut bytes = Vec::new();
    let read = || -> std::io::Result<Vec<u8>> {
        let mut open = std::fs::File::open(file)?;
        open.seek(SeekFrom::Start(at))?;
        open.take(MOST).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    let bytes = read().unwrap_or_default();
    let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
    for line in String::from_utf8_lossy(&bytes[..whole]).lines() {
        context.out.line(crate::tmux::clean(line))?;
    }
    Ok(at + whole as u64)
}
