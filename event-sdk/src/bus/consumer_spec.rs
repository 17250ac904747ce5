//! The declaration of a durable: its name, its set, and its settings.

use std::fmt;
use std::num::NonZeroU32;
use std::time::Duration;

use event_sdk_core::text::Text;
use event_sdk_core::transport::{
    AckPolicy, ConsumerConfig, ConsumerName, DeliverPolicy, Error, ErrorKind, Operation,
};
use event_sdk_core::{EventSet, Pattern};

use super::wanted::Filters;
use super::{EventBus, Routes};
use crate::partition::Partition;

/// The declaration of a durable consumer. [`EventBus::apply`] creates or changes the durable. A
/// subscription to the durable uses the declared settings, except those that the subscription sets.
///
/// If the events of the set are in several streams, each of these streams has a durable of this
/// name.
///
/// ```
/// use std::time::Duration;
/// use event_sdk::{ConsumerSpec, Event, EventBus};
/// use event_sdk::stream::StreamSpec;
/// use serde::{Deserialize, Serialize};
///
/// /// An order was placed.
/// #[derive(Event, Serialize, Deserialize)]
/// #[event(domain = "orders")]
/// struct OrderPlaced { cents: i64 }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), event_sdk::Error> {
/// let bus = EventBus::builder()
///     .stream(StreamSpec::new("ORDERS").subject("orders.>"))
///     .consumer(ConsumerSpec::durable::<OrderPlaced>("billing").ack_wait(Duration::from_secs(60)))
///     .memory()?;
/// let applied = bus.apply().await?;
/// assert_eq!(applied.to_string(), "stream ORDERS unchanged\nconsumer billing of ORDERS created");
/// let orders = bus.subscribe::<OrderPlaced>().durable("billing").must_exist().await?;
/// assert_eq!(orders.differences().count(), 0);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct ConsumerSpec {
    name: Text,
    routes: Routes,
    config: ConsumerConfig,
    filters: Filters,
    partitions: Option<u32>,
}

impl ConsumerSpec {
    /// Declares a durable for the events of the set `S`, or of one event type. Unless changed by
    /// other methods, the durable starts at the oldest event and has JetStream's defaults.
    pub fn durable<S: EventSet>(name: impl Into<Text>) -> Self {
        let name = name.into();
        Self {
            config: ConsumerConfig::new(ConsumerName::Durable(name.clone()), Vec::new()),
            name,
            routes: Routes::default(),
            filters: Routes::filters::<S>,
            partitions: None,
        }
    }

    /// Sets where the durable starts when it is created; an existing durable keeps its position.
    /// Default: at the oldest event.
    pub fn deliver(mut self, policy: DeliverPolicy) -> Self {
        self.config.deliver = policy;
        self
    }

    /// Sets how deliveries are acknowledged. This cannot be changed later. Default: each
    /// separately.
    pub fn ack_policy(mut self, policy: AckPolicy) -> Self {
        self.config.ack = policy;
        self
    }

    /// Sets how long a delivery may stay unsettled before it is delivered again. Default: 30 s.
    pub fn ack_wait(mut self, wait: Duration) -> Self {
        self.config.ack_wait = wait;
        self
    }

    /// Sets the maximum number of deliveries of an event. Default: 0, no limit.
    ///
    /// A NATS server reports an exhausted event only once, when it becomes exhausted. If the
    /// durable has no subscription at that time, the report is lost, and the event stays in the
    /// stream without another delivery. [`Subscribe::max_deliver`](crate::Subscribe::max_deliver)
    /// says which of these events the next subscription still finds.
    pub fn max_deliver(mut self, deliveries: u32) -> Self {
        self.config.max_deliver = NonZeroU32::new(deliveries);
        self
    }

    /// Sets the maximum number of unsettled deliveries. Default: 1,000; 0: no limit.
    pub fn max_ack_pending(mut self, deliveries: u32) -> Self {
        self.config.max_ack_pending = NonZeroU32::new(deliveries);
        self
    }

    /// Sets the server's backoff: one ack wait for each delivery of an event, the first wait for
    /// the first delivery. These waits replace [`ack_wait`](Self::ack_wait). Default: none.
    pub fn server_backoff(mut self, waits: impl IntoIterator<Item = Duration>) -> Self {
        self.config.backoff = waits.into_iter().collect();
        self
    }

    /// Restricts the durable to those subjects of the set that also match this pattern. The pattern
    /// is relative to the prefix. If this method is called twice, both patterns must match.
    pub fn subject(mut self, pattern: Pattern) -> Self {
        self.routes.narrow(pattern);
        self
    }

    /// Restricts the durable to this stream.
    pub fn stream(mut self, name: impl Into<Text>) -> Self {
        self.routes.stream(name.into());
        self
    }

    /// Declares the durables of a consumer with
    /// [partitions](crate::consumer::Consumer::partitions): `<name>-p0` and so on, instead of
    /// `<name>`. The consumer of this name must have the same number of partitions.
    pub fn partitions(mut self, number: u32) -> Self {
        self.partitions = Some(number);
        self
    }

    /// The name of the durable; with partitions, the name of the consumer.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The streams, and the subjects of the set.
    pub(crate) fn routes(&self) -> &Routes {
        &self.routes
    }

    /// The number of partitions, if there are any.
    pub(crate) fn partition_count(&self) -> Option<u32> {
        self.partitions
    }

    /// Whether this is a durable of this declaration.
    pub(crate) fn has_durable(&self, durable: &str) -> bool {
        match self.partitions {
            Some(number) => Partition::index_of(durable, &self.name, number).is_some(),
            None => self.name == *durable,
        }
    }

    /// The settings, without filters.
    pub(crate) fn config(&self) -> &ConsumerConfig {
        &self.config
    }

    /// The durables, one for each stream and partition. Of the partitions, the first one comes last: if
    /// it exists, all do.
    ///
    /// # Errors
    ///
    /// If no subject can match, no stream stores the subjects, or the number of partitions is out of
    /// range.
    pub(super) async fn configs(
        &self,
        bus: &EventBus,
    ) -> Result<Vec<(Text, ConsumerConfig)>, Error> {
        let filters = (self.filters)(&self.routes, bus, Operation::Manage)?;
        let routes = self.routes.resolve_filters(filters, bus, Operation::Manage);
        let names: Vec<_> = match self.partitions {
            None => vec![self.name.clone()],
            Some(number @ 1..=Partition::MOST) => {
                let indexes = (0..number).rev();
                indexes.map(|i| Partition::durable(&self.name, i)).collect()
            }
            Some(number) => {
                let reason = format!(
                    "partitions({number}) is not possible; use 1 to {}",
                    Partition::MOST
                );
                let error = Error::new(ErrorKind::InvalidOption, Operation::Manage, reason);
                return Err(error.at_consumer(self.name.clone()));
            }
        };
        let configs = routes.await?.into_iter().flat_map(|(stream, filters)| {
            names.iter().map(move |name| {
                let mut config = self.config.clone();
                config.name = ConsumerName::Durable(name.clone());
                config.filters.clone_from(&filters);
                (stream.clone(), config)
            })
        });
        Ok(configs.collect())
    }
}

impl fmt::Debug for ConsumerSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConsumerSpec")
            .field("routes", &self.routes)
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}
