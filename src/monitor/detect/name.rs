//! Whether a file's name is a program's, however it was packed: `claude.exe`, `.claude-wrapped`, `claude-2.1.246`,
//! `codex-x86_64-unknown-linux-musl`.
//!
//! npm packages call their native program `NAME.exe` on every system; nixpkgs' wrappers call what they start
//! `.NAME-wrapped` or `.NAME-unwrapped`; release archives put the version and the target into the name.

/// Longest name that Linux keeps of a process, bytes (`TASK_COMM_LEN` without its NUL): a longer one is cut.
const LONGEST_COMM: usize = 15;

/// Words that may stand behind a name, after `-`, `_` or `.`: none of them makes it another program.
const WORDS: &[&str] = &[
    "exe",
    "wrapped",
    "unwrapped",
    "bin",
    "native",
    "real",
    "x86_64",
    "x86",
    "x64",
    "amd64",
    "i686",
    "aarch64",
    "arm64",
    "armv7",
    "arm",
    "riscv64",
    "unknown",
    "pc",
    "apple",
    "linux",
    "darwin",
    "macos",
    "windows",
    "win32",
    "freebsd",
    "musl",
    "gnu",
    "gnueabihf",
    "musleabihf",
    "msvc",
    "baseline",
    "modern",
];

/// The last part of a path; a login shell's dash and a hidden file's dot in front are no part of a name.
pub(super) fn base(path: &str) -> &str {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.trim_start_matches(['-', '.'])
}

/// Whether the file name `found` is that of the program `name`.
pub(super) fn is_program(found: &str, name: &str) -> bool {
    base(found).strip_prefix(name).is_some_and(|rest| is_tail(&rest.to_ascii_lowercase(), false))
}

/// The same for a name as the kernel has it, which may be cut.
pub(super) fn is_process(comm: &str, name: &str) -> bool {
    base(comm).strip_prefix(name).is_some_and(|rest| is_tail(&rest.to_ascii_lowercase(), comm.len() >= LONGEST_COMM))
}

/// Whether the kernel's name is the beginning of the file name `program`.
pub(super) fn is_cut_of(comm: &str, program: &str) -> bool {
    comm.len() >= LONGEST_COMM && program.starts_with(comm)
}

/// Whether a name is nothing but a version, as of a program that is installed as `versions/2.1.246`.
pub(super) fn is_version(name: &str) -> bool {
    version(name) == Some("")
}

/// Whether `rest` is made of nothing but versions and words that say how it was packed.
fn is_tail(mut rest: &str, cut: bool) -> bool {
    loop {
        let Some(part) = rest.strip_prefix(['-', '_', '.', '@']) else { return rest.is_empty() };
        // nixpkgs puts a single `_` behind a wrapper's name when one wraps another.
        if part.is_empty() {
            return true;
        }
        let word = WORDS.iter().filter_map(|word| part.strip_prefix(word)).find(|rest| ends_part(rest));
        match word.or_else(|| version(part)) {
            Some(after) => rest = after,
            None => return cut && WORDS.iter().any(|word| word.starts_with(part)),
        }
    }
}

fn ends_part(rest: &str) -> bool {
    rest.is_empty() || rest.starts_with(['-', '_', '.', '@'])
}

/// What comes after a version (`2.1.246`, `v1.0`, `0.5.0-rc.1`) at the beginning of `text`; `None` when it does not begin
/// with one. A bare number is none: `gemini-2` may be anything.
fn version(text: &str) -> Option<&str> {
    let numbers = text.strip_prefix('v').unwrap_or(text);
    let end = numbers.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(numbers.len());
    let (number, rest) = numbers.split_at(end);
    let number = number.trim_end_matches('.');
    if !number.starts_with(|c: char| c.is_ascii_digit()) || !number.contains('.') {
        return None;
    }
    for before in ["-alpha", "-beta", "-rc", "-nightly", "-preview"] {
        if let Some(more) = rest.strip_prefix(before) {
            return Some(more.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.'));
        }
    }
    ends_part(rest).then_some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_known_however_it_was_packed() {
        for found in [
            "claude",
            "-claude",
            "/opt/x/claude",
            "claude.exe",
            ".claude-wrapped",
            ".claude-unwrapped",
            ".claude-wrapped_",
            "claude-2.1.246",
            "claude-v2.1",
            "claude_2.1.246_linux_amd64",
            "claude-x86_64-unknown-linux-musl",
            "claude-0.5.0-rc.1-aarch64-apple-darwin.exe",
            "claude@2.1.0",
            "claude-linux-x64-baseline",
            "claude_Linux_arm64",
        ] {
            assert!(is_program(found, "claude"), "{found}");
        }
        for found in ["claude-code", "claudette", "claude.txt", "claude-mcp", "xclaude", "claude-2", "claude/x", ""] {
            assert!(!is_program(found, "claude"), "{found}");
        }
    }

    #[test]
    fn the_kernel_cuts_names() {
        for comm in ["codex-x86_64-un", ".codex-unwrappe", "codex-aarch64-a", "codex-0.169.0-x"] {
            assert!(is_process(comm, "codex") && comm.len() == LONGEST_COMM, "{comm}");
        }
        assert!(!is_process("codex-x86_64-u", "codex"), "it was not cut");
        assert!(!is_process("codex-linux-san", "codex"), "codex-linux-sandbox is another program");
        assert!(is_version("2.1.246") && !is_version("2.1.246-x") && !is_version("2") && !is_version("node"));
    }
}
