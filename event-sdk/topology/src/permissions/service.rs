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
    /// Subscribes without a name.
    Unnamed,
}

/// The events of one type, or those under a pattern.
#[derive(Debug, Clone, Copy)]
pub(super) struct Events {
    pub(super) name: &'static str,
    pub(super) filter: &'static str,
    pub(super) is_absolute: bool,
}

impl Service {
    /// A service that does nothing yet. `name` is the name of its user: letters, digits, `-` and
    /// `_`.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            uses: Vec::new(),
            consumes: Vec::new(),
            coordinates: false,
            diagnosable: false,
        }
    }

    /// The service publishes the events of a set, or of one event type.
    pub fn publishes<S: EventSet>(self) -> Self {
        self.uses(Use::Publish, members::<S>())
    }

    /// Like [`publishes`](Self::publishes), with expected last sequences: when a publish is
    /// repeated, it reads the last event. This needs the permission to read single events of the
    /// streams, including events of other services.
    pub fn publishes_expecting<S: EventSet>(self) -> Self {
        self.uses(Use::Expect, members::<S>())
    }

    /// Like [`publishes`](Self::publishes), through an outbox, whose relay repairs a stream that
    /// went back. This needs the permission to read single events of the streams, including events
    /// of other services.
    pub fn publishes_by_outbox<S: EventSet>(self) -> Self {
        self.uses(Use::Relay, members::<S>())
    }

    /// The service publishes events at a later time (`publish_at`, `publish_after`). This needs the
    /// permission to publish to any subject of the streams, since the server stores a scheduled
    /// event under the subject that its header names. It also needs the permission to read single
    /// events of these streams. To replace an event less than five seconds before its time, a
    /// service needs [`cancels`](Self::cancels) too.
    pub fn schedules<S: EventSet>(self) -> Self {
        self.uses(Use::Schedule, members::<S>())
    }

    /// The service lists and cancels events that are to be published later. This needs the
    /// permission to read and to delete any event of the streams, including events of other
    /// services.
    pub fn cancels<S: EventSet>(self) -> Self {
        self.uses(Use::Cancel, members::<S>())
    }

    /// The service reads stored events without a consumer (`bus.history()`), and the lag in seconds
    /// that health reports. A server has no permissions for parts of a stream, so this is the
    /// permission to read everything in the streams of these events.
    pub fn reads_history<S: EventSet>(self) -> Self {
        self.uses(Use::Read, received::<S>())
    }

    /// The service subscribes without a name (`bus.subscribe()` without `durable` or `group`). A
    /// server has no permissions for parts of a stream or for single consumers without a name. So
    /// this is the permission to read everything in the streams of these events, to take and settle
    /// the events of any consumer of these streams, and to delete any of these consumers.
    pub fn subscribes_unnamed<S: EventSet>(self) -> Self {
        self.uses(Use::Unnamed, received::<S>())
    }

    /// The service receives the events of a consumer of the topology.
    pub fn consumes(mut self, consumer: Consumes) -> Self {
        self.consumes.push(consumer);
        self
    }

    /// The service reads and writes any entry of the bucket (`bus.coordination()`), including
    /// leases and attempt records of other services. A consumer does not need this: [`Consumes`]
    /// lets it read as much, and write only its own entries.
    pub fn coordinates(mut self) -> Self {
        self.coordinates = true;
        self
    }

    /// Allows this user to ask the server who it is and what it may do (`$SYS.REQ.USER.INFO`).
    /// `doctor`, run as this user, then finds which permissions it lacks; the service itself does
    /// not ask. The answer is about this user alone, and has no secret.
    pub fn diagnosable(mut self) -> Self {
        self.diagnosable = true;
        self
    }

    fn uses(mut self, what: Use, events: Vec<Events>) -> Self {
        self.uses.push((what, events));
        self
    }
}

/// What a subscription to the set receives.
fn received<S: EventSet>() -> Vec<Events> {
    match (S::PATTERN, S::TAKES_OTHER) {
        (Some(filter), true) => vec![Events {
            name: "events",
            filter,
            is_absolute: false,
        }],
        _ => members::<S>(),
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

/// How a service runs a consumer of the topology: by default with the runtime (`bus.consumer(…)`),
/// on a durable that the deployment has created.
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

    /// The consumer keeps dead letters in this stream of the topology, and receives redriven
    /// letters. It writes and receives its own letters. But it may read the letters of all services
    /// in this stream, since it compares a letter with one that is kept already. If no other
    /// service may read the events of a service, give it its own dead-letter stream.
    pub fn dead_letters(mut self, stream: impl Into<String>) -> Self {
        self.dead_letters = Some(stream.into());
        self
    }

    /// One instance at a time handles events (`single_active()`). Partitions are known from the
    /// topology.
    pub fn single_active(self) -> Self {
        self.with(Extra::SingleActive)
    }

    /// The consumer parks events whose key is held or dead. For a consumer that is ordered by key,
    /// with one owner and [dead letters](Self::dead_letters).
    pub fn parks(self) -> Self {
        self.with(Extra::Parks)
    }

    /// The consumer creates its durables, for a service that starts before the topology is applied.
    /// With one filter in a stream, it can create them with this filter only. With several filters,
    /// the server does not check which they are, so the service can read the whole stream.
    pub fn creates_durables(self) -> Self {
        self.with(Extra::Creates)
    }

    /// The consumer is told of events that have reached `max_deliver` (the notice `Exhausted`).
    pub fn hears_exhausted(self) -> Self {
        self.with(Extra::HearsExhausted)
    }

    /// The service subscribes without the runtime (`bus.subscribe()`), so it writes no attempt
    /// records.
    pub fn by_subscription(mut self) -> Self {
        self.by = By::Subscription;
        self
    }

    /// The service only requests and settles events, and makes no other call of the JetStream API
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
