//! Settings of a stream: limits, discard policy, retention, storage, compression, deduplication.

use std::num::NonZeroU64;
use std::time::Duration;

/// Limits of a stream; `None` means no limit.
///
/// Fields may be added: start with [`default`](Self::default), which has no limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Limits {
    /// Maximum number of messages.
    pub messages: Option<NonZeroU64>,
    /// Maximum number of messages of each subject. Beyond this number, the oldest message of the
    /// subject is dropped.
    pub messages_per_subject: Option<NonZeroU64>,
    /// Maximum bytes of subjects, headers and bodies.
    pub bytes: Option<NonZeroU64>,
    /// Maximum age of messages.
    pub age: Option<Duration>,
    /// Maximum bytes of headers and body of one message.
    pub message_size: Option<NonZeroU64>,
    /// What a full stream does.
    pub discard: Discard,
}

impl Limits {
    /// No limit, as by default.
    pub const UNLIMITED: Self = Self {
        messages: None,
        messages_per_subject: None,
        bytes: None,
        age: None,
        message_size: None,
        discard: Discard::Old,
    };
}

/// What happens when a stream is full.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Discard {
    /// Drops the oldest message.
    #[default]
    Old,
    /// Refuses the new message.
    New,
}

/// When a stream drops messages that are within its limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Retention {
    /// Never: only the limits apply.
    #[default]
    Limits,
    /// When every matching consumer has acknowledged or terminated the message. A message without
    /// a matching consumer is not stored.
    Interest,
    /// When one consumer has acknowledged or terminated the message. The filters of the consumers
    /// must not overlap, so each subject has at most one consumer.
    WorkQueue,
}

/// Where a server stores the messages of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Storage {
    /// On disk: they survive a restart.
    #[default]
    File,
    /// In memory: they are lost when every replica has stopped.
    Memory,
}

/// Compression on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Compression {
    /// None.
    #[default]
    None,
    /// With S2, a faster kind of Snappy (NATS server 2.10).
    S2,
}

/// How a stream recognizes duplicates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deduplication {
    /// How long message ids are remembered; zero: not at all.
    pub window: Duration,
    /// Maximum number of remembered ids, on transports that can limit it.
    pub capacity: usize,
}

impl Deduplication {
    /// Two minutes (JetStream's default) and 100,000 ids.
    pub const DEFAULT: Self = Self {
        window: Duration::from_secs(120),
        capacity: 100_000,
    };
}

impl Default for Deduplication {
    /// As [`Deduplication::DEFAULT`].
    fn default() -> Self {
        Self::DEFAULT
    }
}
