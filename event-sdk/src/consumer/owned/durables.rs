//! The durables of partitions: all are made before the first event is handled, and tell how many
//! partitions there are.
//!
//! The durable of the first partition is made last: if it exists, all do. A durable that is made later
//! than the others would miss events, with the policy "new" or in a stream with interest retention.

use event_sdk_core::text::Text;
use event_sdk_core::transport::{Error, ErrorKind, Operation, TransportExt as _};

use crate::consumer::opener::Opener;
use crate::partition::Partition;

/// Makes the durables of so many partitions, unless they exist.
///
/// # Errors
///
/// [`ErrorKind::InvalidOption`] if there is another number of them, or the durable of a consumer
/// without partitions; and those of a subscription.
pub(super) async fn make(opener: &Opener, number: u32) -> Result<(), Error> {
    let name = &opener.name;
    let first = Partition::durable(name, 0);
    let mut missing = false;
    for stream in opener.streams_of_events(&first).await? {
        if exists(opener, &stream, &first).await? {
            let last = exists(opener, &stream, &Partition::durable(name, number - 1)).await?;
            let beyond = exists(opener, &stream, &Partition::durable(name, number)).await;
            // Whoever may ask for the durables alone is not told whether others exist.
            let beyond = beyond.or_else(|error| denied(&error).ok_or(error))?;
            if !last || beyond {
                let reason = format!(
                    "the durables of the consumer are not those of {number} partitions, and a key must not move to another partition while events of it are unsettled; use the number of the durables `{name}-p…`, or migrate as docs/ordering.md says: end all instances, delete these durables, and start again at the lowest sequence that one of them had not acknowledged"
                );
                return Err(invalid(reason).at_stream(stream));
            }
        } else {
            let whole = exists(opener, &stream, name).await;
            if whole.or_else(|error| denied(&error).ok_or(error))? {
                let reason = format!(
                    "the durable `{name}` exists: the consumer had no partitions before, and their durables would receive its events once more; migrate as docs/ordering.md says: end all instances, delete `{name}`, and start again at the lowest sequence that it had not acknowledged"
                );
                return Err(invalid(reason).at_stream(stream));
            }
            missing = true;
        }
    }
    if let (Some(place), false) = (&opener.place, missing) {
        // Letters may be kept in a stream since later.
        let retry = Text::copy_of(place.retry_name());
        missing = !exists(opener, &retry, &first).await?;
    }
    if missing {
        for index in (0..number).rev() {
            // Nothing is requested of a subscription that is not polled.
            drop(opener.open(&Partition::durable(name, index)).await?);
        }
    }
    Ok(())
}

/// # Errors
///
/// [`ErrorKind::InvalidOption`] if the consumer has partitions in this stream.
pub(super) async fn refuse_partitions(opener: &Opener, stream: &Text) -> Result<(), Error> {
    let first = Partition::durable(&opener.name, 0);
    let found = exists(opener, stream, &first).await;
    if found.or_else(|error| denied(&error).ok_or(error))? {
        let reason = format!(
            "the durable `{first}` exists: the consumer had partitions before, and another durable would receive their events once more; call `partitions`, or migrate as docs/ordering.md says"
        );
        return Err(invalid(reason).at_stream(stream.clone()));
    }
    Ok(())
}

/// Whether a durable exists.
async fn exists(opener: &Opener, stream: &Text, durable: &str) -> Result<bool, Error> {
    let transport = opener.bus.transport();
    match transport.consumer_info(stream, durable).await {
        Ok(_) => Ok(true),
        Err(error) if *error.kind() == ErrorKind::ConsumerNotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// `Some(false)` if the request was denied.
fn denied(error: &Error) -> Option<bool> {
    (*error.kind() == ErrorKind::PermissionDenied).then_some(false)
}

fn invalid(reason: String) -> Error {
    Error::new(ErrorKind::InvalidOption, Operation::Subscribe, reason)
}
