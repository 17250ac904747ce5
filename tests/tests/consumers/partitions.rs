//! Partitions on a real server: instances that start and end hand over without a repeat, redriven
//! letters go to the owner of their key, and another number of partitions is refused.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use event_sdk::consumer::{Consumer, ConsumerReport, Ctx, Failure};
use event_sdk::dead_letters::{DeadLetterStream, DeadLetters, LetterFilter, Page, RedriveOutcome};
use event_sdk::stream::StreamSpec;
use event_sdk::transport::nats::Nats;
use event_sdk::transport::{ErrorKind, TransportExt as _};
use event_sdk::{BusBuilder, ConsumerSpec, Event, EventBus};
use event_sdk_test_servers::Server;
use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::rig::{PATIENCE, eventually, within};

const PARTITIONS: u32 = 4;
const KEYS: u32 = 30;

/// An amount was booked on an account.
#[derive(Debug, Clone, PartialEq, Event, Serialize, Deserialize)]
#[event(domain = "parts", entity = "account", action = "booked")]
struct Booked {
    #[event(key)]
    account: u32,
    number: u64,
}

/// What handlers completed: the instance, the account, and the number.
type Notes = Arc<Mutex<Vec<(char, u32, u64)>>>;

struct Instance {
    stop: oneshot::Sender<()>,
    task: JoinHandle<ConsumerReport>,
}

fn letters() -> DeadLetterStream {
    DeadLetterStream::new("PARTS_DLQ")
}

fn builder() -> BusBuilder {
    let spec = ConsumerSpec::durable::<Booked>("parts")
        .partitions(PARTITIONS)
        .ack_wait(Duration::from_secs(5));
    EventBus::builder()
        .stream(StreamSpec::new("PARTS").subject("parts.>"))
        .stream(letters().spec())
        .stream(letters().retry_spec())
        .coordination("PARTS")
        .consumer(spec)
}

async fn connect(server: &Server, builder: BusBuilder) -> EventBus {
    let options = Nats::options(server.url()).request_timeout(PATIENCE);
    let nats = within("a connection", Nats::connect(options)).await;
    builder.transport(nats.unwrap()).unwrap()
}

/// A consumer that rejects events with the number 1,000, unless they were redriven.
fn consumer(bus: &EventBus, name: char, notes: &Notes) -> Consumer<Booked> {
    let consumer = bus.consumer::<Booked>("parts").concurrency(8);
    let consumer = consumer.dead_letters(DeadLetters::stream(letters()));
    let notes = Arc::clone(notes);
    consumer.on_with(
        notes,
        move |notes: Notes, event: Booked, ctx: Ctx| async move {
            if event.number == 1_000 && ctx.redriven().is_none() {
                return Err(Failure::reject("not this time"));
            }
            tokio::time::sleep(Duration::from_millis(3)).await;
            notes
                .lock()
                .unwrap()
                .push((name, event.account, event.number));
            Ok(())
        },
    )
}

fn instance(bus: &EventBus, name: char, notes: &Notes) -> Instance {
    let (stop, stopped) = oneshot::channel::<()>();
    let consumer = consumer(bus, name, notes);
    // Nobody crashes: a lease that ends is one of a process that the machine did not let run.
    let consumer = consumer.partitions_for(PARTITIONS, Duration::from_secs(15));
    let task = tokio::spawn(async move {
        let stopped = async { drop(stopped.await) };
        consumer.run_until(stopped).await.unwrap()
    });
    Instance { stop, task }
}

impl Instance {
    async fn end(self) -> ConsumerReport {
        self.stop.send(()).unwrap();
        within("the end", self.task).await.unwrap()
    }
}

async fn publish(bus: &EventBus, numbers: std::ops::Range<u64>) {
    let events =
        numbers.flat_map(|number| (0..KEYS).map(move |account| Booked { account, number }));
    let publisher = bus.publisher::<Booked>();
    let confirmed = publisher.publish_all(events.collect::<Vec<_>>());
    within("the events", confirmed).await.unwrap();
}

fn count(notes: &Notes, name: char) -> usize {
    let notes = notes.lock().unwrap();
    notes
        .iter()
        .filter(|(instance, ..)| *instance == name)
        .count()
}

/// Whether each durable has settled everything.
async fn is_done(bus: &EventBus) -> bool {
    for index in 0..PARTITIONS {
        let durable = format!("parts-p{index}");
        match bus.transport().consumer_info("PARTS", &durable).await {
            Ok(info) if (info.ack_pending, info.pending) == (0, 0) => {}
            _ => return false,
        }
    }
    true
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn instances_that_start_and_end_hand_over_partitions() {
    let server = Server::start().await.unwrap();
    let bus = connect(&server, builder()).await;
    within("the streams", bus.apply()).await.unwrap();
    let notes = Notes::default();
    let (one, other) = (
        connect(&server, builder()).await,
        connect(&server, builder()).await,
    );
    let first = instance(&one, 'a', &notes);
    publish(&bus, 0..20).await;
    eventually("some events", async || count(&notes, 'a') > 100).await;
    let second = instance(&other, 'b', &notes);
    // It gets partitions while their events are handled; events go on until it has handled some.
    let mut numbers = 0..60;
    publish(&bus, 20..numbers.end).await;
    eventually("events of both", async || {
        publish(&bus, numbers.end..numbers.end + 1).await;
        numbers.end += 1;
        count(&notes, 'b') > 50
    })
    .await;
    let first = first.end().await;
    publish(&bus, numbers.end..numbers.end + 10).await;
    numbers.end += 10;
    eventually("the rest", async || is_done(&bus).await).await;
    let second = second.end().await;

    let total = u64::from(KEYS) * numbers.end;
    assert_eq!(first.handled + second.handled, total, "{first}; {second}");
    let others = first.of_other_partitions + second.of_other_partitions;
    assert!(others >= total * u64::from(PARTITIONS - 1), "{others}");
    let mut accounts = BTreeMap::<u32, Vec<(char, u64)>>::new();
    for (name, account, number) in notes.lock().unwrap().iter() {
        accounts.entry(*account).or_default().push((*name, *number));
    }
    assert_eq!(accounts.len(), KEYS as usize);
    for (account, handled) in accounts {
        assert!(
            handled
                .iter()
                .map(|(_, number)| *number)
                .eq(numbers.clone()),
            "account {account}: {handled:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn letters_are_redriven_to_the_owner_of_their_key_and_another_number_is_refused() {
    let server = Server::start().await.unwrap();
    let bus = connect(&server, builder()).await;
    within("the streams", bus.apply()).await.unwrap();
    let notes = Notes::default();
    let first = instance(&bus, 'a', &notes);
    publish(&bus, 1_000..1_001).await;
    let queue = bus.dead_letters(letters());
    let all = LetterFilter::default();
    eventually("the letters", async || {
        queue
            .count(&all)
            .await
            .is_ok_and(|count| count == u64::from(KEYS))
    })
    .await;
    let found = queue.list(&all, Page::ALL).await.unwrap();
    assert!(found.iter().all(|letter| letter.consumer == "parts"));
    within("the redrive", queue.redrive(all.clone()))
        .await
        .unwrap();
    eventually("the redriven events", async || {
        let outcomes = queue.outcomes(&all).await.unwrap();
        outcomes
            .values()
            .all(|outcome| *outcome == RedriveOutcome::Handled)
    })
    .await;
    assert_eq!(count(&notes, 'a'), KEYS as usize);
    let report = first.end().await;
    assert_eq!(report.handled, u64::from(KEYS));
    assert_eq!(report.dead_lettered, u64::from(KEYS));

    // Without the declaration, which would be refused before.
    let undeclared = || {
        EventBus::builder()
            .stream(StreamSpec::new("PARTS").subject("parts.>"))
            .stream(letters().spec())
            .stream(letters().retry_spec())
            .coordination("PARTS")
    };
    let bus = connect(&server, undeclared()).await;
    for other in [PARTITIONS - 1, PARTITIONS + 1] {
        let wrong = consumer(&bus, 'b', &notes).partitions(other).run();
        let error = within("the refusal", wrong).await.unwrap_err();
        assert_eq!(*error.kind(), ErrorKind::InvalidOption, "{error}");
    }
    let wrong = consumer(&bus, 'b', &notes).single_active().run();
    let error = within("the refusal", wrong).await.unwrap_err();
    assert_eq!(*error.kind(), ErrorKind::InvalidOption, "{error}");
}
