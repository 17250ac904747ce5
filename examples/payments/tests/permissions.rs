//! The program, its operator and its deployment step run under the users that `permissions` prints, and without
//! permissions of them something fails, and names the subject.

#[path = "../../testing/users.rs"]
mod users;

use event_sdk::EventBus;
use event_sdk::stream::StreamSpec;
use event_sdk::transport::TransportExt as _;
use event_sdk_topology::permissions::{Role, User};
use users::{Place, Program};

use crate::database::Home;
use crate::normal;
use crate::services::Service;
use crate::streams::{self, TOPOLOGY};

#[test]
fn lines_are_needed_and_all_of_them_suffice() {
    let program = Program {
        users: streams::users().build().unwrap(),
        loader: streams::config,
    };
    program.assert_lines_are_needed(is_checked, async |role, place| match role {
        Role::Deployment => deploys(place).await,
        _ => runs(place).await,
    });
}

/// Services are alike: the lines about `clearing` are taken away, each in turn, and those that all have in common. The
/// relay reads single events of a stream only if it went back, and the operator does here nothing but redrive.
fn is_checked(user: &User, line: &str) -> bool {
    let of_clearing = ["clearing", "CLEARING", "_INBOX"];
    match user.role {
        Role::Operator => line.starts_with("retry.") || line.starts_with("_INBOX"),
        _ if line.starts_with("$JS.API.STREAM.MSG.GET") => false,
        _ => of_clearing.iter().any(|part| line.contains(part)) || line.ends_with("INFO.DLQ_RETRY"),
    }
}

/// Makes everything, and repairs what was changed by hand.
async fn deploys(place: &Place<'_>) -> anyhow::Result<()> {
    let bus = streams::connected(&place.config("deploy")).await?;
    TOPOLOGY.apply(&bus).await?;
    let admin = streams::connected(&place.config("admin")).await?;
    for (stream, service) in [
        ("RISK", Service::Clearing),
        ("CLEARING", Service::Settlement),
    ] {
        let transport = admin.transport();
        transport
            .delete_consumer(stream, service.consumer())
            .await?;
    }
    let clearing = StreamSpec::new("CLEARING").subject("clearing.>");
    let by_hand = EventBus::builder().stream(clearing.max_messages(99));
    let by_hand = by_hand.transport(admin.transport().clone())?;
    by_hand.apply().await?;
    TOPOLOGY.apply(&bus).await?;
    anyhow::ensure!(TOPOLOGY.verify(&bus).await?.is_clean());
    Ok(())
}

/// Runs the program, of whose payments one becomes a dead letter that the operator redrives.
async fn runs(place: &Place<'_>) -> anyhow::Result<()> {
    let admin = streams::connected(&place.config("admin")).await?;
    TOPOLOGY.apply(&admin).await?;
    let bus = streams::connected(&place.config("payments")).await?;
    let operator = streams::connected(&place.config("operator")).await?;
    let home = Home::new()?;
    normal::run(bus, &operator, 20, &home.files(), false).await?;
    Ok(())
}
