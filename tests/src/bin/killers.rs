//! A service some of whose events abort the process, for `tests/consumers/killers.rs`, which starts
//! it again and again and reads its lines: `start <number> <ms>`, `end <number> <ms>`.
//!
//! Its arguments are the address of the server, and the numbers of the events that abort.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use event_sdk::consumer::{Ctx, Outcome, Retry, shutdown_signal};
use event_sdk::dead_letters::DeadLetters;
use event_sdk::transport::nats::Nats;
use event_sdk_tests::killers::{Counted, builder};

#[tokio::main(worker_threads = 2)]
async fn main() {
    let mut arguments = std::env::args().skip(1);
    let url = arguments.next().unwrap_or_default();
    let killers: Vec<u64> = arguments.filter_map(|number| number.parse().ok()).collect();
    let nats = match Nats::connect(Nats::options(url)).await {
        Ok(nats) => nats,
        Err(error) => return println!("error {error}"),
    };
    let bus = match builder().transport(nats) {
        Ok(bus) => bus,
        Err(error) => return println!("error {error}"),
    };
    let consumer = bus
        .consumer::<Counted>("killers")
        .on_with(killers, handle)
        .concurrency(16)
        .ack_wait(Duration::from_secs(1))
        .retry(Retry::steps([Duration::from_millis(100)]).max_attempts(3))
        .dead_letters(DeadLetters::stream("DLQ"));
    match consumer.run_until(shutdown_signal()).await {
        Ok(report) => println!("handled {}", report.handled),
        Err(error) => println!("error {error}"),
    }
}

async fn handle(killers: Vec<u64>, event: Counted, _: Ctx) -> Outcome {
    println!("start {} {}", event.number, now());
    tokio::time::sleep(Duration::from_millis(10 + event.number % 20)).await;
    if killers.contains(&event.number) {
        std::process::abort();
    }
    println!("end {} {}", event.number, now());
    Ok(())
}

/// Milliseconds since 1970.
fn now() -> u128 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.map_or(0, |since| since.as_millis())
}
