//! Puts letters aside, and takes them back.

use event_sdk_core::transport::Error;

use super::super::area::Area;
use super::super::audit::Audit;
use super::super::marks::{state_now, write_state};
use super::super::state::LetterStatus;
use super::DeadLetterQueue;
use super::filter::LetterFilter;

impl DeadLetterQueue {
    /// Archives open letters: they are not listed as open, and not redriven, until they are
    /// [reopened](Self::reopen). Returns their ids.
    ///
    /// A letter that holds its key (sequenced mode) is not archived. To give it up, use
    /// [`Park::skip_head`](super::super::Park::skip_head).
    ///
    /// Not cancel-safe: after dropping the future, some letters may be archived. If the call is
    /// repeated, it archives the others.
    ///
    /// # Errors
    ///
    /// The [errors of every operation](DeadLetterQueue), and of a publish.
    pub async fn archive(&self, filter: &LetterFilter, audit: &Audit) -> Result<Vec<u64>, Error> {
        let change = (LetterStatus::Open, LetterStatus::Archived);
        self.change(filter, change, audit).await
    }

    /// Reopens archived letters: they are open again. Returns their ids.
    ///
    /// Not cancel-safe: after dropping the future, some letters may be open. If the call is
    /// repeated, it reopens the others.
    ///
    /// # Errors
    ///
    /// The [errors of every operation](DeadLetterQueue), and of a publish.
    pub async fn reopen(&self, filter: &LetterFilter, audit: &Audit) -> Result<Vec<u64>, Error> {
        let change = (LetterStatus::Archived, LetterStatus::Open);
        self.change(filter, change, audit).await
    }

    async fn change(
        &self,
        filter: &LetterFilter,
        (from, to): (LetterStatus, LetterStatus),
        audit: &Audit,
    ) -> Result<Vec<u64>, Error> {
        let mut changed = Vec::new();
        for letter in self.matching(filter).await? {
            if letter.state.status != from || letter.holds_its_key() {
                continue;
            }
            let Some(stored) = self.read(letter.id).await? else {
                continue;
            };
            if stored.letter.state.status != from {
                continue;
            }
            let subject = stored.subject.text(&self.place, Area::State);
            let (id, last) = (letter.id, stored.letter.state_sequence);
            let state = state_now(&self.bus, to.clone(), audit);
            // Otherwise another command was faster.
            if write_state(&self.bus, &self.place, &subject, id, &state, last).await? {
                changed.push(id);
            }
        }
        Ok(changed)
    }
}
