//! `Scan`: one pass over the messages of a stream, which finds the rows and records that belong to them.

use std::collections::HashMap;
use std::time::Duration;

use event_sdk::text::Text;
use event_sdk::transport::{Error, StreamState};
use event_sdk::{EventBus, Pattern, StoredEvent, Untyped};
use jiff::Timestamp;
use uuid::Uuid;

use super::divergence::count;
use super::known::{KnownRecords, KnownRows, event_of};
use super::position::Position;
use crate::StreamReader;

/// Where the message of a row or record was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Seen {
    #[default]
    Nowhere,
    /// Under another sequence.
    Elsewhere(u64),
    AtPlace,
}

impl Seen {
    fn at(&mut self, sequence: u64, place: Option<u64>) {
        if place == Some(sequence) {
            *self = Self::AtPlace;
        } else if *self != Self::AtPlace {
            *self = Self::Elsewhere(sequence);
        }
    }
}

/// A row that was published to the stream.
#[derive(Debug)]
pub(super) struct RowFate {
    /// The index of the row.
    pub(super) row: usize,
    pub(super) sequence: u64,
    pub(super) seen: Seen,
    /// Whether another message stands at its sequence.
    pub(super) replaced: bool,
    /// Whether it cannot be said which message stands at its sequence.
    pub(super) unidentified: bool,
}

/// The record of an event of the stream.
#[derive(Debug)]
pub(super) struct RecordFate {
    pub(super) sequence: Option<u64>,
    pub(super) seen: Seen,
    pub(super) replaced: bool,
}

/// A consumer with an inbox, and its records.
#[derive(Debug)]
pub(super) struct ConsumerScan {
    /// Which of the known records it is about.
    pub(super) known: usize,
    pub(super) position: Option<Position>,
    floor: u64,
    pub(super) records: HashMap<Uuid, RecordFate>,
    /// By sequence: a sequence that was used again may have several.
    by_sequence: Vec<(u64, Uuid)>,
    /// Sequences up to the ack floor whose events have no record.
    pub(super) missing: Vec<u64>,
    /// The same of delivered messages above the ack floor.
    pub(super) missing_above: Vec<u64>,
    pub(super) only_in_inbox: u64,
    pub(super) only_in_outbox: u64,
    /// The highest sequence of a message that has a record.
    pub(super) highest: Option<u64>,
}

/// The result of a pass.
#[derive(Debug)]
pub(super) struct Scan {
    pub(super) state: StreamState,
    /// The first sequence that was compared.
    pub(super) from: u64,
    /// When the first message of the stream was stored.
    pub(super) begun: Option<Timestamp>,
    pub(super) rows: Vec<RowFate>,
    /// Rows that are not published, and the sequences of their messages.
    pub(super) unmarked: HashMap<usize, u64>,
    /// Sequences of messages that only the outbox publishes, and that it does not know.
    pub(super) lost: Vec<u64>,
    /// Whether there are other messages that the outbox does not know.
    pub(super) others: bool,
    pub(super) consumers: Vec<ConsumerScan>,
}

/// What a message is to the outbox.
#[derive(Clone, Copy, PartialEq, Eq)]
enum ToOutbox {
    Known,
    /// It has a row that is not marked, or lost one.
    Behind,
    Foreign,
}

/// What is compared with a stream.
#[derive(Debug)]
pub(super) struct Compared<'a> {
    pub(super) bus: &'a EventBus,
    pub(super) stream: &'a Text,
    pub(super) rows: Option<&'a KnownRows>,
    pub(super) owned: &'a [Pattern],
    pub(super) records: &'a [KnownRecords],
    pub(super) since: Option<Timestamp>,
    pub(super) clock_skew: Duration,
}

impl Compared<'_> {
    /// Reads the stream once. `positions` has the consumers of the stream, by the index of their records.
    pub(super) async fn scan(
        &self,
        state: StreamState,
        positions: Vec<(usize, Option<Position>)>,
    ) -> Result<Scan, Error> {
        let consumers = positions
            .into_iter()
            .filter_map(|(known, position)| self.consumer(known, position));
        let mut scan = Scan {
            from: state.first_sequence,
            state,
            begun: None,
            rows: self.row_fates(),
            unmarked: HashMap::new(),
            lost: Vec::new(),
            others: false,
            consumers: consumers.collect(),
        };
        let mut rows_at: Vec<(u64, usize)> = (scan.rows.iter().enumerate())
            .map(|(index, fate)| (fate.sequence, index))
            .collect();
        rows_at.sort_unstable();
        let fates: HashMap<usize, usize> = (scan.rows.iter().enumerate())
            .map(|(index, fate)| (fate.row, index))
            .collect();
        if scan.state.messages == 0 {
            return Ok(scan);
        }
        scan.begun = self.first_stored().await?;
        let mut history = self.history();
        if let Some(since) = self.since {
            history = history.from_time(since);
            scan.from = scan.state.last_sequence + 1;
        }
        let mut history = history.await?;
        let mut is_first = true;
        while let Some(message) = history.next().await {
            let message = message?;
            if std::mem::take(&mut is_first) && self.since.is_some() {
                scan.from = message.sequence();
            }
            let event = message.event_id().ok();
            let outbox = self.to_outbox(&mut scan, &rows_at, &fates, &message, event);
            for consumer in &mut scan.consumers {
                consumer.look_at(&message, event, outbox);
            }
        }
        self.identify(&mut scan).await?;
        Ok(scan)
    }

    fn history(&self) -> event_sdk::HistoryQuery<Untyped> {
        let raw = self.bus.raw().absolute();
        raw.history(Pattern::everything())
            .stream(self.stream.clone())
    }

    async fn first_stored(&self) -> Result<Option<Timestamp>, Error> {
        let first = self.history().limit(1).await?.next().await;
        Ok(first.transpose()?.map(|message| message.stored_at()))
    }

    fn row_fates(&self) -> Vec<RowFate> {
        let Some(known) = self.rows else {
            return Vec::new();
        };
        let fate = |row| {
            Some(RowFate {
                row,
                sequence: known.sequence_in(row, self.stream)?,
                seen: Seen::default(),
                replaced: false,
                unidentified: false,
            })
        };
        (0..known.rows.len()).filter_map(fate).collect()
    }

    fn consumer(&self, known: usize, position: Option<Position>) -> Option<ConsumerScan> {
        let KnownRecords {
            source, records, ..
        } = self.records.get(known)?;
        let fate = |(event, sequence): (&Uuid, &Option<u64>)| {
            let fate = RecordFate {
                sequence: *sequence,
                seen: Seen::default(),
                replaced: false,
            };
            (*event, fate)
        };
        let placed = |(event, sequence): (&Uuid, &Option<u64>)| Some(((*sequence)?, *event));
        let mut by_sequence: Vec<_> = records.iter().filter_map(placed).collect();
        by_sequence.sort_unstable();
        Some(ConsumerScan {
            known,
            position,
            floor: source.floor,
            records: records.iter().map(fate).collect(),
            by_sequence,
            missing: Vec::new(),
            missing_above: Vec::new(),
            only_in_inbox: 0,
            only_in_outbox: 0,
            highest: None,
        })
    }

    fn to_outbox(
        &self,
        scan: &mut Scan,
        rows_at: &[(u64, usize)],
        fates: &HashMap<usize, usize>,
        message: &StoredEvent<Untyped>,
        event: Option<Uuid>,
    ) -> ToOutbox {
        let Some(known) = self.rows else {
            return ToOutbox::Foreign;
        };
        let sequence = message.sequence();
        let mut is_unidentified = false;
        for index in at(rows_at, sequence) {
            let Some(fate) = scan.rows.get_mut(*index) else {
                continue;
            };
            let row = known.rows.get(fate.row).and_then(event_of);
            is_unidentified |= row.is_none();
            fate.replaced = row != event || row.is_none();
        }
        let Some(event) = event else {
            return ToOutbox::Foreign;
        };
        if let Some(row) = known.by_event.get(&event) {
            if let Some(fate) = fates.get(row).and_then(|it| scan.rows.get_mut(*it)) {
                fate.seen.at(sequence, Some(fate.sequence));
            } else if !known.is_published(*row) {
                scan.unmarked.entry(*row).or_insert(sequence);
                return ToOutbox::Behind;
            }
            return ToOutbox::Known;
        }
        if is_unidentified {
            return ToOutbox::Known;
        }
        scan.others = true;
        let is_owned = (self.owned.iter()).any(|pattern| pattern.matches(message.subject()));
        // The rows of older messages may have been deleted.
        let is_kept = known.horizon.is_some_and(|horizon| {
            let from = horizon.checked_add(self.clock_skew);
            from.is_ok_and(|from| message.stored_at() > from)
        });
        if is_owned && is_kept {
            scan.lost.push(sequence);
            return ToOutbox::Behind;
        }
        ToOutbox::Foreign
    }

    /// Rows whose message id is not an event id are recognized by their message ids, at their sequences.
    async fn identify(&self, scan: &mut Scan) -> Result<(), Error> {
        let Some(known) = self.rows else {
            return Ok(());
        };
        let id = |fate: &RowFate| known.rows.get(fate.row).map(|row| row.message_id.clone());
        let unclear: Vec<usize> = (scan.rows.iter().enumerate())
            .filter(|(_, fate)| {
                fate.replaced && (known.rows.get(fate.row)).is_some_and(|it| event_of(it).is_none())
            })
            .map(|(index, _)| index)
            .collect();
        let reader = StreamReader::new(self.bus);
        for part in unclear.chunks(1_000) {
            let sequences: Vec<u64> = (part.iter())
                .filter_map(|index| scan.rows.get(*index))
                .map(|fate| fate.sequence)
                .collect();
            let messages = reader.all_at(self.stream, sequences).await?;
            for (index, message) in part.iter().zip(messages) {
                let Some(fate) = scan.rows.get_mut(*index) else {
                    continue;
                };
                match message.map(|message| message.message_id) {
                    Some(Some(found)) if Some(&found) == id(fate).as_ref() => {
                        (fate.seen, fate.replaced) = (Seen::AtPlace, false);
                    }
                    Some(Some(_)) => {}
                    Some(None) => fate.unidentified = true,
                    None => fate.replaced = false,
                }
            }
        }
        Ok(())
    }
}

impl ConsumerScan {
    fn look_at(&mut self, message: &StoredEvent<Untyped>, event: Option<Uuid>, outbox: ToOutbox) {
        let sequence = message.sequence();
        for record in at(&self.by_sequence, sequence) {
            if event != Some(*record)
                && let Some(fate) = self.records.get_mut(record)
            {
                fate.replaced = true;
            }
        }
        let Some(event) = event else { return };
        if let Some(fate) = self.records.get_mut(&event) {
            fate.seen.at(sequence, fate.sequence);
            self.highest = self.highest.max(Some(sequence));
            self.only_in_inbox += u64::from(outbox == ToOutbox::Behind);
            return;
        }
        let Some(position) = &self.position else {
            return;
        };
        let filters = (position.durables.iter()).flat_map(|(durable, _)| &durable.config.filters);
        let mut filters = filters.map(|filter| filter.matches(message.subject()));
        // Records up to the floor may have been deleted.
        if sequence <= self.floor || !filters.any(|matches| matches) {
            return;
        }
        if sequence <= position.acknowledged {
            self.missing.push(sequence);
            self.only_in_outbox += u64::from(outbox == ToOutbox::Known);
        } else if sequence <= position.delivered {
            self.missing_above.push(sequence);
        }
    }

    /// The sequences of events that were acknowledged and have no record.
    ///
    /// Above the ack floor it is not known which deliveries are unsettled, but how many: with more
    /// events without a record than that, all of them count. Several durables do not have the same
    /// deliveries.
    pub(super) fn acknowledged_without_record(&self) -> Vec<u64> {
        let mut missing = self.missing.clone();
        if let Some(position) = &self.position
            && position.durables.len() == 1
            && count(self.missing_above.len()) > position.ack_pending
        {
            missing.extend(&self.missing_above);
        }
        missing
    }
}

impl Scan {
    /// The places of rows and records, and where their messages were found.
    pub(super) fn places(&self) -> impl Iterator<Item = (u64, Seen)> {
        let rows = self.rows.iter().map(|fate| (fate.sequence, fate.seen));
        let records = self.consumers.iter().flat_map(|it| it.records.values());
        let records = records.filter_map(|fate| Some((fate.sequence?, fate.seen)));
        rows.chain(records)
    }
}

/// What stands at a sequence in a sorted list.
fn at<T>(sorted: &[(u64, T)], sequence: u64) -> impl Iterator<Item = &T> {
    let from = sorted.partition_point(|(it, _)| *it < sequence);
    let rest = sorted.get(from..).unwrap_or_default();
    (rest.iter())
        .take_while(move |(it, _)| *it == sequence)
        .map(|(_, item)| item)
}
