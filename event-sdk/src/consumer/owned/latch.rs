//! `Latch`: the signal to end, which stays complete once it has completed.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

/// The signal: once it has completed, it is complete for every ownership that is still to end.
pub(super) struct Latch<'a, F> {
    signal: Pin<&'a mut F>,
    is_complete: bool,
}

impl<'a, F> Latch<'a, F> {
    pub(super) fn new(signal: Pin<&'a mut F>) -> Self {
        Self {
            signal,
            is_complete: false,
        }
    }
}

impl<F: Future<Output = ()>> Future for Latch<'_, F> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        this.is_complete = this.is_complete || this.signal.as_mut().poll(cx).is_ready();
        if this.is_complete {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    }
}
