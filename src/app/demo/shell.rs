//! A simulated shell: a pane's own process, which starts the agent and shows a prompt when it ended.

use std::{
    io::{self, Write},
    os::unix::process::CommandExt,
    thread,
    time::Duration,
};

use rustix::termios;

use crate::app::demo::part::Part;
use crate::app::demo::script::scripts;
use crate::app::demo::{agent, lifeline};

/// Starts the agent again and again, until the pane is closed.
pub(super) fn play(part: &Part) -> io::Result<()> {
    lifeline::hold(part.dir.clone());
    let Some(script) = scripts().get(&part.agent) else { return Err(io::ErrorKind::NotFound.into()) };
    let mut part = part.clone();
    for round in 0.. {
        // The command stays on the main screen, as typed.
        say(&format!("$ {}\r\n", script.typed))?;
        agent::start(&part, script, 0)?.process_group(0).status()?;
        // SIGTTOU is ignored (see where the pane is opened), or taking the terminal back would stop us.
        termios::tcsetpgrp(io::stdin(), rustix::process::getpid())?;
        say("$ ")?;
        part.scene = 0;
        let (last, bounds) = (script.scenes.len(), script.scenes.last().map_or([5.0; 2], |scene| scene.seconds));
        thread::sleep(Duration::from_secs_f64(part.seconds(last, round, bounds)));
        say("\r")?;
    }
    Ok(())
}

fn say(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}
