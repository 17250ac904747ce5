//! Memory and time stay bounded, whatever subscribers do.

use event_sdk::EventBus;
use event_sdk::transport::{AckPolicy, Gap, Incoming, LostCount};
use futures_util::FutureExt as _;
use tokio::task::unconstrained;

use crate::support::*;

#[test]
fn a_slow_subscriber_holds_nothing_but_the_stream() {
    let rig = Rig::of(|stream| stream.max_messages(1000).duplicate_capacity(1000));
    let mut unlimited = durable("unlimited");
    unlimited.max_ack_pending = None;
    let mut never_polled = rig.subscribe(durable("never"));
    let mut never_settles = rig.subscribe(unlimited);
    for round in 0..200 {
        for index in 0..1000 {
            rig.publish_id("a.b", &format!("{round}-{index}"));
        }
        while never_settles.try_next().is_some() {}
        assert_eq!(rig.state().messages, 1000);
    }
    assert_eq!(never_polled.gap(), exactly(1, 199_000, 199_000));
    assert_eq!(never_polled.drain().len(), 1000);
    rig.step(30 * SECOND);
    let (mut lost, mut again) = (0, 0);
    while let Some(item) = never_settles.try_next() {
        match item {
            Incoming::Notice(notice) => {
                let Some(Gap {
                    lost: LostCount::Exactly(count),
                    ..
                }) = notice.gap()
                else {
                    panic!("{notice:?}");
                };
                lost += count;
            }
            Incoming::Message(message) => {
                assert_eq!(message.info.attempt, 2);
                again += 1;
            }
        }
    }
    // Some of what was lost while a handler had it was told before.
    assert_eq!(again, 1000);
    assert!(lost > 0 && lost <= 199_000, "{lost}");
}

#[test]
fn ten_thousand_subscriptions_to_one_subject_all_receive() {
    let rig = Rig::of(|stream| stream.max_messages(10));
    let mut subs: Vec<_> = (0..10_000)
        .map(|_| {
            let mut config = ephemeral();
            config.ack = AckPolicy::None;
            rig.subscribe(config)
        })
        .collect();
    subs.iter_mut().for_each(Subscriber::nothing);
    rig.publish_many("a", 2);
    for sub in &mut subs {
        assert!(sub.take_woken());
        assert_eq!(sub.drain(), [1, 2]);
    }
    subs.truncate(1);
    assert_eq!(rig.state().consumers, 1);
}

/// The same however many messages a full stream has: none of them is moved to drop the oldest.
#[cfg(target_os = "linux")]
#[test]
fn a_publish_past_the_limit_costs_what_one_before_it_costs() {
    const LIMIT: u64 = 50_000;
    let rig = Rig::of(|stream| stream.max_messages(LIMIT));
    let publishing = || {
        let begun = nanoseconds_on_processor();
        rig.publish_many("a", LIMIT);
        nanoseconds_on_processor() - begun
    };
    let (before, past) = (publishing(), publishing());
    assert_eq!(rig.state().first_sequence, LIMIT + 1);
    assert!(
        past < 5 * before,
        "{before} ns before it, {past} ns past it"
    );
}

/// How long this thread has run, whatever else the machine does.
#[cfg(target_os = "linux")]
fn nanoseconds_on_processor() -> u64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    text.split_whitespace().next().unwrap().parse().unwrap()
}

#[tokio::test]
async fn with_a_limit_of_zero_any_number_may_be_unsettled() {
    const MANY: usize = 3_000;
    let bus = EventBus::memory();
    for _ in 0..MANY {
        bus.raw().publish("orders.order.placed", "x").await.unwrap();
    }
    let unsettled = async |limit: Option<u32>| {
        let mut orders = bus.raw().subscribe(pattern("orders.>"));
        if let Some(limit) = limit {
            orders = orders.max_ack_pending(limit);
        }
        let mut orders = orders.await.unwrap();
        let mut held = Vec::new();
        while let Some(next) = unconstrained(orders.next()).now_or_never() {
            held.push(next.unwrap().unwrap());
        }
        held.len()
    };
    assert_eq!(unsettled(None).await, 1_000);
    assert_eq!(unsettled(Some(10)).await, 10);
    assert_eq!(unsettled(Some(0)).await, MANY);
}
