//! `dlq export`: writes a letter as a unit test.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

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
    let what = || format!("the test cannot be written to `{}`", file.display());
    write(file, &test, File::sync_all).map_err(|why| OpsError::failed(what(), why))?;
    if output.json {
        output.json(&serde_json::json!({ "id": args.id, "file": file }))?;
    } else {
        let file = file.display();
        output.line(format_args!("the test of letter {} is in {file}", args.id))?;
    }
    Ok(Outcome::Done)
}

/// Writes a new file, and has it on disk when it returns: the letter may be purged next. If that fails, no file is left.
fn write(path: &Path, text: &str, sync: impl FnOnce(&File) -> io::Result<()>) -> io::Result<()> {
    let mut file = File::create_new(path)?;
    let written = file.write_all(text.as_bytes()).and_then(|()| sync(&file));
    if written.is_err() {
        // The error is what the caller acts on, also if the file stays.
        let _ = fs::remove_file(path);
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_test_is_complete_when_it_is_synced_and_no_file_is_left_without_that() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("letter.rs");
        let failed = write(&path, "fn test() {}", |_| {
            assert_eq!(fs::read_to_string(&path).unwrap(), "fn test() {}");
            Err(io::Error::other("the disk is away"))
        });
        assert_eq!(failed.unwrap_err().to_string(), "the disk is away");
        assert!(!path.exists());

        write(&path, "fn test() {}", File::sync_all).unwrap();
        let again = write(&path, "other", |_| unreachable!("the file exists"));
        assert_eq!(again.unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read_to_string(&path).unwrap(), "fn test() {}");
    }
}
