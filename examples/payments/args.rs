//! Command-line arguments of the example `payments`.

use clap::Parser;

/// Eight services of a payments platform, each with a database of its own.
#[derive(Debug, Clone, Parser)]
#[command(name = "payments")]
pub(crate) struct Args {
    /// How many payments customers submit.
    #[arg(long, value_name = "NUMBER", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub(crate) payments: u32,

    /// Kills the process again and again, and compares the result with a control without event-sdk.
    #[arg(long)]
    pub(crate) chaos: bool,

    /// How often a process of each side, or the server, is killed.
    #[arg(long, value_name = "NUMBER", default_value_t = 5, requires = "chaos", value_parser = clap::value_parser!(u32).range(..=1_000_000))]
    pub(crate) kills: u32,

    /// Runs each service as a process of its own, over a NATS server that is killed too. The program
    /// `nats-server` is the one that `EVENT_SDK_NATS_SERVER` names, that of the PATH, or the one that
    /// `cargo xtask services` installs.
    #[arg(long, requires_if("true", "chaos"), env = "PAYMENTS_SERVERS")]
    pub(crate) servers: bool,

    /// When the process is killed is drawn from this seed. Default: another one each time.
    #[arg(long, value_name = "NUMBER", requires = "chaos")]
    pub(crate) seed: Option<u64>,
}
