//! `consumers`: the consumers of the server, their lag, pauses and resets.

mod info;
mod lag;
mod ls;
mod pause;
mod reset;
mod row;

use clap::Subcommand;

use crate::context::{Context, Outcome};
use crate::error::OpsError;

pub(super) use reset::{To, Way, reset_to};

#[derive(Subcommand)]
pub(crate) enum Consumers {
    /// List the consumers of a stream, or of all streams
    Ls(ls::Args),
    /// Show the settings of a consumer, and where it is in its stream
    Info(info::Args),
    /// Show how far consumers are behind, in events and in time
    Lag(lag::Args),
    /// Stop the deliveries of a consumer for a time (NATS server 2.11 or newer)
    Pause(pause::PauseArgs),
    /// Let a paused consumer go on
    Resume(pause::ResumeArgs),
    /// Move a consumer to another position of its stream (NATS server 2.14 or newer)
    Reset(reset::Args),
}

impl Consumers {
    pub(crate) async fn run(self, context: &mut Context<'_>) -> Result<Outcome, OpsError> {
        match self {
            Self::Ls(args) => ls::run(context, &args).await,
            Self::Info(args) => info::run(context, &args).await,
            Self::Lag(args) => lag::run(context, &args).await,
            Self::Pause(args) => pause::pause(context, &args).await,
            Self::Resume(args) => pause::resume(context, &args).await,
            Self::Reset(args) => reset::run(context, &args).await,
        }
    }
}

/// Which consumer.
#[derive(clap::Args)]
pub(crate) struct Named {
    /// The stream
    stream: String,
    /// The consumer
    consumer: String,
}
