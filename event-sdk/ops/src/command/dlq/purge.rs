//! `dlq purge` and `dlq expire`: delete letters.

use event_sdk::dead_letters::{LetterFilter, Page, PurgeReport};
use event_sdk::transport::Deletion;
use jiff::Timestamp;
use serde::Serialize;

use super::filter::{Selection, Status};
use super::in_part;
use super::place::{Letters, Place};
use super::row::ids;
use crate::change::Destruction;
use crate::context::{Context, Outcome};
use crate::error::OpsError;
use crate::units::{count, parse_time, time};

/// What `dlq purge` is told.
#[derive(clap::Args)]
#[command(
    after_help = "Letters are deleted with what is written of them, and with redriven events that are settled. Those\n\
    that hold their keys stay: `dlq skip-head` gives one up. The exit code is 1 if a letter stays, or if\n\
    one that was named is not there.\n\n\
    Examples:\n  \
    dlq purge --status archived --all --dry-run\n  \
    dlq purge 17 --status all --erase --yes --because 'request of the customer'"
)]
pub(crate) struct Purge {
    #[command(flatten)]
    selection: Selection,
    #[command(flatten)]
    status: Status,
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    how: How,
}

/// What `dlq expire` is told.
#[derive(clap::Args)]
#[command(
    after_help = "Whatever their status is. Letters that hold their keys stay. Events of dead keys that were handled\n\
    or given up before the time are deleted too.\n\n\
    Examples:\n  \
    dlq expire 30d --dry-run\n  \
    dlq expire 2026-01-01T00:00:00Z --yes"
)]
pub(crate) struct Expire {
    /// Delete letters whose events failed before this time: RFC 3339, or how long ago
    #[arg(value_name = "TIME", value_parser = parse_time)]
    before: Timestamp,
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    how: How,
}

#[derive(clap::Args)]
struct How {
    /// Overwrite the bytes on disk, which takes longer; backups keep them
    #[arg(long)]
    erase: bool,
    #[command(flatten)]
    destruction: Destruction,
}

/// The result as JSON: ids of letters.
#[derive(Serialize)]
struct Report {
    dry_run: bool,
    purged: Vec<u64>,
    /// Events of dead keys, handled or given up before, that were deleted too: their ids.
    events: Vec<u64>,
    /// Letters that stay, because they hold their keys.
    kept: Vec<u64>,
    /// Letters that were named, and were not found with this status.
    not_found: Vec<u64>,
}

impl Purge {
    pub(super) async fn run(self, context: &mut Context<'_>) -> Result<Outcome, OpsError> {
        let letters = self.place.open(context).await?;
        let status = self.status.wanted()?;
        let filter = self.selection.resolve(&*letters, status).await?;
        let Some(found) = Found::look(context, &letters, &filter, Vec::new(), &self.how).await?
        else {
            return Ok(Outcome::Found);
        };
        let report = if self.how.destruction.change.dry_run || found.is_empty() {
            found.report()
        } else {
            // What came meanwhile was not agreed to.
            let filter = filter.ids(found.all());
            let purged = letters.purge(&filter, self.how.deletion()).await;
            let what = format!("deleted letters of {letters}");
            in_part(context, &self.how.destruction.change, what, purged)?
        };
        let named = [&report.purged[..], &report.kept].concat();
        let not_found = self.selection.missing(&named);
        self.how.end(context, &letters, report, not_found)
    }
}

impl Expire {
    pub(super) async fn run(self, context: &mut Context<'_>) -> Result<Outcome, OpsError> {
        let letters = self.place.open(context).await?;
        let filter = LetterFilter::all().failed_before(self.before);
        let events = letters.expiring_events(self.before).await?;
        let Some(found) = Found::look(context, &letters, &filter, events, &self.how).await? else {
            return Ok(Outcome::Found);
        };
        let deletion = self.how.deletion();
        let report = if self.how.destruction.change.dry_run {
            found.report()
        } else if found.is_empty() {
            // What a purge that was killed has left of letters that are gone.
            let none = LetterFilter::all().ids([]);
            letters.purge(&none, deletion).await?;
            found.report()
        } else {
            let purged = letters.expire(self.before, deletion).await;
            let before = time(self.before);
            let what = format!(
                "deleted letters, and events of dead keys, of {letters} from before {before}"
            );
            in_part(context, &self.how.destruction.change, what, purged)?
        };
        self.how.end(context, &letters, report, Vec::new())
    }
}

impl How {
    fn deletion(&self) -> Deletion {
        if self.erase {
            Deletion::Erase
        } else {
            Deletion::Remove
        }
    }

    /// Writes the audit line and the result.
    fn end(
        &self,
        context: &mut Context<'_>,
        letters: &Letters,
        report: PurgeReport,
        not_found: Vec<u64>,
    ) -> Result<Outcome, OpsError> {
        let dry_run = self.destruction.change.dry_run;
        let number = count(report.purged.len() as u64, "letter");
        if !dry_run && !report.purged.is_empty() {
            let what = format_args!("deleted {number} of {letters}: {}", ids(&report.purged));
            context.audit(&self.destruction.change, what);
        }
        let events = events_of_keys(&report.events);
        if !dry_run && !report.events.is_empty() {
            let what = format_args!("deleted {events} of {letters}: {}", ids(&report.events));
            context.audit(&self.destruction.change, what);
        }
        let outcome = Outcome::found(!report.kept.is_empty() || !not_found.is_empty());
        let output = &mut context.output;
        if output.json {
            output.json(&Report {
                dry_run,
                purged: report.purged,
                events: report.events,
                kept: report.kept,
                not_found,
            })?;
            return Ok(outcome);
        }
        let deleted = if dry_run {
            "would be deleted"
        } else {
            "deleted"
        };
        match &report.purged[..] {
            [] => output.line(format_args!("no letter {deleted}"))?,
            some => output.text(format_args!("{number} {deleted}: {}", ids(some)))?,
        }
        if !report.events.is_empty() {
            let which = ids(&report.events);
            output.text(format_args!("{events} {deleted}: {which}"))?;
        }
        if !report.kept.is_empty() {
            let number = count(report.kept.len() as u64, "letter");
            let kept = ids(&report.kept);
            output.text(format_args!(
                "{number} left, since their keys wait for them: {kept}"
            ))?;
        }
        if !not_found.is_empty() {
            let number = count(not_found.len() as u64, "letter");
            let not_found = ids(&not_found);
            output.text(format_args!(
                "{number} not found with this status: {not_found}"
            ))?;
        }
        Ok(outcome)
    }
}

/// What was found before anything is deleted.
struct Found {
    free: Vec<u64>,
    holding: Vec<u64>,
    /// Events of dead keys that do not wait any more.
    events: Vec<u64>,
}

fn events_of_keys(events: &[u64]) -> String {
    format!("{} of dead keys", count(events.len() as u64, "event"))
}

impl Found {
    /// Looks for the letters, and asks whether they may be deleted; `None` if not.
    async fn look(
        context: &mut Context<'_>,
        letters: &Letters,
        filter: &LetterFilter,
        events: Vec<u64>,
        how: &How,
    ) -> Result<Option<Self>, OpsError> {
        let mut found = Self {
            free: Vec::new(),
            holding: Vec::new(),
            events,
        };
        for letter in letters.list(filter, Page::ALL).await? {
            if letter.holds_its_key() {
                found.holding.push(letter.id);
            } else {
                found.free.push(letter.id);
            }
        }
        if how.destruction.change.dry_run || found.is_empty() {
            return Ok(Some(found));
        }
        let number = count(found.free.len() as u64, "letter");
        let mut what = format!("{number} of {letters} will be deleted with their events");
        if !found.events.is_empty() {
            let events = events_of_keys(&found.events);
            what = format!("{what}, and {events} that were handled or given up");
        }
        let agreed = context.may_destroy(&how.destruction, what)?;
        Ok(agreed.then_some(found))
    }

    fn is_empty(&self) -> bool {
        self.free.is_empty() && self.events.is_empty()
    }

    fn all(&self) -> Vec<u64> {
        [&self.free[..], &self.holding].concat()
    }

    fn report(self) -> PurgeReport {
        let mut report = PurgeReport::default();
        report.purged = self.free;
        report.kept = self.holding;
        report.events = self.events;
        report
    }
}
