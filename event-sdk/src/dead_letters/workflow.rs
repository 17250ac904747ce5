//! `LetterWorkflow`: the operations of an operator on dead letters in any store (a stream, a
//! table).

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::pin::Pin;

use bytes::Bytes;
use event_sdk_core::codec::RawEnvelope;
use event_sdk_core::transport::{Deletion, Error};
use jiff::Timestamp;

use super::audit::Audit;
use super::queue::{
    DeadLetterQueue, LetterFilter, LetterSummary, Page, PurgeReport, QueuedLetter, RedriveOutcome,
    RedriveReport,
};

/// The future of an operation on letters.
pub type LetterFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, Error>> + Send + 'a>>;

/// The operations of an operator on dead letters, for tools that work with any store.
///
/// [`DeadLetterQueue`] implements this trait for letters in a stream, and `SqlDeadLetterQueue` of
/// `event-sdk-sql` for letters in a table. The docs of their methods describe each operation, and
/// whether it is cancel-safe.
pub trait LetterWorkflow: fmt::Debug + Send + Sync + 'static {
    /// Lists letters, oldest first, without their bodies.
    fn list<'a>(
        &'a self,
        filter: &'a LetterFilter,
        page: Page,
    ) -> LetterFuture<'a, Vec<LetterSummary>>;

    /// Returns a letter with its original headers and body; `None` if there is no letter with this id.
    fn show(&self, id: u64) -> LetterFuture<'_, Option<QueuedLetter>>;

    /// Sends letters to their consumers again, each one once. `each` is called after each letter.
    fn redrive<'a>(
        &'a self,
        filter: &'a LetterFilter,
        options: RedriveOptions,
        each: &'a mut LetterProgress<'a>,
    ) -> LetterFuture<'a, RedriveReport>;

    /// Redrives a letter with another body. The body must be an envelope with the id of the
    /// original event.
    fn edit_and_redrive<'a>(
        &'a self,
        id: u64,
        body: Bytes,
        audit: &'a Audit,
    ) -> LetterFuture<'a, ()>;

    /// Makes the same checks as [`edit_and_redrive`](Self::edit_and_redrive), without sending the
    /// event, and returns the edited envelope.
    fn check_edit<'a>(&'a self, id: u64, body: &'a Bytes) -> LetterFuture<'a, RawEnvelope>;

    /// Archives open letters: they are put aside until they are reopened. Returns their ids.
    fn archive<'a>(
        &'a self,
        filter: &'a LetterFilter,
        audit: &'a Audit,
    ) -> LetterFuture<'a, Vec<u64>>;

    /// Reopens archived letters. Returns their ids.
    fn reopen<'a>(
        &'a self,
        filter: &'a LetterFilter,
        audit: &'a Audit,
    ) -> LetterFuture<'a, Vec<u64>>;

    /// Deletes letters, with everything that is stored for them.
    fn purge<'a>(
        &'a self,
        filter: &'a LetterFilter,
        deletion: Deletion,
    ) -> LetterFuture<'a, PurgeReport>;

    /// Deletes letters whose events failed before this time, with everything that is stored for
    /// them.
    fn expire(&self, before: Timestamp, deletion: Deletion) -> LetterFuture<'_, PurgeReport>;

    /// Reads the ids of the events of dead keys that an expiry deletes in addition to letters.
    /// Default: none.
    fn expiring_events(&self, _before: Timestamp) -> LetterFuture<'_, Vec<u64>> {
        Box::pin(async { Ok(Vec::new()) })
    }

    /// Reads the outcomes of redriven letters, by id.
    fn outcomes<'a>(
        &'a self,
        filter: &'a LetterFilter,
    ) -> LetterFuture<'a, BTreeMap<u64, RedriveOutcome>>;

    /// The ids of entries among the letters that cannot be read as letters. Default: none.
    fn unreadable(&self) -> LetterFuture<'_, Vec<u64>> {
        Box::pin(async { Ok(Vec::new()) })
    }

    /// The queue, if the letters are in a stream. Only there, keys can wait for letters (sequenced
    /// mode). Default: `None`.
    fn in_stream(&self) -> Option<&DeadLetterQueue> {
        None
    }
}

/// A function that is called after each letter, with the number of letters done so far and the
/// number of letters selected.
pub type LetterProgress<'a> = dyn FnMut(u64, u64) + Send + 'a;

/// How [`LetterWorkflow::redrive`] sends letters.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RedriveOptions {
    /// By whom and why.
    pub audit: Audit,
    /// The maximum number of events a second. Zero, the default: no limit.
    pub per_second: u32,
    /// Whether the redrive only reports the selected letters, and neither sends nor marks a letter.
    /// Default: no.
    pub dry_run: bool,
}

impl LetterWorkflow for DeadLetterQueue {
    fn list<'a>(
        &'a self,
        filter: &'a LetterFilter,
        page: Page,
    ) -> LetterFuture<'a, Vec<LetterSummary>> {
        Box::pin(self.list(filter, page))
    }

    fn show(&self, id: u64) -> LetterFuture<'_, Option<QueuedLetter>> {
        Box::pin(self.show(id))
    }

    fn redrive<'a>(
        &'a self,
        filter: &'a LetterFilter,
        options: RedriveOptions,
        each: &'a mut LetterProgress<'a>,
    ) -> LetterFuture<'a, RedriveReport> {
        let redrive = self.redrive(filter.clone()).audit(options.audit);
        let redrive = redrive.per_second(options.per_second);
        let redrive = if options.dry_run {
            redrive.dry_run()
        } else {
            redrive
        };
        Box::pin(redrive.watched(each))
    }

    fn edit_and_redrive<'a>(
        &'a self,
        id: u64,
        body: Bytes,
        audit: &'a Audit,
    ) -> LetterFuture<'a, ()> {
        Box::pin(self.edit_and_redrive(id, body, audit))
    }

    fn check_edit<'a>(&'a self, id: u64, body: &'a Bytes) -> LetterFuture<'a, RawEnvelope> {
        Box::pin(self.check_edit(id, body))
    }

    fn archive<'a>(
        &'a self,
        filter: &'a LetterFilter,
        audit: &'a Audit,
    ) -> LetterFuture<'a, Vec<u64>> {
        Box::pin(self.archive(filter, audit))
    }

    fn reopen<'a>(
        &'a self,
        filter: &'a LetterFilter,
        audit: &'a Audit,
    ) -> LetterFuture<'a, Vec<u64>> {
        Box::pin(self.reopen(filter, audit))
    }

    fn purge<'a>(
        &'a self,
        filter: &'a LetterFilter,
        deletion: Deletion,
    ) -> LetterFuture<'a, PurgeReport> {
        Box::pin(self.purge(filter, deletion))
    }

    fn expire(&self, before: Timestamp, deletion: Deletion) -> LetterFuture<'_, PurgeReport> {
        Box::pin(self.expire(before, deletion))
    }

    fn expiring_events(&self, before: Timestamp) -> LetterFuture<'_, Vec<u64>> {
        Box::pin(self.expiring_events(before))
    }

    fn outcomes<'a>(
        &'a self,
        filter: &'a LetterFilter,
    ) -> LetterFuture<'a, BTreeMap<u64, RedriveOutcome>> {
        Box::pin(self.outcomes(filter))
    }

    fn unreadable(&self) -> LetterFuture<'_, Vec<u64>> {
        Box::pin(self.unreadable())
    }

    fn in_stream(&self) -> Option<&DeadLetterQueue> {
        Some(self)
    }
}
