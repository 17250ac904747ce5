//! Commands on real servers: the current one, and the oldest that is supported.

use event_sdk::EventBus;
use event_sdk::stream::{StreamSpec, Upstream};
use event_sdk::transport::nats::Nats;
use event_sdk_ops::Operations;
use event_sdk_test_servers::programs::nats;
use event_sdk_test_servers::{Operator, Server};
use event_sdk_topology::Topology;
use serde_json::Value;

use crate::program::piped;
use crate::shop::{SHOP, operations};

async fn shop(server: &Server) -> Operations {
    let nats = Nats::connect(Nats::options(server.url())).await.unwrap();
    let bus = SHOP.declare(EventBus::builder()).transport(nats).unwrap();
    operations(bus)
}

async fn json(shop: &Operations, args: &str) -> Value {
    let ran = piped(shop, &format!("{args} --json")).await;
    assert_eq!(ran.code, 0, "{args}: {ran:?}");
    serde_json::from_str(&ran.out).unwrap()
}

#[tokio::test]
async fn a_shop_is_made_and_operated_on_the_current_server() {
    let server = Server::options().start().await.unwrap();
    let shop = shop(&server).await;
    let none = piped(&shop, "streams ls").await;
    assert_eq!((none.code, &*none.out), (0, "there is no stream\n"));
    assert_eq!(piped(&shop, "streams verify").await.code, 1);
    assert_eq!(piped(&shop, "streams apply").await.code, 0);
    assert_eq!(piped(&shop, "streams verify").await.code, 0);
    for number in 0..10 {
        let data = format!(r#"{{"order":"o-{number}","cents":1,"customer":"c"}}"#);
        let ran = piped(&shop, &format!("publish order.placed '{data}'")).await;
        assert_eq!(ran.code, 0, "{ran:?}");
    }
    let info = json(&shop, "streams info ORDERS").await;
    assert_eq!(
        (&info["messages"], &info["storage"]),
        (&10.into(), &"file".into())
    );
    assert!(info["first_at"].is_string(), "{info}");
    let lag = json(&shop, "consumers lag").await;
    assert_eq!(
        (&lag[0]["consumer"], &lag[0]["lag_events"]),
        (&"billing".into(), &10.into())
    );
    assert!(lag[0]["lag_seconds"].as_f64().unwrap() >= 0.0, "{lag}");

    json(&shop, "consumers pause ORDERS billing --for 1h").await;
    let paused = json(&shop, "consumers info ORDERS billing").await;
    assert!(paused["paused_until"].is_string(), "{paused}");
    json(&shop, "consumers resume ORDERS billing").await;
    let resumed = json(&shop, "consumers info ORDERS billing").await;
    assert_eq!(resumed["paused_until"], Value::Null);

    json(&shop, "consumers reset ORDERS billing --sequence 8 --yes").await;
    assert_eq!(
        json(&shop, "consumers info ORDERS billing").await["pending"],
        3
    );
    json(
        &shop,
        "replay --stream ORDERS --from 1h --consumer billing --yes",
    )
    .await;
    assert_eq!(
        json(&shop, "consumers info ORDERS billing").await["pending"],
        10
    );

    let ran = piped(&shop, "tail --last 2 --no-follow").await;
    assert!(
        ran.out.contains("ORDERS#10") && !ran.out.contains("ORDERS#8"),
        "{}",
        ran.out
    );
    let purged = json(&shop, "streams purge ORDERS --keep 4 --yes").await;
    assert_eq!(purged["messages"], 6);
    let report = json(&shop, "streams report").await;
    assert_eq!(report["account"]["streams"], 2, "{report}");
}

#[tokio::test]
async fn a_stream_moves_to_another_server() {
    let (from, to) = (Server::options().start(), Server::options().start());
    let (from, to) = (from.await.unwrap(), to.await.unwrap());
    let (shop, other) = (shop(&from).await, shop(&to).await);
    assert_eq!(piped(&shop, "streams apply").await.code, 0);
    for number in 0..5 {
        let data = format!(r#"{{"order":"o-{number}","cents":1,"customer":"c"}}"#);
        let ran = piped(&shop, &format!("publish order.placed '{data}'")).await;
        assert_eq!(ran.code, 0, "{ran:?}");
    }
    let folder = tempfile::tempdir().unwrap();
    let backup = folder.path().join("orders.tar.gz").display().to_string();
    let written = json(&shop, &format!("streams backup ORDERS {backup}")).await;
    assert_eq!(
        (&written["messages"], &written["consumers"]),
        (&5.into(), &1.into())
    );
    for (ran, why) in [
        (
            piped(&shop, &format!("streams backup ORDERS {backup}")).await,
            "exists",
        ),
        (
            piped(&shop, &format!("streams restore {backup}")).await,
            "ORDERS",
        ),
    ] {
        assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{ran:?}");
        assert!(ran.err.contains(why), "{}", ran.err);
    }
    json(&other, &format!("streams restore {backup} --dry-run")).await;
    assert_eq!(piped(&other, "streams info ORDERS").await.code, 2);
    json(&other, &format!("streams restore {backup}")).await;
    for args in ["streams info ORDERS", "consumers info ORDERS billing"] {
        let (before, after) = (json(&shop, args).await, json(&other, args).await);
        for field in [
            "messages",
            "last_sequence",
            "first_at",
            "pending",
            "filters",
        ] {
            assert_eq!(before[field], after[field], "{args}: {field}");
        }
    }

    let exported = piped(&shop, "streams export BILLING").await;
    let file = folder.path().join("billing.json").display().to_string();
    std::fs::write(&file, exported.out).unwrap();
    let import = format!("streams import {file}");
    for (shop, result) in [
        (&shop, "unchanged"),
        (&other, "created"),
        (&other, "unchanged"),
    ] {
        assert_eq!(json(shop, &import).await["result"], result);
    }
    let changed = std::fs::read_to_string(&file)
        .unwrap()
        .replace("1048576", "2097152");
    std::fs::write(&file, changed).unwrap();
    let refused = piped(&shop, &format!("{import} --json")).await;
    assert_eq!((refused.code, refused.err.as_str()), (1, ""), "{refused:?}");
    assert!(refused.out.contains("\"refused\""), "{}", refused.out);
    assert_eq!(piped(&shop, "streams verify").await.code, 0);
}

#[tokio::test]
async fn the_oldest_server_says_which_it_would_take() {
    let program = nats::oldest().unwrap();
    let server = Server::options().program(program).start().await.unwrap();
    let shop = shop(&server).await;
    assert_eq!(piped(&shop, "streams apply").await.code, 0);
    assert_eq!(
        json(&shop, "consumers ls ORDERS").await[0]["consumer"],
        "billing"
    );
    for (args, version) in [
        ("consumers pause ORDERS billing --for 1h", "2.11.0"),
        ("consumers reset ORDERS billing --start --yes", "2.14.0"),
        (
            "replay --stream ORDERS --from 1h --consumer billing --yes",
            "2.14.0",
        ),
    ] {
        let ran = piped(&shop, args).await;
        assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{args}: {ran:?}");
        let needs = format!("NATS server {version} or newer, and this one is 2.10");
        assert!(ran.err.contains(&needs), "{args}: {}", ran.err);
        assert!(!ran.err.contains("audit"), "{args}: {}", ran.err);
    }
}

#[tokio::test]
async fn a_server_that_is_away_ends_with_two() {
    let server = Server::options().start().await.unwrap();
    let shop = shop(&server).await;
    drop(server);
    let ran = piped(&shop, "consumers info ORDERS billing").await;
    assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{ran:?}");
}

/// The JSON of a plan says all that its text says.
#[tokio::test]
async fn the_plan_has_its_warnings_and_the_limits_of_tiers() {
    const COPIES: Topology = Topology::new(
        const {
            &[
                StreamSpec::constant("COPY", &[]).mirror(Upstream::of("ORDRES")),
                StreamSpec::constant("COPY_EU", &[]).mirror(Upstream::of("ORDERS").domain("eu")),
                StreamSpec::constant("ORDERS", &["orders.>"]).max_bytes(600),
            ]
        },
    );
    let limits = serde_json::json!({ "mem_storage": 0, "disk_storage": 500, "streams": 5,
        "consumer": -1 });
    let operator = Operator::tiered(&serde_json::json!({ "R1": limits })).unwrap();
    let server = Server::options().operator(&operator).start().await.unwrap();
    let credentials = operator.credentials("app").text().unwrap();
    let options = Nats::options(server.url()).credentials(credentials);
    let nats = Nats::connect(options).await.unwrap();
    let bus = EventBus::builder().transport(nats).unwrap();
    let shop = Operations::new("shop").topology(COPIES).bus(bus);
    let ran = piped(&shop, "streams plan --json").await;
    assert_eq!(ran.code, 1, "{ran:?}");
    let plan: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(plan["possible"], false, "{plan}");
    assert_eq!(plan["tiers"][0]["replicas"], 1, "{plan}");
    let bytes = serde_json::json!({ "before": 0, "after": 600, "limit": 500 });
    assert_eq!(plan["tiers"][0]["file_bytes"], bytes, "{plan}");
    let first = |list: &str| plan[list][0].as_str().unwrap_or_default().to_owned();
    assert!(
        first("warnings").contains("ORDRES, which does not exist"),
        "{plan}"
    );
    assert!(first("unchecked").contains("not $JS.eu.API"), "{plan}");
}
