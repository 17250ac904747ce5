//! How to connect.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use crate::transport::{Error, ErrorKind, Operation};

/// How to connect to NATS: begin with [`Nats::options`](super::Nats::options).
#[derive(Debug, Clone)]
pub struct NatsOptions {
    pub(super) servers: Servers,
    pub(super) auth: Option<Auth>,
    pub(super) name: Option<String>,
    pub(super) inbox_prefix: String,
    pub(super) api_prefix: String,
    pub(super) management: Management,
    pub(super) connect_timeout: Duration,
    pub(super) request_timeout: Duration,
    pub(super) max_in_flight: usize,
}

/// Whether calls of the JetStream API are allowed that look at streams and
/// consumers, or change them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Management {
    /// What is asked for is done.
    #[default]
    Allowed,
    /// No call but to fetch messages: streams and consumers exist already, and
    /// the user may lack the permission to look at them. What needs a call
    /// answers an error that says so.
    Never,
}

/// Who connects.
#[derive(Clone)]
pub enum Auth {
    /// A user and a password.
    User {
        /// The user.
        name: String,
        /// The password.
        password: Secret,
    },
    /// A token.
    Token(Secret),
    /// The seed of an NKey (`SU…`).
    NKey(Secret),
    /// A file with a user's JWT and NKey, as `nsc` writes it.
    CredentialsFile(PathBuf),
    /// What stands in such a file.
    Credentials(Secret),
}

impl fmt::Debug for Auth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User { name, .. } => f.debug_struct("User").field("name", name).finish(),
            Self::Token(_) => f.write_str("Token(…)"),
            Self::NKey(_) => f.write_str("NKey(…)"),
            Self::CredentialsFile(path) => f.debug_tuple("CredentialsFile").field(path).finish(),
            Self::Credentials(_) => f.write_str("Credentials(…)"),
        }
    }
}

/// A text that is never shown.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// Keeps `text` out of sight.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    pub(super) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// The servers as they were given; they may have passwords in them.
#[derive(Clone)]
pub(super) struct Servers(String);

impl fmt::Debug for Servers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.shown()).finish()
    }
}

impl Servers {
    fn each(&self) -> impl Iterator<Item = &str> {
        self.0
            .split(',')
            .map(str::trim)
            .filter(|url| !url.is_empty())
    }

    /// The servers without what stands before `@`.
    pub(super) fn shown(&self) -> impl Iterator<Item = String> {
        self.each().map(|url| {
            let (scheme, rest) = url.split_once("://").unwrap_or(("nats", url));
            let host = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
            format!("{scheme}://{host}")
        })
    }

    pub(super) fn addresses(&self) -> Result<Vec<async_nats::ServerAddr>, Error> {
        let refused =
            |reason: String| Error::new(ErrorKind::InvalidOption, Operation::Configure, reason);
        let mut addresses = Vec::new();
        for (url, shown) in self.each().zip(self.shown()) {
            addresses.push(url.parse().map_err(|_| {
                refused(format!(
                    "{shown:?} is no server's URL; write `nats://host:port` or `tls://host:port`"
                ))
            })?);
        }
        if addresses.is_empty() {
            return Err(refused(
                "no server is named; write `nats://host:port`".to_owned(),
            ));
        }
        Ok(addresses)
    }
}

impl NatsOptions {
    pub(super) fn new(servers: impl AsRef<str>) -> Self {
        Self {
            servers: Servers(servers.as_ref().to_owned()),
            auth: None,
            name: None,
            inbox_prefix: "_INBOX".to_owned(),
            api_prefix: "$JS.API".to_owned(),
            management: Management::Allowed,
            connect_timeout: Duration::from_secs(5),
            request_timeout: Duration::from_secs(5),
            max_in_flight: 1024,
        }
    }

    /// Who connects.
    pub fn auth(mut self, auth: Auth) -> Self {
        self.auth = Some(auth);
        self
    }

    /// What the connection is called on the server.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Under which prefix answers come: `_INBOX` unless set.
    pub fn inbox_prefix(mut self, prefix: impl Into<String>) -> Self {
        self.inbox_prefix = prefix.into();
        self
    }

    /// Whether management calls are allowed.
    pub fn management(mut self, management: Management) -> Self {
        self.management = management;
        self
    }

    /// The JetStream domain in which the streams are.
    pub fn domain(mut self, domain: impl AsRef<str>) -> Self {
        self.api_prefix = format!("$JS.{}.API", domain.as_ref());
        self
    }

    /// The prefix of the JetStream API where it is imported under another.
    pub fn api_prefix(mut self, prefix: impl Into<String>) -> Self {
        self.api_prefix = prefix.into();
        self
    }

    /// How long connecting to one server may take: 5 s unless set.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// How long the server may take to answer a request: 5 s unless set.
    pub fn request_timeout(mut self, timeout: Duration) -> Self {
        self.request_timeout = timeout;
        self
    }
}
