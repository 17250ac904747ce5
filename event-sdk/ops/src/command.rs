//! The commands, each in the file of its name.

mod doctor;
mod streams;

use clap::Subcommand;

use crate::context::{Context, Outcome};
use crate::error::OpsError;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// List and inspect streams; plan, apply and verify the topology
    #[command(subcommand)]
    Streams(streams::Streams),
    /// Say what is wrong with this set-up, why, and what to do
    Doctor(doctor::Args),
}

impl Command {
    pub(crate) async fn run(self, context: &mut Context<'_>) -> Result<Outcome, OpsError> {
        match self {
            Self::Streams(streams) => streams.run(context).await,
            Self::Doctor(args) => doctor::run(context, &args).await,
        }
    }
}
