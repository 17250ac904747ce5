//! Partitions: how instances share them, what keeps the order, and what is done once for all of them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use event_sdk::consumer::{ConsumerReport, Consumers, Ctx, EventBatch, Failure, Retry};
use event_sdk::dead_letters::{
    DeadLetterStream, DeadLetters, LetterFilter, MemoryDeadLetters, Page, RedriveOutcome,
};
use event_sdk::stream::StreamSpec;
use event_sdk::transport::TransportExt as _;
use event_sdk::{ConsumerSpec, EventBus};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::journal::{Journal, OrderPaid, OrderPlaced, OrderPlacedInParts, Orders, left, place};

const TERM: Duration = Duration::from_secs(12);
const PARTITIONS: u32 = 8;

const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

/// One instance of a service.
struct Instance {
    stop: oneshot::Sender<()>,
    task: JoinHandle<ConsumerReport>,
}

impl Instance {
    /// Starts an instance whose handler notes `<name> <key> <number>`, and then takes `time`.
    fn start(bus: &EventBus, name: &'static str, journal: &Journal, time: Duration) -> Self {
        let (stop, stopped) = oneshot::channel::<()>();
        let notes = journal.clone();
        let consumer = bus
            .consumer::<OrderPlaced>("billing")
            .concurrency(4)
            .no_handler_timeout()
            .partitions_for(PARTITIONS, TERM)
            .on(move |order: OrderPlaced, _: Ctx| {
                let notes = notes.clone();
                async move {
                    tokio::time::sleep(time).await;
                    notes.note(format!("{name} {} {}", order.order, order.number));
                    Ok::<(), Failure>(())
                }
            });
        let task = tokio::spawn(async move {
            consumer
                .run_until(async { drop(stopped.await) })
                .await
                .unwrap()
        });
        Self { stop, task }
    }

    async fn end(self) -> ConsumerReport {
        self.stop.send(()).unwrap();
        self.task.await.unwrap()
    }
}

/// Events of 20 keys, with these numbers.
async fn place_all(bus: &EventBus, numbers: std::ops::Range<u64>) {
    for number in numbers {
        for key in 0..20 {
            place(bus, &format!("k{key}"), number).await;
        }
    }
}

/// The notes by key, as (instance, number).
fn by_key(journal: &Journal) -> BTreeMap<String, Vec<(String, u64)>> {
    let mut found = BTreeMap::<_, Vec<_>>::new();
    for note in journal.notes() {
        let words: Vec<_> = note.split(' ').collect();
        let entry = found.entry(words[1].to_owned()).or_default();
        entry.push((words[0].to_owned(), words[2].parse().unwrap()));
    }
    found
}

/// The instances that handled events since the note with this index.
fn instances_since(journal: &Journal, since: usize) -> BTreeSet<String> {
    let notes = journal.notes();
    let names = notes[since..].iter().map(|note| {
        let (name, _) = note.split_once(' ').unwrap();
        name.to_owned()
    });
    names.collect()
}

/// Everything was handled once, in the order of each key.
fn assert_all_once_in_order(journal: &Journal, numbers: std::ops::Range<u64>) {
    let found = by_key(journal);
    assert_eq!(found.len(), 20);
    for (key, notes) in found {
        let handled: Vec<_> = notes.iter().map(|(_, number)| *number).collect();
        assert_eq!(handled, numbers.clone().collect::<Vec<_>>(), "{key}");
    }
}

/// All durables, how many events they have not settled.
async fn all_left(bus: &EventBus) -> Vec<(u64, u64)> {
    let mut found = Vec::new();
    for index in 0..PARTITIONS {
        found.push(left(bus, &format!("billing-p{index}")).await);
    }
    found
}

#[tokio::test(start_paused = true)]
async fn instances_share_the_partitions_and_keep_the_order_of_each_key() {
    let (bus, journal) = (EventBus::memory(), Journal::new());
    let names = ["one", "two", "three"];
    let mut instances = Vec::new();
    for name in names {
        instances.push(Instance::start(&bus, name, &journal, Duration::ZERO));
    }
    // Those that start together have shared the partitions by then.
    tokio::time::sleep(5 * TERM).await;
    place_all(&bus, 0..10).await;
    tokio::time::sleep(secs(5)).await;
    assert_all_once_in_order(&journal, 0..10);
    assert_eq!(instances_since(&journal, 0).len(), 3);
    for notes in by_key(&journal).values() {
        assert!(
            notes.iter().all(|(name, _)| *name == notes[0].0),
            "{notes:?}"
        );
    }
    assert_eq!(all_left(&bus).await, [(0, 0); 8]);
    let mut total = ConsumerReport::default();
    for instance in instances {
        let report = instance.end().await;
        total.handled += report.handled;
        total.of_other_partitions += report.of_other_partitions;
        assert_eq!(report.settlements_failed, 0);
    }
    // Each event was delivered once for each partition.
    assert_eq!(total.handled, 200);
    assert_eq!(total.of_other_partitions, 200 * u64::from(PARTITIONS - 1));
}

#[tokio::test(start_paused = true)]
async fn a_new_instance_gets_its_share_and_one_that_ends_hands_over() {
    let (bus, journal) = (EventBus::memory(), Journal::new());
    let first = Instance::start(&bus, "first", &journal, Duration::from_millis(20));
    tokio::time::sleep(secs(5)).await;
    place_all(&bus, 0..10).await;
    journal.wait(40).await;
    // It takes over partitions while their events are handled.
    let second = Instance::start(&bus, "second", &journal, Duration::from_millis(20));
    tokio::time::sleep(2 * TERM).await;
    assert_all_once_in_order(&journal, 0..10);
    let before = journal.notes().len();
    place_all(&bus, 10..20).await;
    tokio::time::sleep(secs(5)).await;
    assert_all_once_in_order(&journal, 0..20);
    assert_eq!(instances_since(&journal, before).len(), 2);
    let handled = first.end().await.handled;
    let before = journal.notes().len();
    place_all(&bus, 20..30).await;
    // Less than the term: it has released its partitions.
    tokio::time::sleep(secs(6)).await;
    assert_all_once_in_order(&journal, 0..30);
    assert_eq!(instances_since(&journal, before).len(), 1);
    assert_eq!(handled + second.end().await.handled, 600);
}

#[tokio::test(start_paused = true)]
async fn the_partitions_of_a_crashed_instance_are_taken_over_after_the_term() {
    let (bus, journal) = (EventBus::memory(), Journal::new());
    let first = Instance::start(&bus, "first", &journal, Duration::ZERO);
    let second = Instance::start(&bus, "second", &journal, Duration::ZERO);
    tokio::time::sleep(5 * TERM).await;
    place_all(&bus, 0..5).await;
    tokio::time::sleep(secs(5)).await;
    assert_eq!(instances_since(&journal, 0).len(), 2);
    first.task.abort();
    drop(first.task.await);
    let before = journal.notes().len();
    place_all(&bus, 5..10).await;
    tokio::time::sleep(secs(8)).await;
    // Its keys wait within the term; the others go on.
    let own = journal.notes().len() - before;
    assert!(0 < own && own < 100, "{own}");
    tokio::time::sleep(2 * TERM).await;
    assert_all_once_in_order(&journal, 0..10);
    assert!(second.end().await.handled >= 100);
}

#[tokio::test(start_paused = true)]
async fn an_instance_that_was_stopped_past_its_leases_completes_nothing_and_goes_on_later() {
    let (bus, journal) = (EventBus::memory(), Journal::new());
    let first = Instance::start(&bus, "first", &journal, secs(5));
    tokio::time::sleep(secs(5)).await;
    place(&bus, "a", 1).await;
    place(&bus, "a", 2).await;
    tokio::time::sleep(secs(1)).await;
    // No task runs meanwhile, as if the process was frozen.
    tokio::time::advance(2 * TERM).await;
    tokio::time::sleep(secs(1)).await;
    assert_eq!(journal.notes(), Vec::<String>::new());
    tokio::time::sleep(secs(60)).await;
    assert_eq!(journal.notes(), ["first a 1", "first a 2"]);
    assert_eq!(first.end().await.handled, 2);
}

#[tokio::test(start_paused = true)]
async fn the_concurrency_is_that_of_the_instance() {
    let bus = EventBus::memory();
    place_all(&bus, 0..3).await;
    let (running, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let counts = (Arc::clone(&running), Arc::clone(&most));
    let (done, mut ended) = tokio::sync::watch::channel(0);
    let consumer = bus
        .consumer::<OrderPlaced>("billing")
        .partitions(PARTITIONS)
        .concurrency(3)
        .on(move |_: OrderPlaced, _: Ctx| {
            let (running, most) = counts.clone();
            let done = done.clone();
            async move {
                most.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                tokio::time::sleep(secs(1)).await;
                running.fetch_sub(1, Ordering::SeqCst);
                done.send_modify(|done| *done += 1);
                Ok::<(), Failure>(())
            }
        });
    let stop = async { drop(ended.wait_for(|done| *done == 60).await) };
    let report = consumer.run_until(stop).await.unwrap();
    assert_eq!(report.handled, 60);
    assert_eq!(most.load(Ordering::SeqCst), 3);
}

#[tokio::test(start_paused = true)]
async fn an_event_waits_for_its_retry_and_later_ones_of_its_key_with_it() {
    let (bus, journal) = (EventBus::memory(), Journal::new());
    let notes = journal.clone();
    let consumer = bus
        .consumer::<OrderPlaced>("billing")
        .partitions(2)
        .retry(Retry::steps([secs(1)]))
        .on(move |order: OrderPlaced, ctx: Ctx| {
            let notes = notes.clone();
            async move {
                if order.number == 0 && ctx.attempt() == 1 {
                    return Err(Failure::retry("not yet"));
                }
                notes.note(format!("{} {}", order.order, order.number));
                Ok(())
            }
        });
    for number in 0..3 {
        place(&bus, "a", number).await;
    }
    let report = consumer.run_until(journal.wait(3)).await.unwrap();
    assert_eq!(journal.notes(), ["a 0", "a 1", "a 2"]);
    assert_eq!((report.handled, report.failed_attempts), (3, 1));
}

#[tokio::test(start_paused = true)]
async fn events_without_a_key_and_unknown_ones_are_of_one_partition() {
    let (bus, journal) = (EventBus::memory(), Journal::new());
    let letters = MemoryDeadLetters::new();
    let consumer = || {
        let notes = journal.clone();
        bus.consumer::<Orders>("billing")
            .partitions(PARTITIONS)
            .dead_letters(DeadLetters::memory(&letters))
            .each(move |event: Orders, _: Ctx| {
                let notes = notes.clone();
                async move {
                    if let Orders::Paid(paid) = event {
                        notes.note(format!("{}", paid.number));
                    }
                    Ok::<(), Failure>(())
                }
            })
    };
    for number in 0..10 {
        bus.publisher().publish(OrderPaid { number }).await.unwrap();
        // A newer major, which this set does not know: delayed, and a letter in the end.
        let order = format!("k{number}");
        let newer = OrderPlacedInParts { order };
        bus.publisher().publish(newer).await.unwrap();
    }
    let (stop, stopped) = oneshot::channel::<()>();
    let running = tokio::spawn(consumer().run_until(async { drop(stopped.await) }));
    tokio::time::sleep(secs(3_600)).await;
    stop.send(()).unwrap();
    let report = running.await.unwrap().unwrap();
    let expected: Vec<_> = (0..10).map(|number| number.to_string()).collect();
    assert_eq!(journal.notes(), expected);
    assert_eq!((report.handled, report.dead_lettered), (10, 10));
    assert!(report.delayed >= 10, "{report}");
    let dead: BTreeSet<_> = letters
        .letters()
        .iter()
        .map(|l| l.origin.sequence)
        .collect();
    assert_eq!(dead, (1..=10).map(|number| 2 * number).collect());
    assert_eq!(all_left(&bus).await, [(0, 0); 8]);
}

#[tokio::test(start_paused = true)]
async fn a_redriven_letter_is_handled_by_the_owner_of_its_key() {
    let place_of_letters = DeadLetterStream::new("DLQ");
    let bus = EventBus::builder()
        .stream(StreamSpec::new("ORDERS").subject("orders.>"))
        .stream(place_of_letters.spec().replicas(1))
        .stream(place_of_letters.retry_spec().replicas(1))
        .memory()
        .unwrap();
    let journal = Journal::new();
    let notes = journal.clone();
    let consumer = bus
        .consumer::<OrderPlaced>("billing")
        .partitions(PARTITIONS)
        .dead_letters(DeadLetters::stream(place_of_letters.clone()))
        .on(move |order: OrderPlaced, ctx: Ctx| {
            let notes = notes.clone();
            async move {
                if ctx.redriven().is_none() {
                    return Err(Failure::reject("not this time"));
                }
                notes.note(order.order);
                Ok(())
            }
        });
    for key in 0..10 {
        place(&bus, &format!("k{key}"), 0).await;
    }
    let (stop, stopped) = oneshot::channel::<()>();
    let running = tokio::spawn(consumer.run_until(async { drop(stopped.await) }));
    tokio::time::sleep(secs(10)).await;
    let queue = bus.dead_letters(place_of_letters);
    let all = LetterFilter::default();
    let letters = queue.list(&all, Page::ALL).await.unwrap();
    assert_eq!(letters.len(), 10);
    assert!(letters.iter().all(|letter| letter.consumer == "billing"));
    queue.redrive(all.clone()).await.unwrap();
    tokio::time::sleep(secs(10)).await;
    let outcomes = queue.outcomes(&all).await.unwrap();
    assert_eq!(outcomes.len(), 10);
    assert!(
        outcomes.values().all(|it| *it == RedriveOutcome::Handled),
        "{outcomes:?}"
    );
    stop.send(()).unwrap();
    let report = running.await.unwrap().unwrap();
    let mut notes = journal.notes();
    notes.sort();
    let expected: Vec<_> = (0..10).map(|key| format!("k{key}")).collect();
    assert_eq!(notes, expected);
    assert_eq!((report.handled, report.dead_lettered), (10, 10));
}

#[tokio::test(start_paused = true)]
async fn a_long_handler_keeps_its_event_alive_and_a_drain_waits_for_it() {
    let (bus, journal) = (EventBus::memory(), Journal::new());
    let instance = Instance::start(&bus, "one", &journal, secs(100));
    tokio::time::sleep(secs(5)).await;
    place(&bus, "a", 1).await;
    tokio::time::sleep(secs(90)).await;
    assert_eq!(journal.notes(), Vec::<String>::new());
    let report = instance.end().await;
    assert_eq!(journal.notes(), ["one a 1"]);
    assert_eq!((report.handled, report.given_back), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn batches_have_events_of_one_partition() {
    let bus = EventBus::memory();
    place_all(&bus, 0..5).await;
    let sizes = Journal::new();
    let notes = sizes.clone();
    let (done, mut handled) = tokio::sync::watch::channel(0);
    let consumer = bus
        .consumer::<OrderPlaced>("billing")
        .partitions(4)
        .on_batches(50, secs(1), move |batch: EventBatch<OrderPlaced>| {
            let (notes, done) = (notes.clone(), done.clone());
            async move {
                let keys: BTreeSet<_> =
                    batch.iter().map(|(order, _)| order.order.clone()).collect();
                notes.note(keys.into_iter().collect::<Vec<_>>().join(" "));
                done.send_modify(|done| *done += batch.len());
                Ok(())
            }
        });
    let stop = async { drop(handled.wait_for(|done| *done == 100).await) };
    let report = consumer.run_until(stop).await.unwrap();
    assert_eq!(report.handled, 100);
    let batches = sizes.notes();
    assert_eq!(batches.len(), 4, "{batches:?}");
    let keys: Vec<_> = batches.iter().flat_map(|keys| keys.split(' ')).collect();
    assert_eq!(keys.len(), 20, "{batches:?}");
}

#[tokio::test(start_paused = true)]
async fn a_registry_runs_partitions_and_the_declared_settings_hold() {
    let spec = ConsumerSpec::durable::<OrderPlaced>("billing")
        .partitions(3)
        .max_ack_pending(7);
    let bus = EventBus::builder()
        .stream(StreamSpec::new("EVENTS").subject(">"))
        .consumer(spec)
        .memory()
        .unwrap();
    let applied = bus.apply().await.unwrap().to_string();
    for index in 0..3 {
        let line = format!("consumer billing-p{index} of EVENTS created");
        assert!(applied.contains(&line), "{applied}");
    }
    let journal = Journal::new();
    let notes = journal.clone();
    let consumers = Consumers::new();
    let consumer = bus
        .consumer::<OrderPlaced>("billing")
        .must_exist()
        .partitions(3)
        .on(move |order: OrderPlaced, _: Ctx| {
            notes.note(order.order);
            async { Ok::<(), Failure>(()) }
        });
    consumers.add(consumer).unwrap();
    for key in 0..30 {
        place(&bus, &format!("k{key}"), 0).await;
    }
    let report = consumers.run_until(journal.wait(30)).await;
    let reports: Vec<_> = report.of("billing").collect();
    assert_eq!(reports.len(), 1);
    assert_eq!(reports[0].handled, 30);
    for index in 0..3 {
        let durable = format!("billing-p{index}");
        let info = bus
            .transport()
            .consumer_info("EVENTS", &durable)
            .await
            .unwrap();
        assert_eq!((info.ack_pending, info.pending), (0, 0));
    }
}

#[tokio::test(start_paused = true)]
async fn a_registry_is_idle_when_all_partitions_are() {
    let bus = EventBus::memory();
    let journal = Journal::new();
    let notes = journal.clone();
    let consumers = Consumers::new();
    let consumer = bus
        .consumer::<OrderPlaced>("billing")
        .concurrency(2)
        .partitions(PARTITIONS)
        .on(move |order: OrderPlaced, _: Ctx| {
            let notes = notes.clone();
            async move {
                tokio::time::sleep(secs(2)).await;
                notes.note(order.order);
                Ok::<(), Failure>(())
            }
        });
    consumers.add(consumer).unwrap();
    consumers.idle().await.unwrap();
    for round in 1..=2 {
        place_all(&bus, round..round + 1).await;
        consumers.idle().await.unwrap();
        assert_eq!(journal.notes().len() as u64, round * 20);
        assert!(all_left(&bus).await.iter().all(|left| *left == (0, 0)));
    }
    let report = consumers.run_until(async {}).await;
    assert!(report.into_result().is_ok());
}
