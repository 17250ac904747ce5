//! `Refusals`: how `Delivery::refuse` answers an event that this program does not know: a nak whose
//! delay doubles, or a term with a reason and a notice once the delayed naks reach their bound.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use event_sdk_core::EnvelopeHeader;
use event_sdk_core::codec::DecodeErrorKind;
use event_sdk_core::shown::Shown;
use event_sdk_core::text::Text;
use event_sdk_core::time::Clock;
use event_sdk_core::transport::{DeliveryInfo, Notice, NoticeKind, Settlement, Terminated};

use super::reports::Reports;
use crate::delayed_naks::{Bounds, DelayedNaks, Verdict};
use crate::message::DecodeError;

/// The delayed naks of one consumer, for a subscription to it.
#[derive(Debug)]
pub(super) struct Refusals {
    pub(super) stream: Text,
    pub(super) consumer: Option<Text>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) bounds: Bounds,
    pub(super) naks: Arc<DelayedNaks>,
    pub(super) reports: Arc<Reports>,
}

/// How an event is refused.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// By a nak with this delay.
    Nak(Duration),
    /// By a term: no newer version could read the event either.
    Term,
    /// By a term: a newer version could read the event, but a bound does not allow a delay.
    Terminated(Terminated),
}

/// How an event is settled for good.
#[derive(Debug, Clone, Copy)]
pub(crate) enum End {
    Acked,
    Terminated,
}

impl End {
    /// What the settlement is, if it is for good.
    pub(crate) fn of(settlement: &Settlement) -> Option<Self> {
        match settlement {
            Settlement::Ack | Settlement::AckConfirmed => Some(Self::Acked),
            Settlement::Term(_) | Settlement::TermConfirmed(_) => Some(Self::Terminated),
            Settlement::Nak(_) | Settlement::InProgress => None,
        }
    }
}

impl Refusals {
    /// How to refuse this delivery. The delay of the nak is `delay` for delivery number one, and
    /// doubles with each further delivery, up to `longest`.
    pub(super) fn refuse<'a>(
        &self,
        error: &DecodeError,
        head: impl FnOnce() -> Option<&'a EnvelopeHeader>,
        info: &DeliveryInfo,
        delay: Duration,
        longest: Duration,
    ) -> Refusal {
        let Some(delay) = self::delay(error.kind(), info.attempt, delay, longest) else {
            return Refusal::Term;
        };
        // A consumer that acknowledges has a stream, whose messages have sequences.
        let Some(sequence) = info.sequence else {
            return Refusal::Nak(delay);
        };
        let now = self.clock.monotonic();
        let bounds = &self.bounds;
        let bound = match self.naks.delay(sequence, info.attempt, delay, now, bounds) {
            Verdict::Delayed(delay) => return Refusal::Nak(delay.max(SHORTEST)),
            Verdict::TooMany(delayed) => format!(
                "{delayed} such events are delayed, as many as this subscription delays at once (`DelayUnknown::at_most`; unless set, a tenth of max_ack_pending)"
            ),
            Verdict::TooLong(time) => format!(
                "it has been delayed for {time:?}, as long as this subscription delays an event (`DelayUnknown::for_at_most`)"
            ),
        };
        // The bound comes first and the rest is short, so that a transport which cuts what it tells
        // the server does not cut the bound.
        let cause = error.to_string();
        let mut reason = format!("not delayed: {bound}; {}", Shown(&cause, MAX_CAUSE));
        if let Some(head) = head() {
            // Writing to a string does not fail.
            let _ = write!(
                reason,
                "; its type is \"{}\" {}",
                Shown(&head.event_type, MAX_TYPE),
                head.version
            );
        }
        let subject = error.subject().clone();
        Refusal::Terminated(Terminated::new(subject, sequence, reason))
    }

    /// Reports an event that was terminated.
    pub(super) fn report(&self, terminated: Terminated) {
        let notice = Notice::new(NoticeKind::Terminated(terminated));
        let notice = notice.at_stream(self.stream.clone());
        self.reports.add(match &self.consumer {
            Some(consumer) => notice.at_consumer(consumer.clone()),
            None => notice,
        });
    }

    /// Keeps the place of a delayed event that is delivered again.
    pub(super) fn delivered(&self, info: &DeliveryInfo) {
        if let (Some(sequence), 2..) = (info.sequence, info.attempt) {
            self.naks.delivered_again(sequence, || {
                let now = self.clock.monotonic();
                // The place is kept for the ack wait of the handler, and then as long as that of
                // any other event.
                now.saturating_add(self.bounds.margin.saturating_mul(2))
            });
        }
    }

    /// Frees the place of an event that is settled for good.
    pub(super) fn settled(&self, sequence: u64, end: End) {
        match end {
            End::Acked => self.naks.settled(sequence),
            End::Terminated => self.naks.terminated(sequence),
        }
    }
}

/// The delay of the nak for this delivery number (starting at one), or `None` if the message must
/// be terminated, because no newer version could read it either.
///
/// The delay doubles with each delivery, up to `longest`. The delivery number never causes a
/// termination: a failed handler or a restart also raises it, so it does not show for how long the
/// event has been delayed.
fn delay(
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
    // After a nak without delay, the event would be delivered again at once, and use up deliveries.
    let delay = first.max(SHORTEST).saturating_mul(1 << doubled);
    known_later.then_some(delay.min(longest.max(first)))
}

/// The most characters of the error in a reason; the event has its subject whole.
const MAX_CAUSE: usize = 500;

/// The most characters of an event type in a reason.
const MAX_TYPE: usize = 64;

const SHORTEST: Duration = Duration::from_millis(1);

/// A millisecond doubled this many times is longer than any useful limit, and fits into 32 bits.
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
