//! Waking those who wait, and only them.

use crate::support::*;

#[test]
fn one_of_a_group_is_woken_for_each_message() {
    let rig = Rig::plain();
    let mut subs: Vec<_> = (0..3).map(|_| rig.subscribe(group("g"))).collect();
    subs.iter_mut().for_each(Subscriber::nothing);
    let woken =
        |subs: &[Subscriber]| -> Vec<bool> { subs.iter().map(Subscriber::take_woken).collect() };
    rig.publish("a");
    assert_eq!(woken(&subs), [true, false, false]);
    rig.publish("a");
    assert_eq!(woken(&subs), [false, true, false]);
    // The first comes for one and passes the word on for the other, though the
    // second was woken for it: it may be busy.
    assert_eq!(subs[0].seq(), (1, 1));
    assert_eq!(woken(&subs), [false, false, true]);
    assert_eq!(subs[2].seq(), (2, 1));
    subs[1].nothing();
}

#[test]
fn who_is_dropped_passes_the_word_on() {
    let rig = Rig::plain();
    let mut first = rig.subscribe(group("g"));
    let mut second = rig.subscribe(group("g"));
    first.nothing();
    second.nothing();
    rig.publish("a");
    assert!(!second.take_woken());
    drop(first);
    assert!(second.take_woken());
    assert_eq!(second.seq(), (1, 1));
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
    let message = sub.message();
    sub.nothing();
    sub.nothing();
    assert_eq!(rig.clock.sleeps(), 1);
    rig.step(30 * SECOND);
    assert!(sub.take_woken());
    assert_eq!(sub.seq(), (2, 2));
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
fn a_new_deadline_wakes_one_who_waits_without_a_timer() {
    let rig = Rig::plain();
    let mut subs: Vec<_> = (0..3).map(|_| rig.subscribe(group("g"))).collect();
    subs.iter_mut().for_each(Subscriber::nothing);
    rig.publish_many("a", 2);
    assert!(subs[0].take_woken() && subs[1].take_woken());
    let _first = subs[0].message();
    assert!(subs[2].take_woken(), "there is a second message");
    let _second = subs[1].message();
    subs[2].nothing();
    assert_eq!(rig.clock.sleeps(), 1);
    // It has a timer; the others set theirs when they wait again.
    subs[0].nothing();
    assert!(!subs[2].take_woken());
    // When the one with the timer is gone, another needs one, and has it.
    subs.pop();
    rig.step(30 * SECOND);
    assert!(subs[0].take_woken());
    assert_eq!(subs[0].seq(), (1, 2));
}

#[test]
fn a_timer_that_goes_with_its_subscription_is_set_by_another() {
    let rig = Rig::plain();
    let mut holder = rig.subscribe(group("g"));
    let mut with_timer = rig.subscribe(group("g"));
    let mut without = rig.subscribe(group("g"));
    without.nothing();
    rig.publish("a");
    assert!(without.take_woken());
    let _held = holder.message();
    with_timer.nothing();
    drop(with_timer);
    without.nothing();
    rig.step(30 * SECOND);
    assert!(without.take_woken());
    assert_eq!(without.seq(), (1, 2));
}
