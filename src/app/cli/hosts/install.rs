//! `hosts install`: copies a static program to a host, after asking, and proves that what arrived is what was sent.

use std::{
    fs::File,
    io::{BufRead, IsTerminal, Read},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use crate::app::cli::hosts::{destination, remote};
use crate::app::cli::{Context, Failure};
use crate::app::settings::HostSettings;
use crate::monitor::link::end::tidy;
use crate::monitor::link::shared_way;

const ASK_WITHIN: Duration = Duration::from_secs(20);
/// Some megabytes over a slow way.
const COPY_WITHIN: Duration = Duration::from_secs(600);

/// What makes a hash of standard input, on either machine.
const HASH: &str = "sha256sum 2>/dev/null || shasum -a 256";

/// Written under another name first: a program that runs there goes on with its own file, and half a copy is never run.
const COPY: &str = "sh -c 'set -e; d=~/.local/bin; mkdir -p $d; t=$d/.tmux-orc.$$; trap \"rm -f $t\" EXIT; cat > $t; \
    chmod 755 $t; echo hash=$( (sha256sum 2>/dev/null || shasum -a 256) < $t ); echo version=$($t --version 2>&1); \
    mv -f $t $d/tmux-orc; echo place=$d/tmux-orc'";

/// Runs it.
pub(super) async fn run(
    host: &HostSettings,
    from: Option<&Path>,
    yes: bool,
    context: &mut Context,
) -> Result<(), Failure> {
    let destination = destination(host)?;
    let failed = |why: String| Failure::failed(format!("{}: {why}", host.name));
    let file: PathBuf = match from {
        Some(file) => file.to_owned(),
        None => std::env::current_exe().map_err(|error| failed(format!("this program is not found: {error}")))?,
    };
    let program = Program::read(&file).map_err(|why| failed(format!("{}: {why}", file.display())))?;
    let shared = shared_way(&context.paths.run(), &host.name);
    let ask = "sh -c 'echo system=$(uname -s) $(uname -m)'";
    let output = remote::run(destination, &shared, ask, None, ASK_WITHIN).await?;
    let said = String::from_utf8_lossy(&output.stdout);
    let system = remote::told(&said, "system").next().ok_or_else(|| failed(remote::why(&output)))?;
    if let Err(why) = program.runs_on(&system) {
        let what = "bring a static program for it (`make dist` there, or a release) and name it with --from";
        return Err(failed(format!("{why}; {what}")));
    }
    if !yes && !agreed(&host.name, destination)? {
        return Err(failed("nothing was copied".to_owned()));
    }
    let ours = hash(&file).map_err(|error| failed(format!("no hash of {}: {error}", file.display())))?;
    let output = remote::run(destination, &shared, COPY, Some(&file), COPY_WITHIN).await?;
    let said = String::from_utf8_lossy(&output.stdout);
    let one = |word: &str| remote::told(&said, word).next();
    let theirs = one("hash").and_then(|line| line.split_whitespace().next().map(str::to_owned));
    let (Some(place), true) = (one("place"), output.status.success()) else {
        return Err(failed(format!("not copied: {}", remote::why(&output))));
    };
    if theirs.as_deref() != Some(ours.as_str()) {
        return Err(failed(format!("what arrived at {place} is not what was sent: remove it there, and try again")));
    }
    let version = one("version").filter(|version| version.starts_with("tmux-orc ")).ok_or_else(|| {
        failed(format!("copied to {place}, but it does not run there: {}", one("version").unwrap_or_default()))
    })?;
    context.out.line(format!("{}: {version} at {place}, sha256 {ours}", host.name))
}

/// Asks on the terminal.
fn agreed(name: &str, destination: &str) -> Result<bool, Failure> {
    if !std::io::stdin().is_terminal() {
        return Err(Failure::usage("there is nobody to ask here: --yes copies without asking"));
    }
    eprint!("Copy this program to ~/.local/bin/tmux-orc on {name} ({destination})? [y/N] ");
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer).map_err(|error| Failure::failed(error.to_string()))?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

/// The hash of a file by the program that the other end uses too.
fn hash(file: &Path) -> Result<String, String> {
    let file = File::open(file).map_err(|error| error.to_string())?;
    let output = Command::new("sh")
        .args(["-c", HASH])
        .stdin(Stdio::from(file))
        .stderr(Stdio::null())
        .output()
        .map_err(|error| error.to_string())?;
    let text = tidy(&String::from_utf8_lossy(&output.stdout));
    let hash = text.split_whitespace().next().unwrap_or_default().to_owned();
    if hash.len() == 64 { Ok(hash) } else { Err("neither sha256sum nor shasum is there".to_owned()) }
}

/// What a program's file says of itself.
#[derive(Debug, PartialEq, Eq)]
struct Program {
    /// As `uname -m` calls it.
    machine: &'static str,
    /// It needs nothing of the machine that it runs on.
    fixed: bool,
}

impl Program {
    fn read(file: &Path) -> Result<Self, String> {
        let mut head = Vec::new();
        let open = File::open(file).map_err(|error| error.to_string())?;
        open.take(4096).read_to_end(&mut head).map_err(|error| error.to_string())?;
        Self::of(&head)
            .ok_or_else(|| "not a program for Linux on x86_64 or aarch64: only those can be copied".to_owned())
    }

    /// By its first bytes: a 64-bit little-endian ELF file, whose program headers follow its own (ELF-64 object file format,
    /// figures 1, 2 and 6: machine at 18, offset of the headers at 32, their size and number at 54 and 56; type 3 is the
    /// path of an interpreter, which a static one has none of).
    fn of(head: &[u8]) -> Option<Self> {
        let number = |at: usize, size: usize| {
            let bytes = head.get(at..at + size)?;
            Some(bytes.iter().rev().fold(0_usize, |sum, byte| sum << 8 | usize::from(*byte)))
        };
        if !head.starts_with(b"\x7fELF\x02\x01") {
            return None;
        }
        let machine = match number(18, 2)? {
            62 => "x86_64",
            183 => "aarch64",
            _ => return None,
        };
        let (at, size, count) = (number(32, 8)?, number(54, 2)?, number(56, 2)?);
        let mut fixed = true;
        for header in 0..count {
            fixed &= number(at.checked_add(header * size)?, 4)? != 3;
        }
        Some(Self { machine, fixed })
    }

    /// Whether it runs on a machine of which `uname` says this.
    fn runs_on(&self, system: &str) -> Result<(), String> {
        let machine = system.split_whitespace().nth(1).unwrap_or_default();
        let machine = if machine == "arm64" { "aarch64" } else { machine };
        if !system.starts_with("Linux ") || machine != self.machine {
            return Err(format!("the program is for Linux {}, the host is {system}", self.machine));
        }
        if self.fixed { Ok(()) } else { Err("the program is not static: it may not start there".to_owned()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn elf(machine: u8, types: &[u8]) -> Vec<u8> {
        let mut head = b"\x7fELF\x02\x01".to_vec();
        head.resize(64, 0);
        (head[18], head[32], head[54], head[56]) = (machine, 64, 56, types.len() as u8);
        for kind in types {
            let mut header = vec![0; 56];
            header[0] = *kind;
            head.extend(header);
        }
        head
    }

    #[test]
    fn a_program_is_known_by_its_head() {
        let fixed = Program::of(&elf(62, &[1, 1, 6])).unwrap();
        assert_eq!(fixed, Program { machine: "x86_64", fixed: true });
        assert_eq!(fixed.runs_on("Linux x86_64"), Ok(()));
        assert!(fixed.runs_on("Linux aarch64").is_err() && fixed.runs_on("Darwin arm64").is_err());
        let linked = Program::of(&elf(183, &[6, 3, 1])).unwrap();
        assert!(linked.runs_on("Linux aarch64").unwrap_err().contains("not static"));
        assert_eq!(Program::of(b"#!/bin/sh\n"), None);
        assert_eq!(Program::of(&elf(62, &[1; 9])[..200]), None, "cut off: what is not seen is not guessed");
        assert_eq!(Program::of(&elf(3, &[])), None);
    }
}
