//! The messages of tmux's client protocol, version 8: all constants, the encoder and the decoder, no I/O.
//!
//! A message is a header of 16 bytes (type, length with the header, flags, peer id, process id; little-endian) and its
//! data, at most 16384 bytes in all (tmux's compat/imsg.h: `IMSG_HEADER_SIZE`, `MAX_IMSGSIZE`). Strings end with NUL. The
//! types of messages are those of tmux's tmux-protocol.h (`PROTOCOL_VERSION`, `enum msgtype`), and did not change from tmux
//! 3.2 to 3.8.

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
///
/// `tty` is the terminal we claim to run in, `""` for none. To find what is "current" for a command the server looks
/// for the pane with that terminal, from the first pane on and for every command, so naming the first pane's terminal
/// ends the search at once.
pub(crate) fn push_opening(
    out: &mut Vec<u8>,
    pid: i32,
    tty: &str,
    argv: &[impl AsRef<str>],
) -> Result<(), DecodeError> {
    let mut command = (argv.len() as i32).to_le_bytes().to_vec();
    for argument in argv {
        command.extend_from_slice(argument.as_ref().as_bytes());
        command.push(0);
    }
    let longest = command.len().max(tty.len() + 1) + HEADER;
    if longest > MAX_MESSAGE {
        return Err(DecodeError::Length(longest));
    }
    let flags = FLAG_UTF8.to_le_bytes();
    push(out, send::LONGFLAGS, &[&flags]);
    push(out, send::LONGFLAGS, &[&flags]);
    push(out, send::TERM, &[b"xterm\0"]);
    push(out, send::FEATURES, &[&0i32.to_le_bytes()]);
    push(out, send::TTYNAME, &[tty.as_bytes(), b"\0"]);
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
    if !matches!(kind, 12 | 203 | 204 | 210 | 300 | 303 | 304 | 306) {
        return Err(DecodeError::Type(kind));
    }
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_opening_is_what_was_verified_byte_for_byte() {
        let mut out = Vec::new();
        push_opening(&mut out, 0x0102_0304, "", &["list-sessions", "-F", "x y"]).unwrap();
        let header = |kind: u32, length: u16| {
            let mut header = kind.to_le_bytes().to_vec();
            header.extend(length.to_le_bytes());
            header.extend([0, 0, 8, 0, 0, 0, 255, 255, 255, 255]);
            header
        };
        let mut expected = Vec::new();
        for _ in 0..2 {
            expected.extend(header(111, 24));
            expected.extend([0, 0, 1, 0, 0, 0, 0, 0]);
        }
        expected.extend(header(101, 22));
        expected.extend(b"xterm\0");
        expected.extend(header(109, 20));
        expected.extend([0; 4]);
        expected.extend(header(102, 17));
        expected.push(0);
        expected.extend(header(108, 18));
        expected.extend(b"/\0");
        expected.extend(header(107, 20));
        expected.extend([4, 3, 2, 1]);
        expected.extend(header(106, 16));
        expected.extend(header(200, 16 + 4 + 14 + 3 + 4));
        expected.extend([3, 0, 0, 0]);
        expected.extend(b"list-sessions\0-F\0x y\0");
        assert_eq!(out, expected);
    }

    #[test]
    fn a_command_too_long_for_a_message_is_refused_before_anything_is_written() {
        let mut out = Vec::new();
        let long = "x".repeat(MAX_MESSAGE);
        assert!(push_opening(&mut out, 1, "", &["display-message", &long]).is_err());
        assert!(push_opening(&mut out, 1, &long, &["display-message"]).is_err());
        assert!(out.is_empty());
    }

    /// A server's message, as bytes.
    fn encode(message: &Message) -> Vec<u8> {
        let mut out = Vec::new();
        let ints = |a: i32, b: i32| [a.to_le_bytes(), b.to_le_bytes()].concat();
        match message {
            Message::Version => push(&mut out, 12, &[]),
            Message::ReadOpen { stream, fd } => push(&mut out, 300, &[&ints(*stream, *fd), b"-\0"]),
            Message::WriteOpen { stream, fd } => push(&mut out, 303, &[&ints(*stream, *fd), &[0; 4]]),
            Message::Write { stream, data } => push(&mut out, 304, &[&stream.to_le_bytes(), data]),
            Message::WriteClose => push(&mut out, 306, &[&[0; 4]]),
            Message::Exit { status, message } => push(&mut out, 203, &[&status.to_le_bytes(), message]),
            Message::Exited => push(&mut out, 204, &[]),
            Message::Shutdown => push(&mut out, 210, &[]),
        }
        out
    }

    fn message() -> impl Strategy<Value = Message> {
        let data = || prop::collection::vec(any::<u8>(), 0..300).prop_map(Bytes::from);
        let big = prop::collection::vec(any::<u8>(), MAX_MESSAGE - HEADER - 4).prop_map(Bytes::from);
        prop_oneof![
            1 => Just(Message::Version),
            1 => any::<(i32, i32)>().prop_map(|(stream, fd)| Message::ReadOpen { stream, fd }),
            1 => any::<(i32, i32)>().prop_map(|(stream, fd)| Message::WriteOpen { stream, fd }),
            8 => (any::<i32>(), data()).prop_map(|(stream, data)| Message::Write { stream, data }),
            1 => (any::<i32>(), big).prop_map(|(stream, data)| Message::Write { stream, data }),
            1 => Just(Message::WriteClose),
            1 => (any::<i32>(), data()).prop_map(|(status, message)| Message::Exit { status, message }),
            1 => Just(Message::Exited),
            1 => Just(Message::Shutdown),
        ]
    }

    fn decode_all(buffer: &mut BytesMut, into: &mut Vec<Message>) -> Result<(), DecodeError> {
        while let Some(message) = decode(buffer)? {
            into.push(message);
        }
        Ok(())
    }

    proptest! {
        #![proptest_config(crate::tmux::properties::cases(256))]

        #[test]
        fn messages_split_anywhere_come_out_whole_and_in_order(
            messages in prop::collection::vec(message(), 0..20),
            cuts in prop::collection::vec(1usize..5000, 1..20),
        ) {
            let bytes: Vec<u8> = messages.iter().flat_map(encode).collect();
            let (mut buffer, mut decoded, mut at) = (BytesMut::new(), Vec::new(), 0);
            for cut in cuts.iter().cycle() {
                let end = (at + cut).min(bytes.len());
                buffer.extend_from_slice(&bytes[at..end]);
                at = end;
                decode_all(&mut buffer, &mut decoded).unwrap();
                if at == bytes.len() {
                    break;
                }
            }
            prop_assert_eq!(decoded, messages);
            prop_assert!(buffer.is_empty());
        }

        #[test]
        fn garbage_is_an_error_or_a_wait_and_never_more_than_it_was(
            bytes in prop::collection::vec(any::<u8>(), 0..600),
            kind in prop::option::of(prop::sample::select(vec![12u32, 203, 204, 210, 300, 303, 304, 306])),
            length in prop::option::of(0u16..700),
        ) {
            let mut bytes = bytes;
            if let (Some(kind), 6..) = (kind, bytes.len()) {
                bytes[..4].copy_from_slice(&kind.to_le_bytes());
            }
            if let (Some(length), 6..) = (length, bytes.len()) {
                bytes[4..6].copy_from_slice(&length.to_le_bytes());
            }
            let total = bytes.len();
            let mut buffer = BytesMut::from(&bytes[..]);
            let mut decoded = Vec::new();
            let result = decode_all(&mut buffer, &mut decoded);
            prop_assert!(decoded.len() * HEADER <= total);
            if result.is_ok() && buffer.len() >= HEADER {
                let length = usize::from(u16::from_le_bytes([buffer[4], buffer[5]]));
                prop_assert!(buffer.len() < length, "a whole message was left in the buffer");
            }
        }
    }
}
