//! A service that ends at a signal, for `tests/signals.rs`, which starts it and reads its lines.
//!
//! Its argument says how the handler of its only event ends: `at_once`; `late`, after the drain has
//! begun; `never`; `blocks`, which never gives the only thread back; or `dropped`: the service drops
//! the signal and waits.

use std::time::Duration;

use event_sdk::consumer::{Ctx, shutdown_signal};
use event_sdk::{Event, EventBus};
use serde::{Deserialize, Serialize};

#[derive(Debug, Event, Serialize, Deserialize)]
#[event(domain = "orders")]
struct OrderPlaced {
    number: u64,
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let how = std::env::args().nth(1).unwrap_or_default();
    let signal = shutdown_signal();
    if how == "dropped" {
        drop(signal);
        println!("dropped");
        return std::future::pending().await;
    }
    let bus = EventBus::memory();
    let published = bus.publisher().publish(OrderPlaced { number: 1 }).await;
    println!("published {}", published.is_ok());
    let consumer = bus
        .consumer::<OrderPlaced>("billing")
        .no_handler_timeout()
        .drain_within(Duration::from_secs(3_001))
        .on_with(how, |how: String, _: OrderPlaced, ctx: Ctx| async move {
            println!("handling");
            if how != "at_once" {
                ctx.cancelled().await;
                println!("cancelled");
            }
            match how.as_str() {
                "never" => std::future::pending().await,
                "blocks" => loop {
                    println!("blocking");
                    std::thread::sleep(Duration::from_secs(3_001));
                },
                _ => Ok(()),
            }
        });
    match consumer.run_until(signal).await {
        Ok(report) => println!("handled {}", report.handled),
        Err(error) => println!("{error}"),
    }
    // It has arrived already.
    shutdown_signal().await;
    println!("end");
}
