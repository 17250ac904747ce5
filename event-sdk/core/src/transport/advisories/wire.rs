//! JSON of an advisory as nats-server publishes it (`server/jetstream_events.go`).

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Advisory, AdvisoryKind};
use crate::text::Text;

#[derive(Serialize, Deserialize)]
struct Json {
    r#type: String,
    #[serde(default)]
    id: String,
    timestamp: Timestamp,
    stream: String,
    consumer: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    consumer_seq: Option<u64>,
    stream_seq: u64,
    deliveries: u64,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    reason: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    domain: String,
}

const MAX_DELIVER: &str = "io.nats.jetstream.advisory.v1.max_deliver";
const TERMINATED: &str = "io.nats.jetstream.advisory.v1.terminated";

impl Advisory {
    /// Reads the body of a message to one of [`AdvisoryKind::subjects`].
    ///
    /// # Errors
    ///
    /// [`UnreadableAdvisory`] if it is not an advisory of a known kind.
    pub fn parse(body: &[u8]) -> Result<Self, UnreadableAdvisory> {
        let json: Json = serde_json::from_slice(body).map_err(|error| {
            UnreadableAdvisory(match error.classify() {
                serde_json::error::Category::Data => "a field is missing or of another type",
                _ => "it is not JSON",
            })
        })?;
        let kind = match &*json.r#type {
            MAX_DELIVER => AdvisoryKind::MaxDeliveries,
            TERMINATED => AdvisoryKind::Terminated,
            _ => return Err(UnreadableAdvisory("its type is not known")),
        };
        let filled = |text: String| (!text.is_empty()).then_some(text);
        Ok(Self {
            kind,
            stream: json.stream.into(),
            consumer: json.consumer.into(),
            stream_sequence: json.stream_seq,
            consumer_sequence: json.consumer_seq,
            deliveries: json.deliveries,
            reason: filled(json.reason),
            time: json.timestamp,
            domain: filled(json.domain).map(Text::from),
        })
    }

    /// Writes the advisory as a server does, with this unique id.
    #[must_use]
    pub fn to_json(&self, id: &str) -> String {
        let kind = match self.kind {
            AdvisoryKind::MaxDeliveries => MAX_DELIVER,
            AdvisoryKind::Terminated => TERMINATED,
        };
        let json = Json {
            r#type: kind.to_owned(),
            id: id.to_owned(),
            timestamp: self.time,
            stream: self.stream.to_string(),
            consumer: self.consumer.to_string(),
            consumer_seq: self.consumer_sequence,
            stream_seq: self.stream_sequence,
            deliveries: self.deliveries,
            reason: self.reason.clone().unwrap_or_default(),
            domain: self.domain.as_deref().unwrap_or_default().to_owned(),
        };
        // Texts and numbers can always be written.
        serde_json::to_string(&json).unwrap_or_default()
    }
}

/// A message that is not an advisory of a known kind. `Display` shows no text of the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnreadableAdvisory(&'static str);

impl fmt::Display for UnreadableAdvisory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the advisory cannot be read: {}", self.0)
    }
}

impl std::error::Error for UnreadableAdvisory {}

#[cfg(test)]
mod tests {
    use super::*;

    /// As a server of 2.15 writes them.
    const SERVERS: [&str; 2] = [
        r#"{"type":"io.nats.jetstream.advisory.v1.terminated","id":"Kf1bDHgLOZkVPkDEMR8Nnp","timestamp":"2026-12-01T05:20:11.123456789Z","stream":"ORDERS","consumer":"billing","consumer_seq":9,"stream_seq":7,"deliveries":2,"reason":"it is no order","domain":"hub"}"#,
        r#"{"type":"io.nats.jetstream.advisory.v1.max_deliver","id":"Kf1bDHgLOZkVPkDEMR8Nnq","timestamp":"2026-12-01T05:20:12Z","stream":"ORDERS","consumer":"billing","stream_seq":8,"deliveries":5}"#,
    ];

    #[test]
    fn it_is_read_and_written_as_a_server_does() {
        let [terminated, exceeded] = SERVERS.map(|text| Advisory::parse(text.as_bytes()).unwrap());
        assert_eq!(terminated.kind, AdvisoryKind::Terminated);
        assert_eq!(terminated.consumer_sequence, Some(9));
        assert_eq!(terminated.reason.as_deref(), Some("it is no order"));
        assert_eq!(terminated.domain.as_deref(), Some("hub"));
        assert_eq!(exceeded.kind, AdvisoryKind::MaxDeliveries);
        assert_eq!((exceeded.stream_sequence, exceeded.deliveries), (8, 5));
        assert_eq!((&exceeded.reason, &exceeded.domain), (&None, &None));
        for (text, advisory) in SERVERS.iter().zip([terminated, exceeded]) {
            let id = text.split('"').nth(7).unwrap();
            assert_eq!(advisory.to_json(id), *text);
            assert!(advisory.subject().is_ok());
        }
    }

    #[test]
    fn what_is_none_is_told_without_its_text() {
        for text in [
            "secret",
            "{}",
            r#"{"type":"secret","timestamp":"2026-12-01T05:20:12Z","stream":"S","consumer":"c","stream_seq":8,"deliveries":5}"#,
            r#"{"type":"io.nats.jetstream.advisory.v1.max_deliver","timestamp":"secret","stream":"S","consumer":"c","stream_seq":8,"deliveries":5}"#,
        ] {
            let error = Advisory::parse(text.as_bytes()).unwrap_err().to_string();
            assert!(!error.contains("secret"), "{error}");
        }
    }
}
