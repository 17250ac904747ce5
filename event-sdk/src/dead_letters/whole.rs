//! Stores a message once, in parts if one is too large for the server; joins the parts again.

use bytes::{Bytes, BytesMut};
use event_sdk_core::headers::Headers;
use event_sdk_core::transport::{
    Body, Error, ErrorKind, HistoryRequest, HistoryStart, Operation, StoredMessage,
    TransportExt as _,
};
use futures_util::StreamExt as _;

use super::area::Area;
use super::moved_headers::take_from;
use super::outgoing::{Once, Outgoing, all_of, invalid_header, is_body, last_of};
use super::owned::{next_last, refused_by, write};
use super::parts::{MOST, Parts};
use super::place::DeadLetterStream;
use super::takeovers::is_late;
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

/// The subjects of a message and of its further parts.
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
    match write_once(bus, place, &message, body).await {
        Ok(put) => Ok(put),
        Err(error) => match Parts::after(&error, &headers, body, None)? {
            Some(parts) => put_divided(bus, place, subjects, &headers, parts, body).await,
            None => Err(error),
        },
    }
}

/// Stores the parts, and smaller ones if these are too large.
async fn put_divided(
    bus: &EventBus,
    place: &DeadLetterStream,
    subjects: &Subjects,
    headers: &Headers,
    mut parts: Parts,
    body: &Bytes,
) -> Result<Put, Error> {
    loop {
        let error = match put_parts(bus, place, subjects, &parts, body).await {
            Err(error) => error,
            put => return put,
        };
        match Parts::after(&error, headers, body, Some(&parts))? {
            Some(finer) if finer.is_finer_than(&parts) => parts = finer,
            _ => return Err(error),
        }
    }
}

/// The further parts first, so that a letter is complete as soon as it is there.
async fn put_parts(
    bus: &EventBus,
    place: &DeadLetterStream,
    subjects: &Subjects,
    parts: &Parts,
    body: &Bytes,
) -> Result<Put, Error> {
    // What earlier attempts have left; read when a write finds that there is something.
    let mut earlier: Vec<StoredMessage> = Vec::new();
    let (mut last, mut sequences) = (0, Vec::new());
    for part in parts.rest() {
        let sequence = loop {
            let same = earlier.iter().find(|it| is_body(&it.body, &part));
            if let Some(same) = same {
                break same.sequence;
            }
            let message = Outgoing {
                subject: subjects.rest.clone(),
                headers: Headers::new(),
                body: part.clone(),
            };
            if let Once::Stored(to) = write(bus, place, message, last).await? {
                last = to.sequence.unwrap_or_default();
                break last;
            }
            // Or another stream has it.
            refused_by(bus, place, &subjects.rest).await?;
            if let Some(whole) = last_of(bus, place.name(), &subjects.whole).await?
                && !is_late(bus, place, &whole, &parts.headers).await?
            {
                return compare(bus, place, whole, body).await;
            }
            // An earlier attempt has left parts, perhaps under another limit, and no message names
            // them.
            earlier = all_of(bus, place.name(), &subjects.rest).await?;
            let found = earlier.last().map_or(0, |stored| stored.sequence);
            last = next_last(bus, place, &subjects.rest, last, found).await?;
        };
        sequences.push(sequence.to_string());
    }
    let mut headers = parts.headers.clone();
    for (name, value) in [
        (wire::REST, sequences.join(",")),
        (wire::LENGTH, body.len().to_string()),
    ] {
        let inserted = headers.insert(name, value);
        inserted.map_err(|why| invalid_header(&why))?;
    }
    let message = Outgoing {
        subject: subjects.whole.clone(),
        headers,
        body: parts.first(),
    };
    write_once(bus, place, &message, body).await
}

/// Stores the message that makes a letter or parked event complete, if its subject has no message yet,
/// or only one that an earlier owner stored too late.
async fn write_once(
    bus: &EventBus,
    place: &DeadLetterStream,
    message: &Outgoing,
    body: &Bytes,
) -> Result<Put, Error> {
    let mut last = 0;
    while let Once::Other = write(bus, place, message.clone(), last).await? {
        // One that was purged in the meantime was there, too.
        let Some(stored) = refused_by(bus, place, &message.subject).await? else {
            break;
        };
        if !is_late(bus, place, &stored, &message.headers).await? {
            return compare(bus, place, stored, body).await;
        }
        last = next_last(bus, place, &message.subject, last, stored.sequence).await?;
    }
    Ok(Put::Done)
}

/// Compares a stored message with the body that was to be stored.
async fn compare(
    bus: &EventBus,
    place: &DeadLetterStream,
    mut stored: StoredMessage,
    body: &Bytes,
) -> Result<Put, Error> {
    let is_whole = join(bus, place, &mut stored).await?;
    Ok(if is_whole && is_body(&stored.body, body) {
        Put::Done
    } else {
        Put::Other
    })
}

/// Completes the headers and the body of a message that was stored in parts. Whether it is whole:
/// another client may have purged one of them.
async fn join(
    bus: &EventBus,
    place: &DeadLetterStream,
    message: &mut StoredMessage,
) -> Result<bool, Error> {
    if message.headers.get(wire::REST).is_none() {
        return Ok(true);
    }
    let (Some(sequences), Body::Encoded(first)) =
        (wire::read_rest(&message.headers), &message.body)
    else {
        return Ok(false);
    };
    if sequences.len() >= MOST {
        return Ok(false);
    }
    let mut whole = BytesMut::from(&first[..]);
    for sequence in sequences {
        match part(bus, place, sequence).await? {
            Some(part) => whole.extend_from_slice(&part),
            None => return Ok(false),
        }
    }
    let Some(body) = take_from(&mut message.headers, whole.freeze()) else {
        return Ok(false);
    };
    let length = wire::read_number(&message.headers, wire::LENGTH);
    let is_whole = length.is_none_or(|length: usize| length == body.len());
    message.body = Body::Encoded(body);
    Ok(is_whole)
}

/// Reads a further part.
async fn part(
    bus: &EventBus,
    place: &DeadLetterStream,
    sequence: u64,
) -> Result<Option<Bytes>, Error> {
    let filter = place.filter(Area::Rest, None).map_err(|why| {
        let kind = ErrorKind::InvalidSubject;
        Error::new(kind, Operation::Read, why.to_string()).at_stream(place.name())
    })?;
    let mut request = HistoryRequest::new(place.name(), vec![filter]);
    request.from = HistoryStart::Sequence(sequence);
    request.limit = Some(1);
    let mut messages = bus.transport().read_history(request).await?;
    Ok(match messages.next().await.transpose()? {
        Some(StoredMessage {
            sequence: found,
            body: Body::Encoded(body),
            ..
        }) if found == sequence => Some(body),
        _ => None,
    })
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
        "a part of letter {} was deleted or is malformed; purge the letter",
        message.sequence
    );
    let error = Error::new(ErrorKind::InvalidOption, Operation::Read, reason);
    Err(error.at_stream(place.name()))
}
