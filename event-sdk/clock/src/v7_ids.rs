//! `V7Ids`: the default event ids, UUID version 7, increasing within a process.

use std::fmt;
use std::sync::{Mutex, PoisonError};

use event_sdk_core::time::IdSource;
use jiff::Timestamp;
use uuid::Uuid;

/// Version 7 UUIDs. The ids of one source increase, even within a millisecond and when the clock
/// goes back.
///
/// The milliseconds are followed by 74 bits. They are random in the first id of a millisecond, and
/// grow by a random step in each further id of it (RFC 9562, section 6.2, method 2).
#[derive(Default)]
pub struct V7Ids {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// The millisecond of the last id.
    millis: u64,
    /// The 74 bits behind it.
    tail: u128,
    steps: Steps,
}

/// Random steps, several from one random number.
#[derive(Default)]
struct Steps {
    bits: u64,
    left: u32,
}

/// The bits of a tail that lie in the last 64 of an id.
const LOW_BITS: u32 = 62;
/// The bits of a tail. The first is zero at the start of a millisecond: adding up
/// steps does not reach the end of it.
const TAIL_BITS: u32 = 74;
const STEP_BITS: u32 = 20;

impl V7Ids {
    /// A source of ids.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

impl IdSource for V7Ids {
    fn next_id(&self, now: Timestamp) -> Uuid {
        // Before 1970 there is no version 7; such a clock gets its first instant.
        let millis = u64::try_from(now.as_millisecond()).unwrap_or(0);
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if millis > state.millis || state.tail == 0 {
            state.millis = state.millis.max(millis);
            state.tail = Uuid::new_v4().as_u128() & ((1 << (TAIL_BITS - 1)) - 1) | 1;
        } else {
            state.tail += u128::from(state.steps.next());
        }
        id(state.millis, state.tail)
    }
}

impl Steps {
    fn next(&mut self) -> u64 {
        if self.left == 0 {
            // Its last 62 bits are random.
            self.bits = Uuid::new_v4().as_u64_pair().1;
            self.left = LOW_BITS / STEP_BITS;
        }
        let step = self.bits & ((1 << STEP_BITS) - 1);
        self.bits >>= STEP_BITS;
        self.left -= 1;
        step + 1
    }
}

/// RFC 9562, section 5.7: 48 bits of milliseconds, 4 of version, 12, 2 of variant, 62.
fn id(millis: u64, tail: u128) -> Uuid {
    let low = tail & ((1 << LOW_BITS) - 1);
    let high = (tail >> LOW_BITS) & 0xFFF;
    Uuid::from_u128(u128::from(millis) << 80 | 7 << 76 | high << 64 | 0b10 << 62 | low)
}

impl fmt::Debug for V7Ids {
    /// Does not say what comes next.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("V7Ids").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use event_sdk_core::time::IdSource;
    use jiff::Timestamp;
    use uuid::{Uuid, Variant, Version};

    use super::{TAIL_BITS, V7Ids, id};

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millisecond(millis).unwrap()
    }

    #[test]
    fn they_say_when_they_were_made() {
        let ids = V7Ids::new();
        let made = ids.next_id(at(1_762_430_400_123));
        assert_eq!(made.get_version(), Some(Version::SortRand));
        assert_eq!(made.get_variant(), Variant::RFC4122);
        let time = made.get_timestamp().unwrap().to_unix();
        assert_eq!(time, (1_762_430_400, 123_000_000));
    }

    #[test]
    fn all_of_the_tail_is_in_the_id() {
        let all = (1 << TAIL_BITS) - 1;
        let ones = id((1 << 48) - 1, all).as_u128().count_ones();
        // What is fixed has 0111 and 10.
        assert_eq!(ones, 48 + TAIL_BITS + 4);
        assert_eq!(id(0, all).get_version(), Some(Version::SortRand));
        assert_eq!(id(0, all).get_variant(), Variant::RFC4122);
    }

    #[test]
    fn they_are_in_order_within_a_millisecond_and_when_the_clock_goes_back() {
        let ids = V7Ids::new();
        let times = (0..20_000_i64).map(|n| at(1_000_000 + n / 5_000 - (n % 3)));
        let made: Vec<Uuid> = times.map(|now| ids.next_id(now)).collect();
        assert!(made.is_sorted());
        let distinct: HashSet<_> = made.iter().collect();
        assert_eq!(distinct.len(), made.len());
    }

    #[test]
    fn two_sources_make_different_ids_at_the_same_time() {
        let (one, other) = (V7Ids::new(), V7Ids::new());
        let from_one: HashSet<_> = (0..1_000).map(|_| one.next_id(at(5))).collect();
        assert!((0..1_000).all(|_| !from_one.contains(&other.next_id(at(5)))));
    }

    #[test]
    fn a_clock_before_1970_has_ids_too() {
        let ids = V7Ids::new();
        let first = ids.next_id(at(-5));
        assert!(first < ids.next_id(at(-4)));
        assert_eq!(first.get_timestamp().unwrap().to_unix(), (0, 0));
    }

    #[test]
    fn what_comes_next_is_not_shown() {
        let ids = V7Ids::new();
        ids.next_id(at(1));
        assert_eq!(format!("{ids:?}"), "V7Ids { .. }");
    }
}
