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
    /// Number of streams. On a server, each bucket counts as a stream too.
    pub streams: u64,
    /// Maximum number of streams; `None`: no limit, or the server does not tell it.
    pub max_streams: Option<u64>,
    /// Limits of each stream and consumer, in an account without tiers.
    pub limits: AccountLimits,
    /// What streams use, and their limits, by number of replicas, in an account whose limits depend
    /// on this number. The fields above have no limits then. Empty in other accounts.
    pub tiers: Vec<AccountTier>,
}

impl AccountUsage {
    /// The limits of each stream with this number of replicas, and of its consumers; `None` if the
    /// account does not allow such a stream.
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

/// What the streams with one number of replicas use, and their limits.
///
/// Fields may be added: start with [`default`](Self::default).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct AccountTier {
    /// The number of replicas.
    pub replicas: u8,
    /// Streams on disk. The limit does not count replicas.
    pub file: SpaceUsage,
    /// Streams in the memory of a server. The limit does not count replicas.
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
    /// Whether each stream must have a maximum of bytes.
    pub max_bytes_required: bool,
    /// The highest maximum of bytes that a stream on disk may have; `None`: no limit.
    pub file_stream_bytes: Option<u64>,
    /// The highest maximum of bytes that a stream in the memory of a server may have; `None`: no
    /// limit.
    pub memory_stream_bytes: Option<u64>,
    /// The highest maximum of unsettled deliveries that a consumer may have; `None`: no limit.
    pub max_ack_pending: Option<u64>,
}

/// The space of one kind of storage that an account uses.
///
/// Fields may be added: start with [`default`](Self::default).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct SpaceUsage {
    /// Stored bytes, including all replicas.
    pub used: u64,
    /// The sum of the streams' [`max_bytes`](crate::stream::StreamSpec::max_bytes), as a server
    /// reports it. It does not count replicas, although each replica reserves this number of bytes.
    /// A stream without `max_bytes` reserves nothing. (NATS server 2.10 subtracts one byte for each
    /// stream without it.)
    pub reserved: u64,
    /// Maximum of reserved or stored bytes; `None`: no limit, or the server does not tell it. A
    /// NATS server tells the limits of the account, but not the limits of its own configuration.
    pub limit: Option<u64>,
}
