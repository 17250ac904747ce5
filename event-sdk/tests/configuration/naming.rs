//! The prefix from environment and application, and the point-to-point form.

use std::time::Duration;

use event_sdk::EventBus;
use event_sdk::config::Config;

use crate::support::{OrderPlaced, load, placed};

#[test]
fn the_prefix_has_what_it_names() {
    let config = load(&[
        (
            "EVENT_SDK_PREFIX",
            "{environment}.{application}.{region}.events",
        ),
        ("EVENT_SDK_ENVIRONMENT", "production"),
        ("EVENT_SDK_APPLICATION", "billing"),
        ("EVENT_SDK_REGION", "eu-west-1"),
    ]);
    let prefix = config.expanded_prefix().unwrap();
    assert_eq!(
        prefix.as_deref(),
        Some("production.billing.eu-west-1.events")
    );
    assert!(config.reverse_prefix().is_err());
    assert_eq!(Config::default().expanded_prefix(), Ok(None));
}

#[test]
fn a_part_of_the_prefix_is_one_token() {
    let long = "x".repeat(256);
    for part in ["a.b", "*", "a>", "a b", "a\tb", "a\u{202e}b", "", &long] {
        let mut config = Config::default();
        config.prefix = Some("{application}.events".to_owned());
        config.application = Some(part.to_owned());
        assert!(config.validate().is_err(), "{part:?}");
        assert!(config.expanded_prefix().is_err(), "{part:?}");
    }
}

/// Two applications that exchange events, each under its own prefix, over the same streams.
#[tokio::test]
async fn two_applications_exchange_events() {
    let configured = |application: &str, destination: &str| {
        load(&[
            ("EVENT_SDK_TRANSPORT", "memory"),
            ("EVENT_SDK_PREFIX", Config::POINT_TO_POINT),
            ("EVENT_SDK_ENVIRONMENT", "production"),
            ("EVENT_SDK_APPLICATION", application),
            ("EVENT_SDK_DESTINATION", destination),
        ])
    };
    let billing = configured("billing", "worker");
    let to_worker = EventBus::from_config(&billing).await.unwrap();
    assert_eq!(to_worker.prefix(), "production.billing.sync.worker");
    let from_worker = billing.reverse_prefix().unwrap();
    let from_worker = to_worker.with_prefix(from_worker).unwrap();
    assert_eq!(from_worker.prefix(), "production.worker.sync.billing");
    // The worker's own configuration has both the other way round.
    let worker = configured("worker", "billing");
    let prefix = worker.expanded_prefix().unwrap();
    assert_eq!(prefix.as_deref(), Some(from_worker.prefix()));
    assert_eq!(worker.reverse_prefix().unwrap(), to_worker.prefix());

    let mut answers = from_worker.subscribe::<OrderPlaced>().await.unwrap();
    let mut questions = to_worker.subscribe::<OrderPlaced>().await.unwrap();
    to_worker.publisher().publish(placed(1)).await.unwrap();
    let question = questions.next().await.unwrap().unwrap();
    assert_eq!(
        question.subject().as_str(),
        "production.billing.sync.worker.orders.order.placed"
    );
    assert_eq!(question.decode().unwrap().id, 1);
    from_worker.publisher().publish(placed(2)).await.unwrap();
    let answer = answers.next().await.unwrap().unwrap();
    assert_eq!(answer.decode().unwrap().id, 2);
    answer.ack().await.unwrap();
    question.ack().await.unwrap();
    // It is one bus: a drain of one ends both.
    from_worker.drain(Duration::from_secs(10)).await.unwrap();
    assert!(questions.next().await.is_none());
    assert!(to_worker.publisher().publish(placed(3)).await.is_err());
}

#[tokio::test]
async fn a_malformed_prefix_is_refused() {
    let bus = EventBus::memory();
    for prefix in ["", "a..b", "a.*", "a b"] {
        assert!(bus.with_prefix(prefix).is_err(), "{prefix:?}");
    }
}
