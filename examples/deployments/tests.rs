//! Tests of the handlers and of the provider, on the test bus with virtual time.

mod permissions;
mod secured;
mod webhook;

#[path = "../testing/process.rs"]
mod process;

#[path = "../testing/variables.rs"]
mod variables;

use std::sync::Arc;

use clap::{CommandFactory as _, Parser as _};
use event_sdk::EventBus;
use event_sdk::consumer::Consumers;
use event_sdk_testing::{TestBus, TestBusBuilder};

use crate::deployer::{Deployer, Fault, Plan};
use crate::events::{
    CheckStarted, DeploymentCompleted, DeploymentFailed, DeploymentMeasured, DeploymentRolledBack,
    DeploymentStarted, DeploymentTriggered,
};
use crate::metrics::Metrics;
use crate::settings::Settings;
use crate::{metrics, operator, place, start};

fn test_bus() -> TestBus {
    let bus = TestBus::builder().prefix(place::PREFIX);
    let streams = place::FAMILIES.into_iter().chain(place::letters());
    let bus = streams.fold(bus, TestBusBuilder::stream);
    bus.coordination(place::BUCKET).build()
}

/// The bus of a region, on the streams of the test.
fn region(bus: &TestBus, name: &str) -> EventBus {
    let region = place::region(name).clock(Arc::clone(bus.clock()));
    let region = region.simulated_process();
    region.transport(Arc::clone(bus.transport())).unwrap()
}

/// Makes a deployment that checks the health of the service once, and ends like this.
async fn deploy(bus: &EventBus, end: Result<(), Fault>) {
    let (deployment, service, tags) = (7, "api", "canary,priority");
    let plan = Plan {
        deployment,
        service,
        tags,
    };
    let deployer = Deployer { bus: bus.clone() };
    let done = deployer.deploy(&plan, async |running| {
        running.emit(CheckStarted { deployment }).await?;
        end
    });
    done.await.unwrap();
}

#[tokio::test]
async fn the_events_of_a_deployment_are_one_chain() {
    let bus = test_bus();
    deploy(&region(&bus, "eu"), Ok(())).await;
    let request = bus.published::<DeploymentTriggered>().one();
    assert_eq!(request.head().metadata.get("region"), Some("eu"));
    let started = bus.published::<DeploymentStarted>();
    started.caused_by(&request).one();
    bus.published::<CheckStarted>().caused_by(&request).one();
    let completed = bus.published::<DeploymentCompleted>();
    let completed = completed.caused_by(&request).one();
    let correlation = &completed.head().metadata.correlation_id;
    assert_eq!(*correlation, request.head().metadata.correlation_id);
    bus.published::<DeploymentMeasured>().one();
    bus.nothing_else();
}

#[tokio::test]
async fn a_failed_deployment_is_rolled_back_in_its_region() {
    let bus = test_bus();
    let [us, eu] = ["us", "eu"].map(|name| region(&bus, name));
    tokio::spawn(operator::consumer(&us, "us").run());
    tokio::spawn(operator::consumer(&eu, "eu").run());
    deploy(&eu, Err(Fault::Failed("not healthy"))).await;
    let back = bus.published::<DeploymentRolledBack>().eventually().one();
    let back = back.await;
    for (name, text) in [
        ("region", "eu"),
        ("service", "api"),
        ("tags", "canary,priority"),
    ] {
        assert_eq!(back.head().metadata.get(name), Some(text));
    }
    bus.published::<DeploymentCompleted>().none();
}

#[tokio::test]
async fn a_handler_sees_what_its_settings_select() {
    for (arguments, handled) in [
        ("", 10),
        ("--region eu", 5),
        ("--type deployment.st*", 2),
        ("--service web", 0),
        ("--deployment 7 --tag canary --tag priority", 10),
        ("--deployment 8", 0),
        ("--tag stable", 0),
    ] {
        let bus = test_bus();
        deploy(&region(&bus, "us"), Ok(())).await;
        deploy(&region(&bus, "eu"), Ok(())).await;
        let arguments = format!("deployments {arguments}");
        let settings = Settings::parse_from(arguments.split_whitespace());
        let consumer = metrics::consumer(&bus, Metrics::default());
        let consumer = consumer.filter(settings.selection.filter());
        let report = bus.run_until_idle(consumer).await;
        assert_eq!(report.handled, handled, "{arguments}");
        assert_eq!(report.filtered, 10 - handled, "{arguments}");
    }
}

#[tokio::test]
async fn handlers_are_added_and_removed_while_others_run() {
    let bus = test_bus();
    let (us, failed) = (region(&bus, "us"), || Err(Fault::Failed("not healthy")));
    let (handlers, counts) = (Consumers::new(), Metrics::default());
    let metrics = metrics::consumer(&bus, counts.clone());
    handlers.add(metrics).unwrap();
    let operator = handlers.add(operator::consumer(&us, "us")).unwrap();
    assert_eq!(handlers.count_of::<DeploymentFailed>(), 2);
    deploy(&us, failed()).await;
    bus.settled().await;
    assert_eq!(handlers.remove(operator).await.unwrap().handled, 1);
    deploy(&us, failed()).await;
    bus.settled().await;
    assert_eq!(handlers.count_of::<DeploymentFailed>(), 1);
    assert_eq!(counts.of("deployment.failed"), [2, 0, 0]);
    assert_eq!(counts.of("deployment.rolled_back"), [1, 0, 0]);
}

#[test]
fn each_argument_has_a_variable() {
    variables::assert_each_has_one(&Settings::command(), "OPS_", &[]);
}

#[test]
fn an_empty_selection_is_refused() {
    for argument in ["--region=", "--type=", "--service=", "--tag=", "--tag=a,"] {
        let refused = Settings::try_parse_from(["deployments", argument]);
        let error = refused.unwrap_err().to_string();
        assert!(error.contains("a value is required"), "{error}");
    }
}

#[tokio::test]
async fn the_log_has_the_level_of_the_environment() {
    let variables = [("OPS_DEPLOYMENTS", "2"), ("OPS_HANDLERS", "metrics")];
    process::assert_the_log_has_its_level(&variables, "deployment.measured").await;
}

/// The program, in a process that another test starts.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "a process that another test starts"]
async fn program() -> anyhow::Result<()> {
    start(Settings::parse_from(process::arguments("deployments"))).await
}
