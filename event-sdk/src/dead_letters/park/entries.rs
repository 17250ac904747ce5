//! `ParkedEvent`: one event of a dead key, in its place in the order; and what becomes of it.

use std::collections::{BTreeMap, HashMap};

use event_sdk_core::subject::Pattern;
use event_sdk_core::transport::{
    Error, HistoryRequest, HistoryStart, StoredMessage, TransportExt as _,
};
use futures_util::StreamExt as _;

use super::super::area::Area;
use super::super::audit::Audit;
use super::super::class::DeadLetterClass;
use super::super::letter::DeadLetter;
use super::super::marks::{mark, state_now};
use super::super::place::DeadLetterStream;
use super::super::state::{LetterState, LetterStatus};
use super::super::takeovers::Takeovers;
use super::super::whole::joined;
use super::super::wire;
use super::Park;
use super::key::DeadKey;
use super::subjects::beside;

/// An event in the park of its key: a dead letter, or an event that waits for its key.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ParkedEvent {
    /// The key.
    pub key: DeadKey,
    /// The sequence of the event in the original stream.
    pub position: u64,
    /// Whether the event is a dead letter: it failed.
    pub failed: bool,
    /// The number of the redrive that handles it next: zero if it never failed.
    pub redrive: u32,
    /// The id of the message that has the event: its sequence in the dead-letter stream.
    pub id: u64,
    /// All messages that have the event. After a crash there may be more than one.
    all: Vec<Place>,
}

/// A message of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Place {
    id: u64,
    subject: String,
}

/// A letter or a parked event.
struct Record {
    key: DeadKey,
    position: u64,
    failed: bool,
    redrive: u32,
    place: Place,
}

/// Letters and parked events in the order of the dead-letter stream, and what became of them.
#[derive(Default)]
pub(super) struct Records {
    all: Vec<Record>,
    states: HashMap<u64, LetterState>,
    takeovers: Takeovers,
}

impl Records {
    /// Adds a message, if it is of this key, and no owner stored it after the next one had taken over.
    pub(super) fn add(
        &mut self,
        place: &DeadLetterStream,
        message: &StoredMessage,
        only: Option<&DeadKey>,
    ) {
        if self.takeovers.add(place, message) || self.takeovers.is_late(message) {
            return;
        }
        if let Some((id, state)) = LetterState::read(&message.headers) {
            self.states.insert(id, state);
            return;
        }
        let letter = wire::letter_of(message).filter(|letter| letter.sequenced);
        let Some((letter, key)) = letter.and_then(|it| DeadKey::of(&it).map(|key| (it, key)))
        else {
            return;
        };
        if only.is_some_and(|only| *only != key) {
            return;
        }
        let failed = letter.class != DeadLetterClass::Parked;
        self.all.push(Record {
            key,
            position: letter.origin.sequence,
            failed,
            redrive: if failed {
                letter.redrive.saturating_add(1)
            } else {
                letter.redrive
            },
            place: Place {
                id: message.sequence,
                subject: message.subject.as_str().to_owned(),
            },
        });
    }

    /// What became of a letter or parked event of the key.
    pub(super) fn status(&self, id: u64) -> Option<LetterStatus> {
        let mut records = self.all.iter();
        records.find(|record| record.place.id == id)?;
        self.states.get(&id).map(|state| state.status.clone())
    }

    /// The events of which nothing became yet, by key and position.
    pub(super) fn keys(self) -> BTreeMap<DeadKey, BTreeMap<u64, ParkedEvent>> {
        let mut keys: BTreeMap<DeadKey, BTreeMap<u64, ParkedEvent>> = BTreeMap::new();
        for record in self.open() {
            let events = keys.entry(record.key.clone()).or_default();
            let event = events
                .entry(record.position)
                .or_insert_with(|| ParkedEvent {
                    key: record.key,
                    position: record.position,
                    failed: false,
                    redrive: 0,
                    id: record.place.id,
                    all: Vec::new(),
                });
            // A letter counts before the event that it was made from.
            if (record.failed, record.redrive) > (event.failed, event.redrive) {
                event.id = record.place.id;
                event.failed = record.failed;
                event.redrive = record.redrive;
            }
            event.all.push(record.place);
        }
        keys
    }

    /// Those of which nothing became yet.
    fn open(self) -> impl Iterator<Item = Record> {
        let Self { all, states, .. } = self;
        let is_open = move |record: &Record| {
            let state = states.get(&record.place.id);
            state.is_none_or(|state| state.status == LetterStatus::Open)
        };
        all.into_iter().filter(is_open)
    }
}

impl Park {
    /// Reads the events of a key that are still to be handled, in their original order, without
    /// bodies. If the key is dead, the first one is the dead letter.
    ///
    /// Cancel-safe: it changes nothing.
    ///
    /// # Errors
    ///
    /// The [errors of every operation](Self).
    pub async fn events(&self, key: &DeadKey) -> Result<Vec<ParkedEvent>, Error> {
        let mut keys = self.records(Some(key)).await?.keys();
        let events = keys.remove(key).unwrap_or_default();
        Ok(events.into_values().collect())
    }

    /// Reads the same of all keys.
    pub(crate) async fn events_by_key(&self) -> Result<HashMap<DeadKey, Vec<ParkedEvent>>, Error> {
        let keys = self.records(None).await?.keys().into_iter();
        Ok(keys
            .map(|(key, events)| (key, events.into_values().collect()))
            .collect())
    }

    /// Reads an event with its headers and body; `None` if it was purged.
    ///
    /// Cancel-safe: it changes nothing.
    ///
    /// # Errors
    ///
    /// The [errors of every operation](Self).
    pub async fn load(&self, event: &ParkedEvent) -> Result<Option<DeadLetter>, Error> {
        let Some(place) = event.all.iter().find(|place| place.id == event.id) else {
            return Ok(None);
        };
        let filter = super::super::outgoing::parse(&place.subject).map(Pattern::from)?;
        let mut request = HistoryRequest::new(self.place.name(), vec![filter]);
        request.from = HistoryStart::Sequence(place.id);
        request.limit = Some(1);
        let mut messages = self.bus.transport().read_history(request).await?;
        let message = messages.next().await.transpose()?;
        let message = message.filter(|message| message.sequence == place.id);
        let Some(mut message) = message else {
            return Ok(None);
        };
        joined(&self.bus, &self.place, &mut message).await?;
        Ok(wire::letter_of(&message))
    }

    /// Marks an event as handled: it does not wait any more.
    ///
    /// Not cancel-safe: after dropping the future, the event may be marked. Marking it again is
    /// safe. If the event was skipped in the meantime, the call succeeds too.
    ///
    /// # Errors
    ///
    /// The [errors of every operation](Self), and of a publish.
    pub async fn handled(&self, event: &ParkedEvent) -> Result<(), Error> {
        self.mark(event, LetterStatus::Handled, &Audit::default())
            .await
    }

    /// Marks an event that failed as replaced by a letter. Put the letter before.
    ///
    /// The redrive number of the letter is [`ParkedEvent::redrive`]. If the letter is
    /// [`sequenced`](DeadLetter::sequenced), the key is dead; otherwise later events go on.
    ///
    /// Not cancel-safe: after dropping the future, the event may be marked. Marking it again is
    /// safe.
    ///
    /// # Errors
    ///
    /// The [errors of every operation](Self), and of a publish.
    pub async fn replaced(&self, event: &ParkedEvent) -> Result<(), Error> {
        self.mark(event, LetterStatus::Replaced, &Audit::default())
            .await
    }

    /// Marks all messages of an event that are open.
    pub(super) async fn mark(
        &self,
        event: &ParkedEvent,
        status: LetterStatus,
        audit: &Audit,
    ) -> Result<(), Error> {
        for place in &event.all {
            let Some(subject) = beside(&self.place, &place.subject, Area::State) else {
                continue;
            };
            let state = state_now(&self.bus, status.clone(), audit);
            let is_end = |now: &LetterStatus| *now != LetterStatus::Open;
            let written = (place.id, &state);
            mark(&self.bus, &self.place, &subject, written, 0, is_end).await?;
        }
        Ok(())
    }
}
