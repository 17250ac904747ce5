//! Cases with relays on the store, which publish to memory: nothing is lost, order in each key.

use std::collections::BTreeMap;
use std::time::Duration;

use event_sdk::consumer::Retry;
use event_sdk::stream::StreamSpec;
use event_sdk::{EventBus, subject};
use event_sdk_store::outbox::{OutboxMessage, OutboxRow, WhichParked};
use event_sdk_store::{Relay, Wake};
use tokio::task::JoinHandle;

use crate::case::cases;
use crate::failure::{Failure, Outcome, ensure, ensure_eq};
use crate::rig::{Rig, keyed, row};

cases! { "relays":
    several_relays_publish_each_row_once []
        "Several relays publish every row once, and the rows of a key in the order of their ids.";
    a_dropped_relay_is_succeeded []
        "When a relay ends without giving anything back, another one publishes what is left, in order.";
    late_commits_are_published [ConcurrentWriters]
        "Rows that commit later than rows with higher ids are published.";
    a_refused_row_parks_its_key []
        "A row that is refused parks its key and no other; after a skip the key goes on in order.";
    a_retried_key_goes_on_in_order []
        "When the reason is gone and the key is retried, its rows are published in order, before newer ones.";
    rows_of_the_future_are_published_at_their_time []
        "A row with `not_before` in the past is published; one in the future is not.";
}

/// The largest body that the bus takes.
const MAX_PAYLOAD: usize = 2_000;

fn bus() -> Outcome<EventBus> {
    let builder = EventBus::builder().max_payload(MAX_PAYLOAD);
    let stream = StreamSpec::new("SUITE").subject("suite.>");
    Ok(builder.stream(stream).memory()?)
}

fn relay(rig: &Rig, bus: &EventBus) -> Relay {
    Relay::new(rig.store.clone(), bus.clone(), Wake::new())
        .lease(Duration::from_secs(1))
        .publish_timeout(Duration::from_millis(400))
        .duplicate_window(Duration::from_secs(100))
        .retry(Retry::steps([Duration::from_millis(1); 2]).max_attempts(3))
        .idle_poll(Duration::from_millis(5))
        .batch(20)
}

/// A relay that runs until it is dropped, and then ends without giving its shards back.
struct Running(JoinHandle<()>);

impl Running {
    fn start(rig: &Rig, bus: &EventBus) -> Self {
        let relay = relay(rig, bus);
        Self(tokio::spawn(async move {
            let _ = relay.run_until(std::future::pending()).await;
        }))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// The names of what the stream holds, in its order. A second copy of a row is left out, since the
/// stream drops it.
async fn published(bus: &EventBus) -> Outcome<Vec<String>> {
    let mut history = bus.raw().history(subject!("suite.>")).await?;
    let mut found = Vec::new();
    while let Some(stored) = history.next().await {
        let body = stored?
            .body()
            .map_err(|why| Failure::new(why.to_string()))?;
        let name = String::from_utf8_lossy(&body).into_owned();
        found.push(name.trim().to_owned());
    }
    Ok(found)
}

async fn until_published(rig: &Rig, bus: &EventBus, rows: usize) -> Outcome<Vec<String>> {
    rig.until(&format!("the publish of {rows} rows"), || async move {
        let found = published(bus).await?;
        Ok((found.len() >= rows).then_some(found))
    })
    .await
}

fn numbered(key: usize, number: usize) -> OutboxMessage {
    keyed(&format!("{key}:{number:04}"), &format!("key {key}"))
}

/// That each key's rows have their order, and none is missing or there twice.
fn ensure_order(found: &[String], keys: usize, numbers: usize) -> Outcome {
    let mut next = BTreeMap::new();
    for name in found {
        let (key, number) = name
            .split_once(':')
            .ok_or_else(|| Failure::new(format!("{name} was not written")))?;
        let next: &mut usize = next.entry(key.to_owned()).or_default();
        ensure_eq!(number, format!("{next:04}"), "the next row of key {key}");
        *next += 1;
    }
    ensure_eq!(next.len(), keys, "the number of keys");
    let complete = next.values().all(|count| *count == numbers);
    ensure!(complete, "not every key has {numbers} rows: {next:?}");
    Ok(())
}

async fn several_relays_publish_each_row_once(rig: Rig) -> Outcome {
    let bus = bus()?;
    let _relays = [0; 3].map(|_| Running::start(&rig, &bus));
    for number in 0..20 {
        rig.write((0..10).map(|key| numbered(key, number))).await?;
    }
    let found = until_published(&rig, &bus, 200).await?;
    ensure_order(&found, 10, 20)
}

async fn a_dropped_relay_is_succeeded(rig: Rig) -> Outcome {
    let bus = bus()?;
    for number in 0..20 {
        rig.write((0..5).map(|key| numbered(key, number))).await?;
    }
    let first = Running::start(&rig, &bus);
    until_published(&rig, &bus, 1).await?;
    drop(first);
    let _second = Running::start(&rig, &bus);
    let found = until_published(&rig, &bus, 100).await?;
    ensure_order(&found, 5, 20)?;
    rig.until("the marks of all rows", || async {
        Ok(rig.ready().await?.is_empty().then_some(()))
    })
    .await
}

async fn late_commits_are_published(rig: Rig) -> Outcome {
    let bus = bus()?;
    let [late_key, other] = two_keys_of_a_shard(&rig).await?;
    let numbered = |key: usize, number| {
        let mut row = numbered(key, number);
        row.key = Some([&late_key, &other][key].as_str().into());
        row
    };
    let _relays = [0; 2].map(|_| Running::start(&rig, &bus));
    let mut late = rig.begin().await?;
    for number in 0..3 {
        late.insert(numbered(0, number)).await?;
    }
    for number in 0..30 {
        rig.write([numbered(1, number)]).await?;
    }
    until_published(&rig, &bus, 30).await?;
    late.commit().await?;
    // Nothing follows that would lead a relay back to them.
    until_published(&rig, &bus, 33).await?;
    rig.write((3..30).map(|number| numbered(0, number))).await?;
    let found = until_published(&rig, &bus, 60).await?;
    ensure_order(&found, 2, 30)
}

/// Two keys of one shard, whose rows a relay reads from one position on.
async fn two_keys_of_a_shard(rig: &Rig) -> Outcome<[String; 2]> {
    let keys = (0..1_000).map(|number| format!("key {number}"));
    rig.write(keys.map(|key| keyed(&key, &key))).await?;
    let owner = rig.owner().await?;
    let rows = rig.ready().await?;
    let all: Vec<_> = rows.iter().collect();
    // Long ago, so that no relay sends them again.
    rig.publish(&owner, &all, jiff::Timestamp::UNIX_EPOCH)
        .await?;
    rig.store.leave(owner.relay).await?;
    let mut of_shard = rows.iter().filter(|row| row.shard == rows[0].shard);
    match [of_shard.next(), of_shard.next()].map(|row| row.and_then(|row| row.key.clone())) {
        [Some(first), Some(second)] => Ok([first.to_string(), second.to_string()]),
        _ => Err(Failure::new("each of 1,000 keys has a shard of its own")),
    }
}

/// A row that the bus refuses.
fn too_large(name: &str, key: &str) -> OutboxMessage {
    let mut message = keyed(name, key);
    message.body = vec![b'x'; MAX_PAYLOAD + 1].into();
    message
}

async fn until_parked(rig: &Rig) -> Outcome<i64> {
    rig.until("a parked row", || async {
        Ok(rig.parked().await?.first().map(|entry| entry.id))
    })
    .await
}

async fn a_refused_row_parks_its_key(rig: Rig) -> Outcome {
    let bus = bus()?;
    let _relay = Running::start(&rig, &bus);
    rig.write([
        keyed("0", "k"),
        too_large("large", "k"),
        keyed("1", "k"),
        keyed("2", "k"),
        keyed("other", "l"),
        row("free"),
    ])
    .await?;
    let id = until_parked(&rig).await?;
    let mut found = until_published(&rig, &bus, 3).await?;
    found.sort_unstable();
    ensure_eq!(found, ["0", "free", "other"], "beside the parked key");
    rig.write([keyed("3", "k")]).await?;
    ensure!(rig.store.skip_parked(id).await?, "there is no entry");
    let found = until_published(&rig, &bus, 6).await?;
    let found: Vec<_> = found.iter().filter(|name| name.len() == 1).collect();
    ensure_eq!(found, ["0", "1", "2", "3"], "the key after the skip");
    Ok(())
}

async fn a_retried_key_goes_on_in_order(rig: Rig) -> Outcome {
    let narrow = bus()?;
    let relay = Running::start(&rig, &narrow);
    rig.write([too_large("large", "k"), keyed("1", "k"), keyed("2", "k")])
        .await?;
    until_parked(&rig).await?;
    drop(relay);
    // Its successor's bus takes larger bodies.
    let stream = StreamSpec::new("SUITE").subject("suite.>");
    let wide = EventBus::builder().stream(stream).memory()?;
    let _relay = Running::start(&rig, &wide);
    ensure_eq!(
        rig.store.retry_parked(WhichParked::All).await?,
        1,
        "entries"
    );
    rig.write([keyed("3", "k")]).await?;
    let found = until_published(&rig, &wide, 4).await?;
    ensure_eq!(found[0].len(), MAX_PAYLOAD + 1, "the first body");
    ensure_eq!(found[1..], ["1", "2", "3"], "the later rows");
    Ok(())
}

async fn rows_of_the_future_are_published_at_their_time(rig: Rig) -> Outcome {
    let bus = bus()?;
    let now = bus.clock().now();
    let hour = jiff::SignedDuration::from_hours(1);
    let mut past = row("past");
    past.not_before = Some(now - hour);
    let mut future = row("future");
    future.not_before = Some(now + hour);
    rig.write([future, past]).await?;
    let _relay = Running::start(&rig, &bus);
    until_published(&rig, &bus, 1).await?;
    rig.write([row("last")]).await?;
    let found = until_published(&rig, &bus, 2).await?;
    ensure_eq!(found, ["past", "last"], "the published rows");
    // A row is marked after the stream has it.
    let due: Vec<OutboxRow> = rig
        .until("the mark of the row that was due", || async {
            let due = rig.due(now + hour).await?;
            Ok((due.len() < 2).then_some(due))
        })
        .await?;
    ensure_eq!(due.len(), 1, "the scheduled rows that are left");
    Ok(())
}
