//! `Takeovers`: since when each owner of a consumer or partition is the owner, by the order of the
//! dead-letter stream. What an earlier owner stores after that is late, and does not count.
//!
//! A process that is frozen while it is the owner may have sent a letter or a parked event that the
//! server stores when the process goes on. The earlier owner acknowledges nothing any more, so the
//! server delivers the event to the next owner, which handles it.

use std::collections::HashMap;

use bytes::Bytes;
use event_sdk_core::headers::Headers;
use event_sdk_core::subject::Pattern;
use event_sdk_core::text::Text;
use event_sdk_core::transport::{Error, HistoryRequest, StoredMessage, TransportExt as _};
use futures_util::StreamExt as _;
use jiff::Timestamp;

use super::area::{Area, consumer_token};
use super::escaping::{escaped, unescaped_text};
use super::outgoing::{Once, Outgoing, invalid_header, last_of, parse};
use super::owned::{next_last, refused_by, write};
use super::place::DeadLetterStream;
use super::wire;
use crate::bus::EventBus;
use crate::partition::OwnerEpoch;

/// The takeovers that were read, in the order of the stream.
#[derive(Default)]
pub(super) struct Takeovers {
    /// By consumer and partition.
    of: HashMap<(Text, u32), Vec<Takeover>>,
}

struct Takeover {
    owner: OwnerEpoch,
    /// Its sequence in the dead-letter stream.
    sequence: u64,
    stored_at: Timestamp,
}

impl Takeovers {
    /// Adds a message of the stream, if it is a takeover. Returns whether it is one.
    pub(super) fn add(&mut self, place: &DeadLetterStream, message: &StoredMessage) -> bool {
        if !is_takeover(place, message.subject.as_str()) {
            return false;
        }
        if let Some((partition, owner)) = owner_of(&message.headers) {
            self.of.entry(partition).or_default().push(Takeover {
                owner,
                sequence: message.sequence,
                stored_at: message.stored_at,
            });
        }
        true
    }

    /// Whether an owner stored this letter or parked event after another one had taken over. The
    /// takeovers before it have to be added.
    pub(super) fn is_late(&self, message: &StoredMessage) -> bool {
        let Some((partition, owner)) = owner_of(&message.headers) else {
            return false;
        };
        let takeovers = self.of.get(&partition).map_or(&[][..], Vec::as_slice);
        let mut before = takeovers
            .iter()
            .rev()
            .skip_while(|takeover| takeover.sequence > message.sequence);
        // An owner whose takeover is not in the stream is not known to be an earlier one.
        let is_last = before.next().is_none_or(|last| last.owner == owner);
        !is_last && before.any(|takeover| takeover.owner == owner)
    }

    /// The sequences of the takeovers that were stored before this time, but the last one of each
    /// partition.
    pub(super) fn replaced_before(&self, before: Timestamp) -> impl Iterator<Item = u64> {
        let replaced = self.of.values().filter_map(|all| all.split_last());
        let replaced = replaced.flat_map(|(_, earlier)| earlier);
        let old = replaced.filter(move |takeover| takeover.stored_at < before);
        old.map(|takeover| takeover.sequence)
    }
}

/// Writes that this owner takes over, unless `is_owner` says that it is not the owner any more. Returns
/// whether that is written, now or since an earlier attempt.
pub(super) async fn take_over(
    bus: &EventBus,
    place: &DeadLetterStream,
    consumer: &str,
    owner: OwnerEpoch,
    is_owner: impl Fn() -> bool,
) -> Result<bool, Error> {
    let subject = subject(place, consumer, owner.partition);
    let mut headers = Headers::new();
    let inserted = headers
        .insert(wire::CONSUMER, escaped(consumer, wire::MAX_TEXT))
        .and_then(|()| wire::write_owner(&mut headers, owner));
    inserted.map_err(|why| invalid_header(&why))?;
    let mut found = last_of(bus, place.name(), &subject).await?;
    loop {
        let is_own = |it: &StoredMessage| owner_of(&it.headers).is_some_and(|(_, by)| by == owner);
        if found.as_ref().is_some_and(is_own) {
            return Ok(true);
        }
        // What was read was the last takeover while this process was the owner. If another one takes
        // over from now on, the write is refused, however late it is.
        if !is_owner() {
            return Ok(false);
        }
        let last = found.map_or(0, |it| it.sequence);
        let message = Outgoing {
            subject: subject.clone(),
            headers: headers.clone(),
            body: Bytes::new(),
        };
        if let Once::Stored(_) = write(bus, place, message, last).await? {
            return Ok(true);
        }
        found = refused_by(bus, place, &subject).await?;
        let sequence = found.as_ref().map_or(0, |it| it.sequence);
        next_last(bus, place, &subject, last, sequence).await?;
    }
}

/// Whether `stored`, which refused a message with these headers, is late.
pub(super) async fn is_late(
    bus: &EventBus,
    place: &DeadLetterStream,
    stored: &StoredMessage,
    refused: &Headers,
) -> Result<bool, Error> {
    let Some(((consumer, partition), owner)) = owner_of(&stored.headers) else {
        return Ok(false);
    };
    if owner_of(refused).is_some_and(|(_, by)| by == owner) {
        return Ok(false);
    }
    let filter = Pattern::from(parse(&subject(place, &consumer, partition))?);
    let request = HistoryRequest::new(place.name(), vec![filter]);
    let mut messages = bus.transport().read_history(request).await?;
    let mut takeovers = Takeovers::default();
    while let Some(message) = messages.next().await {
        takeovers.add(place, &message?);
    }
    Ok(takeovers.is_late(stored))
}

/// Which owner, of which consumer and partition.
fn owner_of(headers: &Headers) -> Option<((Text, u32), OwnerEpoch)> {
    let consumer = unescaped_text(headers.get(wire::CONSUMER)?);
    let owner = wire::read_owner(headers)?;
    Some(((consumer, owner.partition), owner))
}

/// The token after the name of the consumer.
const TOKEN: &str = "=takeover";

/// The subject of the takeovers of a partition: beside the states of the consumer.
fn subject(place: &DeadLetterStream, consumer: &str, partition: u32) -> String {
    let (root, consumer) = (Area::State.root(), consumer_token(consumer));
    place.text(&format!("{root}.{consumer}.{TOKEN}.{partition}"))
}

fn is_takeover(place: &DeadLetterStream, subject: &str) -> bool {
    let tail = place
        .inner(subject)
        .and_then(|inner| inner.strip_prefix(Area::State.root()));
    let mut tokens = tail.unwrap_or_default().split('.').skip(2);
    tokens.next() == Some(TOKEN)
}

#[cfg(test)]
mod tests {
    use super::*;
    use event_sdk_core::Subject;
    use event_sdk_core::transport::Body;

    fn place() -> DeadLetterStream {
        DeadLetterStream::new("DLQ").under("prod")
    }

    fn stored(subject: String, sequence: u64, consumer: &str, owner: (u32, u64)) -> StoredMessage {
        let mut headers = Headers::new();
        headers.insert(wire::CONSUMER, consumer).unwrap();
        wire::write_owner(&mut headers, OwnerEpoch::new(owner.0, owner.1)).unwrap();
        let subject = Subject::parse(subject).unwrap();
        StoredMessage {
            subject,
            headers,
            body: Body::Encoded(Bytes::new()),
            stream: "DLQ".into(),
            sequence,
            stored_at: Timestamp::UNIX_EPOCH,
        }
    }

    fn takeovers(of: &[(u64, &str, (u32, u64))]) -> Takeovers {
        let mut takeovers = Takeovers::default();
        for (sequence, consumer, owner) in of {
            let subject = subject(&place(), consumer, owner.0);
            let message = stored(subject, *sequence, consumer, *owner);
            assert!(takeovers.add(&place(), &message));
        }
        takeovers
    }

    fn is_late(takeovers: &Takeovers, sequence: u64, owner: (u32, u64)) -> bool {
        let subject = "prod.dlq.=park.billing.ORDERS.a.7".to_owned();
        let message = stored(subject, sequence, "billing", owner);
        assert!(!Takeovers::default().add(&place(), &message));
        takeovers.is_late(&message)
    }

    #[test]
    fn what_comes_after_the_takeover_of_another_owner_is_late() {
        let known = takeovers(&[
            (10, "billing", (0, 5)),
            (11, "billing", (1, 5)),
            (12, "shipping", (0, 9)),
            (20, "billing", (0, 6)),
        ]);
        assert!(!is_late(&known, 15, (0, 5)), "while it was the owner");
        assert!(is_late(&known, 25, (0, 5)));
        assert!(!is_late(&known, 25, (0, 6)));
        assert!(!is_late(&known, 25, (1, 5)), "another partition");
        let replaced = |before| known.replaced_before(before).collect::<Vec<_>>();
        assert!(replaced(Timestamp::UNIX_EPOCH).is_empty());
        assert_eq!(replaced(Timestamp::MAX), [10]);
    }

    #[test]
    fn an_owner_that_is_not_known_is_not_late() {
        let known = takeovers(&[(20, "billing", (0, 6))]);
        assert!(!is_late(&known, 25, (0, 5)), "its takeover was deleted");
        assert!(!is_late(&Takeovers::default(), 25, (0, 5)));
        let mut message = stored("prod.dlq.billing.a.b.1.0".to_owned(), 25, "billing", (0, 6));
        message.headers = Headers::new();
        assert!(!known.is_late(&message));
    }

    #[test]
    fn the_numbers_may_begin_anew_with_another_bucket() {
        let known = takeovers(&[
            (10, "billing", (0, 1)),
            (20, "billing", (0, 2)),
            (30, "billing", (0, 1)),
        ]);
        assert!(!is_late(&known, 35, (0, 1)));
        assert!(is_late(&known, 35, (0, 2)));
        assert!(is_late(&known, 25, (0, 1)));
    }
}
