//! `EffectOf`: an effect in a transaction of the SDK; `Effects` and `Effect`: handlers that run effects.

use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::sync::Arc;

use event_sdk::consumer::{self, Ctx, Failure, Handle, Outcome};

use super::begin::Begun;
use super::database::InboxDatabase;
use super::tx::{Committed, EffectTx};
use super::{Inbox, Misplaced};
use crate::classify::class_of;

/// An effect of the event `E` in the database `DB`, which happens exactly once.
///
/// The consumer begins the transaction, records that the event is done, calls
/// [`apply`](Self::apply), commits both, and acknowledges the event. If the event is delivered
/// again, the record shows that it is done, and it is acknowledged without an effect.
///
/// Write the method as `async fn`:
///
/// ```
/// use event_sdk::consumer::Failure;
/// use event_sdk_sql::{EffectOf, EffectTx};
/// use sqlx::Sqlite;
/// # use event_sdk::Event;
/// # use serde::{Deserialize, Serialize};
/// # #[derive(Event, Serialize, Deserialize)]
/// # #[event(domain = "orders")]
/// # struct OrderPlaced { order: i64, cents: i64 }
///
/// struct Billing;
///
/// impl EffectOf<OrderPlaced, Sqlite> for Billing {
///     async fn apply(&self, placed: OrderPlaced, tx: &mut EffectTx<Sqlite>) -> Result<(), Failure> {
///         sqlx::query("insert into invoices (order_id, cents) values ($1, $2)")
///             .bind(placed.order)
///             .bind(placed.cents)
///             .execute(&mut **tx)
///             .await?;
///         Ok(()) // the consumer commits, then acknowledges
///     }
/// }
/// ```
///
/// **Errors.** Everything is rolled back, including the record. An error that says that the
/// database is busy or unavailable is an outage ([`class_of`]). Any other error is a retry, unless
/// the effect says otherwise.
///
/// **Actions outside of the database**, such as sending mail or calling another service, happen
/// once for each attempt. To avoid this, publish an event through the outbox, and send the mail or
/// make the call in the handler of that event.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no effect of `{E}` in `{DB}`",
    label = "no effect of `{E}`",
    note = "write `impl EffectOf<{E}, {DB}> for {Self}`, or consume a set without it"
)]
pub trait EffectOf<E, DB: InboxDatabase>: Send + Sync + 'static {
    /// Writes the effect of one event.
    ///
    /// # Errors
    ///
    /// [`Failure`], whose [class](event_sdk::consumer::FailureClass) decides what the consumer does
    /// next.
    fn apply(
        &self,
        event: E,
        tx: &mut EffectTx<DB>,
    ) -> impl Future<Output = Result<(), Failure>> + Send;
}

/// A handler that runs the effects of `H`. [`Inbox::effects`] returns it.
pub struct Effects<H, DB: InboxDatabase> {
    pub(super) inbox: Inbox<DB>,
    pub(super) effects: H,
}

impl<H, DB: InboxDatabase> Effects<H, DB> {
    pub(super) const fn new(inbox: Inbox<DB>, effects: H) -> Self {
        Self { inbox, effects }
    }
}

impl<E, H, DB> Handle<E> for Effects<H, DB>
where
    E: Send + 'static,
    H: EffectOf<E, DB>,
    DB: InboxDatabase,
{
    async fn handle(&self, event: E, ctx: &Ctx) -> Outcome {
        let mut tx = match self.inbox.begin(ctx).await? {
            Begun::New(tx) => tx,
            Begun::Repeat => return Ok(()),
        };
        match self.effects.apply(event, &mut tx).await {
            Ok(()) => tx.commit().await.map(drop),
            Err(failure) => {
                tx.roll_back().await;
                Err(failure.classified_by(class_of))
            }
        }
    }

    fn inbox(&self) -> Option<Arc<dyn consumer::Inbox>> {
        Some(self.inbox.as_consumer_inbox())
    }
}

/// A handler that passes the transaction to a closure. [`Inbox::effect`] returns it.
pub struct Effect<E, F, DB: InboxDatabase> {
    inbox: Inbox<DB>,
    apply: F,
    event: PhantomData<fn(E)>,
}

impl<E, F, DB: InboxDatabase> Effect<E, F, DB> {
    pub(super) const fn new(inbox: Inbox<DB>, apply: F) -> Self {
        Self {
            inbox,
            apply,
            event: PhantomData,
        }
    }
}

impl<E, F, Fut, DB> Handle<E> for Effect<E, F, DB>
where
    E: Send + 'static,
    F: Fn(E, EffectTx<DB>) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<Committed, Failure>> + Send,
    DB: InboxDatabase,
{
    async fn handle(&self, event: E, ctx: &Ctx) -> Outcome {
        let tx = match self.inbox.begin(ctx).await? {
            Begun::New(tx) => tx,
            Begun::Repeat => return Ok(()),
        };
        let token = tx.token();
        let committed = (self.apply)(event, tx).await;
        let committed = committed.map_err(|failure| failure.classified_by(class_of))?;
        if committed.token() == token {
            return Ok(());
        }
        Err(Failure::retry(Misplaced)
            .because("the effect returned the `Committed` of another delivery"))
    }

    fn inbox(&self) -> Option<Arc<dyn consumer::Inbox>> {
        Some(self.inbox.as_consumer_inbox())
    }
}

impl<H, DB: InboxDatabase> fmt::Debug for Effects<H, DB> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Effects")
            .field("inbox", &self.inbox)
            .finish_non_exhaustive()
    }
}

impl<E, F, DB: InboxDatabase> fmt::Debug for Effect<E, F, DB> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Effect")
            .field("inbox", &self.inbox)
            .finish_non_exhaustive()
    }
}
