//! What an owner stores after the next one has taken over does not count, on memory and on a server.

use event_sdk::EventBus;
use event_sdk::consumer::OwnerEpoch;
use event_sdk::dead_letters::{
    DeadKey, DeadLetter, DeadLetterStore as _, LetterFilter, Page, Park, StreamDeadLetters,
};
use event_sdk::transport::Deletion;
use event_sdk_test_servers::Server;
use jiff::Timestamp;

use crate::rig::{builder, buses, connect, letter, stored, within};

/// An event at this position that waits for its key.
fn event(position: u64) -> DeadLetter {
    let mut event = letter(position);
    event.key = Some("a".to_owned());
    event
}

const fn owner(number: u64) -> OwnerEpoch {
    OwnerEpoch::new(0, number)
}

async fn take_over(bus: &EventBus, owner: OwnerEpoch) -> Park {
    let park = bus.dead_letters("DLQ").park("billing");
    let taken = within("a takeover", park.take_over(owner, || true)).await;
    taken.unwrap().unwrap()
}

async fn append(park: &Park, position: u64) {
    within("an append", park.append(&event(position)))
        .await
        .unwrap();
}

async fn put(bus: &EventBus, letter: &DeadLetter, owner: OwnerEpoch) {
    let store = StreamDeadLetters::new(bus, "DLQ");
    let put = store.put_unless_done(letter, Some(owner));
    within("a letter", put).await.unwrap();
}

/// The positions of what waits.
async fn waiting(park: &Park) -> Vec<u64> {
    let key = DeadKey::new("ORDERS", "a");
    let events = within("events", park.events(&key)).await.unwrap();
    let keys = within("keys", park.keys()).await.unwrap();
    let counted: u64 = keys.iter().map(|state| state.events).sum();
    assert_eq!(counted, events.len() as u64);
    events.iter().map(|event| event.position).collect()
}

/// The ids and bodies of all letters.
async fn letters(bus: &EventBus) -> Vec<u64> {
    let queue = bus.dead_letters("DLQ");
    let list = queue.list(&LetterFilter::all(), Page::ALL).await.unwrap();
    assert_eq!(queue.unreadable().await.unwrap(), Vec::<u64>::new());
    list.iter().map(|letter| letter.id).collect()
}

#[tokio::test]
async fn what_an_earlier_owner_appends_does_not_count() {
    let (_server, buses) = buses().await;
    for bus in buses {
        let first = take_over(&bus, owner(1)).await;
        append(&first, 2).await;
        let second = take_over(&bus, owner(2)).await;
        append(&first, 3).await;
        append(&first, 2).await;
        assert_eq!(waiting(&second).await, [2]);
        // The next owner parks the same event after all.
        for _ in 0..2 {
            append(&second, 3).await;
        }
        append(&second, 2).await;
        append(&second, 4).await;
        // The subjects have what counts.
        append(&first, 4).await;
        append(&first, 3).await;
        assert_eq!(waiting(&second).await, [2, 3, 4]);
        let parked = stored(&bus, "DLQ", "dlq.=park.>").await;
        let owners: Vec<_> = parked
            .iter()
            .map(|it| it.headers.get("Dead-Letter-Owner").unwrap())
            .collect();
        assert_eq!(owners, ["0.1", "0.1", "0.2", "0.2"]);

        // The same from another point of view: of a process that is not an owner.
        let anybody = bus.dead_letters("DLQ").park("billing");
        assert_eq!(waiting(&anybody).await, [2, 3, 4]);
        append(&anybody, 5).await;
        assert_eq!(waiting(&anybody).await, [2, 3, 4, 5]);

        // Each is handled once.
        let key = DeadKey::new("ORDERS", "a");
        for event in within("events", second.events(&key)).await.unwrap() {
            let loaded = within("an event", second.load(&event)).await.unwrap();
            assert_eq!(loaded.unwrap().body, letter(event.position).body);
            within("a mark", second.handled(&event)).await.unwrap();
        }
        let third = take_over(&bus, owner(3)).await;
        assert!(waiting(&third).await.is_empty());
    }
}

#[tokio::test]
async fn owners_of_other_partitions_and_consumers_are_no_later_owners() {
    let (_server, buses) = buses().await;
    for bus in buses {
        let first = take_over(&bus, owner(1)).await;
        let second = take_over(&bus, OwnerEpoch::new(1, 9)).await;
        let park = bus.dead_letters("DLQ").park("shipping");
        let taken = within("a takeover", park.take_over(owner(9), || true)).await;
        assert!(taken.unwrap().is_some());
        append(&first, 2).await;
        append(&second, 3).await;
        assert_eq!(waiting(&first).await, [2, 3]);
    }
}

/// A process was frozen before it wrote its takeover.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_takeover_that_comes_too_late_is_not_written() {
    let (_server, buses) = buses().await;
    for bus in buses {
        let park = bus.dead_letters("DLQ").park("billing");
        let refused = within("no takeover", park.take_over(owner(1), || false)).await;
        assert!(refused.unwrap().is_none());
        assert_eq!(stored(&bus, "DLQ", "dlq.>").await.len(), 0);

        // The other one takes over after this process has made sure that it is the owner.
        let runtime = tokio::runtime::Handle::current();
        let asked = std::sync::atomic::AtomicUsize::new(0);
        let is_owner = || {
            let was_asked = asked.fetch_add(1, std::sync::atomic::Ordering::Relaxed) > 0;
            if !was_asked {
                let other = take_over(&bus, owner(2));
                std::thread::scope(|scope| {
                    let other = scope.spawn(|| runtime.block_on(other));
                    assert!(other.join().is_ok());
                });
            }
            !was_asked
        };
        let refused = within("no takeover", park.take_over(owner(1), is_owner)).await;
        assert!(refused.unwrap().is_none());
        let takeovers = stored(&bus, "DLQ", "dlq.=state.billing.=takeover.*").await;
        assert_eq!(takeovers.len(), 1);
        let by = takeovers[0].headers.get("Dead-Letter-Owner");
        assert_eq!(by, Some("0.2"));
        // Once more, after an answer was lost.
        take_over(&bus, owner(2)).await;
        let takeovers = stored(&bus, "DLQ", "dlq.=state.>").await;
        assert_eq!(takeovers.len(), 1);
    }
}

const LIMIT: usize = 20_000;

/// The letter has several parts.
#[tokio::test]
async fn a_late_letter_is_written_again_by_the_next_owner() {
    let server = Server::options().max_payload(LIMIT).start().await.unwrap();
    let nats = connect(&server, builder()).await;
    within("the streams", nats.apply_streams()).await.unwrap();
    let memory = builder().memory_with(|memory| memory.max_payload(LIMIT));
    for bus in [memory.unwrap(), nats] {
        for (size, key) in [(100, "a"), (LIMIT, "b")] {
            let queue = bus.dead_letters("DLQ");
            let before = letters(&bus).await.len();
            let mut letter = letter(u64::try_from(size).unwrap());
            letter.body = vec![b'x'; size].into();
            letter.key = Some(key.to_owned());
            letter.sequenced = true;
            let first = take_over(&bus, owner(2 * before as u64 + 1)).await;
            take_over(&bus, owner(2 * before as u64 + 2)).await;
            put(&bus, &letter, owner(2 * before as u64 + 1)).await;
            assert_eq!(letters(&bus).await.len(), before);
            let keys = within("keys", first.keys()).await.unwrap();
            assert_eq!(keys.len(), before, "the key is not dead");

            for _ in 0..2 {
                put(&bus, &letter, owner(2 * before as u64 + 2)).await;
            }
            put(&bus, &letter, owner(2 * before as u64 + 1)).await;
            let list = letters(&bus).await;
            assert_eq!(list.len(), before + 1);
            let id = *list.last().unwrap();
            let keys = within("keys", first.keys()).await.unwrap();
            assert_eq!(keys.len(), before + 1);

            // What does not count is deleted, and nothing that the other letter needs.
            let all = stored(&bus, "DLQ", "dlq.billing.>").await.len();
            let now = Timestamp::now() + std::time::Duration::from_mins(1);
            assert_eq!(queue.expiring_events(now).await.unwrap().len(), 1);
            let expired = queue.expire(now, Deletion::Remove);
            let expired = within("an expiry", expired).await.unwrap();
            assert_eq!(expired.events.len(), 1);
            assert!(expired.purged.is_empty());
            let left = stored(&bus, "DLQ", "dlq.billing.>").await.len();
            assert_eq!(left, all - 1);
            let shown = within("a letter", queue.show(id)).await.unwrap().unwrap();
            assert_eq!(shown.letter.body, letter.body);
            assert_eq!(letters(&bus).await, list);
            let keys = within("keys", first.keys()).await.unwrap();
            assert_eq!(keys.len(), before + 1);
        }
    }
}
