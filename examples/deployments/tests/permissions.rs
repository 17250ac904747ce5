//! The program and its deployment step run under the users that `permissions` prints, and without any one of their
//! permissions something fails, and names the subject.

#[path = "../../testing/before.rs"]
mod before;

#[path = "../../testing/users.rs"]
mod users;

use std::time::Duration;

use before::{Unreadable, nak_first};
use event_sdk::dead_letters::LetterFilter;
use event_sdk::transport::BucketConfig;
use event_sdk::{BusBuilder, EventBus};
use event_sdk_topology::permissions::Role;
use users::{Place, Program};

use super::secured::settings;
use crate::events::{Alarms, DeploymentFailed, Everything};
use crate::place::{self, BUCKET, FAMILIES, PREFIX, REGIONS, TOPOLOGY};
use crate::run;

#[test]
fn each_line_is_needed_and_all_of_them_suffice() {
    let program = Program {
        users: place::users().build().unwrap(),
        loader: place::config,
    };
    program.assert_lines_are_needed(
        |_, line| !is_like_another(line),
        async |role, place| match role {
            Role::Deployment => deploys(place).await,
            _ => runs(place).await,
        },
    );
}

/// Families of events are alike, and so are the operators of regions and the handlers of all events: the sample has
/// the lines of two families, one operator and one handler.
fn is_like_another(line: &str) -> bool {
    let families = [".HEALTH", ".METRICS", ".health.", ".metrics."];
    let durables = [".operator-eu", ".operator-ap", ".log", ".canaries"];
    let mut others = families.into_iter().chain(durables);
    others.any(|other| line.contains(other))
}

async fn bus_of(place: &Place<'_>, user: &str) -> anyhow::Result<EventBus> {
    let [bus, ..] = place::open(&place.config(user)).await?;
    Ok(bus)
}

/// Makes everything, and repairs what was changed by hand.
async fn deploys(place: &Place<'_>) -> anyhow::Result<()> {
    let bus = bus_of(place, "deploy").await?;
    TOPOLOGY.apply(&bus).await?;
    let admin = bus_of(place, "admin").await?;

    let streams = FAMILIES.into_iter().chain(place::letters());
    let by_hand = streams
        .map(|stream| stream.max_messages(99))
        .fold(EventBus::builder().prefix(PREFIX), BusBuilder::stream)
        .coordination(BucketConfig::new(BUCKET).max_age(Duration::from_secs(99)));
    let by_hand = by_hand.transport(admin.transport().clone())?;
    by_hand.apply().await?;
    TOPOLOGY.apply(&bus).await?;
    anyhow::ensure!(TOPOLOGY.verify(&bus).await?.is_clean());
    Ok(())
}

/// Runs the program with all handlers, on events of which some cannot be read.
async fn runs(place: &Place<'_>) -> anyhow::Result<()> {
    let admin = bus_of(place, "admin").await?;
    TOPOLOGY.apply(&admin).await?;
    let unreadable = Unreadable {
        stream: "DEPLOYMENTS",
        relative: "deployments.deployment.failed",
        consumers: &["webhook"],
        dead_letters: "DLQ",
    };
    unreadable.publish(&admin).await?;
    for region in REGIONS {
        nak_first::<DeploymentFailed>(&admin, format!("operator-{region}")).await?;
    }
    for durable in ["metrics", "log", "canaries"] {
        nak_first::<Everything>(&admin, durable.to_owned()).await?;
    }
    nak_first::<Alarms>(&admin, "webhook".to_owned()).await?;
    let letters = admin.dead_letters("DLQ");
    letters.redrive(LetterFilter::all()).await?;
    let settings = settings(&["--handlers", "webhook,metrics,log", "run"]);
    run(settings, &place.config("deployments")).await?;
    Ok(())
}
