//! The bus refuses what a transport does not declare, even if the transport would take it.

use std::time::Duration;

use event_sdk::stream::{Compression, Placement, Retention, StreamSpec, Upstream};
use event_sdk::transport::memory::MemoryTransport;
use event_sdk::transport::{
    AckPolicy, Advisories, Capabilities, Capability, Completion, Confirmation, ConsumerAdmin,
    Coordination, DeliverPolicy, Drained, Error, ErrorKind, History, MessageAdmin, PublishRequest,
    Scheduler, Snapshots, StreamAdmin, SubscribeRequest, Subscription, Transport,
};
use event_sdk::{EventBus, Subscribe};
use event_sdk_tests::orders::{OrderEvents, OrderPlaced};

/// A memory transport that does not know a capability, and ignores it where it is asked for: one
/// that was built on an older core.
#[derive(Debug)]
struct Older {
    inner: MemoryTransport,
    unknown: Capability,
}

impl Transport for Older {
    fn name(&self) -> &'static str {
        "older memory"
    }

    fn capabilities(&self) -> Capabilities {
        self.inner.capabilities().without(self.unknown)
    }

    fn publish(&self, message: PublishRequest<'_>) -> Completion<Result<Confirmation, Error>> {
        self.inner.publish(message)
    }

    fn subscribe(&self, request: SubscribeRequest) -> Completion<Result<Subscription, Error>> {
        self.inner.subscribe(request)
    }

    fn history(&self) -> Option<&dyn History> {
        self.inner.history()
    }

    fn stream_admin(&self) -> Option<&dyn StreamAdmin> {
        self.inner.stream_admin()
    }

    fn consumer_admin(&self) -> Option<&dyn ConsumerAdmin> {
        self.inner.consumer_admin()
    }

    fn message_admin(&self) -> Option<&dyn MessageAdmin> {
        self.inner.message_admin()
    }

    fn advisories(&self) -> Option<&dyn Advisories> {
        self.inner.advisories()
    }

    fn coordination(&self) -> Option<&dyn Coordination> {
        self.inner.coordination()
    }

    fn scheduler(&self) -> Option<&dyn Scheduler> {
        (self.unknown != Capability::Scheduler)
            .then(|| self.inner.scheduler())
            .flatten()
    }

    fn snapshots(&self) -> Option<&dyn Snapshots> {
        self.inner.snapshots()
    }

    fn drain(&self, within: Duration) -> Completion<Result<Drained, Error>> {
        self.inner.drain(within)
    }

    fn close(&self) -> Completion<Result<(), Error>> {
        self.inner.close()
    }
}

const STREAM: StreamSpec = StreamSpec::constant("ORDERS", &["orders.>"]);

fn bus(unknown: Capability, declared: StreamSpec) -> EventBus {
    let existing = STREAM.config("events").unwrap();
    let inner = MemoryTransport::builder().stream(existing).build().unwrap();
    let builder = EventBus::builder().stream(declared);
    builder.transport(Older { inner, unknown }).unwrap()
}

async fn refused(
    unknown: Capability,
    ask: impl Fn(Subscribe<OrderEvents>) -> Subscribe<OrderEvents>,
) {
    let bus = bus(unknown, STREAM);
    let error = ask(bus.subscribe()).await.unwrap_err();
    assert_eq!(*error.kind(), ErrorKind::Unsupported(unknown), "{error}");
    assert_eq!(bus.stream_state("ORDERS").await.unwrap().consumers, 0);
    let known = Capability::ReportsGaps;
    let bus = self::bus(known, STREAM);
    drop(ask(bus.subscribe()).await.unwrap());
}

#[tokio::test]
async fn a_subscription_asks_for_nothing_that_is_not_declared() {
    refused(Capability::SeveralFilters, |subscribe| subscribe).await;
    refused(Capability::Backoff, |subscribe| {
        subscribe.server_backoff([Duration::from_secs(1)])
    })
    .await;
}

#[tokio::test]
async fn without_a_store_a_subscription_acknowledges_nothing_and_begins_with_what_is_new() {
    let bus = bus(Capability::Store, STREAM);
    let error = bus.subscribe::<OrderPlaced>().await.unwrap_err();
    let kind = ErrorKind::Unsupported(Capability::Store);
    assert_eq!(*error.kind(), kind, "{error}");
    let plain = bus.subscribe::<OrderPlaced>().ack_policy(AckPolicy::None);
    let error = plain.deliver(DeliverPolicy::All).await.unwrap_err();
    assert_eq!(*error.kind(), kind, "{error}");
}

#[tokio::test]
async fn streams_are_applied_only_with_what_is_declared() {
    for (unknown, declared) in [
        (
            Capability::RetentionByAck,
            StreamSpec::new("NEW").retention(Retention::WorkQueue),
        ),
        (
            Capability::Compression,
            StreamSpec::new("NEW").compression(Compression::S2),
        ),
        (
            Capability::DeduplicationOff,
            StreamSpec::new("NEW").duplicate_window(Duration::ZERO),
        ),
        (Capability::Scheduler, StreamSpec::new("NEW").schedules()),
        (
            Capability::DenyDeletion,
            StreamSpec::new("NEW").deny_delete(true),
        ),
        (
            Capability::DenyDeletion,
            StreamSpec::new("NEW").deny_purge(true),
        ),
        (
            Capability::RollUp,
            StreamSpec::new("NEW").allow_rollup(true),
        ),
        (
            Capability::Copies,
            StreamSpec::new("NEW").sources(const { &[Upstream::of("OTHER")] }),
        ),
        (
            Capability::Placement,
            StreamSpec::new("NEW").placement(Placement::tagged(&["ssd"])),
        ),
    ] {
        let bus = bus(unknown, declared.subject("new.>"));
        let error = bus.apply_streams().await.unwrap_err();
        assert_eq!(*error.kind(), ErrorKind::Unsupported(unknown), "{error}");
        assert!(error.to_string().contains("NEW"), "{error}");
        let state = bus.stream_state("NEW").await;
        assert_eq!(*state.unwrap_err().kind(), ErrorKind::StreamNotFound);
    }
}
