//! `Sequenced`: a ring buffer of values by sequence, which may have holes.

use std::collections::VecDeque;

/// Values that are added in order of their sequence and removed in any order.
///
/// As long as no sequence is missing in between, a value is found at once;
/// otherwise by a binary search. What was removed in between leaves a hole, and
/// the holes are closed when there are more of them than values, so the memory
/// follows the number of values whatever is removed.
#[derive(Debug)]
pub(super) struct Sequenced<T> {
    /// The first and the last are never holes.
    slots: VecDeque<Slot<T>>,
    len: usize,
}

#[derive(Debug)]
struct Slot<T> {
    sequence: u64,
    value: Option<T>,
}

/// Fewer holes than this are left alone.
const FEW: usize = 64;

impl<T> Sequenced<T> {
    pub(super) const fn new() -> Self {
        Self {
            slots: VecDeque::new(),
            len: 0,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Adds a value; `sequence` is greater than all before it.
    pub(super) fn push(&mut self, sequence: u64, value: T) {
        debug_assert!(self.last_sequence().is_none_or(|last| last < sequence));
        self.slots.push_back(Slot {
            sequence,
            value: Some(value),
        });
        self.len += 1;
    }

    pub(super) fn first_sequence(&self) -> Option<u64> {
        self.slots.front().map(|slot| slot.sequence)
    }

    pub(super) fn last_sequence(&self) -> Option<u64> {
        self.slots.back().map(|slot| slot.sequence)
    }

    pub(super) fn first(&self) -> Option<&T> {
        self.slots.front()?.value.as_ref()
    }

    pub(super) fn get(&self, sequence: u64) -> Option<&T> {
        let index = self.position(sequence).ok()?;
        self.slots[index].value.as_ref()
    }

    pub(super) fn get_mut(&mut self, sequence: u64) -> Option<&mut T> {
        let index = self.position(sequence).ok()?;
        self.slots[index].value.as_mut()
    }

    pub(super) fn pop_first(&mut self) -> Option<(u64, T)> {
        let slot = self.slots.pop_front()?;
        let value = slot.value?;
        self.len -= 1;
        self.trim_front();
        self.close_holes();
        self.shrink();
        Some((slot.sequence, value))
    }

    pub(super) fn remove(&mut self, sequence: u64) -> Option<T> {
        let index = self.position(sequence).ok()?;
        let value = self.slots[index].value.take()?;
        self.len -= 1;
        self.trim_front();
        while self.slots.back().is_some_and(|slot| slot.value.is_none()) {
            self.slots.pop_back();
        }
        self.close_holes();
        self.shrink();
        Some(value)
    }

    /// The values from `sequence` on, in both directions.
    pub(super) fn from(&self, sequence: u64) -> impl DoubleEndedIterator<Item = (u64, &T)> {
        let (Ok(start) | Err(start)) = self.position(sequence);
        self.slots
            .range(start..)
            .filter_map(|slot| Some((slot.sequence, slot.value.as_ref()?)))
    }

    /// The values up to `sequence` and with it, in both directions.
    pub(super) fn up_to(&self, sequence: u64) -> impl DoubleEndedIterator<Item = (u64, &T)> {
        let end = match self.position(sequence) {
            Ok(index) => index + 1,
            Err(index) => index,
        };
        self.slots
            .range(..end)
            .filter_map(|slot| Some((slot.sequence, slot.value.as_ref()?)))
    }

    /// How many values there are from `sequence` on.
    pub(super) fn count_from(&self, sequence: u64) -> usize {
        if self.len == self.slots.len() {
            let (Ok(start) | Err(start)) = self.position(sequence);
            return self.len - start;
        }
        self.from(sequence).count()
    }

    /// The sequence of the first value for which `before` is false, if it is
    /// true for all before and false for all after.
    pub(super) fn partition(&self, before: impl Fn(&T) -> bool) -> Option<u64> {
        let (mut low, mut high) = (0, self.slots.len());
        while low < high {
            let middle = usize::midpoint(low, high);
            let found = self
                .slots
                .range(middle..high)
                .position(|slot| slot.value.is_some());
            match found.map(|holes| middle + holes) {
                Some(index) if self.slots[index].value.as_ref().is_some_and(&before) => {
                    low = index + 1;
                }
                _ => high = middle,
            }
        }
        self.slots
            .range(high..)
            .find(|slot| slot.value.is_some())
            .map(|slot| slot.sequence)
    }

    /// Where `sequence` is, or would be.
    fn position(&self, sequence: u64) -> Result<usize, usize> {
        let (Some(first), Some(last)) = (self.first_sequence(), self.last_sequence()) else {
            return Err(0);
        };
        if sequence < first {
            return Err(0);
        }
        if sequence > last {
            return Err(self.slots.len());
        }
        let end = self.slots.len() - 1;
        // Not further right than if no sequence were missing before it …
        let mut high = usize::try_from(sequence - first).map_or(end, |offset| offset.min(end));
        if self.slots[high].sequence == sequence {
            return Ok(high);
        }
        // … and not further left than if none were missing behind it.
        let mut low =
            usize::try_from(last - sequence).map_or(0, |offset| end.saturating_sub(offset));
        while low < high {
            let middle = usize::midpoint(low, high);
            if self.slots[middle].sequence < sequence {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        if self.slots[low].sequence == sequence {
            Ok(low)
        } else {
            Err(low)
        }
    }

    #[inline]
    fn trim_front(&mut self) {
        while self.slots.front().is_some_and(|slot| slot.value.is_none()) {
            self.slots.pop_front();
        }
    }

    /// Closes the holes when there are more of them than values.
    #[inline]
    fn close_holes(&mut self) {
        if self.slots.len() - self.len > self.len + FEW {
            self.slots.retain(|slot| slot.value.is_some());
        }
    }

    /// Gives memory back of which little is used.
    #[inline]
    fn shrink(&mut self) {
        let capacity = self.slots.capacity();
        if capacity > 16 * FEW && self.slots.len() < capacity / 8 {
            self.slots.shrink_to(capacity / 4);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::Sequenced;

    #[derive(Debug, Clone)]
    enum Step {
        Push(u64),
        Remove(u64),
        PopFirst,
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let step = prop_oneof![
            3 => (1_u64..4).prop_map(Step::Push),
            3 => (0_u64..400).prop_map(Step::Remove),
            1 => Just(Step::PopFirst),
        ];
        prop::collection::vec(step, 0..400)
    }

    proptest! {
        #[test]
        fn it_is_a_map_by_sequence(steps in steps(), probes in prop::collection::vec(0_u64..500, 20)) {
            let mut ring = Sequenced::new();
            let mut map = BTreeMap::new();
            let mut last = 0;
            for step in steps {
                match step {
                    Step::Push(ahead) => {
                        last += ahead;
                        ring.push(last, last * 10);
                        map.insert(last, last * 10);
                    }
                    Step::Remove(sequence) => {
                        prop_assert_eq!(ring.remove(sequence), map.remove(&sequence));
                    }
                    Step::PopFirst => prop_assert_eq!(ring.pop_first(), map.pop_first()),
                }
                prop_assert_eq!(ring.len(), map.len());
                prop_assert_eq!(ring.first_sequence(), map.keys().next().copied());
                prop_assert_eq!(ring.last_sequence(), map.keys().next_back().copied());
                prop_assert!(ring.slots.len() <= 2 * map.len() + super::FEW);
            }
            for probe in probes {
                prop_assert_eq!(ring.get(probe), map.get(&probe));
                let owned = |(sequence, value): (u64, &u64)| (sequence, *value);
                let copied = |(sequence, value): (&u64, &u64)| (*sequence, *value);
                let from: Vec<_> = ring.from(probe).map(owned).collect();
                prop_assert_eq!(ring.count_from(probe), from.len());
                prop_assert_eq!(from, map.range(probe..).map(copied).collect::<Vec<_>>());
                let up_to: Vec<_> = ring.up_to(probe).rev().map(owned).collect();
                prop_assert_eq!(up_to, map.range(..=probe).rev().map(copied).collect::<Vec<_>>());
                prop_assert_eq!(
                    ring.partition(|value| *value < probe * 10),
                    map.keys().find(|sequence| **sequence >= probe).copied()
                );
            }
        }
    }

    #[test]
    fn holes_are_closed_when_the_values_before_them_go() {
        let mut ring = Sequenced::new();
        for sequence in 1..=2000 {
            ring.push(sequence, sequence);
        }
        for sequence in 1001..2000 {
            ring.remove(sequence);
        }
        for left in (1..=1000).rev() {
            ring.pop_first();
            assert_eq!(ring.len(), left);
            let slots = ring.slots.len();
            assert!(slots <= 2 * left + super::FEW, "{slots} for {left}");
        }
    }

    #[test]
    fn memory_is_given_back_after_a_burst() {
        let mut ring = Sequenced::new();
        for sequence in 1..=100_000 {
            ring.push(sequence, sequence);
        }
        for _ in 0..99_990 {
            ring.pop_first();
        }
        assert_eq!(ring.len(), 10);
        assert!(
            ring.slots.capacity() <= 16 * super::FEW,
            "{}",
            ring.slots.capacity()
        );
    }
}
