//! Wrapper transport that breaks one promise on purpose.

mod advisories;
mod closing;
mod consumers;
mod coordinating;
mod copying;
mod delivering;
mod draining;
mod kinds;
mod managing;
mod messages;
mod publishing;
mod reading;
mod saboteur;
mod scheduling;
mod settling;
mod slow;
mod snapshots;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use event_sdk::Pattern;
use event_sdk::transport::{
    AckPolicy, Advisories, BoundConsumer, Capabilities, Capability, Completion, Confirmation,
    ConnectionStatus, ConsumerAdmin, ConsumerConfig, ConsumerName, Coordination, DeliverPolicy,
    Drained, Error, ErrorKind, History, LinkState, MessageAdmin, Operation, PublishRequest,
    Scheduler, Snapshots, StreamAdmin, SubscribeRequest, Subscription, Transport,
    TransportExt as _,
};

pub(crate) use kinds::Sabotage;
pub(crate) use saboteur::Saboteur;

use consumers::Known;
use coordinating::Coordinating;
use copying::Copies;
use settling::Settled;
use slow::Waiting;

/// A transport that breaks a promise.
#[derive(Debug)]
pub(crate) struct Broken<T> {
    inner: Arc<T>,
    sabotage: Sabotage,
    published: AtomicU64,
    begun: AtomicU64,
    waiting: Waiting,
    settled: Arc<Settled>,
    known: Known,
    draining: AtomicBool,
    coordination: Coordinating,
    copies: Copies,
}

impl<T: Transport> Broken<T> {
    pub(crate) fn new(inner: T, sabotage: Sabotage) -> Self {
        Self {
            inner: Arc::new(inner),
            sabotage,
            published: AtomicU64::new(0),
            begun: AtomicU64::new(0),
            waiting: Waiting::default(),
            settled: Arc::default(),
            known: Known::default(),
            draining: AtomicBool::new(false),
            coordination: Coordinating::default(),
            copies: Copies::default(),
        }
    }

    /// Whether a consumer is one of the first that are asked to begin somewhere else than at the
    /// oldest message.
    fn is_behind(&self, config: &ConsumerConfig) -> bool {
        use DeliverPolicy as D;
        // A sequence is what it is on every copy.
        let elsewhere = !matches!(config.deliver, D::All | D::ByStartSequence(_));
        let first = || self.begun.fetch_add(1, Ordering::Relaxed) < 2;
        elsewhere && matches!(config.name, ConsumerName::Ephemeral) && first()
    }

    fn is(&self, sabotage: Sabotage) -> bool {
        self.sabotage == sabotage
    }

    /// What the consumer is instead of what was asked for.
    fn distort(&self, config: &mut ConsumerConfig) {
        match self.sabotage {
            Sabotage::CopiesToEachMember => {
                if let ConsumerName::Group(_) = config.name {
                    config.name = ConsumerName::Ephemeral;
                }
            }
            Sabotage::IgnoresFilters => {
                // The subjects of a case begin with a token of its own.
                for filter in &mut config.filters {
                    let own = filter.as_str().split('.').next().unwrap_or_default();
                    *filter = Pattern::parse(format!("{own}.>")).unwrap();
                }
                config.filters.truncate(1);
            }
            Sabotage::AcksOneByOne if config.ack == AckPolicy::All => {
                config.ack = AckPolicy::Explicit;
            }
            Sabotage::BeginsAtTheOldest => config.deliver = DeliverPolicy::All,
            Sabotage::BeginsBehind if self.is_behind(config) => {
                config.deliver = DeliverPolicy::All;
            }
            Sabotage::IgnoresMaxAckPending => config.max_ack_pending = None,
            Sabotage::IgnoresMaxDeliver => config.max_deliver = None,
            Sabotage::IgnoresBackoff => config.backoff.clear(),
            _ => {}
        }
    }
}

impl<T: Transport> Transport for Broken<T> {
    fn name(&self) -> &str {
        match self.sabotage {
            Sabotage::HasNoName => "",
            _ => "a transport that breaks a promise",
        }
    }

    fn capabilities(&self) -> Capabilities {
        let capabilities = self.inner.capabilities();
        match self.sabotage {
            Sabotage::Hides(capability) => capabilities.without(capability),
            Sabotage::Pretends(capability) => capabilities.with(capability),
            _ => capabilities,
        }
    }

    fn publish(&self, message: PublishRequest<'_>) -> Completion<Result<Confirmation, Error>> {
        self.broken_publish(message)
    }

    fn subscribe(&self, mut request: SubscribeRequest) -> Completion<Result<Subscription, Error>> {
        if let Err(error) = self.known.check(self.sabotage, &request) {
            return Completion::ready(Err(error));
        }
        self.distort(&mut request.config);
        request.must_exist &= !self.is(Sabotage::CreatesWhatMustExist);
        let (inner, sabotage) = (Arc::clone(&self.inner), self.sabotage);
        let (settled, reading) = (Arc::clone(&self.settled), self.waiting.begin());
        Completion::later(async move {
            let name = request.config.name.as_str().map(str::to_owned);
            if sabotage == Sabotage::ForgetsDurables
                && let ConsumerName::Durable(name) = &request.config.name
            {
                let _ = inner.delete_consumer(&request.stream, name).await;
            }
            let mut subscribed = inner.subscribe(request.clone()).await;
            if subscribed
                .as_ref()
                .is_err_and(|error| *error.kind() == ErrorKind::InvalidSubject)
            {
                let name = name.as_deref().unwrap_or_default();
                let exists = inner.consumer_info(&request.stream, name).await.is_ok();
                if sabotage == Sabotage::CreatesWhatNeverReceives && !exists
                    || sabotage == Sabotage::BindsWhatReceivesNoMore && exists
                {
                    let bound = BoundConsumer::created(request.config);
                    return Ok(Subscription::new(futures_util::stream::pending(), bound));
                }
            }
            if sabotage == Sabotage::ChangesConsumers
                && let (Err(error), Some(name)) = (&subscribed, &name)
                && matches!(error.kind(), ErrorKind::ConsumerMismatch { .. })
            {
                inner.delete_consumer(&request.stream, name).await?;
                subscribed = inner.subscribe(request).await;
            }
            let subscribed = subscribed.map(|subscription| {
                let mut subscription = subscription.map_deliveries(|deliveries| {
                    let deliveries = delivering::broken(sabotage, deliveries, settled);
                    let deliveries = closing::broken(sabotage, deliveries);
                    reading.count(deliveries)
                });
                if sabotage == Sabotage::TellsNoDifferences {
                    subscription.bound.differences.clear();
                }
                subscription
            });
            subscribed.map_err(|error| blurred(sabotage, error))
        })
    }

    fn history(&self) -> Option<&dyn History> {
        self.inner.supports(Capability::History).then_some(self)
    }

    fn stream_admin(&self) -> Option<&dyn StreamAdmin> {
        self.inner.supports(Capability::StreamAdmin).then_some(self)
    }

    fn consumer_admin(&self) -> Option<&dyn ConsumerAdmin> {
        self.inner
            .supports(Capability::ConsumerAdmin)
            .then_some(self)
    }

    fn message_admin(&self) -> Option<&dyn MessageAdmin> {
        self.inner
            .supports(Capability::MessageAdmin)
            .then_some(self)
    }

    fn advisories(&self) -> Option<&dyn Advisories> {
        self.inner.supports(Capability::Advisories).then_some(self)
    }

    fn coordination(&self) -> Option<&dyn Coordination> {
        self.inner
            .supports(Capability::Coordination)
            .then_some(self)
    }

    fn scheduler(&self) -> Option<&dyn Scheduler> {
        self.inner.supports(Capability::Scheduler).then_some(self)
    }

    fn connection_status(&self) -> ConnectionStatus {
        let mut status = self.inner.connection_status();
        match self.sabotage {
            Sabotage::DeniesItsConnection if status.state == LinkState::Connected => {
                status.state = LinkState::Disconnected;
            }
            Sabotage::ConcealsItsEnd => status.state = LinkState::Connected,
            _ => {}
        }
        status
    }

    fn snapshots(&self) -> Option<&dyn Snapshots> {
        self.inner.supports(Capability::Snapshots).then_some(self)
    }

    fn drain(&self, within: Duration) -> Completion<Result<Drained, Error>> {
        self.broken_drain(within)
    }

    fn close(&self) -> Completion<Result<(), Error>> {
        if self.is(Sabotage::GoesOnAfterClosing) {
            return Completion::ready(Ok(()));
        }
        self.inner.close()
    }
}

/// What a transport says that cannot do what it declares.
fn only_pretended(capability: Capability, operation: Operation) -> Error {
    Error::unsupported(capability, operation, "it was only pretended")
}

/// The error, or one that does not say of what kind it is.
fn blurred(sabotage: Sabotage, error: Error) -> Error {
    if sabotage == Sabotage::BlursErrors {
        return Error::new(ErrorKind::Other, error.operation(), error.to_string());
    }
    error
}
