//! Programs that a test writes and runs.
//!
//! A file that is open for writing cannot be run (execve(2): `ETXTBSY`), and a process that another test starts between
//! its opening and its closing holds it open until that process runs its own program. So another process writes it.
#![allow(dead_code, reason = "each test crate uses its own part of this")]

use std::{
    io::Write,
    path::Path,
    process::{Command, Stdio},
};

/// Writes a program of this text, which begins with the line that names its interpreter.
///
/// # Panics
/// When it cannot be written.
pub fn write_program(path: &Path, text: &str) {
    let write = "cat > \"$1\" && chmod 755 \"$1\"";
    let mut shell =
        Command::new("sh").args(["-c", write, "sh"]).arg(path).stdin(Stdio::piped()).spawn().expect("a shell starts");
    shell.stdin.take().expect("its input").write_all(text.as_bytes()).expect("the program's text is taken");
    assert!(shell.wait().expect("the shell ends").success(), "{} was not written", path.display());
}

/// Copies a program, its mode with it.
///
/// # Panics
/// When it cannot be copied.
pub fn copy_program(from: impl AsRef<Path>, to: &Path) {
    let from = from.as_ref();
    let copied = Command::new("cp").arg("-p").args([from, to]).status().expect("cp starts");
    assert!(copied.success(), "{} was not copied to {}", from.display(), to.display());
}
