//! `dlq count`: counts letters.

use event_sdk::dead_letters::Page;
use serde::Serialize;

use super::filter::{Filter, Status};
use super::place::Place;
use crate::context::{Context, Outcome};
use crate::error::OpsError;
use crate::units::count;

/// What `dlq count` is told.
#[derive(clap::Args)]
#[command(
    after_help = "With `--at-most`, the exit code is 1 if there are more letters, for alerts.\n\n\
    Examples:\n  \
    dlq count --consumer billing\n  \
    dlq count --since 1h --at-most 100"
)]
pub(crate) struct Args {
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    filter: Filter,
    #[command(flatten)]
    status: Status,
    /// How many letters are acceptable
    #[arg(long, value_name = "LETTERS")]
    at_most: Option<u64>,
}

/// The result as JSON.
#[derive(Serialize)]
struct Counted {
    letters: u64,
    at_most: Option<u64>,
}

pub(super) async fn run(context: &mut Context<'_>, args: &Args) -> Result<Outcome, OpsError> {
    let letters = args.place.open(context).await?;
    let status = args.status.wanted()?;
    let filter = args.filter.resolve(&*letters, status).await?;
    let letters = letters.list(&filter, Page::ALL).await?.len() as u64;
    let output = &mut context.output;
    let at_most = args.at_most;
    if output.json {
        output.json(&Counted { letters, at_most })?;
    } else {
        output.line(count(letters, "letter"))?;
    }
    Ok(Outcome::found(at_most.is_some_and(|most| letters > most)))
}
