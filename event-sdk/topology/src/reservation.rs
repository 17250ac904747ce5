//! `Reservations`: bytes that streams reserve, before and after a plan, and the limits of the
//! account.

use std::fmt;
use std::num::NonZeroU64;

use event_sdk::stream::{Storage, StreamConfig};
use event_sdk::text::Text;
use event_sdk::transport::{AccountUsage, SpaceUsage};

/// What all streams of the account reserve, before and after a plan.
///
/// A stream with a maximum of bytes reserves these bytes for each replica. A server reports the sum
/// of the maxima without the replicas. For the streams of the topology, the replicas are added
/// here; other streams with replicas are undercounted. A server reports the limits of an account,
/// but not the limits of its own configuration, which it enforces too.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reservations {
    /// Bytes on disk.
    pub file: Reservation,
    /// Bytes in memory.
    pub memory: Reservation,
    /// The number of streams and buckets.
    pub streams: Reservation,
    /// The reservations for each number of replicas, in an account whose limits depend on the
    /// number of replicas. Otherwise empty.
    pub tiers: Vec<TierReservations>,
    /// Declared streams without a maximum of bytes, which reserve nothing and can fill the disk.
    pub unlimited: Vec<Text>,
}

/// What the streams with one number of replicas reserve, counting one replica of each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct TierReservations {
    /// The number of replicas.
    pub replicas: u8,
    /// Bytes on disk.
    pub file: Reservation,
    /// Bytes in memory.
    pub memory: Reservation,
    /// The number of streams and buckets.
    pub streams: Reservation,
}

/// An amount before and after a plan, and its limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reservation {
    /// The amount now.
    pub before: u64,
    /// The amount once the plan is applied.
    pub after: u64,
    /// The limit of the account; `None` if there is no limit, or the server does not report it.
    pub limit: Option<u64>,
}

impl Reservation {
    const fn now(before: u64, limit: Option<u64>) -> Self {
        Self {
            before,
            after: before,
            limit,
        }
    }

    const fn space(usage: SpaceUsage) -> Self {
        Self::now(usage.reserved, usage.limit)
    }

    /// Whether the amount after the plan is higher than before it, and above the limit.
    #[must_use]
    pub fn is_exceeded(&self) -> bool {
        self.after > self.before && self.limit.is_some_and(|limit| self.after > limit)
    }
}

impl Reservations {
    pub(crate) fn now(usage: &AccountUsage) -> Self {
        let tiers = usage.tiers.iter().map(|tier| TierReservations {
            replicas: tier.replicas,
            file: Reservation::space(tier.file),
            memory: Reservation::space(tier.memory),
            streams: Reservation::now(tier.streams, tier.max_streams),
        });
        Self {
            file: Reservation::space(usage.file),
            memory: Reservation::space(usage.memory),
            streams: Reservation::now(usage.streams, usage.max_streams),
            tiers: tiers.collect(),
            unlimited: Vec::new(),
        }
    }

    /// Counts the replicas of a declared stream that exists: a server reports the bytes of one.
    pub(crate) fn correct(&mut self, existing: &StreamConfig) {
        let others = existing.reserved_bytes().saturating_sub(of_one(existing));
        let space = self.space_of(existing.storage);
        space.before = space.before.saturating_add(others);
        space.after = space.after.saturating_add(others);
    }

    /// Counts a stream that is created, or changed from `existing`.
    pub(crate) fn count(&mut self, wanted: &StreamConfig, existing: Option<&StreamConfig>) {
        match existing {
            Some(existing) => {
                let space = self.space_of(existing.storage);
                space.after = space.after.saturating_sub(existing.reserved_bytes());
                if let Some(tier) = self.tier(existing.replicas) {
                    tier.streams.after = tier.streams.after.saturating_sub(1);
                    let space = tier.space_of(existing.storage);
                    space.after = space.after.saturating_sub(of_one(existing));
                }
            }
            None => self.streams.after += 1,
        }
        let space = self.space_of(wanted.storage);
        space.after = space.after.saturating_add(wanted.reserved_bytes());
        if let Some(tier) = self.tier(wanted.replicas) {
            tier.streams.after += 1;
            let space = tier.space_of(wanted.storage);
            space.after = space.after.saturating_add(of_one(wanted));
        }
    }

    /// Counts a bucket that is created, which has no maximum of bytes.
    pub(crate) fn count_bucket(&mut self, replicas: u8) {
        self.streams.after += 1;
        if let Some(tier) = self.tier(replicas) {
            tier.streams.after += 1;
        }
    }

    fn tier(&mut self, replicas: u8) -> Option<&mut TierReservations> {
        let mut tiers = self.tiers.iter_mut();
        tiers.find(|tier| tier.replicas == replicas)
    }

    const fn space_of(&mut self, storage: Storage) -> &mut Reservation {
        match storage {
            Storage::File => &mut self.file,
            Storage::Memory => &mut self.memory,
        }
    }

    /// The reservations that exceed their limits, with their names.
    #[must_use]
    pub fn exceeded(&self) -> Vec<(String, Reservation)> {
        let all = self.all().into_iter();
        let all = all.map(|(name, one)| (name.to_owned(), one));
        let tiers = self.tiers.iter().flat_map(TierReservations::all);
        all.chain(tiers)
            .filter(|(_, one)| one.is_exceeded())
            .collect()
    }

    const fn all(&self) -> [(&'static str, Reservation); 3] {
        [
            ("bytes on disk", self.file),
            ("bytes in memory", self.memory),
            ("streams", self.streams),
        ]
    }
}

impl TierReservations {
    const fn space_of(&mut self, storage: Storage) -> &mut Reservation {
        match storage {
            Storage::File => &mut self.file,
            Storage::Memory => &mut self.memory,
        }
    }

    fn all(&self) -> [(String, Reservation); 3] {
        let name = |what| format!("{what} of the tier R{}", self.replicas);
        [
            (name("bytes on disk"), self.file),
            (name("bytes in memory"), self.memory),
            (name("streams"), self.streams),
        ]
    }
}

/// The maximum of bytes, without the replicas; zero without one.
fn of_one(stream: &StreamConfig) -> u64 {
    stream.limits.bytes.map_or(0, NonZeroU64::get)
}

impl fmt::Display for Reservations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("reserves ")?;
        let all = self
            .all()
            .into_iter()
            .map(|(name, one)| (name.to_owned(), one));
        let tiers = self.tiers.iter().flat_map(TierReservations::all);
        // A tier says something where it is used or limited.
        let tiers = tiers.filter(|(_, one)| one.after > 0 || one.before > 0);
        for (index, (name, one)) in all.chain(tiers).enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            write!(f, "{comma}{} {name}", one.after)?;
            if one.after != one.before {
                write!(f, " (before {})", one.before)?;
            }
            if let Some(limit) = one.limit {
                write!(f, " of {limit}")?;
            }
        }
        for (name, one) in self.exceeded() {
            let limit = one.limit.unwrap_or_default();
            write!(
                f,
                "\nrefused   {} {name} are more than the {limit} of the account: lower `max_bytes` or the replicas, remove streams, or raise the limit of the account",
                one.after
            )?;
        }
        if !self.unlimited.is_empty() {
            let names: Vec<_> = self.unlimited.iter().map(Text::as_str).collect();
            write!(
                f,
                "\nwithout a limit of bytes, so that they can fill the disk: {}",
                names.join(", ")
            )?;
        }
        Ok(())
    }
}
