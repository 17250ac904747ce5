//! `DelayUnknown`: the option by which a subscription sets its own bounds for the delayed naks of
//! `Delivery::refuse`, in the place of the defaults of `delayed_naks`.

use std::time::Duration;

use event_sdk_core::transport::{BoundConsumer, ConsumerConfig};

use crate::delayed_naks::Bounds;

/// How many unknown events [`Delivery::refuse`](super::Delivery::refuse) delays at once, and for
/// how long. If an event exceeds one of these bounds, it is terminated with a reason, and reported
/// as [`NoticeKind::Terminated`](crate::transport::NoticeKind::Terminated).
///
/// An *unknown event* is outside the set, or has a newer major version. It is given back by a nak
/// with a delay, so that an instance that knows the event can receive it. Until the event is
/// delivered again, it counts for the consumer's `max_ack_pending`. Without bounds, unknown events
/// could block all other events.
///
/// | bound | default | unit |
/// |---|---|---|
/// | [`at_most`](Self::at_most) | a tenth of the consumer's `max_ack_pending`, at least one; 10,000 if the consumer has no such limit | events |
/// | [`for_at_most`](Self::for_at_most) | 15 minutes from the first delivery | time of the bus's clock |
///
/// All subscriptions of one bus to the same durable or group share the bounds. Each instance of a
/// service has its own bounds. So if several instances of an old version run, set `at_most` to a
/// tenth of `max_ack_pending`, divided by their number. A restarted instance counts from zero.
///
/// ```
/// # use std::time::Duration;
/// # use event_sdk::{DelayUnknown, Error, Event, EventBus, Subscriber};
/// # async fn example<E: Event>(bus: &EventBus) -> Result<Subscriber<E>, Error> {
/// bus.subscribe::<E>()
///     .durable("billing")
///     .delay_unknown(DelayUnknown::default().at_most(20).for_at_most(Duration::from_secs(3600)))
///     .await
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DelayUnknown {
    at_most: AtMost,
    for_at_most: Option<Duration>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum AtMost {
    Tenth,
    Events(usize),
    Any,
}

/// How many events are delayed where the consumer has no `max_ack_pending`.
const WITHOUT_LIMIT: usize = 10_000;

impl Default for DelayUnknown {
    /// A tenth of `max_ack_pending`, for 15 minutes.
    fn default() -> Self {
        Self {
            at_most: AtMost::Tenth,
            for_at_most: Some(Duration::from_secs(15 * 60)),
        }
    }
}

impl DelayUnknown {
    /// Without bounds: unknown events are never terminated. When they fill the consumer's
    /// `max_ack_pending`, they block all other events until an instance handles them.
    #[must_use]
    pub fn unlimited() -> Self {
        Self {
            at_most: AtMost::Any,
            for_at_most: None,
        }
    }

    /// Sets how many events are delayed at the same time; further events are terminated. The number
    /// must be at least one.
    ///
    /// An event that was delayed before is delayed again, even if other events were delayed while
    /// another subscription had the event. In this case, more events than this number may be
    /// delayed.
    #[must_use]
    pub fn at_most(mut self, events: usize) -> Self {
        self.at_most = AtMost::Events(events);
        self
    }

    /// Sets how long an event is delayed in total: from its first delivery to this instance until
    /// this time is over. An event that is refused later is terminated. No single delay exceeds the
    /// remaining time. The time must be greater than zero.
    #[must_use]
    pub fn for_at_most(mut self, time: Duration) -> Self {
        self.for_at_most = Some(time);
        self
    }

    /// Validates the bounds. The error is the end of a sentence.
    pub(super) fn check(&self) -> Result<(), String> {
        if self.at_most == AtMost::Events(0) {
            return Err("`DelayUnknown::at_most(0)` would delay nothing; use 1 or more, or terminate such events with `term`".to_owned());
        }
        if self.for_at_most.is_some_and(|time| time.is_zero()) {
            return Err("`DelayUnknown::for_at_most` of zero would delay nothing; use a longer time, or terminate such events with `term`".to_owned());
        }
        Ok(())
    }

    /// The bounds of a subscription to this consumer, which has its settings from the server.
    pub(super) fn bounds(&self, bound: &BoundConsumer) -> Bounds {
        let tenth = || match bound.config.max_ack_pending {
            Some(most) => usize::try_from(most.get() / 10)
                .unwrap_or(usize::MAX)
                .max(1),
            None => WITHOUT_LIMIT,
        };
        Bounds {
            at_most: match self.at_most {
                AtMost::Tenth => Some(tenth()),
                AtMost::Events(events) => Some(events),
                AtMost::Any => None,
            },
            for_at_most: self.for_at_most,
            // What has come to this process by then may wait for its handler so long.
            margin: longest_wait(&bound.config),
        }
    }
}

/// The longest ack wait of any attempt.
fn longest_wait(config: &ConsumerConfig) -> Duration {
    let longest = config.backoff.iter().max();
    longest.copied().unwrap_or(config.ack_wait)
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use event_sdk_core::transport::ConsumerName;

    use super::*;

    fn bounds(option: DelayUnknown, max_ack_pending: u32) -> Bounds {
        let mut config = ConsumerConfig::new(ConsumerName::Ephemeral, Vec::new());
        config.max_ack_pending = NonZeroU32::new(max_ack_pending);
        option.bounds(&BoundConsumer::created(config))
    }

    #[test]
    fn the_number_is_a_tenth_of_what_the_consumer_has() {
        for (max_ack_pending, at_most) in [(1, 1), (19, 1), (20, 2), (1_000, 100), (0, 10_000)] {
            let bounds = bounds(DelayUnknown::default(), max_ack_pending);
            assert_eq!(bounds.at_most, Some(at_most), "{max_ack_pending}");
            assert_eq!(bounds.for_at_most, Some(Duration::from_secs(900)));
            assert_eq!(bounds.margin, Duration::from_secs(30));
        }
        let given = DelayUnknown::unlimited().at_most(7);
        assert_eq!(bounds(given, 1_000).at_most, Some(7));
        let none = bounds(DelayUnknown::unlimited(), 1_000);
        assert_eq!((none.at_most, none.for_at_most), (None, None));
    }

    #[test]
    fn a_place_outlasts_every_ack_wait_of_the_consumer() {
        let margin = |change: fn(&mut ConsumerConfig)| {
            let mut config = ConsumerConfig::new(ConsumerName::Ephemeral, Vec::new());
            change(&mut config);
            let bounds = DelayUnknown::default().bounds(&BoundConsumer::created(config));
            bounds.margin.as_secs()
        };
        assert_eq!(
            margin(|config| config.ack_wait = Duration::from_secs(600)),
            600
        );
        let backoff = |config: &mut ConsumerConfig| {
            config.backoff = [1, 300, 20].map(Duration::from_secs).to_vec();
        };
        assert_eq!(margin(backoff), 300);
    }

    #[test]
    fn zero_is_refused() {
        let number = DelayUnknown::default().at_most(0);
        assert!(number.check().unwrap_err().contains("at_most(0)"));
        let time = DelayUnknown::default().for_at_most(Duration::ZERO);
        assert!(time.check().unwrap_err().contains("for_at_most"));
        for right in [DelayUnknown::default(), DelayUnknown::unlimited()] {
            assert_eq!(right.check(), Ok(()));
        }
    }
}
