//! `dlq edit`: redrives a letter with another body.

use std::io::Read as _;
use std::path::PathBuf;

use bytes::Bytes;
use event_sdk::codec::RawEnvelope;
use event_sdk::dead_letters::DeadLetter;
use event_sdk::{RawEvent, Subject};
use serde::Serialize;

use super::place::Place;
use super::show::no_letter;
use super::structure::{Changed, changes};
use crate::change::Change;
use crate::context::{Context, Outcome};
use crate::error::OpsError;

/// What `dlq edit` is told.
#[derive(clap::Args)]
#[command(
    after_help = "The body is an envelope with the id of the original event, by which repeats are recognized, and\n\
    its data are those of the event, if this program knows it. The names of the fields that differ are\n\
    shown; a dry run checks the same. The letter keeps the original body; the redriven event says by\n\
    whom and why it was edited.\n\n\
    Examples:\n  \
    dlq show 17 --show-personal-data --body-only > 17.json\n  \
    dlq edit 17 --body 17.json --because 'the currency was missing'\n  \
    jq -c '.data.currency = \"EUR\"' 17.json | dlq edit 17 --body -"
)]
pub(crate) struct Args {
    /// The id of the letter
    id: u64,
    /// The file with the body; `-` reads the standard input
    #[arg(long, value_name = "FILE")]
    body: PathBuf,
    /// Send the event also if its data are not those of the event that this program knows
    #[arg(long)]
    unchecked: bool,
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    change: Change,
}

/// The result as JSON.
#[derive(Serialize)]
struct Edited {
    dry_run: bool,
    id: u64,
    body_bytes: usize,
    /// Whether the data are those of the event; null if this program does not know it.
    data_match: Option<bool>,
    /// The fields that differ; null if the original body is no JSON.
    changes: Option<Vec<Changed>>,
}

pub(super) async fn run(context: &mut Context<'_>, args: &Args) -> Result<Outcome, OpsError> {
    let body = Bytes::from(read(context, args)?);
    let letters = args.place.open(context).await?;
    let (id, body_bytes, dry_run) = (args.id, body.len(), args.change.dry_run);
    let stored = letters.show(id).await?;
    let letter = stored.ok_or_else(|| no_letter(id))?.letter;
    let edited = letters.check_edit(id, &body).await?;
    let checked = check(context, &letter, edited);
    let data_match = checked.as_ref().map(Result::is_ok);
    if let Some(Err(why)) = checked
        && !args.unchecked
    {
        return Err(OpsError::Usage(format!(
            "the event would fail again: {why}; `--unchecked` sends it all the same"
        )));
    }
    let changes = changes(&letter.body, &body);
    if !dry_run {
        let audit = args.change.beside_letters();
        let edited = letters.edit_and_redrive(id, body, &audit).await;
        let what = format!("redriven letter {id} of {letters} with another body");
        context.audited(&args.change, what, edited)?;
        let what = format_args!("redrove letter {id} of {letters} with another body");
        context.audit(&args.change, what);
    }
    let output = &mut context.output;
    if output.json {
        output.json(&Edited {
            dry_run,
            id,
            body_bytes,
            data_match,
            changes,
        })?;
        return Ok(Outcome::Done);
    }
    let would = if dry_run { "would be " } else { "" };
    output.line(format_args!(
        "letter {id} {would}redriven with a body of {body_bytes} bytes"
    ))?;
    match changes {
        None => output.line("  the original body is no JSON")?,
        Some(changes) if changes.is_empty() => output.line("  no field differs")?,
        Some(changes) => {
            for Changed { path, change } in changes {
                output.text(format_args!("  {path}: {change}"))?;
            }
        }
    }
    Ok(Outcome::Done)
}

/// Whether the edited data are those of the event; `None` if the program does not know it. The error has
/// no data.
fn check(
    context: &Context<'_>,
    letter: &DeadLetter,
    RawEnvelope { head, data }: RawEnvelope,
) -> Option<Result<(), String>> {
    let origin = &letter.origin;
    let relative = origin.prefix.as_ref().map(|_| origin.relative_subject());
    let known = context.operations.known(&origin.subject, relative)?;
    let subject = Subject::parse(origin.subject.to_string()).ok()?;
    let event = RawEvent {
        subject,
        head,
        data,
    };
    Some(known.read(&event).map(drop))
}

fn read(context: &mut Context<'_>, args: &Args) -> Result<Vec<u8>, OpsError> {
    let file = &args.body;
    let read = if file.as_os_str() == "-" {
        let mut body = Vec::new();
        let input = &mut context.output.input;
        input.read_to_end(&mut body).map(|_| body)
    } else {
        std::fs::read(file)
    };
    let what = || format!("the body cannot be read from `{}`", file.display());
    read.map_err(|why| OpsError::failed(what(), why))
}
