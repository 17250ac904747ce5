//! `NatsOptions`: timeouts, limits, credentials, prefixes and `Management` of a connection.

mod auth;
mod limits;
mod reconnect;
mod servers;
mod tls;

use std::path::PathBuf;
use std::time::Duration;

pub(super) use auth::Auth;
pub(super) use limits::Limits;
pub(super) use reconnect::Reconnect;
pub(super) use servers::Servers;
pub(super) use tls::Tls;

use auth::Secret;

use event_sdk_core::transport::{Error, ErrorKind, Operation};

/// How to connect to NATS, and what the transport may do there.
///
/// Begin with [`Nats::options`](super::Nats::options). What contradicts itself
/// is the error of [`Nats::connect`](super::Nats::connect). No secret that is
/// given here is ever shown.
///
/// ```
/// use std::time::Duration;
/// use event_sdk::transport::nats::Nats;
///
/// let options = Nats::options("tls://one.example:4222,tls://two.example:4222")
///     .name("billing")
///     .credentials_file("/run/secrets/billing.creds")
///     .ca_file("/etc/billing/ca.pem")
///     .max_in_flight(4096)
///     .ping_interval(Duration::from_secs(5));
/// # let _ = options;
/// ```
#[derive(Debug, Clone)]
#[must_use = "nothing is connected before `Nats::connect` has these options"]
pub struct NatsOptions {
    pub(super) servers: Servers,
    pub(super) only_given_servers: bool,
    pub(super) auth: Option<Auth>,
    pub(super) tls: Tls,
    pub(super) name: Option<String>,
    pub(super) inbox_prefix: String,
    pub(super) api_prefix: String,
    pub(super) management: Management,
    pub(super) connect_timeout: Duration,
    pub(super) connect_within: Duration,
    pub(super) request_timeout: Duration,
    pub(super) ping_interval: Duration,
    pub(super) reconnect: Reconnect,
    pub(super) limits: Limits,
    pub(super) inactive: Duration,
    pub(super) max_pull_bytes: u64,
}

/// Whether the transport may look at streams and consumers, and change them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Management {
    /// What is asked for is done.
    #[default]
    Allowed,
    /// No call of the JetStream API is made but the one that fetches messages:
    /// streams and consumers exist already, and the user may have no permission
    /// to look at them. What would need a call answers an error that says so.
    Never,
}

impl NatsOptions {
    /// How long connecting to one server may take unless set.
    pub const DEFAULT_CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
    /// How long the server may take to answer a request unless set.
    pub const DEFAULT_REQUEST_TIMEOUT: Duration = Duration::from_secs(5);
    /// How often the server is asked whether it is there, unless set; the
    /// connection counts as lost when two of these were not answered.
    pub const DEFAULT_PING_INTERVAL: Duration = Duration::from_secs(10);
    /// How long a publish waits for a connection unless set: less than the
    /// publish timeout of a bus, so that it can say that nothing was sent.
    pub const DEFAULT_CONNECTION_WAIT: Duration = Duration::from_secs(4);
    /// How long the ack of a publish is awaited at the most, unless set.
    pub const DEFAULT_ACK_TIMEOUT: Duration = Duration::from_secs(10);
    /// How many publishes may wait for their acks at a time unless set.
    pub const DEFAULT_MAX_IN_FLIGHT: usize = 1024;
    /// After how long a group or an ephemeral consumer that nobody asks for
    /// messages is removed by the server, unless set.
    pub const DEFAULT_INACTIVE_THRESHOLD: Duration = Duration::from_secs(5 * 60);
    /// How many bytes a subscription may ask for and not have taken unless set: 16 MiB, a
    /// quarter of what a server holds for a connection unless configured (`max_pending`,
    /// 64 MB).
    pub const DEFAULT_MAX_PULL_BYTES: u64 = 16 * 1024 * 1024;

    pub(super) fn new(servers: impl AsRef<str>) -> Self {
        Self {
            servers: Servers::new(servers.as_ref()),
            only_given_servers: false,
            auth: None,
            tls: Tls::default(),
            name: None,
            inbox_prefix: "_INBOX".to_owned(),
            api_prefix: API_PREFIX.to_owned(),
            management: Management::Allowed,
            connect_timeout: Self::DEFAULT_CONNECT_TIMEOUT,
            connect_within: Duration::ZERO,
            request_timeout: Self::DEFAULT_REQUEST_TIMEOUT,
            ping_interval: Self::DEFAULT_PING_INTERVAL,
            reconnect: Reconnect::default(),
            limits: Limits {
                in_flight: Self::DEFAULT_MAX_IN_FLIGHT,
                ack: Self::DEFAULT_ACK_TIMEOUT,
                connection: Self::DEFAULT_CONNECTION_WAIT,
            },
            inactive: Self::DEFAULT_INACTIVE_THRESHOLD,
            max_pull_bytes: Self::DEFAULT_MAX_PULL_BYTES,
        }
    }

    /// Connects to the given servers only, not to others of their cluster that
    /// they announce: for clusters whose own addresses cannot be reached.
    pub fn only_given_servers(mut self) -> Self {
        self.only_given_servers = true;
        self
    }

    /// Connects as a user with a password.
    pub fn user(mut self, name: impl Into<String>, password: impl Into<String>) -> Self {
        self.auth = Some(Auth::User {
            name: name.into(),
            password: Secret::new(password),
        });
        self
    }

    /// Connects with a token.
    pub fn token(mut self, token: impl Into<String>) -> Self {
        self.auth = Some(Auth::Token(Secret::new(token)));
        self
    }

    /// Connects with an NKey; `seed` begins with `SU`.
    pub fn nkey(mut self, seed: impl Into<String>) -> Self {
        self.auth = Some(Auth::NKey(Secret::new(seed)));
        self
    }

    /// Connects with a credentials file, as `nsc` writes it. It is read each
    /// time that a connection is made, so that it may be replaced.
    pub fn credentials_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.auth = Some(Auth::CredentialsFile(path.into()));
        self
    }

    /// Connects with what stands in a credentials file.
    pub fn credentials(mut self, text: impl Into<String>) -> Self {
        self.auth = Some(Auth::Credentials(Secret::new(text)));
        self
    }

    /// Connects with TLS only, even where the server would do without. So does
    /// a server's URL that begins with `tls://`.
    pub fn tls(mut self) -> Self {
        self.tls.required = true;
        self
    }

    /// Trusts the certificate authorities in this PEM file, and others given
    /// with the same call, instead of those of the operating system. Asks for TLS.
    pub fn ca_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.tls.required = true;
        self.tls.authorities.push(path.into());
        self
    }

    /// Shows the server this certificate (a chain in a PEM file) with its key
    /// (PEM). Asks for TLS. They are read each time that a connection is made,
    /// so that they may be replaced.
    pub fn client_certificate(
        mut self,
        certificate: impl Into<PathBuf>,
        key: impl Into<PathBuf>,
    ) -> Self {
        self.tls.required = true;
        self.tls.client = Some((certificate.into(), key.into()));
        self
    }

    /// Begins with TLS at once, for servers with `handshake_first`. Asks for TLS.
    pub fn tls_first(mut self) -> Self {
        self.tls.required = true;
        self.tls.first = true;
        self
    }

    /// What the connection is called on the server.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Under which prefix answers come: `_INBOX` unless set. The user needs the
    /// permission to subscribe to `<prefix>.>`.
    pub fn inbox_prefix(mut self, prefix: impl Into<String>) -> Self {
        self.inbox_prefix = prefix.into();
        self
    }

    /// The JetStream domain where the streams are.
    pub fn domain(mut self, domain: impl AsRef<str>) -> Self {
        self.api_prefix = format!("$JS.{}.API", domain.as_ref());
        self
    }

    /// The prefix of the JetStream API, where it is imported from another
    /// account under another: `$JS.API` unless set.
    pub fn api_prefix(mut self, prefix: impl Into<String>) -> Self {
        self.api_prefix = prefix.into();
        self
    }

    /// Whether the transport may look at streams and consumers and change them.
    pub fn management(mut self, management: Management) -> Self {
        self.management = management;
        self
    }

    /// How long connecting to one server may take.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// Tries to connect for at least this long before it fails, for services
    /// that may start before their server: not at all again unless set. Wrong
    /// credentials are an error at once.
    pub fn connect_within(mut self, time: Duration) -> Self {
        self.connect_within = time;
        self
    }

    /// How long the server may take to answer a request.
    pub fn request_timeout(mut self, timeout: Duration) -> Self {
        self.request_timeout = timeout;
        self
    }

    /// How often the server is asked whether it is there.
    pub fn ping_interval(mut self, interval: Duration) -> Self {
        self.ping_interval = interval;
        self
    }

    /// How long to wait between attempts to connect anew: `first`, and twice as
    /// long after each round over all servers, up to `longest`; of each wait up
    /// to a half is left out at random. 100 ms up to 4 s unless set.
    pub fn reconnect_delay(mut self, first: Duration, longest: Duration) -> Self {
        self.reconnect.first = first;
        self.reconnect.longest = longest;
        self
    }

    /// After how many failed attempts in a row the connection is given up and
    /// the transport closed: never unless set. Zero means never.
    pub fn max_reconnects(mut self, attempts: usize) -> Self {
        self.reconnect.attempts = attempts;
        self
    }

    /// How many publishes may wait for their acks at a time; others wait for
    /// their turn. Zero is taken as one.
    pub fn max_in_flight(mut self, publishes: usize) -> Self {
        self.limits.in_flight = publishes.max(1);
        self
    }

    /// How long the ack of a publish that was sent is awaited at the most: ten
    /// seconds unless set. The publish timeout of a bus counts too; where that is
    /// longer, set this as well.
    pub fn ack_timeout(mut self, timeout: Duration) -> Self {
        self.limits.ack = timeout;
        self
    }

    /// How long a publish waits for a connection before it fails with
    /// [`Disconnected`](ErrorKind::Disconnected), having sent nothing.
    pub fn connection_wait(mut self, time: Duration) -> Self {
        self.limits.connection = time;
        self
    }

    /// After how long a group or an ephemeral consumer that nobody asks for
    /// messages is removed by the server; it waits for what is to be settled too.
    ///
    /// That is how long the consumer of a program that was killed stays, and how
    /// long all members of a group may be away and find it again. It is a part of
    /// a group: its members need the same.
    pub fn inactive_threshold(mut self, threshold: Duration) -> Self {
        self.inactive = threshold;
        self
    }

    /// How many bytes a subscription may ask for and not have taken, headers and subjects
    /// included; where it takes more than one message ahead.
    ///
    /// A server sends what was asked for as fast as it can, and takes a connection that
    /// does not get rid of it for a slow consumer: beyond its `max_pending` it ends the
    /// connection, and what was on its way comes again after the ack wait. So keep this
    /// well below `max_pending`, for all subscriptions of the connection together. A
    /// message that has no room in the share of its request comes alone, which takes two
    /// round trips.
    pub fn max_pull_bytes(mut self, bytes: u64) -> Self {
        self.max_pull_bytes = bytes;
        self
    }

    /// Whether it can be so; what has to be read from files is read later.
    pub(super) fn check(&self) -> Result<(), Error> {
        for (what, prefix) in [
            ("inbox prefix", &self.inbox_prefix),
            ("JetStream API prefix", &self.api_prefix),
        ] {
            if let Some(why) = bad_prefix(prefix) {
                return Err(refused(format!("{prefix:?} cannot be the {what}: {why}")));
            }
        }
        for (what, time) in [
            ("connect timeout", self.connect_timeout),
            ("request timeout", self.request_timeout),
            ("ping interval", self.ping_interval),
            ("ack timeout", self.limits.ack),
            ("inactive threshold", self.inactive),
        ] {
            if time.is_zero() {
                return Err(refused(format!(
                    "the {what} is zero, which leaves no time for anything; make it longer"
                )));
            }
        }
        if self.max_pull_bytes == 0 {
            return Err(refused(
                "no bytes may be asked for, which would bring no message; allow more",
            ));
        }
        Ok(())
    }
}

/// What the subjects of the JetStream API begin with, unless another domain or
/// account has it.
pub(super) const API_PREFIX: &str = "$JS.API";

/// Why a text cannot stand before subjects.
fn bad_prefix(prefix: &str) -> Option<&'static str> {
    let foreign = |c: char| c.is_whitespace() || c.is_control();
    if prefix.split('.').any(str::is_empty) {
        Some("it has an empty token")
    } else if prefix.contains(foreign) {
        Some("it has white space or a control character")
    } else if prefix.contains(['*', '>']) {
        Some("it has a wildcard")
    } else {
        None
    }
}

fn refused(reason: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidOption, Operation::Configure, reason)
}
