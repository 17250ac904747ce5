//! The example without faults, also on a cluster whose password is rotated, and with processes that are killed.

mod permissions;

#[path = "../testing/process.rs"]
mod process;

#[path = "../testing/rotation.rs"]
mod rotation;

#[path = "../testing/variables.rs"]
mod variables;

use clap::CommandFactory as _;
use event_sdk::config::Config;
use event_sdk_test_servers::{Postgres, Server};
use rotation::Gate;

use crate::args::Args;
use crate::chaos::{self, Plan};
use crate::customers::payment;
use crate::database::{Home, Schemas};
use crate::node::SHORT_ACK_WAIT;
use crate::normal;
use crate::process::Program;
use crate::services::Service;
use crate::services::audit::Audited;
use crate::{start, streams, table, worker};

#[tokio::test(flavor = "multi_thread")]
async fn without_faults_the_money_adds_up_and_letters_are_redriven() {
    let (bus, home) = (streams::memory().unwrap(), Home::new().unwrap());
    let files = home.files();
    let outcome = normal::run(bus.clone(), &bus, 60, &files, false);
    let outcome = outcome.await.unwrap();
    assert!(outcome.tally.is_clean(), "{:?}", outcome.tally);
    assert_eq!(outcome.tally.payments, 60);
    // Every 17th payee is on the list of sanctions, and every 20th payment is in dinars.
    let expected: i64 = (1..=60).map(|number| payment(number).amount.minor()).sum();
    let submitted: i64 = outcome
        .tally
        .money
        .values()
        .map(|sums| sums.submitted)
        .sum();
    assert_eq!(submitted, expected);
    assert_eq!(
        outcome.letters.iter().map(|(_, count)| count).sum::<u64>(),
        3
    );
    // Created; three refused; 57 passed, accepted, cleared, settled and reported; a message and two
    // entries of the audit for each.
    assert_eq!(outcome.tally.published, 60 + 3 + 57 * 5 + 60 + 120);
    assert_eq!(outcome.events.iter().sum::<u64>(), outcome.tally.published);
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_the_same_by_variables_in_the_process_and_on_a_cluster_whose_password_is_rotated() {
    let program = async |config: Config| {
        let (bus, home) = (streams::configured(&config).await?, Home::new()?);
        normal::run(bus.clone(), &bus, 20, &home.files(), true).await
    };
    let variables = [("EVENT_SDK_TRANSPORT", "memory")];
    let memory = streams::config().variables(variables).load().unwrap();
    let in_process = program(memory).await.unwrap();

    let durable = Service::Audit.consumer();
    let gate = Gate {
        stream: "TRANSACTIONS",
        durable,
        events: 10,
    };
    let prepare = async |config: &Config| {
        let bus = streams::configured(config).await.unwrap();
        let audited = bus.subscribe::<Audited>().durable(durable);
        drop(audited.ack_wait(SHORT_ACK_WAIT).await.unwrap());
        bus
    };
    let on_cluster = rotation::run(
        "payments",
        streams::config,
        gate,
        prepare,
        async |config, _| program(config).await,
    )
    .await;
    for outcome in [&in_process, &on_cluster] {
        assert!(outcome.tally.is_clean(), "{:?}", outcome.tally);
        assert_eq!(outcome.tally.published, 20 + 1 + 19 * 5 + 20 + 40);
    }
    assert_eq!(in_process.events, on_cluster.events);
    assert_eq!(in_process.letters, on_cluster.letters);
}

#[tokio::test(flavor = "multi_thread")]
async fn on_postgresql_and_a_nats_server_it_is_the_same_in_schemas_that_go_at_the_end() {
    let server = Server::start().await.unwrap();
    let database = Postgres::shared().await.unwrap().database().await.unwrap();
    let bus = streams::nats(&server.url()).await.unwrap();
    bus.apply().await.unwrap();
    let schemas = Schemas::at(&database.url()).unwrap();
    let outcome = normal::run(bus.clone(), &bus, 20, &schemas, false)
        .await
        .unwrap();
    assert!(outcome.tally.is_clean(), "{:?}", outcome.tally);
    assert_eq!(outcome.tally.published, 20 + 1 + 19 * 5 + 20 + 40);
    let mut session = database.session().await.unwrap();
    let count = "select count(*) from pg_namespace where nspname like 'payments%'";
    assert_eq!(session.value(count).await.unwrap(), "8");
    schemas.remove().await.unwrap();
    assert_eq!(session.value(count).await.unwrap(), "0");
}

#[tokio::test(flavor = "multi_thread")]
async fn kills_lose_and_double_nothing_and_the_control_shows_what_they_do() {
    let program = Program::this(["tests::process", "--exact", "--ignored", "--nocapture"]);
    let plan = Plan {
        payments: 40,
        kills: 3,
        seed: 7,
        servers: false,
    };
    let [sdk, control] = chaos::compare(&program.unwrap(), plan).await.unwrap();
    assert_eq!((sdk.kills, sdk.tally.payments), (3, 40));
    assert!(sdk.tally.is_clean(), "{sdk:?}");
    assert_eq!(sdk.tally.published, 40 + 2 + 38 * 5 + 40 + 80);
    assert!(
        sdk.tally.repeated > 0,
        "the streams did not begin anew: {sdk:?}"
    );
    assert_eq!(control.tally.payments, 40);
    assert!(control.kills > 0 && control.tally.lost > 0, "{control:?}");
    assert!(control.tally.cents_off > 0, "{control:?}");
    assert!(!control.tally.is_clean());
}

#[tokio::test(flavor = "multi_thread")]
async fn kills_of_services_of_nats_and_of_postgresql_lose_and_double_nothing() {
    let program = Program::this(["tests::process", "--exact", "--ignored", "--nocapture"]);
    let plan = Plan {
        payments: 18,
        kills: 3,
        seed: 7,
        servers: true,
    };
    let [sdk, control] = chaos::compare(&program.unwrap(), plan).await.unwrap();
    assert_eq!((sdk.kills, sdk.tally.payments), (3, 18));
    assert!(sdk.tally.is_clean(), "{sdk:?}");
    assert_eq!(sdk.tally.published, 18 + 1 + 17 * 5 + 18 + 36);
    // What the control loses depends on what the kills hit.
    assert_eq!((control.kills, control.tally.payments), (3, 18));
    println!("{}", table::compared(&[sdk, control]));
}

/// A process of the tests above.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "a process that another test starts"]
async fn process() {
    let task = worker::task()
        .unwrap()
        .expect("only the supervisor starts it");
    worker::work(&task).await.unwrap();
}

#[test]
fn each_argument_has_a_variable() {
    variables::assert_each_has_one(&Args::command(), "PAYMENTS_", &[]);
}

#[tokio::test]
async fn the_log_has_the_level_of_the_environment() {
    let variables = [("PAYMENTS_PAYMENTS", "10"), ("PAYMENTS_CHAOS", "false")];
    process::assert_the_log_has_its_level(&variables, "clearing").await;
}

#[test]
fn arguments_that_do_not_belong_together_are_refused() {
    let read = |args: &[&str]| Args::read([&["payments"], args].concat());
    for args in [
        &["--servers"][..],
        &["--kills", "1"],
        &["--seed", "1"],
        &["--chaos", "--operator", "operator.toml"],
    ] {
        let why = read(args).unwrap_err().to_string();
        assert!(why.contains("--chaos"), "{why}");
    }
    assert!(read(&["--chaos", "--servers", "--kills", "1", "--seed", "1"]).is_ok());
    assert!(read(&["--operator", "operator.toml"]).is_ok());
}

/// The program, in a process that another test starts.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "a process that another test starts"]
async fn program() -> anyhow::Result<()> {
    start(&Args::read(process::arguments("payments"))?).await
}
