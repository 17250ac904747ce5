//! `dlq edit`: redrives a letter with another body.

use std::io::Read as _;
use std::path::PathBuf;

use serde::Serialize;

use super::place::Place;
use super::show::no_letter;
use crate::change::Change;
use crate::context::{Context, Outcome};
use crate::error::OpsError;

/// What `dlq edit` is told.
#[derive(clap::Args)]
#[command(
    after_help = "The body is an envelope with the id of the original event, by which repeats are recognized. The\n\
    letter keeps the original body; the redriven event says by whom and why it was edited.\n\n\
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
}

pub(super) async fn run(context: &mut Context<'_>, args: &Args) -> Result<Outcome, OpsError> {
    let body = read(context, args)?;
    let letters = args.place.open(context).await?;
    let (id, body_bytes, dry_run) = (args.id, body.len(), args.change.dry_run);
    if dry_run {
        let stored = letters.show(id).await?;
        stored.ok_or_else(|| no_letter(id))?;
    } else {
        let audit = args.change.beside_letters();
        let edited = letters.edit_and_redrive(id, body.into(), &audit).await;
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
        })?;
    } else {
        let would = if dry_run { "would be " } else { "" };
        output.line(format_args!(
            "letter {id} {would}redriven with a body of {body_bytes} bytes"
        ))?;
    }
    Ok(Outcome::Done)
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
