//! What other programs write drives no terminal: escape sequences in names, subjects, events, letters and
//! errors. `program::ran` searches what each command of this test program writes.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use event_sdk::EventBus;
use event_sdk::dead_letters::{DeadLetter, DeadLetterClass, Origin};
use event_sdk::transport::nats::Nats;
use event_sdk_ops::Operations;
use event_sdk_store::outbox::OutboxStatus;
use event_sdk_store::{StoreError, StoreErrorKind};
use event_sdk_test_servers::Server;
use serde_json::json;

use crate::dlq::rig;
use crate::fake::{FakeOutbox, parked};
use crate::program::{on_terminal, piped};
use crate::raw::Raw;
use crate::shop::{busy, empty, operations};

/// A title, a clear screen, a bell, C1 controls and a bidirectional override.
const EVIL: &str = "\u{1b}]0;owned\u{7}\u{1b}[2J\u{9b}31m\u{202e}";

/// The same with line breaks, which would forge a line.
const LINES: &str = "\u{1b}]0;owned\u{7}\r\naudit: ada agreed\u{202e}\u{85}";

/// How the beginning of both is shown.
const SHOWN: &str = "\\u{1b}]0;owned\\u{7}";

/// Runs a command in each form. `shown` says whether the evil has to be there, escaped.
async fn run(shop: &Operations, command: &str, shown: bool) {
    let json = format!("{command} --json");
    for (ran, of_json) in [
        (piped(shop, command).await, false),
        (on_terminal(shop, command).await, false),
        (piped(shop, &json).await, true),
    ] {
        let all = format!("{}{}", ran.out, ran.err);
        for line in all.lines() {
            assert!(!line.starts_with("audit: ada agreed"), "{command}: {all}");
        }
        if shown {
            // A long text is continued in the next line.
            let joined: String = all.split_whitespace().collect();
            let is_there =
                joined.contains(SHOWN) || of_json && joined.contains("\\u001b]0;owned\\u0007");
            assert!(is_there, "{command} does not show it: {all}");
        }
    }
}

#[tokio::test]
async fn of_events() {
    let bus = busy().await;
    let id = "0197a2b0-7c1e-7000-8000-0000000000aa";
    let event = json!({
        "event_id": id,
        "event_type": format!("order.{LINES}"),
        "event_version": "1.0",
        "timestamp": "2026-05-01T08:00:00Z",
        "source": format!("till{LINES}"),
        "data": { (format!("name{LINES}")): LINES },
        "metadata": { "key": format!("key{LINES}"), "correlation_id": format!("c{LINES}") },
    });
    let raw = bus.raw();
    raw.publish("orders.order.returned", event.to_string())
        .await
        .unwrap();
    raw.publish("orders.order.returned", LINES).await.unwrap();
    let shop = operations(bus);
    for (command, shown) in [
        ("tail --last 9 --no-follow", true),
        ("tail --last 9 --no-follow --show-personal-data", true),
        ("replay", true),
        ("replay --show-personal-data", true),
    ] {
        run(&shop, command, shown).await;
    }
    run(&shop, &format!("trace {id} --data"), true).await;
    run(
        &shop,
        &format!("trace {id} --data --show-personal-data"),
        true,
    )
    .await;
    let ran = piped(&shop, &format!("trace {EVIL}")).await;
    assert!(ran.out.contains("\\u{1b}]0;"), "{}", ran.out);
}

#[tokio::test]
async fn of_letters() {
    let shop = rig::Shop::memory();
    let origin = Origin::new("ORDERS", 1, format!("events.orders.{EVIL}"), "events");
    let failed = "2026-05-01T07:30:00Z".parse().unwrap();
    let body = json!({ (format!("name{LINES}")): LINES }).to_string();
    let class = DeadLetterClass::from_text(EVIL);
    let mut letter = DeadLetter::new("billing", origin, class, failed, Bytes::from(body));
    letter.event_type = Some(format!("order.{EVIL}").into());
    letter.errors = vec![format!("shop::Error{LINES}")];
    letter.reason = Some(LINES.to_owned());
    letter.key = Some(LINES.to_owned());
    letter.headers.insert("X-Evil", "\u{202e}evil").unwrap();
    shop.put(&letter).await;
    let mut second = letter.clone();
    second.body = Bytes::from(LINES);
    shop.put(&second).await;
    let shop = shop.operations;
    for (command, shown) in [
        ("dlq ls", true),
        ("dlq groups", true),
        ("dlq show 1", true),
        ("dlq show 1 --show-personal-data", true),
        ("dlq show 2 --show-personal-data", true),
        ("dlq count", false),
        (
            "dlq export 1 --set a::B --handler c::d --show-personal-data",
            false,
        ),
        ("dlq redrive --all --dry-run", false),
        ("dlq edit 1 --body Cargo.toml", false),
        ("dlq archive 1 --because 'evil\u{1b}]0;owned\u{7}'", false),
        ("dlq show 1", true),
        ("dlq outcomes", false),
        ("dlq unreadable", false),
    ] {
        run(&shop, command, shown).await;
    }
}

#[tokio::test]
async fn of_databases() {
    let outbox = |purge| FakeOutbox {
        status: OutboxStatus::default(),
        parked: vec![parked(1, LINES)],
        purges: Mutex::new([purge].into()),
    };
    let refused = || StoreError::new(StoreErrorKind::Other, LINES).with_source(format!("{LINES}!"));
    let shop = |purge| Operations::new("shop").outbox("crm", Arc::new(outbox(purge)));
    run(&shop(Ok(1)), "outbox parked", true).await;
    for command in ["outbox purge 1 --yes", "outbox purge 1 --yes --json"] {
        let ran = piped(&shop(Err(refused())), command).await;
        assert_eq!(ran.code, 2, "{ran:?}");
        // Line breaks too: an error is one line, the audit line another one.
        assert_eq!(ran.err.lines().count(), 2, "{}", ran.err);
        assert_eq!(ran.err.matches(SHOWN).count(), 2, "{}", ran.err);
    }
}

#[tokio::test]
async fn of_servers() {
    let server = Server::start().await.unwrap();
    let mut raw = Raw::connect(&server).await;
    let evil = format!("EVIL{EVIL}");
    let config = json!({ "name": evil, "subjects": [format!("events.{EVIL}")], "storage": "memory", "num_replicas": 1,
        "description": LINES });
    raw.ask(
        &format!("$JS.API.STREAM.CREATE.{evil}"),
        &config.to_string(),
    )
    .await;
    let config = json!({ "name": "ORDERS", "subjects": ["events.orders.>"], "storage": "memory", "num_replicas": 1,
        "description": LINES, "metadata": { "note": LINES } });
    raw.ask("$JS.API.STREAM.CREATE.ORDERS", &config.to_string())
        .await;
    let consumer = json!({ "stream_name": "ORDERS", "config": {
        "durable_name": format!("c{EVIL}"), "ack_policy": "explicit", "description": LINES,
        "filter_subject": format!("events.orders.{EVIL}") } });
    raw.ask(
        &format!("$JS.API.CONSUMER.DURABLE.CREATE.ORDERS.c{EVIL}"),
        &consumer.to_string(),
    )
    .await;
    raw.ask(&format!("events.orders.{EVIL}"), "no event").await;

    let nats = Nats::connect(Nats::options(server.url())).await.unwrap();
    let shop = operations(EventBus::builder().transport(nats).unwrap());
    for (command, shown) in [
        // The stream with the name is none of ours.
        ("streams ls", false),
        ("streams ls --all", false),
        ("streams report", false),
        ("consumers ls", true),
        ("consumers lag", true),
        ("consumers ls ORDERS", true),
        ("consumers lag ORDERS", true),
        ("streams info ORDERS", false),
        ("streams plan", false),
        ("streams verify", false),
        ("streams apply --dry-run", false),
        ("streams export ORDERS", false),
        ("tail --last 9 --no-follow", true),
        ("replay", true),
        ("schedule ls", false),
        ("dlq ls --stream ORDERS", false),
        ("dlq unreadable --stream ORDERS", false),
        ("doctor", false),
    ] {
        run(&shop, command, shown).await;
    }
    run(&shop, &format!("streams info {evil}"), true).await;
    run(&shop, &format!("consumers ls {evil}"), false).await;
    run(&shop, &format!("consumers info ORDERS c{EVIL}"), true).await;
    run(
        &shop,
        &format!("consumers pause ORDERS c{EVIL} --for 1h"),
        true,
    )
    .await;
    run(&shop, &format!("consumers resume ORDERS c{EVIL}"), true).await;
    run(&shop, &format!("streams purge {evil} --yes"), true).await;
}

#[tokio::test]
async fn of_arguments() {
    let (bus, _) = empty().await;
    let shop = operations(bus);
    for command in [
        "streams info",
        "consumers info ORDERS",
        "dlq ls --stream",
        "publish --raw events.orders.x --file",
    ] {
        run(&shop, &format!("{command} {EVIL}"), true).await;
    }
    run(&shop, &format!("outbox status --outbox {EVIL}"), false).await;
}
