//! `Observer`: is called for the publishes of a bus and for the events of its consumers, for
//! metrics.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use event_sdk_core::transport::Error;

/// Is called for the publishes of a bus and for the events of its consumers. Set it with
/// [`BusBuilder::observer`](crate::BusBuilder::observer). The package `event-sdk-observe` has an
/// observer for the `metrics` facade.
///
/// The bus calls the observer in the task of the publisher or consumer, so the observer must return
/// at once. If the observer panics, the publisher or consumer continues. The observation is lost,
/// and the bus logs an error for the first panic. Without an observer, the bus does no extra work.
pub trait Observer: fmt::Debug + Send + Sync + 'static {
    /// Is called when something has happened.
    fn observe(&self, observation: &Observation<'_>);
}

/// An observer whose panics do not reach the task of a publisher or consumer.
#[derive(Debug)]
pub(crate) struct Guarded<O> {
    observer: O,
    panicked: AtomicBool,
}

impl<O> Guarded<O> {
    pub(crate) fn new(observer: O) -> Self {
        Self {
            observer,
            panicked: AtomicBool::new(false),
        }
    }
}

impl<O: Observer> Observer for Guarded<O> {
    fn observe(&self, observation: &Observation<'_>) {
        let told = catch_unwind(AssertUnwindSafe(|| self.observer.observe(observation)));
        if told.is_err() && !self.panicked.swap(true, Ordering::Relaxed) {
            tracing::error!(
                observer = ?std::any::type_name::<O>(),
                "the observer of the bus panicked; it misses what it was told then, and further \
                 panics are not logged"
            );
        }
    }
}

/// Something that has happened. Kinds and fields may be added.
///
/// `event_type` is the type of an event that the program declares, so it has few different values.
/// It is `None` for every other message: a raw message, or a message outside the set of the
/// consumer.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Observation<'a> {
    /// A publish has ended: it was confirmed, or has failed. It is not observed if its future was
    /// dropped earlier. An event that a schedule publishes later is not observed either.
    #[non_exhaustive]
    Published {
        /// The type of the event.
        event_type: Option<&'static str>,
        /// Why it failed.
        error: Option<&'a Error>,
        /// The time that the publish waited for the transport.
        took: Duration,
    },
    /// A consumer has received an event.
    #[non_exhaustive]
    Received {
        /// The name of the consumer.
        consumer: &'a str,
        /// The type of the event.
        event_type: Option<&'static str>,
        /// Whether the event was delivered before.
        redelivered: bool,
    },
    /// An attempt of a handler has ended.
    #[non_exhaustive]
    Attempted {
        /// The name of the consumer.
        consumer: &'a str,
        /// The type of the event.
        event_type: Option<&'static str>,
        /// How the attempt ended.
        end: AttemptEnd,
        /// The number of attempts that failed earlier in this delivery of the event, without
        /// outages. Above zero, this attempt was a retry. The next delivery of the event counts
        /// from zero.
        failed_before: u32,
        /// How long the attempt took; for an event of a batch, how long the whole batch took.
        took: Duration,
    },
    /// A consumer has finished an event. The consumer's [report](crate::consumer::ConsumerReport)
    /// counts the event in the field with the name of `end`.
    #[non_exhaustive]
    Ended {
        /// The name of the consumer.
        consumer: &'a str,
        /// The type of the event.
        event_type: Option<&'static str>,
        /// The outcome of the event.
        end: EventEnd,
    },
}

/// How an attempt of a handler ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AttemptEnd {
    /// The handler succeeded.
    Succeeded,
    /// The handler failed (an error, a panic, or the time limit), and the event may be handled
    /// again.
    Retry,
    /// A dependency is unavailable.
    Outage,
    /// The event will never succeed.
    Reject,
    /// The handler could not read the event.
    Unreadable,
}

impl AttemptEnd {
    /// The class of the failure as a word, as in the spans; `None` for a success.
    #[must_use]
    pub const fn failure(self) -> Option<&'static str> {
        match self {
            Self::Succeeded => None,
            Self::Retry => Some("retry"),
            Self::Outage => Some("outage"),
            Self::Reject => Some("reject"),
            Self::Unreadable => Some("unreadable"),
        }
    }
}

/// The outcome of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EventEnd {
    /// It was handled.
    Handled,
    /// It was not handled again, because the inbox has a record that an earlier delivery was
    /// handled.
    DoneBefore,
    /// It was excluded by a filter.
    Filtered,
    /// It became a dead letter.
    DeadLettered,
    /// It was terminated, because the consumer has no dead letters.
    Terminated,
    /// It was put into the park of its key. When it is handled later, it ends a second time.
    Parked,
    /// It was given back, so that a newer version of the service can receive it.
    Delayed,
    /// It was given back because the consumer ends.
    GivenBack,
}

impl EventEnd {
    /// The end as a word in snake case.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Handled => "handled",
            Self::DoneBefore => "done_before",
            Self::Filtered => "filtered",
            Self::DeadLettered => "dead_lettered",
            Self::Terminated => "terminated",
            Self::Parked => "parked",
            Self::Delayed => "delayed",
            Self::GivenBack => "given_back",
        }
    }
}
