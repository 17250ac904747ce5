//! Waits until nothing is left to do: every event is in its stream, and every consumer has settled it.

use std::time::Duration;

use event_sdk::EventBus;
use event_sdk::transport::{ErrorKind, TransportExt as _};
use sqlx::Pool;

use crate::database::{self, Db};
use crate::services::Service;
use crate::streams::{self, DOMAINS};

/// The time between two looks.
const PACE: Duration = Duration::from_millis(10);

/// Waits until the streams have as many messages as the outboxes have rows, no consumer has anything left,
/// and all rows are marked as published.
///
/// An event in between is in an outbox or in a stream at any time: a row stays when it is published, and a
/// delivery is acknowledged after the rows that follow from it are committed. So nothing is left if the
/// consumers have nothing, afterwards there are as many rows as before there were messages, and no message
/// has come meanwhile.
pub(crate) async fn with_outboxes<D: Db>(bus: &EventBus, pools: &[Pool<D>]) -> anyhow::Result<()> {
    let all = "select count(*) from event_outbox";
    let unmarked = "select count(*) from event_outbox where published_at is null";
    loop {
        if let Some(messages) = settled(bus).await?
            && count(pools, all).await? == messages
            && count(pools, unmarked).await? == 0
            && settled(bus).await? == Some(messages)
        {
            return Ok(());
        }
        tokio::time::sleep(PACE).await;
    }
}

/// Waits until no consumer has anything left and no message comes. A consumer publishes before it
/// acknowledges.
pub(crate) async fn without_outboxes(bus: &EventBus) -> anyhow::Result<()> {
    loop {
        let messages = settled(bus).await?;
        if messages.is_some() && settled(bus).await? == messages {
            return Ok(());
        }
        tokio::time::sleep(PACE).await;
    }
}

/// How many messages the streams have, before it was found that all of them are settled. `None` if some are
/// not, or the server does not answer.
async fn settled(bus: &EventBus) -> Result<Option<u64>, event_sdk::Error> {
    let look = async {
        let mut messages = 0;
        for domain in DOMAINS {
            messages += bus.stream_state(domain.stream).await?.messages;
        }
        Ok::<_, event_sdk::Error>(are_idle(bus).await?.then_some(messages))
    };
    match look.await {
        Err(error) if error.is_transient() => Ok(None),
        looked => looked,
    }
}

/// How many rows of the outboxes a statement counts. It waits for a database that is away.
async fn count<D: Db>(pools: &[Pool<D>], sql: &'static str) -> anyhow::Result<u64> {
    let mut rows = 0;
    for pool in pools {
        let count = database::patiently(async || Ok(database::number(pool, sql, &[]).await?));
        rows += u64::try_from(count.await?)?;
    }
    Ok(rows)
}

/// Whether no consumer has an event that is not settled.
async fn are_idle(bus: &EventBus) -> Result<bool, event_sdk::Error> {
    let retries = streams::dead_letters();
    for service in Service::ALL {
        for stream in service.sources() {
            if is_idle(bus, stream, service).await? != Some(true) {
                return Ok(false);
            }
        }
        // The plain programs have no dead letters.
        if is_idle(bus, retries.retry_name(), service).await? == Some(false) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Whether the consumer of a service has settled all events of a stream; `None` without such a consumer.
async fn is_idle(
    bus: &EventBus,
    stream: &str,
    service: Service,
) -> Result<Option<bool>, event_sdk::Error> {
    let info = bus.transport().consumer_info(stream, service.consumer());
    match info.await {
        Ok(info) => Ok(Some(info.pending == 0 && info.ack_pending == 0)),
        Err(error) if *error.kind() == ErrorKind::ConsumerNotFound => Ok(None),
        Err(error) => Err(error),
    }
}
