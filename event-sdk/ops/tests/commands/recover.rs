//! `recover`: names what diverges after a restore, and repairs it when told, on memory and on a server.

use std::sync::Arc;
use std::time::Duration;

use event_sdk::stream::StreamSpec;
use event_sdk::transport::nats::Nats;
use event_sdk::{Event, EventBus};
use event_sdk_ops::Operations;
use event_sdk_sql::{Outbox, Sqlite};
use event_sdk_test_servers::Server;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sqlx::sqlite::SqlitePoolOptions;
use tokio::sync::oneshot;

use crate::program::{on_terminal, piped, ran, words};
use crate::snapshot::snapshot;
use crate::until;

/// An order was placed.
#[derive(Debug, Event, Serialize, Deserialize)]
#[event(domain = "orders")]
struct OrderPlaced {
    #[event(key)]
    order: u64,
}

fn orders() -> StreamSpec {
    StreamSpec::new("ORDERS").subject("orders.>").replicas(1)
}

/// An outbox whose three rows are published, on the bus.
async fn published(bus: &EventBus) -> Outbox<Sqlite> {
    let pool = SqlitePoolOptions::new().max_connections(1);
    let pool = pool.connect("sqlite::memory:").await.unwrap();
    let outbox = Outbox::<Sqlite>::new(pool, bus.clone());
    outbox.migrate().await.unwrap();
    let mut tx = outbox.begin().await.unwrap();
    for order in 1..=3 {
        outbox
            .enqueue(&mut tx, OrderPlaced { order })
            .await
            .unwrap();
    }
    tx.commit().await.unwrap();
    publish(&outbox).await;
    outbox
}

/// Runs a relay until nothing waits.
async fn publish(outbox: &Outbox<Sqlite>) {
    let (stop, stopped) = oneshot::channel::<()>();
    let relay = outbox.relay().idle_poll(Duration::from_millis(20));
    let relay = tokio::spawn(relay.run_until(async { drop(stopped.await) }));
    until(async || outbox.status().await.unwrap().depth.rows() == 0).await;
    drop(stop);
    relay.await.unwrap().unwrap();
}

/// A program whose outbox is compared with the streams of the bus.
fn shop(bus: &EventBus, outbox: &Outbox<Sqlite>) -> Operations {
    let outbox = outbox.recoverable();
    let shop = Operations::new("shop").bus(bus.clone());
    shop.recover(move |recover| recover.outbox(Arc::clone(&outbox)))
}

fn on_memory() -> EventBus {
    EventBus::builder().stream(orders()).memory().unwrap()
}

/// A program whose stream was made anew.
async fn with_loss() -> Operations {
    let outbox = published(&on_memory()).await;
    shop(&on_memory(), &outbox)
}

#[tokio::test]
async fn screens() {
    for (name, command, code) in [
        ("recover.loss", "recover", 1),
        ("recover.repair", "recover --repair --yes", 0),
    ] {
        let seen = on_terminal(&with_loss().await, command).await;
        assert_eq!(seen.code, code, "{seen:?}");
        snapshot(&format!("{name}.terminal"), &seen.out);
        let seen = piped(&with_loss().await, command).await;
        snapshot(&format!("{name}.pipe"), &seen.out);
        let seen = piped(&with_loss().await, &format!("{command} --json")).await;
        snapshot(&format!("{name}.json"), &seen.out);
    }
    let bus = on_memory();
    let clean = shop(&bus, &published(&bus).await);
    let seen = piped(&clean, "recover").await;
    assert_eq!((seen.code, seen.out.as_str()), (0, "nothing diverges\n"));
}

#[tokio::test]
async fn whoever_is_asked_sees_the_repairs() {
    let lost = "it lacks all 3 messages";
    for args in ["recover --repair", "recover --repair --json"] {
        let refused = piped(&with_loss().await, args).await;
        assert_eq!(refused.code, 2, "{args}: {refused:?}");
        let seen = format!("{}{}", refused.out, refused.err);
        assert!(
            seen.contains(lost) && seen.contains("publish 3 rows again"),
            "{args}: {seen}"
        );
        for (answer, code) in [(&b"n\n"[..], 1), (b"y\n", 0)] {
            let seen = ran(&with_loss().await, &words(args), answer, true).await;
            assert_eq!(seen.code, code, "{args}: {seen:?}");
            let before = seen.err.split("Go on?").next().unwrap();
            let before = if args.contains("--json") {
                before
            } else {
                &*seen.out
            };
            assert!(before.contains(lost), "{args}: {seen:?}");
            if args.contains("--json") && code == 0 {
                let _: Value = serde_json::from_str(&seen.out).unwrap();
            }
        }
    }
}

#[tokio::test]
async fn what_there_is_to_compare_is_asked_for() {
    let bus = on_memory();
    let shop = Operations::new("shop").bus(bus.clone());
    let seen = piped(&shop, "recover").await;
    assert_eq!(seen.code, 2, "{seen:?}");
    assert!(seen.err.contains("--durable"), "{}", seen.err);
    let seen = piped(&shop, "recover --durable ORDERS/billing").await;
    assert_eq!(seen.code, 1, "{seen:?}");
    assert!(seen.out.contains("unknown"), "{}", seen.out);
    let seen = piped(&shop, "recover --durable ORDERS").await;
    assert_eq!(seen.code, 2, "{seen:?}");
}

#[tokio::test]
async fn a_stream_of_a_server_that_was_made_anew_is_filled_again() {
    let (_first, before) = connected().await;
    before.apply_streams().await.unwrap();
    let outbox = published(&before).await;
    let clean = shop(&before, &outbox);
    assert_eq!(
        json_of(&clean, 0, "recover").await["divergences"],
        json!([])
    );
    // Another server, without the files of the first.
    let (_second, bus) = connected().await;
    let outbox = Outbox::<Sqlite>::new(outbox.pool().clone(), bus.clone());
    let shop = shop(&bus, &outbox);
    let found = json_of(&shop, 1, "recover").await;
    assert_eq!(found["divergences"][0]["kind"], "stream-missing");
    assert_eq!(found["divergences"][0]["by_hand"], true);
    bus.apply_streams().await.unwrap();

    let found = json_of(&shop, 1, "recover").await;
    assert_eq!(found["divergences"][0]["kind"], "stream-anew");
    assert_eq!(found["repaired"], Value::Null, "it only looks");
    assert_eq!(outbox.status().await.unwrap().depth.rows(), 0);
    let refused = piped(&shop, "recover --repair").await;
    assert_eq!(refused.code, 2, "{refused:?}");
    let repaired = piped(&shop, "recover --repair --yes --by ann --json").await;
    let report: Value = serde_json::from_str(&repaired.out).unwrap();
    assert_eq!(report["repaired"]["rows_made_ready"], 3);
    assert_eq!(report["remaining"], json!([]));
    assert!(
        repaired.err.contains("ann repaired: 3 rows"),
        "{}",
        repaired.err
    );
    publish(&outbox).await;
    let found = json_of(&shop, 0, "recover").await;
    assert_eq!(found["divergences"], json!([]));
}

async fn connected() -> (Server, EventBus) {
    let server = Server::start().await.unwrap();
    let nats = Nats::connect(Nats::options(server.url())).await.unwrap();
    let bus = EventBus::builder()
        .stream(orders())
        .transport(nats)
        .unwrap();
    (server, bus)
}

async fn json_of(shop: &Operations, code: u8, command: &str) -> Value {
    let ran = piped(shop, &format!("{command} --json")).await;
    assert_eq!(ran.code, code, "{command}: {ran:?}");
    serde_json::from_str(&ran.out).unwrap()
}
