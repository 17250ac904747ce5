//! Reading on with async-nats alone, as `docs/leaving.md` has it.

use std::time::Duration;

use async_nats::jetstream;
use event_sdk::EventBus;
use event_sdk::stream::StreamSpec;
use event_sdk::transport::DeliverPolicy;
use event_sdk::transport::nats::Nats;
use event_sdk_test_servers::Server;
use futures_util::StreamExt;

use crate::client::within;
use crate::rig::ReadingChecked;

#[tokio::test]
async fn a_plain_client_goes_on_where_the_sdk_stopped() {
    let server = Server::start().await.unwrap();
    let bus = EventBus::builder()
        .stream(StreamSpec::constant("WEATHER", &["weather.>"]))
        .transport(Nats::connect(Nats::options(server.url())).await.unwrap())
        .unwrap();
    bus.apply_streams().await.unwrap();
    for station in 0..5 {
        let station = station.to_string();
        let checked = ReadingChecked {
            station,
            good: true,
        };
        bus.publisher().publish(checked).await.unwrap();
    }
    let mut ours = bus
        .subscribe::<ReadingChecked>()
        .durable("archive")
        .deliver(DeliverPolicy::All)
        .await
        .unwrap();
    for _ in 0..2 {
        let delivery = within(ours.next()).await.unwrap().unwrap();
        delivery.ack_confirmed().await.unwrap();
    }
    within(bus.drain(Duration::from_secs(5))).await.unwrap();

    let jetstream = jetstream::new(async_nats::connect(server.url()).await.unwrap());
    let stream = jetstream.get_stream("WEATHER").await.unwrap();
    let consumer: jetstream::consumer::PullConsumer = stream.get_consumer("archive").await.unwrap();
    let mut messages = consumer.messages().await.unwrap();
    let mut stations = Vec::new();
    while stations.len() < 3 {
        let message = within(messages.next()).await.unwrap().unwrap();
        let envelope: serde_json::Value = serde_json::from_slice(&message.payload).unwrap();
        assert_eq!(envelope["event_type"], "reading.checked");
        stations.push(envelope["data"]["station"].as_str().unwrap().to_owned());
        message.ack().await.unwrap();
    }
    stations.sort();
    assert_eq!(stations, ["2", "3", "4"]);
}
