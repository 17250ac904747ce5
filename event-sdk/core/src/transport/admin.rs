//! `StreamAdmin` and `ConsumerAdmin`: optional abilities to find, inspect, create, change and
//! delete streams and consumers.

use super::{Completion, Error, StreamChange};
use crate::stream::StreamConfig;
use crate::subject::Pattern;
use crate::text::Text;

/// Finds, creates and changes streams.
///
/// - Only [`apply`](Self::apply) creates or changes a stream. The stream then matches the
///   configuration, and the result says what was changed.
/// - Applying an unchanged configuration has no effect.
/// - Refused with [`ErrorKind::InvalidOption`](super::ErrorKind::InvalidOption), without any
///   change: an invalid configuration, a subject of another stream, another storage for an
///   existing stream, and a change to or from a work queue.
/// - What a stream that discards the old has no room for under its new limits is
///   dropped, as if it had become full; a consumer that had not read it hears of
///   it as of any [gap](super::NoticeKind::Gap).
/// - Messages under a subject that the stream no longer has stay, for consumers with a matching
///   filter.
/// - Consumers, sequences and settings that the configuration does not name stay unchanged.
pub trait StreamAdmin: Send + Sync {
    /// The streams that store a subject which `pattern` matches.
    fn find(&self, pattern: &Pattern) -> Completion<Result<Vec<Text>, Error>>;

    /// A stream's configuration and current counts.
    fn state(&self, stream: &str) -> Completion<Result<StreamState, Error>>;

    /// Creates the stream, or changes it to match `config`.
    fn apply(&self, config: &StreamConfig) -> Completion<Result<StreamChange, Error>>;
}

/// Manages the consumers of streams.
pub trait ConsumerAdmin: Send + Sync {
    /// Deletes a consumer. Unhandled messages stay in the stream, and its subscriptions end with
    /// [`ErrorKind::ConsumerNotFound`](super::ErrorKind::ConsumerNotFound).
    fn delete(&self, stream: &str, consumer: &str) -> Completion<Result<(), Error>>;
}

/// A stream's configuration and current counts.
#[derive(Debug, Clone, PartialEq)]
pub struct StreamState {
    /// The configuration.
    pub config: StreamConfig,
    /// Number of messages.
    pub messages: u64,
    /// Bytes of subjects, headers and bodies; handed-over values count with what is known of
    /// them.
    pub bytes: u64,
    /// Sequence of the oldest message, or the next sequence if there is none.
    pub first_sequence: u64,
    /// Sequence of the newest message ever stored; zero if there was none.
    pub last_sequence: u64,
    /// Number of consumers. In a cluster, the count may lag behind consumers that were just
    /// created or deleted.
    pub consumers: usize,
}
