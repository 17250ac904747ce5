//! Handles events (`handle <url>`: writes `start <number> <ms>` and `end <number> <ms>`), or redrives
//! their dead letters (`redrive <url> <events a second>`, `dry-run <url>`: writes counts at the end);
//! for `tests/dead_letters/processes.rs`, which kills it.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use event_sdk::EventBus;
use event_sdk::consumer::{Ctx, Outcome, shutdown_signal};
use event_sdk::transport::nats::Nats;
use event_sdk_tests::letters::{Tallied, billing, builder, open_letters};

#[tokio::main(worker_threads = 2)]
async fn main() {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    let [what, url, ..] = arguments[..] else {
        return println!("error: two arguments are missing");
    };
    let bus = match connect(url).await {
        Ok(bus) => bus,
        Err(error) => return println!("error {error}"),
    };
    let ended = match what {
        "handle" => handle(&bus).await,
        "redrive" => {
            let rate = arguments.get(2).and_then(|rate| rate.parse().ok());
            redrive(&bus, rate.unwrap_or_default(), false).await
        }
        "dry-run" => redrive(&bus, 0, true).await,
        _ => return println!("error: {what} is unknown"),
    };
    match ended {
        Ok(line) => println!("{line}"),
        Err(error) => println!("error {error}"),
    }
}

async fn connect(url: &str) -> Result<EventBus, event_sdk::Error> {
    builder().transport(Nats::connect(Nats::options(url)).await?)
}

async fn handle(bus: &EventBus) -> Result<String, event_sdk::Error> {
    let consumer = billing(bus).on(|event: Tallied, ctx: Ctx| async move {
        let redrive = ctx.redriven().map_or(0, |redriven| redriven.redrive);
        if redrive != 1 {
            println!("error: {} is no first redrive", event.number);
        }
        println!("start {} {}", event.number, now());
        tokio::time::sleep(Duration::from_millis(5 + event.number % 10)).await;
        println!("end {} {}", event.number, now());
        Outcome::Ok(())
    });
    let report = consumer.run_until(shutdown_signal()).await?;
    Ok(format!("handled {}", report.handled))
}

async fn redrive(bus: &EventBus, rate: u32, dry: bool) -> Result<String, event_sdk::Error> {
    let mut redrive = bus.dead_letters("DLQ").redrive(open_letters());
    redrive = redrive.per_second(rate);
    if dry {
        redrive = redrive.dry_run();
    }
    let report = redrive.await?;
    let failed = report.failed.len() + report.changed.len() + report.released.len();
    Ok(format!(
        "selected {} redriven {} already {} other {failed}",
        report.selected.len(),
        report.redriven.len(),
        report.already.len(),
    ))
}

/// Milliseconds since 1970.
fn now() -> u128 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.map_or(0, |since| since.as_millis())
}
