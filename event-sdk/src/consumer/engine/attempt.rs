//! `HandlerAttempt`: one attempt as a future: the handler in its span, watched, with its panics as
//! failures. Beside the future of the handler it needs no allocation.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use tracing::Span;

use super::ownership::Guard;
use crate::consumer::Ctx;
use crate::consumer::batch::BatchEnd;
use crate::consumer::handlers::{Call, Handler, panicked};
use crate::consumer::stop::{Running, Stop};
use crate::consumer::watchdog::{self, WatchId};

/// One attempt of a handler.
pub(super) struct HandlerAttempt {
    step: Step,
    span: Span,
    watch: Option<WatchId>,
    /// With one owner: when the handler is cancelled.
    guard: Option<Guard>,
}

/// How an attempt ended.
pub(super) enum Ended {
    Returned(Result<(), Stop>),
    Batch(BatchEnd),
    /// Its future was dropped.
    Cancelled,
}

enum Step {
    /// The handler is called at the first poll.
    Start(Call, Ctx),
    Running(Running),
    Over,
}

impl HandlerAttempt {
    pub(super) fn new(handler: &Handler, ctx: Ctx, guard: Option<Guard>) -> Self {
        Self {
            span: ctx.message().process_span(ctx.consumer()),
            step: Step::Start(Arc::clone(&handler.call), ctx),
            watch: handler.watch,
            guard,
        }
    }

    /// The handler is cancelled at its first poll after this fence demands it.
    pub(super) fn guard(&mut self, guard: Option<Guard>) {
        self.guard = guard;
    }

    /// Drops the future of the handler in its span.
    fn end(&mut self) {
        let _entered = self.span.enter();
        self.step = Step::Over;
    }
}

impl Future for HandlerAttempt {
    type Output = Ended;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Ended> {
        let this = self.get_mut();
        // Its process was frozen, and meanwhile another instance has become the owner.
        if this.guard.as_ref().is_some_and(Guard::is_over) {
            this.end();
            return Poll::Ready(Ended::Cancelled);
        }
        let polled = {
            let (_entered, step) = (this.span.enter(), &mut this.step);
            let _watched = watchdog::watch(this.watch);
            catch_unwind(AssertUnwindSafe(|| step.poll(cx)))
        };
        let outcome = if let Ok(polled) = polled {
            ready!(polled)
        } else {
            this.end();
            Err(Stop::Failed(panicked()))
        };
        if let Err(stop) = &outcome {
            crate::trace::failed(&this.span, stop.kind());
        }
        Poll::Ready(Ended::Returned(outcome))
    }
}

impl Step {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Stop>> {
        if let Self::Start(..) = self
            && let Self::Start(call, ctx) = std::mem::replace(self, Self::Over)
        {
            *self = Self::Running(call(ctx));
        }
        let Self::Running(running) = self else {
            return Poll::Pending;
        };
        let outcome = ready!(running.as_mut().poll(cx));
        *self = Self::Over;
        Poll::Ready(outcome)
    }
}

impl Drop for HandlerAttempt {
    fn drop(&mut self) {
        if !matches!(self.step, Step::Over) {
            self.end();
        }
    }
}
