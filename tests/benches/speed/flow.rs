//! From publisher to handler in one process, against a channel.
//!
//! Both sides do the same in rounds of a fixed number of events, and wait for
//! each other after every batch, so that neither queue grows without limit. The
//! events of a round are made before its time begins: what is measured is the
//! way from one task to the other, id, time and envelope included.

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use event_sdk::stream::StreamSpec;
use event_sdk::transport::AckPolicy;
use event_sdk::{Event, EventBus, EventSet, Publisher, Subscriber};
use jiff::Timestamp;
use tokio::runtime::Runtime;
use tokio::sync::mpsc;
use uuid::Uuid;

use crate::events::{BookingMade, ByHand, ByHandRef, Shared, booking, quote};
use crate::measure::{Goal, Row};

/// How many events are on their way at the most: less than the stream keeps.
const BATCH: u32 = 8_000;
const BATCHES: u32 = 5;
const EVENTS: u32 = BATCH * BATCHES;

pub(crate) fn run() -> Vec<Row> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_time()
        .build()
        .unwrap();
    let mut rows = Vec::new();
    json(&runtime, &mut rows);
    handed_over(&runtime, "600-byte event", &booking(), &mut rows);
    handed_over(&runtime, "small event", &quote(), &mut rows);
    rows
}

/// Written by the publisher and read by the handler.
fn json(runtime: &Runtime, rows: &mut Vec<Row>) {
    for (ack, how, goal) in [
        (AckPolicy::None, "", Goal::TimeAtMost(1.25)),
        (AckPolicy::Explicit, ", each acknowledged", Goal::None),
    ] {
        let mut ours = Ours::<_, BookingMade>::new(runtime, booking(), false, ack, true);
        let what = format!("JSON, publish to handler{how} / channel of bytes with JSON");
        let floor = || channel_json(runtime, booking());
        rows.push(Row::compare(what, goal, EVENTS, || ours.round(), floor));
    }
}

/// Not written at all, if publisher and handler name the same type.
fn handed_over<E: Event + Clone>(runtime: &Runtime, what: &str, event: &E, rows: &mut Vec<Row>) {
    let floor = || channel_shared(runtime, event.clone());
    let json_floor = || channel_json(runtime, event.clone());
    for (deduplicate, how, goal) in [
        (false, "no deduplication", Goal::RateAtLeast(1.0)),
        (true, "deduplication", Goal::None),
    ] {
        let mut ours =
            Ours::<_, Shared>::new(runtime, event.clone(), true, AckPolicy::None, deduplicate);
        let row = format!("handed over, {what}, {how} / channel of Arc");
        rows.push(Row::compare(row, goal, EVENTS, || ours.round(), floor));
        let row = format!("handed over, {what}, {how} / channel of bytes with JSON");
        let goal = Goal::RateAtLeast(3.5);
        rows.push(Row::compare(row, goal, EVENTS, || ours.round(), json_floor));
    }
    let mut ours = Ours::<_, Shared>::new(runtime, event.clone(), true, AckPolicy::Explicit, false);
    let row = format!("handed over, {what}, each acknowledged / channel of Arc");
    rows.push(Row::compare(
        row,
        Goal::None,
        EVENTS,
        || ours.round(),
        floor,
    ));
}

/// A bus with one publisher and one subscriber, used for all rounds.
struct Ours<'a, E, S> {
    runtime: &'a Runtime,
    event: E,
    publisher: Publisher<E>,
    subscriber: Option<Subscriber<S>>,
}

impl<'a, E: Event + Clone, S: EventSet> Ours<'a, E, S> {
    fn new(
        runtime: &'a Runtime,
        event: E,
        hand_over: bool,
        ack: AckPolicy,
        deduplicate: bool,
    ) -> Self {
        let stream = StreamSpec::new("TRAVEL")
            .subject("travel.>")
            .max_messages(u64::from(BATCH) + 1_000);
        let stream = if deduplicate {
            stream
        } else {
            stream.duplicate_window(Duration::ZERO)
        };
        let bus = EventBus::builder()
            .source("bench")
            .stream(stream)
            .memory_with(|memory| memory.hand_over(hand_over))
            .unwrap();
        let subscriber =
            runtime.block_on(async { bus.subscribe::<S>().ack_policy(ack).await.unwrap() });
        Self {
            runtime,
            event,
            publisher: bus.publisher(),
            subscriber: Some(subscriber),
        }
    }

    fn round(&mut self) -> Duration {
        let publisher = self.publisher.clone();
        let mut subscriber = self.subscriber.take().unwrap();
        let mut events = vec![self.event.clone(); EVENTS as usize].into_iter();
        let start = Instant::now();
        let subscriber = self.runtime.block_on(async {
            let (done, mut wait) = mpsc::channel::<()>(1);
            let publishing = tokio::spawn(async move {
                for _ in 0..BATCHES {
                    for event in events.by_ref().take(BATCH as usize) {
                        publisher.publish(event).await.unwrap();
                    }
                    wait.recv().await;
                }
            });
            let handling = tokio::spawn(async move {
                for _ in 0..BATCHES {
                    for _ in 0..BATCH {
                        let delivery = subscriber.next().await.unwrap().unwrap();
                        let event = delivery.decode().unwrap();
                        black_box((&event, delivery.event_id().unwrap()));
                        delivery.ack().await.unwrap();
                    }
                    done.send(()).await.unwrap();
                }
                subscriber
            });
            publishing.await.unwrap();
            handling.await.unwrap()
        });
        let took = start.elapsed();
        self.subscriber = Some(subscriber);
        took
    }
}

/// The floor for JSON: bytes through a channel, written and read by `serde_json`.
fn channel_json<E: Event + Clone>(runtime: &Runtime, event: E) -> Duration {
    through_channel(
        runtime,
        event,
        |event| {
            let envelope = ByHandRef::new(Uuid::now_v7(), Timestamp::now(), &event);
            serde_json::to_vec(&envelope).unwrap()
        },
        |bytes| {
            let envelope: ByHand<E> = serde_json::from_slice(&bytes).unwrap();
            black_box(envelope.data);
        },
    )
}

/// The floor for values: an `Arc` of id, time and event through a channel.
fn channel_shared<E: Event + Clone>(runtime: &Runtime, event: E) -> Duration {
    through_channel(
        runtime,
        event,
        |event| Arc::new((Uuid::now_v7(), Timestamp::now(), event)),
        |shared| {
            black_box(&shared.2);
        },
    )
}

fn through_channel<E: Event + Clone, T: Send + 'static>(
    runtime: &Runtime,
    event: E,
    make: fn(E) -> T,
    take: fn(T),
) -> Duration {
    let mut events = vec![event; EVENTS as usize].into_iter();
    let start = Instant::now();
    runtime.block_on(async {
        let (send, mut receive) = mpsc::channel::<T>(BATCH as usize);
        let (done, mut wait) = mpsc::channel::<()>(1);
        let publishing = tokio::spawn(async move {
            for _ in 0..BATCHES {
                for event in events.by_ref().take(BATCH as usize) {
                    assert!(send.send(make(event)).await.is_ok());
                }
                wait.recv().await;
            }
        });
        let handling = tokio::spawn(async move {
            for _ in 0..BATCHES {
                for _ in 0..BATCH {
                    take(receive.recv().await.unwrap());
                }
                done.send(()).await.unwrap();
            }
        });
        publishing.await.unwrap();
        handling.await.unwrap();
    });
    start.elapsed()
}
