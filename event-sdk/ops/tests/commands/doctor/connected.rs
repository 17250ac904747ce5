//! Users that may do too little or too much.

use std::sync::Arc;

use event_sdk::EventBus;
use event_sdk::time::SteppedClock;
use event_sdk::transport::memory::MemoryTransport;
use event_sdk::transport::nats::Nats;
use event_sdk::transport::{Completion, Error, ErrorKind, Operation};
use event_sdk_ops::Operations;
use event_sdk_test_servers::{Permissions, Server, User};
use event_sdk_testing::intercept::{Intercept, Intercepted};

use super::Diagnosis;
use super::shop::{SHOP, Shop, connect, operator};

/// What `doctor` finds as this user, where everything is applied.
async fn as_user(user: User, name: &str) -> Diagnosis {
    let options = Server::options().users([operator(), user]);
    let server = options.start().await.unwrap();
    let bus = EventBus::builder().transport(connect(&server).await);
    SHOP.apply(&bus.unwrap()).await.unwrap();
    let options = Nats::options(server.url()).user(name, "sesame");
    let nats = Nats::connect(options).await.unwrap();
    let bus = EventBus::builder().transport(nats).unwrap();
    let shop = Operations::new("shop").topology(SHOP).bus(bus);
    Diagnosis::of(&shop, "").await
}

#[tokio::test]
async fn nothing_is_wrong_with_a_set_up_that_is_as_it_should_be() {
    let shop = Shop::start().await;
    let found = shop.diagnose().await;
    assert_eq!(found.codes(), [""; 0], "{found:#?}");
    assert_eq!(found.code, 0);
}

#[tokio::test]
async fn a_connection_without_tls_and_a_program_without_topology_are_noted() {
    let shop = Shop::start().await;
    let operations = Operations::new("shop").bus(shop.bus.clone());
    let found = Diagnosis::of(&operations, "").await;
    found.notes("connection-not-secure", "connection", "has no TLS");
    found.notes("no-topology", "program", "");
    assert_eq!(found.codes(), [""; 0], "{found:#?}");
}

/// The clock of this machine is that of the bus.
#[tokio::test]
async fn a_machine_whose_clock_is_wrong_is_named() {
    let server = Server::options().users([operator()]).start().await.unwrap();
    let bus = EventBus::builder().clock(Arc::new(SteppedClock::new()));
    let bus = bus.transport(connect(&server).await).unwrap();
    let shop = Operations::new("shop").bus(bus);
    let found = Diagnosis::of(&shop, "--connect-only").await;
    found.names(
        "clock-skew",
        "clock of the server",
        "of that of this machine",
    );
}

#[tokio::test]
async fn a_user_that_the_server_does_not_name_is_noted() {
    let look = ["$JS.API.>", "$JS.ACK.>"];
    let may = Permissions::none().publish(&look).subscribe(&["_INBOX.>"]);
    let unknown = User::password("unknown", "sesame").permissions(may);
    let found = as_user(unknown, "unknown").await;
    found.notes("user-unknown", "user", "$SYS.REQ.USER.INFO");
    let line = "add the line `$SYS.REQ.USER.INFO` to what the user may publish";
    found.advises("user-unknown", line);
    assert_eq!(found.codes(), [""; 0], "{found:#?}");
}

/// A server that never answers who the user is.
#[derive(Debug)]
struct Silent;

impl Intercept for Silent {
    fn call<T: Send + 'static>(
        &self,
        name: &'static str,
        make: impl FnOnce() -> Completion<Result<T, Error>>,
    ) -> Completion<Result<T, Error>> {
        if name != "user" {
            return make();
        }
        let error = Error::new(ErrorKind::Timeout, Operation::Read, "it did not answer");
        Completion::ready(Err(error))
    }
}

#[tokio::test]
async fn a_server_that_does_not_answer_who_the_user_is_is_noted() {
    let memory = MemoryTransport::builder().build().unwrap();
    let bus = EventBus::builder().transport(Intercepted::new(memory, Silent));
    let shop = Operations::new("shop").bus(bus.unwrap());
    let found = Diagnosis::of(&shop, "--connect-only").await;
    found.notes("user-unknown", "user", "it did not answer");
    // The user may do it, as far as is known.
    found.advises("user-unknown", "run `doctor` again");
    assert_eq!(found.code, 0);
}

#[tokio::test]
async fn a_user_that_may_do_everything_is_named() {
    let all = User::password("root", "sesame");
    let found = as_user(all, "root").await;
    found.names(
        "permission-too-large",
        "user root",
        "has no permissions set",
    );

    let may = Permissions::none().publish(&[">"]).subscribe(&["_INBOX.>"]);
    let wide = User::password("wide", "sesame").permissions(may);
    let found = as_user(wide, "wide").await;
    found.names(
        "permission-too-large",
        "user wide",
        "may publish everything (`>`)",
    );
}

#[tokio::test]
async fn a_user_that_may_not_pull_or_look_is_named() {
    let look = [
        "$JS.API.INFO",
        "$JS.API.STREAM.>",
        "$JS.API.CONSUMER.INFO.>",
        "$JS.API.DIRECT.>",
    ];
    let look = [&look[..], &["$SYS.REQ.USER.INFO"]].concat();
    let may = |publish: &[&str]| {
        let may = Permissions::none().publish(publish);
        let may = may.subscribe(&["_INBOX.>"]);
        User::password("reader", "sesame").permissions(may)
    };
    // It may settle events, so that it is the user of a service.
    let service = [&look[..], &["$JS.ACK.ORDERS.billing.>"]].concat();
    let found = as_user(may(&service), "reader").await;
    let missing = "$JS.API.CONSUMER.MSG.NEXT.ORDERS.billing";
    found.names("permission-missing", "user reader", missing);
    // People receive nothing.
    let found = as_user(may(&look), "reader").await;
    assert_eq!(found.codes(), [""; 0], "{found:#?}");

    let may = Permissions::pull_and_ack("ORDERS", "billing");
    let service = User::password("service", "sesame").permissions(may);
    let found = as_user(service, "service").await;
    found.names("permission-missing", "user", "$JS.API.");
}
