//! `schedule`: events that wait to be published later.

mod cancel;
mod ls;

use clap::Subcommand;
use event_sdk::EventBus;
use event_sdk::transport::{Capability, Operation, TransportExt as _};

use crate::context::{Context, Outcome};
use crate::error::OpsError;

#[derive(Subcommand)]
pub(crate) enum Schedule {
    /// List events that wait for their time
    Ls(ls::Args),
    /// Cancel events that wait for their time
    Cancel(cancel::Args),
}

impl Schedule {
    pub(crate) async fn run(self, context: &mut Context<'_>) -> Result<Outcome, OpsError> {
        match self {
            Self::Ls(args) => ls::run(context, &args).await,
            Self::Cancel(args) => cancel::run(context, &args).await,
        }
    }
}

/// A bus that can schedule. Otherwise the error names the version of the server that is needed.
async fn scheduling_bus(context: &Context<'_>) -> Result<EventBus, OpsError> {
    let bus = context.bus().await?;
    let needs = [Capability::Scheduler];
    bus.transport().check_needs(needs, Operation::Schedule)?;
    Ok(bus)
}
