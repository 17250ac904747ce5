//! A set gains an event while replicas of the old version go on: nothing is lost, nothing is
//! handled twice, and the durable keeps its position.

use std::time::Duration;

use event_sdk::stream::StreamSpec;
use event_sdk::transport::{
    ConsumerChange, DeliverPolicy, ErrorKind, StreamChange, TransportExt as _,
};
use event_sdk::{ConsumerSpec, EventBus};

use crate::rig::{
    Handled, New, Old, PATIENCE, Replica, all_handled, declares, nats, numbers, orders, publish,
    repeated, server, until,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_set_gains_an_event_while_old_replicas_go_on() {
    let server = server().await;
    let handled = deploy(&server.url(), orders()).await;
    let repeated = repeated(&handled);
    assert!(repeated.is_empty(), "handled more than once: {repeated:?}");
}

/// The rolling deploy, from one event fewer to one more; what was handled.
pub(crate) async fn deploy(url: &str, stream: StreamSpec) -> Handled {
    let old = declares(stream.clone()).consumer(ConsumerSpec::durable::<Old>("billing"));
    let old = old.transport(nats(url).await).unwrap();
    let applied = old.apply().await.unwrap();
    assert_eq!(applied.streams, [("ORDERS".into(), StreamChange::Created)]);
    assert_eq!(applied.consumers[0].change, ConsumerChange::Created);
    let handled = Handled::default();
    let mut replicas = Vec::new();
    for _ in 0..2 {
        let events = old.subscribe::<Old>().durable("billing").must_exist();
        replicas.push(Replica::start(events.await.unwrap(), Old::number, &handled));
    }
    for number in 0..30 {
        publish(&old, number).await;
    }
    // What the old version does not know is not for its durable.
    let known = numbers(0..30, |number| number % 3 != 2);
    assert_eq!(all_handled(&old, &handled, &known).await, known);

    let spec = ConsumerSpec::durable::<New>("billing")
        .ack_wait(Duration::from_secs(10))
        .deliver(DeliverPolicy::ByStartTime(jiff::Timestamp::now()));
    let new = declares(stream).consumer(spec);
    let new = new.transport(nats(url).await).unwrap();
    let error = new.subscribe::<New>().durable("billing").await.unwrap_err();
    assert!(
        matches!(error.kind(), ErrorKind::ConsumerMismatch { .. }),
        "{error}"
    );
    let text = error.to_string();
    for said in ["events.orders.order.cancelled", "`apply`"] {
        assert!(text.contains(said), "{text}");
    }
    // Events come all the time.
    let publishing = {
        let old = old.clone();
        tokio::spawn(async move {
            for number in 30..60 {
                publish(&old, number).await;
            }
        })
    };
    apply_keeps_the_position(&new).await;
    publishing.await.unwrap();
    for _ in 0..2 {
        let events = new.subscribe::<New>().durable("billing").must_exist();
        let events = events.await.unwrap();
        assert_eq!(events.differences().count(), 0);
        replicas.push(Replica::start(events, New::number, &handled));
    }
    for number in 60..120 {
        publish(&new, number).await;
    }
    // Side by side, each has handled some of these.
    let beside = |numbers: &mut dyn Iterator<Item = u64>| {
        let handled = handled.lock().unwrap();
        numbers
            .filter(|number| handled.contains_key(number))
            .count()
    };
    until(&new, |_| {
        let unknown = beside(&mut (60..120).filter(|number| number % 3 == 2));
        let known = beside(&mut (60..120).filter(|number| number % 3 != 2));
        unknown > 0 && known == 40
    })
    .await;
    // An old replica delays what it does not know for longer each time: its end ends that.
    old.drain(PATIENCE).await.unwrap();
    // What was cancelled just before the change comes if the durable had not passed it.
    let known = numbers(0..120, |number| number % 3 != 2 || number >= 60);
    let all = all_handled(&new, &handled, &known).await;
    let others = numbers(30..60, |number| number % 3 == 2);
    let mut unexpected = all.iter().filter(|number| !known.contains(number));
    assert!(unexpected.all(|number| others.contains(number)), "{all:?}");
    new.close().await.unwrap();
    for replica in replicas {
        assert_eq!(replica.ended().await, 0, "terminated");
    }
    handled
}

/// Changes the durable while its replicas are at work.
async fn apply_keeps_the_position(new: &EventBus) {
    let info = || new.transport().consumer_info("ORDERS", "billing");
    let before = info().await.unwrap();
    let applied = new.apply().await.unwrap();
    let ConsumerChange::Updated { differences } = &applied.consumers[0].change else {
        panic!("{applied}");
    };
    let fields: Vec<_> = differences.iter().map(|one| one.field).collect();
    assert_eq!(fields, ["filters", "ack wait"]);
    assert!(new.apply().await.unwrap().is_unchanged());
    let after = info().await.unwrap();
    assert!(
        before.delivered > 0 && after.delivered >= before.delivered,
        "{before:?} and then {after:?}"
    );
    assert!(
        after.acknowledged >= before.acknowledged,
        "{before:?} and then {after:?}"
    );
}
