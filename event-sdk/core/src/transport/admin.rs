//! Abilities for those who look after streams and consumers: a deployment, an operator.

use super::{Completion, ConsumerChange, ConsumerConfig, Difference, Error, StreamChange};
use crate::stream::StreamConfig;
use crate::subject::Pattern;
use crate::text::Text;

/// Finds, creates and changes streams.
///
/// - A stream is created or changed by [`apply`](Self::apply) and
///   by nothing else. It then is what the configuration says, and the answer
///   says what was changed.
/// - Applying what is there already changes nothing.
/// - A configuration that cannot be, a subject that another stream stores, another
///   storage for a stream that exists, and that it becomes or ceases to be a work queue
///   are refused ([`ErrorKind::InvalidOption`](super::ErrorKind::InvalidOption)), and nothing is changed.
/// - What a stream that discards the old has no room for under its new limits is
///   dropped, as if it had become full; a consumer that had not read it hears of
///   it as of any [gap](super::Incoming::Gap).
/// - What was stored under a subject that is not the stream's any more stays,
///   for the consumers that want it.
/// - Consumers, sequences and everything else that the configuration does not
///   name stay as they are.
pub trait StreamAdmin: Send + Sync {
    /// The streams that store some subject that `pattern` matches.
    fn find(&self, pattern: &Pattern) -> Completion<Result<Vec<Text>, Error>>;

    /// What a stream is and holds now.
    fn state(&self, stream: &str) -> Completion<Result<StreamState, Error>>;

    /// Creates the stream of this name, or changes it to be as `config` says.
    fn apply(&self, config: &StreamConfig) -> Completion<Result<StreamChange, Error>>;
}

/// Looks at, creates, changes and removes the consumers of streams.
///
/// - A durable is created or changed by [`apply`](Self::apply), and keeps its position: what
///   it has acknowledged is not delivered again, and what is unsettled stays so.
/// - A message that matches the new filters alone and lies behind the last message that the
///   consumer has delivered is delivered if the consumer has not passed it already; one that lies
///   before that is not.
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

    /// Removes a consumer. What it had not handled stays in the stream, and its subscriptions
    /// end with [`ErrorKind::ConsumerNotFound`](super::ErrorKind::ConsumerNotFound).
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

/// What a stream is and holds.
#[derive(Debug, Clone, PartialEq)]
pub struct StreamState {
    /// How it is configured.
    pub config: StreamConfig,
    /// How many messages it holds.
    pub messages: u64,
    /// How many bytes of subjects, headers and bodies; a value that was handed
    /// over counts only what is known of it.
    pub bytes: u64,
    /// The sequence of the oldest message; the next one's if there is none.
    pub first_sequence: u64,
    /// The sequence of the newest message ever stored; zero if there was none.
    pub last_sequence: u64,
    /// How many consumers it has; where several servers keep it, one that has just
    /// come or gone may not be known to the one that counts.
    pub consumers: usize,
}
