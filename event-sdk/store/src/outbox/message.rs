//! `OutboxMessage`: one message to be stored in an outbox, and the JSON form of its headers.

use std::fmt;

use bytes::Bytes;
use event_sdk::headers::{Headers, InvalidHeader};
use event_sdk::text::Text;
use event_sdk::{EncodedEvent, Subject};
use jiff::Timestamp;

/// A message to be stored in an outbox.
///
/// Later versions may add fields: start with [`new`](Self::new) or [`From<EncodedEvent>`], and set
/// the fields that should differ.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct OutboxMessage {
    /// The whole subject, including the prefix of the bus.
    pub subject: Subject,
    /// The headers.
    pub headers: Headers,
    /// The encoded envelope.
    pub body: Bytes,
    /// The id by which a stream recognizes duplicates.
    pub message_id: Text,
    /// The key: rows of one key are published in order. `None` for no order.
    pub key: Option<Text>,
    /// When the message is stored. [The age](super::OutboxStatus::oldest_age) of its row is
    /// measured from this time.
    pub created_at: Timestamp,
    /// The earliest time at which the message is published. A row with this time takes no part in
    /// the order of its key.
    pub not_before: Option<Timestamp>,
    /// The name by which a row with [`not_before`](Self::not_before) can be cancelled.
    pub cancel_key: Option<Text>,
}

impl OutboxMessage {
    /// A message without headers, key and delay.
    #[must_use]
    pub fn new(
        subject: Subject,
        body: impl Into<Bytes>,
        message_id: impl Into<Text>,
        created_at: Timestamp,
    ) -> Self {
        Self {
            subject,
            headers: Headers::new(),
            body: body.into(),
            message_id: message_id.into(),
            key: None,
            created_at,
            not_before: None,
            cancel_key: None,
        }
    }
}

impl From<EncodedEvent> for OutboxMessage {
    fn from(event: EncodedEvent) -> Self {
        Self {
            headers: event.headers,
            key: event.key,
            ..Self::new(event.subject, event.body, event.message_id, event.timestamp)
        }
    }
}

impl fmt::Debug for OutboxMessage {
    /// Without key and body, which may be personal.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OutboxMessage")
            .field("subject", &self.subject)
            .field("headers", &self.headers)
            .field("body_len", &self.body.len())
            .field("not_before", &self.not_before)
            .finish_non_exhaustive()
    }
}

/// Converts headers to the form in which a store keeps them: a JSON object of texts, or `None` if
/// there are no headers. The order of the headers is lost.
#[must_use]
pub fn headers_to_json(headers: &Headers) -> Option<String> {
    if headers.is_empty() {
        return None;
    }
    let object: serde_json::Map<String, serde_json::Value> = headers
        .iter()
        .map(|(name, value)| (name.to_owned(), value.into()))
        .collect();
    Some(serde_json::Value::Object(object).to_string())
}

/// Reads headers from the JSON of [`headers_to_json`], or of another program that writes the same
/// form.
///
/// # Errors
///
/// [`InvalidHeaders`] if the text is not a JSON object of texts, or if a header is invalid.
pub fn headers_from_json(json: Option<&str>) -> Result<Headers, InvalidHeaders> {
    let mut headers = Headers::new();
    let Some(json) = json else {
        return Ok(headers);
    };
    let object: serde_json::Map<String, serde_json::Value> =
        serde_json::from_str(json).map_err(|_| InvalidHeaders::NotAnObject)?;
    for (name, value) in object {
        let serde_json::Value::String(value) = value else {
            return Err(InvalidHeaders::NotAText);
        };
        headers
            .insert(name, value)
            .map_err(InvalidHeaders::Refused)?;
    }
    Ok(headers)
}

/// Why the headers of a row cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum InvalidHeaders {
    /// The text is not a JSON object.
    NotAnObject,
    /// A value of the object is not a text.
    NotAText,
    /// A name or value is not allowed in a header.
    Refused(InvalidHeader),
}

impl fmt::Display for InvalidHeaders {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAnObject => f.write_str("the headers are not a JSON object"),
            Self::NotAText => f.write_str("a header is not a JSON string"),
            Self::Refused(why) => why.fmt(f),
        }
    }
}

impl std::error::Error for InvalidHeaders {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_survive_their_json_form() {
        let mut headers = Headers::new();
        assert_eq!(headers_to_json(&headers), None);
        headers
            .insert("traceparent", "00-ab-cd-01")
            .expect("a valid header");
        headers
            .insert("X-Quote", "say \"Zürich\"")
            .expect("a valid header");
        let json = headers_to_json(&headers).expect("there are headers");
        let read = headers_from_json(Some(&json)).expect("what was written");
        assert_eq!(read.len(), headers.len());
        for (name, value) in headers.iter() {
            assert_eq!(read.get(name), Some(value));
        }
        assert_eq!(headers_from_json(None), Ok(Headers::new()));
    }

    #[test]
    fn other_texts_are_refused_with_the_reason() {
        for (json, reason) in [
            ("", InvalidHeaders::NotAnObject),
            ("[]", InvalidHeaders::NotAnObject),
            (r#"{"a":1}"#, InvalidHeaders::NotAText),
        ] {
            assert_eq!(headers_from_json(Some(json)), Err(reason));
        }
        let refused = headers_from_json(Some(r#"{"a:b":"c"}"#)).expect_err("a colon in a name");
        assert!(refused.to_string().contains("a:b"), "{refused}");
    }
}
