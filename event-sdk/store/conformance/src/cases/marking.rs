//! Cases of published rows: marks, old epochs, rows that are kept.

use event_sdk_store::outbox::ConfirmedRow;

use crate::case::cases;
use crate::failure::{Outcome, ensure, ensure_eq};
use crate::rig::{MANY, Rig, at, keyed, names, reason, row};

cases! { "marking":
    a_marked_row_is_not_ready []
        "A row that was marked as published is not read any more.";
    marking_again_changes_nothing []
        "Marking a row again succeeds, and changes neither its place in the stream nor its time.";
    an_old_epoch_marks_nothing []
        "A row is not marked under an epoch that is not the current one, nor for another relay.";
    an_old_epoch_changes_nothing []
        "Failures and parking under an old epoch have no effect, and say so.";
    missing_rows_are_left_out []
        "A row that does not exist is missing in the answer, and hinders no other.";
    published_rows_are_kept []
        "Published rows are kept with their stream, sequence, time and message.";
    published_rows_are_read_in_pages []
        "Published rows are returned by time and id, and a page goes on behind the last row of the one before.";
    failures_are_counted []
        "The number of failed attempts is kept with the row.";
}

async fn a_marked_row_is_not_ready(rig: Rig) -> Outcome {
    let owner = rig.owner().await?;
    rig.write([keyed("a", "k"), row("b"), row("c")]).await?;
    let rows = rig.ready().await?;
    let marked = rig.publish(&owner, &[&rows[0], &rows[2]], at(1)).await?;
    ensure_eq!(marked, [rows[0].id, rows[2].id], "the marked rows");
    ensure_eq!(names(&rig.ready().await?), ["b"], "the ready rows");
    Ok(())
}

async fn marking_again_changes_nothing(rig: Rig) -> Outcome {
    let owner = rig.owner().await?;
    rig.write([row("a")]).await?;
    let rows = rig.ready().await?;
    rig.publish(&owner, &[&rows[0]], at(1)).await?;
    let mut again = owner.confirmed(&rows[0]);
    again.sequence = Some(999);
    let marked = rig.store.mark_published(owner.relay, vec![again], at(9));
    ensure_eq!(marked.await?, [rows[0].id], "the answer to a second mark");
    let kept = rig
        .store
        .published_since(rig.shards(), at(0), 0, MANY)
        .await?;
    ensure_eq!(kept.len(), 1, "the published rows");
    Ok(())
}

async fn an_old_epoch_marks_nothing(rig: Rig) -> Outcome {
    let first = rig.owner().await?;
    rig.write([row("a")]).await?;
    let rows = rig.ready().await?;
    rig.store.release(first.relay, first.leases.clone()).await?;
    let second = rig.owner().await?;
    let marked = rig.publish(&first, &[&rows[0]], at(1)).await?;
    ensure_eq!(marked, [0_i64; 0], "what the old owner marks");
    let stolen = owner_of(&second, &first);
    let marked = rig.publish(&stolen, &[&rows[0]], at(1)).await?;
    ensure_eq!(
        marked,
        [0_i64; 0],
        "what another relay marks under the epoch"
    );
    ensure_eq!(names(&rig.ready().await?), ["a"], "the ready rows");
    let marked = rig.publish(&second, &[&rows[0]], at(1)).await?;
    ensure_eq!(marked, [rows[0].id], "what the owner marks");
    Ok(())
}

/// The relay of one with the leases of another.
fn owner_of(leases: &crate::rig::Owner, relay: &crate::rig::Owner) -> crate::rig::Owner {
    crate::rig::Owner {
        relay: relay.relay,
        leases: leases.leases.clone(),
    }
}

async fn an_old_epoch_changes_nothing(rig: Rig) -> Outcome {
    let first = rig.owner().await?;
    rig.write([keyed("a", "k"), keyed("b", "k")]).await?;
    let rows = rig.ready().await?;
    let (id, old) = (rows[0].id, first.lease(rows[0].shard)?);
    rig.store.release(first.relay, first.leases).await?;
    rig.owner().await?;
    let store = &rig.store;
    ensure!(!store.record_failure(old, id, 3).await?, "it is counted");
    ensure!(!store.park(old, id, reason(), at(1)).await?, "it is parked");
    let moved = store.park_behind(old, "k".to_owned(), MANY).await?;
    ensure_eq!(moved, 0, "rows that are moved behind it");
    let rows = rig.ready().await?;
    ensure_eq!(names(&rows), ["a", "b"], "the ready rows");
    ensure_eq!(rows[0].attempts, 0, "the attempts");
    ensure_eq!(rig.parked().await?, [], "the parked entries");
    Ok(())
}

async fn missing_rows_are_left_out(rig: Rig) -> Outcome {
    let owner = rig.owner().await?;
    rig.write([row("a")]).await?;
    let rows = rig.ready().await?;
    let mut gone: ConfirmedRow = owner.confirmed(&rows[0]);
    gone.id += 1_000_000;
    let both = vec![gone, owner.confirmed(&rows[0])];
    let marked = rig.store.mark_published(owner.relay, both, at(1)).await?;
    ensure_eq!(marked, [rows[0].id], "the marked rows");
    let none = rig.store.mark_published(owner.relay, Vec::new(), at(1));
    ensure_eq!(none.await?, [0_i64; 0], "no rows");
    Ok(())
}

async fn published_rows_are_kept(rig: Rig) -> Outcome {
    let owner = rig.owner().await?;
    let written = keyed("a", "k");
    rig.write([written.clone(), row("b")]).await?;
    let rows = rig.ready().await?;
    rig.publish(&owner, &[&rows[0]], at(7)).await?;
    let without = ConfirmedRow::new(rows[1].id, rows[1].shard, owner.lease(rows[1].shard)?.epoch);
    let marked = rig.store.mark_published(owner.relay, vec![without], at(8));
    marked.await?;
    let kept = rig
        .store
        .published_since(rig.shards(), at(0), 0, MANY)
        .await?;
    ensure_eq!(kept.len(), 2, "the published rows");
    let found = (
        kept[0].row.id,
        kept[0].stream.as_ref().map(ToString::to_string),
        kept[0].sequence,
        kept[0].published_at,
        kept[0].row.message.clone(),
    );
    let stream = Some("SUITE".to_owned());
    let sequence = u64::try_from(rows[0].id).ok();
    let expected = (rows[0].id, stream, sequence, at(7), Ok(written));
    ensure_eq!(found, expected, "the first published row");
    let place = (kept[1].stream.is_none(), kept[1].sequence);
    ensure_eq!(place, (true, None), "the place of a row without a stream");
    Ok(())
}

async fn published_rows_are_read_in_pages(rig: Rig) -> Outcome {
    let owner = rig.owner().await?;
    rig.write(["a", "b", "c", "d", "e"].map(row)).await?;
    let rows = rig.ready().await?;
    // By time: c, then a and b together, then e and d.
    for (place, time) in [(2, 1), (1, 2), (0, 2), (3, 4), (4, 3)] {
        rig.publish(&owner, &[&rows[place]], at(time)).await?;
    }
    let (mut since, mut after) = (at(1), 0);
    let mut found = Vec::new();
    loop {
        let page = rig.store.published_since(rig.shards(), since, after, 2);
        let page = page.await?;
        let Some(last) = page.last() else { break };
        (since, after) = (last.published_at, last.row.id);
        ensure!(page.len() <= 2, "a page has {} rows", page.len());
        let rows: Vec<_> = page.into_iter().map(|row| row.row).collect();
        found.extend(names(&rows));
        ensure!(found.len() <= 5, "the pages do not end: {found:?}");
    }
    ensure_eq!(found, ["c", "a", "b", "e", "d"], "the pages");
    let late = rig
        .store
        .published_since(rig.shards(), at(4), 0, MANY)
        .await?;
    ensure_eq!(late.len(), 1, "the rows since the last time");
    Ok(())
}

async fn failures_are_counted(rig: Rig) -> Outcome {
    let owner = rig.owner().await?;
    rig.write([row("a"), row("b")]).await?;
    let rows = rig.ready().await?;
    let lease = owner.lease(rows[0].shard)?;
    let counted = rig.store.record_failure(lease, rows[0].id, 3).await?;
    ensure!(counted, "the owner's lease is not valid");
    let attempts: Vec<_> = rig.ready().await?.iter().map(|row| row.attempts).collect();
    ensure_eq!(attempts, [3, 0], "the attempts");
    Ok(())
}
