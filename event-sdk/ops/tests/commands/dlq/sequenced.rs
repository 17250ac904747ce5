//! Dead keys: what waits, and what is done with it, on memory and on a server.

use event_sdk::dead_letters::{DeadLetter, DeadLetterClass, ReleaseOutcome};
use serde_json::{Value, json};

use super::rig::{Shop, order};
use crate::program::{on_terminal, piped};
use crate::snapshot::snapshot;

/// A dead letter of a key, and an event that waits behind it.
async fn dead_key(shop: &Shop, key: &str, sequence: u64) {
    shop.put(&of_key(key, sequence)).await;
    let park = shop.bus.dead_letters("DLQ").park("billing");
    park.append(&of_key(key, sequence + 1)).await.unwrap();
}

fn of_key(key: &str, sequence: u64) -> DeadLetter {
    let mut letter = order(sequence, DeadLetterClass::Rejected);
    letter.key = Some(key.to_owned());
    letter.sequenced = true;
    letter
}

async fn ran(shop: &Shop, code: u8, command: &str) -> Value {
    let ran = piped(&shop.operations, &format!("{command} --json")).await;
    assert_eq!(ran.code, code, "{command}: {ran:?}");
    serde_json::from_str(&ran.out).unwrap()
}

/// A shop with two dead keys.
async fn dead_keys() -> Shop {
    let shop = Shop::memory();
    dead_key(&shop, "7", 1).await;
    dead_key(&shop, "8", 3).await;
    shop
}

#[tokio::test]
async fn keys_are_shown() {
    let shop = dead_keys().await;
    let command = "dlq keys --consumer billing";
    snapshot(
        "dlq-keys.terminal",
        &on_terminal(&shop.operations, command).await.out,
    );
    snapshot("dlq-keys.pipe", &piped(&shop.operations, command).await.out);
    let command = format!("{command} --show-personal-data");
    let json = piped(&shop.operations, &format!("{command} --json")).await;
    snapshot("dlq-keys.json", &json.out);
    for (name, command) in [
        ("dlq-release", "dlq release 7 --consumer billing"),
        (
            "dlq-skip-head",
            "dlq skip-head 7 --consumer billing --letter 1 --yes",
        ),
        ("dlq-drop-key", "dlq drop-key 8 --consumer billing --yes"),
    ] {
        let dry = format!("{command} --dry-run");
        snapshot(
            &format!("{name}.dry-run.pipe"),
            &piped(&shop.operations, &dry).await.out,
        );
        let json = format!("{command} --json");
        for (form, command) in [("terminal", command), ("pipe", command), ("json", &json)] {
            let shop = dead_keys().await;
            let seen = if form == "terminal" {
                on_terminal(&shop.operations, command).await
            } else {
                piped(&shop.operations, command).await
            };
            assert_eq!(seen.code, 0, "{seen:?}");
            snapshot(&format!("{name}.{form}"), &seen.out);
        }
    }
}

#[tokio::test]
async fn on_memory() {
    workflow(&Shop::memory()).await;
}

#[tokio::test]
async fn on_a_server() {
    workflow(&Shop::server().await).await;
}

async fn workflow(shop: &Shop) {
    dead_key(shop, "7", 1).await;
    let keys = ran(shop, 0, "dlq keys --consumer billing").await;
    let key = keys[0]["key_id"].as_str().unwrap();
    assert_eq!(keys[0]["dead"], true);
    assert_eq!(keys[0]["events"], 2);
    assert_eq!(keys[0]["asked"], false);
    let letter = keys[0]["letter"].as_u64().unwrap();

    // A letter that holds its key is neither archived nor purged.
    let left = ran(shop, 1, &format!("dlq archive {letter}")).await;
    assert_eq!(left["left"], json!([letter]));
    let left = ran(shop, 1, &format!("dlq purge {letter} --yes")).await;
    assert_eq!(left["kept"], json!([letter]));
    let released = ran(shop, 0, &format!("dlq redrive {letter}")).await;
    assert_eq!(released["released"], json!([letter]));

    let park = shop.bus.dead_letters("DLQ").park("billing");
    let asked = async || park.requests().await.unwrap();
    assert_eq!(asked().await.len(), 1);
    let keys = ran(shop, 0, "dlq keys --consumer billing").await;
    assert_eq!(keys[0]["asked"], true);
    let request = &asked().await[0];
    park.answer(request, ReleaseOutcome::FailedAgain)
        .await
        .unwrap();
    ran(
        shop,
        0,
        &format!("dlq release {key} --consumer billing --dry-run"),
    )
    .await;
    assert_eq!(asked().await.len(), 0, "a dry run asks nothing");
    ran(
        shop,
        0,
        &format!("dlq release {key} --consumer billing --by ann"),
    )
    .await;
    assert_eq!(asked().await[0].by.as_deref(), Some("ann"));

    let skip = format!("dlq skip-head {key} --consumer billing --letter");
    let other = ran(shop, 1, &format!("{skip} {} --yes", letter + 1)).await;
    assert_eq!(other["done"], false);
    let refused = piped(&shop.operations, &format!("{skip} {letter}")).await;
    assert_eq!(refused.code, 2, "{refused:?}");
    ran(shop, 0, &format!("{skip} {letter} --yes")).await;
    let keys = ran(shop, 0, "dlq keys --consumer billing").await;
    assert_eq!(keys[0]["dead"], false);
    assert_eq!(keys[0]["events"], 1);
    let dropped = ran(
        shop,
        0,
        &format!("dlq drop-key {key} --consumer billing --yes"),
    )
    .await;
    assert_eq!(dropped["events"], 1);
    assert_eq!(ran(shop, 0, "dlq keys --consumer billing").await, json!([]));
    let gone = piped(
        &shop.operations,
        &format!("dlq release {key} --consumer billing"),
    )
    .await;
    assert_eq!(gone.code, 2, "{gone:?}");
}

#[tokio::test]
async fn an_expiry_asks_before_it_deletes_events_of_dead_keys() {
    let shop = Shop::memory();
    dead_key(&shop, "7", 1).await;
    for command in [
        "dlq drop-key 7 --consumer billing --yes",
        "dlq purge --all --status all --yes",
    ] {
        ran(&shop, 0, command).await;
    }
    let messages = async || {
        let streams = shop.bus.transport().stream_admin().unwrap();
        streams.state("DLQ").await.unwrap().messages
    };
    let (before, expire) = (messages().await, "dlq expire 2026-05-02T08:00:00Z");
    assert!(before > 0);
    let dry = ran(&shop, 0, &format!("{expire} --dry-run")).await;
    assert_eq!(dry["events"], json!([2]));
    assert_eq!(dry["purged"], json!([]));
    let refused = piped(&shop.operations, expire).await;
    assert_eq!((refused.code, refused.out.as_str()), (2, ""), "{refused:?}");
    assert!(refused.err.contains("1 event of dead keys"), "{refused:?}");
    assert_eq!(messages().await, before);
    let done = piped(&shop.operations, &format!("{expire} --yes --by ann")).await;
    assert_eq!(done.code, 0, "{done:?}");
    let audit = "ann deleted 1 event of dead keys of the stream DLQ: 2";
    assert!(done.err.contains(audit), "{}", done.err);
    assert!(
        done.out.contains("1 event of dead keys deleted: 2"),
        "{}",
        done.out
    );
    assert!(messages().await < before);
    let dry = ran(&shop, 0, &format!("{expire} --dry-run")).await;
    assert_eq!(dry["events"], json!([]));
}

#[tokio::test]
async fn messages_that_are_no_letters_are_named() {
    let shop = Shop::memory();
    let raw = shop.bus.raw().absolute();
    raw.publish("dlq.billing.x", &b"no letter"[..])
        .await
        .unwrap();
    assert_eq!(ran(&shop, 1, "dlq unreadable").await, json!([1]));
    let shown = piped(&shop.operations, "dlq unreadable").await;
    assert_eq!((shown.code, shown.out.as_str()), (1, "SEQUENCE\n1\n"));
}
