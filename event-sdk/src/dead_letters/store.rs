//! `DeadLetterStore`: the trait of what keeps dead letters.

use std::fmt;

use event_sdk_core::transport::{Completion, Error};

use super::letter::DeadLetter;

/// Keeps dead letters: a JetStream stream, a database table, memory, a closure.
///
/// The consumer acknowledges the event after [`put`](Self::put) has succeeded. A letter that cannot
/// be written is an outage: the consumer keeps the event, and tries again. It waits for a `put` for 30
/// seconds at most; then it drops the future, and tries again as after an error. A panic of `put`, or
/// of its future, is an error too.
pub trait DeadLetterStore: fmt::Debug + Send + Sync + 'static {
    /// Stores the letter.
    ///
    /// It is idempotent: a letter that is stored already (the same consumer, event and redrive
    /// number) is not stored again, and the result is `Ok`. It completes when the letter is stored
    /// durably.
    ///
    /// Not cancel-safe: after dropping the future, the letter may be stored or not. Storing it again
    /// is safe.
    ///
    /// # Errors
    ///
    /// Errors of the store; the letter may have been stored if [`Error::outcome`] says so.
    fn put(&self, letter: &DeadLetter) -> Completion<Result<(), Error>>;

    /// Checks, before a consumer starts, that its letters can be stored. The default accepts every
    /// consumer.
    ///
    /// Cancel-safe: it changes nothing.
    ///
    /// # Errors
    ///
    /// The error says what is missing, and what to do about it.
    fn verify(&self, consumer: &str) -> Completion<Result<(), Error>> {
        let _ = consumer;
        Completion::ready(Ok(()))
    }
}
