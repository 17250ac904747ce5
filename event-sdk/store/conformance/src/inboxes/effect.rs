//! `EffectDue`: the event of the suite; `EffectTransaction`: implemented by an author of an inbox to run the
//! effects of the cases; `SuiteEffect`: what an effect does; `Trouble`: what a database does to it.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use event_sdk::Event;
use event_sdk::consumer::{Ctx, Failure};
use serde::{Deserialize, Serialize};

/// The event of the suite: an effect with this name is due.
#[derive(Debug, Clone, PartialEq, Eq, Event, Serialize, Deserialize)]
#[event(domain = "suite")]
pub struct EffectDue {
    /// The key of the order.
    #[event(key)]
    pub key: String,
    /// What the effect writes.
    pub name: String,
}

/// An error of a database in a statement of an effect, which has to count as an outage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Trouble {
    /// Another transaction has locked the database.
    Busy,
    /// Another transaction holds a lock for too long.
    LockTimeout,
    /// The transaction was ended because of a deadlock.
    Deadlock,
    /// The transaction was ended because it could not be serialized with others.
    SerializationFailure,
    /// The connection is lost.
    LostConnection,
}

/// The future of an operation in the transaction of an effect.
pub type EffectFuture<'t> = Pin<Box<dyn Future<Output = Result<(), Failure>> + Send + 't>>;

/// The transaction of an effect, as the suite uses it.
pub trait EffectTransaction: Send {
    /// The context of the event.
    fn ctx(&self) -> &Ctx;

    /// Writes a name into the table of the effects, in this transaction. The table may have the
    /// name already.
    fn write(&mut self, name: String) -> EffectFuture<'_>;

    /// Makes a statement of this transaction fail with this trouble, and returns the error of the
    /// statement. If the harness says by [`has`](crate::InboxHarness::has) that the trouble cannot
    /// happen, this does nothing and returns `Ok`.
    fn fail_by(&mut self, trouble: Trouble) -> EffectFuture<'_>;
}

/// What an effect does after it has written its name.
#[derive(Debug)]
pub(crate) enum Then {
    Succeed,
    Fail(Failure),
    FailBy(Trouble),
}

type Decide = dyn Fn(&EffectDue, &Ctx) -> Then + Send + Sync;

/// The effect of a case. A clone is the same effect.
#[derive(Clone)]
pub struct SuiteEffect {
    begun: Arc<AtomicU32>,
    decide: Arc<Decide>,
}

impl SuiteEffect {
    pub(crate) fn new(decide: impl Fn(&EffectDue, &Ctx) -> Then + Send + Sync + 'static) -> Self {
        Self {
            begun: Arc::default(),
            decide: Arc::new(decide),
        }
    }

    /// One that succeeds.
    pub(crate) fn succeeding() -> Self {
        Self::new(|_, _| Then::Succeed)
    }

    /// One that rejects the events of these names.
    pub(crate) fn rejecting(names: &'static [&'static str]) -> Self {
        Self::new(|due, _| {
            if names.contains(&due.name.as_str()) {
                Then::Fail(Failure::reject("refused").because("the suite rejects it"))
            } else {
                Then::Succeed
            }
        })
    }

    /// How often an effect was begun.
    pub(crate) fn begun(&self) -> u32 {
        self.begun.load(Ordering::SeqCst)
    }

    /// Runs the effect of one event.
    ///
    /// Cancel-safe: if the future is dropped, the transaction is rolled back.
    ///
    /// # Errors
    ///
    /// The failure that the case wants, with its class, or an error of the transaction as the
    /// harness returned it.
    pub async fn run(
        &self,
        due: EffectDue,
        transaction: &mut dyn EffectTransaction,
    ) -> Result<(), Failure> {
        self.begun.fetch_add(1, Ordering::SeqCst);
        transaction.write(due.name.clone()).await?;
        match (self.decide)(&due, transaction.ctx()) {
            Then::Succeed => Ok(()),
            Then::Fail(failure) => Err(failure),
            Then::FailBy(trouble) => transaction.fail_by(trouble).await,
        }
    }
}

impl fmt::Debug for SuiteEffect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SuiteEffect")
            .field("begun", &self.begun())
            .finish_non_exhaustive()
    }
}
