//! Outboxes in the report: depth and age as the database has them, and a database that is stopped and
//! started.

use std::sync::Arc;
use std::time::Duration;

use event_sdk_observe::health::{Health, Status};
use event_sdk_sql::{Outbox, Postgres, Sqlite};
use event_sdk_test_servers::postgres::Postgres as Server;
use futures_util::poll;
use sqlx::postgres::PgPoolOptions;
use sqlx::sqlite::SqlitePoolOptions;

use crate::rig::{OrderPlaced, Service, until};

#[tokio::test]
async fn rows_that_wait_are_counted_with_their_age() {
    let service = Service::start().await;
    let pool = SqlitePoolOptions::new().max_connections(1);
    let pool = pool.connect("sqlite::memory:").await.unwrap();
    let outbox = Outbox::<Sqlite>::new(pool, service.bus.clone());
    outbox.migrate().await.unwrap();
    let health = Health::builder(&service.bus).outbox(Arc::clone(outbox.store()));
    let health = health.interval(Duration::ZERO).build();
    let enqueue = async |id| {
        let mut tx = outbox.begin().await.unwrap();
        outbox.enqueue(&mut tx, OrderPlaced { id }).await.unwrap();
        tx.commit().await.unwrap();
    };

    let report = health.check().await;
    assert_eq!(report.outboxes[0].depth, Some(0));
    assert_eq!(report.outboxes[0].oldest_age_seconds, Some(0.0));
    assert!(report.config.features["outbox"]);
    enqueue(1).await;
    service.clock.advance(Duration::from_secs(60));
    enqueue(2).await;
    let report = health.check().await;
    assert_eq!(report.outboxes[0].depth, Some(2));
    assert_eq!(report.outboxes[0].oldest_age_seconds, Some(60.0));
    assert_eq!(report.status, Status::Ok, "{:?}", report.problems);
    service.clock.advance(Duration::from_secs(1));
    let report = health.check().await;
    assert_eq!(report.status, Status::Degraded);
    let problem = report.problems[0].to_string();
    assert!(
        problem.ends_with("has a row that waits for 61 s, longer than 60s"),
        "{problem}"
    );
    assert!(report.ready);
}

#[tokio::test]
async fn a_probe_that_gives_up_leaves_no_connection_behind() {
    let service = Service::start().await;
    let pool = SqlitePoolOptions::new().max_connections(1);
    let pool = pool.acquire_timeout(Duration::from_secs(60));
    let pool = pool.connect("sqlite::memory:").await.unwrap();
    let outbox = Outbox::<Sqlite>::new(pool.clone(), service.bus.clone());
    outbox.migrate().await.unwrap();
    let health = Health::builder(&service.bus).outbox(Arc::clone(outbox.store()));
    let health = health.build();
    let mut probe = Box::pin(health.check());
    assert!(poll!(&mut probe).is_pending());
    tokio::task::yield_now().await;
    drop(probe);
    // The only connection is free as soon as the check has ended.
    drop(pool.acquire().await.unwrap());
    let report = health.check().await;
    assert_eq!(report.status, Status::Ok, "{:?}", report.problems);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_stops_and_starts_is_reported() {
    let mut server = Server::start().await.unwrap();
    let database = server.database().await.unwrap();
    let service = Service::start().await;
    let pool = PgPoolOptions::new().acquire_timeout(Duration::from_secs(1));
    let pool = pool.connect_lazy(&database.url()).unwrap();
    let outbox = Outbox::<Postgres>::new(pool, service.bus.clone());
    outbox.migrate().await.unwrap();
    let health = Health::builder(&service.bus).outbox(Arc::clone(outbox.store()));
    let health = health.interval(Duration::ZERO).build();
    assert_eq!(health.check().await.status, Status::Ok);

    server.stop().await.unwrap();
    let report = health.check().await;
    assert_eq!(report.status, Status::Down);
    let error = report.outboxes[0].error.as_deref().unwrap();
    assert!(error.starts_with("cannot be read: "), "{error}");
    assert!(!error.contains(&database.url()), "{error}");
    assert_eq!(report.outboxes[0].depth, None);
    // Without its database an instance cannot work, but neither can another one.
    assert!(report.ready);

    server.restart().await.unwrap();
    until("the database is back", async || {
        health.check().await.status == Status::Ok
    })
    .await;
}
