//! `Handlers`: the handlers of a consumer by event, their registration, and the check that each
//! event of the set has exactly one.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;

use event_sdk_core::event::EventSpec;
use event_sdk_core::set::Payload;
use event_sdk_core::transport::{Error, ErrorKind, Operation};
use event_sdk_core::{EventSet, RawEvent, Readable, Visitor};

use super::batch::{BatchEnd, BatchHandler};
use super::inbox::Inbox;
use super::stop::{Running, Stop};
use super::watchdog::{self, WatchId};
use super::{Ctx, Failure, FailureClass, Outcome};
use crate::message::{DecodeError, Message};
use crate::raw::Untyped;

/// Handles the event `E`, for [`Consumer::handled_by`](super::Consumer::handled_by).
///
/// Write the method as `async fn`:
///
/// ```
/// use event_sdk::consumer::{Ctx, Handle, Outcome};
/// # use event_sdk::Event;
/// # use serde::{Deserialize, Serialize};
/// # #[derive(Event, Serialize, Deserialize)]
/// # #[event(domain = "orders")]
/// # struct OrderPlaced { id: u64 }
///
/// struct Billing;
///
/// impl Handle<OrderPlaced> for Billing {
///     async fn handle(&self, order: OrderPlaced, ctx: &Ctx) -> Outcome {
///         println!("attempt {} to bill {}", ctx.attempt(), order.id);
///         Ok(())
///     }
/// }
/// ```
///
/// When the time limit of the handler is over, its future is dropped at an `await`, and the event
/// is handled again later. The handler must tolerate this.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not handle `{E}`",
    label = "`{E}` is an event of the set and has no handler here",
    note = "write `impl Handle<{E}> for {Self}`, or consume a set without it",
    note = "a handler of batches is passed to `batches_handled_by`"
)]
pub trait Handle<E>: Send + Sync + 'static {
    /// Handles one event.
    ///
    /// # Errors
    ///
    /// A [`Failure`]. Its [class](FailureClass) decides whether and when the event is handled
    /// again.
    fn handle(&self, event: E, ctx: &Ctx) -> impl Future<Output = Outcome> + Send;

    /// The inbox of the handler: the handler records there, in the transaction of its effect, that
    /// an event is done. Default: none.
    ///
    /// The consumer calls this method once, when the handler is added. With an inbox, the consumer
    /// does not give up an event that the inbox has recorded as done. All handlers of a consumer
    /// must have the same inbox (the same `Arc`), or none.
    fn inbox(&self) -> Option<Arc<dyn Inbox>> {
        None
    }
}

/// The class that an error has by itself, if it is known.
pub(super) type Classify =
    Arc<dyn Fn(&(dyn StdError + 'static)) -> Option<FailureClass> + Send + Sync>;

/// Starts a handler.
pub(super) type Call = Arc<dyn Fn(Ctx) -> Running + Send + Sync>;

/// The handlers of a consumer.
#[derive(Clone, Default)]
pub(super) struct Handlers {
    by_event: Vec<Entry>,
    /// The handler of the whole set.
    whole: Option<Handler>,
    /// The handler of the whole set, in batches.
    batch: Option<BatchHandler>,
    /// The handler of events without one of their own.
    otherwise: Option<Handler>,
    /// Events that were given a second handler.
    doubled: Vec<&'static str>,
    /// Where the handlers record what is done.
    inbox: Option<Arc<dyn Inbox>>,
    /// Whether two handlers have different inboxes.
    inboxes_differ: bool,
    /// Which class errors have by themselves.
    pub(super) classify: Option<Classify>,
}

#[derive(Clone)]
struct Entry {
    spec: &'static EventSpec,
    handler: Handler,
}

/// One handler.
#[derive(Clone)]
pub(super) struct Handler {
    pub(super) call: Call,
    /// Whether it runs on a thread of its own, which cannot be cancelled.
    pub(super) blocking: bool,
    /// Set when the consumer starts.
    pub(super) watch: Option<WatchId>,
}

/// Which handler takes an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Chosen {
    /// That of one event, by its index.
    Event(usize),
    Whole,
    Batch,
    Otherwise,
}

impl Handlers {
    /// The handler of the event `P`.
    pub(super) fn add<P: Payload>(&mut self, handler: Handler) {
        let spec = P::SPEC;
        if self
            .by_event
            .iter()
            .any(|entry| entry.spec.subject() == spec.subject())
        {
            self.doubled.push(spec.name());
        }
        self.by_event.push(Entry { spec, handler });
    }

    /// A handler records in this inbox.
    pub(super) fn note_inbox(&mut self, inbox: Option<Arc<dyn Inbox>>) {
        let Some(inbox) = inbox else { return };
        let known = self.inbox.get_or_insert_with(|| Arc::clone(&inbox));
        self.inboxes_differ |= !Arc::ptr_eq(known, &inbox);
    }

    /// Where the handlers record what is done.
    pub(super) fn inbox(&self) -> Option<&Arc<dyn Inbox>> {
        self.inbox.as_ref()
    }

    /// Checks that the inbox of the handlers, if they have one, can be used.
    pub(super) async fn verify(&self, consumer: &str) -> Result<(), Error> {
        match &self.inbox {
            Some(inbox) => inbox.verify(consumer).await,
            None => Ok(()),
        }
    }

    /// Lets the errors of handlers have the class that the consumer gives them.
    fn classify_errors(&mut self) {
        let Some(classify) = &self.classify else {
            return;
        };
        let single = self.by_event.iter_mut().map(|entry| &mut entry.handler);
        for handler in single.chain(&mut self.whole).chain(&mut self.otherwise) {
            let (call, classify) = (Arc::clone(&handler.call), Arc::clone(classify));
            handler.call = Arc::new(move |ctx| {
                let (running, classify) = (call(ctx), Arc::clone(&classify));
                Box::pin(async move { running.await.map_err(|stop| classified(stop, &classify)) })
            });
        }
        if let Some(batch) = &mut self.batch {
            let (call, classify) = (Arc::clone(&batch.call), Arc::clone(classify));
            batch.call = Arc::new(move |events| {
                let (running, classify) = (call(events), Arc::clone(&classify));
                Box::pin(async move {
                    let of = |(place, stop)| (place, classified(stop, &classify));
                    match running.await {
                        BatchEnd::DoneBut(stops) => {
                            BatchEnd::DoneBut(stops.into_iter().map(of).collect())
                        }
                        BatchEnd::Whole(failure) => {
                            BatchEnd::Whole(failure.classified_by(|error| classify(error)))
                        }
                    }
                })
            });
        }
    }

    pub(super) fn set_whole(&mut self, handler: Handler) {
        if self.whole.replace(handler).is_some() {
            self.doubled.push("the whole set");
        }
    }

    pub(super) fn set_batch(&mut self, handler: BatchHandler) {
        if self.batch.replace(handler).is_some() {
            self.doubled.push("batches");
        }
    }

    /// The handler of batches, if the consumer has one.
    pub(super) fn batch(&self) -> Option<&BatchHandler> {
        self.batch.as_ref()
    }

    pub(super) fn set_otherwise(&mut self, handler: Handler) {
        if self.otherwise.replace(handler).is_some() {
            self.doubled.push("otherwise");
        }
    }

    /// Which handler takes a message; `None` if the set does not have its subject. A handler of the
    /// whole set refuses by itself what is not in the set.
    pub(super) fn choose(&self, message: &Message<Untyped>, set: &Set) -> Option<Chosen> {
        if self.batch.is_some() {
            return Some(Chosen::Batch);
        }
        if self.whole.is_some() {
            return Some(Chosen::Whole);
        }
        let subject = message.subject().as_str();
        let relative = message.relative_subject();
        let mut entries = self.by_event.iter();
        if let Some(index) = entries.position(|entry| entry.spec.is_subject(subject, relative)) {
            return Some(Chosen::Event(index));
        }
        self.otherwise.as_ref()?;
        let mut members = set.members.iter();
        let known = set.takes_other || members.any(|spec| spec.is_subject(subject, relative));
        known.then_some(Chosen::Otherwise)
    }

    /// The handler that was chosen; `None` for that of batches.
    pub(super) fn get(&self, chosen: Chosen) -> Option<&Handler> {
        match chosen {
            Chosen::Event(index) => Some(&self.by_event.get(index)?.handler),
            Chosen::Whole => self.whole.as_ref(),
            Chosen::Otherwise => self.otherwise.as_ref(),
            Chosen::Batch => None,
        }
    }

    /// Makes the handlers ready: their errors have a class, and the watchdog knows them.
    pub(super) fn set_up(&mut self, consumer: &str) {
        self.classify_errors();
        let watch = |name: &str| Some(watchdog::register(format!("{consumer}: {name}")));
        for entry in &mut self.by_event {
            entry.handler.watch = watch(entry.spec.name());
        }
        for (handler, name) in [
            (&mut self.whole, "each"),
            (&mut self.otherwise, "otherwise"),
        ] {
            if let Some(handler) = handler {
                handler.watch = watch(name);
            }
        }
        if let Some(batch) = &mut self.batch {
            batch.watch = watch("batches");
        }
    }

    /// Checks that each event of the set has one handler.
    pub(super) fn check(&self, set: &Set) -> Result<(), Error> {
        let fault = |reason| {
            Err(Error::new(
                ErrorKind::InvalidOption,
                Operation::Configure,
                reason,
            ))
        };
        if !self.doubled.is_empty() {
            return fault(format!(
                "two handlers for {}; leave one, since only one can settle the event",
                self.doubled.join(", ")
            ));
        }
        if self.inboxes_differ {
            return fault(
                "handlers with different inboxes; use clones of one inbox, since the consumer asks it before it gives an event up".to_owned(),
            );
        }
        if self.batch.as_ref().is_some_and(|batch| batch.max == 0) {
            return fault("on_batches(0, …) would never handle anything; use 1 or more".to_owned());
        }
        let whole = usize::from(self.whole.is_some()) + usize::from(self.batch.is_some());
        if whole > 0 {
            let alone = self.by_event.is_empty() && self.otherwise.is_none() && whole == 1;
            return if alone {
                Ok(())
            } else {
                fault("a handler of the whole set beside others; use `each` or `on_batches` alone, or `on` and `otherwise`".to_owned())
            };
        }
        if self.otherwise.is_some() {
            return Ok(());
        }
        let missing: Vec<_> = set
            .members
            .iter()
            .filter(|member| {
                !self
                    .by_event
                    .iter()
                    .any(|entry| entry.spec.subject() == member.subject())
            })
            .map(|member| member.name())
            .collect();
        if !missing.is_empty() {
            return fault(format!(
                "no handler for {}; add `.on(…)` for each, or `.otherwise(…)` for the rest",
                missing.join(", ")
            ));
        }
        if set.takes_other {
            return fault("no handler for unknown events, which the set takes; add `.otherwise(…)`, or use `.each(…)`".to_owned());
        }
        Ok(())
    }
}

/// What the consumer has to know of its set, without the type.
#[derive(Clone, Copy)]
pub(super) struct Set {
    pub(super) members: &'static [&'static EventSpec],
    pub(super) takes_other: bool,
    /// The reason why a message is not an event of the set.
    pub(super) refusal: fn(&Message<Untyped>) -> Option<DecodeError>,
}

impl Set {
    pub(super) fn of<S: EventSet>() -> Self {
        Self {
            members: S::MEMBERS,
            takes_other: S::TAKES_OTHER,
            refusal: |message| message.decode_as::<S>().err(),
        }
    }
}

/// A handler of what `T` decodes: an event, or the whole set.
pub(super) fn handler<T, F, Fut>(handle: F) -> Handler
where
    T: EventSet,
    F: Fn(T, Ctx) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Outcome> + Send + 'static,
{
    Handler {
        call: Arc::new(move |ctx: Ctx| match ctx.message().decode_as::<T>() {
            Ok(event) => {
                let running = handle(event, ctx);
                Box::pin(async move { running.await.map_err(Stop::Failed) })
            }
            Err(error) => Box::pin(std::future::ready(Err(error.into()))),
        }),
        blocking: false,
        watch: None,
    }
}

/// A handler on a thread for blocking work.
pub(super) fn blocking<T, F>(handle: F) -> Handler
where
    T: EventSet,
    F: Fn(T, Ctx) -> Outcome + Send + Sync + 'static,
{
    let handle = Arc::new(handle);
    Handler {
        call: Arc::new(move |ctx: Ctx| match ctx.message().decode_as::<T>() {
            Ok(event) => {
                let handle = Arc::clone(&handle);
                Box::pin(async move {
                    let running = tokio::task::spawn_blocking(move || handle(event, ctx));
                    match running.await {
                        Ok(outcome) => outcome.map_err(Stop::Failed),
                        Err(error) if error.is_panic() => Err(Stop::Failed(panicked())),
                        // The runtime is shutting down.
                        Err(_) => Err(Stop::Failed(Failure::of_consumer(
                            FailureClass::Outage,
                            "the runtime ended",
                        ))),
                    }
                })
            }
            Err(error) => Box::pin(std::future::ready(Err(error.into()))),
        }),
        blocking: true,
        watch: None,
    }
}

/// A handler of whatever event, undecoded.
pub(super) fn raw<F, Fut>(handle: F) -> Handler
where
    F: Fn(RawEvent, Ctx) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Outcome> + Send + 'static,
{
    handler::<RawEvent, F, Fut>(handle)
}

/// Registers `H` for each event of a set; the bound of
/// [`Consumer::handled_by`](super::Consumer::handled_by).
#[derive(Debug)]
pub struct Register<H> {
    handler: Arc<H>,
    handlers: Handlers,
}

impl<H> Register<H> {
    pub(super) fn new(handler: H, handlers: Handlers) -> Self {
        Self {
            handler: Arc::new(handler),
            handlers,
        }
    }

    pub(super) fn into_handlers(self) -> Handlers {
        self.handlers
    }
}

impl<E: Readable, H: Handle<E>> Visitor<E> for Register<H> {
    fn visit(&mut self) {
        self.handlers.note_inbox(self.handler.inbox());
        (self.handlers).add::<E>(of_value::<E, H>(&self.handler));
    }
}

/// A handler that is a value.
pub(super) fn of_value<E: Readable, H: Handle<E>>(handler: &Arc<H>) -> Handler {
    let handler = Arc::clone(handler);
    Handler {
        call: Arc::new(move |ctx: Ctx| match ctx.message().decode_as::<E>() {
            Ok(event) => {
                let handler = Arc::clone(&handler);
                Box::pin(async move { handler.handle(event, &ctx).await.map_err(Stop::Failed) })
            }
            Err(error) => Box::pin(std::future::ready(Err(error.into()))),
        }),
        blocking: false,
        watch: None,
    }
}

fn classified(stop: Stop, classify: &Classify) -> Stop {
    match stop {
        Stop::Failed(failure) => Stop::Failed(failure.classified_by(|error| classify(error))),
        stop @ Stop::Unreadable(_) => stop,
    }
}

/// The failure of a handler that panicked. The message of the panic may contain data.
pub(super) fn panicked() -> Failure {
    Failure::of_consumer(FailureClass::Retry, "the handler panicked")
}

impl fmt::Debug for Handlers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let events = self.by_event.iter().map(|entry| entry.spec.name());
        f.debug_list().entries(events).finish()
    }
}
