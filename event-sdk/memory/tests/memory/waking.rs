//! Wakeups: every waiting subscription is woken, and no others.

use std::time::Duration;

use crate::support::*;

#[test]
fn one_that_was_woken_and_does_not_come_holds_nothing_back() {
    let rig = Rig::plain();
    let mut subs: Vec<_> = (0..3).map(|_| rig.subscribe(group("g"))).collect();
    subs.iter_mut().for_each(Subscriber::nothing);
    let woken =
        |subs: &[Subscriber]| -> Vec<bool> { subs.iter().map(Subscriber::take_woken).collect() };
    rig.publish("a");
    // Any of them may be busy with something else.
    assert_eq!(woken(&subs), [true, true, true]);
    assert_eq!(subs[2].seq(), (1, 1));
    subs[1].nothing();
    rig.publish("a");
    // The first was woken and has not come; it will find what there is then.
    assert_eq!(woken(&subs), [false, true, false]);
    assert_eq!(subs[1].seq(), (2, 1));
    rig.publish("a");
    assert_eq!(subs[0].seq(), (3, 1));
}

#[test]
fn what_comes_back_wakes_all_that_wait() {
    let rig = Rig::plain();
    let mut config = group("g");
    config.max_ack_pending = some(1);
    let mut subs: Vec<_> = (0..3).map(|_| rig.subscribe(config.clone())).collect();
    rig.publish_many("a", 2);
    let message = subs[0].message();
    subs.iter_mut().for_each(Subscriber::nothing);
    message.nak(Duration::ZERO);
    assert!(subs.iter().all(Subscriber::take_woken));
    let message = subs[2].message();
    assert_eq!(message.info.attempt, 2);
    subs.iter_mut().for_each(Subscriber::nothing);
    message.ack();
    assert!(subs.iter().all(Subscriber::take_woken));
    assert_eq!(subs[1].seq(), (2, 1));
}

#[test]
fn nobody_is_woken_for_what_is_not_for_them() {
    let rig = Rig::plain();
    let mut config = durable("d");
    config.filters = vec![pattern("a")];
    let mut sub = rig.subscribe(config);
    sub.nothing();
    rig.publish_many("b", 10);
    assert!(!sub.take_woken());
}

#[test]
fn there_is_no_timer_where_there_is_no_deadline() {
    let rig = Rig::plain();
    let mut sub = rig.subscribe(durable("d"));
    sub.nothing();
    rig.publish("a");
    let message = sub.message();
    assert_eq!(rig.clock.sleeps(), 0);
    message.ack();
    sub.nothing();
    assert_eq!(rig.clock.sleeps(), 0);
    rig.publish("a");
    drop(sub.message());
    sub.nothing();
    sub.nothing();
    assert_eq!(rig.clock.sleeps(), 1);
    rig.step(30 * SECOND);
    assert!(sub.take_woken());
    let message = sub.message();
    assert_eq!(message.info.attempt, 2);
    message.ack();
    sub.nothing();
    assert_eq!(rig.clock.sleeps(), 1);
}

#[test]
fn who_waits_already_sees_to_the_deadlines_of_others() {
    let rig = Rig::plain();
    let mut holder = rig.subscribe(group("g"));
    let mut waiter = rig.subscribe(group("g"));
    waiter.nothing();
    rig.publish("a");
    assert!(waiter.take_woken());
    let message = holder.message();
    // The waiter was woken and finds nothing but a deadline.
    waiter.nothing();
    assert_eq!(rig.clock.sleeps(), 1);
    // A nak makes it earlier.
    message.nak(SECOND);
    assert!(waiter.take_woken());
    waiter.nothing();
    rig.step(SECOND);
    assert!(waiter.take_woken());
    assert_eq!(waiter.seq(), (1, 2));
}

#[test]
fn each_that_waits_has_a_timer_for_the_first_deadline() {
    let rig = Rig::plain();
    let mut subs: Vec<_> = (0..3).map(|_| rig.subscribe(group("g"))).collect();
    rig.publish_many("a", 2);
    let _first = subs[0].message();
    subs[1].seq();
    subs[1].nothing();
    subs[2].nothing();
    assert_eq!(rig.clock.sleeps(), 2);
    // Those timers end early enough for every later deadline.
    rig.step(SECOND);
    rig.publish("a");
    subs[0].seq();
    subs[1].nothing();
    subs[2].nothing();
    assert_eq!(rig.clock.sleeps(), 2);
    rig.step(29 * SECOND);
    // The one may be busy, or gone, when its timer ends.
    assert!(subs[1].take_woken() && subs[2].take_woken());
    subs.remove(1);
    assert_eq!(subs[1].seq(), (1, 2));
}

#[test]
fn an_earlier_deadline_wakes_those_whose_timers_run_longer() {
    let rig = Rig::plain();
    let mut subs: Vec<_> = (0..3).map(|_| rig.subscribe(group("g"))).collect();
    rig.publish("a");
    let message = subs[0].message();
    subs.iter_mut().for_each(Subscriber::nothing);
    message.nak(SECOND);
    assert!(subs.iter().all(Subscriber::take_woken));
    subs[1].nothing();
    rig.step(SECOND);
    assert!(subs[1].take_woken());
    assert_eq!(subs[1].seq(), (1, 2));
}
