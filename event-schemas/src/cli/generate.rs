//! `schemas generate`: writes the lock, or with `--check` compares it with the code.

use super::paint::{self, BAD, DIM, GOOD, NAME, styled};
use super::{CliError, Context, Outcome};
use crate::lock::{self, GenerateError, Options};

/// What `schemas generate` is told.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    schemas generate\n  \
    schemas generate --check                         write nothing, end with 1 if there is something to write\n  \
    schemas generate --replace orders.order.placed   its newest version was not released yet\n  \
    schemas generate --retire orders.order.voided    nobody publishes it any longer\n\n\
    A version that is in the lock stays as it is: what changes its contract raises the\n\
    version. Nothing is written if anything stands against it.")]
pub(super) struct Args {
    /// Write nothing: only say what would be written
    #[arg(long)]
    check: bool,
    /// Write another contract over the newest version of this event, which nobody has seen yet
    #[arg(long, value_name = "SUBJECT")]
    replace: Vec<String>,
    /// Note that nobody publishes this event any longer
    #[arg(long, value_name = "SUBJECT")]
    retire: Vec<String>,
}

pub(super) fn run(context: &mut Context<'_>, args: &Args) -> Result<Outcome, CliError> {
    let mut options = Options::default();
    for subject in &args.replace {
        options = options.replace(subject);
    }
    for subject in &args.retire {
        options = options.retire(subject);
    }
    let result = if args.check {
        check(context, &options)
    } else {
        write(context, &options)
    };
    match result {
        Ok(outcome) => outcome,
        Err(GenerateError::Faults(faults)) => {
            paint::faults(context.out, &faults)?;
            Ok(Outcome::Found)
        }
        Err(GenerateError::Conflicts(conflicts)) => {
            for conflict in &conflicts {
                writeln!(context.out, "{}: {conflict}", styled(BAD, "conflict"))?;
            }
            writeln!(context.out, "Nothing was written.")?;
            Ok(Outcome::Found)
        }
        Err(why) => Err(CliError::Failed {
            what: format!("{}", context.dir.display()),
            source: why.into(),
        }),
    }
}

fn write(
    context: &mut Context<'_>,
    options: &Options,
) -> Result<Result<Outcome, CliError>, GenerateError> {
    let written = lock::generate(context.catalogue, &context.dir, options)?;
    let count = (written.files.len(), written.unchanged);
    Ok(say(context, "wrote", &written.files, count.1).map(|()| Outcome::Done))
}

fn check(
    context: &mut Context<'_>,
    options: &Options,
) -> Result<Result<Outcome, CliError>, GenerateError> {
    let files = lock::drift(context.catalogue, &context.dir, options)?;
    if files.is_empty() {
        let dir = context.dir.display();
        let line = writeln!(
            context.out,
            "{}: {dir} is as the code says",
            styled(GOOD, "ok")
        );
        return Ok(line.map(|()| Outcome::Done).map_err(Into::into));
    }
    let mut say = || {
        for file in &files {
            writeln!(
                context.out,
                "{} {}",
                styled(BAD, "differs"),
                styled(NAME, file)
            )?;
        }
        writeln!(
            context.out,
            "The files are not as the code says; run `schemas generate` and commit them."
        )
    };
    Ok(say().map(|()| Outcome::Found).map_err(Into::into))
}

fn say(
    context: &mut Context<'_>,
    did: &str,
    files: &[String],
    unchanged: usize,
) -> Result<(), CliError> {
    for file in files {
        writeln!(context.out, "{} {}", styled(GOOD, did), styled(NAME, file))?;
    }
    let line = format!(
        "{} in {}: {} written, {unchanged} unchanged",
        plural(context.catalogue.events().len(), "event"),
        context.dir.display(),
        plural(files.len(), "file"),
    );
    writeln!(context.out, "{}", styled(DIM, line))?;
    Ok(())
}

/// `1 event`, `2 events`.
fn plural(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}
