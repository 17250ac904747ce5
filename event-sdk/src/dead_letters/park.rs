//! `Park`: the events of one consumer that wait for their keys, in the dead-letter stream: behind dead
//! letters (sequenced mode), and beyond a quarter of `max_ack_pending` behind a retry.

mod entries;
mod key;
mod key_state;
mod request;
mod skip;
mod subjects;

pub use entries::ParkedEvent;
pub use key::DeadKey;
pub use key_state::KeyState;
pub(crate) use request::Requests;
pub use request::{ReleaseOutcome, ReleaseRequest};

use event_sdk_core::stream::Discard;
use event_sdk_core::subject::{InvalidSubject, Pattern};
use event_sdk_core::text::Text;
use event_sdk_core::transport::{
    Error, ErrorKind, HistoryRequest, HistoryStart, Operation, StoredMessage, TransportExt as _,
};
use futures_util::StreamExt as _;

use super::area::Area;
use super::class::DeadLetterClass;
use super::letter::DeadLetter;
use super::outgoing::invalid_header;
use super::place::DeadLetterStream;
use super::takeovers::take_over;
use super::whole::{Put, Subjects, put_once};
use super::wire;
use crate::bus::EventBus;
use crate::partition::OwnerEpoch;
use entries::Records;

/// The events of one consumer that wait for their keys, in the dead-letter stream.
///
/// Two kinds of keys have events here:
///
/// - *Dead keys*, in [sequenced mode](super::DeadLetters::sequenced): the first event is a dead letter,
///   which holds the key until an operator asks to go on.
/// - *Crowded keys*: one event of the key waits for a retry, and later ones would take more than a
///   quarter of the consumer's `max_ack_pending`. The first event here is not a letter, and no
///   operator has to release the key.
///
/// A consumer with [`ordered_by_key`](crate::consumer::Consumer::ordered_by_key),
/// [`single_active`](crate::consumer::Consumer::single_active) and letters in a stream does all of
/// this automatically. Its owner uses the park in this way:
///
/// 1. It writes that it [takes over](Self::take_over). Before it starts anything, it reads the
///    [keys](Self::keys).
/// 2. It [appends](Self::append) an event of a dead key, and then acknowledges it without handling
///    it. If an event of another key fails for good, it puts a letter with
///    [`sequenced`](DeadLetter::sequenced) and the key into the store, and then acknowledges the
///    event. The key is dead from then on.
/// 3. It asks for [requests](Self::requests) now and then. For the key of a request, it reads the
///    [events](Self::events) of the key in order. It [loads](Self::load) and handles each event
///    that the request [covers](ReleaseRequest::covers), and marks it as [handled](Self::handled).
///    It appends events that arrive meanwhile, and reads again until nothing is left: then the key
///    is alive. If an event fails for good, it puts a letter of the event, and marks the event as
///    [replaced](Self::replaced); the key stays dead. In both cases it [answers](Self::answer) the
///    request.
/// 4. The events of a crowded key are handled in the same way, without a request: as soon as the
///    event that held the key is settled, and before newer events of the key.
///
/// Each step can be repeated after a crash. The handler of an event starts again if the crash came after
/// its start and before the event was marked: while the handler ran, or after it had ended.
///
/// Operators [release](Self::release) a key, [skip](Self::skip_head) its head or
/// [drop](Self::drop_key) it.
///
/// All operations fail with [`StreamNotFound`](ErrorKind::StreamNotFound) if the stream does not
/// exist, [`Unsupported`](ErrorKind::Unsupported) on a transport without history,
/// [`PermissionDenied`](ErrorKind::PermissionDenied), or errors of the connection.
#[derive(Debug, Clone)]
pub struct Park {
    bus: EventBus,
    place: DeadLetterStream,
    consumer: Text,
    /// The owner that uses it.
    owner: Option<OwnerEpoch>,
}

impl Park {
    /// The dead-letter stream.
    pub(crate) fn stream(&self) -> &str {
        self.place.name()
    }

    /// The park of a consumer, in a stream of this bus.
    #[must_use]
    pub fn new(
        bus: &EventBus,
        place: impl Into<DeadLetterStream>,
        consumer: impl Into<Text>,
    ) -> Self {
        Self {
            bus: bus.clone(),
            place: place.into(),
            consumer: consumer.into(),
            owner: None,
        }
    }

    /// Writes that this owner takes over, and returns the park as this owner uses it; `None` if
    /// `is_owner` says that it is not the owner any more. What an earlier owner
    /// [appends](Self::append) from now on does not count, since this owner handles its events.
    ///
    /// A process may be frozen at any time. `is_owner` is asked each time before something is
    /// written, and must be false as soon as another process may be the owner.
    ///
    /// Not cancel-safe: after dropping the future, the takeover may be written. Repeating it is safe.
    ///
    /// # Errors
    ///
    /// The [errors of every operation](Self), and of a publish.
    /// [`WrongLastSequence`](ErrorKind::WrongLastSequence) if another takeover was written just now,
    /// and cannot be read yet; repeat it.
    pub async fn take_over(
        &self,
        owner: OwnerEpoch,
        is_owner: impl Fn() -> bool,
    ) -> Result<Option<Self>, Error> {
        let is_written = take_over(&self.bus, &self.place, &self.consumer, owner, is_owner).await?;
        Ok(is_written.then(|| self.owned_by(owner)))
    }

    /// The park as this owner uses it.
    pub(crate) fn owned_by(&self, owner: OwnerEpoch) -> Self {
        Self {
            owner: Some(owner),
            ..self.clone()
        }
    }

    /// Checks, before a consumer starts in sequenced mode, that the dead-letter stream keeps every
    /// event until it is handled or given up.
    ///
    /// Cancel-safe: it changes nothing.
    ///
    /// # Errors
    ///
    /// [`InvalidOption`](ErrorKind::InvalidOption) if the stream has a maximum age, drops its
    /// oldest messages at a limit, or allows roll-ups
    /// ([`allow_rollup`](event_sdk_core::stream::StreamSpec::allow_rollup)). Also the [errors of every operation](Self).
    pub async fn verify(&self) -> Result<(), Error> {
        let state = self.bus.transport().stream_state(self.place.name()).await?;
        let limits = state.config.limits;
        let is_limited = limits.messages.is_some() || limits.bytes.is_some();
        let drops = if limits.age.is_some() {
            "has a maximum age"
        } else if is_limited && limits.discard == Discard::Old {
            "drops its oldest messages at a limit"
        } else if state.config.allow_rollup == Some(true) {
            "allows roll-ups"
        } else {
            return Ok(());
        };
        let reason = format!(
            "the dead-letter stream {drops}: events that wait for their keys would be lost; declare it by `DeadLetterStream::spec` without a maximum age, with `allow_rollup(false)` and `Discard::New`, then call `apply`"
        );
        let kind = ErrorKind::InvalidOption;
        Err(Error::new(kind, Operation::Configure, reason).at_stream(self.place.name()))
    }

    /// Reads the keys that have waiting events, in the order of their streams and keys.
    ///
    /// Cancel-safe: it changes nothing.
    ///
    /// # Errors
    ///
    /// The [errors of every operation](Self).
    pub async fn keys(&self) -> Result<Vec<KeyState>, Error> {
        let mut keys: Vec<KeyState> = Vec::new();
        for events in self.records(None).await?.keys().into_values() {
            let mut events = events.into_values();
            let Some(first) = events.next() else {
                continue;
            };
            let mut state = KeyState::of(&first);
            events.for_each(|event| state.add(event.position));
            keys.push(state);
        }
        Ok(keys)
    }

    /// Appends an event to the park of its key, unless it is there already.
    ///
    /// The event must have a key ([`DeadLetter::key`]). Its class does not matter.
    ///
    /// Not cancel-safe: after dropping the future, the event may be appended. Appending it again is
    /// safe.
    ///
    /// # Errors
    ///
    /// [`InvalidOption`](ErrorKind::InvalidOption) if the event has no key, the errors of a
    /// publish, and the [errors of every operation](Self).
    pub async fn append(&self, event: &DeadLetter) -> Result<(), Error> {
        let Some(key) = DeadKey::of(event) else {
            let reason = "an event without a key cannot wait for its key";
            let kind = ErrorKind::InvalidOption;
            return Err(Error::new(kind, Operation::Publish, reason));
        };
        let mut parked = event.clone();
        parked.consumer = self.consumer.clone();
        parked.class = DeadLetterClass::Parked;
        parked.sequenced = true;
        parked.attempts = 0;
        parked.errors.clear();
        parked.reason = None;
        let whole = subjects::Place::of(&self.place, &self.consumer, &key);
        let whole = whole.parked(parked.origin.sequence);
        let rest = subjects::beside(&self.place, &whole, Area::Rest);
        let subjects = Subjects {
            rest: rest.unwrap_or_else(|| whole.clone()),
            whole,
        };
        let headers = wire::headers_of(&parked, self.owner).map_err(|why| invalid_header(&why))?;
        match put_once(&self.bus, &self.place, &subjects, headers, &parked.body).await? {
            Put::Done => Ok(()),
            Put::Other => {
                let reason = "another event is parked with this stream and sequence, or a part of it was deleted; if the stream was deleted and created again, give up the key by `Park::drop_key` and expire what is handled: the event is written then";
                let error = Error::new(ErrorKind::Other, Operation::Publish, reason);
                Err(error.at_stream(self.place.name()))
            }
        }
    }

    /// Whether anything was ever appended, and not deleted since.
    pub(crate) async fn is_used(&self) -> Result<bool, Error> {
        let filter = self.place.filter(Area::Park, Some(&self.consumer));
        let filter = filter.map_err(|why| self.invalid(&why))?;
        let mut request = HistoryRequest::new(self.place.name(), vec![filter]);
        request.limit = Some(1);
        let mut stored = self.bus.transport().read_history(request).await?;
        Ok(stored.next().await.transpose()?.is_some())
    }

    fn invalid(&self, why: &InvalidSubject) -> Error {
        let kind = ErrorKind::InvalidSubject;
        Error::new(kind, Operation::Read, why.to_string()).at_stream(self.place.name())
    }

    /// Reads letters, parked events and what became of them: of one key, or of all.
    async fn records(&self, key: Option<&DeadKey>) -> Result<Records, Error> {
        let consumer = Some(self.consumer.as_str());
        let parked = match key {
            Some(key) => subjects::Place::of(&self.place, &self.consumer, key).filter(),
            None => self.place.filter(Area::Park, consumer),
        };
        let areas = [Area::Letter, Area::State].map(|area| self.place.filter(area, consumer));
        let filters = areas.into_iter().chain([parked]).collect();
        let mut records = Records::default();
        for message in self.read(filters, 1).await? {
            records.add(&self.place, &message, key);
        }
        Ok(records)
    }

    /// Reads messages without their bodies, from this sequence on.
    async fn read(
        &self,
        filters: Result<Vec<Pattern>, InvalidSubject>,
        from: u64,
    ) -> Result<Vec<StoredMessage>, Error> {
        let filters = filters.map_err(|why| self.invalid(&why))?;
        let mut request = HistoryRequest::new(self.place.name(), filters);
        if from > 1 {
            request.from = HistoryStart::Sequence(from);
        }
        let mut stored = self.bus.transport().read_history(request).await?;
        let mut messages = Vec::new();
        while let Some(message) = stored.next().await {
            let mut message = message?;
            message.body = event_sdk_core::transport::Body::Encoded(bytes::Bytes::new());
            messages.push(message);
        }
        Ok(messages)
    }
}
