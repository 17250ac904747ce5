//! `dlq export`: writes a letter as a unit test.

use std::path::PathBuf;

use super::place::Place;
use super::show::no_letter;
use crate::context::{Context, Outcome};
use crate::error::OpsError;

/// What `dlq export` is told.
#[derive(clap::Args)]
#[command(
    after_help = "The test decodes the event and passes it to the handler: it fails as long as the event is a dead\n\
    letter for a reason that the program still has. Replace personal data before you commit it.\n\n\
    Examples:\n  \
    dlq export 17 --set shop::Billing --handler shop::bill --show-personal-data --file test.rs"
)]
pub(crate) struct Args {
    /// The id of the letter
    id: u64,
    #[command(flatten)]
    place: Place,
    /// The path of the event set of the consumer
    #[arg(long, value_name = "PATH")]
    set: String,
    /// The path of an `async fn(set) -> Result<(), impl Debug>`
    #[arg(long, value_name = "PATH")]
    handler: String,
    /// Agree that the test contains the event, which can hold personal data
    #[arg(long, required = true)]
    show_personal_data: bool,
    /// Write to this file, which must not exist [default: the standard output]
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
}

pub(super) async fn run(context: &mut Context<'_>, args: &Args) -> Result<Outcome, OpsError> {
    let letters = args.place.open(context).await?;
    let stored = letters.show(args.id).await?;
    let stored = stored.ok_or_else(|| no_letter(args.id))?;
    let test = stored.letter.to_test(&args.set, &args.handler);
    let output = &mut context.output;
    let Some(file) = &args.file else {
        if output.json {
            output.json(&test)?;
        } else {
            output.out.write_all(test.as_bytes())?;
        }
        return Ok(Outcome::Done);
    };
    let written = std::fs::File::create_new(file)
        .and_then(|mut to| std::io::Write::write_all(&mut to, test.as_bytes()));
    let what = || format!("the test cannot be written to `{}`", file.display());
    written.map_err(|why| OpsError::failed(what(), why))?;
    if output.json {
        output.json(&serde_json::json!({ "id": args.id, "file": file }))?;
    } else {
        let file = file.display();
        output.line(format_args!("the test of letter {} is in {file}", args.id))?;
    }
    Ok(Outcome::Done)
}
