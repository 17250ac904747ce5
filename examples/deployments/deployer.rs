//! `Deployer`: the provider. It emits the events of each deployment, as one chain.

use std::time::Duration;

use event_sdk::{Error, Event, EventBus, Prepared, Publisher};

use crate::events::{
    DeploymentCompleted, DeploymentFailed, DeploymentMeasured, DeploymentStarted,
    DeploymentTriggered,
};

/// The time before an event is published again.
const PAUSE: Duration = Duration::from_millis(200);

/// Deploys services in the region of its bus.
pub(crate) struct Deployer {
    pub(crate) bus: EventBus,
}

/// What is to be deployed.
pub(crate) struct Plan {
    pub(crate) deployment: u32,
    pub(crate) service: &'static str,
    pub(crate) tags: &'static str,
}

/// A deployment that runs.
pub(crate) struct Running<'a> {
    bus: &'a EventBus,
    plan: &'a Plan,
    /// The first event of the chain.
    request: Prepared<DeploymentTriggered>,
}

/// Why a deployment does not go on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Fault {
    /// The new version does not run.
    #[error("the new version does not run: {0}")]
    Failed(&'static str),
    /// An event was not published.
    #[error(transparent)]
    Bus(#[from] Error),
}

impl Deployer {
    /// Emits the events around the `work` of a deployment: that it was requested, has started, and
    /// has completed or failed.
    pub(crate) async fn deploy(
        &self,
        plan: &Plan,
        work: impl AsyncFnOnce(&Running<'_>) -> Result<(), Fault>,
    ) -> Result<(), Error> {
        let (bus, clock) = (&self.bus, self.bus.clock());
        let (deployment, start) = (plan.deployment, clock.monotonic());
        let version = format!("2.{deployment}.0");
        let triggers = bus.publisher();
        let request = triggers
            .prepare(DeploymentTriggered {
                deployment,
                version,
            })
            .metadata("service", plan.service)
            .metadata("tags", plan.tags);
        store(bus, &triggers, &request).await?;

        let running = Running { bus, plan, request };
        running.emit(DeploymentStarted { deployment }).await?;
        match work(&running).await {
            Ok(()) => running.emit(DeploymentCompleted { deployment }).await?,
            Err(Fault::Failed(reason)) => {
                let reason = reason.to_owned();
                let failed = DeploymentFailed { deployment, reason };
                running.emit(failed).await?;
            }
            Err(Fault::Bus(error)) => return Err(error),
        }
        let took = clock.monotonic().saturating_sub(start).as_millis();
        let millis = u64::try_from(took).unwrap_or(u64::MAX);
        let measured = DeploymentMeasured { deployment, millis };
        running.emit(measured).await
    }
}

impl Running<'_> {
    /// Publishes an event of this deployment.
    pub(crate) async fn emit<E: Event>(&self, event: E) -> Result<(), Error> {
        let events = self.bus.publisher();
        let event = events
            .prepare(event)
            .caused_by(&self.request)
            .metadata("service", self.plan.service)
            .metadata("tags", self.plan.tags);
        store(self.bus, &events, &event).await
    }
}

/// Publishes an event until it is stored, also while a server changes or is away. It has the same id each time, so that
/// the stream stores it once within its duplicate window.
async fn store<E: Event>(
    bus: &EventBus,
    publisher: &Publisher<E>,
    event: &Prepared<E>,
) -> Result<(), Error> {
    loop {
        match publisher.publish(event).await {
            Ok(_) => return Ok(()),
            Err(error) if error.is_transient() => {
                tracing::warn!(%error, "an event is published again");
                let again = bus.clock().monotonic().saturating_add(PAUSE);
                bus.clock().sleep_until(again).await;
            }
            Err(error) => return Err(error.into_error()),
        }
    }
}
