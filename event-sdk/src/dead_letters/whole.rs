//! Stores a message once, in two parts if one is too large for the server; joins the parts again.

use bytes::{Bytes, BytesMut};
use event_sdk_core::headers::Headers;
use event_sdk_core::transport::{
    Body, Error, ErrorKind, HistoryRequest, HistoryStart, Operation, StoredMessage,
    TransportExt as _,
};
use futures_util::StreamExt as _;

use super::area::Area;
use super::moved_headers::{move_into, take_from};
use super::outgoing::{Once, Outgoing, invalid_header, is_body, last_of};
use super::owned::{next_last, refused_by, write};
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
        Err(error) => match parts_of(&error, &headers, body)? {
            Some(parts) => put_parts(bus, place, subjects, parts, body).await,
            None => Err(error),
        },
    }
}

/// What is divided into two parts.
struct Parts {
    headers: Headers,
    content: Bytes,
}

/// The most bytes of the headers that say where the second part is, on the wire.
const OF_PARTS: usize = 128;

/// How to divide a message that was refused because of its size: its body if that is enough, else
/// its original headers and its body. `None` if it was refused for another reason, or if nothing of
/// it can be divided.
fn parts_of(error: &Error, headers: &Headers, body: &Bytes) -> Result<Option<Parts>, Error> {
    let is_body_enough = match *error.kind() {
        ErrorKind::TooLarge { size, limit } => {
            let rest = body.len() - body.len() / 2;
            size.saturating_sub(rest).saturating_add(OF_PARTS) <= limit
        }
        // All headers together have a limit of their own.
        ErrorKind::InvalidHeader => false,
        _ => return Ok(None),
    };
    if !is_body_enough
        && let Some((headers, content)) =
            move_into(headers, body).map_err(|why| invalid_header(&why))?
    {
        return Ok(Some(Parts { headers, content }));
    }
    Ok((body.len() > 1).then(|| Parts {
        headers: headers.clone(),
        content: body.clone(),
    }))
}

/// The second part first, so that a letter is complete as soon as it is there.
async fn put_parts(
    bus: &EventBus,
    place: &DeadLetterStream,
    subjects: &Subjects,
    parts: Parts,
    body: &Bytes,
) -> Result<Put, Error> {
    let Parts {
        mut headers,
        content,
    } = parts;
    let rest = content.slice(content.len() / 2..);
    let message = Outgoing {
        subject: subjects.rest.clone(),
        headers: Headers::new(),
        body: rest.clone(),
    };
    let mut last = 0;
    let sequence = loop {
        if let Once::Stored(to) = write(bus, place, message.clone(), last).await? {
            break to.sequence;
        }
        let found = match refused_by(bus, place, &subjects.rest).await? {
            Some(stored) if is_body(&stored.body, &rest) => break Some(stored.sequence),
            found => found.map_or(0, |stored| stored.sequence),
        };
        let whole = last_of(bus, place.name(), &subjects.whole).await?;
        if whole.is_some() {
            return compare(bus, place, &subjects.whole, body).await;
        }
        // An earlier attempt under another limit has left it, and no message names it.
        last = next_last(bus, place, &subjects.rest, last, found).await?;
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
        body: content.slice(..content.len() / 2),
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

/// Completes the headers and the body of a message that was stored in two parts. Whether it is whole: another client
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
        return Ok(match take_from(&mut message.headers, whole.freeze()) {
            Some(body) => {
                message.body = Body::Encoded(body);
                true
            }
            None => false,
        });
    }
    Ok(false)
}

/// Completes the headers and the body of a letter.
pub(super) async fn joined(
    bus: &EventBus,
    place: &DeadLetterStream,
    message: &mut StoredMessage,
) -> Result<(), Error> {
    if join(bus, place, message).await? {
        return Ok(());
    }
    let reason = format!(
        "the second part of letter {} was deleted or is malformed; purge the letter",
        message.sequence
    );
    let error = Error::new(ErrorKind::InvalidOption, Operation::Read, reason);
    Err(error.at_stream(place.name()))
}
