//! What the runtime of consumers does beside consuming, and commands for dead letters: functions for
//! rows of the table.

use std::time::Duration;

use bytes::Bytes;
use event_sdk::codec::{Codec as _, JsonCodec};
use event_sdk::consumer::{Ctx, Failure, Retry};
use event_sdk::dead_letters::{
    AdvisoryLetters, Audit, DeadKey, DeadLetter, DeadLetterClass, DeadLetterStream, DeadLetters,
    LetterFilter, Origin, ReleaseOutcome,
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
