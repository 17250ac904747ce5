//! Baseline: hand-written code on async-nats.

use std::collections::VecDeque;
use std::time::Duration;

use async_nats::HeaderMap;
use async_nats::jetstream::consumer::{AckPolicy, pull};
use futures_util::StreamExt;
use jiff::Timestamp;
use uuid::Uuid;

use crate::events::{BookingMade, ByHand, ByHandRef};
use crate::setting::{IN_FLIGHT, Setting};

/// The envelope as bytes, with an id of its own.
fn written(event: &BookingMade) -> (Uuid, Vec<u8>) {
    let id = Uuid::now_v7();
    let envelope = ByHandRef::new(id, Timestamp::now(), event);
    (id, serde_json::to_vec(&envelope).unwrap())
}

/// Publishes without a stream.
pub(crate) async fn core_publish(setting: &Setting, subject: &str, events: &[BookingMade]) {
    for event in events {
        let (_, body) = written(event);
        setting
            .client
            .publish(subject.to_owned(), body.into())
            .await
            .unwrap();
    }
}

pub(crate) async fn core_publish_one(setting: &Setting, subject: &str) {
    let body = "the last".into();
    let published = setting.client.publish(subject.to_owned(), body).await;
    published.unwrap();
}

/// Publishes to a stream, `IN_FLIGHT` at a time; the acks are awaited in order,
/// which is what costs least.
pub(crate) async fn confirmed(
    setting: &Setting,
    subject: &str,
    events: &[BookingMade],
    with_ids: bool,
) {
    let mut waiting = VecDeque::with_capacity(IN_FLIGHT);
    for event in events {
        // One leaves before the next comes: the context has room for so many.
        if waiting.len() == IN_FLIGHT {
            let oldest: async_nats::jetstream::context::PublishAckFuture =
                waiting.pop_front().unwrap();
            oldest.await.unwrap();
        }
        let (id, body) = written(event);
        let subject = subject.to_owned();
        let ack = if with_ids {
            let mut headers = HeaderMap::new();
            headers.insert("Nats-Msg-Id", id.to_string());
            setting
                .jetstream
                .publish_with_headers(subject, headers, body.into())
                .await
        } else {
            setting.jetstream.publish(subject, body.into()).await
        };
        waiting.push_back(ack.unwrap());
    }
    for ack in waiting {
        ack.await.unwrap();
    }
}

/// Publishes one event and waits for its ack.
pub(crate) async fn publish_one(setting: &Setting, subject: &str, event: &BookingMade) {
    let (id, body) = written(event);
    let mut headers = HeaderMap::new();
    headers.insert("Nats-Msg-Id", id.to_string());
    let ack = setting
        .jetstream
        .publish_with_headers(subject.to_owned(), headers, body.into())
        .await
        .unwrap();
    ack.await.unwrap();
}

/// Reads `count` events from a consumer of its own, acknowledging each.
pub(crate) async fn messages(setting: &Setting, stream: &str, prefetch: usize) -> pull::Stream {
    let config = pull::Config {
        durable_name: Some(format!("raw-{}", Uuid::now_v7().simple())),
        ack_policy: AckPolicy::Explicit,
        max_ack_pending: 20_000,
        ..Default::default()
    };
    setting
        .jetstream
        .create_consumer_on_stream(config, stream)
        .await
        .unwrap()
        .stream()
        .max_messages_per_batch(prefetch)
        .expires(Duration::from_secs(30))
        .heartbeat(Duration::from_secs(5))
        .messages()
        .await
        .unwrap()
}

pub(crate) async fn consume(messages: &mut pull::Stream, count: usize) {
    for _ in 0..count {
        let message = messages.next().await.unwrap().unwrap();
        let envelope: ByHand<BookingMade> = serde_json::from_slice(&message.payload).unwrap();
        std::hint::black_box(envelope.data);
        message.ack().await.unwrap();
    }
}
