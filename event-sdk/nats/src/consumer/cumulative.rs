//! `Cumulative`: where an acknowledgement settles everything before it, under which number it is sent,
//! and up to which sequence everything is settled.
//!
//! A server accepts such an acknowledgement only if two numbers are higher than in the last one:
//! the sequence, and the number that the consumer gave the delivery (nats-server, `processAckMsg`
//! in `server/consumer.go`). First deliveries have numbers in the order of their sequences; a
//! message that is delivered again has a new, high number. If it were acknowledged under the new
//! number, the server would ignore the acknowledgements of the messages that follow. So each
//! message is acknowledged under the number of its first delivery. If that is not known, because
//! the delivery went to another instance or was lost with a connection, a lower number is used.
//!
//! An acknowledgement of a previous owner may arrive late, with a higher number than this
//! subscription uses. The server would then ignore the acknowledgements of this subscription.
//! Therefore the highest message that was delivered before this subscription began is acknowledged
//! under the number of deliveries at that time. No acknowledgement of a previous owner has a higher
//! number.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::bind::Delivered;
use super::reply::Reply;

/// The acknowledgements of one subscription.
#[derive(Debug, Default)]
pub(super) struct Cumulative {
    /// Everything up to this sequence is settled from here.
    through: AtomicU64,
    numbers: Mutex<Numbers>,
}

#[derive(Debug, Default)]
struct Numbers {
    /// Sequences that are not settled, and the numbers of their first deliveries; both rise.
    first: VecDeque<(u64, u64)>,
    /// The number of the last acknowledgement.
    last: u64,
    /// The last delivery before the consumer was bound.
    before: Delivered,
}

impl Cumulative {
    /// The consumer was bound. `acknowledged` is the last acknowledgement before, and `before` the last
    /// delivery.
    pub(super) fn bound(&self, acknowledged: Delivered, before: Delivered) {
        let mut numbers = self.lock();
        numbers.last = acknowledged.consumer_seq;
        numbers.before = before;
    }

    /// A message is delivered to the caller.
    pub(super) fn delivered(&self, reply: &Reply) {
        if reply.attempt > 1 {
            return;
        }
        let mut numbers = self.lock();
        let last = numbers.first.back().map_or(0, |(last, _)| *last);
        if reply.sequence <= last.max(self.through()) {
            // The consumer was reset, or made again: it counts anew.
            *numbers = Numbers::default();
            self.through
                .store(reply.sequence.saturating_sub(1), Ordering::Release);
        }
        numbers.first.push_back((reply.sequence, reply.number));
    }

    /// Up to which sequence everything is settled.
    pub(super) fn through(&self) -> u64 {
        self.through.load(Ordering::Acquire)
    }

    /// The number under which this sequence is acknowledged, with everything before it; `None` if it
    /// is settled.
    pub(super) fn number(&self, sequence: u64) -> Option<u64> {
        if sequence <= self.through() {
            return None;
        }
        let numbers = self.lock();
        let place = numbers
            .first
            .partition_point(|(first, _)| *first < sequence);
        if let Some((_, number)) = numbers.first.get(place).filter(|(at, _)| *at == sequence) {
            return Some(*number);
        }
        let below = place
            .checked_sub(1)
            .and_then(|below| numbers.first.get(below));
        let lowest = below.map_or(0, |(_, number)| *number).max(numbers.last);
        let lowest = lowest.saturating_add(1);
        Some(if sequence == numbers.before.stream_seq {
            lowest.max(numbers.before.consumer_seq)
        } else {
            lowest
        })
    }

    /// An acknowledgement was sent under this number.
    pub(super) fn acknowledged(&self, sequence: u64, number: u64) {
        self.through.fetch_max(sequence, Ordering::AcqRel);
        let mut numbers = self.lock();
        numbers.last = numbers.last.max(number);
        let settled = numbers
            .first
            .partition_point(|(first, _)| *first <= sequence);
        numbers.first.drain(..settled);
    }

    /// The last acknowledgement, to be sent once more: what it settles was delivered again.
    pub(super) fn last(&self) -> (u64, u64) {
        (self.through(), self.lock().last)
    }

    fn lock(&self) -> MutexGuard<'_, Numbers> {
        // Nothing in here panics half way.
        self.numbers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn delivery(attempt: u32, sequence: u64, number: u64) -> Reply {
        let time = 1_763_697_600_123_456_789_u64;
        let subject = format!("$JS.ACK.EVENTS.billing.{attempt}.{sequence}.{number}.{time}.0");
        Reply::parse(&subject).unwrap()
    }

    fn position(consumer_seq: u64, stream_seq: u64) -> Delivered {
        Delivered {
            consumer_seq,
            stream_seq,
        }
    }

    fn acknowledge(acks: &Cumulative, sequence: u64) -> Option<u64> {
        let number = acks.number(sequence)?;
        acks.acknowledged(sequence, number);
        Some(number)
    }

    #[test]
    fn a_message_that_comes_again_keeps_its_first_number() {
        let acks = Cumulative::default();
        for (sequence, number) in [(2, 1), (4, 2), (6, 3)] {
            acks.delivered(&delivery(1, sequence, number));
        }
        acks.delivered(&delivery(2, 4, 4));
        acks.delivered(&delivery(2, 2, 5));
        assert_eq!(acknowledge(&acks, 4), Some(2));
        assert_eq!(acks.through(), 4);
        // It was settled with that.
        assert_eq!(acknowledge(&acks, 2), None);
        assert_eq!(acknowledge(&acks, 6), Some(3));
        assert_eq!(acks.last(), (6, 3));
    }

    #[test]
    fn numbers_that_are_not_known_stay_below_those_that_follow() {
        let acks = Cumulative::default();
        // Ten deliveries up to sequence 9, of which those up to 5 were acknowledged.
        acks.bound(position(4, 5), position(10, 9));
        for (sequence, number) in [(6, 11), (7, 12), (9, 13)] {
            acks.delivered(&delivery(3, sequence, number));
        }
        acks.delivered(&delivery(1, 12, 14));
        acks.delivered(&delivery(1, 15, 17));
        acks.delivered(&delivery(2, 13, 18));
        assert_eq!(acknowledge(&acks, 6), Some(5));
        assert_eq!(acknowledge(&acks, 7), Some(6));
        // Whatever the previous owner has sent, its number is not higher.
        assert_eq!(acknowledge(&acks, 9), Some(10));
        assert_eq!(acknowledge(&acks, 12), Some(14));
        // Its first delivery, 15 or 16, was lost.
        assert_eq!(acknowledge(&acks, 13), Some(15));
        assert_eq!(acknowledge(&acks, 15), Some(17));
    }

    #[test]
    fn a_consumer_that_begins_again_counts_anew() {
        let acks = Cumulative::default();
        acks.bound(position(0, 0), position(0, 0));
        for sequence in 1..=5 {
            acks.delivered(&delivery(1, sequence, sequence));
        }
        assert_eq!(acknowledge(&acks, 4), Some(4));
        // It was set back to sequence 3.
        acks.delivered(&delivery(1, 3, 1));
        assert_eq!(acks.through(), 2);
        assert_eq!(acknowledge(&acks, 3), Some(1));
    }
}
