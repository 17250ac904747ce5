//! What the runtime of consumers does beside consuming, and commands for dead letters: functions for
//! rows of the table.

use std::future::IntoFuture as _;
use std::time::Duration;

use bytes::Bytes;
use event_sdk::codec::{Codec as _, JsonCodec};
use event_sdk::consumer::{Ctx, Failure, Retry};
use event_sdk::dead_letters::{
    AdvisoryLetters, Audit, DeadKey, DeadLetter, DeadLetterClass, DeadLetterStream, DeadLetters,
    LetterFilter, Origin, Page, RedriveOutcome, ReleaseOutcome,
};
use event_sdk::headers::Headers;
use event_sdk::transport::Error;
use event_sdk::{EnvelopeHeader, EventBus};
use event_sdk_tests::orders::{AllOrderEvents, placed};
use tokio::sync::watch;
use uuid::Uuid;

use super::Case;
use crate::support::{next, within};

/// All cases share the streams of dead letters; each has a consumer of its own.
pub(super) fn place() -> DeadLetterStream {
    DeadLetterStream::new("DLQ")
}

/// A letter of the case's consumer.
fn letter(case: &Case, number: u64) -> DeadLetter {
    let id = Uuid::from_u64_pair(case.number as u64, number);
    let now = jiff::Timestamp::UNIX_EPOCH;
    let head = EnvelopeHeader::new(id, "order.placed", now);
    let mut body = Vec::new();
    let written = JsonCodec.encode(&head, &placed(number), &mut Headers::new(), &mut body);
    written.unwrap();
    let prefix = case.own("events.");
    let origin = Origin::new(
        case.own("ORDERS"),
        number,
        format!("{prefix}orders.order.placed"),
        prefix.trim_end_matches('.'),
    );
    let class = DeadLetterClass::RetryExhausted;
    let consumer = case.own("billing");
    let mut letter = DeadLetter::new(consumer, origin, class, now, Bytes::from(body));
    letter.event_id = Some(id);
    letter.key = Some("7".to_owned());
    letter
}

/// What was there before: a letter, a redriven event, and a dead key whose release is requested.
pub(super) async fn prepare(case: &Case, bus: &EventBus) {
    let store = DeadLetters::stream(place()).open(bus);
    let queue = bus.dead_letters(place());
    let consumer = case.own("billing");
    if case.row.starts_with("keeps dead letters") {
        within("a letter", store.put(&letter(case, 8)))
            .await
            .unwrap();
        let redrive = queue.redrive(LetterFilter::open().consumer(consumer.clone()));
        let report = within("a redrive", redrive.into_future()).await.unwrap();
        assert_eq!(report.redriven.len(), 1);
    }
    if case.row.starts_with("reads and redrives") {
        let mut sequenced = letter(case, 9);
        sequenced.sequenced = true;
        for letter in [letter(case, 8), sequenced] {
            within("a letter", store.put(&letter)).await.unwrap();
        }
    }
    if case.row.starts_with("parks") {
        let mut head = letter(case, 10);
        head.sequenced = true;
        within("a letter", store.put(&head)).await.unwrap();
        let (park, key) = (queue.park(consumer), DeadKey::of(&head).unwrap());
        let audit = Audit::by("tests");
        within("a request", park.release(&key, &audit))
            .await
            .unwrap();
    }
}

/// Letters are stored once, also if they are too large for one message, and redriven events are
/// received.
pub(super) async fn keeps_letters(case: Case) -> Result<(), Error> {
    let bus = case.builder().stream(place().spec());
    let bus = bus.stream(place().retry_spec()).transport(case.nats())?;
    let consumer = case.own("billing");
    let store = DeadLetters::stream(place()).open(&bus);
    within("a check", store.verify(&consumer)).await?;
    let mut large = letter(&case, 2);
    large.body = vec![b'x'; 1 << 20].into();
    for letter in [&letter(&case, 1), &large] {
        for _ in 0..2 {
            within("a letter", store.put(letter)).await?;
        }
    }
    let filter = place().retry_filter(&consumer).unwrap();
    let redriven = bus.raw().absolute().subscribe(filter);
    let redriven = redriven.stream(place().retry_name().to_owned());
    let redriven = redriven.durable(consumer).into_future();
    let mut redriven = within("a subscription", redriven).await?;
    let redriven = within("a redriven event", redriven.next()).await;
    redriven.expect("more to come")?.ack_confirmed().await
}

/// A letter is sent, and a second time, which finds it sent; one that holds its key is released.
pub(super) async fn redrives(case: Case) -> Result<(), Error> {
    let bus = case.bus();
    let queue = bus.dead_letters(place());
    let all = LetterFilter::all().consumer(case.own("billing"));
    assert_eq!(
        within("a list", queue.list(&all, Page::ALL)).await?.len(),
        2
    );
    let redrive = queue.redrive(all.clone()).into_future();
    let report = within("a redrive", redrive).await?;
    let numbers = (report.redriven.len(), report.released.len());
    assert_eq!(numbers, (1, 1), "{report:?}");
    // It may not ask for the consumer.
    let outcomes = within("the outcomes", queue.outcomes(&all)).await?;
    let outcomes: Vec<_> = outcomes.into_values().collect();
    assert_eq!(outcomes, [RedriveOutcome::Unknown]);
    let report = within("a redrive", queue.redrive(all).into_future()).await?;
    assert_eq!(report.already.len(), 1, "{report:?}");
    Ok(())
}

/// What an owner does in sequenced mode.
pub(super) async fn parks(case: Case) -> Result<(), Error> {
    let (bus, consumer) = (case.bus(), case.own("billing"));
    let park = bus.dead_letters(place()).park(consumer);
    within("a check", park.verify()).await?;
    let mut later = letter(&case, 11);
    later.sequenced = true;
    for _ in 0..2 {
        within("an append", park.append(&later)).await?;
    }
    assert_eq!(within("the keys", park.keys()).await?.len(), 1);
    let requests = within("the requests", park.requests()).await?;
    let key = DeadKey::of(&later).unwrap();
    for event in within("the events", park.events(&key)).await? {
        assert!(within("an event", park.load(&event)).await?.is_some());
        within("a mark", park.handled(&event)).await?;
    }
    within(
        "an answer",
        park.answer(&requests[0], ReleaseOutcome::Alive),
    )
    .await
}

/// A consumer that handles both events of its stream, the first one at its second attempt and its
/// third delivery.
async fn handles_all(case: &Case) -> Result<(), Error> {
    let (handled, seen) = (watch::Sender::new(0_u32), watch::Sender::new(0_u32));
    let mut done = handled.subscribe();
    let bus = case.builder().coordination(&*case.own("EVENT_SDK"));
    let bus = bus.transport(case.nats()).unwrap();
    let consumer = bus
        .consumer::<AllOrderEvents>(case.own("billing"))
        .retry(Retry::steps([Duration::from_millis(10)]).max_attempts(3));
    let consumer = consumer.each(move |_, _: Ctx| {
        seen.send_modify(|seen| *seen += 1);
        let is_first = *seen.borrow() == 1;
        if !is_first {
            handled.send_modify(|handled| *handled += 1);
        }
        std::future::ready(if is_first {
            Err(Failure::retry("once more"))
        } else {
            Ok(())
        })
    });
    let ended = consumer.run_until(async move {
        let _ = done.wait_for(|handled| *handled == 2).await;
    });
    within("the consumer", Box::pin(ended)).await.map(drop)
}

/// An event that was delivered before is recorded before its start, and its failure after it.
pub(super) async fn counts_attempts(case: Case) -> Result<(), Error> {
    let orders = case.bus().subscribe::<AllOrderEvents>();
    let orders = orders.durable(case.own("billing")).prefetch(1);
    let mut orders = within("a subscription", orders.into_future()).await?;
    next(&mut orders).await?.nak(Duration::ZERO).await?;
    drop(orders);
    handles_all(&case).await
}

/// Another client terminates a message of the consumer; its letter is written.
pub(super) async fn writes_advisory_letters(case: Case) -> Result<(), Error> {
    let letters = DeadLetters::stream(place());
    let (bus, admin, consumer) = (case.bus(), case.admin_bus(), case.own("billing"));
    let writer = AdvisoryLetters::new(&bus, &letters, consumer.clone());
    let listening = writer.listen();
    let terminating = async {
        let orders = admin
            .subscribe::<AllOrderEvents>()
            .durable(consumer.clone());
        let mut orders = within("a subscription", orders.into_future()).await?;
        let queue = admin.dead_letters(place());
        let of_case = LetterFilter::all().consumer(consumer);
        // What is terminated before the service listens is not heard.
        loop {
            next(&mut orders).await?.term("it is broken").await?;
            let published = crate::support::publish(&admin, 3);
            published.await?;
            if within("a count", queue.count(&of_case)).await? > 0 {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    };
    tokio::select! {
        ended = Box::pin(listening) => ended.map(drop),
        done = Box::pin(terminating) => done,
    }
}
