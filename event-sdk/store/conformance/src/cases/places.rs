//! Cases of the places of published rows in their streams, by which a relay sees a stream that went back.

use std::time::Duration;

use event_sdk::text::Text;
use event_sdk_store::outbox::{KeptRow, OutboxRow};
use jiff::Timestamp;

use crate::case::cases;
use crate::failure::{Outcome, ensure, ensure_eq};
use crate::rig::{MANY, Owner, Rig, at, names, row};

cases! { "places":
    the_newest_row_of_each_stream_is_found []
        "The newest published row of each stream is the one of the latest time, and of that time the one of the highest sequence; rows without a stream, and streams without a row within the time, are left out.";
    published_rows_are_read_backwards []
        "Published rows of a stream are returned from the newest to the oldest, and a page goes on behind the last row of the one before.";
    a_mark_keeps_its_own_time []
        "A row that is marked with a time of its own has that time, and the new place in its stream.";
}

/// Marks a row: its stream, sequence and time.
async fn mark(
    rig: &Rig,
    owner: &Owner,
    row: &OutboxRow,
    stream: Option<&'static str>,
    sequence: u64,
    time: Timestamp,
) -> Outcome {
    let mut confirmed = owner.confirmed(row);
    confirmed.stream = stream.map(Text::from_static);
    confirmed.sequence = stream.map(|_| sequence);
    let marked = rig.store.mark_published(owner.relay, vec![confirmed], time);
    ensure_eq!(marked.await?, [row.id], "the marked row");
    Ok(())
}

fn place(row: &KeptRow) -> (String, String, u64, Timestamp) {
    (
        row.message_id.to_string(),
        row.stream.to_string(),
        row.sequence,
        row.published_at,
    )
}

async fn the_newest_row_of_each_stream_is_found(rig: Rig) -> Outcome {
    let owner = rig.owner().await?;
    rig.write(["a", "b", "c", "d", "e", "f"].map(row)).await?;
    let rows = rig.ready().await?;
    mark(&rig, &owner, &rows[0], Some("ONE"), 9, at(100)).await?;
    mark(&rig, &owner, &rows[1], Some("ONE"), 3, at(200)).await?;
    mark(&rig, &owner, &rows[2], Some("ONE"), 2, at(200)).await?;
    mark(&rig, &owner, &rows[3], Some("TWO"), 7, at(150)).await?;
    mark(&rig, &owner, &rows[4], Some("OLD"), 1, at(99)).await?;
    mark(&rig, &owner, &rows[5], None, 0, at(200)).await?;
    let within = Duration::from_secs(100);
    let newest = rig.store.newest_published(rig.shards(), within).await?;
    let mut newest: Vec<_> = newest.iter().map(place).collect();
    newest.sort();
    let expected = [
        ("b".to_owned(), "ONE".to_owned(), 3, at(200)),
        ("d".to_owned(), "TWO".to_owned(), 7, at(150)),
    ];
    ensure_eq!(newest, expected, "the newest rows");
    let none = rig.store.newest_published(Vec::new(), within).await?;
    ensure_eq!(none, [], "the newest rows of no shard");
    Ok(())
}

async fn published_rows_are_read_backwards(rig: Rig) -> Outcome {
    let owner = rig.owner().await?;
    rig.write(["a", "b", "c", "d", "e", "f"].map(row)).await?;
    let rows = rig.ready().await?;
    // By time: c, then a and b together, then e; d is in another stream, and f is too old.
    for (index, stream, time) in [
        (2, "ONE", 11),
        (1, "ONE", 12),
        (0, "ONE", 12),
        (3, "TWO", 13),
        (4, "ONE", 14),
        (5, "ONE", 10),
    ] {
        let sequence = 100 + u64::try_from(index).unwrap_or_default();
        mark(&rig, &owner, &rows[index], Some(stream), sequence, at(time)).await?;
    }
    let mut before = (Timestamp::MAX, i64::MAX);
    let mut found = Vec::new();
    loop {
        let stream = Text::from_static("ONE");
        let page = rig
            .store
            .published_before(rig.shards(), stream, at(11), before, 2)
            .await?;
        let Some(last) = page.last() else { break };
        before = (last.published_at, last.id);
        ensure!(page.len() <= 2, "a page has {} rows", page.len());
        found.extend(
            page.iter()
                .map(|row| (row.message_id.to_string(), row.sequence)),
        );
        ensure!(found.len() <= 4, "the pages do not end: {found:?}");
    }
    let expected = [("e", 104), ("b", 101), ("a", 100), ("c", 102)];
    let expected = expected.map(|(name, sequence)| (name.to_owned(), sequence));
    ensure_eq!(found, expected, "the pages");
    Ok(())
}

async fn a_mark_keeps_its_own_time(rig: Rig) -> Outcome {
    let owner = rig.owner().await?;
    rig.write(["a", "b"].map(row)).await?;
    let rows = rig.ready().await?;
    rig.publish(&owner, &[&rows[0], &rows[1]], at(5)).await?;
    let mut again = owner.confirmed(&rows[0]);
    again.sequence = Some(77);
    again.published_at = Some(at(5));
    let other = owner.confirmed(&rows[1]);
    let both = vec![again, other];
    rig.store.mark_published(owner.relay, both, at(9)).await?;
    let kept = rig
        .store
        .published_since(rig.shards(), at(0), 0, MANY)
        .await?;
    let kept_rows: Vec<_> = kept.iter().map(|kept| kept.row.clone()).collect();
    ensure_eq!(names(&kept_rows), ["a", "b"], "the published rows");
    let times: Vec<_> = kept.iter().map(|kept| kept.published_at).collect();
    ensure_eq!(times, [at(5), at(9)], "their times");
    ensure_eq!(kept[0].sequence, Some(77), "the new sequence");
    Ok(())
}
