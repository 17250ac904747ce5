//! `permissions`: the users of the server with the least permissions, as the program declares them.

use clap::ValueEnum;

use crate::context::{Context, Outcome};
use crate::error::OpsError;

/// What `permissions` is told.
#[derive(clap::Args)]
#[command(after_help = "Nothing is connected. Passwords are not part of it.\n\n\
    Examples:\n  \
    permissions > permissions.conf\n  \
    permissions --service billing\n  \
    permissions --format json")]
pub(crate) struct Args {
    /// The user of this service, or of the deployment, operators or monitoring, alone
    #[arg(long, value_name = "NAME")]
    service: Option<String>,
    /// `server`: configuration of nats-server; json: for programs, as with `--json`
    #[arg(
        long,
        default_value = "server",
        value_name = "server|json",
        hide_default_value = true,
        hide_possible_values = true
    )]
    format: Format,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Server,
    Json,
}

pub(crate) fn run(context: &mut Context<'_>, args: &Args) -> Result<Outcome, OpsError> {
    let operations = context.operations;
    let builder = operations.permissions.as_ref().ok_or_else(|| {
        OpsError::Usage(format!(
            "`{}` declares no users, so there are no permissions to print; name them with `Operations::permissions`",
            operations.name
        ))
    })?;
    let mut permissions = builder.build()?;
    if let Some(name) = &args.service {
        permissions = permissions.of(name)?;
    }
    let output = &mut context.output;
    if output.json || args.format == Format::Json {
        output.json(&permissions)?;
    } else {
        write!(output.out, "{permissions}")?;
    }
    Ok(Outcome::Done)
}
