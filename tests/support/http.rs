//! A small HTTP server of a test's own, which keeps what it is sent.

use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    sync::mpsc,
    thread,
};

use super::PATIENCE;

/// What it was sent.
#[derive(Clone, Debug)]
pub struct HttpRequest {
    /// `POST /path HTTP/1.1`.
    pub line: String,
    headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl HttpRequest {
    /// The value of a header, whatever the case of its name.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    /// The body as JSON.
    #[track_caller]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The fields of a form.
    #[track_caller]
    pub fn form(&self) -> Vec<(String, String)> {
        let text = String::from_utf8(self.body.clone()).expect("a form is ASCII");
        let pair = |pair: &str| {
            let (name, value) = pair.split_once('=').expect("a field");
            (decoded(name), decoded(value))
        };
        text.split('&').map(pair).collect()
    }
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let hex: Vec<u8> = rest.by_ref().take(2).collect();
                u8::from_str_radix(std::str::from_utf8(&hex).expect("hex"), 16).expect("hex")
            }
            byte => byte,
        });
    }
    String::from_utf8(bytes).expect("UTF-8")
}

/// The server. It answers until the test ends.
pub struct HttpServer {
    /// Its address, `http://127.0.0.1:PORT`.
    pub address: String,
    requests: mpsc::Receiver<HttpRequest>,
}

impl HttpServer {
    /// One that answers with this status and text.
    pub fn answering(status: &'static str, text: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = format!("http://{}", listener.local_addr().expect("an address"));
        let (tell, requests) = mpsc::channel();
        thread::spawn(move || {
            for stream in listener.incoming().filter_map(Result::ok) {
                let Some(request) = read(stream, status, text) else { continue };
                if tell.send(request).is_err() {
                    return;
                }
            }
        });
        Self { address, requests }
    }

    /// The next request.
    #[track_caller]
    pub fn next(&self) -> HttpRequest {
        self.requests.recv_timeout(PATIENCE).expect("a request")
    }

    /// Whether there was none that [`HttpServer::next`] did not give.
    pub fn is_quiet(&self) -> bool {
        self.requests.try_recv().is_err()
    }
}

fn read(mut stream: TcpStream, status: &str, text: &str) -> Option<HttpRequest> {
    let mut bytes = Vec::new();
    let mut chunk = [0; 4096];
    let (head, body) = loop {
        let read = stream.read(&mut chunk).ok().filter(|read| *read > 0)?;
        bytes.extend_from_slice(&chunk[..read]);
        let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else { continue };
        let head = String::from_utf8(bytes[..end].to_vec()).expect("a head of text");
        let length = head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
        if bytes.len() >= end + 4 + length.unwrap_or(0_usize) {
            break (head, bytes[end + 4..].to_vec());
        }
    };
    let answer = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{text}", text.len());
    stream.write_all(answer.as_bytes()).ok()?;
    let mut lines = head.lines();
    let line = lines.next()?.to_owned();
    let headers =
        lines.filter_map(|line| line.split_once(": ")).map(|(name, value)| (name.to_owned(), value.to_owned()));
    Some(HttpRequest { line, headers: headers.collect(), body })
}
