//! `dlq outcomes`: what became of redriven letters.

use event_sdk::dead_letters::{LetterStatus, RedriveOutcome};
use serde::Serialize;

use super::filter::Filter;
use super::place::Place;
use crate::context::{Context, Outcome};
use crate::error::OpsError;
use crate::output::{BAD, GOOD, styled};
use crate::units::count;

/// What `dlq outcomes` is told.
#[derive(clap::Args)]
#[command(after_help = "The exit code is 1 if an event failed again.\n\n\
    Examples:\n  \
    dlq outcomes --consumer billing\n  \
    dlq outcomes --json | jq '.[] | select(.outcome == \"failed-again\")'")]
pub(crate) struct Args {
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    filter: Filter,
}

/// An outcome as JSON.
#[derive(Serialize)]
struct Row {
    id: u64,
    outcome: &'static str,
    /// The letter that the event has become.
    next_letter: Option<u64>,
}

impl Row {
    fn new(id: u64, outcome: RedriveOutcome) -> Self {
        let (outcome, next_letter) = match outcome {
            RedriveOutcome::Handled => ("handled", None),
            RedriveOutcome::FailedAgain { letter } => ("failed-again", Some(letter)),
            RedriveOutcome::Waiting => ("waiting", None),
            _ => ("unknown", None),
        };
        Self {
            id,
            outcome,
            next_letter,
        }
    }
}

pub(super) async fn run(context: &mut Context<'_>, args: &Args) -> Result<Outcome, OpsError> {
    let letters = args.place.open(context).await?;
    let filter = args.filter.resolve(&*letters, Some(LetterStatus::Redriven));
    let outcomes = letters.outcomes(&filter.await?).await?;
    let rows: Vec<_> = outcomes
        .into_iter()
        .map(|(id, outcome)| Row::new(id, outcome))
        .collect();
    let of = |outcome: &str| rows.iter().filter(|row| row.outcome == outcome).count() as u64;
    let again = of("failed-again");
    let output = &mut context.output;
    if output.json {
        output.json(&rows)?;
        return Ok(Outcome::found(again > 0));
    }
    if rows.is_empty() {
        output.line("no letter was redriven")?;
        return Ok(Outcome::Done);
    }
    let cells = rows.iter().map(|row| {
        let next = row.next_letter;
        [
            row.id.to_string(),
            row.outcome.to_owned(),
            next.map_or_else(String::new, |next| format!("letter {next}")),
        ]
    });
    output.table(["ID", "OUTCOME", "NOW"], cells)?;
    let style = if again > 0 { BAD } else { GOOD };
    let again_text = format!("{again} failed again");
    output.line(format_args!(
        "{}: {} handled, {}, {} waiting, {} unknown",
        count(rows.len() as u64, "redriven letter"),
        of("handled"),
        styled(style, again_text),
        of("waiting"),
        of("unknown"),
    ))?;
    Ok(Outcome::found(again > 0))
}
