//! Parses the publish ack (`PubAck`), and turns it into the result of a publish.

use std::borrow::Cow;

use serde::Deserialize;

use super::{RetryablePublish, StreamPublisher};
use crate::context::NatsContext;
use crate::error::{ApiError, ErrorContext};
use crate::pending_replies::{NoReply, Reply};
use event_sdk_core::text::Text;
use event_sdk_core::transport::{Error, ErrorKind, Operation, Stored};

/// What an answer says.
#[derive(Debug)]
pub(super) enum Ack {
    /// The message is stored.
    Stored(Stored),
    /// The stream refuses it.
    Refused {
        stream: Option<Text>,
        error: ApiError,
    },
    /// No stream has heard of it.
    NoStream,
    /// There is no answer.
    None(NoReply),
    /// It was not a stream that answered.
    Foreign(Option<serde_json::Error>),
}

/// Reads an answer.
pub(super) fn read(publisher: &StreamPublisher, answer: Result<Reply, NoReply>) -> Ack {
    #[derive(Deserialize)]
    struct PubAck<'a> {
        #[serde(borrow, default)]
        stream: Option<Cow<'a, str>>,
        #[serde(default)]
        seq: u64,
        #[serde(default)]
        duplicate: bool,
        #[serde(default)]
        error: Option<ApiError>,
    }
    let reply = match answer {
        Ok(reply) if reply.is_no_responders() => return Ack::NoStream,
        Ok(reply) => reply,
        Err(why) => return Ack::None(why),
    };
    if let Some((stream, sequence)) = stored(&reply.payload) {
        let stream = publisher.stream_name(stream);
        return Ack::Stored(Stored::new(Some(stream), Some(sequence)));
    }
    let ack: PubAck<'_> = match serde_json::from_slice(&reply.payload) {
        Ok(ack) => ack,
        Err(error) => return Ack::Foreign(Some(error)),
    };
    let stream = ack.stream.as_deref().filter(|name| !name.is_empty());
    let stream = stream.map(|name| publisher.stream_name(name));
    match (ack.error, stream) {
        (Some(error), stream) => Ack::Refused { stream, error },
        // Sequences begin at one.
        (None, Some(stream)) if ack.seq > 0 => {
            let stored = Stored::new(Some(stream), Some(ack.seq));
            Ack::Stored(stored.duplicate(ack.duplicate))
        }
        // An object of another service: whatever it confirms, it is not this.
        (None, _) => Ack::Foreign(None),
    }
}

/// Stream and sequence in the ack of a message that was stored, just as servers
/// write it: `{"stream":"ORDERS","seq":41}`, with a domain between the two and
/// blanks after commas or without. Everything else is JSON like any other.
fn stored(ack: &[u8]) -> Option<(&str, u64)> {
    fn comma(text: &str) -> Option<&str> {
        let text = text.strip_prefix(',')?;
        Some(text.strip_prefix(' ').unwrap_or(text))
    }
    let ack = std::str::from_utf8(ack).ok()?;
    let (stream, rest) = ack.strip_prefix("{\"stream\":\"")?.split_once('"')?;
    let mut rest = comma(rest)?;
    if let Some(domain) = rest.strip_prefix("\"domain\":\"") {
        rest = comma(domain.split_once('"')?.1)?;
    }
    let sequence = rest.strip_prefix("\"seq\":")?.strip_suffix('}')?;
    let digits = sequence.bytes().all(|digit| digit.is_ascii_digit());
    let plain = !stream.is_empty() && !stream.contains('\\');
    (plain && digits).then_some(())?;
    let sequence = sequence.parse().ok().filter(|sequence| *sequence > 0)?;
    Some((stream, sequence))
}

impl Ack {
    /// The error of a publish that got this answer and no better one.
    pub(super) fn into_result(
        self,
        context: &NatsContext,
        publish_message: &RetryablePublish,
    ) -> Result<Stored, Error> {
        let publish = Operation::Publish;
        let error = match self {
            Self::Stored(stored) => return Ok(stored),
            Self::Refused { stream, error } => {
                let mut about = ErrorContext::new(publish);
                about.stream = stream;
                error.into_error(&about)
            }
            Self::NoStream => Error::new(
                ErrorKind::NoStream,
                publish,
                "no stream stores this subject; declare one with a pattern that matches it, and create it",
            ),
            Self::None(why) => {
                let options = context.options();
                why.error(
                    publish,
                    &publish_message.subject,
                    &options.inbox_prefix,
                    options.limits.ack,
                )
            }
            Self::Foreign(unreadable) => {
                let error = Error::new(
                    ErrorKind::Other,
                    publish,
                    "something that is no stream answered; does a service reply to this subject?",
                )
                .with_unknown_outcome();
                match unreadable {
                    Some(source) => error.with_source(source),
                    None => error,
                }
            }
        };
        Err(error.at_subject(&publish_message.subject))
    }
}

#[cfg(test)]
mod tests {
    use super::stored;

    #[test]
    fn the_usual_ack_is_read_at_once() {
        for ack in [
            r#"{"stream":"ORDERS","seq":41}"#,
            r#"{"stream":"ORDERS", "seq":41}"#,
            r#"{"stream":"ORDERS","domain":"hub","seq":41}"#,
        ] {
            assert_eq!(stored(ack.as_bytes()), Some(("ORDERS", 41)), "{ack}");
        }
        let most = format!(r#"{{"stream":"S","seq":{}}}"#, u64::MAX);
        assert_eq!(stored(most.as_bytes()), Some(("S", u64::MAX)));
    }

    #[test]
    fn everything_else_is_left_to_the_parser() {
        for ack in [
            r#"{"stream":"S", "seq":41,"duplicate": true}"#,
            r#"{"stream":"S", "seq":41, "domain":"d"}"#,
            r#"{"stream":"", "seq":41}"#,
            r#"{"stream":"a\b","seq":41}"#,
            r#"{"stream":"S", "seq":}"#,
            r#"{"stream":"S","seq":0}"#,
            r#"{"stream":"S", "seq":-1}"#,
            r#"{"stream":"S", "seq":+1}"#,
            r#"{"stream":"S", "seq":99999999999999999999}"#,
            r#"{"error":{"code":400},"stream":"S","seq":0}"#,
            "",
            "{",
        ] {
            assert_eq!(stored(ack.as_bytes()), None, "{ack}");
        }
    }
}
