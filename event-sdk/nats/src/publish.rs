//! Publishes to JetStream: checks sizes, headers and expectations, and queues the message.

mod ack;
mod confirm;
mod retry;

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use async_nats::HeaderMap;
use bytes::Bytes;

use self::confirm::Confirm;
use self::retry::Lookups;
use super::context::NatsContext;
use super::headers;
use super::pending_replies::{Extra, Resend};
use super::send_queue::{Outbound, PendingPublish, Sent};
use super::server::Version;
use event_sdk_core::subject::Subject;
use event_sdk_core::text::Text;
use event_sdk_core::transport::{
    Body, Capability, Completion, Confirmation, Error, ErrorKind, Expectations, MessageId,
    Operation, PublishRequest,
};

/// Publishes to the streams behind one connection.
pub(super) struct StreamPublisher {
    context: Arc<NatsContext>,
    lookups: Lookups,
    /// The stream that confirmed a publish last.
    last_stream: Mutex<Text>,
}

impl StreamPublisher {
    pub(super) fn new(context: Arc<NatsContext>) -> Self {
        Self {
            context,
            lookups: Lookups::default(),
            last_stream: Mutex::new(Text::from_static("")),
        }
    }

    /// Sends a message.
    pub(super) fn publish(
        self: &Arc<Self>,
        message: PublishRequest<'_>,
    ) -> Completion<Result<Confirmation, Error>> {
        let subject = message.subject;
        let (publish_message, outbound) = match take(&self.context, message) {
            Ok(taken) => taken,
            Err(error) => return Completion::ready(Err(error.at_subject(subject))),
        };
        match self.context.send_queue().send(outbound) {
            Ok(Sent::Now(handed)) => {
                Completion::ready(Ok(self.confirmation(publish_message, handed)))
            }
            Ok(Sent::Later(handed)) => {
                let this = Arc::clone(self);
                Completion::later(async move {
                    let closed = |_| {
                        Err(Error::closed(Operation::Publish).at_subject(&publish_message.subject))
                    };
                    let handed = handed.await.unwrap_or_else(closed)?;
                    Ok(this.confirmation(publish_message, handed))
                })
            }
            Err(error) => Completion::ready(Err(error)),
        }
    }

    fn confirmation(
        self: &Arc<Self>,
        publish_message: RetryablePublish,
        handed: PendingPublish,
    ) -> Confirmation {
        Completion::later(Confirm::new(Arc::clone(self), publish_message, handed))
    }

    /// The name of a stream, mostly of that which was named last: then nothing
    /// is allocated.
    fn stream_name(&self, name: &str) -> Text {
        let mut last = self
            .last_stream
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if *last != name {
            *last = Text::copy_of(name);
        }
        last.clone()
    }
}

impl fmt::Debug for StreamPublisher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StreamPublisher").finish_non_exhaustive()
    }
}

/// A message that is on its way to a stream: what is needed to send it again,
/// and to say what became of it.
#[derive(Debug)]
struct RetryablePublish {
    subject: Subject,
    body: Bytes,
    message_id: Option<MessageId>,
    extra: Option<Arc<Extra>>,
    /// Headers and body, in bytes.
    size: usize,
}

impl RetryablePublish {
    fn expect(&self) -> &Expectations {
        &Extra::of(self.extra.as_ref()).expect
    }

    /// The headers, as they are sent.
    fn on_wire(&self) -> Option<HeaderMap> {
        Extra::on_wire(self.extra.as_ref(), self.message_id.as_ref())
    }

    /// How it is sent again over another connection; not at all without an id, by which the
    /// stream recognizes the second copy.
    fn resend(&self) -> Option<Resend> {
        Some(Resend {
            payload: self.body.clone(),
            message_id: self.message_id.clone()?,
            extra: self.extra.clone(),
        })
    }
}

/// The most bytes that headers may have together: their length is stored in 16
/// bits (nats-server, `server/stream.go`).
const MAX_HEADERS: usize = u16::MAX as usize;

/// Checks a message, and writes its headers.
fn take<'a>(
    context: &NatsContext,
    message: PublishRequest<'a>,
) -> Result<(RetryablePublish, Outbound<'a>), Error> {
    let PublishRequest {
        subject,
        headers,
        body,
        message_id,
        expect,
        roll_up,
        ..
    } = message;
    let Body::Encoded(body) = body else {
        return Err(Error::unsupported(
            Capability::ValueHandover,
            Operation::Publish,
            "encode the event: it leaves this process",
        ));
    };
    if let Some(Err(why)) = message_id.as_ref().map(MessageId::check) {
        let (kind, why) = (ErrorKind::InvalidHeader, why.to_string());
        return Err(Error::new(kind, Operation::Publish, why));
    }
    if !expect.is_empty() {
        check_expectations(context, &expect)?;
    }
    let on_wire = headers::outgoing(&headers, message_id.as_ref(), &expect);
    let on_wire = headers::with_roll_up(on_wire, roll_up);
    let size = body.len() + check_headers(Operation::Publish, on_wire.as_ref())?;
    check_size(Operation::Publish, size, context.client().max_payload())?;
    let plain = headers.is_empty() && expect.is_empty() && roll_up.is_none();
    let extra = (!plain).then(|| {
        Arc::new(Extra {
            headers,
            expect,
            roll_up,
        })
    });
    let publish_message = RetryablePublish {
        subject: subject.clone(),
        body,
        message_id,
        extra,
        size,
    };
    let outbound = Outbound {
        subject,
        headers: on_wire,
        payload: publish_message.body.clone(),
        acked: true,
        resend: publish_message.resend(),
        number: None,
    };
    Ok((publish_message, outbound))
}

/// How many bytes the headers have.
pub(super) fn check_headers(
    operation: Operation,
    headers: Option<&HeaderMap>,
) -> Result<usize, Error> {
    let size = headers.map_or(0, headers::wire_len);
    if size > MAX_HEADERS {
        return Err(Error::new(
            ErrorKind::InvalidHeader,
            operation,
            format!(
                "the headers have {size} bytes together, and may have {MAX_HEADERS}; put long values into the event instead"
            ),
        ));
    }
    Ok(size)
}

/// A server ends the connection of who sends more than it takes.
pub(super) fn check_size(operation: Operation, size: usize, limit: usize) -> Result<(), Error> {
    if size <= limit {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::TooLarge { size, limit },
        operation,
        format!(
            "headers and body have {size} bytes, and the server takes {limit}; publish less, or raise its `max_payload`"
        ),
    ))
}

fn check_expectations(context: &NatsContext, expect: &Expectations) -> Result<(), Error> {
    if expect.last_pattern_sequence.is_none() {
        return Ok(());
    }
    let unsupported = |needed: &str| {
        Err(Error::unsupported(
            Capability::ExpectPattern,
            Operation::Publish,
            needed,
        ))
    };
    let server = context.server();
    if server.version < Version::V2_11 {
        // An older one would store the message without looking.
        return unsupported(&server.needs(Version::V2_11));
    }
    if expect.last_subject_sequence.is_some() {
        return unsupported(
            "a server compares the last sequence of one subject or one pattern; expect one of them",
        );
    }
    Ok(())
}
