//! `streams`: the streams of the server, and the declared topology.

mod ls;

use clap::Subcommand;

use crate::context::{Context, Outcome};
use crate::error::OpsError;

#[derive(Subcommand)]
pub(crate) enum Streams {
    /// List the streams of the account, with what they store
    Ls(ls::Args),
}

impl Streams {
    pub(crate) async fn run(self, context: &mut Context<'_>) -> Result<Outcome, OpsError> {
        match self {
            Self::Ls(args) => ls::run(context, &args).await,
        }
    }
}
