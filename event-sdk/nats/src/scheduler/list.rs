//! Lists the schedules of a stream.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::layout::Layout;
use crate::context::NatsContext;
use crate::error::ErrorContext;
use crate::history::read_to_end;
use crate::streams::{Found, Which, message};
use event_sdk_core::subject::{Subject, check_key};
use event_sdk_core::text::Text;
use event_sdk_core::transport::{Body, Error, Operation, ScheduledMessage};

/// The schedules below a prefix, by their keys.
///
/// They are read in the order of their sequences, to the end of the stream as it is then; one that is
/// replaced meanwhile is read again there.
pub(super) async fn list(
    context: &Arc<NatsContext>,
    layout: &Layout,
    prefix: &str,
) -> Result<Vec<ScheduledMessage>, Error> {
    let about = ErrorContext::new(Operation::Schedule).stream(layout.stream.clone());
    let filter = layout.below(prefix);
    // The leader answers also if the stream does not exist; other servers may not.
    let which = Which::LastOf(&filter);
    if message(context, &about, &layout.stream, &which)
        .await?
        .is_none()
    {
        return Ok(Vec::new());
    }
    let mut listed = BTreeMap::new();
    read_to_end(context, &about, &layout.stream, &filter, |found| {
        let sequence = found.sequence;
        match scheduled(layout, found) {
            Ok(Some(message)) => {
                // The later message of a key replaces the earlier one.
                listed.insert(message.key.clone(), message);
            }
            Ok(None) => {}
            Err(why) => tracing::warn!(
                target: crate::TRACING_TARGET,
                stream = &*layout.stream,
                sequence,
                why,
                "a schedule of another client cannot be read; it is left out"
            ),
        }
    })
    .await?;
    Ok(listed.into_values().collect())
}

/// The schedule that a message is; `None` if it is none, or a repeating one of another client.
fn scheduled(layout: &Layout, found: Found) -> Result<Option<ScheduledMessage>, String> {
    let (Some(at), Some(key)) = (found.due(), layout.key(&found)) else {
        return Ok(None);
    };
    check_key(key).map_err(|why| why.to_string())?;
    let key = Text::copy_of(key);
    let target = found.schedule.map(|schedule| schedule.target);
    let subject = Subject::parse(target.unwrap_or_default()).map_err(|why| why.to_string())?;
    let headers = found.headers.map_err(|why| why.to_string())?;
    let body = Body::Encoded(found.body);
    let stream = layout.stream.clone();
    let mut message = ScheduledMessage::new(stream, key, subject, at, body, found.stored_at);
    message.headers = headers;
    Ok(Some(message))
}
