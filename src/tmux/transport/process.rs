//! Short-lived tmux client processes: the transports `spawn` (one for a request) and `process` (one for a command).

use std::time::Duration;

use bytes::Bytes;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWriteExt},
    process,
    time::Instant,
};

use crate::tmux::{Command, Server, TmuxError};

/// Longest output that is read from one client, bytes: far above what screens can hold, and below what hurts.
pub(crate) const MAX_OUTPUT: usize = 256 << 20;

/// What a tmux client said.
#[derive(Clone, Debug, Default)]
pub(crate) struct Output {
    pub(crate) success: bool,
    pub(crate) stdout: Bytes,
    pub(crate) stderr: Bytes,
}

/// Runs `tmux source-file -` with the script on its standard input.
pub(crate) async fn source(server: &Server, script: &str, limit: Duration) -> Result<Output, TmuxError> {
    let mut client = server.client();
    client.args(["source-file", "-"]);
    checked(server, run(server, client, Some(script.as_bytes()), limit).await?)
}

/// Runs one tmux command in a process of its own.
pub(crate) async fn single(server: &Server, command: &Command, limit: Duration) -> Result<Output, TmuxError> {
    let mut client = server.client();
    client.args(command.process_args());
    checked(server, run(server, client, None, limit).await?)
}

/// What the client said of the request as a whole. Beside output the words are another's: a hook of the user's may print
/// what a client of another server said.
fn checked(server: &Server, output: Output) -> Result<Output, TmuxError> {
    match server_error(server, &output.stderr) {
        Some(error) if !output.success && (output.stdout.is_empty() || !error.is_no_server()) => Err(error),
        _ => Ok(output),
    }
}

/// Runs a client to its end: feeds it, reads both outputs at once, ends and reaps it when it takes too long.
pub(crate) async fn run(
    server: &Server,
    mut client: process::Command,
    input: Option<&[u8]>,
    limit: Duration,
) -> Result<Output, TmuxError> {
    let deadline = Instant::now() + limit;
    if input.is_some() {
        client.stdin(std::process::Stdio::piped());
    }
    let mut child = client.spawn().map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => TmuxError::NoTmux { program: server.program().to_string_lossy().into_owned() },
        _ => TmuxError::io(format!("start {}", server.program().display()), &error),
    })?;
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let feed = async {
        if let (Some(mut stdin), Some(input)) = (stdin, input) {
            // A client that ended early (no server) reads nothing; why it ended is in its answer.
            let _ = stdin.write_all(input).await;
            let _ = stdin.shutdown().await;
        }
        Ok(())
    };
    let whole = async {
        let ((), stdout, stderr) = tokio::try_join!(feed, read(stdout), read(stderr))?;
        let status = child.wait().await.map_err(|error| TmuxError::io("wait for a tmux client", &error))?;
        Ok(Output { success: status.success(), stdout, stderr })
    };
    let result = tokio::time::timeout_at(deadline, whole)
        .await
        .unwrap_or_else(|_| Err(TmuxError::Timeout { socket: server.socket().into(), after: limit }));
    if result.is_err() {
        // Ended and reaped here; if we are cancelled instead, `kill_on_drop` does it.
        let _ = child.kill().await;
    }
    result
}

async fn read(pipe: Option<impl AsyncRead + Unpin>) -> Result<Bytes, TmuxError> {
    let mut output = Vec::new();
    if let Some(pipe) = pipe {
        let mut pipe = pipe.take(MAX_OUTPUT as u64 + 1);
        pipe.read_to_end(&mut output).await.map_err(|error| TmuxError::io("read from a tmux client", &error))?;
    }
    if output.len() > MAX_OUTPUT {
        return Err(TmuxError::Refused { message: format!("the output is longer than {MAX_OUTPUT} bytes") });
    }
    Ok(output.into())
}

/// The failures of the whole request that a client reports in words, as opposed to those of one command.
pub(crate) fn server_error(server: &Server, stderr: &[u8]) -> Option<TmuxError> {
    let text = String::from_utf8_lossy(stderr);
    let socket = || server.socket().to_path_buf();
    text.lines().find_map(|line| {
        let connecting = line.starts_with("error connecting to ");
        let nobody = connecting && (line.contains("(No such file") || line.contains("(Connection refused"));
        if nobody || line.starts_with("no server running on ") {
            Some(TmuxError::NoServer { socket: socket() })
        } else if connecting && line.contains("(Permission denied")
            || line.contains("has unsafe permissions")
            || line.starts_with("access not allowed")
        {
            Some(TmuxError::PermissionDenied { socket: socket() })
        } else if connecting && line.contains("(File name too long") {
            Some(TmuxError::BadSocket { socket: socket(), reason: "the path is too long for a socket".into() })
        } else if connecting {
            Some(TmuxError::Refused { message: crate::tmux::clean(line) })
        } else if line.starts_with("protocol version mismatch") {
            Some(TmuxError::ProtocolMismatch { program: server.program().to_string_lossy().into_owned() })
        } else if line.starts_with("server exited unexpectedly") {
            Some(TmuxError::ServerExited { socket: socket() })
        } else if line.starts_with("lost server") || line.starts_with("server exited") {
            Some(TmuxError::LostServer { socket: socket() })
        } else {
            None
        }
    })
}
