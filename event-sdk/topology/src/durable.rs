//! `DurableSpec`: a durable consumer as a constant.

use std::fmt;
use std::time::Duration;

use event_sdk::event::EventSpec;
use event_sdk::subject::grammar::check_pattern;
use event_sdk::transport::DeliverPolicy;
use event_sdk::{__private, ConsumerSpec, EventSet, RawEvent};

/// A durable consumer as a constant: its name, its events and its settings.
///
/// ```
/// use std::time::Duration;
/// use event_sdk_topology::DurableSpec;
///
/// const REPORTS: DurableSpec = DurableSpec::matching("reports", "REPORTING", "reporting.>")
///     .max_deliver(3)
///     .ack_wait(Duration::from_secs(300));
/// ```
#[derive(Clone, Copy)]
pub struct DurableSpec {
    pub(crate) name: &'static str,
    make: fn(&'static str) -> ConsumerSpec,
    pub(crate) members: &'static [&'static EventSpec],
    /// The pattern of the unknown events that it takes, if it does.
    pub(crate) other: Option<&'static str>,
    pub(crate) stream: Option<&'static str>,
    pub(crate) pattern: Option<&'static str>,
    deliver: Option<DeliverPolicy>,
    ack_wait: Option<Duration>,
    max_deliver: Option<u32>,
    max_ack_pending: Option<u32>,
    backoff: &'static [Duration],
    pub(crate) partitions: Option<u32>,
}

impl DurableSpec {
    /// A durable for the events of the set `S`, or of one event type, in whichever streams these
    /// events are stored. Its defaults are those of [`ConsumerSpec::durable`].
    #[must_use]
    pub const fn of<S: EventSet>(name: &'static str) -> Self {
        Self {
            name,
            make: ConsumerSpec::durable::<S>,
            members: S::MEMBERS,
            other: if S::TAKES_OTHER { S::PATTERN } else { None },
            stream: None,
            pattern: None,
            deliver: None,
            ack_wait: None,
            max_deliver: None,
            max_ack_pending: None,
            backoff: &[],
            partitions: None,
        }
    }

    /// A durable of `stream` for all events under `pattern`, which is relative to the prefix. For
    /// clients that have no Rust type of the events.
    ///
    /// # Panics
    ///
    /// If the pattern is malformed. In a constant, this is a compile error.
    #[must_use]
    #[track_caller]
    pub const fn matching(name: &'static str, stream: &'static str, pattern: &'static str) -> Self {
        if check_pattern(pattern).is_err() {
            __private::fail(&[
                "the pattern `",
                pattern,
                "` of the consumer `",
                name,
                "` is malformed; join tokens by dots, where `*` stands for one token and a last `>` for all that follow",
            ]);
        }
        let mut spec = Self::of::<RawEvent>(name).stream(stream);
        spec.pattern = Some(pattern);
        spec
    }

    /// Restricts the durable to this stream.
    #[must_use]
    pub const fn stream(mut self, name: &'static str) -> Self {
        self.stream = Some(name);
        self
    }

    /// Sets where the durable starts when it is created. A durable that exists keeps its position.
    /// Default: at the oldest event.
    #[must_use]
    pub const fn deliver(mut self, policy: DeliverPolicy) -> Self {
        self.deliver = Some(policy);
        self
    }

    /// Sets how long a delivery may stay unsettled before it is delivered again. Default: 30 s.
    #[must_use]
    pub const fn ack_wait(mut self, wait: Duration) -> Self {
        self.ack_wait = Some(wait);
        self
    }

    /// Sets the maximum number of deliveries of an event. Default: 0, no limit. A consumer of the
    /// runtime counts attempts itself, and needs no limit here.
    #[must_use]
    pub const fn max_deliver(mut self, deliveries: u32) -> Self {
        self.max_deliver = Some(deliveries);
        self
    }

    /// Sets the maximum number of unsettled deliveries; 0 means no limit. Default: 1,000.
    #[must_use]
    pub const fn max_ack_pending(mut self, deliveries: u32) -> Self {
        self.max_ack_pending = Some(deliveries);
        self
    }

    /// Sets the server's backoff: the ack wait of the first delivery, of the second, and so on.
    /// Default: none.
    #[must_use]
    pub const fn server_backoff(mut self, waits: &'static [Duration]) -> Self {
        self.backoff = waits;
        self
    }

    /// Declares the durables of a consumer with partitions, see [`ConsumerSpec::partitions`].
    #[must_use]
    pub const fn partitions(mut self, number: u32) -> Self {
        self.partitions = Some(number);
        self
    }

    /// The names of its durables on a server: one, or one for each partition.
    pub(crate) fn durables(&self) -> Vec<String> {
        match self.partitions {
            None => vec![self.name.to_owned()],
            Some(number) => {
                let of = |index| format!("{}-p{index}", self.name);
                (0..number).map(of).collect()
            }
        }
    }

    /// The names of durables that exist if the consumer had another number of partitions.
    pub(crate) fn other_durables(&self) -> Vec<String> {
        match self.partitions {
            None => vec![format!("{}-p0", self.name)],
            Some(number) => vec![format!("{}-p{number}", self.name), self.name.to_owned()],
        }
    }

    /// The declaration for a bus.
    #[must_use]
    pub fn spec(&self) -> ConsumerSpec {
        let mut spec = (self.make)(self.name);
        if let Some(stream) = self.stream {
            spec = spec.stream(stream);
        }
        if let Some(pattern) = self.pattern {
            spec = spec.subject(__private::pattern(pattern));
        }
        if let Some(policy) = self.deliver {
            spec = spec.deliver(policy);
        }
        if let Some(wait) = self.ack_wait {
            spec = spec.ack_wait(wait);
        }
        if let Some(deliveries) = self.max_deliver {
            spec = spec.max_deliver(deliveries);
        }
        if let Some(deliveries) = self.max_ack_pending {
            spec = spec.max_ack_pending(deliveries);
        }
        if !self.backoff.is_empty() {
            spec = spec.server_backoff(self.backoff.iter().copied());
        }
        match self.partitions {
            Some(number) => spec.partitions(number),
            None => spec,
        }
    }
}

impl fmt::Debug for DurableSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DurableSpec")
            .field("name", &self.name)
            .field("stream", &self.stream)
            .field("pattern", &self.pattern)
            .finish_non_exhaustive()
    }
}
