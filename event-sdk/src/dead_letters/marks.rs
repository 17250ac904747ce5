//! Marks: what became of a letter, written beside it under a condition.

use bytes::Bytes;
use event_sdk_core::transport::{Error, StoredMessage};

use super::audit::Audit;
use super::outgoing::{Once, Outgoing, invalid_header, last_of};
use super::owned::{next_last, refused_by, write};
use super::place::DeadLetterStream;
use super::state::{LetterState, LetterStatus};
use crate::bus::EventBus;

/// A state that begins now.
pub(super) fn state_now(bus: &EventBus, status: LetterStatus, audit: &Audit) -> LetterState {
    LetterState::since(status, bus.clock().now(), audit)
}

/// Writes what became of the letter `id` to this subject, if `last` is still the last sequence
/// there. Whether it was written.
pub(super) async fn write_state(
    bus: &EventBus,
    place: &DeadLetterStream,
    subject: &str,
    id: u64,
    state: &LetterState,
    last: u64,
) -> Result<bool, Error> {
    let message = Outgoing {
        subject: subject.to_owned(),
        headers: state.headers(id).map_err(|why| invalid_header(&why))?,
        body: Bytes::new(),
    };
    let once = write(bus, place, message, last).await?;
    Ok(matches!(once, Once::Stored(_)))
}

/// What became of the letter `id`, and the last sequence on this subject.
pub(super) async fn read_state(
    bus: &EventBus,
    place: &DeadLetterStream,
    subject: &str,
    id: u64,
) -> Result<(u64, LetterState), Error> {
    let last = last_of(bus, place.name(), subject).await?;
    Ok(state_of(last.as_ref(), id))
}

/// Writes what became of the letter `id`, whatever else is written of it meanwhile, until it has a
/// state that is the end.
pub(super) async fn mark(
    bus: &EventBus,
    place: &DeadLetterStream,
    subject: &str,
    (id, state): (u64, &LetterState),
    mut last: u64,
    is_end: impl Fn(&LetterStatus) -> bool,
) -> Result<(), Error> {
    while !write_state(bus, place, subject, id, state, last).await? {
        let found = refused_by(bus, place, subject).await?;
        let (sequence, now) = state_of(found.as_ref(), id);
        if is_end(&now.status) {
            break;
        }
        last = next_last(bus, place, subject, last, sequence).await?;
    }
    Ok(())
}

/// What became of the letter `id` by the last message on the subject of its state, and the sequence
/// of this message.
fn state_of(last: Option<&StoredMessage>, id: u64) -> (u64, LetterState) {
    let Some(last) = last else {
        return (0, LetterState::open());
    };
    // An earlier letter on the same subject may have been purged.
    let state = match LetterState::read(&last.headers) {
        Some((of, state)) if of == id => state,
        _ => LetterState::open(),
    };
    (last.sequence, state)
}
