//! `streams`: the streams of the server, and the declared topology.

mod apply;
#[cfg(feature = "backup")]
mod backup;
#[cfg(feature = "nats")]
mod file;
mod info;
mod ls;
mod plan;
mod purge;
mod report;
mod row;
mod verify;

use clap::Subcommand;

use crate::context::{Context, Outcome};
use crate::error::OpsError;

#[derive(Subcommand)]
pub(crate) enum Streams {
    /// List the streams of the account, with what they store
    Ls(ls::Args),
    /// Show the settings of a stream, and what it stores
    Info(info::Args),
    /// Show how full the streams are, how old their messages, and what the account has left
    Report(report::Args),
    /// Show what applying the topology would change, and change nothing
    Plan,
    /// Create and change streams, consumers and the bucket as the topology declares them
    Apply(apply::Args),
    /// Find what is missing, what was changed by hand, and streams that overlap
    Verify,
    /// Delete messages of a stream
    Purge(purge::Args),
    /// Write the settings of a stream or consumer as a file of the nats command line
    #[cfg(feature = "nats")]
    Export(file::ExportArgs),
    /// Create a stream as a file of the nats command line describes it
    #[cfg(feature = "nats")]
    Import(file::ImportArgs),
    /// Write a stream into a file, with its messages and consumers
    #[cfg(feature = "backup")]
    Backup(backup::BackupArgs),
    /// Create a stream from a backup
    #[cfg(feature = "backup")]
    Restore(backup::RestoreArgs),
}

impl Streams {
    pub(crate) async fn run(self, context: &mut Context<'_>) -> Result<Outcome, OpsError> {
        match self {
            Self::Ls(args) => ls::run(context, &args).await,
            Self::Info(args) => info::run(context, &args).await,
            Self::Report(args) => report::run(context, &args).await,
            Self::Plan => plan::run(context).await,
            Self::Apply(args) => apply::run(context, &args).await,
            Self::Verify => verify::run(context).await,
            Self::Purge(args) => purge::run(context, &args).await,
            #[cfg(feature = "nats")]
            Self::Export(args) => file::export(context, &args).await,
            #[cfg(feature = "nats")]
            Self::Import(args) => file::import(context, &args).await,
            #[cfg(feature = "backup")]
            Self::Backup(args) => backup::backup(context, &args).await,
            #[cfg(feature = "backup")]
            Self::Restore(args) => backup::restore(context, &args).await,
        }
    }
}
