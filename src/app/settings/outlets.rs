//! Addresses that measures go to or are read at: of this machine alone, whatever is written.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// The port of a collector that takes OTLP over HTTP.
const OTLP_PORT: u16 = 4318;

/// An address to listen at that no other machine reaches; `None`: it is none.
#[must_use]
pub fn loopback(text: &str) -> Option<SocketAddr> {
    let address = match text.strip_prefix("localhost:") {
        Some(port) => SocketAddr::new(Ipv4Addr::LOCALHOST.into(), number(port)?),
        None => text.parse().ok()?,
    };
    address.ip().is_loopback().then_some(address)
}

/// Where a collector on this machine takes what it is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CollectorAddress {
    /// Its address.
    pub address: SocketAddr,
    /// What it is called in a request.
    pub authority: String,
    /// The path, without a slash at its end.
    pub path: String,
}

impl CollectorAddress {
    /// Reads `http://HOST[:PORT][/PATH]` of this machine; `None`: it is none.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let rest = text.strip_prefix("http://")?;
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let fits = |byte: u8| byte.is_ascii_graphic() && !b"?#".contains(&byte);
        if !text.bytes().all(fits) {
            return None;
        }
        let (host, port) = match authority.strip_prefix('[') {
            Some(rest) => {
                let (host, port) = rest.split_once(']')?;
                (host, if port.is_empty() { None } else { Some(port.strip_prefix(':')?) })
            }
            None => match authority.split_once(':') {
                Some((host, port)) => (host, Some(port)),
                None => (authority, None),
            },
        };
        let port = port.map_or(Some(OTLP_PORT), number)?;
        let ip = if host == "localhost" { IpAddr::V4(Ipv4Addr::LOCALHOST) } else { host.parse().ok()? };
        let is_one = ip.is_loopback() && (ip.is_ipv6() == authority.starts_with('['));
        is_one.then(|| Self {
            address: SocketAddr::new(ip, port),
            authority: authority.to_owned(),
            path: path.trim_end_matches('/').to_owned(),
        })
    }
}

/// A port that can be named. 0 is any port, which nobody would find.
fn number(text: &str) -> Option<u16> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?.filter(|port| *port > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_listened_at() {
        for (text, there) in [
            ("127.0.0.1:9788", Some("127.0.0.1:9788")),
            ("127.8.8.8:1", Some("127.8.8.8:1")),
            ("[::1]:9788", Some("[::1]:9788")),
            ("localhost:9788", Some("127.0.0.1:9788")),
            ("0.0.0.0:9788", None),
            ("[::]:9788", None),
            ("192.168.1.4:9788", None),
            ("[::ffff:192.168.1.4]:1", None),
            ("box:9788", None),
            (":9788", None),
            ("9788", None),
            ("localhost:", None),
            ("localhost:+80", None),
            ("localhost:0", None),
            ("localhost:99999", None),
        ] {
            assert_eq!(loopback(text).map(|address| address.to_string()).as_deref(), there, "{text}");
        }
    }

    #[test]
    fn only_collectors_of_this_machine_are_sent_to() {
        let read = |text: &str| {
            CollectorAddress::parse(text).map(|one| format!("{} {} {}", one.address, one.authority, one.path))
        };
        assert_eq!(read("http://127.0.0.1:4318").as_deref(), Some("127.0.0.1:4318 127.0.0.1:4318 "));
        assert_eq!(read("http://localhost").as_deref(), Some("127.0.0.1:4318 localhost "));
        assert_eq!(read("http://[::1]:8/otlp/").as_deref(), Some("[::1]:8 [::1]:8 /otlp"));
        for wrong in [
            "https://127.0.0.1:4318",
            "127.0.0.1:4318",
            "http://",
            "http://collector:4318",
            "http://10.0.0.1",
            "http://localhost.evil.example",
            "http://127.0.0.1@evil.example",
            "http://user@127.0.0.1",
            "http://::1/",
            "http://[127.0.0.1]",
            "http://127.0.0.1:4318?x",
            "http://127.0.0.1/a b",
            "http://127.0.0.1:-1",
            "http://[::1]4318",
        ] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}
