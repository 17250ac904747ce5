//! Example `shop`: three services with retry, outages, dead letters and a graceful end, over memory
//! or NATS.
//!
//! ```text
//! cargo run --example shop
//! EVENT_SDK_TRANSPORT=nats EVENT_SDK_NATS__URL=nats://127.0.0.1:4222 cargo run --example shop
//! ```
//!
//! - `events`: the events, and the sets that the services consume;
//! - `orders`, `billing`, `audit`: the services, each complete in its file;
//! - `bank`: what `billing` calls, and what goes wrong there;
//! - here: the bus, and all three services in one process.

mod audit;
mod bank;
mod billing;
mod events;
mod orders;
#[cfg(test)]
mod tests;

use std::time::Duration;

use anyhow::Context;
use clap::Parser;
use event_sdk::EventBus;
use event_sdk::config::{Config, ConfigLoader, TransportChoice};
use event_sdk::consumer::{Consumers, shutdown_signal};
use event_sdk::dead_letters::{DeadLetterStream, LetterFilter, Page};
use event_sdk::stream::StreamSpec;

/// Takes orders, bills them and keeps a book, in three services.
#[derive(Debug, Parser)]
#[command(name = "shop")]
struct Args {
    /// How many orders are taken.
    #[arg(long, value_name = "NUMBER", default_value_t = 200)]
    orders: u64,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let config = config().load()?;
    run(Args::parse().orders, &config).await.map(drop)
}

/// The configuration of the environment; without one, everything stays in this process.
fn config() -> ConfigLoader {
    Config::loader().defaults(|config| config.transport = Some(TransportChoice::Memory))
}

/// Runs the services until they have handled so many orders. Returns the book.
async fn run(orders: u64, config: &Config) -> anyhow::Result<audit::Book> {
    let bus = open(config).await?;
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
    let letters = bus.dead_letters("DLQ");
    for letter in letters.list(&LetterFilter::open(), Page::ALL).await? {
        let (id, subject, class) = (letter.id, letter.origin.relative_subject(), letter.class);
        println!(
            "dead letter {id}: {subject}, {class} ({})",
            letter.errors.join("; ")
        );
    }
    bus.drain(Duration::from_secs(10)).await?;
    Ok(book)
}

/// The bus of the shop: its streams, and those of its dead letters.
async fn open(config: &Config) -> anyhow::Result<EventBus> {
    let letters = DeadLetterStream::new("DLQ");
    let bus = EventBus::builder()
        .source("shop")
        .prefix("shop")
        .stream(
            StreamSpec::new("SHOP")
                .subject("orders.>")
                .subject("billing.>"),
        )
        .stream(letters.spec())
        .stream(letters.retry_spec())
        .connect(config)
        .await?;
    bus.apply().await.context("the streams")?;
    Ok(bus)
}
