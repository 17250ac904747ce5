//! `StreamDeadLetters`: keeps dead letters in a stream of the transport, each one once.

use event_sdk_core::Pattern;
use event_sdk_core::stream::Retention;
use event_sdk_core::transport::{
    Completion, Error, ErrorKind, Operation, StreamState, TransportExt as _,
};

use super::area::Area;
use super::letter::DeadLetter;
use super::outgoing::invalid_header;
use super::place::DeadLetterStream;
use super::store::{DeadLetterStore, GivenUp};
use super::subjects::LetterSubject;
use super::whole::{Put, Subjects, put_once};
use super::wire;
use crate::bus::EventBus;
use crate::partition::OwnerEpoch;

/// Keeps dead letters in a stream, under the subjects and headers of `docs/dead-letters.md`.
///
/// A letter is published with the condition that its subject has no message yet, so that it is
/// stored once, however often and however late it is [put](DeadLetterStore::put) again.
#[derive(Debug, Clone)]
pub struct StreamDeadLetters {
    bus: EventBus,
    place: DeadLetterStream,
}

impl StreamDeadLetters {
    /// Keeps letters in the stream `place`: a name, or a [`DeadLetterStream`].
    #[must_use]
    pub fn new(bus: &EventBus, place: impl Into<DeadLetterStream>) -> Self {
        Self {
            bus: bus.clone(),
            place: place.into(),
        }
    }

    /// Checks that both streams exist, and store what belongs to this consumer.
    async fn check(self, consumer: String) -> Result<(), Error> {
        let place = &self.place;
        let invalid = |why: event_sdk_core::subject::InvalidSubject| {
            let kind = ErrorKind::InvalidSubject;
            Error::new(kind, Operation::Configure, why.to_string())
        };
        let areas = [
            Area::Letter,
            Area::Rest,
            Area::State,
            Area::Park,
            Area::Request,
        ];
        let filters = areas.map(|area| place.filter(area, Some(&consumer)));
        for filter in filters {
            let filter = filter.map_err(invalid)?;
            self.check_stream(place.name(), "dead-letter stream", &filter)
                .await?;
        }
        let retry = place.retry_filter(&consumer).map_err(invalid)?;
        self.check_stream(
            place.retry_name(),
            "retry stream of the dead letters",
            &retry,
        )
        .await
    }

    async fn check_stream(&self, name: &str, what: &str, filter: &Pattern) -> Result<(), Error> {
        let refused = |kind: ErrorKind, why: &str| {
            let reason = format!(
                "the {what} {why}; declare it with `DeadLetterStream::new({:?})` in the builder of the bus (`spec`, `retry_spec`), and call `apply` in a deployment step",
                self.place.name()
            );
            Error::new(kind, Operation::Configure, reason).at_stream(name)
        };
        let state = self.bus.transport().stream_state(name).await;
        let StreamState { config, .. } = match state {
            Ok(state) => state,
            Err(error) if *error.kind() == ErrorKind::StreamNotFound => {
                return Err(refused(ErrorKind::StreamNotFound, "does not exist").with_source(error));
            }
            Err(error) => return Err(error),
        };
        if !config.subjects.iter().any(|subject| subject.covers(filter)) {
            let why = format!("does not store `{}`", filter.as_str());
            return Err(refused(ErrorKind::InvalidOption, &why));
        }
        if config.retention != Retention::Limits {
            let why = "drops messages that are acknowledged";
            return Err(refused(ErrorKind::InvalidOption, why));
        }
        Ok(())
    }

    async fn store(self, letter: DeadLetter, owner: Option<OwnerEpoch>) -> Result<(), Error> {
        let place = &self.place;
        let headers = wire::headers_of(&letter, owner).map_err(|why| invalid_header(&why))?;
        let first = LetterSubject::of(place, &letter);
        let beside = first.beside(&letter.body);
        for subject in [&first, &beside] {
            let subjects = Subjects {
                whole: subject.text(place, Area::Letter),
                rest: subject.text(place, Area::Rest),
            };
            // Events may have the same id, and be different all the same.
            let put = put_once(&self.bus, place, &subjects, headers.clone(), &letter.body);
            if put.await? == Put::Done {
                return Ok(());
            }
        }
        Err(Error::new(
            ErrorKind::Other,
            Operation::Publish,
            "other letters have the id and the hash of this one; purge them",
        )
        .at_subject(beside.text(place, Area::Letter))
        .at_stream(place.name()))
    }
}

impl DeadLetterStore for StreamDeadLetters {
    fn put(&self, letter: &DeadLetter) -> Completion<Result<(), Error>> {
        Completion::later(self.clone().store(letter.clone(), None))
    }

    /// The letter of an owner does not count if it is stored after another one has taken over: the
    /// other one handles the event.
    fn put_unless_done(
        &self,
        letter: &DeadLetter,
        owner: Option<OwnerEpoch>,
    ) -> Completion<Result<GivenUp, Error>> {
        let stored = self.clone().store(letter.clone(), owner);
        Completion::later(async move { stored.await.map(|()| GivenUp::Dead) })
    }

    fn verify(&self, consumer: &str) -> Completion<Result<(), Error>> {
        Completion::later(self.clone().check(consumer.to_owned()))
    }
}
