//! Snapshots: what comes back in another transport, in pieces of any size, and what is refused.

use std::time::Duration;

use bytes::Bytes;
use event_sdk::Pattern;
use event_sdk::stream::{Retention, StreamSpec};
use event_sdk::transport::{
    AckPolicy, Deletion, DeliverPolicy, Error, ErrorKind, Operation, RestoreRequest, Settlement,
    Snapshot, SnapshotContent, SnapshotInfo, SnapshotRequest, StreamState, TransportExt as _,
    WhichMessage,
};
use futures_util::{FutureExt as _, StreamExt as _, stream};

use crate::support::*;

/// What a snapshot is, and its bytes.
fn snapshot(rig: &Rig) -> (SnapshotInfo, Vec<u8>) {
    let made = now(rig.transport.snapshot_stream(SnapshotRequest::new("S")));
    let Snapshot { info, content, .. } = made.unwrap();
    let pieces: Vec<_> = content.collect().now_or_never().unwrap();
    let pieces = pieces
        .into_iter()
        .map(|piece: Result<Bytes, Error>| piece.unwrap());
    (info, pieces.collect::<Vec<_>>().concat())
}

fn content(pieces: Vec<Result<Bytes, Error>>) -> SnapshotContent {
    Box::pin(stream::iter(pieces))
}

fn pieces(bytes: &[u8], size: usize) -> Vec<Result<Bytes, Error>> {
    let pieces = bytes.chunks(size).map(Bytes::copy_from_slice);
    pieces.map(Ok).collect()
}

fn restore(rig: &Rig, info: &SnapshotInfo, content: SnapshotContent) -> Result<StreamState, Error> {
    let (kind, description) = (info.kind.clone(), info.description.clone());
    let request = RestoreRequest::new("S", kind, description, content);
    rig.transport
        .restore_stream(request)
        .now_or_never()
        .unwrap()
}

/// A transport without streams.
fn empty() -> Rig {
    let rig =
        Rig::new(event_sdk::transport::memory::MemoryTransportBuilder::without_default_stream);
    assert_eq!(
        now(rig.transport.streams_for(&Pattern::everything()))
            .unwrap()
            .len(),
        0
    );
    rig
}

fn say(rig: &Rig, say: impl FnOnce(StreamSpec) -> StreamSpec) {
    let stream = say(StreamSpec::new("S").absolute("a").absolute("b.>"));
    now(rig.transport.apply_stream(&config(&stream))).unwrap();
}

fn info(rig: &Rig, name: &str) -> event_sdk::transport::ConsumerInfo {
    now(rig.transport.consumer_info("S", name)).unwrap()
}

fn shown(rig: &Rig) -> Vec<String> {
    let get = |at| now(rig.transport.get_message("S", WhichMessage::Sequence(at))).unwrap();
    (1..=20).map(|at| format!("{:?}", get(at))).collect()
}

/// A stream with holes and four durables, somewhere in it.
fn lived(retention: Retention) -> Rig {
    let rig = empty();
    say(&rig, |stream| stream.retention(retention));
    let mut plain = durable("plain");
    plain.max_deliver = some(5);
    plain.filters = vec![pattern("a")];
    let mut read = rig.subscribe(plain);
    let mut other = durable("other");
    other.filters = vec![pattern("b.x")];
    let mut waiting = rig.subscribe(other);
    for number in 1..=18 {
        rig.publish(["a", "b.x", "b.y"][number % 3]);
        rig.step(Duration::from_millis(10));
    }
    // 3, 6, 9 and 12: one is settled, one rests, two are in hand.
    let held: Vec<_> = (0..4).map(|_| read.message()).collect();
    held[0].ack();
    held[2].nak(Duration::from_secs(600));
    waiting.message().ack();
    let until = Some(at(Duration::from_secs(1_000)));
    now(rig.transport.pause_consumer("S", "other", until)).unwrap();
    if retention == Retention::Limits {
        let mut late = durable("late");
        late.deliver = DeliverPolicy::ByStartTime(at(Duration::from_secs(100)));
        late.ack = AckPolicy::None;
        drop(rig.subscribe(late));
        let mut last = durable("last");
        last.deliver = DeliverPolicy::LastPerSubject;
        drop(rig.subscribe(last));
        for sequence in [4, 18] {
            let deleted = rig
                .transport
                .delete_message("S", sequence, Deletion::Remove);
            assert!(now(deleted).unwrap());
        }
    }
    rig
}

#[test]
fn messages_and_positions_come_back_from_pieces_of_any_size() {
    for retention in [Retention::Limits, Retention::Interest, Retention::WorkQueue] {
        let rig = lived(retention);
        let (info_of, bytes) = snapshot(&rig);
        for size in [1, 7, 100, bytes.len()] {
            let other = empty();
            let restored = restore(&other, &info_of, content(pieces(&bytes, size))).unwrap();
            assert_eq!(restored, rig.state(), "{retention:?}");
            assert_eq!(other.state(), rig.state());
            assert_eq!(shown(&other), shown(&rig));
            assert_eq!(info_of.messages, rig.state().messages);
            for name in ["plain", "other", "late", "last"] {
                let before = now(rig.transport.consumer_info("S", name));
                let Ok(before) = before else {
                    assert_ne!(retention, Retention::Limits);
                    continue;
                };
                assert_eq!(info(&other, name), before, "{retention:?} {name}");
            }
            // What was not settled is due, with another attempt; then what is new.
            let mut plain = durable("plain");
            plain.max_deliver = some(5);
            plain.filters = vec![pattern("a")];
            let mut read = other.subscribe(plain);
            let (first, second) = (read.message(), read.message());
            assert_eq!((first.info.sequence, first.info.attempt), (Some(6), 2));
            first.ack();
            second.ack();
            assert_eq!(read.message().info.sequence, Some(12));
            assert_eq!(other.publish("a"), 19);
        }
    }
}

#[test]
fn what_became_too_old_is_dropped() {
    let rig = Rig::of(|stream| stream.max_age(Duration::from_secs(100)));
    rig.publish("a");
    rig.step(Duration::from_secs(60));
    rig.publish("a");
    let (info, bytes) = snapshot(&rig);
    let other = empty();
    other.step(Duration::from_secs(120));
    let restored = restore(&other, &info, content(pieces(&bytes, 64))).unwrap();
    assert_eq!((restored.messages, restored.first_sequence), (1, 2));
    other.step(Duration::from_secs(41));
    assert_eq!(other.state().messages, 0);
    assert_eq!(other.publish("a"), 3);
}

#[test]
fn a_damaged_snapshot_is_refused_and_leaves_no_stream() {
    let rig = lived(Retention::Limits);
    let (info, bytes) = snapshot(&rig);
    let other = empty();
    let mut damaged: Vec<Vec<u8>> = (0..bytes.len()).map(|end| bytes[..end].to_vec()).collect();
    damaged.push([&bytes[..], &bytes[..]].concat());
    damaged.push([&bytes[..], b"x"].concat());
    for bytes in damaged {
        let error = restore(&other, &info, content(pieces(&bytes, 64))).unwrap_err();
        assert_eq!(*error.kind(), ErrorKind::InvalidSnapshot, "{error}");
        assert_eq!(error.stream(), Some("S"));
    }
    let fault = Error::new(ErrorKind::Encode, Operation::Manage, "of the reader");
    let mut cut = pieces(&bytes, 64);
    cut.truncate(3);
    cut.push(Err(fault));
    let error = restore(&other, &info, content(cut)).unwrap_err();
    assert_eq!(*error.kind(), ErrorKind::Encode, "{error}");
    let state = now(other.transport.stream_state("S")).unwrap_err();
    assert_eq!(*state.kind(), ErrorKind::StreamNotFound);
    assert!(restore(&other, &info, content(pieces(&bytes, 64))).is_ok());
}

#[test]
fn a_stream_that_cannot_be_beside_the_others_is_refused() {
    let rig = lived(Retention::Limits);
    let (info, bytes) = snapshot(&rig);
    let other = empty();
    let taken = StreamSpec::new("T").absolute("b.*");
    now(other.transport.apply_stream(&config(&taken))).unwrap();
    let error = restore(&other, &info, content(pieces(&bytes, 64))).unwrap_err();
    assert_eq!(*error.kind(), ErrorKind::InvalidOption, "{error}");
    assert!(now(other.transport.stream_state("S")).is_err());
}

#[test]
fn a_settled_message_leaves_a_restored_work_queue() {
    let rig = lived(Retention::WorkQueue);
    let (info, bytes) = snapshot(&rig);
    let other = empty();
    let before = restore(&other, &info, content(pieces(&bytes, 64))).unwrap();
    let mut plain = durable("plain");
    plain.max_deliver = some(5);
    plain.filters = vec![pattern("a")];
    let received = other.subscribe(plain).message();
    let settler = received.settler.unwrap();
    now(settler.settle(Settlement::Ack)).unwrap();
    assert_eq!(other.state().messages, before.messages - 1);
}

#[test]
fn impossible_numbers_are_refused() {
    let from = empty();
    say(&from, |stream| stream);
    let (info, _) = snapshot(&from);
    let message = |sequence: u64, counted: u64| {
        format!(
            r#"{{"message":{{"sequence":{sequence},"subject":"a","headers":[],"stored_at":"2026-01-01T00:00:00Z","counted":{counted},"body":0}}}}
"#
        ) + "\n"
    };
    let end = |last: u64| format!("{{\"end\":{{\"last\":{last}}}}}\n");
    for crafted in [
        message(u64::MAX, 1) + &end(u64::MAX),
        message(1, u64::MAX) + &message(2, 1) + &end(2),
        end(u64::MAX),
    ] {
        let to = empty();
        let pieces = content(pieces(crafted.as_bytes(), 1000));
        let error = restore(&to, &info, pieces).unwrap_err();
        assert_eq!(*error.kind(), ErrorKind::InvalidSnapshot, "{error}");
        assert!(!error.to_string().contains("damaged"), "{error}");
    }
}
