//! Command-line arguments of the example `payments`.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::error::ErrorKind;
use clap::{CommandFactory as _, Parser, Subcommand};

/// Eight services of a payments platform, each with a database of its own.
///
/// The databases are SQLite files. With the variable `PAYMENTS_DATABASE_URL`
/// (`postgres://<user>:<password>@<host>:<port>/<database>`), or `PAYMENTS_DATABASE_URL_FILE` with the path of
/// a file that has this address, they are schemas of PostgreSQL, which are new in each run.
#[derive(Debug, Clone, Parser)]
#[command(name = "payments")]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,

    /// How many payments customers submit.
    #[arg(long, value_name = "NUMBER", env = "PAYMENTS_PAYMENTS", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub(crate) payments: u32,

    /// Kills the process again and again, and compares the result with a control without event-sdk.
    #[arg(long, env = "PAYMENTS_CHAOS")]
    pub(crate) chaos: bool,

    /// How often a process of each side, or a server, is killed. Default: 5.
    #[arg(long, value_name = "NUMBER", env = "PAYMENTS_KILLS", value_parser = clap::value_parser!(u32).range(..=1_000_000))]
    pub(crate) kills: Option<u32>,

    /// Runs each service as a process of its own, over a NATS server and a PostgreSQL, which are started
    /// for this and killed too. The programs are those that `EVENT_SDK_NATS_SERVER` and
    /// `EVENT_SDK_POSTGRES` name, those of the PATH, or those that `cargo xtask services` installs.
    #[arg(long, env = "PAYMENTS_SERVERS")]
    pub(crate) servers: bool,

    /// When the process is killed is drawn from this seed. Default: another one each time.
    #[arg(long, value_name = "NUMBER", env = "PAYMENTS_SEED")]
    pub(crate) seed: Option<u64>,

    /// The configuration of the operator who redrives dead letters. Default: that of the services.
    #[arg(long, value_name = "FILE", env = "PAYMENTS_OPERATOR")]
    pub(crate) operator: Option<PathBuf>,
}

impl Args {
    /// Reads them, and refuses those that do not belong together. For clap, `PAYMENTS_CHAOS=false` would be `--chaos`.
    pub(crate) fn read<T: Into<OsString> + Clone>(
        arguments: impl IntoIterator<Item = T>,
    ) -> Result<Self, clap::Error> {
        let args = Self::try_parse_from(arguments)?;
        let of_chaos = args.servers || args.kills.is_some() || args.seed.is_some();
        let why = if of_chaos && !args.chaos {
            "--servers, --kills and --seed need --chaos"
        } else if args.chaos && args.operator.is_some() {
            "--operator cannot be used with --chaos"
        } else {
            return Ok(args);
        };
        Err(Self::command().error(ErrorKind::ArgumentConflict, why))
    }
}

/// One step alone, without faults; both if none is named.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Subcommand)]
pub(crate) enum Command {
    /// The deployment step: makes streams and durables.
    Apply,
    /// Submits payments and runs the services, on what is there.
    Run,
    /// Prints the least permissions of the users, as configuration of nats-server.
    Permissions,
}
