//! Cases of rows with `not_before`: their time, their order, cancellation.

use crate::case::cases;
use crate::failure::{Outcome, ensure, ensure_eq};
use crate::rig::{MANY, Rig, at, keyed, names, row, scheduled};
use event_sdk_store::outbox::{Ahead, OutboxMessage};

cases! { "scheduling":
    a_scheduled_row_waits_for_its_time []
        "A row with `not_before` is never ready, and due from its time on.";
    due_rows_come_in_the_order_of_their_times []
        "Due rows are returned by their times, without those that are excepted, up to the limit.";
    scheduled_rows_take_no_part_in_the_order []
        "A scheduled row of a key is not ahead of other rows, has nothing ahead, and shows no key.";
    a_cancelled_row_does_not_exist []
        "Cancelling removes the scheduled rows of the cancel key, and no other row, with the commit.";
    a_due_row_is_not_cancelled_once_it_was_read []
        "A row that a relay has read as due is on its way: it is not cancelled, and stays due until it is marked.";
}

fn cancellable(name: &str, seconds: i64, cancel_key: &str) -> OutboxMessage {
    let mut message = scheduled(name, at(seconds));
    message.cancel_key = Some(cancel_key.into());
    message
}

async fn cancel(rig: &Rig, cancel_key: &str) -> Outcome<u64> {
    let mut writing = rig.begin().await?;
    let cancelled = writing.cancel(cancel_key.to_owned()).await?;
    writing.commit().await?;
    Ok(cancelled)
}

async fn a_scheduled_row_waits_for_its_time(rig: Rig) -> Outcome {
    rig.write([scheduled("later", at(10)), row("now")]).await?;
    ensure_eq!(names(&rig.ready().await?), ["now"], "the ready rows");
    ensure_eq!(names(&rig.due(at(9)).await?), [""; 0], "before the time");
    let before = rig.store.pending_work(rig.shards(), at(9)).await?;
    ensure!(!before.due, "there is work before the time");
    ensure_eq!(names(&rig.due(at(10)).await?), ["later"], "at the time");
    let after = rig.store.pending_work(rig.shards(), at(11)).await?;
    ensure!(after.due, "there is no work after the time");
    ensure_eq!(names(&rig.ready().await?), ["now"], "the ready rows later");
    let owner = rig.owner().await?;
    let due = rig.due(at(11)).await?;
    let marked = rig.publish(&owner, &[&due[0]], at(11)).await?;
    ensure_eq!(marked, [due[0].id], "the marked row");
    ensure_eq!(names(&rig.due(at(99)).await?), [""; 0], "when published");
    let done = rig.store.pending_work(rig.shards(), at(99)).await?;
    ensure!(!done.due, "there is work after the publish");
    Ok(())
}

async fn due_rows_come_in_the_order_of_their_times(rig: Rig) -> Outcome {
    let rows = [("c", 30), ("a", 10), ("b", 20), ("d", 40)];
    rig.write(rows.map(|(name, time)| cancellable(name, time, "k")))
        .await?;
    let due = rig.due(at(30)).await?;
    ensure_eq!(names(&due), ["a", "b", "c"], "by time");
    let except = vec![due[0].id];
    let store = &rig.store;
    let found = store.fetch_due(rig.shards(), at(40), except, 2).await?;
    ensure_eq!(names(&found), ["b", "c"], "two without the first");
    let found = store.fetch_due(Vec::new(), at(40), Vec::new(), MANY);
    let none = rig.store.shards() > 1;
    let found = names(&found.await?);
    ensure!(!none || found.is_empty(), "rows of other shards: {found:?}");
    Ok(())
}

async fn scheduled_rows_take_no_part_in_the_order(rig: Rig) -> Outcome {
    let mut first = scheduled("first", at(50));
    first.key = Some("k".into());
    let mut last = scheduled("last", at(1));
    last.key = Some("k".into());
    rig.write([first, keyed("ready", "k"), last]).await?;
    let ready = rig.find("ready").await?;
    let found = rig.store.fetch(rig.positions(ready.id), MANY).await?;
    ensure_eq!(
        found[0].ahead,
        Ahead::Nothing,
        "the row behind a scheduled one"
    );
    let due = rig.due(at(2)).await?;
    ensure_eq!(names(&due), ["last"], "the due rows");
    ensure_eq!(due[0].ahead, Ahead::Nothing, "the due row");
    ensure_eq!(due[0].key, None, "the key of the due row for the order");
    Ok(())
}

async fn a_cancelled_row_does_not_exist(rig: Rig) -> Outcome {
    let rows = [("a", 10, "x"), ("b", 20, "x"), ("c", 10, "y")];
    rig.write(rows.map(|(name, time, key)| cancellable(name, time, key)))
        .await?;
    rig.write([keyed("x", "x")]).await?;
    let mut writing = rig.begin().await?;
    ensure_eq!(writing.cancel("x".to_owned()).await?, 2, "the cancelled");
    writing.rollback().await?;
    let due = names(&rig.due(at(5)).await?);
    ensure_eq!(due, [""; 0], "the due rows");
    ensure_eq!(
        cancel(&rig, "x").await?,
        2,
        "the cancelled after a rollback"
    );
    ensure_eq!(cancel(&rig, "x").await?, 0, "the cancelled once more");
    ensure_eq!(cancel(&rig, "z").await?, 0, "the cancelled of no row");
    ensure_eq!(names(&rig.due(at(99)).await?), ["c"], "the due rows");
    ensure_eq!(names(&rig.ready().await?), ["x"], "the ready rows");
    Ok(())
}

async fn a_due_row_is_not_cancelled_once_it_was_read(rig: Rig) -> Outcome {
    rig.write([cancellable("a", 10, "x")]).await?;
    let due = rig.due(at(10)).await?;
    ensure_eq!(names(&due), ["a"], "the due rows");
    ensure_eq!(cancel(&rig, "x").await?, 0, "the cancelled");
    ensure_eq!(names(&rig.due(at(10)).await?), ["a"], "the due rows later");
    let work = rig.store.pending_work(rig.shards(), at(10)).await?;
    ensure!(work.due, "there is no work");
    Ok(())
}
