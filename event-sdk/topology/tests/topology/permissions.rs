//! The least permissions of `plan` and `apply`: without any one of them, an error names it.

use std::time::Duration;

use event_sdk::stream::{StreamSpec, Upstream};
use event_sdk::transport::nats::Nats;
use event_sdk::transport::{BucketConfig, ErrorKind};
use event_sdk::{ConsumerSpec, EventBus};
use event_sdk_test_servers::{Permissions, Server, User};
use event_sdk_topology::{ApplyError, DurableSpec, Topology};

use crate::support::{OrderPlaced, bus};

const ONE_OF_EACH: Topology =
    Topology::new(const { &[StreamSpec::constant("ORDERS", &["orders.>"])] })
        .consumers(const { &[DurableSpec::of::<OrderPlaced>("billing")] })
        .bucket(const { &BucketConfig::constant("SHOP") });

const COPIES: Topology = Topology::new(
    const {
        &[StreamSpec::constant("ORDERS", &["orders.>"])
            .sources(const { &[Upstream::of("LEGACY")] })]
    },
);

const PAGE: &str = include_str!("../../../../docs/topology.md");

/// In the order in which they are first needed, where nothing exists.
const PLANNING: [&str; 4] = [
    "$JS.API.INFO",
    "$JS.API.STREAM.INFO.ORDERS",
    "$JS.API.STREAM.NAMES",
    "$JS.API.STREAM.INFO.KV_SHOP",
];

/// In the order in which they are first needed to create, and then to change.
const APPLYING: [&str; 6] = [
    "$JS.API.STREAM.CREATE.ORDERS",
    "$JS.API.STREAM.CREATE.KV_SHOP",
    "$JS.API.CONSUMER.INFO.ORDERS.billing",
    "$JS.API.CONSUMER.CREATE.ORDERS.billing.>",
    "$JS.API.STREAM.UPDATE.ORDERS",
    "$JS.API.STREAM.UPDATE.KV_SHOP",
];

fn all() -> impl Iterator<Item = &'static str> {
    PLANNING.into_iter().chain(APPLYING)
}

/// The user who lacks one permission, or nobody's.
fn user(lacks: &str) -> User {
    let allowed: Vec<_> = all().filter(|permission| *permission != lacks).collect();
    let permissions = Permissions::none()
        .publish(&allowed)
        .subscribe(&["_INBOX.>"]);
    User::password(&name(lacks), "secret").permissions(permissions)
}

fn name(lacks: &str) -> String {
    lacks.replace(['$', '.', '>'], "")
}

async fn connect(url: &str, name: &str) -> EventBus {
    let options = Nats::options(url).user(name, "secret");
    bus(Nats::connect(options).await.unwrap())
}

/// The error of the application by a user who lacks a permission.
async fn denied(url: &str, lacks: &str) {
    let bus = connect(url, &name(lacks)).await;
    let error = match ONE_OF_EACH.apply(&bus).await {
        Ok(applied) => panic!("applied without {lacks}: {applied}"),
        Err(ApplyError::Refused(plan)) => panic!("without {lacks}: {plan}"),
        Err(ApplyError::Failed(error)) => error,
        Err(other) => panic!("{other}"),
    };
    assert_eq!(
        *error.kind(),
        ErrorKind::PermissionDenied,
        "{lacks}: {error}"
    );
    let named = lacks.trim_end_matches(".>");
    assert!(error.to_string().contains(named), "{lacks}: {error}");
}

/// Those who lack one permission each, one with all of them, and an administrator.
pub(crate) fn users() -> impl Iterator<Item = User> {
    let users = all().map(user);
    users.chain([user("nothing"), User::password("admin", "secret")])
}

#[tokio::test]
async fn each_missing_permission_is_named() {
    let server = Server::options().users(users()).start().await.unwrap();
    each_is_named(&server.url()).await;
}

/// The same on the server at `url`, which has these users and no stream.
pub(crate) async fn each_is_named(url: &str) {
    for lacks in PLANNING {
        let bus = connect(url, &name(lacks)).await;
        for error in [
            ONE_OF_EACH.plan(&bus).await.unwrap_err(),
            ONE_OF_EACH.verify(&bus).await.unwrap_err(),
        ] {
            assert_eq!(
                *error.kind(),
                ErrorKind::PermissionDenied,
                "{lacks}: {error}"
            );
            assert!(error.to_string().contains(lacks), "{lacks}: {error}");
        }
        denied(url, lacks).await;
    }
    for lacks in &APPLYING[..4] {
        denied(url, lacks).await;
    }
    // With all of them it is made, and again when it was changed by hand.
    let deployment = connect(url, &name("nothing")).await;
    let made = ONE_OF_EACH.apply(&deployment).await.unwrap();
    assert!(!made.is_unchanged(), "{made}");
    let admin = connect(url, "admin").await;
    let by_hand = EventBus::builder()
        .stream(
            StreamSpec::new("ORDERS")
                .subject("orders.>")
                .max_messages(9),
        )
        .consumer(ConsumerSpec::durable::<OrderPlaced>("billing").max_ack_pending(9))
        .coordination(BucketConfig::new("SHOP").max_age(Duration::from_secs(60)))
        .transport(admin.transport().clone())
        .unwrap();
    by_hand.apply().await.unwrap();
    for lacks in &APPLYING[4..] {
        denied(url, lacks).await;
    }
    ONE_OF_EACH.apply(&deployment).await.unwrap();
    assert!(ONE_OF_EACH.verify(&deployment).await.unwrap().is_clean());
    // An original that is not the deployment's may be hidden from it: the plan says so.
    let plan = COPIES.plan(&deployment).await.unwrap();
    let [unchecked] = &plan.unchecked[..] else {
        panic!("{plan}");
    };
    assert!(
        unchecked.starts_with("what LEGACY copies, and whether messages come back through it: ")
            && unchecked.contains("$JS.API.STREAM.INFO.LEGACY"),
        "{unchecked}"
    );
}

#[test]
fn the_page_lists_them() {
    for permission in all() {
        assert!(PAGE.contains(&format!("`{permission}`")), "{permission}");
    }
}
