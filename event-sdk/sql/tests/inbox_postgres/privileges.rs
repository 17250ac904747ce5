//! A service whose user is no superuser and has exactly the privileges that docs/inbox.md lists.

use std::error::Error as _;
use std::time::Duration;

use event_sdk::consumer::{Ctx, Failure};
use event_sdk::dead_letters::{Audit, LetterFilter};
use event_sdk::transport::ErrorKind;
use event_sdk_sql::{EffectTx, Inbox, Outbox, SqlDeadLetters, StoreError, StoreErrorKind};
use event_sdk_store::inbox::InboxSource;

use crate::database::Db;
use crate::rig::{OrderBilled, OrderPlaced, Rig, eventually, write_invoice};

const PAGE: &str = include_str!("../../../../docs/inbox.md");

#[tokio::test]
async fn a_service_has_the_documented_privileges() {
    let rig = Rig::new().await;
    let execute = async |sql: String| {
        let done = sqlx::raw_sql(sqlx::AssertSqlSafe(sql.clone())).execute(&rig.pool);
        done.await.expect(&sql);
    };
    execute("revoke all on schema public from public".to_owned()).await;
    let (user, pool) = rig.database.user("shop").await;
    let outbox = Outbox::<Db>::new(pool.clone(), rig.bus.clone());
    let inbox = Inbox::builder(pool.clone())
        .outbox(&outbox)
        .retention(Duration::ZERO)
        .accept_older()
        .build();
    let letters = inbox.dead_letters();
    let consumer = || {
        let effect = inbox.effect(|placed: OrderPlaced, mut tx: EffectTx<Db>| async move {
            let order = placed.order;
            write_invoice(&mut tx, &placed).await?;
            tx.publish(OrderBilled { order }).await?;
            if order == 2 {
                return Err(Failure::reject("no such price"));
            }
            tx.commit().await
        });
        rig.consumer()
            .single_active_for(Duration::from_secs(2))
            .on_handler(effect)
            .dead_letters(letters.clone().retried_through(rig.place.clone()))
    };

    execute(format!("grant usage on schema public to {user}")).await;
    let refused = consumer().run().await.expect_err("no privileges");
    assert_eq!(*refused.kind(), ErrorKind::InvalidOption);
    assert!(refused.to_string().contains("privileges"), "{refused}");
    let cause = refused
        .source()
        .and_then(|it| it.downcast_ref::<StoreError>());
    assert_eq!(
        cause.expect("an error of the store").kind(),
        StoreErrorKind::PermissionDenied
    );

    let lines = PAGE.lines().filter_map(|line| line.split_once(" to shop;"));
    let grants: Vec<_> = lines.map(|(grant, _)| grant).collect();
    assert_eq!(grants.len(), 5, "{grants:?}");
    for grant in grants {
        execute(format!("{grant} to {user}")).await;
    }
    execute(format!("grant insert on invoices to {user}")).await;

    inbox.check().await.expect("a version");
    rig.place_orders(1..=3).await;
    rig.place_twice(4).await;
    let report = rig.run(consumer()).await;
    assert_eq!(
        (report.handled, report.done_before, report.dead_lettered),
        (3, 1, 1),
        "{report}"
    );
    let status = inbox.status("billing").await.expect("a status");
    assert_eq!((status.done, status.dead), (3, 1));

    let queue = letters.queue(&rig.bus, rig.place.clone());
    let redrive = queue
        .redrive(LetterFilter::open())
        .audit(Audit::by("alice"));
    redrive.await.expect("a redrive");
    let report = rig.run(consumer()).await;
    assert_eq!(report.dead_lettered, 1, "{report}");
    let (open_ones, alice) = (LetterFilter::open(), Audit::by("alice"));
    let archived = queue.archive(&open_ones, &alice);
    assert_eq!(archived.await.expect("letters").len(), 1);
    assert_eq!(
        queue
            .purge(&LetterFilter::all())
            .await
            .expect("letters")
            .len(),
        2
    );

    let report = inbox.cleaner(&rig.bus).clean_once().await;
    assert!(report.expect("a report").deleted > 0);
    assert_eq!(inbox.forget_owners("billing").await.expect("owners"), 1);
    let recoverable = inbox.recoverable();
    let source = InboxSource::new("billing".into(), Some("EVENTS".into()), 0);
    let nothing = recoverable.place_records(source.clone(), Vec::new());
    assert_eq!(nothing.await.expect("records"), 0);
    assert!(recoverable.lower_floor(source).await.expect("a floor"));

    // A consumer without an inbox.
    let consumer = rig
        .bus
        .consumer::<OrderPlaced>("reports")
        .on(|_: OrderPlaced, _: Ctx| async { Err(Failure::reject("no report")) })
        .dead_letters(SqlDeadLetters::new(pool));
    let reports = "select count(*) from event_dead_letter where consumer = 'reports'";
    let stored = eventually("each event has a letter", async || {
        rig.count(reports).await == 5
    });
    let report = consumer.run_until(stored).await.expect("a report");
    assert_eq!((report.handled, report.dead_lettered), (0, 5), "{report}");
}
