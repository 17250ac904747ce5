//! `Code`: the stable names of what `doctor` finds, each with its severity.

use std::fmt;

use serde::{Serialize, Serializer};

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Severity {
    /// Events do not arrive, or get lost.
    Error,
    /// It works, and will not in some case.
    Warning,
    /// Worth knowing. Notes alone are no reason for the exit code 1.
    Note,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Note => "note",
        })
    }
}

macro_rules! codes {
    ($($code:ident $name:literal $severity:ident $means:literal)+) => {
        /// What `doctor` can find. Programs may rely on the names; docs/troubleshooting.md has a row
        /// for each.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Code { $($code),+ }

        impl Code {
            pub(crate) const ALL: &'static [Self] = &[$(Self::$code),+];

            pub(crate) const fn name(self) -> &'static str {
                match self { $(Self::$code => $name),+ }
            }

            pub(crate) const fn severity(self) -> Severity {
                match self { $(Self::$code => Severity::$severity),+ }
            }

            /// What it means, in a few words.
            pub(crate) const fn means(self) -> &'static str {
                match self { $(Self::$code => $means),+ }
            }
        }
    };
}

codes! {
    ConfigMissing "config-missing" Error "a setting that is needed is not set"
    ConfigUnknownKey "config-unknown-key" Error "a setting has an unknown name"
    ConfigInvalid "config-invalid" Error "the value of a setting is not allowed, or contradicts another"
    ConfigUnreadable "config-unreadable" Error "the configuration cannot be read"
    NoTransport "no-transport" Warning "events leave no process: memory, discard or refuse is configured"
    ServerUnreachable "server-unreachable" Error "no connection to a server"
    CredentialsRefused "credentials-refused" Error "the server refuses the login"
    TlsFailed "tls-failed" Error "no secure connection: a certificate or authority is wrong"
    JetStreamMissing "jetstream-missing" Error "the server or account has no JetStream"
    CertificateExpired "certificate-expired" Error "a certificate of the connection has expired"
    CertificateExpiring "certificate-expiring" Warning "a certificate of the connection expires within 14 days"
    ConnectionNotSecure "connection-not-secure" Note "the connection has no TLS"
    PermissionMissing "permission-missing" Error "the user may not do what the set-up needs"
    PermissionScattered "permission-scattered" Warning "no single line of the user's permissions covers a declared one"
    PermissionTooLarge "permission-too-large" Warning "the user may publish or receive everything"
    UserUnknown "user-unknown" Note "the server does not say who the user is and what it may do"
    ClockSkew "clock-skew" Warning "the clocks of server and this machine differ"
    NoTopology "no-topology" Note "the program declares no topology, so that little can be compared"
    StreamMissing "stream-missing" Error "a declared stream does not exist"
    StreamDrift "stream-drift" Warning "a stream or bucket has other settings than declared"
    StreamOverlap "stream-overlap" Error "another stream stores subjects of a declared one"
    StreamFull "stream-full" Error "a stream is full and refuses events"
    StreamNearlyFull "stream-nearly-full" Warning "a stream will soon be full and refuse events"
    StreamEmpty "stream-empty" Note "no event was ever stored in a stream"
    StreamUnlimited "stream-unlimited" Warning "a stream has no limit, and grows until the disk is full"
    OneReplica "one-replica" Warning "a stream in a cluster has a single replica"
    MemoryStorage "memory-storage" Warning "a stream is lost with the process of its server"
    WindowTooSmall "duplicate-window-small" Warning "the duplicate window is shorter than retries may take"
    PrefixMismatch "prefix-mismatch" Error "no stream stores subjects under the prefix of this program"
    AccountFull "account-full" Warning "the account has nearly no storage or memory left"
    BucketMissing "bucket-missing" Error "the bucket for coordination does not exist"
    DeadLetters "dead-letters" Warning "there are dead letters"
    ConsumerMissing "consumer-missing" Error "a declared durable does not exist"
    ConsumerDrift "consumer-drift" Warning "a durable has other settings than declared"
    ConsumerForeign "consumer-foreign" Error "a durable has settings that no subscription can use"
    ConsumerPaused "consumer-paused" Error "a durable is paused, and delivers nothing"
    ConsumerUnattended "consumer-unattended" Error "events wait, and no process asks for them"
    AckPendingFull "ack-pending-full" Error "no event is delivered before one is settled"
    ConsumerLag "consumer-lag" Warning "more than 1,000 events are not settled"
    ConsumerRedelivers "consumer-redelivers" Warning "handlers fail, or are slower than the ack wait"
    FilterMatchesNothing "filter-matches-nothing" Error "a filter cannot match the stored subjects"
    FilterUnused "filter-unused" Note "a filter matches no stored event so far"
    FiniteMaxDeliver "finite-max-deliver" Warning "the server gives events up after some deliveries"
    MonitorUnreachable "monitor-unreachable" Error "the monitoring endpoint does not answer"
    MonitorUnreadable "monitor-unreadable" Error "the monitoring endpoint is not one of a NATS server"
    MonitorIncomplete "monitor-incomplete" Warning "an answer of the monitoring endpoint is too large or too late to be read"
    ServerUnhealthy "server-unhealthy" Error "the server says that it is not healthy, or does not say whether it is"
    SyncInterval "sync-interval" Warning "confirmed events are on disk only later, and a power cut loses them"
    ServerMemoryHigh "server-memory-high" Warning "the server uses much memory"
    ServerStorageHigh "server-storage-high" Warning "the server has nearly no storage left"
    SlowConsumers "slow-consumers" Note "the server has cut off clients that read too slowly"
    NoAuthentication "no-authentication" Warning "everybody may connect to the server"
    NoClients "no-clients" Note "no client is connected to the server"
    PeerOffline "peer-offline" Error "a server of the cluster is away"
}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}
