//! Example `shop`: three services with retry, outages, dead letters and a graceful end, over memory
//! or NATS.
//!
//! ```text
//! cargo run --example shop
//! export EVENT_SDK_TRANSPORT=nats EVENT_SDK_NATS__URL=nats://127.0.0.1:4222 EVENT_SDK_PREFIX=shop
//! cargo run --example shop
//! cargo run --example shop -- streams ls
//! cargo run --example shop -- permissions
//! ```
//!
//! - `events`: the events, and the sets that the services consume;
//! - `topology`: streams, consumers and users on a server;
//! - `orders`, `billing`, `audit`: the services, each complete in its file;
//! - `bank`: what `billing` calls, and what goes wrong there;
//! - `args`: the arguments; `serve`: one service in a process of its own;
//! - here: the bus, and all three services in one process.

mod args;
mod audit;
mod bank;
mod billing;
mod events;
#[path = "../logging.rs"]
mod logging;
mod orders;
mod serve;
#[cfg(test)]
mod tests;
mod topology;

use std::ffi::OsString;
use std::iter;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use event_sdk::EventBus;
use event_sdk::config::{Config, ConfigLoader, TransportChoice};
use event_sdk::consumer::{Consumers, shutdown_signal};
use event_sdk::dead_letters::{LetterFilter, Page};
use event_sdk_observe::metrics::Metrics;
use event_sdk_ops::Operations;
use event_sdk_topology::Topology;

use crate::args::{Args, Command, Format, OfOperation};
use crate::events::Audited;
use crate::topology::DEAD_LETTERS;

const DRAIN: Duration = Duration::from_secs(10);

#[tokio::main]
async fn main() -> ExitCode {
    let args = Args::read(std::env::args_os()).unwrap_or_else(|why| why.exit());
    match start(args).await {
        Ok(ended) => ended,
        Err(why) => {
            eprintln!("error: {why:?}");
            ExitCode::from(2)
        }
    }
}

async fn start(args: Args) -> anyhow::Result<ExitCode> {
    let topology = args.replicas.topology();
    match &args.command {
        Some(Command::Permissions { service, format }) => {
            print_permissions(&topology, service.as_deref(), *format)?;
        }
        // It connects by itself, once the command is read.
        Some(Command::Operate(command)) => {
            // The command reports a wrong configuration, if it needs one.
            if let Ok(config) = config().load() {
                logging::install(&config)?;
            }
            let args = as_arguments(&args.of_operation, command);
            return Ok(event_sdk_ops::run_with(&operations(&topology), args).await);
        }
        Some(command) => {
            let config = config().load()?;
            logging::install(&config)?;
            let bus = open(&config, &topology).await?;
            match command {
                Command::Serve { service, listen } => {
                    serve::serve(&bus, *service, *listen).await?;
                }
                Command::Take => orders::take(&bus, args.orders).await?,
                _ => println!("{}", topology.apply(&bus).await?),
            }
            bus.drain(DRAIN).await?;
        }
        None => {
            let config = config().load()?;
            logging::install(&config)?;
            run(args.orders, &config, &topology).await?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// A command of operation with its own options, without those of the shop before it.
fn as_arguments(options: &OfOperation, command: &[OsString]) -> impl Iterator<Item = OsString> {
    let program = iter::once("shop".into());
    let options = program.chain(options.arguments());
    options.chain(command.iter().cloned())
}

/// The commands of operation know the events, the topology and the users of the shop.
fn operations(topology: &Topology) -> Operations {
    Operations::new("shop")
        .topology(*topology)
        .permissions(topology::users(topology))
        .events::<Audited>()
}

/// The configuration of the environment; without one, everything stays in this process.
fn config() -> ConfigLoader {
    Config::loader().defaults(|config| config.transport = Some(TransportChoice::Memory))
}

/// Runs the services until they have handled so many orders. Returns the book.
async fn run(orders: u64, config: &Config, topology: &Topology) -> anyhow::Result<audit::Book> {
    let bus = open(config, topology).await?;
    topology.apply(&bus).await.context("the streams")?;
    let book = audit::Book::new();
    let services = Consumers::new();
    services.add(orders::consumer(&bus))?;
    services.add(billing::consumer(&bus, bank::Bank::default()))?;
    services.add(audit::consumer(&bus, book.clone()))?;
    orders::take(&bus, orders).await?;

    // Every 40th order has no price and becomes a dead letter.
    let ends = usize::try_from(orders - orders / 40)?;
    let done = async {
        tokio::select! {
            () = book.wait(ends) => {}
            () = shutdown_signal() => {}
        }
    };
    let report = services.run_until(done).await;
    for (name, report) in report.into_result()? {
        println!("{name}: {report}");
    }
    for (history, orders) in book.histories() {
        println!("{orders:>6}  {history}");
    }
    let letters = bus.dead_letters(DEAD_LETTERS);
    for letter in letters.list(&LetterFilter::open(), Page::ALL).await? {
        let (id, subject, class) = (letter.id, letter.origin.relative_subject(), letter.class);
        println!(
            "dead letter {id}: {subject}, {class} ({})",
            letter.errors.join("; ")
        );
    }
    bus.drain(DRAIN).await?;
    Ok(book)
}

/// The bus of the shop, which declares its topology.
async fn open(config: &Config, topology: &Topology) -> anyhow::Result<EventBus> {
    let bus = EventBus::builder().source("shop").observer(Metrics::new());
    Ok(topology.declare(bus).connect(config).await?)
}

fn print_permissions(
    topology: &Topology,
    user: Option<&str>,
    format: Format,
) -> anyhow::Result<()> {
    let mut permissions = topology::users(topology).build()?;
    if let Some(user) = user {
        permissions = permissions.of(user)?;
    }
    match format {
        Format::Server => print!("{permissions}"),
        Format::Json => println!("{}", serde_json::to_string_pretty(&permissions)?),
    }
    Ok(())
}
