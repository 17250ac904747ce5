//! Purge and expiry: what goes, and what stays.

use std::time::Duration;

use event_sdk::dead_letters::{Audit, DeadKey, LetterFilter, Page, Redriven};
use event_sdk::transport::Deletion;
use event_sdk::transport::{Body, PublishRequest};
use event_sdk::{EventBus, Subject};

use crate::rig::{builder, buses, letter, put, stored, time, within};
use crate::stepwise::{killed_after, stepwise};

async fn messages(bus: &EventBus) -> usize {
    stored(bus, "DLQ", "dlq.>").await.len()
}

#[tokio::test]
async fn a_purge_deletes_letters_and_what_belongs_to_them() {
    let (_server, buses) = buses().await;
    for bus in buses {
        for number in 1..=5 {
            put(&bus, &letter(number)).await;
        }
        let queue = bus.dead_letters("DLQ");
        let two = queue.redrive(LetterFilter::open().ids([1, 2]));
        within("a redrive", two).await.unwrap();
        let archived = LetterFilter::open().ids([3]);
        let audit = Audit::default();
        within("archive", queue.archive(&archived, &audit))
            .await
            .unwrap();
        assert_eq!(messages(&bus).await, 8);

        // The consumer has settled the first of the redriven events.
        let place = event_sdk::dead_letters::DeadLetterStream::new("DLQ");
        let raw = bus.raw().absolute();
        let again = raw.subscribe(place.retry_filter("billing").unwrap());
        let again = again.stream("DLQ_RETRY").durable("billing");
        let mut again = within("a subscription", again).await.unwrap();
        let delivery = within("an event", again.next()).await.unwrap().unwrap();
        within("an ack", delivery.ack_confirmed()).await.unwrap();

        let gone = LetterFilter::all().ids([1, 2, 3, 5]);
        let purged = within("a purge", queue.purge(&gone, Deletion::Remove)).await;
        let purged = purged.unwrap();
        assert_eq!(
            (&*purged.purged, &*purged.kept),
            (&[1, 2, 3, 5][..], &[][..])
        );
        let left = stored(&bus, "DLQ", "dlq.>").await;
        assert_eq!(left.iter().map(|it| it.sequence).collect::<Vec<_>>(), [4]);
        let retry = stored(&bus, "DLQ_RETRY", "retry.>").await;
        let waiting: Vec<_> = retry
            .iter()
            .map(|it| Redriven::from_headers(&it.headers).unwrap().letter)
            .collect();
        assert_eq!(waiting, [2], "it is not settled yet");
        let purged = within("a purge", queue.purge(&gone, Deletion::Erase)).await;
        assert_eq!(purged.unwrap().purged, [0; 0]);
    }
}

#[tokio::test]
async fn a_dead_key_is_touched_by_neither_purge_nor_expiry() {
    let (_server, buses) = buses().await;
    for bus in buses {
        let queue = bus.dead_letters("DLQ");
        let park = queue.park("billing");
        let dead = |number: u64| {
            let mut dead = letter(number);
            dead.key = Some("a".to_owned());
            dead.sequenced = true;
            dead
        };
        put(&bus, &dead(1)).await;
        within("an append", park.append(&dead(2))).await.unwrap();
        within("an append", park.append(&dead(3))).await.unwrap();
        put(&bus, &letter(4)).await;
        let later = bus
            .clock()
            .now()
            .checked_add(jiff::SignedDuration::from_secs(10));
        let later = later.unwrap();
        let expired = within("expiry", queue.expire(later, Deletion::Remove)).await;
        let expired = expired.unwrap();
        assert_eq!((&*expired.purged, &*expired.kept), (&[4][..], &[1][..]));
        let key = DeadKey::new("ORDERS", "a");
        let events = within("events", park.events(&key)).await.unwrap();
        assert_eq!(events.len(), 3);

        // The first two are handled: they go, with what is written of them; the third stays.
        within("a mark", park.handled(&events[0])).await.unwrap();
        within("a mark", park.handled(&events[1])).await.unwrap();
        let expired = within("expiry", queue.expire(later, Deletion::Remove)).await;
        assert_eq!(expired.unwrap().purged, [1]);
        assert_eq!(messages(&bus).await, 1);
        let events = within("events", park.events(&key)).await.unwrap();
        assert_eq!(events.iter().map(|it| it.position).collect::<Vec<_>>(), [3]);
        let dropped = within("a drop", park.drop_key(&key, &Audit::default())).await;
        assert_eq!(dropped.unwrap(), 1);
        within("expiry", queue.expire(later, Deletion::Remove))
            .await
            .unwrap();
        assert_eq!(stored(&bus, "DLQ", "dlq.=park.>").await.len(), 0);
        assert_eq!(stored(&bus, "DLQ", "dlq.=state.>").await.len(), 0);
    }
}

#[tokio::test]
async fn expiry_is_by_the_time_of_the_failure() {
    let (_server, buses) = buses().await;
    for bus in buses {
        for number in 1..=4 {
            let mut letter = letter(number);
            letter.last_failure = time(i64::try_from(number).unwrap() * 100);
            put(&bus, &letter).await;
        }
        let queue = bus.dead_letters("DLQ");
        let expired = within("expiry", queue.expire(time(300), Deletion::Remove)).await;
        assert_eq!(expired.unwrap().purged, [1, 2]);
        let open = LetterFilter::open();
        let list = within("a list", queue.list(&open, Page::ALL))
            .await
            .unwrap();
        assert_eq!(list.iter().map(|it| it.id).collect::<Vec<_>>(), [3, 4]);
    }
}

/// A letter that was redriven never looks open again, whenever a purge of it is killed.
#[tokio::test]
async fn a_purge_killed_at_every_await_redrives_nothing_again() {
    let mut polls = 0;
    loop {
        let bus = stepwise(4).await;
        let queue = bus.dead_letters("DLQ");
        let (open, all) = (LetterFilter::open(), LetterFilter::all());
        queue.redrive(open.clone()).await.unwrap();
        let purge = queue.purge(&all, Deletion::Remove);
        let ended = killed_after(polls, purge).await.is_some();
        assert_eq!(queue.count(&open).await.unwrap(), 0);
        queue.purge(&all, Deletion::Remove).await.unwrap();
        assert_eq!(messages(&bus).await, 0, "killed after {polls} polls");
        if ended {
            break;
        }
        polls += 1;
    }
    assert!(polls > 16, "{polls}");
}

/// A purge was killed between the letter and the rest; a second part without letter may belong to a
/// letter that is being written.
#[tokio::test]
async fn what_a_killed_purge_left_goes_with_the_next_one() {
    let clock = std::sync::Arc::new(event_sdk::time::SteppedClock::new());
    let bus = builder().clock(clock.clone()).memory().unwrap();
    put(&bus, &letter(1)).await;
    put(&bus, &letter(2)).await;
    let queue = bus.dead_letters("DLQ");
    let (open, audit) = (LetterFilter::open(), Audit::default());
    queue.archive(&open, &audit).await.unwrap();
    let part = Subject::parse("dlq.=rest.billing.orders.order.placed.7.0").unwrap();
    let request = PublishRequest::new(&part, Body::Encoded("half".into()));
    bus.transport()
        .publish(request)
        .await
        .unwrap()
        .await
        .unwrap();
    let admin = bus.transport().message_admin().unwrap();
    admin.delete("DLQ", 1, Deletion::Remove).await.unwrap();
    assert_eq!(messages(&bus).await, 4);
    let nothing = LetterFilter::all().ids([99]);
    queue.purge(&nothing, Deletion::Remove).await.unwrap();
    let left = stored(&bus, "DLQ", "dlq.>").await;
    let left: Vec<_> = left.iter().map(|it| it.sequence).collect();
    assert_eq!(left, [2, 4, 5], "the state of letter 1 is gone");
    clock.advance(Duration::from_secs(90_001));
    queue.purge(&nothing, Deletion::Remove).await.unwrap();
    assert_eq!(messages(&bus).await, 2, "the part was abandoned");
}
