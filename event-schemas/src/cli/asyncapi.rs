//! `schemas asyncapi`: writes or checks the AsyncAPI document.

use super::document::{self, Target};
use super::{CliError, Context, Outcome};
use crate::asyncapi;

/// What `schemas asyncapi` is told.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    schemas asyncapi --output docs/asyncapi.json\n  \
    schemas asyncapi --output docs/asyncapi.json --check   in the CI\n  \
    schemas asyncapi | jq '.channels | keys'\n\n\
    The document is AsyncAPI 3.0 in JSON, which is YAML too.")]
pub(super) struct Args {
    #[command(flatten)]
    target: Target,
}

pub(super) fn run(context: &mut Context<'_>, args: &Args) -> Result<Outcome, CliError> {
    document::run(context, "asyncapi", &args.target, |context| {
        Ok(asyncapi::render(context.catalogue))
    })
}
