//! `LetterWorkflow` for the letters of a table.

use std::collections::BTreeMap;

use bytes::Bytes;
use event_sdk::codec::RawEnvelope;
use event_sdk::dead_letters::{
    Audit, LetterFilter, LetterFuture, LetterProgress, LetterSummary, LetterWorkflow, Page,
    PurgeReport, QueuedLetter, RedriveOptions, RedriveOutcome, RedriveReport,
};
use event_sdk::transport::{Deletion, Error, ErrorKind, Operation};
use jiff::Timestamp;

use super::queue::SqlDeadLetterQueue;
use crate::inbox::InboxDatabase;

impl<DB: InboxDatabase> LetterWorkflow for SqlDeadLetterQueue<DB> {
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
        Box::pin(async move {
            not_erased(deletion)?;
            Ok(report(self.purge(filter).await?))
        })
    }

    fn expire(&self, before: Timestamp, deletion: Deletion) -> LetterFuture<'_, PurgeReport> {
        Box::pin(async move {
            not_erased(deletion)?;
            Ok(report(self.expire(before).await?))
        })
    }

    fn outcomes<'a>(
        &'a self,
        filter: &'a LetterFilter,
    ) -> LetterFuture<'a, BTreeMap<u64, RedriveOutcome>> {
        Box::pin(self.outcomes(filter))
    }
}

/// A statement cannot overwrite what the database has written.
fn not_erased(deletion: Deletion) -> Result<(), Error> {
    match deletion {
        Deletion::Remove => Ok(()),
        Deletion::Erase => Err(Error::new(
            ErrorKind::InvalidOption,
            Operation::Manage,
            "the letters are rows of a table, whose bytes on disk only the database can overwrite; delete them without erasing, and let the database vacuum",
        )),
    }
}

fn report(purged: Vec<u64>) -> PurgeReport {
    let mut report = PurgeReport::default();
    report.purged = purged;
    report
}
