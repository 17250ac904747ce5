//! Cases of leases: one owner of a shard, epochs, relays that are alive, the cleaner.

use std::collections::BTreeSet;

use event_sdk_store::outbox::{RelayId, ShardLease};
use futures_util::future::try_join_all;

use crate::case::cases;
use crate::failure::{Outcome, ensure, ensure_eq};
use crate::rig::{LONG, Rig, SHORT};

cases! { "leases":
    a_shard_has_one_owner []
        "A shard that belongs to a relay cannot be claimed by another.";
    claims_at_once_share_no_shard []
        "Relays that claim at the same time get different shards, and together all of them.";
    a_claim_takes_no_more_than_asked [Shards]
        "A claim takes no more shards than asked, and the next one takes others.";
    an_ended_lease_can_be_claimed []
        "When a lease has ended, another relay can claim the shard, under a higher epoch.";
    an_ended_lease_can_be_renewed []
        "An owner whose lease has ended keeps the shard and the epoch by renewing, if nobody has claimed it.";
    a_renewal_says_what_is_left []
        "A renewal returns the shards that the relay still owns, with their epochs.";
    a_released_shard_is_free_at_once []
        "A shard that was given back can be claimed at once.";
    an_old_lease_releases_nothing []
        "A release of a lease with an old epoch has no effect.";
    leaving_gives_all_shards_back []
        "A relay that leaves gives all of its shards back, and is not counted any more.";
    relays_are_counted []
        "Relays that are alive are counted, and those whose time is over are not.";
    one_relay_cleans []
        "One relay at a time has the right to clean; when its time is over, another can get it.";
}

fn sorted(leases: &[ShardLease]) -> Vec<(u16, i64)> {
    let mut leases: Vec<_> = leases.iter().map(|one| (one.shard, one.epoch)).collect();
    leases.sort_unstable();
    leases
}

async fn a_shard_has_one_owner(rig: Rig) -> Outcome {
    let owner = rig.owner().await?;
    let shards: Vec<_> = sorted(&owner.leases).into_iter().map(|one| one.0).collect();
    ensure_eq!(shards, rig.shards(), "the shards of the owner");
    let other = rig.store.claim(RelayId::random(), LONG, u16::MAX).await?;
    ensure_eq!(other, [], "what another relay claims");
    let again = rig.store.claim(owner.relay, LONG, u16::MAX).await?;
    ensure_eq!(again, [], "what the owner claims once more");
    Ok(())
}

async fn claims_at_once_share_no_shard(rig: Rig) -> Outcome {
    let relays: Vec<_> = (0..8).map(|_| RelayId::random()).collect();
    let mut seen = BTreeSet::new();
    for _ in 0..8 {
        let claims = relays.iter().map(|relay| rig.store.claim(*relay, LONG, 9));
        for lease in try_join_all(claims).await?.into_iter().flatten() {
            ensure!(seen.insert(lease.shard), "two relays own {}", lease.shard);
        }
    }
    let seen: Vec<_> = seen.into_iter().collect();
    ensure_eq!(seen, rig.shards(), "the claimed shards");
    Ok(())
}

async fn a_claim_takes_no_more_than_asked(rig: Rig) -> Outcome {
    let (first, second) = (RelayId::random(), RelayId::random());
    let taken = rig.store.claim(first, LONG, 1).await?;
    ensure_eq!(taken.len(), 1, "the shards of a claim of one");
    let none = rig.store.claim(second, LONG, 0).await?;
    ensure_eq!(none, [], "a claim of none");
    let rest = rig.store.claim(second, LONG, u16::MAX).await?;
    let all = usize::from(rig.store.shards());
    ensure_eq!(rest.len(), all - 1, "the shards that are left");
    let twice = rest.iter().any(|lease| lease.shard == taken[0].shard);
    ensure!(!twice, "a shard was claimed twice");
    Ok(())
}

async fn an_ended_lease_can_be_claimed(rig: Rig) -> Outcome {
    let (first, second) = (RelayId::random(), RelayId::random());
    let before = rig.store.claim(first, SHORT, u16::MAX).await?;
    ensure_eq!(before.len(), rig.shards().len(), "the shards of the first");
    let mut after = Vec::new();
    while after.len() < before.len() {
        let more = rig
            .until("the end of all leases", || {
                let claim = rig.store.claim(second, LONG, u16::MAX);
                async move {
                    let leases = claim.await?;
                    Ok((!leases.is_empty()).then_some(leases))
                }
            })
            .await?;
        after.extend(more);
    }
    for ((shard, old), (_, new)) in sorted(&before).into_iter().zip(sorted(&after)) {
        ensure!(new > old, "shard {shard} went from epoch {old} to {new}");
    }
    let left = rig.store.renew(first, LONG).await?;
    ensure_eq!(left.shards, [], "what the first owner keeps");
    Ok(())
}

async fn an_ended_lease_can_be_renewed(rig: Rig) -> Outcome {
    let (owner, cleaner) = (RelayId::random(), RelayId::random());
    let before = rig.store.claim(owner, SHORT, u16::MAX).await?;
    // A right with the same time, whose end can be seen.
    rig.store.claim_cleaning(owner, SHORT).await?;
    rig.until("the end of the lease", || {
        let claim = rig.store.claim_cleaning(cleaner, SHORT);
        async move { Ok(claim.await?.then_some(())) }
    })
    .await?;
    let renewed = rig.store.renew(owner, LONG).await?;
    ensure_eq!(
        sorted(&renewed.shards),
        sorted(&before),
        "the renewed leases"
    );
    let other = rig.store.claim(cleaner, LONG, u16::MAX).await?;
    ensure_eq!(other, [], "what another relay claims after the renewal");
    Ok(())
}

async fn a_renewal_says_what_is_left(rig: Rig) -> Outcome {
    let owner = rig.owner().await?;
    let kept = rig.store.renew(owner.relay, LONG).await?;
    ensure_eq!(sorted(&kept.shards), sorted(&owner.leases), "the leases");
    let lost = owner.leases[0];
    rig.store.release(owner.relay, vec![lost]).await?;
    let taken = rig.store.claim(RelayId::random(), LONG, 1).await?;
    ensure_eq!(taken.len(), 1, "what another relay claims");
    let left = rig.store.renew(owner.relay, LONG).await?;
    let expected: Vec<_> = sorted(&owner.leases[1..]);
    ensure_eq!(sorted(&left.shards), expected, "the leases that are left");
    Ok(())
}

async fn a_released_shard_is_free_at_once(rig: Rig) -> Outcome {
    let owner = rig.owner().await?;
    let given = owner.leases[0];
    rig.store.release(owner.relay, vec![given]).await?;
    let claimed = rig.store.claim(RelayId::random(), LONG, u16::MAX).await?;
    ensure_eq!(claimed.len(), 1, "the shards that are free");
    ensure_eq!(claimed[0].shard, given.shard, "the free shard");
    ensure!(claimed[0].epoch > given.epoch, "the epoch did not grow");
    Ok(())
}

async fn an_old_lease_releases_nothing(rig: Rig) -> Outcome {
    let first = rig.owner().await?;
    rig.store.release(first.relay, first.leases.clone()).await?;
    let second = rig.owner().await?;
    rig.store.release(first.relay, first.leases.clone()).await?;
    // Nor does the owner itself by an old epoch.
    rig.store.release(second.relay, first.leases).await?;
    let left = rig.store.renew(second.relay, LONG).await?;
    ensure_eq!(sorted(&left.shards), sorted(&second.leases), "the leases");
    Ok(())
}

async fn leaving_gives_all_shards_back(rig: Rig) -> Outcome {
    let owner = rig.owner().await?;
    let other = RelayId::random();
    ensure_eq!(rig.store.renew(other, LONG).await?.relays, 2, "the relays");
    rig.store.leave(owner.relay).await?;
    ensure_eq!(rig.store.renew(other, LONG).await?.relays, 1, "the relays");
    let claimed = rig.store.claim(other, LONG, u16::MAX).await?;
    ensure_eq!(
        claimed.len(),
        owner.leases.len(),
        "the shards that are free"
    );
    Ok(())
}

async fn relays_are_counted(rig: Rig) -> Outcome {
    let (first, second) = (RelayId::random(), RelayId::random());
    ensure_eq!(
        rig.store.renew(first, LONG).await?.relays,
        1,
        "a first relay"
    );
    let both = rig.store.renew(second, SHORT).await?.relays;
    ensure_eq!(both, 2, "a second relay");
    rig.until("the end of the second relay", || {
        let renewal = rig.store.renew(first, LONG);
        async move { Ok((renewal.await?.relays == 1).then_some(())) }
    })
    .await
}

async fn one_relay_cleans(rig: Rig) -> Outcome {
    let (first, second) = (RelayId::random(), RelayId::random());
    ensure!(rig.store.claim_cleaning(first, LONG).await?, "it is free");
    ensure!(!rig.store.claim_cleaning(second, LONG).await?, "two clean");
    ensure!(rig.store.claim_cleaning(first, SHORT).await?, "renewed");
    rig.until("the right to clean", || {
        let claim = rig.store.claim_cleaning(second, LONG);
        async move { Ok(claim.await?.then_some(())) }
    })
    .await?;
    ensure!(!rig.store.claim_cleaning(first, LONG).await?, "two clean");
    let claimed = rig.store.claim(first, LONG, u16::MAX).await?;
    ensure_eq!(claimed.len(), rig.shards().len(), "shards beside cleaning");
    Ok(())
}
