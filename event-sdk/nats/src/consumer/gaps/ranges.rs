//! Sets of sequences, as ranges.

/// All sequences from the first to the second.
pub(super) type Range = (u64, u64);

/// A set of sequences: ranges in ascending order that do not touch.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Ranges(Vec<Range>);

impl Ranges {
    /// Adds the sequences of these ranges; a range that ends before it begins has none.
    pub(super) fn extend(&mut self, ranges: impl IntoIterator<Item = Range>) {
        let added = ranges.into_iter().filter(|(from, to)| from <= to);
        self.0.extend(added);
        self.0.sort_unstable();
        let mut merged: Vec<Range> = Vec::with_capacity(self.0.len());
        for (from, to) in self.0.drain(..) {
            match merged.last_mut() {
                Some(last) if from <= last.1.saturating_add(1) => last.1 = last.1.max(to),
                _ => merged.push((from, to)),
            }
        }
        self.0 = merged;
    }

    /// Removes the ranges that end below this sequence.
    pub(super) fn forget_below(&mut self, sequence: u64) {
        let gone = self.0.partition_point(|(_, to)| *to < sequence);
        self.0.drain(..gone);
    }

    /// Adds the sequences of a range that are not in the set to `found`.
    pub(super) fn outside(&self, (from, to): Range, found: &mut Missing) {
        let mut next = from;
        let begin = self.0.partition_point(|(_, last)| *last < from);
        for &(first, last) in &self.0[begin..] {
            if first > to {
                break;
            }
            if let Some(end) = first.checked_sub(1) {
                found.add((next, end));
            }
            let Some(after) = last.checked_add(1) else {
                return;
            };
            next = after;
        }
        found.add((next, to));
    }
}

/// Sequences that are missing: how many, the first and the last.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Missing {
    pub(super) count: u64,
    ends: Option<Range>,
}

impl Missing {
    /// Adds the sequences of a range; one that ends before it begins has none.
    pub(super) fn add(&mut self, (from, to): Range) {
        if from > to {
            return;
        }
        self.count = self.count.saturating_add((to - from).saturating_add(1));
        self.widen((from, to));
    }

    /// Adds others, which are not among these.
    pub(super) fn join(&mut self, others: Self) {
        if let Some(ends) = others.ends {
            self.count = self.count.saturating_add(others.count);
            self.widen(ends);
        }
    }

    fn widen(&mut self, (from, to): Range) {
        self.ends = Some(match self.ends {
            None => (from, to),
            Some((first, last)) => (first.min(from), last.max(to)),
        });
    }

    /// The first and the last, if there are any.
    pub(super) fn ends(&self) -> Option<Range> {
        self.ends
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outside(known: &[Range], range: Range) -> Missing {
        let mut ranges = Ranges::default();
        ranges.extend(known.iter().copied());
        let mut missing = Missing::default();
        ranges.outside(range, &mut missing);
        missing
    }

    fn missing(count: u64, ends: Range) -> Missing {
        Missing {
            count,
            ends: Some(ends),
        }
    }

    #[test]
    fn what_is_not_in_the_set_is_found() {
        assert_eq!(outside(&[], (3, 7)), missing(5, (3, 7)));
        assert_eq!(outside(&[(5, 5)], (3, 7)), missing(4, (3, 7)));
        assert_eq!(outside(&[(1, 3), (7, 9)], (3, 7)), missing(3, (4, 6)));
        assert_eq!(outside(&[(1, 2), (8, 9)], (3, 7)), missing(5, (3, 7)));
        assert_eq!(outside(&[(4, 4), (6, 6)], (3, 7)), missing(3, (3, 7)));
        for all in [[(3, 7)], [(1, 9)], [(0, u64::MAX)]] {
            assert_eq!(outside(&all, (3, 7)), Missing::default());
        }
        assert_eq!(outside(&[], (7, 3)), Missing::default());
    }

    #[test]
    fn ranges_that_touch_are_one() {
        let mut ranges = Ranges::default();
        ranges.extend([(8, 9), (1, 2), (3, 3), (9, 12), (20, 19)]);
        assert_eq!(ranges, Ranges(vec![(1, 3), (8, 12)]));
        ranges.forget_below(3);
        assert_eq!(ranges, Ranges(vec![(1, 3), (8, 12)]));
        ranges.forget_below(4);
        assert_eq!(ranges, Ranges(vec![(8, 12)]));
    }
}
