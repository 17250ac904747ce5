//! Limits of a stream (number, bytes, age), and gaps that consumers report.

use std::time::Duration;

use event_sdk::ErrorKind;
use event_sdk::stream::Discard;
use event_sdk::transport::{AckPolicy, Body, ConsumerConfig, DeliverPolicy, Gap, LostCount};
use jiff::SignedDuration;

use crate::support::*;

#[test]
fn the_oldest_message_goes_and_the_gap_is_exact() {
    let rig = Rig::of(|stream| stream.max_messages(10));
    let mut config = durable("d");
    config.filters = vec![pattern("a")];
    let mut sub = rig.subscribe(config);
    for _ in 0..50 {
        rig.publish("a");
        rig.publish("b");
    }
    let state = rig.state();
    assert_eq!(
        (state.messages, state.first_sequence, state.last_sequence),
        (10, 91, 100)
    );
    assert_eq!(sub.gap(), exactly(1, 89, 45));
    assert_eq!(sub.drain(), [91, 93, 95, 97, 99]);
    rig.publish_many("a", 11);
    assert_eq!(sub.gap(), exactly(101, 101, 1));
    assert_eq!(sub.drain().len(), 10);
}

#[test]
fn bytes_are_limited() {
    let rig = Rig::of(|stream| stream.max_bytes(30));
    rig.publish_many("a", 20);
    assert_eq!((rig.state().messages, rig.state().bytes), (10, 30));
    let large = |message: &mut event_sdk::transport::PublishRequest<'_>| {
        message.body = Body::Encoded(vec![b'x'; 26].into());
    };
    rig.try_publish("abc", large).unwrap();
    assert_eq!((rig.state().messages, rig.state().bytes), (1, 29));
}

#[test]
fn what_is_too_old_goes() {
    let rig = Rig::of(|stream| stream.max_age(10 * SECOND));
    let mut sub = rig.subscribe(durable("d"));
    rig.publish_many("a", 3);
    rig.step(5 * SECOND);
    rig.publish("a");
    rig.step(5 * SECOND);
    assert_eq!(rig.state().messages, 1);
    assert_eq!(sub.gap(), exactly(1, 3, 3));
    assert_eq!(sub.seq(), (4, 1));
    rig.step(5 * SECOND);
    let state = rig.state();
    assert_eq!(
        (state.messages, state.first_sequence, state.last_sequence),
        (0, 5, 4)
    );
}

#[test]
fn what_is_too_old_takes_no_room_from_the_new() {
    let rig = Rig::of(|stream| {
        let stream = stream.max_messages(1000).max_age(10 * SECOND);
        stream.when_full(Discard::New)
    });
    rig.publish_many("a", 1000);
    rig.step(10 * SECOND);
    assert_eq!(rig.publish("a"), 1001);
    assert_eq!(rig.state().messages, 1);
}

#[test]
fn one_gap_wakes_a_group_once() {
    let rig = Rig::of(|stream| stream.max_messages(2));
    let mut config = group("g");
    config.max_ack_pending = some(1);
    let mut subs: Vec<_> = (0..3).map(|_| rig.subscribe(config.clone())).collect();
    rig.publish_many("a", 2);
    let _held = subs[0].message();
    subs.iter_mut().for_each(Subscriber::nothing);
    rig.publish_many("a", 10);
    let wakes: Vec<_> = subs.iter().map(Subscriber::take_wakes).collect();
    assert_eq!(wakes, [1, 1, 1]);
}

#[test]
fn ages_do_not_depend_on_the_time_of_day() {
    let rig = Rig::of(|stream| stream.max_age(10 * SECOND));
    for ahead in [
        SignedDuration::from_hours(24 * 365),
        SignedDuration::ZERO,
        SignedDuration::from_hours(-24 * 365),
        SignedDuration::from_secs(-1),
        SignedDuration::ZERO,
    ] {
        rig.clock.set_ahead(ahead);
        rig.publish("a");
    }
    rig.step(9 * SECOND);
    assert_eq!(rig.state().messages, 5);
    rig.publish("a");
    rig.step(SECOND);
    assert_eq!(rig.state().messages, 1);
}

#[test]
fn the_oldest_of_a_subject_goes() {
    let rig = Rig::of(|stream| stream.max_messages_per_subject(2));
    let mut sub = rig.subscribe(durable("d"));
    rig.publish("rare");
    rig.publish_many("often", 1000);
    let state = rig.state();
    assert_eq!((state.messages, state.first_sequence), (3, 1));
    assert_eq!(sub.gap(), exactly(2, 999, 998));
    assert_eq!(sub.drain(), [1, 1000, 1001]);
}

#[test]
fn a_stream_may_refuse_what_is_new() {
    let rig = Rig::of(|stream| {
        stream
            .max_messages(2)
            .when_full(Discard::New)
            .max_age(10 * SECOND)
    });
    rig.publish_many("a", 2);
    let error = rig.try_publish("a", |_| {}).unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::StreamFull);
    assert!(error.is_transient());
    assert_eq!(rig.state().last_sequence, 2);
    rig.step(10 * SECOND);
    assert_eq!(rig.publish("a"), 3);

    let rig = Rig::of(|stream| stream.max_bytes(7).when_full(Discard::New));
    rig.publish_many("a", 2);
    assert_eq!(
        rig.try_publish("a", |_| {}).unwrap_err().kind(),
        &ErrorKind::StreamFull
    );
}

#[test]
fn a_full_stream_still_replaces_the_oldest_of_a_subject() {
    let rig = Rig::of(|stream| {
        stream
            .max_messages(2)
            .max_bytes(6)
            .max_messages_per_subject(1)
            .when_full(Discard::New)
    });
    rig.publish("a");
    rig.publish("b");
    assert_eq!(rig.publish("a"), 3);
    assert!(rig.try_publish("c", |_| {}).is_err());
    let larger = rig.try_publish("a", |message| {
        message.body = Body::Encoded(vec![0; 3].into());
    });
    assert_eq!(larger.unwrap_err().kind(), &ErrorKind::StreamFull);
    assert_eq!(rig.state().first_sequence, 2);
}

#[test]
fn a_durable_learns_at_its_next_bind_what_it_missed() {
    let rig = Rig::of(|stream| stream.max_messages(3));
    let mut sub = rig.subscribe(durable("d"));
    rig.publish_many("a", 2);
    assert_eq!(sub.drain(), [1, 2]);
    drop(sub);
    rig.publish_many("a", 10);
    let mut sub = rig.subscribe(durable("d"));
    assert_eq!(sub.gap(), exactly(3, 9, 7));
    assert_eq!(sub.drain(), [10, 11, 12]);
}

#[test]
fn a_redelivery_whose_message_is_gone_is_a_gap() {
    let rig = Rig::of(|stream| stream.max_messages(2));
    let mut sub = rig.subscribe(durable("d"));
    rig.publish_many("a", 2);
    let (first, _second) = (sub.message(), sub.message());
    rig.publish_many("a", 2);
    // Both are gone, but with a handler; one of them is done.
    assert_eq!(sub.drain(), [3, 4]);
    first.ack();
    rig.step(30 * SECOND);
    assert_eq!(sub.gap(), exactly(2, 2, 1));
    rig.step(3600 * SECOND);
    sub.nothing();
}

#[test]
fn what_rests_or_waits_to_come_again_is_lost_at_once() {
    let rig = Rig::of(|stream| stream.max_messages(2));
    let mut sub = rig.subscribe(durable("d"));
    rig.publish_many("a", 2);
    let (first, second) = (sub.message(), sub.message());
    first.nak(10 * SECOND);
    second.nak(Duration::ZERO);
    sub.take_woken();
    rig.publish_many("a", 2);
    assert_eq!(sub.gap(), exactly(1, 2, 2));
    assert_eq!(sub.drain(), [3, 4]);
    rig.step(3600 * SECOND);
    sub.nothing();
}

#[test]
fn a_nak_of_what_is_gone_is_a_gap() {
    let rig = Rig::of(|stream| stream.max_messages(1));
    let mut sub = rig.subscribe(durable("d"));
    rig.publish("a");
    let message = sub.message();
    rig.publish("a");
    message.nak(10 * SECOND);
    assert_eq!(sub.gap(), exactly(1, 1, 1));
}

#[test]
fn a_subscription_that_waits_is_woken_for_a_gap() {
    let rig = Rig::of(|stream| stream.max_messages(2));
    let mut config = durable("d");
    config.max_ack_pending = some(1);
    let mut sub = rig.subscribe(config);
    rig.publish_many("a", 2);
    let _held = sub.message();
    sub.nothing();
    rig.publish("a");
    assert!(!sub.take_woken(), "one is gone that a handler has");
    rig.publish("a");
    assert!(sub.take_woken());
    assert_eq!(sub.gap(), exactly(2, 2, 1));
    sub.nothing();
}

#[test]
fn what_is_gone_before_the_sequence_to_start_at_is_a_gap() {
    let rig = Rig::of(|stream| stream.max_messages(2));
    rig.publish_many("a", 10);
    let mut config = ephemeral();
    config.deliver = DeliverPolicy::ByStartSequence(4);
    let mut sub = rig.subscribe(config.clone());
    assert_eq!(sub.gap(), exactly(4, 8, 5));
    assert_eq!(sub.drain(), [9, 10]);
    config.filters = vec![pattern("a")];
    let mut sub = rig.subscribe(config);
    assert_eq!(
        sub.gap(),
        Gap {
            from: 4,
            to: 8,
            lost: LostCount::AtMost(5)
        }
    );
    assert_eq!(sub.drain(), [9, 10]);
}

#[test]
fn holes_behind_the_sequence_to_start_at_are_a_gap() {
    let rig = Rig::of(|stream| stream.max_messages_per_subject(1));
    for subject in ["a", "b", "c", "b", "d", "b", "d"] {
        rig.publish(subject);
    }
    // 1 a, 3 c, 6 b and 7 d are left.
    let mut config = ephemeral();
    let from = |config: &mut ConsumerConfig, start| {
        config.deliver = DeliverPolicy::ByStartSequence(start);
        rig.subscribe(config.clone())
    };
    let mut sub = from(&mut config, 1);
    assert_eq!(sub.gap(), exactly(2, 5, 3));
    assert_eq!(sub.drain(), [1, 3, 6, 7]);
    let mut sub = from(&mut config, 3);
    assert_eq!(sub.gap(), exactly(4, 5, 2));
    assert_eq!(sub.drain(), [3, 6, 7]);
    assert_eq!(from(&mut config, 6).drain(), [6, 7]);
    from(&mut config, 8).nothing();
}

#[test]
fn a_gap_may_span_what_is_still_there() {
    let rig = Rig::of(|stream| stream.max_messages_per_subject(1));
    let mut config = durable("d");
    config.filters = vec![pattern("a.*")];
    let mut sub = rig.subscribe(config);
    for subject in ["b", "a.1", "b", "a.2", "b", "a.3", "a.1", "a.3"] {
        rig.publish(subject);
    }
    // It begins and ends with what was for this consumer.
    let gap = sub.gap();
    assert_eq!(gap, exactly(2, 6, 2));
    assert_eq!(gap.to_string(), "2 messages from sequence 2 to 6");
    assert_eq!(sub.drain(), [4, 7, 8]);
    rig.publish("a.2");
    rig.publish("a.2");
    let gap = sub.gap();
    assert_eq!(gap.to_string(), "the message at sequence 9");
    assert_eq!(sub.drain(), [10]);
}

#[test]
fn what_a_dropped_subscription_had_taken_ahead_is_given_back_or_a_gap() {
    let rig = Rig::of(|stream| stream.max_messages(4));
    let mut config = group("g");
    config.ack = AckPolicy::None;
    let mut first = rig.subscribe(config.clone());
    let mut second = rig.subscribe(config);
    rig.publish_many("a", 4);
    assert_eq!(first.seq(), (1, 1));
    second.nothing();
    rig.publish_many("a", 2);
    drop(first);
    assert!(second.take_woken());
    assert_eq!(second.gap(), exactly(2, 2, 1));
    assert_eq!(second.drain(), [3, 4, 5, 6]);
}

#[test]
fn a_consumer_is_not_told_of_what_was_not_for_it() {
    let rig = Rig::of(|stream| stream.max_messages(2));
    let mut config = durable("d");
    config.filters = vec![pattern("a.*")];
    let mut sub = rig.subscribe(config);
    rig.publish_many("b", 10);
    sub.nothing();
    rig.publish("a.1");
    assert_eq!(sub.seq(), (11, 1));
}
