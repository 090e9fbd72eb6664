//! `tmux bindings`, `statusline` and `sidebar`: what joins tmux-orc to the user's own tmux. Nothing is installed.

use std::path::Path;

use super::{
    Context, Failure, SidebarOptions, StatuslineOptions,
    beside::{counts_file, small_pool},
};
use crate::{
    app::{
        act::Caller,
        integration::{bindings, read_counts},
        settings::Overrides,
    },
    tmux::{Batch, Command, Expect, PaneId, Pool},
};

/// Option by which a side pane is known again. It is set on our own pane only.
const MARK: &str = "@tmux_orc_sidebar";

/// Prints lines for a tmux configuration.
pub fn print_bindings(context: &mut Context) -> Result<(), Failure> {
    let text = bindings(&program());
    context.out.raw(text.as_bytes())
}

/// How tmux is to call this program: by its name where that finds it, else by its path.
fn program() -> String {
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
    let server = context.server()?;
    let file = counts_file(&context.paths, &context.engine_paths(&server));
    let counts = read_counts(&file).map_err(|error| Failure::failed(format!("{}: {error}", file.display())))?;
    match counts.unwrap_or_default().segment(!options.plain, options.range) {
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
    if options.toggle {
        let listed =
            ask(&pool, Command::new("list-panes").target(pane).args(["-F", &format!("#{{pane_id}} #{{{MARK}}}")]))
                .await?;
        let ours = listed.lines().find_map(|line| line.strip_suffix(" 1")?.parse::<PaneId>().ok());
        if let Some(ours) = ours {
            ask(&pool, Command::new("kill-pane").target(ours)).await?;
            return Ok(());
        }
    }
    let own = std::env::current_exe().map_err(|error| Failure::failed(format!("cannot find this program: {error}")))?;
    let width = options.width.to_string();
    let side = if options.left { "-fhb" } else { "-fh" };
    // `-d` leaves the cursor where it is; the words after it are run as they are, without a shell.
    let split = Command::new("split-window").args(["-d", side, "-l", &width, "-P", "-F", "#{pane_id}"]).target(pane);
    let split = split.arg(own.display().to_string()).arg("-S").arg(server.socket().display().to_string());
    let opened = ask(&pool, split.args(["perf", "watch"])).await?;
    let opened: PaneId =
        opened.trim().parse().map_err(|_| Failure::failed("tmux opened no pane: the window may be too small"))?;
    ask(&pool, Command::new("set-option").arg("-p").target(opened).args([MARK, "1"])).await?;
    Ok(())
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
