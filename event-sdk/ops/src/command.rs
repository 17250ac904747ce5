//! The commands, each in the file of its name.

mod dlq;
#[cfg(feature = "outbox")]
mod outbox;
#[cfg(feature = "outbox")]
mod recover;
mod schedule;
mod streams;

use clap::Subcommand;

use crate::context::{Context, Outcome};
use crate::error::OpsError;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// List and inspect streams; plan, apply and verify the topology
    #[command(subcommand)]
    Streams(streams::Streams),
    /// Dead letters: list, group, show, redrive, edit, export, archive, purge; dead keys
    #[command(subcommand)]
    Dlq(Box<dlq::Dlq>),
    /// Outboxes: status, parked keys, retry, purge
    #[cfg(feature = "outbox")]
    #[command(subcommand)]
    Outbox(outbox::Outbox),
    /// Events that wait to be published later: list, cancel
    #[command(subcommand)]
    Schedule(schedule::Schedule),
    /// Compare outbox, inboxes and consumers with the streams after a restore, and repair what diverges
    #[cfg(feature = "outbox")]
    Recover(recover::Args),
}

impl Command {
    pub(crate) async fn run(self, context: &mut Context<'_>) -> Result<Outcome, OpsError> {
        match self {
            Self::Streams(streams) => streams.run(context).await,
            Self::Dlq(dlq) => dlq.run(context).await,
            #[cfg(feature = "outbox")]
            Self::Outbox(outbox) => outbox.run(context).await,
            Self::Schedule(schedule) => schedule.run(context).await,
            #[cfg(feature = "outbox")]
            Self::Recover(args) => recover::run(context, &args).await,
        }
    }
}
