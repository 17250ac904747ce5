//! `dlq unreadable`: lists messages of a dead-letter stream that cannot be read as letters.

use super::place::Place;
use crate::context::{Context, Outcome};
use crate::error::OpsError;

/// What `dlq unreadable` is told.
#[derive(clap::Args)]
#[command(
    after_help = "Another client wrote them without the headers that every letter has. No other command shows or\n\
    changes them. The exit code is 1 if there are any.\n\n\
    Examples:\n  \
    dlq unreadable --stream DLQ"
)]
pub(crate) struct Args {
    #[command(flatten)]
    place: Place,
}

pub(super) async fn run(context: &mut Context<'_>, args: &Args) -> Result<Outcome, OpsError> {
    let letters = args.place.open(context).await?;
    let ids = letters.unreadable().await?;
    let output = &mut context.output;
    if output.json {
        output.json(&ids)?;
    } else if ids.is_empty() {
        output.line("every letter can be read")?;
    } else {
        output.table(["SEQUENCE"], ids.iter().map(|id| [id.to_string()]))?;
    }
    Ok(Outcome::found(!ids.is_empty()))
}
