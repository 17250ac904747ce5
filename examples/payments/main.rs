//! Example `payments`: a payments platform of eight services, each with a database, an outbox, an inbox
//! and dead letters of its own. The money adds up, also if the process is killed at any time.
//!
//! ```text
//! cargo run --example payments
//! EVENT_SDK_TRANSPORT=nats EVENT_SDK_NATS__URL=nats://127.0.0.1:4222 cargo run --example payments
//! PAYMENTS_DATABASE_URL_FILE=/run/secrets/payments cargo run --example payments
//! cargo run --example payments -- --chaos
//! cargo run --example payments -- --chaos --payments 2000 --kills 50
//! cargo run --example payments -- --chaos --servers
//! ```
//!
//! The first form has no faults. Payments in a currency without a corridor become dead letters, which an
//! operator redrives. With `--chaos`, a supervisor kills the process of all services again and again:
//! databases are on disk, and the streams, which are in the process, begin anew. Beside it runs
//! a *control*, which books the same by the same functions and publishes after the commit, without outbox
//! and inbox. One table compares both. With `--servers` (or `PAYMENTS_SERVERS=true`) each service is a process
//! over a NATS server and PostgreSQL, which the program starts; the control is plain async-nats; and services,
//! the NATS server and PostgreSQL are killed apart.
//!
//! The databases are SQLite files, or schemas of PostgreSQL that are new in each run: `PAYMENTS_DATABASE_URL` has
//! the address of the database, or `PAYMENTS_DATABASE_URL_FILE` the path of a file with it.
//!
//! Why the streams can begin anew without a loss: rows of an outbox stay when they are published, and a
//! relay that starts first publishes again what was confirmed within the duplicate window. An empty stream
//! takes all of it, and the inboxes drop what their services have done.
//!
//! - `money`, `events`: an exact amount, and the nine events;
//! - `streams`: the eight streams with their retention, the users, and the bus;
//! - `database`: what SQLite and PostgreSQL have in common, and how each is opened;
//! - `node`, `services`: what each service has and does, complete in its file;
//! - `customers`: who submits which payments;
//! - `system`, `quiet`, `normal`: all services in one process, until nothing is left to do;
//! - `plain` (over `broker`): the control;
//! - `worker`, `process`, `chaos`: processes that are killed;
//! - `arrivals`, `tally`, `table`: what is counted, by statements on the databases.

mod args;
mod arrivals;
mod broker;
mod chaos;
mod customers;
mod database;
mod events;
#[path = "../logging.rs"]
mod logging;
mod money;
mod node;
mod normal;
mod plain;
mod process;
mod quiet;
mod services;
mod streams;
mod system;
mod table;
mod tally;
#[cfg(test)]
mod tests;
mod worker;

use event_sdk::config::Config;

use crate::args::{Args, Command};
use crate::chaos::Plan;
use crate::database::{Home, Schemas};
use crate::process::Program;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    if let Some(task) = worker::task()? {
        logging::install(&streams::config().load()?)?;
        return worker::work(&task).await;
    }
    let args = Args::read(std::env::args_os()).unwrap_or_else(|why| why.exit());
    start(&args).await
}

async fn start(args: &Args) -> anyhow::Result<()> {
    if args.command == Some(Command::Permissions) {
        print!("{}", streams::users().build()?);
        return Ok(());
    }
    let config = streams::config().load()?;
    logging::install(&config)?;
    match args.command {
        Some(Command::Apply) => {
            let bus = streams::connected(&config).await?;
            println!("{}", streams::TOPOLOGY.apply(&bus).await?);
        }
        _ if args.chaos => chaos(args).await?,
        _ => normal(args, &config).await?,
    }
    Ok(())
}

async fn normal(args: &Args, config: &Config) -> anyhow::Result<()> {
    let bus = match args.command {
        Some(Command::Run) => streams::connected(config).await?,
        _ => streams::configured(config).await?,
    };
    let operator = match &args.operator {
        Some(file) => {
            // Not by the variables, which are those of the services.
            let config = Config::loader().variables([("", ""); 0]).file(file);
            streams::connected(&config.load()?).await?
        }
        None => bus.clone(),
    };
    let outcome = if let Some(schemas) = Schemas::configured()? {
        let outcome = normal::run(bus, &operator, args.payments, &schemas, false).await?;
        schemas.remove().await?;
        outcome
    } else {
        let home = Home::new()?;
        normal::run(bus, &operator, args.payments, &home.files(), false).await?
    };
    for (cause, letters) in &outcome.letters {
        println!("{letters} dead letters, redriven: {cause}");
    }
    println!("{}", table::domains(&outcome.tally, &outcome.events));
    println!("{}", table::money(&outcome.tally));
    anyhow::ensure!(outcome.tally.is_clean(), "the money does not add up");
    Ok(())
}

async fn chaos(args: &Args) -> anyhow::Result<()> {
    let seed = args.seed.unwrap_or_else(|| fastrand::u64(..));
    let plan = Plan {
        payments: args.payments,
        kills: args.kills.unwrap_or(5),
        seed,
        servers: args.servers,
    };
    let program = Program::this([""; 0])?;
    let sides = chaos::compare(&program, plan).await?;
    println!("{}", table::money(&sides[0].tally));
    println!("{}", table::compared(&sides));
    println!("Seed {seed}. The first table is that of event-sdk.");
    anyhow::ensure!(sides[0].tally.is_clean(), "the money does not add up");
    Ok(())
}
