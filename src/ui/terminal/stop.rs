//! Stopping for the shell, and coming back: by Ctrl-Z, by signals of others.

use rustix::process::{Pid, Signal, getpgid, getpgrp, getpid, getppid, getsid, kill_process, kill_process_group};

/// Stops this process, and with `all` those that run with it as one job, until somebody lets it go on. Does nothing where
/// nobody can do that: the system leaves out its own stop there, and so must who catches the signal.
pub(crate) fn stop(all: bool) {
    if !somebody_can_continue() {
        return;
    }
    let _ = if all { kill_process_group(getpgrp(), Signal::STOP) } else { kill_process(getpid(), Signal::STOP) };
}

/// Whether this job has a shell that controls it: one of its processes was started by another job of the same session.
fn somebody_can_continue() -> bool {
    let (session, group) = (getsid(None).ok(), getpgrp());
    let mut parent = getppid();
    // A job of a shell is a few processes deep.
    for _ in 0..16 {
        let Some(of) = parent else { return false };
        if session.is_none() || getsid(Some(of)).ok() != session {
            return false;
        }
        if getpgid(Some(of)).is_ok_and(|other| other != group) {
            return true;
        }
        parent = parent_of(of);
    }
    false
}

/// The parent of another process.
fn parent_of(pid: Pid) -> Option<Pid> {
    let number = pid.as_raw_nonzero();
    let parent = match std::fs::read_to_string(format!("/proc/{number}/stat")) {
        // The name, which may hold anything, ends with the last parenthesis; then state and parent.
        Ok(stat) => stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()?,
        Err(_) => {
            let out =
                std::process::Command::new("ps").args(["-o", "ppid=", "-p", &number.to_string()]).output().ok()?;
            String::from_utf8_lossy(&out.stdout).trim().parse().ok()?
        }
    };
    Pid::from_raw(parent)
}
