//! `HandlerWithSteps` and `LettersWithSteps`: handlers, their inbox and their dead letters, which announce
//! when an effect is committed and when an event is given up.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use event_sdk::consumer::{
    BatchFailure, Ctx, EventBatch, Handle, HandleBatch, Inbox, Outcome, OwnerEpoch,
};
use event_sdk::dead_letters::{DeadLetter, DeadLetterStore, GivenUp};
use event_sdk::transport::{Completion, Error};
use uuid::Uuid;

use super::steps::{Step, Steps};

/// The steps of a consumer. Clones are the same.
#[derive(Debug, Clone)]
pub struct ConsumerSteps {
    steps: Steps,
    /// The sequences of the events that this process has given up.
    given_up: Arc<Mutex<BTreeSet<u64>>>,
}

impl ConsumerSteps {
    /// The steps of a consumer in a process with these.
    #[must_use]
    pub fn new(steps: &Steps) -> Self {
        Self {
            steps: steps.clone(),
            given_up: Arc::default(),
        }
    }

    /// The consumer is about to acknowledge the event with this sequence.
    pub(super) async fn before_ack(&self, sequence: u64) {
        if self.given_up().contains(&sequence) {
            self.steps.reached(Step::LetterStored, sequence).await;
        }
    }

    /// It has acknowledged the event.
    pub(super) async fn after_ack(&self, sequence: u64) {
        self.steps.reached(Step::Acknowledged, sequence).await;
    }

    async fn before_record(&self, letter: &DeadLetter) {
        let event = letter.event_id.unwrap_or_default();
        self.steps.reached(Step::BeforeRecord, event).await;
    }

    fn recorded(&self, letter: &DeadLetter, outcome: &GivenUp) {
        if *outcome != GivenUp::Done {
            self.given_up().insert(letter.origin.sequence);
        }
    }

    fn given_up(&self) -> MutexGuard<'_, BTreeSet<u64>> {
        self.given_up.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A handler with an inbox.
#[derive(Debug)]
pub struct HandlerWithSteps<H> {
    inner: H,
    inbox: Arc<dyn Inbox>,
    steps: Steps,
}

impl<H> HandlerWithSteps<H> {
    /// Around a handler and its inbox.
    pub fn new(inner: H, inbox: Arc<dyn Inbox>, steps: &ConsumerSteps) -> Self {
        let with_steps = InboxWithSteps {
            inner: inbox,
            steps: steps.clone(),
        };
        Self {
            inner,
            inbox: Arc::new(with_steps),
            steps: steps.steps.clone(),
        }
    }
}

#[deny(clippy::missing_trait_methods)]
impl<E: Send + 'static, H: Handle<E>> Handle<E> for HandlerWithSteps<H> {
    async fn handle(&self, event: E, ctx: &Ctx) -> Outcome {
        let outcome = self.inner.handle(event, ctx).await;
        if outcome.is_ok() {
            let event = ctx.envelope().event_id;
            self.steps.reached(Step::EffectCommitted, event).await;
        }
        outcome
    }

    fn inbox(&self) -> Option<Arc<dyn Inbox>> {
        Some(Arc::clone(&self.inbox))
    }
}

#[deny(clippy::missing_trait_methods)]
impl<S: Send + 'static, H: HandleBatch<S>> HandleBatch<S> for HandlerWithSteps<H> {
    async fn handle_batch(&self, batch: EventBatch<S>) -> Result<(), BatchFailure> {
        let first = batch.iter().next().map(|(_, ctx)| ctx.envelope().event_id);
        let outcome = self.inner.handle_batch(batch).await;
        if let (Some(first), true) = (first, outcome.is_ok()) {
            self.steps.reached(Step::EffectCommitted, first).await;
        }
        outcome
    }

    fn inbox(&self) -> Option<Arc<dyn Inbox>> {
        Some(Arc::clone(&self.inbox))
    }
}

/// An inbox that records dead events before their letters are stored.
#[derive(Debug)]
struct InboxWithSteps {
    inner: Arc<dyn Inbox>,
    steps: ConsumerSteps,
}

#[deny(clippy::missing_trait_methods)]
impl Inbox for InboxWithSteps {
    fn give_up(
        &self,
        letter: &DeadLetter,
        owner: Option<OwnerEpoch>,
    ) -> Completion<Result<GivenUp, Error>> {
        let (inner, steps) = (Arc::clone(&self.inner), self.steps.clone());
        let letter = letter.clone();
        Completion::later(async move {
            steps.before_record(&letter).await;
            let outcome = inner.give_up(&letter, owner).await?;
            steps.recorded(&letter, &outcome);
            if outcome != GivenUp::Done {
                let event = letter.event_id.unwrap_or_default();
                steps.steps.reached(Step::RecordedDead, event).await;
            }
            Ok(outcome)
        })
    }

    fn id(&self) -> Option<Uuid> {
        self.inner.id()
    }

    fn verify(&self, consumer: &str) -> Completion<Result<(), Error>> {
        self.inner.verify(consumer)
    }
}

/// Dead letters in a table, whose record and letter are one transaction.
#[derive(Debug)]
pub struct LettersWithSteps<L> {
    inner: Arc<L>,
    steps: ConsumerSteps,
}

impl<L> LettersWithSteps<L> {
    /// Around a store.
    pub fn new(inner: L, steps: &ConsumerSteps) -> Self {
        Self {
            inner: Arc::new(inner),
            steps: steps.clone(),
        }
    }
}

#[deny(clippy::missing_trait_methods)]
impl<L: DeadLetterStore> DeadLetterStore for LettersWithSteps<L> {
    fn put(&self, letter: &DeadLetter) -> Completion<Result<(), Error>> {
        self.inner.put(letter)
    }

    fn put_unless_done(
        &self,
        letter: &DeadLetter,
        owner: Option<OwnerEpoch>,
    ) -> Completion<Result<GivenUp, Error>> {
        let (inner, steps) = (Arc::clone(&self.inner), self.steps.clone());
        let letter = letter.clone();
        Completion::later(async move {
            steps.before_record(&letter).await;
            let outcome = inner.put_unless_done(&letter, owner).await?;
            steps.recorded(&letter, &outcome);
            Ok(outcome)
        })
    }

    fn inbox_id(&self) -> Option<Uuid> {
        self.inner.inbox_id()
    }

    fn verify(&self, consumer: &str) -> Completion<Result<(), Error>> {
        self.inner.verify(consumer)
    }
}
