//! `Service` and `Consumes`: what a service does with the streams of a topology.

use event_sdk::EventSet;
use event_sdk::event::EventSpec;

/// What a service does. Its user may do this and nothing else.
///
/// A service that publishes through the outbox and has one owner of its consumer:
///
/// ```
/// use event_sdk::Event;
/// use event_sdk_topology::permissions::{Consumes, Service};
/// use serde::{Deserialize, Serialize};
///
/// /// An order was billed.
/// #[derive(Event, Serialize, Deserialize)]
/// #[event(domain = "billing")]
/// struct OrderBilled { #[event(key)] order: String }
///
/// let billing = Service::new("billing")
///     .publishes_by_outbox::<OrderBilled>()
///     .consumes(Consumes::durable("billing").dead_letters("DLQ").single_active());
/// # drop(billing);
/// ```
#[derive(Debug, Clone)]
#[must_use]
pub struct Service {
    pub(super) name: String,
    pub(super) uses: Vec<(Use, Vec<Events>)>,
    pub(super) consumes: Vec<Consumes>,
    pub(super) coordinates: bool,
    pub(super) diagnosable: bool,
}

/// What a service does with events, beside consuming them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    Publish,
    /// Publishes, and reads the last event when a publish is repeated.
    Expect,
    /// Publishes by a relay, which reads back.
    Relay,
    Schedule,
    Cancel,
    Read,
}

/// The events of one type, or those under a pattern.
#[derive(Debug, Clone, Copy)]
pub(super) struct Events {
    pub(super) name: &'static str,
    pub(super) filter: &'static str,
    pub(super) is_absolute: bool,
}

impl Service {
    /// A service that does nothing yet. `name` is that of its user: letters, digits, `-` and `_`.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            uses: Vec::new(),
            consumes: Vec::new(),
            coordinates: false,
            diagnosable: false,
        }
    }

    /// Publishes the events of a set, or one event type, and nothing else.
    pub fn publishes<S: EventSet>(self) -> Self {
        self.uses(Use::Publish, members::<S>())
    }

    /// The same, expecting last sequences: a publish that is repeated reads the last event. That is the
    /// permission to read single events of their streams, whosever they are.
    pub fn publishes_expecting<S: EventSet>(self) -> Self {
        self.uses(Use::Expect, members::<S>())
    }

    /// The same through an outbox, whose relay repairs a stream that went back. That is the permission to
    /// read single events of their streams, whosever they are.
    pub fn publishes_by_outbox<S: EventSet>(self) -> Self {
        self.uses(Use::Relay, members::<S>())
    }

    /// Publishes events at a later time (`publish_at`, `publish_after`). That is the permission to
    /// publish any subject of their streams, since the server stores a scheduled event under the
    /// subject that its header names, and to read single events of these streams. To replace an event less
    /// than five seconds before its time, a service needs [`cancels`](Self::cancels) too.
    pub fn schedules<S: EventSet>(self) -> Self {
        self.uses(Use::Schedule, members::<S>())
    }

    /// Lists and cancels events that are to be published later. That is the permission to read and to
    /// delete any event of their streams, whosever it is.
    pub fn cancels<S: EventSet>(self) -> Self {
        self.uses(Use::Cancel, members::<S>())
    }

    /// Reads stored events without a consumer (`bus.history()`), and the lag in seconds that health
    /// reports. A server has no permissions for parts of a stream: that is the permission to read
    /// everything in the streams of these events.
    pub fn reads_history<S: EventSet>(self) -> Self {
        let events = match (S::PATTERN, S::TAKES_OTHER) {
            (Some(filter), true) => vec![Events {
                name: "events",
                filter,
                is_absolute: false,
            }],
            _ => members::<S>(),
        };
        self.uses(Use::Read, events)
    }

    /// Receives the events of a consumer of the topology.
    pub fn consumes(mut self, consumer: Consumes) -> Self {
        self.consumes.push(consumer);
        self
    }

    /// Reads and writes any entry of the bucket (`bus.coordination()`), also leases and attempt records of
    /// other services. Consumers write less, which [`Consumes`] gives them, and read as much.
    pub fn coordinates(mut self) -> Self {
        self.coordinates = true;
        self
    }

    /// Asks the server who it is and what it may do (`$SYS.REQ.USER.INFO`), so that `doctor`, run as this
    /// user, finds what its permissions lack. The service itself does not ask. The answer is about this user
    /// alone, and has no secret.
    pub fn diagnosable(mut self) -> Self {
        self.diagnosable = true;
        self
    }

    fn uses(mut self, what: Use, events: Vec<Events>) -> Self {
        self.uses.push((what, events));
        self
    }
}

fn members<S: EventSet>() -> Vec<Events> {
    let members = S::MEMBERS.iter().copied();
    members.map(Events::of).collect()
}

impl Events {
    pub(super) fn of(spec: &'static EventSpec) -> Self {
        Self {
            name: spec.name(),
            filter: spec.filter(),
            is_absolute: spec.is_absolute(),
        }
    }
}

/// A consumer of the topology, as a service runs it: by default with the runtime
/// (`bus.consumer(…)`), on a durable that the deployment has made.
#[derive(Debug, Clone)]
#[must_use]
pub struct Consumes {
    pub(super) durable: String,
    pub(super) dead_letters: Option<String>,
    pub(super) by: By,
    extras: Vec<Extra>,
}

/// What a consumer also does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Extra {
    /// One instance at a time handles events.
    SingleActive,
    /// Parks events of keys that are held.
    Parks,
    /// Creates its durables.
    Creates,
    /// Hears of events that reach `max_deliver`.
    HearsExhausted,
}

/// How events are received.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum By {
    /// `bus.consumer(…)`.
    Runtime,
    /// `bus.subscribe(…)`.
    Subscription,
    /// `bus.subscribe(…)` with `Management::Never`.
    RequestsAlone,
}

impl Consumes {
    /// The consumer with this durable, which the topology declares.
    pub fn durable(name: impl Into<String>) -> Self {
        Self {
            durable: name.into(),
            dead_letters: None,
            by: By::Runtime,
            extras: Vec::new(),
        }
    }

    /// Keeps dead letters in this stream of the topology, and receives the redriven ones. It writes and
    /// receives its own, but may read the letters of all services in this stream, since it compares a letter
    /// that is kept already: give a service whose events no other may read a stream of its own.
    pub fn dead_letters(mut self, stream: impl Into<String>) -> Self {
        self.dead_letters = Some(stream.into());
        self
    }

    /// One instance at a time handles events (`single_active()`). Partitions are known from the
    /// topology.
    pub fn single_active(self) -> Self {
        self.with(Extra::SingleActive)
    }

    /// Parks events whose key is held or dead: a consumer that is ordered by key, with one owner and
    /// [dead letters](Self::dead_letters).
    pub fn parks(self) -> Self {
        self.with(Extra::Parks)
    }

    /// Creates its durables, for a service that starts before the topology is applied. With one filter in
    /// a stream, it can create them with this filter alone; with several, the server does not check which,
    /// so that the service can read the whole stream.
    pub fn creates_durables(self) -> Self {
        self.with(Extra::Creates)
    }

    /// Is told of events that have reached `max_deliver` (the notice `Exhausted`).
    pub fn hears_exhausted(self) -> Self {
        self.with(Extra::HearsExhausted)
    }

    /// Subscribes without the runtime (`bus.subscribe()`): no attempt records.
    pub fn by_subscription(mut self) -> Self {
        self.by = By::Subscription;
        self
    }

    /// Only requests and settles events, and makes no other call of the JetStream API
    /// (`bus.subscribe()` with `Management::Never`).
    pub fn without_api(mut self) -> Self {
        self.by = By::RequestsAlone;
        self
    }

    pub(super) fn does(&self, extra: Extra) -> bool {
        self.extras.contains(&extra)
    }

    fn with(mut self, extra: Extra) -> Self {
        self.extras.push(extra);
        self
    }
}
