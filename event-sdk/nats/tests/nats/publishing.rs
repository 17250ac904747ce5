//! Publishing: storage, order and refusals.

use std::time::Duration;

use event_sdk::stream::Discard;
use event_sdk::transport::nats::Nats;
use event_sdk::transport::{Capability, ErrorKind, MessageId, Outcome, Transport};
use event_sdk_test_servers::Server;
use futures_util::StreamExt;
use futures_util::future::join_all;

use crate::support::{
    Rig, apply, begin, draft, eventually, publish, refused, send, state, stream, within,
};

fn wrong(error: &event_sdk::transport::Error) -> Option<u64> {
    match *error.kind() {
        ErrorKind::WrongLastSequence { last } => last,
        ref other => panic!("{error} is {other:?}"),
    }
}

#[tokio::test]
async fn it_is_stored_with_stream_and_sequence() {
    let rig = Rig::with_stream(|stream| stream).await;
    for sequence in 1..=3 {
        let stored = publish(&rig.nats, draft("s.a")).await.unwrap();
        assert_eq!(stored.stream.as_deref(), Some("S"));
        assert_eq!(stored.sequence, Some(sequence));
        assert!(!stored.duplicate);
    }
    assert_eq!(state(&rig.nats, "S").await.messages, 3);
}

#[tokio::test]
async fn a_subject_of_no_stream_is_refused_by_name() {
    let rig = Rig::with_stream(|stream| stream).await;
    let error = refused(&rig.nats, draft("nobody.stores.this")).await;
    assert_eq!(*error.kind(), ErrorKind::NoStream, "{error}");
    assert_eq!(error.outcome(), Outcome::NotDone);
    assert_eq!(error.subject(), Some("nobody.stores.this"));
}

#[tokio::test]
async fn the_same_id_is_stored_once() {
    let rig = Rig::with_stream(|stream| stream).await;
    let first = publish(&rig.nats, draft("s.a").id("one")).await.unwrap();
    publish(&rig.nats, draft("s.a").id("two")).await.unwrap();
    let again = publish(&rig.nats, draft("s.b").id("one")).await.unwrap();
    assert!(again.duplicate);
    assert_eq!(again.sequence, first.sequence);
    assert_eq!(state(&rig.nats, "S").await.messages, 2);
}

#[tokio::test]
async fn expectations_hold_or_refuse() {
    let rig = Rig::with_stream(|stream| stream).await;
    let nats = &rig.nats;
    publish(nats, draft("s.a").expect(|e| e.last_sequence = Some(0)))
        .await
        .unwrap();
    let error = refused(nats, draft("s.a").expect(|e| e.last_sequence = Some(0))).await;
    assert_eq!(wrong(&error), Some(1));
    assert_eq!(error.stream(), Some("S"));
    assert_eq!(error.subject(), Some("s.a"));
    publish(
        nats,
        draft("s.b").expect(|e| e.last_subject_sequence = Some(0)),
    )
    .await
    .unwrap();
    let error = refused(
        nats,
        draft("s.b").expect(|e| e.last_subject_sequence = Some(1)),
    )
    .await;
    assert_eq!(wrong(&error), Some(2));
    assert_eq!(state(nats, "S").await.messages, 2);
}

#[tokio::test]
async fn an_entity_is_expected_over_its_pattern() {
    let rig = Rig::with_stream(|stream| stream).await;
    let nats = &rig.nats;
    let expecting = |subject: &str, last| {
        draft(subject).expect(|e| {
            e.last_pattern_sequence = Some((crate::support::pattern("s.order.*.7"), last));
        })
    };
    publish(nats, expecting("s.order.placed.7", 0))
        .await
        .unwrap();
    publish(nats, draft("s.order.placed.8")).await.unwrap();
    let error = refused(nats, expecting("s.order.paid.7", 0)).await;
    assert_eq!(wrong(&error), Some(1));
    publish(nats, expecting("s.order.paid.7", 1)).await.unwrap();
    let both = expecting("s.order.paid.7", 3).expect(|e| e.last_subject_sequence = Some(3));
    let error = refused(nats, both).await;
    assert_eq!(
        *error.kind(),
        ErrorKind::Unsupported(Capability::ExpectPattern),
        "{error}"
    );
}

#[tokio::test]
async fn our_own_message_that_moved_the_sequence_on_is_a_duplicate() {
    let rig = Rig::with_stream(|stream| stream).await;
    let nats = &rig.nats;
    let pattern = || crate::support::pattern("s.e.*");
    for (number, first) in [
        draft("s.a").expect(|e| e.last_sequence = Some(0)),
        draft("s.b").expect(|e| e.last_subject_sequence = Some(0)),
        draft("s.e.x").expect(|e| e.last_pattern_sequence = Some((pattern(), 0))),
    ]
    .into_iter()
    .enumerate()
    {
        let first = first.id(&format!("id {number}"));
        let stored = publish(nats, first.clone()).await.unwrap();
        assert!(!stored.duplicate);
        let again = publish(nats, first.clone()).await.unwrap();
        assert!(again.duplicate, "{number}");
        assert_eq!(again.sequence, stored.sequence);
        // Somebody else's is the last now: that is no duplicate, whatever was.
        let mut other = first;
        other.message_id = Some(MessageId::Text(format!("other {number}").into()));
        assert_eq!(wrong(&refused(nats, other).await), stored.sequence);
    }
    assert_eq!(state(nats, "S").await.messages, 3);
}

#[tokio::test]
async fn the_order_of_calls_is_kept_whoever_waits_for_the_answers() {
    let server = Server::options().start().await.unwrap();
    let options = Nats::options(server.url()).max_in_flight(7);
    let nats = Nats::connect(options).await.unwrap();
    apply(&nats, &stream("S", "s.>", |stream| stream)).await;
    let mut kept = Vec::new();
    for number in 0..500_u64 {
        let answer = begin(&nats, draft("s.a").body(number.to_string()));
        // One in three is dropped at once, the others wait in another order.
        if number % 3 != 0 {
            kept.push((number, answer));
        }
    }
    kept.reverse();
    let confirmed = kept.into_iter().map(|(number, answer)| async move {
        let confirmation = within(answer).await.unwrap();
        (number, within(confirmation).await.unwrap().sequence)
    });
    for (number, sequence) in join_all(confirmed).await {
        assert_eq!(sequence, Some(number + 1));
    }
    assert_eq!(state(&nats, "S").await.messages, 500);
}

#[tokio::test]
async fn a_limit_of_one_in_flight_still_gets_on() {
    let server = Server::options().start().await.unwrap();
    let options = Nats::options(server.url()).max_in_flight(1);
    let nats = Nats::connect(options).await.unwrap();
    apply(&nats, &stream("S", "s.>", |stream| stream)).await;
    let mut confirmations = Vec::new();
    for _ in 0..20 {
        confirmations.push(send(&nats, draft("s.a")).await.unwrap());
    }
    for (sequence, confirmation) in (1..).zip(confirmations) {
        assert_eq!(within(confirmation).await.unwrap().sequence, Some(sequence));
    }
}

#[tokio::test]
async fn a_full_stream_refuses() {
    let rig = Rig::with_stream(|stream| stream.max_messages(2).when_full(Discard::New)).await;
    for _ in 0..2 {
        publish(&rig.nats, draft("s.a")).await.unwrap();
    }
    let error = refused(&rig.nats, draft("s.a")).await;
    assert_eq!(*error.kind(), ErrorKind::StreamFull, "{error}");
    assert_eq!(error.outcome(), Outcome::NotDone);
    assert_eq!(error.stream(), Some("S"));
}

#[tokio::test]
async fn what_is_too_large_is_refused_with_size_and_limit() {
    let server = Server::options()
        .max_payload(100_000)
        .start()
        .await
        .unwrap();
    let nats = Nats::connect(Nats::options(server.url())).await.unwrap();
    apply(
        &nats,
        &stream("S", "s.>", |stream| stream.max_message_size(2000)),
    )
    .await;
    let too_large = |size, limit| ErrorKind::TooLarge { size, limit };
    assert_eq!(nats.capabilities().max_payload(), 100_000);
    let error = refused(&nats, draft("s.a").body(vec![b' '; 100_001])).await;
    assert_eq!(*error.kind(), too_large(100_001, 100_000), "{error}");
    // `NATS/1.0`, `N: v`, and an empty line, each with its end.
    let with_header = draft("s.a").body(vec![b' '; 100_000]).header("N", "v");
    let error = refused(&nats, with_header).await;
    assert_eq!(*error.kind(), too_large(100_018, 100_000), "{error}");
    let error = refused(&nats, draft("s.a").body(vec![b' '; 2001])).await;
    assert_eq!(*error.kind(), too_large(2001, 2000), "{error}");
    assert_eq!(error.stream(), Some("S"));
    // The connection has not suffered.
    publish(&nats, draft("s.a").body(vec![b' '; 2000]))
        .await
        .unwrap();
}

#[tokio::test]
async fn too_many_headers_are_refused() {
    let rig = Rig::with_stream(|stream| stream).await;
    let mut large = draft("s.a");
    for number in 0..17 {
        large = large.header(&format!("H{number}"), &"v".repeat(4000));
    }
    let error = refused(&rig.nats, large).await;
    assert_eq!(*error.kind(), ErrorKind::InvalidHeader, "{error}");
}

#[tokio::test]
async fn a_dropped_confirmation_takes_nothing_back_and_no_room() {
    let server = Server::options().start().await.unwrap();
    let options = Nats::options(server.url()).max_in_flight(4);
    let nats = Nats::connect(options).await.unwrap();
    apply(&nats, &stream("S", "s.>", |stream| stream)).await;
    for _ in 0..50 {
        drop(send(&nats, draft("s.a")).await.unwrap());
    }
    let last = publish(&nats, draft("s.a")).await.unwrap();
    assert_eq!(last.sequence, Some(51));
}

#[tokio::test]
async fn a_service_that_answers_is_no_stream() {
    let rig = Rig::start().await;
    let client = async_nats::connect(rig.server.url()).await.unwrap();
    let mut service = client.subscribe("echo").await.unwrap();
    let serving = tokio::spawn(async move {
        while let Some(request) = service.next().await {
            let reply = request.reply.unwrap();
            client.publish(reply, request.payload).await.unwrap();
        }
    });
    for answer in [
        "hello",
        "{}",
        r#"{"ok":true}"#,
        r#"{"seq":1}"#,
        "null",
        "[]",
    ] {
        // Until its subscription is there, nobody answers.
        let error = eventually("the service", async || {
            let error = refused(&rig.nats, draft("echo").body(answer)).await;
            (*error.kind() != ErrorKind::NoStream).then_some(error)
        })
        .await;
        assert_eq!(*error.kind(), ErrorKind::Other, "{answer}: {error}");
        assert_eq!(error.outcome(), Outcome::Unknown, "{answer}");
    }
    serving.abort();
}

#[tokio::test]
async fn after_closing_nothing_is_published() {
    let rig = Rig::with_stream(|stream| stream).await;
    let confirmation = send(&rig.nats, draft("s.a")).await.unwrap();
    let stored = within(confirmation).await.unwrap();
    assert_eq!(stored.sequence, Some(1));
    within(rig.nats.close()).await.unwrap();
    let error = refused(&rig.nats, draft("s.a")).await;
    assert_eq!(*error.kind(), ErrorKind::Closed, "{error}");
    within(rig.nats.close()).await.unwrap();
}

#[tokio::test]
async fn what_was_handed_over_is_written_before_closing() {
    let rig = Rig::with_stream(|stream| stream).await;
    for _ in 0..100 {
        drop(send(&rig.nats, draft("s.a")).await.unwrap());
    }
    within(rig.nats.close()).await.unwrap();
    let other = Nats::connect(Nats::options(rig.server.url()))
        .await
        .unwrap();
    eventually("all messages", async || {
        (state(&other, "S").await.messages == 100).then_some(())
    })
    .await;
}

#[tokio::test]
async fn what_was_handed_over_is_written_when_the_last_handle_goes() {
    let rig = Rig::with_stream(|stream| stream).await;
    for _ in 0..100 {
        drop(send(&rig.nats, draft("s.a")).await.unwrap());
    }
    let server = rig.server;
    drop(rig.nats);
    let other = Nats::connect(Nats::options(server.url())).await.unwrap();
    eventually("all messages", async || {
        (state(&other, "S").await.messages == 100).then_some(())
    })
    .await;
}

#[tokio::test]
async fn no_ack_in_time_leaves_the_outcome_open() {
    let mut server = Server::options().start().await.unwrap();
    let options = Nats::options(server.url())
        .ack_timeout(Duration::from_millis(300))
        .max_in_flight(1);
    let nats = Nats::connect(options).await.unwrap();
    apply(&nats, &stream("S", "s.>", |stream| stream)).await;
    server.pause().unwrap();
    let waiting = send(&nats, draft("s.a")).await.unwrap();
    let queued = begin(&nats, draft("s.a"));
    let error = within(waiting).await.unwrap_err();
    assert_eq!(*error.kind(), ErrorKind::Timeout, "{error}");
    assert_eq!(error.outcome(), Outcome::Unknown);
    assert_eq!(error.subject(), Some("s.a"));
    // The room is free for what has waited.
    let handed_over = within(queued).await.unwrap();
    server.resume().unwrap();
    drop(handed_over);
    eventually("both messages", async || {
        (state(&nats, "S").await.messages == 2).then_some(())
    })
    .await;
}

#[tokio::test]
async fn the_ack_timeout_begins_when_a_message_is_sent() {
    let server = Server::options().start().await.unwrap();
    let options = Nats::options(server.url()).ack_timeout(Duration::from_secs(2));
    let nats = Nats::connect(options).await.unwrap();
    apply(&nats, &stream("S", "s.>", |stream| stream)).await;
    // Over several of the moments when it is looked for what has waited too long.
    let begun = std::time::Instant::now();
    while begun.elapsed() < Duration::from_secs(6) {
        let publishes = (0..64).map(|_| publish(&nats, draft("s.a")));
        for result in join_all(publishes).await {
            result.unwrap();
        }
    }
}

#[tokio::test]
async fn a_runtime_that_was_held_up_has_not_used_up_the_time_of_what_comes_after() {
    let server = Server::options().start().await.unwrap();
    let options = Nats::options(server.url()).ack_timeout(Duration::from_secs(5));
    let nats = Nats::connect(options).await.unwrap();
    apply(&nats, &stream("S", "s.>", |stream| stream)).await;
    publish(&nats, draft("s.a")).await.unwrap();
    // A handler that computes, and gives no other task a turn.
    std::thread::sleep(Duration::from_secs(6));
    publish(&nats, draft("s.a")).await.unwrap();
}
