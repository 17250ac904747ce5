//! `Consumer`: the builder of a consumer: handlers, failures, order, subscription, end.

mod acks;
mod blocking;
mod filters;
mod handling;
mod layers;
mod owners;
mod parking;
mod presets;
mod publishing;
mod running;
mod started;

use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use event_sdk_core::text::Text;
use event_sdk_core::transport::{DeliverPolicy, Error, ErrorKind, Operation};
use event_sdk_core::{EnvelopeHeader, EventSet, Pattern, RawEvent, Visit};
use tokio::sync::watch;

use self::started::Started;
use super::activity::Activity;
use super::batch::{self, BatchFailure, BatchHandler, EventBatch};
use super::engine::{Engine, Parts};
use super::filter::Filters;
use super::handlers::{self, Handlers, Register, Set};
use super::held::Shared;
use super::layer::Layers;
use super::opener::Opener;
use super::options::{BreakerBy, Options};
use super::owned::Owned;
use super::report::ConsumerReport;
use super::{Ctx, Outcome, Preset, ProbeInterval, Retry, Takes};
use crate::bus::{EventBus, Wanted};
use crate::dead_letters::DeadLetters;
use crate::raw::Untyped;
use crate::subscribe::{DelayUnknown, Subscribe};

/// A consumer of the set `S`: add handlers and options, then [run](Self::run_until) the consumer.
///
/// [`EventBus::consumer`] makes a consumer. The docs of the [module](super) explain what a consumer
/// does.
#[must_use = "a consumer does nothing until it is run"]
pub struct Consumer<S> {
    bus: EventBus,
    name: Text,
    subscribe: Subscribe<Untyped>,
    handlers: Handlers,
    options: Options,
    breaker_by: Option<BreakerBy>,
    filters: Filters,
    layers: Layers,
    presets: Vec<Preset>,
    /// Whether the retry policy is not the default.
    retry_is_set: bool,
    letters: Option<DeadLetters>,
    ready: watch::Sender<bool>,
    activity: Arc<Activity>,
    inherits: Vec<Text>,
    set: PhantomData<fn() -> S>,
}

impl EventBus {
    /// Makes a consumer that receives the events of the set `S` from the durable `name`.
    ///
    /// Instances with the same name share the events. When the consumer runs, it binds the durable,
    /// or creates it, as [`EventBus::subscribe`] does.
    ///
    /// The streams of the set are looked up when the consumer starts. A stream that is created later
    /// is found at its next start.
    pub fn consumer<S: EventSet>(&self, name: impl Into<Text>) -> Consumer<S> {
        let name = name.into();
        Consumer {
            bus: self.clone(),
            subscribe: Subscribe::new(self.clone(), Wanted::events_of::<S>()).durable(name.clone()),
            name,
            handlers: Handlers::default(),
            options: Options::default(),
            breaker_by: None,
            filters: Filters::default(),
            layers: Layers::default(),
            presets: Vec::new(),
            retry_is_set: false,
            letters: None,
            ready: watch::Sender::new(false),
            activity: Arc::new(Activity::new()),
            inherits: Vec::new(),
            set: PhantomData,
        }
    }
}

/// Handlers.
impl<S: EventSet> Consumer<S> {
    /// Handles the event `P` with a closure. Each event of the set needs exactly one handler (or
    /// [`otherwise`](Self::otherwise)); this is checked when the consumer starts.
    ///
    /// A closure can also take an `Arc` of the event. This saves a copy of the event if the
    /// transport passed the event without encoding.
    pub fn on<P, F, Fut>(mut self, handle: F) -> Self
    where
        P: 'static,
        F: Fn(P, Ctx) -> Fut + Takes<S, P> + Send + Sync + 'static,
        Fut: Future<Output = Outcome> + Send + 'static,
    {
        let handle = move |event, ctx| handle(F::give(event), ctx);
        self.handlers.add::<F::Event>(handlers::handler(handle));
        self
    }

    /// Like [`on`](Self::on). In each attempt, the closure also gets a clone of `state`, such as a
    /// pool, a client or an `Arc`.
    pub fn on_with<T, P, F, Fut>(mut self, state: T, handle: F) -> Self
    where
        T: Clone + Send + Sync + 'static,
        P: 'static,
        F: Fn(T, P, Ctx) -> Fut + Takes<S, P> + Send + Sync + 'static,
        Fut: Future<Output = Outcome> + Send + 'static,
    {
        let handle = move |event, ctx| handle(state.clone(), F::give(event), ctx);
        self.handlers.add::<F::Event>(handlers::handler(handle));
        self
    }

    /// Handles all events of the set with one function, which takes the enum. If its `match` lacks
    /// an event, the code does not compile.
    pub fn each<F, Fut>(mut self, handle: F) -> Self
    where
        F: Fn(S, Ctx) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Outcome> + Send + 'static,
    {
        self.handlers
            .set_whole(handlers::handler::<S, F, Fut>(handle));
        self
    }

    /// Handles all events of the set by a type that implements [`Handle`](super::Handle) for each
    /// of them. If an implementation is missing, the code does not compile.
    pub fn handled_by<H>(mut self, handler: H) -> Self
    where
        S: Visit<Register<H>>,
    {
        let mut register = Register::new(handler, self.handlers);
        S::visit_all(&mut register);
        self.handlers = register.into_handlers();
        self
    }

    /// Handles several events of the set together: up to `max`, collected for up to `within` after
    /// the first one. The handler says which of them failed ([`BatchFailure`]).
    ///
    /// Set [`max_ack_pending`](Self::max_ack_pending) to `max` or more: otherwise a batch cannot
    /// reach `max`.
    pub fn on_batches<F, Fut>(mut self, max: usize, within: Duration, handle: F) -> Self
    where
        F: Fn(EventBatch<S>) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), BatchFailure>> + Send + 'static,
    {
        self.handlers.set_batch(BatchHandler {
            call: batch::call(handle),
            max,
            within,
            watch: None,
        });
        self
    }

    /// Handles the events of the set that have no handler of their own. The data of these events is
    /// not decoded.
    pub fn otherwise<F, Fut>(mut self, handle: F) -> Self
    where
        F: Fn(RawEvent, Ctx) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Outcome> + Send + 'static,
    {
        self.handlers.set_otherwise(handlers::raw(handle));
        self
    }
}

/// Failures, order and end.
impl<S> Consumer<S> {
    /// Sets when a failed attempt is repeated, and after how many attempts the event is given up.
    /// Default: [`Retry::at_least_once`].
    pub fn retry(mut self, retry: Retry) -> Self {
        self.options.retry = retry;
        self.retry_is_set = true;
        self
    }

    /// Keeps the events that are given up: events without attempts left, rejected events,
    /// unreadable messages, and events that no version knows. By default they are not kept: the
    /// consumer terminates such an event, and logs an error for it. If a termination is not
    /// confirmed, the event is terminated at its next delivery, without another attempt.
    ///
    /// The consumer acknowledges an event after its letter is stored. If a letter cannot be stored,
    /// the consumer tries again, and holds the event until the letter is stored. If the letters are
    /// in a [stream](DeadLetters::stream), the consumer also receives its redriven events.
    ///
    /// `letters` are [`DeadLetters`], or a store of another crate that converts into them, such as
    /// a table of a database.
    pub fn dead_letters(mut self, letters: impl Into<DeadLetters>) -> Self {
        self.letters = Some(letters.into());
        self
    }

    /// Sets the time between two probes of an unavailable dependency. Default: first 1 s, then
    /// doubled after each probe, up to 30 s.
    ///
    /// A handler that ends in an [outage](super::FailureClass::Outage) opens the circuit breaker.
    /// Then events wait, fetching pauses, and one event at a time is handled as a probe, until a
    /// probe succeeds. An outage does not count as an attempt, unless only one event reports
    /// outages while other events succeed.
    pub fn probe_interval(mut self, interval: ProbeInterval) -> Self {
        self.options.probe_interval = interval;
        self
    }

    /// Gives the events of each scope their own circuit breaker: for example the events of each
    /// tenant, if each tenant has its own database. By default there is one breaker for all events.
    ///
    /// The consumer continues to fetch while the breakers of some scopes are open. Events of these
    /// scopes wait in the consumer, until it holds `max_ack_pending` events.
    pub fn breaker_by(
        mut self,
        scope: impl Fn(&EnvelopeHeader) -> String + Send + Sync + 'static,
    ) -> Self {
        self.breaker_by = Some(Arc::new(scope));
        self
    }

    /// Sets how long one attempt may take. After this time the handler's future is dropped, and the
    /// attempt has failed. Default: 30 s.
    pub fn handler_timeout(mut self, limit: Duration) -> Self {
        self.options.handler_timeout = Some(limit);
        self
    }

    /// Removes the time limit of attempts.
    pub fn no_handler_timeout(mut self) -> Self {
        self.options.handler_timeout = None;
        self
    }

    /// Sets for how long the consumer keeps an event alive: it restarts the ack wait of the event
    /// until this limit has passed since it received the event. Default: one hour.
    ///
    /// If a handler holds an event longer, the server delivers the event again: first within one
    /// ack wait after this limit, then after each ack wait, until the handler ends. If another
    /// instance receives this delivery, it handles the event. If the delivery comes to the instance
    /// whose handler still runs, that instance does not start a second handler: it drops the new
    /// delivery, and the outcome of the running handler settles that delivery too.
    pub fn keep_alive_for(mut self, limit: Duration) -> Self {
        self.options.keep_alive_for = limit;
        self
    }

    /// Sets how many handlers run at the same time. Default: 1.
    ///
    /// With 1, the handler runs in the task of the consumer. With more, each handler runs in its
    /// own task, and the events end in any order, unless [`ordered_by_key`](Self::ordered_by_key)
    /// is set.
    pub fn concurrency(mut self, handlers: usize) -> Self {
        self.options.concurrency = handlers;
        self
    }

    /// Handles events of the same key and stream one after the other, in the order of the stream.
    /// While an event waits for a retry, later events of its key wait too. Events of other keys do
    /// not wait for it.
    ///
    /// The key of an event is `metadata.key` of its envelope, or else the key in its subject
    /// ([`Message::key`](crate::Message::key)). Events of different types with the same key are
    /// handled in one common order. So all events of an entity stay in order, even if several
    /// services publish them. An event without a key does not wait for other events; the consumer
    /// logs a warning for the first such event.
    ///
    /// Events that wait for their key count for [`max_ack_pending`](Self::max_ack_pending) (1,000
    /// unless set). If the consumer has [one owner](Self::single_active) and keeps its dead letters
    /// in [a stream](crate::dead_letters::DeadLetters::stream), a key takes at most a quarter of
    /// these places while it waits for a retry, or when its handler has run for a second. Further
    /// events of the key wait in the [park](crate::dead_letters::Park) of the key in that stream.
    /// They are handled in order, before newer events of the key. A consumer without one owner or
    /// without such a stream has no park. One key can then take all places and stop the other keys;
    /// a warning reports this.
    pub fn ordered_by_key(mut self) -> Self {
        self.options.ordered = true;
        self
    }

    /// Sets the drain time: how long running handlers may take to end after the signal to end.
    /// Default: 25 s.
    pub fn drain_within(mut self, limit: Duration) -> Self {
        self.options.drain_within = limit;
        self
    }

    /// Accepts a durable with a finite `max_deliver`. By default such a durable is refused, because
    /// the server gives an event up after this number of deliveries, even if no handler has seen
    /// the event. `EventBus::apply` removes the limit.
    pub fn accept_max_deliver(mut self) -> Self {
        self.options.accept_max_deliver = true;
        self
    }

    /// Declares that this consumer replays old events: [`Ctx::is_replay`] is then true in its
    /// handlers.
    pub fn replay(mut self) -> Self {
        self.options.replay = true;
        self
    }
}

/// Options of the subscription, like the options of [`Subscribe`].
impl<S> Consumer<S> {
    /// See [`Subscribe::must_exist`].
    pub fn must_exist(mut self) -> Self {
        self.subscribe = self.subscribe.must_exist();
        self
    }

    /// See [`Subscribe::deliver`].
    pub fn deliver(mut self, policy: DeliverPolicy) -> Self {
        self.subscribe = self.subscribe.deliver(policy);
        self
    }

    /// See [`Subscribe::ack_wait`]. The consumer restarts the ack wait of the events that it holds.
    pub fn ack_wait(mut self, wait: Duration) -> Self {
        self.subscribe = self.subscribe.ack_wait(wait);
        self
    }

    /// See [`Subscribe::max_ack_pending`]. This limits how many events all instances hold together.
    pub fn max_ack_pending(mut self, deliveries: u32) -> Self {
        self.subscribe = self.subscribe.max_ack_pending(deliveries);
        self
    }

    /// See [`Subscribe::prefetch`].
    pub fn prefetch(mut self, messages: usize) -> Self {
        self.subscribe = self.subscribe.prefetch(messages);
        self
    }

    /// See [`Subscribe::subject`].
    pub fn subject(mut self, pattern: Pattern) -> Self {
        self.subscribe = self.subscribe.subject(pattern);
        self
    }

    /// See [`Subscribe::key`].
    pub fn key(mut self, key: impl fmt::Display) -> Self {
        self.subscribe = self.subscribe.with_key(&key);
        self
    }

    /// See [`Subscribe::stream`].
    pub fn stream(mut self, name: impl Into<Text>) -> Self {
        self.subscribe = self.subscribe.stream(name);
        self
    }

    /// See [`Subscribe::delay_unknown`]. Beyond the bounds an unknown event becomes a dead letter.
    pub fn delay_unknown(mut self, bounds: DelayUnknown) -> Self {
        self.subscribe = self.subscribe.with_delay_unknown(bounds);
        self
    }
}

impl<S: EventSet> Consumer<S> {
    /// Runs until the bus is drained or closed, or the subscription fails.
    ///
    /// # Errors
    ///
    /// The errors of [`run_until`](Self::run_until).
    pub async fn run(self) -> Result<ConsumerReport, Error> {
        self.run_until(std::future::pending()).await
    }

    /// Runs until `signal` completes, and then ends gracefully: it stops receiving, lets running
    /// handlers end within the [drain time](Self::drain_within), and gives the other events back to
    /// the server.
    ///
    /// The [report](ConsumerReport) counts the handled events, and names the events whose handlers
    /// did not end in time. The bus stays open. [Drain](EventBus::drain) it afterwards to make sure
    /// that the last acknowledgements arrive.
    ///
    /// Not cancel-safe: dropping the future cancels the running handlers, and their events are
    /// delivered again after the ack wait.
    ///
    /// # Errors
    ///
    /// Before the first event: [`InvalidOption`](ErrorKind::InvalidOption) for a missing or
    /// duplicate handler, an invalid option, or a durable with a finite `max_deliver`; errors of
    /// [`EventBus::subscribe`]. Later: the reason why the subscription ended, after the drain.
    pub async fn run_until(
        self,
        signal: impl Future<Output = ()> + Send,
    ) -> Result<ConsumerReport, Error> {
        self.start().await?.run(signal).await
    }

    pub(super) async fn start(self) -> Result<Started, Error> {
        self.with_presets().bind().await
    }

    async fn bind(self) -> Result<Started, Error> {
        let set = Set::of::<S>();
        let at_consumer = |error: Error| error.at_consumer(self.name.clone());
        self.options.check().map_err(at_consumer)?;
        self.check_declaration().map_err(at_consumer)?;
        publishing::check(&self.inherits).map_err(at_consumer)?;
        self.handlers.check(&set).map_err(at_consumer)?;
        if self.handlers.batch().is_some() && !self.layers.is_empty() {
            return Err(at_consumer(Error::new(
                ErrorKind::InvalidOption,
                Operation::Configure,
                "layers are around the attempt to handle one event, and a batch has several; leave out `layer` or `on_batches`",
            )));
        }
        let letters = self.letters.as_ref().map(|letters| letters.open(&self.bus));
        if let Some(letters) = &letters {
            letters.verify(&self.name).await.map_err(at_consumer)?;
        }
        (self.handlers.verify(&self.name).await).map_err(at_consumer)?;
        let park = self.park().await.map_err(at_consumer)?;
        let mut handlers = self.handlers;
        handlers.set_up(&self.name);
        let retries = self.letters.as_ref().and_then(DeadLetters::retries);
        let opener = Opener {
            subscribe: self.subscribe,
            place: retries.cloned(),
            bus: self.bus.clone(),
            name: self.name.clone(),
            accept_max_deliver: self.options.accept_max_deliver,
        };
        let owners = match (self.options.partitions, self.options.single_active) {
            (Some((number, term)), _) => Some((term, Some(number))),
            (None, term) => term.map(|term| (term, None)),
        };
        let shared = Shared {
            bus: self.bus,
            name: self.name,
            replay: self.options.replay,
            handler_timeout: self.options.handler_timeout,
            owner: None,
            ready: self.ready,
            ending: watch::Sender::new(false),
            activity: self.activity,
            inherits: self.inherits.into(),
        };
        let parts = Parts {
            shared: Arc::new(shared),
            options: self.options,
            handlers,
            set,
            breaker_by: self.breaker_by,
            filters: Arc::new(self.filters),
            layers: self.layers.into_service(),
            letters,
            park,
        };
        Ok(if let Some((term, partitions)) = owners {
            Started::Owned(Box::new(Owned::new(parts, opener, term, partitions)))
        } else {
            let sources = opener.open(&opener.name).await?;
            Started::Engine(Box::new(Engine::new(parts, sources)))
        })
    }
}

impl<S> fmt::Debug for Consumer<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Consumer")
            .field("name", &self.name)
            .field("handlers", &self.handlers)
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}
