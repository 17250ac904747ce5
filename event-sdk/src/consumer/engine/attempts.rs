//! `Attempts`: the handlers that run. A single one runs in the task of the consumer; several run
//! in tasks of their own, on all threads of the runtime.

use std::future::{Future, poll_fn};
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::Either;
use tokio::sync::mpsc;
use tokio::task::AbortHandle;
use tower_service::Service as _;
use tracing::{Instrument as _, Span};

use super::Boxed;
use super::attempt::{Ended, HandlerAttempt};
use super::ownership::Guard;
use crate::consumer::Ctx;
use crate::consumer::batch::{BatchEnd, BatchHandler};
use crate::consumer::handlers::{Handler, panicked};
use crate::consumer::held::Held;
use crate::consumer::layer::{Attempt, AttemptService, stop_of};
use crate::consumer::stop::Stop;
use crate::consumer::watchdog::Watch;
use crate::message::Message;
use crate::process_gate::Alone;

/// The handlers that run.
pub(super) struct Attempts {
    running: usize,
    place: Place,
    /// With one owner: when handlers are cancelled.
    guard: Option<Guard>,
}

enum Place {
    /// The handler that runs in the task of the consumer.
    Here(Option<(usize, Here)>),
    /// Handlers in tasks of their own send their outcome.
    Tasks {
        ended: mpsc::UnboundedReceiver<(usize, Ended)>,
        sender: mpsc::UnboundedSender<(usize, Ended)>,
    },
}

/// An attempt in the task of the consumer.
enum Here {
    Handler(HandlerAttempt),
    /// Within layers, or a batch.
    Other(Boxed<Ended>),
}

impl Here {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Ended> {
        match self {
            Self::Handler(attempt) => Pin::new(attempt).poll(cx),
            Self::Other(attempt) => attempt.as_mut().poll(cx),
        }
    }
}

/// A handler that runs.
pub(super) struct Running {
    /// The task; `None` if the handler runs in that of the consumer.
    task: Option<AbortHandle>,
    /// The events of its batch, in order.
    pub(super) batch: Vec<usize>,
    /// Whether it can only be waited for.
    pub(super) blocking: bool,
    /// When its time is over; `None` while this was not set.
    pub(super) deadline: Option<Duration>,
    /// Whether its time is over.
    pub(super) timed_out: bool,
    /// Held until the handler has ended, if it runs alone in the process.
    pub(super) alone: Option<Alone>,
}

impl Attempts {
    pub(super) fn new(concurrency: usize) -> Self {
        let place = if concurrency == 1 {
            Place::Here(None)
        } else {
            let (sender, ended) = mpsc::unbounded_channel();
            Place::Tasks { ended, sender }
        };
        Self {
            running: 0,
            place,
            guard: None,
        }
    }

    /// Handlers are cancelled at their first poll after this fence demands it.
    pub(super) fn guard(&mut self, guard: Guard) {
        self.guard = Some(guard);
    }

    /// How many handlers run.
    pub(super) fn running(&self) -> usize {
        self.running
    }

    /// Starts the handler of an event.
    pub(super) fn start(
        &mut self,
        id: usize,
        held: &Arc<Held>,
        handler: &Handler,
        attempt: u32,
    ) -> Running {
        held.begin_attempt();
        let ctx = Ctx::new(Arc::clone(held), attempt);
        let attempt = HandlerAttempt::new(handler, ctx, self.guard.clone());
        self.go_on(id, attempt, handler.blocking)
    }

    /// Goes on with a handler that was started, and waits.
    pub(super) fn go_on(&mut self, id: usize, attempt: HandlerAttempt, blocking: bool) -> Running {
        self.running += 1;
        let task = match &mut self.place {
            Place::Here(place) => {
                *place = Some((id, Here::Handler(attempt)));
                None
            }
            Place::Tasks { sender, .. } => Some(spawn(id, attempt, sender)),
        };
        Running::new(task, blocking)
    }

    /// Starts the handler of an event within layers, which are ready.
    pub(super) fn start_layered(
        &mut self,
        id: usize,
        held: &Arc<Held>,
        handler: &Handler,
        attempt: u32,
        layers: &mut AttemptService,
    ) -> Running {
        held.begin_attempt();
        let ctx = Ctx::new(Arc::clone(held), attempt);
        let task = self.run(id, layered_attempt(handler, ctx, layers));
        Running::new(task, handler.blocking)
    }

    /// Starts the handler of a batch. Its end is told of the first event, `id`.
    pub(super) fn start_batch(
        &mut self,
        id: usize,
        handler: &BatchHandler,
        batch: Vec<Ctx>,
    ) -> Running {
        let task = self.run(id, batch_attempt(handler, batch));
        Running::new(task, false)
    }

    fn run(
        &mut self,
        id: usize,
        attempt: impl Future<Output = Ended> + Send + 'static,
    ) -> Option<AbortHandle> {
        self.running += 1;
        let attempt = match &self.guard {
            None => Either::Left(attempt),
            Some(guard) => Either::Right(guarded(attempt, guard.clone())),
        };
        match &mut self.place {
            Place::Here(place) => {
                *place = Some((id, Here::Other(Box::pin(attempt))));
                None
            }
            Place::Tasks { sender, .. } => Some(spawn(id, attempt, sender)),
        }
    }

    pub(super) fn poll_ended(&mut self, cx: &mut Context<'_>) -> Poll<(usize, Ended)> {
        let ended = match &mut self.place {
            Place::Here(place) => match place {
                None => return Poll::Pending,
                Some((id, attempt)) => match attempt.poll(cx) {
                    Poll::Pending => return Poll::Pending,
                    Poll::Ready(ended) => {
                        let id = *id;
                        *place = None;
                        (id, ended)
                    }
                },
            },
            Place::Tasks { ended, .. } => match ended.poll_recv(cx) {
                Poll::Ready(Some(ended)) => ended,
                _ => return Poll::Pending,
            },
        };
        self.running -= 1;
        Poll::Ready(ended)
    }

    /// Cancels the handler. Returns whether it has ended with that; otherwise its end follows.
    pub(super) fn cancel(&mut self, running: &Running) -> bool {
        match (&mut self.place, &running.task) {
            _ if running.blocking => false,
            (Place::Here(place), _) => {
                let ran = place.take().is_some();
                self.running -= usize::from(ran);
                ran
            }
            (_, Some(task)) => {
                task.abort();
                false
            }
            (_, None) => false,
        }
    }
}

impl Running {
    /// A handler that has ended in the task of the consumer.
    pub(super) fn ended(blocking: bool) -> Self {
        Self::new(None, blocking)
    }

    fn new(task: Option<AbortHandle>, blocking: bool) -> Self {
        Self {
            task,
            batch: Vec::new(),
            blocking,
            deadline: None,
            timed_out: false,
            alone: None,
        }
    }
}

/// Runs an attempt in a task of its own.
fn spawn(
    id: usize,
    attempt: impl Future<Output = Ended> + Send + 'static,
    sender: &mpsc::UnboundedSender<(usize, Ended)>,
) -> AbortHandle {
    let report = OnEnd {
        id,
        sender: sender.clone(),
        ended: Ended::Cancelled,
    };
    let task = tokio::spawn(async move {
        // Dropped after the handler's future, however the task ends.
        let mut report = report;
        report.ended = attempt.await;
    });
    task.abort_handle()
}

/// Drops the attempt at its first poll after the end of the ownership: its process was frozen.
async fn guarded(attempt: impl Future<Output = Ended>, guard: Guard) -> Ended {
    let mut attempt = Some(Box::pin(attempt));
    poll_fn(|cx| {
        let lost = guard.is_over();
        let Some(running) = attempt.as_mut().filter(|_| !lost) else {
            attempt = None;
            return Poll::Ready(Ended::Cancelled);
        };
        running.as_mut().poll(cx)
    })
    .await
}

/// One attempt within layers, with their panics as failures.
fn layered_attempt(
    handler: &Handler,
    ctx: Ctx,
    layers: &mut AttemptService,
) -> impl Future<Output = Ended> + Send + use<> {
    let span = ctx.message().process_span(ctx.consumer());
    let (attempt, returned) = Attempt::new(handler, ctx);
    let call = || span.in_scope(|| layers.call(attempt));
    let called = std::panic::catch_unwind(AssertUnwindSafe(call));
    let watch = handler.watch;
    async move {
        let outcome = match called {
            Ok(running) => {
                let running = Watch::new(watch, running.instrument(span.clone()));
                AssertUnwindSafe(running).catch_unwind().await.map_err(drop)
            }
            Err(_) => Err(()),
        };
        if let Some(returned) = returned {
            // A layer may have given up a handler that blocks its thread, and runs.
            let _ = returned.await;
        }
        let outcome = match outcome {
            Ok(outcome) => outcome.map_err(stop_of),
            Err(()) => Err(Stop::Failed(panicked())),
        };
        if let Err(stop) = &outcome {
            crate::trace::failed(&span, stop.kind());
        }
        Ended::Returned(outcome)
    }
}

/// One attempt at a batch.
fn batch_attempt(
    handler: &BatchHandler,
    batch: Vec<Ctx>,
) -> impl Future<Output = Ended> + Send + use<> {
    let call = Arc::clone(&handler.call);
    let span = match batch.first() {
        Some(first) => {
            let messages = batch.iter().map(Ctx::message);
            Message::process_span_of_batch(first.consumer(), messages)
        }
        None => Span::none(),
    };
    let attempt = Watch::new(handler.watch, async move { call(batch).await });
    let attempt = AssertUnwindSafe(attempt).catch_unwind();
    let attempt = attempt.instrument(span);
    async move {
        let span = attempt.span().clone();
        let end = match attempt.await {
            Ok(end) => end,
            Err(_) => BatchEnd::Whole(panicked()),
        };
        if let Some(kind) = end.first_failure() {
            crate::trace::failed(&span, kind);
        }
        Ended::Batch(end)
    }
}

/// Sends how an attempt ended, when its task is done or was cancelled.
struct OnEnd {
    id: usize,
    sender: mpsc::UnboundedSender<(usize, Ended)>,
    ended: Ended,
}

impl Drop for OnEnd {
    fn drop(&mut self) {
        let ended = std::mem::replace(&mut self.ended, Ended::Cancelled);
        // Without a receiver the consumer itself was dropped.
        let _ = self.sender.send((self.id, ended));
    }
}

impl Drop for Attempts {
    /// Handlers end with their consumer.
    fn drop(&mut self) {
        if let Place::Tasks { ended, .. } = &mut self.place {
            ended.close();
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}
