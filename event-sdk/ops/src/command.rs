//! The commands, each in the file of its name.

mod config;
mod consumers;
mod dlq;
mod doctor;
#[cfg(feature = "outbox")]
mod outbox;
mod permissions;
mod publish;
#[cfg(feature = "outbox")]
mod recover;
mod replay;
mod schedule;
mod select;
mod streams;
mod tail;
mod trace;
mod unread;

use clap::Subcommand;

use crate::context::{Context, Outcome};
use crate::error::OpsError;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// List and inspect streams; plan, apply and verify the topology
    #[command(subcommand)]
    Streams(streams::Streams),
    /// List consumers and their lag; pause, resume and reset them
    #[command(subcommand)]
    Consumers(consumers::Consumers),
    /// Show events as they are stored, decoded, until it is interrupted
    Tail(tail::Args),
    /// Show the events that one has caused, as a tree
    Trace(trace::Args),
    /// Publish an event, or bytes as they are
    Publish(publish::Args),
    /// Show stored events again, or deliver them again to one consumer
    Replay(replay::Args),
    /// Show the configuration
    #[command(subcommand)]
    Config(config::Config),
    /// Print the users of the server with the least permissions
    Permissions(permissions::Args),
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
    /// Compare outbox, inboxes and consumers with streams after a restore; repair what diverges
    #[cfg(feature = "outbox")]
    Recover(recover::Args),
    /// Say what is wrong with this set-up, why, and what to do
    Doctor(doctor::Args),
}

impl Command {
    pub(crate) async fn run(self, context: &mut Context<'_>) -> Result<Outcome, OpsError> {
        match self {
            Self::Streams(streams) => streams.run(context).await,
            Self::Consumers(consumers) => consumers.run(context).await,
            Self::Tail(args) => tail::run(context, &args).await,
            Self::Trace(args) => trace::run(context, &args).await,
            Self::Publish(args) => publish::run(context, &args).await,
            Self::Replay(args) => replay::run(context, &args).await,
            Self::Config(config) => config.run(context),
            Self::Permissions(args) => permissions::run(context, &args),
            Self::Dlq(dlq) => dlq.run(context).await,
            #[cfg(feature = "outbox")]
            Self::Outbox(outbox) => outbox.run(context).await,
            Self::Schedule(schedule) => schedule.run(context).await,
            #[cfg(feature = "outbox")]
            Self::Recover(args) => recover::run(context, &args).await,
            Self::Doctor(args) => doctor::run(context, &args).await,
        }
    }
}
