//! `InRuntime`: polls futures in the runtime of their connection, whatever the caller runs in.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_core::Stream;

use super::context::NatsContext;
use event_sdk_core::transport::{Completion, Error, Operation};

/// A future with timers and tasks, which need a tokio runtime: it gets that in which the
/// connection was made.
struct InRuntime<F> {
    context: Arc<NatsContext>,
    operation: Operation,
    future: Pin<Box<F>>,
}

impl<T, F: Future<Output = Result<T, Error>>> Future for InRuntime<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        // A timer of a runtime that has ended panics.
        if this.context.monitor().has_lost_runtime() {
            return Poll::Ready(Err(this.context.refusal(this.operation)));
        }
        let _entered = this.context.enter();
        this.future.as_mut().poll(cx)
    }
}

impl NatsContext {
    /// A completion that may be polled outside of tokio.
    pub(super) fn later<T: Send + 'static>(
        self: &Arc<Self>,
        operation: Operation,
        future: impl Future<Output = Result<T, Error>> + Send + 'static,
    ) -> Completion<Result<T, Error>> {
        Completion::later(InRuntime {
            context: Arc::clone(self),
            operation,
            future: Box::pin(future),
        })
    }

    /// The same for a stream of what is read.
    pub(super) fn read_in_runtime<T: Send + 'static>(
        self: Arc<Self>,
        stream: ReadStream<T>,
    ) -> ReadStream<T> {
        Box::pin(ReadInRuntime {
            context: self,
            stream: Some(stream),
        })
    }
}

/// Values that are read one after the other.
type ReadStream<T> = Pin<Box<dyn Stream<Item = Result<T, Error>> + Send>>;

struct ReadInRuntime<T> {
    context: Arc<NatsContext>,
    /// None when it has ended.
    stream: Option<ReadStream<T>>,
}

impl<T> Stream for ReadInRuntime<T> {
    type Item = Result<T, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        let Some(stream) = &mut this.stream else {
            return Poll::Ready(None);
        };
        if this.context.monitor().has_lost_runtime() {
            this.stream = None;
            return Poll::Ready(Some(Err(this.context.refusal(Operation::Read))));
        }
        let _entered = this.context.enter();
        stream.as_mut().poll_next(cx)
    }
}
