//! The transport `dial`: our own client of tmux's socket protocol. One connection for one request, no process.

use std::{
    io,
    os::{fd::AsRawFd, unix::ffi::OsStrExt},
    path::{Path, PathBuf},
    time::Duration,
};

use bytes::BytesMut;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::UnixStream,
};

use crate::tmux::transport::process::{MAX_OUTPUT, Output, server_error};
use crate::tmux::transport::protocol;
use crate::tmux::transport::protocol::Message;
use crate::tmux::transport::server::SUN_PATH;
use crate::tmux::{Command, Server, TmuxError};

/// Pause before the next try when a server's queue of connections is full.
const CROWDED: Duration = Duration::from_millis(5);
/// Room that is made for every read.
const READ_SIZE: usize = 64 << 10;

/// A server to dial.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer<'a> {
    pub(crate) server: &'a Server,
    /// The process that has to answer, 0 when any may.
    pub(crate) pid: u32,
    /// Terminal of the first pane, `""` when not known: see [`protocol::push_opening`].
    pub(crate) tty: &'a str,
}

/// Runs `source-file -` with the script as its input.
pub(crate) async fn source(peer: Peer<'_>, script: &str, limit: Duration) -> Result<Output, TmuxError> {
    request(peer, &["source-file", "-"], script.as_bytes(), limit).await
}

/// Runs one command. One too long for a message goes as a script of one line.
pub(crate) async fn single(peer: Peer<'_>, command: &Command, limit: Duration) -> Result<Output, TmuxError> {
    let argv: Vec<String> = command.process_args().collect();
    if argv.iter().map(|argument| argument.len() + 1).sum::<usize>() < protocol::MAX_MESSAGE - 64 {
        return request(peer, &argv, b"", limit).await;
    }
    let mut script = String::new();
    command.push_line(&mut script);
    script.push('\n');
    source(peer, &script, limit).await
}

/// Finds out whether anyone listens at the socket, and says nothing.
pub(crate) async fn knock(server: &Server, limit: Duration) -> Result<(), TmuxError> {
    let connected = tokio::time::timeout(limit, connect(server)).await;
    connected.unwrap_or_else(|_| Err(TmuxError::Timeout { socket: server.socket().into(), after: limit })).map(drop)
}

/// Process id of who listens at the socket, as the system tells it: 0 in another namespace of processes. Nothing is said
/// to it. `None`: nobody listens, or the system does not say.
pub(crate) async fn peer(server: &Server, limit: Duration) -> Option<u32> {
    let stream = tokio::time::timeout(limit, connect(server)).await.ok()?.ok()?;
    stream.peer_cred().ok()?.pid().and_then(|pid| u32::try_from(pid).ok())
}

async fn request(peer: Peer<'_>, argv: &[impl AsRef<str>], input: &[u8], limit: Duration) -> Result<Output, TmuxError> {
    let answer = tokio::time::timeout(limit, exchange(peer, argv, input)).await;
    let output =
        answer.unwrap_or_else(|_| Err(TmuxError::Timeout { socket: peer.server.socket().into(), after: limit }))?;
    match server_error(peer.server, &output.stderr) {
        // A server answered: that there is none was said by something else, such as a hook.
        Some(error) if !output.success && !error.is_no_server() => Err(error),
        _ => Ok(output),
    }
}

/// Connects, says who we are and what to run, serves what the server asks for until it says that it is done.
/// Cancelled at any await, it drops the connection, which the server takes as a client that was closed.
async fn exchange(peer: Peer<'_>, argv: &[impl AsRef<str>], input: &[u8]) -> Result<Output, TmuxError> {
    let Peer { server, pid, tty } = peer;
    let mut opening = Vec::with_capacity(512);
    protocol::push_opening(&mut opening, std::process::id().cast_signed(), tty, argv)
        .map_err(|error| TmuxError::Refused { message: format!("the command is too long: {error}") })?;
    let stream = connect(server).await?;
    if pid != 0 && stream.peer_cred().ok().and_then(|peer| peer.pid()) != Some(pid.cast_signed()) {
        return Err(TmuxError::ServerChanged);
    }
    let (mut reader, mut writer) = stream.into_split();
    let mut session = Session { input, to_send: opening, sent: 0, ..Session::default() };
    let mut buffer = BytesMut::with_capacity(READ_SIZE);
    loop {
        while let Some(message) = protocol::decode(&mut buffer).map_err(unexpected)? {
            if session.take(message, server)? {
                // A last word, as a client that leaves on its own gives it; the answer to that is not waited for.
                let _ = writer.try_write(&session.to_send[session.sent..]);
                let Session { status, stdout, stderr, .. } = session;
                return Ok(Output { success: status == Some(0), stdout: stdout.freeze(), stderr: stderr.freeze() });
            }
        }
        buffer.reserve(READ_SIZE);
        // Reading goes on while we write: a server that fills its side before it reads ours must not wait for us.
        tokio::select! {
            sent = writer.write(&session.to_send[session.sent..]), if session.sent < session.to_send.len() => {
                session.sent += sent.map_err(|error| lost(server, &error))?;
            }
            read = reader.read_buf(&mut buffer) => {
                if read.map_err(|error| lost(server, &error))? == 0 {
                    return Err(TmuxError::LostServer { socket: server.socket().into() });
                }
            }
        }
        if session.sent == session.to_send.len() {
            session.to_send.clear();
            session.sent = 0;
        }
    }
}

/// What was said so far in one connection.
#[derive(Default)]
pub(crate) struct Session<'a> {
    pub(crate) input: &'a [u8],
    pub(crate) to_send: Vec<u8>,
    pub(crate) sent: usize,
    pub(crate) stdout: BytesMut,
    pub(crate) stderr: BytesMut,
    pub(crate) streams: Vec<(i32, i32)>,
    pub(crate) status: Option<i32>,
}

impl Session<'_> {
    /// Takes one message; true when the answer is complete.
    pub(crate) fn take(&mut self, message: Message, server: &Server) -> Result<bool, TmuxError> {
        match message {
            Message::Version => return Err(TmuxError::ProtocolMismatch { program: "tmux-orc".into() }),
            Message::ReadOpen { stream, fd: 0 } => {
                let input = std::mem::take(&mut self.input);
                protocol::push_file(&mut self.to_send, stream, input);
            }
            // Any other file: not ours to give or to write (9 is EBADF).
            Message::ReadOpen { stream, .. } => protocol::push_read_done(&mut self.to_send, stream, 9),
            Message::WriteOpen { stream, fd: fd @ (1 | 2) } => {
                if self.streams.len() > 64 {
                    return Err(unexpected("too many streams"));
                }
                self.streams.push((stream, fd));
                protocol::push_write_ready(&mut self.to_send, stream, 0);
            }
            Message::WriteOpen { stream, .. } => protocol::push_write_ready(&mut self.to_send, stream, 9),
            Message::Write { stream, data } => {
                let fd = self.streams.iter().find(|(known, _)| *known == stream).map(|(_, fd)| *fd);
                let output = match fd {
                    Some(1) => &mut self.stdout,
                    Some(_) => &mut self.stderr,
                    None => return Err(unexpected(format!("output for a stream {stream} that was never opened"))),
                };
                if output.len() + data.len() > MAX_OUTPUT {
                    let message = format!("the output is longer than {MAX_OUTPUT} bytes");
                    return Err(TmuxError::Refused { message });
                }
                output.extend_from_slice(&data);
            }
            Message::WriteClose => {}
            Message::Exit { status, message } => {
                self.status = Some(status);
                let words = message.split(|byte| *byte == 0).next().unwrap_or_default();
                self.stderr.extend_from_slice(words);
                protocol::push_exiting(&mut self.to_send);
                return Ok(true);
            }
            Message::Exited => return Err(unexpected("goodbye without a status")),
            Message::Shutdown => return Err(TmuxError::LostServer { socket: server.socket().into() }),
        }
        Ok(false)
    }
}

/// Connects to the server's socket. A path too long for a socket address is reached through its directory.
async fn connect(server: &Server) -> Result<UnixStream, TmuxError> {
    let socket = server.socket();
    let (_directory, path) =
        if server.is_long() { short_path(socket).map(|(d, p)| (Some(d), p))? } else { (None, socket.into()) };
    let attempt = loop {
        match UnixStream::connect(&path).await {
            // Too many wait to be let in already: we come back. Whoever called us limits how long.
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => tokio::time::sleep(CROWDED).await,
            attempt => break attempt,
        }
    };
    attempt.map_err(|error| match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => TmuxError::NoServer { socket: socket.into() },
        io::ErrorKind::PermissionDenied => TmuxError::PermissionDenied { socket: socket.into() },
        _ => TmuxError::io(format!("connect to {}", socket.display()), &error),
    })
}

/// `/proc/self/fd/N/NAME` for a path of any length, with the directory it goes through.
fn short_path(socket: &Path) -> Result<(std::fs::File, PathBuf), TmuxError> {
    let too_long = |reason: &str| TmuxError::BadSocket { socket: socket.into(), reason: reason.into() };
    if !cfg!(target_os = "linux") {
        return Err(too_long("its path is too long"));
    }
    let (Some(parent), Some(name)) = (socket.parent(), socket.file_name()) else {
        return Err(too_long("it has no name"));
    };
    let directory = std::fs::File::open(parent).map_err(|error| match error.kind() {
        io::ErrorKind::PermissionDenied => TmuxError::PermissionDenied { socket: socket.into() },
        _ => TmuxError::NoServer { socket: socket.into() },
    })?;
    let short = Path::new("/proc/self/fd").join(directory.as_raw_fd().to_string()).join(name);
    if short.as_os_str().as_bytes().len() >= SUN_PATH {
        return Err(too_long("its name is too long"));
    }
    Ok((directory, short))
}

/// The connection broke: only after it was made, so a server was there.
fn lost(server: &Server, error: &io::Error) -> TmuxError {
    match error.kind() {
        io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset | io::ErrorKind::UnexpectedEof => {
            TmuxError::LostServer { socket: server.socket().into() }
        }
        _ => TmuxError::io(format!("talk to {}", server.socket().display()), error),
    }
}

fn unexpected(what: impl ToString) -> TmuxError {
    TmuxError::Unexpected { what: what.to_string() }
}
