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
            let rows = delete(context, &outbox, &entry, args).await;
            let rows = match rows {
                Ok(rows) => rows,
                Err(error) => {
                    // Some rows may be deleted.
                    audit(context, args, &purged);
                    return Err(outbox.failed(error));
                }
            };
            if rows == 0 {
                purged.not_parked.push(entry.id);
            } else {
                purged.purged.push(entry.id);
                purged.rows = purged.rows.map(|before| before + rows);
            }
        }
        audit(context, args, &purged);
    }
    end(context, &purged)
}

/// Deletes the rows of an entry; zero if it is not parked any more.
async fn delete(
    context: &mut Context<'_>,
    outbox: &Named,
    entry: &ParkedEntry,
    args: &Args,
) -> Result<u64, event_sdk_store::StoreError> {
    if args.failed_only {
        return outbox.store.skip_parked(entry.id).await.map(u64::from);
    }
    let mut all = 0;
    loop {
        let rows = outbox.store.purge_parked(entry.id, BATCH).await?;
        all += rows;
        if rows == 0 {
            context.output.end_progress();
            return Ok(all);
        }
        let progress = count(all, "row");
        context
            .output
            .progress(format_args!("deleting entry {}: {progress}", entry.id));
    }
}

fn audit(context: &mut Context<'_>, args: &Args, purged: &Report) {
    if purged.purged.is_empty() {
        return;
    }
    let rows = count(purged.rows.unwrap_or_default(), "row");
    let what = format_args!(
        "deleted {rows} of the outbox {} that were parked: {}",
        purged.outbox,
        ids(&purged.purged)
    );
    context.audit(&args.destruction.change, what);
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
