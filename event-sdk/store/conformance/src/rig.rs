//! `Rig`: one outbox for a case, with messages to write and short forms of its operations.

use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use event_sdk::Subject;
use event_sdk::text::Text;
use event_sdk_store::outbox::{
    ConfirmedRow, OutboxMessage, OutboxRow, OutboxStore, ParkReason, ParkedEntry, RelayId,
    ShardLease, ShardPosition, StoreFuture,
};
use jiff::Timestamp;

use crate::failure::{Failure, Outcome};
use crate::{TestedOutbox, Writing};

pub(crate) struct Rig {
    outbox: Box<dyn TestedOutbox>,
    pub(crate) store: Arc<dyn OutboxStore>,
    patience: Duration,
}

/// A relay that owns all shards.
#[derive(Debug, Clone)]
pub(crate) struct Owner {
    pub(crate) relay: RelayId,
    pub(crate) leases: Vec<ShardLease>,
}

/// A lease that does not end during a case.
pub(crate) const LONG: Duration = Duration::from_secs(60 * 60);

/// A lease whose end a case waits for.
pub(crate) const SHORT: Duration = Duration::from_millis(200);

/// More rows than a case has.
pub(crate) const MANY: u32 = 10_000;

/// The first of the times that cases pass on, which are whole microseconds.
const EPOCH: Timestamp = Timestamp::constant(1_900_000_000, 0);

/// The subject of all rows, below the default prefix of a bus.
#[expect(clippy::expect_used, reason = "the text is a constant")]
static SUBJECT: LazyLock<Subject> =
    LazyLock::new(|| Subject::parse("events.suite.row.written").expect("it is valid"));

/// A time of the case, in seconds from its first one.
pub(crate) fn at(seconds: i64) -> Timestamp {
    EPOCH + jiff::SignedDuration::from_secs(seconds)
}

/// A row without a key. Its name is its message id and its body.
pub(crate) fn row(name: &str) -> OutboxMessage {
    OutboxMessage::new(SUBJECT.clone(), name.to_owned(), name, at(0))
}

/// A row that takes part in the order of a key.
pub(crate) fn keyed(name: &str, key: &str) -> OutboxMessage {
    let mut message = row(name);
    message.key = Some(key.into());
    message
}

/// A row with a time.
pub(crate) fn scheduled(name: &str, not_before: Timestamp) -> OutboxMessage {
    let mut message = row(name);
    message.not_before = Some(not_before);
    message
}

/// The names of rows, in their order.
pub(crate) fn names(rows: &[OutboxRow]) -> Vec<String> {
    let name = |row: &OutboxRow| match &row.message {
        Ok(message) => message.message_id.to_string(),
        Err(why) => format!("unreadable: {why}"),
    };
    rows.iter().map(name).collect()
}

/// Why a case parks a row.
pub(crate) fn reason() -> ParkReason {
    ParkReason::new("reject", "it is refused", 3)
}

impl Rig {
    pub(crate) fn new(outbox: Box<dyn TestedOutbox>, patience: Duration) -> Self {
        Self {
            store: outbox.store(),
            outbox,
            patience,
        }
    }

    pub(crate) fn begin(&self) -> StoreFuture<'_, Box<dyn Writing>> {
        self.outbox.begin()
    }

    /// Commits rows together.
    pub(crate) async fn write(&self, rows: impl IntoIterator<Item = OutboxMessage>) -> Outcome {
        let mut writing = self.begin().await?;
        for row in rows {
            writing.insert(row).await?;
        }
        Ok(writing.commit().await?)
    }

    /// All shards, from a position on.
    pub(crate) fn positions(&self, from: i64) -> Vec<ShardPosition> {
        let shards = 0..self.store.shards();
        shards.map(|shard| at_position(shard, from)).collect()
    }

    pub(crate) fn shards(&self) -> Vec<u16> {
        (0..self.store.shards()).collect()
    }

    /// All ready rows, by id.
    pub(crate) async fn ready(&self) -> Outcome<Vec<OutboxRow>> {
        let mut rows = self.store.fetch(self.positions(0), MANY).await?;
        rows.sort_by_key(|row| row.id);
        Ok(rows)
    }

    /// The ready row of this name.
    #[track_caller]
    pub(crate) fn find(&self, name: &str) -> impl Future<Output = Outcome<OutboxRow>> {
        let missing = Failure::new(format!("the row {name} is not ready"));
        async move {
            let rows = self.ready().await?;
            let found = rows.into_iter().find(
                |row| matches!(&row.message, Ok(message) if message.message_id.as_str() == name),
            );
            found.ok_or(missing)
        }
    }

    /// The scheduled rows whose time has come.
    pub(crate) async fn due(&self, now: Timestamp) -> Outcome<Vec<OutboxRow>> {
        let shards = self.shards();
        Ok(self.store.fetch_due(shards, now, Vec::new(), MANY).await?)
    }

    /// A new relay that owns all shards.
    pub(crate) async fn owner(&self) -> Outcome<Owner> {
        let relay = RelayId::random();
        self.store.renew(relay, LONG).await?;
        let leases = self.store.claim(relay, LONG, u16::MAX).await?;
        if leases.len() != usize::from(self.store.shards()) {
            let count = leases.len();
            return Err(Failure::new(format!("a relay got {count} free shards")));
        }
        Ok(Owner { relay, leases })
    }

    /// Marks rows as published, in these sequences of one stream.
    pub(crate) async fn publish(
        &self,
        owner: &Owner,
        rows: &[&OutboxRow],
        now: Timestamp,
    ) -> Outcome<Vec<i64>> {
        let rows = rows.iter().map(|row| owner.confirmed(row)).collect();
        let mut marked = self.store.mark_published(owner.relay, rows, now).await?;
        marked.sort_unstable();
        Ok(marked)
    }

    /// Parks the ready row of this name, and the later rows of its key.
    pub(crate) async fn park(&self, owner: &Owner, name: &str) -> Outcome<OutboxRow> {
        let row = self.find(name).await?;
        let lease = owner.lease(row.shard)?;
        if !self.store.park(lease, row.id, reason(), at(5)).await? {
            return Err(Failure::new("the owner of a shard could not park a row"));
        }
        if let Some(key) = &row.key {
            self.store.park_behind(lease, key.to_string(), MANY).await?;
        }
        Ok(row)
    }

    pub(crate) async fn parked(&self) -> Outcome<Vec<ParkedEntry>> {
        Ok(self.store.parked(0, MANY).await?)
    }

    /// Waits for something that comes with time alone, such as the end of a lease.
    pub(crate) async fn until<T, F>(&self, what: &str, mut look: impl FnMut() -> F) -> Outcome<T>
    where
        F: Future<Output = Outcome<Option<T>>>,
    {
        let deadline = Instant::now() + self.patience;
        loop {
            if let Some(found) = look().await? {
                return Ok(found);
            }
            if Instant::now() > deadline {
                let patience = self.patience;
                return Err(Failure::new(format!(
                    "{what} did not come within {patience:?}"
                )));
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

impl Owner {
    #[track_caller]
    pub(crate) fn lease(&self, shard: u16) -> Outcome<ShardLease> {
        let lease = self.leases.iter().find(|lease| lease.shard == shard);
        lease
            .copied()
            .ok_or_else(|| Failure::new(format!("shard {shard} has no lease")))
    }

    /// That the stream `SUITE` stored the row, with its id as the sequence.
    pub(crate) fn confirmed(&self, row: &OutboxRow) -> ConfirmedRow {
        let lease = self.leases.iter().find(|lease| lease.shard == row.shard);
        let epoch = lease.map_or(0, |lease| lease.epoch);
        let mut confirmed = ConfirmedRow::new(row.id, row.shard, epoch);
        confirmed.stream = Some(Text::from_static("SUITE"));
        confirmed.sequence = u64::try_from(row.id).ok();
        confirmed
    }
}

/// A shard from a position on, without a floor.
pub(crate) fn at_position(shard: u16, from: i64) -> ShardPosition {
    let floor = i64::MIN;
    ShardPosition { shard, from, floor }
}
