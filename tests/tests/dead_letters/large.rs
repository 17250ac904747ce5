//! Events that are as large as the server allows, or larger than it allows now: their letters have
//! several parts.

use bytes::Bytes;
use event_sdk::dead_letters::{DeadKey, LetterFilter, Page};
use event_sdk::headers::Headers;
use event_sdk::transport::{Body, Deletion, PublishRequest, TransportExt as _};
use event_sdk::{EventBus, Subject};
use event_sdk_test_servers::Server;

use crate::rig::{builder, bytes, connect, letter, put, stored, within};

const LIMIT: usize = 20_000;

/// Memory and a server that take messages up to the limit.
async fn buses() -> (Server, [EventBus; 2]) {
    let server = Server::options().max_payload(LIMIT).start().await.unwrap();
    let nats = connect(&server, builder()).await;
    within("the streams", nats.apply_streams()).await.unwrap();
    let memory = builder().memory_with(|memory| memory.max_payload(LIMIT));
    (server, [memory.unwrap(), nats])
}

/// A body with the most bytes that an event without headers can have.
fn largest(of: u8) -> Bytes {
    vec![of; LIMIT].into()
}

#[tokio::test]
async fn the_letter_of_the_largest_event_has_two_parts() {
    let (_server, buses) = buses().await;
    for bus in buses {
        let subject = Subject::parse("events.orders.order.placed").unwrap();
        let event = PublishRequest::new(&subject, Body::Encoded(largest(b'x')));
        let published = async { bus.transport().publish(event).await?.await };
        within("a publish", published).await.unwrap();

        let mut letter = letter(1);
        letter.body = largest(b'x');
        for _ in 0..3 {
            put(&bus, &letter).await;
        }
        let parts = stored(&bus, "DLQ", "dlq.>").await;
        assert_eq!(parts.len(), 2);
        assert!(
            parts[0]
                .subject
                .as_str()
                .starts_with("dlq.=rest.billing.orders.")
        );
        assert_eq!(bytes(&parts[0]).len() + bytes(&parts[1]).len(), LIMIT);
        let length = parts[1].headers.get("Dead-Letter-Body-Length");
        assert_eq!(length, Some("20000"));

        // Another one with the same id.
        letter.body = largest(b'y');
        for _ in 0..2 {
            put(&bus, &letter).await;
        }
        let queue = bus.dead_letters("DLQ");
        let open = LetterFilter::open();
        let list = within("a list", queue.list(&open, Page::ALL))
            .await
            .unwrap();
        assert_eq!(list.len(), 2);
        for (summary, of) in list.iter().zip([b'x', b'y']) {
            assert_eq!(summary.body_len, LIMIT);
            let shown = within("a letter", queue.show(summary.id)).await.unwrap();
            assert_eq!(shown.unwrap().letter.body, largest(of));
        }
        // The retry stream has the same limit: nothing is sent, and nothing is hidden.
        let report = within("a redrive", queue.redrive(open)).await.unwrap();
        let failed: Vec<_> = report.failed.iter().map(|(id, _)| *id).collect();
        assert_eq!(failed, [list[0].id, list[1].id]);
        assert_eq!(stored(&bus, "DLQ_RETRY", "retry.>").await.len(), 0);

        let park = queue.park("billing");
        letter.key = Some("a".to_owned());
        for _ in 0..2 {
            within("an append", park.append(&letter)).await.unwrap();
        }
        let key = DeadKey::of(&letter).unwrap();
        let events = within("events", park.events(&key)).await.unwrap();
        assert_eq!(events.len(), 1);
        let loaded = within("an event", park.load(&events[0])).await.unwrap();
        assert_eq!(loaded.unwrap().body, largest(b'y'));
    }
}

/// Headers of this many bytes on the wire (16 lines), with the first line and the empty one.
fn headers(size: usize) -> Headers {
    let mut headers = Headers::new();
    let lines = 16;
    let all = size - 12;
    for line in 0..lines {
        let until = |line: usize| all * line / lines;
        let name = format!("Own-{line:02}");
        let value = until(line + 1) - until(line) - name.len() - 4;
        headers.insert(name, "v".repeat(value)).unwrap();
    }
    headers
}

/// The headers of an event may fill a message alone, by the limit of the server or by that of all
/// headers: 65,535 bytes.
#[tokio::test]
async fn a_letter_whose_headers_leave_no_room_has_them_in_its_parts() {
    for (limit, size) in [(LIMIT, LIMIT), (LIMIT, LIMIT - 30), (1 << 20, 65_535)] {
        let server = Server::options().max_payload(limit).start().await.unwrap();
        let nats = connect(&server, builder()).await;
        within("the streams", nats.apply_streams()).await.unwrap();
        let memory = builder().memory_with(|memory| memory.max_payload(limit));
        for bus in [memory.unwrap(), nats] {
            for (number, body) in [(1, LIMIT - size.min(LIMIT)), (2, 0)] {
                let mut letter = letter(number);
                letter.headers = headers(size);
                letter.body = vec![b'b'; body].into();
                letter.sequenced = number == 2;
                let subject = Subject::parse("events.orders.order.placed").unwrap();
                let body = Body::Encoded(letter.body.clone());
                let mut event = PublishRequest::new(&subject, body);
                event.headers = letter.headers.clone();
                let published = async { bus.transport().publish(event).await?.await };
                within("a publish", published).await.unwrap();

                for _ in 0..3 {
                    put(&bus, &letter).await;
                }
                let queue = bus.dead_letters("DLQ");
                let filter = LetterFilter::all();
                let list = within("a list", queue.list(&filter, Page::ALL)).await;
                let list = list.unwrap();
                assert_eq!(list.len(), usize::try_from(number).unwrap());
                let newest = &list[list.len() - 1];
                assert_eq!(newest.body_len, letter.body.len());
                let shown = within("a letter", queue.show(newest.id)).await.unwrap();
                assert_eq!(shown.unwrap().letter, letter);

                let park = queue.park("invoices");
                within("an append", park.append(&letter)).await.unwrap();
                let key = DeadKey::of(&letter).unwrap();
                let events = within("events", park.events(&key)).await.unwrap();
                assert_eq!(events.len(), 1);
                let loaded = within("an event", park.load(&events[0])).await.unwrap();
                assert_eq!(loaded.unwrap().headers, letter.headers);
            }
        }
    }
}

/// A writer that was killed before the first part, under another limit, has left a second part.
#[tokio::test]
async fn a_second_part_that_was_left_behind_does_not_stand_in_the_way() {
    let bus = || builder().memory_with(|memory| memory.max_payload(LIMIT));
    let mut letter = letter(1);
    letter.body = largest(b'x');
    let first = bus().unwrap();
    put(&first, &letter).await;
    let park = first.dead_letters("DLQ").park("billing");
    park.append(&letter).await.unwrap();
    let rests = stored(&first, "DLQ", "dlq.=rest.>").await;
    assert_eq!(rests.len(), 2);

    let bus = bus().unwrap();
    for rest in &rests {
        let left = PublishRequest::new(&rest.subject, Body::Encoded("left".into()));
        bus.transport().publish(left).await.unwrap().await.unwrap();
    }
    let queue = bus.dead_letters("DLQ");
    let park = queue.park("billing");
    for _ in 0..3 {
        put(&bus, &letter).await;
        park.append(&letter).await.unwrap();
    }
    let list = queue.list(&LetterFilter::open(), Page::ALL).await.unwrap();
    assert_eq!(list.len(), 1);
    let shown = queue.show(list[0].id).await.unwrap().unwrap();
    assert_eq!(shown.letter.body, letter.body);
    let events = park.events(&DeadKey::of(&letter).unwrap()).await.unwrap();
    assert_eq!(events.len(), 1);
    let loaded = park.load(&events[0]).await.unwrap().unwrap();
    assert_eq!(loaded.body, letter.body);
    assert_eq!(stored(&bus, "DLQ", "dlq.>").await.len(), 6);
}

/// The limit of the server was lowered after the event was stored: its letter has as many parts as
/// fit, and one that was left behind is used again.
#[tokio::test]
async fn a_letter_that_is_many_times_the_limit_has_many_parts() {
    const LOWER: usize = 4_000;
    let server = Server::options().max_payload(LOWER).start().await.unwrap();
    let nats = connect(&server, builder()).await;
    within("the streams", nats.apply_streams()).await.unwrap();
    let memory = builder().memory_with(|memory| memory.max_payload(LOWER));
    for bus in [memory.unwrap(), nats] {
        let queue = bus.dead_letters("DLQ");
        let body: Vec<u8> = (0..=250).cycle().take(LIMIT).collect();
        for (number, headers) in [(1, Headers::new()), (2, headers(4 * LOWER))] {
            let mut letter = letter(number);
            letter.body = body.clone().into();
            letter.headers = headers;
            for _ in 0..3 {
                put(&bus, &letter).await;
            }
            let park = queue.park("billing");
            within("an append", park.append(&letter)).await.unwrap();
            let list = within("a list", queue.list(&LetterFilter::all(), Page::ALL)).await;
            let newest = list.unwrap().pop().unwrap();
            assert_eq!(newest.body_len, LIMIT);
            let shown = within("a letter", queue.show(newest.id)).await.unwrap();
            assert_eq!(shown.unwrap().letter, letter);
            let key = DeadKey::of(&letter).unwrap();
            let events = within("events", park.events(&key)).await.unwrap();
            let loaded = within("an event", park.load(&events[0])).await.unwrap();
            assert_eq!(loaded.unwrap().body, letter.body);
        }
        let parts = stored(&bus, "DLQ", "dlq.=rest.billing.>").await.len();
        let least = LIMIT / LOWER;
        assert!((2 * least..4 * 2 * least).contains(&parts), "{parts} parts");
        // A part that is gone is noticed.
        let first = stored(&bus, "DLQ", "dlq.=rest.billing.>").await.remove(0);
        let deleted = bus.transport();
        let deleted = deleted.delete_message("DLQ", first.sequence, Deletion::Remove);
        assert!(within("a deletion", deleted).await.unwrap());
        let list = within("a list", queue.list(&LetterFilter::all(), Page::ALL)).await;
        let error = within("a letter", queue.show(list.unwrap()[0].id)).await;
        assert!(error.unwrap_err().to_string().contains("part"));
        // A purge deletes all parts of a letter.
        let all = LetterFilter::all();
        let report = queue.purge(&all, Deletion::Remove);
        assert_eq!(within("a purge", report).await.unwrap().purged.len(), 2);
        let rests = stored(&bus, "DLQ", "dlq.=rest.billing.>").await;
        let parked = stored(&bus, "DLQ", "dlq.=park.billing.>").await;
        let named: usize = parked
            .iter()
            .map(|it| {
                it.headers
                    .get("Dead-Letter-Rest")
                    .unwrap()
                    .split(',')
                    .count()
            })
            .sum();
        assert!(named > 0 && rests.len() <= named, "{named} {}", rests.len());
    }
}

/// A writer that was killed between the parts is repeated, and uses the parts that it has left.
#[tokio::test]
async fn parts_that_were_left_behind_are_used_again() {
    const LOWER: usize = 4_000;
    let bus = || {
        builder()
            .memory_with(|memory| memory.max_payload(LOWER))
            .unwrap()
    };
    let mut letter = letter(1);
    letter.body = (0..=250).cycle().take(LIMIT).collect::<Vec<_>>().into();
    let first = bus();
    put(&first, &letter).await;
    let all = stored(&first, "DLQ", "dlq.>").await;
    let rests = stored(&first, "DLQ", "dlq.=rest.>").await;
    for killed_after in 0..=rests.len() {
        let bus = bus();
        for rest in &rests[..killed_after] {
            let left = PublishRequest::new(&rest.subject, rest.body.clone());
            bus.transport().publish(left).await.unwrap().await.unwrap();
        }
        put(&bus, &letter).await;
        assert_eq!(stored(&bus, "DLQ", "dlq.>").await.len(), all.len());
        let queue = bus.dead_letters("DLQ");
        let list = queue.list(&LetterFilter::open(), Page::ALL).await.unwrap();
        let shown = queue.show(list[0].id).await.unwrap().unwrap();
        assert_eq!(shown.letter.body, letter.body);
    }
}
