//! `Handling`: calls one handler with one event and a real context, without a running service.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use event_sdk::Event;
use event_sdk::consumer::{Ctx, Failure, Handle, Outcome, Retry};
use event_sdk::text::Text;
use event_sdk::time::Clock as _;
use event_sdk::transport::{DeliverPolicy, TransportExt as _};
use tokio::sync::{Notify, mpsc};

use crate::failure::fail;
use crate::idle;
use crate::running::LONGEST;
use crate::test_bus::TestBus;

/// One call of a handler with an event, created by [`TestBus::handling`]. The context of the call
/// is made by this crate.
#[must_use = "no handler is called until `by` or `with` is awaited"]
#[derive(Debug)]
pub struct Handling<'b, E> {
    bus: &'b TestBus,
    event: E,
    consumer: Text,
    attempt: u32,
    replay: bool,
}

impl TestBus {
    /// Prepares a call of one handler with this event, without a service around it.
    /// [`by`](Handling::by) and [`with`](Handling::with) call the handler and return its
    /// [`Outcome`]. Events that the handler publishes are recorded.
    ///
    /// ```
    /// use event_sdk::Event;
    /// use event_sdk::consumer::{Ctx, Failure, FailureClass, Handle, Outcome};
    /// use event_sdk_testing::TestBus;
    /// use serde::{Deserialize, Serialize};
    ///
    /// #[derive(Debug, Event, Serialize, Deserialize)]
    /// #[event(domain = "orders")]
    /// struct OrderPlaced { #[event(key)] order: u64, cents: u64 }
    ///
    /// struct Billing;
    ///
    /// impl Handle<OrderPlaced> for Billing {
    ///     async fn handle(&self, order: OrderPlaced, ctx: &Ctx) -> Outcome {
    ///         match order.cents {
    ///             0 if ctx.attempt() < 3 => Err(Failure::retry("the price may still come")),
    ///             0 => Err(Failure::reject("nothing to bill")),
    ///             _ => Ok(()),
    ///         }
    ///     }
    /// }
    ///
    /// // In your tests: #[tokio::test]
    /// #[tokio::main(flavor = "current_thread")]
    /// async fn main() {
    ///     let bus = TestBus::new();
    ///     let free = || bus.handling(OrderPlaced { order: 7, cents: 0 });
    ///     let failure = free().by(&Billing).await.unwrap_err();
    ///     assert_eq!(failure.class(), FailureClass::Retry);
    ///     let failure = free().attempt(3).by(&Billing).await.unwrap_err();
    ///     assert_eq!(failure.class(), FailureClass::Reject);
    ///     bus.nothing_else();
    /// }
    /// ```
    pub fn handling<E: Event + fmt::Debug>(&self, event: E) -> Handling<'_, E> {
        Handling {
            bus: self,
            event,
            consumer: Text::from_static("handler"),
            attempt: 1,
            replay: false,
        }
    }
}

impl<E: Event + fmt::Debug> Handling<'_, E> {
    /// Sets the number of the attempt, [`Ctx::attempt`]. Default: one.
    pub fn attempt(mut self, attempt: u32) -> Self {
        self.attempt = attempt.max(1);
        self
    }

    /// Handles the event as a replayed one, so that [`Ctx::is_replay`] is true.
    pub fn replay(mut self) -> Self {
        self.replay = true;
        self
    }

    /// Sets the name of the consumer, [`Ctx::consumer`]. The ids of events that the handler
    /// publishes derive from it. Default: `handler`. No consumer with this name may exist.
    pub fn consumer(mut self, name: impl Into<Text>) -> Self {
        self.consumer = name.into();
        self
    }

    /// Calls the handler, and returns its outcome. Virtual time passes while the handler waits.
    ///
    /// Not cancel-safe: after dropping the future, the consumer of this call may be left behind.
    ///
    /// # Panics
    ///
    /// If the handler does not end within a day of virtual time; outside of tokio's current-thread
    /// runtime (`#[tokio::test]`).
    ///
    /// # Errors
    ///
    /// The failure that the handler returns.
    pub async fn by(self, handler: &impl Handle<E>) -> Outcome {
        self.called(async |event, ctx| handler.handle(event, &ctx).await)
            .await
    }

    /// Calls a closure or function, and returns its outcome; see [`by`](Self::by).
    ///
    /// Not cancel-safe, like [`by`](Self::by).
    ///
    /// # Panics
    ///
    /// In the same cases as [`by`](Self::by).
    ///
    /// # Errors
    ///
    /// The failure that the handler returns.
    pub async fn with<Fut: Future<Output = Outcome>>(
        self,
        handler: impl FnOnce(E, Ctx) -> Fut,
    ) -> Outcome {
        self.called(handler).await
    }

    /// A consumer of this event alone passes its context on, and waits until the handler has ended.
    async fn called<Fut: Future<Output = Outcome>>(
        self,
        handler: impl FnOnce(E, Ctx) -> Fut,
    ) -> Outcome {
        let bus = self.bus;
        let given = bus.given(self.event).await;
        let (id, wanted) = (given.id(), self.attempt);
        let (pass, mut passed) = mpsc::unbounded_channel();
        let (ended, stop) = (Arc::new(Notify::new()), Notify::new());
        let released = Arc::clone(&ended);
        let mut consumer = bus
            .undisturbed()
            .consumer::<E>(self.consumer.clone())
            .deliver(DeliverPolicy::ByStartSequence(
                given.sequence().unwrap_or_default(),
            ))
            .filter(move |head: &event_sdk::EnvelopeHeader| head.event_id == id)
            .retry(Retry::steps([Duration::from_millis(1)]).max_attempts(wanted))
            .no_handler_timeout()
            .each(move |event, ctx: Ctx| {
                let (pass, released) = (pass.clone(), Arc::clone(&released));
                async move {
                    if ctx.attempt() < wanted {
                        return Err(Failure::retry("an earlier attempt"));
                    }
                    let _ = pass.send((event, ctx));
                    released.notified().await;
                    Ok(())
                }
            });
        if self.replay {
            consumer = consumer.replay();
        }
        let calling = async {
            let (event, ctx) = driven(bus, passed.recv()).await?;
            let outcome = driven(bus, handler(event, ctx)).await;
            ended.notify_one();
            stop.notify_one();
            Some(outcome)
        };
        let (report, outcome) = tokio::join!(consumer.run_until(stop.notified()), async {
            let outcome = calling.await;
            stop.notify_one();
            outcome
        });
        if let Err(error) = report {
            fail(&format!("no context could be made: {error}"));
        }
        if let Some(stream) = given.stream() {
            let deleting = bus.transport().delete_consumer(stream, &self.consumer);
            if let Err(error) = deleting.await {
                fail(&format!("the consumer of the call stays: {error}"));
            }
        }
        match outcome {
            Some(outcome) => outcome,
            None => fail("the event of the call was not delivered"),
        }
    }
}

/// Lets virtual time pass until the future is ready.
async fn driven<T>(bus: &TestBus, future: impl Future<Output = T>) -> T {
    let clock = bus.stepped_clock();
    let end = clock.monotonic().saturating_add(LONGEST);
    let driving = async {
        loop {
            idle::settled().await;
            let left = end.saturating_sub(clock.monotonic());
            if left.is_zero() {
                return;
            }
            idle::step(clock, left).await;
        }
    };
    tokio::select! {
        biased;
        value = future => value,
        () = driving => fail("the handler has not ended within a day of virtual time"),
    }
}
