//! Streams created and changed while the transport runs.

use std::sync::Arc;
use std::time::Duration;

use event_sdk::ErrorKind;
use event_sdk::stream::{Compression, Discard, Storage, StreamSpec};
use event_sdk::transport::memory::{MemoryTransport, MemoryTransportBuilder};
use event_sdk::transport::{
    ConsumerConfig, DeliverPolicy, Error, LostCount, StreamChange, SubscribeRequest,
};

use crate::support::*;
use event_sdk::transport::TransportExt as _;

impl Rig {
    fn try_apply(&self, stream: &StreamSpec) -> Result<StreamChange, Error> {
        now(self.transport.apply_stream(&config(stream)))
    }

    /// What was changed.
    #[track_caller]
    fn apply(&self, stream: &StreamSpec) -> Vec<&'static str> {
        match self.try_apply(stream).unwrap() {
            StreamChange::Updated { differences } => {
                differences.iter().map(|found| found.field).collect()
            }
            other => panic!("it is there and differs: {other:?}"),
        }
    }

    /// The sequences that a new consumer of `filter` reads.
    fn read(&self, filter: &str) -> Vec<u64> {
        self.try_subscribe(of(filter, ephemeral())).unwrap().drain()
    }

    fn messages(&self) -> (u64, u64, u64) {
        let state = self.state();
        (state.messages, state.first_sequence, state.last_sequence)
    }
}

fn of(filter: &str, config: ConsumerConfig) -> SubscribeRequest {
    let mut config = config;
    config.filters = vec![pattern(filter)];
    request("S", config)
}

/// The stream that [`Rig::plain`] has.
fn plain() -> StreamSpec {
    StreamSpec::new("S").absolute(">")
}

fn stream(subjects: &[&str]) -> StreamSpec {
    let subjects = subjects.iter().map(|subject| (*subject).to_owned());
    subjects.fold(StreamSpec::new("S"), StreamSpec::absolute)
}

#[test]
fn a_transport_may_begin_without_any_stream() {
    let rig = Rig::new(MemoryTransportBuilder::without_default_stream);
    let error = rig.try_publish("a", |_| {}).unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::NoStream);
    let error = now(rig.transport.stream_state("S")).unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::StreamNotFound);
    assert!(error.to_string().contains("no stream at all"), "{error}");
    assert_eq!(rig.try_apply(&plain()).unwrap(), StreamChange::Created);
    assert_eq!(rig.publish("a"), 1);
    assert_eq!(rig.read(">"), [1]);
}

#[test]
fn the_default_stream_takes_every_subject_and_leaves_room_for_none() {
    let transport = MemoryTransport::builder().build().unwrap();
    let error = now(transport.apply_stream(&config(&plain()))).unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::InvalidOption);
    assert!(error.to_string().contains("of stream EVENTS"), "{error}");
}

#[test]
fn the_most_of_a_subject_holds_for_what_is_there() {
    let rig = Rig::plain();
    for subject in ["a", "b", "a", "a", "b", "c"] {
        rig.publish(subject);
    }
    let two = plain().max_messages_per_subject(2);
    assert_eq!(rig.apply(&two), ["max messages per subject"]);
    assert_eq!(rig.read(">"), [2, 3, 4, 5, 6]);
    rig.publish("a");
    assert_eq!(rig.read("a"), [4, 7]);
    rig.apply(&plain());
    rig.publish_many("a", 3);
    assert_eq!(rig.read("a"), [4, 7, 8, 9, 10]);
    // It counts again from what there is, not from what there was.
    rig.apply(&plain().max_messages_per_subject(1));
    assert_eq!(rig.read(">"), [5, 6, 10]);
    rig.publish("b");
    assert_eq!(rig.read(">"), [6, 10, 11]);
}

#[test]
fn the_most_bytes_hold_for_what_is_there() {
    let rig = Rig::plain();
    rig.publish_many("a", 10);
    let of_one = rig.state().bytes / 10;
    rig.apply(&plain().max_bytes(3 * of_one + 1));
    assert_eq!(rig.messages(), (3, 8, 10));
    rig.publish("a");
    assert_eq!(rig.messages(), (3, 9, 11));
}

#[test]
fn a_stream_that_refuses_the_new_keeps_the_old() {
    let rig = Rig::plain();
    rig.publish_many("a", 5);
    rig.apply(&plain().max_messages(3).when_full(Discard::New));
    assert_eq!(rig.messages(), (5, 1, 5));
    let error = rig.try_publish("a", |_| {}).unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::StreamFull);
    rig.apply(&plain().max_messages(3));
    assert_eq!(rig.messages(), (3, 3, 5));
}

#[test]
fn ages_are_those_of_the_old_and_of_the_new_configuration() {
    let rig = Rig::of(|stream| stream.max_age(4 * SECOND));
    rig.publish("a");
    rig.step(3 * SECOND);
    rig.publish("b");
    rig.step(SECOND);
    // What was too old already does not come back.
    rig.apply(&plain());
    assert_eq!(rig.read(">"), [2]);
    rig.step(100 * SECOND);
    rig.apply(&plain().max_age(102 * SECOND));
    assert_eq!(rig.read(">"), [2]);
    rig.step(SECOND);
    assert_eq!(rig.messages(), (0, 3, 2));
}

#[test]
fn a_subscription_that_waits_hears_of_what_a_new_limit_drops() {
    let rig = Rig::plain();
    let mut sub = rig.subscribe(ephemeral());
    sub.nothing();
    let mut held = rig.subscribe(durable("d"));
    rig.publish_many("a", 10);
    assert!(sub.take_woken());
    let first = held.message();
    rig.apply(&plain().max_messages(3));
    assert_eq!(sub.gap(), exactly(1, 7, 7));
    assert_eq!(sub.drain(), [8, 9, 10]);
    // A handler has the first, and it is no gap if that is settled.
    assert_eq!(held.gap(), exactly(2, 7, 6));
    first.ack();
    assert_eq!(held.drain(), [8, 9, 10]);
}

#[test]
fn a_consumer_of_all_that_a_stream_had_gets_nothing_of_what_it_is_given() {
    let rig = Rig::new(|builder| builder.stream(config(&stream(&["x.>"]))));
    let mut sub = rig.try_subscribe(of("x.>", ephemeral())).unwrap();
    rig.publish("x.1");
    assert_eq!(rig.apply(&stream(&["x.>", "y.>"])), ["subjects"]);
    for subject in ["y.1", "x.2", "y.2", "x.3"] {
        rig.publish(subject);
    }
    assert_eq!(sub.drain(), [1, 3, 5]);
    sub.nothing();
}

#[test]
fn what_was_dropped_of_subjects_that_a_stream_had_is_not_counted_as_of_those_it_has() {
    let rig = Rig::new(|builder| builder.stream(config(&stream(&["x.>", "y.>"]))));
    for subject in ["x.1", "y.1", "x.2", "y.2", "x.3"] {
        rig.publish(subject);
    }
    rig.apply(&stream(&["x.>"]).max_messages(1));
    let mut wanted = ephemeral();
    wanted.deliver = DeliverPolicy::ByStartSequence(1);
    let mut xs = rig.try_subscribe(of("x.>", wanted.clone())).unwrap();
    let gap = xs.gap();
    assert_eq!((gap.from, gap.to, gap.lost), (1, 4, LostCount::AtMost(4)));
    assert_eq!(gap.to_string(), "at most 4 messages from sequence 1 to 4");
    let mut all = rig.try_subscribe(of(">", wanted)).unwrap();
    assert_eq!(all.gap(), exactly(1, 4, 4));
}

#[test]
fn a_consumer_of_all_that_a_stream_has_gets_nothing_of_what_it_had() {
    let rig = Rig::new(|builder| builder.stream(config(&stream(&["x.>", "y.>"]))));
    for subject in ["x.1", "y.1", "x.2", "y.2"] {
        rig.publish(subject);
    }
    let mut ys = rig.try_subscribe(of("y.>", durable("ys"))).unwrap();
    rig.apply(&stream(&["x.>"]));
    let error = rig.try_publish("y.3", |_| {}).unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::NoStream);
    assert_eq!(rig.read("x.>"), [1, 3]);
    let mut from = ephemeral();
    from.deliver = DeliverPolicy::ByStartSequence(2);
    let mut late = rig.try_subscribe(of("x.>", from)).unwrap();
    assert_eq!(late.message().info.pending, Some(0));
    // Who wanted it has it still, and can come back for it.
    assert_eq!(ys.seq(), (2, 1));
    drop(ys);
    let mut ys = rig.try_subscribe(of("y.>", durable("ys"))).unwrap();
    assert_eq!(ys.seq(), (4, 1));
    let error = rig.try_subscribe(of("y.>", durable("new"))).err().unwrap();
    assert_eq!(error.kind(), &ErrorKind::InvalidSubject);
    assert_eq!(error.consumer(), Some("new"));
}

#[test]
fn the_window_can_become_shorter_longer_and_none() {
    let window = |seconds| plain().duplicate_window(Duration::from_secs(seconds));
    let rig = Rig::of(|stream| stream.duplicate_window(10 * SECOND));
    let duplicate = |id| rig.publish_id("a", id).duplicate;
    assert!(!duplicate("a"));
    rig.step(3 * SECOND);
    assert!(!duplicate("b"));
    rig.apply(&window(2));
    assert!(duplicate("b"));
    assert!(!duplicate("a"), "it is older than the window");
    rig.step(2 * SECOND);
    // What was forgotten stays so.
    rig.apply(&window(100));
    assert!(!duplicate("b"));
    assert!(duplicate("b"));
    rig.apply(&window(0));
    assert!(!duplicate("b"));
    rig.apply(&window(100));
    assert!(!duplicate("b"));
    rig.apply(&window(100).duplicate_capacity(1));
    assert!(!duplicate("c"));
    assert!(!duplicate("b"));
}

#[test]
fn storage_is_not_changed_and_what_means_nothing_here_is_kept() {
    let rig = Rig::plain();
    let error = rig
        .try_apply(&plain().storage(Storage::Memory).max_messages(1))
        .unwrap_err();
    assert_eq!(
        (error.kind(), error.stream()),
        (&ErrorKind::InvalidOption, Some("S"))
    );
    assert!(
        error.to_string().contains("cannot become Memory"),
        "{error}"
    );
    assert_eq!(rig.state().config, config(&plain()));
    let replicated = plain().replicas(3).compression(Compression::S2);
    assert_eq!(rig.apply(&replicated), ["replicas", "compression"]);
    assert_eq!(rig.state().config, config(&replicated));
}

#[test]
fn what_is_created_is_found_by_everybody() {
    let rig = Rig::new(|builder| builder.stream(config(&stream(&["x.>"]))));
    let other = StreamSpec::new("T").absolute("y.>");
    let change = now(rig.transport.clone().apply_stream(&config(&other)));
    assert_eq!(change.unwrap(), StreamChange::Created);
    let stored = rig.try_publish("y.1", |_| {}).unwrap();
    assert_eq!(stored.stream.as_deref(), Some("T"));
    let found = now(rig.transport.streams_for(&pattern(">"))).unwrap();
    assert_eq!(found, ["S", "T"]);
    rig.close();
    let error = rig.try_apply(&plain()).unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::Closed);
    let error = now(rig.transport.stream_state("T")).unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::Closed);
}

#[test]
fn publishing_while_streams_change_loses_nothing() {
    let transport = MemoryTransport::builder()
        .stream(config(&stream(&["x.>"])))
        .build()
        .unwrap();
    let rig = Arc::new(Rig {
        clock: Arc::default(),
        transport,
    });
    let wide = stream(&["x.>", "y.>"]);
    std::thread::scope(|scope| {
        let publishers: Vec<_> = (0..2)
            .map(|_| {
                let rig = Arc::clone(&rig);
                scope.spawn(move || {
                    for _ in 0..2000 {
                        rig.publish("x.1");
                    }
                })
            })
            .collect();
        while !publishers
            .iter()
            .all(std::thread::ScopedJoinHandle::is_finished)
        {
            rig.apply(&wide);
            rig.publish("y.1");
            rig.apply(&stream(&["x.>"]));
            assert!(rig.try_publish("y.1", |_| {}).is_err());
        }
    });
    assert_eq!(rig.read("x.>").len(), 4000);
}

#[test]
fn among_many_streams_a_message_is_stored_where_its_subject_is_now() {
    // More than are asked one by one.
    let named =
        |number: usize| StreamSpec::new(format!("S{number}")).subject(format!("s{number}.>"));
    let builder = MemoryTransport::builder();
    let builder = (0..20).fold(builder, |builder, number| {
        builder.stream(config(&named(number)))
    });
    let rig = Rig {
        clock: Arc::default(),
        transport: builder.build().unwrap(),
    };
    let stored = |subject: &str| {
        let stored = rig.try_publish(&format!("events.{subject}"), |_| {});
        stored.map(|stored| stored.stream.unwrap().to_string())
    };
    for number in 0..20 {
        assert_eq!(
            stored(&format!("s{number}.a")).unwrap(),
            format!("S{number}")
        );
    }
    let nowhere = |subject: &str| *stored(subject).unwrap_err().kind() == ErrorKind::NoStream;
    assert!(nowhere("s20.a") && nowhere("moved"));

    rig.try_apply(&named(20)).unwrap();
    assert_eq!(stored("s20.a").unwrap(), "S20");

    // A subject goes from one stream to another.
    rig.try_apply(&named(7).subject("moved")).unwrap();
    assert_eq!(stored("moved").unwrap(), "S7");
    rig.try_apply(&named(7)).unwrap();
    assert!(nowhere("moved"));
    rig.try_apply(&named(12).subject("moved")).unwrap();
    assert_eq!(stored("moved").unwrap(), "S12");
    assert_eq!(stored("s7.a").unwrap(), "S7");
}
