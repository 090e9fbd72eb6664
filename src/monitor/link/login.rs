//! The connection that `hosts login` leaves for a host, which every other ssh to it may use.

use std::{
    os::unix::{
        ffi::OsStrExt,
        fs::{FileTypeExt, MetadataExt},
    },
    path::{Path, PathBuf},
    time::Duration,
};

use tokio::time::sleep;

use crate::monitor::facts::fnv::fnv;
use crate::monitor::link::connector::Shared;

/// While a host waits for its person it is looked at this often whether they have logged in.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Longest path of a connection's socket: while ssh makes it, it has 17 letters more, and a socket's path at most 104.
const LONGEST_CONTROL_PATH: usize = 85;

/// The socket of a connection that `hosts login` leaves for a host of this name. Where the path would be too long it is
/// under `/tmp`, as an engine's own is.
#[must_use]
pub fn login_socket(run: &Path, host: &str) -> PathBuf {
    let socket = run.join(format!("ssh-{host}"));
    if socket.as_os_str().len() <= LONGEST_CONTROL_PATH {
        return socket;
    }
    let hash = fnv(socket.as_os_str().as_bytes().iter().copied());
    let user = rustix::process::geteuid().as_raw();
    PathBuf::from(format!("/tmp/tmux-orc-{user}/ssh-{hash:016x}"))
}

/// Waits until `hosts login` has left another connection than there is now: another one is another socket.
pub(crate) async fn another(run: Option<&Path>, host: &str) {
    let Some(run) = run else { return std::future::pending().await };
    let before = left(run, host);
    loop {
        sleep(LOOK_EVERY).await;
        let now = left(run, host);
        if now.is_some() && now != before {
            return;
        }
    }
}

fn left(run: &Path, host: &str) -> Option<(u64, i64, i64)> {
    let meta = std::fs::symlink_metadata(login_socket(run, host)).ok()?;
    Some((meta.ino(), meta.ctime(), meta.ctime_nsec()))
}

/// Whose connection ssh may use for a host of this name: that of `hosts login`, where there is one.
#[must_use]
pub(crate) fn shared_way(run: &Path, host: &str) -> Shared {
    let socket = login_socket(run, host);
    let is_socket = std::fs::symlink_metadata(&socket).is_ok_and(|meta| meta.file_type().is_socket());
    if is_socket { Shared::Login(socket) } else { Shared::Configured }
}
