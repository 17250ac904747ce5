//! The transport without a tokio runtime, and in several of them.

use std::pin::pin;
use std::time::Duration;

use event_sdk::EventBus;
use event_sdk::stream::StreamSpec;
use event_sdk::time::{Clock, TokioClock};
use event_sdk::transport::memory::MemoryTransport;
use event_sdk::transport::{Incoming, Received, Subscription, Transport};
use futures_util::future::{Either, select};
use futures_util::{FutureExt, StreamExt};
use serde::{Deserialize, Serialize};
use tokio::runtime::{Builder, Runtime};

use crate::support::*;

const SHORT: Duration = Duration::from_millis(20);

/// Runs a future on this thread, without a runtime.
fn block_on<F: Future>(future: F) -> F::Output {
    struct Unpark(std::thread::Thread);
    impl std::task::Wake for Unpark {
        fn wake(self: std::sync::Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = std::sync::Arc::new(Unpark(std::thread::current())).into();
    let mut future = pin!(future);
    loop {
        let polled = future
            .as_mut()
            .poll(&mut std::task::Context::from_waker(&waker));
        if let std::task::Poll::Ready(output) = polled {
            return output;
        }
        std::thread::park();
    }
}

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_time().build().unwrap()
}

/// A stream with a message, and a consumer that has to settle it soon.
fn with_a_message() -> (Rig, Subscription) {
    let stream = config(&StreamSpec::new("S").absolute(">"));
    let rig = Rig {
        clock: std::sync::Arc::default(),
        transport: MemoryTransport::builder().stream(stream).build().unwrap(),
    };
    let mut wanted = durable("d");
    wanted.ack_wait = SHORT;
    let subscription = now(rig.transport.subscribe(request("S", wanted))).unwrap();
    rig.publish("a");
    (rig, subscription)
}

async fn message(subscription: &mut Subscription) -> Received {
    match subscription.next().await {
        Some(Ok(Incoming::Message(message))) => message,
        other => panic!("a message is due, not {other:?}"),
    }
}

#[derive(event_sdk::Event, Serialize, Deserialize)]
#[event(domain = "tests", entity = "thing", action = "happened")]
struct ThingHappened {}

#[test]
fn a_bus_needs_no_runtime_where_nothing_is_waited_for() {
    block_on(async {
        let bus = EventBus::memory();
        let mut things = bus.subscribe::<ThingHappened>().await.unwrap();
        let publisher = bus.publisher::<ThingHappened>();
        publisher.publish(ThingHappened {}).await.unwrap();
        let first = things.next().await.unwrap().unwrap();
        // Nothing is there, and one delivery is not settled.
        assert!(things.next().now_or_never().is_none());
        first.ack().await.unwrap();
        bus.drain(Duration::from_secs(10)).await.unwrap();
    });
}

#[test]
fn a_deadline_comes_without_a_runtime() {
    let (_rig, mut subscription) = with_a_message();
    block_on(async {
        assert_eq!(message(&mut subscription).await.info.attempt, 1);
        assert_eq!(message(&mut subscription).await.info.attempt, 2);
    });
}

#[test]
fn a_drain_ends_in_its_time_without_a_runtime() {
    let (rig, mut subscription) = with_a_message();
    block_on(async {
        let _held = message(&mut subscription).await;
        let drained = rig.transport.drain(SHORT).await.unwrap();
        assert_eq!(drained.given_back, 1);
    });
}

#[test]
fn a_subscription_goes_from_one_runtime_to_another() {
    let (rig, mut subscription) = with_a_message();
    let first = runtime();
    first.block_on(async {
        let _lapses = message(&mut subscription).await;
        assert!(subscription.next().now_or_never().is_none());
    });
    drop(first);
    let attempt = runtime().block_on(message(&mut subscription)).info.attempt;
    assert_eq!(attempt, 2);
    // And out of all of them.
    assert_eq!(block_on(message(&mut subscription)).info.attempt, 3);
    rig.close();
    assert!(block_on(subscription.next()).is_none());
}

#[test]
fn a_wait_goes_on_where_it_is_polled() {
    let clock = TokioClock::new();
    let deadline = clock.monotonic() + SHORT;
    let mut sleep = clock.sleep_until(deadline);
    for _ in 0..2 {
        runtime().block_on(async {
            assert!((&mut sleep).now_or_never().is_none());
        });
    }
    let never = pin!(std::future::pending::<()>());
    let ended = block_on(select(sleep, never));
    assert!(matches!(ended, Either::Left(_)));
    assert!(clock.monotonic() >= deadline);
}
