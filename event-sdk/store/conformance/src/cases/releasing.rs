//! Cases of parked rows that come back: retried, skipped, released in batches.

use event_sdk_store::outbox::{Ahead, ParkedEntry, ParkedState, Release, WhichParked};

use crate::case::cases;
use crate::failure::{Failure, Outcome, ensure, ensure_eq};
use crate::rig::{MANY, Owner, Rig, at, keyed, names, reason, row};

cases! { "releasing":
    retried_entries_are_work_of_the_relay []
        "A retried entry is in release, and pending work of the relay of its shard.";
    what_is_retried_is_chosen []
        "All entries, the one of a key, or the one of a row are retried, and their number is returned.";
    released_rows_come_back_in_order []
        "The rows of an entry come back as ready, the oldest first, in batches; with the last one the entry is gone.";
    new_rows_wait_for_a_release []
        "While rows of a key are parked, its newer rows are reported as behind them.";
    a_released_row_without_a_key_comes_back []
        "A parked row without a key comes back alone.";
    a_released_row_has_no_attempts []
        "A row that comes back starts with no failed attempts.";
    an_entry_that_was_parked_again_is_not_released []
        "A release stops when its row was parked again, and when the lease has an old epoch.";
    a_skipped_row_is_deleted_and_its_key_comes_back []
        "Skipping deletes the failed row alone, and brings the later rows of its key back.";
    a_skipped_row_without_a_key_leaves_nothing []
        "Skipping a row without a key deletes it with its entry.";
    a_released_row_is_not_skipped []
        "Skipping changes nothing, and says so, when the failed row was released.";
}

/// The entry in release of this row, as the relay gets it.
async fn in_release(rig: &Rig, id: i64) -> Outcome<ParkedEntry> {
    let work = rig.store.pending_work(rig.shards(), at(9)).await?;
    let mut releases = work.releases.into_iter();
    let found = releases.find(|entry| entry.id == id);
    found.ok_or_else(|| Failure::new(format!("the entry of row {id} is no pending work")))
}

/// Brings all rows of an entry back.
async fn release_all(rig: &Rig, owner: &Owner, id: i64) -> Outcome {
    loop {
        let entry = in_release(rig, id).await?;
        let lease = owner.lease(entry.shard)?;
        match rig.store.release_parked(lease, entry, MANY).await? {
            Release::Done => return Ok(()),
            Release::Partly => {}
            Release::Refused => return Err(Failure::new("the release was refused")),
        }
    }
}

async fn retried_entries_are_work_of_the_relay(rig: Rig) -> Outcome {
    let owner = rig.owner().await?;
    rig.write([keyed("a", "k")]).await?;
    let row = rig.park(&owner, "a").await?;
    let work = rig.store.pending_work(rig.shards(), at(9)).await?;
    ensure_eq!(work.releases, [], "the releases before a retry");
    ensure_eq!(
        rig.store.retry_parked(WhichParked::All).await?,
        1,
        "entries"
    );
    let entry = in_release(&rig, row.id).await?;
    ensure_eq!(entry.state, ParkedState::Releasing, "its state");
    ensure_eq!(entry.key.as_deref(), Some("k"), "its key");
    ensure_eq!(
        rig.parked().await?[0].state,
        ParkedState::Releasing,
        "listed"
    );
    let others: Vec<_> = rig.shards();
    let others = others.into_iter().filter(|shard| *shard != row.shard);
    let others: Vec<_> = others.collect();
    if !others.is_empty() {
        let work = rig.store.pending_work(others, at(9)).await?;
        ensure_eq!(work.releases, [], "the releases of other shards");
    }
    Ok(())
}

async fn what_is_retried_is_chosen(rig: Rig) -> Outcome {
    let owner = rig.owner().await?;
    rig.write(["a", "b", "c", "d"].map(|name| keyed(name, name)))
        .await?;
    let mut ids = Vec::new();
    for name in ["a", "b", "c", "d"] {
        ids.push(rig.park(&owner, name).await?.id);
    }
    let retry = |which| rig.store.retry_parked(which);
    ensure_eq!(retry(WhichParked::Key("b".into())).await?, 1, "of a key");
    ensure_eq!(retry(WhichParked::Key("x".into())).await?, 0, "of no key");
    ensure_eq!(retry(WhichParked::Row(ids[2])).await?, 1, "of a row");
    ensure_eq!(retry(WhichParked::Row(ids[2])).await?, 0, "once more");
    let states: Vec<_> = rig.parked().await?.iter().map(|one| one.state).collect();
    let expected = [
        ParkedState::Parked,
        ParkedState::Releasing,
        ParkedState::Releasing,
        ParkedState::Parked,
    ];
    ensure_eq!(states, expected, "the states");
    ensure_eq!(retry(WhichParked::All).await?, 2, "all others");
    Ok(())
}

async fn released_rows_come_back_in_order(rig: Rig) -> Outcome {
    let owner = rig.owner().await?;
    rig.write(["a", "b", "c", "d", "e"].map(|name| keyed(name, "k")))
        .await?;
    let row = rig.park(&owner, "a").await?;
    rig.store.retry_parked(WhichParked::All).await?;
    let lease = owner.lease(row.shard)?;
    let mut back = Vec::new();
    let mut released = Vec::new();
    for _ in 0..5 {
        let entry = in_release(&rig, row.id).await?;
        released.push(rig.store.release_parked(lease, entry, 2).await?);
        back.push(names(&rig.ready().await?));
        if released.last() == Some(&Release::Done) {
            break;
        }
    }
    ensure_eq!(back[0], ["a", "b"], "after the first batch");
    ensure_eq!(back[1], ["a", "b", "c", "d"], "after the second batch");
    let last = back.last().map(|names| names.join(""));
    ensure_eq!(last.as_deref(), Some("abcde"), "at the end");
    ensure_eq!(released[0], Release::Partly, "the first batch");
    ensure_eq!(released.last(), Some(&Release::Done), "the last batch");
    ensure_eq!(rig.parked().await?, [], "the parked entries");
    let work = rig.store.pending_work(rig.shards(), at(9)).await?;
    ensure_eq!(work.releases, [], "the releases at the end");
    let ahead: Vec<_> = rig.ready().await?.iter().map(|row| row.ahead).collect();
    ensure_eq!(ahead, [Ahead::Nothing; 5], "what is ahead at the end");
    Ok(())
}

async fn new_rows_wait_for_a_release(rig: Rig) -> Outcome {
    let owner = rig.owner().await?;
    rig.write(["a", "b", "c"].map(|name| keyed(name, "k")))
        .await?;
    let row = rig.park(&owner, "a").await?;
    rig.write([keyed("new", "k")]).await?;
    ensure_eq!(rig.find("new").await?.ahead, Ahead::Parked, "before");
    rig.store.retry_parked(WhichParked::All).await?;
    let lease = owner.lease(row.shard)?;
    let entry = in_release(&rig, row.id).await?;
    rig.store.release_parked(lease, entry, 1).await?;
    let ahead = |rows: Vec<event_sdk_store::outbox::OutboxRow>| -> Vec<_> {
        rows.iter().map(|row| row.ahead).collect()
    };
    let found = rig.ready().await?;
    ensure_eq!(names(&found), ["a", "new"], "the ready rows meanwhile");
    ensure_eq!(ahead(found), [Ahead::Nothing, Ahead::Parked], "meanwhile");
    release_all(&rig, &owner, row.id).await?;
    let found = rig.ready().await?;
    ensure_eq!(names(&found), ["a", "b", "c", "new"], "the ready rows");
    ensure_eq!(ahead(found), [Ahead::Nothing; 4], "after the release");
    Ok(())
}

async fn a_released_row_without_a_key_comes_back(rig: Rig) -> Outcome {
    let owner = rig.owner().await?;
    rig.write([row("a"), row("b")]).await?;
    let parked = rig.park(&owner, "a").await?;
    ensure_eq!(names(&rig.ready().await?), ["b"], "the ready rows");
    rig.store.retry_parked(WhichParked::Row(parked.id)).await?;
    release_all(&rig, &owner, parked.id).await?;
    ensure_eq!(names(&rig.ready().await?), ["a", "b"], "at the end");
    ensure_eq!(rig.parked().await?, [], "the parked entries");
    Ok(())
}

async fn a_released_row_has_no_attempts(rig: Rig) -> Outcome {
    let owner = rig.owner().await?;
    rig.write([keyed("a", "k")]).await?;
    let parked = rig.park(&owner, "a").await?;
    rig.store.retry_parked(WhichParked::All).await?;
    release_all(&rig, &owner, parked.id).await?;
    ensure_eq!(rig.find("a").await?.attempts, 0, "the attempts");
    Ok(())
}

async fn an_entry_that_was_parked_again_is_not_released(rig: Rig) -> Outcome {
    let owner = rig.owner().await?;
    rig.write([keyed("a", "k"), keyed("b", "k")]).await?;
    let row = rig.park(&owner, "a").await?;
    rig.store.retry_parked(WhichParked::All).await?;
    let entry = in_release(&rig, row.id).await?;
    let lease = owner.lease(row.shard)?;
    rig.store.park(lease, row.id, reason(), at(6)).await?;
    let outcome = rig.store.release_parked(lease, entry, MANY).await?;
    ensure_eq!(
        outcome,
        Release::Refused,
        "of an entry that is parked again"
    );
    ensure_eq!(names(&rig.ready().await?), [""; 0], "the ready rows");

    rig.store.retry_parked(WhichParked::All).await?;
    let entry = in_release(&rig, row.id).await?;
    rig.store.release(owner.relay, owner.leases.clone()).await?;
    let other = rig.owner().await?;
    let outcome = rig.store.release_parked(lease, entry, MANY).await?;
    ensure_eq!(outcome, Release::Refused, "under an old epoch");
    ensure_eq!(names(&rig.ready().await?), [""; 0], "the ready rows");
    release_all(&rig, &other, row.id).await?;
    ensure_eq!(names(&rig.ready().await?), ["a", "b"], "at the end");
    Ok(())
}

async fn a_skipped_row_is_deleted_and_its_key_comes_back(rig: Rig) -> Outcome {
    let owner = rig.owner().await?;
    rig.write(["a", "b", "c"].map(|name| keyed(name, "k")))
        .await?;
    let row = rig.park(&owner, "a").await?;
    ensure!(rig.store.skip_parked(row.id).await?, "there is no entry");
    release_all(&rig, &owner, row.id).await?;
    let rows = rig.ready().await?;
    ensure_eq!(names(&rows), ["b", "c"], "the ready rows");
    let ahead: Vec<_> = rows.iter().map(|row| row.ahead).collect();
    ensure_eq!(ahead, [Ahead::Nothing; 2], "what is ahead");
    ensure!(!rig.store.skip_parked(row.id).await?, "skipped twice");
    Ok(())
}

async fn a_skipped_row_without_a_key_leaves_nothing(rig: Rig) -> Outcome {
    let owner = rig.owner().await?;
    rig.write([row("a"), row("b")]).await?;
    let parked = rig.park(&owner, "a").await?;
    ensure!(rig.store.skip_parked(parked.id).await?, "there is no entry");
    ensure_eq!(rig.parked().await?, [], "the parked entries");
    ensure_eq!(names(&rig.ready().await?), ["b"], "the ready rows");
    Ok(())
}

async fn a_released_row_is_not_skipped(rig: Rig) -> Outcome {
    let owner = rig.owner().await?;
    rig.write(["a", "b", "c"].map(|name| keyed(name, "k")))
        .await?;
    let row = rig.park(&owner, "a").await?;
    rig.store.retry_parked(WhichParked::All).await?;
    let entry = in_release(&rig, row.id).await?;
    let lease = owner.lease(entry.shard)?;
    let released = rig.store.release_parked(lease, entry, 1).await?;
    ensure_eq!(released, Release::Partly, "the first of three rows");
    ensure!(!rig.store.skip_parked(row.id).await?, "it was skipped");
    release_all(&rig, &owner, row.id).await?;
    ensure_eq!(names(&rig.ready().await?), ["a", "b", "c"], "at the end");
    Ok(())
}
