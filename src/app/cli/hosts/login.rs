//! `hosts login`: an ssh that may ask, in this terminal; the connection that it leaves is the one that the dashboard uses.

use std::{os::unix::fs::FileTypeExt, path::Path, process, process::Stdio};

use crate::app::cli::hosts::destination;
use crate::app::cli::{Context, Failure};
use crate::app::settings::HostSettings;
use crate::monitor::link::{in_control_path, login_socket};
use crate::monitor::private_dir;

/// How long the connection stays when nothing uses it.
const KEPT: &str = "ControlPersist=8h";

/// Runs it.
pub(super) fn run(host: &HostSettings, context: &mut Context) -> Result<(), Failure> {
    let destination = destination(host)?;
    let socket = login_socket(&context.paths.run(), &host.name);
    for dir in [context.paths.run().as_path(), socket.parent().unwrap_or(Path::new("/"))] {
        private_dir(dir).map_err(|error| Failure::failed(error.to_string()))?;
    }
    let control = format!("ControlPath={}", in_control_path(&socket));
    if lives(&control, destination) {
        return context.out.line(format!("{}: logged in already", host.name));
    }
    // One that is left of a connection that is gone would keep ssh from making another.
    if std::fs::symlink_metadata(&socket).is_ok_and(|meta| meta.file_type().is_socket()) {
        std::fs::remove_file(&socket).ok();
    }
    let mut ssh = process::Command::new("ssh");
    ssh.args(["-a", "-x", "-T", "-o", "ControlMaster=yes", "-o", &control, "-o", KEPT]);
    ssh.args(["-o", "ClearAllForwardings=yes", "-o", "RemoteCommand=none", "-o", "PermitLocalCommand=no"]);
    ssh.args(["-o", "ServerAliveInterval=5", "-o", "ServerAliveCountMax=3", "-o", "Compression=yes"]);
    ssh.args(["--", destination, "true"]);
    let status = ssh.status().map_err(|error| Failure::failed(format!("cannot start ssh: {error}")))?;
    // Not every shell there knows `true`; that there is a connection is what counts.
    if lives(&control, destination) {
        return context.out.line(format!("{}: logged in; the connection is used for 8 hours", host.name));
    }
    Err(Failure::failed(match status.code() {
        Some(0) => format!("{}: logged in, but ssh keeps no connection for others here", host.name),
        _ => format!("{}: ssh ended without a connection ({status})", host.name),
    }))
}

/// Whether a connection is there and answers.
fn lives(control: &str, destination: &str) -> bool {
    let mut check = process::Command::new("ssh");
    check.args(["-O", "check", "-o", control, "--", destination]);
    check.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    check.status().is_ok_and(|status| status.success())
}
