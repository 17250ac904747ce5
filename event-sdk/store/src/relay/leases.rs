//! `Leases`: the shards that the relay owns, until when, and how far each was read.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;

use crate::outbox::{Membership, ShardLease, ShardPosition};

/// A shard that the relay owns.
#[derive(Debug)]
struct Owned {
    epoch: i64,
    /// Until when it is owned, by the clock that also counts while the machine sleeps.
    until: Duration,
    /// Rows with this id or a higher one were not read.
    position: i64,
    /// Set while the rows of the previous owner are published again.
    resending: bool,
    /// When rows of this owner may have been in flight to a stream that went back; none for a shard
    /// that was taken over.
    doubted_at: Option<Timestamp>,
    /// Set when another relay shall have it.
    leaving: bool,
}

impl Owned {
    fn is_readable(&self) -> bool {
        !self.resending && !self.leaving
    }

    fn is_resending(&self) -> bool {
        self.resending && !self.leaving
    }
}

/// The shards of a relay.
#[derive(Debug)]
pub(super) struct Leases {
    shards: u16,
    ttl: Duration,
    owned: BTreeMap<u16, Owned>,
    /// Rotates the order of the shards, so that none comes first each time.
    turn: usize,
}

/// What follows a renewal.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Renewed {
    /// Shards that are lost: nothing of them may be sent any more.
    pub(super) lost: Vec<u16>,
    /// How many further shards to claim.
    pub(super) wanted: u16,
    /// Shards that another relay shall have.
    pub(super) surplus: Vec<u16>,
}

impl Leases {
    pub(super) const fn new(shards: u16, ttl: Duration) -> Self {
        Self {
            shards,
            ttl,
            owned: BTreeMap::new(),
            turn: 0,
        }
    }

    /// A renewal that was sent at `sent` has returned.
    pub(super) fn renewed(&mut self, membership: &Membership, sent: Duration) -> Renewed {
        let until = sent + self.ttl;
        let mut lost = Vec::new();
        self.owned.retain(|shard, owned| {
            let mine = ShardLease {
                shard: *shard,
                epoch: owned.epoch,
            };
            let still = membership.shards.contains(&mine);
            if still {
                owned.until = until;
            } else {
                lost.push(*shard);
            }
            still
        });
        // A claim whose answer was lost has succeeded all the same.
        let unknown = membership.shards.iter().copied();
        let unknown: Vec<_> = unknown
            .filter(|lease| !self.owned.contains_key(&lease.shard))
            .collect();
        self.claimed(&unknown, sent);
        let fair = self.shards.div_ceil(relays(membership));
        let owned = self.count();
        let mut surplus = Vec::new();
        for (shard, owned_shard) in self.owned.iter_mut().rev() {
            if owned - surplus.len() <= usize::from(fair) {
                break;
            }
            if !owned_shard.leaving {
                owned_shard.leaving = true;
                surplus.push(*shard);
            }
        }
        let wanted = usize::from(fair).saturating_sub(self.owned.len());
        Renewed {
            lost,
            wanted: u16::try_from(wanted).unwrap_or(u16::MAX),
            surplus,
        }
    }

    /// Shards that are owned and stay.
    fn count(&self) -> usize {
        self.owned.values().filter(|owned| !owned.leaving).count()
    }

    /// These shards were claimed by a request that was sent at `sent`.
    pub(super) fn claimed(&mut self, leases: &[ShardLease], sent: Duration) {
        for lease in leases {
            self.owned.insert(
                lease.shard,
                Owned {
                    epoch: lease.epoch,
                    until: sent + self.ttl,
                    position: i64::MIN,
                    resending: true,
                    doubted_at: None,
                    leaving: false,
                },
            );
        }
    }

    /// Forgets a shard that was given back.
    pub(super) fn remove(&mut self, shard: u16) {
        self.owned.remove(&shard);
    }

    /// The lease of a shard, if it lasts until `until`.
    pub(super) fn lasting(&self, shard: u16, until: Duration) -> Option<ShardLease> {
        let owned = self.owned.get(&shard)?;
        (owned.until >= until && !owned.leaving).then_some(ShardLease {
            shard,
            epoch: owned.epoch,
        })
    }

    /// The lease of a shard, whether it lasts or not.
    pub(super) fn of(&self, shard: u16) -> Option<ShardLease> {
        let owned = self.owned.get(&shard)?;
        Some(ShardLease {
            shard,
            epoch: owned.epoch,
        })
    }

    /// All shards that are being given back.
    pub(super) fn leaving(&self) -> Vec<ShardLease> {
        let leaving = self.owned.iter().filter(|(_, owned)| owned.leaving);
        leaving
            .map(|(shard, owned)| ShardLease {
                shard: *shard,
                epoch: owned.epoch,
            })
            .collect()
    }

    /// The positions of the shards whose new rows may be read, each time beginning with another one.
    pub(super) fn positions(&mut self, floor: impl Fn(u16) -> i64) -> Vec<ShardPosition> {
        let mut positions: Vec<_> = self
            .owned
            .iter()
            .filter(|(_, owned)| owned.is_readable())
            .map(|(shard, owned)| ShardPosition {
                shard: *shard,
                from: owned.position,
                floor: floor(*shard),
            })
            .collect();
        if !positions.is_empty() {
            self.turn = (self.turn + 1) % positions.len();
            positions.rotate_left(self.turn);
        }
        positions
    }

    /// The shards whose rows may be read.
    pub(super) fn readable(&self) -> Vec<u16> {
        let readable = self.owned.iter().filter(|(_, owned)| owned.is_readable());
        readable.map(|(shard, _)| *shard).collect()
    }

    /// Whether there is a shard whose rows may be read.
    pub(super) fn has_readable(&self) -> bool {
        self.owned.values().any(Owned::is_readable)
    }

    /// Whether the rows of a shard may be read.
    pub(super) fn is_readable(&self, shard: u16) -> bool {
        self.owned.get(&shard).is_some_and(Owned::is_readable)
    }

    /// Whether the confirmed rows of a shard have to be published again first.
    pub(super) fn is_resending(&self, shard: u16) -> bool {
        self.owned.get(&shard).is_some_and(Owned::is_resending)
    }

    /// The shards whose confirmed rows have to be published again first.
    pub(super) fn resending(&self) -> Vec<u16> {
        let resending = self.owned.iter().filter(|(_, owned)| owned.is_resending());
        resending.map(|(shard, _)| *shard).collect()
    }

    /// All confirmed rows have to be published again, as after a new connection at `now`.
    pub(super) fn resend_all(&mut self, now: Timestamp) {
        for owned in self.owned.values_mut() {
            owned.resending = true;
            owned.doubted_at = Some(now);
            owned.position = i64::MIN;
        }
    }

    /// Rows of these shards that were marked before this time were not in flight when a stream may
    /// have gone back.
    pub(super) fn marked_before(&self, shards: &[u16]) -> Timestamp {
        let owned = shards.iter().filter_map(|shard| self.owned.get(shard));
        let doubted = owned.filter_map(|owned| owned.doubted_at);
        doubted.min().unwrap_or(Timestamp::MAX)
    }

    /// The confirmed rows of these shards were published again.
    pub(super) fn resent(&mut self, leases: &[ShardLease]) {
        for lease in leases {
            if let Some(owned) = self.owned.get_mut(&lease.shard)
                && owned.epoch == lease.epoch
            {
                owned.resending = false;
            }
        }
    }

    /// Up to where a shard was read, exclusive.
    pub(super) fn position(&self, shard: u16) -> i64 {
        let owned = self.owned.get(&shard);
        owned.map_or(i64::MIN, |owned| owned.position)
    }

    /// A row of the shard was read.
    pub(super) fn advance(&mut self, shard: u16, id: i64) {
        if let Some(owned) = self.owned.get_mut(&shard) {
            owned.position = owned.position.max(id.saturating_add(1));
        }
    }

    /// Reads all shards from their floors on.
    pub(super) fn rewind(&mut self, floor: impl Fn(u16) -> i64) {
        for (shard, owned) in &mut self.owned {
            owned.position = owned.position.min(floor(*shard));
        }
    }
}

/// The relays that are alive, at least this one.
fn relays(membership: &Membership) -> u16 {
    u16::try_from(membership.relays).unwrap_or(u16::MAX).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TTL: Duration = Duration::from_secs(10);

    fn lease(shard: u16) -> ShardLease {
        ShardLease { shard, epoch: 1 }
    }

    fn membership(shards: impl IntoIterator<Item = u16>, relays: u32) -> Membership {
        Membership::new(shards.into_iter().map(lease).collect(), relays)
    }

    #[test]
    fn a_lease_lasts_from_when_its_renewal_was_sent() {
        let mut leases = Leases::new(1, TTL);
        let sent = Duration::from_secs(100);
        leases.claimed(&[lease(0)], sent);
        assert_eq!(leases.lasting(0, sent + TTL), Some(lease(0)));
        assert_eq!(leases.lasting(0, sent + TTL * 2), None);
        leases.renewed(&membership([0], 1), sent + TTL);
        assert_eq!(leases.lasting(0, sent + TTL * 2), Some(lease(0)));
    }

    #[test]
    fn shards_are_shared_fairly() {
        let mut leases = Leases::new(4, TTL);
        let renewed = leases.renewed(&membership([], 1), Duration::ZERO);
        assert_eq!(renewed.wanted, 4);
        leases.claimed(&[lease(0), lease(1), lease(2), lease(3)], Duration::ZERO);
        let renewed = leases.renewed(&membership(0..4, 2), Duration::ZERO);
        assert_eq!(renewed.surplus, [3, 2]);
        assert_eq!(leases.readable().len(), 0, "they resend first");
        leases.resent(&[lease(0), lease(1), lease(2), lease(3)]);
        assert_eq!(leases.readable(), [0, 1]);
        let renewed = leases.renewed(&membership(0..4, 2), Duration::ZERO);
        assert_eq!(renewed.surplus, [0_u16; 0], "once is enough");
    }

    #[test]
    fn a_shard_with_another_epoch_is_lost_and_an_unknown_one_is_taken() {
        let mut leases = Leases::new(2, TTL);
        leases.claimed(&[lease(0)], Duration::ZERO);
        let other = Membership::new(vec![ShardLease { shard: 0, epoch: 3 }, lease(1)], 1);
        let renewed = leases.renewed(&other, Duration::ZERO);
        assert_eq!(renewed.lost, [0]);
        assert_eq!(leases.of(0), Some(ShardLease { shard: 0, epoch: 3 }));
        assert_eq!(leases.of(1), Some(lease(1)));
    }

    #[test]
    fn each_read_begins_with_another_shard() {
        let mut leases = Leases::new(3, TTL);
        leases.claimed(&[lease(0), lease(1), lease(2)], Duration::ZERO);
        leases.resent(&[lease(0), lease(1), lease(2)]);
        let first = |leases: &mut Leases| leases.positions(|_| 0).first().map(|at| at.shard);
        let firsts = [first(&mut leases), first(&mut leases), first(&mut leases)];
        assert_eq!(firsts, [Some(1), Some(2), Some(0)]);
    }
}
