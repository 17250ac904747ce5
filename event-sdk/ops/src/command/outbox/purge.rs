//! `outbox purge`: deletes parked rows.

use event_sdk_store::outbox::ParkedEntry;
use serde::Serialize;

use super::which::{Entries, Named, Which, ids};
use crate::change::Destruction;
use crate::context::{Context, Outcome};
use crate::error::OpsError;
use crate::units::count;

/// Rows that are deleted in one transaction.
const BATCH: u32 = 1_000;

/// What `outbox purge` is told.
#[derive(clap::Args)]
#[command(
    after_help = "The rows are never published. Of a key, the row that failed and those that wait behind it are\n\
    deleted; with `--failed-only` the row that failed alone, and the relay publishes the later ones. The\n\
    exit code is 1 if an entry that was named is not parked.\n\n\
    Examples:\n  \
    outbox purge 4711 --failed-only --yes --because 'it was never valid'\n  \
    outbox purge --all --dry-run"
)]
pub(crate) struct Args {
    #[command(flatten)]
    entries: Entries,
    #[command(flatten)]
    which: Which,
    /// Delete only the row that failed, and publish the later rows of its key
    #[arg(long)]
    failed_only: bool,
    #[command(flatten)]
    destruction: Destruction,
}

/// The result as JSON.
#[derive(Serialize)]
struct Report {
    outbox: String,
    dry_run: bool,
    /// The ids of entries.
    purged: Vec<i64>,
    /// The rows that were deleted; null in a dry run, which does not count them.
    rows: Option<u64>,
    not_parked: Vec<i64>,
}

pub(super) async fn run(context: &mut Context<'_>, args: &Args) -> Result<Outcome, OpsError> {
    let outbox = args.which.one(context)?;
    let (entries, not_parked) = args.entries.find(&outbox).await?;
    let change = &args.destruction.change;
    let mut purged = Report {
        outbox: outbox.name.clone(),
        dry_run: change.dry_run,
        purged: Vec::new(),
        rows: (!change.dry_run).then_some(0),
        not_parked,
    };
    if change.dry_run {
        purged.purged = entries.iter().map(|entry| entry.id).collect();
    } else if !entries.is_empty() {
        let number = entries.len();
        let all = if args.failed_only {
            "the failed rows"
        } else {
            "all rows"
        };
        let noun = if number == 1 { "entry" } else { "entries" };
        let what = format!(
            "{all} of {number} parked {noun} of the outbox {} will be deleted, and never published",
            outbox.name
        );
        if !context.may_destroy(&args.destruction, what)? {
            return Ok(Outcome::Found);
        }
        for entry in entries {
            let deleted = delete(context, &outbox, &entry, args).await?;
            if deleted == 0 {
                purged.not_parked.push(entry.id);
            } else {
                purged.purged.push(entry.id);
                purged.rows = purged.rows.map(|before| before + deleted);
            }
        }
    }
    end(context, &purged)
}

/// Deletes the rows of an entry; zero if it is not parked any more. Each entry has its audit line, so
/// that they are written also where a later one fails.
async fn delete(
    context: &mut Context<'_>,
    outbox: &Named,
    entry: &ParkedEntry,
    args: &Args,
) -> Result<u64, OpsError> {
    let mut all = 0;
    let ended = loop {
        let rows = if args.failed_only {
            outbox.store.skip_parked(entry.id).await.map(u64::from)
        } else {
            outbox.store.purge_parked(entry.id, BATCH).await
        };
        all += *rows.as_ref().unwrap_or(&0);
        match rows {
            Ok(0) => break Ok(all),
            Ok(_) if args.failed_only => break Ok(all),
            Ok(_) => {
                let progress = count(all, "row");
                let output = &mut context.output;
                output.progress(format_args!("deleting entry {}: {progress}", entry.id));
            }
            Err(error) => break Err(outbox.failed(error)),
        }
    };
    context.output.end_progress();
    let (rows, change) = (count(all, "row"), &args.destruction.change);
    let of = format!("of entry {} of the outbox {}", entry.id, outbox.name);
    match &ended {
        Ok(0) => {}
        Ok(_) => context.audit(change, format_args!("deleted {rows} {of}")),
        Err(_) => context.audit(
            change,
            format_args!("may have deleted rows {of}, at least {rows}"),
        ),
    }
    ended
}

fn end(context: &mut Context<'_>, purged: &Report) -> Result<Outcome, OpsError> {
    let outcome = Outcome::found(!purged.not_parked.is_empty());
    let output = &mut context.output;
    if output.json {
        output.json(purged)?;
        return Ok(outcome);
    }
    let named = ids(&purged.purged);
    match (purged.rows, &purged.purged[..]) {
        (_, []) => output.line("nothing to delete")?,
        (None, _) => output.text(format_args!("would be deleted; entries: {named}"))?,
        (Some(rows), _) => {
            let rows = count(rows, "row");
            output.text(format_args!("{rows} deleted; entries: {named}"))?;
        }
    }
    if !purged.not_parked.is_empty() {
        output.text(format_args!("not parked: {}", ids(&purged.not_parked)))?;
    }
    Ok(outcome)
}
