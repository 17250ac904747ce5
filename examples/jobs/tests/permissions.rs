//! The program and its deployment step run under the users that `permissions` prints, and without any one of their
//! permissions something fails, and names the subject.

#[path = "../../testing/users.rs"]
mod users;

use event_sdk::EventBus;
use event_sdk::stream::StreamSpec;
use event_sdk::transport::TransportExt as _;
use event_sdk_topology::permissions::Role;
use users::{Place, Program};

use super::args;
use crate::bus::{self, PREFIX, STREAM, TOPOLOGY};
use crate::worker::GROUP;
use crate::{config, run};

#[test]
fn each_line_is_needed_and_all_of_them_suffice() {
    let program = Program {
        users: bus::users().build().unwrap(),
        loader: config,
    };
    program.assert_lines_are_needed(
        |_, _| true,
        async |role, place| match role {
            Role::Deployment => deploys(place).await,
            _ => runs(place).await,
        },
    );
}

async fn bus_of(place: &Place<'_>, user: &str) -> anyhow::Result<EventBus> {
    Ok(bus::open(&place.config(user)).await?)
}

/// Makes everything, and repairs what was changed by hand.
async fn deploys(place: &Place<'_>) -> anyhow::Result<()> {
    let bus = bus_of(place, "deploy").await?;
    TOPOLOGY.apply(&bus).await?;
    let admin = bus_of(place, "admin").await?;
    admin.transport().delete_consumer(STREAM, GROUP).await?;
    let stream = StreamSpec::new(STREAM).subject(">").max_messages(99);
    let by_hand = EventBus::builder().prefix(PREFIX).stream(stream);
    let by_hand = by_hand.transport(admin.transport().clone())?;
    by_hand.apply().await?;
    TOPOLOGY.apply(&bus).await?;
    anyhow::ensure!(TOPOLOGY.verify(&bus).await?.is_clean());
    Ok(())
}

/// Runs pipelines, of which some jobs are cancelled, and one fails because of its name.
async fn runs(place: &Place<'_>) -> anyhow::Result<()> {
    let admin = bus_of(place, "admin").await?;
    TOPOLOGY.apply(&admin).await?;
    let args = args(&["--run", "jobs", "--pipelines", "4", "run"]);
    run(args, place.config("jobs")).await?;
    Ok(())
}
