//! One answer over HTTP, to this machine alone: what Prometheus asks for.
//!
//! No web framework: a request is a few lines of bounded length in a bounded time, of which one word is used, and each answer
//! ends its connection (RFC 9112). Whoever can reach the address can read it; nobody can change anything by it.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    task::JoinHandle,
    time::timeout,
};

use crate::app::metrics::source::Measures;
use crate::app::metrics::text::{Format, render};

/// Most connections at once.
const CONNECTIONS: usize = 16;

/// Longest head of a request, bytes.
const LONGEST: usize = 8 * 1024;

/// A request has come, and an answer was taken, within this time each.
const LIMIT: Duration = Duration::from_secs(5);

/// A listening socket, and the task that answers at it. Closed when it is dropped, with every connection.
#[derive(Debug)]
pub(super) struct Endpoint(JoinHandle<()>);

impl Endpoint {
    /// Opens it.
    ///
    /// # Errors
    /// When another has the port, for the most part.
    pub(super) async fn open(address: SocketAddr, measures: Measures) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        tracing::info!(%address, "Prometheus is answered");
        Ok(Self(tokio::spawn(accept(listener, measures))))
    }
}

impl Drop for Endpoint {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn accept(listener: TcpListener, measures: Measures) {
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    let mut served = tokio::task::JoinSet::new();
    loop {
        tokio::select! {
            Some(_) = served.join_next() => {}
            accepted = listener.accept() => match accepted {
                Ok((mut stream, _)) => match Arc::clone(&places).try_acquire_owned() {
                    Ok(place) => {
                        let measures = measures.clone();
                        served.spawn(async move {
                            serve(&mut stream, &measures).await.ok();
                            drop(place);
                        });
                    }
                    // Written into the socket's own buffer: nobody is waited for.
                    Err(_) => drop(stream.try_write(Answer::BUSY.head(0, None).as_bytes())),
                },
                Err(error) => {
                    tracing::debug!(%error, "a connection cannot be accepted");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            },
        }
    }
}

async fn serve(stream: &mut TcpStream, measures: &Measures) -> io::Result<()> {
    let (answer, format, with_body) = match timeout(LIMIT, read_head(stream)).await {
        Err(_) => (Answer::LATE, Format::Prometheus, true),
        Ok(Err(error)) => return Err(error),
        Ok(Ok(None)) => (Answer::LONG, Format::Prometheus, true),
        Ok(Ok(Some(head))) => answer(&head),
    };
    let mut body = answer.text.as_bytes().to_vec();
    let mut media = None;
    if answer == Answer::MEASURES {
        let Some(now) = measures.now().await else { return Ok(()) };
        body = render(&now.families, format).into_bytes();
        media = Some(format.media_type());
    }
    let mut bytes = answer.head(body.len(), media).into_bytes();
    if with_body {
        bytes.extend(body);
    }
    timeout(LIMIT, async {
        stream.write_all(&bytes).await?;
        stream.shutdown().await?;
        // What was sent and not read would make the kernel throw the answer away on its way (RFC 9112, 9.6).
        let mut rest = [0; 1024];
        for _ in 0..64 {
            if stream.read(&mut rest).await? == 0 {
                break;
            }
        }
        Ok(())
    })
    .await
    .unwrap_or(Ok(()))
}

/// The request's head; `None`: it is too long.
async fn read_head(stream: &mut TcpStream) -> io::Result<Option<Vec<u8>>> {
    let mut head = Vec::new();
    let mut chunk = [0; 1024];
    loop {
        let read = stream.read(&mut chunk).await?;
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        // The end may lie on both sides of where the chunks meet.
        let from = head.len().saturating_sub(3);
        head.extend_from_slice(&chunk[..read]);
        if let Some(end) = memchr::memmem::find(&head[from..], b"\r\n\r\n") {
            head.truncate(from + end);
            return Ok((head.len() <= LONGEST).then_some(head));
        }
        if head.len() > LONGEST {
            return Ok(None);
        }
    }
}

/// An answer without its body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Answer {
    status: &'static str,
    text: &'static str,
}

impl Answer {
    const MEASURES: Self = Self { status: "200 OK", text: "" };
    const ROOT: Self = Self { status: "200 OK", text: "tmux-orc: the measures are at /metrics\n" };
    const BAD: Self = Self { status: "400 Bad Request", text: "no request that is understood\n" };
    const FOREIGN: Self = Self { status: "403 Forbidden", text: "this is answered to its own machine alone\n" };
    const NOTHING: Self = Self { status: "404 Not Found", text: "there is /metrics\n" };
    const METHOD: Self = Self { status: "405 Method Not Allowed", text: "there are GET and HEAD\n" };
    const LATE: Self = Self { status: "408 Request Timeout", text: "the request did not come in time\n" };
    const LONG: Self = Self { status: "431 Request Header Fields Too Large", text: "the request is too long\n" };
    const BUSY: Self = Self { status: "503 Service Unavailable", text: "" };
    const VERSION: Self = Self { status: "505 HTTP Version Not Supported", text: "there is HTTP/1.1\n" };

    fn head(self, length: usize, media: Option<&str>) -> String {
        let media = media.unwrap_or("text/plain; charset=utf-8");
        let allow = if self == Self::METHOD { "Allow: GET, HEAD\r\n" } else { "" };
        let status = self.status;
        format!(
            "HTTP/1.1 {status}\r\nContent-Type: {media}\r\nContent-Length: {length}\r\n{allow}Cache-Control: no-store\r\n\
             X-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n"
        )
    }
}

/// What a head is answered: with which format, and whether the body is sent as well.
fn answer(head: &[u8]) -> (Answer, Format, bool) {
    let plain = |answer| (answer, Format::Prometheus, true);
    let Ok(head) = std::str::from_utf8(head) else { return plain(Answer::BAD) };
    let mut lines = head.split("\r\n");
    let words: Vec<&str> = lines.next().unwrap_or_default().split(' ').collect();
    let [method, target, version] = words[..] else { return plain(Answer::BAD) };
    let is_token = !method.is_empty() && method.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b'-');
    match version.strip_prefix("HTTP/") {
        Some("1.0" | "1.1") if is_token => {}
        Some(number) if is_token && number.starts_with(|c: char| c.is_ascii_digit()) => return plain(Answer::VERSION),
        _ => return plain(Answer::BAD),
    }
    let (mut host, mut accept) = (None, String::new());
    for line in lines {
        let Some((name, value)) = line.split_once(':') else { return plain(Answer::BAD) };
        if name.eq_ignore_ascii_case("host") {
            // Two of them are a trick (RFC 9112, 3.2).
            if host.replace(value.trim()).is_some() {
                return plain(Answer::BAD);
            }
        } else if name.eq_ignore_ascii_case("accept") {
            accept.push_str(value);
            accept.push(',');
        }
    }
    // A page in a browser can give its own name the address of this machine, and would read along.
    if host.is_some_and(|host| !is_here(host)) {
        return plain(Answer::FOREIGN);
    }
    let path = path_of(target);
    let answer = match path {
        "/metrics" => Answer::MEASURES,
        "/" => Answer::ROOT,
        _ => Answer::NOTHING,
    };
    let with_body = method != "HEAD";
    if answer != Answer::NOTHING && !matches!(method, "GET" | "HEAD") {
        return plain(Answer::METHOD);
    }
    (answer, wanted(&accept), with_body)
}

/// The path of a request's target, which may be a whole address.
fn path_of(target: &str) -> &str {
    let path = match target.strip_prefix("http://") {
        Some(rest) => rest.find('/').map_or("/", |at| &rest[at..]),
        None => target,
    };
    path.split(['?', '#']).next().unwrap_or_default()
}

/// Whether this is a name of this machine's own, whatever the port.
fn is_here(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.rsplit_once(':').map_or(host, |(name, _)| name),
    };
    name.eq_ignore_ascii_case("localhost") || name.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// OpenMetrics where it is wanted at least as much as plain text (RFC 9110, 12.5.1).
fn wanted(accept: &str) -> Format {
    let quality = |media: &str| {
        let each = accept.split(',').filter_map(|range| {
            let mut parts = range.split(';').map(str::trim);
            let name = parts.next()?;
            let weight = parts.find_map(|part| part.strip_prefix("q=")?.parse::<f32>().ok()).unwrap_or(1.0);
            name.eq_ignore_ascii_case(media).then_some(weight)
        });
        each.fold(0.0_f32, f32::max)
    };
    let open = quality("application/openmetrics-text");
    if open > 0.0 && open >= quality("text/plain") { Format::OpenMetrics } else { Format::Prometheus }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(head: &str) -> &'static str {
        &answer(head.replace('\n', "\r\n").as_bytes()).0.status[..3]
    }

    #[test]
    fn each_request_has_its_answer() {
        for (head, expected) in [
            ("GET /metrics HTTP/1.1\nHost: 127.0.0.1:9788", "200"),
            ("GET /metrics?x=1 HTTP/1.1\nHost: localhost:9788", "200"),
            ("GET http://localhost:9788/metrics HTTP/1.1\nHost: localhost", "200"),
            ("HEAD /metrics HTTP/1.1\nhOsT: [::1]:9788", "200"),
            ("GET / HTTP/1.0", "200"),
            ("GET /metrics/ HTTP/1.1\nHost: 127.0.0.1", "404"),
            ("POST /x HTTP/1.1\nHost: 127.0.0.1", "404"),
            ("POST /metrics HTTP/1.1\nHost: 127.0.0.1", "405"),
            ("DELETE / HTTP/1.1\nHost: 127.0.0.1", "405"),
            ("GET /metrics HTTP/1.1\nHost: evil.example", "403"),
            ("GET /metrics HTTP/1.1\nHost: 127.0.0.1.evil.example", "403"),
            ("GET /metrics HTTP/1.1\nHost: 127.0.0.1\nHost: localhost", "400"),
            ("GET /metrics HTTP/1.1\nno colon", "400"),
            ("GET /metrics HTTP/2.0\nHost: 127.0.0.1", "505"),
            ("GET /metrics", "400"),
            ("GET  /metrics HTTP/1.1", "400"),
            ("", "400"),
            ("\u{16}\u{3}\u{1} x HTTP/1.1", "400"),
        ] {
            assert_eq!(status(head), expected, "{head:?}");
        }
        assert_eq!(answer(b"GET /\xff HTTP/1.1").0, Answer::BAD);
        assert!(!answer(b"HEAD /metrics HTTP/1.1").2 && answer(b"GET /metrics HTTP/1.1").2);
        assert!(Answer::METHOD.head(0, None).contains("\r\nAllow: GET, HEAD\r\n"));
    }

    proptest::proptest! {
        /// Whatever comes, one of the answers is given, and measures only to a request for them.
        #[test]
        fn no_request_breaks_anything(head in proptest::collection::vec(proptest::num::u8::ANY, 0..200), text in ".{0,80}") {
            for head in [head, text.replace('\n', "\r\n").into_bytes(), format!("GET /{text} HTTP/1.1\r\nHost: {text}").into_bytes()] {
                let (given, ..) = answer(&head);
                proptest::prop_assert!(given != Answer::MEASURES || head.starts_with(b"GET /metrics") || head.starts_with(b"HEAD"));
            }
        }
    }

    #[test]
    fn openmetrics_is_given_when_it_is_asked_for() {
        let prometheus = "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,\
                          text/plain;version=0.0.4;q=0.5,*/*;q=0.1";
        assert_eq!(wanted(prometheus), Format::OpenMetrics);
        for plain in [
            "",
            "*/*",
            "text/plain",
            "text/html",
            "application/openmetrics-text;q=0",
            "application/openmetrics-text;q=0.2,text/plain",
        ] {
            assert_eq!(wanted(plain), Format::Prometheus, "{plain}");
        }
    }
}
