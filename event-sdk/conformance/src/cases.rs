//! All conformance cases by area, in the order of the contract.

mod publishing;

mod payload;

mod deduplication;

mod expectations;

mod delivering;

mod acknowledging;

mod cumulative;

mod together;

mod redelivery;

mod holding;

mod consumers;

mod binding;

mod applying;

mod steering;

mod sharing;

mod filters;

mod starting;

mod retention;

mod keeping;

mod gaps;

mod history;

mod handover;

mod state;

mod managing;

mod copying;

mod messages;

mod protecting;

mod advisories;
mod coordinating;

mod buckets;

mod scheduling;

mod snapshots;

mod closing;

mod draining;

mod stress;

use std::future::Future;

use tokio::task::JoinHandle;

use super::Case;
use super::failure::{Failure, Outcome, ensure_eq};
use super::fixture::Fixture;
use super::reader::Got;
use super::rig::Rig;

/// All cases, area by area.
pub(super) fn all() -> impl Iterator<Item = Case> {
    [
        publishing::CASES,
        payload::CASES,
        deduplication::CASES,
        expectations::CASES,
        delivering::CASES,
        acknowledging::CASES,
        cumulative::CASES,
        together::CASES,
        redelivery::CASES,
        holding::CASES,
        consumers::CASES,
        binding::CASES,
        applying::CASES,
        steering::CASES,
        sharing::CASES,
        filters::CASES,
        starting::CASES,
        retention::CASES,
        keeping::CASES,
        gaps::CASES,
        history::CASES,
        handover::CASES,
        state::CASES,
        managing::CASES,
        copying::CASES,
        messages::CASES,
        protecting::CASES,
        advisories::CASES,
        coordinating::CASES,
        buckets::CASES,
        scheduling::CASES,
        snapshots::CASES,
        closing::CASES,
        draining::CASES,
        stress::CASES,
    ]
    .into_iter()
    .flatten()
    .copied()
}

/// Does `work` in a task of its own, so that it really runs at the same time.
/// It ends with the case, however that ends.
fn joined<T: Send + 'static>(
    work: impl Future<Output = Outcome<T>> + Send + 'static,
) -> impl Future<Output = Outcome<T>> + Send {
    let mut task = Task(tokio::spawn(work));
    async move {
        (&mut task.0)
            .await
            .unwrap_or_else(|error| Err(Failure::new(format!("a task of the case: {error}"))))
    }
}

/// A task that nobody has to wait for any more when it is dropped.
struct Task<T>(JoinHandle<T>);

impl<T> Drop for Task<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// The stream has this many messages.
async fn messages(rig: &Rig, wanted: u64) -> Outcome {
    ensure_eq!(
        rig.state().await?.messages,
        wanted,
        "messages in the stream"
    );
    Ok(())
}

/// How many messages to publish: `number`, or more of them in a stress run.
fn numbers(fixture: &Fixture, number: usize) -> u64 {
    fixture.scaled(number) as u64
}
