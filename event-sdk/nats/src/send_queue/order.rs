//! Keeps the order of publishes when some have to be sent again.

use std::collections::BTreeSet;

/// Which messages were handed over, in which order, and what became of them as
/// far as that says whether one may be sent again.
#[derive(Debug, Default)]
pub(super) struct Order {
    /// The last that was handed over.
    last: u64,
    /// The last that a stream took.
    taken: u64,
    /// Those without responders, which are to be sent again.
    held: BTreeSet<u64>,
}

/// Whether a message without responders may be sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Turn {
    /// It is the first of those that wait for it.
    Now,
    /// One before it waits too.
    Later,
    /// Something that was published later was taken in the meantime: the order
    /// cannot be kept any more.
    Over,
}

impl Order {
    /// The place of a message that is handed over for the first time.
    pub(super) fn next(&mut self) -> u64 {
        self.last += 1;
        self.last
    }

    /// Somebody took this message.
    pub(super) fn took(&mut self, number: u64) {
        self.taken = self.taken.max(number);
    }

    /// This message waits to be sent again.
    pub(super) fn hold(&mut self, number: u64) {
        self.held.insert(number);
    }

    /// It does not wait any more.
    pub(super) fn release(&mut self, number: u64) {
        self.held.remove(&number);
    }

    /// Whether a message waits to be sent again.
    pub(super) fn holds_some(&self) -> bool {
        !self.held.is_empty()
    }

    /// Whether it may be sent again without coming before or behind another
    /// than it did.
    pub(super) fn turn(&self, number: u64) -> Turn {
        if self.taken > number {
            Turn::Over
        } else if self.held.first() == Some(&number) {
            Turn::Now
        } else {
            Turn::Later
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn three_held() -> Order {
        let mut order = Order::default();
        for number in 1..=3 {
            assert_eq!(order.next(), number);
            order.hold(number);
        }
        order
    }

    #[test]
    fn they_go_again_one_after_the_other() {
        let mut order = three_held();
        assert_eq!(order.turn(2), Turn::Later);
        assert_eq!(order.turn(1), Turn::Now);
        order.took(1);
        order.release(1);
        assert_eq!(order.turn(3), Turn::Later);
        assert_eq!(order.turn(2), Turn::Now);
        // One that fails for good makes room too.
        order.release(2);
        assert_eq!(order.turn(3), Turn::Now);
    }

    #[test]
    fn what_was_overtaken_goes_no_more() {
        let mut order = three_held();
        assert_eq!(order.next(), 4);
        assert_eq!(order.turn(1), Turn::Now);
        order.took(4);
        for number in 1..=3 {
            assert_eq!(order.turn(number), Turn::Over);
        }
    }

    #[test]
    fn one_that_was_not_asked_for_again_holds_nobody_up() {
        let mut order = three_held();
        // Nobody waits for the first, so that the second may come before it.
        order.release(1);
        order.took(2);
        order.hold(1);
        assert_eq!(order.turn(1), Turn::Over);
    }
}
