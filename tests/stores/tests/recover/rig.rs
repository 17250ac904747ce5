//! Rig: a service with an outbox, a service with an inbox, each with a database of its own, and a bus.

use std::collections::BTreeMap;
use std::future::Future;
use std::marker::PhantomData;
use std::time::{Duration, Instant};

use event_sdk::consumer::Failure;
use event_sdk::stream::StreamSpec;
use event_sdk::transport::TransportExt as _;
use event_sdk::{Event, EventBus, subject};
use event_sdk_sql::recover::{Divergence, Recover, RecoverPlan, RecoverReport};
use event_sdk_sql::{EffectOf, EffectTx, Inbox, Outbox, ParkedState, RelayReport};
use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;

use crate::home::Home;

/// An order was placed.
#[derive(Debug, Clone, PartialEq, Eq, Event, Serialize, Deserialize)]
#[event(domain = "orders")]
pub(crate) struct OrderPlaced {
    #[event(key)]
    pub(crate) customer: String,
    pub(crate) order: u32,
}

pub(crate) fn placed(order: u32) -> OrderPlaced {
    OrderPlaced {
        customer: format!("c{}", order % 3),
        order,
    }
}

pub(crate) const STREAM: &str = "ORDERS";
pub(crate) const DURABLE: &str = "billing";

pub(crate) struct Rig<H: Home> {
    pub(crate) bus: EventBus,
    /// The database of the outbox.
    pub(crate) shop: H,
    /// The database of the inbox.
    pub(crate) office: H,
}

impl<H: Home> Rig<H> {
    pub(crate) async fn new() -> Self {
        Self::over(bus()).await
    }

    pub(crate) async fn over(bus: EventBus) -> Self {
        let rig = Self {
            bus,
            shop: H::new().await,
            office: H::new().await,
        };
        rig.outbox().migrate().await.unwrap();
        rig.inbox().migrate().await.unwrap();
        rig.office.create_invoices().await;
        rig
    }

    /// A rig whose first orders were published and handled.
    pub(crate) async fn after(orders: u32) -> Self {
        let rig = Self::new().await;
        rig.go_on(1..=orders).await;
        rig
    }

    pub(crate) fn outbox(&self) -> Outbox<H::Db> {
        Outbox::new(self.shop.pool().clone(), self.bus.clone())
    }

    pub(crate) fn inbox(&self) -> Inbox<H::Db> {
        Inbox::new(self.office.pool().clone())
    }

    /// Stores, publishes and handles orders.
    pub(crate) async fn go_on(&self, orders: impl IntoIterator<Item = u32>) {
        self.enqueue(orders).await;
        self.publish().await;
        self.handle().await;
    }

    pub(crate) async fn enqueue(&self, orders: impl IntoIterator<Item = u32>) {
        let outbox = self.outbox();
        let mut tx = outbox.begin().await.unwrap();
        for order in orders {
            outbox.enqueue(&mut tx, placed(order)).await.unwrap();
        }
        tx.commit().await.unwrap();
    }

    /// Runs a relay until nothing waits.
    pub(crate) async fn publish(&self) -> RelayReport {
        let outbox = self.outbox();
        let (stop, stopped) = oneshot::channel::<()>();
        let relay = outbox.relay().idle_poll(Duration::from_millis(20));
        let relay = tokio::spawn(relay.run_until(async { drop(stopped.await) }));
        eventually("everything is published", async || {
            // In this order: what was released before the status was read is in its depth.
            let parked = outbox.parked(0, 10).await.unwrap();
            let releasing = parked.iter().any(|it| it.state == ParkedState::Releasing);
            let status = outbox.status().await.unwrap();
            status.depth.rows() + status.scheduled.rows() == 0 && !releasing
        })
        .await;
        drop(stop);
        relay.await.unwrap().unwrap()
    }

    /// Runs the consumer until nothing is left for it. Returns how many events were repeats.
    pub(crate) async fn handle(&self) -> u64 {
        let effects = self.inbox().effects(Billing::<H>(PhantomData));
        let consumer = self.bus.consumer::<OrderPlaced>(DURABLE);
        let consumer = consumer
            .ack_wait(Duration::from_secs(30))
            .handled_by(effects);
        let settled = eventually("everything is settled", async || {
            let info = self.bus.transport().consumer_info(STREAM, DURABLE).await;
            info.is_ok_and(|info| info.pending == 0 && info.ack_pending == 0)
        });
        consumer.run_until(settled).await.unwrap().done_before
    }

    pub(crate) fn recover(&self) -> Recover {
        Recover::new(&self.bus)
            .outbox(self.outbox().recoverable())
            .inbox(self.inbox().recoverable())
            .only_publisher_of(subject!("events.orders.>"))
            .clock_skew(Duration::ZERO)
    }

    pub(crate) async fn plan(&self) -> RecoverPlan {
        self.recover().plan().await.unwrap()
    }

    /// Carries the plan out.
    pub(crate) async fn carry_out(&self, plan: &RecoverPlan) -> RecoverReport {
        self.recover().carry_out(plan).await.unwrap()
    }

    /// Goes on after a repair, and checks that nothing is lost or doubled: each order is in the stream once
    /// and has one invoice, and nothing diverges.
    pub(crate) async fn finish(&self, orders: u32) {
        self.publish().await;
        self.handle().await;
        self.check(orders).await;
        self.go_on([orders + 1]).await;
        self.check(orders + 1).await;
    }

    async fn check(&self, orders: u32) {
        let all: Vec<u32> = (1..=orders).collect();
        let stored = self.stored().await;
        let mut sorted: Vec<u32> = stored.values().flatten().copied().collect();
        sorted.sort_unstable();
        assert_eq!(sorted, all, "the stream");
        assert!(stored.values().all(|key| key.is_sorted()), "{stored:?}");
        assert_eq!(self.office.invoices().await, all, "the invoices");
        let plan = self.plan().await;
        assert!(plan.is_clean(), "{plan}");
    }

    /// The orders of the stream, by customer, in order.
    pub(crate) async fn stored(&self) -> BTreeMap<String, Vec<u32>> {
        let mut orders: BTreeMap<String, Vec<u32>> = BTreeMap::new();
        let mut history = self.bus.history::<OrderPlaced>().await.unwrap();
        while let Some(event) = history.next().await {
            let event = event.unwrap().decode().unwrap();
            orders.entry(event.customer).or_default().push(event.order);
        }
        orders
    }

    /// Replaces the stream by a copy that has only its first messages.
    pub(crate) async fn cut_stream(&mut self, messages: usize) {
        let older = bus();
        let mut history = self
            .bus
            .history::<OrderPlaced>()
            .limit(messages)
            .await
            .unwrap();
        while let Some(event) = history.next().await {
            let event = event.unwrap();
            let raw = older.raw().absolute();
            let subject = event.subject().as_str().to_owned();
            let id = event.event_id().unwrap().to_string();
            let publish = raw.publish(subject, event.body().unwrap()).message_id(id);
            publish.await.unwrap();
        }
        self.bus = older;
    }
}

pub(crate) fn bus() -> EventBus {
    let stream = StreamSpec::new(STREAM).subject("orders.>");
    EventBus::builder().stream(stream).memory().unwrap()
}

/// Writes an invoice.
pub(crate) struct Billing<H>(pub(crate) PhantomData<fn() -> H>);

impl<H: Home> EffectOf<OrderPlaced, H::Db> for Billing<H> {
    async fn apply(&self, placed: OrderPlaced, tx: &mut EffectTx<H::Db>) -> Result<(), Failure> {
        H::write_invoice(tx, placed.order).await?;
        Ok(())
    }
}

/// Polls a condition until it holds, for a minute at most.
pub(crate) async fn eventually<F: Future<Output = bool>>(what: &str, mut holds: impl FnMut() -> F) {
    let begin = Instant::now();
    while !holds().await {
        assert!(begin.elapsed() < Duration::from_mins(1), "never: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// The one divergence of a kind.
macro_rules! the {
    ($plan:expr, $kind:ident) => {{
        let plan = &$plan;
        let mut found = plan.divergences.iter().filter_map(|it| match it {
            event_sdk_sql::recover::Divergence::$kind(it) => Some(it),
            _ => None,
        });
        match (found.next(), found.next()) {
            (Some(found), None) => found.clone(),
            _ => panic!("not one {} in:\n{plan}", stringify!($kind)),
        }
    }};
}
pub(crate) use the;

/// The kinds of the divergences, in their order.
pub(crate) fn kinds(plan: &RecoverPlan) -> Vec<&'static str> {
    let kind = |divergence: &Divergence| match divergence {
        Divergence::StreamMissing(_) => "stream missing",
        Divergence::StreamOlder(_) => "stream older",
        Divergence::StreamAnew(_) => "stream anew",
        Divergence::RowsMoved(_) => "rows moved",
        Divergence::DatabaseOlder(_) => "database older",
        Divergence::ConsumerAhead(_) => "consumer ahead",
        Divergence::InboxOlder(_) => "inbox older",
        Divergence::RecordsMisplaced(_) => "records misplaced",
        Divergence::FloorBeyondStream(_) => "floor beyond stream",
        Divergence::RestoredApart(_) => "restored apart",
        Divergence::ResetUnfinished(_) => "reset unfinished",
        _ => "another",
    };
    plan.divergences.iter().map(kind).collect()
}
