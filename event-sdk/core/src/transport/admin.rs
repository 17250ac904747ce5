//! `StreamAdmin` and `ConsumerAdmin`: optional abilities to find, inspect, create, change and
//! delete streams and consumers.

use super::{Completion, Error, StreamChange};
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
///   it as of any [gap](super::NoticeKind::Gap).
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

/// Looks after the consumers of streams.
pub trait ConsumerAdmin: Send + Sync {
    /// Removes a consumer. What it had not handled stays in the stream, and its subscriptions
    /// end with [`ErrorKind::ConsumerNotFound`](super::ErrorKind::ConsumerNotFound).
    fn delete(&self, stream: &str, consumer: &str) -> Completion<Result<(), Error>>;
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
