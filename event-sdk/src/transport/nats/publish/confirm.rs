//! The second answer to a publish.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use serde::Deserialize;

use super::Parcel;
use super::retry;
use crate::text::Text;
use crate::transport::nats::answers::{NoAnswer, Reply};
use crate::transport::nats::fault::ApiError;
use crate::transport::nats::link::Link;
use crate::transport::nats::outbox::Handed;
use crate::transport::{Error, ErrorKind, Operation, Stored};

/// Waits for the ack of a message. Dropped, it takes nothing back.
pub(super) struct Confirm {
    link: Arc<Link>,
    handed: Handed,
    phase: Phase,
}

enum Phase {
    /// The ack has not come.
    Waiting(Parcel),
    /// It has to be found out what it means, or the message to be sent again.
    Retrying(Pin<Box<dyn Future<Output = Result<Stored, Error>> + Send>>),
    Done,
}

impl Confirm {
    pub(super) fn new(link: Arc<Link>, parcel: Parcel, handed: Handed) -> Self {
        Self {
            link,
            handed,
            phase: Phase::Waiting(parcel),
        }
    }
}

impl Future for Confirm {
    type Output = Result<Stored, Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        loop {
            let result = match &mut this.phase {
                Phase::Waiting(_) => ready!(this.link.outbox().poll_answer(this.handed.token, cx)),
                Phase::Retrying(retrying) => {
                    let result = ready!(retrying.as_mut().poll(cx));
                    this.phase = Phase::Done;
                    return Poll::Ready(result);
                }
                // Polled after it was ready, which a future need not answer.
                Phase::Done => return Poll::Pending,
            };
            let Phase::Waiting(parcel) = std::mem::replace(&mut this.phase, Phase::Done) else {
                return Poll::Pending;
            };
            let ack = match read(result) {
                Ack::Stored(stored) => return Poll::Ready(Ok(stored)),
                other => other,
            };
            let link = Arc::clone(&this.link);
            let retrying = retry::resolve(link, parcel, this.handed, ack);
            this.phase = Phase::Retrying(Box::pin(retrying));
        }
    }
}

impl Drop for Confirm {
    fn drop(&mut self) {
        if matches!(self.phase, Phase::Waiting(_)) {
            self.link.outbox().abandon(self.handed.token);
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
    None(NoAnswer),
    /// It was not a stream that answered.
    Unreadable(serde_json::Error),
}

/// Reads an answer.
pub(super) fn read(answer: Result<Reply, NoAnswer>) -> Ack {
    #[derive(Deserialize)]
    struct PubAck<'a> {
        #[serde(borrow, default)]
        stream: Option<std::borrow::Cow<'a, str>>,
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
    let ack: PubAck<'_> = match serde_json::from_slice(&reply.payload) {
        Ok(ack) => ack,
        Err(error) => return Ack::Unreadable(error),
    };
    let stream = ack.stream.as_deref().filter(|name| !name.is_empty());
    let stream = stream.map(Text::copy_of);
    match ack.error {
        Some(error) => Ack::Refused { stream, error },
        None => Ack::Stored(Stored {
            stream,
            sequence: Some(ack.seq),
            duplicate: ack.duplicate,
        }),
    }
}

impl Ack {
    /// The error of a publish that got this answer and no better one.
    pub(super) fn into_result(self, link: &Link, parcel: &Parcel) -> Result<Stored, Error> {
        let publish = Operation::Publish;
        let error = match self {
            Self::Stored(stored) => return Ok(stored),
            Self::Refused { stream, error } => {
                let mut about = crate::transport::nats::fault::About::new(publish);
                about.stream = stream;
                error.into_error(&about)
            }
            Self::NoStream => Error::new(
                ErrorKind::NoStream,
                publish,
                "no stream stores this subject; declare one with a pattern that matches it, and create it",
            ),
            Self::None(why) => why.error(publish, link.options().limits),
            Self::Unreadable(error) => Error::new(
                ErrorKind::Other,
                publish,
                "something that is no stream answered; does a service reply to this subject?",
            )
            .with_unknown_outcome()
            .with_source(error),
        };
        Err(error.at_subject(&parcel.subject))
    }
}
