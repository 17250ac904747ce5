//! `MemoryConfig` and `NatsConfig`: the settings of each transport.

use std::num::NonZeroU64;
use std::path::PathBuf;
use std::time::Duration;

use super::choice::ManagementChoice;
use super::secret::Secret;

/// The settings `memory.…`: the memory transport.
///
/// Fields may be added: start with `default()`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct MemoryConfig {
    /// The number of messages that a stream keeps if its declaration sets no limit by number. It
    /// applies to the default stream too. A subscription that is further behind gets a notice about
    /// the gap. Default: 100,000 for the default stream, no limit for declared streams.
    pub max_messages: Option<NonZeroU64>,
    /// Maximum size of a message in bytes, headers and body. Default: 1 MiB.
    pub max_payload: Option<u64>,
    /// Whether values are passed to subscribers without encoding. Default: `false`.
    pub hand_over: bool,
}

/// The settings `nats.…`: the connection to NATS. They have the names and meanings of the methods
/// of `NatsOptions`.
///
/// Fields may be added: start with `default()`.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct NatsConfig {
    /// The URLs of the servers, with commas between them. Not shown, since they may contain
    /// credentials.
    pub url: Option<Secret>,
    /// Whether to connect only to the given servers. Default: `false`.
    pub only_given_servers: bool,
    /// The name of the user.
    pub user: Option<String>,
    /// The user's password.
    pub password: Option<Secret>,
    /// The file with the user's password.
    pub password_file: Option<PathBuf>,
    /// A token.
    pub token: Option<Secret>,
    /// The file with a token.
    pub token_file: Option<PathBuf>,
    /// The seed of an NKey.
    pub nkey: Option<Secret>,
    /// The file with the seed of an NKey.
    pub nkey_file: Option<PathBuf>,
    /// The text of a credentials file.
    pub credentials: Option<Secret>,
    /// A credentials file as `nsc` writes it.
    pub credentials_file: Option<PathBuf>,
    /// Whether TLS is required. Default: `false`: the server decides, and a `tls://` URL requires
    /// TLS.
    pub tls: bool,
    /// Whether the connection starts with the TLS handshake. Default: `false`.
    pub tls_first: bool,
    /// Files with trusted certificate authorities. Default: those of the operating system.
    pub ca_file: Vec<PathBuf>,
    /// The client certificate, a chain in PEM.
    pub client_certificate_file: Option<PathBuf>,
    /// The key of the client certificate, in PEM.
    pub client_key_file: Option<PathBuf>,
    /// The name of the connection. Default: the application.
    pub name: Option<String>,
    /// The prefix of inboxes. Default: `_INBOX`.
    pub inbox_prefix: Option<String>,
    /// The JetStream domain of the streams.
    pub domain: Option<String>,
    /// The prefix of the JetStream API. Default: `$JS.API`.
    pub api_prefix: Option<String>,
    /// Whether the transport may inspect and change streams and consumers. Default: allowed.
    pub management: ManagementChoice,
    /// Timeout of one connection attempt to one server. Default: 5 s.
    pub connect_timeout: Duration,
    /// How long the first connection is retried. Default: 0, no retries.
    pub connect_within: Duration,
    /// Timeout of a request to the server. Default: 5 s.
    pub request_timeout: Duration,
    /// Interval of pings. Default: 10 s.
    pub ping_interval: Duration,
    /// The first wait between reconnect rounds. Default: 100 ms.
    pub reconnect_delay: Duration,
    /// The longest wait between reconnect rounds. Default: 4 s.
    pub reconnect_delay_max: Duration,
    /// Number of consecutive failed reconnect attempts after which the transport is closed.
    /// Default: 0, never.
    pub max_reconnects: usize,
    /// Maximum number of publishes in flight. Default: 1,024.
    pub max_in_flight: usize,
    /// Maximum wait for the confirmation of a publish. Default: 10 s.
    pub ack_timeout: Duration,
    /// How long a publish waits while the connection is lost. Default: 4 s.
    pub connection_wait: Duration,
    /// Time after which the server deletes an unused group or ephemeral consumer. Default: 5 min.
    pub inactive_threshold: Duration,
    /// Maximum number of bytes that a subscription which prefetches more than one message has requested
    /// and not received. Default: 16 MiB.
    pub max_pull_bytes: u64,
}

impl Default for NatsConfig {
    /// The defaults of `NatsOptions`, which a test compares.
    fn default() -> Self {
        Self {
            url: None,
            only_given_servers: false,
            user: None,
            password: None,
            password_file: None,
            token: None,
            token_file: None,
            nkey: None,
            nkey_file: None,
            credentials: None,
            credentials_file: None,
            tls: false,
            tls_first: false,
            ca_file: Vec::new(),
            client_certificate_file: None,
            client_key_file: None,
            name: None,
            inbox_prefix: None,
            domain: None,
            api_prefix: None,
            management: ManagementChoice::Allowed,
            connect_timeout: Duration::from_secs(5),
            connect_within: Duration::ZERO,
            request_timeout: Duration::from_secs(5),
            ping_interval: Duration::from_secs(10),
            reconnect_delay: Duration::from_millis(100),
            reconnect_delay_max: Duration::from_secs(4),
            max_reconnects: 0,
            max_in_flight: 1024,
            ack_timeout: Duration::from_secs(10),
            connection_wait: Duration::from_secs(4),
            inactive_threshold: Duration::from_secs(5 * 60),
            max_pull_bytes: 16 * 1024 * 1024,
        }
    }
}
