//! The hand-written side: an event as JSON, and a loop that publishes rows with async-nats.

use std::collections::HashSet;

use async_nats::HeaderMap;
use async_nats::jetstream::Context;
use futures_util::stream::{FuturesUnordered, StreamExt as _};
use jiff::Timestamp;
use serde::Serialize;
use sqlx::Pool;
use uuid::Uuid;

use crate::database::{BenchDatabase, Ready};
use crate::setting::OrderPlaced;

/// An event, as a program without the SDK stores it.
pub(crate) struct RawEvent {
    pub(crate) key: String,
    pub(crate) subject: String,
    pub(crate) message_id: String,
    pub(crate) body: Vec<u8>,
    pub(crate) created_at: i64,
}

#[derive(Serialize)]
struct Envelope<'a> {
    event_id: Uuid,
    event_type: &'a str,
    version: &'a str,
    timestamp: Timestamp,
    source: &'a str,
    correlation_id: Uuid,
    data: &'a OrderPlaced,
}

impl RawEvent {
    pub(crate) fn of(event: &OrderPlaced) -> Self {
        let (id, now) = (Uuid::now_v7(), Timestamp::now());
        let envelope = Envelope {
            event_id: id,
            event_type: "order.placed",
            version: "1.0",
            timestamp: now,
            source: "bench",
            correlation_id: id,
            data: event,
        };
        Self {
            key: event.customer.clone(),
            subject: format!("bench.orders.order.placed.{}", event.customer),
            message_id: id.to_string(),
            body: serde_json::to_vec(&envelope).unwrap(),
            created_at: now.as_microsecond(),
        }
    }
}

/// Publishes all rows of the table, in order in each key, with at most one of a key on its way, and marks
/// them in batches.
pub(crate) async fn publish_all<DB: BenchDatabase>(
    pool: &Pool<DB>,
    jetstream: &Context,
    stream: &str,
    (batch, in_flight): (i64, usize),
) {
    let mut after = 0;
    loop {
        let rows = DB::ready(pool, after, batch).await;
        let Some(last) = rows.last() else {
            return;
        };
        after = last.id;
        let mut waiting: Vec<Ready> = rows.into_iter().rev().collect();
        let mut marks = Vec::with_capacity(waiting.len());
        let mut keys = HashSet::new();
        let mut flights = FuturesUnordered::new();
        while !(waiting.is_empty() && flights.is_empty()) {
            while flights.len() < in_flight
                && let Some(next) = waiting.pop_if(|row| !keys.contains(&row.key))
            {
                keys.insert(next.key.clone());
                flights.push(publish(jetstream, next));
            }
            if let Some((row, sequence)) = flights.next().await {
                keys.remove(&row.key);
                marks.push((row.id, sequence));
            }
        }
        DB::mark(pool, stream, marks).await;
    }
}

async fn publish(jetstream: &Context, mut row: Ready) -> (Ready, i64) {
    let mut headers = HeaderMap::new();
    headers.insert("Nats-Msg-Id", row.message_id.as_str());
    let (subject, body) = (row.subject.clone(), std::mem::take(&mut row.body));
    let sent = jetstream.publish_with_headers(subject, headers, body.into());
    let stored = sent.await.unwrap().await.unwrap();
    (row, i64::try_from(stored.sequence).unwrap())
}
