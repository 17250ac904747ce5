//! Users that are no superusers and have exactly the privileges that the docs list. The statements are
//! those of the page.

use std::time::Duration;

use event_sdk::transport::ErrorKind;
use event_sdk_sql::{Outbox, StoreError, StoreErrorKind, WhichParked};
use event_sdk_store::recover::RowAt;
use sqlx::PgPool;

use crate::database::{Db, Home, connect, open};
use crate::rig::{Rig, Running, placed, wait_until};
use crate::script::Act;

const PAGE: &str = include_str!("../../../../docs/outbox.md");

/// A database in which nobody but the superuser may do anything, and a superuser's pool.
struct Closed {
    home: Home,
    superuser: PgPool,
}

impl Closed {
    async fn new() -> Self {
        let (home, superuser) = open().await;
        let closed = Self { home, superuser };
        closed
            .execute("revoke all on schema public from public")
            .await;
        closed
    }

    async fn execute(&self, sql: &str) {
        let done = sqlx::raw_sql(sqlx::AssertSqlSafe(sql.to_owned())).execute(&self.superuser);
        done.await.expect(sql);
    }

    /// Users belong to the server, on which other tests have theirs.
    fn name(&self, user: &str) -> String {
        format!("{user}_{}", self.home.name())
    }

    /// Makes a user of the page, without privileges, and connects as this user.
    async fn user(&self, user: &str) -> PgPool {
        let name = self.name(user);
        self.execute(&format!("create role {name} login")).await;
        connect(
            &self
                .home
                .url()
                .replace("//postgres@", &format!("//{name}@")),
        )
        .await
    }

    /// Executes the grants of the page to a user that have these words.
    async fn grant(&self, user: &str, words: &str) {
        let end = format!(" to {user};");
        let lines = PAGE.lines().filter_map(|line| line.split_once(&end));
        let lines: Vec<_> = lines
            .map(|(grant, _)| grant)
            .filter(|grant| grant.starts_with("grant ") && grant.contains(words))
            .collect();
        assert!(
            !lines.is_empty(),
            "docs/outbox.md has a grant of {words:?} to {user}"
        );
        for grant in lines {
            let grant = grant.replace("database shop", &format!("database {}", self.home.name()));
            self.execute(&format!("{grant} to {}", self.name(user)))
                .await;
        }
    }

    /// The tables, made by the superuser.
    async fn migrated() -> Self {
        let closed = Self::new().await;
        let rig = Rig::over(closed.home.clone(), closed.superuser.clone());
        rig.outbox.migrate().await.expect("migrate");
        closed
    }
}

fn is_denied<T: std::fmt::Debug>(answer: Result<T, StoreError>) {
    let error = answer.expect_err("a missing privilege");
    assert_eq!(error.kind(), StoreErrorKind::PermissionDenied, "{error:?}");
    assert!(error.to_string().contains("docs/outbox.md"), "{error}");
}

#[tokio::test]
async fn the_deployment_step_has_the_documented_privileges() {
    let closed = Closed::new().await;
    let pool = closed.user("deployer").await;
    let rig = Rig::over(closed.home.clone(), pool);
    closed
        .execute(&format!(
            "grant usage on schema public to {}",
            closed.name("deployer")
        ))
        .await;
    is_denied(rig.outbox.migrate().await);
    closed.grant("deployer", "create on schema").await;
    rig.outbox.migrate().await.expect("migrate");
    rig.outbox.migrate().await.expect("again");
    is_denied(rig.outbox.verify().await);
    closed.grant("deployer", "create on database").await;
    assert_eq!(rig.outbox.verify().await.expect("a comparison"), []);
}

#[tokio::test]
async fn verify_names_the_privilege_to_read_the_shards() {
    let closed = Closed::migrated().await;
    let pool = closed.user("shop").await;
    let rig = Rig::over(closed.home.clone(), pool);
    closed.grant("shop", "").await;
    let (shop, database) = (closed.name("shop"), closed.home.name());
    closed
        .execute(&format!(
            "grant create on database {database} to {shop};
            revoke select on event_outbox_shards from {shop}"
        ))
        .await;
    let error = rig.outbox.verify().await.expect_err("no select");
    assert_eq!(error.kind(), StoreErrorKind::PermissionDenied);
    let text = error.to_string();
    assert!(
        text.contains("`select`") && text.contains("event_outbox_shards"),
        "{text}"
    );
    closed
        .execute(&format!(
            "grant select (shard) on event_outbox_shards to {shop}"
        ))
        .await;
    assert_eq!(rig.outbox.verify().await.expect("a comparison"), []);
}

#[tokio::test]
async fn verify_finds_no_difference_in_what_the_user_may_not_read() {
    let closed = Closed::migrated().await;
    let pool = closed.user("deployer").await;
    let rig = Rig::over(closed.home.clone(), pool);
    let (deployer, database) = (closed.name("deployer"), closed.home.name());
    closed
        .execute(&format!(
            "grant usage on schema public to {deployer};
            grant create on database {database} to {deployer};
            grant select on event_migrations, event_outbox_shards to {deployer}"
        ))
        .await;
    assert_eq!(rig.outbox.verify().await.expect("a comparison"), []);
}

#[tokio::test]
async fn the_service_and_its_relay_have_the_documented_privileges() {
    let closed = Closed::migrated().await;
    let pool = closed.user("shop").await;
    let rig = Rig::over(closed.home.clone(), pool);
    closed.grant("shop", "usage").await;
    is_denied(rig.outbox.check().await);
    closed.grant("shop", "").await;

    rig.outbox.check().await.expect("a version");
    rig.script
        .set(|event| match (event.order.as_str(), event.n) {
            ("a" | "c", 2) => Act::Fail(ErrorKind::InvalidHeader),
            _ => Act::Pass,
        });
    let relay = || {
        let relay = rig.relay().lease(Duration::from_secs(11));
        Running::new(relay.keep_published(Duration::from_mins(3)).clean_batch(3))
    };
    let (first, second) = (relay(), relay());
    let keys = ["a", "b", "c"];
    rig.enqueue((1..=4).flat_map(|n| keys.map(|key| placed(key, n))))
        .await;
    wait_until("two keys are parked", async || {
        rig.count("state = 1").await == 6
    })
    .await;
    let status = rig.outbox.status().await.expect("a status");
    assert_eq!((status.parked_keys.rows(), status.relays), (2, 2));
    let parked = rig.outbox.parked(0, 10).await.expect("a list");
    rig.outbox.skip_parked(parked[0].id).await.expect("a skip");
    rig.outbox
        .purge_parked(parked[1].id)
        .await
        .expect("a purge");
    rig.outbox
        .retry_parked(WhichParked::All)
        .await
        .expect("a retry");
    rig.wait_for_marks(8).await;

    let mut tx = rig.outbox.begin().await.expect("begin");
    tx.publish(placed("later", 1))
        .after(Duration::from_hours(48))
        .cancel_key("later")
        .await
        .expect("enqueue");
    let cancelled = rig.outbox.cancel(&mut tx, "later").await.expect("a cancel");
    assert_eq!(cancelled, 1);
    tx.commit().await.expect("commit");

    let recoverable = rig.outbox.recoverable();
    let entries = recoverable.entries(0, 100).await.expect("entries");
    assert_eq!(entries.len(), 8);
    recoverable.relays().await.expect("a number");
    let nothing = Vec::<RowAt>::new;
    recoverable.publish_again(nothing()).await.expect("rows");
    let now = rig.bus.clock().now();
    recoverable.mark_found(nothing(), now).await.expect("rows");

    rig.clock.forward(Duration::from_hours(2));
    rig.enqueue([placed("b", 5)]).await;
    wait_until("the old rows are deleted", async || {
        rig.count("true").await == 1
    })
    .await;
    first.stop().await;
    second.stop().await;
}

#[tokio::test]
async fn a_program_that_enqueues_has_the_documented_privileges() {
    const CALL: &str = "select event_outbox_enqueue('events.orders.order.placed', $1, ''::bytea)";
    let closed = Closed::migrated().await;
    let pool = closed.user("writer").await;
    let rig = Rig::over(closed.home.clone(), pool.clone());
    let outbox: &Outbox<Db> = &rig.outbox;
    closed.grant("writer", "usage").await;
    let call = async || {
        let called = sqlx::query_scalar::<_, i64>(CALL)
            .bind("one")
            .fetch_one(&pool);
        called.await.map_err(event_sdk_sql::store_error)
    };
    let cancel = async || {
        let mut tx = outbox.begin().await.expect("begin");
        outbox.cancel(&mut tx, "later").await
    };
    let mut tx = outbox.begin().await.expect("begin");
    is_denied(tx.publish(placed("a", 1)).await.map(drop));
    drop(tx);
    closed.grant("writer", "insert").await;
    rig.enqueue([placed("a", 1)]).await;
    is_denied(call().await);
    closed.grant("writer", "select (id)").await;
    assert!(call().await.expect("an id") > 0);
    is_denied(cancel().await);
    closed.grant("writer", "select, delete").await;
    assert_eq!(cancel().await.expect("a cancel"), 0);
    assert_eq!(rig.count("true").await, 2);
}
