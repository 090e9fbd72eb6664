//! What a process says of itself: its program, the script that an interpreter runs, and what it was started for.

use crate::monitor::detect::Process;
use crate::monitor::detect::name::{base, is_cut_of, is_process, is_program, is_version};
use crate::monitor::detect::profile::Recognise;

/// What a process says of itself, read once for all profiles.
pub(super) struct Identity<'a> {
    /// Name as the kernel has it.
    comm: &'a str,
    /// First argument as it is.
    path: &'a str,
    /// The script or module that an interpreter runs.
    script: Option<&'a str>,
    module: Option<&'a str>,
    interpreted: bool,
    words: Vec<&'a str>,
    /// Where its own arguments begin.
    own: usize,
}

/// What a process was started for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Its user sits before it.
    Interactive,
    /// It does one thing and ends: nobody can talk to it.
    Headless,
    /// Another program, or a part of this one that is none.
    Other,
}

impl<'a> Identity<'a> {
    pub(super) fn of(process: &'a Process) -> Self {
        let mut words = words(&process.args);
        // The loader itself may be started with the program as its argument.
        if words.first().is_some_and(|first| is_loader(base(first))) {
            let program = script_at(&words).unwrap_or(words.len());
            words.drain(..program);
        }
        let (comm, path) = (process.comm.rsplit('/').next().unwrap_or_default(), words.first().copied());
        let path = path.unwrap_or_default();
        let interpreted = is_interpreter(base(path)) || is_interpreter(base(comm));
        let module_at = if interpreted { module_at(&words) } else { None };
        let script_at = if interpreted && module_at.is_none() { script_at(&words) } else { None };
        let (module, script) = (module_at.map(|at| words[at]), script_at.map(|at| words[at]));
        let own = module_at.or(script_at).map_or(1, |at| at + 1);
        Self { comm, path, script, module, interpreted, words, own }
    }

    /// How this is the program that is recognised so, in words; `None` when it is not.
    pub(super) fn named(&self, recognise: &Recognise) -> Option<String> {
        if recognise.names.iter().any(|name| is_process(self.comm, name)) {
            Some(format!("process `{}`", self.comm))
        } else if self.interpreted {
            self.interpreted_as(recognise)
        } else {
            self.compiled_as(recognise)
        }
    }

    /// Whether nothing but its name says that it is this program, and other programs have that name.
    pub(super) fn only_by_name(&self, recognise: &Recognise) -> bool {
        self.is_script_elsewhere(recognise)
            || recognise.common_name
                && self.interpreted_as(recognise).is_none()
                && self.packaged_as(recognise).is_none()
    }

    /// Whether it is a script of the program's name that lies where no commands are installed: it may be a checkout, or
    /// anybody's: `node ~/src/codex`.
    pub(super) fn is_script_elsewhere(&self, recognise: &Recognise) -> bool {
        let named = |script: &str| recognise.names.iter().any(|name| base(script) == name);
        !recognise.names.iter().any(|name| is_process(self.comm, name))
            && self.script.is_some_and(|script| !is_installed(script) && named(script))
            && !self.script.is_some_and(|script| recognise.packages.iter().any(|package| in_path(script, package)))
    }

    fn interpreted_as(&self, recognise: &Recognise) -> Option<String> {
        let interpreter = base(self.path);
        if let Some(module) = self.module {
            return recognise.modules.iter().any(|m| m == module).then(|| format!("`{interpreter} -m {module}`"));
        }
        let script = self.script?;
        let installed = is_installed(script) && recognise.names.iter().any(|name| is_program(script, name));
        if installed || self.is_script_elsewhere(recognise) {
            return Some(format!("`{interpreter}` runs `{}`", base(script)));
        }
        let package = recognise.packages.iter().find(|package| in_path(script, package))?;
        Some(format!("`{interpreter}` runs package `{package}`"))
    }

    /// Where the kernel's name tells nothing (a runtime names its main thread, a program is called by its version, a long
    /// name is cut) the path tells.
    fn compiled_as(&self, recognise: &Recognise) -> Option<String> {
        let program = self.path.rsplit('/').next().unwrap_or_default();
        let version = is_version(self.comm);
        let tells_nothing =
            version || GENERIC.contains(&self.comm) || is_loader(self.comm) || is_cut_of(self.comm, program);
        if tells_nothing
            && (version || self.path.contains('/'))
            && recognise.names.iter().any(|name| is_program(program, name))
        {
            return Some(format!("program `{program}` (process `{}`)", self.comm));
        }
        let package = self.packaged_as(recognise)?;
        Some(format!("program of package `{package}`"))
    }

    /// The package that the program's file belongs to.
    fn packaged_as<'r>(&self, recognise: &'r Recognise) -> Option<&'r String> {
        recognise.packages.iter().find(|package| {
            // What a package brings along (a search tool) lies deeper in it.
            in_path(self.path, package)
                && self.path.rsplit_once(package.as_str()).is_some_and(|(_, rest)| {
                    !["/vendor/", "/node_modules/"].iter().any(|folder| rest.starts_with(folder))
                })
        })
    }

    /// What it was started for, by its arguments.
    pub(super) fn purpose(&self, recognise: &Recognise) -> Purpose {
        let (mut first, mut headless, mut value) = (None, false, false);
        for &word in self.words.iter().skip(self.own).take_while(|word| **word != "--") {
            let is = |list: &[String]| list.iter().any(|one| one == word);
            if word.starts_with('-') && word.len() > 1 {
                let name = word.split_once('=').map_or(word, |(name, _)| name);
                headless |= recognise.headless_with.iter().any(|one| one == name);
                value = !word.contains('=') && !is(&recognise.switches);
            } else if !std::mem::take(&mut value) && first.is_none() {
                // The word behind an option may be its value: `codex -C sandbox` is no `codex sandbox`.
                headless |= is(&recognise.headless_with);
                first = Some(word);
            }
        }
        let is_first = |list: &[String]| first.is_some_and(|first| list.iter().any(|one| one == first));
        if is_first(&recognise.not_with)
            || first.is_some() && !headless && recognise.only_with.as_ref().is_some_and(|only| !is_first(only))
        {
            Purpose::Other
        } else if headless {
            Purpose::Headless
        } else {
            Purpose::Interactive
        }
    }
}

/// Arguments word by word. A process that sets its own title has them all in the first.
fn words(args: &[String]) -> Vec<&str> {
    match args {
        [one] if one.contains(' ') && !one.starts_with('/') => one.split(' ').filter(|w| !w.is_empty()).collect(),
        _ => args.iter().map(String::as_str).collect(),
    }
}

/// Names that runtimes give their main thread.
const GENERIC: &[&str] = &["MainThread", "main", "node-MainThread", "bun", "deno"];

fn is_loader(name: &str) -> bool {
    name.starts_with("ld-linux") || name.starts_with("ld-musl")
}

fn is_interpreter(name: &str) -> bool {
    matches!(
        name,
        "node"
            | "nodejs"
            | "bun"
            | "deno"
            | "tsx"
            | "ts-node"
            | "pypy"
            | "pypy3"
            | "uv"
            | "sh"
            | "bash"
            | "dash"
            | "zsh"
            | "env"
            | "ruby"
            | "perl"
            | "qemu-x86_64"
    ) || name.strip_prefix("python").is_some_and(|rest| rest.bytes().all(|b| b.is_ascii_digit() || b == b'.'))
}

/// Whether a script lies where installed commands do.
fn is_installed(script: &str) -> bool {
    let folder = script.rsplit('/').nth(1).unwrap_or_default();
    matches!(folder, "bin" | ".bin" | "sbin" | "shims" | "Scripts")
}

/// Whether an interpreter's option takes the next word.
fn takes_word(option: &str) -> bool {
    matches!(
        option,
        "-r" | "--require"
            | "--import"
            | "--loader"
            | "--experimental-loader"
            | "-C"
            | "--conditions"
            | "-W"
            | "-X"
            | "--env-file"
            | "--title"
            | "--icu-data-dir"
            | "-O"
            | "-o"
            | "+O"
            | "--library-path"
            | "--argv0"
            | "--preload"
    )
}

/// Where the script is among the arguments of an interpreter; `None` when it runs code from its command line.
fn script_at(words: &[&str]) -> Option<usize> {
    let mut at = 1;
    while let Some(word) = words.get(at) {
        match *word {
            "-c" | "-e" | "--eval" | "-p" | "--print" | "-m" | "-i" | "-" | "-s" => return None,
            // `bun run x`, `deno run x`, `uv run x`
            "run" if at == 1 => at += 1,
            "--" => return words.get(at + 1).map(|_| at + 1),
            w if takes_word(w) => at += 2,
            w if w.starts_with('-')
                && w.len() > 2
                && !w.starts_with("--")
                && w.ends_with('c')
                && w[1..].bytes().all(|b| b.is_ascii_lowercase()) =>
            {
                // `bash -lc CODE`
                return None;
            }
            w if w.starts_with('-') => at += 1,
            _ => return Some(at),
        }
    }
    None
}

/// Where the module is among the arguments of `python -m MODULE`.
fn module_at(words: &[&str]) -> Option<usize> {
    let at = words.iter().skip(1).take_while(|word| word.starts_with('-')).position(|word| *word == "-m")? + 2;
    (at < words.len()).then_some(at)
}

/// Whether `package` is a whole part of `path`: `@scope/name` in `/x/node_modules/@scope/name/cli.js`.
fn in_path(path: &str, package: &str) -> bool {
    memchr::memchr_iter(b'/', path.as_bytes())
        .filter_map(|at| path[at + 1..].strip_prefix(package))
        .any(|rest| rest.is_empty() || rest.starts_with('/'))
}
