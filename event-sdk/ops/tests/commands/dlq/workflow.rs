//! The whole workflow, on letters of memory, a server and tables.

use event_sdk::Pattern;
use event_sdk::dead_letters::DeadLetterClass;
use event_sdk_test_servers::postgres::Postgres as Server;
use serde_json::Value;
use sqlx::postgres::PgPoolOptions;
use sqlx::sqlite::SqlitePoolOptions;

use super::rig::{Shop, envelope, order};
use crate::program::{Ran, piped, ran, words};
use crate::until;

#[tokio::test]
async fn on_memory() {
    workflow(&Shop::memory()).await;
}

#[tokio::test]
async fn on_a_server() {
    workflow(&Shop::server().await).await;
}

#[tokio::test]
async fn in_a_table_of_sqlite() {
    let pool = SqlitePoolOptions::new().max_connections(1);
    let pool = pool.connect("sqlite::memory:").await.unwrap();
    workflow(&Shop::table(pool).await).await;
}

#[tokio::test]
async fn in_a_table_of_postgres() {
    let server = Server::shared().await.unwrap();
    let database = server.database().await.unwrap();
    let pool = PgPoolOptions::new().max_connections(2);
    let pool = pool.connect(&database.url()).await.unwrap();
    workflow(&Shop::table(pool).await).await;
}

/// Runs a command that ends with this code, and reads its JSON.
async fn json(shop: &Shop, code: u8, command: &str) -> Value {
    let ran = piped(&shop.operations, &format!("{command} --json")).await;
    assert_eq!(ran.code, code, "{command}: {ran:?}");
    serde_json::from_str(&ran.out).unwrap()
}

/// The ids of open letters, or of those with this status.
async fn listed(shop: &Shop, status: &str) -> Vec<u64> {
    let found = json(shop, 0, &format!("dlq ls --status {status}")).await;
    let found = found.as_array().unwrap().iter();
    found.map(|letter| letter["id"].as_u64().unwrap()).collect()
}

async fn workflow(shop: &Shop) {
    shop.put_five().await;
    let all = listed(shop, "open").await;
    assert_eq!(all.len(), 5);
    let [first, second, third, fourth, fifth] = all[..] else {
        panic!("{all:?}")
    };
    let page = json(shop, 0, "dlq ls --limit 1 --offset 4").await;
    assert_eq!(page[0]["id"], fifth);
    assert_eq!(page[0]["consumer"], "shipping");

    // Groups keep their names.
    let groups = json(shop, 0, "dlq groups").await;
    let exhausted = groups.as_array().unwrap().iter();
    let exhausted = exhausted
        .filter(|group| group["error"] == "shop::PaymentError")
        .map(|group| group["group"].as_str().unwrap())
        .next()
        .unwrap();
    let counted = json(shop, 0, &format!("dlq count --group {exhausted}")).await;
    assert_eq!(counted["letters"], 2);

    // A dry run changes nothing.
    let dry = json(
        shop,
        0,
        &format!("dlq redrive --group {exhausted} --dry-run"),
    )
    .await;
    assert_eq!(dry["selected"], serde_json::json!([first, second]));
    assert_eq!(listed(shop, "open").await, all);
    let nothing = piped(&shop.operations, "dlq redrive").await;
    assert_eq!(nothing.code, 2);
    assert!(nothing.err.contains("--all"), "{}", nothing.err);

    redriven(shop, first, exhausted).await;
    edited(shop, third).await;

    // Put aside, and taken back.
    let archived = json(shop, 0, &format!("dlq archive {fourth} --because 'paid'")).await;
    assert_eq!(archived["changed"], serde_json::json!([fourth]));
    let shown = json(shop, 0, &format!("dlq show {fourth}")).await;
    assert_eq!(shown["status"], "archived");
    assert_eq!(shown["status_because"], "paid");
    assert_eq!(listed(shop, "archived").await, [fourth]);
    let left = json(shop, 1, &format!("dlq redrive {fourth}")).await;
    assert_eq!(left["not_selected"], serde_json::json!([fourth]));
    json(shop, 0, &format!("dlq reopen {fourth}")).await;
    assert_eq!(listed(shop, "open").await, [fourth, fifth]);

    // Nobody can be asked in a pipe.
    let refused = piped(&shop.operations, &format!("dlq purge {fifth}")).await;
    assert_eq!(refused.code, 2);
    assert!(refused.err.contains("--yes"), "{}", refused.err);
    let dry = json(shop, 0, &format!("dlq purge {fifth} --dry-run")).await;
    assert_eq!(dry["purged"], serde_json::json!([fifth]));
    let purged = json(shop, 0, &format!("dlq purge {fifth} --yes")).await;
    assert_eq!(purged["purged"], serde_json::json!([fifth]));
    let gone = piped(&shop.operations, &format!("dlq show {fifth}")).await;
    assert_eq!(gone.code, 2);
    assert!(gone.err.contains("there is no letter"), "{}", gone.err);

    let kept = json(shop, 0, "dlq expire 2026-05-01T07:30:00Z --yes").await;
    assert_eq!(kept["purged"], serde_json::json!([]));
    let expired = json(shop, 0, "dlq expire 2026-05-01T07:30:01Z --yes").await;
    let expired = expired["purged"].as_array().unwrap();
    assert!(expired.iter().any(|id| *id == fourth), "{expired:?}");
    assert_eq!(json(shop, 0, "dlq count --status all").await["letters"], 0);
}

#[tokio::test]
async fn what_cannot_be_read_is_no_change() {
    let shop = Shop::memory();
    for command in [
        "ls",
        "redrive 1",
        "archive 1",
        "purge 1 --yes",
        "expire 1d --yes",
    ] {
        let ran = piped(&shop.operations, &format!("dlq {command} --stream NOWHERE")).await;
        assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{command}");
        assert!(ran.err.contains("NOWHERE"), "{}", ran.err);
        assert!(!ran.err.contains("audit"), "{command}: {}", ran.err);
    }
}

/// Redrives one letter and its group, and follows what becomes of the events.
async fn redriven(shop: &Shop, first: u64, group: &str) {
    let command = format!("dlq redrive {first} --by ann --because 'prices are back'");
    let sent = piped(&shop.operations, &format!("{command} --json")).await;
    let report: Value = serde_json::from_str(&sent.out).unwrap();
    assert_eq!(report["redriven"], serde_json::json!([first]));
    let audited = sent.err.contains("ann redrove 1 letter") && sent.err.contains("prices are back");
    assert!(audited, "{}", sent.err);
    let outcome = json(shop, 0, "dlq outcomes").await;
    assert_eq!(outcome[0]["outcome"], "waiting");

    // Its consumer handles it.
    let filter = Pattern::parse("retry.billing.>").unwrap();
    let raw = shop.bus.raw().absolute();
    let retried = raw.subscribe(filter).stream("DLQ_RETRY").durable("billing");
    let retried = retried.deliver(event_sdk::transport::DeliverPolicy::All);
    let mut retried = retried.await.unwrap();
    let delivery = retried.next().await.unwrap().unwrap();
    assert_eq!(delivery.headers().get("Dead-Letter-By"), Some("ann"));
    delivery.ack_confirmed().await.unwrap();
    until(async || json(shop, 0, "dlq outcomes").await[0]["outcome"] == "handled").await;

    // The other one of the group fails again.
    let sent = json(
        shop,
        0,
        &format!("dlq redrive --group {group} --per-second 100"),
    )
    .await;
    assert_eq!(sent["redriven"].as_array().unwrap().len(), 1, "{sent}");
    let mut again = order(2, DeadLetterClass::RetryExhausted);
    again.redrive = 1;
    shop.put(&again).await;
    let outcomes = json(shop, 1, "dlq outcomes").await;
    assert_eq!(outcomes[0]["outcome"], "handled");
    assert_eq!(outcomes[1]["outcome"], "failed-again");
    let next = outcomes[1]["next_letter"].as_u64().unwrap();
    json(shop, 0, &format!("dlq archive {next}")).await;
    json(
        shop,
        0,
        &format!("dlq purge {next} --status archived --yes"),
    )
    .await;
}

/// Redrives a letter with another body, from the standard input.
async fn edited(shop: &Shop, letter: u64) {
    let body = format!("dlq show {letter} --show-personal-data --body-only");
    let body = piped(&shop.operations, &body).await;
    let id = "0193a5c2-7b1e-7c4a-9f55-2f6d6f1f0b03";
    assert_eq!(body.out, envelope(id, "EUR"), "byte for byte");
    let edit = |body: String| async move {
        let args = words(&format!("dlq edit {letter} --body - --by ann"));
        ran(&shop.operations, &args, body.as_bytes(), false).await
    };
    let other = envelope("0193a5c2-7b1e-7c4a-9f55-2f6d6f1f0b99", "NOK");
    let refused: Ran = edit(other).await;
    assert_eq!(refused.code, 2, "{refused:?}");
    assert!(
        refused.err.contains("another `event_id`"),
        "{}",
        refused.err
    );
    let done = edit(envelope(id, "NOK")).await;
    assert_eq!(done.code, 0, "{done:?}");
    assert!(done.err.contains("ann redrove letter"), "{}", done.err);
    let shown = json(shop, 0, &format!("dlq show {letter}")).await;
    assert_eq!(shown["status"], "redriven");
    let again = edit(envelope(id, "NOK")).await;
    assert_eq!(again.code, 2, "{again:?}");
}

#[tokio::test]
async fn a_body_is_written_byte_for_byte() {
    let shop = Shop::memory();
    let mut letter = order(1, DeadLetterClass::Unreadable);
    letter.body = (0..=255).collect::<Vec<u8>>().into();
    shop.put(&letter).await;
    let (mut input, mut out, mut err) = (&b""[..], Vec::new(), Vec::new());
    let mut screen = event_sdk_ops::Screen {
        input: &mut input,
        out: &mut out,
        err: &mut err,
        out_color: anstream::ColorChoice::Never,
        err_color: anstream::ColorChoice::Never,
        is_terminal: false,
        is_interactive: false,
    };
    let args = "shop dlq show 1 --show-personal-data --body-only";
    let code = event_sdk_ops::run_on(&shop.operations, args.split(' '), &mut screen).await;
    assert_eq!((code, out), (0, letter.body.to_vec()));
}
