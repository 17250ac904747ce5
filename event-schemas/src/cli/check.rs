//! `schemas check`: the code against the files, and the versions against one another.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::paint::{self, BAD, styled};
use super::{CliError, Context, Outcome};
use crate::check::{CheckError, Request, check};
use crate::compat::{ContentModel, Mode, Verdict};
use crate::report::Format;

/// What `schemas check` is told.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    schemas check                                   code against the files of the work tree\n  \
    schemas check --against origin/main             and against what was merged: for the CI\n  \
    schemas check --mode BACKWARD                   only what is stored has to be read\n  \
    schemas check --format sarif > check.sarif      for code scanning\n  \
    schemas check --against v1.4 --format github    as annotations of a pull request\n\n\
    The mode, the content model and waivers can be written into `check.toml` in the folder of\n\
    the contracts. `schemas explain RULE` says more about what was found.\n\n\
    Exit codes: 0 nothing stands against it, 1 something was found, 2 there was nothing to check\n\
    with (a wrong argument, files that cannot be read, a ref that is not there).")]
pub(super) struct Args {
    /// The git ref whose files count as agreed on, instead of those of the work tree
    #[arg(long, value_name = "REF")]
    against: Option<String>,
    /// Which versions have to understand one another: NONE, BACKWARD, BACKWARD_TRANSITIVE,
    /// FORWARD, FORWARD_TRANSITIVE, FULL, FULL_TRANSITIVE (the default)
    #[arg(long, value_name = "MODE", ignore_case = true)]
    mode: Option<Mode>,
    /// What readers do with fields that they do not know: tolerant (the default) or strict
    #[arg(long, value_name = "MODEL")]
    content_model: Option<ContentModel>,
    /// For whom the report is: people, json, sarif, github
    #[arg(long, value_name = "FORMAT", default_value_t)]
    format: Format,
    /// Let warnings make the check fail
    #[arg(long)]
    deny_warnings: bool,
}

pub(super) fn run(context: &mut Context<'_>, args: Args) -> Result<Outcome, CliError> {
    let today = Timestamp::now().to_zoned(TimeZone::UTC).date();
    let request = Request {
        mode: args.mode,
        content_model: args.content_model,
        against: args.against,
        deny_warnings: args.deny_warnings,
        ..Request::new(&context.dir, today)
    };
    let report = match check(context.catalogue, &request, Vec::new()) {
        Ok(report) => report,
        Err(CheckError::Faults(faults)) => {
            for fault in &faults {
                writeln!(
                    context.out,
                    "{}: {}",
                    styled(BAD, "fault"),
                    paint::chain(fault)
                )?;
            }
            return Ok(Outcome::Found);
        }
        Err(why) => {
            return Err(CliError::Failed {
                what: "nothing was checked".to_owned(),
                source: why.into(),
            });
        }
    };
    write!(context.out, "{}", report.render(args.format))?;
    Ok(match report.verdict() {
        Verdict::Compatible => Outcome::Done,
        Verdict::Unknown | Verdict::Broken => Outcome::Found,
    })
}
