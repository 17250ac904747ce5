//! Stores: a letter is stored once and comes back as it was; odd subjects; what a start checks.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use event_sdk::dead_letters::{
    DeadLetter, DeadLetterClass, DeadLetterStream, DeadLetters, MemoryDeadLetters, Origin,
};
use event_sdk::stream::{Retention, StreamSpec};
use event_sdk::{ErrorKind, EventBus};
use event_sdk_test_servers::Server;

use crate::rig::{
    PLANTED, body, builder, buses, bytes, connect, letter, put, stored, time, within,
};

#[tokio::test]
async fn a_letter_is_stored_once_and_comes_back_as_it_was() {
    let (_server, buses) = buses().await;
    for bus in buses {
        let mut letter = letter(7);
        letter.headers.insert("traceparent", "00-x").unwrap();
        letter.headers.insert("Nats-Msg-Id", "7").unwrap();
        letter
            .headers
            .insert("nats-expected-stream", "ORDERS")
            .unwrap();
        letter
            .headers
            .insert("Dead-Letter-Class", "forged")
            .unwrap();
        letter.errors = vec!["a; b".to_owned(), "50% größer ".to_owned()];
        letter.key = Some(" a;b\n%41".to_owned());
        for _ in 0..3 {
            put(&bus, &letter).await;
        }
        let messages = stored(&bus, "DLQ", "dlq.>").await;
        let [message] = &*messages else {
            panic!("{messages:?}");
        };
        let id = letter.event_id.unwrap();
        assert_eq!(
            message.subject.as_str(),
            format!("dlq.billing.orders.order.placed.{id}.0")
        );
        assert_eq!(bytes(message), &letter.body);
        assert_eq!(message.headers.get("Nats-Msg-Id"), None);
        assert_eq!(message.headers.get("Nats-Expected-Stream"), None);
        assert_eq!(message.headers.get("traceparent"), Some("00-x"));
        let queue = bus.dead_letters("DLQ");
        let queued = within("a letter", queue.show(message.sequence))
            .await
            .unwrap()
            .unwrap();
        for name in ["Nats-Msg-Id", "Nats-Expected-Stream", "Dead-Letter-Class"] {
            letter.headers.remove(name);
        }
        assert_eq!(queued.letter, letter);
        assert!(!format!("{queued:?}").contains(PLANTED), "{queued:?}");
    }
}

/// Each letter has a subject that the server accepts, and none takes the place of another.
#[tokio::test]
async fn odd_letters_have_subjects_of_their_own() {
    let (_server, buses) = buses().await;
    let long = vec!["token"; 100].join(".");
    let origins = [
        Origin::new("LEGACY", 1, "legacy.tx.created", "events"),
        Origin::new("LEGACY", 2, "größe.東京", "events"),
        Origin::new("LEGACY", 3, "a b\u{a0}c", "events"),
        Origin::new("LEGACY", 4, "$JS.API.x", "events"),
        Origin::new("LEGACY", 5, "orders.*.>", "events"),
        Origin::new("LEGACY", 6, long.as_str(), "events"),
        Origin::new("LEGACY", 7, "", "events"),
        Origin::new("LEGACY", 7, "a..b", "events"),
        Origin::new("ORDERS", 7, "events.orders.order.placed", "events"),
        Origin::new("ORDERS", 8, "events.events.x.y", "events"),
    ];
    for bus in buses {
        let mut letters = Vec::new();
        for origin in &origins {
            let class = DeadLetterClass::Unreadable;
            let body = Bytes::from_static(b"\xff\0 no JSON");
            let letter = DeadLetter::new("n".repeat(255), origin.clone(), class, time(0), body);
            put(&bus, &letter).await;
            letters.push(letter);
        }
        let messages = stored(&bus, "DLQ", "dlq.>").await;
        let queue = bus.dead_letters("DLQ");
        let mut read = Vec::new();
        for message in &messages {
            assert!(message.subject.as_str().len() <= 640);
            let shown = within("a letter", queue.show(message.sequence)).await;
            read.push(shown.unwrap().unwrap().letter);
        }
        assert_eq!(read, letters);
    }
}

/// An id is given by the publisher: two events may have the same one, in error or on purpose.
#[tokio::test]
async fn another_event_with_the_same_id_is_not_lost() {
    let (_server, buses) = buses().await;
    for bus in buses {
        let one = letter(1);
        let mut other = letter(1);
        other.body = body(one.event_id.unwrap(), 2);
        for letter in [&one, &other, &other, &one] {
            put(&bus, letter).await;
        }
        let messages = stored(&bus, "DLQ", "dlq.>").await;
        let bodies: Vec<_> = messages.iter().map(bytes).collect();
        assert_eq!(bodies, [&one.body, &other.body]);
    }
}

#[tokio::test]
async fn an_event_above_the_limit_of_the_bus_becomes_a_letter() {
    let bus = builder().max_payload(100).memory().unwrap();
    let letter = letter(1);
    assert!(letter.body.len() > 100);
    put(&bus, &letter).await;
    assert_eq!(bytes(&stored(&bus, "DLQ", "dlq.>").await[0]), &letter.body);
}

#[tokio::test]
async fn a_start_without_the_streams_is_refused_with_what_to_do() {
    let place = DeadLetterStream::new("DLQ");
    let orders = || EventBus::builder().stream(StreamSpec::new("ORDERS").subject("orders.>"));
    let narrow = StreamSpec::new("DLQ").absolute("dlq.shipping.>");
    let queue = place.spec().retention(Retention::WorkQueue);
    let cases = [
        (orders(), ErrorKind::StreamNotFound, "does not exist"),
        (
            orders().stream(place.spec()),
            ErrorKind::StreamNotFound,
            "retry stream",
        ),
        (
            orders().stream(narrow).stream(place.retry_spec()),
            ErrorKind::InvalidOption,
            "does not store `dlq.billing.>`",
        ),
        (
            orders().stream(queue).stream(place.retry_spec()),
            ErrorKind::InvalidOption,
            "drops messages that are acknowledged",
        ),
    ];
    let letters = DeadLetters::stream("DLQ");
    for (builder, kind, reason) in cases {
        let server = Server::start().await.unwrap();
        let nats = connect(&server, builder).await;
        within("the streams", nats.apply_streams()).await.unwrap();
        let verified = within("a check", letters.open(&nats).verify("billing")).await;
        let error = verified.unwrap_err();
        assert_eq!(*error.kind(), kind, "{error}");
        let shown = error.to_string();
        assert!(
            shown.contains(reason) && shown.contains("`apply`"),
            "{shown}"
        );
    }
    let error = letters.open(&EventBus::memory()).verify("billing").await;
    let error = error.unwrap_err().to_string();
    assert!(error.contains("DeadLetterStream::new(\"DLQ\")"), "{error}");

    let (_server, buses) = buses().await;
    for bus in buses {
        let verified = letters.open(&bus).verify("billing");
        within("a check", verified).await.unwrap();
    }
}

/// The default stream of a memory bus stores every subject.
#[tokio::test]
async fn a_letter_in_another_stream_is_an_error() {
    let bus = EventBus::memory();
    let store = DeadLetters::stream("DLQ").open(&bus);
    let error = store.put(&letter(1)).await.unwrap_err();
    assert_eq!(*error.kind(), ErrorKind::StreamNotFound, "{error}");
    assert!(store.put(&letter(1)).await.is_err());
}

#[tokio::test]
async fn several_deployments_share_a_server() {
    let place = |name: &str| {
        DeadLetterStream::new(format!("DLQ_{name}"))
            .retry(format!("AGAIN_{name}"))
            .under(name)
    };
    let server = Server::start().await.unwrap();
    for name in ["prod", "test"] {
        let place = place(name);
        let builder = EventBus::builder()
            .stream(place.spec())
            .stream(place.retry_spec());
        let bus = connect(&server, builder).await;
        within("the streams", bus.apply_streams()).await.unwrap();
        let store = DeadLetters::stream(place.clone()).open(&bus);
        within("a check", store.verify("billing")).await.unwrap();
        within("a letter", store.put(&letter(1))).await.unwrap();
        let queue = bus.dead_letters(place.clone());
        let all = event_sdk::dead_letters::LetterFilter::open();
        let report = within("a redrive", queue.redrive(all.clone()))
            .await
            .unwrap();
        assert_eq!(report.redriven, [1]);
        let again = format!("{name}.retry.billing.>");
        assert_eq!(place.retry_filter("billing").unwrap().as_str(), again);
        assert_eq!(stored(&bus, place.retry_name(), &again).await.len(), 1);
        assert_eq!(queue.count(&all).await.unwrap(), 0);
    }
}

#[tokio::test]
async fn memory_keeps_a_letter_once() {
    let letters = MemoryDeadLetters::new();
    let store = DeadLetters::memory(&letters).open(&EventBus::memory());
    store.verify("billing").await.unwrap();
    for number in [1, 2, 1] {
        store.put(&letter(number)).await.unwrap();
    }
    let mut again = letter(1);
    again.redrive = 1;
    store.put(&again).await.unwrap();
    assert_eq!(letters.letters(), [letter(1), letter(2), again]);
    assert!(!format!("{store:?}").contains(PLANTED));
}

#[tokio::test]
async fn a_closure_gets_the_letter_and_its_failure_is_an_error() {
    let taken = Arc::new(Mutex::new(Vec::new()));
    let into = Arc::clone(&taken);
    let letters = DeadLetters::with(move |letter: DeadLetter| {
        let into = Arc::clone(&into);
        async move {
            if letter.origin.sequence == 2 {
                return Err(std::io::Error::other("disk full"));
            }
            into.lock().unwrap().push(letter);
            Ok(())
        }
    });
    let store = letters.open(&EventBus::memory());
    store.put(&letter(1)).await.unwrap();
    let error = store.put(&letter(2)).await.unwrap_err();
    assert!(error.to_string().contains("closure"), "{error}");
    assert_eq!(*taken.lock().unwrap(), [letter(1)]);
}

/// A closure that panics, or whose future does, is a store that is unavailable: the caller goes on.
#[tokio::test]
async fn a_closure_that_panics_is_an_error_without_its_text() {
    for at_once in [true, false] {
        let letters = DeadLetters::with(move |_: DeadLetter| {
            assert!(!at_once, "{PLANTED}");
            async { panic!("{PLANTED}") as Result<(), std::io::Error> }
        });
        let store = letters.open(&EventBus::memory());
        let error = store.put(&letter(1)).await.unwrap_err();
        assert_eq!(*error.kind(), ErrorKind::Other, "{error}");
        let text = format!("{error} {error:?}");
        assert!(text.contains("panicked"), "{text}");
        assert!(!text.contains(PLANTED), "{text}");
    }
}
