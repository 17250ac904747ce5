//! `balance`: which partitions an instance acquires or gives up, so that every instance has its
//! fair share.

use std::collections::BTreeMap;

use super::entry::OwnerId;

/// What an instance does next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Balance {
    /// It acquires this partition, which has no owner.
    Acquire(usize),
    /// It gives up this partition: drains it, then releases its lease.
    GiveUp(usize),
    /// Nothing.
    Stay,
}

/// Decides about one partition. `owners` has the owner of each partition; `live` the instances
/// that are alive, `me` among them or not.
///
/// With n partitions and m live instances, each has between ⌊n/m⌋ and ⌈n/m⌉ in the end:
///
/// - An instance with less than ⌊n/m⌋ acquires a partition without an owner. One with less than
///   ⌈n/m⌉ does so if no live instance has less than ⌊n/m⌋.
/// - While a live instance has less than ⌊n/m⌋ or more than ⌈n/m⌉, and nothing is without an owner,
///   the instance that has most (of several, the one with the lowest id) gives up one; the others
///   wait.
///
/// Instances that see the same decide in the same way, so nothing is given back and forth. Where
/// they see different things for a moment, the lease of each partition still has one owner.
pub(crate) fn balance(me: OwnerId, owners: &[Option<OwnerId>], live: &[OwnerId]) -> Balance {
    let mut counts: BTreeMap<OwnerId, usize> = live.iter().map(|id| (*id, 0)).collect();
    if !counts.contains_key(&me) {
        return Balance::Stay;
    }
    for owner in owners.iter().flatten() {
        if let Some(count) = counts.get_mut(owner) {
            *count += 1;
        }
    }
    let (least, most) = (
        owners.len() / counts.len(),
        owners.len().div_ceil(counts.len()),
    );
    let mine = counts.get(&me).copied().unwrap_or_default();
    let below = counts.values().any(|count| *count < least);
    let free = owners.iter().position(Option::is_none);
    if let Some(free) = free {
        let acquires = mine < least || (mine < most && !below);
        return if acquires {
            Balance::Acquire(preferred(me, owners).unwrap_or(free))
        } else {
            Balance::Stay
        };
    }
    let first_of_most = counts
        .iter()
        .max_by_key(|(id, count)| (**count, std::cmp::Reverse(**id)));
    match first_of_most {
        Some((id, count)) if *id == me && (*count > most || (below && *count > least)) => {
            let place = owners.iter().rposition(|owner| *owner == Some(me));
            place.map_or(Balance::Stay, Balance::GiveUp)
        }
        _ => Balance::Stay,
    }
}

/// One of the partitions without an owner, not the same for all instances, so that those that
/// start together do not all try the first one.
fn preferred(me: OwnerId, owners: &[Option<OwnerId>]) -> Option<usize> {
    let free = owners.iter().filter(|owner| owner.is_none()).count();
    let number = (me.0.as_u128() % free.max(1) as u128) as usize;
    let mut places = owners.iter().enumerate();
    let nth = places
        .by_ref()
        .filter(|(_, owner)| owner.is_none())
        .nth(number);
    nth.map(|(place, _)| place)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;

    fn id(number: u128) -> OwnerId {
        OwnerId(Uuid::from_u128(number))
    }

    /// Lets the instances act in turn, until none has anything to do.
    fn settle(owners: &mut [Option<OwnerId>], live: &[OwnerId]) -> usize {
        let mut moves = 0;
        loop {
            let mut quiet = true;
            for me in live {
                match balance(*me, owners, live) {
                    Balance::Acquire(place) => {
                        assert_eq!(owners[place], None);
                        owners[place] = Some(*me);
                    }
                    Balance::GiveUp(place) => {
                        assert_eq!(owners[place], Some(*me));
                        owners[place] = None;
                    }
                    Balance::Stay => continue,
                }
                quiet = false;
                moves += 1;
                assert!(moves < 10_000, "never at rest: {owners:?}");
            }
            if quiet {
                return moves;
            }
        }
    }

    fn counts(owners: &[Option<OwnerId>], live: &[OwnerId]) -> Vec<usize> {
        let count = |id| owners.iter().filter(|owner| **owner == Some(id)).count();
        live.iter().map(|id| count(*id)).collect()
    }

    proptest! {
        /// From any state: everything has a live owner, every instance its fair share, and nobody
        /// gives up more than it must.
        #[test]
        fn any_state_ends_in_fair_shares(
            before in proptest::collection::vec(proptest::option::of(0_u128..8), 1..40),
            live in proptest::collection::btree_set(0_u128..8, 1..6),
        ) {
            let live: Vec<_> = live.into_iter().map(id).collect();
            // What a dead instance has is without an owner when its term is over.
            let alive = |owner: &Option<u128>| owner.map(id).filter(|id| live.contains(id));
            let mut owners: Vec<_> = before.iter().map(alive).collect();
            let had = owners.clone();
            settle(&mut owners, &live);
            let (least, most) = (owners.len() / live.len(), owners.len().div_ceil(live.len()));
            prop_assert!(owners.iter().all(Option::is_some));
            for count in counts(&owners, &live) {
                prop_assert!((least..=most).contains(&count), "{:?}", owners);
            }
            // Nobody lost a partition below the least share.
            for (owner, count) in live.iter().zip(counts(&owners, &live)) {
                let kept = had.iter().zip(&owners).filter(|(b, a)| **b == Some(*owner) && b == a);
                let before = had.iter().filter(|b| **b == Some(*owner)).count();
                prop_assert!(kept.count() >= before.min(least).min(count));
            }
        }
    }

    #[test]
    fn a_new_instance_gets_its_share_by_the_fewest_moves() {
        let live = [id(1), id(2)];
        let mut owners = vec![None; 8];
        settle(&mut owners, &live);
        assert_eq!(counts(&owners, &live), [4, 4]);
        let live = [id(1), id(2), id(3)];
        // Two are given up, and two acquired.
        assert_eq!(settle(&mut owners, &live), 4);
        assert_eq!(counts(&owners, &live), [3, 3, 2]);
        // More instances than partitions: the rest waits.
        let many: Vec<_> = (1..=12).map(id).collect();
        settle(&mut owners, &many);
        let mut shares = counts(&owners, &many);
        shares.sort_unstable();
        assert_eq!(shares.iter().sum::<usize>(), 8);
    }

    #[test]
    fn an_instance_that_is_not_alive_for_the_others_stays() {
        assert_eq!(balance(id(1), &[None], &[id(2)]), Balance::Stay);
        assert_eq!(balance(id(1), &[None], &[]), Balance::Stay);
        assert_eq!(balance(id(1), &[None], &[id(1)]), Balance::Acquire(0));
    }
}
