//! `bus.schedules()`: cancels and lists the events that wait to be published later.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use event_sdk_core::event::EventSpec;
use event_sdk_core::subject::InvalidSubject;
use event_sdk_core::subject::grammar::{self, KeyError};
use event_sdk_core::text::Text;
use event_sdk_core::transport::{
    CancelRequest, Cancellation, Capability, Completion, Error, ErrorKind, Operation,
    ScheduledMessage, TransportExt as _,
};
use event_sdk_core::{EventSet, Pattern, Readable, Subject};
use jiff::Timestamp;

use crate::bus::{EventBus, Routes};
use crate::message::{Message, Opener};

impl EventBus {
    /// Cancels and lists the events that wait for their time.
    /// [`Publisher::publish_at`](crate::Publisher::publish_at) schedules an event.
    #[must_use]
    pub fn schedules(&self) -> Schedules {
        Schedules { bus: self.clone() }
    }
}

/// The events that wait to be published; [`EventBus::schedules`] returns it.
///
/// ```
/// use std::time::Duration;
/// use event_sdk::transport::Cancellation;
/// use event_sdk::{Event, EventBus};
/// use serde::{Deserialize, Serialize};
///
/// /// The time to pay an order is over.
/// #[derive(Event, Serialize, Deserialize)]
/// #[event(domain = "orders")]
/// struct OrderExpired { #[event(key)] order: u64 }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let bus = EventBus::memory();
/// let expired = bus.publisher::<OrderExpired>();
/// expired.publish_after(OrderExpired { order: 7 }, Duration::from_secs(900)).await?;
///
/// let waiting = bus.schedules().list::<OrderExpired>().await?;
/// assert_eq!(waiting[0].key(), "7");
/// assert_eq!(waiting[0].decode()?.order, 7);
///
/// // The order was paid.
/// let cancelled = bus.schedules().cancel::<OrderExpired>(7).await?;
/// assert_eq!(cancelled, Cancellation::InTime);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Schedules {
    bus: EventBus,
}

impl Schedules {
    /// Cancels the scheduled event `E` with this key, and returns whether this was in time. `key`
    /// is the key of the event, unless the event was scheduled with another key
    /// ([`PublishLater::schedule_key`](crate::PublishLater::schedule_key)).
    ///
    /// - [`Cancellation::InTime`]: the event is not published.
    /// - [`Cancellation::TooLate`]: the event was published, or is being published.
    /// - [`Cancellation::Unknown`]: no event waits under this key, and no published event of this
    ///   key is known. Each transport documents how far back it looks for published events.
    ///
    /// On NATS, cancelling an event that is just due can take two seconds. After that time it is
    /// known whether the server has published the event.
    ///
    /// Not cancel-safe: after dropping the future, the event may be cancelled.
    ///
    /// # Errors
    ///
    /// [`InvalidSubject`](ErrorKind::InvalidSubject) if the key is too long,
    /// [`NoStream`](ErrorKind::NoStream) if no stream stores the event,
    /// [`Unsupported`](ErrorKind::Unsupported) on a transport that cannot schedule,
    /// [`DeletionDenied`](ErrorKind::DeletionDenied),
    /// [`PermissionDenied`](ErrorKind::PermissionDenied), [`Closed`](ErrorKind::Closed), errors of
    /// the connection. After a [`Timeout`](ErrorKind::Timeout), [`Error::outcome`] says whether the
    /// event may be cancelled.
    pub fn cancel<E: Readable>(
        &self,
        key: impl fmt::Display,
    ) -> Completion<Result<Cancellation, Error>> {
        let of = Of::new(&E::SPEC, &self.bus).and_then(|of| {
            let key = schedule_key(&of.subject, &key)?;
            Ok((of, key))
        });
        let bus = self.bus.clone();
        Completion::later(async move {
            let (of, key) = of?;
            let mut cancelled = Cancellation::Unknown;
            for stream in of.streams(&bus).await? {
                let request = CancelRequest::new(stream, key.clone(), of.pattern.clone());
                cancelled = match (cancelled, bus.transport().cancel_schedule(request).await?) {
                    (Cancellation::InTime, _) | (_, Cancellation::InTime) => Cancellation::InTime,
                    (Cancellation::TooLate, _) => Cancellation::TooLate,
                    (Cancellation::Unknown, other) => other,
                };
            }
            Ok(cancelled)
        })
    }

    /// Returns the waiting events of the set `S`, ordered by their times. Unknown events are not
    /// returned, even if the set has an `other` variant.
    ///
    /// An event that is scheduled, replaced, cancelled or published during the call may be returned
    /// or not.
    ///
    /// Cancel-safe: it changes nothing.
    ///
    /// # Errors
    ///
    /// [`NoStream`](ErrorKind::NoStream) if no stream stores an event of the set,
    /// [`Unsupported`](ErrorKind::Unsupported) on a transport that cannot schedule,
    /// [`PermissionDenied`](ErrorKind::PermissionDenied), [`Closed`](ErrorKind::Closed), errors of
    /// the connection.
    pub async fn list<S: EventSet>(&self) -> Result<Vec<WaitingEvent<S>>, Error> {
        let inner = self.bus.inner();
        let opener = Arc::new(Opener {
            codec: Arc::clone(&inner.codec),
            prefix: inner.prefix.clone(),
            max_payload: inner.max_payload,
            members: S::MEMBERS,
            tracing: inner.tracing.clone(),
        });
        let mut waiting = Vec::new();
        for spec in S::MEMBERS {
            let of = Of::new(spec, &self.bus)?;
            let below = of.subject.as_str();
            for stream in of.streams(&self.bus).await? {
                let listed = inner.transport.list_schedules(&stream, below).await?;
                let events = listed
                    .into_iter()
                    .filter_map(|message| WaitingEvent::new(message, below, &opener));
                waiting.extend(events);
            }
        }
        waiting.sort_by(|one, other| (one.at, &one.key).cmp(&(other.at, &other.key)));
        Ok(waiting)
    }
}

/// An event that waits to be published: a [`Message`] with its key and time.
pub struct WaitingEvent<S> {
    message: Message<S>,
    key: String,
    at: Timestamp,
    scheduled_at: Timestamp,
    stream: Text,
}

impl<S> WaitingEvent<S> {
    /// `None` for a schedule of another client, whose key was not made from the subject `below`.
    fn new(message: ScheduledMessage, below: &str, opener: &Arc<Opener>) -> Option<Self> {
        let token = message.key.strip_prefix(below)?.strip_prefix('.')?;
        Some(Self {
            key: grammar::unescape_key(token).ok()?,
            message: Message::new(message.subject, message.headers, message.body, opener),
            at: message.at,
            scheduled_at: message.scheduled_at,
            stream: message.stream,
        })
    }

    /// The key by which the event is cancelled.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }

    /// When the event will be published.
    #[must_use]
    pub fn at(&self) -> Timestamp {
        self.at
    }

    /// When the event was scheduled.
    #[must_use]
    pub fn scheduled_at(&self) -> Timestamp {
        self.scheduled_at
    }

    /// The stream in which the event waits, and which will store it.
    #[must_use]
    pub fn stream(&self) -> &str {
        &self.stream
    }
}

impl<S> Deref for WaitingEvent<S> {
    type Target = Message<S>;

    fn deref(&self) -> &Message<S> {
        &self.message
    }
}

impl<S> fmt::Debug for WaitingEvent<S> {
    /// Without the key, which may be personal data.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WaitingEvent")
            .field("message", &self.message)
            .field("at", &self.at)
            .finish_non_exhaustive()
    }
}

/// Where the schedules of an event are.
struct Of {
    /// Its subject without the key.
    subject: Subject,
    /// All its subjects.
    pattern: Pattern,
}

impl Of {
    fn new(spec: &EventSpec, bus: &EventBus) -> Result<Self, Error> {
        let prefix = bus.prefix();
        let pattern = Pattern::parse(Text::from_static(spec.filter())).and_then(|filter| {
            if spec.is_absolute() {
                Ok(filter)
            } else {
                filter.under(prefix)
            }
        });
        Ok(Self {
            subject: event_subject(spec, prefix).map_err(|why| invalid(&why))?,
            pattern: pattern.map_err(|why| invalid(&why))?,
        })
    }

    async fn streams(&self, bus: &EventBus) -> Result<Vec<Text>, Error> {
        streams_of(self.pattern.clone(), bus).await
    }
}

/// The streams that store subjects of `pattern`, on a transport that can schedule.
pub(crate) async fn streams_of(pattern: Pattern, bus: &EventBus) -> Result<Vec<Text>, Error> {
    let needs = [Capability::Scheduler];
    bus.transport().check_needs(needs, Operation::Schedule)?;
    let routes = Routes::default();
    let routes = routes.resolve_filters(vec![pattern], bus, Operation::Schedule);
    Ok(routes
        .await?
        .into_iter()
        .map(|(stream, _)| stream)
        .collect())
}

/// The key of a schedule in its stream: the subject of the event without its key, and the key.
pub(crate) fn schedule_key(subject: &Subject, key: &dyn fmt::Display) -> Result<Text, Error> {
    let mut text = String::from(subject.as_str());
    text.push('.');
    grammar::escape_key_into(key, &mut text)
        .map_err(|why: KeyError| invalid(&why).at_subject(subject))?;
    Ok(text.into())
}

/// The subject of an event under a prefix, without its key.
pub(crate) fn event_subject(spec: &EventSpec, prefix: &str) -> Result<Subject, InvalidSubject> {
    if spec.is_absolute() {
        Subject::parse(Text::from_static(spec.subject()))
    } else {
        Subject::parse(format!("{prefix}.{}", spec.subject()))
    }
}

fn invalid(why: &impl fmt::Display) -> Error {
    let (kind, operation) = (ErrorKind::InvalidSubject, Operation::Schedule);
    Error::new(kind, operation, why.to_string())
}
