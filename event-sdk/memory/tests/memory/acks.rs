//! Ack, nak, term, ack wait and redelivery.

use std::time::Duration;

use event_sdk::ErrorKind;
use event_sdk::transport::{AckPolicy, Settlement};

use crate::support::*;

#[test]
fn what_is_acknowledged_does_not_come_again() {
    let rig = Rig::plain();
    rig.publish_many("a", 2);
    let mut sub = rig.subscribe(durable("d"));
    let (first, second) = (sub.message(), sub.message());
    second.ack();
    second.ack();
    first.ack();
    rig.step(3600 * SECOND);
    sub.nothing();
    first.nak(Duration::ZERO);
    sub.nothing();
}

#[test]
fn it_comes_again_after_the_ack_wait_with_a_higher_attempt() {
    let rig = Rig::plain();
    rig.publish_many("a", 2);
    let first = rig.subscribe(durable("d")).message();
    let mut sub = rig.subscribe(durable("d"));
    rig.step(10 * SECOND);
    assert_eq!(sub.seq(), (2, 1));
    rig.step(19 * SECOND);
    sub.nothing();
    rig.step(SECOND);
    assert_eq!(sub.seq(), (1, 2));
    sub.nothing();
    rig.step(10 * SECOND);
    assert_eq!(sub.seq(), (2, 2));
    // The ack of the first attempt acknowledges the message.
    first.ack();
    rig.step(20 * SECOND);
    sub.nothing();
    rig.step(10 * SECOND);
    assert_eq!(sub.seq(), (2, 3));
}

#[test]
fn what_is_handled_does_not_come_again_to_its_subscription() {
    let rig = Rig::plain();
    rig.publish_many("a", 2);
    let mut sub = rig.subscribe(durable("d"));
    let handled = sub.message();
    let dropped = sub.message();
    rig.step(30 * SECOND);
    // These were their second deliveries.
    sub.nothing();
    drop(dropped);
    rig.step(30 * SECOND);
    assert_eq!(sub.seq(), (2, 3));
    sub.nothing();
    // Another has it after the next.
    rig.step(30 * SECOND);
    let mut other = rig.subscribe(durable("d"));
    assert_eq!(other.seq(), (1, 4));
    handled.ack();
    assert_eq!(other.seq(), (2, 4));
    rig.step(30 * SECOND);
    assert_eq!(other.seq(), (2, 5));
    other.nothing();
}

#[test]
fn what_is_handled_does_not_come_again_when_another_subscription_had_it_meanwhile() {
    let rig = Rig::plain();
    rig.publish("a");
    let (mut one, mut other) = (rig.subscribe(durable("d")), rig.subscribe(durable("d")));
    let handled = one.message();
    rig.step(30 * SECOND);
    // Which drops it.
    assert_eq!(other.seq(), (1, 2));
    rig.step(30 * SECOND);
    one.nothing();
    rig.step(30 * SECOND);
    assert_eq!(other.seq(), (1, 4));
    drop(handled);
    rig.step(30 * SECOND);
    assert_eq!(one.seq(), (1, 5));
}

#[test]
fn a_late_nak_says_nothing_of_the_handler_that_has_it_now() {
    let rig = Rig::plain();
    rig.publish("a");
    let (mut one, mut other) = (rig.subscribe(durable("d")), rig.subscribe(durable("d")));
    let late = one.message();
    rig.step(30 * SECOND);
    let handled = other.message();
    late.nak(Duration::ZERO);
    other.nothing();
    rig.step(30 * SECOND);
    let again = one.message();
    assert_eq!(again.info.attempt, 4);
    // Nor does another one of the same subscription.
    late.nak(Duration::ZERO);
    one.nothing();
    drop(handled);
    rig.step(30 * SECOND);
    assert_eq!(other.seq(), (1, 6));
}

#[test]
fn what_was_put_back_comes_again_though_it_is_held() {
    let rig = Rig::plain();
    rig.publish("a");
    let mut sub = rig.subscribe(durable("d"));
    let held = sub.message();
    held.nak(SECOND);
    sub.nothing();
    rig.step(SECOND);
    assert_eq!(sub.seq(), (1, 2));
    drop(held);
}

#[test]
fn what_is_in_progress_waits_anew() {
    let rig = Rig::plain();
    rig.publish("a");
    let message = rig.subscribe(durable("d")).message();
    let mut sub = rig.subscribe(durable("d"));
    for _ in 0..5 {
        rig.step(29 * SECOND);
        sub.nothing();
        message.settle(Settlement::InProgress);
    }
    rig.step(29 * SECOND);
    sub.nothing();
    rig.step(SECOND);
    assert_eq!(sub.seq(), (1, 2));
}

#[test]
fn what_is_put_back_comes_again_when_its_delay_is_over() {
    let rig = Rig::plain();
    rig.publish_many("a", 3);
    let mut sub = rig.subscribe(durable("d"));
    sub.message().nak(5 * SECOND);
    sub.message().nak(Duration::ZERO);
    assert_eq!(sub.seq(), (2, 2), "at once, and before what is new");
    assert_eq!(sub.seq(), (3, 1));
    sub.nothing();
    rig.step(5 * SECOND);
    assert_eq!(sub.seq(), (1, 2));
    sub.nothing();
}

#[test]
fn a_nak_may_put_back_for_longer_than_the_ack_wait() {
    let rig = Rig::plain();
    rig.publish("a");
    let mut sub = rig.subscribe(durable("d"));
    sub.message().nak(100 * SECOND);
    rig.step(99 * SECOND);
    sub.nothing();
    rig.step(SECOND);
    assert_eq!(sub.seq(), (1, 2));
}

#[test]
fn what_is_terminated_does_not_come_again_and_is_not_exhausted() {
    let rig = Rig::plain();
    rig.publish("a");
    let mut config = durable("d");
    config.max_deliver = some(1);
    let mut sub = rig.subscribe(config);
    sub.message().settle(Settlement::Term("broken".to_owned()));
    rig.step(3600 * SECOND);
    sub.nothing();
}

#[test]
fn the_backoff_replaces_the_ack_wait() {
    let rig = Rig::plain();
    rig.publish("a");
    let mut config = durable("d");
    config.backoff = vec![SECOND, 5 * SECOND];
    let mut sub = rig.subscribe(config);
    drop(sub.message());
    rig.step(SECOND);
    assert_eq!(sub.seq(), (1, 2));
    rig.step(4 * SECOND);
    sub.nothing();
    rig.step(SECOND);
    assert_eq!(sub.seq(), (1, 3));
    rig.step(5 * SECOND);
    assert_eq!(sub.seq(), (1, 4), "the last wait is repeated");
}

#[test]
fn a_message_that_runs_out_of_deliveries_is_reported_once() {
    let rig = Rig::plain();
    rig.publish("a.b");
    rig.publish("c");
    let mut config = durable("d");
    config.max_deliver = some(2);
    let mut sub = rig.subscribe(config);
    assert_eq!(sub.seq(), (1, 1));
    sub.message().ack();
    rig.step(30 * SECOND);
    let last = sub.message();
    assert_eq!(last.info.attempt, 2);
    rig.step(30 * SECOND);
    let exhausted = sub.exhausted();
    assert_eq!(exhausted.subject.unwrap().as_str(), "a.b");
    assert_eq!((exhausted.sequence, exhausted.attempts), (1, 2));
    last.nak(Duration::ZERO);
    last.ack();
    rig.step(3600 * SECOND);
    sub.nothing();
    assert_eq!(rig.state().messages, 2, "it stays in its stream");
}

#[test]
fn a_nak_of_the_last_delivery_reports_it_at_once() {
    let rig = Rig::plain();
    rig.publish("a");
    let mut config = durable("d");
    config.max_deliver = some(1);
    let mut sub = rig.subscribe(config);
    sub.message().nak(60 * SECOND);
    assert_eq!(sub.exhausted().attempts, 1);
    sub.nothing();
}

#[test]
fn delivery_pauses_at_max_ack_pending() {
    let rig = Rig::plain();
    rig.publish_many("a", 5);
    let mut config = durable("d");
    config.max_ack_pending = some(2);
    let mut sub = rig.subscribe(config);
    let (first, second) = (sub.message(), sub.message());
    assert_eq!(
        (first.info.pending, second.info.pending),
        (Some(4), Some(3))
    );
    sub.nothing();
    first.ack();
    assert!(sub.take_woken());
    assert_eq!(sub.seq(), (3, 1));
    sub.nothing();
    // A redelivery is no new delivery.
    second.nak(Duration::ZERO);
    assert_eq!(sub.seq(), (2, 2));
    sub.nothing();
}

#[test]
fn without_acks_each_message_comes_once() {
    let rig = Rig::plain();
    rig.publish_many("a", 3);
    let mut config = durable("d");
    config.ack = AckPolicy::None;
    let mut sub = rig.subscribe(config.clone());
    let message = sub.message();
    assert!(message.settler.is_none());
    assert_eq!(sub.seq(), (2, 1));
    rig.step(3600 * SECOND);
    drop(sub);
    assert_eq!(rig.subscribe(config).drain(), [3]);
}

#[test]
fn settling_after_the_end_says_what_ended() {
    let rig = Rig::plain();
    rig.publish_many("a", 3);
    let (mut durable_sub, mut ephemeral_sub) =
        (rig.subscribe(durable("d")), rig.subscribe(ephemeral()));
    let (deleted, over, closed) = (
        durable_sub.message(),
        ephemeral_sub.message(),
        rig.subscribe(durable("e")).message(),
    );
    rig.delete("d").unwrap();
    drop(ephemeral_sub);
    for message in [deleted, over] {
        let error = message.try_settle(Settlement::Ack).unwrap_err();
        assert_eq!(error.kind(), &ErrorKind::ConsumerNotFound);
    }
    rig.close();
    let error = closed.try_settle(Settlement::Ack).unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::Closed);
}

#[test]
fn what_a_dropped_subscription_had_comes_to_another_after_the_ack_wait() {
    let rig = Rig::plain();
    rig.publish_many("a", 3);
    let mut sub = rig.subscribe(durable("d"));
    assert_eq!(sub.seq(), (1, 1));
    drop(sub);
    let mut sub = rig.subscribe(durable("d"));
    assert_eq!((sub.seq(), sub.seq()), ((2, 1), (3, 1)));
    sub.nothing();
    rig.step(30 * SECOND);
    assert_eq!(sub.seq(), (1, 2));
}
