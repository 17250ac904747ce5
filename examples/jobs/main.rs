//! Example `jobs`: pipelines of jobs on a group of workers, over memory or NATS; counts lost
//! and repeated effects.
//!
//! ```text
//! cargo run --example jobs
//! cargo run --example jobs -- permissions
//! EVENT_SDK_TRANSPORT=nats EVENT_SDK_NATS__URL=nats://127.0.0.1:4222 cargo run --example jobs
//! ```
//!
//! The modules, in the order in which data flows:
//!
//! - `args`, `bus`: arguments; the topology with its users, and the bus;
//! - `planner`, `publishing`: publishes pipelines and their jobs, until they are stored;
//! - `worker`: takes jobs from a shared durable, and publishes results;
//! - `cancellations`: which jobs are no longer wanted;
//! - `coordinator`: publishes the start and end of each pipeline;
//! - `monitor`: prints the events of pipelines;
//! - `ledger`: counts lost and repeated effects.

mod args;
mod bus;
mod cancellations;
mod coordinator;
mod ledger;
#[path = "../logging.rs"]
mod logging;
mod monitor;
mod planner;
mod publishing;
#[cfg(test)]
mod tests;
mod worker;

use std::io::{self, Write};
use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::Parser;
use event_sdk::config::{Config, ConfigLoader, TransportChoice};
use event_sdk::subject;
use event_sdk_examples::events::jobs as events;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::args::{Args, Command};
use crate::bus::TOPOLOGY;
use crate::ledger::Ledger;
use crate::worker::Done;

#[tokio::main]
async fn main() -> ExitCode {
    match start(Args::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn start(args: Args) -> anyhow::Result<()> {
    if args.command == Some(Command::Permissions) {
        print!("{}", bus::users().build()?);
        return Ok(());
    }
    let config = config().load()?;
    logging::install(&config)?;
    if args.command == Some(Command::Apply) {
        let bus = bus::open(&config).await?;
        println!("{}", TOPOLOGY.apply(&bus).await?);
        return Ok(());
    }
    run(args, config).await.map(drop)
}

/// The configuration of the environment; without one, everything stays in this process.
fn config() -> ConfigLoader {
    Config::loader().defaults(|config| config.transport = Some(TransportChoice::Memory))
}

/// Runs the pipelines, and answers what the stream has of them.
async fn run(args: Args, config: Config) -> anyhow::Result<Ledger> {
    let bus = bus::open(&config).await?;
    if args.command != Some(Command::Run) {
        TOPOLOGY.apply(&bus).await.context("the stream")?;
    }
    let pipelines = monitor::Shown {
        subjects: subject!("pipeline.>"),
        run: args.run.clone(),
        ends: Some(args.pipelines),
    };
    let pipelines = monitor::open(&bus, pipelines).await?;
    let pipelines = tokio::spawn(pipelines.print());
    let mut monitors = JoinSet::new();
    if args.verbose {
        for subjects in [subject!("log.chunk"), subject!("worker.*")] {
            let shown = monitor::Shown {
                subjects,
                run: args.run.clone(),
                ends: None,
            };
            monitors.spawn(monitor::open(&bus, shown).await?.print());
        }
    }
    let (cancellations, listener) = cancellations::open(&bus).await?;
    let mut listener = tokio::spawn(listener.listen());
    let (stop, stopped) = watch::channel(false);
    let mut workers = JoinSet::new();
    for number in 1..=args.workers {
        let work = worker::work(
            bus.clone(),
            format!("{}.worker-{number}", args.run),
            cancellations.clone(),
            stopped.clone(),
        );
        workers.spawn(async move { (number, work.await) });
    }
    let mut coordinator = tokio::spawn(coordinator::coordinate(bus.clone(), args.run.clone()));
    let mut planner = tokio::spawn(planner::plan(bus.clone(), args.clone()));
    let mut ledger = tokio::spawn(ledger::keep(bus.clone(), args.run.clone(), args.pipelines));

    // Everything is done when the ledger has the end of each pipeline; what ends
    // before that has failed.
    let mut all_planned = false;
    let ledger = loop {
        tokio::select! {
            kept = &mut ledger => break kept?.context("the ledger")?,
            ended = &mut coordinator => {
                ended?.context("the coordinator")?;
                bail!("the coordinator has ended");
            }
            ended = &mut listener => {
                ended?.context("the listener for cancellations")?;
                bail!("the listener for cancellations has ended");
            }
            ended = &mut planner, if !all_planned => {
                ended?.context("the planner")?;
                all_planned = true;
            }
            Some(ended) = workers.join_next() => {
                let (number, ended) = ended?;
                ended.with_context(|| format!("worker {number}"))?;
                bail!("worker {number} has ended");
            }
        }
    };
    stop.send_replace(true);
    let mut done = Vec::new();
    while let Some(ended) = workers.join_next().await {
        let (number, ended) = ended?;
        done.push((number, ended.with_context(|| format!("worker {number}"))?));
    }
    done.sort_unstable_by_key(|(number, _)| *number);
    // It has the ends of all pipelines to show, as the ledger had to enter.
    pipelines.await?.context("the monitor of pipelines")?;
    bus.close().await?;
    coordinator.await?.context("the coordinator")?;
    listener.await?.context("the listener for cancellations")?;
    while let Some(ended) = monitors.join_next().await {
        ended?.context("a monitor")?;
    }
    report(&args, &ledger, &done)?;
    Ok(ledger)
}

/// Prints the figures.
///
/// # Errors
///
/// When a job was lost, an effect repeated, or a log altered.
fn report(args: &Args, ledger: &Ledger, done: &[(u32, Done)]) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "\nEvents in the stream\n{ledger}")?;
    writeln!(
        out,
        "{} bytes of logs, {} chunks altered\n",
        ledger.log_bytes, ledger.altered
    )?;
    writeln!(out, "Jobs by worker")?;
    for (number, done) in done {
        writeln!(out, "{:>8}  worker-{number}", done.jobs)?;
    }
    let sum = |of: fn(&Done) -> u64| done.iter().map(|(_, done)| of(done)).sum::<u64>();
    let (lost, repeated) = (ledger.lost(args.all_jobs()), ledger.repeated());
    writeln!(
        out,
        "\n{} jobs; {} not begun or stopped, since they were cancelled; {} deliveries were repeated, {} outcomes refused by the stream; {lost} effects lost, {repeated} repeated",
        args.all_jobs(),
        sum(|done| done.cancelled),
        sum(|done| done.redelivered) + ledger.redelivered,
        sum(|done| done.refused),
    )?;
    if lost + repeated > 0 {
        bail!("{lost} effects were lost and {repeated} repeated");
    }
    if ledger.altered > 0 {
        bail!(
            "{} chunks of logs are not as they were written",
            ledger.altered
        );
    }
    Ok(())
}
