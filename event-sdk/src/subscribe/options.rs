//! `Subscribe`: builder of a subscription (durable name, group, filter, start position, ack
//! wait, max deliver, backoff, prefetch).

use std::fmt;
use std::future::IntoFuture;
use std::marker::PhantomData;
use std::num::NonZeroU32;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use event_sdk_core::text::Text;
use event_sdk_core::transport::{
    AckPolicy, ConsumerConfig, ConsumerName, DeliverPolicy, Error, ErrorKind, Operation, Prefetch,
    SubscribeRequest, TransportExt as _,
};
use event_sdk_core::{EnvelopeHeader, EventSet, Pattern};

use super::refusal::Refusals;
use super::reports::Reports;
use super::settings::{self, Setting};
use super::subscriber::{EnvelopeFilter, Source};
use super::{DelayUnknown, Subscriber, binding};
use crate::bus::{ConsumerSpec, EventBus, Routes, Wanted, one_stream};
use crate::message::Opener;

/// A subscription to the set `S`: set options, then await the subscription.
///
/// Awaiting the subscription binds the consumer of that name, or creates the consumer if it does
/// not exist. An existing consumer is never changed. By default the consumer is ephemeral, starts
/// at the oldest event, and each delivery must be acknowledged within 30 s.
///
/// An existing consumer keeps its settings. Differences from the requested settings are logged as
/// one warning, and [`Subscriber::differences`] lists them. A consumer is refused with
/// [`ErrorKind::ConsumerMismatch`] if the subscription would lose or misread events:
///
/// - its filters do not cover the set;
/// - it has another ack policy;
/// - a durable is requested, and the server removes the existing consumer after a time without
///   use;
/// - it pushes, sends headers only, has a priority policy, or has another replay policy than
///   `instant`.
///
/// A durable may have filters that match more than the set. The additional events arrive too, and
/// their `decode` fails. The warning names these filters.
///
/// If the events of the set are in several streams, the subscription has one consumer in each
/// stream. The events of one stream arrive in order. The sequence of an event is its sequence in
/// its stream. The streams are looked up when the subscription is awaited, so a stream that is
/// created later is not found.
///
/// Cancel-safe, with one exception: a durable or group that was already created stays.
#[must_use = "nothing is subscribed until this is awaited"]
pub struct Subscribe<S> {
    bus: EventBus,
    wanted: Wanted,
    routes: Routes,
    config: ConsumerConfig,
    /// The settings that were set here, which a declaration does not replace.
    given: Vec<Setting>,
    prefetch: Prefetch,
    filter: Option<EnvelopeFilter>,
    delay_unknown: DelayUnknown,
    /// How many times the consumer was named.
    names: u8,
    must_exist: bool,
    /// Whether one owner acknowledges in order.
    acks_in_order: bool,
    set: PhantomData<fn() -> S>,
}

impl<S> Subscribe<S> {
    pub(crate) fn new(bus: EventBus, wanted: Wanted) -> Self {
        Self {
            bus,
            wanted,
            routes: Routes::default(),
            config: ConsumerConfig::new(ConsumerName::Ephemeral, Vec::new()),
            given: Vec::new(),
            prefetch: Prefetch::Adaptive,
            filter: None,
            delay_unknown: DelayUnknown::default(),
            names: 0,
            must_exist: false,
            acks_in_order: false,
            set: PhantomData,
        }
    }

    /// The same subscription once more.
    pub(crate) fn again(&self) -> Self {
        Self {
            bus: self.bus.clone(),
            wanted: self.wanted.clone(),
            routes: self.routes.clone(),
            config: self.config.clone(),
            given: self.given.clone(),
            prefetch: self.prefetch,
            filter: self.filter.clone(),
            delay_unknown: self.delay_unknown,
            names: self.names,
            must_exist: self.must_exist,
            acks_in_order: self.acks_in_order,
            set: PhantomData,
        }
    }

    /// The same subscription, to another durable.
    pub(crate) fn under(mut self, durable: Text) -> Self {
        self.config.name = ConsumerName::Durable(durable);
        self
    }

    /// The streams in which it has a consumer.
    pub(crate) async fn streams(mut self) -> Result<Vec<Text>, Error> {
        if let Some(declared) = self.bus.inner().declared(&self.config.name) {
            self.routes.inherit(declared.routes());
        }
        let routes = self
            .wanted
            .resolve(&self.routes, &self.bus, Operation::Subscribe)
            .await?;
        Ok(routes.into_iter().map(|(stream, _)| stream).collect())
    }

    /// Binds the durable consumer of this name, or creates it. A durable keeps its position, and
    /// all subscriptions to it share its events. If the bus [declares](crate::BusBuilder::consumer)
    /// the durable, settings that are not set here come from the declaration.
    pub fn durable(mut self, name: impl Into<Text>) -> Self {
        self.names = self.names.saturating_add(1);
        self.config.name = ConsumerName::Durable(name.into());
        self
    }

    /// Requires that the durable exists. If it does not exist, nothing is created, and the error is
    /// [`ErrorKind::ConsumerNotFound`]. Use this option in a service if a deployment step creates
    /// its durables with [`EventBus::apply`].
    pub fn must_exist(mut self) -> Self {
        self.must_exist = true;
        self
    }

    /// Shares the events with all subscriptions of this group. A group ends when it has no
    /// subscription left. On NATS it ends when it has had no subscription for the
    /// `inactive_threshold` of the transport.
    pub fn group(mut self, name: impl Into<Text>) -> Self {
        self.names = self.names.saturating_add(1);
        self.config.name = ConsumerName::Group(name.into());
        self
    }

    /// Sets where a new consumer starts. Default: at the oldest event.
    pub fn deliver(mut self, policy: DeliverPolicy) -> Self {
        self.config.deliver = policy;
        self.given.push(Setting::Deliver);
        self
    }

    /// Sets how deliveries are acknowledged. Default: each separately.
    ///
    /// [`AckPolicy::All`] is refused here, because one acknowledgement would also settle events that
    /// another subscription is handling: use
    /// [`Consumer::ack_all`](crate::consumer::Consumer::ack_all).
    pub fn ack_policy(mut self, policy: AckPolicy) -> Self {
        self.config.ack = policy;
        self.given.push(Setting::Ack);
        self
    }

    /// One owner acknowledges in order, with all before it.
    pub(crate) fn ack_all(mut self) -> Self {
        self.acks_in_order = true;
        self.ack_policy(AckPolicy::All)
    }

    /// Sets how long a delivery may stay unsettled before it is delivered again. Default: 30 s.
    pub fn ack_wait(mut self, wait: Duration) -> Self {
        self.config.ack_wait = wait;
        self.given.push(Setting::AckWait);
        self
    }

    /// Sets the maximum number of deliveries of an event. Default: 0, no limit.
    ///
    /// The server enforces the limit. An event is *exhausted* if it was delivered this many times
    /// and neither acknowledged nor terminated. An exhausted event is not delivered again, and
    /// stays in the stream. It is reported as
    /// [`NoticeKind::Exhausted`](crate::transport::NoticeKind::Exhausted) if the transport has
    /// [`Capability::ReportsExhausted`](crate::transport::Capability::ReportsExhausted).
    ///
    /// The server counts a delivery when it sends the event, even if nothing handles it. A
    /// prefetched event could therefore be exhausted without being handled. To avoid this, the
    /// subscription requests an event only while [`next`](super::Subscriber::next) waits for one,
    /// unless [`prefetch`](Self::prefetch) is set.
    ///
    /// A NATS server reports an event only once, when the event becomes exhausted. If the consumer
    /// has no subscription at that time, the report is lost. The next subscription can then find at
    /// most one such event: the first event after the consumer's ack floor. It finds that event
    /// only if the server is newer than 2.10 and no delivery is unsettled. After an acknowledgement
    /// has moved the floor, it no longer finds the event. If a transport has
    /// [`Capability::ReportsExhaustedLater`](crate::transport::Capability::ReportsExhaustedLater),
    /// the next subscription reports all such events.
    pub fn max_deliver(mut self, deliveries: u32) -> Self {
        self.config.max_deliver = NonZeroU32::new(deliveries);
        self.given.push(Setting::MaxDeliver);
        self
    }

    /// Sets the maximum number of unsettled deliveries, over all subscriptions of the consumer.
    /// Default: 1,000; 0: no limit.
    pub fn max_ack_pending(mut self, deliveries: u32) -> Self {
        self.config.max_ack_pending = NonZeroU32::new(deliveries);
        self.given.push(Setting::MaxAckPending);
        self
    }

    /// Sets the server's backoff: one ack wait for each delivery of an event, the first wait for the
    /// first delivery. These waits replace [`ack_wait`](Self::ack_wait). Default: none.
    ///
    /// The waits also limit the time to handle an event. For example, if the first wait is 1 s and
    /// the handler takes 2 s, the event is delivered again while the handler runs. To wait between
    /// failed deliveries, use [`nak`](super::Delivery::nak) with a delay instead.
    pub fn server_backoff(mut self, waits: impl IntoIterator<Item = Duration>) -> Self {
        self.config.backoff = waits.into_iter().collect();
        self.given.push(Setting::Backoff);
        self
    }

    /// Sets a fixed number of messages to prefetch. By default the number adapts to the measured
    /// rate at which events are settled ([`Prefetch::Adaptive`]): the subscription prefetches as
    /// many messages as are settled in about 0.25 s, at most 1,000. It prefetches none if one event
    /// takes more than a third of the ack wait, or if [`max_deliver`](Self::max_deliver) is set.
    ///
    /// Prefetched messages are not available to other subscriptions of the consumer, and their ack
    /// waits are running. If the ack wait of a prefetched message ends before
    /// [`next`](super::Subscriber::next) returns the message, the subscription discards the
    /// message, and the server delivers it again. A discarded delivery counts for `max_deliver`. So
    /// a fixed number can exhaust events that no handler has seen.
    ///
    /// Prefetching saves round trips to a server; see `docs/benchmarks.md`. The memory transport
    /// prefetches only for consumers without acknowledgements.
    pub fn prefetch(mut self, messages: usize) -> Self {
        self.prefetch = Prefetch::Fixed(messages);
        self
    }

    /// Receives only events whose subjects also match this pattern. The pattern is relative to the
    /// prefix. If this method is called twice, both patterns must match. The server filters by the
    /// patterns with which the consumer was created. An existing durable keeps its filters. If its
    /// filters match more subjects, events with these subjects arrive too.
    pub fn subject(mut self, pattern: Pattern) -> Self {
        self.routes.narrow(pattern);
        self
    }

    /// Receives from this stream only.
    pub fn stream(mut self, name: impl Into<Text>) -> Self {
        self.routes.stream(name.into());
        self
    }

    /// Receives only events for whose envelope `keep` returns `true`. This filter runs in the
    /// client. The client acknowledges the other events. A message that is not an envelope is
    /// always delivered.
    pub fn filter(
        mut self,
        keep: impl Fn(&EnvelopeHeader) -> bool + Send + Sync + 'static,
    ) -> Self {
        self.filter = Some(Arc::new(keep));
        self
    }

    /// Sets what was not set before.
    pub(crate) fn with_defaults(
        mut self,
        deliver: Option<DeliverPolicy>,
        ack_wait: Option<Duration>,
        max_ack_pending: Option<u32>,
    ) -> Self {
        if let (Some(deliver), false) = (deliver, self.given.contains(&Setting::Deliver)) {
            self = self.deliver(deliver);
        }
        if let (Some(wait), false) = (ack_wait, self.given.contains(&Setting::AckWait)) {
            self = self.ack_wait(wait);
        }
        let has_limit = self.given.contains(&Setting::MaxAckPending);
        if let (Some(limit), false) = (max_ack_pending, has_limit) {
            self = self.max_ack_pending(limit);
        }
        self
    }

    pub(crate) fn with_delay_unknown(mut self, bounds: DelayUnknown) -> Self {
        self.delay_unknown = bounds;
        self
    }

    /// Takes ack wait, backoff, `max_ack_pending` and whether the durable must exist from another
    /// subscription.
    pub(crate) fn with_limits_of<T>(mut self, other: &Subscribe<T>) -> Self {
        self.config.ack_wait = other.config.ack_wait;
        self.config.max_ack_pending = other.config.max_ack_pending;
        self.config.backoff.clone_from(&other.config.backoff);
        self.must_exist = other.must_exist;
        // A declared durable of the same name is another one.
        self.given.push(Setting::Ack);
        for setting in [Setting::AckWait, Setting::MaxAckPending, Setting::Backoff] {
            if other.given.contains(&setting) {
                self.given.push(setting);
            }
        }
        self
    }

    pub(crate) fn with_key(mut self, key: &dyn fmt::Display) -> Self {
        self.routes.key(key);
        self
    }

    async fn open(mut self) -> Result<Subscriber<S>, Error> {
        if let Some(declared) = self.bus.inner().declared(&self.config.name) {
            settings::inherit(&mut self.config, declared.config(), &self.given);
            self.routes.inherit(declared.routes());
        }
        self.check()?;
        self.check_declaration()?;
        let inner = self.bus.inner();
        let routes = self
            .wanted
            .resolve(&self.routes, &self.bus, Operation::Subscribe)
            .await?;
        if let DeliverPolicy::ByStartSequence(sequence) = self.config.deliver {
            one_stream(sequence, &routes, Operation::Subscribe)?;
        }
        let (mut sources, mut bound) = (Vec::new(), Vec::new());
        let all = Routes::default();
        let known = (self.wanted).filters(&all, &self.bus, Operation::Subscribe)?;
        let reports = Arc::new(Reports::default());
        for (stream, filters) in routes {
            if self.config.ack == AckPolicy::All {
                self.check_removes_in_order(&stream)?;
            }
            let mut config = self.config.clone();
            config.filters = filters;
            let mut request = SubscribeRequest::new(stream.clone(), config);
            request.prefetch = self.prefetch;
            request.must_exist = self.must_exist;
            let supported = inner
                .transport
                .check_needs(request.needs(), Operation::Subscribe);
            supported.map_err(|error| error.at_stream(stream.clone()))?;
            let subscription = inner.transport.subscribe(request).await?;
            binding::report(&stream, &subscription.bound, &known);
            let consumer = self.config.name.as_str();
            let refusals = Refusals {
                stream: stream.clone(),
                consumer: consumer.map(Text::copy_of),
                clock: Arc::clone(&inner.clock),
                bounds: self.delay_unknown.bounds(&subscription.bound),
                naks: inner
                    .delayed_naks
                    .of(&stream, consumer, inner.clock.monotonic()),
                reports: Arc::clone(&reports),
            };
            bound.push((stream.clone(), subscription.bound));
            sources.push(Source {
                stream,
                consumer: consumer.map(Text::copy_of),
                deliveries: subscription.deliveries,
                refusals: Arc::new(refusals),
            });
        }
        let opener = Opener {
            codec: Arc::clone(&inner.codec),
            // A copy of its own, so that counting references to it is not
            // shared with other threads.
            prefix: inner.prefix.to_string().into(),
            max_payload: inner.max_payload,
            members: self.wanted.members(),
            tracing: inner.tracing.clone(),
        };
        let clock = Arc::clone(&inner.clock);
        let filter = self.filter;
        Ok(Subscriber::new(
            sources, bound, opener, clock, filter, reports,
        ))
    }

    /// The name of a consumer with partitions is that of none of its durables.
    fn check_declaration(&self) -> Result<(), Error> {
        let ConsumerName::Durable(name) = &self.config.name else {
            return Ok(());
        };
        let declared = self.bus.inner().declared_consumer(name);
        let Some(number) = declared.and_then(ConsumerSpec::partition_count) else {
            return Ok(());
        };
        let reason = format!(
            "the bus declares `{name}` with {number} partitions: a durable of this name would receive their events once more; run it as a consumer with `partitions({number})`"
        );
        let error = Error::new(ErrorKind::InvalidOption, Operation::Subscribe, reason);
        Err(error.at_consumer(name.clone()))
    }

    /// Whether a declared stream removes messages in the order of their sequences.
    fn check_removes_in_order(&self, stream: &Text) -> Result<(), Error> {
        let mut declared = self.bus.inner().streams.iter();
        let declared = declared.find(|config| config.name == *stream);
        if declared.is_none_or(|config| config.limits.messages_per_subject.is_none()) {
            return Ok(());
        }
        let reason = "ack_all on a stream with max_messages_per_subject: the removal of an unsettled message settles everything before it; leave out one of them";
        let error = Error::new(ErrorKind::InvalidOption, Operation::Subscribe, reason);
        Err(error.at_stream(stream.clone()))
    }

    /// Validates the options, as far as possible without a transport.
    fn check(&self) -> Result<(), Error> {
        let invalid = |reason: String| {
            Err(Error::new(
                ErrorKind::InvalidOption,
                Operation::Subscribe,
                reason,
            ))
        };
        if self.names > 1 {
            return invalid(
                "the consumer was named more than once; a durable is shared by all subscriptions to it, so name either a durable or a group".to_owned(),
            );
        }
        if self.config.ack == AckPolicy::All && !self.acks_in_order {
            return invalid(
                "with the ack policy All an acknowledgement would settle events that another subscription has; use `Consumer::ack_all` with `single_active`, or acknowledge each event".to_owned(),
            );
        }
        if self.prefetch == Prefetch::Fixed(0) {
            return invalid("prefetch 0 would never receive anything; use 1 or more".to_owned());
        }
        if self.must_exist && self.config.name == ConsumerName::Ephemeral {
            return invalid("`must_exist()` needs the name of a durable; name one".to_owned());
        }
        self.delay_unknown.check().or_else(invalid)?;
        self.config.check().or_else(invalid)
    }
}

/// Options for sets of events. A subscription without a type knows no keys and no unknown events.
impl<S: EventSet> Subscribe<S> {
    /// Receives only events with this key. The events must declare their key `in_subject`, because
    /// the server filters by subject. An existing durable keeps its filters. If its filters match
    /// more subjects, events with other keys arrive too.
    pub fn key(self, key: impl fmt::Display) -> Self {
        self.with_key(&key)
    }

    /// Sets how many unknown events [`Delivery::refuse`](super::Delivery::refuse) delays at the
    /// same time, and for how long. Beyond these bounds, `refuse` terminates and reports the event.
    /// Default: a tenth of the consumer's `max_ack_pending` (see [`DelayUnknown`]), and 15 minutes
    /// from the first delivery.
    pub fn delay_unknown(self, bounds: DelayUnknown) -> Self {
        self.with_delay_unknown(bounds)
    }
}

impl<S: 'static> IntoFuture for Subscribe<S> {
    type Output = Result<Subscriber<S>, Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.open())
    }
}

impl<S> fmt::Debug for Subscribe<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscribe")
            .field("routes", &self.routes)
            .field("config", &self.config)
            .field("prefetch", &self.prefetch)
            .field("delay_unknown", &self.delay_unknown)
            .finish_non_exhaustive()
    }
}
