//! Reads a dead-letter stream once: letters in order, and what became of each.

use std::collections::BTreeMap;

use event_sdk_core::transport::{
    Error, ErrorKind, HistoryRequest, HistoryStart, Operation, StoredMessage, TransportExt as _,
};
use futures_util::StreamExt as _;

use super::super::area::Area;
use super::super::letter::DeadLetter;
use super::super::marks::read_state;
use super::super::place::DeadLetterStream;
use super::super::state::LetterState;
use super::super::subjects::LetterSubject;
use super::super::takeovers::Takeovers;
use super::super::whole::joined;
use super::super::wire;
use super::DeadLetterQueue;
use super::summary::{LetterSummary, QueuedLetter};

/// The letters of a stream without their bodies.
#[derive(Default)]
pub(super) struct Scan {
    pub(super) letters: BTreeMap<u64, LetterSummary>,
    /// The ids of messages that are no letters, though their subjects are those of letters.
    pub(super) unreadable: Vec<u64>,
    pub(super) takeovers: Takeovers,
}

impl Scan {
    pub(super) fn add(&mut self, place: &DeadLetterStream, message: &StoredMessage) {
        if self.takeovers.add(place, message) || self.takeovers.is_late(message) {
            return;
        }
        let subject = message.subject.as_str();
        if LetterSubject::of_state(place, subject).is_some() {
            if let Some((id, state)) = LetterState::read(&message.headers)
                && let Some(letter) = self.letters.get_mut(&id)
            {
                letter.state = state;
            }
        } else if is_letter(place, subject) {
            let subject = LetterSubject::of_letter(place, subject);
            match read_letter(subject.as_ref(), message) {
                Some(letter) => {
                    let mut summary = LetterSummary::new(message.sequence, &letter);
                    if let Some(length) = wire::read_number(&message.headers, wire::LENGTH) {
                        summary.body_len = length;
                    }
                    self.letters.insert(message.sequence, summary);
                }
                None => self.unreadable.push(message.sequence),
            }
        }
    }
}

/// Reads a letter, whose headers have to name the consumer of its subject: it is redriven there.
fn read_letter(subject: Option<&LetterSubject>, message: &StoredMessage) -> Option<DeadLetter> {
    let letter = wire::letter_of(message)?;
    subject?.is_of(&letter.consumer).then_some(letter)
}

/// Whether the subject lies in the area of letters.
fn is_letter(place: &DeadLetterStream, subject: &str) -> bool {
    let rest = place
        .inner(subject)
        .and_then(|inner| inner.strip_prefix("dlq."));
    rest.is_some_and(|rest| {
        !Area::ALL_BUT_LETTERS
            .iter()
            .any(|area| rest.starts_with(area))
    })
}

impl DeadLetterQueue {
    /// Reads the letters of a consumer, or of all.
    pub(super) async fn scan(&self, consumer: Option<&str>) -> Result<Scan, Error> {
        let place = &self.place;
        let filters = match consumer {
            None => place.everything().map(|all| vec![all]),
            Some(_) => [Area::Letter, Area::State]
                .map(|area| place.filter(area, consumer))
                .into_iter()
                .collect(),
        };
        let filters = filters.map_err(|why| {
            let kind = ErrorKind::InvalidSubject;
            Error::new(kind, Operation::Read, why.to_string()).at_stream(place.name())
        })?;
        let request = HistoryRequest::new(place.name(), filters);
        let mut messages = self.bus.transport().read_history(request).await?;
        let mut scan = Scan::default();
        while let Some(message) = messages.next().await {
            scan.add(place, &message?);
        }
        Ok(scan)
    }

    /// Reads one letter.
    pub(super) async fn read(&self, id: u64) -> Result<Option<Stored>, Error> {
        let place = &self.place;
        let filter = place.everything().map_err(|why| {
            let kind = ErrorKind::InvalidSubject;
            Error::new(kind, Operation::Read, why.to_string()).at_stream(place.name())
        })?;
        let mut request = HistoryRequest::new(place.name(), vec![filter]);
        request.from = HistoryStart::Sequence(id);
        request.limit = Some(1);
        let mut messages = self.bus.transport().read_history(request).await?;
        let message = messages.next().await.transpose()?;
        let Some(mut message) = message.filter(|message| message.sequence == id) else {
            return Ok(None);
        };
        joined(&self.bus, place, &mut message).await?;
        let subject = LetterSubject::of_letter(place, message.subject.as_str());
        let letter = read_letter(subject.as_ref(), &message);
        let (Some(subject), Some(letter)) = (subject, letter) else {
            return Ok(None);
        };
        let of_state = subject.text(place, Area::State);
        let (state_sequence, state) = read_state(&self.bus, place, &of_state, id).await?;
        let letter = QueuedLetter {
            id,
            letter,
            state,
            state_sequence,
        };
        Ok(Some(Stored { letter, subject }))
    }
}

/// A letter with its subject.
pub(super) struct Stored {
    pub(super) letter: QueuedLetter,
    pub(super) subject: LetterSubject,
}
