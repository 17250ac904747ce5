//! What the users of the shop do: each of their permissions is needed somewhere here.

use std::time::Duration;

use anyhow::{Context as _, ensure};
use bytes::Bytes;
use event_sdk::consumer::Consumer;
use event_sdk::dead_letters::{
    DeadLetterClass, DeadLetterStream, DeadLetters, LetterFilter, Origin, Page, RedriveOutcome,
};
use event_sdk::stream::StreamSpec;
use event_sdk::transport::{BucketConfig, TransportExt as _};
use event_sdk::{ConsumerSpec, EventBus, EventSet, Pii};
use tokio::sync::watch;

use super::before::{Unreadable, letter, nak_first};
use super::operator;
use super::users::Place;
use crate::bank::Bank;
use crate::events::{Audited, OrderPlaced, Payments};
use crate::topology::{DEAD_LETTERS, PARTITIONS, SINGLE};
use crate::{audit, billing, open, operations, orders};

const STREAMS: [&str; 3] = ["SHOP", "DLQ", "DLQ_RETRY"];

/// The bus of a user.
async fn bus_of(place: &Place<'_>, user: &str) -> anyhow::Result<EventBus> {
    let bus = open(&place.config(user), &SINGLE).await;
    bus.with_context(|| format!("the bus of {user}"))
}

/// Makes everything, finds what was changed by hand, and repairs it.
pub(super) async fn deploys(place: &Place<'_>) -> anyhow::Result<()> {
    let bus = bus_of(place, "deploy").await?;
    SINGLE.apply(&bus).await?;
    let admin = bus_of(place, "admin").await?;
    // Without its first durable, a consumer may have had no partitions before.
    for partition in partitions().take(1) {
        admin
            .transport()
            .delete_consumer("SHOP", &partition)
            .await?;
    }
    SINGLE.apply(&bus).await?;
    let letters = DeadLetterStream::new(DEAD_LETTERS);
    let shop = StreamSpec::new("SHOP").subject("orders.>");
    let orders = ConsumerSpec::durable::<Payments>("orders").partitions(PARTITIONS);
    let by_hand = EventBus::builder()
        .prefix("shop")
        .stream(shop.subject("billing.>").max_messages(99))
        .stream(letters.spec().max_messages(99))
        .stream(letters.retry_spec().max_messages(99))
        .coordination(BucketConfig::new("SHOP").max_age(Duration::from_secs(99)))
        .consumer(orders.max_ack_pending(99))
        .consumer(ConsumerSpec::durable::<OrderPlaced>("billing").max_ack_pending(99))
        .consumer(ConsumerSpec::durable::<Audited>("audit").max_ack_pending(99))
        .transport(admin.transport().clone())?;
    by_hand.apply().await?;
    let found = SINGLE.verify(&bus).await?;
    // Of four streams, of which one is the bucket, and of each durable.
    let durables = durables().filter(|(stream, _)| *stream == "SHOP");
    ensure!(found.findings.len() == 4 + durables.count(), "{found}");
    SINGLE.apply(&bus).await?;
    let found = SINGLE.verify(&bus).await?;
    ensure!(found.is_clean(), "{found}");
    Ok(())
}

/// All three services handle orders, one of them without a price, and events that cannot be read; they
/// keep dead letters, also such as were kept before and large ones, and receive redriven ones.
pub(super) async fn serves(place: &Place<'_>) -> anyhow::Result<()> {
    let admin = bus_of(place, "admin").await?;
    prepare(&admin).await?;
    let [taking, paying, auditing] = [
        bus_of(place, "orders").await?,
        bus_of(place, "billing").await?,
        bus_of(place, "audit").await?,
    ];
    let (book, done) = (audit::Book::new(), watch::Sender::new(false));
    let story = async {
        let number = |number: u64| OrderPlaced {
            order: format!("order-{number}"),
            customer: Pii::new("Ada".to_owned()),
            // One has no price, and one is declined.
            cents: [0, 95_000, 990][usize::try_from(number.min(2)).unwrap_or(2)],
        };
        let placed = taking.publisher::<OrderPlaced>();
        placed.publish_all((0..12).map(number)).await?;
        book.wait(11).await;
        // Of each consumer: one that was kept before, a large one, a redriven one; audit has two of
        // each, and billing the order without a price.
        letters(&admin, 3 + 4 + 6).await?;
        done.send_replace(true);
        anyhow::Ok(())
    };
    let until = || {
        let mut done = done.subscribe();
        async move { drop(done.wait_for(|done| *done).await) }
    };
    tokio::try_join!(
        story,
        run(orders::consumer(&taking), until()),
        run(billing::consumer(&paying, Bank::default()), until()),
        run(audit::consumer(&auditing, book.clone()), until()),
    )?;
    let outcomes = admin.dead_letters(DEAD_LETTERS);
    let outcomes = outcomes.outcomes(&LetterFilter::all()).await?;
    ensure!(outcomes.len() == 4, "{outcomes:?}");
    Ok(())
}

async fn run<S: EventSet>(
    consumer: Consumer<S>,
    until: impl Future<Output = ()> + Send,
) -> anyhow::Result<()> {
    consumer.run_until(until).await?;
    Ok(())
}

/// What happened before: a delivery that was not settled, so that attempts are recorded; letters that
/// are redriven; and events that nothing can read.
async fn prepare(admin: &EventBus) -> anyhow::Result<()> {
    SINGLE.apply(admin).await?;
    for (relative, consumers) in [
        ("orders.order.placed", ["billing", "audit"]),
        ("billing.invoice.paid", ["orders", "audit"]),
    ] {
        let unreadable = Unreadable {
            stream: "SHOP",
            relative,
            consumers: &consumers,
            dead_letters: DEAD_LETTERS,
        };
        unreadable.publish(admin).await?;
    }
    for partition in partitions() {
        nak_first::<Payments>(admin, partition).await?;
    }
    nak_first::<OrderPlaced>(admin, "billing".to_owned()).await?;
    nak_first::<Audited>(admin, "audit".to_owned()).await?;
    let redriven = admin.dead_letters(DEAD_LETTERS);
    let redriven = redriven.redrive(LetterFilter::all()).await?;
    ensure!(redriven.redriven.len() == 4, "{redriven:?}");
    Ok(())
}

/// Waits until there are so many letters.
async fn letters(admin: &EventBus, number: u64) -> anyhow::Result<()> {
    let queue = admin.dead_letters(DEAD_LETTERS);
    while queue.count(&LetterFilter::all()).await? < number {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Ok(())
}

/// Lists and redrives dead letters, and looks after streams and durables.
pub(super) async fn operates(place: &Place<'_>) -> anyhow::Result<()> {
    let admin = bus_of(place, "admin").await?;
    prepare(&admin).await?;
    redriven_durables(&admin).await?;
    // One that holds its key, which is released by a request.
    let origin = Origin::new("SHOP", 77, "shop.orders.order.placed", "shop");
    let mut held = letter("billing", origin, Bytes::from_static(b"?"));
    held.sequenced = true;
    held.key = Some("7".to_owned());
    let store = DeadLetters::stream(DEAD_LETTERS).open(&admin);
    store.put(&held).await?;

    let bus = bus_of(place, "operator").await?;
    let queue = bus.dead_letters(DEAD_LETTERS);
    ensure!(queue.list(&LetterFilter::open(), Page::ALL).await?.len() == 1);
    let outcomes = queue.outcomes(&LetterFilter::all()).await?;
    let mut each = outcomes.values();
    let is_known = each.all(|outcome| *outcome != RedriveOutcome::Unknown);
    ensure!(is_known, "{outcomes:?}");
    let report = queue.redrive(LetterFilter::open()).await?;
    ensure!(report.released.len() == 1, "{report:?}");
    // Another one, which holds no key.
    let origin = Origin::new("SHOP", 78, "shop.orders.order.placed", "shop");
    let store = DeadLetters::stream(DEAD_LETTERS).open(&admin);
    store
        .put(&letter("billing", origin, Bytes::from_static(b"!")))
        .await?;
    let open = LetterFilter::open().class(DeadLetterClass::Unreadable);
    let report = queue.redrive(open).await?;
    ensure!(report.redriven.len() == 1, "{report:?}");
    let outcomes = queue.outcomes(&LetterFilter::all()).await?;
    ensure!(outcomes.len() == 5, "{outcomes:?}");
    operator::operates(&admin, &bus, operations(&SINGLE)).await
}

/// Reads states.
pub(super) async fn monitors(place: &Place<'_>) -> anyhow::Result<()> {
    let admin = bus_of(place, "admin").await?;
    SINGLE.apply(&admin).await?;
    redriven_durables(&admin).await?;
    states(&bus_of(place, "monitor").await?).await
}

/// The durables of redriven events, as consumers make them.
async fn redriven_durables(admin: &EventBus) -> anyhow::Result<()> {
    for (_, durable) in durables().filter(|(stream, _)| *stream == "DLQ_RETRY") {
        let consumer = durable.split('-').next().unwrap_or_default();
        let letters = DeadLetterStream::new(DEAD_LETTERS);
        operator::receives_redriven(admin, &letters, consumer, &durable).await?;
    }
    Ok(())
}

async fn states(bus: &EventBus) -> anyhow::Result<()> {
    let transport = bus.transport();
    transport.user().await?.context("the user")?;
    transport.account_usage().await?;
    for stream in STREAMS {
        transport.stream_state(stream).await?;
        transport.list_consumers(stream).await?;
    }
    transport.compare_bucket(&BucketConfig::new("SHOP")).await?;
    for (stream, consumer) in durables() {
        transport.consumer_info(stream, &consumer).await?;
    }
    Ok(())
}

/// The durables of events, and those of redriven events.
fn durables() -> impl Iterator<Item = (&'static str, String)> {
    let streams = ["SHOP", "DLQ_RETRY"].into_iter();
    let alone = ["billing", "audit"].map(str::to_owned);
    streams.flat_map(move |stream| {
        let durables = partitions().chain(alone.clone());
        durables.map(move |durable| (stream, durable))
    })
}

/// The durables of the consumer `orders`.
fn partitions() -> impl Iterator<Item = String> {
    (0..PARTITIONS).map(|number| format!("orders-p{number}"))
}
