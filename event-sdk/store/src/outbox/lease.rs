//! `RelayId`, `ShardLease` and `Membership`: which relay owns which shards of an outbox.

use std::fmt;

use uuid::Uuid;

/// The identity of one running relay. A relay that starts again has another identity.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct RelayId(Uuid);

impl RelayId {
    /// A new, random identity.
    #[must_use]
    pub fn random() -> Self {
        Self(Uuid::new_v4())
    }

    /// The identity as the text that a store writes.
    #[must_use]
    pub fn as_uuid(self) -> Uuid {
        self.0
    }
}

impl fmt::Display for RelayId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for RelayId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The right of one relay to publish the rows of a shard.
///
/// The epoch grows each time the shard gets another owner. A write with an older epoch has no
/// effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ShardLease {
    /// The shard.
    pub shard: u16,
    /// The epoch of the shard's owner.
    pub epoch: i64,
}

/// The result of a renewal: the shards that the relay still owns, and the number of relays.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Membership {
    /// The shards that the relay owns.
    pub shards: Vec<ShardLease>,
    /// The number of relays that are alive, including this one.
    pub relays: u32,
}

impl Membership {
    /// A membership with these shards and this number of live relays.
    #[must_use]
    pub const fn new(shards: Vec<ShardLease>, relays: u32) -> Self {
        Self { shards, relays }
    }
}
