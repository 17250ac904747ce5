//! `ReleaseRequest`: asks the owner of a consumer to handle the events of a dead key.

use std::collections::HashMap;

use bytes::Bytes;
use event_sdk_core::headers::{Headers, InvalidHeader};
use event_sdk_core::transport::{Error, StoredMessage};
use jiff::Timestamp;

use super::super::area::Area;
use super::super::audit::Audit;
use super::super::escaping::{escaped, unescaped};
use super::super::outgoing::{Once, Outgoing, invalid_header, last_of};
use super::super::owned::{next_last, refused_by, write};
use super::super::redriven::{AT, BY, NOTE, write_audit};
use super::super::wire;
use super::Park;
use super::entries::ParkedEvent;
use super::key::DeadKey;
use super::subjects::Place;

const REQUEST: &str = "Dead-Letter-Request";
const RELEASE: &str = "release";

/// Asks the owner of a consumer to handle the events of a dead key in order.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReleaseRequest {
    /// The key.
    pub key: DeadKey,
    /// When the request was made.
    pub at: Option<Timestamp>,
    /// The person or program that made the request.
    pub by: Option<String>,
    /// The reason that was given.
    pub note: Option<String>,
    /// The sequence of the request in the dead-letter stream.
    pub id: u64,
}

/// Requests that are not answered.
#[derive(Debug)]
pub(crate) struct Requests {
    /// The oldest first.
    pub(crate) requests: Vec<ReleaseRequest>,
    /// The sequence of the last message that was read.
    pub(crate) last: u64,
}

/// The answer to a [`ReleaseRequest`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ReleaseOutcome {
    /// Nothing waits any more: the key is alive.
    Alive,
    /// An event failed again: the key is still dead.
    FailedAgain,
}

impl ReleaseOutcome {
    const ALL: [Self; 2] = [Self::Alive, Self::FailedAgain];

    /// The text of the outcome, in the header `Dead-Letter-Request`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Alive => "alive",
            Self::FailedAgain => "failed-again",
        }
    }
}

impl ReleaseRequest {
    /// Whether this request asks to handle the event.
    ///
    /// It does not if the event is a letter that was put after the request: the event has failed
    /// since then, and the owner that handled it was killed before it [answered](Park::answer). The
    /// answer is then [`FailedAgain`](ReleaseOutcome::FailedAgain).
    #[must_use]
    pub fn covers(&self, event: &ParkedEvent) -> bool {
        !event.failed || event.id < self.id
    }
}

impl Park {
    /// Asks the owner of the consumer to handle the events of a key, in order. It replaces an
    /// earlier request that is not answered yet.
    ///
    /// Not cancel-safe: after dropping the future, the request may be stored. Asking again is safe.
    ///
    /// # Errors
    ///
    /// The [errors of every operation](Park), and of a publish.
    pub async fn release(&self, key: &DeadKey, audit: &Audit) -> Result<(), Error> {
        let subject = Place::of(&self.place, &self.consumer, key).request();
        let mut last = 0;
        while !self.write(key, RELEASE, audit, last).await? {
            let message = refused_by(&self.bus, &self.place, &subject).await?;
            let found = message.map_or(0, |message| message.sequence);
            last = next_last(&self.bus, &self.place, &subject, last, found).await?;
        }
        Ok(())
    }

    /// Reads the requests that are not answered, the oldest first.
    ///
    /// Cancel-safe: it changes nothing.
    ///
    /// # Errors
    ///
    /// The [errors of every operation](Park).
    pub async fn requests(&self) -> Result<Vec<ReleaseRequest>, Error> {
        Ok(self.requests_after(0).await?.requests)
    }

    /// Reads the requests behind this sequence of the dead-letter stream that are not answered, the
    /// oldest first.
    pub(crate) async fn requests_after(&self, after: u64) -> Result<Requests, Error> {
        let filter = self.place.filter(Area::Request, Some(&self.consumer));
        let from = after.saturating_add(1);
        let mut requests = HashMap::new();
        let mut last = after;
        for message in self.read(filter.map(|filter| vec![filter]), from).await? {
            last = last.max(message.sequence);
            match read(&message) {
                Some(request) => {
                    requests.insert(request.key.clone(), request);
                }
                None => {
                    if let Some(key) = key_of(&message.headers) {
                        requests.remove(&key);
                    }
                }
            }
        }
        let mut requests: Vec<_> = requests.into_values().collect();
        requests.sort_by_key(|request| request.id);
        Ok(Requests { requests, last })
    }

    /// Answers a request. A request that was made after this one stays.
    ///
    /// Not cancel-safe: after dropping the future, the answer may be stored. Answering again is
    /// safe.
    ///
    /// # Errors
    ///
    /// The [errors of every operation](Park), and of a publish.
    pub async fn answer(
        &self,
        request: &ReleaseRequest,
        outcome: ReleaseOutcome,
    ) -> Result<(), Error> {
        // If the last sequence is another one, it was answered already.
        let (answer, audit) = (outcome.as_str(), Audit::default());
        let written = self.write(&request.key, answer, &audit, request.id).await;
        written.map(drop)
    }

    /// Reads the last answer for a key; `None` if nothing was requested, or if the request is not
    /// answered yet.
    ///
    /// Cancel-safe: it changes nothing.
    ///
    /// # Errors
    ///
    /// The [errors of every operation](Park).
    pub async fn outcome(&self, key: &DeadKey) -> Result<Option<ReleaseOutcome>, Error> {
        let last = self.last_request(key).await?;
        let text = last.as_ref().and_then(|last| last.headers.get(REQUEST));
        let mut known = ReleaseOutcome::ALL.into_iter();
        Ok(known.find(|outcome| Some(outcome.as_str()) == text))
    }

    async fn write(
        &self,
        key: &DeadKey,
        text: &str,
        audit: &Audit,
        last: u64,
    ) -> Result<bool, Error> {
        let headers = self.headers(key, text, audit);
        let message = Outgoing {
            subject: Place::of(&self.place, &self.consumer, key).request(),
            headers: headers.map_err(|why| invalid_header(&why))?,
            body: Bytes::new(),
        };
        let once = write(&self.bus, &self.place, message, last).await?;
        Ok(matches!(once, Once::Stored(_)))
    }

    fn headers(&self, key: &DeadKey, text: &str, audit: &Audit) -> Result<Headers, InvalidHeader> {
        let mut headers = Headers::new();
        headers.insert(REQUEST, text)?;
        headers.insert(wire::CONSUMER, escaped(&self.consumer, wire::MAX_TEXT))?;
        headers.insert(wire::STREAM, escaped(key.stream(), wire::MAX_TEXT))?;
        headers.insert(wire::KEY, escaped(key.key(), wire::MAX_TEXT))?;
        let now = self.bus.clock().now();
        write_audit(
            &mut headers,
            Some(now),
            audit.by.as_deref(),
            audit.note.as_deref(),
        )?;
        Ok(headers)
    }

    async fn last_request(&self, key: &DeadKey) -> Result<Option<StoredMessage>, Error> {
        let subject = Place::of(&self.place, &self.consumer, key).request();
        last_of(&self.bus, self.place.name(), &subject).await
    }
}

fn is_release(message: &StoredMessage) -> bool {
    message.headers.get(REQUEST) == Some(RELEASE)
}

/// A request; `None` for an answer.
fn read(message: &StoredMessage) -> Option<ReleaseRequest> {
    let headers = &message.headers;
    is_release(message).then_some(())?;
    Some(ReleaseRequest {
        key: key_of(headers)?,
        at: wire::read_time(headers, AT),
        by: headers.get(BY).map(unescaped),
        note: headers.get(NOTE).map(unescaped),
        id: message.sequence,
    })
}

fn key_of(headers: &Headers) -> Option<DeadKey> {
    let stream = unescaped(headers.get(wire::STREAM)?);
    Some(DeadKey::new(stream, &unescaped(headers.get(wire::KEY)?)))
}
