//! Parses the publish ack (`PubAck`) and completes the confirmation.

use std::borrow::Cow;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use serde::Deserialize;

use super::RetryablePublish;
use super::retry;
use crate::context::NatsContext;
use crate::error::ApiError;
use crate::pending_replies::{NoReply, Reply};
use crate::send_queue::PendingPublish;
use event_sdk_core::text::Text;
use event_sdk_core::transport::{Error, ErrorKind, Operation, Stored};

/// Waits for the ack of a message. Dropped, it takes nothing back.
pub(super) struct Confirm {
    context: Arc<NatsContext>,
    handed: PendingPublish,
    phase: Phase,
}

enum Phase {
    /// The ack has not come.
    Waiting(RetryablePublish),
    /// It has to be found out what it means, or the message to be sent again.
    Retrying(Pin<Box<dyn Future<Output = Result<Stored, Error>> + Send>>),
    Done,
}

impl Confirm {
    pub(super) fn new(
        context: Arc<NatsContext>,
        publish_message: RetryablePublish,
        handed: PendingPublish,
    ) -> Self {
        Self {
            context,
            handed,
            phase: Phase::Waiting(publish_message),
        }
    }
}

impl Future for Confirm {
    type Output = Result<Stored, Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        loop {
            let result = match &mut this.phase {
                Phase::Waiting(_) => {
                    ready!(this.context.send_queue().poll_answer(this.handed.token, cx))
                }
                Phase::Retrying(retrying) => {
                    let result = ready!(retrying.as_mut().poll(cx));
                    this.phase = Phase::Done;
                    return Poll::Ready(result);
                }
                Phase::Done => {
                    return Poll::Ready(Err(Error::new(
                        ErrorKind::Other,
                        Operation::Publish,
                        "its answer was given already",
                    )));
                }
            };
            let Phase::Waiting(publish_message) = std::mem::replace(&mut this.phase, Phase::Done)
            else {
                // It is what was just asked for its answer.
                continue;
            };
            let ack = match read(&this.context, result) {
                Ack::Stored(stored) => return Poll::Ready(Ok(stored)),
                other => other,
            };
            let context = Arc::clone(&this.context);
            let retrying = retry::resolve(context, publish_message, this.handed, ack);
            this.phase = Phase::Retrying(Box::pin(retrying));
        }
    }
}

impl Drop for Confirm {
    fn drop(&mut self) {
        if matches!(self.phase, Phase::Waiting(_)) {
            self.context.send_queue().abandon(self.handed.token);
        }
    }
}

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
pub(super) fn read(context: &NatsContext, answer: Result<Reply, NoReply>) -> Ack {
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
        return Ack::Stored(Stored {
            stream: Some(context.stream_name(stream)),
            sequence: Some(sequence),
            duplicate: false,
        });
    }
    let ack: PubAck<'_> = match serde_json::from_slice(&reply.payload) {
        Ok(ack) => ack,
        Err(error) => return Ack::Foreign(Some(error)),
    };
    let stream = ack.stream.as_deref().filter(|name| !name.is_empty());
    let stream = stream.map(|name| context.stream_name(name));
    match (ack.error, stream) {
        (Some(error), stream) => Ack::Refused { stream, error },
        (None, Some(stream)) => Ack::Stored(Stored {
            stream: Some(stream),
            sequence: Some(ack.seq),
            duplicate: ack.duplicate,
        }),
        // An object of somebody else: whatever it confirms, it is not this.
        (None, None) => Ack::Foreign(None),
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
    Some((stream, sequence.parse().ok()?))
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
                let mut about = crate::error::ErrorContext::new(publish);
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
                    options.limits,
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
