//! `consumers ls`: lists the consumers of a stream, or of all streams.

use super::row::{Row, Which};
use crate::command::unread::{Listed, Unread};
use crate::context::{Context, Outcome, consumers, streams};
use crate::error::OpsError;

/// What `consumers ls` is told.
#[derive(clap::Args)]
#[command(
    after_help = "The exit code is 1 if the consumers of a stream cannot be listed.\n\n\
    Examples:\n  \
    consumers ls\n  \
    consumers ls ORDERS\n  \
    consumers ls ORDERS --json | jq -r '.[].consumer'"
)]
pub(crate) struct Args {
    #[command(flatten)]
    which: Which,
}

pub(super) async fn run(context: &mut Context<'_>, args: &Args) -> Result<Outcome, OpsError> {
    let bus = context.bus().await?;
    let (found, unread) = args.which.find(streams(&bus)?, consumers(&bus)?).await?;
    let rows: Vec<_> = found
        .iter()
        .map(|(stream, info)| Row::new(stream, info))
        .collect();
    let output = &mut context.output;
    if output.json {
        output.json(&Listed::consumers(&rows, &unread))?;
        return Ok(Outcome::found(!unread.is_empty()));
    }
    if rows.is_empty() && unread.is_empty() {
        output.line("there is no consumer")?;
    }
    if !rows.is_empty() {
        let rows = rows.into_iter().map(|row| {
            let state = match (row.paused_until, row.waiting) {
                (Some(_), _) => "paused",
                (None, Some(0)) => "nobody asks",
                (None, _) => "ok",
            };
            [
                row.stream,
                row.consumer,
                row.filters.join(", "),
                row.pending.to_string(),
                row.ack_pending.to_string(),
                state.to_owned(),
            ]
        });
        let headings = [
            "STREAM",
            "CONSUMER",
            "FILTERS",
            "PENDING",
            "UNSETTLED",
            "STATE",
        ];
        output.table(headings, rows)?;
    }
    Unread::write(&unread, output)?;
    Ok(Outcome::found(!unread.is_empty()))
}
