//! `ServerUrl`: one server's URL, taken apart, and shown without anything that may be a secret.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

/// A URL as it was given, in parts. Nothing is decoded.
#[derive(Clone, Copy)]
pub(super) struct ServerUrl<'a> {
    scheme: &'a str,
    /// What stands before the last `@` of the authority.
    pub(super) user: Option<&'a str>,
    host: &'a str,
    port: Option<&'a str>,
    /// What stands behind the authority, with the `/`, `?` or `#`.
    tail: &'a str,
}

/// Why a URL names no server. `Display` shows nothing of the URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum UrlFault {
    Scheme,
    /// Behind the address comes an `@`: a password with `/`, `?` or `#`, or a query with `@`.
    Unescaped,
    Tail,
    Port,
    Host,
}

impl<'a> ServerUrl<'a> {
    pub(super) fn split(url: &'a str) -> Self {
        let (scheme, rest) = url
            .split_once("://")
            // Behind one of these it is a part of a password.
            .filter(|(scheme, _)| !scheme.contains([':', '@', '/', '?', '#']))
            .unwrap_or(("nats", url));
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, tail) = rest.split_at(end);
        // A password may have an `@` that is not escaped.
        let (user, address) = match authority.rsplit_once('@') {
            Some((user, address)) => (Some(user), address),
            None => (None, authority),
        };
        let ipv6 = address.starts_with('[');
        let (host, port) = match address.rsplit_once(':') {
            Some((host, port)) if !ipv6 || host.ends_with(']') => (host, Some(port)),
            _ => (address, None),
        };
        Self {
            scheme,
            user,
            host,
            port,
            tail,
        }
    }

    pub(super) fn is_secure(&self) -> bool {
        ["tls", "nats+tls"].contains(&&*self.scheme.to_ascii_lowercase())
    }

    /// `scheme://host:port`, if the URL names a server.
    pub(super) fn address(&self) -> Result<String, UrlFault> {
        if !["nats", "tls", "nats+tls"].contains(&&*self.scheme.to_ascii_lowercase()) {
            return Err(UrlFault::Scheme);
        }
        if self.tail.contains('@') {
            return Err(UrlFault::Unescaped);
        }
        if self.has_tail() {
            return Err(UrlFault::Tail);
        }
        if self.port.is_some_and(|port| !is_port(port)) {
            return Err(UrlFault::Port);
        }
        if !is_host(self.host) {
            return Err(UrlFault::Host);
        }
        let scheme = if self.is_secure() { "tls" } else { "nats" };
        let port = self.port.unwrap_or("4222");
        Ok(format!("{scheme}://{}:{port}", self.host))
    }

    /// Whether the host may be a token, to which somebody forgot to add `@host`.
    pub(super) fn may_be_token(&self) -> bool {
        let host = self.host;
        let has_domain = host.trim_end_matches('.').contains('.') || host.starts_with('[');
        if has_domain || host.eq_ignore_ascii_case("localhost") {
            // The first label of a JWT or of a seed.
            return super::masked::looks_secret(host);
        }
        let is_random =
            host.len() >= 20 && host.bytes().any(|b| !b.is_ascii_lowercase() && b != b'-');
        self.port.is_none() || is_random
    }

    /// Whether nothing of the authority can be told from a secret.
    fn is_unclear(&self) -> bool {
        self.tail.contains('@')
            || self.port.is_some_and(|port| !is_port(port))
            || !is_host(self.host)
            || (self.port.is_none() && self.has_tail())
            || self.may_be_token()
    }

    fn has_tail(&self) -> bool {
        !["", "/"].contains(&self.tail)
    }
}

/// Schemes that are shown: others may be a part of a secret.
const SCHEMES: [&str; 11] = [
    "nats", "tls", "nats+tls", "ws", "wss", "http", "https", "tcp", "ssl", "amqp", "kafka",
];

impl fmt::Display for ServerUrl<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = self.scheme.to_ascii_lowercase();
        let known = SCHEMES.contains(&&*scheme);
        f.write_str(if known { &scheme } else { "…" })?;
        f.write_str("://")?;
        if self.is_unclear() {
            return f.write_str("…");
        }
        f.write_str(self.host)?;
        if let Some(port) = self.port {
            write!(f, ":{port}")?;
        }
        if self.has_tail() {
            f.write_str("…")?;
        }
        Ok(())
    }
}

impl fmt::Display for UrlFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Scheme => "its scheme is not known here",
            Self::Unescaped => "an `@` comes after a `/`, `?` or `#`; in a password, write these as `%2F`, `%3F` and `%23`",
            Self::Tail => "a path, query or fragment follows the address; credentials belong before it, as `user:password@`, or into the options",
            Self::Port => "the port is not a number up to 65535; credentials belong before the host, as `user:password@host`",
            Self::Host => "the host is neither a name nor an address",
        })
    }
}

fn is_port(text: &str) -> bool {
    let digits = (1..=5).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    digits && text.parse::<u16>().is_ok()
}

fn is_host(text: &str) -> bool {
    if let Some(inside) = text.strip_prefix('[') {
        let address = inside.strip_suffix(']').unwrap_or_default();
        return address.parse::<Ipv6Addr>().is_ok();
    }
    let label = |label: &str| {
        let known = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
        (1..=63).contains(&label.len()) && label.bytes().all(known)
    };
    let name = text.strip_suffix('.').unwrap_or(text);
    text.parse::<Ipv4Addr>().is_ok() || (name.len() <= 253 && name.split('.').all(label))
}
