//! `BatchEffects`: the effects of a batch in one transaction, divided after a failure.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use event_sdk::EventSet;
use event_sdk::consumer::{self, BatchFailure, Ctx, EventBatch, Failure, HandleBatch};
use event_sdk_store::inbox::{PartFailure, PartOutcome, in_parts};
use uuid::Uuid;

use super::begin::{known, record_of};
use super::database::{InboxDatabase, NewRecord};
use super::effect::EffectOf;
use super::reason::proves_undone;
use super::tx::EffectTx;
use super::{Inbox, Inner};
use crate::classify::{class_of, outage};

/// A handler of batches that runs the effects of `H`, which implements [`EffectOf`] for the set of the
/// consumer. [`Inbox::batches`] returns it.
///
/// The effects run one after the other in one transaction, in the order of the batch, and
/// [`EffectTx::ctx`](super::EffectTx::ctx) is the context of the event whose effect runs.
pub struct BatchEffects<H, DB: InboxDatabase> {
    inbox: Inbox<DB>,
    effects: Arc<H>,
}

impl<H, DB: InboxDatabase> BatchEffects<H, DB> {
    pub(super) fn new(inbox: Inbox<DB>, effects: H) -> Self {
        Self {
            inbox,
            effects: Arc::new(effects),
        }
    }
}

/// The events of a batch, and what was found out about them.
struct Batch<S> {
    ctxs: Vec<Ctx>,
    /// The decoded events; one that was handled before is decoded again.
    events: Mutex<Vec<Option<S>>>,
}

impl<S, H, DB> HandleBatch<S> for BatchEffects<H, DB>
where
    S: EventSet + Send,
    H: EffectOf<S, DB>,
    DB: InboxDatabase,
{
    async fn handle_batch(&self, batch: EventBatch<S>) -> Result<(), BatchFailure> {
        let (events, ctxs): (Vec<_>, Vec<_>) = batch
            .into_iter()
            .map(|(event, ctx)| (Some(event), ctx))
            .unzip();
        let batch = Batch {
            ctxs,
            events: Mutex::new(events),
        };
        let follows =
            |later: usize, earlier: usize| batch.ctxs[later].is_in_order_with(&batch.ctxs[earlier]);
        let part = |part| self.handle_part(&batch, part);
        let outcomes = in_parts(batch.ctxs.len(), follows, part).await?;
        let failures: Vec<_> = outcomes
            .into_iter()
            .enumerate()
            .filter_map(|(at, outcome)| match outcome {
                PartOutcome::Done => None,
                PartOutcome::Failed(failure) => Some((at, failure)),
                PartOutcome::Waits => Some((at, Failure::retry(Waits))),
            })
            .collect();
        if failures.is_empty() {
            Ok(())
        } else {
            Err(BatchFailure::of(failures))
        }
    }

    fn inbox(&self) -> Option<Arc<dyn consumer::Inbox>> {
        Some(self.inbox.as_consumer_inbox())
    }
}

impl<H, DB: InboxDatabase> BatchEffects<H, DB> {
    /// Runs the effects of some events in one transaction.
    async fn handle_part<S>(&self, batch: &Batch<S>, part: Vec<usize>) -> Result<(), PartFailure>
    where
        S: EventSet + Send,
        H: EffectOf<S, DB>,
    {
        let whole = |failure| PartFailure { failure, at: None };
        let Some(&first) = part.first() else {
            return Ok(());
        };
        let ctx = &batch.ctxs[first];
        let begun = self
            .inbox
            .in_time(ctx, async {
                // A failure of one event has its place; the limit of time fails all of them.
                Ok(self.inbox.begin_part(batch, &part).await)
            })
            .await;
        let Some((mut tx, new)) = begun.map_err(whole)?? else {
            return Ok(());
        };
        let mut repeats = Vec::new();
        for (at, &event) in part.iter().enumerate() {
            let ctx = &batch.ctxs[event];
            if !new.contains(&event) {
                repeats.push(event);
                continue;
            }
            tx.go_on_with(ctx.clone());
            let failed = |failure| PartFailure {
                failure,
                at: Some(at),
            };
            let taken = batch.events.lock().unwrap_or_else(PoisonError::into_inner)[event].take();
            let value = match taken {
                Some(value) => value,
                None => ctx.decode::<S>().map_err(|error| failed(error.into()))?,
            };
            if let Err(failure) = self.effects.apply(value, &mut tx).await {
                tx.roll_back().await;
                return Err(failed(failure.classified_by(class_of)));
            }
        }
        tx.commit().await.map(drop).map_err(whole)?;
        for event in repeats {
            batch.ctxs[event].note_done_before();
        }
        Ok(())
    }
}

impl<DB: InboxDatabase> Inbox<DB> {
    /// Begins the transaction of a part of a batch, and records its events as done. Returns those that
    /// are new; nothing if there is none.
    ///
    /// An event that is dead, or older than the retention, fails the part, so that it is divided there:
    /// the event goes on alone, and later ones of its key wait for it.
    async fn begin_part<S>(
        &self,
        batch: &Batch<S>,
        part: &[usize],
    ) -> Result<Option<(EffectTx<DB>, HashSet<usize>)>, PartFailure> {
        let Some(&first) = part.first() else {
            return Ok(None);
        };
        let whole = |failure| PartFailure { failure, at: None };
        let refused = |event: usize, failure| PartFailure {
            failure,
            at: part.iter().position(|it| *it == event),
        };
        let inner = &self.inner;
        for &event in part {
            inner.register(&batch.ctxs[event]).await.map_err(whole)?;
        }
        let open = inner.open(&batch.ctxs[first]).await;
        let mut transaction = open.map_err(whole)?;
        let (records, twins) = without_twins(batch, part);
        let was_undone = inner.were_undone(&mut transaction, batch, &records).await;
        let was_undone = was_undone.map_err(whole)?;
        let rows: Vec<_> = records.iter().map(|(_, record)| record.clone()).collect();
        let new = DB::record_all(&mut transaction, &inner.sql, &rows).await;
        let new = new.map_err(|error| whole(outage(error)))?;
        let new: HashSet<Uuid> = new.into_iter().collect();
        let mut fresh = HashSet::new();
        let mut stale = Vec::new();
        for (event, record) in &records {
            if !new.contains(&record.event) {
                stale.push((*event, record.event));
                continue;
            }
            if !was_undone.contains(&record.event) {
                let ctx = &batch.ctxs[*event];
                let young = inner.check_age(&mut transaction, ctx, record).await;
                young.map_err(|failure| refused(*event, failure))?;
            }
            fresh.insert(*event);
        }
        let is_stale = |id: &Uuid| stale.iter().any(|(_, stale)| stale == id);
        let twins: Vec<_> = twins.into_iter().filter(|(_, id)| is_stale(id)).collect();
        stale.extend(twins);
        let dead = inner.first_dead(&mut transaction, batch, &stale).await;
        if let Some((event, failure)) = dead.map_err(whole)? {
            return Err(refused(event, failure));
        }
        let Some((_, record)) = records.iter().find(|(event, _)| fresh.contains(event)) else {
            let _ = transaction.rollback().await;
            for (event, _) in stale {
                batch.ctxs[event].note_done_before();
            }
            return Ok(None);
        };
        let ctx = batch.ctxs[first].clone();
        let tx = EffectTx::with_record_of(transaction, Arc::clone(inner), ctx, record.event);
        Ok(Some((tx, fresh)))
    }
}

impl<DB: InboxDatabase> Inner<DB> {
    /// Of which redriven events a record proves that no effect was committed.
    async fn were_undone<S>(
        &self,
        connection: &mut DB::Connection,
        batch: &Batch<S>,
        records: &[(usize, NewRecord)],
    ) -> Result<HashSet<Uuid>, Failure> {
        let redriven = |event: usize| batch.ctxs[event].redriven().is_some();
        let redriven = records.iter().filter(|(event, _)| redriven(*event));
        let ids: Vec<_> = redriven.map(|(_, record)| record.event).collect();
        let (Some((_, first)), false) = (records.first(), ids.is_empty()) else {
            return Ok(HashSet::new());
        };
        let found = DB::find(connection, &self.sql, &first.consumer, &ids).await;
        let found = found.map_err(outage)?.into_iter();
        Ok(found
            .filter(proves_undone)
            .map(|found| found.event)
            .collect())
    }

    /// The first of the events with a record that is dead.
    async fn first_dead<S>(
        &self,
        connection: &mut DB::Connection,
        batch: &Batch<S>,
        stale: &[(usize, Uuid)],
    ) -> Result<Option<(usize, Failure)>, Failure> {
        let Some((first, _)) = stale.first() else {
            return Ok(None);
        };
        let ids: Vec<_> = stale.iter().map(|(_, id)| *id).collect();
        let consumer = batch.ctxs[*first].consumer();
        let found = DB::find(connection, &self.sql, consumer, &ids).await;
        let found = found.map_err(outage)?;
        let dead: HashMap<Uuid, _> = found
            .iter()
            .filter(|found| found.is_dead)
            .map(|found| (found.event, found))
            .collect();
        let first = stale.iter().filter(|(_, id)| dead.contains_key(id)).min();
        Ok(first.and_then(|(event, id)| {
            let failure = known(dead.get(id)?).err()?;
            Some((*event, failure))
        }))
    }
}

/// Records, each with the index of its event.
type Records = Vec<(usize, NewRecord)>;

/// The records of a part, one for each id: of several events with one id, that of the latest redrive
/// has the effect. Returns the others, too.
fn without_twins<S>(batch: &Batch<S>, part: &[usize]) -> (Records, Vec<(usize, Uuid)>) {
    let mut records: Records = Vec::with_capacity(part.len());
    let mut places: HashMap<Uuid, usize> = HashMap::with_capacity(part.len());
    let mut twins = Vec::new();
    for &event in part {
        let record = record_of(&batch.ctxs[event]);
        let Some(&place) = places.get(&record.event) else {
            places.insert(record.event, records.len());
            records.push((event, record));
            continue;
        };
        let mut twin = (event, record);
        if records[place].1.redrive < twin.1.redrive {
            std::mem::swap(&mut records[place], &mut twin);
        }
        twins.push((twin.0, twin.1.event));
    }
    (records, twins)
}

/// The event was not handled.
#[derive(Debug)]
struct Waits;

impl fmt::Display for Waits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an earlier event of its key failed")
    }
}

impl std::error::Error for Waits {}

impl<H, DB: InboxDatabase> fmt::Debug for BatchEffects<H, DB> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BatchEffects")
            .field("inbox", &self.inbox)
            .finish_non_exhaustive()
    }
}
