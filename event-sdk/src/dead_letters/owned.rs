//! Writes messages to the dead-letter stream, and notices if another stream stores their subjects,
//! where no reader looks for them.

use event_sdk_core::subject::Pattern;
use event_sdk_core::transport::{Error, ErrorKind, Operation, StoredMessage, TransportExt as _};

use super::outgoing::{Once, Outgoing, last_of, parse, publish};
use super::place::DeadLetterStream;
use crate::bus::EventBus;

/// Stores the message in the dead-letter stream if `last` is the last sequence on its subject.
pub(super) async fn write(
    bus: &EventBus,
    place: &DeadLetterStream,
    message: Outgoing,
    last: u64,
) -> Result<Once, Error> {
    let subject = message.subject.clone();
    let once = publish(bus, message, last).await?;
    match &once {
        Once::Stored(to) => match to.stream.as_deref() {
            Some(other) if other != place.name() => {
                let what = format!("the message was stored in the stream {other:?} instead");
                Err(misplaced(place, &subject, &what))
            }
            _ => Ok(once),
        },
        Once::Other => Ok(once),
    }
}

/// The last message on a subject after a write was refused, because there is one. None if it was
/// purged in the meantime.
pub(super) async fn refused_by(
    bus: &EventBus,
    place: &DeadLetterStream,
    subject: &str,
) -> Result<Option<StoredMessage>, Error> {
    match last_of(bus, place.name(), subject).await {
        Ok(Some(message)) => Ok(Some(message)),
        // The message may be one of another stream, and the write was refused there.
        Ok(None) => check_owner(bus, place, subject).await.map(|()| None),
        Err(error) if *error.kind() == ErrorKind::InvalidSubject => {
            check_owner(bus, place, subject).await?;
            Err(error)
        }
        Err(error) => Err(error),
    }
}

/// The sequence for the next attempt, after a write that expected `last` was refused.
///
/// An attempt with the same sequence would be refused again, without an end, if the sequence is that
/// of another stream.
pub(super) async fn next_last(
    bus: &EventBus,
    place: &DeadLetterStream,
    subject: &str,
    last: u64,
    found: u64,
) -> Result<u64, Error> {
    if found != last {
        return Ok(found);
    }
    check_owner(bus, place, subject).await?;
    let reason = "others write to this subject, and what they write cannot be read yet; repeat it";
    let kind = ErrorKind::WrongLastSequence { last: None };
    let error = Error::new(kind, Operation::Publish, reason);
    Err(error.at_subject(subject).at_stream(place.name()))
}

/// Checks that the dead-letter stream stores a subject: then no other stream does.
async fn check_owner(bus: &EventBus, place: &DeadLetterStream, subject: &str) -> Result<(), Error> {
    if stores(bus, place.name(), subject).await? {
        return Ok(());
    }
    let what = "another stream stores this subject";
    Err(misplaced(place, subject, what))
}

/// Whether a stream stores a subject.
pub(super) async fn stores(bus: &EventBus, stream: &str, subject: &str) -> Result<bool, Error> {
    let pattern = Pattern::from(parse(subject)?);
    let state = bus.transport().stream_state(stream).await?;
    let mut subjects = state.config.subjects.iter();
    Ok(subjects.any(|stored| stored.covers(&pattern)))
}

fn misplaced(place: &DeadLetterStream, subject: &str, what: &str) -> Error {
    let name = place.name();
    let reason = format!(
        "{what}; declare the dead-letter stream with `DeadLetterStream::new({name:?}).spec()`"
    );
    Error::new(ErrorKind::StreamNotFound, Operation::Publish, reason)
        .at_subject(subject)
        .at_stream(name)
}
