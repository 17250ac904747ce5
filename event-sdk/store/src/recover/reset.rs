//! Creates a durable again that begins at another sequence.
//!
//! No server before 2.14 can move a durable, so it is deleted and created. In between its configuration
//! would be nowhere: a copy under another name keeps it, with the new beginning. So a reset that was
//! interrupted is found and completed.

use event_sdk::EventBus;
use event_sdk::text::Text;
use event_sdk::transport::{
    ConsumerConfig, ConsumerInfo, ConsumerName, DeliverPolicy, Error, ErrorKind, TransportExt as _,
};

use super::divergence::Durable;

/// The name of the copy of a durable.
fn copy_of(durable: &str) -> Text {
    Text::from(format!("{durable}-recover"))
}

/// Whether there is a copy of a durable.
pub(super) async fn is_unfinished(
    bus: &EventBus,
    stream: &str,
    durable: &str,
) -> Result<bool, Error> {
    match find(bus, stream, &copy_of(durable)).await {
        Ok(copy) => Ok(copy.is_some()),
        // The durable itself says so too.
        Err(error) if is_unreadable(&error) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Creates a durable again that begins at `to`.
pub(super) async fn reset(
    bus: &EventBus,
    stream: &str,
    durable: &Durable,
    to: u64,
) -> Result<(), Error> {
    let mut copy = durable.config.clone();
    copy.name = ConsumerName::Durable(copy_of(&durable.name));
    copy.deliver = DeliverPolicy::ByStartSequence(to);
    bus.transport().apply_consumer(stream, &copy).await?;
    // It may have begun at the same sequence before.
    delete(bus, stream, &durable.name).await?;
    finish(bus, stream, &durable.name).await
}

/// Makes a durable as its copy says, and deletes the copy.
pub(super) async fn finish(bus: &EventBus, stream: &str, durable: &Text) -> Result<(), Error> {
    let transport = bus.transport();
    let copy_name = copy_of(durable);
    let Some(copy) = find(bus, stream, &copy_name).await? else {
        return Ok(());
    };
    let mut wanted: ConsumerConfig = copy.config;
    wanted.name = ConsumerName::Durable(durable.clone());
    let existing = find(bus, stream, durable).await?;
    let is_made = existing.is_some_and(|it| it.config.deliver == wanted.deliver);
    if !is_made {
        delete(bus, stream, durable).await?;
        transport.apply_consumer(stream, &wanted).await?;
    }
    delete(bus, stream, &copy_name).await
}

async fn delete(bus: &EventBus, stream: &str, durable: &str) -> Result<(), Error> {
    match bus.transport().delete_consumer(stream, durable).await {
        Err(error) if *error.kind() != ErrorKind::ConsumerNotFound => Err(error),
        _ => Ok(()),
    }
}

async fn find(bus: &EventBus, stream: &str, durable: &str) -> Result<Option<ConsumerInfo>, Error> {
    match bus.transport().consumer_info(stream, durable).await {
        Ok(info) => Ok(Some(info)),
        Err(error) if *error.kind() == ErrorKind::ConsumerNotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Whether a permission or an ability is missing.
pub(super) fn is_unreadable(error: &Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::PermissionDenied | ErrorKind::Unsupported(_)
    )
}
