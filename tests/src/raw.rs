//! Publishes arbitrary bytes and headers, as a foreign publisher would.

use bytes::Bytes;
use event_sdk::headers::Headers;
use event_sdk::transport::{Body, PublishRequest, Stored};
use event_sdk::{Error, EventBus, Subject};

/// Publishes `body` to the whole `subject`, without deduplication.
///
/// # Errors
///
/// The transport's.
///
/// # Panics
///
/// When `subject` is none.
pub async fn publish(
    bus: &EventBus,
    subject: &str,
    body: impl Into<Bytes>,
) -> Result<Stored, Error> {
    publish_with(bus, subject, Headers::new(), body).await
}

/// The same, with headers.
///
/// # Errors
///
/// The transport's.
///
/// # Panics
///
/// When `subject` is none.
pub async fn publish_with(
    bus: &EventBus,
    subject: &str,
    headers: Headers,
    body: impl Into<Bytes>,
) -> Result<Stored, Error> {
    let subject = Subject::parse(subject.to_owned()).expect("a test names a subject");
    let message = {
        let mut request = PublishRequest::new(&subject, Body::Encoded(body.into()));
        request.headers = headers;
        request
    };
    bus.transport().publish(message).await?.await
}

/// An envelope with these parts, as JSON.
#[must_use]
pub fn envelope(event_type: &str, version: &str, data: &str) -> String {
    format!(
        r#"{{"event_id":"0193a5c2-7b1e-7c4a-9f55-2f6d6f1f0b11","event_type":{event_type:?},"timestamp":"2025-11-06T12:00:00Z","version":{version:?},"data":{data}}}"#
    )
}
