//! `DeadLetterQueue`: counts, lists, groups, shows and redrives the letters of a stream.

mod archive;
mod filter;
mod group;
mod outcome;
mod purge;
mod redrive;
mod scan;
mod summary;

pub use filter::{LetterFilter, Page};
pub use group::{Cause, CauseGroup};
pub use outcome::RedriveOutcome;
pub use purge::PurgeReport;
pub use redrive::{Redrive, RedriveReport};
pub use summary::{LetterSummary, QueuedLetter};

use event_sdk_core::text::Text;
use event_sdk_core::transport::Error;

use super::park::Park;
use super::place::DeadLetterStream;
use crate::bus::EventBus;

impl EventBus {
    /// The dead letters in a stream of this bus. `place` is a name, or a [`DeadLetterStream`].
    #[must_use]
    pub fn dead_letters(&self, place: impl Into<DeadLetterStream>) -> DeadLetterQueue {
        DeadLetterQueue {
            bus: self.clone(),
            place: place.into(),
        }
    }
}

/// The dead letters in a stream. [`EventBus::dead_letters`] returns it.
///
/// Each operation reads the whole stream, or the letters of one consumer. Lists, groups and `Debug`
/// show no data of events; [`show`](Self::show) does.
///
/// Every operation can return [`StreamNotFound`](crate::ErrorKind::StreamNotFound) if the stream
/// does not exist, [`Unsupported`](crate::ErrorKind::Unsupported) on a transport without history,
/// [`PermissionDenied`](crate::ErrorKind::PermissionDenied), or errors of the connection.
#[derive(Debug, Clone)]
pub struct DeadLetterQueue {
    bus: EventBus,
    place: DeadLetterStream,
}

impl DeadLetterQueue {
    /// The park of a consumer: its events that wait for earlier events of their keys.
    #[must_use]
    pub fn park(&self, consumer: impl Into<Text>) -> Park {
        Park::new(&self.bus, self.place.clone(), consumer)
    }

    /// Counts letters.
    ///
    /// Cancel-safe: it changes nothing.
    ///
    /// # Errors
    ///
    /// The [errors of every operation](Self).
    pub async fn count(&self, filter: &LetterFilter) -> Result<u64, Error> {
        let letters = self.matching(filter).await?;
        Ok(letters.count() as u64)
    }

    /// Lists letters, oldest first, without their bodies.
    ///
    /// Cancel-safe: it changes nothing.
    ///
    /// # Errors
    ///
    /// The [errors of every operation](Self).
    pub async fn list(
        &self,
        filter: &LetterFilter,
        page: Page,
    ) -> Result<Vec<LetterSummary>, Error> {
        let letters = self.matching(filter).await?;
        Ok(letters.skip(page.offset).take(page.limit).collect())
    }

    /// Groups letters by [cause](Cause), the largest group first.
    ///
    /// Cancel-safe: it changes nothing.
    ///
    /// # Errors
    ///
    /// The [errors of every operation](Self).
    pub async fn groups(&self, filter: &LetterFilter) -> Result<Vec<CauseGroup>, Error> {
        Ok(group::groups(self.matching(filter).await?))
    }

    /// Returns a letter with its original headers and body; `None` if there is no letter with this
    /// id.
    ///
    /// Cancel-safe: it changes nothing.
    ///
    /// # Errors
    ///
    /// The [errors of every operation](Self).
    pub async fn show(&self, id: u64) -> Result<Option<QueuedLetter>, Error> {
        Ok(self.read(id).await?.map(|stored| stored.letter))
    }

    /// The ids of messages that have the subject of a letter, but cannot be read as letters. They
    /// were written by another client, without the headers that every letter has.
    ///
    /// Cancel-safe: it changes nothing.
    ///
    /// # Errors
    ///
    /// The [errors of every operation](Self).
    pub async fn unreadable(&self) -> Result<Vec<u64>, Error> {
        Ok(self.scan(None).await?.unreadable)
    }

    async fn matching(
        &self,
        filter: &LetterFilter,
    ) -> Result<impl Iterator<Item = LetterSummary>, Error> {
        let scan = self.scan(filter.consumer.as_deref()).await?;
        let letters = scan.letters.into_values();
        Ok(letters.filter(|letter| filter.matches(letter)))
    }
}
