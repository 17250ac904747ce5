//! Tests of the handlers and of the provider, on the test bus with virtual time.

use std::io;
use std::sync::{Arc, Mutex};

use clap::Parser;
use event_sdk::consumer::Consumers;
use event_sdk::dead_letters::{LetterFilter, Page};
use event_sdk_testing::{TestBus, TestBusBuilder};

use crate::deployer::{Deployer, Fault, Plan};
use crate::events::{
    CheckStarted, DeploymentCompleted, DeploymentFailed, DeploymentMeasured, DeploymentRolledBack,
    DeploymentStarted, DeploymentTriggered,
};
use crate::metrics::Metrics;
use crate::settings::Settings;
use crate::webhook::Post;
use crate::{metrics, operator, place, webhook};

const PLAN: Plan = Plan {
    deployment: 7,
    service: "api",
    tags: "canary,priority",
};

fn test_bus() -> TestBus {
    let builder = TestBus::builder()
        .prefix(place::PREFIX)
        .coordination(place::BUCKET);
    place::streams()
        .fold(builder, TestBusBuilder::stream)
        .build()
}

/// The provider in a region, on the streams of the test.
fn deployer(bus: &TestBus, region: &str) -> Deployer {
    let builder = place::region(region).clock(Arc::clone(bus.clock()));
    let transport = Arc::clone(bus.transport());
    let bus = builder.simulated_process().transport(transport).unwrap();
    Deployer { bus }
}

fn failed() -> DeploymentFailed {
    let reason = "not healthy".to_owned();
    DeploymentFailed {
        deployment: 7,
        reason,
    }
}

/// Answers with these, the last one first, and then with 204.
#[derive(Default)]
struct Answers {
    answers: Mutex<Vec<io::Result<u16>>>,
    posted: Mutex<Vec<String>>,
}

impl Post for Arc<Answers> {
    fn post(&self, body: &[u8]) -> io::Result<u16> {
        let body = String::from_utf8_lossy(body).into_owned();
        self.posted.lock().unwrap().push(body);
        self.answers.lock().unwrap().pop().unwrap_or(Ok(204))
    }
}

#[tokio::test]
async fn the_events_of_a_deployment_are_one_chain() {
    let bus = test_bus();
    let eu = deployer(&bus, "eu");
    eu.deploy(&PLAN, async |running| {
        Ok(running.emit(CheckStarted { deployment: 7 }).await?)
    })
    .await
    .unwrap();
    let request = bus.published::<DeploymentTriggered>().one();
    assert_eq!(request.head().metadata.get("region"), Some("eu"));
    bus.published::<DeploymentStarted>()
        .caused_by(&request)
        .one();
    bus.published::<CheckStarted>().caused_by(&request).one();
    bus.published::<DeploymentCompleted>()
        .caused_by(&request)
        .one();
    bus.published::<DeploymentMeasured>()
        .caused_by(&request)
        .one();
    bus.nothing_else();
}
#[tokio::test]
async fn a_failed_deployment_is_rolled_back_in_its_region() {
    let bus = test_bus();
    let [us, eu] = ["us", "eu"].map(|region| deployer(&bus, region));
    tokio::spawn(operator::consumer(&us.bus, "us").run());
    tokio::spawn(operator::consumer(&eu.bus, "eu").run());
    eu.deploy(&PLAN, async |_| Err(Fault::Failed("not healthy")))
        .await
        .unwrap();
    let failed = bus.published::<DeploymentFailed>().one();
    let back = bus
        .published::<DeploymentRolledBack>()
        .caused_by(&failed)
        .eventually()
        .one()
        .await;
    for (name, text) in [("region", "eu"), ("service", "api"), ("tags", PLAN.tags)] {
        assert_eq!(back.head().metadata.get(name), Some(text));
    }
    bus.published::<DeploymentCompleted>().none();
}

#[tokio::test]
async fn a_webhook_that_is_busy_or_away_is_called_again() {
    let bus = test_bus();
    bus.given(failed()).await;
    let post = Arc::new(Answers::default());
    let refused = io::Error::from(io::ErrorKind::ConnectionRefused);
    *post.answers.lock().unwrap() = vec![Ok(503), Err(refused), Ok(503)];
    let report = bus
        .run_until_idle(webhook::consumer(&bus, Arc::clone(&post)))
        .await;
    assert_eq!(
        (report.handled, report.failed_attempts, report.outages),
        (1, 2, 1)
    );
    let posted = post.posted.lock().unwrap();
    assert_eq!(posted.len(), 4);
    assert!(posted[0].contains("not healthy"), "{}", posted[0]);
}

#[tokio::test]
async fn an_alarm_that_is_refused_or_never_taken_becomes_a_dead_letter() {
    for (answers, class) in [(vec![422], "rejected"), (vec![500; 4], "retry-exhausted")] {
        let bus = test_bus();
        bus.given(failed()).await;
        let post = Arc::new(Answers::default());
        *post.answers.lock().unwrap() = answers.into_iter().map(Ok).collect();
        let report = bus.run_until_idle(webhook::consumer(&bus, post)).await;
        assert_eq!((report.handled, report.dead_lettered), (0, 1));
        let letters = bus.dead_letters("DLQ");
        let letters = letters
            .list(&LetterFilter::open(), Page::ALL)
            .await
            .unwrap();
        assert_eq!(letters[0].class.as_str(), class);
    }
}

#[tokio::test]
async fn a_handler_sees_what_its_settings_select() {
    for (arguments, handled) in [
        ("", 8),
        ("--region eu", 4),
        ("--type deployment.st*", 2),
        ("--service web", 0),
        ("--deployment 7 --tag canary --tag priority", 8),
        ("--deployment 8", 0),
        ("--tag stable", 0),
    ] {
        let bus = test_bus();
        for region in ["us", "eu"] {
            let deployer = deployer(&bus, region);
            deployer.deploy(&PLAN, async |_| Ok(())).await.unwrap();
        }
        let arguments = "deployments ".to_owned() + arguments;
        let filter = Settings::parse_from(arguments.split_whitespace())
            .selection
            .filter();
        let consumer = metrics::consumer(&bus, Metrics::default()).filter(filter);
        let report = bus.run_until_idle(consumer).await;
        assert_eq!(
            (report.handled, report.filtered),
            (handled, 8 - handled),
            "{arguments}"
        );
    }
}

#[tokio::test]
async fn handlers_are_added_and_removed_while_others_run() {
    let bus = test_bus();
    let (handlers, metrics) = (Consumers::new(), Metrics::default());
    handlers
        .add(metrics::consumer(&bus, metrics.clone()))
        .unwrap();
    let us = deployer(&bus, "us");
    let operator = handlers.add(operator::consumer(&us.bus, "us")).unwrap();
    assert_eq!(handlers.count_of::<DeploymentFailed>(), 2);
    us.deploy(&PLAN, async |_| Err(Fault::Failed("not healthy")))
        .await
        .unwrap();
    bus.published::<DeploymentRolledBack>()
        .eventually()
        .one()
        .await;
    assert_eq!(handlers.remove(operator).await.unwrap().handled, 1);
    us.deploy(&PLAN, async |_| Err(Fault::Failed("not healthy")))
        .await
        .unwrap();
    bus.settled().await;
    assert_eq!(handlers.count_of::<DeploymentFailed>(), 1);
    assert_eq!(metrics.of("deployment.failed"), [2, 0, 0]);
    assert_eq!(metrics.of("deployment.rolled_back"), [1, 0, 0]);
}
