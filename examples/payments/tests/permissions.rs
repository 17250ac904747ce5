//! The program, its operator and its deployment step run under the users that `permissions` prints, and without any
//! one of their permissions something fails, and names the subject.

#[path = "../../testing/operator.rs"]
mod operator;

#[path = "../../testing/users.rs"]
mod users;

use event_sdk::{BusBuilder, EventBus};
use event_sdk_ops::Operations;
use event_sdk_topology::permissions::{Role, User};
use users::{Place, Program};

use crate::database::Home;
use crate::services::Service;
use crate::streams::{self, TOPOLOGY};
use crate::system::{self, System};
use crate::{normal, quiet};

#[test]
fn each_line_is_needed_and_all_of_them_suffice() {
    let program = Program {
        users: streams::users().build().unwrap(),
        loader: streams::config,
    };
    program.assert_lines_are_needed(is_in_sample, async |role, place| match role {
        Role::Deployment => deploys(place).await,
        Role::Operator => operates(place).await,
        _ => runs(place).await,
    });
}

/// Services are alike. The sample of the program has the lines about `clearing`, that of the operator those about
/// `notifications`, that of the deployment those about `reporting`; and each has those that are about no service.
fn is_in_sample(user: &User, line: &str) -> bool {
    let is_about = |service: Service| {
        let names = [service.name(), service.domain().stream, service.consumer()];
        names.iter().any(|name| line.contains(name))
    };
    let sample = match user.role {
        Role::Deployment => Service::Reporting,
        Role::Operator => Service::Notifications,
        _ => Service::Clearing,
    };
    is_about(sample) || !Service::ALL.into_iter().any(is_about)
}

async fn bus_of(place: &Place<'_>, user: &str) -> anyhow::Result<EventBus> {
    Ok(streams::connected(&place.config(user)).await?)
}

/// Makes everything, and repairs what was changed by hand.
async fn deploys(place: &Place<'_>) -> anyhow::Result<()> {
    let bus = bus_of(place, "deploy").await?;
    TOPOLOGY.apply(&bus).await?;
    let admin = bus_of(place, "admin").await?;
    let by_hand = streams::specs()
        .map(|stream| stream.max_messages(99))
        .fold(EventBus::builder(), BusBuilder::stream);
    let by_hand = by_hand.transport(admin.transport().clone())?;
    by_hand.apply().await?;
    TOPOLOGY.apply(&bus).await?;
    anyhow::ensure!(TOPOLOGY.verify(&bus).await?.is_clean());
    Ok(())
}

/// Runs the program, of whose payments one becomes a dead letter that the operator redrives. Then the services start
/// again, and compare what their streams have with what was confirmed; each is given an event as if it was redriven.
async fn runs(place: &Place<'_>) -> anyhow::Result<()> {
    let admin = bus_of(place, "admin").await?;
    TOPOLOGY.apply(&admin).await?;
    let home = Home::new()?;
    let bus = bus_of(place, "payments").await?;
    normal::run(bus, &admin, 20, &home.files(), false).await?;

    let bus = bus_of(place, "payments").await?;
    for service in Service::ALL {
        let raw = admin.raw().absolute();
        let subject = format!("retry.{}.unreadable", service.consumer());
        raw.publish(subject, "?").await?;
    }
    let mut system = System::start(&bus, &home.files(), &Service::ALL, false).await?;
    let pools = system.pools();
    let transactions = system.node(Service::Transactions).cloned().unwrap();
    let more = async {
        system::submit(&transactions.outbox, 22, || ()).await?;
        quiet::with_outboxes(&bus, &pools).await
    };
    system.during(more).await?;
    system.stop().await
}

/// Looks after streams and durables, also those of redriven events, and redrives a dead letter.
async fn operates(place: &Place<'_>) -> anyhow::Result<()> {
    let admin = bus_of(place, "admin").await?;
    TOPOLOGY.apply(&admin).await?;
    for service in Service::ALL {
        let (letters, name) = (streams::dead_letters(), service.consumer());
        operator::receives_redriven(&admin, &letters, name, name).await?;
    }
    let (bus, home) = (bus_of(place, "operator").await?, Home::new()?);
    let operations = Operations::new("payments").topology(TOPOLOGY);
    operator::operates(&admin, &bus, operations).await?;
    normal::run(admin, &bus, 20, &home.files(), false).await?;
    Ok(())
}
