//! event-sdk: the memory transport with JSON.

use std::hint::black_box;
use std::time::{Duration, Instant};

use event_sdk::stream::StreamSpec;
use event_sdk::transport::AckPolicy;
use event_sdk::{EventBus, Subscriber};
use tokio::runtime::Runtime;
use tokio::sync::mpsc;

use crate::{BATCH, Sample};

pub(crate) fn acknowledged<E: Sample>(runtime: &Runtime, events: u64) -> Duration {
    run::<E>(runtime, events, AckPolicy::Explicit)
}

pub(crate) fn unacknowledged<E: Sample>(runtime: &Runtime, events: u64) -> Duration {
    run::<E>(runtime, events, AckPolicy::None)
}

fn run<E: Sample>(runtime: &Runtime, events: u64, ack: AckPolicy) -> Duration {
    let stream = StreamSpec::new("TRAVEL")
        .subject("travel.>")
        .max_messages(BATCH + 1_000)
        .duplicate_window(Duration::ZERO);
    let bus = EventBus::builder().source("bench").stream(stream).memory();
    let bus = bus.expect("the bus is right");
    let made = vec![E::sample(); usize::try_from(events).expect("it fits")];
    runtime.block_on(async {
        let mut subscriber: Subscriber<E> = bus
            .subscribe()
            .ack_policy(ack)
            .await
            .expect("it subscribes");
        let publisher = bus.publisher::<E>();
        let (done, mut wait) = mpsc::channel::<()>(1);
        let start = Instant::now();
        let publishing = tokio::spawn(async move {
            for (number, event) in (1..).zip(made) {
                publisher.publish(event).await.expect("it is stored");
                if number % BATCH == 0 || number == events {
                    wait.recv().await;
                }
            }
        });
        let handling = tokio::spawn(async move {
            for number in 1..=events {
                let delivery = subscriber.next().await.expect("it goes on");
                let delivery = delivery.expect("it is delivered");
                black_box(delivery.decode().expect("it is the event"));
                delivery.ack().await.expect("it is acknowledged");
                if number % BATCH == 0 || number == events {
                    done.send(()).await.expect("the publisher waits");
                }
            }
        });
        publishing.await.expect("it ends");
        handling.await.expect("it ends");
        start.elapsed()
    })
}
