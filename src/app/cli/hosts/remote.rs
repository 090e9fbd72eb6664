//! A command on a host by ssh, run to its end: nobody is asked anything, and it takes no longer than it may.

use std::{
    path::Path,
    process::{Output, Stdio},
    time::Duration,
};

use tokio::{process::Command, time::timeout};

use crate::app::cli::Failure;
use crate::monitor::link::connector::{Shared, ssh_words};
use crate::monitor::link::end::{Trouble, ended, tidy};

/// Runs a command there; `input` is its standard input.
pub(super) async fn run(
    destination: &str,
    shared: &Shared,
    command: &str,
    input: Option<&Path>,
    within: Duration,
) -> Result<Output, Failure> {
    let words = ssh_words(shared);
    let (program, options) = words.split_first().map_or(("ssh", &[][..]), |(program, options)| (program, options));
    let mut ssh = Command::new(program);
    ssh.args(options).arg("--").arg(destination).arg(command).kill_on_drop(true);
    let cannot = |what: &str, error: std::io::Error| Failure::failed(format!("cannot {what}: {error}"));
    let input = match input {
        Some(file) => {
            Stdio::from(std::fs::File::open(file).map_err(|error| cannot(&format!("read {}", file.display()), error))?)
        }
        None => Stdio::null(),
    };
    ssh.stdin(input).stdout(Stdio::piped()).stderr(Stdio::piped());
    match timeout(within, ssh.output()).await {
        Ok(Ok(output)) => Ok(output),
        Ok(Err(error)) => Err(cannot("start ssh", error)),
        Err(_) => Err(Failure::failed(format!("{destination} did not answer within {} s", within.as_secs()))),
    }
}

/// Why a command there failed, in words. `name`: what the settings call the host.
pub(super) fn why(output: &Output, name: Option<&str>) -> String {
    match ended(&output.stderr, Some(output.status), None) {
        Trouble::NeedsLogin(why) => match name {
            Some(name) => format!("{why} (`tmux-orc hosts login {name}` asks you)"),
            None => {
                format!("{why} (`ssh` to it once by hand, or `tmux-orc hosts login NAME` once the settings name it)")
            }
        },
        Trouble::Lost(why) | Trouble::NoHello(why) | Trouble::NotInstalled(why) | Trouble::Incompatible(why) => why,
    }
}

/// The lines of its output that begin with this word, without it.
pub(super) fn told<'o>(output: &'o str, word: &str) -> impl Iterator<Item = String> + use<'o> {
    let start = format!("{word}=");
    output.lines().filter_map(move |line| Some(tidy(line.strip_prefix(&start)?)))
}
