//! `schemas check`: arguments, sources, exit code and output format.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::{CliError, Context, Outcome};
use super::{paint, source};
use crate::check::{CheckError, Request, check, git};
use crate::compat::{ContentModel, EventRule, Finding, Mode, Verdict};
use crate::report::Format;
use crate::sources::{self, Problem};

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
    /// Which versions have to understand one another: `NONE`, `BACKWARD`, `BACKWARD_TRANSITIVE`,
    /// `FORWARD`, `FORWARD_TRANSITIVE`, `FULL`, `FULL_TRANSITIVE` (the default)
    #[arg(long, value_name = "MODE", ignore_case = true)]
    mode: Option<Mode>,
    /// What readers do with fields that they do not know: tolerant (the default) or strict
    #[arg(long, value_name = "MODEL")]
    content_model: Option<ContentModel>,
    /// For whom the report is: people, json, sarif, github
    #[arg(long, value_name = "FORMAT", default_value_t)]
    format: Format,
    /// Show every finding by itself and whole documents, instead of each cause once
    #[arg(long, short, visible_alias = "all")]
    verbose: bool,
    /// Let warnings make the check fail
    #[arg(long)]
    deny_warnings: bool,
    /// The sources in which events are looked for that are in no catalogue, and fields whose form
    /// no schema knows; `src` if there is one
    #[arg(long, value_name = "PATH")]
    sources: Vec<PathBuf>,
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
    let found = in_sources(context, args.sources)?;
    let report = match check(context.catalogue, &request, found) {
        Ok(report) => report,
        Err(CheckError::Faults(faults)) => {
            paint::faults(context.out, &faults)?;
            return Ok(Outcome::Found);
        }
        Err(why) => {
            return Err(CliError::Failed {
                what: "nothing was checked".to_owned(),
                source: why.into(),
            });
        }
    };
    let text = match args.format {
        Format::People if args.verbose => report.render_in_full(),
        format => report.render(format),
    };
    write!(context.out, "{text}")?;
    Ok(match report.verdict() {
        Verdict::Compatible => Outcome::Done,
        Verdict::Unknown | Verdict::Broken => Outcome::Found,
    })
}

/// What is wrong with the catalogue, or with the types of its events, as the sources have it.
fn in_sources(context: &Context<'_>, mut paths: Vec<PathBuf>) -> Result<Vec<Finding>, CliError> {
    if paths.is_empty() && source::has_root(Path::new("src")) {
        paths.push(PathBuf::from("src"));
    }
    let mut found = Vec::new();
    for path in source::folders(&paths)? {
        let sources = sources::scan(&path).map_err(|source| CliError::Failed {
            what: format!("the sources in {} cannot be scanned", path.display()),
            source: source.into(),
        })?;
        for problem in sources.problems(context.catalogue) {
            found.extend(findings(&problem));
        }
    }
    Ok(found)
}

/// One finding for each event that it is about, so that each is waived by its event.
fn findings(problem: &Problem) -> Vec<Finding> {
    let why = format!("In the sources, {problem}.");
    let found: Vec<_> = match problem {
        Problem::NotInCatalogue(event) => {
            vec![Finding::new(EventRule::EventUnlisted, why).about(&event.subject)]
        }
        Problem::UnsaidForm(form) => {
            let path = format!("{}.{}", form.ty, form.field);
            let unsaid = Finding::new(EventRule::FormUnsaid, why).field(path);
            let events = form.events.iter();
            events.map(|event| unsaid.clone().about(event)).collect()
        }
    };
    let file = problem.file().to_string_lossy().replace('\\', "/");
    let in_repository = git::in_repository(problem.file());
    let at =
        |finding: Finding| finding.at_source(file.clone(), problem.line(), in_repository.clone());
    found.into_iter().map(at).collect()
}
