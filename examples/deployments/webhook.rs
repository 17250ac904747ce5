//! The built-in handler `webhook`: posts the envelopes of alarms.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use event_sdk::EventBus;
use event_sdk::consumer::{Consumer, Ctx, Failure, Outcome, Retry};
use event_sdk::dead_letters::DeadLetters;

use crate::events::{Alarms, DeploymentFailed, DeploymentRolledBack, MigrationFailed};

/// A client of the address that takes alarms.
pub(crate) trait Post: Send + Sync + 'static {
    /// Posts a body, and returns the status of the answer. Blocks the thread.
    fn post(&self, body: &[u8]) -> io::Result<u16>;
}

pub(crate) fn consumer(bus: &EventBus, post: impl Post) -> Consumer<Alarms> {
    let post = Arc::new(post);
    let [failed, rolled_back, migration] = std::array::from_fn(|_| Arc::clone(&post));
    bus.consumer("webhook")
        .on_blocking(move |_: DeploymentFailed, ctx| notify(&*failed, &ctx))
        .on_blocking(move |_: DeploymentRolledBack, ctx| notify(&*rolled_back, &ctx))
        .on_blocking(move |_: MigrationFailed, ctx| notify(&*migration, &ctx))
        .retry(
            Retry::steps([Duration::from_millis(200), Duration::from_millis(500)]).max_attempts(4),
        )
        .handler_timeout(Duration::from_secs(5))
        .dead_letters(DeadLetters::stream("DLQ"))
        .concurrency(4)
}

fn notify(post: &impl Post, ctx: &Ctx) -> Outcome {
    let body = ctx.message().body()?;
    // A connection that is refused or lost is an outage, which counts as no attempt.
    match post.post(&body)? {
        200..300 => Ok(()),
        status @ 400..500 => Err(Failure::reject(Refused(status)).because("the event is refused")),
        status => Err(Failure::retry(Refused(status))),
    }
}

/// The address answers with a status that is no success.
#[derive(Debug, thiserror::Error)]
#[error("status {0}")]
struct Refused(u16);
