//! `EventBus::redrive_letter`: sends the event of a letter to the retry stream of its consumer, once.

use bytes::Bytes;
use event_sdk_core::codec::RawEnvelope;
use event_sdk_core::transport::{Error, ErrorKind, Operation, StoredMessage};

use super::area::Area;
use super::audit::Audit;
use super::letter::DeadLetter;
use super::outgoing::{Once, Outgoing, invalid_header, is_body, last_of, publish};
use super::owned::stores;
use super::place::DeadLetterStream;
use super::redriven::Redriven;
use super::subjects::LetterSubject;
use crate::bus::EventBus;

/// Whether the event of a letter was sent now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Resent {
    /// It was sent now.
    Now {
        /// Its sequence in the retry stream.
        sequence: Option<u64>,
    },
    /// An earlier redrive had sent it.
    Earlier {
        /// Whether it was sent with the same body.
        is_same: bool,
        /// Its sequence in the retry stream; `None` if it was purged since then.
        sequence: Option<u64>,
    },
}

/// An event to be sent again.
pub(super) struct Resend<'a> {
    pub(super) letter: &'a DeadLetter,
    /// The id of the letter in its store.
    pub(super) id: u64,
    /// The subject of the letter.
    pub(super) subject: &'a LetterSubject,
    pub(super) edited: Option<Bytes>,
}

impl EventBus {
    /// Sends the event of a letter to its consumer, through the retry stream of `place`. It is for
    /// stores other than streams:
    /// [`DeadLetters::retried_through`](super::DeadLetters::retried_through) tells their consumers
    /// of the retry stream. Letters in a stream are redriven by
    /// [`DeadLetterQueue::redrive`](super::DeadLetterQueue::redrive).
    ///
    /// `id` is the id of the letter in its store; a header of the event has it. If `edited` has a
    /// body, the event is sent with this body, and a header says that it was edited.
    ///
    /// The event is sent once for each redrive number of the letter: a repeated call finds the
    /// event that an earlier one has sent. After the call, mark the letter as redriven.
    ///
    /// Not cancel-safe: after dropping the future, the event may be sent or not. Repeating it is
    /// safe.
    ///
    /// # Errors
    ///
    /// [`InvalidOption`](ErrorKind::InvalidOption) if the edited body is no envelope or has another
    /// event id, or if the letter was redriven too often to be counted,
    /// [`StreamNotFound`](ErrorKind::StreamNotFound) or [`NoStream`](ErrorKind::NoStream) if the
    /// retry stream is missing, [`StreamFull`](ErrorKind::StreamFull),
    /// [`InvalidHeader`](ErrorKind::InvalidHeader), [`TooLarge`](ErrorKind::TooLarge), errors of
    /// the connection.
    pub async fn redrive_letter(
        &self,
        place: &DeadLetterStream,
        id: u64,
        letter: &DeadLetter,
        edited: Option<Bytes>,
        audit: &Audit,
    ) -> Result<Resent, Error> {
        if let Some(body) = &edited {
            self.check_edited_letter(id, letter, body)?;
        }
        // Another event may have the same id: the body tells them apart.
        let subject = LetterSubject::of(place, letter).beside(&letter.body);
        let resend = Resend {
            letter,
            id,
            subject: &subject,
            edited,
        };
        resend.send(self, place, audit).await
    }

    /// Checks that an edited body is an envelope with the event id of a letter, and returns the
    /// envelope. It is for stores other than streams.
    ///
    /// # Errors
    ///
    /// [`InvalidOption`](ErrorKind::InvalidOption) if the body is no envelope or has another event
    /// id.
    pub fn check_edited_letter(
        &self,
        id: u64,
        letter: &DeadLetter,
        body: &Bytes,
    ) -> Result<RawEnvelope, Error> {
        check_edited(self, letter, body).map_err(|why| {
            let reason = format!("letter {id}: {why}");
            Error::new(ErrorKind::InvalidOption, Operation::Publish, reason)
        })
    }
}

impl Resend<'_> {
    /// Sends the event, if it was not sent before.
    pub(super) async fn send(
        self,
        bus: &EventBus,
        place: &DeadLetterStream,
        audit: &Audit,
    ) -> Result<Resent, Error> {
        let Self { letter, .. } = self;
        let Some(next) = self.subject.next() else {
            let reason = "it was redriven too often to be counted";
            return Err(Error::new(
                ErrorKind::InvalidOption,
                Operation::Publish,
                reason,
            ));
        };
        let redriven = Redriven {
            consumer: letter.consumer.clone(),
            origin: letter.origin.clone(),
            redrive: letter.redrive.saturating_add(1),
            first_failure: Some(letter.first_failure),
            letter: self.id,
            at: Some(bus.clock().now()),
            by: audit.by.clone(),
            note: audit.note.clone(),
            edited: self.edited.is_some(),
        };
        let headers = redriven.write(&letter.headers);
        let subject = next.text(place, Area::Retry);
        let message = Outgoing {
            subject: subject.clone(),
            headers: headers.map_err(|why| invalid_header(&why))?,
            body: self.edited.unwrap_or_else(|| letter.body.clone()),
        };
        let retry = place.retry_name();
        let body = message.body.clone();
        match publish(bus, message, 0).await? {
            Once::Stored(to) if to.stream.as_deref() == Some(retry) => Ok(Resent::Now {
                sequence: to.sequence,
            }),
            Once::Stored(to) => Err(wrong_stream(place, to.stream.as_deref())),
            Once::Other => {
                let earlier = sent_earlier(bus, place, &subject).await?;
                let is_same = earlier.as_ref().is_some_and(|it| is_body(&it.body, &body));
                let sequence = earlier.map(|message| message.sequence);
                Ok(Resent::Earlier { is_same, sequence })
            }
        }
    }
}

/// Checks that an edited body is an envelope with the id of the event.
pub(super) fn check_edited(
    bus: &EventBus,
    letter: &DeadLetter,
    body: &Bytes,
) -> Result<RawEnvelope, String> {
    let envelope = bus.inner().codec.decode(body, &letter.headers);
    let envelope = envelope.map_err(|why| format!("the edited body: {why}"))?;
    if letter
        .event_id
        .is_some_and(|id| id != envelope.head.event_id)
    {
        return Err(
            "the edited body has another `event_id`; keep the id, by which repeats are recognized"
                .to_owned(),
        );
    }
    Ok(envelope)
}

/// The event that an earlier redrive had sent; none if it was purged in the meantime.
async fn sent_earlier(
    bus: &EventBus,
    place: &DeadLetterStream,
    subject: &str,
) -> Result<Option<StoredMessage>, Error> {
    let retry = place.retry_name();
    let earlier = match last_of(bus, retry, subject).await {
        Ok(None) => Ok(None),
        Err(error) if *error.kind() == ErrorKind::InvalidSubject => Err(error),
        found => return found,
    };
    // The event may be in another stream, which has refused this one.
    if stores(bus, retry, subject).await? {
        return earlier;
    }
    Err(wrong_stream(place, None))
}

fn wrong_stream(place: &DeadLetterStream, stream: Option<&str>) -> Error {
    let stream = stream.map_or_else(
        || "another stream".to_owned(),
        |it| format!("the stream {it:?}"),
    );
    let reason = format!(
        "the event was stored in {stream} instead, where its consumer does not read it; declare the retry stream with `DeadLetterStream::new({:?}).retry_spec()`",
        place.name()
    );
    Error::new(ErrorKind::StreamNotFound, Operation::Publish, reason).at_stream(place.retry_name())
}
