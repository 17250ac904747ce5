//! How long a nak delays an event that this program does not know yet; bounded, since a delayed nak
//! holds a place in `max_ack_pending`.

use std::time::Duration;

use event_sdk_core::codec::DecodeErrorKind;

/// The delay of the nak after this attempt (from one), or `None` if the message is to be terminated:
/// a newer program would not read it either, or the delays before add up to `longest`.
pub(super) fn delay(
    kind: DecodeErrorKind,
    attempt: u32,
    first: Duration,
    longest: Duration,
) -> Option<Duration> {
    let known_later = matches!(
        kind,
        DecodeErrorKind::Newer | DecodeErrorKind::UnknownSubject
    );
    if !known_later {
        return None;
    }
    // A nak without delay would come back at once, and take a delivery each time.
    let first = first.max(SHORTEST);
    let doubled = attempt.saturating_sub(1).min(MOST_DOUBLINGS);
    let before = first.saturating_mul((1 << doubled) - 1);
    let left = longest.checked_sub(before).filter(|left| !left.is_zero())?;
    Some(first.saturating_mul(1 << doubled).min(left))
}

const SHORTEST: Duration = Duration::from_millis(1);

/// A millisecond doubled so often is longer than any useful limit, and fits into 32 bits.
const MOST_DOUBLINGS: u32 = 30;

#[cfg(test)]
mod tests {
    use super::*;

    const LONGEST: Duration = Duration::from_secs(900);

    fn delays(kind: DecodeErrorKind, first: Duration) -> Vec<Duration> {
        (1..)
            .map_while(|attempt| delay(kind, attempt, first, LONGEST))
            .take(100)
            .collect()
    }

    #[test]
    fn delays_double_and_add_up_to_the_longest() {
        for kind in [DecodeErrorKind::Newer, DecodeErrorKind::UnknownSubject] {
            let seconds: Vec<_> = delays(kind, Duration::from_secs(30))
                .iter()
                .map(Duration::as_secs)
                .collect();
            assert_eq!(seconds, [30, 60, 120, 240, 450]);
        }
    }

    #[test]
    fn whatever_the_first_delay_is_it_ends() {
        for first in [
            Duration::ZERO,
            Duration::from_nanos(1),
            Duration::from_secs(7),
            LONGEST,
            Duration::MAX,
        ] {
            let delays = delays(DecodeErrorKind::Newer, first);
            assert!(!delays.is_empty() && delays.len() < 100, "{first:?}");
            assert_eq!(delays.iter().sum::<Duration>(), LONGEST, "{first:?}");
        }
        assert_eq!(
            delay(DecodeErrorKind::Newer, u32::MAX, SHORTEST, LONGEST),
            None
        );
    }

    #[test]
    fn what_no_program_will_read_is_terminated() {
        for kind in [
            DecodeErrorKind::Malformed,
            DecodeErrorKind::Data,
            DecodeErrorKind::TypeMismatch,
            DecodeErrorKind::Older,
        ] {
            assert_eq!(delay(kind, 1, Duration::from_secs(30), LONGEST), None);
        }
    }
}
