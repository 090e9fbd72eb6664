//! The program that is copied to a host: which file it is, and whether it runs there.

use std::{
    fs::File,
    io::Read,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use crate::monitor::link::end::tidy;

/// What makes a hash of standard input, on either machine.
const HASH: &str = "sha256sum 2>/dev/null || shasum -a 256";

/// A program that is to be copied.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Program {
    file: PathBuf,
    /// What it must be, where somebody wrote that down beside it.
    sha256: Option<String>,
}

impl Program {
    /// The one for a host of which `uname` says this: `from`, where it was named; else this very program, where it is a static
    /// one; else one of those that came with it. What does not run there is none.
    pub(super) fn choose(system: &str, from: Option<&Path>) -> Result<Self, String> {
        if let Some(file) = from {
            return Self::at(file, system).map_err(|why| format!("{}: {why}", file.display()));
        }
        let own = std::env::current_exe().map_err(|error| format!("this program is not found: {error}"))?;
        Self::of(&own, system)
    }

    fn of(own: &Path, system: &str) -> Result<Self, String> {
        let here = match Self::at(own, system) {
            Ok(program) => return Ok(program),
            Err(why) => why,
        };
        let machine = machine_of(system).ok_or_else(|| format!("there is no program for {system}"))?;
        let triple = format!("{machine}-unknown-linux-gnu");
        match beside(own, &triple).into_iter().find(|file| file.exists()) {
            Some(file) => Self::at(&file, system).map_err(|why| format!("{}: {why}", file.display())),
            None => Err(format!(
                "{here}, and no static one for {machine} is here; `make dist` on such a machine makes one, in \
                 target/dist/lib/tmux-orc/{triple}: name it with --from"
            )),
        }
    }

    /// A file that runs there.
    fn at(file: &Path, system: &str) -> Result<Self, String> {
        Elf::read(file)?.runs_on(system)?;
        let mut beside = file.as_os_str().to_owned();
        beside.push(".sha256");
        let sha256 = match std::fs::read_to_string(&beside) {
            Ok(text) => Some(text.split_whitespace().next().unwrap_or_default().to_owned()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            Err(error) => return Err(format!("its .sha256 cannot be read: {error}")),
        };
        Ok(Self { file: file.to_owned(), sha256 })
    }

    pub(super) fn file(&self) -> &Path {
        &self.file
    }

    /// Its hash, which is the one that stands beside it.
    pub(super) fn hash(&self) -> Result<String, String> {
        let named = |why: String| format!("{}: {why}", self.file.display());
        let hash = hash(&self.file).map_err(|why| named(format!("it has no hash: {why}")))?;
        match &self.sha256 {
            Some(written) if *written != hash => {
                Err(named("it is not what its .sha256 says: build it anew".to_owned()))
            }
            _ => Ok(hash),
        }
    }
}

/// Where programs for other machines come with this one: beside it as `make dist` puts them, in a package's folder, and from
/// cargo's folder in a checkout.
fn beside(own: &Path, triple: &str) -> Vec<PathBuf> {
    let folder = own.parent().unwrap_or(Path::new("/"));
    let at = |way: &str| folder.join(way).join("tmux-orc").join(triple).join("tmux-orc");
    ["lib", "../lib", "../dist/lib"].map(at).into()
}

/// What a host of which `uname` says this calls its kind of machine, in Rust's word; `None`: not Linux.
fn machine_of(system: &str) -> Option<&str> {
    match system.strip_prefix("Linux ")?.split_whitespace().next()? {
        "arm64" => Some("aarch64"),
        machine => Some(machine),
    }
}

/// The hash of a file by the program that the other end uses too.
pub(super) fn hash(file: &Path) -> Result<String, String> {
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
struct Elf {
    /// As `uname -m` calls it.
    machine: &'static str,
    /// It needs nothing of the machine that it runs on.
    fixed: bool,
}

impl Elf {
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
        if machine_of(system) != Some(self.machine) {
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
        let fixed = Elf::of(&elf(62, &[1, 1, 6])).unwrap();
        assert_eq!(fixed, Elf { machine: "x86_64", fixed: true });
        assert_eq!(fixed.runs_on("Linux x86_64"), Ok(()));
        assert!(fixed.runs_on("Linux aarch64").is_err() && fixed.runs_on("Darwin arm64").is_err());
        let linked = Elf::of(&elf(183, &[6, 3, 1])).unwrap();
        assert!(linked.runs_on("Linux aarch64").unwrap_err().contains("not static"));
        assert_eq!(Elf::of(b"#!/bin/sh\n"), None);
        assert_eq!(Elf::of(&elf(62, &[1; 9])[..200]), None, "cut off: what is not seen is not guessed");
        assert_eq!(Elf::of(&elf(3, &[])), None);
    }

    #[test]
    fn what_came_with_the_program_is_taken_by_the_hosts_kind_of_machine() {
        let dir = tempfile::tempdir().unwrap();
        let own = dir.path().join("bin/tmux-orc");
        std::fs::create_dir_all(own.parent().unwrap()).unwrap();
        std::fs::write(&own, elf(62, &[6, 3, 1])).unwrap();
        let missing = Program::of(&own, "Linux aarch64").unwrap_err();
        assert!(missing.contains("aarch64-unknown-linux-gnu") && missing.contains("--from"), "{missing}");
        for (machine, kind) in [(183, "aarch64"), (62, "x86_64")] {
            let file = dir.path().join(format!("lib/tmux-orc/{kind}-unknown-linux-gnu/tmux-orc"));
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(&file, elf(machine, &[1])).unwrap();
            let found = Program::of(&own, &format!("Linux {kind}")).unwrap();
            assert_eq!(found.file.canonicalize().unwrap(), file.canonicalize().unwrap());
            assert_eq!(found.hash().unwrap().len(), 64);
            // One of which is written what it must be, and that is something else.
            std::fs::write(file.with_extension("sha256"), format!("{}  tmux-orc\n", "0".repeat(64))).unwrap();
            let error = Program::of(&own, &format!("Linux {kind}")).unwrap().hash().unwrap_err();
            assert!(error.contains("not what its .sha256 says"), "{error}");
        }
        assert!(Program::of(&own, "Darwin arm64").unwrap_err().contains("no program for Darwin"));
        // One that is static itself needs no other.
        std::fs::write(&own, elf(62, &[1])).unwrap();
        assert_eq!(Program::of(&own, "Linux x86_64").unwrap().file, own);
    }
}
