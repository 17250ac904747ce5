//! The retention of the inbox: what its cleaner needs of the tables.

use std::time::Duration;

use event_sdk::text::Text;
use event_sdk_store::StoreError;
use event_sdk_store::inbox::{InboxSource, InboxStatus, InboxStore};
use event_sdk_store::outbox::StoreFuture;
use jiff::Timestamp;
use sqlx::Transaction;
use uuid::Uuid;

use super::Inner;
use super::database::InboxDatabase;
pub(super) use crate::error::store_error;

impl<DB: InboxDatabase> InboxStore for Inner<DB> {
    fn name(&self) -> &str {
        &self.name
    }

    fn sources(&self) -> StoreFuture<'_, Vec<InboxSource>> {
        Box::pin(async move {
            let mut transaction = self.begin_reading().await?;
            let sources = DB::sources(&mut transaction, &self.sql).await;
            let sources = sources.map_err(store_error)?.into_iter();
            let _ = transaction.rollback().await;
            let source = |(consumer, stream, floor): (String, String, i64)| {
                let stream = Some(stream).filter(|stream| !stream.is_empty());
                let floor = u64::try_from(floor).unwrap_or(0);
                InboxSource::new(consumer.into(), stream.map(Text::from), floor)
            };
            Ok(sources.map(source).collect())
        })
    }

    fn claim_cleaning(
        &self,
        source: InboxSource,
        cleaner: Uuid,
        now: Timestamp,
        ttl: Duration,
    ) -> StoreFuture<'_, bool> {
        let until = now.checked_add(ttl).unwrap_or(Timestamp::MAX);
        let (now, until) = (now.as_microsecond(), until.as_microsecond());
        Box::pin(async move {
            let mut transaction = self.begin_writing().await?;
            let place = place(&source);
            let claim = DB::claim_cleaning(&mut transaction, &self.sql, place, cleaner, now, until);
            let claimed = claim.await.map_err(store_error)?;
            transaction.commit().await.map_err(store_error)?;
            Ok(claimed)
        })
    }

    fn raise_floor(
        &self,
        source: InboxSource,
        acknowledged: u64,
        before: Timestamp,
    ) -> StoreFuture<'_, u64> {
        let acknowledged = i64::try_from(acknowledged).unwrap_or(i64::MAX);
        Box::pin(async move {
            let mut transaction = self.begin_writing().await?;
            let (place, before) = (place(&source), before.as_microsecond());
            let raise = DB::raise_floor(&mut transaction, &self.sql, place, acknowledged, before);
            let floor = raise.await.map_err(store_error)?;
            transaction.commit().await.map_err(store_error)?;
            Ok(u64::try_from(floor).unwrap_or(0))
        })
    }

    fn clean(&self, source: InboxSource, before: Timestamp, limit: u32) -> StoreFuture<'_, u64> {
        Box::pin(async move {
            let mut transaction = self.begin_writing().await?;
            let floor = i64::try_from(source.floor).unwrap_or(i64::MAX);
            let until = (before.as_microsecond(), floor);
            let (sql, place) = (&self.sql, place(&source));
            let clean = DB::clean(&mut transaction, sql, place, until, i64::from(limit));
            let deleted = clean.await.map_err(store_error)?;
            transaction.commit().await.map_err(store_error)?;
            Ok(deleted)
        })
    }

    fn inbox_status(&self, consumer: Text) -> StoreFuture<'_, InboxStatus> {
        Box::pin(async move {
            let mut transaction = self.begin_reading().await?;
            let status = DB::status(&mut transaction, &self.sql, &consumer).await;
            let (done, dead, oldest) = status.map_err(store_error)?;
            let _ = transaction.rollback().await;
            let oldest = oldest.and_then(|at| Timestamp::from_microsecond(at).ok());
            let count = |number: i64| u64::try_from(number).unwrap_or(0);
            Ok(InboxStatus::new(count(done), count(dead), oldest))
        })
    }
}

impl<DB: InboxDatabase> Inner<DB> {
    pub(super) async fn begin_reading(&self) -> Result<Transaction<'static, DB>, StoreError> {
        self.check_version().await?;
        DB::begin_read(&self.pool).await.map_err(store_error)
    }

    pub(super) async fn begin_writing(&self) -> Result<Transaction<'static, DB>, StoreError> {
        self.check_version().await?;
        DB::begin_write(&self.pool).await.map_err(store_error)
    }
}

pub(super) fn place(source: &InboxSource) -> (&str, &str) {
    (
        &source.consumer,
        source.stream.as_deref().unwrap_or_default(),
    )
}
