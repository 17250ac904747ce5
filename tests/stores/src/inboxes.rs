//! `OnSqlite` and `OnPostgres` as harnesses of the inbox suite: a database for each case, with a table
//! into which effects write.

use std::sync::Arc;
use std::time::Duration;

use event_sdk::EventBus;
use event_sdk::consumer::{Consumer, Ctx, Failure, Inbox as ConsumerInbox};
use event_sdk::dead_letters::{DeadLetter, DeadLetterStore, LetterFilter, Page};
use event_sdk_sql::{
    EffectOf, EffectTx, Inbox, InboxDatabase, InboxStore, Postgres, Sqlite, StoreError,
    StoreErrorKind,
};
use event_sdk_store::outbox::StoreFuture;
use event_sdk_store_conformance::{
    EffectDue, EffectFuture, EffectTransaction, HarnessError, InboxHarness, Need, SuiteEffect,
    TestedInbox, Trouble,
};
use sqlx::{PgPool, Pool};
use tempfile::TempDir;

use crate::outboxes::{OnPostgres, OnSqlite, sqlite_pool};
use crate::troubles::Troubles;

/// The shortest one: events whose records may be gone are refused.
const RETENTION: Duration = Duration::from_millis(1);

impl InboxHarness for OnSqlite {
    async fn start(&self) -> Result<Box<dyn TestedInbox>, HarnessError> {
        let folder = tempfile::tempdir()?;
        let pool = sqlite_pool(&folder.path().join("inbox.sqlite")).await?;
        let inbox = SqlInbox::<Sqlite>::start(pool.clone(), pool, Some(folder)).await?;
        Ok(Box::new(inbox))
    }

    fn has(&self, need: Need) -> bool {
        // A statement that waits for a lock for too long is the same as a busy database.
        matches!(need, Need::Letters | Need::Busy)
    }
}

impl InboxHarness for OnPostgres {
    async fn start(&self) -> Result<Box<dyn TestedInbox>, HarnessError> {
        let (url, direct) = self.database().await?;
        let (pool, direct) = (
            PgPool::connect(&url).await?,
            PgPool::connect(&direct).await?,
        );
        let inbox = SqlInbox::<Postgres>::start(pool, direct, None).await?;
        Ok(Box::new(inbox))
    }

    fn has(&self, _need: Need) -> bool {
        true
    }
}

/// An inbox of a database, with the effects of the suite.
struct SqlInbox<DB: Troubles> {
    inbox: Inbox<DB>,
    /// Without a proxy.
    direct: Pool<DB>,
    /// Removed after the pool is closed.
    _folder: Option<TempDir>,
}

impl<DB: Troubles> SqlInbox<DB> {
    async fn start(
        pool: Pool<DB>,
        direct: Pool<DB>,
        folder: Option<TempDir>,
    ) -> Result<Self, HarnessError> {
        let inbox = Inbox::builder(pool).retention(RETENTION).build();
        inbox.migrate().await?;
        DB::create_tables(&direct).await?;
        Ok(Self {
            inbox,
            direct,
            _folder: folder,
        })
    }

    fn effects_of(&self, effect: SuiteEffect) -> Effects<DB> {
        Effects {
            effect,
            direct: self.direct.clone(),
        }
    }
}

impl<DB: Troubles> TestedInbox for SqlInbox<DB> {
    fn inbox(&self) -> Arc<dyn ConsumerInbox> {
        self.inbox.as_consumer_inbox()
    }

    fn store(&self) -> Arc<dyn InboxStore> {
        self.inbox.store()
    }

    fn dead_letters(&self) -> Option<Arc<dyn DeadLetterStore>> {
        Some(Arc::new(self.inbox.dead_letters()))
    }

    fn letters(&self) -> StoreFuture<'_, Vec<DeadLetter>> {
        Box::pin(async move {
            let queue = self.inbox.dead_letters().queue(&EventBus::memory(), "DLQ");
            let mut letters = Vec::new();
            let listed = queue.list(&LetterFilter::all(), Page::ALL).await;
            for summary in listed.map_err(unread)? {
                let shown = queue.show(summary.id).await.map_err(unread)?;
                letters.extend(shown.map(|queued| queued.letter));
            }
            Ok(letters)
        })
    }

    fn handle(&self, consumer: Consumer<EffectDue>, effect: SuiteEffect) -> Consumer<EffectDue> {
        consumer.handled_by(self.inbox.effects(self.effects_of(effect)))
    }

    fn handle_batches(
        &self,
        consumer: Consumer<EffectDue>,
        max: usize,
        within: Duration,
        effect: SuiteEffect,
    ) -> Consumer<EffectDue> {
        let effects = self.inbox.batches(self.effects_of(effect));
        consumer.batches_handled_by(max, within, effects)
    }

    fn effects(&self) -> StoreFuture<'_, Vec<String>> {
        Box::pin(async move {
            let effects = DB::effects(&self.direct).await;
            effects.map_err(event_sdk_sql::store_error)
        })
    }
}

fn unread(error: event_sdk::transport::Error) -> StoreError {
    StoreError::new(StoreErrorKind::Other, error.to_string()).with_source(error)
}

struct Effects<DB: Troubles> {
    effect: SuiteEffect,
    direct: Pool<DB>,
}

impl<DB: Troubles> EffectOf<EffectDue, DB> for Effects<DB> {
    async fn apply(&self, due: EffectDue, tx: &mut EffectTx<DB>) -> Result<(), Failure> {
        let direct = &self.direct;
        self.effect.run(due, &mut Writing { tx, direct }).await
    }
}

struct Writing<'t, DB: InboxDatabase> {
    tx: &'t mut EffectTx<DB>,
    direct: &'t Pool<DB>,
}

impl<DB: Troubles> EffectTransaction for Writing<'_, DB> {
    fn ctx(&self) -> &Ctx {
        self.tx.ctx()
    }

    fn write(&mut self, name: String) -> EffectFuture<'_> {
        Box::pin(async move { Ok(DB::write(self.tx, name).await?) })
    }

    fn fail_by(&mut self, trouble: Trouble) -> EffectFuture<'_> {
        Box::pin(async move { Ok(DB::fail_by(self.tx, self.direct, trouble).await?) })
    }
}
