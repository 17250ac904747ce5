//! What commands change, what they do not, and who hears of it.

use std::io::Write;
use std::sync::{Arc, Mutex};

use event_sdk::transport::TransportExt as _;
use serde_json::{Value, json};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt as _;

use crate::program::{on_terminal, piped, ran, words};
use crate::shop::{OrderPlaced, SHOP, busy, operations};

#[tokio::test]
async fn a_dry_run_changes_nothing() {
    let bus = busy().await;
    let shop = operations(bus.clone());
    let before = (
        bus.transport().stream_state("ORDERS").await.unwrap(),
        bus.transport()
            .consumer_info("ORDERS", "billing")
            .await
            .unwrap(),
    );
    for args in [
        "streams purge ORDERS",
        "streams purge ORDERS --subject events.orders.order.placed --keep 1",
        "streams apply",
        "consumers pause ORDERS billing --for 1h",
        "consumers resume ORDERS billing",
        "consumers reset ORDERS billing --start",
        "replay --stream ORDERS --from 2026-05-01T08:00:00Z --consumer billing",
        r#"publish order.placed '{"order":"o","cents":1,"customer":"c"}'"#,
    ] {
        let ran = piped(&shop, &format!("{args} --dry-run")).await;
        assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{args}: {ran:?}");
        assert!(!ran.out.is_empty(), "{args} says nothing");
    }
    let after = (
        bus.transport().stream_state("ORDERS").await.unwrap(),
        bus.transport()
            .consumer_info("ORDERS", "billing")
            .await
            .unwrap(),
    );
    assert_eq!(after, before);
}

#[tokio::test]
async fn data_is_destroyed_only_with_consent() {
    let bus = busy().await;
    let shop = operations(bus.clone());
    let messages = async || {
        let state = bus.transport().stream_state("ORDERS").await;
        state.unwrap().messages
    };
    let refused = piped(&shop, "streams purge ORDERS").await;
    assert_eq!((refused.code, refused.out.as_str()), (2, ""), "{refused:?}");
    assert!(refused.err.contains("`--yes`"), "{}", refused.err);
    assert_eq!(messages().await, 5);

    let args = words("streams purge ORDERS --by ada");
    for (answer, code, left) in [
        (&b"\n"[..], 1, 5),
        (b"no\n", 1, 5),
        (b"", 1, 5),
        (b"y\n", 0, 0),
    ] {
        let ran = ran(&shop, &args, answer, true).await;
        assert_eq!((ran.code, messages().await), (code, left), "{ran:?}");
        assert!(ran.err.contains("cannot be undone"), "{}", ran.err);
    }
}

/// What is traced on this thread.
#[derive(Clone, Default)]
struct Traced(Arc<Mutex<Vec<u8>>>);

impl Write for Traced {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Traced {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

#[tokio::test]
async fn a_change_is_audited_once() {
    let traced = Traced::default();
    // Spans of other tests would be taken for interesting, and their events would carry traces.
    let audits = Targets::new().with_target("event_sdk_ops::audit", tracing::Level::INFO);
    let written = tracing_subscriber::fmt::layer()
        .with_writer(traced.clone())
        .with_ansi(false);
    let subscriber = tracing_subscriber::registry().with(audits).with(written);
    let _guard = tracing::subscriber::set_default(subscriber);
    let shop = operations(busy().await);
    let args =
        "consumers pause ORDERS billing --for 1h --by 'ada\u{1b}[31m' --because 'the ledger moves'";
    let ran = ran(&shop, &words(args), b"", false).await;
    assert_eq!(ran.code, 0, "{ran:?}");
    let audits: Vec<_> = ran
        .err
        .lines()
        .filter(|line| line.starts_with("audit: "))
        .collect();
    let [audit] = audits[..] else {
        panic!("{}", ran.err);
    };
    for part in [
        "ada\\u{1b}[31m paused the consumer billing",
        "because: the ledger moves",
    ] {
        assert!(audit.contains(part), "{audit}");
    }
    let traced = String::from_utf8(traced.0.lock().unwrap().clone()).unwrap();
    let events: Vec<_> = traced
        .lines()
        .filter(|line| line.contains("event_sdk_ops::audit"))
        .collect();
    let [event] = events[..] else {
        panic!("{traced}");
    };
    assert!(event.contains("because=\"the ledger moves\""), "{event}");
    assert!(event.contains("paused the consumer billing"), "{event}");
}

#[tokio::test]
async fn a_refused_topology_exits_with_one_and_shows_the_steps() {
    let bus = busy().await;
    let overlapping = event_sdk::stream::StreamSpec::new("EVERYTHING").absolute("events.>");
    let other = event_sdk::EventBus::builder()
        .stream(overlapping)
        .memory()
        .unwrap();
    let shop = operations(other);
    for (args, sentence) in [
        ("streams plan", "refused"),
        ("streams apply --yes", "refused"),
        ("streams verify", "EVERYTHING"),
    ] {
        let ran = piped(&shop, args).await;
        assert_eq!(ran.code, 1, "{args}: {ran:?}");
        assert!(ran.out.contains(sentence), "{args}: {}", ran.out);
        let json = piped(&shop, &format!("{args} --json")).await;
        let _: Value = serde_json::from_str(&json.out).unwrap();
    }
    assert!(SHOP.verify(&bus).await.unwrap().is_clean());
}

#[tokio::test]
async fn colours_and_progress_are_for_terminals() {
    let shop = operations(busy().await);
    for args in ["streams report", "consumers lag", "trace x"] {
        let ran = piped(&shop, args).await;
        assert!(!ran.out.contains('\u{1b}'), "{args}: {}", ran.out);
        assert_eq!(ran.err, "", "{args}");
        let ran = on_terminal(&shop, args).await;
        assert!(
            ran.err.contains('\r'),
            "{args} shows no progress: {:?}",
            ran.err
        );
        let never = on_terminal(&shop, &format!("{args} --color never")).await;
        assert!(!never.out.contains('\u{1b}'), "{args}: {}", never.out);
    }
}

#[tokio::test]
async fn a_lag_beyond_a_limit_exits_with_one() {
    let shop = operations(busy().await);
    for (args, code) in [
        ("consumers lag", 0),
        ("consumers lag --max-events 3", 0),
        ("consumers lag --max-events 2", 1),
        ("consumers lag --max-age 1h", 0),
        ("consumers lag --max-age 1m", 1),
    ] {
        assert_eq!(piped(&shop, args).await.code, code, "{args}");
    }
}

#[tokio::test]
async fn a_reset_says_which_events_are_lost_and_which_come_again() {
    let bus = busy().await;
    let shop = operations(bus.clone());
    let dry = async |args: &str| {
        let ran = piped(&shop, &format!("{args} --dry-run --json")).await;
        assert_eq!(ran.code, 0, "{ran:?}");
        serde_json::from_str::<Value>(&ran.out).unwrap()
    };
    // It has settled 1; 2, 3 and 5 wait, and 4 is not its own.
    let forward = "consumers reset ORDERS billing --sequence 4";
    let moved = dry(forward).await;
    let lost = json!({"first_sequence": 2, "last_sequence": 3, "at_most_events": 2});
    assert_eq!(moved["never_delivered"], lost);
    assert_eq!(moved["delivered_again"], Value::Null);
    let question = ran(&shop, &words(forward), b"n\n", true).await;
    let sentence =
        "at most 2 events from sequence 2 to 3 that it has not settled are never delivered";
    assert!(question.err.contains(sentence), "{}", question.err);
    let end = dry("consumers reset ORDERS billing --end").await;
    assert_eq!(end["never_delivered"]["at_most_events"], 3);

    // It settles 3, and holds 2.
    let billing = bus.subscribe::<OrderPlaced>().durable("billing");
    let mut billing = billing.await.unwrap();
    let held = billing.next().await.unwrap().unwrap();
    let settled = billing.next().await.unwrap().unwrap();
    settled.ack_confirmed().await.unwrap();
    let unsettled = dry("consumers reset ORDERS billing --unsettled").await;
    assert_eq!(unsettled["never_delivered"], Value::Null);
    let again = &unsettled["delivered_again"];
    assert_eq!(again["first_sequence"], 2, "{unsettled}");
    assert_eq!(dry(forward).await["never_delivered"], lost);
    drop(held);

    let replay = "replay --stream ORDERS --from 2026-05-01T08:02:00Z --consumer billing --yes";
    let refused = piped(&shop, replay).await;
    assert_eq!((refused.code, refused.out.as_str()), (2, ""), "{refused:?}");
    assert!(
        refused.err.contains("no consumer forward"),
        "{}",
        refused.err
    );
}
