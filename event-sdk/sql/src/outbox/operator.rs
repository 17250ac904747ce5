//! What an operator does with an outbox: reads its status, and lists, retries, skips and purges
//! parked keys.

use event_sdk_store::StoreError;
use event_sdk_store::outbox::{OutboxStatus, ParkedEntry, WhichParked};

use super::Outbox;
use crate::database::Store;

/// Rows that are deleted in one transaction.
const PURGE_BATCH: u32 = 1_000;

impl<DB: Store> Outbox<DB> {
    /// Returns the state of the outbox: depth, age of the oldest row, parked keys, rate. The call
    /// takes bounded time, however large the backlog is.
    ///
    /// Cancel-safe.
    ///
    /// # Errors
    ///
    /// The errors of the [database](crate::store_error).
    pub async fn status(&self) -> Result<OutboxStatus, StoreError> {
        self.store().status(self.bus().clock().now()).await
    }

    /// Returns at most `limit` parked keys and rows whose failed row has an id above `after`,
    /// sorted by this id. Begin with zero, and go on with the last [`id`](ParkedEntry::id).
    ///
    /// Cancel-safe.
    ///
    /// # Errors
    ///
    /// The errors of the [database](crate::store_error).
    pub async fn parked(&self, after: i64, limit: u32) -> Result<Vec<ParkedEntry>, StoreError> {
        self.store().parked(after, limit).await
    }

    /// Asks the relays to publish parked rows again: the rows of a key in their order, and before
    /// newer rows of the key. Returns the number of keys and single rows.
    ///
    /// Cancel-safe: the call is carried out as a whole or not at all.
    ///
    /// # Errors
    ///
    /// The errors of the [database](crate::store_error).
    pub async fn retry_parked(&self, which: WhichParked) -> Result<u64, StoreError> {
        let retried = self.store().retry_parked(which).await?;
        self.wake().committed();
        Ok(retried)
    }

    /// Deletes the row that failed, **which is then never published**, and asks the relay to
    /// publish the later rows of its key. `id` is the id of the [entry](ParkedEntry::id). Returns
    /// whether the row was parked.
    ///
    /// Cancel-safe: the call is carried out as a whole or not at all.
    ///
    /// # Errors
    ///
    /// The errors of the [database](crate::store_error).
    pub async fn skip_parked(&self, id: i64) -> Result<bool, StoreError> {
        let skipped = self.store().skip_parked(id).await?;
        self.wake().committed();
        Ok(skipped)
    }

    /// Deletes all parked rows of an entry, **which are then never published**. For a key, these
    /// are the row that failed and the rows that wait behind it. Returns the number of rows.
    ///
    /// The rows are deleted in batches, the newest first. If the future is dropped, the remaining
    /// rows stay parked: repeat the call.
    ///
    /// # Errors
    ///
    /// The errors of the [database](crate::store_error).
    pub async fn purge_parked(&self, id: i64) -> Result<u64, StoreError> {
        let mut purged = 0;
        loop {
            let rows = self.store().purge_parked(id, PURGE_BATCH).await?;
            purged += rows;
            if rows == 0 {
                self.wake().committed();
                return Ok(purged);
            }
        }
    }
}
