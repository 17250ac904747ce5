//! Publishing: how much of a stream it inspects, and what it keeps for a subject.

use bytes::Bytes;

use super::super::MemoryTransport;
use super::super::token_tree::tests::VISITED;
use event_sdk_core::stream::StreamSpec;
use event_sdk_core::subject::{Pattern, Subject};
use event_sdk_core::transport::{Body, Error, Expectations, Operation, PublishRequest, Stored};

fn transport(declare: impl FnOnce(StreamSpec) -> StreamSpec) -> MemoryTransport {
    let stream = declare(StreamSpec::new("S").absolute("a.>"));
    let builder = MemoryTransport::builder().stream(stream.config("events").unwrap());
    builder.build().unwrap()
}

fn publish(
    transport: &MemoryTransport,
    subject: &str,
    expect: Expectations,
) -> Result<Stored, Error> {
    let subject = Subject::parse(subject.to_owned()).unwrap();
    let message = {
        let mut request = PublishRequest::new(&subject, Body::Encoded(Bytes::new()));
        request.expect = expect;
        request
    };
    transport.publish_now(message).unwrap()
}

/// The number of the entry of `a.b`.
fn entry(transport: &MemoryTransport) -> u64 {
    let subject = Subject::parse("a.b").unwrap();
    let stream = transport.stream("S", Operation::Read).unwrap();
    let found = stream.locked(
        transport.0.connection.phase(),
        Operation::Read,
        |state, _| Ok(state.log.subjects().find(&subject).map(super::Entry::id)),
    );
    found.unwrap().unwrap()
}

#[test]
fn what_is_known_of_a_subject_stays_when_its_only_message_is_replaced() {
    let replaces: [fn(StreamSpec) -> StreamSpec; 2] = [
        |stream| stream.max_messages_per_subject(1),
        |stream| stream.max_messages_per_subject(1).max_messages(1),
    ];
    for declare in replaces {
        let transport = transport(declare);
        publish(&transport, "a.b", Expectations::default()).unwrap();
        let before = entry(&transport);
        publish(&transport, "a.b", Expectations::default()).unwrap();
        assert_eq!(entry(&transport), before);
    }
}

#[test]
fn what_is_expected_of_the_whole_stream_needs_no_look_at_its_subjects() {
    let transport = transport(|stream| stream);
    let expect = |pattern: &str, sequence| {
        let pattern = Pattern::parse(pattern.to_owned()).unwrap();
        let mut expect = Expectations::none();
        expect.last_pattern_sequence = Some((pattern, sequence));
        publish(&transport, "a.0", expect)
    };
    expect("a.>", 0).unwrap();
    for number in 1..1000 {
        publish(&transport, &format!("a.{number}"), Expectations::default()).unwrap();
    }
    VISITED.set(0);
    expect("a.>", 999).unwrap_err();
    expect("a.>", 1000).unwrap();
    assert_eq!(VISITED.get(), 0);
    expect("a.*", 1001).unwrap();
    assert!(VISITED.get() > 1000);
}
