//! The handler of one region: rolls failed deployments back.

use event_sdk::EventBus;
use event_sdk::consumer::{Consumer, Ctx, Filter};

use crate::events::{DeploymentFailed, DeploymentRolledBack};

/// The operator of `region`. Its bus adds the region to what it publishes.
pub(crate) fn consumer(bus: &EventBus, region: &str) -> Consumer<DeploymentFailed> {
    bus.consumer(format!("operator-{region}"))
        .filter(Filter::region(region.to_owned()))
        .on(|failed: DeploymentFailed, ctx: Ctx| async move {
            let deployment = failed.deployment;
            let mut rolled_back = ctx.publish(DeploymentRolledBack { deployment });
            for name in ["service", "tags"] {
                if let Some(text) = ctx.envelope().metadata.get(name) {
                    rolled_back = rolled_back.metadata(name, text);
                }
            }
            rolled_back.await?;
            Ok(())
        })
        .ordered_by_key()
        .concurrency(4)
}
