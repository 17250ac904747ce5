//! Durables that are changed in place: their position, what they owe, who is woken.

use event_sdk::stream::Retention;
use event_sdk::transport::{ConsumerChange, ConsumerConfig, ErrorKind};

use crate::support::{Rig, SECOND, SettleNow as _, durable, ephemeral, pattern, some};

fn with(filters: &[&str]) -> ConsumerConfig {
    let mut config = durable("d");
    config.filters = filters.iter().map(|filter| pattern(filter)).collect();
    config
}

fn updated(rig: &Rig, config: &ConsumerConfig) -> Vec<&'static str> {
    match rig.apply_consumer(config).unwrap() {
        ConsumerChange::Updated { differences } => {
            differences.iter().map(|found| found.field).collect()
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_is_not_wanted_any_more_is_not_kept() {
    let rig = Rig::of(|stream| stream.retention(Retention::Interest));
    assert_eq!(
        rig.apply_consumer(&with(&["a", "b"])).unwrap(),
        ConsumerChange::Created
    );
    for subject in ["a", "b", "b", "a"] {
        rig.publish(subject);
    }
    assert_eq!(rig.state().messages, 4);
    assert_eq!(updated(&rig, &with(&["a"])), ["filters"]);
    assert_eq!(rig.state().messages, 2);
    let mut sub = rig.subscribe(with(&["a"]));
    assert_eq!(sub.drain(), [1, 4]);
}

#[test]
fn what_is_wanted_from_now_on_is_kept_for_it() {
    let rig = Rig::of(|stream| stream.retention(Retention::Interest));
    let mut other = rig.subscribe(with(&["b"]));
    let _keeps = rig.subscribe(ephemeral());
    let mut config = durable("e");
    config.filters = vec![pattern("a")];
    rig.apply_consumer(&config).unwrap();
    rig.publish("b");
    config.filters.push(pattern("b"));
    assert_eq!(updated(&rig, &config), ["filters"]);
    rig.publish("b");
    assert_eq!(other.drain(), [1, 2]);
    let mut sub = rig.subscribe(config);
    assert_eq!(sub.drain(), [1, 2]);
}

#[test]
fn what_is_before_the_position_is_not_delivered() {
    let rig = Rig::plain();
    let mut sub = rig.subscribe(with(&["a"]));
    for subject in ["a", "b", "a"] {
        rig.publish(subject);
    }
    assert_eq!(sub.drain(), [1, 3]);
    assert_eq!(updated(&rig, &with(&["a", "b"])), ["filters"]);
    rig.publish("b");
    assert_eq!(sub.drain(), [4]);
    assert_eq!(updated(&rig, &with(&[">"])), ["filters"]);
    rig.publish("c");
    assert_eq!(sub.drain(), [5]);
}

#[test]
fn more_unsettled_deliveries_wake_who_waits() {
    let rig = Rig::plain();
    let mut config = durable("d");
    config.max_ack_pending = some(1);
    let mut sub = rig.subscribe(config.clone());
    rig.publish_many("a", 2);
    let _held = sub.message();
    sub.nothing();
    sub.take_woken();
    config.max_ack_pending = some(2);
    assert_eq!(updated(&rig, &config), ["max ack pending"]);
    assert!(sub.take_woken());
    assert_eq!(sub.seq(), (2, 1));
}

#[test]
fn another_ack_wait_holds_from_the_next_delivery_on() {
    let rig = Rig::plain();
    let mut config = durable("d");
    let mut sub = rig.subscribe(config.clone());
    rig.publish_many("a", 2);
    drop(sub.message());
    config.ack_wait = SECOND;
    assert_eq!(updated(&rig, &config), ["ack wait"]);
    drop(sub.message());
    rig.step(2 * SECOND);
    let again = sub.message();
    assert_eq!((again.info.sequence, again.info.attempt), (Some(2), 2));
    again.ack();
    sub.nothing();
    rig.step(28 * SECOND);
    assert_eq!(sub.seq(), (1, 2));
}

#[test]
fn a_work_queue_keeps_its_consumers_apart() {
    let rig = Rig::of(|stream| stream.retention(Retention::WorkQueue));
    rig.apply_consumer(&with(&["a"])).unwrap();
    let mut other = durable("e");
    other.filters = vec![pattern("b")];
    rig.apply_consumer(&other).unwrap();
    let error = rig.apply_consumer(&with(&["a", "b"])).unwrap_err();
    assert_eq!(*error.kind(), ErrorKind::InvalidOption, "{error}");
    assert_eq!(updated(&rig, &with(&["a", "c"])), ["filters"]);
}
