//! The arguments of the shop.

use std::ffi::OsString;
use std::net::SocketAddr;

use clap::{Parser, Subcommand, ValueEnum};
use event_sdk_topology::Topology;

use crate::topology::{CLUSTERED, SINGLE};

/// Takes orders, bills them and keeps a book, in three services.
#[derive(Debug, Parser)]
#[command(name = "shop")]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,

    /// How many orders are taken.
    #[arg(long, value_name = "NUMBER", default_value_t = 200)]
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
}

/// One part of the shop alone; all services in one process if none is named.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// The deployment step: makes streams, consumers and the bucket.
    Apply,
    /// Runs one service until SIGTERM or Ctrl-C, with probes and metrics.
    Serve {
        service: ServiceName,
        /// Where `/live`, `/ready`, `/health` and `/metrics` answer.
        #[arg(long, env = "SHOP_LISTEN", default_value = "127.0.0.1:8080")]
        listen: SocketAddr,
    },
    /// Takes orders, as the web site of the shop would.
    Take,
    /// Any command of operation, with its options behind it: `shop streams --help`.
    #[command(external_subcommand)]
    Operate(Vec<OsString>),
    /// Prints the least permissions of each user.
    Permissions {
        /// Of this user alone.
        #[arg(long, value_name = "NAME")]
        service: Option<String>,
        #[arg(long, value_enum, default_value = "server")]
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
