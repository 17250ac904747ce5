//! `bus.raw()`: publishes and receives subject, headers and bytes without a Rust type.

use std::fmt;

use bytes::Bytes;
use event_sdk_core::text::Text;
use event_sdk_core::{Pattern, Subject};

use crate::bus::{EventBus, Wanted};
use crate::history::HistoryQuery;
use crate::publish::RawPublish;
use crate::subscribe::Subscribe;

impl EventBus {
    /// Publishes and receives messages without a Rust type: subject, headers and bytes.
    ///
    /// For bridges, replays and tools. The body is published without change. To publish an event,
    /// encode its envelope with [`codec`](crate::codec).
    #[must_use]
    pub fn raw(&self) -> RawBus {
        RawBus {
            bus: self.clone(),
            absolute: false,
        }
    }
}

/// Publishes and receives messages without a Rust type. [`EventBus::raw`] returns it.
///
/// Subjects and patterns are relative to the bus's prefix, like those of events. After
/// [`absolute`](Self::absolute) they are whole, and the prefix is not added.
///
/// ```
/// use event_sdk::{EventBus, subject};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let bus = EventBus::memory();
/// let mut messages = bus.raw().subscribe(subject!("orders.>")).durable("bridge").await?;
///
/// let stored = bus.raw()
///     .publish("orders.order.placed", r#"{"id":7}"#)
///     .header("Content-Type", "application/json")
///     .message_id("order-7")
///     .await?;
/// assert_eq!(stored.sequence, Some(1));
///
/// let message = messages.next().await.ok_or("the bus was closed")??;
/// assert_eq!(message.subject().as_str(), "events.orders.order.placed");
/// assert_eq!(message.relative_subject(), Some("orders.order.placed"));
/// assert_eq!(message.headers().get("Content-Type"), Some("application/json"));
/// assert_eq!(message.body()?, r#"{"id":7}"#);
/// message.ack().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct RawBus {
    bus: EventBus,
    absolute: bool,
}

impl RawBus {
    /// Takes subjects and patterns as whole subjects: the bus's prefix is not added.
    ///
    /// ```
    /// # use event_sdk::{EventBus, subject};
    /// # use event_sdk::stream::StreamSpec;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), event_sdk::Error> {
    /// let bus = EventBus::builder()
    ///     .stream(StreamSpec::new("LEGACY").absolute("legacy.>"))
    ///     .memory()?;
    /// bus.raw().absolute().publish("legacy.tx.created", "7").await?;
    /// let history = bus.raw().absolute().history(subject!("legacy.>")).await?;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn absolute(mut self) -> Self {
        self.absolute = true;
        self
    }

    /// Publishes bytes to a subject. Await the result: when the future completes with `Ok`, the
    /// message is stored.
    ///
    /// Confirmation, expectations and limits are those of a
    /// [typed publish](crate::Publisher::publish). The message has no message id unless you set
    /// one.
    pub fn publish(&self, subject: impl Into<Text>, body: impl Into<Bytes>) -> RawPublish {
        let subject = Subject::parse(subject);
        let subject = match subject {
            Ok(relative) if !self.absolute => {
                Subject::parse(format!("{}.{relative}", self.bus.prefix()))
            }
            whole => whole,
        };
        RawPublish::new(self.bus.clone(), subject, body.into(), self.absolute)
    }

    /// Receives the messages whose subjects match the pattern, including messages that are not
    /// events.
    ///
    /// The subscription has all options of a [typed subscription](EventBus::subscribe) except
    /// [`key`](Subscribe::key) and [`delay_unknown`](Subscribe::delay_unknown). A
    /// [`Delivery`](crate::Delivery) has subject, headers and bytes, but no `decode`. It is settled
    /// like the delivery of an event.
    pub fn subscribe(&self, pattern: Pattern) -> Subscribe<Untyped> {
        self.subscribe_all([pattern])
    }

    /// Receives the messages whose subjects match one of the patterns. The patterns must not
    /// overlap.
    pub fn subscribe_all(&self, patterns: impl IntoIterator<Item = Pattern>) -> Subscribe<Untyped> {
        Subscribe::new(self.bus.clone(), self.wanted(patterns))
    }

    /// Reads the stored messages whose subjects match the pattern, without a consumer.
    pub fn history(&self, pattern: Pattern) -> HistoryQuery<Untyped> {
        HistoryQuery::new(self.bus.clone(), self.wanted([pattern]))
    }

    fn wanted(&self, patterns: impl IntoIterator<Item = Pattern>) -> Wanted {
        Wanted::Subjects {
            patterns: patterns.into_iter().collect(),
            absolute: self.absolute,
        }
    }
}

impl fmt::Debug for RawBus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RawBus")
            .field("bus", &self.bus)
            .field("absolute", &self.absolute)
            .finish()
    }
}

/// Type parameter of untyped subscriptions and history, in place of an event set.
/// [`RawBus::subscribe`] and [`RawBus::history`] use it.
///
/// `Subscriber<Untyped>` and its deliveries have all methods of a typed subscription except
/// `decode`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Untyped {}
