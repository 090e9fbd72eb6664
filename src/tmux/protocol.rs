//! The messages of tmux's client protocol, version 8: all constants, the encoder and the decoder, no I/O.
//!
//! A message is a header of 16 bytes (type, length with the header, flags, peer id, process id; little-endian) and its
//! data, at most 16384 bytes in all. Strings end with NUL. It did not change from tmux 3.2 to 3.8.

use bytes::{Buf, Bytes, BytesMut};

/// Protocol version, in the header's peer id.
pub(crate) const VERSION: u32 = 8;
/// Bytes of a header.
pub(crate) const HEADER: usize = 16;
/// Most bytes of a message, header included.
pub(crate) const MAX_MESSAGE: usize = 16384;
/// Most bytes of a script in one message: the stream's number comes before it.
const MAX_DATA: usize = 16000;
/// No process id is claimed in the header, as tmux does.
const NO_PID: u32 = u32::MAX;

/// Types of the messages we send.
pub(crate) mod send {
    pub(crate) const FEATURES: u32 = 109;
    pub(crate) const LONGFLAGS: u32 = 111;
    pub(crate) const TERM: u32 = 101;
    pub(crate) const TTYNAME: u32 = 102;
    pub(crate) const CWD: u32 = 108;
    pub(crate) const CLIENTPID: u32 = 107;
    pub(crate) const IDENTIFY_DONE: u32 = 106;
    pub(crate) const COMMAND: u32 = 200;
    pub(crate) const EXITING: u32 = 205;
    pub(crate) const READ: u32 = 301;
    pub(crate) const READ_DONE: u32 = 302;
    pub(crate) const WRITE_READY: u32 = 305;
}

/// The client takes UTF-8; without it tmux replaces every other character by `_`.
pub(crate) const FLAG_UTF8: u64 = 0x10000;

/// A message from the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Message {
    /// The other side speaks another version.
    Version,
    /// Wants to read a file; only `-`, standard input, is ours to give.
    ReadOpen { stream: i32, fd: i32 },
    /// Wants to write to descriptor 1 or 2.
    WriteOpen { stream: i32, fd: i32 },
    /// Output.
    Write { stream: i32, data: Bytes },
    /// Stream is complete.
    WriteClose,
    /// The command is done with this status, or the server refuses us in words.
    Exit { status: i32, message: Bytes },
    /// Last message after our `EXITING`.
    Exited,
    /// The server is ending.
    Shutdown,
}

/// The bytes are not what a server sends.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum DecodeError {
    #[error("a message of {0} bytes")]
    Length(usize),
    #[error("a message of unknown type {0}")]
    Type(u32),
    #[error("a message of type {0} with too little in it")]
    Short(u32),
}

/// Appends one message. Data longer than a message can hold is an error of the caller.
fn push(out: &mut Vec<u8>, kind: u32, data: &[&[u8]]) {
    let length = HEADER + data.iter().map(|part| part.len()).sum::<usize>();
    debug_assert!(length <= MAX_MESSAGE);
    out.extend_from_slice(&kind.to_le_bytes());
    out.extend_from_slice(&(length as u16).to_le_bytes());
    out.extend_from_slice(&0u16.to_le_bytes());
    out.extend_from_slice(&VERSION.to_le_bytes());
    out.extend_from_slice(&NO_PID.to_le_bytes());
    data.iter().for_each(|part| out.extend_from_slice(part));
}

/// The whole opening: who we are, and the command to run. It is sent whole or not at all: a server may crash on one
/// that lacks a part.
pub(crate) fn push_opening(out: &mut Vec<u8>, pid: i32, argv: &[impl AsRef<str>]) -> Result<(), DecodeError> {
    let mut command = (argv.len() as i32).to_le_bytes().to_vec();
    for argument in argv {
        command.extend_from_slice(argument.as_ref().as_bytes());
        command.push(0);
    }
    if HEADER + command.len() > MAX_MESSAGE {
        return Err(DecodeError::Length(HEADER + command.len()));
    }
    let flags = FLAG_UTF8.to_le_bytes();
    push(out, send::LONGFLAGS, &[&flags]);
    push(out, send::LONGFLAGS, &[&flags]);
    push(out, send::TERM, &[b"xterm\0"]);
    push(out, send::FEATURES, &[&0i32.to_le_bytes()]);
    push(out, send::TTYNAME, &[b"\0"]);
    push(out, send::CWD, &[b"/\0"]);
    push(out, send::CLIENTPID, &[&pid.to_le_bytes()]);
    push(out, send::IDENTIFY_DONE, &[]);
    push(out, send::COMMAND, &[&command]);
    Ok(())
}

/// The file that was asked for, whole, and its end.
pub(crate) fn push_file(out: &mut Vec<u8>, stream: i32, content: &[u8]) {
    for part in content.chunks(MAX_DATA) {
        push(out, send::READ, &[&stream.to_le_bytes(), part]);
    }
    push_read_done(out, stream, 0);
}

/// The file cannot be given, or is at its end (error 0).
pub(crate) fn push_read_done(out: &mut Vec<u8>, stream: i32, error: i32) {
    push(out, send::READ_DONE, &[&stream.to_le_bytes(), &error.to_le_bytes()]);
}

/// Output for the stream may come (error 0).
pub(crate) fn push_write_ready(out: &mut Vec<u8>, stream: i32, error: i32) {
    push(out, send::WRITE_READY, &[&stream.to_le_bytes(), &error.to_le_bytes()]);
}

/// We saw the exit and are leaving.
pub(crate) fn push_exiting(out: &mut Vec<u8>) {
    push(out, send::EXITING, &[]);
}

/// Takes the next whole message from the buffer, or `None` when more bytes are needed.
pub(crate) fn decode(buffer: &mut BytesMut) -> Result<Option<Message>, DecodeError> {
    let Some(mut header) = buffer.get(..HEADER) else { return Ok(None) };
    let kind = header.get_u32_le();
    let length = usize::from(header.get_u16_le());
    if !(HEADER..=MAX_MESSAGE).contains(&length) {
        return Err(DecodeError::Length(length));
    }
    if buffer.len() < length {
        return Ok(None);
    }
    let mut data = buffer.split_to(length).freeze();
    data.advance(HEADER);
    let mut int = || data.try_get_i32_le().map_err(|_| DecodeError::Short(kind));
    Ok(Some(match kind {
        12 => Message::Version,
        203 => {
            let status = int().unwrap_or(0);
            Message::Exit { status, message: data }
        }
        204 => Message::Exited,
        210 => Message::Shutdown,
        300 => Message::ReadOpen { stream: int()?, fd: int()? },
        303 => Message::WriteOpen { stream: int()?, fd: int()? },
        304 => {
            let stream = int()?;
            Message::Write { stream, data }
        }
        306 => Message::WriteClose,
        _ => return Err(DecodeError::Type(kind)),
    }))
}
