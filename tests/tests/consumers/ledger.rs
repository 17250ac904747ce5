//! The ledger: three processes of a service on a cluster of three servers, ordered by key, while
//! processes are killed and stopped, the leader is killed, and a node is stopped. Everything is in the
//! journals of the processes, and the checker finds nothing.
//!
//! `LEDGER_EVENTS` sets the number of events; `cargo xtask long ledger` runs 100,000 of 1,000 keys.

mod processes;

use std::time::{Duration, Instant};

use event_sdk::EventBus;
use event_sdk::dead_letters::{LetterFilter, Page};
use event_sdk::transport::TransportExt as _;
use event_sdk::transport::nats::Nats;
use event_sdk_test_servers::Cluster;
use event_sdk_tests::ledger::check::{Expected, check};
use event_sdk_tests::ledger::{
    ACK_WAIT, Booked, CONSUMER, Fate, Form, STREAM, TERM, builder, letters,
};

use self::processes::Processes;
use crate::rig::{PATIENCE, so_in_time, within};

/// How many events.
fn events() -> u64 {
    let events = std::env::var("LEDGER_EVENTS").ok();
    let events = events.map(|text| text.parse().expect("LEDGER_EVENTS is a number"));
    events.unwrap_or(2_000)
}

/// How many events are published at a time.
const CHUNK: u64 = 250;

/// How many events one round of faults takes.
const ROUND: u64 = 20_000;

/// How long a process is stopped: its leases are lost, and another process has taken over.
const STOPPED_FOR: Duration = Duration::from_secs(9);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_owner_keeps_the_ledger_whatever_fails() {
    run(Form::SingleActive).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn owners_of_partitions_keep_the_ledger_whatever_fails() {
    run(Form::Partitions(6)).await;
}

async fn run(form: Form) {
    assert!(STOPPED_FOR + Duration::from_secs(1) > TERM * 2 + ACK_WAIT);
    let begun = Instant::now();
    let mut cluster = within("a cluster", Cluster::start(3)).await.unwrap();
    let patient = connect(&cluster, PATIENCE).await;
    within("the streams", patient.apply()).await.unwrap();
    // Requests to a server that is killed get no answer.
    let bus = connect(&cluster, Duration::from_secs(2)).await;
    let mut processes = Processes::start(form, &cluster.url(), 3);
    let (total, keys) = (events(), (events() / 100).max(20));
    let published = tokio::spawn(publish(bus.clone(), total, keys));
    let rounds = total.div_ceil(ROUND);
    for round in 0..rounds {
        let at = |part: u64| (total * (5 * round + part) / (5 * rounds)).min(total - 1);
        processes.progress(at(1)).await;
        processes.kill_one_that_works(&cluster.url());
        processes.progress(at(2)).await;
        processes.stop_one_that_works(STOPPED_FOR).await;
        processes.progress(at(3)).await;
        kill_the_leader(&mut cluster, form).await;
        processes.progress(at(4)).await;
        stop_a_node(&mut cluster).await;
    }
    within("the publisher", published).await.unwrap();
    let mut left = None;
    let ended = so_in_time(async || {
        left = what_is_left(&bus, form).await;
        left.is_none()
    });
    assert!(
        ended.await,
        "waited in vain for the end of the work: {left:?}"
    );
    let journals = processes.end().await;
    let took = begun.elapsed();

    let expected = expected(&patient).await;
    assert!(expected.events.len() as u64 >= total);
    let findings = check(&expected, &journals);
    println!("{form:?}: {keys} keys, {rounds} rounds of faults, {took:.0?}: {findings}");
    let first = findings.violations.iter().take(20).collect::<Vec<_>>();
    assert!(first.is_empty(), "{findings}: {first:?}");
    assert_eq!(
        findings.completed + findings.dead,
        expected.events.len() as u64
    );
    assert!(findings.dead > 0 && findings.starts > findings.completed);
}

async fn connect(cluster: &Cluster, request_timeout: Duration) -> EventBus {
    let options = Nats::options(cluster.url()).request_timeout(request_timeout);
    let nats = within("a connection", Nats::connect(options)).await;
    builder().transport(nats.unwrap()).unwrap()
}

/// Publishes events of all keys in turn. Those of a chunk that failed are published once more.
async fn publish(bus: EventBus, total: u64, keys: u64) {
    let publisher = bus.publisher::<Booked>();
    let mut number = 0;
    while number < total {
        let chunk = number..(number + CHUNK).min(total);
        let events = chunk.clone().map(|number| Booked {
            account: u32::try_from(number % keys).unwrap(),
            fate: Fate::of(number),
        });
        if within("a chunk", publisher.publish_all(events.collect::<Vec<_>>()))
            .await
            .is_ok()
        {
            number = chunk.end;
        }
    }
}

/// Kills the server that leads the consumer, and brings it back when another one leads.
async fn kill_the_leader(cluster: &mut Cluster, form: Form) {
    let durable = &form.durables()[0];
    let leader = cluster.leader_of_consumer(STREAM, durable).await.unwrap();
    cluster.server(leader).kill().await.unwrap();
    let other = cluster.leader_of_consumer(STREAM, durable).await.unwrap();
    assert_ne!(other, leader);
    within("the cluster", cluster.restart_stopped())
        .await
        .unwrap();
}

/// Stops a server that does not lead the stream, and starts it again.
async fn stop_a_node(cluster: &mut Cluster) {
    let leader = cluster.leader_of_stream(STREAM).await.unwrap();
    let node = (leader + 1) % 3;
    cluster.server(node).stop().await.unwrap();
    within("the cluster", cluster.restart_stopped())
        .await
        .unwrap();
}

/// Describes the first work that is not done: events to deliver or to settle, or keys in the park. `None` if
/// all is done.
async fn what_is_left(bus: &EventBus, form: Form) -> Option<String> {
    for durable in form.durables() {
        match bus.transport().consumer_info(STREAM, &durable).await {
            Ok(info) if (info.ack_pending, info.pending) == (0, 0) => {}
            info => return Some(format!("{info:?}")),
        }
    }
    match bus.dead_letters(letters()).park(CONSUMER).keys().await {
        Ok(keys) if keys.is_empty() => None,
        keys => Some(format!("{keys:?}")),
    }
}

/// All events that are stored, and the dead letters.
async fn expected(bus: &EventBus) -> Expected {
    let mut expected = Expected::default();
    let mut stored = within("the stream", bus.history::<Booked>()).await.unwrap();
    while let Some(event) = within("an event", stored.next()).await {
        let event = event.unwrap();
        let sequence = event.sequence();
        expected.events.insert(sequence);
        if matches!(
            event.decode().unwrap().fate,
            Fate::AlwaysFails | Fate::Rejects
        ) {
            expected.has_to_be_dead.insert(sequence);
        }
    }
    let queue = bus.dead_letters(letters());
    let list = queue
        .list(&LetterFilter::default(), Page::ALL)
        .await
        .unwrap();
    expected.dead = list.iter().map(|letter| letter.origin.sequence).collect();
    assert_eq!(expected.dead.len(), list.len(), "an event has two letters");
    expected
}
