//! `Discarding`: the transport of a service that runs without one and fails open. Publishes are
//! accepted, dropped, counted and logged; subscriptions wait.

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use event_sdk_core::transport::{
    Advisories, CancelRequest, Cancellation, Capabilities, Capability, Completion, Confirmation,
    ConnectionStatus, ConsumerAdmin, Coordination, Drained, Error, History, MessageAdmin,
    Operation, PublishRequest, ScheduleRequest, Scheduled, ScheduledMessage, Scheduler, Snapshots,
    Stored, StreamAdmin, SubscribeRequest, Subscription, Transport, UserInfo,
};

use super::Config;
use crate::bus::{BusBuilder, EventBus};
use crate::transport::memory::MemoryTransport;

/// The bus of the setting `transport = "discard"`.
pub(super) fn bus(builder: BusBuilder, config: &Config) -> Result<EventBus, Error> {
    let builder = builder.memory_max_messages(config.memory.max_messages);
    let (memory, streams) = builder.memory_transport(|memory| config.of_memory(memory))?;
    let discarded = Arc::default();
    let transport = Discarding {
        memory,
        discarded: Arc::clone(&discarded),
        ended: AtomicBool::new(false),
    };
    let builder = builder.simulated_process().discarded(discarded);
    Ok(builder.finish(Arc::new(transport), streams))
}

/// Streams, consumers and buckets are those of the memory transport, to which no event ever comes.
#[derive(Debug)]
struct Discarding {
    memory: MemoryTransport,
    discarded: Arc<AtomicU64>,
    /// Whether it is being drained, or was closed. Nothing is ever unsettled, so that a drain refuses
    /// publishing at once.
    ended: AtomicBool,
}

impl Discarding {
    /// Counts an event, and logs the first, the tenth, the hundredth and so on.
    fn discard(&self, operation: Operation) -> Result<(), Error> {
        if self.ended.load(Ordering::Acquire) {
            return Err(Error::closed(operation));
        }
        let discarded = self.discarded.fetch_add(1, Ordering::Relaxed) + 1;
        if is_power_of_ten(discarded) {
            tracing::warn!(
                target: crate::TRACING_TARGET,
                discarded,
                "an event was accepted and dropped, since the bus is configured to run without a transport; this is logged at each power of ten"
            );
        }
        Ok(())
    }
}

fn is_power_of_ten(number: u64) -> bool {
    10_u64.checked_pow(number.ilog10()) == Some(number)
}

#[deny(clippy::missing_trait_methods)]
impl Transport for Discarding {
    fn name(&self) -> &'static str {
        "discard"
    }

    fn capabilities(&self) -> Capabilities {
        // A value that is dropped need not be encoded, but is refused as on a server if it cannot be.
        self.memory
            .capabilities()
            .without(Capability::ValueHandover)
    }

    fn publish(&self, message: PublishRequest<'_>) -> Completion<Result<Confirmation, Error>> {
        let accepted = self.discard(Operation::Publish);
        let accepted = accepted.map_err(|error| error.at_subject(message.subject));
        Completion::ready(accepted.map(|()| Completion::ready(Ok(Stored::new(None, None)))))
    }

    fn subscribe(&self, request: SubscribeRequest) -> Completion<Result<Subscription, Error>> {
        self.memory.subscribe(request)
    }

    fn is_connected(&self) -> bool {
        self.memory.is_connected()
    }

    fn connection_status(&self) -> ConnectionStatus {
        self.memory.connection_status()
    }

    fn user(&self) -> Completion<Result<Option<UserInfo>, Error>> {
        self.memory.user()
    }

    fn history(&self) -> Option<&dyn History> {
        self.memory.history()
    }

    fn stream_admin(&self) -> Option<&dyn StreamAdmin> {
        self.memory.stream_admin()
    }

    fn consumer_admin(&self) -> Option<&dyn ConsumerAdmin> {
        self.memory.consumer_admin()
    }

    fn message_admin(&self) -> Option<&dyn MessageAdmin> {
        self.memory.message_admin()
    }

    fn advisories(&self) -> Option<&dyn Advisories> {
        self.memory.advisories()
    }

    fn coordination(&self) -> Option<&dyn Coordination> {
        self.memory.coordination()
    }

    fn connections(&self) -> u64 {
        self.memory.connections()
    }

    fn scheduler(&self) -> Option<&dyn Scheduler> {
        Some(self)
    }

    fn snapshots(&self) -> Option<&dyn Snapshots> {
        // A backup without events would look like one.
        None
    }

    fn remedy(&self, missing: Capability) -> Cow<'static, str> {
        self.memory.remedy(missing)
    }

    fn drain(&self, within: Duration) -> Completion<Result<Drained, Error>> {
        self.ended.store(true, Ordering::Release);
        self.memory.drain(within)
    }

    fn close(&self) -> Completion<Result<(), Error>> {
        self.ended.store(true, Ordering::Release);
        self.memory.close()
    }
}

/// An event that is to be published later is dropped at once.
#[deny(clippy::missing_trait_methods)]
impl Scheduler for Discarding {
    fn schedule(&self, _: ScheduleRequest) -> Completion<Result<Scheduled, Error>> {
        let accepted = self.discard(Operation::Schedule);
        Completion::ready(accepted.map(|()| Scheduled::new(false)))
    }

    fn cancel(&self, _: CancelRequest) -> Completion<Result<Cancellation, Error>> {
        Completion::ready(Ok(Cancellation::Unknown))
    }

    fn list(&self, _: &str, _: &str) -> Completion<Result<Vec<ScheduledMessage>, Error>> {
        Completion::ready(Ok(Vec::new()))
    }
}
