//! The program `tmux-orc`: reads the command line, runs the verb, turns its end into an exit code.

use std::{process::ExitCode, time::Duration};

use clap::Parser;
use tmux_orc::app::cli::{Cli, Color, Dashboard, Failure, Served};
use tmux_orc::app::core::view::Capabilities;
use tmux_orc::app::{cli, demo};
use tmux_orc::ui;
use tmux_orc::ui::{Actions, ColourChoice, Exit, Options};
use tokio::runtime::{Builder, Runtime};

fn main() -> ExitCode {
    // First, for speed: a demo starts this program many times, as the shells and agents of its panes.
    if let Some(code) = demo::simulate_if_asked() {
        return code;
    }
    let cli = Cli::parse();
    let runtime = runtime(cli.is_immediate());
    let ended = match runtime {
        Ok(runtime) => {
            let ended = runtime.block_on(run(cli));
            // A read of standard input that is still under way must not keep the program from ending.
            runtime.shutdown_background();
            ended
        }
        Err(error) => Err(Failure::failed(format!("cannot start: {error}"))),
    };
    match ended {
        Ok(code) => code,
        Err(failure) => {
            let message = failure.to_string();
            if !message.is_empty() {
                // It may name paths, and quote what others said.
                let lines: Vec<String> = message.lines().map(tmux_orc::tmux::clean).collect();
                eprintln!("tmux-orc: {}", lines.join("\n"));
            }
            ExitCode::from(failure.code())
        }
    }
}

fn runtime(immediate: bool) -> std::io::Result<Runtime> {
    if immediate {
        // Asked every few seconds by a status line: no thread is started.
        return Builder::new_current_thread().enable_all().build();
    }
    // One worker, for the engine: the front end has the main thread, and each thread costs memory. Those for work that may
    // block take turns, so that after a burst all of them stay for as long as each is needed once in this time.
    Builder::new_multi_thread().worker_threads(1).thread_keep_alive(Duration::from_secs(1)).enable_all().build()
}

async fn run(cli: Cli) -> Result<ExitCode, Failure> {
    match cli::run(cli).await? {
        None => Ok(ExitCode::SUCCESS),
        Some(dashboard) => watch(*dashboard).await,
    }
}

/// The dashboard, from the first frame to the terminal's restoration.
async fn watch(dashboard: Dashboard) -> Result<ExitCode, Failure> {
    let Served { effects, results } = cli::serve(&dashboard);
    let in_force = dashboard.in_force.now();
    let settings = &in_force.settings.dashboard;
    let options = Options {
        theme: settings.theme.clone(),
        themes: Some(dashboard.paths.themes()),
        glyphs: ui::glyphs::Glyphs::named(&settings.glyphs),
        mouse: settings.mouse,
        keys: settings.keys.iter().map(|(action, keys)| (action.clone(), keys.all())).collect(),
        limit_threshold: settings.limit_threshold,
        reduced_motion: settings.reduced_motion,
        columns: settings.columns(),
        grouping: settings.grouping(),
        colour: match dashboard.global.color {
            Color::Auto => ColourChoice::Auto,
            Color::Always => ColourChoice::Always,
            Color::Never => ColourChoice::Never,
        },
        actions: Some(Actions {
            can: Capabilities {
                jump: true,
                act: !dashboard.read_only && !settings.read_only,
                reload: true,
                copy: dashboard.can_copy(),
            },
            effects,
            results,
        }),
        opening: dashboard.opening,
    };
    let shown = ui::run(dashboard.members.clone(), options).await;
    // Its members are gone with the dashboard: an engine inside ends now, one in the background goes on.
    match (shown, dashboard.end().await) {
        (Ok(Exit::Quit), _) => Ok(ExitCode::SUCCESS),
        (Ok(Exit::Signal(number)), _) => Ok(ExitCode::from(128_u8.saturating_add(u8::try_from(number).unwrap_or(0)))),
        (Err(_), Err(crashed)) => Err(crashed),
        (Err(error @ (ui::Error::Theme(_) | ui::Error::NoTheme { .. } | ui::Error::Keys(_))), _) => {
            Err(Failure::usage(error.to_string()))
        }
        (Err(error), _) => Err(Failure::failed(error.to_string())),
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::{
        sync::{Arc, Barrier},
        time::Instant,
    };

    use super::*;

    const BURST: usize = 40;

    fn threads() -> usize {
        std::fs::read_dir("/proc/self/task").map_or(0, Iterator::count)
    }

    /// Each of them has a stack, and would be waked in its turn by the little work that there always is.
    #[test]
    fn the_threads_of_a_burst_do_not_stay() {
        let runtime = runtime(false).unwrap();
        let all = Arc::new(Barrier::new(BURST));
        let burst: Vec<_> = (0..BURST)
            .map(|_| {
                let all = Arc::clone(&all);
                runtime.spawn_blocking(move || all.wait())
            })
            .collect();
        runtime.block_on(async {
            for one in burst {
                one.await.unwrap();
            }
        });
        assert!(threads() > BURST, "{}", threads());
        let end = Instant::now() + Duration::from_secs(60);
        while threads() > BURST / 2 {
            assert!(Instant::now() < end, "{} threads stay", threads());
            runtime.block_on(async {
                tokio::task::spawn_blocking(|| ()).await.unwrap();
                tokio::time::sleep(Duration::from_millis(100)).await;
            });
        }
    }
}
