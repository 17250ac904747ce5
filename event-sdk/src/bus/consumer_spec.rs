//! The declaration of a durable: its name, its set, and its settings.

use std::fmt;
use std::num::NonZeroU32;
use std::time::Duration;

use event_sdk_core::text::Text;
use event_sdk_core::transport::{
    AckPolicy, ConsumerConfig, ConsumerName, DeliverPolicy, Error, Operation,
};
use event_sdk_core::{EventSet, Pattern};

use super::wanted::Filters;
use super::{EventBus, Routes};

/// The declaration of a durable consumer: [`EventBus::apply`] creates it or changes it, and
/// subscriptions to it have its settings where they say nothing else.
///
/// A set whose events lie in several streams has a durable of this name in each.
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
}

impl ConsumerSpec {
    /// A durable for the events of the set `S`, or of one type: it starts at the oldest event,
    /// and has JetStream's defaults otherwise.
    pub fn durable<S: EventSet>(name: impl Into<Text>) -> Self {
        let name = name.into();
        Self {
            config: ConsumerConfig::new(ConsumerName::Durable(name.clone()), Vec::new()),
            name,
            routes: Routes::default(),
            filters: Routes::filters::<S>,
        }
    }

    /// Where the durable starts when it is created: at the oldest event unless set. It is
    /// not changed later.
    pub fn deliver(mut self, policy: DeliverPolicy) -> Self {
        self.config.deliver = policy;
        self
    }

    /// How deliveries are acknowledged: each by itself unless set. It cannot be changed later.
    pub fn ack_policy(mut self, policy: AckPolicy) -> Self {
        self.config.ack = policy;
        self
    }

    /// How long a delivery may stay unsettled before it is delivered again: 30
    /// seconds unless set.
    pub fn ack_wait(mut self, wait: Duration) -> Self {
        self.config.ack_wait = wait;
        self
    }

    /// How often an event is delivered; zero, and unless set: until it is settled.
    pub fn max_deliver(mut self, deliveries: u32) -> Self {
        self.config.max_deliver = NonZeroU32::new(deliveries);
        self
    }

    /// How many deliveries may be unsettled at once: 1,000 unless set; zero: any number.
    pub fn max_ack_pending(mut self, deliveries: u32) -> Self {
        self.config.max_ack_pending = NonZeroU32::new(deliveries);
        self
    }

    /// The server's own backoff: waits that replace the ack wait, by attempt.
    pub fn server_backoff(mut self, waits: impl IntoIterator<Item = Duration>) -> Self {
        self.config.backoff = waits.into_iter().collect();
        self
    }

    /// Only subjects of the set that this pattern, relative to the prefix, matches too.
    pub fn subject(mut self, pattern: Pattern) -> Self {
        self.routes.narrow(pattern);
        self
    }

    /// Only from this stream.
    pub fn stream(mut self, name: impl Into<Text>) -> Self {
        self.routes.stream(name.into());
        self
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// From which streams, and which subjects of the set.
    pub(crate) fn routes(&self) -> &Routes {
        &self.routes
    }

    /// The settings, without filters.
    pub(crate) fn config(&self) -> &ConsumerConfig {
        &self.config
    }

    /// The durables, one for each stream.
    ///
    /// # Errors
    ///
    /// When nothing can match, or no stream stores what is wanted.
    pub(super) async fn configs(
        &self,
        bus: &EventBus,
    ) -> Result<Vec<(Text, ConsumerConfig)>, Error> {
        let filters = (self.filters)(&self.routes, bus, Operation::Manage)?;
        let routes = self.routes.resolve_filters(filters, bus, Operation::Manage);
        let configs = routes.await?.into_iter().map(|(stream, filters)| {
            let mut config = self.config.clone();
            config.filters = filters;
            (stream, config)
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
