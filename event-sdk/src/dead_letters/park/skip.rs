//! Gives up events of a dead key: its head, or all of them.

use event_sdk_core::transport::Error;

use super::super::audit::Audit;
use super::super::state::LetterStatus;
use super::Park;
use super::key::DeadKey;

impl Park {
    /// Gives up the dead letter `id` if it is at the head of the key, and asks the owner to go on
    /// with the events behind it. Returns whether the letter was at the head.
    ///
    /// A killed command can be repeated with the same id, and does not give up the next event. If
    /// the letter was given up before, the call only asks the owner again, and returns `true`.
    ///
    /// Not cancel-safe: after dropping the future, the letter may be given up. Repeating it is safe.
    ///
    /// # Errors
    ///
    /// The [errors of every operation](Park), and of a publish.
    pub async fn skip_head(&self, key: &DeadKey, id: u64, audit: &Audit) -> Result<bool, Error> {
        let events = self.events(key).await?;
        match events.first() {
            Some(head) if head.id == id => {
                self.mark(head, LetterStatus::Skipped, audit).await?;
            }
            _ if self.is_skipped(key, id).await? => {}
            _ => return Ok(false),
        }
        self.release(key, audit).await?;
        Ok(true)
    }

    /// Gives up all events of a key that wait now, and asks the owner to continue with the key.
    /// Returns how many events were given up. Events of the key that arrive during this call are
    /// handled.
    ///
    /// Not cancel-safe: after dropping the future, some events may be given up. Repeating it gives up
    /// the rest.
    ///
    /// # Errors
    ///
    /// The [errors of every operation](Park), and of a publish.
    pub async fn drop_key(&self, key: &DeadKey, audit: &Audit) -> Result<u64, Error> {
        let events = self.events(key).await?;
        for event in &events {
            self.mark(event, LetterStatus::Skipped, audit).await?;
        }
        self.release(key, audit).await?;
        Ok(events.len() as u64)
    }

    async fn is_skipped(&self, key: &DeadKey, id: u64) -> Result<bool, Error> {
        let records = self.records(Some(key)).await?;
        Ok(records.status(id) == Some(LetterStatus::Skipped))
    }
}
