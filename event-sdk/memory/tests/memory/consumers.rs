//! Binding and creating consumers, start positions, and sharing of messages.

use std::time::Duration;

use event_sdk::ErrorKind;
use event_sdk::transport::{AckPolicy, DeliverPolicy, SubscribeRequest};

use crate::support::*;
use event_sdk::transport::TransportExt as _;

#[test]
fn a_durable_goes_on_where_it_was() {
    let rig = Rig::plain();
    rig.publish_many("a", 3);
    let mut sub = rig.subscribe(durable("d"));
    sub.message().ack();
    drop(sub);
    assert_eq!(rig.state().consumers, 1);
    assert_eq!(rig.subscribe(durable("d")).drain(), [2, 3]);
}

#[test]
fn a_group_lives_as_long_as_one_subscription() {
    let rig = Rig::plain();
    rig.publish_many("a", 4);
    let mut first = rig.subscribe(group("g"));
    let mut second = rig.subscribe(group("g"));
    assert_eq!(rig.state().consumers, 1);
    assert_eq!(
        (first.seq(), second.seq(), first.seq()),
        ((1, 1), (2, 1), (3, 1))
    );
    drop(first);
    assert_eq!(second.seq(), (4, 1));
    drop(second);
    assert_eq!(rig.state().consumers, 0);
    assert_eq!(rig.subscribe(group("g")).seq(), (1, 1));
}

#[test]
fn each_ephemeral_has_its_own_copy() {
    let rig = Rig::plain();
    let (mut first, mut second) = (rig.subscribe(ephemeral()), rig.subscribe(ephemeral()));
    rig.publish_many("a", 2);
    assert_eq!((first.drain(), second.drain()), (vec![1, 2], vec![1, 2]));
    drop(first);
    assert_eq!(rig.state().consumers, 1);
}

#[test]
fn a_consumer_is_bound_as_it_is() {
    let rig = Rig::plain();
    let _sub = rig.subscribe(durable("d"));
    let mut other = durable("d");
    other.ack_wait = SECOND;
    other.max_deliver = some(3);
    let subscription = rig.try_subscribe(request("S", other)).unwrap();
    let bound = subscription.bound();
    assert_eq!(bound.config, durable("d"));
    let differences: Vec<_> = bound.differences.iter().map(ToString::to_string).collect();
    assert_eq!(
        differences,
        [
            "ack wait is 30s, wanted 1s",
            "max deliver is no limit, wanted 3"
        ]
    );
    let mut unacked = durable("d");
    unacked.ack = AckPolicy::None;
    let error = rig.try_subscribe(request("S", unacked)).err().unwrap();
    assert!(
        matches!(error.kind(), ErrorKind::ConsumerMismatch { .. }),
        "{error}"
    );
    assert_eq!((error.stream(), error.consumer()), (Some("S"), Some("d")));
}

#[test]
fn the_order_of_filters_is_no_difference() {
    let rig = Rig::plain();
    let with = |filters: &[&str]| {
        let mut config = durable("d");
        config.filters = filters.iter().map(|filter| pattern(filter)).collect();
        config
    };
    let _one = rig.subscribe(with(&["a", "b.*"]));
    let _two = rig.subscribe(with(&["b.*", "a"]));
}

fn delivered(rig: &Rig, deliver: DeliverPolicy, filters: &[&str]) -> Vec<u64> {
    let mut config = ephemeral();
    config.deliver = deliver;
    config.filters = filters.iter().map(|filter| pattern(filter)).collect();
    let mut sub = rig.subscribe(config);
    let pending = match sub.try_next() {
        Some(event_sdk::transport::Incoming::Message(message)) => {
            let sequence = message.info.sequence.unwrap();
            message.ack();
            let rest = sub.drain();
            assert_eq!(message.info.pending, Some(rest.len() as u64), "{deliver:?}");
            [vec![sequence], rest].concat()
        }
        None => vec![],
        other => panic!("{other:?}"),
    };
    rig.publish("new.a");
    rig.publish("old.b");
    let mut expected = sub.drain();
    expected.retain(|sequence| *sequence < rig.state().last_sequence - 1);
    assert_eq!(expected, [] as [u64; 0]);
    pending
}

#[test]
fn each_deliver_policy_starts_where_it_says() {
    // 1 a, 2 b, 3 a, 4 c, 5 b, one a second
    let filled = || {
        let rig = Rig::plain();
        for subject in ["old.a", "old.b", "old.a", "old.c", "old.b"] {
            rig.publish(subject);
            rig.step(SECOND);
        }
        rig
    };
    let of = |deliver, filters: &[&str]| delivered(&filled(), deliver, filters);
    assert_eq!(of(DeliverPolicy::All, &[">"]), [1, 2, 3, 4, 5]);
    assert_eq!(of(DeliverPolicy::All, &["old.a", "old.c"]), [1, 3, 4]);
    assert_eq!(of(DeliverPolicy::All, &["none"]), [] as [u64; 0]);
    assert_eq!(of(DeliverPolicy::New, &[">"]), [] as [u64; 0]);
    assert_eq!(of(DeliverPolicy::Last, &[">"]), [5]);
    assert_eq!(of(DeliverPolicy::Last, &["old.a"]), [3]);
    assert_eq!(of(DeliverPolicy::Last, &["none"]), [] as [u64; 0]);
    assert_eq!(of(DeliverPolicy::LastPerSubject, &[">"]), [3, 4, 5]);
    assert_eq!(
        of(DeliverPolicy::LastPerSubject, &["old.a", "old.b"]),
        [3, 5]
    );
    assert_eq!(of(DeliverPolicy::ByStartSequence(4), &[">"]), [4, 5]);
    assert_eq!(of(DeliverPolicy::ByStartSequence(2), &["old.a"]), [3]);
    assert_eq!(
        of(DeliverPolicy::ByStartSequence(5), &["old.a"]),
        [] as [u64; 0]
    );
    assert_eq!(
        of(DeliverPolicy::ByStartTime(at(3 * SECOND)), &[">"]),
        [4, 5]
    );
    assert_eq!(of(DeliverPolicy::ByStartTime(at(SECOND)), &["old.a"]), [3]);
    assert_eq!(
        of(DeliverPolicy::ByStartTime(at(Duration::ZERO)), &[">"]),
        [1, 2, 3, 4, 5]
    );
}

#[test]
fn a_start_that_is_still_to_come_is_waited_for() {
    let rig = Rig::plain();
    rig.publish("a");
    let mut config = ephemeral();
    config.deliver = DeliverPolicy::ByStartSequence(3);
    let mut by_sequence = rig.subscribe(config.clone());
    config.deliver = DeliverPolicy::ByStartTime(at(10 * SECOND));
    let mut by_time = rig.subscribe(config);
    rig.publish("a");
    by_sequence.nothing();
    rig.publish("a");
    assert_eq!(by_sequence.drain(), [3]);
    by_time.nothing();
    rig.step(10 * SECOND);
    rig.publish_many("a", 2);
    assert_eq!(by_time.drain(), [4, 5]);
    assert_eq!(by_sequence.drain(), [4, 5]);
}

#[test]
fn a_consumer_reads_past_long_stretches_that_are_not_for_it() {
    let rig = Rig::plain();
    rig.publish("a");
    rig.publish_many("b", 10_000);
    rig.publish("a");
    rig.publish_many("b", 10_000);
    let mut config = durable("d");
    config.filters = vec![pattern("a")];
    let mut sub = rig.subscribe(config);
    let first = sub.message();
    assert_eq!(first.info.pending, Some(1));
    assert_eq!(sub.seq(), (10_002, 1));
    sub.nothing();
}

#[test]
fn a_deleted_consumer_ends_its_subscriptions() {
    let rig = Rig::plain();
    let mut sub = rig.subscribe(durable("d"));
    sub.nothing();
    rig.delete("d").unwrap();
    assert!(sub.take_woken());
    let error = sub.failure();
    assert_eq!(error.kind(), &ErrorKind::ConsumerNotFound);
    assert_eq!(error.consumer(), Some("d"));
    assert_eq!(
        rig.delete("d").unwrap_err().kind(),
        &ErrorKind::ConsumerNotFound
    );
    // The place that it had is another's now.
    rig.publish("a");
    let mut next = rig.subscribe(durable("e"));
    drop(sub);
    assert_eq!(next.drain(), [1]);
}

#[test]
fn after_closing_everything_says_so() {
    let rig = Rig::plain();
    rig.publish("a");
    let mut sub = rig.subscribe(durable("d"));
    let mut history = now(rig
        .transport
        .read_history(event_sdk::transport::HistoryRequest::new(
            "S",
            vec![pattern(">")],
        )))
    .unwrap();
    sub.message().ack();
    sub.nothing();
    rig.close();
    rig.close();
    assert!(sub.take_woken());
    sub.end();
    let next = futures_util::FutureExt::now_or_never(futures_util::StreamExt::next(&mut history));
    assert_eq!(
        next.unwrap().unwrap().unwrap_err().kind(),
        &ErrorKind::Closed
    );
    assert_eq!(
        rig.try_publish("a", |_| {}).unwrap_err().kind(),
        &ErrorKind::Closed
    );
    let subscribe = rig.try_subscribe(request("S", ephemeral()));
    assert_eq!(subscribe.err().unwrap().kind(), &ErrorKind::Closed);
    assert_eq!(rig.delete("d").unwrap_err().kind(), &ErrorKind::Closed);
    let state = now(rig.transport.stream_state("S"));
    assert_eq!(state.unwrap_err().kind(), &ErrorKind::Closed);
    let streams = now(rig.transport.streams_for(&pattern(">")));
    assert_eq!(streams.unwrap_err().kind(), &ErrorKind::Closed);
}

fn refused(change: impl FnOnce(&mut SubscribeRequest)) -> event_sdk::Error {
    let stream = config(&event_sdk::stream::StreamSpec::new("S").absolute("a.>"));
    let rig = Rig::new(|builder| builder.stream(stream));
    let mut config = durable("d");
    config.filters = vec![pattern("a.>")];
    let mut request = request("S", config);
    change(&mut request);
    let error = rig.try_subscribe(request).err().unwrap();
    assert_eq!(now(rig.transport.stream_state("S")).unwrap().consumers, 0);
    error
}

#[test]
fn what_contradicts_itself_is_refused() {
    let option = |change: fn(&mut SubscribeRequest), says: &str| {
        let error = refused(change);
        assert_eq!(error.kind(), &ErrorKind::InvalidOption, "{error}");
        assert!(error.to_string().contains(says), "{error}");
    };
    option(|request| request.config.filters.clear(), "no filter");
    option(
        |request| request.config.filters = vec![pattern("a.b"), pattern("a.*")],
        "a.b and a.* overlap",
    );
    option(|request| request.prefetch = 0.into(), "prefetch");
    option(
        |request| request.config.ack_wait = Duration::ZERO,
        "ack wait",
    );
    option(
        |request| request.config.backoff = vec![SECOND, Duration::ZERO],
        "backoff",
    );
    option(
        |request| {
            request.config.backoff = vec![SECOND; 3];
            request.config.max_deliver = some(2);
        },
        "3 waits",
    );
    option(
        |request| {
            request.config.ack = AckPolicy::None;
            request.config.max_deliver = some(2);
        },
        "max deliver",
    );
    option(
        |request| {
            request.config.ack = AckPolicy::None;
            request.config.backoff = vec![SECOND];
        },
        "backoff",
    );
    option(
        |request| request.config.deliver = DeliverPolicy::ByStartSequence(0),
        "begin with one",
    );
    option(
        |request| request.config.name = durable("a b").name,
        "letters",
    );
}

#[test]
fn a_filter_that_can_match_nothing_is_reported() {
    let error = refused(|request| request.config.filters = vec![pattern("a.b"), pattern("b.*")]);
    assert_eq!(error.kind(), &ErrorKind::InvalidSubject);
    let text = error.to_string();
    assert!(
        text.contains("b.* can match nothing") && text.contains("a.>"),
        "{text}"
    );
}

#[test]
fn as_many_waits_as_deliveries_are_fine() {
    let rig = Rig::plain();
    let mut config = durable("d");
    config.backoff = vec![SECOND; 2];
    config.max_deliver = some(2);
    rig.subscribe(config).nothing();
}

#[test]
fn a_stream_that_is_not_there_is_named_with_those_that_are() {
    let rig = Rig::plain();
    let error = rig.try_subscribe(request("T", durable("d"))).err().unwrap();
    assert_eq!(
        (error.kind(), error.stream()),
        (&ErrorKind::StreamNotFound, Some("T"))
    );
    assert!(error.to_string().ends_with("there are S"), "{error}");
}
