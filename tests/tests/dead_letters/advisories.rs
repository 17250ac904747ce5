//! Letters of events that the server or another client ended, heard from the server, and read from a
//! stream of advisories.

use std::time::Duration;

use event_sdk::dead_letters::{
    AdvisoryLetters, DeadLetter, DeadLetterClass, DeadLetters, LetterFilter, MemoryDeadLetters,
    Page, Redriven,
};
use event_sdk::stream::{Retention, StreamSpec};
use event_sdk::transport::{Advisory, AdvisoryKind};
use event_sdk::{BusBuilder, Delivery, Error, ErrorKind, EventBus, Pattern, Pii, Untyped};
use event_sdk_test_servers::Server;
use tokio::task::JoinHandle;

use crate::rig::{OrderPlaced, PLANTED, builder, connect, letter, put, time, within};

fn declared() -> BusBuilder {
    let advisories = AdvisoryKind::ALL
        .into_iter()
        .fold(StreamSpec::new("ADVISORIES"), |stream, kind| {
            stream.absolute(kind.subjects())
        });
    builder().stream(advisories)
}

async fn buses() -> (Server, [EventBus; 2]) {
    let server = Server::start().await.unwrap();
    let nats = connect(&server, declared()).await;
    within("the streams", nats.apply_streams()).await.unwrap();
    (server, [declared().memory().unwrap(), nats])
}

/// Publishes an order, which has personal data.
async fn publish(bus: &EventBus, id: u64) {
    let publisher = bus.publisher::<OrderPlaced>();
    let customer = Pii::new(PLANTED.to_owned());
    let order = OrderPlaced { id, customer };
    within("a publish", publisher.publish(order)).await.unwrap();
}

/// Ends events of the consumer `billing` by hand: the first is terminated, of the second the
/// deliveries are used up.
async fn end_two(bus: &EventBus) {
    publish(bus, 1).await;
    publish(bus, 2).await;
    let orders = bus.raw().subscribe(Pattern::parse("orders.>").unwrap());
    let orders = orders.stream("ORDERS").durable("billing").max_deliver(2);
    let mut orders = within("a subscription", orders).await.unwrap();
    let mut next =
        async || -> Delivery<Untyped> { within("an event", orders.next()).await.unwrap().unwrap() };
    let reason = format!("invalid: {PLANTED}");
    within("a term", next().await.term(&reason)).await.unwrap();
    for _ in 0..2 {
        within("a nak", next().await.nak(Duration::ZERO))
            .await
            .unwrap();
    }
    // A server finds out when a subscription asks for more.
    publish(bus, 3).await;
    within("an ack", next().await.ack()).await.unwrap();
}

/// The letters, when there are this many.
async fn letters(bus: &EventBus, count: usize) -> Vec<DeadLetter> {
    let queue = bus.dead_letters("DLQ");
    let open = LetterFilter::open();
    let all = async {
        loop {
            let list = queue.list(&open, Page::ALL).await.unwrap();
            if list.len() >= count {
                break list;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let list = within("the letters", all).await;
    assert!(!format!("{list:?}").contains(PLANTED), "{list:?}");
    let mut letters = Vec::new();
    for summary in list {
        let shown = within("a letter", queue.show(summary.id)).await.unwrap();
        letters.push(shown.unwrap().letter);
    }
    letters.sort_by_key(|letter| letter.origin.sequence);
    letters
}

fn check(letters: &[DeadLetter]) {
    let [terminated, exhausted] = letters else {
        panic!("{letters:?}");
    };
    assert_eq!(terminated.class, DeadLetterClass::Terminated);
    assert_eq!(exhausted.class, DeadLetterClass::MaxDeliveries);
    let reason = terminated.reason.as_deref().unwrap();
    assert!(reason.contains(PLANTED), "it is kept, and not shown");
    assert_eq!(exhausted.attempts, 2);
    for (letter, sequence) in letters.iter().zip([1, 2]) {
        assert_eq!(letter.consumer, "billing");
        assert_eq!(letter.origin.stream, "ORDERS");
        assert_eq!(letter.origin.sequence, sequence);
        assert_eq!(letter.origin.relative_subject(), "orders.order.placed");
        assert_eq!(letter.event_type.as_deref(), Some("order.placed"));
        assert!(letter.event_id.is_some());
        let body = String::from_utf8(letter.body.to_vec()).unwrap();
        assert!(body.contains(PLANTED), "the body is the original one");
        assert!(!format!("{letter:?}").contains(PLANTED), "{letter:?}");
    }
}

type Running<T> = JoinHandle<Result<T, Error>>;

#[tokio::test]
async fn letters_are_written_of_what_is_heard() {
    let (_server, buses) = buses().await;
    for bus in buses {
        let advisories = AdvisoryLetters::new(&bus, &DeadLetters::stream("DLQ"), "billing");
        let running: Running<_> = tokio::spawn(async move { advisories.listen().await });
        let orders = bus.raw().subscribe(Pattern::parse("orders.>").unwrap());
        let orders = orders.stream("ORDERS").durable("billing").max_deliver(2);
        let mut orders = within("a subscription", orders).await.unwrap();
        let mut next = async || -> Delivery<Untyped> {
            within("an event", orders.next()).await.unwrap().unwrap()
        };
        let queue = bus.dead_letters("DLQ");
        let of = |class| LetterFilter::open().class(class);
        let terminated = of(DeadLetterClass::Terminated);
        // The listener begins at some time: until then, nothing is heard.
        let mut id = 0;
        while within("a count", queue.count(&terminated)).await.unwrap() == 0 {
            id += 1;
            publish(&bus, id).await;
            within("a term", next().await.term("invalid"))
                .await
                .unwrap();
            tokio::time::sleep(Duration::from_millis(5)).await;
            assert!(id < 10_000, "nothing is heard");
        }
        publish(&bus, id + 1).await;
        for _ in 0..2 {
            within("a nak", next().await.nak(Duration::ZERO))
                .await
                .unwrap();
        }
        publish(&bus, id + 2).await;
        within("an ack", next().await.ack()).await.unwrap();
        let exhausted = of(DeadLetterClass::MaxDeliveries);
        let all = async {
            while queue.count(&exhausted).await.unwrap() == 0 {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        within("the letter", all).await;
        within("the end", bus.close()).await.unwrap();
        let report = within("the listener", running).await.unwrap().unwrap();
        assert!(report.stored >= 2, "{report:?}");
    }
}

#[tokio::test]
async fn a_stream_of_advisories_misses_nothing() {
    let (_server, buses) = buses().await;
    for bus in buses {
        // Nobody listens.
        end_two(&bus).await;
        let advisories = AdvisoryLetters::new(&bus, &DeadLetters::stream("DLQ"), "billing");
        for _ in 0..2 {
            let reader = advisories.clone();
            let running: Running<_> = tokio::spawn(async move { reader.read("ADVISORIES").await });
            check(&letters(&bus, 2).await);
            running.abort();
            let _ = running.await;
        }
        assert_eq!(letters(&bus, 2).await.len(), 2);
    }
}

#[tokio::test]
async fn an_advisory_is_one_letter_however_often_it_is_written() {
    let (_server, buses) = buses().await;
    for bus in buses {
        publish(&bus, 1).await;
        let kept = MemoryDeadLetters::new();
        let advisories = AdvisoryLetters::new(&bus, &DeadLetters::memory(&kept), "billing");
        let kind = AdvisoryKind::MaxDeliveries;
        let advisory = |sequence| Advisory::new(kind, "ORDERS", "billing", sequence, 5, time(9));
        for _ in 0..3 {
            within("a letter", advisories.write(&advisory(1)))
                .await
                .unwrap();
        }
        let letters = kept.letters();
        assert_eq!(letters.len(), 1);
        assert_eq!((letters[0].attempts, letters[0].last_failure), (5, time(9)));
        let gone = within("nothing", advisories.write(&advisory(77))).await;
        assert_eq!(gone.unwrap(), event_sdk::dead_letters::AdvisoryLetter::Gone);
        assert_eq!(kept.len(), 1);
        let missing = Advisory::new(kind, "MISSING", "billing", 1, 5, time(9));
        let missing = within("an error", advisories.write(&missing)).await;
        assert_eq!(*missing.unwrap_err().kind(), ErrorKind::StreamNotFound);
    }
}

/// The retry stream has redriven events: their letter is the next one of the original event.
#[tokio::test]
async fn a_redriven_event_that_is_terminated_keeps_its_origin() {
    let (_server, buses) = buses().await;
    for bus in buses {
        put(&bus, &letter(7)).await;
        let queue = bus.dead_letters("DLQ");
        let redrive = queue.redrive(LetterFilter::open());
        within("a redrive", redrive).await.unwrap();
        let place = DeadLetters::stream("DLQ");
        let advisories = AdvisoryLetters::new(&bus, &place, "billing");
        let kind = AdvisoryKind::Terminated;
        let advisory = Advisory::new(kind, "DLQ_RETRY", "billing", 1, 1, time(60));
        within("a letter", advisories.write(&advisory))
            .await
            .unwrap();
        let found = letters(&bus, 1).await;
        assert_eq!(found[0].origin, letter(7).origin);
        assert_eq!((found[0].redrive, found[0].first_failure), (1, time(1)));
        assert_eq!(found[0].headers.get("Tenant"), Some("north"));
        assert!(Redriven::from_headers(&found[0].headers).is_none());
    }
}

#[tokio::test]
async fn a_work_queue_has_dropped_what_was_terminated() {
    let jobs = StreamSpec::new("JOBS").subject("jobs.>");
    let bus = builder().stream(jobs.retention(Retention::WorkQueue));
    let bus = bus.memory().unwrap();
    let advisories = AdvisoryLetters::new(&bus, &DeadLetters::stream("DLQ"), "billing");
    bus.raw().publish("jobs.a", "1").await.unwrap();
    let jobs = bus.raw().subscribe(Pattern::parse("jobs.>").unwrap());
    let mut jobs = jobs.durable("billing").await.unwrap();
    let job = within("a job", jobs.next()).await.unwrap().unwrap();
    within("a term", job.term("never")).await.unwrap();
    let advisory = Advisory::new(AdvisoryKind::Terminated, "JOBS", "billing", 1, 1, time(0));
    let gone = within("nothing", advisories.write(&advisory)).await;
    assert_eq!(gone.unwrap(), event_sdk::dead_letters::AdvisoryLetter::Gone);
}
