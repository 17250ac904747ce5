//! `dlq ls`: lists letters.

use event_sdk::dead_letters::Page;

use super::filter::{Filter, Status};
use super::place::Place;
use super::row::Row;
use crate::context::{Context, Outcome};
use crate::error::OpsError;
use crate::units::time;

/// The most letters that people read at once, unless they say another number.
const LIMIT: usize = 100;

/// What `dlq ls` is told.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    dlq ls --consumer billing --since 2h\n  \
    dlq ls --group 1f6a03c9 --limit 20\n  \
    dlq ls --status all --json | jq -r '.[].id'")]
pub(crate) struct Args {
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    filter: Filter,
    #[command(flatten)]
    status: Status,
    /// The most letters; default: 100, and all with `--json`
    #[arg(long, value_name = "LETTERS")]
    limit: Option<usize>,
    /// How many letters are left out at the beginning
    #[arg(long, value_name = "LETTERS", default_value_t = 0)]
    offset: usize,
}

pub(super) async fn run(context: &mut Context<'_>, args: &Args) -> Result<Outcome, OpsError> {
    let letters = args.place.open(context).await?;
    let status = args.status.wanted()?;
    let filter = args.filter.resolve(&*letters, status).await?;
    // A program cannot see that there are more.
    let limit = match args.limit {
        None if context.output.json => usize::MAX,
        limit => limit.unwrap_or(LIMIT),
    };
    // One more says whether there are more.
    let page = Page::new(args.offset, limit.saturating_add(1));
    let mut found = letters.list(&filter, page).await?;
    let more = found.len() > limit;
    found.truncate(limit);
    let rows: Vec<_> = found.iter().map(Row::new).collect();
    let output = &mut context.output;
    if output.json {
        output.json(&rows)?;
    } else if rows.is_empty() {
        output.line("no such letter")?;
    } else {
        let rows = rows.into_iter().map(|row| {
            [
                row.id.to_string(),
                row.consumer.clone(),
                row.event(),
                row.class.clone(),
                row.attempts.to_string(),
                time(row.last_failure),
                row.status(),
            ]
        });
        let headings = [
            "ID", "CONSUMER", "EVENT", "CLASS", "ATTEMPTS", "FAILED", "STATUS",
        ];
        output.table(headings, rows)?;
    }
    if more {
        let next = args.offset.saturating_add(limit);
        output.notice(format_args!(
            "there are more letters: `--offset {next}` lists the next ones, `--limit` more at once"
        ))?;
    }
    Ok(Outcome::Done)
}
