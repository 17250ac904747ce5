//! Reading stored messages.

use std::time::Duration;

use event_sdk::transport::{HistoryRequest, HistoryStart, Order};
use event_sdk::{Error, ErrorKind};
use futures_util::{FutureExt, StreamExt};

use crate::support::*;
use event_sdk::transport::TransportExt as _;

fn ask(filters: &[&str], from: HistoryStart, order: Order, limit: Option<usize>) -> HistoryRequest {
    let mut request =
        HistoryRequest::new("S", filters.iter().map(|filter| pattern(filter)).collect());
    request.from = from;
    request.order = order;
    request.limit = limit;
    request
}

fn read(rig: &Rig, request: HistoryRequest) -> Result<Vec<u64>, Error> {
    let mut history = now(rig.transport.read_history(request))?;
    let mut sequences = Vec::new();
    // A long stretch without a match takes more than one poll.
    for _ in 0..1000 {
        match history.next().now_or_never() {
            Some(Some(message)) => sequences.push(message?.sequence),
            Some(None) => return Ok(sequences),
            None => {}
        }
    }
    panic!("no end after {}", sequences.len());
}

fn filled() -> Rig {
    let rig = Rig::of(|stream| stream.max_messages(5));
    for subject in ["x", "x", "a.1", "b.1", "a.2", "a.1", "b.1"] {
        rig.publish(subject);
        rig.step(SECOND);
    }
    rig
}

#[test]
fn it_is_read_in_both_orders_from_anywhere() {
    use Order::{NewestFirst, OldestFirst};
    let rig = filled();
    let read = |filters: &[&str], from, order| read(&rig, ask(filters, from, order, None)).unwrap();
    assert_eq!(
        read(&[">"], HistoryStart::End, OldestFirst),
        [3, 4, 5, 6, 7]
    );
    assert_eq!(
        read(&[">"], HistoryStart::End, NewestFirst),
        [7, 6, 5, 4, 3]
    );
    assert_eq!(read(&["a.*"], HistoryStart::End, NewestFirst), [6, 5, 3]);
    assert_eq!(
        read(&["a.1", "b.>"], HistoryStart::End, OldestFirst),
        [3, 4, 6, 7]
    );
    assert_eq!(
        read(&[">"], HistoryStart::Sequence(5), OldestFirst),
        [5, 6, 7]
    );
    assert_eq!(
        read(&[">"], HistoryStart::Sequence(5), NewestFirst),
        [5, 4, 3]
    );
    assert_eq!(
        read(&[">"], HistoryStart::Sequence(1), OldestFirst),
        [3, 4, 5, 6, 7]
    );
    assert_eq!(
        read(&[">"], HistoryStart::Sequence(1), NewestFirst),
        [] as [u64; 0]
    );
    assert_eq!(
        read(&[">"], HistoryStart::Sequence(9), OldestFirst),
        [] as [u64; 0]
    );
    assert_eq!(
        read(&[">"], HistoryStart::Sequence(9), NewestFirst),
        [7, 6, 5, 4, 3]
    );
    let half = Duration::from_millis(500);
    assert_eq!(
        read(&[">"], HistoryStart::Time(at(4 * SECOND)), OldestFirst),
        [5, 6, 7]
    );
    assert_eq!(
        read(&[">"], HistoryStart::Time(at(4 * SECOND)), NewestFirst),
        [5, 4, 3]
    );
    assert_eq!(
        read(
            &[">"],
            HistoryStart::Time(at(4 * SECOND + half)),
            OldestFirst
        ),
        [6, 7]
    );
    assert_eq!(
        read(
            &[">"],
            HistoryStart::Time(at(4 * SECOND + half)),
            NewestFirst
        ),
        [5, 4, 3]
    );
    assert_eq!(
        read(&[">"], HistoryStart::Time(at(60 * SECOND)), OldestFirst),
        [] as [u64; 0]
    );
    assert_eq!(
        read(&[">"], HistoryStart::Time(at(Duration::ZERO)), NewestFirst),
        [] as [u64; 0]
    );
}

#[test]
fn no_more_is_read_than_asked_for() {
    let rig = filled();
    let read = |limit| {
        read(
            &rig,
            ask(&["a.*"], HistoryStart::End, Order::NewestFirst, Some(limit)),
        )
        .unwrap()
    };
    assert_eq!(read(2), [6, 5]);
    assert_eq!(read(3), [6, 5, 3]);
    assert_eq!(read(0), [] as [u64; 0]);
}

#[test]
fn it_is_what_was_stored_when_it_was_asked_for() {
    let rig = Rig::of(|stream| stream.max_messages(200));
    rig.publish_many("a", 200);
    let mut history =
        now(rig
            .transport
            .read_history(ask(&[">"], HistoryStart::End, Order::OldestFirst, None)))
        .unwrap();
    let mut next = || {
        history
            .next()
            .now_or_never()
            .unwrap()
            .map(|message| message.unwrap().sequence)
    };
    assert_eq!(next(), Some(1));
    rig.publish_many("a", 150);
    let rest: Vec<u64> = std::iter::from_fn(next).collect();
    // The first piece was read; what was dropped before the second is left out.
    assert_eq!(rest.last(), Some(&200));
    assert!(rest.contains(&151) && !rest.contains(&150), "{rest:?}");
}

#[test]
fn a_long_stretch_without_a_match_is_passed() {
    let rig = Rig::plain();
    rig.publish("a");
    rig.publish_many("b", 20_000);
    rig.publish("a");
    for (order, expected) in [
        (Order::OldestFirst, [1, 20_002]),
        (Order::NewestFirst, [20_002, 1]),
    ] {
        assert_eq!(
            read(&rig, ask(&["a"], HistoryStart::End, order, None)).unwrap(),
            expected
        );
    }
}

#[test]
fn a_message_is_whole() {
    let rig = Rig::plain();
    rig.step(SECOND);
    rig.try_publish("a.b", |message| message.headers.insert("k", "v").unwrap())
        .unwrap();
    let mut history =
        now(rig
            .transport
            .read_history(ask(&[">"], HistoryStart::End, Order::OldestFirst, None)))
        .unwrap();
    let message = history.next().now_or_never().unwrap().unwrap().unwrap();
    assert_eq!((message.subject.as_str(), &*message.stream), ("a.b", "S"));
    assert_eq!(message.headers.get("k"), Some("v"));
    assert_eq!(message.stored_at, at(SECOND));
}

#[test]
fn what_cannot_be_read_is_refused() {
    let stream = config(&event_sdk::stream::StreamSpec::new("S").absolute("a.>"));
    let rig = Rig::new(|builder| builder.stream(stream));
    let kind = |filters: &[&str]| {
        let error = read(
            &rig,
            ask(filters, HistoryStart::End, Order::OldestFirst, None),
        )
        .unwrap_err();
        assert_eq!(error.stream(), Some("S"));
        error.kind().clone()
    };
    assert_eq!(kind(&[]), ErrorKind::InvalidOption);
    assert_eq!(kind(&["a.*", "a.b"]), ErrorKind::InvalidOption);
    assert_eq!(kind(&["b"]), ErrorKind::InvalidSubject);
}
