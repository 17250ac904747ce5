//! RustStream: its memory broker, with JSON by `serde_json`, and each message acknowledged.

use std::hint::black_box;
use std::time::{Duration, Instant};

use futures_util::StreamExt as _;
use jiff::Timestamp;
use ruststream::memory::{ConnectedMemoryBroker, MemoryBroker};
use ruststream::{
    Broker as _, IncomingMessage as _, OutgoingMessage, Publisher as _, Subscribe as _,
    Subscriber as _,
};
use tokio::runtime::Runtime;
use tokio::sync::mpsc;
use uuid::Uuid;

use crate::events::{ByHand, ByHandRef};
use crate::{BATCH, Sample};

/// The event is all of the message: without id, time, type and version.
pub(crate) fn event_alone<E: Sample>(runtime: &Runtime, events: u64) -> Duration {
    run::<E>(
        runtime,
        events,
        |event| serde_json::to_vec(event).expect("it is written"),
        |bytes| {
            let event: E = serde_json::from_slice(bytes).expect("it is the event");
            black_box(event);
        },
    )
}

/// The message is the envelope that event-sdk writes, by hand-written structs.
pub(crate) fn in_an_envelope<E: Sample>(runtime: &Runtime, events: u64) -> Duration {
    run::<E>(
        runtime,
        events,
        |event| {
            let envelope = ByHandRef::new(Uuid::now_v7(), Timestamp::now(), event);
            serde_json::to_vec(&envelope).expect("it is written")
        },
        |bytes| {
            let envelope: ByHand<E> = serde_json::from_slice(bytes).expect("it is the envelope");
            black_box(envelope.data);
        },
    )
}

fn run<E: Sample>(
    runtime: &Runtime,
    events: u64,
    write: fn(&E) -> Vec<u8>,
    read: fn(&[u8]),
) -> Duration {
    let made = vec![E::sample(); usize::try_from(events).expect("it fits")];
    runtime.block_on(async {
        let broker: ConnectedMemoryBroker =
            MemoryBroker::new().connect().await.expect("it connects");
        let mut subscriber = broker
            .subscribe("travel.booking.made")
            .await
            .expect("it subscribes");
        let publisher = broker.publisher();
        let (done, mut wait) = mpsc::channel::<()>(1);
        let start = Instant::now();
        let publishing = tokio::spawn(async move {
            for (number, event) in (1..).zip(made) {
                let body = write(&event);
                let message = OutgoingMessage::new("travel.booking.made", &body[..]);
                publisher
                    .publish(message, None)
                    .await
                    .expect("it is stored");
                if number % BATCH == 0 || number == events {
                    wait.recv().await;
                }
            }
        });
        let handling = tokio::spawn(async move {
            let mut stream = std::pin::pin!(subscriber.stream());
            for number in 1..=events {
                let message = stream.next().await.expect("it goes on");
                let message = message.expect("it is delivered");
                read(message.payload());
                message.ack().await.expect("it is acknowledged");
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
