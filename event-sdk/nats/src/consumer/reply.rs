//! Parses the `$JS.ACK…` reply subject: stream, sequences, attempt, time and pending count of a
//! delivery.

use std::borrow::Cow;

use jiff::Timestamp;

/// What stands in `$JS.ACK.…`, the subject to which a delivery is settled.
///
/// It has nine tokens, or two more after `ACK` (domain and account) and any
/// number at its end (NATS ADR-15, "JetStream Subject Namespace").
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Reply {
    /// Which delivery of the message it is, from one.
    pub(super) attempt: u32,
    /// The message's sequence in its stream.
    pub(super) sequence: u64,
    /// How many deliveries the consumer has made, this one included.
    pub(super) number: u64,
    /// When the message was stored.
    pub(super) stored_at: Timestamp,
    /// How many messages the consumer has to deliver for the first time after it.
    pub(super) pending: u64,
}

/// The same subject for another message of the consumer: its sequence, and the number of its
/// delivery. `None` if it is no such subject.
pub(super) fn with_position(subject: &str, sequence: u64, number: u64) -> Option<String> {
    tokens(subject)?;
    let count = subject.split('.').count();
    // `$JS.ACK`, and domain and account where it has them.
    let first = if count > 2 + SHORT { 4 } else { 2 };
    let tokens = subject.split('.').enumerate().map(|(place, token)| {
        Cow::from(match place.checked_sub(first) {
            Some(3) => return Cow::from(sequence.to_string()),
            Some(4) => return Cow::from(number.to_string()),
            _ => token,
        })
    });
    Some(tokens.collect::<Vec<_>>().join("."))
}

const PREFIX: &str = "$JS.ACK.";

/// How many tokens follow the prefix: stream, consumer, attempt, sequence, the
/// consumer's own sequence, time, pending.
const SHORT: usize = 7;

/// How many there are with a domain and an account before them.
const LONG: usize = 9;

const NANOS: i64 = 1_000_000_000;

impl Reply {
    /// Reads it; `None` if it is no such subject.
    pub(super) fn parse(subject: &str) -> Option<Self> {
        let [_stream, _consumer, attempt, sequence, number, time, pending] = tokens(subject)?;
        let nanos: i64 = time.parse().ok()?;
        // The remainder of a division by a billion fits.
        let fraction = i32::try_from(nanos % NANOS).ok()?;
        Some(Self {
            // More deliveries than can be counted stay at that number.
            attempt: attempt.parse::<u64>().ok()?.try_into().unwrap_or(u32::MAX),
            sequence: sequence.parse().ok()?,
            number: number.parse().ok()?,
            stored_at: Timestamp::new(nanos / NANOS, fraction).ok()?,
            pending: pending.parse().ok()?,
        })
    }
}

/// The name of the consumer that delivered it; `None` if it is no such subject.
pub(super) fn consumer(subject: &str) -> Option<&str> {
    let [_stream, consumer, ..] = tokens(subject)?;
    Some(consumer)
}

/// What follows the prefix, without domain and account.
fn tokens(subject: &str) -> Option<[&str; SHORT]> {
    let rest = subject.strip_prefix(PREFIX)?;
    // Where each token ends. Byte by byte: tokens are too short for a search to pay.
    let mut ends = [rest.len(); LONG];
    let mut found = 0;
    for (at, byte) in rest.bytes().enumerate() {
        if byte == b'.' {
            ends[found] = at;
            found += 1;
            if found == LONG {
                break;
            }
        }
    }
    // The last one ends with the subject, unless more follow than are known.
    let from = match (found + 1).min(LONG) {
        SHORT => 0,
        LONG => LONG - SHORT,
        _ => return None,
    };
    let mut begin = from.checked_sub(1).map_or(0, |before| ends[before] + 1);
    let mut tokens = [""; SHORT];
    for (token, end) in tokens.iter_mut().zip(&ends[from..]) {
        *token = &rest[begin..*end];
        begin = end + 1;
    }
    Some(tokens)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIME: &str = "1763697600123456789";

    fn expected() -> Reply {
        Reply {
            attempt: 3,
            sequence: 100,
            number: 7,
            stored_at: Timestamp::new(1_763_697_600, 123_456_789).unwrap(),
            pending: 42,
        }
    }

    #[test]
    fn the_short_form_is_read() {
        let subject = format!("$JS.ACK.EVENTS.billing.3.100.7.{TIME}.42");
        assert_eq!(Reply::parse(&subject), Some(expected()));
        assert_eq!(consumer(&subject), Some("billing"));
    }

    #[test]
    fn the_long_forms_are_read_with_and_without_a_domain_and_more_tokens() {
        for around in [("_", ""), ("hub", ""), ("hub", ".x7"), ("_", ".x7.later")] {
            let (domain, end) = around;
            let subject = format!("$JS.ACK.{domain}.acchash.EVENTS.billing.3.100.7.{TIME}.42{end}");
            assert_eq!(Reply::parse(&subject), Some(expected()), "{subject}");
            assert_eq!(consumer(&subject), Some("billing"), "{subject}");
        }
    }

    #[test]
    fn the_position_is_changed_in_all_forms() {
        for (start, end) in [("", ""), ("_.acchash.", ""), ("hub.acchash.", ".x7.later")] {
            let subject = format!("$JS.ACK.{start}EVENTS.billing.3.100.7.{TIME}.42{end}");
            let other = with_position(&subject, 90, 5).unwrap();
            let expected = format!("$JS.ACK.{start}EVENTS.billing.3.90.5.{TIME}.42{end}");
            assert_eq!(other, expected);
        }
        assert_eq!(with_position("_INBOX.abc.1", 90, 5), None);
    }

    #[test]
    fn what_is_something_else_is_refused() {
        for subject in [
            "",
            "$JS.ACK.",
            "_INBOX.abc.1",
            "$JS.FC.EVENTS.billing.3.100.7.1763697600123456789.42",
            "$JS.ACK.EVENTS.billing.3.100.7.1763697600123456789",
            "$JS.ACK.hash.EVENTS.billing.3.100.7.1763697600123456789.42",
            "$JS.ACK.EVENTS.billing.x.100.7.1763697600123456789.42",
            "$JS.ACK.EVENTS.billing.3.-1.7.1763697600123456789.42",
            "$JS.ACK.EVENTS.billing.3.100.7.99999999999999999999999.42",
            "$JS.ACK.EVENTS.billing.3.100.7.1763697600123456789.",
        ] {
            assert_eq!(Reply::parse(subject), None, "{subject}");
        }
    }

    #[test]
    fn more_attempts_than_can_be_counted_stay_at_the_most() {
        let subject = format!("$JS.ACK.EVENTS.billing.{}.100.7.{TIME}.42", u64::MAX);
        assert_eq!(
            Reply::parse(&subject).map(|reply| reply.attempt),
            Some(u32::MAX)
        );
    }
}
