//! `SequentialIds`: repeatable event ids for tests.

use std::sync::atomic::{AtomicU64, Ordering};

use jiff::Timestamp;
use uuid::{Builder, Uuid};

use crate::IdSource;

/// Version 7 ids that are made only from the clock and a counter: with a
/// [`SteppedClock`](super::SteppedClock), a program makes the same ids each time it runs.
///
/// The first 48 bits are the milliseconds of the clock, the next 12 the [number](Self::numbered) of
/// the source, and the last 62 the counter (1, 2, 3, …). The ids of one source never repeat. They
/// increase in the order in which they are made, as long as the clock does not go back.
///
/// ```
/// use event_sdk::time::{SequentialIds, SteppedClock};
/// use event_sdk::time::IdSource;
///
/// let ids = SequentialIds::new();
/// let first = ids.next_id(SteppedClock::START);
/// assert_eq!(first.to_string(), "01941f29-7c00-7000-8000-000000000001");
/// ```
#[derive(Debug, Default)]
pub struct SequentialIds {
    source: u16,
    made: AtomicU64,
}

impl SequentialIds {
    /// A source that has made no ids yet.
    #[must_use]
    pub const fn new() -> Self {
        Self::numbered(0)
    }

    /// A source whose ids differ from the ids of sources with other numbers. Only the lowest 12
    /// bits of `source` count.
    #[must_use]
    pub const fn numbered(source: u16) -> Self {
        Self {
            source,
            made: AtomicU64::new(0),
        }
    }
}

impl IdSource for SequentialIds {
    fn next_id(&self, now: Timestamp) -> Uuid {
        let number = self.made.fetch_add(1, Ordering::Relaxed).wrapping_add(1);
        // Before 1970 there is no version 7; such a clock gets its first instant.
        let millis = u64::try_from(now.as_millisecond()).unwrap_or(0);
        let mut bits = [0; 10];
        bits[..2].copy_from_slice(&(self.source & 0x0fff).to_be_bytes());
        bits[2..].copy_from_slice(&number.to_be_bytes());
        Builder::from_unix_timestamp_millis(millis, &bits).into_uuid()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use uuid::{Variant, Version};

    use super::*;
    use crate::SteppedClock;

    #[test]
    fn the_ids_are_valid_and_of_version_7() {
        let ids = SequentialIds::numbered(0xffff);
        for _ in 0..1000 {
            let id = ids.next_id(SteppedClock::START);
            assert_eq!(id.get_version(), Some(Version::SortRand));
            assert_eq!(id.get_variant(), Variant::RFC4122);
        }
    }

    #[test]
    fn the_same_clock_and_count_make_the_same_ids() {
        let make = || {
            let ids = SequentialIds::new();
            let clock = SteppedClock::new();
            std::array::from_fn::<Uuid, 5, _>(|_| {
                clock.advance(std::time::Duration::from_millis(7));
                ids.next_id(crate::Clock::now(&clock))
            })
        };
        assert_eq!(make(), make());
    }

    #[test]
    fn an_id_says_when_it_was_made() {
        let id = SequentialIds::new().next_id(SteppedClock::START);
        let (seconds, _) = id.get_timestamp().unwrap().to_unix();
        assert_eq!(
            i64::try_from(seconds).unwrap(),
            SteppedClock::START.as_second()
        );
    }

    #[test]
    fn ids_are_in_the_order_of_their_making() {
        let ids = SequentialIds::new();
        let made: Vec<_> = (0..1000)
            .map(|_| ids.next_id(SteppedClock::START))
            .collect();
        assert!(made.is_sorted());
    }

    #[test]
    fn no_id_comes_twice_not_even_from_a_clock_that_goes_back() {
        let (one, other) = (SequentialIds::numbered(1), SequentialIds::numbered(2));
        let times = [
            SteppedClock::START,
            Timestamp::UNIX_EPOCH,
            Timestamp::MIN,
            Timestamp::MAX,
        ];
        let made: HashSet<_> = times
            .iter()
            .cycle()
            .take(400)
            .flat_map(|&now| [one.next_id(now), other.next_id(now)])
            .collect();
        assert_eq!(made.len(), 800);
    }
}
