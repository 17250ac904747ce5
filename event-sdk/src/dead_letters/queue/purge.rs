//! Deletes letters with everything that belongs to them; expiry.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::time::Duration;

use event_sdk_core::text::Text;
use event_sdk_core::transport::{
    Deletion, Error, ErrorKind, HistoryRequest, Operation, StoredMessage, TransportExt as _,
};
use futures_util::StreamExt as _;
use jiff::Timestamp;

use super::super::area::Area;
use super::super::state::{LetterState, LetterStatus};
use super::super::wire;
use super::DeadLetterQueue;
use super::filter::LetterFilter;
use super::scan::Scan;

/// After this time, the first part of a letter is not expected any more, and nothing of an owner that
/// was replaced.
const ABANDONED: Duration = Duration::from_secs(24 * 3600);

impl DeadLetterQueue {
    /// Deletes letters, their further parts and states, and their redriven events that are settled.
    ///
    /// Letters that hold their keys (sequenced mode) stay, and are named in the report. To give one
    /// up, use [`Park::skip_head`](super::super::Park::skip_head).
    ///
    /// Not cancel-safe: after dropping the future, some letters may be deleted. Repeating it
    /// deletes the rest, and also the remains of letters that a killed purge did not delete
    /// completely.
    ///
    /// # Errors
    ///
    /// [`Unsupported`](ErrorKind::Unsupported) on a transport that cannot delete messages,
    /// [`DeletionDenied`](ErrorKind::DeletionDenied) if the stream does not allow it, and the
    /// [errors of every operation](DeadLetterQueue).
    pub async fn purge(
        &self,
        filter: &LetterFilter,
        deletion: Deletion,
    ) -> Result<PurgeReport, Error> {
        let inventory = self.inventory().await?;
        let mut report = PurgeReport::default();
        let mut settled = HashMap::new();
        for letter in inventory.scan.letters.values() {
            if !filter.matches(letter) {
                continue;
            }
            if letter.holds_its_key() {
                report.kept.push(letter.id);
                continue;
            }
            if let Some(sequence) = letter.state.retry_sequence {
                let until = self.settled_of(&letter.consumer, &mut settled).await?;
                // The letter is deleted first: else it could be redriven again.
                self.delete(self.place.name(), letter.id, deletion).await?;
                if sequence <= until {
                    let retry = self.place.retry_name();
                    self.delete(retry, sequence, deletion).await?;
                }
            } else {
                self.delete(self.place.name(), letter.id, deletion).await?;
            }
            report.purged.push(letter.id);
        }
        let purged: HashSet<u64> = report.purged.iter().copied().collect();
        for sequence in inventory.left_of(&purged, self.bus.clock().now()) {
            self.delete(self.place.name(), sequence, deletion).await?;
        }
        Ok(report)
    }

    /// Deletes letters whose events failed before this time, events of dead keys that were
    /// handled or given up before it, and what an owner stored before it, but after the next owner
    /// had [taken over](super::super::Park::take_over). Dead keys and their events stay, as in a
    /// [purge](Self::purge).
    ///
    /// Not cancel-safe: as a [purge](Self::purge).
    ///
    /// # Errors
    ///
    /// As a [purge](Self::purge).
    pub async fn expire(
        &self,
        before: Timestamp,
        deletion: Deletion,
    ) -> Result<PurgeReport, Error> {
        let filter = LetterFilter::all().failed_before(before);
        let mut report = self.purge(&filter, deletion).await?;
        let inventory = self.inventory().await?;
        let closed = inventory.closed_before(before);
        let takeovers = inventory.takeovers_before(before, self.bus.clock().now());
        for sequence in inventory
            .with_belongings(&closed)
            .into_iter()
            .chain(takeovers)
        {
            self.delete(self.place.name(), sequence, deletion).await?;
        }
        report.events.extend(closed);
        Ok(report)
    }

    /// Reads the ids of the events of dead keys that an [expiry](Self::expire) deletes in addition
    /// to letters.
    ///
    /// Cancel-safe: it only reads.
    ///
    /// # Errors
    ///
    /// The [errors of every operation](DeadLetterQueue).
    pub async fn expiring_events(&self, before: Timestamp) -> Result<Vec<u64>, Error> {
        let closed = self.inventory().await?.closed_before(before);
        Ok(closed.into_iter().collect())
    }

    async fn delete(&self, stream: &str, sequence: u64, deletion: Deletion) -> Result<(), Error> {
        let deleted = self.bus.transport();
        let deleted = deleted.delete_message(stream, sequence, deletion).await;
        deleted.map(drop)
    }

    /// Up to where a consumer has settled its redriven events; read once for each consumer.
    async fn settled_of(
        &self,
        consumer: &Text,
        settled: &mut HashMap<Text, u64>,
    ) -> Result<u64, Error> {
        if let Some(until) = settled.get(consumer) {
            return Ok(*until);
        }
        // If it cannot be known, redriven events stay.
        let until = self.settled(consumer).await?.unwrap_or(0);
        settled.insert(consumer.clone(), until);
        Ok(until)
    }

    async fn inventory(&self) -> Result<Inventory, Error> {
        let place = &self.place;
        let filter = place.everything().map_err(|why| {
            let kind = ErrorKind::InvalidSubject;
            Error::new(kind, Operation::Read, why.to_string()).at_stream(place.name())
        })?;
        let request = HistoryRequest::new(place.name(), vec![filter]);
        let mut messages = self.bus.transport().read_history(request).await?;
        let mut inventory = Inventory::default();
        while let Some(message) = messages.next().await {
            let message = message?;
            let inner = place.inner(message.subject.as_str());
            inventory.scan.add(place, &message);
            inventory.add(inner.unwrap_or_default(), &message);
        }
        Ok(inventory)
    }
}

/// Everything in a dead-letter stream, without bodies.
#[derive(Default)]
struct Inventory {
    scan: Scan,
    /// States: sequence, and the id of the letter or parked event.
    states: Vec<(u64, u64)>,
    /// The status of letters and parked events.
    status: HashMap<u64, LetterStatus>,
    /// Parked events.
    parked: BTreeMap<u64, Timestamp>,
    /// Letters and parked events that an earlier owner stored after the next one had taken over.
    late: BTreeMap<u64, Timestamp>,
    /// Further parts.
    rests: BTreeMap<u64, Timestamp>,
    /// The further parts of letters and parked events.
    rest_of: HashMap<u64, Vec<u64>>,
}

impl Inventory {
    fn add(&mut self, subject: &str, message: &StoredMessage) {
        let is_in = |area: Area| {
            let rest = subject.strip_prefix(area.root());
            rest.is_some_and(|rest| rest.starts_with('.'))
        };
        let sequence = message.sequence;
        if is_in(Area::State) {
            if let Some((id, state)) = LetterState::read(&message.headers) {
                self.states.push((sequence, id));
                self.status.insert(id, state.status);
            }
        } else if is_in(Area::Rest) {
            self.rests.insert(sequence, message.stored_at);
        } else {
            if self.scan.takeovers.is_late(message) {
                self.late.insert(sequence, message.stored_at);
            } else if is_in(Area::Park) {
                self.parked.insert(sequence, message.stored_at);
            }
            if let Some(rest) = wire::read_rest(&message.headers) {
                self.rest_of.insert(sequence, rest);
            }
        }
    }

    /// What is left of letters that are not there any more.
    fn left_of(&self, purged: &HashSet<u64>, now: Timestamp) -> BTreeSet<u64> {
        let is_there = |id: &u64| {
            let letter = self.scan.letters.contains_key(id) && !purged.contains(id);
            let parked = self.parked.contains_key(id) || self.late.contains_key(id);
            letter || parked || self.scan.unreadable.contains(id)
        };
        let states = self.states.iter();
        let states = states.filter(|(_, id)| !is_there(id));
        let used = self.rest_of.iter().filter(|(id, _)| is_there(id));
        let used: HashSet<u64> = used.flat_map(|(_, rest)| rest).copied().collect();
        let of_purged: HashSet<u64> = purged
            .iter()
            .filter_map(|id| self.rest_of.get(id))
            .flatten()
            .copied()
            .collect();
        let rests = self.rests.iter().filter(|(sequence, stored)| {
            let is_old = now.duration_since(**stored).unsigned_abs() >= ABANDONED;
            !used.contains(sequence) && (of_purged.contains(sequence) || is_old)
        });
        let states = states.map(|(sequence, _)| *sequence);
        states.chain(rests.map(|(sequence, _)| *sequence)).collect()
    }

    /// Parked events that do not wait any more, and what was stored too late.
    fn closed_before(&self, before: Timestamp) -> BTreeSet<u64> {
        let is_closed = |id: &u64| {
            let status = self.status.get(id);
            status.is_some_and(|status| *status != LetterStatus::Open)
        };
        let closed = self.parked.iter().filter(|(id, _)| is_closed(id));
        let closed = closed.chain(&self.late);
        let closed = closed.filter(|(_, stored)| **stored < before);
        closed.map(|(id, _)| *id).collect()
    }

    /// Takeovers that no message needs any more: what was stored too late is deleted, and an owner that
    /// was replaced so long ago stores nothing.
    fn takeovers_before(&self, before: Timestamp, now: Timestamp) -> BTreeSet<u64> {
        let abandoned = now.saturating_sub(ABANDONED).unwrap_or(Timestamp::MIN);
        let takeovers = &self.scan.takeovers;
        takeovers.replaced_before(before.min(abandoned)).collect()
    }

    /// Parked events with what is written of them.
    fn with_belongings(&self, parked: &BTreeSet<u64>) -> BTreeSet<u64> {
        let states = self.states.iter().filter(|(_, id)| parked.contains(id));
        // A letter that was written again, since the first one was late, has the same further parts.
        let used = self.rest_of.iter().filter(|(id, _)| !parked.contains(id));
        let used: HashSet<u64> = used.flat_map(|(_, rest)| rest).copied().collect();
        let rests = parked
            .iter()
            .filter_map(|id| self.rest_of.get(id))
            .flatten()
            .filter(|rest| !used.contains(rest));
        let belongs = states.map(|(sequence, _)| *sequence).chain(rests.copied());
        belongs.chain(parked.iter().copied()).collect()
    }
}

/// The result of a purge or an expiry, by ids.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PurgeReport {
    /// Letters that were deleted.
    pub purged: Vec<u64>,
    /// Letters that stay, because their keys wait for them.
    pub kept: Vec<u64>,
    /// Events of dead keys, handled or given up before, that an expiry deleted; and letters and
    /// events that an owner stored after the next one had taken over.
    pub events: Vec<u64>,
}
