//! A full disk: each statement that writes is refused with the error that PostgreSQL gives (SQLSTATE 53100).
//! That is an outage: no attempt is counted, nothing is given up, and afterwards each event has its effect
//! once.

use std::time::Duration;

use event_sdk::consumer::{Failure, ProbeInterval};
use event_sdk::dead_letters::{LetterFilter, Page};
use event_sdk_sql::EffectTx;

use crate::database::Db;
use crate::rig::{OrderBilled, OrderPlaced, Rig, eventually, write_invoice};

/// Counts the refused statements in a sequence, which no rollback sets back.
const FULL: &str = r#"
    create sequence refused;
    create function disk_is_full() returns trigger language plpgsql as $$ begin
        perform nextval('refused');
        raise exception 'could not extend file "base/16384/16385": No space left on device'
            using errcode = '53100', hint = 'Check free disk space.';
    end $$"#;

/// Runs a consumer whose effects write an invoice and an event, and reject order 2, while the disk has no
/// room for rows of this table, and then while it has.
async fn goes_on_when_there_is_room(table: &str) {
    let rig = Rig::new().await;
    let execute = async |sql: String| {
        let sql = sqlx::raw_sql(sqlx::AssertSqlSafe(sql));
        sql.execute(&rig.pool).await.unwrap();
    };
    execute(FULL.to_owned()).await;
    execute(format!(
        "create trigger full_disk before insert on {table} for each row execute function disk_is_full()"
    ))
    .await;
    rig.place_orders(1..=3).await;
    let effect = rig
        .inbox
        .effect(|placed: OrderPlaced, mut tx: EffectTx<Db>| async move {
            let order = placed.order;
            write_invoice(&mut tx, &placed).await?;
            tx.publish(OrderBilled { order }).await?;
            if order == 2 {
                return Err(Failure::reject("Ada").because("no such price"));
            }
            tx.commit().await
        });
    let letters = rig.inbox.dead_letters();
    let consumer = rig
        .consumer()
        .probe_interval(ProbeInterval::every(Duration::from_millis(20)))
        .dead_letters(letters.clone().retried_through(rig.place.clone()))
        .on_handler(effect);
    let watched = rig.share();
    let running = tokio::spawn(consumer.run_until(async move { watched.settled().await }));
    eventually("statements are refused", async || {
        let count = "select case when is_called then last_value else 0 end from refused";
        rig.count(count).await >= 2
    })
    .await;
    execute(format!("drop trigger full_disk on {table}")).await;
    let report = running.await.unwrap().unwrap();
    // A letter that cannot be stored is tried again, and its event stays unsettled.
    let is_outage = table != "event_dead_letter";
    assert_eq!(report.outages > 0, is_outage, "{report}");
    assert_eq!(
        (report.handled, report.failed_attempts, report.terminated),
        (2, 1, 0),
        "{report}"
    );
    assert_eq!(rig.invoices().await, [1, 3]);
    assert_eq!(rig.records().await, (2, 1));
    assert_eq!(rig.count("select count(*) from event_outbox").await, 2);
    let queue = letters.queue(&rig.bus, rig.place.clone());
    let letters = queue.list(&LetterFilter::open(), Page::ALL).await.unwrap();
    assert_eq!((letters.len(), letters[0].origin.sequence), (1, 2));
}

#[tokio::test]
async fn no_attempt_is_counted_while_a_full_disk_refuses_records() {
    goes_on_when_there_is_room("event_inbox").await;
}

#[tokio::test]
async fn no_attempt_is_counted_while_a_full_disk_refuses_rows_of_effects() {
    goes_on_when_there_is_room("invoices").await;
}

#[tokio::test]
async fn no_attempt_is_counted_while_a_full_disk_refuses_events_of_effects() {
    goes_on_when_there_is_room("event_outbox").await;
}

#[tokio::test]
async fn a_letter_is_stored_once_when_a_full_disk_has_room_again() {
    goes_on_when_there_is_room("event_dead_letter").await;
}
