//! What to do when the ack of a publish is not the last word.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::Parcel;
use super::confirm::{Ack, read};
use crate::text::Text;
use crate::transport::nats::fault::{About, ApiError, code};
use crate::transport::nats::link::Link;
use crate::transport::nats::options::Management;
use crate::transport::nats::outbox::{Handed, Letter, Sent, Turn};
use crate::transport::nats::streams;
use crate::transport::{Error, ErrorKind, Operation, Stored};

/// For how long a message is sent again that no stream has heard of, although
/// there is one, or whose duplicate is being stored; and how long the pauses are.
const AGAIN: Duration = Duration::from_secs(3);
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_millis(500);

/// The result of a publish that got this answer.
pub(super) async fn resolve(
    link: Arc<Link>,
    parcel: Parcel,
    handed: Handed,
    ack: Ack,
) -> Result<Stored, Error> {
    let ack = again(&link, &parcel, handed.number, ack).await?;
    match ack {
        Ack::Refused { stream, error } if error.is(&code::WRONG_LAST_SEQUENCE) => {
            match ours(&link, &parcel, stream.as_ref(), &error).await {
                Some(stored) => Ok(stored),
                None => Ack::Refused { stream, error }.into_result(&link, &parcel),
            }
        }
        Ack::Refused {
            stream: Some(stream),
            error,
        } if error.is(&[code::MESSAGE_TOO_LARGE]) => Err(too_large(&link, &parcel, stream).await),
        Ack::NoStream if exists(&link, &parcel).await == Some(true) => Err(Error::new(
            ErrorKind::Timeout,
            Operation::Publish,
            "the stream that stores this subject has no leader at the moment; try again",
        )
        .at_subject(&parcel.subject)),
        other => other.into_result(&link, &parcel),
    }
}

/// Sends a message again if that may help, and keeps the order of all.
async fn again(link: &Link, parcel: &Parcel, number: u64, mut ack: Ack) -> Result<Ack, Error> {
    let begun = Instant::now();
    let mut pause = FIRST_PAUSE;
    let held = link.outbox().hold(number);
    while begun.elapsed() < AGAIN {
        match &ack {
            // It is a duplicate, whichever place it has.
            Ack::Refused { error, .. } if error.is(&[code::DUPLICATE_IN_PROCESS]) => {}
            Ack::NoStream if exists(link, parcel).await != Some(false) => {}
            _ => break,
        }
        tokio::time::sleep(pause).await;
        let no_stream = matches!(ack, Ack::NoStream);
        match held.turn() {
            Turn::Over if no_stream => break,
            Turn::Later if no_stream => continue,
            Turn::Now | Turn::Later | Turn::Over => {}
        }
        pause = (pause * 2).min(LONGEST_PAUSE);
        ack = send(link, parcel, number).await?;
    }
    Ok(ack)
}

/// Sends a message again, and waits for its ack.
async fn send(link: &Link, parcel: &Parcel, number: u64) -> Result<Ack, Error> {
    let sent = link.outbox().send_again(Letter {
        subject: &parcel.subject,
        headers: parcel.on_wire(),
        payload: parcel.body.clone(),
        acked: true,
        number: Some(number),
    })?;
    let handed = match sent {
        Sent::Now(handed) => handed,
        Sent::Later(handed) => handed.await.unwrap_or_else(|_| {
            Err(Error::closed(Operation::Publish).at_subject(&parcel.subject))
        })?,
    };
    let waiting = Waiting { link, handed };
    let answer = std::future::poll_fn(|cx| link.outbox().poll_answer(waiting.handed.token, cx));
    Ok(read(link, answer.await))
}

/// Nobody waits for the ack when this is dropped.
struct Waiting<'a> {
    link: &'a Link,
    handed: Handed,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.link.outbox().abandon(self.handed.token);
    }
}

/// Whether a stream stores the subject: without a leader, or when its creation
/// has not reached every server of a cluster, nobody answers all the same.
/// `None` if nobody can say.
async fn exists(link: &Link, parcel: &Parcel) -> Option<bool> {
    if link.options().management == Management::Never {
        return None;
    }
    let pattern = parcel.subject.clone().into();
    let names = streams::names(link, &About::new(Operation::Publish), &pattern).await;
    names.ok().map(|names| !names.is_empty())
}

/// A server from 2.12 on looks at the message id last: what was stored before
/// with the same id, and expected a sequence then, gets `wrong last sequence`
/// when it is published again. If the last message is our own, it is stored.
async fn ours(
    link: &Link,
    parcel: &Parcel,
    stream: Option<&Text>,
    error: &ApiError,
) -> Option<Stored> {
    let (id, stream) = (parcel.message_id.as_ref()?.to_string(), stream?);
    if link.options().management == Management::Never {
        return None;
    }
    let last = if let Some(last) = error.last_sequence() {
        streams::message(link, stream, &streams::Which::Sequence(last)).await
    } else {
        let subject = match &parcel.expect().last_pattern_sequence {
            Some((pattern, _)) => pattern.as_str(),
            None if parcel.expect().last_subject_sequence.is_some() => parcel.subject.as_str(),
            None => ">",
        };
        streams::message(link, stream, &streams::Which::LastOf(subject)).await
    };
    // Without the permission to look, the error stays as it is.
    let last = last.ok().flatten()?;
    (last.message_id.as_deref() == Some(&*id)).then(|| Stored {
        stream: Some(stream.clone()),
        sequence: Some(last.sequence),
        duplicate: true,
    })
}

/// The error of a message that is larger than its stream takes, with the limit
/// if it can be found out.
async fn too_large(link: &Link, parcel: &Parcel, stream: Text) -> Error {
    let size = parcel.size;
    let state = streams::state(link, &About::new(Operation::Publish), &stream).await;
    let limit = state
        .ok()
        .and_then(|state| state.config.limits.message_size);
    let limit = limit.and_then(|limit| usize::try_from(limit.get()).ok());
    let reason = match limit {
        Some(limit) => format!("headers and body have {size} bytes, and the stream takes {limit}"),
        None => format!("headers and body have {size} bytes, more than the stream takes"),
    };
    Error::new(
        ErrorKind::TooLarge {
            size,
            limit: limit.unwrap_or(size.saturating_sub(1)),
        },
        Operation::Publish,
        format!("{reason}; publish less, or raise its `max_msg_size`"),
    )
    .at_subject(&parcel.subject)
    .at_stream(stream)
}
