//! `hosts install`: copies a static program to a host, after asking; what arrived is proved to be what was sent before it is
//! put in its place.

use std::{
    io::{BufRead, IsTerminal},
    path::Path,
    time::Duration,
};

use crate::app::cli::hosts::program::Program;
use crate::app::cli::hosts::{destination, remote};
use crate::app::cli::{Context, Failure};
use crate::app::settings::HostSettings;
use crate::monitor::link::connector::in_quotes;
use crate::monitor::link::shared_way;

const ASK_WITHIN: Duration = Duration::from_secs(20);
/// Some megabytes over a slow way.
const COPY_WITHIN: Duration = Duration::from_secs(600);

/// What the host is, and which tmux-orc is in the place already.
const ASK: &str = "echo system=$(uname -s) $(uname -m); p=~/.local/bin/tmux-orc; \
    [ ! -e $p ] || echo before=$($p --version 2>&1); exit 0";

/// What is run there with the program as standard input. It is written under another name first: half a copy is never run,
/// and a program that runs there goes on with its own file.
fn copy(hash: &str) -> String {
    let script = format!(
        "set -e; d=~/.local/bin; mkdir -p $d; t=$d/.tmux-orc.$$; trap \"rm -f $t\" EXIT; cat > $t; chmod 755 $t; \
         h=$( (sha256sum 2>/dev/null || shasum -a 256) < $t ); h=${{h%% *}}; echo hash=$h; [ \"$h\" = {hash} ] || exit 1; \
         v=$($t --version 2>&1) || true; echo version=$v; \
         case $v in \"tmux-orc \"*) mv -f $t $d/tmux-orc; echo place=$d/tmux-orc;; *) exit 1;; esac"
    );
    format!("sh -c {}", in_quotes(&script))
}

/// Runs it.
pub(super) async fn run(
    host: &HostSettings,
    from: Option<&Path>,
    yes: bool,
    context: &mut Context,
) -> Result<(), Failure> {
    let destination = destination(host)?;
    let failed = |why: String| Failure::failed(format!("{}: {why}", host.name));
    let shared = shared_way(&context.paths.run(), &host.name);
    let ask = format!("sh -c {}", in_quotes(ASK));
    let output = remote::run(destination, &shared, &ask, None, ASK_WITHIN).await?;
    let said = String::from_utf8_lossy(&output.stdout);
    let system = remote::told(&said, "system").next();
    let system = system.ok_or_else(|| failed(remote::why(&output, Some(&host.name))))?;
    let before = remote::told(&said, "before").next();
    let program = Program::choose(&system, from).map_err(failed)?;
    if !yes && !agreed(&host.name, destination, &program, before.as_deref())? {
        return Err(failed("nothing was copied".to_owned()));
    }
    let ours = program.hash().map_err(failed)?;
    let output = remote::run(destination, &shared, &copy(&ours), Some(program.file()), COPY_WITHIN).await?;
    let said = String::from_utf8_lossy(&output.stdout);
    let one = |word: &str| remote::told(&said, word).next();
    let place = match (one("hash"), one("version"), one("place").filter(|_| output.status.success())) {
        (_, _, Some(place)) => place,
        (Some(hash), None, None) if hash.is_empty() => {
            return Err(failed(
                "nothing was changed: neither sha256sum nor shasum is there to check the copy".to_owned(),
            ));
        }
        (Some(hash), None, None) if hash != ours => {
            return Err(failed("nothing was changed: what arrived there is not what was sent, try again".to_owned()));
        }
        (Some(_), Some(version), None) if !version.starts_with("tmux-orc ") => {
            return Err(failed(format!("nothing was changed: the program does not run there ({version})")));
        }
        _ => return Err(failed(format!("not copied: {}", remote::why(&output, Some(&host.name))))),
    };
    let version = one("version").unwrap_or_default();
    let before = before.map(|before| format!(" in place of {before}")).unwrap_or_default();
    context.out.line(format!("{}: {version} at {place}{before}, sha256 {ours}", host.name))
}

/// Asks on the terminal.
fn agreed(name: &str, destination: &str, program: &Program, before: Option<&str>) -> Result<bool, Failure> {
    if !std::io::stdin().is_terminal() {
        return Err(Failure::usage("there is nobody to ask here: --yes copies without asking"));
    }
    let instead = before.map(|before| format!(" in place of {before}")).unwrap_or_default();
    let file = crate::tmux::clean(&program.file().display().to_string());
    eprint!("Copy {file} to ~/.local/bin/tmux-orc on {name} ({destination}){instead}? [y/N] ");
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer).map_err(|error| Failure::failed(error.to_string()))?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Played by a shell here: nothing is put in its place that is not what was sent, or does not run.
    #[test]
    fn only_what_was_proved_is_put_in_its_place() {
        let home = tempfile::tempdir().unwrap();
        let place = home.path().join(".local/bin/tmux-orc");
        let sent = "#!/bin/sh\necho tmux-orc 9.9\n";
        let run = |text: &str, hash: &str| {
            let input = home.path().join("input");
            std::fs::write(&input, text).unwrap();
            let mut shell = std::process::Command::new("sh");
            let output = shell.args(["-c", &copy(hash)]).env("HOME", home.path());
            let output = output.stdin(std::fs::File::open(&input).unwrap()).output().unwrap();
            (output.status.success(), String::from_utf8(output.stdout).unwrap())
        };
        let hash_of = |text: &str| {
            let file = home.path().join("hashed");
            std::fs::write(&file, text).unwrap();
            crate::app::cli::hosts::program::hash(&file).unwrap()
        };
        std::fs::create_dir_all(place.parent().unwrap()).unwrap();
        std::fs::write(&place, "old").unwrap();
        let (ok, said) = run(sent, &"0".repeat(64));
        assert!(!ok && said == format!("hash={}\n", hash_of(sent)), "{said}");
        let broken = "#!/bin/sh\necho no such library; exit 127\n";
        let (ok, said) = run(broken, &hash_of(broken));
        assert!(!ok && said.ends_with("version=no such library\n"), "{said}");
        assert_eq!(std::fs::read_to_string(&place).unwrap(), "old");
        let (ok, said) = run(sent, &hash_of(sent));
        assert!(ok && said.ends_with(&format!("version=tmux-orc 9.9\nplace={}\n", place.display())), "{said}");
        assert_eq!(std::fs::read_to_string(&place).unwrap(), sent);
        let left = std::fs::read_dir(place.parent().unwrap()).unwrap().count();
        assert_eq!(left, 1, "no half of a copy is left");
    }
}
