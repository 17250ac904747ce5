//! `dlq groups`: groups letters by cause.

use event_sdk::dead_letters::{CauseGroup, Page};
use jiff::Timestamp;
use serde::Serialize;

use super::filter::{Filter, Status, group_id};
use super::place::Place;
use crate::context::{Context, Outcome};
use crate::error::OpsError;
use crate::units::time;

/// What `dlq groups` is told.
#[derive(clap::Args)]
#[command(
    after_help = "A group keeps its name. Other commands take it as `--group`.\n\n\
    Examples:\n  \
    dlq groups --consumer billing\n  \
    dlq redrive --group 1f6a03c9 --dry-run"
)]
pub(crate) struct Args {
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    filter: Filter,
    #[command(flatten)]
    status: Status,
}

/// A group as JSON.
#[derive(Serialize)]
struct Row {
    group: String,
    letters: u64,
    class: String,
    error: Option<String>,
    event_type: Option<String>,
    first_failure: Timestamp,
    last_failure: Timestamp,
    /// The ids of the newest letters.
    newest: Vec<u64>,
}

impl Row {
    fn new(group: CauseGroup) -> Self {
        let cause = group.cause;
        Self {
            group: group_id(&cause),
            letters: group.count,
            class: cause.class.to_string(),
            error: cause.error,
            event_type: cause.event_type.map(|it| it.to_string()),
            first_failure: group.first_failure,
            last_failure: group.last_failure,
            newest: group.newest,
        }
    }
}

pub(super) async fn run(context: &mut Context<'_>, args: &Args) -> Result<Outcome, OpsError> {
    let letters = args.place.open(context).await?;
    let status = args.status.wanted()?;
    let filter = args.filter.resolve(&*letters, status).await?;
    let groups = CauseGroup::of(letters.list(&filter, Page::ALL).await?);
    let rows: Vec<_> = groups.into_iter().map(Row::new).collect();
    let output = &mut context.output;
    if output.json {
        output.json(&rows)?;
    } else if rows.is_empty() {
        output.line("no such letter")?;
    } else {
        let rows = rows.into_iter().map(|row| {
            [
                row.group,
                row.letters.to_string(),
                row.class,
                row.event_type.unwrap_or_default(),
                row.error.unwrap_or_default(),
                time(row.last_failure),
            ]
        });
        let headings = [
            "GROUP",
            "LETTERS",
            "CLASS",
            "EVENT",
            "ERROR",
            "LAST FAILURE",
        ];
        output.table(headings, rows)?;
    }
    Ok(Outcome::Done)
}
