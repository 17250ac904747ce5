//! Sequenced mode: dead keys, their events in order, release, skip and drop, on memory and on a
//! server; an owner that is killed at every await.

use std::sync::Mutex;
use std::time::Duration;

use event_sdk::EventBus;
use event_sdk::dead_letters::{
    Audit, DeadKey, DeadLetter, DeadLetterClass, DeadLetterStream, LetterFilter, LetterStatus,
    LetterSummary, Page, Park, ReleaseOutcome, ReleaseRequest,
};
use event_sdk::stream::Discard;

use crate::rig::{PLANTED, body, buses, letter, put, stored, within};
use crate::stepwise::{killed_after, stepwise};

/// The event at this position, of a key.
fn event(position: u64, key: &str) -> DeadLetter {
    let mut event = letter(position);
    event.key = Some(key.to_owned());
    event
}

/// The letter that it becomes.
fn dead(position: u64, key: &str) -> DeadLetter {
    let mut dead = event(position, key);
    dead.sequenced = true;
    dead
}

fn key(key: &str) -> DeadKey {
    DeadKey::new("ORDERS", key)
}

async fn append(park: &Park, position: u64, of: &str) {
    let event = event(position, of);
    within("an append", park.append(&event)).await.unwrap();
}

/// Position and number of redrive of what waits for a key.
async fn waiting(park: &Park, of: &str) -> Vec<(u64, u32)> {
    let of = key(of);
    let events = within("events", park.events(&of)).await.unwrap();
    events
        .iter()
        .map(|event| (event.position, event.redrive))
        .collect()
}

/// Keys with first, last and number of events.
async fn keys(park: &Park) -> Vec<(String, u64, u64, u64)> {
    let keys = within("keys", park.keys()).await.unwrap();
    let of = |state: &event_sdk::dead_letters::KeyState| {
        let key = state.key.key().to_owned();
        (key, state.first, state.last, state.events)
    };
    keys.iter().map(of).collect()
}

#[tokio::test]
async fn events_of_a_dead_key_wait_in_their_order() {
    let (_server, buses) = buses().await;
    for bus in buses {
        let park = bus.dead_letters("DLQ").park("billing");
        assert_eq!(keys(&park).await, []);
        put(&bus, &letter(1)).await; // not sequenced
        put(&bus, &dead(2, "b")).await;
        put(&bus, &dead(4, "a")).await;
        let mut of_another = dead(5, "c");
        of_another.consumer = "shipping".into();
        put(&bus, &of_another).await;
        // Redeliveries come in any order, and again.
        for position in [9, 6, 100, 6, 4] {
            append(&park, position, "a").await;
        }
        append(&park, 7, "b").await;
        let expected = [("a".to_owned(), 4, 100, 4), ("b".to_owned(), 2, 7, 2)];
        assert_eq!(keys(&park).await, expected);
        assert_eq!(
            waiting(&park, "a").await,
            [(4, 1), (6, 0), (9, 0), (100, 0)]
        );
        assert_eq!(waiting(&park, "c").await, []);
        let a = key("a");
        let events = within("events", park.events(&a)).await.unwrap();
        for event in &events {
            let loaded = within("an event", park.load(event)).await.unwrap().unwrap();
            assert_eq!(loaded.body, letter(event.position).body);
            assert_eq!(loaded.origin, letter(event.position).origin);
            assert_eq!(loaded.headers.get("Tenant"), Some("north"));
            assert_eq!(event.failed, event.position == 4);
        }
        // Lists have letters, and not what waits behind them.
        let list = bus.dead_letters("DLQ");
        let list = list.list(&LetterFilter::open(), Page::ALL).await.unwrap();
        let held: Vec<_> = list.iter().map(LetterSummary::holds_its_key).collect();
        assert_eq!(held, [false, true, true, true]);
    }
}

#[tokio::test]
async fn a_released_key_lives_when_nothing_is_left() {
    let (_server, buses) = buses().await;
    for bus in buses {
        let park = bus.dead_letters("DLQ").park("billing");
        put(&bus, &dead(1, "a")).await;
        append(&park, 2, "a").await;
        append(&park, 3, "a").await;
        let of = key("a");
        let audit = Audit::by("alice").because("fixed");
        assert_eq!(park.requests().await.unwrap(), []);
        for _ in 0..2 {
            within("a request", park.release(&of, &audit))
                .await
                .unwrap();
        }
        let requests = within("requests", park.requests()).await.unwrap();
        let [request] = &*requests else {
            panic!("{requests:?}");
        };
        assert_eq!((&request.key, request.by.as_deref()), (&of, Some("alice")));
        assert_eq!(park.outcome(&of).await.unwrap(), None);

        // The first is handled, the second fails for the first time.
        let events = within("events", park.events(&of)).await.unwrap();
        within("a mark", park.handled(&events[0])).await.unwrap();
        within("a mark", park.handled(&events[0])).await.unwrap();
        assert_eq!(waiting(&park, "a").await, [(2, 0), (3, 0)]);
        put(&bus, &dead(2, "a")).await;
        assert_eq!(
            waiting(&park, "a").await,
            [(2, 1), (3, 0)],
            "killed in between"
        );
        within("a mark", park.replaced(&events[1])).await.unwrap();
        assert_eq!(waiting(&park, "a").await, [(2, 1), (3, 0)]);
        let answer = park.answer(request, ReleaseOutcome::FailedAgain);
        within("an answer", answer).await.unwrap();
        assert_eq!(park.requests().await.unwrap(), []);
        let outcome = within("an outcome", park.outcome(&of)).await.unwrap();
        assert_eq!(outcome, Some(ReleaseOutcome::FailedAgain));

        // It fails again, then all are handled; another one arrives meanwhile.
        within("a request", park.release(&of, &audit))
            .await
            .unwrap();
        let events = within("events", park.events(&of)).await.unwrap();
        let mut again = dead(2, "a");
        again.redrive = events[0].redrive;
        put(&bus, &again).await;
        within("a mark", park.replaced(&events[0])).await.unwrap();
        assert_eq!(waiting(&park, "a").await, [(2, 2), (3, 0)]);
        append(&park, 4, "a").await;
        for event in within("events", park.events(&of)).await.unwrap() {
            within("a mark", park.handled(&event)).await.unwrap();
        }
        assert_eq!(keys(&park).await, []);
        // An acknowledgement was lost: what was handled does not wait again.
        append(&park, 4, "a").await;
        assert_eq!(keys(&park).await, []);
        let request = park.requests().await.unwrap().remove(0);
        let answer = park.answer(&request, ReleaseOutcome::Alive);
        within("an answer", answer).await.unwrap();
        assert_eq!(
            park.outcome(&of).await.unwrap(),
            Some(ReleaseOutcome::Alive)
        );
    }
}

#[tokio::test]
async fn a_later_request_is_not_answered_by_an_earlier_answer() {
    let bus = stepwise(0).await;
    let park = bus.dead_letters("DLQ").park("billing");
    let (of, audit) = (key("a"), Audit::default());
    park.release(&of, &audit).await.unwrap();
    let first = park.requests().await.unwrap().remove(0);
    park.answer(&first, ReleaseOutcome::Alive).await.unwrap();
    park.release(&of, &audit).await.unwrap();
    park.answer(&first, ReleaseOutcome::Alive).await.unwrap();
    assert_eq!(park.requests().await.unwrap().len(), 1);
    assert_eq!(park.outcome(&of).await.unwrap(), None);
}

#[tokio::test]
async fn heads_are_skipped_by_their_ids_and_keys_are_dropped() {
    let (_server, buses) = buses().await;
    for bus in buses {
        let queue = bus.dead_letters("DLQ");
        let park = queue.park("billing");
        put(&bus, &dead(1, "a")).await;
        append(&park, 2, "a").await;
        append(&park, 3, "a").await;
        let (of, audit) = (key("a"), Audit::by("bob").because("never valid"));
        let wrong = within("a skip", park.skip_head(&of, 2, &audit)).await;
        assert!(!wrong.unwrap(), "2 is not the head");
        // Repeated, as a command that was killed is.
        for _ in 0..3 {
            let skipped = within("a skip", park.skip_head(&of, 1, &audit)).await;
            assert!(skipped.unwrap());
            assert_eq!(waiting(&park, "a").await, [(2, 0), (3, 0)]);
            assert_eq!(park.requests().await.unwrap().len(), 1);
        }
        let head = within("a letter", queue.show(1)).await.unwrap().unwrap();
        assert_eq!(head.state.status, LetterStatus::Skipped);
        assert_eq!(head.state.note.as_deref(), Some("never valid"));
        let dropped = within("a drop", park.drop_key(&of, &audit)).await.unwrap();
        assert_eq!(dropped, 2);
        assert_eq!(keys(&park).await, []);
        assert_eq!(park.requests().await.unwrap().len(), 1);
        let dropped = within("a drop", park.drop_key(&of, &audit)).await.unwrap();
        assert_eq!(dropped, 0);
    }
}

#[tokio::test]
async fn a_redrive_of_a_letter_that_holds_its_key_releases_the_key() {
    let (_server, buses) = buses().await;
    for bus in buses {
        let queue = bus.dead_letters("DLQ");
        let park = queue.park("billing");
        put(&bus, &dead(1, "a")).await;
        append(&park, 2, "a").await;
        put(&bus, &letter(3)).await;
        let report = queue.redrive(LetterFilter::open());
        let report = within("a redrive", report).await.unwrap();
        assert_eq!((&*report.released, &*report.redriven), (&[1][..], &[3][..]));
        assert_eq!(stored(&bus, "DLQ_RETRY", "retry.>").await.len(), 1);
        assert_eq!(park.requests().await.unwrap().len(), 1);
        assert_eq!(waiting(&park, "a").await, [(1, 1), (2, 0)]);

        let edited = body(letter(1).event_id.unwrap(), 9);
        let audit = Audit::by("bob").because("a typo");
        for again in [false, true] {
            let edit = queue.edit_and_redrive(1, edited.clone(), &audit);
            let edit = within("an edit", edit).await;
            assert_eq!(edit.is_err(), again, "{edit:?}");
            assert_eq!(waiting(&park, "a").await, [(1, 2), (2, 0)]);
        }
        let of = key("a");
        let events = within("events", park.events(&of)).await.unwrap();
        let head = within("an event", park.load(&events[0])).await.unwrap();
        assert_eq!(head.unwrap().body, edited);
        assert_eq!(stored(&bus, "DLQ_RETRY", "retry.>").await.len(), 1);
    }
}

#[tokio::test]
async fn odd_keys_and_names_do_not_meet() {
    let (_server, buses) = buses().await;
    let (long, other) = ("k".repeat(2000), "k".repeat(1999) + "x");
    let odd = [
        "", "a.b", "a b", "*", ">", "größe", " x ", "%41", &long, &other,
    ];
    for bus in buses {
        for consumer in ["billing".to_owned(), "n".repeat(255)] {
            let park = bus.dead_letters("DLQ").park(consumer.clone());
            for stream in ["ORDERS".to_owned(), "S".repeat(255)] {
                for (position, of) in (1..).zip(odd) {
                    let mut head = dead(position, of);
                    head.consumer = consumer.clone().into();
                    head.origin.stream = stream.clone().into();
                    head.event_id = None;
                    head.origin.subject = format!("events.orders.{stream}").into();
                    put(&bus, &head).await;
                    let mut behind = head.clone();
                    behind.origin.sequence = position + 100;
                    within("an append", park.append(&behind)).await.unwrap();
                }
            }
            let keys = within("keys", park.keys()).await.unwrap();
            assert_eq!(keys.len(), 2 * odd.len());
            for state in &keys {
                assert_eq!((state.events, state.last), (2, state.first + 100));
                let of = odd[usize::try_from(state.first - 1).unwrap()];
                assert_eq!(state.key, DeadKey::new(state.key.stream(), of));
                let events = within("events", park.events(&state.key)).await.unwrap();
                assert_eq!(events.len(), 2);
                within("a mark", park.handled(&events[0])).await.unwrap();
                within("a mark", park.handled(&events[1])).await.unwrap();
            }
            assert_eq!(within("keys", park.keys()).await.unwrap(), []);
        }
    }
}

#[tokio::test]
async fn a_stream_that_drops_waiting_events_is_refused() {
    let place = DeadLetterStream::new("DLQ");
    let age = Duration::from_secs(1000);
    for (spec, reason) in [
        (place.spec(), None),
        (place.spec().max_messages(10), None),
        (place.spec().max_age(age), Some("maximum age")),
        (
            place.spec().max_messages(10).when_full(Discard::Old),
            Some("oldest messages"),
        ),
        (place.spec().allow_rollup(true), Some("roll-ups")),
    ] {
        let bus = EventBus::builder().stream(spec).memory().unwrap();
        let verified = bus.dead_letters("DLQ").park("billing").verify().await;
        let shown = verified.err().map(|error| error.to_string());
        assert_eq!(shown.is_some(), reason.is_some(), "{shown:?}");
        let (shown, reason) = (shown.unwrap_or_default(), reason.unwrap_or_default());
        assert!(shown.contains(reason), "{shown}");
    }
    let missing = EventBus::builder().stream(place.retry_spec()).memory();
    let missing = missing.unwrap().dead_letters("DLQ").park("billing");
    assert!(missing.verify().await.is_err());
}

#[tokio::test]
async fn an_event_without_key_does_not_wait() {
    let bus = stepwise(0).await;
    let mut event = event(1, "a");
    event.key = None;
    let park = bus.dead_letters("DLQ").park("billing");
    assert!(park.append(&event).await.is_err());
    put(&bus, &dead(1, PLANTED)).await;
    let shown = format!("{:?}{:?}", park.keys().await.unwrap(), park);
    assert!(!shown.contains(PLANTED), "{shown}");
}

/// What an owner has handled.
type Handled = Mutex<Vec<u64>>;

/// Answers all requests. Event 3 fails at its first attempt.
async fn own(bus: &EventBus, handled: &Handled) {
    let park = bus.dead_letters("DLQ").park("billing");
    for request in park.requests().await.unwrap() {
        let outcome = empty(bus, &park, &request, handled).await;
        park.answer(&request, outcome).await.unwrap();
    }
}

async fn empty(
    bus: &EventBus,
    park: &Park,
    request: &ReleaseRequest,
    handled: &Handled,
) -> ReleaseOutcome {
    loop {
        let events = park.events(&request.key).await.unwrap();
        if events.is_empty() {
            return ReleaseOutcome::Alive;
        }
        for event in events {
            if !request.covers(&event) {
                return ReleaseOutcome::FailedAgain;
            }
            let mut letter = park.load(&event).await.unwrap().unwrap();
            if event.position == 3 && !event.failed {
                letter.class = DeadLetterClass::RetryExhausted;
                letter.redrive = event.redrive;
                put(bus, &letter).await;
                park.replaced(&event).await.unwrap();
                return ReleaseOutcome::FailedAgain;
            }
            handled.lock().unwrap().push(event.position);
            park.handled(&event).await.unwrap();
        }
    }
}

/// The order holds, whenever the owner is killed: an event is repeated only directly after itself.
#[tokio::test]
async fn an_owner_killed_at_every_await_keeps_the_order() {
    let audit = Audit::default();
    let mut polls = 0;
    let mut repeats = 0;
    loop {
        let bus = stepwise(0).await;
        let park = bus.dead_letters("DLQ").park("billing");
        put(&bus, &dead(1, "a")).await;
        for position in 2..=5 {
            append(&park, position, "a").await;
        }
        let handled = Handled::default();
        let of = key("a");
        park.release(&of, &audit).await.unwrap();
        let ended = killed_after(polls, own(&bus, &handled)).await.is_some();
        // The next owner; then the operator releases the key again.
        own(&bus, &handled).await;
        assert_eq!(
            park.outcome(&of).await.unwrap(),
            Some(ReleaseOutcome::FailedAgain)
        );
        assert_eq!(waiting(&park, "a").await, [(3, 1), (4, 0), (5, 0)]);
        park.release(&of, &audit).await.unwrap();
        own(&bus, &handled).await;
        assert_eq!(
            park.outcome(&of).await.unwrap(),
            Some(ReleaseOutcome::Alive)
        );
        assert_eq!(park.keys().await.unwrap(), []);
        let mut order = handled.into_inner().unwrap();
        let count = order.len();
        order.dedup();
        assert_eq!(order, [1, 2, 3, 4, 5]);
        repeats += count - order.len();
        if ended {
            break;
        }
        polls += 1;
    }
    assert!(polls > 12 && repeats > 0, "{polls} {repeats}");
}
