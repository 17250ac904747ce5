//! `schemas page`: writes or checks the HTML catalogue page.

use std::collections::BTreeMap;

use super::document::{self, Target};
use super::{CliError, Context, Outcome};
use crate::check::git;
use crate::lock::{Lock, LockError};
use crate::page;

/// What `schemas page` is told.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    schemas page --output docs/events.html\n  \
    schemas page --output docs/events.html --check   in the CI\n  \
    schemas page --output site/events.html --dates   to publish it\n\n\
    The page is one file that loads nothing. Older versions are taken from the lock.")]
pub(super) struct Args {
    #[command(flatten)]
    target: Target,
    /// Show since when there is each version: the day of the commit that added its file
    ///
    /// It needs git and the whole history. A page that is committed together with the lock cannot
    /// have the day of that commit, so that this is for a page that is published.
    #[arg(long, conflicts_with = "check")]
    dates: bool,
}

pub(super) fn run(context: &mut Context<'_>, args: &Args) -> Result<Outcome, CliError> {
    if context.is_terminal && args.target.is_output() {
        return Err(CliError::Usage(
            "the page is made for a browser and not for a terminal; write it to a file: \
             `schemas page --output events.html`"
                .to_owned(),
        ));
    }
    document::run(context, "page", &args.target, |context| {
        let history = match Lock::read(&context.dir) {
            Ok(lock) => Some(lock),
            Err(LockError::NoLock) => None,
            Err(source) => {
                return Err(CliError::Failed {
                    what: format!("{}", context.dir.display()),
                    source: source.into(),
                });
            }
        };
        let dates = if args.dates {
            git::first_committed(&context.dir).map_err(|source| CliError::Failed {
                what: format!("{}", context.dir.display()),
                source: source.into(),
            })?
        } else {
            BTreeMap::new()
        };
        Ok(page::render_dated(
            context.catalogue,
            history.as_ref(),
            &dates,
        ))
    })
}
