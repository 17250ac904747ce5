//! Fault: the leader of a bucket is killed (`kill -9`) in a cluster of three while many writers
//! compare and set one key.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use event_sdk::ErrorKind;
use event_sdk::transport::nats::Nats;
use event_sdk::transport::{Bucket, BucketConfig, Outcome, Revision, TransportExt as _};
use event_sdk_test_servers::Cluster;
use futures_util::future::join_all;

use crate::rig::TIMEOUT;
use crate::work::{eventually, patiently, within};

const KEY: &str = "log";
const WRITERS: usize = 6;

/// What a writer was told of its writes. Each is a tag that it appends to the value, so the value
/// lists all writes that were done, in their order.
#[derive(Debug, Default)]
struct Told {
    /// With their revisions.
    done: Vec<(u64, String)>,
    not_done: Vec<String>,
    unknown: Vec<String>,
}

/// How many writes have been confirmed, and whether to go on.
#[derive(Debug, Default)]
struct Race {
    done: AtomicUsize,
    over: AtomicBool,
}

impl Race {
    /// Waits until this many more writes are confirmed.
    async fn goes_on(&self, more: usize) {
        let wanted = self.done.load(Ordering::SeqCst) + more;
        eventually("confirmed writes", async || {
            (self.done.load(Ordering::SeqCst) >= wanted).then_some(())
        })
        .await;
    }
}

/// Reads the value and appends a tag, again and again.
async fn write(bucket: Bucket, writer: usize, race: Arc<Race>) -> Told {
    let mut told = Told::default();
    for number in 0.. {
        if race.over.load(Ordering::SeqCst) {
            break;
        }
        // A read that fails is made again: it changes nothing.
        let Ok(found) = within("an entry", bucket.get(KEY)).await else {
            continue;
        };
        let (before, expected) = match found {
            Some(entry) => (entry.value.to_vec(), Revision::Exactly(entry.revision)),
            None => (Vec::new(), Revision::Absent),
        };
        let tag = format!("{writer}.{number} ");
        let value = [&before, tag.as_bytes()].concat();
        let put = within("a put", bucket.put(KEY, value, expected, None)).await;
        match put {
            Ok(revision) => {
                told.done.push((revision, tag));
                race.done.fetch_add(1, Ordering::SeqCst);
            }
            Err(error) if error.outcome() == Outcome::Unknown => told.unknown.push(tag),
            Err(error) => {
                let raced = matches!(error.kind(), ErrorKind::WrongRevision { .. });
                assert!(raced || error.is_transient(), "{error}");
                told.not_done.push(tag);
            }
        }
    }
    told
}

/// Kills the leader of the bucket, and waits until another leads it.
async fn kill_leader(cluster: &mut Cluster, stream: &str) {
    let leader = cluster.leader_of_stream(stream).await.expect("one leads");
    let killed = cluster.server(leader).kill().await;
    killed.expect("it is killed");
    let other = cluster.leader_of_stream(stream).await.expect("one leads");
    assert_ne!(other, leader);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_revision_has_one_successor_while_leaders_are_killed() {
    let mut cluster = Cluster::start(3).await.expect("the cluster starts");
    let mut buckets = Vec::new();
    for url in cluster.urls() {
        let options = Nats::options(url).request_timeout(TIMEOUT);
        let nats = within("a connection", Nats::connect(options)).await;
        let nats = nats.expect("it connects");
        if buckets.is_empty() {
            let config = BucketConfig::new("RACE").replicas(3);
            patiently("the bucket", async || nats.apply_bucket(&config).await).await;
        }
        buckets.push(Bucket::new(Arc::new(nats), "RACE"));
    }
    let race = Arc::<Race>::default();
    let writers = (0..WRITERS).map(|writer| {
        let bucket = buckets[writer % buckets.len()].clone();
        tokio::spawn(write(bucket, writer, Arc::clone(&race)))
    });
    let writers: Vec<_> = writers.collect();
    race.goes_on(50).await;
    for _ in 0..2 {
        kill_leader(&mut cluster, "KV_RACE").await;
        race.goes_on(50).await;
        cluster.restart_stopped().await.expect("it starts again");
        race.goes_on(50).await;
    }
    race.over.store(true, Ordering::SeqCst);
    let told = within("the writers", join_all(writers)).await;
    let told: Vec<Told> = told.into_iter().map(|told| told.unwrap()).collect();

    let entry = eventually("the value", async || {
        buckets[0].get(KEY).await.ok().flatten()
    })
    .await;
    let value = String::from_utf8(entry.value.to_vec()).unwrap();
    let log: Vec<&str> = value.split_inclusive(' ').collect();
    let logged: HashSet<&str> = log.iter().copied().collect();
    assert_eq!(logged.len(), log.len(), "a write was done twice: {value}");
    // What was confirmed is there, in the order of its revisions.
    let mut done: Vec<_> = told.iter().flat_map(|told| &told.done).collect();
    done.sort();
    let confirmed: HashSet<&str> = done.iter().map(|(_, tag)| tag.as_str()).collect();
    let in_order: Vec<_> = log.iter().filter(|tag| confirmed.contains(**tag)).collect();
    let wanted: Vec<_> = done.iter().map(|(_, tag)| tag.as_str()).collect();
    assert!(
        in_order.into_iter().eq(wanted.iter()),
        "the log is {value}, and these were confirmed: {done:?}"
    );
    // What was refused is not there, and everything that is there was told to somebody.
    for refused in told.iter().flat_map(|told| &told.not_done) {
        assert!(!logged.contains(&**refused), "{refused} was refused");
    }
    let unknown = told.iter().flat_map(|told| &told.unknown);
    let unknown = unknown.filter(|tag| logged.contains(&***tag)).count();
    assert_eq!(log.len(), done.len() + unknown, "writes in the log");
    println!(
        "{} writes confirmed, {} refused, {} unknown of which {unknown} were done",
        done.len(),
        told.iter().map(|told| told.not_done.len()).sum::<usize>(),
        told.iter().map(|told| told.unknown.len()).sum::<usize>(),
    );
}
