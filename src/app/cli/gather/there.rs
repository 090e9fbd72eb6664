//! A verb that is run where it is about, and what it prints shown here: for what only the machine itself knows, such as its
//! journal and its transcripts. What comes is another machine's text: each line is cleaned, and there is an end to it.

use std::{path::Path, time::Duration};

use futures_util::{
    FutureExt,
    future::{join_all, select_all},
};
use serde_json::Value;
use tokio::{io::BufReader, sync::mpsc, time::timeout};

use crate::app::cli::engine::Signals;
use crate::app::cli::gather::wanted;
use crate::app::cli::{Context, Failure, Look, Scope};
use crate::app::settings::Overrides;
use crate::monitor::clients::wire::{LineError, Lines};
use crate::monitor::link::child::start;
use crate::monitor::link::end::{Trouble, ended};
use crate::monitor::link::shared_way;
use crate::tmux::clean;

/// A verb that does not go on by itself has ended after this time.
const LIMIT: Duration = Duration::from_secs(60);

/// Longest line that is shown, bytes.
const LONGEST: usize = 1 << 20;

/// As much of what one place prints is shown, bytes.
const MOST: usize = 32 << 20;

/// Lines that may wait to be printed.
const WAITING: usize = 256;

/// What ssh ends with when it is ssh that failed (ssh(1)).
const SSH_FAILED: i32 = 255;

/// What a shell ends with that finds no such program.
const NOT_FOUND: i32 = 127;

/// A verb as it is run somewhere.
struct Run {
    /// The host; `None`: this machine.
    host: Option<String>,
    /// With its server, for people.
    name: String,
    argv: Result<Vec<String>, String>,
}

/// A verb to run: its words, and what it prints.
#[derive(Clone, Copy, Debug)]
pub(in crate::app::cli) struct Order<'w> {
    /// The verb and its options.
    pub(in crate::app::cli) words: &'w [String],
    /// It prints a JSON value a line.
    pub(in crate::app::cli) json: bool,
    /// It goes on until it is ended.
    pub(in crate::app::cli) follow: bool,
}

/// Why a place has nothing to show, and the exit code that this has.
struct Fault {
    why: String,
    code: u8,
}

/// Runs a verb at all places that are meant, all at once; one after another is printed.
pub(in crate::app::cli) async fn run(order: Order<'_>, scope: &Scope, context: &mut Context) -> Result<(), Failure> {
    let runs = runs(order, scope, context)?;
    let alone = runs.len() == 1;
    let faults = if order.follow {
        follow(&runs, order, alone, context).await?
    } else {
        let all = join_all(runs.iter().map(|run| async {
            let mut lines = Vec::new();
            let ended = timeout(LIMIT, pump(run, async |line| lines.push(line))).await;
            let late = || Err(Fault { why: format!("it has not ended within {} s", LIMIT.as_secs()), code: 3 });
            (lines, ended.unwrap_or_else(|_| late()))
        }));
        let mut faults = Vec::new();
        for (run, (lines, ended)) in runs.iter().zip(all.await) {
            if !order.json && !alone {
                context.out.heading(&run.name)?;
            }
            for line in lines {
                print(&line, run, order.json, None, context)?;
            }
            if !order.json && !alone {
                context.out.line("")?;
            }
            faults.extend(ended.err().map(|fault| (run, fault)));
        }
        faults
    };
    context.out.flush()?;
    for (run, fault) in &faults {
        eprintln!("tmux-orc: {}: {}", run.name, fault.why);
    }
    match &faults[..] {
        [] => Ok(()),
        [(_, fault), rest @ ..] if faults.len() == runs.len() => {
            // What they have in common, else that it failed.
            let same = rest.iter().all(|(_, other)| other.code == fault.code);
            Err(Failure::silent(if same { fault.code } else { 1 }))
        }
        [..] if scope.strict => Err(Failure::check()),
        [..] => Ok(()),
    }
}

/// Where it is run, and how.
fn runs(order: Order<'_>, scope: &Scope, context: &Context) -> Result<Vec<Run>, Failure> {
    let settings = context.load(&Overrides::new())?.settings;
    let mut runs = Vec::new();
    if scope.host.is_empty() {
        let own =
            std::env::current_exe().map_err(|error| Failure::failed(format!("cannot find this program: {error}")))?;
        let argv = std::iter::once(own.display().to_string()).chain(global(context)).chain(order.words.iter().cloned());
        runs.push(Run { host: None, name: "·".to_owned(), argv: Ok(argv.collect()) });
    }
    for host in wanted(scope, &settings)? {
        let name = &host.config.name;
        let way = shared_way(&context.paths.run(), name);
        let whole = host.only.is_empty().then_some(None);
        for server in whole.into_iter().chain(host.only.iter().map(Some)) {
            let named = server.map(|server| format!("--socket-name={server}"));
            let words: Vec<String> = named.into_iter().chain(order.words.iter().cloned()).collect();
            let argv = host.config.verb_argv(&way, &words).ok_or_else(|| {
                "the program of its `connect` does not end in `bridge`: this verb cannot be run there".to_owned()
            });
            let shown = server.map_or_else(|| name.clone(), |server| clean(&format!("{name}/{server}")));
            runs.push(Run { host: Some(name.clone()), name: shown, argv });
        }
    }
    Ok(runs)
}

/// The options of every verb, as words.
fn global(context: &Context) -> Vec<String> {
    let path = |option: &str, path: &Path| format!("{option}={}", path.display());
    let global = &context.global;
    let names = global.socket_name.iter().map(|name| format!("--socket-name={name}"));
    let socket = global.socket_path.iter().map(|socket| path("--socket-path", socket));
    names.chain(socket).chain(global.config.iter().map(|config| path("--config", config))).collect()
}

/// Runs it, and hands on each line that it prints.
async fn pump(run: &Run, mut sink: impl AsyncFnMut(String)) -> Result<(), Fault> {
    let argv = run.argv.as_ref().map_err(|why| Fault { why: why.clone(), code: 2 })?;
    let started = start(argv);
    let (running, stream) =
        started.map_err(|error| Fault { why: format!("cannot start {}: {error}", argv[0]), code: 3 })?;
    let (read, write) = stream.into_split();
    // Nothing is said to it.
    drop(write);
    let (mut lines, mut bytes) = (Lines::new(BufReader::new(read), LONGEST), 0);
    loop {
        match lines.next().await {
            Ok(line) => {
                bytes += line.len();
                if bytes > MOST {
                    return Err(Fault {
                        why: format!("it printed more than {} MB: the rest is not shown", MOST >> 20),
                        code: 1,
                    });
                }
                sink(String::from_utf8_lossy(line).into_owned()).await;
            }
            Err(LineError::TooLong(most)) => {
                return Err(Fault { why: format!("it prints lines of more than {most} bytes"), code: 1 });
            }
            Err(LineError::Closed | LineError::Io(_)) => break,
        }
    }
    let (stderr, status) = running.end().await;
    let Some(code) = status.map(|status| status.code().unwrap_or(1)) else {
        return Err(Fault { why: "it did not end".to_owned(), code: 1 });
    };
    if code == 0 {
        return Ok(());
    }
    let why = match ended(&stderr, status, None) {
        Trouble::NeedsLogin(why) => {
            let host = run.host.as_deref().unwrap_or_default();
            format!("{why} (`tmux-orc hosts login {host}` asks you)")
        }
        Trouble::Lost(why) | Trouble::NoHello(why) | Trouble::NotInstalled(why) | Trouble::Incompatible(why) => why,
    };
    let why = why.strip_prefix("tmux-orc: ").map_or(why.clone(), str::to_owned);
    let code = if matches!(code, SSH_FAILED | NOT_FOUND) { 3 } else { u8::try_from(code).unwrap_or(1) };
    Err(Fault { why, code })
}

/// Prints lines as they come, until all have ended or the person ends it.
async fn follow<'r>(
    runs: &'r [Run],
    order: Order<'_>,
    alone: bool,
    context: &mut Context,
) -> Result<Vec<(&'r Run, Fault)>, Failure> {
    let (tell, mut lines) = mpsc::channel(WAITING);
    let mut pumps: Vec<_> = runs
        .iter()
        .map(|run| {
            let tell = tell.clone();
            async move {
                let sink = async |line| drop(tell.send((run, line)).await);
                pump(run, sink).await.err().map(|fault| (run, fault))
            }
            .boxed_local()
        })
        .collect();
    drop(tell);
    let mut end = Signals::listen()?;
    context.out.goes_on()?;
    let mut faults = Vec::new();
    loop {
        let running = !pumps.is_empty();
        tokio::select! {
            line = lines.recv() => match line {
                Some((run, line)) => {
                    let name = (!alone && !order.json).then_some(run.name.as_str());
                    print(&line, run, order.json, name, context)?;
                    tokio::select! {
                        taken = context.out.hand_on() => taken?,
                        () = end.any() => return Ok(Vec::new()),
                    }
                }
                None if !running => return Ok(faults),
                None => {}
            },
            (fault, at, _) = select_all(pumps.iter_mut()), if running => {
                drop(pumps.swap_remove(at));
                faults.extend(fault);
            }
            () = end.any() => return Ok(Vec::new()),
        }
    }
}

/// Prints a line of another machine. JSON gets its host; what is none there is what a shell printed before it.
fn print(line: &str, run: &Run, json: bool, name: Option<&str>, context: &mut Context) -> Result<(), Failure> {
    if !json {
        let before = name.map_or(String::new(), |name| format!("{}  ", context.out.paint(Look::Muted, name)));
        return context.out.line(format!("{before}{}", clean(line)));
    }
    match serde_json::from_str(line) {
        Ok(Value::Object(mut value)) => {
            value.insert("host".to_owned(), Value::from(run.host.clone()));
            context.out.json_line(&value)
        }
        _ => Ok(()),
    }
}
