//! Example `deployments`: deployments in three regions, and handlers of their events that are
//! switched by configuration, over memory or NATS.
//!
//! ```text
//! cargo run --example deployments
//! cargo run --example deployments -- permissions
//! cargo run --example deployments -- --handlers metrics,log --region eu --type 'check.*'
//! EVENT_SDK_TRANSPORT=nats EVENT_SDK_NATS__URL=nats://127.0.0.1:4222 cargo run --example deployments
//! ```
//!
//! - `events`: the events, and the sets that handlers consume;
//! - `deployer`: the provider, which emits events around each deployment; `rollout`: what happens;
//! - `operator`: the handler of each region;
//! - `webhook` (by `http`), `metrics`, `log`: the built-in handlers;
//! - `settings`: the arguments, and the filter of the built-in handlers;
//! - `place`: topology, users and buses; here: everything in one process.

mod deployer;
mod events;
mod http;
mod log;
#[path = "../logging.rs"]
mod logging;
mod metrics;
mod operator;
mod place;
mod rollout;
mod settings;
#[cfg(test)]
mod tests;
mod webhook;

use std::time::Duration;

use anyhow::Context as _;
use clap::Parser;
use event_sdk::EventBus;
use event_sdk::config::Config;
use event_sdk::consumer::{Consumers, Filter, shutdown_signal};
use event_sdk::dead_letters::{LetterFilter, Page};

use crate::metrics::Metrics;
use crate::place::TOPOLOGY;
use crate::settings::{Command, Handler, Settings};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    start(Settings::parse()).await
}

async fn start(settings: Settings) -> anyhow::Result<()> {
    if settings.command == Some(Command::Permissions) {
        print!("{}", place::users().build()?);
        return Ok(());
    }
    let config = place::config().load()?;
    logging::install(&config)?;
    if settings.command == Some(Command::Apply) {
        let [bus, ..] = place::open(&config).await?;
        println!("{}", TOPOLOGY.apply(&bus).await?);
        return Ok(());
    }
    run(settings, &config).await.map(drop)
}

/// Makes the deployments while the handlers run. Returns what the handler `metrics` has counted.
async fn run(settings: Settings, config: &Config) -> anyhow::Result<Metrics> {
    let buses = place::open(config).await?;
    let (bus, metrics) = (&buses[0], Metrics::default());
    if settings.command != Some(Command::Run) {
        TOPOLOGY.apply(bus).await.context("the streams")?;
    }
    let handlers = Consumers::new();
    for (region, bus) in place::REGIONS.iter().zip(&buses) {
        handlers.add(operator::consumer(bus, region))?;
    }
    for handler in &settings.handlers {
        let filter = settings.selection.filter();
        match handler {
            Handler::Webhook => {
                let post = http::Http(http::sink()?);
                handlers.add(webhook::consumer(bus, post).filter(filter))?
            }
            Handler::Metrics => {
                let metrics = metrics.clone();
                handlers.add(metrics::consumer(bus, metrics).filter(filter))?
            }
            Handler::Log => handlers.add(log::consumer(bus, "log").filter(filter))?,
        };
    }

    tokio::select! {
        worked = work(&buses, &handlers, settings.deployments) => worked?,
        _ = handlers.failed() => {}
        () = shutdown_signal() => {}
    }
    let report = handlers.run_until(std::future::ready(())).await;
    if settings.handlers.contains(&Handler::Metrics) {
        println!("{}", metrics.table());
    }
    for (name, report) in report.into_result()? {
        println!("{name}: {report}, {} left out", report.filtered);
    }
    let letters = bus.dead_letters("DLQ");
    for letter in letters.list(&LetterFilter::open(), Page::ALL).await? {
        let (consumer, subject) = (letter.consumer, letter.origin.relative_subject());
        let (class, errors) = (letter.class, letter.errors.join("; "));
        println!("dead letter of {consumer}: {subject}, {class} ({errors})");
    }
    bus.drain(Duration::from_secs(10)).await?;
    Ok(metrics)
}

/// Makes deployments in all regions. A log of canaries runs during the second half.
async fn work(buses: &[EventBus; 3], handlers: &Consumers, deployments: u32) -> anyhow::Result<()> {
    let (bus, half) = (&buses[0], deployments / 2);
    rollout::everywhere(buses, 1..=half).await?;
    let of_canaries = [Filter::tag("canary"), Filter::event_type("deployment.*")];
    let canaries = log::consumer(bus, "canaries").filter(Filter::all(of_canaries));
    let canaries = handlers.add(canaries)?;
    println!("{} handlers run", handlers.count());
    rollout::everywhere(buses, half + 1..=deployments).await?;
    handlers.ready().await?;
    handlers.idle().await?;
    println!("canaries: {}", handlers.remove(canaries).await?);
    Ok(())
}
