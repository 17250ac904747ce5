//! `dlq`: dead letters: list, group, show, redrive, edit, export, archive, purge; dead keys.

mod archive;
mod count;
mod edit;
mod export;
mod filter;
mod groups;
mod keys;
mod ls;
mod outcomes;
mod place;
mod purge;
mod redrive;
mod release;
mod row;
mod show;
mod structure;
mod unreadable;

use std::fmt::Display;

use clap::Subcommand;
use event_sdk::transport::Error;

use crate::change::Change;
use crate::context::{Context, Outcome};
use crate::error::OpsError;

#[derive(Subcommand)]
pub(crate) enum Dlq {
    /// List letters, oldest first, without data of their events
    Ls(ls::Args),
    /// Count letters
    Count(count::Args),
    /// Group letters by cause: class, error and event type
    Groups(groups::Args),
    /// Show one letter: why it came about, its headers and the structure of its body
    Show(show::Args),
    /// Send letters to their own consumers again, each one once
    Redrive(redrive::Args),
    /// Show what became of redriven letters
    Outcomes(outcomes::Args),
    /// Redrive one letter with another body
    Edit(edit::Args),
    /// Write a letter as a unit test that fails as long as its event does
    Export(export::Args),
    /// Put open letters aside, so that they are neither listed as open nor redriven
    Archive(archive::Archive),
    /// Take archived letters back, so that they are open again
    Reopen(archive::Reopen),
    /// Delete letters with everything that belongs to them
    Purge(purge::Purge),
    /// Delete letters whose events failed before a time
    Expire(purge::Expire),
    /// List messages among the letters that cannot be read as letters
    Unreadable(unreadable::Args),
    /// List the keys whose events wait (sequenced mode)
    Keys(keys::Args),
    /// Ask a consumer to handle the events of a dead key, in order
    Release(release::Release),
    /// Give up the dead letter at the head of a key, and go on with the events behind it
    SkipHead(release::SkipHead),
    /// Give up all events of a key that wait now
    DropKey(release::DropKey),
}

impl Dlq {
    pub(crate) async fn run(self, context: &mut Context<'_>) -> Result<Outcome, OpsError> {
        match self {
            Self::Ls(args) => ls::run(context, &args).await,
            Self::Count(args) => count::run(context, &args).await,
            Self::Groups(args) => groups::run(context, &args).await,
            Self::Show(args) => show::run(context, &args).await,
            Self::Redrive(args) => redrive::run(context, &args).await,
            Self::Outcomes(args) => outcomes::run(context, &args).await,
            Self::Edit(args) => edit::run(context, &args).await,
            Self::Export(args) => export::run(context, &args).await,
            Self::Archive(args) => args.run(context).await,
            Self::Reopen(args) => args.run(context).await,
            Self::Purge(args) => args.run(context).await,
            Self::Expire(args) => args.run(context).await,
            Self::Unreadable(args) => unreadable::run(context, &args).await,
            Self::Keys(args) => keys::run(context, &args).await,
            Self::Release(args) => args.run(context).await,
            Self::SkipHead(args) => args.run(context).await,
            Self::DropKey(args) => args.run(context).await,
        }
    }
}

/// Writes an audit line for work on several letters that ended early, since a part of it may be done, and
/// passes the answer on.
fn in_part<T>(
    context: &mut Context<'_>,
    change: &Change,
    what: impl Display,
    answer: Result<T, Error>,
) -> Result<T, Error> {
    if answer.is_err() {
        context.audit(change, format_args!("may have {what}"));
    }
    answer
}
