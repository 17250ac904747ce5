//! `AdvisoryLetters`: writes letters from the server's advisories, for events that the server or
//! another client gave up.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use event_sdk_core::headers::Headers;
use event_sdk_core::text::Text;
use event_sdk_core::transport::{
    Advisory, AdvisoryItem, AdvisoryKind, AdvisoryRequest, Body, ConsumerConfig, ConsumerName,
    Error, ErrorKind, FoundMessage, Notice, Operation, Settlement, StoredAdvisory,
    SubscribeRequest, TransportExt as _, WhichMessage,
};
use futures_util::StreamExt as _;
use futures_util::stream::select_all;

use super::DeadLetters;
use super::class::DeadLetterClass;
use super::letter::{DeadLetter, Origin};
use super::redriven::Redriven;
use super::store::DeadLetterStore;
use crate::bus::EventBus;
use crate::partition::Partition;

/// How long it waits before it writes a letter again: at first, and at most.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// Writes letters of events that were given up outside of the consumer: the server reached
/// `max_deliver`, or another client terminated the message. (A consumer with dead letters never
/// terminates messages.)
///
/// The server reports each such event once, in an advisory, to the clients that are subscribed at
/// that time. So [`listen`](Self::listen) misses advisories that the server sends while `listen`
/// does not run. If a stream stores the advisories, [`read`](Self::read) misses none:
///
/// ```
/// use event_sdk::stream::StreamSpec;
/// use event_sdk::transport::AdvisoryKind;
///
/// let advisories = AdvisoryKind::ALL
///     .into_iter()
///     .fold(StreamSpec::new("ADVISORIES"), |stream, kind| stream.absolute(kind.subjects()));
/// ```
///
/// The message is read from its stream. A stream that drops acknowledged messages has already
/// dropped a terminated message. Then no letter can be written: the event is
/// [counted](AdvisoryReport::gone) and logged as an error.
#[derive(Clone)]
pub struct AdvisoryLetters {
    bus: EventBus,
    consumer: Text,
    /// The number of partitions, if there are any.
    partitions: Option<u32>,
    store: Arc<dyn DeadLetterStore>,
    retry: Option<Text>,
}

impl AdvisoryLetters {
    /// Writes the letters of a consumer.
    #[must_use]
    pub fn new(bus: &EventBus, letters: &DeadLetters, consumer: impl Into<Text>) -> Self {
        let place = letters.place();
        Self {
            bus: bus.clone(),
            consumer: consumer.into(),
            partitions: None,
            store: letters.open(bus),
            retry: place.map(|place| Text::copy_of(place.retry_name())),
        }
    }

    /// Declares that the consumer has `number` [partitions](crate::consumer::Consumer::partitions),
    /// each with its own durable. If no consumer can have this number, [`listen`](Self::listen) and
    /// [`read`](Self::read) return an error ([`InvalidOption`](crate::ErrorKind::InvalidOption)).
    #[must_use]
    pub fn partitions(mut self, number: u32) -> Self {
        self.partitions = Some(number);
        self
    }

    /// Listens to the server, and writes letters until the bus is closed.
    ///
    /// If a letter cannot be written, this method tries again after a pause, which grows with each
    /// attempt.
    ///
    /// Cancel-safe: dropping the future ends the listening. The letter that is being written may be
    /// stored or not.
    ///
    /// # Errors
    ///
    /// [`Unsupported`](crate::ErrorKind::Unsupported) on a transport without advisories,
    /// [`PermissionDenied`](crate::ErrorKind::PermissionDenied), and the error that ended the
    /// subscription.
    pub async fn listen(&self) -> Result<AdvisoryReport, Error> {
        let transport = self.bus.transport();
        let mut heard = Vec::new();
        for request in self.requests()? {
            heard.push(transport.listen_to_advisories(request).await?);
        }
        let mut advisories = select_all(heard);
        let mut report = AdvisoryReport::default();
        while let Some(item) = advisories.next().await {
            match item? {
                AdvisoryItem::Advisory(advisory) => {
                    self.write_at_last(&advisory, &mut report).await;
                }
                AdvisoryItem::Notice(notice) => self.warn(&notice, &mut report),
            }
        }
        Ok(report)
    }

    /// Reads advisories that a stream stores, and writes letters until the bus is closed. An advisory
    /// is acknowledged when its letter is stored.
    ///
    /// The durable on the stream has the name of the consumer. It is created if it does not exist.
    ///
    /// Cancel-safe: dropping the future ends the reading. Advisories that were not acknowledged are
    /// delivered again.
    ///
    /// # Errors
    ///
    /// The errors of [`EventBus::subscribe`], and the error that ended the subscription.
    pub async fn read(&self, stream: impl Into<Text>) -> Result<AdvisoryReport, Error> {
        let mut patterns = Vec::new();
        for request in self.requests()? {
            patterns.extend(request.patterns().map_err(|why| {
                let kind = ErrorKind::InvalidSubject;
                let error = Error::new(kind, Operation::Subscribe, why.to_string());
                error.at_consumer(self.consumer.clone())
            })?);
        }
        let name = ConsumerName::Durable(self.consumer.clone());
        let request = SubscribeRequest::new(stream, ConsumerConfig::new(name, patterns));
        let mut advisories = self.bus.transport().subscribe_advisories(request).await?;
        let mut report = AdvisoryReport::default();
        while let Some(item) = advisories.next().await {
            match item? {
                StoredAdvisory::Advisory(advisory, received) => {
                    self.write_at_last(&advisory, &mut report).await;
                    if let Some(settler) = &received.settler {
                        settler.settle(Settlement::Ack).await?;
                    }
                }
                StoredAdvisory::Notice(notice) => self.warn(&notice, &mut report),
            }
        }
        Ok(report)
    }

    /// Writes the letter of one advisory. If it is written several times, it is still stored only
    /// once.
    ///
    /// Not cancel-safe: after dropping the future, the letter may be stored or not. Writing it again
    /// is safe.
    ///
    /// # Errors
    ///
    /// [`Unsupported`](crate::ErrorKind::Unsupported) on a transport that cannot get a message,
    /// [`StreamNotFound`](crate::ErrorKind::StreamNotFound),
    /// [`PermissionDenied`](crate::ErrorKind::PermissionDenied), errors of the connection and of
    /// the store.
    pub async fn write(&self, advisory: &Advisory) -> Result<AdvisoryLetter, Error> {
        let which = WhichMessage::Sequence(advisory.stream_sequence);
        let found = self.bus.transport();
        let found = found.get_message(&advisory.stream, which).await?;
        let Some(found) = found else {
            return Ok(AdvisoryLetter::Gone);
        };
        self.store.put(&self.letter_of(advisory, found)).await?;
        Ok(AdvisoryLetter::Stored)
    }

    /// The advisories of the consumer's durables.
    fn requests(&self) -> Result<Vec<AdvisoryRequest>, Error> {
        let of = |durable| {
            let mut request = AdvisoryRequest::default();
            request.consumer = Some(durable);
            request
        };
        let durables = match self.partitions {
            None => vec![self.consumer.clone()],
            Some(number @ 1..=Partition::MOST) => (0..number)
                .map(|index| Partition::durable(&self.consumer, index))
                .collect(),
            Some(number) => {
                let most = Partition::MOST;
                let reason = format!("no consumer has {number} partitions; use 1 to {most}");
                let error = Error::new(ErrorKind::InvalidOption, Operation::Subscribe, reason);
                return Err(error.at_consumer(self.consumer.clone()));
            }
        };
        Ok(durables.into_iter().map(of).collect())
    }

    /// Writes the letter, however long that takes.
    async fn write_at_last(&self, advisory: &Advisory, report: &mut AdvisoryReport) {
        let (consumer, stream) = (&self.consumer, &advisory.stream);
        let sequence = advisory.stream_sequence;
        let mut pause = FIRST_PAUSE;
        loop {
            match self.write(advisory).await {
                Ok(AdvisoryLetter::Stored) => {
                    report.stored += 1;
                    return;
                }
                Ok(AdvisoryLetter::Gone) => {
                    report.gone += 1;
                    tracing::error!(
                        target: crate::TRACING_TARGET,
                        %consumer, %stream, sequence,
                        "the stream no longer has an event that was given up: its letter cannot be written"
                    );
                    return;
                }
                Err(error) => {
                    tracing::error!(
                        target: crate::TRACING_TARGET,
                        %consumer, %stream, sequence,
                        "the letter of an advisory is written again in {pause:?}: {error}"
                    );
                }
            }
            let clock = self.bus.clock();
            let until = clock.monotonic().saturating_add(pause);
            clock.sleep_until(until).await;
            pause = pause.saturating_mul(2).min(LONGEST_PAUSE);
        }
    }

    fn letter_of(&self, advisory: &Advisory, found: FoundMessage) -> DeadLetter {
        let inner = self.bus.inner();
        let (class, error) = match advisory.kind {
            AdvisoryKind::MaxDeliveries => (
                DeadLetterClass::MaxDeliveries,
                "the server reached max_deliver",
            ),
            _ => (DeadLetterClass::Terminated, "terminated by another client"),
        };
        let headers = found.headers.unwrap_or_default();
        let redriven = (self.retry.as_deref() == Some(advisory.stream.as_str()))
            .then(|| Redriven::from_headers(&headers))
            .flatten();
        let (body, id, event_type) = self.open(&found.body, &headers);
        let origin = if let Some(redriven) = &redriven {
            redriven.origin.clone()
        } else {
            let (stream, sequence) = (advisory.stream.clone(), advisory.stream_sequence);
            Origin::new(stream, sequence, found.subject, &inner.prefix)
        };
        let consumer = self.consumer.clone();
        let mut letter = DeadLetter::new(consumer, origin, class, advisory.time, body);
        letter.event_id = id;
        letter.event_type = event_type;
        letter.errors = vec![error.to_owned()];
        letter.reason.clone_from(&advisory.reason);
        letter.attempts = u32::try_from(advisory.deliveries).unwrap_or(u32::MAX);
        if let Some(redriven) = redriven {
            letter.redrive = redriven.redrive;
            letter.first_failure = redriven.first_failure.unwrap_or(advisory.time);
        }
        letter.headers = headers;
        letter
    }

    /// The bytes of a body, with id and type of the event if it can be read.
    fn open(&self, body: &Body, headers: &Headers) -> (Bytes, Option<uuid::Uuid>, Option<Text>) {
        let codec = &self.bus.inner().codec;
        match body {
            Body::Encoded(bytes) => {
                let head = codec.decode(bytes, headers).ok().map(|read| read.head);
                let id = head.as_ref().map(|head| head.event_id);
                (bytes.clone(), id, head.map(|head| head.event_type))
            }
            Body::Value(value) => {
                let head = value.to_header();
                let mut bytes = Vec::new();
                // A value that cannot be encoded has no bytes to keep.
                let encoded = codec.encode(&head, &*value.event, &mut Headers::new(), &mut bytes);
                let bytes = encoded.map_or_else(|_| Bytes::new(), |()| bytes.into());
                (bytes, Some(head.event_id), Some(head.event_type.clone()))
            }
        }
    }

    fn warn(&self, notice: &Notice, report: &mut AdvisoryReport) {
        report.notices += 1;
        tracing::warn!(
            target: crate::TRACING_TARGET,
            consumer = %self.consumer,
            "advisories: {notice}"
        );
    }
}

impl fmt::Debug for AdvisoryLetters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AdvisoryLetters")
            .field("consumer", &self.consumer)
            .field("store", &self.store)
            .finish_non_exhaustive()
    }
}

/// The result of writing the letter of an advisory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AdvisoryLetter {
    /// The letter is stored.
    Stored,
    /// The stream does not have the message any more, so no letter could be written.
    Gone,
}

/// What [`AdvisoryLetters`] has done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct AdvisoryReport {
    /// Letters that were stored.
    pub stored: u64,
    /// Events that were not in their streams any more.
    pub gone: u64,
    /// Notices, for example of a lost connection: advisories may have been missed.
    pub notices: u64,
}
