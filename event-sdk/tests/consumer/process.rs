//! Consumers as processes that crash: the task of the consumer is aborted, so it settles nothing and
//! records nothing. `tests/tests/consumers/killers.rs` does the same with real processes.

use std::sync::Arc;
use std::time::Duration;

use event_sdk::EventBus;
use event_sdk::consumer::{Consumer, Ctx, Failure, Outcome};
use tokio::task::JoinHandle;

use crate::journal::{Journal, OrderPlaced};

pub(crate) const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

/// What the handler of an event does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Does {
    Succeed,
    Fail,
    ClaimOutage,
    /// It runs until it is aborted.
    Hang,
    /// It runs for a second.
    Work,
}

pub(crate) fn consumer(
    bus: &EventBus,
    name: &'static str,
    journal: &Journal,
    does: impl Fn(u64, u32) -> Does + Send + Sync + 'static,
) -> Consumer<OrderPlaced> {
    let (journal, does) = (journal.clone(), Arc::new(does));
    bus.consumer::<OrderPlaced>(name)
        .on(move |order: OrderPlaced, ctx: Ctx| {
            let (journal, does) = (journal.clone(), Arc::clone(&does));
            async move {
                let attempt = ctx.attempt();
                journal.note(format!("{name} {}/{attempt}", order.number));
                let outcome: Outcome = match does(order.number, attempt) {
                    Does::Succeed => Ok(()),
                    Does::Fail => Err(Failure::retry("declined")),
                    Does::ClaimOutage => Err(Failure::outage("away")),
                    Does::Hang => std::future::pending().await,
                    Does::Work => {
                        tokio::time::sleep(secs(1)).await;
                        Ok(())
                    }
                };
                journal.note(format!("{name} {}/{attempt} ended", order.number));
                outcome
            }
        })
        .no_handler_timeout()
        .concurrency(4)
        .ack_wait(secs(30))
}

/// Runs a consumer until it is aborted.
pub(crate) fn run(consumer: Consumer<OrderPlaced>) -> JoinHandle<()> {
    tokio::spawn(async move {
        let report = consumer.run_until(std::future::pending()).await;
        panic!("the consumer has ended: {report:?}");
    })
}

/// Waits until there are so many notes.
pub(crate) async fn wait(journal: &Journal, notes: usize) {
    let waited = tokio::time::timeout(secs(100_000), journal.wait(notes)).await;
    assert!(
        waited.is_ok(),
        "{notes} notes expected: {:?}",
        journal.notes()
    );
}

/// Ends the process as a crash does.
pub(crate) async fn crash(process: JoinHandle<()>) {
    process.abort();
    assert!(process.await.unwrap_err().is_cancelled());
}

pub(crate) async fn records(bus: &EventBus) -> Vec<String> {
    let entries = bus.coordination().list("attempts").await.unwrap();
    let entry = |entry: event_sdk::transport::CoordinationEntry| {
        let value = String::from_utf8(entry.value.to_vec()).unwrap();
        let words = value.split(' ').filter(|word| {
            // What differs from run to run.
            !["at=", "running=", "failed="]
                .iter()
                .any(|name| word.starts_with(name))
        });
        format!("{} {}", entry.key, words.collect::<Vec<_>>().join(" "))
    };
    entries.into_iter().map(entry).collect()
}

/// Waits until the bus has no record.
pub(crate) async fn no_records(bus: &EventBus) {
    for _ in 0..1000 {
        if records(bus).await.is_empty() {
            return;
        }
        tokio::time::sleep(secs(1)).await;
    }
    panic!("records are left: {:?}", records(bus).await);
}
