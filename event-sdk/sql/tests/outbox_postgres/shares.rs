//! Which rows of a backlog are read first: some of each shard, so that many keys are on their way at a time.

use std::collections::BTreeSet;

use event_sdk_store::outbox::{OutboxRow, ShardPosition};

use crate::rig::{Rig, placed};

async fn fetch(rig: &Rig, limit: u32) -> Vec<OutboxRow> {
    let store = rig.outbox.store();
    let positions = (0..store.shards()).map(|shard| ShardPosition {
        shard,
        from: i64::MIN,
        floor: i64::MIN,
    });
    let rows = store.fetch(positions.collect(), limit).await;
    rows.expect("rows")
}

#[tokio::test]
async fn a_batch_has_rows_of_all_shards() {
    let rig = Rig::new().await;
    let events = (0..2_000).map(|n| placed(&format!("k{}", n % 200), n));
    rig.enqueue(events).await;
    let rows = fetch(&rig, 256).await;
    assert_eq!(rows.len(), 256);
    let shards: BTreeSet<_> = rows.iter().map(|row| row.shard).collect();
    let keys: BTreeSet<_> = rows.iter().map(|row| row.key.clone()).collect();
    assert!(shards.len() > 50, "{} shards", shards.len());
    assert!(keys.len() > 100, "{} keys", keys.len());
}

#[tokio::test]
async fn a_batch_of_one_shard_is_full() {
    let rig = Rig::new().await;
    rig.enqueue((0..300).map(|n| placed("a", n))).await;
    let rows = fetch(&rig, 256).await;
    let ids: Vec<_> = rows.iter().map(|row| row.id).collect();
    assert_eq!(ids, (1..=256).collect::<Vec<_>>());
}
