//! The records of an inbox for a recovery.

use event_sdk::text::Text;
use event_sdk_store::inbox::InboxSource;
use event_sdk_store::outbox::StoreFuture;
use event_sdk_store::recover::{InboxEntry, RecordPlace, RecoverableInbox};
use jiff::Timestamp;
use uuid::Uuid;

use super::Inner;
use super::database::{InboxDatabase, PlacedRecord};
use super::retention::{place, store_error};

impl<DB: InboxDatabase> RecoverableInbox for Inner<DB> {
    fn records(&self, consumer: Text, after: Uuid, limit: u32) -> StoreFuture<'_, Vec<InboxEntry>> {
        Box::pin(async move {
            let mut transaction = self.begin_reading().await?;
            let limit = i64::from(limit);
            let records = DB::records(&mut transaction, &self.sql, &consumer, after, limit).await;
            let records = records.map_err(store_error)?.into_iter();
            let _ = transaction.rollback().await;
            let entry = |(event, stream, sequence, is_dead, at): PlacedRecord| {
                let stream = Some(stream).filter(|stream| !stream.is_empty());
                let sequence = sequence.and_then(|sequence| u64::try_from(sequence).ok());
                InboxEntry::new(event, stream.map(Text::from), sequence)
                    .dead(is_dead)
                    .recorded_at(Timestamp::from_microsecond(at).ok())
            };
            Ok(records.map(entry).collect())
        })
    }

    fn place_records(&self, source: InboxSource, places: Vec<RecordPlace>) -> StoreFuture<'_, u64> {
        Box::pin(async move {
            let mut transaction = self.begin_writing().await?;
            let mut changed = 0;
            for RecordPlace { event, sequence } in places {
                let sequence = sequence.and_then(|sequence| i64::try_from(sequence).ok());
                let (sql, source) = (&self.sql, place(&source));
                let set = DB::place_record(&mut transaction, sql, source, event, sequence).await;
                changed += u64::from(set.map_err(store_error)?);
            }
            transaction.commit().await.map_err(store_error)?;
            Ok(changed)
        })
    }

    fn lower_floor(&self, source: InboxSource) -> StoreFuture<'_, bool> {
        Box::pin(async move {
            let floor = i64::try_from(source.floor).unwrap_or(i64::MAX);
            let mut transaction = self.begin_writing().await?;
            let (sql, source) = (&self.sql, place(&source));
            let lowered = DB::lower_floor(&mut transaction, sql, source, floor).await;
            let lowered = lowered.map_err(store_error)?;
            transaction.commit().await.map_err(store_error)?;
            Ok(lowered)
        })
    }
}
