//! How long a nak delays an event that this program does not know yet.

use std::time::Duration;

use event_sdk_core::codec::DecodeErrorKind;

/// The delay of the nak at this attempt (from one), or `None` if the message is to be terminated,
/// since no newer program would read it either.
///
/// It doubles with each attempt, up to `longest`. It never ends in a termination: an attempt may
/// also be a handler's or a restart's, so that their number does not say how long a program that
/// knows the event has been waited for.
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
    let doubled = attempt.saturating_sub(1).min(MOST_DOUBLINGS);
    // A nak without delay would come back at once, and take a delivery each time.
    let delay = first.max(SHORTEST).saturating_mul(1 << doubled);
    known_later.then_some(delay.min(longest.max(first)))
}

const SHORTEST: Duration = Duration::from_millis(1);

/// A millisecond doubled so often is longer than any useful limit, and fits into 32 bits.
const MOST_DOUBLINGS: u32 = 30;

#[cfg(test)]
mod tests {
    use super::*;

    const LONGEST: Duration = Duration::from_secs(900);

    #[test]
    fn delays_double_up_to_the_longest() {
        for kind in [DecodeErrorKind::Newer, DecodeErrorKind::UnknownSubject] {
            let seconds = [1, 2, 3, 5, 6, 100, u32::MAX].map(|attempt| {
                delay(kind, attempt, Duration::from_secs(30), LONGEST).map(|delay| delay.as_secs())
            });
            assert_eq!(seconds, [30, 60, 120, 480, 900, 900, 900].map(Some));
        }
    }

    #[test]
    fn a_delay_is_never_zero_nor_shorter_than_it_was_asked_for() {
        let newer = |first| delay(DecodeErrorKind::Newer, 1, first, LONGEST);
        assert_eq!(newer(Duration::ZERO), Some(SHORTEST));
        assert_eq!(newer(Duration::MAX), Some(Duration::MAX));
        let hour = Duration::from_secs(3600);
        assert_eq!(newer(hour), Some(hour));
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
