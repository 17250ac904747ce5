//! All tables in another schema than that of the connection: outbox, the SQL function, relay, inbox, dead
//! letters and cleaners.

use std::time::Duration;

use event_sdk::EventBus;
use event_sdk::consumer::Failure;
use event_sdk::dead_letters::{Audit, LetterFilter, Page};
use event_sdk_sql::{EffectTx, Inbox, Outbox, Tables};
use tokio::sync::oneshot;

use crate::database::Db;
use crate::rig::{OrderBilled, OrderPlaced, Rig, eventually, placed};

#[tokio::test]
async fn everything_works_in_another_schema() {
    let rig = Rig::new().await;
    // A name without its schema finds nothing any more.
    rig.execute(
        "drop schema public cascade; create schema billing;
        create table billing.invoices (order_id bigint primary key)",
    )
    .await;
    let tables = Tables::new().with_schema("billing").unwrap();
    let pool = rig.service.clone();
    let outbox = Outbox::<Db>::with_tables(pool.clone(), rig.bus.clone(), tables.clone());
    let inbox = Inbox::builder(pool)
        .tables(tables)
        .outbox(&outbox)
        .retention(Duration::ZERO)
        .build();
    inbox.migrate().await.unwrap();
    assert_eq!(outbox.migrate().await.unwrap().tables, 2);
    assert_eq!(outbox.verify().await.unwrap(), []);
    inbox.check().await.unwrap();

    let mut tx = outbox.begin().await.unwrap();
    tx.publish(placed("ada", 1)).await.unwrap();
    tx.publish(placed("ada", 2)).await.unwrap();
    tx.commit().await.unwrap();
    rig.execute(
        r#"select billing.event_outbox_enqueue(
            subject => 'events.orders.order.placed',
            message_id => '0193e3c8-2a7e-7e3c-9d2a-5c1f6d1b2a01',
            body => convert_to('{"event_id":"0193e3c8-2a7e-7e3c-9d2a-5c1f6d1b2a01",
                "event_type":"order.placed","timestamp":"2026-11-30T12:00:00Z",
                "data":{"customer":"ada","order":3}}', 'UTF8'),
            key => 'ada')"#,
    )
    .await;
    let (stop, stopped) = oneshot::channel::<()>();
    let relay = outbox.relay().run_until(async { drop(stopped.await) });
    let relay = tokio::spawn(relay);

    let effect = inbox.effect(|placed: OrderPlaced, mut tx: EffectTx<Db>| async move {
        let order = placed.order;
        sqlx::query("insert into billing.invoices (order_id) values ($1)")
            .bind(order)
            .persistent(false)
            .execute(&mut *tx)
            .await?;
        tx.publish(OrderBilled { order }).await?;
        if order == 2 {
            return Err(Failure::reject("no such price"));
        }
        tx.commit().await
    });
    eventually("the events are in the stream", async || {
        orders(&rig.bus).await.len() == 3
    })
    .await;
    assert_eq!(orders(&rig.bus).await, [1, 2, 3]);
    let letters = inbox.dead_letters();
    let consumer = rig
        .consumer()
        .on_handler(effect)
        .dead_letters(letters.clone().retried_through(rig.place.clone()));
    let report = rig.run(consumer).await;
    assert_eq!((report.handled, report.dead_lettered), (2, 1), "{report}");
    eventually("the events of the effects are published", async || {
        outbox.status().await.unwrap().depth.rows() == 0
    })
    .await;
    drop(stop);
    relay.await.unwrap().unwrap();

    let count = "select count(*) from billing.invoices";
    assert_eq!(rig.count(count).await, 2);
    let status = inbox.status("billing").await.unwrap();
    assert_eq!((status.done, status.dead), (2, 1));
    let queue = letters.queue(&rig.bus, rig.place.clone());
    let open = queue.list(&LetterFilter::open(), Page::ALL).await.unwrap();
    assert_eq!(open.len(), 1);
    let (open_ones, alice) = (LetterFilter::open(), Audit::by("alice"));
    let archived = queue.archive(&open_ones, &alice);
    assert_eq!(archived.await.unwrap(), [open[0].id]);
    queue.purge(&LetterFilter::all()).await.unwrap();
    let cleaned = inbox.cleaner(&rig.bus).clean_once().await.unwrap();
    assert_eq!(cleaned.deleted, 3, "{cleaned:?}");
    assert_eq!(outbox.verify().await.unwrap(), []);
}

/// The orders of the stream, in order.
async fn orders(bus: &EventBus) -> Vec<i64> {
    let mut orders = Vec::new();
    let mut history = bus.history::<OrderPlaced>().await.unwrap();
    while let Some(event) = history.next().await {
        orders.push(event.unwrap().decode().unwrap().order);
    }
    orders
}
