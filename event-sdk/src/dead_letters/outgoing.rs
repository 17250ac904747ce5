//! Publishes one message of dead letters once: to a subject that has none yet.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

use bytes::Bytes;
use event_sdk_core::Subject;
use event_sdk_core::headers::{Headers, InvalidHeader};
use event_sdk_core::subject::Pattern;
use event_sdk_core::transport::{
    Body, Error, ErrorKind, HistoryRequest, Operation, PublishRequest, Stored, StoredMessage,
    TransportExt as _,
};
use futures_util::{StreamExt as _, TryStreamExt as _};

use crate::bus::EventBus;

/// One message of the dead-letter or retry stream.
#[derive(Clone)]
pub(super) struct Outgoing {
    pub(super) subject: String,
    pub(super) headers: Headers,
    pub(super) body: Bytes,
}

/// What came of publishing a message once.
pub(super) enum Once {
    /// It was stored, at this sequence.
    Stored(Stored),
    /// The subject has another last sequence.
    Other,
}

/// Stores the message if `last` is the last sequence on its subject; zero: if there is none.
///
/// The body is not limited by the bus's `max_payload`: an event above it is a dead letter too.
pub(super) async fn publish(bus: &EventBus, message: Outgoing, last: u64) -> Result<Once, Error> {
    let inner = bus.inner();
    let subject = parse(&message.subject)?;
    let mut request = PublishRequest::new(&subject, Body::Encoded(message.body));
    request.headers = message.headers;
    request.expect.last_subject_sequence = Some(last);
    let needs = request.needs();
    inner.transport.check_needs(needs, Operation::Publish)?;
    let timeout = inner.publish_timeout;
    let until = inner.clock.monotonic().saturating_add(timeout);
    let handed_over = inner.transport.publish(request);
    let mut stored = pin!(async { handed_over.await?.await });
    let mut deadline = inner.clock.sleep_until(until);
    let stored = poll_fn(|cx| {
        if let Poll::Ready(stored) = stored.as_mut().poll(cx) {
            return Poll::Ready(stored);
        }
        deadline.as_mut().poll(cx).map(|()| {
            let reason = format!("not confirmed within {timeout:?}; repeat it: it is stored once");
            let error = Error::new(ErrorKind::Timeout, Operation::Publish, reason);
            Err(error.with_unknown_outcome())
        })
    });
    match stored.await {
        Ok(stored) => Ok(Once::Stored(stored)),
        Err(error) => match error.kind() {
            ErrorKind::WrongLastSequence { .. } => Ok(Once::Other),
            _ if error.subject().is_some() => Err(error),
            _ => Err(error.at_subject(&subject)),
        },
    }
}

/// The last message on a subject.
pub(super) async fn last_of(
    bus: &EventBus,
    stream: &str,
    subject: &str,
) -> Result<Option<StoredMessage>, Error> {
    let filter = Pattern::from(parse(subject)?);
    let mut request = HistoryRequest::new(stream, vec![filter]);
    request.order = event_sdk_core::transport::Order::NewestFirst;
    request.limit = Some(1);
    let mut messages = bus.transport().read_history(request).await?;
    messages.next().await.transpose()
}

/// All messages on a subject, the oldest first.
pub(super) async fn all_of(
    bus: &EventBus,
    stream: &str,
    subject: &str,
) -> Result<Vec<StoredMessage>, Error> {
    let filter = Pattern::from(parse(subject)?);
    let request = HistoryRequest::new(stream, vec![filter]);
    let messages = bus.transport().read_history(request).await?;
    messages.try_collect().await
}

/// Whether a stored message has this body.
pub(super) fn is_body(stored: &Body, body: &[u8]) -> bool {
    matches!(stored, Body::Encoded(stored) if *stored == *body)
}

/// The error of a header.
pub(super) fn invalid_header(why: &InvalidHeader) -> Error {
    Error::new(
        ErrorKind::InvalidHeader,
        Operation::Publish,
        why.to_string(),
    )
}

/// A subject that was made here.
pub(super) fn parse(subject: &str) -> Result<Subject, Error> {
    Subject::parse(subject).map_err(|why| {
        Error::new(
            ErrorKind::InvalidSubject,
            Operation::Publish,
            why.to_string(),
        )
    })
}
