//! `StreamAdmin` and `ConsumerAdmin`: optional abilities to find, inspect, create, change and
//! delete streams and consumers.

use super::{Completion, ConsumerChange, ConsumerConfig, Difference, Error, StreamChange};
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

/// Looks at, creates, changes and removes the consumers of streams.
///
/// - A durable is created or changed by [`apply`](Self::apply), and keeps its position: what
///   it has acknowledged is not delivered again, and what is unsettled stays so.
/// - A message that only the new filters match is delivered if its sequence is higher than the last
///   one that the consumer delivered, and the consumer has not passed it yet. Earlier messages are
///   not delivered.
/// - Another ack wait holds from the next delivery on.
/// - Where a consumer starts matters only when it is created, and is not changed.
/// - What cannot be changed is refused
///   ([`ErrorKind::ConsumerMismatch`](super::ErrorKind::ConsumerMismatch)), as are filters that match nothing
///   that the stream stores ([`ErrorKind::InvalidSubject`](super::ErrorKind::InvalidSubject)) and a consumer
///   that is no durable ([`ErrorKind::InvalidOption`](super::ErrorKind::InvalidOption)); nothing is changed then.
pub trait ConsumerAdmin: Send + Sync {
    /// What a consumer is, and where it is in its stream.
    fn info(&self, stream: &str, consumer: &str) -> Completion<Result<ConsumerInfo, Error>>;

    /// Creates the durable of this name, or changes it to be as `config` says.
    fn apply(
        &self,
        stream: &str,
        config: &ConsumerConfig,
    ) -> Completion<Result<ConsumerChange, Error>>;

    /// Deletes a consumer. Unhandled messages stay in the stream, and its subscriptions end with
    /// [`ErrorKind::ConsumerNotFound`](super::ErrorKind::ConsumerNotFound).
    fn delete(&self, stream: &str, consumer: &str) -> Completion<Result<(), Error>>;
}

/// What a consumer is, and where it is in its stream.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct ConsumerInfo {
    /// How it is configured.
    pub config: ConsumerConfig,
    /// Settings that `config` has no words for, and in which the consumer is not what a
    /// subscription can bind; a consumer that pushes, for example.
    pub foreign: Vec<Difference>,
    /// The sequence of the stream up to which it has delivered messages, or passed those that
    /// are not for it; zero if it has not begun.
    pub delivered: u64,
    /// The sequence of the stream up to which everything that it has delivered is settled.
    pub acknowledged: u64,
    /// How many messages are delivered and not settled.
    pub ack_pending: u64,
    /// How many of those were delivered more than once.
    pub redelivered: u64,
    /// How many messages it has still to deliver for the first time.
    pub pending: u64,
    /// How many requests for messages wait at the server; `None` where there is no server.
    pub waiting: Option<u64>,
}

impl ConsumerInfo {
    /// A consumer that has not begun and has nothing to deliver.
    #[must_use]
    pub fn new(config: ConsumerConfig) -> Self {
        Self {
            config,
            foreign: Vec::new(),
            delivered: 0,
            acknowledged: 0,
            ack_pending: 0,
            redelivered: 0,
            pending: 0,
            waiting: None,
        }
    }
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
