//! `outbox retry`: publishes parked rows again.

use event_sdk_store::outbox::WhichParked;
use serde::Serialize;

use super::which::{Entries, Which, ids};
use crate::change::Change;
use crate::context::{Context, Outcome};
use crate::error::OpsError;

/// What `outbox retry` is told.
#[derive(clap::Args)]
#[command(
    after_help = "A relay publishes the rows of a key in their order, and before newer ones. The exit code is 1 if an\n\
    entry that was named is not parked.\n\n\
    Examples:\n  \
    outbox retry 4711 --because 'the stream has room again'\n  \
    outbox retry --all --dry-run"
)]
pub(crate) struct Args {
    #[command(flatten)]
    entries: Entries,
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    change: Change,
}

/// The result as JSON: ids of entries.
#[derive(Serialize)]
struct Report {
    outbox: String,
    dry_run: bool,
    retried: Vec<i64>,
    not_parked: Vec<i64>,
}

pub(super) async fn run(context: &mut Context<'_>, args: &Args) -> Result<Outcome, OpsError> {
    let outbox = args.which.one(context)?;
    let (entries, mut not_parked) = args.entries.find(&outbox).await?;
    let (dry_run, mut retried, mut failed) = (args.change.dry_run, Vec::new(), None);
    for entry in entries {
        if dry_run {
            retried.push(entry.id);
            continue;
        }
        match outbox.store.retry_parked(WhichParked::Row(entry.id)).await {
            // It came back meanwhile.
            Ok(0) => not_parked.push(entry.id),
            Ok(_) => retried.push(entry.id),
            Err(why) => {
                failed = Some(outbox.failed(why));
                break;
            }
        }
    }
    let number = retried.len() as u64;
    let entries = if number == 1 { "entry" } else { "entries" };
    let named = ids(&retried);
    if number > 0 && !dry_run {
        let what = format_args!(
            "retried {number} parked {entries} of the outbox {}: {named}",
            outbox.name
        );
        context.audit(&args.change, what);
    }
    if let Some(why) = failed {
        return Err(why);
    }
    let outcome = Outcome::found(!not_parked.is_empty());
    let output = &mut context.output;
    if output.json {
        output.json(&Report {
            outbox: outbox.name,
            dry_run,
            retried,
            not_parked,
        })?;
        return Ok(outcome);
    }
    let would = if dry_run { "would" } else { "will" };
    if number > 0 {
        output.text(format_args!(
            "{number} {entries} {would} be published again: {named}"
        ))?;
    } else {
        output.line("nothing to publish again")?;
    }
    if !not_parked.is_empty() {
        output.text(format_args!("not parked: {}", ids(&not_parked)))?;
    }
    Ok(outcome)
}
