//! Reads entries of a bucket: one by its key, or all below a prefix.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::layout::{Layout, is_marker};
use crate::context::NatsContext;
use crate::error::ErrorContext;
use crate::history::{last_message, read_to_end};
use crate::streams::{Found, Which, message};
use event_sdk_core::transport::{CoordinationEntry, Error, Operation};

/// The entry of a key.
pub(super) async fn get(
    context: &NatsContext,
    layout: &Layout,
    key: &str,
) -> Result<Option<CoordinationEntry>, Error> {
    let about = ErrorContext::new(Operation::Coordinate);
    let found = last_message(context, &about, &layout.stream, &layout.subject(key)).await?;
    Ok(found.and_then(|found| entry(key, found)))
}

/// All entries below a prefix, by their keys.
///
/// The messages are read in the order of their sequences, and to the end of the stream as it is
/// then. A key that is written meanwhile moves to a higher sequence, so it is read again there; no
/// key that exists all the time is missed.
pub(super) async fn list(
    context: &Arc<NatsContext>,
    layout: &Layout,
    prefix: &str,
) -> Result<Vec<CoordinationEntry>, Error> {
    let about = ErrorContext::new(Operation::Coordinate);
    let mut entries = BTreeMap::new();
    let filter = layout.below(prefix);
    // The leader answers also if the bucket does not exist; other servers may not.
    let which = Which::LastOf(&filter);
    if message(context, &about, &layout.stream, &which)
        .await?
        .is_none()
    {
        return Ok(Vec::new());
    }
    read_to_end(context, &about, &layout.stream, &filter, |found| {
        let Some(key) = layout.key(&found).map(str::to_owned) else {
            return;
        };
        if CoordinationEntry::check_key(&key).is_err() {
            let sequence = found.sequence;
            tracing::warn!(
                target: crate::TRACING_TARGET,
                stream = &*layout.stream,
                sequence,
                "another client has written an entry whose key is malformed; it is left out"
            );
            return;
        }
        // The later message of a key replaces the earlier one.
        match entry(&key, found) {
            Some(entry) => entries.insert(key, entry),
            None => entries.remove(&key),
        };
    })
    .await?;
    Ok(entries.into_values().collect())
}

/// The entry that a message holds; `None` for a marker.
fn entry(key: &str, found: Found) -> Option<CoordinationEntry> {
    if is_marker(&found) {
        return None;
    }
    let Found {
        sequence,
        stored_at,
        body,
        ..
    } = found;
    Some(CoordinationEntry::new(key, body, sequence, stored_at))
}
