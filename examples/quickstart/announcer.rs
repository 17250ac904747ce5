//! Publishes the flights' events, each dated as it happened and caused by the flight's previous
//! event.

use std::collections::HashMap;

use anyhow::Context;
use event_sdk::{Cause, Event, EventBus, Publisher};

use crate::events::{
    FlightArrived, FlightCancelled, FlightDeparted, FlightEvents, FlightScheduled,
};
use crate::timeline::Moment;

/// Publishes the events of flights.
#[derive(Debug)]
pub(crate) struct Announcer {
    scheduled: Publisher<FlightScheduled>,
    departed: Publisher<FlightDeparted>,
    arrived: Publisher<FlightArrived>,
    cancelled: Publisher<FlightCancelled>,
    /// The events that others are yet to be caused by, by number.
    causes: HashMap<u64, Cause>,
}

impl Announcer {
    /// Publishes on this bus, which may publish every event of the set.
    pub(crate) fn new(bus: &EventBus) -> Self {
        let flights = bus.publisher_set::<FlightEvents>();
        Self {
            scheduled: flights.publisher(),
            departed: flights.publisher(),
            arrived: flights.publisher(),
            cancelled: flights.publisher(),
            causes: HashMap::new(),
        }
    }

    /// Publishes what happened; its sequence in the stream.
    ///
    /// # Errors
    ///
    /// When it cannot be published.
    pub(crate) async fn announce(&mut self, moment: Moment) -> anyhow::Result<u64> {
        let Moment {
            at,
            number,
            cause,
            has_effect,
            event,
        } = moment;
        let cause = cause.and_then(|number| self.causes.remove(&number));
        let (published, own) = match event {
            FlightEvents::Scheduled(event) => publish(&self.scheduled, event, at, cause).await,
            FlightEvents::Departed(event) => publish(&self.departed, event, at, cause).await,
            FlightEvents::Arrived(event) => publish(&self.arrived, event, at, cause).await,
            FlightEvents::Cancelled(event) => publish(&self.cancelled, event, at, cause).await,
        }?;
        if has_effect {
            self.causes.insert(number, own);
        }
        Ok(published)
    }
}

async fn publish<E: Event>(
    publisher: &Publisher<E>,
    event: E,
    at: jiff::Timestamp,
    cause: Option<Cause>,
) -> anyhow::Result<(u64, Cause)> {
    let mut prepared = publisher.prepare(event).occurred_at(at);
    if let Some(cause) = cause {
        prepared = prepared.caused_by(&cause);
    }
    let own = Cause::new(&prepared.head());
    let stored = publisher.publish(prepared).await?;
    let sequence = stored
        .sequence()
        .context("the flights are stored in a stream")?;
    Ok((sequence, own))
}
