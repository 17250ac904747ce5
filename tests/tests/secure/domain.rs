//! JetStream domains and API prefixes: a leaf node's streams.

use std::time::Duration;

use event_sdk::transport::StreamChange;
use event_sdk::transport::nats::{Management, Nats};
use event_sdk_test_servers::Server;
use event_sdk_tests::orders::AllOrderEvents;

use crate::support::{PASSWORD, bus, connect, eventually, next, publish, within};

/// A hub with JetStream, and a leaf node with JetStream of its own.
async fn hub_and_leaf() -> (Server, Server) {
    let hub = Server::options()
        .domain("hub")
        .config("leafnodes { listen: \"127.0.0.1:-1\" }")
        .start()
        .await
        .unwrap();
    let listening = "Listening for leafnode connections on ";
    let address = eventually("its port", async || {
        let log = hub.log();
        let address = log.split(listening).nth(1)?.split_once('\n')?.0;
        Some(address.to_owned())
    });
    let address = address.await;
    let leaf = Server::options()
        .domain("leaf")
        .config(&format!(
            "leafnodes {{ remotes: [ {{ url: \"nats-leaf://{address}\" }} ] }}"
        ))
        .start()
        .await
        .unwrap();
    eventually("the leaf node", async || {
        let leafs = hub.monitor("/leafz").await.unwrap();
        (leafs["leafnodes"] == 1).then_some(())
    })
    .await;
    (hub, leaf)
}

/// How many messages the streams of a server have.
async fn stored(server: &Server) -> u64 {
    let streams = server.monitor("/jsz").await.unwrap();
    streams["messages"].as_u64().unwrap()
}

#[tokio::test]
async fn streams_of_another_domain_are_used_through_a_leaf_node() {
    let (hub, leaf) = hub_and_leaf().await;
    for (number, options) in [
        Nats::options(leaf.url()).domain("hub"),
        Nats::options(leaf.url()).api_prefix("$JS.hub.API"),
    ]
    .into_iter()
    .enumerate()
    {
        let bus = bus(connect(options).await);
        // Interest has to reach the hub first.
        let change = eventually("the stream", async || {
            let applied = bus.apply_streams().await.ok()?;
            applied.into_iter().next()
        });
        let (_, change) = change.await;
        let created = change == StreamChange::Created;
        assert_eq!(created, number == 0, "{change:?}");
        publish(&bus, 1).await.unwrap();
        let durable = bus.subscribe::<AllOrderEvents>().durable("billing");
        let mut orders = within("a subscription", durable.into_future())
            .await
            .unwrap();
        let first = next(&mut orders).await.unwrap();
        first.nak(Duration::ZERO).await.unwrap();
        let again = next(&mut orders).await.unwrap();
        // A server with leaf nodes may have tried to deliver it before, to who
        // had asked and is gone.
        assert_eq!(again.sequence(), first.sequence());
        assert_eq!(again.attempt(), first.attempt() + 1);
        again.ack_confirmed().await.unwrap();
        let history = bus.history::<AllOrderEvents>();
        let mut history = within("history", history.into_future()).await.unwrap();
        within("an event", history.next()).await.unwrap().unwrap();
        within("the drain", bus.drain(Duration::from_secs(5)))
            .await
            .unwrap();
    }
    assert_eq!((stored(&hub).await, stored(&leaf).await), (2, 0));
}

/// An account with the streams, whose exports the account of `billing` imports:
/// the events to publish, and one consumer under a prefix of its own.
fn accounts() -> String {
    format!(
        r#"accounts {{
          SHOP {{
            jetstream: enabled
            users: [ {{ user: admin, password: {PASSWORD} }} ]
            exports: [
              {{ service: "events.orders.>" }}
              {{ service: "$JS.API.CONSUMER.MSG.NEXT.ORDERS.billing", response_type: stream }}
              {{ service: "$JS.ACK.ORDERS.billing.>" }}
            ]
          }}
          BILLING {{
            users: [ {{ user: billing, password: {PASSWORD} }} ]
            imports: [
              {{ service: {{ account: SHOP, subject: "events.orders.>" }} }}
              {{ service: {{ account: SHOP, subject: "$JS.API.CONSUMER.MSG.NEXT.ORDERS.billing" }}
                 to: "shop.js.CONSUMER.MSG.NEXT.ORDERS.billing" }}
              {{ service: {{ account: SHOP, subject: "$JS.ACK.ORDERS.billing.>" }} }}
            ]
          }}
        }}"#
    )
}

#[tokio::test]
async fn a_consumer_of_another_account_is_used_under_another_prefix() {
    let server = Server::options().config(&accounts()).start().await.unwrap();
    let options = |user: &str| Nats::options(server.url()).user(user, PASSWORD);
    let shop = bus(connect(options("admin")).await);
    within("the stream", shop.apply_streams()).await.unwrap();
    let durable = shop.subscribe::<AllOrderEvents>().durable("billing");
    drop(within("the durable", durable.into_future()).await.unwrap());

    let options = options("billing")
        .api_prefix("shop.js")
        .management(Management::Never);
    let bus = bus(connect(options).await);
    publish(&bus, 1).await.unwrap();
    let durable = bus.subscribe::<AllOrderEvents>().durable("billing");
    let mut orders = within("a subscription", durable.into_future())
        .await
        .unwrap();
    next(&mut orders)
        .await
        .unwrap()
        .nak(Duration::ZERO)
        .await
        .unwrap();
    let again = next(&mut orders).await.unwrap();
    assert_eq!(again.attempt(), 2);
    again.ack_confirmed().await.unwrap();
    publish(&shop, 2).await.unwrap();
    next(&mut orders)
        .await
        .unwrap()
        .ack_confirmed()
        .await
        .unwrap();
}
