//! A future that may have its answer already.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

/// A future that may have its answer already: what a transport in this process
/// answers takes no allocation and no second poll.
///
/// It is as cancel-safe as the work behind it; the [`Transport`](super::Transport)
/// contract says what dropping it means.
///
/// # Panics
///
/// When it is polled after it has given its answer, as async blocks do.
pub struct Answer<T>(State<T>);

enum State<T> {
    Ready(Option<T>),
    Pending(Pin<Box<dyn Future<Output = T> + Send>>),
}

impl<T> Answer<T> {
    /// An answer that is known.
    #[inline]
    pub const fn ready(answer: T) -> Self {
        Self(State::Ready(Some(answer)))
    }

    /// An answer that comes later.
    pub fn later(future: impl Future<Output = T> + Send + 'static) -> Self {
        Self(State::Pending(Box::pin(future)))
    }

    /// The answer if it is known, the rest otherwise.
    ///
    /// # Errors
    ///
    /// The answer itself, to be awaited, when it is not known yet.
    #[inline]
    pub fn try_into_ready(self) -> Result<T, Self> {
        match self.0 {
            State::Ready(Some(answer)) => Ok(answer),
            state => Err(Self(state)),
        }
    }
}

// The value is moved out, never pinned; the boxed future is pinned in its box.
impl<T> Unpin for Answer<T> {}

impl<T> Future for Answer<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        match &mut self.0 {
            State::Ready(answer) => match answer.take() {
                Some(answer) => Poll::Ready(answer),
                None => polled_again(),
            },
            State::Pending(future) => future.as_mut().poll(cx),
        }
    }
}

/// To wait once more would be to wait for ever, which nobody would notice.
#[expect(
    clippy::panic,
    reason = "a mistake in the program, as for an async block"
)]
fn polled_again() -> ! {
    panic!("an Answer was polled after it had given its answer")
}

impl<T> fmt::Debug for Answer<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            State::Ready(_) => "Answer(ready)",
            State::Pending(_) => "Answer(later)",
        })
    }
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use super::*;

    fn poll<T>(answer: &mut Answer<T>) -> Poll<T> {
        Pin::new(answer).poll(&mut Context::from_waker(Waker::noop()))
    }

    #[test]
    fn an_answer_comes_once() {
        let mut ready = Answer::ready(7);
        assert_eq!(format!("{ready:?}"), "Answer(ready)");
        assert_eq!(poll(&mut ready), Poll::Ready(7));
        let mut later = Answer::later(std::future::ready(8));
        assert_eq!(format!("{later:?}"), "Answer(later)");
        assert_eq!(poll(&mut later), Poll::Ready(8));
        assert_eq!(Answer::ready(9).try_into_ready().ok(), Some(9));
        let later = Answer::later(std::future::ready(8)).try_into_ready();
        assert_eq!(poll(&mut later.unwrap_err()), Poll::Ready(8));
    }

    #[test]
    #[should_panic(expected = "after it had given its answer")]
    fn an_answer_that_is_polled_again_does_not_hang() {
        let mut ready = Answer::ready(7);
        let _ = poll(&mut ready);
        let _ = poll(&mut ready);
    }
}
