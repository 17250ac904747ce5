//! Partitions that do not start: wrong numbers, other options, and durables of another number.

use event_sdk::consumer::{Consumer, Ctx, Failure};
use event_sdk::dead_letters::{DeadLetterStream, DeadLetters};
use event_sdk::stream::StreamSpec;
use event_sdk::transport::{Error, ErrorKind};
use event_sdk::{ConsumerSpec, EventBus};
use std::time::Duration;

use crate::journal::{OrderPlaced, left, place};

fn consumer(bus: &EventBus) -> Consumer<OrderPlaced> {
    let consumer = bus.consumer::<OrderPlaced>("billing");
    consumer.on(|_: OrderPlaced, _: Ctx| async { Ok::<(), Failure>(()) })
}

/// Runs the consumer until it has started, and ends it.
async fn start(consumer: Consumer<OrderPlaced>) -> Result<(), Error> {
    let started = tokio::time::sleep(Duration::from_secs(20));
    consumer.run_until(started).await.map(drop)
}

async fn refused(consumer: Consumer<OrderPlaced>, words: &[&str]) {
    let error = start(consumer).await.unwrap_err();
    assert_eq!(*error.kind(), ErrorKind::InvalidOption, "{error}");
    let text = error.to_string();
    for word in words {
        assert!(text.contains(word), "{word}: {text}");
    }
    assert!(text.contains("billing"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn wrong_numbers_and_options_are_refused() {
    let bus = EventBus::memory();
    refused(consumer(&bus).partitions(0), &["partitions(0)"]).await;
    refused(consumer(&bus).partitions(65), &["partitions(65)", "64"]).await;
    refused(consumer(&bus).partitions(4).single_active(), &["exclude"]).await;
    refused(
        consumer(&bus).partitions(4).ack_all(),
        &["ack_all", "partitions"],
    )
    .await;
    let short = Duration::from_millis(99);
    refused(consumer(&bus).partitions_for(4, short), &["100 ms"]).await;
    start(consumer(&bus).partitions(64)).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn sequenced_letters_are_refused_and_others_are_not() {
    let place = DeadLetterStream::new("DLQ");
    let bus = EventBus::builder()
        .stream(StreamSpec::new("EVENTS").subject("orders.>"))
        .stream(place.spec().replicas(1))
        .stream(place.retry_spec().replicas(1))
        .memory()
        .unwrap();
    let letters = || DeadLetters::stream(place.clone());
    let sequenced = consumer(&bus).dead_letters(letters().sequenced());
    refused(
        sequenced.partitions(4),
        &["sequenced", "instead of `partitions`"],
    )
    .await;
    start(consumer(&bus).dead_letters(letters()).partitions(4))
        .await
        .unwrap();
}

#[tokio::test(start_paused = true)]
async fn another_number_is_refused_and_the_error_says_how_to_migrate() {
    for other in [1, 3, 5, 64] {
        let bus = EventBus::memory();
        start(consumer(&bus).partitions(4)).await.unwrap();
        start(consumer(&bus).partitions(4)).await.unwrap();
        let words = ["ordering.md", "delete", &format!("{other} partitions")];
        refused(consumer(&bus).partitions(other), &words).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_consumer_with_one_durable_does_not_get_partitions_unnoticed() {
    let bus = EventBus::memory();
    place(&bus, "a", 1).await;
    start(consumer(&bus).single_active()).await.unwrap();
    assert_eq!(left(&bus, "billing").await, (0, 0));
    refused(
        consumer(&bus).partitions(4),
        &["had no partitions", "delete `billing`"],
    )
    .await;
    let bus = EventBus::memory();
    start(consumer(&bus).partitions(4)).await.unwrap();
    refused(consumer(&bus).single_active(), &["had partitions"]).await;
}

#[tokio::test(start_paused = true)]
async fn the_declaration_and_the_consumer_have_the_same_number() {
    let bus = |spec: ConsumerSpec| {
        EventBus::builder()
            .stream(StreamSpec::new("EVENTS").subject(">"))
            .consumer(spec)
            .memory()
            .unwrap()
    };
    let spec = || ConsumerSpec::durable::<OrderPlaced>("billing");
    let four = bus(spec().partitions(4));
    refused(
        consumer(&four).partitions(3),
        &["4 partitions", "3 partitions"],
    )
    .await;
    refused(consumer(&four), &["4 partitions", "no partitions"]).await;
    refused(
        consumer(&bus(spec())).partitions(3),
        &["no partitions", "3"],
    )
    .await;
    start(consumer(&four).partitions(4)).await.unwrap();
    // A subscription to the name of the consumer would receive everything once more.
    let error = four.subscribe::<OrderPlaced>().durable("billing").await;
    assert_eq!(*error.unwrap_err().kind(), ErrorKind::InvalidOption);
    let error = bus(spec().partitions(65)).apply().await.unwrap_err();
    assert_eq!(*error.kind(), ErrorKind::InvalidOption);
}
