//! `Completion`: a future that may already have its result, so that ready results need no
//! allocation.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

/// A future that may already have its result, which then needs no allocation and no second poll.
///
/// Cancel safety depends on the operation: see the method that returns the completion.
///
/// # Panics
///
/// Panics if it is polled after completion.
pub struct Completion<T>(State<T>);

enum State<T> {
    Ready(Option<T>),
    Pending(Pin<Box<dyn Future<Output = T> + Send>>),
}

impl<T> Completion<T> {
    /// A completion that is ready.
    #[inline]
    pub const fn ready(answer: T) -> Self {
        Self(State::Ready(Some(answer)))
    }

    /// A completion that polls `future`.
    pub fn later(future: impl Future<Output = T> + Send + 'static) -> Self {
        Self(State::Pending(Box::pin(future)))
    }

    /// Returns the result if it is ready.
    ///
    /// # Errors
    ///
    /// Returns the completion, to be awaited, if the result is not ready.
    #[inline]
    pub fn try_into_ready(self) -> Result<T, Self> {
        match self.0 {
            State::Ready(Some(answer)) => Ok(answer),
            state => Err(Self(state)),
        }
    }
}

// The value is moved out, never pinned; the boxed future is pinned in its box.
impl<T> Unpin for Completion<T> {}

impl<T> Future for Completion<T> {
    type Output = T;

    #[expect(
        clippy::panic,
        reason = "no input reaches it: only a caller that polls a future again that was ready"
    )]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        match &mut self.0 {
            State::Ready(answer) => match answer.take() {
                Some(answer) => Poll::Ready(answer),
                // Waiting would hang; futures of the standard library panic, too.
                None => panic!("`Completion` was polled after it was ready"),
            },
            State::Pending(future) => future.as_mut().poll(cx),
        }
    }
}

impl<T> fmt::Debug for Completion<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            State::Ready(_) => "Completion(ready)",
            State::Pending(_) => "Completion(later)",
        })
    }
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use super::*;

    #[test]
    fn an_answer_comes_once() {
        let mut cx = Context::from_waker(Waker::noop());
        let mut ready = Completion::ready(7);
        assert_eq!(format!("{ready:?}"), "Completion(ready)");
        assert_eq!(Pin::new(&mut ready).poll(&mut cx), Poll::Ready(7));
        let mut later = Completion::later(std::future::ready(8));
        assert_eq!(format!("{later:?}"), "Completion(later)");
        assert_eq!(Pin::new(&mut later).poll(&mut cx), Poll::Ready(8));
        assert_eq!(Completion::ready(9).try_into_ready().ok(), Some(9));
        let later = Completion::later(std::future::ready(8)).try_into_ready();
        let mut later = later.unwrap_err();
        assert_eq!(Pin::new(&mut later).poll(&mut cx), Poll::Ready(8));
    }

    #[test]
    #[should_panic(expected = "polled after it was ready")]
    fn one_that_was_ready_does_not_hang_when_it_is_polled_again() {
        let mut answer = Completion::ready(7);
        let mut cx = Context::from_waker(Waker::noop());
        assert_eq!(Pin::new(&mut answer).poll(&mut cx), Poll::Ready(7));
        let _ = Pin::new(&mut answer).poll(&mut cx);
    }
}
