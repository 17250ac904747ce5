//! `AccountUsage`: what the streams of an account store and reserve, and the limits of the account.

/// The bytes that the streams of an account store and reserve, and the limits of the account.
///
/// Fields may be added: start with [`default`](Self::default), which has neither streams nor limits.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct AccountUsage {
    /// Streams on disk.
    pub file: SpaceUsage,
    /// Streams in the memory of a server.
    pub memory: SpaceUsage,
    /// Number of streams. On a server, each bucket is one too.
    pub streams: u64,
    /// Maximum number of streams; `None`: no limit, or none that the server tells.
    pub max_streams: Option<u64>,
    /// Limits of each stream and consumer, in an account without tiers.
    pub limits: AccountLimits,
    /// What streams with each number of replicas use, and their limits, in an account whose limits depend
    /// on it; the numbers above have no limits then. Otherwise empty.
    pub tiers: Vec<AccountTier>,
}

impl AccountUsage {
    /// The limits of each stream with this number of replicas and of its consumers; `None` if the
    /// account may have no such stream.
    #[must_use]
    pub fn limits_of(&self, replicas: u8) -> Option<&AccountLimits> {
        if self.tiers.is_empty() {
            return Some(&self.limits);
        }
        let mut tiers = self.tiers.iter();
        let tier = tiers.find(|tier| tier.replicas == replicas)?;
        Some(&tier.limits)
    }
}

/// What streams with a number of replicas use, and their limits.
///
/// Fields may be added: start with [`default`](Self::default).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct AccountTier {
    /// The number of replicas.
    pub replicas: u8,
    /// Streams on disk. The limit is for bytes without their replicas.
    pub file: SpaceUsage,
    /// Streams in the memory of a server. The limit is for bytes without their replicas.
    pub memory: SpaceUsage,
    /// Number of streams.
    pub streams: u64,
    /// Maximum number of streams; `None`: no limit.
    pub max_streams: Option<u64>,
    /// Limits of each stream and consumer.
    pub limits: AccountLimits,
}

/// Limits of each stream and consumer of an account.
///
/// Fields may be added: start with [`default`](Self::default), which has no limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct AccountLimits {
    /// Whether each stream has to have a maximum of bytes.
    pub max_bytes_required: bool,
    /// The largest maximum of bytes of a stream on disk; `None`: no limit.
    pub file_stream_bytes: Option<u64>,
    /// The same of a stream in the memory of a server.
    pub memory_stream_bytes: Option<u64>,
    /// The largest maximum of unsettled deliveries of a consumer; `None`: no limit.
    pub max_ack_pending: Option<u64>,
}

/// The space of one kind of storage that an account uses.
///
/// Fields may be added: start with [`default`](Self::default).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct SpaceUsage {
    /// Bytes that are stored, of all replicas.
    pub used: u64,
    /// The sum of the streams' [`max_bytes`](crate::stream::StreamSpec::max_bytes), without their
    /// replicas, as a server reports it. Each replica reserves this number of bytes. A stream
    /// without this limit reserves nothing. (NATS server 2.10 takes one byte off for each of
    /// these.)
    pub reserved: u64,
    /// Maximum of reserved or stored bytes; `None`: no limit, or none that the server tells. A NATS
    /// server tells the limits of the account, and not those of its own configuration.
    pub limit: Option<u64>,
}
