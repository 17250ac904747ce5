//! Stores a message once, in two parts if one is too large for the server; joins the parts again.

use bytes::{Bytes, BytesMut};
use event_sdk_core::headers::Headers;
use event_sdk_core::transport::{
    Body, Error, ErrorKind, HistoryRequest, HistoryStart, Operation, StoredMessage,
    TransportExt as _,
};
use futures_util::StreamExt as _;

use super::area::Area;
use super::outgoing::{Once, Outgoing, invalid_header, is_body};
use super::owned::{refused_by, write};
use super::place::DeadLetterStream;
use super::wire;
use crate::bus::EventBus;

/// What came of storing a message once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Put {
    /// It is stored, now or since an earlier attempt.
    Done,
    /// The subject has a message with another body.
    Other,
}

/// The subjects of a message and of its second part.
pub(super) struct Subjects {
    pub(super) whole: String,
    pub(super) rest: String,
}

/// Stores a letter or parked event, if its subject has no message yet.
///
/// Its headers are larger than those of the original message, which may have been as large as the
/// server allows.
pub(super) async fn put_once(
    bus: &EventBus,
    place: &DeadLetterStream,
    subjects: &Subjects,
    headers: Headers,
    body: &Bytes,
) -> Result<Put, Error> {
    let message = Outgoing {
        subject: subjects.whole.clone(),
        headers: headers.clone(),
        body: body.clone(),
    };
    match write(bus, place, message, 0).await {
        Ok(Once::Stored(_)) => Ok(Put::Done),
        Ok(Once::Other) => compare(bus, place, &subjects.whole, body).await,
        Err(error) if matches!(error.kind(), ErrorKind::TooLarge { .. }) && body.len() > 1 => {
            put_parts(bus, place, subjects, headers, body).await
        }
        Err(error) => Err(error),
    }
}

/// The second part first, so that a letter is complete as soon as it is there.
async fn put_parts(
    bus: &EventBus,
    place: &DeadLetterStream,
    subjects: &Subjects,
    mut headers: Headers,
    body: &Bytes,
) -> Result<Put, Error> {
    let rest = body.slice(body.len() / 2..);
    let message = Outgoing {
        subject: subjects.rest.clone(),
        headers: Headers::new(),
        body: rest.clone(),
    };
    let sequence = match write(bus, place, message, 0).await? {
        Once::Stored(to) => to.sequence,
        Once::Other => match refused_by(bus, place, &subjects.rest).await? {
            Some(stored) if is_body(&stored.body, &rest) => Some(stored.sequence),
            _ => return Ok(Put::Other),
        },
    };
    let sequence = sequence.unwrap_or_default().to_string();
    for (name, value) in [
        (wire::REST, sequence),
        (wire::LENGTH, body.len().to_string()),
    ] {
        let inserted = headers.insert(name, value);
        inserted.map_err(|why| invalid_header(&why))?;
    }
    let message = Outgoing {
        subject: subjects.whole.clone(),
        headers,
        body: body.slice(..body.len() / 2),
    };
    match write(bus, place, message, 0).await? {
        Once::Stored(_) => Ok(Put::Done),
        Once::Other => compare(bus, place, &subjects.whole, body).await,
    }
}

/// Compares the message on this subject. One that was purged in the meantime was there, too.
async fn compare(
    bus: &EventBus,
    place: &DeadLetterStream,
    subject: &str,
    body: &Bytes,
) -> Result<Put, Error> {
    let Some(mut stored) = refused_by(bus, place, subject).await? else {
        return Ok(Put::Done);
    };
    let is_whole = join(bus, place, &mut stored).await?;
    Ok(if is_whole && is_body(&stored.body, body) {
        Put::Done
    } else {
        Put::Other
    })
}

/// Completes the body of a message that was stored in two parts. Whether it is whole: another client
/// may have purged the second part.
async fn join(
    bus: &EventBus,
    place: &DeadLetterStream,
    message: &mut StoredMessage,
) -> Result<bool, Error> {
    let sequence: Option<u64> = wire::read_number(&message.headers, wire::REST);
    let (Some(sequence), Body::Encoded(first)) = (sequence, &message.body) else {
        return Ok(true);
    };
    let filter = place.filter(Area::Rest, None).map_err(|why| {
        let kind = ErrorKind::InvalidSubject;
        Error::new(kind, Operation::Read, why.to_string()).at_stream(place.name())
    })?;
    let mut request = HistoryRequest::new(place.name(), vec![filter]);
    request.from = HistoryStart::Sequence(sequence);
    request.limit = Some(1);
    let mut messages = bus.transport().read_history(request).await?;
    let rest = messages.next().await.transpose()?;
    if let Some(StoredMessage {
        sequence: found,
        body: Body::Encoded(rest),
        ..
    }) = rest
        && found == sequence
    {
        let mut whole = BytesMut::with_capacity(first.len() + rest.len());
        whole.extend_from_slice(first);
        whole.extend_from_slice(&rest);
        message.body = Body::Encoded(whole.freeze());
        return Ok(true);
    }
    Ok(false)
}

/// Completes the body of a letter.
pub(super) async fn joined(
    bus: &EventBus,
    place: &DeadLetterStream,
    message: &mut StoredMessage,
) -> Result<(), Error> {
    if join(bus, place, message).await? {
        return Ok(());
    }
    let reason = format!(
        "the second part of letter {} was deleted; purge the letter",
        message.sequence
    );
    let error = Error::new(ErrorKind::InvalidOption, Operation::Read, reason);
    Err(error.at_stream(place.name()))
}
