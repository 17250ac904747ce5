//! `Check`: compares the newest confirmed rows with what their streams have, and finds the rows that a
//! stream has lost.
//!
//! A stream that went back to an older state has all rows up to some sequence, and of later ones
//! either nothing or another message. So only two things show it: another message at the sequence of a
//! row, or a sequence beyond the end of the stream. A sequence without a message shows nothing, because
//! the message may have been deleted, or dropped by a limit.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use event_sdk::stream::Retention;
use event_sdk::text::Text;
use event_sdk::transport::{Capability, Error, ErrorKind, StreamState};
use jiff::Timestamp;

use super::before;
use super::loss::{LossOutcome, StreamLoss};
use crate::outbox::{KeptRow, OutboxStore};
use crate::stream_reader::{MessageAt, SearchRange, StreamReader};
use crate::{StoreError, TRACING_TARGET};

/// The most rows of a stream that are compared.
const MOST_ROWS: usize = 200_000;

/// Pages without any message id after which a stream is taken for one that keeps none, as in memory.
const UNNAMED_PAGES: usize = 4;

/// How far the clocks of the database's clients and of the server may differ in a search.
const CLOCKS_DIFFER: Duration = Duration::from_secs(300);

/// How far below the lowest common row copies of lost rows may lie, which a relay published again and
/// could not mark.
const UNMARKED: u64 = 10_000;

/// The most messages of a stream that are searched for moved rows.
const MOST_SEARCHED: u64 = 500_000;

/// What to compare.
#[derive(Debug)]
pub(super) struct Check {
    pub(super) store: Arc<dyn OutboxStore>,
    pub(super) reader: StreamReader,
    pub(super) shards: Vec<u16>,
    /// How many rows are compared at once: at least as many as the relay publishes again at once, since
    /// it may have ended meanwhile.
    pub(super) page: u32,
    /// How long before the newest row a loss is published again.
    pub(super) within: Duration,
    /// Rows that were marked from this time on say nothing about older ones: they may have been in
    /// flight when the stream went back.
    pub(super) marked_before: Timestamp,
    /// Streams with a sequence that was confirmed after a higher one: from there on the rows are
    /// compared in any case.
    pub(super) suspects: HashMap<Text, u64>,
}

/// The result of a check.
#[derive(Debug, Default)]
pub(super) struct Checked {
    pub(super) losses: Vec<StreamLoss>,
    /// The ids of the rows to publish again.
    pub(super) lost: HashSet<i64>,
    /// When the first of them was published.
    pub(super) since: Option<Timestamp>,
    /// Streams whose last row is where it was, with its sequence.
    pub(super) known: Vec<(Text, u64)>,
    /// Why a stream cannot be read, for example because that is not permitted.
    pub(super) unread: Option<Error>,
}

/// Why a check has no result.
#[derive(Debug)]
pub(super) enum CheckFailed {
    Store(StoreError),
    /// The transport; the same check may succeed later unless the kind says otherwise.
    Stream(Error),
}

impl From<StoreError> for CheckFailed {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<Error> for CheckFailed {
    fn from(error: Error) -> Self {
        Self::Stream(error)
    }
}

/// What a stream has at the sequence of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum There {
    /// The message of the row.
    Same,
    /// A message without an id. It is another one if the stream keeps ids.
    Unnamed,
    /// Nothing: it was deleted, or dropped by a limit.
    Nothing,
    /// Another message, or the stream ends before.
    Other,
}

/// The rows of a stream that were compared.
#[derive(Debug, Default)]
struct Compared {
    rows: Vec<(KeptRow, There)>,
    /// Whether there were more rows than can be compared.
    too_many: bool,
}

impl Check {
    pub(super) async fn run(self) -> Result<Checked, CheckFailed> {
        let mut checked = Checked::default();
        let newest = self
            .store
            .newest_published(self.shards.clone(), self.within);
        for row in newest.await? {
            match self.stream(row, &mut checked).await {
                Err(CheckFailed::Stream(error)) if is_of_one_stream(&error) => {
                    checked.unread = Some(error);
                }
                other => other?,
            }
        }
        Ok(checked)
    }

    async fn stream(&self, newest: KeptRow, checked: &mut Checked) -> Result<(), CheckFailed> {
        let stream = newest.stream.clone();
        let Some(state) = self.reader.state(&stream).await? else {
            let (confirmed, rows) = (newest.sequence, 1);
            checked.losses.push(StreamLoss {
                stream,
                confirmed,
                last: 0,
                rows,
                outcome: LossOutcome::LeftStreamAnew,
            });
            return Ok(());
        };
        let compared = self.walk(&state, &newest).await?;
        let mut rows = compared.rows.iter();
        if rows.any(|(row, there)| *there == There::Same && row.id == newest.id) {
            checked.known.push((stream.clone(), newest.sequence));
        }
        let others = || {
            let rows = compared.rows.iter();
            rows.filter_map(|(row, there)| (*there == There::Other).then_some(row))
        };
        let Some(lowest) = others().map(|row| row.sequence).min() else {
            return Ok(());
        };
        let common = others().map(|row| row.published_at).min();
        let common = common.and_then(|oldest| compared.common(oldest));
        // What lies above it is lost too, whether something is in its place or not.
        let is_lost = |(row, there): &(KeptRow, There)| {
            *there == There::Other || (*there != There::Same && row.sequence > lowest)
        };
        let too_many = compared.too_many;
        let mut lost: Vec<KeptRow> = compared
            .rows
            .into_iter()
            .filter(is_lost)
            .map(|(row, _)| row)
            .collect();
        let confirmed = lost
            .iter()
            .map(|row| row.sequence)
            .max()
            .unwrap_or_default();
        let outcome = if too_many {
            LossOutcome::LeftTooMany
        } else {
            self.outcome(&state, common, &newest, &mut lost).await?
        };
        let outcome = if state.config.retention == Retention::Limits {
            outcome
        } else {
            LossOutcome::LeftAcknowledged
        };
        if lost.is_empty() {
            // They were only moved.
            return Ok(());
        }
        if outcome.is_repaired() {
            let first = lost.iter().map(|row| row.published_at).min();
            checked.since = checked.since.into_iter().chain(first).min();
            checked.lost.extend(lost.iter().map(|row| row.id));
        }
        checked.losses.push(StreamLoss {
            stream,
            confirmed,
            last: state.last_sequence,
            rows: u64::try_from(lost.len()).unwrap_or(u64::MAX),
            outcome,
        });
        Ok(())
    }

    /// Whether the stream has lost nothing before this row, which it has.
    fn settles(&self, row: &KeptRow) -> bool {
        let suspect = self.suspects.get(&row.stream);
        row.published_at < self.marked_before && suspect.is_none_or(|at| row.sequence < *at)
    }

    /// Compares rows, the newest first, until the stream has a whole page of them.
    async fn walk(&self, state: &StreamState, newest: &KeptRow) -> Result<Compared, CheckFailed> {
        let since = before(newest.published_at, self.within);
        let mut position = (Timestamp::MAX, i64::MAX);
        let mut compared = Compared::default();
        let mut pages = 0;
        loop {
            let page = self.store.published_before(
                self.shards.clone(),
                newest.stream.clone(),
                since,
                position,
                self.page,
            );
            let page = page.await?;
            let Some(last) = page.last() else { break };
            position = (last.published_at, last.id);
            let is_last = page.len() < self.page as usize;
            let there = self.compare(state, &page).await?;
            let page: Vec<_> = page.into_iter().zip(there).collect();
            pages += 1;
            let is_other = page.iter().any(|(_, there)| *there == There::Other);
            let settles = page
                .iter()
                .any(|(row, there)| *there == There::Same && self.settles(row));
            let dropped = page
                .iter()
                .all(|(row, _)| row.sequence < state.first_sequence);
            let unnamed =
                pages >= UNNAMED_PAGES && page.iter().all(|(_, there)| *there == There::Unnamed);
            compared.rows.extend(page);
            if is_last || !is_other && (settles || dropped || unnamed) {
                break;
            }
            if compared.rows.len() >= MOST_ROWS {
                compared.too_many = true;
                break;
            }
        }
        compared.name_others();
        Ok(compared)
    }

    /// What the stream has at the sequences of rows.
    async fn compare(
        &self,
        state: &StreamState,
        rows: &[KeptRow],
    ) -> Result<Vec<There>, CheckFailed> {
        let ends = state.first_sequence..=state.last_sequence;
        let inside = rows.iter().map(|row| row.sequence);
        let inside: Vec<_> = inside.filter(|sequence| ends.contains(sequence)).collect();
        let stream = state.config.name.as_str();
        let mut found = self.reader.all_at(stream, inside).await?.into_iter();
        Ok(rows
            .iter()
            .map(|row| {
                if row.sequence > state.last_sequence {
                    There::Other
                } else if row.sequence < state.first_sequence {
                    There::Nothing
                } else {
                    There::of(row, found.next().flatten().as_ref())
                }
            })
            .collect())
    }

    /// What to do about lost rows. Removes those that lie at another place of the stream.
    async fn outcome(
        &self,
        state: &StreamState,
        common: Option<u64>,
        newest: &KeptRow,
        lost: &mut Vec<KeptRow>,
    ) -> Result<LossOutcome, CheckFailed> {
        let stream = &newest.stream;
        let first = lost.iter().map(|row| row.published_at).min();
        let ids: HashSet<Text> = lost.iter().map(|row| row.message_id.clone()).collect();
        let mut range = SearchRange::from(state.last_sequence);
        range.limit = MOST_SEARCHED;
        range.down_to = match common {
            Some(common) => common.saturating_sub(UNMARKED),
            None => 1,
        }
        .max(state.first_sequence);
        range.stored_since = first.map(|first| before(first, CLOCKS_DIFFER));
        let search = self.reader.search(stream, &ids, range).await?;
        if search.limited {
            return Ok(LossOutcome::LeftUnsearched);
        }
        if common.is_none() {
            // Of a stream whose messages were numbered anew, only what is newer than all that it has
            // is lost; the rest was deleted.
            let moved = lost
                .iter()
                .filter(|row| search.found.contains_key(&row.message_id));
            if let Some(moved) = moved.map(|row| row.sequence).max() {
                lost.retain(|row| row.sequence > moved);
                return Ok(LossOutcome::PublishedAgain);
            }
        }
        lost.retain(|row| !search.found.contains_key(&row.message_id));
        if common.is_some() || lost.is_empty() {
            return Ok(LossOutcome::PublishedAgain);
        }
        self.without_common(state, newest, first.unwrap_or_default())
            .await
    }

    /// What to do where the stream has no row of those that were compared.
    async fn without_common(
        &self,
        state: &StreamState,
        newest: &KeptRow,
        first: Timestamp,
    ) -> Result<LossOutcome, CheckFailed> {
        let older = self.store.published_before(
            self.shards.clone(),
            newest.stream.clone(),
            Timestamp::MIN,
            (before(newest.published_at, self.within), i64::MIN),
            1,
        );
        let older = older.await?;
        let there = self.compare(state, &older).await?;
        if there == [There::Same] {
            return Ok(LossOutcome::PublishedAgain);
        }
        let begins = if state.last_sequence < state.first_sequence {
            None
        } else {
            self.reader.at(&newest.stream, state.first_sequence).await?
        };
        let is_new = match begins {
            Some(message) => message.stored_at >= first,
            None => state.last_sequence == 0,
        };
        Ok(if is_new {
            LossOutcome::LeftStreamAnew
        } else if there == [There::Other] {
            LossOutcome::LeftOlder
        } else {
            // The outbox has no older row, or the stream has dropped it in its own time.
            LossOutcome::PublishedAgain
        })
    }
}

impl Compared {
    /// Where the stream has the id of some row, a message without one is another message.
    fn name_others(&mut self) {
        if self.rows.iter().any(|(_, there)| *there == There::Same) {
            for (_, there) in &mut self.rows {
                if *there == There::Unnamed {
                    *there = There::Other;
                }
            }
        }
    }

    /// The lowest sequence of the rows that the stream has and that were published before this time,
    /// or at it.
    fn common(&self, until: Timestamp) -> Option<u64> {
        let rows = self.rows.iter();
        let common = rows
            .filter(|(row, there)| *there == There::Same && row.published_at <= until)
            .map(|(row, _)| row.sequence);
        common.min()
    }
}

impl There {
    fn of(row: &KeptRow, message: Option<&MessageAt>) -> Self {
        match message.map(|message| &message.message_id) {
            None => Self::Nothing,
            Some(None) => Self::Unnamed,
            Some(Some(id)) if *id == row.message_id => Self::Same,
            Some(Some(_)) => Self::Other,
        }
    }
}

/// Whether the transport says that streams cannot be read at all. A server that is coming back may say
/// for a moment that it stores nothing.
pub(super) fn is_final(error: &Error) -> bool {
    match error.kind() {
        ErrorKind::Unsupported(capability) => *capability != Capability::Store,
        ErrorKind::Closed | ErrorKind::InvalidOption => true,
        _ => false,
    }
}

/// Whether the error is about one stream: others may be read.
fn is_of_one_stream(error: &Error) -> bool {
    !error.is_transient() && !is_final(error) && !matches!(error.kind(), ErrorKind::Unsupported(_))
}

impl StreamLoss {
    pub(super) fn log(&self, outbox: &str) {
        tracing::warn!(
            target: TRACING_TARGET,
            outbox,
            stream = self.stream.as_str(),
            confirmed = self.confirmed,
            last = self.last,
            rows = self.rows,
            outcome = ?self.outcome,
            "a stream has lost rows that it had confirmed: {}",
            self.outcome
        );
    }
}
