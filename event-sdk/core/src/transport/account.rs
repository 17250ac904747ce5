//! `AccountUsage`: what the streams of an account store and reserve, and the limits of the account.

/// The bytes that the streams of an account store and reserve, and the limits of the account.
///
/// Fields may be added: start with [`default`](Self::default), which has neither streams nor limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
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
