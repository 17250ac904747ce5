//! Tables that are missing, older, newer, changed by hand, or those of another outbox.

use event_sdk_sql::{Outbox, StoreErrorKind, Tables};

use crate::database::Db;
use crate::rig::{Rig, placed, wait_until};

#[tokio::test]
async fn a_relay_says_that_the_tables_are_missing() {
    let rig = Rig::without_tables().await;
    let error = rig.start().failure().await;
    assert_eq!(error.kind(), StoreErrorKind::SchemaMissing);
    assert!(error.to_string().contains("`migrate`"), "{error}");
    let mut connection = rig.pool.acquire().await.expect("acquire");
    let error = rig.outbox.enqueue(&mut connection, placed("a", 1)).await;
    assert_eq!(
        error.expect_err("no table").kind(),
        StoreErrorKind::SchemaMissing
    );
}

#[tokio::test]
async fn a_migration_can_be_repeated_and_run_by_several_at_once() {
    let rig = Rig::without_tables().await;
    let migrations = (0..4).map(|_| {
        let outbox = rig.outbox.clone();
        tokio::spawn(async move { outbox.migrate().await })
    });
    for migration in migrations.collect::<Vec<_>>() {
        migration.await.expect("no panic").expect("a migration");
    }
    rig.enqueue([placed("a", 1)]).await;
    let version = rig.outbox.migrate().await.expect("again");
    assert_eq!(version.tables, version.program);
    assert_eq!(rig.count("true").await, 1);
}

#[tokio::test]
async fn newer_tables_are_used_if_they_say_so() {
    let rig = Rig::new().await;
    let newer =
        "insert into event_migrations (version, name, oldest_program) values (99, 'later', 1)";
    rig.execute(newer).await;
    let version = rig.outbox.check().await.expect("a version");
    assert_eq!(version.tables, 99);
    let relay = rig.start();
    rig.enqueue([placed("a", 1)]).await;
    rig.wait_for_marks(1).await;
    relay.stop().await;
    rig.execute("update event_migrations set oldest_program = 99 where version = 99")
        .await;
    let error = rig.outbox.check().await.expect_err("too new");
    assert_eq!(error.kind(), StoreErrorKind::SchemaNewer);
    assert_eq!(
        rig.outbox.migrate().await.expect_err("too new").kind(),
        StoreErrorKind::SchemaNewer
    );
    assert_eq!(
        rig.start().failure().await.kind(),
        StoreErrorKind::SchemaNewer
    );
}

#[tokio::test]
async fn older_tables_are_refused_until_they_are_migrated_and_keep_their_rows() {
    let rig = Rig::new().await;
    rig.enqueue([placed("a", 1)]).await;
    // As version 1 has made them.
    rig.execute(
        "drop table event_inbox; drop table event_inbox_source; drop table event_inbox_owner;
        drop table event_dead_letter; delete from event_migrations where version > 1",
    )
    .await;
    for error in [
        rig.outbox.check().await.expect_err("too old"),
        rig.start().failure().await,
    ] {
        assert_eq!(error.kind(), StoreErrorKind::SchemaOlder);
        assert!(!error.is_outage());
        let text = error.to_string();
        assert!(
            text.contains("version 1") && text.contains("`migrate`"),
            "{text}"
        );
    }
    rig.outbox.migrate().await.expect("migrate");
    assert_eq!(rig.outbox.verify().await.expect("a comparison"), []);
    let relay = rig.start();
    rig.wait_for(&[("a", vec![1])]).await;
    relay.stop().await;
}

#[tokio::test]
async fn verify_names_what_was_changed_by_hand() {
    let rig = Rig::new().await;
    assert_eq!(rig.outbox.verify().await.expect("a comparison"), []);
    rig.execute(
        "drop index event_outbox_ready; alter table event_outbox add column note text;
        create index event_outbox_mine on event_outbox (note)",
    )
    .await;
    let found = rig.outbox.verify().await.expect("a comparison");
    let found: Vec<_> = found.iter().map(ToString::to_string).collect();
    assert_eq!(found.len(), 3, "{found:?}");
    assert!(
        found
            .iter()
            .any(|text| text.contains("event_outbox_ready is missing")),
        "{found:?}"
    );
    assert!(
        found
            .iter()
            .any(|text| text.contains("event_outbox_mine is not ours")),
        "{found:?}"
    );
    assert!(found.iter().any(|text| text.contains("note")), "{found:?}");
}

#[tokio::test]
async fn verify_names_shards_that_have_no_row_or_do_not_exist() {
    let rig = Rig::new().await;
    rig.execute(
        "delete from event_outbox_shards where shard = 0;
        insert into event_outbox_shards (shard) values (70)",
    )
    .await;
    let found = rig.outbox.verify().await.expect("a comparison");
    let found: Vec<_> = found.iter().map(ToString::to_string).collect();
    assert_eq!(
        found,
        [
            "row event_outbox_shards.0 is missing: shard = 0",
            "row event_outbox_shards.70 is not ours: shard = 70"
        ]
    );
    rig.execute("drop table event_outbox_shards").await;
    let found = rig.outbox.verify().await.expect("a comparison");
    assert!(!found.is_empty());
}

#[tokio::test]
async fn verify_names_all_differences_if_the_shards_cannot_be_read() {
    for (change, rows_compared) in [
        (
            "alter table event_outbox_shards rename column shard to number",
            false,
        ),
        (
            "drop table event_outbox_shards;
            create table event_outbox_shards (shard text primary key, owner text);
            insert into event_outbox_shards (shard) values ('x')",
            true,
        ),
        ("drop table event_outbox_shards", false),
    ] {
        let rig = Rig::new().await;
        rig.execute("drop index event_outbox_ready").await;
        rig.execute(change).await;
        let found = rig.outbox.verify().await.expect("a comparison");
        let found: Vec<_> = found.iter().map(ToString::to_string).collect();
        for words in ["event_outbox_ready is missing", "event_outbox_shards"] {
            assert!(found.iter().any(|text| text.contains(words)), "{found:?}");
        }
        let has_rows = found.iter().any(|text| text.starts_with("row "));
        assert!(rows_compared || !has_rows, "{found:?}");
    }
}

#[tokio::test]
async fn verify_ignores_tables_of_others_whose_names_begin_alike() {
    let rig = Rig::new().await;
    rig.execute(
        "create table event_log (id integer primary key, note text);
        create index event_outbox_log on event_log (note)",
    )
    .await;
    let tables = Tables::new().with_prefix("event_b_").expect("a prefix");
    let other = Outbox::<Db>::with_tables(rig.pool.clone(), rig.bus.clone(), tables);
    other.migrate().await.expect("migrate");
    assert_eq!(rig.outbox.verify().await.expect("a comparison"), []);
    assert_eq!(other.verify().await.expect("a comparison"), []);
}

#[tokio::test]
async fn one_database_has_several_outboxes() {
    let rig = Rig::new().await;
    let tables = Tables::new().with_prefix("billing_").expect("a prefix");
    let other = Outbox::<Db>::with_tables(rig.pool.clone(), rig.bus.clone(), tables);
    other.migrate().await.expect("migrate");
    let mut tx = rig.outbox.begin().await.expect("begin");
    rig.outbox
        .enqueue(&mut tx, placed("a", 1))
        .await
        .expect("enqueue");
    other
        .enqueue(&mut tx, placed("b", 1))
        .await
        .expect("enqueue");
    tx.commit().await.expect("commit");
    let relay = rig.start();
    rig.wait_for(&[("a", vec![1])]).await;
    assert_eq!(other.status().await.expect("a status").depth.rows(), 1);
    let other_relay = crate::rig::Running::new(other.relay());
    wait_until("the other is published", async || {
        other.status().await.expect("a status").depth.rows() == 0
    })
    .await;
    assert_eq!(other.verify().await.expect("a comparison"), []);
    relay.stop().await;
    other_relay.stop().await;
}
