//! Asks for a part that may not exist.

use event_sdk::transport::{ConsumerInfo, Error, ErrorKind, Transport, TransportExt as _};

/// What exists; `None` if it does not.
pub(crate) fn found<T>(answer: Result<T, Error>) -> Result<Option<T>, Error> {
    match answer {
        Ok(found) => Ok(Some(found)),
        Err(error) => match error.kind() {
            ErrorKind::StreamNotFound | ErrorKind::ConsumerNotFound | ErrorKind::BucketNotFound => {
                Ok(None)
            }
            _ => Err(error),
        },
    }
}

/// A durable; `None` if it does not exist.
pub(crate) async fn durable(
    transport: &dyn Transport,
    stream: &str,
    name: &str,
) -> Result<Option<ConsumerInfo>, Error> {
    found(transport.consumer_info(stream, name).await)
}

/// Whether a durable exists. Whoever may ask for the declared durables alone is not told of others.
pub(crate) async fn exists(
    transport: &dyn Transport,
    stream: &str,
    name: &str,
) -> Result<bool, Error> {
    match durable(transport, stream, name).await {
        Ok(found) => Ok(found.is_some()),
        Err(error) if *error.kind() == ErrorKind::PermissionDenied => Ok(false),
        Err(error) => Err(error),
    }
}
