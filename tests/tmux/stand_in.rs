//! Stand-ins for a tmux server and for the tmux program, which do what real ones only do when something is wrong.

use std::{
    io::{Read, Write},
    os::unix::net::{UnixListener, UnixStream},
    path::{Path, PathBuf},
};

/// One message of the client protocol.
pub fn message(kind: u32, data: &[u8]) -> Vec<u8> {
    let mut out = kind.to_le_bytes().to_vec();
    out.extend(u16::try_from(16 + data.len()).unwrap().to_le_bytes());
    out.extend([0, 0, 8, 0, 0, 0, 255, 255, 255, 255]);
    out.extend_from_slice(data);
    out
}

pub fn exit(status: i32) -> Vec<u8> {
    message(203, &status.to_le_bytes())
}

/// The whole messages in these bytes, as type and data.
pub fn frames(mut bytes: &[u8]) -> Vec<(u32, Vec<u8>)> {
    let mut frames = Vec::new();
    while bytes.len() >= 16 {
        let kind = u32::from_le_bytes(bytes[..4].try_into().unwrap());
        let length = usize::from(u16::from_le_bytes(bytes[4..6].try_into().unwrap()));
        if length < 16 || bytes.len() < length {
            break;
        }
        frames.push((kind, bytes[16..length].to_vec()));
        bytes = &bytes[length..];
    }
    frames
}

/// Answers each connection at this socket with one call of `serve`, in a thread that ends with the process.
pub fn serve(socket: &Path, serve: impl Fn(&mut UnixStream) + Send + 'static) {
    let listener = UnixListener::bind(socket).unwrap();
    std::thread::spawn(move || {
        while let Ok((mut stream, _)) = listener.accept() {
            serve(&mut stream);
        }
    });
}

/// Reads until the command to run has come.
pub fn read_opening(stream: &mut UnixStream) {
    let mut bytes = Vec::new();
    let mut chunk = [0; 4096];
    while !frames(&bytes).iter().any(|(kind, _)| *kind == 200) {
        match stream.read(&mut chunk) {
            Ok(read @ 1..) => bytes.extend_from_slice(&chunk[..read]),
            _ => return,
        }
    }
}

/// Writes in pieces of this size.
pub fn write_in_pieces(stream: &mut UnixStream, bytes: &[u8], size: usize) {
    for piece in bytes.chunks(size) {
        if stream.write_all(piece).and_then(|()| stream.flush()).is_err() {
            return;
        }
    }
}

/// A program that behaves as this shell script.
pub fn program(directory: &Path, script: &str) -> PathBuf {
    let path = directory.join("tmux-stand-in");
    // A new file each time: one that is being run cannot be written over.
    let _ = std::fs::remove_file(&path);
    crate::executable::write_program(&path, &format!("#!/bin/sh\n{script}\n"));
    path
}

/// A program that answers the question for the version and, to anything else, prints its arguments.
pub fn program_of_version(directory: &Path, version: &str, pid: u32) -> PathBuf {
    let script = format!(
        "case \"$*\" in *'#{{version}}'*) echo '{version} {pid}';; *) shift 3; printf 'spawned %s\\n' \"$*\";; esac"
    );
    program(directory, &script)
}
