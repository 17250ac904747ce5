//! Draining with a stepped clock, and streams that connections share.

use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use bytes::Bytes;
use event_sdk::time::{Clock, Sleep};
use event_sdk::transport::memory::MemoryTransport;
use event_sdk::transport::{
    AckPolicy, Body, Completion, Drained, Error, Incoming, PublishRequest, Settlement, Transport,
};
use event_sdk::{ErrorKind, Subject};
use jiff::Timestamp;

use crate::support::*;
use event_sdk::transport::TransportExt as _;

/// A drain that is polled by hand.
struct Drain {
    answer: Completion<Result<Drained, Error>>,
    woken: Arc<Wakes>,
}

#[derive(Default)]
struct Wakes(AtomicUsize);

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

impl Drain {
    fn of(rig: &Rig, within: Duration) -> Self {
        let mut drain = Self {
            answer: rig.transport.drain(within),
            woken: Arc::default(),
        };
        assert!(drain.poll().is_pending(), "something is in hand");
        drain
    }

    fn poll(&mut self) -> Poll<Drained> {
        let waker = Waker::from(Arc::clone(&self.woken));
        let answer = Pin::new(&mut self.answer);
        answer
            .poll(&mut Context::from_waker(&waker))
            .map(Result::unwrap)
    }

    /// It goes on waiting, and nobody has woken it for nothing.
    #[track_caller]
    fn waits(&mut self) {
        assert!(self.poll().is_pending());
    }

    /// It was woken, and has this answer.
    #[track_caller]
    fn found(&mut self, settled: u64, given_back: u64) {
        assert!(self.woken.0.load(Ordering::SeqCst) > 0, "it was not woken");
        let found = Drained {
            settled,
            given_back,
        };
        assert_eq!(self.poll(), Poll::Ready(found));
    }
}

impl Rig {
    /// Another connection to the same streams.
    fn another(&self) -> Self {
        Self {
            clock: Arc::clone(&self.clock),
            transport: self.transport.connect().unwrap(),
        }
    }

    fn drained(&self, within: Duration) -> Drained {
        now(self.transport.drain(within)).unwrap()
    }
}

#[track_caller]
fn closed<T>(answer: Result<T, Error>) {
    let error = answer.err().expect("it has ended");
    assert_eq!(error.kind(), &ErrorKind::Closed, "{error}");
}

#[test]
fn it_waits_for_what_is_in_hand_and_no_longer() {
    let rig = Rig::plain();
    let other = rig.another();
    let mut sub = rig.subscribe(durable("d"));
    rig.publish_many("a", 5);
    let held: Vec<_> = (0..4).map(|_| sub.message()).collect();
    held[0].ack();
    let mut drain = Drain::of(&rig, 60 * SECOND);
    sub.end();
    closed(rig.try_subscribe(request("S", durable("d"))).map(drop));
    rig.publish("a");
    held[1].ack();
    drain.waits();
    held[2].settle(Settlement::InProgress);
    drain.waits();
    held[2].nak(30 * SECOND);
    held[2].settle(Settlement::InProgress);
    drain.waits();
    held[3].settle(Settlement::Term("no".to_owned()));
    held[2].ack();
    // The second message was put back, taken in hand again, and settled.
    drain.found(4, 0);
    closed(held[2].try_settle(Settlement::Ack));
    closed(rig.try_publish("a", |_| {}));
    assert_eq!(other.subscribe(durable("d")).drain(), [5, 6]);
}

#[test]
fn when_its_time_is_over_the_rest_is_there_for_others_at_once() {
    let rig = Rig::plain();
    let other = rig.another();
    let mut sub = rig.subscribe(durable("d"));
    let mut others = other.subscribe(durable("d"));
    rig.publish_many("a", 3);
    assert_eq!([sub.seq(), sub.seq(), sub.seq()], [(1, 1), (2, 1), (3, 1)]);
    others.nothing();
    let mut drain = Drain::of(&rig, 10 * SECOND);
    rig.step(Duration::from_millis(9_999));
    drain.waits();
    others.nothing();
    rig.step(Duration::from_millis(1));
    drain.found(0, 3);
    assert!(others.take_woken());
    let got = [others.seq(), others.seq(), others.seq()];
    assert_eq!(got, [(1, 2), (2, 2), (3, 2)]);
}

#[test]
fn a_last_delivery_that_is_given_back_is_exhausted() {
    let rig = Rig::plain();
    let other = rig.another();
    let mut config = durable("d");
    config.max_deliver = some(1);
    let mut sub = rig.subscribe(config.clone());
    rig.publish("a");
    sub.message();
    assert_eq!(rig.drained(Duration::ZERO).given_back, 1);
    let mut sub = other.subscribe(config);
    assert_eq!(sub.exhausted().sequence, 1);
    sub.nothing();
}

#[test]
fn what_its_ack_wait_took_away_counts_as_given_back() {
    let rig = Rig::plain();
    let other = rig.another();
    let mut sub = rig.subscribe(durable("d"));
    let mut others = other.subscribe(durable("d"));
    rig.publish_many("a", 2);
    let first = sub.message();
    rig.step(SECOND);
    let second = sub.message();
    let mut drain = Drain::of(&rig, 100 * SECOND);
    rig.step(29 * SECOND);
    assert_eq!(others.seq(), (1, 2));
    // It is in another's hand now, and can be acknowledged all the same.
    first.ack();
    drain.waits();
    rig.step(SECOND);
    assert_eq!(others.seq(), (2, 2));
    drain.found(0, 2);
    closed(second.try_settle(Settlement::Ack));
}

#[test]
fn a_group_stays_until_what_is_in_hand_is_settled() {
    let rig = Rig::plain();
    let other = rig.another();
    let mut sub = rig.subscribe(group("g"));
    let mut idle = rig.subscribe(group("idle"));
    idle.nothing();
    rig.publish("a");
    let held = sub.message();
    let mut drain = Drain::of(&rig, 100 * SECOND);
    assert!(idle.take_woken());
    drop(sub);
    // One of which nothing is in hand has ended; the other goes on for others.
    assert_eq!(other.state().consumers, 1);
    let mut joined = other.subscribe(group("g"));
    joined.nothing();
    drop(joined);
    assert_eq!(other.state().consumers, 1);
    held.ack();
    drain.found(1, 0);
    assert_eq!(other.state().consumers, 0);
}

#[test]
fn a_subscription_that_settles_nothing_gives_back_what_it_has() {
    let rig = Rig::plain();
    let other = rig.another();
    let mut config = durable("d");
    config.ack = AckPolicy::None;
    let mut sub = rig.subscribe(config.clone());
    rig.publish_many("a", 5);
    assert_eq!(sub.seq(), (1, 1));
    assert_eq!(rig.drained(100 * SECOND), Drained::default());
    sub.end();
    assert_eq!(other.subscribe(config).drain(), [2, 3, 4, 5]);
}

#[test]
fn a_second_drain_has_its_own_time_and_the_same_answer() {
    let rig = Rig::plain();
    let _other = rig.another();
    let mut sub = rig.subscribe(durable("d"));
    rig.publish_many("a", 2);
    let (first, _second) = (sub.message(), sub.message());
    let mut long = Drain::of(&rig, 100 * SECOND);
    let mut short = Drain::of(&rig, 10 * SECOND);
    first.ack();
    short.waits();
    rig.step(10 * SECOND);
    short.found(1, 1);
    long.found(1, 1);
    assert_eq!(
        rig.drained(SECOND),
        Drained {
            settled: 1,
            given_back: 1
        }
    );
}

#[test]
fn closing_ends_a_drain_and_what_was_dropped_of_one_is_closed() {
    let rig = Rig::plain();
    let other = rig.another();
    let mut sub = rig.subscribe(durable("d"));
    rig.publish_many("a", 2);
    let (first, _second) = (sub.message(), sub.message());
    drop(Drain::of(&rig, 100 * SECOND));
    let mut drain = Drain::of(&rig, 100 * SECOND);
    first.ack();
    drain.waits();
    rig.close();
    drain.found(1, 0);
    // Nothing was given back: it comes after its ack wait.
    let mut others = other.subscribe(durable("d"));
    others.nothing();
    rig.step(30 * SECOND);
    assert_eq!(others.seq(), (2, 2));
}

#[test]
fn a_consumer_that_is_deleted_ends_a_drain() {
    let rig = Rig::plain();
    let other = rig.another();
    let mut sub = rig.subscribe(durable("d"));
    rig.publish("a");
    let held = sub.message();
    let mut drain = Drain::of(&rig, 100 * SECOND);
    other.delete("d").unwrap();
    drain.found(0, 0);
    closed(held.try_settle(Settlement::Ack));
}

#[test]
fn streams_live_as_long_as_one_connection_is_open() {
    let rig = Rig::plain();
    let other = rig.another();
    let third = other.another();
    rig.publish("a");
    rig.close();
    drop(third);
    closed(rig.transport.connect().map(drop));
    assert_eq!(other.state().messages, 1);
    let mut sub = other.subscribe(durable("d"));
    let held = sub.message();
    let _drain = Drain::of(&other, SECOND);
    closed(other.transport.connect().map(drop));
    other.close();
    closed(held.try_settle(Settlement::Ack));
    closed(now(other.transport.stream_state("S")));
}

#[test]
fn a_connection_that_is_dropped_was_closed() {
    let rig = Rig::plain();
    let other = rig.another();
    let mut sub = other.subscribe(group("g"));
    rig.publish("a");
    let held = sub.message();
    drop(other);
    // A delivery and a subscription keep it.
    held.ack();
    drop(sub);
    assert_eq!(rig.state().consumers, 0);
    let Rig { transport, .. } = rig.another();
    drop((transport, held));
    assert_eq!(rig.publish("a"), 2);
}

#[test]
fn drains_and_handlers_in_many_threads_lose_and_repeat_nothing() {
    let rig = Rig::plain();
    let (mut published, mut settled) = (0, 0);
    for _ in 0..8 {
        let side = rig.another();
        let taken = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for _ in 0..2 {
                let mut sub = side.subscribe(durable("d"));
                let taken = &taken;
                scope.spawn(move || {
                    loop {
                        match sub.poll() {
                            Poll::Ready(Some(Ok(Incoming::Message(message)))) => {
                                if message.try_settle(Settlement::AckConfirmed).is_ok() {
                                    taken.fetch_add(1, Ordering::SeqCst);
                                }
                            }
                            Poll::Pending => std::thread::yield_now(),
                            // It ends with the drain.
                            ended @ Poll::Ready(_) => {
                                return assert!(matches!(ended, Poll::Ready(None)));
                            }
                        }
                    }
                });
            }
            while taken.load(Ordering::SeqCst) < 100 {
                rig.publish("a");
                published += 1;
            }
            side.drained(Duration::ZERO);
        });
        settled += taken.into_inner();
    }
    let left = rig.subscribe(durable("d")).drain();
    assert_eq!(settled + left.len(), published);
}

/// A clock that drains a transport when it is asked for the time: in the middle
/// of a publish.
#[derive(Debug, Default)]
struct Interrupting {
    clock: HandClock,
    drains: Mutex<Option<MemoryTransport>>,
}

impl Clock for Interrupting {
    fn now(&self) -> Timestamp {
        let drained = self.drains.lock().unwrap().take();
        if let Some(transport) = drained {
            now(transport.drain(SECOND)).unwrap();
        }
        self.clock.now()
    }

    fn monotonic(&self) -> Duration {
        self.clock.monotonic()
    }

    fn sleep_until(&self, deadline: Duration) -> Sleep {
        self.clock.sleep_until(deadline)
    }
}

#[test]
fn a_publish_that_a_drain_overtakes_is_not_handed_over() {
    let clock = Arc::new(Interrupting::default());
    let builder = MemoryTransport::builder().clock(clock.clone());
    let transport = builder.build().unwrap();
    *clock.drains.lock().unwrap() = Some(transport.clone());
    let subject = Subject::parse("a").unwrap();
    let handed_over =
        now(transport.publish(PublishRequest::new(&subject, Body::Encoded(Bytes::new()))));
    assert_eq!(handed_over.unwrap_err().kind(), &ErrorKind::Closed);
}
