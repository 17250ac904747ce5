//! event-sdk: a durable subscription.

use std::hint::black_box;
use std::time::Duration;

use event_sdk::Subscriber;

use super::{Future, Handled, Running, Setting, Stream, stops};
use crate::events::BookingMade;

/// How many are handled together.
const BATCH: usize = 100;

/// How long it is waited for a batch to be full.
const WITHIN: Duration = Duration::from_millis(5);

pub(crate) fn single<'a>(
    _: &'a Setting,
    stream: &'a Stream,
    durable: &'a str,
    handled: Handled,
) -> Future<'a, Running> {
    Box::pin(async move {
        let mut subscriber = subscribe(stream, durable).await;
        stops(tokio::spawn(async move {
            while let Some(delivery) = subscriber.next().await {
                let delivery = delivery.expect("it is delivered");
                black_box(delivery.decode().expect("it is the event"));
                handled();
                delivery.ack().await.expect("it is acknowledged");
            }
        }))
    })
}

pub(crate) fn in_batches<'a>(
    _: &'a Setting,
    stream: &'a Stream,
    durable: &'a str,
    handled: Handled,
) -> Future<'a, Running> {
    Box::pin(async move {
        let mut subscriber = subscribe(stream, durable).await;
        stops(tokio::spawn(async move {
            while let Some(batch) = subscriber.next_batch(BATCH, WITHIN).await {
                let batch = batch.expect("it is delivered");
                for delivery in &batch {
                    black_box(delivery.decode().expect("it is the event"));
                    handled();
                }
                batch.ack().await.expect("it is acknowledged");
            }
        }))
    })
}

async fn subscribe(stream: &Stream, durable: &str) -> Subscriber<BookingMade> {
    let subscriber = stream.bus.subscribe::<BookingMade>().durable(durable).await;
    subscriber.expect("it subscribes")
}
