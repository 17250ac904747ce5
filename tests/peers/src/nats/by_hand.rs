//! async-nats by hand: its own loop over a pull consumer, and `serde_json`.

use std::hint::black_box;

use async_nats::jetstream::consumer::pull;
use futures_util::StreamExt as _;

use super::{Future, Handled, Running, Setting, Stream, stops};
use crate::events::{BookingMade, ByHand};

pub(crate) fn start<'a>(
    setting: &'a Setting,
    stream: &'a Stream,
    durable: &'a str,
    handled: Handled,
) -> Future<'a, Running> {
    Box::pin(async move {
        let config = pull::Config {
            durable_name: Some(durable.to_owned()),
            filter_subject: stream.subject.clone(),
            ..Default::default()
        };
        let consumer = setting
            .by_hand
            .create_consumer_on_stream(config, &stream.name)
            .await;
        let messages = consumer.expect("it is made").messages().await;
        let mut messages = messages.expect("it subscribes");
        stops(tokio::spawn(async move {
            while let Some(message) = messages.next().await {
                let message = message.expect("it is delivered");
                let envelope: ByHand<BookingMade> =
                    serde_json::from_slice(&message.payload).expect("it is the envelope");
                black_box(envelope.data);
                handled();
                message.ack().await.expect("it is acknowledged");
            }
        }))
    })
}
