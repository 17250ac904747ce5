//! History: all requested messages, in order, with each way that a server can read.

use std::time::Duration;

use event_sdk::transport::nats::{Management, Nats};
use event_sdk::transport::{
    Body, Capability, Error, ErrorKind, HistoryRequest, HistoryStart, Order, StoredMessage,
    Transport,
};
use event_sdk_test_servers::{Server, programs};
use futures_util::{StreamExt, TryStreamExt};

use crate::support::{Rig, apply, draft, pattern, publish, raw_call, stream, within};
use event_sdk::transport::TransportExt as _;

const ORDERS: [Order; 2] = [Order::OldestFirst, Order::NewestFirst];

fn request(filters: &[&str], order: Order) -> HistoryRequest {
    let mut request = HistoryRequest::new("S", filters.iter().map(|text| pattern(text)).collect());
    request.order = order;
    request
}

async fn read(nats: &Nats, request: HistoryRequest) -> Result<Vec<StoredMessage>, Error> {
    let history = within(nats.read_history(request)).await?;
    within(history.try_collect()).await
}

async fn sequences(nats: &Nats, request: HistoryRequest) -> Vec<u64> {
    let all = read(nats, request).await.unwrap();
    all.iter().map(|message| message.sequence).collect()
}

/// Which of the messages that [`fill`] stores are on this subject.
fn subject_of(sequence: u64) -> &'static str {
    match sequence {
        // The only one of its kind, far from the end.
        17 => "s.rare",
        _ if sequence.is_multiple_of(7) => "s.b.x",
        _ if sequence.is_multiple_of(3) => "s.b.y",
        _ => "s.a",
    }
}

/// Stores 900 messages, of which some are deleted again; the sequences of the rest.
async fn fill(nats: &Nats, url: &str) -> Vec<u64> {
    let mut confirmations = Vec::new();
    for sequence in 1..=900 {
        let message = draft(subject_of(sequence)).body(sequence.to_string());
        confirmations.push(crate::support::send(nats, message).await.unwrap());
    }
    for confirmation in confirmations {
        within(confirmation).await.unwrap();
    }
    let gone = |sequence: &u64| *sequence == 500 || (600..650).contains(sequence);
    for sequence in (1..=900).filter(gone) {
        let request = format!("{{\"seq\":{sequence}}}");
        raw_call(url, "STREAM.MSG.DELETE.S", &request).await;
    }
    (1..=900).filter(|sequence| !gone(sequence)).collect()
}

/// Every question, compared with what the stream has.
async fn every_question(nats: &Nats, server: &Server) {
    let all = fill(nats, &server.url()).await;
    let filters: [&[&str]; 6] = [
        &["s.>"],
        &["s.a"],
        &["s.rare"],
        &["s.b.*"],
        &["s.rare", "s.b.x", "s.b.y"],
        &["s.none"],
    ];
    for filter in filters {
        let patterns: Vec<_> = filter.iter().map(|text| pattern(text)).collect();
        let matching: Vec<u64> = all
            .iter()
            .copied()
            .filter(|sequence| {
                let subject = event_sdk::Subject::parse(subject_of(*sequence)).unwrap();
                patterns.iter().any(|pattern| pattern.matches(&subject))
            })
            .collect();
        for order in ORDERS {
            for (from, limit) in [
                (HistoryStart::End, None),
                (HistoryStart::End, Some(0)),
                (HistoryStart::End, Some(1)),
                (HistoryStart::End, Some(260)),
                (HistoryStart::Sequence(1), None),
                (HistoryStart::Sequence(17), Some(2)),
                (HistoryStart::Sequence(500), Some(3)),
                (HistoryStart::Sequence(620), Some(40)),
                (HistoryStart::Sequence(900), None),
                (HistoryStart::Sequence(901), None),
            ] {
                let mut wanted = matching.clone();
                if let HistoryStart::Sequence(from) = from {
                    wanted.retain(|sequence| match order {
                        Order::OldestFirst => *sequence >= from,
                        Order::NewestFirst => *sequence <= from,
                    });
                }
                if order == Order::NewestFirst {
                    wanted.reverse();
                }
                wanted.truncate(limit.unwrap_or(usize::MAX));
                let mut question = request(filter, order);
                (question.from, question.limit) = (from, limit);
                let what = format!("{question:?}");
                assert_eq!(sequences(nats, question).await, wanted, "{what}");
            }
        }
    }
}

#[tokio::test]
async fn many_at_once_from_any_copy() {
    let rig = Rig::with_stream(|stream| stream).await;
    every_question(&rig.nats, &rig.server).await;
}

#[tokio::test]
async fn one_by_one_from_the_leader() {
    let rig = Rig::start().await;
    let config = r#"{"name":"S","subjects":["s.>"],"storage":"memory"}"#;
    raw_call(&rig.server.url(), "STREAM.CREATE.S", config).await;
    every_question(&rig.nats, &rig.server).await;
}

#[tokio::test]
async fn one_by_one_from_any_copy_of_the_oldest_server() {
    let program = programs::nats::oldest().unwrap();
    let server = Server::options().program(program).start().await.unwrap();
    let nats = Nats::connect(Nats::options(server.url())).await.unwrap();
    apply(&nats, &stream("S", "s.>", |stream| stream)).await;
    every_question(&nats, &server).await;
}

#[tokio::test]
async fn a_message_is_as_it_was_published() {
    let rig = Rig::with_stream(|stream| stream).await;
    let config = r#"{"name":"T","subjects":["t.>"],"storage":"memory"}"#;
    raw_call(&rig.server.url(), "STREAM.CREATE.T", config).await;
    for name in ["S", "T"] {
        let subject = format!("{}.a", name.to_ascii_lowercase());
        let message = draft(&subject)
            .id("the id")
            .body(vec![0, 159, 146, 150])
            .header("Empty", "")
            .header("Text", "Zürich – 東京: 🛫");
        publish(&rig.nats, message.clone()).await.unwrap();
        let mut found = Vec::new();
        for order in ORDERS {
            let mut request = request(&[">"], order);
            request.stream = name.into();
            let all = read(&rig.nats, request).await.unwrap();
            assert_eq!(all.len(), 1);
            found.extend(all);
        }
        for stored in &found {
            assert_eq!(stored.subject.as_str(), subject);
            assert_eq!(stored.headers, message.headers);
            assert!(matches!(&stored.body, Body::Encoded(body) if *body == message.body));
            assert_eq!(stored.stream, name);
            assert_eq!(stored.sequence, 1);
            assert_eq!(stored.stored_at, found[0].stored_at);
            let age = jiff::Timestamp::now().duration_since(stored.stored_at);
            assert!(age.unsigned_abs() < Duration::from_secs(60), "{age:?}");
        }
    }
}

#[tokio::test]
async fn it_begins_at_a_time() {
    let rig = Rig::with_stream(|stream| stream).await;
    for number in 0..40 {
        let subject = if number % 2 == 0 { "s.a" } else { "s.b" };
        publish(&rig.nats, draft(subject)).await.unwrap();
    }
    raw_call(&rig.server.url(), "STREAM.MSG.DELETE.S", r#"{"seq":20}"#).await;
    let all = read(&rig.nats, request(&["s.>"], Order::OldestFirst))
        .await
        .unwrap();
    let second = jiff::SignedDuration::from_secs(1);
    let (first, last) = (all[0].stored_at, all[38].stored_at);
    for time in [
        first - second,
        first,
        all[18].stored_at,
        all[19].stored_at,
        last,
        last + second,
    ] {
        for order in ORDERS {
            let mut wanted: Vec<u64> = all
                .iter()
                .filter(|message| match order {
                    Order::OldestFirst => message.stored_at >= time,
                    Order::NewestFirst => message.stored_at <= time,
                })
                .map(|message| message.sequence)
                .collect();
            if order == Order::NewestFirst {
                wanted.reverse();
            }
            let mut question = request(&["s.>"], order);
            question.from = HistoryStart::Time(time);
            assert_eq!(
                sequences(&rig.nats, question).await,
                wanted,
                "{time} {order:?}"
            );
        }
    }
}

#[tokio::test]
async fn what_comes_later_is_no_part_of_it() {
    let rig = Rig::with_stream(|stream| stream).await;
    for order in ORDERS {
        let before = crate::support::state(&rig.nats, "S").await.last_sequence;
        for _ in 0..10 {
            publish(&rig.nats, draft("s.a")).await.unwrap();
        }
        let history = within(rig.nats.read_history(request(&["s.>"], order)))
            .await
            .unwrap();
        for _ in 0..10 {
            publish(&rig.nats, draft("s.a")).await.unwrap();
        }
        let found: Vec<_> = within(history.try_collect()).await.unwrap();
        assert_eq!(found.len() as u64, before + 10);
    }
}

#[tokio::test]
async fn large_messages_come_in_several_answers() {
    let rig = Rig::with_stream(|stream| stream).await;
    for _ in 0..12 {
        publish(&rig.nats, draft("s.a").body(vec![b'x'; 900_000]))
            .await
            .unwrap();
    }
    for order in ORDERS {
        let found = read(&rig.nats, request(&["s.>"], order)).await.unwrap();
        assert_eq!(found.len(), 12);
    }
}

#[tokio::test]
async fn what_cannot_be_read_is_an_error() {
    let rig = Rig::with_stream(|stream| stream).await;
    let refused = async |request| read(&rig.nats, request).await.unwrap_err();
    let mut missing = request(&["s.>"], Order::OldestFirst);
    missing.stream = "MISSING".into();
    let error = refused(missing).await;
    assert_eq!(*error.kind(), ErrorKind::StreamNotFound, "{error}");
    assert_eq!(error.stream(), Some("MISSING"));
    let mut unnamed = request(&["s.>"], Order::OldestFirst);
    unnamed.stream = "S.\r\nPUB x".into();
    let error = refused(unnamed).await;
    assert_eq!(*error.kind(), ErrorKind::StreamNotFound, "{error}");
    let error = refused(request(&[], Order::OldestFirst)).await;
    assert_eq!(*error.kind(), ErrorKind::InvalidOption, "{error}");
    let error = refused(request(&["s.*", "s.a"], Order::OldestFirst)).await;
    assert_eq!(*error.kind(), ErrorKind::InvalidOption, "{error}");
    let error = refused(request(&["other.>"], Order::OldestFirst)).await;
    assert_eq!(*error.kind(), ErrorKind::InvalidSubject, "{error}");
}

#[tokio::test]
async fn without_management_calls_there_is_none() {
    let rig = Rig::with_stream(|stream| stream).await;
    let options = Nats::options(rig.server.url()).management(Management::Never);
    let nats = Nats::connect(options).await.unwrap();
    assert!(!nats.supports(Capability::History));
    let error = read(&nats, request(&["s.>"], Order::OldestFirst))
        .await
        .unwrap_err();
    assert_eq!(
        *error.kind(),
        ErrorKind::Unsupported(Capability::History),
        "{error}"
    );
}

#[tokio::test]
async fn closing_ends_it() {
    let rig = Rig::with_stream(|stream| stream).await;
    for _ in 0..3 {
        publish(&rig.nats, draft("s.a")).await.unwrap();
    }
    let mut history = within(rig.nats.read_history(request(&["s.>"], Order::OldestFirst)))
        .await
        .unwrap();
    within(rig.nats.close()).await.unwrap();
    let mut last = None;
    while let Some(item) = within(history.next()).await {
        last = Some(item);
    }
    let error = last.unwrap().unwrap_err();
    assert_eq!(*error.kind(), ErrorKind::Closed, "{error}");
}
