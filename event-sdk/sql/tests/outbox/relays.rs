//! Several relays, leases, and what an old owner may still do.

use std::time::Duration;

use event_sdk_sql::{OutboxStore, ParkReason};
use event_sdk_store::outbox::{ConfirmedRow, RelayId, ShardLease};

use crate::rig::{Rig, Running, placed};
use crate::script::Act;

const TTL: Duration = Duration::from_mins(1);

pub(crate) fn short(rig: &Rig) -> Running {
    let relay = rig.relay().lease(Duration::from_millis(900));
    Running::new(relay.publish_timeout(Duration::from_millis(300)))
}

#[tokio::test]
async fn another_relay_takes_over_when_the_lease_of_a_killed_one_ends() {
    let rig = Rig::new().await;
    rig.script
        .set(|event| if event.n == 5 { Act::Hang } else { Act::Pass });
    let killed = short(&rig);
    rig.enqueue((0..20).map(|n| placed("a", n))).await;
    rig.wait_for(&[("a", (0..5).collect())]).await;
    let other = short(&rig);
    killed.kill().await;
    rig.script.set(|_| Act::Pass);
    rig.wait_for(&[("a", (0..20).collect())]).await;
    rig.wait_for_marks(20).await;
    other.stop().await;
}

#[tokio::test]
async fn relays_that_come_and_go_publish_each_row_once_and_in_order() {
    let rig = Rig::new().await;
    let mut relays = vec![short(&rig), short(&rig)];
    for round in 0..6_u32 {
        let events = (0..10).flat_map(|n| ["a", "b", "c"].map(|key| placed(key, round * 10 + n)));
        rig.enqueue(events).await;
        relays.push(short(&rig));
        let gone = relays.remove(0);
        if round % 2 == 0 {
            gone.kill().await;
        } else {
            gone.stop().await;
        }
    }
    let all: Vec<_> = (0..60).collect();
    rig.wait_for(&[("a", all.clone()), ("b", all.clone()), ("c", all)])
        .await;
    for relay in relays {
        relay.stop().await;
    }
}

#[tokio::test]
async fn a_relay_that_stops_gives_its_shards_back_at_once() {
    let rig = Rig::new().await;
    let relay = rig.start();
    rig.enqueue([placed("a", 1)]).await;
    rig.wait_for_marks(1).await;
    relay.stop().await;
    let status = rig.outbox.status().await.expect("a status");
    assert_eq!(status.relays, 0);
    let other = rig.outbox.store().claim(RelayId::random(), TTL, 10).await;
    let free = usize::from(rig.outbox.store().shards()).min(10);
    assert_eq!(other.expect("a claim").len(), free);
}

#[tokio::test]
async fn a_lease_belongs_to_one_relay_until_it_ends() {
    let rig = Rig::new().await;
    let store = rig.outbox.store();
    let (first, second) = (RelayId::random(), RelayId::random());
    store.renew(first, TTL).await.expect("renew");
    let shards = store.shards();
    let claimed = store.claim(first, TTL, shards).await.expect("claim");
    assert_eq!(claimed.len(), usize::from(shards));
    assert_eq!(store.claim(second, TTL, shards).await.expect("claim"), []);
    let renewed = store.renew(second, TTL).await.expect("renew");
    assert_eq!((renewed.shards.len(), renewed.relays), (0, 2));
    let renewed = store.renew(first, TTL).await.expect("renew");
    assert_eq!(renewed.shards.len(), claimed.len());
    // The first one's lease ends.
    rig.execute("update event_outbox_shards set until = 1 where shard = 0")
        .await;
    let taken = store.claim(second, TTL, shards).await.expect("claim");
    assert_eq!((taken.len(), taken[0].shard), (1, 0));
    assert!(taken[0].epoch > 1);
    let kept = store.renew(first, TTL).await.expect("renew").shards;
    assert_eq!(kept.len(), usize::from(shards) - 1);
    assert!(!kept.contains(&taken[0]));
}

#[tokio::test]
async fn an_old_owner_can_change_nothing() {
    let rig = Rig::new().await;
    rig.enqueue([placed("a", 1), placed("a", 2)]).await;
    let store: &dyn OutboxStore = &**rig.outbox.store();
    let (first, second) = (RelayId::random(), RelayId::random());
    let shard: i64 =
        sqlx::query_scalar("select cast(shard as bigint) from event_outbox where id = 1")
            .fetch_one(&rig.pool)
            .await
            .expect("a row");
    let shard = u16::try_from(shard).expect("a shard");
    let of_row = |leases: Vec<ShardLease>| {
        let mut leases = leases.into_iter();
        leases
            .find(|lease| lease.shard == shard)
            .expect("its shard")
    };
    let old = of_row(store.claim(first, TTL, 64).await.expect("claim"));
    rig.execute("update event_outbox_shards set until = 1")
        .await;
    let new = of_row(store.claim(second, TTL, 64).await.expect("claim"));
    let now = jiff::Timestamp::now();
    let late = vec![ConfirmedRow::new(1, shard, old.epoch)];
    assert_eq!(
        store.mark_published(first, late, now).await.expect("mark"),
        [0_i64; 0]
    );
    let reason = ParkReason::new("reject", "too large", 1);
    assert!(!store.park(old, 1, reason, now).await.expect("park"));
    assert!(!store.record_failure(old, 1, 3).await.expect("record"));
    assert_eq!(rig.count("state = 0 and attempts = 0").await, 2);
    let mine = vec![ConfirmedRow::new(1, shard, new.epoch)];
    assert_eq!(
        store.mark_published(second, mine, now).await.expect("mark"),
        [1]
    );
}
