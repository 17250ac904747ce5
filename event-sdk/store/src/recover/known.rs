//! `KnownRows` and `KnownRecords`: what the databases know of the streams, held in memory.

use std::collections::{BTreeSet, HashMap};

use event_sdk::text::Text;
use jiff::Timestamp;
use uuid::Uuid;

use super::error::RecoverError;
use super::store::{OutboxEntry, RecoverableInbox, RecoverableOutbox};
use crate::inbox::InboxSource;

/// Rows that are read at once.
const PAGE: u32 = 5_000;

/// The rows of an outbox.
#[derive(Debug, Default)]
pub(super) struct KnownRows {
    pub(super) rows: Vec<OutboxEntry>,
    /// Rows by the id of their event, as far as the message id is one.
    pub(super) by_event: HashMap<Uuid, usize>,
    /// Rows that are not published, and whose message id is not an event id.
    pub(super) unidentified: u64,
    /// The subjects of rows that are not published.
    pub(super) unpublished: BTreeSet<Text>,
    /// The oldest time of a mark.
    pub(super) horizon: Option<Timestamp>,
}

impl KnownRows {
    /// Reads the outbox; `None` if it has more rows than `at_most`.
    pub(super) async fn load(
        outbox: &dyn RecoverableOutbox,
        at_most: usize,
    ) -> Result<Option<Self>, RecoverError> {
        let mut known = Self::default();
        let mut after = i64::MIN;
        loop {
            let page = outbox.entries(after, PAGE).await;
            let page = page.map_err(RecoverError::store(outbox.name()))?;
            let Some(last) = page.last() else {
                return Ok(Some(known));
            };
            after = last.id;
            if known.rows.len() + page.len() > at_most {
                return Ok(None);
            }
            for row in page {
                known.add(row);
            }
        }
    }

    fn add(&mut self, row: OutboxEntry) {
        let event = event_of(&row);
        if let (None, Some(subject)) = (&row.published, &row.subject) {
            self.unpublished.insert(subject.clone());
        }
        match &row.published {
            Some(published) => {
                self.horizon = Some(self.horizon.map_or(published.at, |at| at.min(published.at)));
            }
            None if event.is_none() => self.unidentified += 1,
            None => {}
        }
        if let Some(event) = event {
            // Of an event that is published and was adopted twice, any row will do.
            self.by_event.insert(event, self.rows.len());
        }
        self.rows.push(row);
    }

    /// The place of a row in the stream.
    pub(super) fn sequence_in(&self, row: usize, stream: &str) -> Option<u64> {
        let (place, sequence) = self.rows.get(row)?.published.as_ref()?.place.as_ref()?;
        (place == stream).then_some(*sequence)
    }

    pub(super) fn is_published(&self, row: usize) -> bool {
        self.rows
            .get(row)
            .is_some_and(|row| row.published.is_some())
    }

    /// Whether there are rows, and neither a stream nor a subject of one of them is known.
    pub(super) fn is_nowhere(&self) -> bool {
        let known = self.streams().next().is_some() || !self.unpublished.is_empty();
        !self.rows.is_empty() && !known
    }

    /// The streams to which rows were published.
    pub(super) fn streams(&self) -> impl Iterator<Item = &Text> {
        let places = self.rows.iter().filter_map(|row| row.published.as_ref());
        places.filter_map(|published| published.place.as_ref().map(|(stream, _)| stream))
    }
}

/// The event of a row, if its message id is the id of the event.
pub(super) fn event_of(row: &OutboxEntry) -> Option<Uuid> {
    Uuid::parse_str(&row.message_id).ok()
}

/// The records of a consumer with events of one stream.
#[derive(Debug)]
pub(super) struct KnownRecords {
    /// Which inbox of the recovery it is.
    pub(super) inbox: usize,
    pub(super) source: InboxSource,
    /// Events and their sequences.
    pub(super) records: HashMap<Uuid, Option<u64>>,
    /// Events that are recorded as dead, and when they died.
    pub(super) dead: HashMap<Uuid, Option<Timestamp>>,
}

impl KnownRecords {
    /// Reads the records of all consumers of an inbox; `None` if there are more than `at_most`.
    pub(super) async fn load(
        inbox: &dyn RecoverableInbox,
        index: usize,
        at_most: usize,
    ) -> Result<Option<Vec<Self>>, RecoverError> {
        let failed = || RecoverError::store(inbox.name());
        let sources = inbox.sources().await.map_err(failed())?;
        let mut known: Vec<Self> = Vec::new();
        let mut held = 0;
        let mut last_consumer: Option<Text> = None;
        for source in &sources {
            known.push(Self {
                inbox: index,
                source: source.clone(),
                records: HashMap::new(),
                dead: HashMap::new(),
            });
        }
        for source in sources {
            // Sources of one consumer stand beside each other.
            if last_consumer.as_ref() == Some(&source.consumer) {
                continue;
            }
            let consumer = source.consumer;
            let mut after = Uuid::nil();
            loop {
                let page = inbox.records(consumer.clone(), after, PAGE).await;
                let page = page.map_err(failed())?;
                let Some(last) = page.last() else { break };
                after = last.event;
                held += page.len();
                if held > at_most {
                    return Ok(None);
                }
                for record in page {
                    let place = known.iter_mut().find(|known| {
                        known.source.consumer == consumer && known.source.stream == record.stream
                    });
                    if let Some(place) = place {
                        if record.dead {
                            place.dead.insert(record.event, record.recorded_at);
                        }
                        place.records.insert(record.event, record.sequence);
                    }
                }
            }
            last_consumer = Some(consumer);
        }
        Ok(Some(known))
    }
}
