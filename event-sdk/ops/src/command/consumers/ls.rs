//! `consumers ls`: lists the consumers of a stream, or of all streams.

use super::row::{Row, all};
use crate::context::{Context, Outcome, consumers, streams};
use crate::error::OpsError;

/// What `consumers ls` is told.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    consumers ls\n  \
    consumers ls ORDERS\n  \
    consumers ls ORDERS --json | jq -r '.[].consumer'")]
pub(crate) struct Args {
    /// Only the consumers of this stream
    stream: Option<String>,
}

pub(super) async fn run(context: &mut Context<'_>, args: &Args) -> Result<Outcome, OpsError> {
    let bus = context.bus().await?;
    let found = all(streams(&bus)?, consumers(&bus)?, args.stream.as_deref()).await?;
    let rows: Vec<_> = found
        .iter()
        .map(|(stream, info)| Row::new(stream, info))
        .collect();
    let output = &mut context.output;
    if output.json {
        output.json(&rows)?;
    } else if rows.is_empty() {
        output.line("there is no consumer")?;
    } else {
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
    Ok(Outcome::Done)
}
