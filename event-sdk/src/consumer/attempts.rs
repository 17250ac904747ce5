//! `AttemptRecords`: counts the attempts at an event across restarts, in the coordination bucket, and
//! finds handlers that end the process.
//!
//! - `record`: what is known of one event, as a state machine and as text;
//! - `key`: where the bucket has it;
//! - `store`: the bucket, or the process where there is none;
//! - `patience`: what happens while the bucket cannot be reached;
//!
//! `process_gate` lets suspects run alone in the process.
//!
//! **What is written.** A record is written when an attempt fails, before each start of an event that
//! the server has delivered more than once, and before a new owner starts the first event that it takes
//! from the park of a key. Any other event that succeeds at once costs nothing. The record of an event
//! that succeeds later is deleted after the event is settled.
//!
//! **Suspects.** A record that was written before a start and has no outcome means that the process
//! ended meanwhile: by this handler, by a neighbour, or by an operator. Such an event is a
//! *suspect*. It runs alone in its process, whatever consumer it belongs to, until it has an
//! outcome, or its time limit is over (without a limit, 5 minutes). If its handler still runs then,
//! other handlers run too, which is recorded before they start. A suspect becomes a dead letter
//! only if its attempts are over and the last one ran alone. So neighbours of a handler that ends
//! the process are repeated, and never blamed. The first start is not written, so such a handler is
//! started once more than it has attempts if it was started at its first delivery.
//!
//! **Without a bucket** (the transport has no coordination, the bucket was not applied, or the
//! permission is missing) records live in the process. They then count the attempts within it, and a
//! handler that ends the process is repeated without a limit.
//!
//! **While the bucket cannot be reached**, events at their first delivery go on as usual. Their
//! failed attempts are counted in the process, and written with the next record that can be. An event
//! that was delivered before is not started blindly: it waits and asks again after 1 to 30 seconds.
//! After 5 minutes it starts alone in the process, with what the process knows of it, so that it
//! neither waits for ever nor harms a neighbour. Attempts may then be counted too low, never too
//! high.

mod key;
#[cfg(test)]
mod model;
mod patience;
mod record;
#[cfg(test)]
mod simulation;
mod store;
#[cfg(test)]
mod tests;
mod tokens;

pub(crate) use patience::{Next, Patience};
pub(crate) use record::{LastOutcome, Verdict};
pub(crate) use store::{Expected, RecordStore, StoreError, Stored};

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use event_sdk_core::text::Text;
use jiff::Timestamp;

use record::{Record, Running};
use store::LocalStore;
use tokens::Tokens;

/// The attempt records of one consumer.
#[derive(Debug)]
pub(crate) struct AttemptRecords {
    consumer: Text,
    max_attempts: u32,
    store: Arc<dyn RecordStore>,
    /// Used instead of `store` once that is known to be absent.
    local: LocalStore,
    absent: AtomicBool,
    tokens: Tokens,
}

/// The event that a record is about.
#[derive(Debug, Clone, Copy)]
pub(crate) struct EventPlace<'a> {
    pub(crate) stream: &'a str,
    pub(crate) sequence: u64,
    pub(crate) stored_at: Option<Timestamp>,
}

/// What is known of the attempts at an event that is held.
#[derive(Debug)]
#[cfg_attr(test, derive(Clone, Hash))]
pub(crate) struct Known {
    key: Text,
    record: Record,
    at_store: AtStore,
    /// The token of its last start here.
    token: Option<u64>,
}

/// What the store has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(test, derive(Hash))]
enum AtStore {
    /// Not known: not asked, or a write without an answer.
    Unknown,
    Absent,
    At(u64),
}

/// What follows a request to start an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use = "only an event that was recorded may start"]
pub(crate) enum Begun {
    /// The start is recorded; start the handler now.
    Started,
    /// Another process has changed the record: do not start it, but do this.
    Instead(Verdict),
}

/// A start that was recorded as alone, and beside which others run now.
#[derive(Debug)]
pub(crate) struct Beside {
    key: Text,
    token: u64,
}

/// How often a write is repeated when another process changes the record at the same time.
const CONFLICTS: usize = 4;

impl AttemptRecords {
    /// The records of a consumer in a store. `max_attempts` is that of its retry policy.
    pub(crate) fn new(consumer: Text, max_attempts: u32, store: Arc<dyn RecordStore>) -> Self {
        Self {
            consumer,
            max_attempts,
            store,
            local: LocalStore::default(),
            absent: AtomicBool::new(false),
            tokens: Tokens::random(),
        }
    }

    /// Uses tokens from this one on, so that a model finds the same state again.
    #[cfg(test)]
    pub(crate) fn with_tokens_from(mut self, first: u64) -> Self {
        self.tokens = Tokens::from(first);
        self
    }

    /// Begins to know an event, without asking the store.
    pub(crate) fn know(&self, event: EventPlace<'_>) -> Known {
        let stored_at = event.stored_at.map_or(0, Timestamp::as_millisecond);
        Known {
            key: key::of(&self.consumer, event.stream, event.sequence).into(),
            record: Record::new(stored_at),
            at_store: AtStore::Unknown,
            token: None,
        }
    }

    /// Reads the record of an event that was delivered before, and decides how it may be started.
    ///
    /// Cancel-safe: it changes nothing.
    #[cfg(test)]
    pub(crate) async fn look(
        &self,
        known: &mut Known,
        now: Timestamp,
    ) -> Result<Verdict, StoreError> {
        self.read(known).await?;
        Ok(self.verdict(known, now))
    }

    /// Records a start, right before it. Not cancel-safe: the start may be recorded.
    pub(crate) async fn begin(
        &self,
        known: &mut Known,
        alone: bool,
        now: Timestamp,
    ) -> Result<Begun, StoreError> {
        for _ in 0..CONFLICTS {
            if known.at_store == AtStore::Unknown {
                self.read(known).await?;
            }
            match self.verdict(known, now) {
                Verdict::Alone if alone => {}
                Verdict::Beside => {}
                other => return Ok(Begun::Instead(other)),
            }
            let before = known.record.clone();
            let token = self.tokens.next();
            known.record.start(Running { token, alone }, millis(now));
            match self.write(known).await {
                Ok(()) => {
                    known.token = Some(token);
                    return Ok(Begun::Started);
                }
                Err(StoreError::WrongRevision) => known.record = before,
                Err(error) => {
                    // If it was written, it is known again by its token.
                    known.token = Some(token);
                    known.record = before;
                    return Err(error);
                }
            }
        }
        Err(StoreError::WrongRevision)
    }

    /// Counts a start that is not recorded: at the first delivery, or without the store.
    pub(crate) fn begin_unrecorded(&self, known: &mut Known, alone: bool, now: Timestamp) {
        let token = self.tokens.next();
        known.token = Some(token);
        known.record.start(Running { token, alone }, millis(now));
    }

    /// Records that the attempt that was started has failed. With `dead`, the event is given up.
    ///
    /// On an error the attempt is counted in `known`, and is written with its next record.
    /// Not cancel-safe: it may be recorded.
    pub(crate) async fn failed(
        &self,
        known: &mut Known,
        outcome: LastOutcome,
        dead: bool,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        known.record.fail(outcome, millis(now));
        known.record.dead |= dead;
        self.write_merged(known).await
    }

    /// Records that the start does not count: it ended in an outage, or the event is given back.
    ///
    /// Not cancel-safe: it may be recorded.
    pub(crate) async fn take_back(&self, known: &mut Known) -> Result<(), StoreError> {
        known.record.take_back();
        if known.at_store == AtStore::Absent && known.record.is_empty() {
            return Ok(());
        }
        self.write_merged(known).await
    }

    /// Records that others run beside the handler of a start, unless it has ended meanwhile.
    ///
    /// Not cancel-safe: it may be recorded.
    pub(crate) async fn record_beside(&self, beside: &Beside) -> Result<(), StoreError> {
        for _ in 0..CONFLICTS {
            let Some(Stored { value, revision }) = self.store().get(&beside.key).await? else {
                return Ok(());
            };
            let Some(mut record) = Record::decode(&value) else {
                return Ok(());
            };
            match &mut record.running {
                Some(running) if running.token == beside.token => running.alone = false,
                _ => return Ok(()),
            }
            let expected = Expected::Exactly(revision);
            match self
                .store()
                .put(&beside.key, record.encode(), expected)
                .await
            {
                Err(StoreError::WrongRevision) => {}
                other => return other.map(drop),
            }
        }
        Err(StoreError::WrongRevision)
    }

    /// Deletes the record of an event that is settled. Not cancel-safe: it may be deleted.
    ///
    /// A record that stays because of an error expires with the bucket's maximum age.
    pub(crate) async fn settled(&self, known: &mut Known) -> Result<(), StoreError> {
        if known.at_store == AtStore::Absent {
            return Ok(());
        }
        match self.store().delete(&known.key).await {
            Err(StoreError::Absent(why)) => {
                self.is_absent(&why);
                self.local.delete(&known.key).await?;
            }
            other => other?,
        }
        known.at_store = AtStore::Absent;
        Ok(())
    }

    fn verdict(&self, known: &mut Known, now: Timestamp) -> Verdict {
        let verdict = known.record.verdict(self.max_attempts);
        if verdict == Verdict::Dead {
            known.record.process_ended(millis(now));
        }
        verdict
    }

    /// Reads the record, and joins it with what is known here.
    async fn read(&self, known: &mut Known) -> Result<(), StoreError> {
        let stored = match self.store().get(&known.key).await {
            Err(StoreError::Absent(why)) => {
                self.is_absent(&why);
                self.local.get(&known.key).await?
            }
            other => other?,
        };
        let Some(Stored { value, revision }) = stored else {
            known.at_store = AtStore::Absent;
            return Ok(());
        };
        known.at_store = AtStore::At(revision);
        if let Some(stored) = Record::decode(&value) {
            known.join(&stored);
        } else {
            tracing::warn!(
                target: crate::TRACING_TARGET,
                consumer = %self.consumer,
                key = %known.key,
                "an attempt record cannot be read; the attempts at the event are counted anew"
            );
        }
        Ok(())
    }

    /// Writes the record; if another process has changed it, both are joined.
    async fn write_merged(&self, known: &mut Known) -> Result<(), StoreError> {
        for _ in 0..CONFLICTS {
            if known.at_store == AtStore::Unknown && known.record.starts > 1 {
                self.read(known).await?;
            }
            match self.write(known).await {
                Err(StoreError::WrongRevision) => self.read(known).await?,
                other => return other,
            }
        }
        Err(StoreError::WrongRevision)
    }

    async fn write(&self, known: &mut Known) -> Result<(), StoreError> {
        let expected = match known.at_store {
            // The first write of an event that was delivered once: there is no record of it.
            AtStore::Unknown | AtStore::Absent => Expected::Absent,
            AtStore::At(revision) => Expected::Exactly(revision),
        };
        let value = known.record.encode();
        let written = match self.store().put(&known.key, value.clone(), expected).await {
            Err(StoreError::Absent(why)) => {
                self.is_absent(&why);
                self.local.put(&known.key, value, expected).await
            }
            other => other,
        };
        known.at_store = match &written {
            Ok(revision) => AtStore::At(*revision),
            Err(_) => AtStore::Unknown,
        };
        written.map(drop)
    }

    fn store(&self) -> &dyn RecordStore {
        if self.absent.load(Ordering::Relaxed) {
            &self.local
        } else {
            &*self.store
        }
    }

    /// Keeps records in the process from now on.
    fn is_absent(&self, why: &str) {
        if !self.absent.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                target: crate::TRACING_TARGET,
                consumer = %self.consumer,
                "attempt records are kept in this process only, so a restart counts attempts anew, \
                 and a handler that ends the process is repeated without a limit: {why}"
            );
        }
    }
}

impl Known {
    /// Others run beside the handler that ran alone, from now on. The returned request says so in the
    /// record; `None` if its start is not recorded.
    pub(crate) fn run_beside(&mut self) -> Option<Beside> {
        let running = self.record.running.as_mut()?;
        running.alone = false;
        let token = running.token;
        matches!(self.at_store, AtStore::At(_)).then(|| Beside {
            key: self.key.clone(),
            token,
        })
    }

    /// The number of attempts: starts, but those that ended in an outage or were given back.
    pub(crate) fn attempts(&self) -> u32 {
        self.record.starts
    }

    /// When the first and the last attempt failed.
    pub(crate) fn failed_at(&self) -> Option<(Timestamp, Timestamp)> {
        let (first, last) = self.record.failed_at?;
        let first = Timestamp::from_millisecond(first).ok()?;
        Some((first, Timestamp::from_millisecond(last).ok()?))
    }

    /// How the last attempt ended.
    pub(crate) fn last_outcome(&self) -> Option<LastOutcome> {
        self.record.last
    }

    /// Joins what the store has with what is known here and was not written.
    fn join(&mut self, stored: &Record) {
        let here = &mut self.record;
        if stored.stored_at != here.stored_at {
            return;
        }
        let mine = stored
            .running
            .is_some_and(|running| Some(running.token) == self.token);
        // A start that was recorded without an answer, and then not made.
        let not_made = u32::from(mine && here.running.is_none());
        let unwritten = here.starts > 0;
        let joined = Record {
            stored_at: stored.stored_at,
            starts: stored.starts.saturating_sub(not_made).max(here.starts),
            // A start of another process stays without an outcome.
            running: if mine { here.running } else { stored.running },
            last: if unwritten {
                here.last.or(stored.last)
            } else {
                stored.last
            },
            dead: stored.dead || here.dead,
            failed_at: match (stored.failed_at, here.failed_at) {
                (Some((a, b)), Some((c, d))) => Some((a.min(c), b.max(d))),
                (one, other) => one.or(other),
            },
        };
        *here = joined;
    }
}

fn millis(now: Timestamp) -> i64 {
    now.as_millisecond()
}
