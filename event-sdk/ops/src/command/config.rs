//! `config show`: each setting, its value and where it comes from.

use clap::Subcommand;
use event_sdk::config::{Config as Settings, settings};
use serde::Serialize;

use crate::context::{Context, Outcome};
use crate::error::OpsError;

#[derive(Subcommand)]
pub(crate) enum Config {
    /// Show each setting, its value without secrets, and where it comes from
    Show(Args),
}

/// What `config show` is told.
#[derive(clap::Args)]
#[command(after_help = "A secret is shown as `…`. Nothing is connected.\n\n\
    Examples:\n  \
    config show\n  \
    config show --all\n  \
    config show --template > .env")]
pub(crate) struct Args {
    /// Also settings that have their defaults
    #[arg(long)]
    all: bool,
    /// Write a template for a .env file with all settings instead
    #[arg(long, conflicts_with = "all")]
    template: bool,
}

/// A setting as JSON.
#[derive(Serialize)]
struct Row {
    setting: &'static str,
    variable: String,
    /// Null if it is not set and has no default; `…` for a secret.
    value: Option<String>,
    /// Where the value was found; null for a default.
    origin: Option<String>,
}

impl Config {
    pub(crate) fn run(self, context: &mut Context<'_>) -> Result<Outcome, OpsError> {
        match self {
            Self::Show(args) => show(context, &args),
        }
    }
}

fn show(context: &mut Context<'_>, args: &Args) -> Result<Outcome, OpsError> {
    if args.template {
        let template = Settings::env_template();
        let output = &mut context.output;
        if output.json {
            output.json(&template)?;
        } else {
            write!(output.out, "{template}")?;
        }
        return Ok(Outcome::Done);
    }
    let config = context.config()?;
    let rows = settings().iter().map(|setting| Row {
        setting: setting.name(),
        variable: setting.variable(),
        value: setting.shown(&config),
        origin: config.origin(setting.name()).map(ToString::to_string),
    });
    let rows: Vec<_> = rows
        .filter(|row| args.all || row.origin.is_some())
        .collect();
    let output = &mut context.output;
    if output.json {
        output.json(&rows)?;
    } else if rows.is_empty() {
        output.text("nothing is configured; `config show --template` lists all settings")?;
    } else {
        let rows = rows.into_iter().map(|row| {
            let default = || "default".to_owned();
            [
                row.setting.to_owned(),
                row.value.unwrap_or_else(|| "-".to_owned()),
                row.origin.unwrap_or_else(default),
            ]
        });
        output.table(["SETTING", "VALUE", "FROM"], rows)?;
    }
    Ok(Outcome::Done)
}
