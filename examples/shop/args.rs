//! The arguments of the shop.

use std::ffi::OsString;
use std::net::SocketAddr;

use clap::builder::NonEmptyStringValueParser;
use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand, ValueEnum};
use event_sdk_topology::Topology;

use crate::topology::{CLUSTERED, SINGLE};

/// Takes orders, bills them and keeps a book, in three services.
#[derive(Debug, Parser)]
#[command(name = "shop")]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,

    /// How many orders are taken.
    #[arg(
        long,
        value_name = "NUMBER",
        env = "SHOP_ORDERS",
        default_value_t = 200
    )]
    pub(crate) orders: u64,

    /// How many servers keep each stream.
    #[arg(
        long,
        global = true,
        value_enum,
        env = "SHOP_REPLICAS",
        default_value = "1"
    )]
    pub(crate) replicas: Replicas,

    #[command(flatten)]
    pub(crate) of_operation: OfOperation,
}

impl Args {
    /// Reads them, and refuses options that the command would leave out. Variables may be there for other commands.
    pub(crate) fn read<T: Into<OsString> + Clone>(
        arguments: impl IntoIterator<Item = T>,
    ) -> Result<Self, clap::Error> {
        let matches = Self::command().try_get_matches_from(arguments)?;
        let args = Self::from_arg_matches(&matches)?;
        let is_given = |option| matches.value_source(option) == Some(ValueSource::CommandLine);
        let operates = matches!(args.command, Some(Command::Operate(_)));
        if operates || !OfOperation::OPTIONS.into_iter().any(is_given) {
            return Ok(args);
        }
        Err(Self::command().error(
            ErrorKind::ArgumentConflict,
            "--json, --config and --color are options of commands of operation, such as `shop --json streams ls`",
        ))
    }
}

/// The options that all commands of operation have: they stand before or behind the command.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Commands of operation")]
pub(crate) struct OfOperation {
    /// Writes JSON.
    #[arg(long, env = "SHOP_JSON")]
    json: bool,

    /// A TOML file of the configuration, instead of the one that `EVENT_SDK_CONFIG_FILE` names.
    #[arg(long, value_name = "FILE")]
    config: Option<OsString>,

    /// When to use colours.
    #[arg(long, value_name = "auto|always|never", env = "SHOP_COLOR")]
    color: Option<OsString>,
}

impl OfOperation {
    const OPTIONS: [&str; 3] = ["json", "config", "color"];

    /// As they were given.
    pub(crate) fn arguments(&self) -> Vec<OsString> {
        let mut arguments = Vec::new();
        if self.json {
            arguments.push("--json".into());
        }
        for (option, value) in [("--config", &self.config), ("--color", &self.color)] {
            if let Some(value) = value {
                arguments.extend([option.into(), value.clone()]);
            }
        }
        arguments
    }
}

/// One part of the shop alone; all services in one process if none is named.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// The deployment step: makes streams, consumers and the bucket.
    Apply,
    /// Runs one service until SIGTERM or Ctrl-C, with probes and metrics.
    Serve {
        #[arg(env = "SHOP_SERVICE")]
        service: ServiceName,
        /// Where `/live`, `/ready`, `/health` and `/metrics` answer.
        #[arg(long, env = "SHOP_LISTEN", default_value = "127.0.0.1:8080")]
        listen: SocketAddr,
    },
    /// Takes orders, as the web site of the shop would.
    Take,
    /// Any command of operation: `shop streams --help`.
    #[command(external_subcommand)]
    Operate(Vec<OsString>),
    /// Prints the least permissions of each user.
    Permissions {
        /// Of this user alone.
        #[arg(long, value_name = "NAME", env = "SHOP_USER", value_parser = NonEmptyStringValueParser::new())]
        service: Option<String>,
        #[arg(long, value_enum, env = "SHOP_FORMAT", default_value = "server")]
        format: Format,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ServiceName {
    Orders,
    Billing,
    Audit,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Replicas {
    #[value(name = "1")]
    One,
    #[value(name = "3")]
    Three,
}

impl Replicas {
    pub(crate) fn topology(self) -> Topology {
        match self {
            Self::One => SINGLE,
            Self::Three => CLUSTERED,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Configuration of nats-server.
    Server,
    /// For programs.
    Json,
}
