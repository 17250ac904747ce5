//! The commands, each in the file of its name.

mod streams;

use clap::Subcommand;

use crate::context::{Context, Outcome};
use crate::error::OpsError;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// List and inspect streams; plan, apply and verify the topology
    #[command(subcommand)]
    Streams(streams::Streams),
}

impl Command {
    pub(crate) async fn run(self, context: &mut Context<'_>) -> Result<Outcome, OpsError> {
        match self {
            Self::Streams(streams) => streams.run(context).await,
        }
    }
}
