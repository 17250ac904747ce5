//! Publishing to streams.

mod confirm;
mod retry;

use std::sync::Arc;

use async_nats::HeaderMap;
use bytes::Bytes;

pub(super) use self::retry::Lookups;

use self::confirm::Confirm;
use super::headers;
use super::link::Link;
use super::outbox::{Handed, Letter, Sent};
use super::server::Version;
use event_sdk_core::headers::Headers;
use event_sdk_core::subject::Subject;
use event_sdk_core::transport::{
    Answer, Body, Capability, Confirmation, Error, ErrorKind, Expectations, MessageId, Operation,
    Outgoing,
};

/// A message that is on its way to a stream: what is needed to send it again,
/// and to say what became of it.
#[derive(Debug)]
struct Parcel {
    subject: Subject,
    body: Bytes,
    message_id: Option<MessageId>,
    /// What few messages have.
    extra: Option<Box<Extra>>,
    /// Headers and body, in bytes.
    size: usize,
}

#[derive(Debug)]
struct Extra {
    headers: Headers,
    expect: Expectations,
}

impl Parcel {
    fn expect(&self) -> &Expectations {
        const NOTHING: &Expectations = &Expectations {
            last_sequence: None,
            last_subject_sequence: None,
            last_pattern_sequence: None,
        };
        self.extra.as_ref().map_or(NOTHING, |extra| &extra.expect)
    }

    /// The headers, as they are sent.
    fn on_wire(&self) -> Option<HeaderMap> {
        const NONE: &Headers = &Headers::new();
        let headers = self.extra.as_ref().map_or(NONE, |extra| &extra.headers);
        headers::outgoing(headers, self.message_id.as_ref(), self.expect())
    }
}

/// The most bytes that headers may have together: their length is stored in 16
/// bits (nats-server, `server/stream.go`).
const MAX_HEADERS: usize = u16::MAX as usize;

/// Sends a message.
pub(super) fn publish(
    link: &Arc<Link>,
    message: Outgoing<'_>,
) -> Answer<Result<Confirmation, Error>> {
    let subject = message.subject;
    let (parcel, letter) = match take(link, message) {
        Ok(taken) => taken,
        Err(error) => return Answer::ready(Err(error.at_subject(subject))),
    };
    match link.outbox().send(letter) {
        Ok(Sent::Now(handed)) => Answer::ready(Ok(confirmation(link, parcel, handed))),
        Ok(Sent::Later(handed)) => {
            let link = Arc::clone(link);
            Answer::later(async move {
                let closed = |_| Err(Error::closed(Operation::Publish).at_subject(&parcel.subject));
                let handed = handed.await.unwrap_or_else(closed)?;
                Ok(confirmation(&link, parcel, handed))
            })
        }
        Err(error) => Answer::ready(Err(error)),
    }
}

fn confirmation(link: &Arc<Link>, parcel: Parcel, handed: Handed) -> Confirmation {
    Answer::later(Confirm::new(Arc::clone(link), parcel, handed))
}

/// Checks a message, and writes its headers.
fn take<'a>(link: &Link, message: Outgoing<'a>) -> Result<(Parcel, Letter<'a>), Error> {
    let Outgoing {
        subject,
        headers,
        body,
        message_id,
        expect,
        reading: _,
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
        check_expectations(link, &expect)?;
    }
    let on_wire = headers::outgoing(&headers, message_id.as_ref(), &expect);
    let size = body.len() + check_headers(on_wire.as_ref())?;
    check_size(size, link.client().max_payload())?;
    let letter = Letter {
        subject,
        headers: on_wire,
        payload: body.clone(),
        acked: true,
        number: None,
    };
    let plain = headers.is_empty() && expect.is_empty();
    let extra = (!plain).then(|| Box::new(Extra { headers, expect }));
    let parcel = Parcel {
        subject: subject.clone(),
        body,
        message_id,
        extra,
        size,
    };
    Ok((parcel, letter))
}

/// How many bytes the headers have.
pub(super) fn check_headers(headers: Option<&HeaderMap>) -> Result<usize, Error> {
    let size = headers.map_or(0, headers::wire_len);
    if size > MAX_HEADERS {
        return Err(Error::new(
            ErrorKind::InvalidHeader,
            Operation::Publish,
            format!(
                "the headers have {size} bytes together, and may have {MAX_HEADERS}; put long values into the event instead"
            ),
        ));
    }
    Ok(size)
}

/// A server ends the connection of who sends more than it takes.
pub(super) fn check_size(size: usize, limit: usize) -> Result<(), Error> {
    if size <= limit {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::TooLarge { size, limit },
        Operation::Publish,
        format!(
            "headers and body have {size} bytes, and the server takes {limit}; publish less, or raise its `max_payload`"
        ),
    ))
}

fn check_expectations(link: &Link, expect: &Expectations) -> Result<(), Error> {
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
    let server = link.server();
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
