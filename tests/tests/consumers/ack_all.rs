//! One acknowledgement for many events on a real server: how many are sent, and what a new owner
//! settles after a crash of the previous one.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use event_sdk::EventBus;
use event_sdk::consumer::{Consumer, ConsumerReport, Ctx, EventBatch, Failure, Retry};
use event_sdk::transport::{AckPolicy, TransportExt as _};
use event_sdk_tests::killers::Counted;
use futures_util::StreamExt as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::oneshot;

use crate::rig::{connect, eventually, left, publish, start, within};

const EVENTS: u64 = 400;

fn consumer(bus: &EventBus, term: Duration) -> Consumer<Counted> {
    bus.consumer::<Counted>("together")
        .ack_wait(Duration::from_secs(2))
        .single_active_for(term)
        .ack_all()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_batch_is_acknowledged_by_one_message() {
    let (server, bus) = start().await;
    publish(&bus, 0..EVENTS).await;
    let client = async_nats::connect(server.url()).await.unwrap();
    let mut acks = client
        .subscribe("$JS.ACK.KILLERS.together.>")
        .await
        .unwrap();
    client.flush().await.unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let within_time = Duration::from_secs(1);
    // The lease of a process that the machine does not let run does not end so soon.
    let consumer = consumer(&bus, Duration::from_secs(30));
    let consumer = consumer.on_batches(100, within_time, |batch: EventBatch<Counted>| {
        assert!(!batch.is_empty());
        std::future::ready(Ok(()))
    });
    let task = tokio::spawn(consumer.run_until(async { drop(stopped.await) }));
    eventually("all events", async || {
        left(&bus, "together").await == Some((0, 0))
    })
    .await;
    stop.send(()).unwrap();
    let report = within("the end", task).await.unwrap().unwrap();
    assert_eq!(report.handled, EVENTS);
    let info = bus.transport().consumer_info("KILLERS", "together").await;
    assert_eq!(info.unwrap().config.ack, AckPolicy::All);
    // Everything that was sent before this has come.
    client
        .publish("$JS.ACK.KILLERS.together.end", "".into())
        .await
        .unwrap();
    let mut sent = 0;
    while let Some(message) = within("an acknowledgement", acks.next()).await {
        if message.subject.ends_with("end") {
            break;
        }
        sent += u64::from(&*message.payload == b"+ACK");
    }
    assert!((1..=EVENTS / 4).contains(&sent), "{sent} acknowledgements");
}

type Notes = Arc<Mutex<Vec<u64>>>;

/// An instance in which one of 50 events fails twice, and that takes 5 ms for each event; it never
/// completes an event with the number `stands_at` or a higher one.
fn instance(
    bus: &EventBus,
    notes: &Notes,
    stands_at: u64,
) -> (oneshot::Sender<()>, tokio::task::JoinHandle<ConsumerReport>) {
    let (stop, stopped) = oneshot::channel::<()>();
    let consumer =
        consumer(bus, Duration::from_secs(2)).retry(Retry::steps([Duration::from_millis(100)]));
    let consumer = consumer.on_with(
        Arc::clone(notes),
        move |notes: Notes, event: Counted, ctx: Ctx| async move {
            if event.number >= stands_at {
                std::future::pending::<()>().await;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
            if event.number % 50 == 7 && ctx.attempt() < 3 {
                return Err(Failure::retry("declined"));
            }
            notes.lock().unwrap().push(event.number);
            Ok(())
        },
    );
    let task = tokio::spawn(async move {
        let stopped = async { drop(stopped.await) };
        consumer.run_until(stopped).await.unwrap()
    });
    (stop, task)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_owner_settles_nothing_that_was_not_handled() {
    let (server, bus) = start().await;
    let notes = Notes::default();
    let (one, other) = (connect(&server).await, connect(&server).await);
    let first = instance(&one, &notes, EVENTS / 2);
    publish(&bus, 0..EVENTS).await;
    eventually("some events", async || notes.lock().unwrap().len() > 30).await;
    let second = instance(&other, &notes, u64::MAX);
    // It drops what it runs, and neither settles nor releases anything.
    first.1.abort();
    assert!(within("the abort", first.1).await.is_err());
    eventually("the rest", async || {
        left(&bus, "together").await == Some((0, 0))
    })
    .await;
    let handled: BTreeSet<u64> = notes.lock().unwrap().iter().copied().collect();
    assert_eq!(handled, (0..EVENTS).collect());
    // Later ones are settled too: the redeliveries had higher numbers than these have.
    publish(&bus, EVENTS..EVENTS + 10).await;
    eventually("the last ones", async || {
        left(&bus, "together").await == Some((0, 0))
            && notes.lock().unwrap().len() as u64 >= EVENTS + 10
    })
    .await;
    second.0.send(()).unwrap();
    let report = within("the end", second.1).await.unwrap();
    assert_eq!(report.settlements_failed, 0);
}

/// Publishes messages with headers that cannot be read, which no client library would.
async fn publish_unreadable(port: u16, count: usize) {
    let mut socket = tokio::net::TcpStream::connect(("127.0.0.1", port))
        .await
        .unwrap();
    let subject = "events.killers.event.counted";
    let message = format!("HPUB {subject} 22 22\r\nNATS/1.0\r\nno colon\r\n\r\n\r\n");
    let all = format!(
        "CONNECT {{\"headers\":true}}\r\n{}PING\r\n",
        message.repeat(count)
    );
    socket.write_all(all.as_bytes()).await.unwrap();
    let (mut said, mut bytes) = (String::new(), [0; 4096]);
    while !said.contains("PONG") {
        let read = within("the answer", socket.read(&mut bytes)).await.unwrap();
        assert!(read > 0, "the server closed the connection: {said}");
        said += &String::from_utf8_lossy(&bytes[..read]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn more_unreadable_messages_than_may_be_unsettled_hold_up_no_event() {
    for ack_all in [true, false] {
        let (server, bus) = start().await;
        let notes = Notes::default();
        publish(&bus, 0..1).await;
        publish_unreadable(server.port(), 25).await;
        publish(&bus, 1..2).await;
        // Nothing comes after these.
        publish_unreadable(server.port(), 25).await;
        let (stop, stopped) = oneshot::channel::<()>();
        let term = Duration::from_secs(30);
        let consumer = if ack_all {
            consumer(&bus, term)
        } else {
            bus.consumer::<Counted>("together").single_active_for(term)
        };
        let consumer = consumer.max_ack_pending(10).on_with(
            Arc::clone(&notes),
            async |notes: Notes, event: Counted, _: Ctx| {
                notes.lock().unwrap().push(event.number);
                Ok(())
            },
        );
        let task = tokio::spawn(consumer.run_until(async { drop(stopped.await) }));
        eventually("all events", async || {
            left(&bus, "together").await == Some((0, 0)) && notes.lock().unwrap().len() == 2
        })
        .await;
        stop.send(()).unwrap();
        let report = within("the end", task).await.unwrap().unwrap();
        assert_eq!((report.handled, report.repeated), (2, 0));
        assert_eq!(*notes.lock().unwrap(), [0, 1]);
    }
}
