//! The beginning of an effect: the transaction, the epoch of the owner, the record of the event.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use event_sdk::consumer::{Ctx, Failure};
use futures_util::future::{Either, select};
use jiff::Timestamp;
use sqlx::Transaction;

use super::database::{FoundRecord, InboxDatabase, NewRecord};
use super::owner::{OwnerError, Vanished};
use super::reason::{DeadBefore, TOO_OLD, dead_before, proves_undone};
use super::tx::EffectTx;
use super::{Inbox, Inner};
use crate::classify::outage;

/// What came of the beginning.
pub(super) enum Begun<DB: InboxDatabase> {
    /// The effect may be written.
    New(EffectTx<DB>),
    /// The event is done.
    Repeat,
}

impl<DB: InboxDatabase> Inbox<DB> {
    /// Begins the transaction of an effect, and records in it that the event is done.
    pub(super) async fn begin(&self, ctx: &Ctx) -> Result<Begun<DB>, Failure> {
        self.in_time(ctx, self.begin_one(ctx)).await
    }

    async fn begin_one(&self, ctx: &Ctx) -> Result<Begun<DB>, Failure> {
        let inner = &self.inner;
        let mut transaction = inner.open(ctx).await?;
        let record = record_of(ctx);
        let sql = &inner.sql;
        // Only a redriven event can replace the record of a dead one.
        let was_undone = ctx.redriven().is_some()
            && (DB::find(&mut transaction, sql, &record.consumer, &[record.event]).await)
                .map_err(outage)?
                .iter()
                .any(proves_undone);
        if DB::record(&mut transaction, sql, &record)
            .await
            .map_err(outage)?
        {
            if !was_undone {
                inner.check_age(&mut transaction, ctx, &record).await?;
            }
            return Ok(Begun::New(EffectTx::new(
                transaction,
                Arc::clone(inner),
                ctx.clone(),
            )));
        }
        let found = DB::find(&mut transaction, sql, &record.consumer, &[record.event]).await;
        let found = found.map_err(outage)?;
        let _ = transaction.rollback().await;
        match found.first() {
            Some(found) => match known(found) {
                Ok(()) => {
                    ctx.note_done_before();
                    Ok(Begun::Repeat)
                }
                Err(failure) => Err(failure),
            },
            None => Err(Failure::outage(Vanished)),
        }
    }

    /// Limits what waits for the database. The time limit of the handler would count as an attempt.
    pub(super) async fn in_time<T>(
        &self,
        ctx: &Ctx,
        begin: impl Future<Output = Result<T, Failure>> + Send,
    ) -> Result<T, Failure> {
        let Some(limit) = ctx.time_limit() else {
            return begin.await;
        };
        let within = limit / 2;
        let clock = ctx.bus().clock();
        let late = clock.sleep_until(clock.monotonic().saturating_add(within));
        match select(Box::pin(begin), late).await {
            Either::Left((done, _)) => done,
            Either::Right(_) => Err(Failure::outage(NoTransaction(within))
                .because("the database gave no transaction within half of the handler's time")),
        }
    }
}

impl<DB: InboxDatabase> Inner<DB> {
    /// Begins a transaction in which an effect of the consumer may be written now.
    pub(super) async fn open(&self, ctx: &Ctx) -> Result<Transaction<'static, DB>, Failure> {
        self.register(ctx).await?;
        if let Some(owner) = ctx.epoch() {
            self.take_over(ctx.consumer(), owner)
                .await
                .map_err(outage)?;
        }
        let idle = ctx
            .time_limit()
            .map(|limit| limit.saturating_add(IDLE_MARGIN));
        let begun = DB::begin_effect(&self.pool, idle).await;
        let mut transaction = begun.map_err(outage)?;
        if let Some(owner) = ctx.epoch() {
            let locked = self.lock_owner(&mut transaction, ctx.consumer(), owner);
            locked.await.map_err(OwnerError::into_failure)?;
        }
        Ok(transaction)
    }

    /// Makes the source of the event known to the cleaner, once for each process.
    pub(super) async fn register(&self, ctx: &Ctx) -> Result<(), Failure> {
        let stream = stream_of(ctx).to_owned();
        let source = (ctx.consumer().to_owned(), stream);
        if self.known().sources.contains(&source) {
            return Ok(());
        }
        let mut transaction = DB::begin_write(&self.pool).await.map_err(outage)?;
        let (consumer, stream) = (&source.0, &source.1);
        let registered = DB::register_source(&mut transaction, &self.sql, consumer, stream).await;
        registered.map_err(outage)?;
        transaction.commit().await.map_err(outage)?;
        self.known().sources.insert(source);
        Ok(())
    }

    /// Refuses an event without a record if it may have had one.
    ///
    /// The floor is not looked up for an event that is younger than the retention, since its record would
    /// be there. The message of a first delivery lies above the floor. The floor does not count
    /// for a replay consumer: its old events are refused at the first delivery too.
    pub(super) async fn check_age(
        &self,
        connection: &mut DB::Connection,
        ctx: &Ctx,
        record: &NewRecord,
    ) -> Result<(), Failure> {
        if self.accept_older {
            return Ok(());
        }
        let now = ctx.bus().clock().now();
        // The clocks of the server and of this machine may differ.
        let young = self.retention.saturating_sub(self.retention / 10);
        let is_young = (ctx.stored_at()).is_some_and(|stored| age(stored, now) < young);
        if is_young && ctx.redriven().is_none() {
            return Ok(());
        }
        if ctx.is_replay() {
            return Err(self.too_old("it is replayed"));
        }
        let floor = DB::floor(connection, &self.sql, &record.consumer, &record.stream);
        let floor = floor.await.map_err(outage)?.unwrap_or(0);
        match record.sequence {
            Some(sequence) if sequence <= floor => Err(self.too_old(if ctx.redriven().is_some() {
                "it was redriven"
            } else {
                "the position of the consumer was reset"
            })),
            _ => Ok(()),
        }
    }

    fn too_old(&self, why: &'static str) -> Failure {
        let retention = self.retention;
        Failure::reject(TooOld { retention, why }).because(TOO_OLD)
    }
}

/// How much longer than the handler may run its transaction may be idle.
const IDLE_MARGIN: Duration = Duration::from_secs(5);

fn age(stored: Timestamp, now: Timestamp) -> Duration {
    now.duration_since(stored)
        .try_into()
        .unwrap_or(Duration::ZERO)
}

/// The stream in which the event was stored first; empty on a transport without streams.
fn stream_of(ctx: &Ctx) -> &str {
    match ctx.redriven() {
        Some(redriven) => &redriven.origin.stream,
        None => ctx.stream().unwrap_or_default(),
    }
}

/// The record that an event is done.
pub(super) fn record_of(ctx: &Ctx) -> NewRecord {
    let redriven = ctx.redriven();
    let sequence = match redriven {
        Some(redriven) => Some(redriven.origin.sequence),
        None => ctx.sequence(),
    };
    NewRecord {
        consumer: ctx.consumer().to_owned(),
        event: ctx.envelope().event_id,
        redrive: redriven.map_or(0, |redriven| i64::from(redriven.redrive)),
        stream: stream_of(ctx).to_owned(),
        sequence: sequence.and_then(as_sequence),
        now: ctx.bus().clock().now().as_microsecond(),
    }
}

/// A sequence as it is recorded. On a transport without streams it is zero, and there is none.
pub(super) fn as_sequence(sequence: u64) -> Option<i64> {
    i64::try_from(sequence).ok().filter(|it| *it > 0)
}

/// What an earlier record means: the event is done, or it is dead, and its letter is to be written.
pub(super) fn known(found: &FoundRecord) -> Result<(), Failure> {
    if !found.is_dead {
        return Ok(());
    }
    Err(Failure::reject(DeadBefore(dead_before(found)))
        .because("the inbox has the event as dead; redrive its letter"))
}

/// The event is older than the retention.
#[derive(Debug)]
struct TooOld {
    retention: Duration,
    why: &'static str,
}

impl fmt::Display for TooOld {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { retention, why } = self;
        write!(
            f,
            "{why}, and the inbox keeps records for {retention:?}: whether it was handled is unknown; \
             `accept_older` handles it again"
        )
    }
}

impl std::error::Error for TooOld {}

/// The database took too long.
#[derive(Debug)]
struct NoTransaction(Duration);

impl fmt::Display for NoTransaction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no transaction within {:?}", self.0)
    }
}

impl std::error::Error for NoTransaction {}
