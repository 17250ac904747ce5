//! `outbox`: status and parked keys of the program's outboxes.

mod parked;
mod purge;
mod retry;
mod status;
mod which;

use clap::Subcommand;

use crate::context::{Context, Outcome};
use crate::error::OpsError;

#[derive(Subcommand)]
pub(crate) enum Outbox {
    /// Show depth, age of the oldest row, parked keys, rate and relays
    Status(status::Args),
    /// List parked keys and rows, and why they are parked
    Parked(parked::Args),
    /// Publish parked rows again, in the order of their keys
    Retry(retry::Args),
    /// Delete parked rows, which are then never published
    Purge(purge::Args),
}

impl Outbox {
    pub(crate) async fn run(self, context: &mut Context<'_>) -> Result<Outcome, OpsError> {
        match self {
            Self::Status(args) => status::run(context, &args).await,
            Self::Parked(args) => parked::run(context, &args).await,
            Self::Retry(args) => retry::run(context, &args).await,
            Self::Purge(args) => purge::run(context, &args).await,
        }
    }
}
