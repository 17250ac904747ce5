//! `NatsOptions`: timeouts, limits, credentials, prefixes and `Management` of a connection.

mod auth;
mod check;
mod limits;
mod masked;
mod reconnect;
mod servers;
mod shown;
mod tls;
mod url;

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

pub use auth::{LoginError, NatsLogin};

pub(super) use auth::Auth;
pub(super) use limits::Limits;
pub(super) use masked::FreeText;
pub(super) use reconnect::Reconnect;
use servers::Resolved;
pub(super) use servers::{Address, Servers};
pub(super) use shown::Link;
pub(super) use tls::Tls;

use auth::{Login, LoginCallback, Secret, SecretKind};
use masked::FilePath;

use event_sdk_core::transport::{Error, ErrorKind, Operation};

/// Options of a connection to NATS.
///
/// [`Nats::options`](super::Nats::options) creates them. [`Nats::connect`](super::Nats::connect)
/// returns an error for contradictory options. `Debug` and errors never show secrets.
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
#[derive(Clone)]
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

/// Whether the transport may use the JetStream API to inspect and change streams and consumers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Management {
    /// The transport makes all requests that an operation needs.
    #[default]
    Allowed,
    /// The transport makes no request to the JetStream API except to fetch messages. Streams and
    /// consumers must exist. The user needs no other permission for the JetStream API. Operations
    /// that need other requests return an error.
    ///
    /// Without these requests, the transport does not know the subjects of the stream, nor the
    /// position of the consumer when a subscription begins. So a subscription reports a gap only if
    /// its filter is `>` and the gap occurs while it runs. It reports the number of missing
    /// messages as "at most".
    Never,
}

impl NatsOptions {
    /// Default timeout of one connection attempt to one server.
    pub const DEFAULT_CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
    /// Default timeout of a request to the server.
    pub const DEFAULT_REQUEST_TIMEOUT: Duration = Duration::from_secs(5);
    /// Default interval of pings. The connection counts as lost after two unanswered pings.
    pub const DEFAULT_PING_INTERVAL: Duration = Duration::from_secs(10);
    /// Default time that a publish waits for a connection. It is less than the publish timeout of a
    /// bus, so that the publish fails with the error "not sent" before that timeout.
    pub const DEFAULT_CONNECTION_WAIT: Duration = Duration::from_secs(4);
    /// Default maximum wait for the confirmation of a publish.
    pub const DEFAULT_ACK_TIMEOUT: Duration = Duration::from_secs(10);
    /// Default maximum number of publishes in flight.
    pub const DEFAULT_MAX_IN_FLIGHT: usize = 1024;
    /// Default time after which the server deletes a group or ephemeral consumer that receives no
    /// requests and has no unsettled deliveries.
    pub const DEFAULT_INACTIVE_THRESHOLD: Duration = Duration::from_secs(5 * 60);
    /// Default maximum number of bytes that a subscription may have requested and not yet received:
    /// 16 MiB, a quarter of a server's default `max_pending` (64 MB).
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

    /// Connects only to the given servers, not to other servers that the cluster announces. Use
    /// this option if the announced addresses are unreachable.
    pub fn only_given_servers(mut self) -> Self {
        self.only_given_servers = true;
        self
    }

    /// Authenticates with user and password. Errors and logs show the name (also the logs of
    /// async-nats at the level TRACE). A name that looks like a secret is refused. An empty
    /// password is refused too.
    pub fn user(mut self, name: impl Into<String>, password: impl Into<String>) -> Self {
        self.auth = Some(Auth::Given(Login::User {
            name: name.into(),
            password: Secret::new(password),
        }));
        self
    }

    /// Authenticates with a user and the password in a file. The file contains only the password,
    /// with or without a line break at its end. The file is read at each connect and reconnect, so
    /// it can be replaced.
    pub fn user_password_file(mut self, name: impl Into<String>, path: impl Into<PathBuf>) -> Self {
        let user = name.into();
        self.auth = Some(Auth::file(SecretKind::Password { user }, path));
        self
    }

    /// Authenticates with a token.
    pub fn token(mut self, token: impl Into<String>) -> Self {
        self.auth = Some(Auth::Given(Login::Token(Secret::new(token))));
        self
    }

    /// Authenticates with the token in a file. The file is read like the password file of
    /// [`user_password_file`](Self::user_password_file).
    pub fn token_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.auth = Some(Auth::file(SecretKind::Token, path));
        self
    }

    /// Authenticates with an NKey; `seed` begins with `SU`.
    pub fn nkey(mut self, seed: impl Into<String>) -> Self {
        self.auth = Some(Auth::Given(Login::NKey(Secret::new(seed))));
        self
    }

    /// Authenticates with an NKey whose seed is in a file. The file is read like the password file
    /// of [`user_password_file`](Self::user_password_file).
    pub fn nkey_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.auth = Some(Auth::file(SecretKind::NKey, path));
        self
    }

    /// Authenticates with a credentials file as `nsc` writes it. The file is read at each connect
    /// and reconnect, so it can be replaced.
    pub fn credentials_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.auth = Some(Auth::file(SecretKind::Credentials, path));
        self
    }

    /// Authenticates with the text of a credentials file.
    pub fn credentials(mut self, text: impl Into<String>) -> Self {
        self.auth = Some(Auth::Given(Login::Credentials(Secret::new(text))));
        self
    }

    /// Authenticates with the login that `callback` returns at each connect and reconnect, for
    /// example with a secret from a vault. Each of the two connections calls the callback
    /// independently.
    ///
    /// The call is part of the attempt to connect, so [`connect_timeout`](Self::connect_timeout)
    /// limits it too. If the callback fails, the attempt fails:
    /// [`Nats::connect`](super::Nats::connect) then fails at once, and a reconnect tries again.
    /// Errors and logs show the text of the callback's error unless it looks like a secret.
    ///
    /// ```
    /// use event_sdk::transport::nats::{LoginError, Nats, NatsLogin};
    ///
    /// async fn from_vault() -> Result<NatsLogin, LoginError> {
    ///     # let password = "from the vault";
    ///     // …
    ///     Ok(NatsLogin::user("billing", password))
    /// }
    ///
    /// let options = Nats::options("tls://one.example:4222").login_from(from_vault);
    /// # let _ = options;
    /// ```
    pub fn login_from<F, Fut>(mut self, callback: F) -> Self
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<NatsLogin, LoginError>> + Send + 'static,
    {
        self.auth = Some(Auth::Callback(LoginCallback::new(callback)));
        self
    }

    /// Requires TLS. A server URL with `tls://` requires TLS too.
    pub fn tls(mut self) -> Self {
        self.tls.required = true;
        self
    }

    /// Trusts the certificate authorities in this PEM file instead of the operating system's.
    /// Several calls add up. Requires TLS.
    pub fn ca_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.tls.required = true;
        self.tls.authorities.push(FilePath::new(path));
        self
    }

    /// Presents this client certificate (a chain in a PEM file) with its key (PEM). Both files
    /// are read at each connect and reconnect, so they can be replaced. Requires TLS.
    pub fn client_certificate(
        mut self,
        certificate: impl Into<PathBuf>,
        key: impl Into<PathBuf>,
    ) -> Self {
        self.tls.required = true;
        self.tls.client = Some((FilePath::new(certificate), FilePath::new(key)));
        self
    }

    /// Starts with the TLS handshake, for servers with `handshake_first`. Requires TLS.
    pub fn tls_first(mut self) -> Self {
        self.tls.required = true;
        self.tls.first = true;
        self
    }

    /// Sets the name of the connection, which the server shows in `connz`.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Sets the prefix of inboxes. Default: `_INBOX`. The user needs permission to subscribe to
    /// `<prefix>.>`.
    pub fn inbox_prefix(mut self, prefix: impl Into<String>) -> Self {
        self.inbox_prefix = prefix.into();
        self
    }

    /// Sets the JetStream domain of the streams.
    pub fn domain(mut self, domain: impl AsRef<str>) -> Self {
        self.api_prefix = format!("$JS.{}.API", domain.as_ref());
        self
    }

    /// Sets the prefix of the JetStream API, for an API that is imported from another account.
    /// Default: `$JS.API`.
    pub fn api_prefix(mut self, prefix: impl Into<String>) -> Self {
        self.api_prefix = prefix.into();
        self
    }

    /// Sets whether the transport may inspect and change streams and consumers. Default:
    /// [`Management::Allowed`].
    pub fn management(mut self, management: Management) -> Self {
        self.management = management;
        self
    }

    /// Sets the timeout of one connection attempt to one server. Default: 5 s.
    ///
    /// Compare: `connect_timeout` limits one attempt, [`connect_within`](Self::connect_within) the
    /// retries of the first connection, and [`connection_wait`](Self::connection_wait) the time
    /// that a publish waits while the connection is lost.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// Retries the first connection, for services that may start before their server. `connect`
    /// tries all servers in rounds, and starts no further round later than this time after its
    /// call. Default: 0, no retries. Refused credentials, wrong certificates and invalid options
    /// fail at once.
    pub fn connect_within(mut self, time: Duration) -> Self {
        self.connect_within = time;
        self
    }

    /// Sets the timeout of a request to the server. Default: 5 s.
    pub fn request_timeout(mut self, timeout: Duration) -> Self {
        self.request_timeout = timeout;
        self
    }

    /// Sets the interval of pings. Default: 10 s.
    pub fn ping_interval(mut self, interval: Duration) -> Self {
        self.ping_interval = interval;
        self
    }

    /// Sets the waits between reconnect rounds; each round tries all servers. The first wait is
    /// `first`, and the wait doubles after each round, up to `longest`. Each wait is shortened at
    /// random by up to a half. Default: 100 ms up to 4 s.
    pub fn reconnect_delay(mut self, first: Duration, longest: Duration) -> Self {
        self.reconnect.first = first;
        self.reconnect.longest = longest;
        self
    }

    /// Sets how many consecutive reconnect attempts may fail before the transport is closed.
    /// Default: 0, no limit.
    pub fn max_reconnects(mut self, attempts: usize) -> Self {
        self.reconnect.attempts = attempts;
        self
    }

    /// Sets the maximum number of publishes in flight, that is, sent and not yet confirmed. Further
    /// publishes wait. Default: 1,024; zero counts as one.
    pub fn max_in_flight(mut self, publishes: usize) -> Self {
        self.limits.in_flight = publishes.max(1);
        self
    }

    /// Sets the maximum wait for the confirmation of a publish after it was sent. Default: 10 s.
    ///
    /// The publish timeout of the bus limits the whole publish. The shorter of the two timeouts
    /// ends the publish. To wait longer than 10 s, raise both.
    pub fn ack_timeout(mut self, timeout: Duration) -> Self {
        self.limits.ack = timeout;
        self
    }

    /// Sets how long a publish waits while the connection is lost. After that it fails with
    /// [`Disconnected`](ErrorKind::Disconnected), and the message is not sent. Default: 4 s.
    pub fn connection_wait(mut self, time: Duration) -> Self {
        self.limits.connection = time;
        self
    }

    /// Sets the time after which the server deletes a group or ephemeral consumer that receives no
    /// requests and has no unsettled deliveries. Default: 5 min.
    ///
    /// An ephemeral consumer of a killed program stays for this time, and a group without
    /// subscriptions does too. All subscriptions of a group need the same value.
    pub fn inactive_threshold(mut self, threshold: Duration) -> Self {
        self.inactive = threshold;
        self
    }

    /// Sets how many bytes a subscription that prefetches more than one message may have requested
    /// and not yet returned to its caller, including headers and subjects. Default: 16 MiB.
    ///
    /// A server disconnects a client as a slow consumer if more bytes wait for the client than the
    /// server's `max_pending`. The messages are then delivered again after the ack wait. Keep the
    /// sum over all subscriptions of a connection well below `max_pending`. Each request asks for a
    /// number of messages, and for a share of these bytes according to that number. A message that
    /// is larger than this share is requested again, alone. This takes two round trips.
    pub fn max_pull_bytes(mut self, bytes: u64) -> Self {
        self.max_pull_bytes = bytes;
        self
    }

    /// Checks the options and the URLs of the servers without connecting. Files are not read.
    ///
    /// [`Nats::connect`](super::Nats::connect) does this first.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidOption`].
    pub fn validate(&self) -> Result<(), Error> {
        self.check()?;
        self.resolve().map(drop)
    }

    /// The addresses of the servers, and the login, which stands in the options or in the URLs.
    pub(super) fn resolve(&self) -> Result<(Vec<Address>, Option<Auth>), Error> {
        let Resolved { addresses, login } = self.servers.resolve()?;
        let auth = match (&self.auth, login) {
            (Some(_), Some(_)) => {
                return Err(refused(
                    "both the URL and another option give a login, such as a user or a token; remove one of them",
                ));
            }
            (auth, login) => auth.clone().or(login.map(Auth::Given)),
        };
        Ok((addresses, auth))
    }
}

/// The prefix of the JetStream API's subjects, unless a JetStream domain or another account
/// provides the API.
pub(super) const API_PREFIX: &str = "$JS.API";

impl fmt::Debug for NatsOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Exhaustive, so that a new option must be added here.
        let Self {
            servers,
            only_given_servers,
            auth,
            tls,
            name,
            inbox_prefix,
            api_prefix,
            management,
            connect_timeout,
            connect_within,
            request_timeout,
            ping_interval,
            reconnect,
            limits,
            inactive,
            max_pull_bytes,
        } = self;
        f.debug_struct("NatsOptions")
            .field("servers", servers)
            .field("only_given_servers", only_given_servers)
            .field("auth", auth)
            .field("tls", tls)
            .field("name", &name.as_deref().map(FreeText::new))
            .field("inbox_prefix", &FreeText::new(inbox_prefix))
            .field("api_prefix", &FreeText::new(api_prefix))
            .field("management", management)
            .field("connect_timeout", connect_timeout)
            .field("connect_within", connect_within)
            .field("request_timeout", request_timeout)
            .field("ping_interval", ping_interval)
            .field("reconnect", reconnect)
            .field("limits", limits)
            .field("inactive", inactive)
            .field("max_pull_bytes", max_pull_bytes)
            .finish()
    }
}

fn refused(reason: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidOption, Operation::Configure, reason)
}
