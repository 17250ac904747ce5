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
    /// For bridges, replays and tools. The body is not touched: an event needs its envelope, which
    /// [`codec`](crate::codec) writes.
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
/// Subjects and patterns are relative to the bus's prefix, as those of events are;
/// [`absolute`](Self::absolute) takes whole ones.
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
    /// The same, with subjects and patterns that are whole: the bus's prefix is not added.
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

    /// Publishes bytes to a subject: await the answer to know that they are stored.
    ///
    /// It has the confirmation, the expectations and the limits of a
    /// [typed publish](crate::Publisher::publish). It has no message id unless one is set.
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

    /// Receives the messages whose subjects the pattern matches.
    ///
    /// It has the options of a [typed subscription](EventBus::subscribe) but for `key` and
    /// `delay_unknown`, which need a type. Its [`Delivery`](crate::Delivery)s have subject, headers,
    /// bytes and settlements, and no `decode`: a message that is no event is one like any other.
    pub fn subscribe(&self, pattern: Pattern) -> Subscribe<Untyped> {
        self.subscribe_all([pattern])
    }

    /// Receives the messages whose subjects one of the patterns matches; no two of them overlap.
    pub fn subscribe_all(&self, patterns: impl IntoIterator<Item = Pattern>) -> Subscribe<Untyped> {
        Subscribe::new(self.bus.clone(), self.wanted(patterns))
    }

    /// Reads stored messages whose subjects the pattern matches, without a consumer.
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

/// In the place of a set: messages of any form, which are not decoded.
/// [`RawBus::subscribe`] and [`RawBus::history`] use it.
///
/// A `Subscriber<Untyped>` and its deliveries are those of a typed subscription without `decode`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Untyped {}
