//! Parses the responses to direct gets (`$JS.API.DIRECT.GET`).

use bytes::Bytes;
use jiff::Timestamp;

use crate::error::ErrorContext;
use crate::headers;
use crate::pending_replies::Reply;
use crate::streams::Found;
use event_sdk_core::transport::{Error, ErrorKind};

/// A message as a copy answers it: what is known of it stands in headers.
pub(super) fn found(about: &ErrorContext, reply: &Reply) -> Result<Found, Error> {
    let header = |name| header(reply, name);
    let sequence = header("Nats-Sequence").and_then(|sequence| sequence.parse().ok());
    let stored_at: Option<Timestamp> = header("Nats-Time-Stamp").and_then(|time| time.parse().ok());
    let (Some(subject), Some(sequence), Some(stored_at)) =
        (header("Nats-Subject"), sequence, stored_at)
    else {
        return Err(about.error(
            ErrorKind::Other,
            "the server's answer lacks what a stored message has",
        ));
    };
    Ok(Found {
        subject: subject.to_owned(),
        sequence,
        stored_at,
        message_id: reply
            .headers
            .as_ref()
            .and_then(|headers| headers.get("Nats-Msg-Id"))
            .map(|id| id.as_str().to_owned()),
        headers: reply
            .headers
            .as_ref()
            .map(headers::received)
            .unwrap_or_default(),
        body: Bytes::clone(&reply.payload),
    })
}

/// A header that the server has added: the last one of its name, since a publisher may have
/// written one of that name before (nats-server, `genHeader`).
pub(super) fn header<'a>(reply: &'a Reply, name: &'static str) -> Option<&'a str> {
    let value = reply.headers.as_ref()?.get_last(name)?;
    Some(value.as_str())
}

/// The status of an answer that is no stored message: a publisher may have given a status to
/// that.
pub(super) fn status(reply: &Reply) -> Option<u16> {
    if header(reply, "Nats-Sequence").is_some() {
        return None;
    }
    reply.status.map(|status| status.as_u16())
}

/// Whether a message has the sequence that was asked for, or a later one: otherwise a reader
/// would get messages again, without an end.
pub(super) fn check_from(about: &ErrorContext, from: u64, found: &Found) -> Result<(), Error> {
    if found.sequence >= from {
        return Ok(());
    }
    let reason = format!(
        "the server answered with message {} where message {from} or a later one was asked for",
        found.sequence
    );
    Err(about.error(ErrorKind::Other, reason))
}

/// A status that no answer should have.
pub(super) fn unexpected(about: &ErrorContext, status: u16) -> Error {
    about.error(
        ErrorKind::Other,
        format!("the server refuses to read the stream directly (status {status})"),
    )
}
