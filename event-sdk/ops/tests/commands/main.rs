//! The commands through `run_on`, on memory and on servers.

mod agreed;
mod changes;
mod denied;
mod dlq;
mod doctor;
mod events;
mod fake;
mod help;
mod hostile;
mod outbox;
mod page;
mod planted;
mod program;
mod raw;
mod recover;
mod schedule;
mod screens;
mod server;
mod shop;
mod snapshot;
mod streams;
mod tail;
mod unanswered;

use std::time::Duration;

/// Waits until it is so.
async fn until(mut is: impl AsyncFnMut() -> bool) {
    let wait = async {
        while !is().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let waited = tokio::time::timeout(Duration::from_secs(60), wait).await;
    assert!(waited.is_ok(), "it did not come about in a minute");
}
