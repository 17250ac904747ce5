//! Tables that are newer or older than the program: consumers, cleaners and commands refuse them.

use std::error::Error as _;

use event_sdk::consumer::{Consumer, Ctx};
use event_sdk::dead_letters::LetterFilter;
use event_sdk::transport::{Error, ErrorKind};
use event_sdk_sql::{Inbox, SqlDeadLetters, StoreError, StoreErrorKind};

use crate::rig::{OrderPlaced, Rig, billing};

#[tokio::test]
async fn newer_tables_are_used_if_they_say_so_and_refused_otherwise() {
    let rig = Rig::new().await;
    rig.place_orders([1]).await;
    let newer =
        "insert into event_migrations (version, name, oldest_program) values (99, 'later', 1)";
    rig.execute(newer).await;
    let version = rig.inbox.check().await.expect("tables that can be used");
    assert_eq!((version.tables, version.program), (99, 2));
    let report = rig.run(rig.consumer().handled_by(rig.inbox.effects(billing())));
    assert_eq!(report.await.handled, 1);

    rig.execute("update event_migrations set oldest_program = 99 where version = 99")
        .await;
    is_refused(
        &rig,
        StoreErrorKind::SchemaNewer,
        &["version 99", "newer program"],
    )
    .await;
    assert_eq!(rig.records().await, (1, 0));
}

#[tokio::test]
async fn older_tables_are_refused_until_they_are_migrated() {
    let rig = Rig::new().await;
    rig.place_orders([1]).await;
    // As version 1 has made them.
    rig.execute(
        "drop table event_inbox; drop table event_inbox_source; drop table event_inbox_owner;
        drop table event_dead_letter; delete from event_migrations where version > 1",
    )
    .await;
    is_refused(
        &rig,
        StoreErrorKind::SchemaOlder,
        &["version 1", "`migrate`"],
    )
    .await;
    rig.inbox.migrate().await.expect("migrate");
    let report = rig.run(rig.consumer().handled_by(rig.inbox.effects(billing())));
    assert_eq!(report.await.handled, 1);
    assert_eq!(rig.invoices().await, [1]);
}

#[tokio::test]
async fn tables_of_which_no_version_is_known_are_refused() {
    let rig = Rig::new().await;
    rig.execute("drop table event_migrations").await;
    is_refused(&rig, StoreErrorKind::SchemaMissing, &["`migrate`"]).await;
}

/// Nothing that uses the tables starts, and each error is of this kind and has these words.
async fn is_refused(rig: &Rig, kind: StoreErrorKind, words: &[&str]) {
    // A program that starts now.
    let inbox = Inbox::new(rig.service.clone());
    let letters = SqlDeadLetters::new(rig.service.clone());
    let queue = letters.queue(&rig.bus, rig.place.clone());
    let with_inbox = rig.consumer().handled_by(inbox.effects(billing()));
    let with_letters = rig
        .consumer()
        .on(|_: OrderPlaced, _: Ctx| async { Ok(()) })
        .dead_letters(letters);
    let errors = [
        inbox.check().await.expect_err("no version that fits"),
        inbox
            .cleaner(&rig.bus)
            .clean_once()
            .await
            .expect_err("no cleaning"),
        inbox.status("billing").await.expect_err("no status"),
        inbox.forget_owners("billing").await.expect_err("no write"),
        cause(&refused_at_start(with_inbox).await),
        cause(&refused_at_start(with_letters).await),
        cause(
            &queue
                .count(&LetterFilter::all())
                .await
                .expect_err("no list"),
        ),
        cause(
            &queue
                .purge(&LetterFilter::all())
                .await
                .expect_err("no purge"),
        ),
        cause(&queue.show(1).await.expect_err("no letter")),
    ];
    for error in errors {
        assert_eq!(error.kind(), kind, "{error}");
        assert!(!error.is_outage());
        let text = error.to_string();
        assert!(words.iter().all(|word| text.contains(word)), "{text}");
    }
}

/// The error with which a consumer does not start. It says what to do, too.
async fn refused_at_start(consumer: Consumer<OrderPlaced>) -> Error {
    let error = consumer.run().await.expect_err("no start");
    assert_eq!(*error.kind(), ErrorKind::InvalidOption);
    assert!(!error.is_transient());
    let text = error.to_string();
    assert!(text.contains("billing"), "{text}");
    assert!(
        text.contains("newer program") || text.contains("migrat"),
        "{text}"
    );
    error
}

/// The error of the store that is the cause of an error.
fn cause(error: &Error) -> StoreError {
    let cause = error
        .source()
        .and_then(|it| it.downcast_ref::<StoreError>());
    let cause = cause.expect("an error of the store");
    StoreError::new(cause.kind(), cause.to_string())
}
