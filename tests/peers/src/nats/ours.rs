//! event-sdk: a durable subscription, and a consumer with a handler.

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use event_sdk::Subscriber;
use event_sdk::consumer::{Consumer, Ctx, EventBatch};
use tokio::sync::Notify;

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

/// A consumer at its defaults.
pub(crate) fn consumer<'a>(
    _: &'a Setting,
    stream: &'a Stream,
    durable: &'a str,
    handled: Handled,
) -> Future<'a, Running> {
    Box::pin(async move {
        runs(
            stream.bus.consumer::<BookingMade>(durable.to_owned()),
            handled,
        )
    })
}

/// A consumer whose acknowledgements settle all events before them.
pub(crate) fn ack_all<'a>(
    _: &'a Setting,
    stream: &'a Stream,
    durable: &'a str,
    handled: Handled,
) -> Future<'a, Running> {
    Box::pin(async move {
        let consumer = stream.bus.consumer::<BookingMade>(durable.to_owned());
        runs(consumer.single_active().ack_all(), handled)
    })
}

/// The same, with a handler of batches.
pub(crate) fn ack_all_in_batches<'a>(
    _: &'a Setting,
    stream: &'a Stream,
    durable: &'a str,
    handled: Handled,
) -> Future<'a, Running> {
    Box::pin(async move {
        let consumer = stream.bus.consumer::<BookingMade>(durable.to_owned());
        let consumer = consumer.single_active().ack_all();
        starts(
            consumer.on_batches(BATCH, WITHIN, move |batch: EventBatch<BookingMade>| {
                for (event, _) in batch.iter() {
                    black_box(event);
                    handled();
                }
                std::future::ready(Ok(()))
            }),
        )
    })
}

fn runs(consumer: Consumer<BookingMade>, handled: Handled) -> Running {
    starts(consumer.on(move |event: BookingMade, _: Ctx| {
        black_box(event);
        handled();
        std::future::ready(Ok(()))
    }))
}

fn starts(consumer: Consumer<BookingMade>) -> Running {
    let stop = Arc::new(Notify::new());
    let stopped = Arc::clone(&stop);
    let task = tokio::spawn(async move { consumer.run_until(stopped.notified()).await });
    Box::new(move || {
        Box::pin(async move {
            stop.notify_one();
            let ended = task.await.expect("it does not panic");
            ended.expect("it ends");
        })
    })
}

async fn subscribe(stream: &Stream, durable: &str) -> Subscriber<BookingMade> {
    let subscriber = stream.bus.subscribe::<BookingMade>().durable(durable).await;
    subscriber.expect("it subscribes")
}
