//! Adaptive prefetch against a server: what slow handlers, several members, kills and drains make
//! of it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use event_sdk::transport::Transport as _;
use event_sdk::transport::nats::{Management, Nats};
use event_sdk::transport::{ConsumerConfig, Incoming, Prefetch, Received, Settlement};
use futures_util::StreamExt;
use futures_util::future::join_all;
use tokio::sync::Mutex;
use tokio::sync::mpsc::unbounded_channel;

use crate::consumer_support::{
    PATIENCE, Reader, Rig, STREAM, body, durable, settle, subscribe, times,
};

fn waiting(name: &'static str, ack_wait: Duration) -> ConsumerConfig {
    let mut config = durable(name);
    config.ack_wait = ack_wait;
    config
}

/// How often each event was handled.
#[derive(Default)]
struct Handled(Mutex<BTreeMap<u64, u32>>);

impl Handled {
    async fn add(&self, number: u64) {
        *self.0.lock().await.entry(number).or_default() += 1;
    }

    async fn len(&self) -> usize {
        self.0.lock().await.len()
    }

    async fn repeated(&self) -> Vec<u64> {
        let handled = self.0.lock().await;
        let repeated = handled.iter().filter(|(_, times)| **times > 1);
        repeated.map(|(number, _)| *number).collect()
    }
}

/// Handles what comes, one event after the other, until all have been handled. Returns how much longer
/// than planned an event took at most.
async fn work(reader: &mut Reader, takes: Duration, handled: &Handled, all: usize) -> Duration {
    let begun = Instant::now();
    let mut late = Duration::ZERO;
    while handled.len().await < all {
        assert!(begun.elapsed() < PATIENCE, "not all events came");
        // Whoever handles the last one does not say so to the others.
        let next = tokio::time::timeout(Duration::from_millis(300), reader.next()).await;
        if let Ok(received) = next {
            let received_at = Instant::now();
            tokio::time::sleep(takes).await;
            handled.add(body(&received)).await;
            settle(&received, Settlement::Ack).await.unwrap();
            late = late.max(received_at.elapsed().saturating_sub(takes));
        }
    }
    // Nothing of it comes again.
    if let Ok(again) = tokio::time::timeout(takes * 2, reader.next()).await {
        handled.add(body(&again)).await;
    }
    late
}

async fn nothing_is_repeated(takes: u64, ack_wait: u64, events: u64, members: usize) {
    // Where the machine is so busy that handlers exceed the ack wait, that says nothing of the prefetch.
    for _ in 0..10 {
        if repeats_nothing(takes, ack_wait, events, members).await {
            return;
        }
    }
    panic!("the machine never had time");
}

/// Whether nothing was repeated; `false` if the machine had no time for the handlers.
async fn repeats_nothing(takes: u64, ack_wait: u64, events: u64, members: usize) -> bool {
    let rig = Rig::start().await;
    rig.publish(0..events).await;
    let config = waiting("d", Duration::from_millis(ack_wait));
    let handled = Handled::default();
    let mut readers = Vec::new();
    let mut connections = Vec::new();
    for _ in 0..members {
        let nats = rig.connect().await;
        readers.push(subscribe(&nats, &config, Prefetch::Adaptive).await);
        connections.push(nats);
    }
    let takes = Duration::from_millis(takes);
    let all = usize::try_from(events).unwrap();
    let late = join_all(
        readers
            .iter_mut()
            .map(|reader| work(reader, takes, &handled, all)),
    )
    .await;
    if late.into_iter().max() > Some(config.ack_wait / 8) {
        return false;
    }
    assert_eq!(handled.repeated().await, [0_u64; 0]);
    let info = rig.consumer("d").await;
    assert_eq!(info["num_redelivered"], 0, "{info}");
    assert_eq!(info["delivered"]["consumer_seq"], events, "{info}");
    true
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_handler_repeats_nothing() {
    nothing_is_repeated(200, 3_000, 40, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn four_slow_members_repeat_nothing() {
    nothing_is_repeated(200, 3_000, 40, 4).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handler_with_a_short_ack_wait_repeats_nothing() {
    nothing_is_repeated(150, 1_000, 32, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_members_with_a_short_ack_wait_repeat_nothing() {
    nothing_is_repeated(150, 1_000, 32, 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handler_that_becomes_slow_handles_nothing_twice() {
    let rig = Rig::start().await;
    rig.publish(0..300).await;
    let nats = rig.connect().await;
    let config = waiting("d", Duration::from_secs(1));
    let mut reader = subscribe(&nats, &config, Prefetch::Adaptive).await;
    let mut handled = BTreeMap::<u64, u32>::new();
    // While it is fast, hundreds are prefetched.
    for count in 0..285 {
        let received = reader.next().await;
        *handled.entry(body(&received)).or_default() += 1;
        if count >= 270 {
            tokio::time::sleep(Duration::from_millis(150)).await;
        }
        settle(&received, Settlement::Ack).await.unwrap();
    }
    handled.retain(|_, times| *times > 1);
    assert!(handled.is_empty(), "{handled:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_that_joins_gets_its_share_soon() {
    let rig = Arc::new(Rig::start().await);
    let config = durable("d");
    let (old, new) = (rig.connect().await, rig.connect().await);
    let (sender, mut handled) = unbounded_channel();
    let member = |nats: Nats, name: &'static str| {
        let (sender, config) = (sender.clone(), config.clone());
        async move {
            let mut reader = subscribe(&nats, &config, Prefetch::Adaptive).await;
            loop {
                let received = reader.next().await;
                settle(&received, Settlement::Ack).await.unwrap();
                if sender.send(name).is_err() {
                    return;
                }
            }
        }
    };
    let old = tokio::spawn(member(old, "old"));
    // A burst, after which the old member has large requests open.
    rig.publish(0..500).await;
    for _ in 0..500 {
        assert_eq!(handled.recv().await, Some("old"));
    }
    let publisher = Arc::clone(&rig);
    let publisher = tokio::spawn(async move {
        for number in 500.. {
            publisher.publish([number]).await;
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    });
    for _ in 0..20 {
        assert_eq!(handled.recv().await, Some("old"));
    }
    let new = tokio::spawn(member(new, "new"));
    // As many as are published in two seconds.
    let mut since = Vec::new();
    for _ in 0..400 {
        since.push(handled.recv().await.unwrap());
    }
    assert!(since.contains(&"new"), "it got nothing");
    let mut share = 0;
    for _ in 0..100 {
        share += u32::from(handled.recv().await == Some("new"));
    }
    assert!((20..=80).contains(&share), "{share} of 100");
    for task in [old, new, publisher] {
        task.abort();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_now_and_then_comes_at_once() {
    let rig = Rig::start().await;
    let nats = rig.connect().await;
    let mut reader = subscribe(&nats, &durable("d"), Prefetch::Adaptive).await;
    let mut took = Vec::new();
    for number in 0..30 {
        rig.publish([number]).await;
        let published = Instant::now();
        reader.expect_and_ack([number]).await;
        took.push(published.elapsed());
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    // No timer of the client or the server runs out in between. A busy machine may be late now and then.
    let slow = |time: &&Duration| **time >= Duration::from_millis(400);
    assert!(took.iter().filter(slow).count() <= 5, "{took:?}");
}

/// Waits until the consumer has made so many deliveries, or more.
async fn delivered(rig: &Rig, name: &str, deliveries: u64) {
    rig.until("the deliveries", async |rig: &Rig| {
        let made = &rig.consumer(name).await["delivered"]["consumer_seq"];
        made.as_u64().is_some_and(|made| made >= deliveries)
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_that_waited_past_its_ack_wait_is_not_handed_out() {
    let rig = Rig::start().await;
    let (nats, other) = (rig.connect().await, rig.connect().await);
    let config = waiting("d", Duration::from_secs(1));
    rig.publish(0..10).await;
    let mut reader = subscribe(&nats, &config, 10).await;
    let first = reader.expect(0).await;
    settle(&first, Settlement::AckConfirmed).await.unwrap();
    // The others wait here until another member has handled them.
    delivered(&rig, "d", 10).await;
    let mut other = subscribe(&other, &config, 10).await;
    for _ in 1..10 {
        let received = other.next().await;
        assert!(received.info.attempt > 1);
        settle(&received, Settlement::AckConfirmed).await.unwrap();
    }
    assert!(reader.ready().await.is_none());
    drop(other);
    rig.publish([10]).await;
    reader.expect(10).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redelivery_of_what_runs_replaces_its_reply_subject_and_is_not_handed_out() {
    let rig = Rig::start().await;
    let nats = rig.connect().await;
    let config = waiting("d", Duration::from_millis(500));
    let mut acks = rig.admin.subscribe("$JS.ACK.EVENTS.d.>").await.unwrap();
    rig.publish([0, 1]).await;
    let mut reader = subscribe(&nats, &config, 5).await;
    let running = reader.expect(0).await;
    reader.expect_and_ack([1]).await;
    assert!(reader.ready().await.is_none());
    delivered(&rig, "d", 3).await;
    let mut attempt = async || {
        let ack = acks.next().await.unwrap();
        let attempt = ack.subject.split('.').nth(4).map(str::parse::<u32>);
        attempt.unwrap().unwrap()
    };
    assert_eq!(attempt().await, 1);
    let begun = Instant::now();
    loop {
        // Read here, it starts nothing.
        assert!(reader.ready().await.is_none());
        settle(&running, Settlement::InProgress).await.unwrap();
        if attempt().await > 1 {
            break;
        }
        // The server has sent it, and it is on its way.
        assert!(begun.elapsed() < PATIENCE, "the redelivery did not come");
    }
    settle(&running, Settlement::AckConfirmed).await.unwrap();
    assert!(attempt().await > 1);
    let info = rig.consumer("d").await;
    assert_eq!(info["num_ack_pending"], 0, "{info}");
    // What was put back comes again.
    rig.publish([2]).await;
    let received = reader.expect(2).await;
    settle(&received, Settlement::Nak(Duration::ZERO))
        .await
        .unwrap();
    assert_eq!(reader.expect(2).await.info.attempt, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redelivery_that_was_on_its_way_at_the_ack_is_not_handed_out() {
    let rig = Rig::start().await;
    let nats = rig.connect().await;
    let config = waiting("d", Duration::from_millis(500));
    rig.publish([0]).await;
    let mut reader = subscribe(&nats, &config, 5).await;
    let late = reader.expect(0).await;
    delivered(&rig, "d", 2).await;
    settle(&late, Settlement::Ack).await.unwrap();
    drop(late);
    assert!(reader.ready().await.is_none());
    rig.publish([1]).await;
    reader.expect_and_ack([1]).await;
    // What was dropped without a word comes again.
    rig.publish([2]).await;
    drop(reader.expect(2).await);
    let again = reader.expect(2).await;
    assert_eq!(again.info.attempt, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waited_for_long_gets_its_ack_wait_back_when_it_is_handed_out() {
    let rig = Rig::start().await;
    let (nats, other) = (rig.connect().await, rig.connect().await);
    let config = waiting("d", Duration::from_secs(5));
    rig.publish([0, 1]).await;
    let mut reader = subscribe(&nats, &config, 2).await;
    reader.expect_and_ack([0]).await;
    tokio::time::sleep(Duration::from_millis(3_500)).await;
    let received = reader.expect(1).await;
    let mut other = subscribe(&other, &config, 2).await;
    // A second and a half later its first ack wait is over.
    let stolen = tokio::time::timeout(Duration::from_millis(1_800), other.item()).await;
    assert!(stolen.is_err(), "{stolen:?}");
    settle(&received, Settlement::AckConfirmed).await.unwrap();
}

/// A process: it takes events until one kills it or there are none, and says which it handled.
fn process(url: String, config: &ConsumerConfig, kills: u64) -> Vec<u64> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    let (handled, forgotten) = runtime.block_on(async {
        let nats = Nats::connect(Nats::options(url)).await.unwrap();
        let mut reader = subscribe(&nats, config, Prefetch::Adaptive).await;
        let mut handled = Vec::new();
        let idle = Duration::from_secs(4);
        while let Ok(received) = tokio::time::timeout(idle, message(&mut reader)).await {
            let number = body(&received);
            if number == kills {
                return (handled, Some((nats, reader, received)));
            }
            handled.push(number);
            settle(&received, Settlement::AckConfirmed).await.unwrap();
        }
        (handled, None)
    });
    // Nobody says goodbye: nothing is given back, and the connection is gone.
    std::mem::forget(forgotten);
    runtime.shutdown_background();
    handled
}

/// The next message; notices are passed over.
async fn message(reader: &mut Reader) -> Received {
    loop {
        match reader.item().await {
            Some(Ok(Incoming::Message(received))) => return received,
            Some(Ok(_)) => {}
            other => panic!("{other:?} came instead of a message"),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_kills_the_process_costs_no_other_event_an_attempt() {
    let rig = Rig::start().await;
    rig.publish(0..100).await;
    let mut config = waiting("d", Duration::from_millis(1_500));
    config.max_deliver = times(3);
    let mut handled = Vec::new();
    for _ in 0..4 {
        let (url, config) = (rig.server.url(), config.clone());
        let run = tokio::task::spawn_blocking(move || process(url, &config, 2));
        handled.extend(run.await.unwrap());
    }
    handled.sort_unstable();
    let others: Vec<_> = (0..100).filter(|number| *number != 2).collect();
    assert_eq!(handled, others);
    let info = rig.consumer("d").await;
    // The others were delivered once.
    assert_eq!(info["delivered"]["consumer_seq"], 102, "{info}");
}

#[tokio::test(flavor = "multi_thread")]
async fn drains_cost_no_event_an_attempt() {
    let rig = Rig::start().await;
    rig.publish(0..100).await;
    let mut config = waiting("d", Duration::from_secs(5));
    config.max_deliver = times(3);
    for round in 0..3 {
        let nats = rig.connect().await;
        let mut reader = subscribe(&nats, &config, Prefetch::Adaptive).await;
        reader.expect_and_ack(round * 10..round * 10 + 9).await;
        // While the handler of the last one runs.
        let last = reader.expect(round * 10 + 9).await;
        let draining = nats.drain(Duration::from_secs(5));
        let settling = async { settle(&last, Settlement::Ack).await.unwrap() };
        let (drained, ()) = tokio::join!(draining, settling);
        assert_eq!(drained.unwrap().given_back, 0);
    }
    let nats = rig.connect().await;
    let mut reader = subscribe(&nats, &config, Prefetch::Adaptive).await;
    for number in 30..100 {
        let received = reader.expect(number).await;
        assert_eq!(received.info.attempt, 1);
        settle(&received, Settlement::Ack).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_came_just_now_is_handed_out_though_older_things_wait_before_it() {
    let rig = Rig::start().await;
    let nats = rig.connect().await;
    let config = waiting("d", Duration::from_secs(2));
    rig.publish([0]).await;
    let mut reader = subscribe(&nats, &config, 10).await;
    reader.expect_and_ack([0]).await;
    assert!(reader.ready().await.is_none());
    // It waits here until it comes a second time, and another one behind it.
    rig.publish([1]).await;
    delivered(&rig, "d", 3).await;
    rig.publish([2]).await;
    delivered(&rig, "d", 4).await;
    let again = reader.expect(1).await;
    let fresh = reader.expect(2).await;
    assert_eq!([again.info.attempt, fresh.info.attempt], [2, 1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_delivery_is_handed_out_though_only_the_server_knows_that_it_is_the_last() {
    let rig = Rig::start().await;
    let ack_wait = Duration::from_millis(300);
    let mut limited = waiting("d", ack_wait);
    limited.max_deliver = times(1);
    drop(subscribe(&rig.connect().await, &limited, 1).await);
    let nats = rig
        .connect_with(|options| options.management(Management::Never))
        .await;
    rig.publish([0, 1]).await;
    let mut reader = subscribe(&nats, &waiting("d", ack_wait), 2).await;
    let first = reader.expect(0).await;
    delivered(&rig, "d", 2).await;
    // It is handled for longer than the other may wait.
    tokio::time::sleep(ack_wait * 2).await;
    settle(&first, Settlement::Ack).await.unwrap();
    let last = reader.expect(1).await;
    assert_eq!(last.info.attempt, 1);
    settle(&last, Settlement::Ack).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn no_delivery_is_passed_over_where_their_number_is_limited() {
    let rig = Rig::start().await;
    let nats = rig.connect().await;
    let mut config = waiting("d", Duration::from_secs(2));
    config.max_deliver = times(2);
    rig.publish([0, 1]).await;
    let mut reader = subscribe(&nats, &config, 2).await;
    reader.expect_and_ack([0]).await;
    delivered(&rig, "d", 2).await;
    // An operator allows one delivery less than the subscription knows of.
    let mut change = rig.consumer("d").await["config"].clone();
    change["max_deliver"] = 1.into();
    rig.api(
        &format!("CONSUMER.DURABLE.CREATE.{STREAM}.d"),
        serde_json::json!({ "stream_name": STREAM, "config": change }),
    )
    .await;
    tokio::time::sleep(config.ack_wait + Duration::from_millis(200)).await;
    assert_eq!(reader.expect(1).await.info.attempt, 1);
}
