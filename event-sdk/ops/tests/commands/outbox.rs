//! `outbox`: status, parked keys, retry and purge, on SQLite and PostgreSQL.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use event_sdk::consumer::Retry;
use event_sdk::stream::StreamSpec;
use event_sdk::time::SteppedClock;
use event_sdk::{Event, EventBus};
use event_sdk_ops::Operations;
use event_sdk_sql::{Outbox, Postgres, Sqlite, Store};
use event_sdk_store::outbox::{Counted, OutboxStatus};
use event_sdk_store::{StoreError, StoreErrorKind};
use event_sdk_test_servers::postgres::Postgres as Server;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sqlx::Pool;
use sqlx::postgres::PgPoolOptions;
use sqlx::sqlite::SqlitePoolOptions;
use tokio::sync::oneshot;

use crate::fake::{FakeOutbox, parked};
use crate::program::{on_terminal, piped};
use crate::snapshot::snapshot;
use crate::until;

const MAIL: &str = "ann@example.org";

/// A customer has moved.
#[derive(Debug, Event, Serialize, Deserialize)]
#[event(domain = "crm")]
struct CustomerMoved {
    #[event(key)]
    mail: String,
}

struct Rig<DB: Store> {
    bus: EventBus,
    clock: Arc<SteppedClock>,
    outbox: Outbox<DB>,
    shop: Operations,
}

impl<DB: Store> Rig<DB> {
    /// A program with the outbox `crm`, whose key is parked with two rows behind it, and an empty one.
    async fn new(pool: Pool<DB>, empty: Pool<DB>) -> Self {
        let start = "2026-05-01T08:00:00Z".parse().unwrap();
        let clock = Arc::new(SteppedClock::starting_at(start));
        let other = StreamSpec::new("ORDERS").subject("orders.>");
        let bus = EventBus::builder().clock(clock.clone()).stream(other);
        let bus = bus.memory().unwrap();
        let outbox = Outbox::new(pool, bus.clone());
        outbox.migrate().await.unwrap();
        let none = Outbox::new(empty, bus.clone());
        none.migrate().await.unwrap();
        let shop = Operations::new("shop").bus(bus.clone());
        let shop = shop
            .outbox("crm", Arc::clone(outbox.store()))
            .outbox("billing", Arc::clone(none.store()));
        let rig = Self {
            bus,
            clock,
            outbox,
            shop,
        };
        rig.enqueue(3, MAIL).await;
        // No stream stores the event. The rows behind it are parked one after the other.
        let all = async || rig.outbox.status().await.unwrap().parked_rows.rows() == 3;
        rig.relay(all).await;
        rig
    }

    async fn enqueue(&self, rows: u32, mail: &str) {
        let mut tx = self.outbox.begin().await.unwrap();
        for _ in 0..rows {
            let moved = CustomerMoved {
                mail: mail.to_owned(),
            };
            self.outbox.enqueue(&mut tx, moved).await.unwrap();
        }
        tx.commit().await.unwrap();
    }

    /// Runs a relay until something is so.
    async fn relay(&self, is: impl AsyncFnMut() -> bool) {
        let (stop, stopped) = oneshot::channel::<()>();
        let retry = Retry::steps([Duration::from_millis(1)]).max_attempts(1);
        let relay = self.outbox.relay().retry(retry);
        let relay = tokio::spawn(relay.run_until(async { drop(stopped.await) }));
        let clock = Arc::clone(&self.clock);
        let time = tokio::spawn(async move {
            loop {
                clock.advance(Duration::from_millis(100));
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        });
        until(is).await;
        drop(stop);
        relay.await.unwrap().unwrap();
        time.abort();
    }

    async fn json(&self, code: u8, command: &str) -> Value {
        let ran = piped(&self.shop, &format!("{command} --json")).await;
        assert_eq!(ran.code, code, "{command}: {ran:?}");
        assert!(
            !ran.out.contains(MAIL) && !ran.err.contains(MAIL),
            "{ran:?}"
        );
        serde_json::from_str(&ran.out).unwrap()
    }
}

async fn sqlite() -> Rig<Sqlite> {
    let pool = async || {
        let pool = SqlitePoolOptions::new().max_connections(1);
        pool.connect("sqlite::memory:").await.unwrap()
    };
    Rig::new(pool().await, pool().await).await
}

async fn postgres() -> Rig<Postgres> {
    let server = Server::shared().await.unwrap();
    let pool = async || {
        let database = server.database().await.unwrap();
        let pool = PgPoolOptions::new().max_connections(4);
        pool.connect(&database.url()).await.unwrap()
    };
    Rig::new(pool().await, pool().await).await
}

#[tokio::test]
async fn on_sqlite() {
    workflow(&sqlite().await).await;
}

#[tokio::test]
async fn on_postgres() {
    workflow(&postgres().await).await;
}

async fn workflow<DB: Store>(rig: &Rig<DB>) {
    let status = rig.json(1, "outbox status").await;
    assert_eq!(status[0]["name"], "crm");
    assert_eq!(status[0]["parked_keys"], 1);
    assert_eq!(status[0]["parked_rows"], 3);
    assert_eq!(status[1]["name"], "billing");
    assert_eq!(status[1]["problems"], json!([]));
    rig.json(0, "outbox status --outbox billing").await;
    let wrong = piped(&rig.shop, "outbox status --outbox nowhere").await;
    assert_eq!(wrong.code, 2);
    assert!(wrong.err.contains("it has crm, billing"), "{}", wrong.err);
    let which = piped(&rig.shop, "outbox parked").await;
    assert_eq!(which.code, 2);
    assert!(which.err.contains("crm, billing"), "{}", which.err);

    let parked = rig.json(0, "outbox parked --outbox crm").await;
    let id = parked[0]["id"].as_i64().unwrap();
    assert_eq!(parked[0]["holds_a_key"], true);
    let shown = piped(&rig.shop, "outbox parked --outbox crm --show-personal-data").await;
    assert!(shown.out.contains(MAIL), "{}", shown.out);

    // A dry run changes nothing.
    let dry = rig
        .json(0, "outbox retry --all --outbox crm --dry-run")
        .await;
    assert_eq!(dry["retried"], json!([id]));
    let dry = rig
        .json(0, "outbox purge --all --outbox crm --dry-run")
        .await;
    assert_eq!(dry["purged"], json!([id]));
    assert_eq!(rig.json(0, "outbox parked --outbox crm").await, parked);

    // The failed row alone: the later ones are tried, and the next one fails.
    let refused = piped(&rig.shop, &format!("outbox purge {id} --outbox crm")).await;
    assert_eq!(refused.code, 2, "{refused:?}");
    let skip = format!("outbox purge {id} --outbox crm --failed-only --yes");
    assert_eq!(rig.json(0, &skip).await["rows"], 1);
    let next = async || {
        let parked = rig.json(0, "outbox parked --outbox crm").await;
        parked[0]["id"].as_i64().is_some_and(|now| now != id) && parked[0]["releasing"] == false
    };
    rig.relay(next).await;
    let gone = rig
        .json(1, &format!("outbox retry {id} --outbox crm"))
        .await;
    assert_eq!(gone["not_parked"], json!([id]));

    // With a stream, a retry succeeds.
    let spec = StreamSpec::new("CRM").subject("crm.>");
    let builder = EventBus::builder().stream(spec);
    let with_stream = builder.transport(Arc::clone(rig.bus.transport())).unwrap();
    with_stream.apply_streams().await.unwrap();
    let retry = piped(&rig.shop, "outbox retry --all --outbox crm --by ann").await;
    assert_eq!(retry.code, 0, "{retry:?}");
    assert!(
        retry.err.contains("ann retried 1 parked entry"),
        "{}",
        retry.err
    );
    let stored = async || {
        let state = rig.bus.transport().stream_admin().unwrap();
        state.state("CRM").await.unwrap().messages == 2
    };
    rig.relay(stored).await;
    until(async || rig.json(0, "outbox status --outbox crm").await[0]["depth"] == 0).await;

    // A row that waits without a relay, and too long.
    rig.enqueue(1, "bob@example.org").await;
    rig.clock.advance(Duration::from_secs(60));
    let status = rig
        .json(1, "outbox status --outbox crm --max-age 30s")
        .await;
    let problems = status[0]["problems"].to_string();
    assert!(problems.contains("no relay is alive"), "{problems}");
    assert!(problems.contains("longer than 30s"), "{problems}");
    let age = status[0]["oldest_age_seconds"].as_f64().unwrap();
    assert!((60.0..3_600.0).contains(&age), "{age}");
}

/// Without the time at which the row was parked, which depends on the speed of the machine.
fn stable(text: &str) -> String {
    let line = |line: &str| match line.split_once("2026-05-01T08:") {
        Some((before, after)) => {
            let (_, after) = after.split_once('Z').unwrap();
            format!("{before}<time>{after}\n")
        }
        None => format!("{line}\n"),
    };
    text.lines().map(line).collect()
}

#[tokio::test]
async fn screens() {
    for (name, command) in [
        ("outbox-status", "outbox status"),
        ("outbox-parked", "outbox parked --outbox crm"),
        ("outbox-retry", "outbox retry 1 9 --outbox crm"),
        ("outbox-purge", "outbox purge --all --outbox crm --yes"),
    ] {
        let seen = on_terminal(&sqlite().await.shop, command).await;
        snapshot(&format!("{name}.terminal"), &stable(&seen.out));
        let seen = piped(&sqlite().await.shop, command).await;
        snapshot(&format!("{name}.pipe"), &stable(&seen.out));
        let seen = piped(&sqlite().await.shop, &format!("{command} --json")).await;
        snapshot(&format!("{name}.json"), &stable(&seen.out));
    }
}

#[tokio::test]
async fn a_count_that_ends_at_its_limit_says_so() {
    let mut status = OutboxStatus::default();
    for count in [
        &mut status.depth,
        &mut status.scheduled,
        &mut status.parked_rows,
        &mut status.parked_keys,
        &mut status.published_lately,
    ] {
        *count = Counted::new(Counted::LIMIT + 1);
    }
    let fake = FakeOutbox {
        status,
        ..FakeOutbox::default()
    };
    let shop = Operations::new("shop").outbox("crm", Arc::new(fake));
    let json = piped(&shop, "outbox status --json").await;
    let json: Value = serde_json::from_str(&json.out).unwrap();
    for field in ["depth", "scheduled", "parked_rows", "parked_keys"] {
        assert_eq!(json[0][field], 100_000, "{json}");
    }
    for field in [
        "depth",
        "scheduled",
        "parked_rows",
        "parked_keys",
        "published_per_second",
    ] {
        assert_eq!(json[0][format!("{field}_is_at_least")], true, "{field}");
    }
    let seen = piped(&shop, "outbox status").await;
    let seen: String = seen.out.split_whitespace().collect();
    assert_eq!(
        seen.matches("morethan").count(),
        6,
        "five counts and a problem: {seen}"
    );
}

#[tokio::test]
async fn a_purge_that_fails_in_the_middle_says_what_it_has_deleted() {
    let full = || StoreError::new(StoreErrorKind::Full, "the disk is full");
    for (purges, at_least) in [
        (
            vec![Ok(1_000), Ok(1_000), Err(full())],
            "at least 2000 rows",
        ),
        (vec![Err(full())], "at least 0 rows"),
    ] {
        let fake = FakeOutbox {
            parked: vec![parked(1, "no stream"), parked(2, "no stream")],
            purges: Mutex::new(purges.into()),
            ..FakeOutbox::default()
        };
        let shop = Operations::new("shop").outbox("crm", Arc::new(fake));
        let purge = "outbox purge --all --yes --by ann --json";
        let ran = piped(&shop, purge).await;
        assert_eq!((ran.code, &*ran.out), (2, ""), "{ran:?}");
        let audit = format!("ann may have deleted rows of entry 1 of the outbox crm, {at_least}");
        assert!(ran.err.contains(&audit), "{}", ran.err);
        assert!(ran.err.contains("the disk is full"), "{}", ran.err);
        assert!(!ran.err.contains("entry 2"), "it ends there: {}", ran.err);
        // Repeated, it deletes the rest.
        let ran = piped(&shop, "outbox purge 1 --yes").await;
        assert_eq!(
            (ran.code, &*ran.out),
            (1, "nothing to delete\nnot parked: 1\n"),
            "{ran:?}"
        );
    }
}
