//! Messages that another client has published with headers that cannot be read, or to a subject
//! that is not UTF-8: they are terminated and reported, and their neighbours arrive.

use std::time::{Duration, Instant};

use event_sdk::headers::Headers;
use event_sdk::transport::{
    AckPolicy, Body, ConsumerConfig, ConsumerName, Deletion, DeliverPolicy, ErrorKind,
    HistoryRequest, Incoming, NoticeKind, Order, Settlement, SubscribeRequest, Transport as _,
    TransportExt as _, WhichMessage,
};
use event_sdk_test_servers::{Server, programs};
use futures_util::{StreamExt, TryStreamExt};
use serde_json::{Value, json};

use crate::consumer_support::{
    PATIENCE, Reader, Rig, STREAM, config, durable, settle, subscribe, times,
};
use crate::support::pattern;

/// Each with a body of its own that is never seen.
const HEADERS: [&[u8]; 6] = [
    b"NATS/1.0\r\nA: \xff\xfe\r\n\r\n",
    b"NATS/1.0\r\nno colon\r\n\r\n",
    b"NATS/1.0\r\na b: x\r\n\r\n",
    b"NATS/2.0\r\nA: x\r\n\r\n",
    b"HTTP/1.1 200 OK\r\n\r\n",
    b"\xff\xff\xff",
];

/// The sequences that cannot be read: after the first message.
const UNREADABLE: std::ops::RangeInclusive<u64> = 2..=8;
const LAST: u64 = 9;

impl Rig {
    /// A message, those that cannot be read, and another message.
    async fn store_unreadable_ones(&self) {
        self.publish([1]).await;
        let mut commands = Vec::new();
        for headers in HEADERS {
            let (length, total) = (headers.len(), headers.len() + 1);
            let line = format!("HPUB events.h {length} {total}\r\n");
            commands.extend_from_slice(line.as_bytes());
            commands.extend_from_slice(headers);
            commands.extend_from_slice(b"0\r\n");
        }
        commands.extend_from_slice(b"PUB events.\xff\xfe 1\r\n0\r\n");
        self.send_raw(&commands).await;
        self.publish([LAST]).await;
        let info = self
            .api(&format!("STREAM.INFO.{STREAM}"), Value::Null)
            .await;
        assert_eq!(info["state"]["last_seq"], LAST);
    }

    async fn total_connections(&self) -> u64 {
        let varz = self.server.monitor("/varz").await.unwrap();
        varz["total_connections"].as_u64().unwrap()
    }
}

async fn expect_unreadable(reader: &mut Reader) {
    for wanted in UNREADABLE {
        let item = reader.item().await;
        let Some(Ok(Incoming::Notice(notice))) = item else {
            panic!("{item:?} came instead of a notice of sequence {wanted}");
        };
        let NoticeKind::Unreadable { sequence, error } = notice.kind() else {
            panic!("{notice:?} came of sequence {wanted}");
        };
        assert_eq!(*sequence, Some(wanted));
        let is_subject = wanted == *UNREADABLE.end();
        let kind = if is_subject {
            ErrorKind::InvalidSubject
        } else {
            ErrorKind::InvalidHeader
        };
        assert_eq!(*error.kind(), kind, "{error}");
    }
}

async fn read_between(reader: &mut Reader) {
    reader.expect_and_ack([1]).await;
    expect_unreadable(reader).await;
    reader.expect_and_ack([LAST]).await;
}

#[tokio::test]
async fn they_are_terminated_and_told_once_by_a_durable() {
    let rig = Rig::start().await;
    let mut terminated = rig
        .admin
        .subscribe("$JS.EVENT.ADVISORY.CONSUMER.MSG_TERMINATED.>")
        .await
        .unwrap();
    let nats = rig.connect().await;
    let mut settings = durable("d");
    // Each that is not settled would take the place of another.
    settings.max_ack_pending = times(2);
    let mut reader = subscribe(&nats, &settings, 2).await;
    let connections = rig.total_connections().await;
    rig.store_unreadable_ones().await;
    read_between(&mut reader).await;
    for sequence in UNREADABLE {
        let advisory = tokio::time::timeout(PATIENCE, terminated.next()).await;
        let advisory: Value = serde_json::from_slice(&advisory.unwrap().unwrap().payload).unwrap();
        assert_eq!(advisory["stream_seq"], sequence, "{advisory}");
        let reason = advisory["reason"].as_str().unwrap();
        assert!(reason.contains("cannot be read"), "{reason}");
    }
    rig.until("the settlement of all", async |rig: &Rig| {
        let info = rig.consumer("d").await;
        info["num_ack_pending"] == 0 && info["ack_floor"]["stream_seq"] == LAST
    })
    .await;
    assert!(reader.ready().await.is_none());
    // The one of the client that published them.
    assert_eq!(rig.total_connections().await, connections + 1);
}

#[tokio::test]
async fn neighbours_are_handed_out_though_deliveries_are_limited() {
    let rig = Rig::start().await;
    rig.store_unreadable_ones().await;
    let nats = rig.connect().await;
    let mut settings = durable("d");
    settings.max_deliver = times(3);
    let mut reader = subscribe(&nats, &settings, 32).await;
    for wanted in [1, LAST] {
        let received = reader.expect(wanted).await;
        assert_eq!(received.info.attempt, 1);
        settle(&received, Settlement::Ack).await.unwrap();
        if wanted == 1 {
            expect_unreadable(&mut reader).await;
        }
    }
}

#[tokio::test]
async fn an_unnamed_consumer_goes_on_behind_them() {
    let rig = Rig::start().await;
    rig.store_unreadable_ones().await;
    let nats = rig.connect().await;
    read_between(&mut subscribe(&nats, &config(ConsumerName::Ephemeral), 10).await).await;
}

#[tokio::test]
async fn they_are_told_where_nothing_is_settled() {
    let rig = Rig::start().await;
    rig.store_unreadable_ones().await;
    let nats = rig.connect().await;
    let mut settings = config(ConsumerName::Ephemeral);
    settings.ack = AckPolicy::None;
    let mut reader = subscribe(&nats, &settings, 10).await;
    reader.expect(1).await;
    expect_unreadable(&mut reader).await;
    reader.expect(LAST).await;
}

#[tokio::test]
async fn another_subscription_of_the_transport_loses_nothing() {
    let rig = Rig::start().await;
    let nats = rig.connect().await;
    let only_a = ConsumerConfig::new(ConsumerName::Durable("a".into()), vec![pattern("events.a")]);
    let mut without_acks = config(ConsumerName::Ephemeral);
    without_acks.filters.clone_from(&only_a.filters);
    without_acks.ack = AckPolicy::None;
    let mut neighbour = subscribe(&nats, &only_a, 10).await;
    let mut once = subscribe(&nats, &without_acks, 10).await;
    let mut reader = subscribe(&nats, &durable("d"), 10).await;
    rig.store_unreadable_ones().await;
    read_between(&mut reader).await;
    neighbour.expect_and_ack([1, LAST]).await;
    once.expect(1).await;
    once.expect(LAST).await;
}

#[tokio::test]
async fn history_passes_over_them() {
    for program in [programs::nats::current(), programs::nats::oldest()] {
        let rig = Rig::start_with(Server::options().program(program.unwrap())).await;
        rig.store_unreadable_ones().await;
        for direct in [true, false] {
            let settings = json!({
                "name": STREAM, "subjects": ["events.>"], "allow_direct": direct,
            });
            rig.api(&format!("STREAM.UPDATE.{STREAM}"), settings).await;
            let nats = rig.connect().await;
            let connections = rig.total_connections().await;
            for (order, wanted) in [
                (Order::OldestFirst, [1, LAST]),
                (Order::NewestFirst, [LAST, 1]),
            ] {
                let mut request = HistoryRequest::new(STREAM, vec![pattern("events.>")]);
                request.order = order;
                let reading = async {
                    let history = nats.read_history(request).await.unwrap();
                    history.try_collect::<Vec<_>>().await.unwrap()
                };
                let read = tokio::time::timeout(PATIENCE, reading).await.unwrap();
                let read: Vec<_> = read.iter().map(|message| message.sequence).collect();
                assert_eq!(read, wanted, "direct: {direct}");
            }
            // At most that for deliveries was made since.
            assert!(rig.total_connections().await <= connections + 1);
        }
    }
}

#[tokio::test]
async fn a_subscription_without_a_stream_leaves_them_out() {
    let rig = Rig::start().await;
    let nats = rig.connect().await;
    let mut plain = ConsumerConfig::new(ConsumerName::Ephemeral, vec![pattern("plain.>")]);
    plain.ack = AckPolicy::None;
    plain.deliver = DeliverPolicy::New;
    let mut request = SubscribeRequest::new("", plain);
    request.prefetch = 10.into();
    let mut messages = nats.core().subscribe(request).await.unwrap();
    let connections = rig.total_connections().await;
    let mut commands = b"PUB plain.first 1\r\n0\r\n".to_vec();
    let many = format!("NATS/1.0\r\n{}\r\n", "a: b\r\n".repeat(120_000));
    for headers in HEADERS.into_iter().chain([many.as_bytes()]) {
        let (length, total) = (headers.len(), headers.len() + 1);
        let line = format!("HPUB plain.h {length} {total}\r\n");
        commands.extend_from_slice(line.as_bytes());
        commands.extend_from_slice(headers);
        commands.extend_from_slice(b"0\r\n");
    }
    commands.extend_from_slice(b"PUB plain.\xff\xfe 1\r\n0\r\nPUB plain.last 1\r\n0\r\n");
    let begun = Instant::now();
    rig.send_raw(&commands).await;
    for wanted in ["plain.first", "plain.last"] {
        let item = tokio::time::timeout(PATIENCE, messages.next()).await;
        let Some(Ok(Incoming::Message(received))) = item.unwrap() else {
            panic!("{wanted} did not come");
        };
        assert_eq!(received.subject.as_str(), wanted);
    }
    assert!(begun.elapsed() < Duration::from_secs(20));
    assert_eq!(rig.total_connections().await, connections + 1);
}

/// Under the subject of the server's reports, another client publishes what is none.
#[tokio::test]
async fn a_report_that_cannot_be_read_ends_no_connection() {
    let rig = Rig::start().await;
    let nats = rig.connect().await;
    let mut settings = durable("d");
    settings.max_deliver = times(1);
    let mut reader = subscribe(&nats, &settings, 1).await;
    let connections = rig.total_connections().await;
    let subject = format!("$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.{STREAM}.d");
    let mut commands = format!("PUB {subject} 2\r\n{{}}\r\n").into_bytes();
    for headers in HEADERS {
        let (length, total) = (headers.len(), headers.len() + 1);
        let line = format!("HPUB {subject} {length} {total}\r\n");
        commands.extend_from_slice(line.as_bytes());
        commands.extend_from_slice(headers);
        commands.extend_from_slice(b"0\r\n");
    }
    rig.send_raw(&commands).await;
    rig.publish([1]).await;
    let last = reader.expect(1).await;
    settle(&last, Settlement::Nak(Duration::ZERO))
        .await
        .unwrap();
    // The report of the server is read behind them.
    let Some(Ok(Incoming::Notice(notice))) = reader.item().await else {
        panic!("no report came");
    };
    assert_eq!(
        notice.exhausted().map(|exhausted| exhausted.sequence),
        Some(1)
    );
    assert_eq!(rig.total_connections().await, connections + 1);
}

#[tokio::test]
async fn many_headers_are_refused_at_once() {
    let rig = Rig::start().await;
    let nats = rig.connect().await;
    let mut reader = subscribe(&nats, &durable("d"), 10).await;
    let headers = format!("NATS/1.0\r\n{}\r\n", "a: b\r\n".repeat(10_000));
    let (length, total) = (headers.len(), headers.len() + 1);
    let command = format!("HPUB events.h {length} {total}\r\n{headers}0\r\n");
    rig.send_raw(command.as_bytes()).await;
    rig.publish([2]).await;
    let begun = Instant::now();
    let item = reader.item().await;
    let Some(Ok(Incoming::Notice(notice))) = item else {
        panic!("{item:?} came instead of a notice");
    };
    assert!(notice.to_string().contains("more than"), "{notice}");
    reader.expect_and_ack([2]).await;
    assert!(begun.elapsed() < Duration::from_secs(10));
}

#[tokio::test]
async fn they_are_got_as_bytes() {
    for program in [programs::nats::current(), programs::nats::oldest()] {
        let rig = Rig::start_with(Server::options().program(program.unwrap())).await;
        rig.store_unreadable_ones().await;
        let nats = rig.connect().await;
        let get = async |which| {
            let got = tokio::time::timeout(PATIENCE, nats.get_message(STREAM, which)).await;
            got.unwrap().unwrap().expect("it is stored")
        };
        for (sequence, block) in UNREADABLE.zip(HEADERS) {
            let found = get(WhichMessage::Sequence(sequence)).await;
            assert_eq!((found.sequence, &*found.subject), (sequence, "events.h"));
            let headers = found.headers.as_ref().unwrap_err();
            assert_eq!(headers.bytes(), block);
            assert!(matches!(&found.body, Body::Encoded(body) if body == "0"));
            let error = found.into_stored().unwrap_err();
            assert_eq!(*error.kind(), ErrorKind::InvalidHeader, "{error}");
        }
        let odd = get(WhichMessage::Sequence(*UNREADABLE.end())).await;
        assert!(odd.subject.contains('\u{fffd}'), "{}", odd.subject);
        assert!(matches!(&odd.body, Body::Encoded(body) if body == "0"));
        assert!(odd.headers.as_ref().is_ok_and(Headers::is_empty));
        let error = odd.into_stored().unwrap_err();
        assert_eq!(*error.kind(), ErrorKind::InvalidSubject, "{error}");
        let last = get(WhichMessage::LastUnder(pattern("events.h"))).await;
        assert_eq!(last.sequence, *UNREADABLE.end() - 1);
        for sequence in UNREADABLE {
            let deleted = nats.delete_message(STREAM, sequence, Deletion::Remove);
            let deleted = tokio::time::timeout(PATIENCE, deleted).await;
            assert!(deleted.unwrap().unwrap(), "sequence {sequence}");
        }
        assert_eq!(nats.stream_state(STREAM).await.unwrap().messages, 2);
    }
}
