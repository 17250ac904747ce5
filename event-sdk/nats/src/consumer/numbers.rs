//! Under which number a delivery is settled, where an acknowledgement settles
//! everything before it.
//!
//! A server takes such an acknowledgement only if the consumer's own number of the
//! delivery is higher than that of the last one, too (nats-server, `processAckMsg` in
//! `server/consumer.go`). A message that was delivered again has a new, high number:
//! acknowledged under that, it would keep what comes after it from being settled. So it
//! is settled under the number of its first delivery, and numbers rise as sequences do.

use std::collections::VecDeque;

use super::reply::{Reply, with_number};
use async_nats::Message;

/// The numbers of the deliveries that are not settled.
#[derive(Debug, Default)]
pub(super) struct Numbers {
    /// Sequences and the numbers of their first deliveries; both rise.
    first: VecDeque<(u64, u64)>,
}

impl Numbers {
    /// The number under which this delivery is settled; everything is settled up to
    /// the sequence `through`.
    pub(super) fn of(&mut self, delivery: &Reply, through: u64) -> u64 {
        while self
            .first
            .front()
            .is_some_and(|(first, _)| *first <= through)
        {
            self.first.pop_front();
        }
        let Reply {
            sequence, number, ..
        } = *delivery;
        if self.first.back().is_none_or(|(last, _)| *last < sequence) {
            self.first.push_back((sequence, number));
            return number;
        }
        let found = self
            .first
            .binary_search_by_key(&sequence, |(first, _)| *first);
        found.map_or(number, |at| self.first[at].1)
    }

    /// Forgets them: others are delivered from now on.
    pub(super) fn clear(&mut self) {
        self.first.clear();
    }
}

/// Has the numbers of these deliveries, which are in order of their sequences, rise
/// with them.
pub(super) fn in_order(deliveries: &mut [(Message, Reply)]) {
    let mut numbers: Vec<u64> = deliveries.iter().map(|(_, reply)| reply.number).collect();
    numbers.sort_unstable();
    for ((message, reply), number) in deliveries.iter_mut().zip(numbers) {
        if reply.number != number
            && let Some(subject) = &message.reply
            && let Some(other) = with_number(subject, number)
        {
            message.reply = Some(other.into());
            reply.number = number;
        }
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

    #[test]
    fn what_comes_again_keeps_its_first_number_until_it_is_settled() {
        let mut numbers = Numbers::default();
        for (sequence, number) in [(2, 1), (4, 2), (6, 3)] {
            assert_eq!(numbers.of(&delivery(1, sequence, number), 0), number);
        }
        assert_eq!(numbers.of(&delivery(2, 4, 4), 0), 2);
        assert_eq!(numbers.of(&delivery(2, 2, 5), 0), 1);
        assert_eq!(numbers.of(&delivery(1, 8, 6), 2), 6);
        assert_eq!(numbers.of(&delivery(3, 4, 7), 2), 2);
        // It was settled, or somebody else had it: then there is no other number.
        assert_eq!(numbers.of(&delivery(2, 2, 8), 2), 8);
        assert_eq!(numbers.of(&delivery(2, 5, 9), 2), 9);
        numbers.clear();
        assert_eq!(numbers.of(&delivery(2, 4, 10), 2), 10);
    }

    #[test]
    fn numbers_are_made_to_rise() {
        let mut all: Vec<_> = [(1, 9), (2, 7), (3, 8)]
            .map(|(sequence, number)| {
                let time = 1_763_697_600_123_456_789_u64;
                let subject = format!("$JS.ACK.E.c.2.{sequence}.{number}.{time}.0");
                let reply = Reply::parse(&subject).unwrap();
                let message = Message {
                    subject: "a".into(),
                    reply: Some(subject.into()),
                    payload: bytes::Bytes::new(),
                    headers: None,
                    status: None,
                    description: None,
                    length: 0,
                };
                (message, reply)
            })
            .into();
        in_order(&mut all);
        for (at, (message, reply)) in (1..).zip(&all) {
            assert_eq!((reply.sequence, reply.number), (at, 6 + at));
            assert_eq!(Reply::parse(message.reply.as_ref().unwrap()), Some(*reply));
        }
    }
}
