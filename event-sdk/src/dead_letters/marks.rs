//! Marks: what became of a letter, written beside it under a condition.

use bytes::Bytes;
use event_sdk_core::transport::Error;

use super::audit::Audit;
use super::outgoing::{Once, Outgoing, invalid_header, last_of, publish};
use super::place::DeadLetterStream;
use super::state::{LetterState, LetterStatus};
use crate::bus::EventBus;

/// A state that begins now.
pub(super) fn state_now(bus: &EventBus, status: LetterStatus, audit: &Audit) -> LetterState {
    LetterState {
        status,
        at: Some(bus.clock().now()),
        by: audit.by.clone(),
        note: audit.note.clone(),
        retry_sequence: None,
    }
}

/// Writes what became of the letter `id` to this subject, if `last` is still the last sequence
/// there. Whether it was written.
pub(super) async fn write_state(
    bus: &EventBus,
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
    let once = publish(bus, message, last).await?;
    Ok(matches!(once, Once::Stored(_)))
}

/// What became of the letter `id`, and the last sequence on this subject.
pub(super) async fn read_state(
    bus: &EventBus,
    place: &DeadLetterStream,
    subject: &str,
    id: u64,
) -> Result<(u64, LetterState), Error> {
    let Some(last) = last_of(bus, place.name(), subject).await? else {
        return Ok((0, LetterState::open()));
    };
    // An earlier letter on the same subject may have been purged.
    let state = match LetterState::read(&last.headers) {
        Some((of, state)) if of == id => state,
        _ => LetterState::open(),
    };
    Ok((last.sequence, state))
}
