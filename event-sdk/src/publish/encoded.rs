//! `EncodedEvent`: an event as the message that a publish would send, for outboxes that store the
//! message first and publish it later.

use std::fmt;

use bytes::Bytes;
use event_sdk_core::headers::Headers;
use event_sdk_core::text::Text;
use event_sdk_core::transport::{Error, ErrorKind, MessageId, Operation};
use event_sdk_core::{Event, Subject};
use uuid::Uuid;

use super::dispatch::Dispatch;
use super::{IntoPublishable, Publishable, Publisher};

/// An event encoded by the codec of a bus: subject, headers and bytes of the message.
///
/// [`Publisher::encode`] returns it. To send the same message as [`Publisher::publish`], call
/// [`RawBus::absolute`](crate::RawBus::absolute), pass the subject and the body to
/// [`RawBus::publish`](crate::RawBus::publish), and add the headers and the message id.
///
/// Fields may be added.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct EncodedEvent {
    /// The id of the event.
    pub event_id: Uuid,
    /// The time of the event.
    pub timestamp: jiff::Timestamp,
    /// The whole subject, with the prefix of the bus.
    pub subject: Subject,
    /// The headers, including those of the codec and of the trace context.
    pub headers: Headers,
    /// The encoded envelope.
    pub body: Bytes,
    /// The id by which a stream recognizes duplicates.
    pub message_id: Text,
    /// The key. Events with the same key stay in order.
    pub key: Option<Text>,
}

impl fmt::Debug for EncodedEvent {
    /// Without key and body, which may be personal.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EncodedEvent")
            .field("event_id", &self.event_id)
            .field("subject", &self.subject)
            .field("headers", &self.headers)
            .field("body_len", &self.body.len())
            .finish_non_exhaustive()
    }
}

impl<E: Event> Publisher<E> {
    /// Encodes an event without publishing it, with the codec, the prefix and the limits of the
    /// bus. An event that is not prepared gets its id and time now.
    ///
    /// Outboxes and schedulers use this method: they store the message, and publish it later with
    /// [`EventBus::raw`](crate::EventBus::raw).
    ///
    /// ```
    /// # use event_sdk::{Event, EventBus};
    /// # use serde::{Deserialize, Serialize};
    /// # #[derive(Event, Serialize, Deserialize)]
    /// # #[event(domain = "orders")]
    /// # struct OrderPlaced { #[event(key)] id: u64 }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let bus = EventBus::memory();
    /// let event = bus.publisher().encode(OrderPlaced { id: 7 })?;
    /// assert_eq!(event.subject.as_str(), "events.orders.order.placed");
    /// assert_eq!(event.key.as_deref(), Some("7"));
    /// assert_eq!(event.message_id, event.event_id.to_string().as_str());
    ///
    /// // Later, perhaps in another process:
    /// bus.raw().absolute()
    ///     .publish(event.subject.as_str(), event.body)
    ///     .headers(&event.headers)
    ///     .message_id(event.message_id)
    ///     .await?;
    /// let mut stored = bus.history::<OrderPlaced>().await?;
    /// let stored = stored.next().await.ok_or("nothing is stored")??;
    /// assert_eq!(stored.event_id()?, event.event_id);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`InvalidSubject`](ErrorKind::InvalidSubject), [`InvalidHeader`](ErrorKind::InvalidHeader),
    /// [`Encode`](ErrorKind::Encode), [`TooLarge`](ErrorKind::TooLarge), and
    /// [`InvalidOption`](ErrorKind::InvalidOption) if the event expects a sequence or has a
    /// [roll-up](super::Prepared::roll_up), because neither is possible for a message that is
    /// published later.
    pub fn encode(&self, event: impl IntoPublishable<E>) -> Result<EncodedEvent, Error> {
        let prepared = match event.into_publishable() {
            new @ Publishable::New(_) => self.prepare(new),
            Publishable::Prepared(prepared) => prepared,
        };
        encode(self.dispatch(), &prepared)
    }
}

fn encode<E: Event>(
    dispatch: &Dispatch<E>,
    prepared: &super::Prepared<E>,
) -> Result<EncodedEvent, Error> {
    let subject = dispatch.subject_of(prepared.event())?;
    let encoded = || -> Result<EncodedEvent, Error> {
        if let Some(extra) = prepared.extra() {
            extra.check()?;
            if !extra.expect.is_empty() {
                return Err(Error::new(
                    ErrorKind::InvalidOption,
                    Operation::Publish,
                    "an event that is encoded to be published later cannot expect a sequence; publish it directly, or remove the expectation",
                ));
            }
            if extra.roll_up.is_some() {
                return Err(Error::new(
                    ErrorKind::InvalidOption,
                    Operation::Publish,
                    "an event that is encoded to be published later cannot roll up earlier ones, since others may be stored before it; publish it directly, or remove the roll-up",
                ));
            }
        }
        let mut headers = prepared.headers().clone();
        let span = dispatch.open_span(prepared, &subject, &mut headers);
        let body = dispatch.encoded(prepared, &mut headers);
        let body = body.inspect_err(|error| {
            if let Some(span) = &span {
                span.failed(error);
            }
        })?;
        let own_id = prepared.extra().and_then(|extra| extra.message_id.as_ref());
        let message_id = match own_id {
            Some(MessageId::Text(text)) => text.clone(),
            Some(MessageId::Event(id)) => id.to_string().into(),
            None => prepared.id().to_string().into(),
        };
        let head = prepared.head();
        let key = match &head.metadata.key {
            Some(key) => Some(Text::copy_of(&key.text())),
            None => prepared.event().key().map(|key| key.to_string().into()),
        };
        Ok(EncodedEvent {
            event_id: prepared.id(),
            timestamp: head.timestamp,
            subject: subject.clone(),
            headers,
            body,
            message_id,
            key,
        })
    };
    encoded().map_err(|error| match error.subject() {
        Some(_) => error,
        None => error.at_subject(&subject),
    })
}
