//! Cases of parked rows: what waits behind them, how they are listed and purged.

use event_sdk_store::outbox::{Ahead, Except, ParkedState};

use crate::case::cases;
use crate::failure::{Outcome, ensure, ensure_eq};
use crate::rig::{MANY, Rig, at, keyed, names, reason, row, scheduled};

cases! { "parking":
    a_parked_row_is_not_read []
        "A parked row is not ready, and the later rows of its key are reported as behind it.";
    a_parked_row_holds_no_other_key []
        "Rows of other keys and without a key go on beside a parked row.";
    a_row_without_a_key_is_parked_alone []
        "A parked row without a key, and a parked scheduled row, hold no other row.";
    rows_are_moved_behind_in_batches []
        "The later ready rows of a parked key are moved behind it up to the limit, the oldest first.";
    a_parked_entry_says_why []
        "A parked entry has its row, key, subject, reason and time.";
    parked_entries_are_read_in_pages []
        "Parked entries are returned by the id of their row, behind a given one, up to the limit.";
    a_published_row_is_not_parked []
        "Parking a row that was published meanwhile parks nothing.";
    a_row_that_is_parked_again_has_one_entry []
        "A row that is parked again has one entry, with the newer reason.";
    purging_deletes_the_key_in_batches []
        "Purging deletes the parked rows of an entry, the newest first, up to the limit, and at last the entry.";
}

async fn a_parked_row_is_not_read(rig: Rig) -> Outcome {
    let owner = rig.owner().await?;
    rig.write([keyed("a", "k"), keyed("b", "k")]).await?;
    let row = rig.find("a").await?;
    let lease = owner.lease(row.shard)?;
    let parked = rig.store.park(lease, row.id, reason(), at(1)).await?;
    ensure!(parked, "the owner's lease is not valid");
    let rows = rig.ready().await?;
    ensure_eq!(names(&rows), ["b"], "the ready rows");
    ensure_eq!(rows[0].ahead, Ahead::Parked, "what is ahead");
    let positions = rig.positions(rows[0].id + 1);
    let below = rig
        .store
        .fetch_below(positions, Except::default(), MANY)
        .await?;
    ensure_eq!(names(&below), ["b"], "the rows below a position");
    ensure_eq!(below[0].ahead, Ahead::Parked, "what is ahead below");
    Ok(())
}

async fn a_parked_row_holds_no_other_key(rig: Rig) -> Outcome {
    let owner = rig.owner().await?;
    rig.write([keyed("a", "k"), keyed("b", "l"), row("c"), keyed("d", "l")])
        .await?;
    rig.park(&owner, "a").await?;
    let rows = rig.ready().await?;
    ensure_eq!(names(&rows), ["b", "c", "d"], "the ready rows");
    let ahead: Vec<_> = rows.iter().map(|row| row.ahead).collect();
    ensure_eq!(ahead, [Ahead::Nothing; 3], "what is ahead");
    Ok(())
}

async fn a_row_without_a_key_is_parked_alone(rig: Rig) -> Outcome {
    let owner = rig.owner().await?;
    let mut later = scheduled("later", at(1));
    later.key = Some("k".into());
    rig.write([row("a"), later, row("b"), keyed("c", "k")])
        .await?;
    rig.park(&owner, "a").await?;
    let due = rig.due(at(1)).await?;
    let lease = owner.lease(due[0].shard)?;
    rig.store.park(lease, due[0].id, reason(), at(2)).await?;
    let rows = rig.ready().await?;
    ensure_eq!(names(&rows), ["b", "c"], "the ready rows");
    let ahead: Vec<_> = rows.iter().map(|row| row.ahead).collect();
    ensure_eq!(ahead, [Ahead::Nothing; 2], "what is ahead");
    ensure_eq!(names(&rig.due(at(9)).await?), [""; 0], "the due rows");
    let keys: Vec<_> = rig.parked().await?.into_iter().map(|one| one.key).collect();
    ensure_eq!(keys, [None, None], "the keys that wait");
    Ok(())
}

async fn rows_are_moved_behind_in_batches(rig: Rig) -> Outcome {
    let owner = rig.owner().await?;
    rig.write(["a", "b", "c", "d"].map(|name| keyed(name, "k")))
        .await?;
    rig.write([keyed("other", "l")]).await?;
    let first = rig.find("a").await?;
    let lease = owner.lease(first.shard)?;
    rig.store.park(lease, first.id, reason(), at(1)).await?;
    let mut ready = Vec::new();
    for expected in [2, 1, 0] {
        let moved = rig.store.park_behind(lease, "k".to_owned(), 2).await?;
        ensure_eq!(moved, expected, "the rows that are moved");
        ready.push(names(&rig.ready().await?));
    }
    ensure_eq!(ready[0], ["d", "other"], "after the first batch");
    ensure_eq!(ready[2], ["other"], "after the last batch");
    Ok(())
}

async fn a_parked_entry_says_why(rig: Rig) -> Outcome {
    let owner = rig.owner().await?;
    rig.write([keyed("a", "k"), keyed("b", "k")]).await?;
    let row = rig.park(&owner, "a").await?;
    let entries = rig.parked().await?;
    ensure_eq!(entries.len(), 1, "the number of entries");
    let entry = &entries[0];
    ensure_eq!((entry.id, entry.shard), (row.id, row.shard), "its row");
    ensure_eq!(entry.key.as_deref(), Some("k"), "its key");
    let subject = entry.subject.as_deref();
    ensure_eq!(subject, Some("events.suite.row.written"), "its subject");
    ensure_eq!(entry.reason, reason(), "its reason");
    ensure_eq!(entry.parked_at, at(5), "its time");
    ensure_eq!(entry.state, ParkedState::Parked, "its state");
    Ok(())
}

async fn parked_entries_are_read_in_pages(rig: Rig) -> Outcome {
    let owner = rig.owner().await?;
    rig.write(["a", "b", "c"].map(|name| keyed(name, name)))
        .await?;
    let mut ids = Vec::new();
    for name in ["c", "a", "b"] {
        ids.push(rig.park(&owner, name).await?.id);
    }
    ids.sort_unstable();
    let first: Vec<_> = rig.store.parked(0, 2).await?;
    let first: Vec<_> = first.iter().map(|entry| entry.id).collect();
    ensure_eq!(first, ids[..2], "the first page");
    let second = rig.store.parked(ids[1], 2).await?;
    let second: Vec<_> = second.iter().map(|entry| entry.id).collect();
    ensure_eq!(second, ids[2..], "the second page");
    Ok(())
}

async fn a_published_row_is_not_parked(rig: Rig) -> Outcome {
    let owner = rig.owner().await?;
    rig.write([keyed("a", "k"), keyed("b", "k")]).await?;
    let row = rig.find("a").await?;
    rig.publish(&owner, &[&row], at(1)).await?;
    let lease = owner.lease(row.shard)?;
    rig.store.park(lease, row.id, reason(), at(2)).await?;
    let rows = rig.ready().await?;
    ensure_eq!(names(&rows), ["b"], "the ready rows");
    ensure_eq!(rows[0].ahead, Ahead::Nothing, "what is ahead");
    ensure_eq!(rig.parked().await?, [], "the parked entries");
    Ok(())
}

async fn a_row_that_is_parked_again_has_one_entry(rig: Rig) -> Outcome {
    let owner = rig.owner().await?;
    rig.write([keyed("a", "k")]).await?;
    let row = rig.park(&owner, "a").await?;
    let lease = owner.lease(row.shard)?;
    let mut newer = reason();
    newer.error = "it is refused again".into();
    rig.store.park(lease, row.id, newer.clone(), at(6)).await?;
    let entries = rig.parked().await?;
    ensure_eq!(entries.len(), 1, "the number of entries");
    ensure_eq!(entries[0].reason, newer, "its reason");
    Ok(())
}

async fn purging_deletes_the_key_in_batches(rig: Rig) -> Outcome {
    let owner = rig.owner().await?;
    rig.write(["a", "b", "c"].map(|name| keyed(name, "k")))
        .await?;
    rig.write([keyed("x", "l"), keyed("y", "l"), row("z")])
        .await?;
    let first = rig.park(&owner, "a").await?;
    let other = rig.park(&owner, "x").await?;
    ensure_eq!(rig.store.purge_parked(first.id, 2).await?, 2, "a batch");
    let left: Vec<_> = rig.parked().await?.iter().map(|one| one.id).collect();
    ensure_eq!(left, [first.id, other.id], "the entries after a batch");
    let mut purged = 0;
    loop {
        let more = rig.store.purge_parked(first.id, 2).await?;
        purged += more;
        if more == 0 {
            break;
        }
    }
    ensure_eq!(purged, 1, "the rows of the last batches");
    let left: Vec<_> = rig.parked().await?.iter().map(|one| one.id).collect();
    ensure_eq!(left, [other.id], "the entries at last");
    rig.write([keyed("d", "k")]).await?;
    let ready = rig.find("d").await?;
    ensure_eq!(ready.ahead, Ahead::Nothing, "what is ahead of a new row");
    ensure_eq!(names(&rig.ready().await?), ["z", "d"], "the ready rows");
    Ok(())
}
