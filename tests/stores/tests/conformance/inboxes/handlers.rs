//! `Effects`: the handlers of the inbox in memory, one event or a batch at a time.

use std::fmt;
use std::sync::Arc;

use event_sdk::consumer::{
    BatchFailure, Ctx, EventBatch, Failure, Handle, HandleBatch, Inbox, Outcome,
};
use event_sdk_store::inbox::{PartFailure, PartOutcome, in_parts};
use event_sdk_store_conformance::{
    EffectDue, EffectFuture, EffectTransaction, SuiteEffect, Trouble,
};

use super::memory::{Found, MemoryInbox, State, Transaction};
use super::sabotage::Sabotage;

/// Runs the effects of the suite.
pub(super) struct Effects {
    pub(super) inbox: Arc<MemoryInbox>,
    pub(super) effect: SuiteEffect,
}

impl Effects {
    async fn run(&self, due: EffectDue, ctx: &Ctx, state: &mut State) -> Result<(), Failure> {
        let mut writing = Writing {
            state,
            ctx,
            how: self.inbox.how,
        };
        self.effect.run(due, &mut writing).await
    }

    /// The end of a transaction.
    fn end<T>(&self, transaction: Transaction, ended: &Result<(), T>) {
        match (self.inbox.how, ended) {
            (Sabotage::ForgetsEffects, Ok(())) | (Sabotage::KeepsFailedRecords, Err(_)) => {
                transaction.commit_records();
            }
            (_, Ok(())) => transaction.commit(),
            (Sabotage::KeepsFailedEffects, Err(_)) => transaction.commit_effects(),
            (_, Err(_)) => {}
        }
    }

    async fn handle_part(
        &self,
        events: &[(EffectDue, Ctx)],
        part: &[usize],
    ) -> Result<(), PartFailure> {
        let mut transaction = self.inbox.begin().await;
        let mut repeats = Vec::new();
        let mut ended = Ok(());
        let mut late = None;
        for (at, &event) in part.iter().enumerate() {
            let (due, ctx) = &events[event];
            let handled = match self.inbox.record(&mut transaction.copy, ctx) {
                Ok(Found::New) => self.run(due.clone(), ctx, &mut transaction.copy).await,
                Ok(Found::Done) => {
                    repeats.push(ctx);
                    Ok(())
                }
                Err(failure) => {
                    if self.inbox.how == Sabotage::ReportsTheDeadLate {
                        late = Some(PartFailure { failure, at: None });
                        continue;
                    }
                    Err(failure)
                }
            };
            if let Err(failure) = handled {
                let at = Some(at);
                ended = Err(PartFailure { failure, at });
                break;
            }
        }
        self.end(transaction, &ended);
        ended?;
        for ctx in repeats {
            ctx.note_done_before();
        }
        match late {
            Some(late) => Err(late),
            None => Ok(()),
        }
    }
}

impl Handle<EffectDue> for Effects {
    async fn handle(&self, due: EffectDue, ctx: &Ctx) -> Outcome {
        let mut transaction = self.inbox.begin().await;
        if let Found::Done = self.inbox.record(&mut transaction.copy, ctx)? {
            ctx.note_done_before();
            return Ok(());
        }
        let ended = self.run(due, ctx, &mut transaction.copy).await;
        self.end(transaction, &ended);
        ended
    }

    fn inbox(&self) -> Option<Arc<dyn Inbox>> {
        Some(Arc::clone(&self.inbox) as Arc<dyn Inbox>)
    }
}

impl HandleBatch<EffectDue> for Effects {
    async fn handle_batch(&self, batch: EventBatch<EffectDue>) -> Result<(), BatchFailure> {
        let events: Vec<_> = batch.into_iter().collect();
        let follows = |later: usize, earlier: usize| {
            let held = events[later].1.is_in_order_with(&events[earlier].1);
            held && self.inbox.how != Sabotage::IgnoresKeysInBatches
        };
        let attempt = |part: Vec<usize>| {
            let events = &events;
            async move { self.handle_part(events, &part).await }
        };
        let outcomes = in_parts(events.len(), follows, attempt).await?;
        let failed = outcomes
            .into_iter()
            .enumerate()
            .filter_map(|(at, outcome)| {
                let failure = match outcome {
                    PartOutcome::Done => return None,
                    PartOutcome::Failed(failure) => failure,
                    PartOutcome::Waits => Failure::retry("an earlier event of its key failed"),
                };
                Some((at, failure))
            });
        let failed: Vec<_> = failed.collect();
        if failed.is_empty() {
            return Ok(());
        }
        if self.inbox.how == Sabotage::FailsWholeBatches {
            let all = (0..events.len()).map(|at| (at, Failure::reject("one of them failed")));
            return Err(BatchFailure::of(all));
        }
        Err(BatchFailure::of(failed))
    }

    fn inbox(&self) -> Option<Arc<dyn Inbox>> {
        Some(Arc::clone(&self.inbox) as Arc<dyn Inbox>)
    }
}

struct Writing<'t> {
    state: &'t mut State,
    ctx: &'t Ctx,
    how: Sabotage,
}

impl EffectTransaction for Writing<'_> {
    fn ctx(&self) -> &Ctx {
        self.ctx
    }

    fn write(&mut self, name: String) -> EffectFuture<'_> {
        self.state.effects.push(name);
        Box::pin(async { Ok(()) })
    }

    fn fail_by(&mut self, trouble: Trouble) -> EffectFuture<'_> {
        let trouble = InTrouble(trouble);
        let failure = match self.how {
            Sabotage::CountsTroubles => Failure::retry(trouble),
            _ => Failure::outage(trouble),
        };
        Box::pin(async { Err(failure) })
    }
}

#[derive(Debug)]
struct InTrouble(Trouble);

impl fmt::Display for InTrouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.0)
    }
}

impl std::error::Error for InTrouble {}
