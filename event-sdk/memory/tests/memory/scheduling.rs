//! Schedules on a stepped clock: when they fire, who is woken, what bounds them.

use std::time::Duration;

use bytes::Bytes;
use event_sdk::stream::StreamSpec;
use event_sdk::time::Clock as _;
use event_sdk::transport::memory::MemoryTransport;
use event_sdk::transport::{
    Body, CancelRequest, Cancellation, Error, ErrorKind, ScheduleRequest, Scheduled, Scheduler,
    Settlement, Transport, TransportExt as _,
};
use event_sdk::{Pattern, Subject};
use jiff::{SignedDuration, Timestamp};

use crate::support::*;

const NANO: Duration = Duration::from_nanos(1);

fn rig() -> Rig {
    Rig::of(StreamSpec::schedules)
}

fn request(key: &str, at: Timestamp) -> ScheduleRequest {
    let subject = Subject::parse(format!("later.{key}")).unwrap();
    let body = Body::Encoded(Bytes::from_static(b"{}"));
    ScheduleRequest::new("S", key.to_owned(), subject, at, body)
}

fn try_schedule(rig: &Rig, key: &str, seconds: u64) -> Result<Scheduled, Error> {
    let at = rig.clock.now() + Duration::from_secs(seconds);
    now(rig.transport.schedule_message(request(key, at)))
}

fn schedule(rig: &Rig, key: &str, seconds: u64) {
    try_schedule(rig, key, seconds).unwrap();
}

fn cancel(rig: &Rig, key: &str) -> Cancellation {
    let request = CancelRequest::new("S", key.to_owned(), Pattern::everything());
    now(rig.transport.cancel_schedule(request)).unwrap()
}

fn waiting(rig: &Rig) -> Vec<String> {
    let listed = now(rig.transport.list_schedules("S", "")).unwrap();
    listed.iter().map(|one| one.key.to_string()).collect()
}

#[test]
fn a_message_fires_at_its_time_and_not_a_nanosecond_before() {
    let rig = rig();
    schedule(&rig, "a", 10);
    rig.step(Duration::from_nanos(9_999_999_999));
    assert_eq!((rig.state().messages, waiting(&rig).len()), (0, 1));
    rig.step(NANO);
    assert_eq!((rig.state().messages, waiting(&rig).len()), (1, 0));
    let mut reader = rig.subscribe(durable("d"));
    let message = reader.message();
    assert_eq!(message.subject.as_str(), "later.a");
    assert_eq!(message.info.stored_at, Some(at(10 * SECOND)));
}

#[test]
fn a_waiting_subscription_is_woken_when_a_message_fires() {
    let rig = rig();
    let mut reader = rig.subscribe(durable("d"));
    // It waits without a timer, and has to set one for the schedule, and one for an earlier one.
    for (key, seconds) in [("b", 10), ("a", 5)] {
        assert!(reader.poll_once().is_pending());
        schedule(&rig, key, seconds);
        assert!(reader.take_woken(), "nothing set a timer for {key}");
    }
    assert!(reader.poll_once().is_pending());
    rig.step(Duration::from_nanos(4_999_999_999));
    assert!(!reader.take_woken());
    rig.step(NANO);
    assert!(reader.take_woken());
    assert_eq!(reader.message().subject.as_str(), "later.a");
    assert!(reader.poll_once().is_pending());
    rig.step(5 * SECOND);
    assert!(reader.take_woken());
    assert_eq!(reader.message().subject.as_str(), "later.b");
}

#[test]
fn each_access_fires_what_is_due() {
    let accesses: [fn(&Rig); 5] = [
        |rig| {
            rig.publish("a");
        },
        |rig| {
            rig.state();
        },
        |rig| drop(rig.subscribe(ephemeral())),
        |rig| {
            cancel(rig, "none");
        },
        |rig| schedule(rig, "other", 100),
    ];
    for access in accesses {
        let rig = rig();
        schedule(&rig, "a", 1);
        rig.step(SECOND);
        access(&rig);
        let mut reader = rig.subscribe(durable("d"));
        let message = reader.message();
        assert_eq!(message.subject.as_str(), "later.a");
        assert_eq!(message.info.sequence, Some(1));
    }
}

#[test]
fn messages_fire_in_the_order_of_their_times() {
    let rig = rig();
    // More than are fired under one lock.
    for number in 0..600 {
        schedule(&rig, &format!("k{number}"), 600 - number);
    }
    rig.step(SECOND * 1_000);
    assert_eq!(rig.state().messages, 600);
    let mut reader = rig.subscribe(durable("d"));
    for number in (0..600).rev() {
        let message = reader.message();
        assert_eq!(message.subject.as_str(), format!("later.k{number}"));
        message.settle(Settlement::Ack);
    }
}

#[test]
fn setting_the_time_of_day_neither_fires_nor_delays() {
    let rig = rig();
    schedule(&rig, "a", 10);
    rig.clock.set_ahead(SignedDuration::from_hours(1));
    assert_eq!(waiting(&rig), ["a"]);
    rig.clock.set_ahead(SignedDuration::from_hours(-1));
    rig.step(10 * SECOND);
    assert_eq!(waiting(&rig), [""; 0]);
}

#[test]
fn a_cancellation_remembers_what_has_fired() {
    let rig = rig();
    schedule(&rig, "a", 1);
    schedule(&rig, "b", 2);
    rig.step(SECOND);
    assert_eq!(cancel(&rig, "a"), Cancellation::TooLate);
    assert_eq!(cancel(&rig, "b"), Cancellation::InTime);
    assert_eq!(cancel(&rig, "b"), Cancellation::Unknown);
    rig.step(SECOND);
    assert_eq!(rig.state().messages, 1);
}

#[test]
fn no_more_wait_than_the_stream_may_hold() {
    let full = |rig: &Rig, key| {
        let error = try_schedule(rig, key, 9).unwrap_err();
        assert_eq!(*error.kind(), ErrorKind::StreamFull, "{error}");
        assert_eq!(error.subject(), Some(&*format!("later.{key}")));
    };
    let rig = Rig::of(|stream| stream.schedules().max_messages(2));
    schedule(&rig, "a", 1);
    schedule(&rig, "b", 2);
    full(&rig, "c");
    // What replaces another one takes its place.
    assert!(try_schedule(&rig, "b", 2).unwrap().replaced);
    rig.step(SECOND);
    schedule(&rig, "c", 1);
    // `later.a` and `{}` have 9 bytes.
    let rig = Rig::of(|stream| stream.schedules().max_bytes(20));
    schedule(&rig, "a", 1);
    schedule(&rig, "b", 1);
    full(&rig, "c");
    rig.step(SECOND);
    // The limit holds for what has fired, too.
    schedule(&rig, "c", 1);
    rig.step(SECOND);
    assert_eq!((rig.state().messages, rig.state().first_sequence), (2, 2));
}

#[test]
fn limits_hold_for_what_has_fired() {
    let rig = Rig::of(|stream| stream.schedules().max_messages_per_subject(1));
    for _ in 0..3 {
        schedule(&rig, "a", 0);
    }
    assert_eq!(rig.state().messages, 1);
}

#[test]
fn a_purge_of_some_leaves_what_waits_and_one_of_all_does_not() {
    let rig = rig();
    rig.publish("a");
    schedule(&rig, "a", 1);
    let all = event_sdk::transport::PurgeRequest::all("S");
    let mut some = all.clone();
    some.filter = Some(pattern("a"));
    assert_eq!(now(rig.transport.purge_messages(some)).unwrap(), 1);
    rig.step(SECOND);
    assert_eq!((rig.state().messages, rig.state().last_sequence), (1, 2));
    schedule(&rig, "b", 1);
    assert_eq!(now(rig.transport.purge_messages(all)).unwrap(), 2);
    rig.step(SECOND);
    assert_eq!((rig.state().messages, rig.state().last_sequence), (0, 2));
}

#[test]
fn the_default_stream_allows_schedules() {
    let transport = MemoryTransport::builder().build().unwrap();
    let mut request = request("a", Timestamp::MIN);
    request.stream = MemoryTransport::DEFAULT_STREAM.into();
    now(transport.schedule_message(request)).unwrap();
    let state = now(transport.stream_state(MemoryTransport::DEFAULT_STREAM));
    assert_eq!(state.unwrap().messages, 1);
}

#[test]
fn schedules_end_with_the_last_connection() {
    let rig = rig();
    let other = rig.transport.connect().unwrap();
    schedule(&rig, "a", 1);
    rig.close();
    rig.step(SECOND);
    assert_eq!(now(other.stream_state("S")).unwrap().messages, 1);
    now(other.close()).unwrap();
    let error = now(other.list("S", "")).unwrap_err();
    assert_eq!(*error.kind(), ErrorKind::Closed, "{error}");
}

/// Tokio's paused clock runs on by itself, and takes the schedule with it.
#[tokio::test(start_paused = true)]
async fn a_schedule_fires_on_the_clock_of_tokio() {
    use futures_util::StreamExt as _;

    let config = config(&StreamSpec::new("S").absolute(">").schedules());
    let transport = MemoryTransport::builder().stream(config).build().unwrap();
    let subscribing = transport.subscribe(crate::support::request("S", durable("d")));
    let mut subscription = subscribing.await.unwrap();
    let begun = tokio::time::Instant::now();
    let day = Duration::from_secs(24 * 3600);
    let at = Timestamp::now() + day;
    transport.schedule_message(request("a", at)).await.unwrap();
    let item = subscription.deliveries.next().await;
    assert!(item.is_some_and(|item| item.is_ok()));
    let waited = begun.elapsed();
    assert!(waited + SECOND > day && waited < day + SECOND, "{waited:?}");
}
