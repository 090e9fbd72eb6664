//! One POST to a collector on this machine (RFC 9112), and what its answer means (OTLP/HTTP).

use std::{io, time::Duration};

use jiff::Timestamp;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use crate::app::metrics::otlp::environment::{Form, Signal};

/// Longest head of an answer that is read, bytes.
const LONGEST: usize = 16 * 1024;

/// What became of what was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sent {
    /// It was taken.
    Taken,
    /// It may be taken later, after this time if the collector says it.
    Later(Option<Duration>),
    /// It is lost, and why.
    Lost(String),
}

/// Sends it.
pub async fn post(signal: &Signal, body: Vec<u8>) -> Sent {
    match timeout(signal.timeout, exchange(signal, body)).await {
        Err(_) => Sent::Lost(format!("no answer within {} ms", signal.timeout.as_millis())),
        Ok(Err(error)) => Sent::Lost(error.to_string()),
        Ok(Ok(head)) => meaning(&head, Timestamp::now()),
    }
}

async fn exchange(signal: &Signal, body: Vec<u8>) -> io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect(signal.address.address).await?;
    let content = match signal.form {
        Form::Protobuf => "application/x-protobuf",
        Form::Json => "application/json",
    };
    let mut request = format!(
        "POST {} HTTP/1.1\r\nHost: {}\r\nContent-Type: {content}\r\nContent-Length: {}\r\n\
         User-Agent: OTel-OTLP-Exporter-tmux-orc/{}\r\nConnection: close\r\n",
        signal.address.path,
        signal.address.authority,
        body.len(),
        env!("CARGO_PKG_VERSION"),
    );
    for (name, value) in &signal.headers {
        request.push_str(&format!("{name}: {value}\r\n"));
    }
    request.push_str("\r\n");
    let mut bytes = request.into_bytes();
    bytes.extend(body);
    stream.write_all(&bytes).await?;
    let mut head = Vec::new();
    let mut chunk = [0; 1024];
    loop {
        let read = stream.read(&mut chunk).await?;
        head.extend_from_slice(&chunk[..read]);
        if let Some(end) = memchr::memmem::find(&head, b"\r\n\r\n") {
            head.truncate(end);
            return Ok(head);
        }
        if read == 0 || head.len() > LONGEST {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "its answer is no HTTP"));
        }
    }
}

fn meaning(head: &[u8], now: Timestamp) -> Sent {
    let head = String::from_utf8_lossy(head);
    let mut lines = head.split("\r\n");
    let status = lines.next().and_then(|line| line.strip_prefix("HTTP/1.")?.split(' ').nth(1)?.parse::<u16>().ok());
    match status {
        Some(200..=299) => Sent::Taken,
        Some(429 | 503) => {
            let header = |line: &str| {
                let (name, value) = line.split_once(':')?;
                name.eq_ignore_ascii_case("retry-after").then(|| value.trim().to_owned())
            };
            Sent::Later(lines.find_map(header).and_then(|value| after(&value, now)))
        }
        Some(status) => Sent::Lost(format!("it answered {status}")),
        None => Sent::Lost("its answer is no HTTP".to_owned()),
    }
}

/// `Retry-After`: seconds, or a moment (RFC 9110, 10.2.3).
fn after(value: &str, now: Timestamp) -> Option<Duration> {
    if let Ok(seconds) = value.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let at = jiff::fmt::rfc2822::parse(value).ok()?.timestamp();
    Some(Duration::try_from(at.duration_since(now)).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_means_what_the_protocol_says() {
        let now: Timestamp = "2015-10-21T07:27:30Z".parse().unwrap();
        let of = |head: &str| meaning(head.replace('\n', "\r\n").as_bytes(), now);
        assert_eq!(of("HTTP/1.1 200 OK"), Sent::Taken);
        assert_eq!(of("HTTP/1.0 202 Accepted"), Sent::Taken);
        assert_eq!(
            of("HTTP/1.1 429 Too Many Requests\nX: y\nretry-after:  7 "),
            Sent::Later(Some(Duration::from_secs(7)))
        );
        let date = "HTTP/1.1 503 Service Unavailable\nRetry-After: Wed, 21 Oct 2015 07:28:00 GMT";
        assert_eq!(of(date), Sent::Later(Some(Duration::from_secs(30))));
        assert_eq!(of(&date.replace("2015", "2014").replace("Wed", "Tue")), Sent::Later(Some(Duration::ZERO)));
        for unknown in ["HTTP/1.1 503 Service Unavailable", "HTTP/1.1 503 x\nRetry-After: soon"] {
            assert_eq!(of(unknown), Sent::Later(None));
        }
        for lost in [
            "HTTP/1.1 400 Bad Request",
            "HTTP/1.1 404 x",
            "HTTP/1.1 302 Found\nLocation: http://evil",
            "HTTP/1.1 500 x",
        ] {
            assert!(matches!(of(lost), Sent::Lost(why) if why.starts_with("it answered")), "{lost}");
        }
        assert!(matches!(of("SSH-2.0-OpenSSH"), Sent::Lost(_)) && matches!(of(""), Sent::Lost(_)));
    }
}
