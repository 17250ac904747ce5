//! `ClosureDeadLetters`: passes dead letters to a closure.

use std::fmt;
use std::future::Future;

use event_sdk_core::transport::{Completion, Error, ErrorKind, Operation};

use super::letter::DeadLetter;
use super::store::DeadLetterStore;

/// Passes each letter to a closure; [`DeadLetters::with`](super::DeadLetters::with) makes it.
pub(super) struct ClosureDeadLetters<F>(pub(super) F);

impl<F, Fut, E> DeadLetterStore for ClosureDeadLetters<F>
where
    F: Fn(DeadLetter) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<(), E>> + Send + 'static,
    E: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    fn put(&self, letter: &DeadLetter) -> Completion<Result<(), Error>> {
        let stored = (self.0)(letter.clone());
        Completion::later(async move {
            stored.await.map_err(|error| {
                let reason = "the closure that takes dead letters failed";
                Error::new(ErrorKind::Other, Operation::Publish, reason)
                    .with_unknown_outcome()
                    .with_source(error)
            })
        })
    }
}

impl<F> fmt::Debug for ClosureDeadLetters<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClosureDeadLetters")
    }
}
