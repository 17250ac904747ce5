//! Waits of a registry: until its consumers receive, and until they have nothing left to do.

use std::sync::Arc;
use std::time::Duration;

use event_sdk_core::transport::{Error, ErrorKind, Operation, TransportExt as _};
use futures_util::future::{join_all, select};

use super::Consumers;
use super::member::{Member, State};
use crate::bus::EventBus;
use crate::consumer::activity::Activity;

/// Pause between two questions for the positions of the durables.
const ASK_AGAIN: Duration = Duration::from_millis(20);

/// What [`Consumers::idle`] has to know of one consumer.
struct Observed {
    bus: EventBus,
    activity: Arc<Activity>,
}

/// The position of one durable.
#[derive(Debug, PartialEq, Eq)]
struct Position {
    unsettled: u64,
    pending: u64,
    deliveries: u64,
}

impl Consumers {
    /// Waits until every consumer that was added before this call
    /// [receives](crate::consumer::Readiness). After that, a service can announce itself, or a test
    /// can publish. Without consumers it completes at once.
    ///
    /// Cancel-safe.
    ///
    /// # Errors
    ///
    /// [`Closed`](ErrorKind::Closed) if a consumer ended or failed before it received. The error
    /// names the consumer, and [`remove`](Self::remove) returns the error with which the consumer
    /// failed.
    pub async fn ready(&self) -> Result<(), Error> {
        let members: Vec<_> = {
            let registry = self.registry();
            let members = registry.members.values();
            members
                .map(|member| (member.name.clone(), member.readiness.clone()))
                .collect()
        };
        for (name, mut readiness) in members {
            if !readiness.ready().await {
                let reason = "the consumer ended or failed before it received";
                let error = Error::new(ErrorKind::Closed, Operation::Subscribe, reason);
                return Err(error.at_consumer(name));
            }
        }
        Ok(())
    }

    /// Waits until nothing is left to do: no consumer holds an event, and the durables of the
    /// consumers have no event left to deliver or settle, whichever instance holds it. It is for
    /// tests, and for jobs that end when their events are handled.
    ///
    /// Events that wait for a retry, a dependency or their key are not done yet. An event that was
    /// given back for a newer version is not done until it comes again. Events behind a dead key do
    /// not count, nor do consumers that have ended or failed. A
    /// [`single_active`](crate::consumer::Consumer::single_active) consumer that waits to become
    /// the owner counts as a consumer that holds nothing. With
    /// [`partitions`](crate::consumer::Consumer::partitions), all partitions count, also the ones
    /// that another instance owns. On a transport without durables, only events that this process
    /// holds count.
    ///
    /// The positions of the durables are asked for every 20 ms, by the clock of the bus, while
    /// something is left. Events that are published from outside meanwhile may or may not be waited
    /// for.
    ///
    /// Cancel-safe.
    ///
    /// # Errors
    ///
    /// The errors of [`ConsumerAdmin::info`](crate::transport::ConsumerAdmin), such as
    /// [`PermissionDenied`](ErrorKind::PermissionDenied) and
    /// [`Disconnected`](ErrorKind::Disconnected).
    pub async fn idle(&self) -> Result<(), Error> {
        let mut before = None;
        loop {
            self.all_idle().await;
            let observed = self.observed();
            let positions = positions(&observed).await?;
            let done = positions.iter().all(|it| it.unsettled + it.pending == 0)
                && observed.iter().all(|it| it.activity.is_idle());
            // A handler may have published for a consumer whose position was known by then: nothing
            // has happened between two answers that are the same.
            if done && before.as_ref() == Some(&positions) {
                return Ok(());
            }
            if let (false, Some(Observed { bus, .. })) = (done, observed.first()) {
                let again = bus.clock().monotonic().saturating_add(ASK_AGAIN);
                bus.clock().sleep_until(again).await;
            }
            before = done.then_some(positions);
        }
    }

    /// Waits until no consumer holds an event in this process.
    async fn all_idle(&self) {
        let mut ended = self.ended.subscribe();
        loop {
            let observed = self.observed();
            if observed.iter().all(|it| it.activity.is_idle()) {
                return;
            }
            let waits = observed.iter().map(|it| it.activity.idle());
            let ended = std::pin::pin!(ended.changed());
            select(join_all(waits), ended).await;
        }
    }

    fn observed(&self) -> Vec<Observed> {
        let registry = self.registry();
        let members = registry.members.values();
        let running = members.filter(|member| member.state() == State::Running);
        running.map(Member::observed).collect()
    }
}

impl Member {
    fn observed(&self) -> Observed {
        Observed {
            bus: self.bus.clone(),
            activity: Arc::clone(&self.activity),
        }
    }
}

/// The positions of all durables, in the order of the consumers.
async fn positions(observed: &[Observed]) -> Result<Vec<Position>, Error> {
    let mut positions = Vec::new();
    for Observed { bus, activity } in observed {
        for (stream, durable) in activity.durables() {
            match bus.transport().consumer_info(&stream, &durable).await {
                Ok(info) => positions.push(Position {
                    unsettled: info.ack_pending,
                    pending: info.pending,
                    deliveries: info.deliveries,
                }),
                Err(error) if matches!(error.kind(), ErrorKind::Unsupported(_)) => {}
                Err(error) => return Err(error),
            }
        }
    }
    Ok(positions)
}
