//! `InMemory` and `MemoryInbox`: an inbox as another team would write it, whose transactions are copies of
//! its state, and which can break one promise.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use event_sdk::consumer::{Consumer, Ctx, Failure, Inbox, OwnerEpoch};
use event_sdk::dead_letters::{DeadLetter, DeadLetterStore, GivenUp};
use event_sdk::transport::{Completion, Error, ErrorKind, Operation};
use event_sdk_store::inbox::InboxStore;
use event_sdk_store::outbox::StoreFuture;
use event_sdk_store_conformance::{
    EffectDue, HarnessError, InboxHarness, Need, SuiteEffect, TestedInbox,
};
use jiff::Timestamp;
use tokio::sync::{Mutex, OwnedMutexGuard};
use uuid::Uuid;

use super::handlers::Effects;
use super::sabotage::Sabotage;

/// Inboxes in memory, broken so.
pub(crate) struct InMemory(pub(crate) Sabotage);

impl InboxHarness for InMemory {
    async fn start(&self) -> Result<Box<dyn TestedInbox>, HarnessError> {
        Ok(Box::new(Tested(Arc::new(MemoryInbox {
            how: self.0,
            id: Uuid::new_v4(),
            state: Arc::default(),
        }))))
    }

    fn has(&self, need: Need) -> bool {
        need == Need::Letters || self.0 != Sabotage::DeniesTroubles
    }
}

struct Tested(Arc<MemoryInbox>);

impl TestedInbox for Tested {
    fn inbox(&self) -> Arc<dyn Inbox> {
        Arc::clone(&self.0) as Arc<dyn Inbox>
    }

    fn store(&self) -> Arc<dyn InboxStore> {
        Arc::clone(&self.0) as Arc<dyn InboxStore>
    }

    fn dead_letters(&self) -> Option<Arc<dyn DeadLetterStore>> {
        Some(Arc::clone(&self.0) as Arc<dyn DeadLetterStore>)
    }

    fn letters(&self) -> StoreFuture<'_, Vec<DeadLetter>> {
        Box::pin(async move { Ok(self.0.state.lock().await.letters.clone()) })
    }

    fn handle(&self, consumer: Consumer<EffectDue>, effect: SuiteEffect) -> Consumer<EffectDue> {
        let inbox = Arc::clone(&self.0);
        consumer.handled_by(Effects { inbox, effect })
    }

    fn handle_batches(
        &self,
        consumer: Consumer<EffectDue>,
        max: usize,
        within: Duration,
        effect: SuiteEffect,
    ) -> Consumer<EffectDue> {
        let inbox = Arc::clone(&self.0);
        consumer.batches_handled_by(max, within, Effects { inbox, effect })
    }

    fn effects(&self) -> StoreFuture<'_, Vec<String>> {
        Box::pin(async move { Ok(self.0.state.lock().await.effects.clone()) })
    }
}

pub(super) struct MemoryInbox {
    pub(super) how: Sabotage,
    id: Uuid,
    pub(super) state: Arc<Mutex<State>>,
}

impl fmt::Debug for MemoryInbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryInbox")
            .field("how", &self.how)
            .finish_non_exhaustive()
    }
}

#[derive(Clone, Debug, Default)]
pub(super) struct State {
    pub(super) records: BTreeMap<(String, Uuid), Record>,
    pub(super) sources: BTreeMap<(String, String), Source>,
    epochs: HashMap<(String, u32), u64>,
    pub(super) letters: Vec<DeadLetter>,
    pub(super) effects: Vec<String>,
}

#[derive(Clone, Debug)]
pub(super) struct Record {
    /// The letter of a dead event; `None` if the event is done.
    pub(super) dead: Option<DeadLetter>,
    pub(super) redrive: u32,
    pub(super) stream: String,
    pub(super) sequence: u64,
    pub(super) at: Timestamp,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Source {
    pub(super) floor: u64,
    pub(super) cleaner: Option<(Uuid, Timestamp)>,
}

/// A transaction: a copy of the state, which a commit puts in place of it. It excludes all others.
pub(super) struct Transaction {
    state: OwnedMutexGuard<State>,
    pub(super) copy: State,
}

impl Transaction {
    pub(super) fn commit(mut self) {
        *self.state = self.copy;
    }

    /// Commits the effects, and nothing else.
    pub(super) fn commit_effects(mut self) {
        self.state.effects = self.copy.effects;
    }

    /// Commits everything else.
    pub(super) fn commit_records(mut self) {
        self.copy.effects = std::mem::take(&mut self.state.effects);
        *self.state = self.copy;
    }
}

/// What a record says before an effect.
pub(super) enum Found {
    New,
    Done,
}

impl MemoryInbox {
    pub(super) async fn begin(&self) -> Transaction {
        let state = if self.how == Sabotage::LocksNothing {
            // Each transaction sees what was there when it began, and replaces everything.
            let copy = self.state.lock().await.clone();
            tokio::time::sleep(Duration::from_millis(20)).await;
            return Transaction {
                copy,
                state: Arc::clone(&self.state).lock_owned().await,
            };
        } else {
            Arc::clone(&self.state).lock_owned().await
        };
        let copy = state.clone();
        Transaction { state, copy }
    }

    fn place(&self, consumer: &str, event: Uuid) -> (String, Uuid) {
        let consumer = if self.how == Sabotage::SharesRecords {
            ""
        } else {
            consumer
        };
        (consumer.to_owned(), event)
    }

    /// Records that the event is done, unless its record says otherwise.
    pub(super) fn record(&self, state: &mut State, ctx: &Ctx) -> Result<Found, Failure> {
        if let Some(owner) = ctx.epoch() {
            self.lock_owner(state, ctx.consumer(), owner)
                .map_err(Failure::outage)?;
        }
        let redriven = ctx.redriven();
        let (stream, sequence) = match redriven {
            Some(redriven) => (&*redriven.origin.stream, redriven.origin.sequence),
            None => (
                ctx.stream().unwrap_or_default(),
                ctx.sequence().unwrap_or_default(),
            ),
        };
        let redrive = redriven.map_or(0, |redriven| redriven.redrive);
        self.register(state, ctx.consumer(), stream);
        let place = self.place(ctx.consumer(), ctx.envelope().event_id);
        if let Some(record) = state.records.get(&place) {
            match &record.dead {
                Some(_) if self.how == Sabotage::HandlesTheDead => {}
                Some(_) if record.redrive < redrive && self.how != Sabotage::RedrivesNothing => {}
                Some(_) => return Err(Failure::reject("it is dead")),
                None if redrive > 0 && self.how == Sabotage::RedrivesWhatIsDone => {}
                None => return Ok(Found::Done),
            }
        } else {
            let source = (ctx.consumer().to_owned(), stream.to_owned());
            let floor = state.sources.get(&source).map_or(0, |source| source.floor);
            let is_old = sequence <= floor && self.how != Sabotage::AcceptsOlder;
            if is_old || (floor > 0 && self.how == Sabotage::RefusesWhateverIsNew) {
                return Err(Failure::reject("its record may be gone"));
            }
        }
        if self.how != Sabotage::ForgetsRecords {
            let record = Record {
                dead: None,
                redrive,
                stream: stream.to_owned(),
                sequence,
                at: Timestamp::now(),
            };
            state.records.insert(place, record);
        }
        Ok(Found::New)
    }

    fn register(&self, state: &mut State, consumer: &str, stream: &str) {
        if self.how != Sabotage::RegistersNothing {
            let source = (consumer.to_owned(), stream.to_owned());
            state.sources.entry(source).or_default();
        }
    }

    /// Refuses an owner that was replaced, and remembers a new one.
    fn lock_owner(
        &self,
        state: &mut State,
        consumer: &str,
        owner: OwnerEpoch,
    ) -> Result<(), &'static str> {
        let (consumer, partition) = match self.how {
            Sabotage::SharesEpochsOfPartitions => (consumer, 0),
            Sabotage::SharesEpochsOfConsumers => ("", owner.partition),
            _ => (consumer, owner.partition),
        };
        let place = (consumer.to_owned(), partition);
        let highest = state.epochs.entry(place).or_default();
        let is_refused = *highest > owner.number && self.how != Sabotage::IgnoresEpochs;
        if is_refused || self.how == Sabotage::RefusesOwners {
            return Err("another instance owns the consumer");
        }
        *highest = owner.number.max(*highest);
        Ok(())
    }

    fn write_dead(&self, state: &mut State, letter: &DeadLetter) -> GivenUp {
        let Some(event) = letter.event_id.or_else(|| {
            let recorded = self.how == Sabotage::RecordsWithoutAnId;
            recorded.then(|| Uuid::from_u128(u128::from(letter.origin.sequence)))
        }) else {
            return GivenUp::Dead;
        };
        let place = self.place(&letter.consumer, event);
        if let Some(record) = state.records.get(&place) {
            match &record.dead {
                None if self.how == Sabotage::GivesUpWhatIsDone => {}
                None => return GivenUp::Done,
                Some(_) if self.how == Sabotage::ForgetsReasons => return GivenUp::Dead,
                Some(earlier)
                    if record.redrive == letter.redrive
                        || self.how == Sabotage::IgnoresRedriveNumbers =>
                {
                    return GivenUp::DeadBefore(Box::new(earlier.clone()));
                }
                // A later redrive is dead, too.
                Some(_) if record.redrive > letter.redrive => return GivenUp::Dead,
                Some(_) => {}
            }
        }
        self.register(state, &letter.consumer, &letter.origin.stream);
        if self.how != Sabotage::ForgetsTheDead {
            let record = Record {
                dead: Some(letter.clone()),
                redrive: letter.redrive,
                stream: letter.origin.stream.to_string(),
                sequence: letter.origin.sequence,
                at: Timestamp::now(),
            };
            state.records.insert(place, record);
        }
        GivenUp::Dead
    }

    fn put_letter(&self, state: &mut State, letter: &DeadLetter) {
        let is_same = |stored: &DeadLetter| {
            let of = |it: &DeadLetter| (it.consumer.clone(), it.origin.clone());
            let same_redrive = stored.redrive == letter.redrive;
            of(stored) == of(letter) && (same_redrive || self.how == Sabotage::ReplacesLetters)
        };
        let stored = state.letters.iter().any(is_same) && self.how != Sabotage::RepeatsLetters;
        if !stored && self.how != Sabotage::LosesLetters {
            let mut letter = letter.clone();
            if self.how == Sabotage::LosesKeysOfLetters {
                letter.key = None;
            }
            state.letters.push(letter);
        }
    }

    /// Gives an event up, and stores its letter if it is to.
    async fn bury(
        self: Arc<Self>,
        letter: DeadLetter,
        owner: Option<OwnerEpoch>,
        with_letter: bool,
    ) -> Result<GivenUp, Error> {
        let mut transaction = self.begin().await;
        let state = &mut transaction.copy;
        if let Some(owner) = owner {
            self.lock_owner(state, &letter.consumer, owner)
                .map_err(|why| Error::new(ErrorKind::Other, Operation::Publish, why))?;
        }
        let given_up = self.write_dead(state, &letter);
        if with_letter {
            match &given_up {
                GivenUp::Dead => self.put_letter(state, &letter),
                GivenUp::DeadBefore(earlier) => self.put_letter(state, earlier),
                GivenUp::Done => {}
            }
        }
        transaction.commit();
        Ok(given_up)
    }
}

/// The inbox of the state, as a shared value: futures outlive the call.
fn shared(inbox: &MemoryInbox) -> Arc<MemoryInbox> {
    Arc::new(MemoryInbox {
        how: inbox.how,
        id: inbox.id,
        state: Arc::clone(&inbox.state),
    })
}

impl Inbox for MemoryInbox {
    fn give_up(
        &self,
        letter: &DeadLetter,
        owner: Option<OwnerEpoch>,
    ) -> Completion<Result<GivenUp, Error>> {
        Completion::later(shared(self).bury(letter.clone(), owner, false))
    }

    fn id(&self) -> Option<Uuid> {
        Some(self.id)
    }
}

impl DeadLetterStore for MemoryInbox {
    fn put(&self, letter: &DeadLetter) -> Completion<Result<(), Error>> {
        let (inbox, letter) = (shared(self), letter.clone());
        Completion::later(async move {
            let mut transaction = inbox.begin().await;
            inbox.put_letter(&mut transaction.copy, &letter);
            transaction.commit();
            Ok(())
        })
    }

    fn put_unless_done(
        &self,
        letter: &DeadLetter,
        owner: Option<OwnerEpoch>,
    ) -> Completion<Result<GivenUp, Error>> {
        Completion::later(shared(self).bury(letter.clone(), owner, true))
    }

    fn inbox_id(&self) -> Option<Uuid> {
        (self.how != Sabotage::HidesItsInbox).then_some(self.id)
    }
}
