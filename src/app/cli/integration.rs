//! `tmux bindings`, `statusline` and `sidebar`: what joins tmux-orc to the user's own tmux. Nothing is installed.

use std::path::Path;

use crate::app::cli::beside::{counts_file, small_pool};
use crate::app::cli::gather::servers_here;
use crate::app::cli::{Context, Failure, SidebarOptions, StatuslineOptions};
use crate::{
    app::{
        act::Caller,
        integration::{Counts, bindings, read_counts},
        settings::Overrides,
    },
    tmux::{Batch, Command, Expect, PaneId, Pool},
};

/// Option by which a side pane is known again, set on our own pane only. It holds the pid of what we started in it: a
/// pane in which something else was started since is its user's.
const MARK: &str = "@tmux_orc_sidebar";

/// Prints lines for a tmux configuration.
pub fn print_bindings(context: &mut Context) -> Result<(), Failure> {
    let text = bindings(&program());
    context.out.raw(text.as_bytes())
}

/// How tmux is to call this program: by its name where that finds it, else by its path.
pub(super) fn program() -> String {
    let own = std::env::current_exe().ok();
    let real = |path: &Path| path.canonicalize().ok();
    let found = std::env::var_os("PATH").and_then(|path| {
        let mut places = std::env::split_paths(&path).map(|dir| dir.join("tmux-orc"));
        places.find(|place| place.is_file())
    });
    match (own, found) {
        (Some(own), Some(found)) if real(&own) == real(&found) => "tmux-orc".to_owned(),
        (Some(own), _) => own.display().to_string(),
        (None, _) => "tmux-orc".to_owned(),
    }
}

/// Prints the segment for the status line; nothing when no engine runs. Talks to no server: it is asked every few seconds.
pub fn statusline(options: StatuslineOptions, context: &mut Context) -> Result<(), Failure> {
    let several = options.all || context.global.socket_name.len() > 1;
    let servers = if several { servers_here(options.all, context)? } else { vec![context.server()?] };
    let mut counts = Counts::default();
    for server in servers {
        let file = counts_file(&context.paths, &context.engine_paths(&server));
        let one = read_counts(&file).map_err(|error| Failure::failed(format!("{}: {error}", file.display())))?;
        counts = counts.and(one.unwrap_or_default());
    }
    match counts.segment(!options.plain, options.range) {
        segment if segment.is_empty() => Ok(()),
        segment => context.out.line(segment),
    }
}

/// Opens the dashboard in a pane at the side of a window, or closes the one that is there.
pub async fn sidebar(options: &SidebarOptions, context: &mut Context) -> Result<(), Failure> {
    let server = context.server()?;
    let settings = context.load(&Overrides::new())?.settings;
    let pool = small_pool(&server, &settings);
    let named = match &options.pane {
        Some(name) => Some(name.parse::<PaneId>().map_err(|error| Failure::usage(error.to_string()))?),
        None => Caller::from_environment(server.socket(), None).pane,
    };
    let Some(pane) = named else {
        return Err(Failure::usage("say beside which pane: run it inside tmux, or with --pane %ID"));
    };
    if options.toggle
        && let Some((ours, pid)) = open_sidebar(&pool, pane).await?
    {
        // One step of the server: nothing can be started in the pane between the look and the end.
        let still = format!("#{{==:#{{pane_pid}},{pid}}}");
        let close = format!("kill-pane -t {ours}");
        ask(&pool, Command::new("if-shell").arg("-F").target(ours).arg(still).arg(close)).await?;
        return Ok(());
    }
    let own = std::env::current_exe().map_err(|error| Failure::failed(format!("cannot find this program: {error}")))?;
    let width = options.width.to_string();
    let side = if options.left { "-fhb" } else { "-fh" };
    // `-d` leaves the cursor where it is; the words after it are run as they are, without a shell.
    let opened = "#{pane_id} #{pane_pid}";
    let mut split = Command::new("split-window").args(["-d", side, "-l", &width, "-P", "-F", opened]).target(pane);
    if let Ok(home) = std::env::var("TMUX_ORC_HOME") {
        split = split.args(["-e", &format!("TMUX_ORC_HOME={home}")]);
    }
    split = split.arg(own.display().to_string()).arg("-S").arg(server.socket().display().to_string());
    if let Some(config) = &context.global.config {
        // The pane may be in another directory.
        let config = std::path::absolute(config).unwrap_or_else(|_| config.clone());
        split = split.arg("--config").arg(config.display().to_string());
    }
    let opened = ask(&pool, split.args(["perf", "watch"])).await?;
    let opened = opened.trim().split_once(' ').and_then(|(id, pid)| Some((id.parse::<PaneId>().ok()?, pid.to_owned())));
    let (opened, pid) = opened.ok_or_else(|| Failure::failed("tmux opened no pane: the window may be too small"))?;
    ask(&pool, Command::new("set-option").arg("-p").target(opened).args([MARK, &pid])).await?;
    Ok(())
}

/// The side pane in the window of this pane, if one is there in which still runs what we started: its id and the pid.
async fn open_sidebar(pool: &Pool, pane: PaneId) -> Result<Option<(PaneId, u32)>, Failure> {
    let format = format!("#{{pane_id}} #{{pane_pid}} #{{{MARK}}}");
    let listed = ask(pool, Command::new("list-panes").target(pane).args(["-F", &format])).await?;
    let ours = |line: &str| {
        let mut words = line.split(' ');
        let (id, pid, mark) = (words.next()?, words.next()?, words.next()?);
        if mark == pid { Some((id.parse().ok()?, pid.parse().ok()?)) } else { None }
    };
    Ok(listed.lines().find_map(ours))
}

async fn ask(pool: &Pool, command: Command) -> Result<String, Failure> {
    let mut batch = Batch::new();
    batch.push(command, Expect::Any);
    let reply = pool.acquire().await?.request(&batch).await?;
    match reply.parts.into_iter().next() {
        Some(Ok(bytes)) => Ok(String::from_utf8_lossy(&bytes).into_owned()),
        Some(Err(error)) => Err(Failure::failed(format!("tmux refused: {error}"))),
        None => Err(Failure::failed("tmux gave no answer")),
    }
}
