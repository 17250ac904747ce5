//! `ClosureDeadLetters`: passes dead letters to a closure.

use std::fmt;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};

use event_sdk_core::transport::{Completion, Error, ErrorKind, Operation};
use futures_util::FutureExt as _;

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
        // A panic is a failure of the closure alone: it would end the consumer with all its events.
        let called = catch_unwind(AssertUnwindSafe(|| (self.0)(letter.clone())));
        Completion::later(async move {
            let stored = called.map_err(|_| failed("panicked"))?;
            match AssertUnwindSafe(stored).catch_unwind().await {
                Ok(stored) => stored.map_err(|error| failed("failed").with_source(error)),
                Err(_) => Err(failed("panicked")),
            }
        })
    }
}

/// Without the text of a panic, which may hold data of the event.
fn failed(how: &str) -> Error {
    let reason = format!("the closure that takes dead letters {how}");
    Error::new(ErrorKind::Other, Operation::Publish, reason).with_unknown_outcome()
}

impl<F> fmt::Debug for ClosureDeadLetters<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClosureDeadLetters")
    }
}
