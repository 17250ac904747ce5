//! What happens in deployments: migrations, health checks and measurements, some of which fail.

use std::ops::RangeInclusive;
use std::time::Duration;

use event_sdk::{Error, EventBus};

use crate::deployer::{Deployer, Fault, Plan, Running};
use crate::events::{
    CheckFailed, CheckPassed, CheckRetried, CheckStarted, CheckTimedOut, DurationMeasured,
    ErrorsMeasured, MigrationCompleted, MigrationFailed, MigrationStarted, ResourcesMeasured,
    SchemaChanged,
};

const SERVICES: [&str; 6] = ["api", "web", "search", "billing", "mail", "legacy"];

/// Makes the deployments with these numbers in each region, with 100 more in the first one, 200 in
/// the second one, and 300 in the third one.
pub(crate) async fn everywhere(
    buses: &[EventBus; 3],
    numbers: RangeInclusive<u32>,
) -> Result<(), Error> {
    let region = async |bus: &EventBus, more: u32| {
        let deployer = Deployer { bus: bus.clone() };
        for number in numbers.clone() {
            deploy(&deployer, more + number).await?;
        }
        Ok(())
    };
    let [us, eu, ap] = buses;
    tokio::try_join!(region(us, 100), region(eu, 200), region(ap, 300)).map(drop)
}

async fn deploy(deployer: &Deployer, deployment: u32) -> Result<(), Error> {
    let canary = deployment % 4 == 1;
    let plan = Plan {
        deployment,
        service: SERVICES[deployment as usize % SERVICES.len()],
        tags: if canary { "canary,priority" } else { "stable" },
    };
    let work = async |running: &Running<'_>| roll_out(running, deployment).await;
    deployer.deploy(&plan, work).await
}

/// Every third deployment changes the database, and every fifth one does not get healthy.
async fn roll_out(running: &Running<'_>, deployment: u32) -> Result<(), Fault> {
    if deployment.is_multiple_of(3) {
        migrate(running, deployment).await?;
    }
    running.emit(CheckStarted { deployment }).await?;
    let (millis, status) = (20, 503);
    tokio::time::sleep(Duration::from_millis(millis)).await;
    if deployment.is_multiple_of(5) {
        running.emit(CheckFailed { deployment, status }).await?;
        running.emit(CheckRetried { deployment }).await?;
        running.emit(CheckTimedOut { deployment }).await?;
        return Err(Fault::Failed("not healthy"));
    }
    running.emit(CheckPassed { deployment }).await?;
    let (errors, memory) = (deployment % 7, 256 << 20);
    running
        .emit(DurationMeasured { deployment, millis })
        .await?;
    running.emit(ErrorsMeasured { deployment, errors }).await?;
    Ok(running
        .emit(ResourcesMeasured { deployment, memory })
        .await?)
}

/// Every ninth deployment has a migration that fails.
async fn migrate(running: &Running<'_>, deployment: u32) -> Result<(), Fault> {
    running.emit(MigrationStarted { deployment }).await?;
    if deployment.is_multiple_of(9) {
        let reason = "a table is locked".to_owned();
        running.emit(MigrationFailed { deployment, reason }).await?;
        return Err(Fault::Failed("the database is not migrated"));
    }
    running.emit(MigrationCompleted { deployment }).await?;
    let schema = deployment;
    Ok(running.emit(SchemaChanged { deployment, schema }).await?)
}
