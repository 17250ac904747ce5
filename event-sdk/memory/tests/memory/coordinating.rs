//! Buckets: expiry and ages by the stepped clock, connections, drain and close.

use std::sync::Arc;
use std::time::Duration;

use event_sdk::ErrorKind;
use event_sdk::stream::{Storage, StreamSpec};
use event_sdk::transport::memory::MemoryTransport;
use event_sdk::transport::{
    Bucket, BucketConfig, CoordinationEntry, Revision, Settlement, StreamChange, Transport,
    TransportExt as _,
};

use futures_util::FutureExt;

use crate::support::*;

const HOUR: Duration = Duration::from_secs(3600);

fn config() -> BucketConfig {
    BucketConfig::new("B").max_age(HOUR)
}

fn rig() -> (Rig, Bucket) {
    let stream = StreamSpec::new("S").absolute(">");
    let stream = stream.config("events").unwrap();
    let rig = Rig::new(|builder| builder.stream(stream).bucket(config()));
    let bucket = bucket(&rig.transport);
    (rig, bucket)
}

fn bucket(transport: &MemoryTransport) -> Bucket {
    Bucket::new(Arc::new(transport.clone()), "B")
}

fn get(bucket: &Bucket, key: &str) -> Option<CoordinationEntry> {
    now(bucket.get(key)).unwrap()
}

fn keys(bucket: &Bucket, prefix: &str) -> Vec<String> {
    let entries = now(bucket.list(prefix)).unwrap();
    entries.iter().map(|entry| entry.key.to_string()).collect()
}

fn put(bucket: &Bucket, key: &str, expiry: Option<Duration>) -> u64 {
    now(bucket.put(key, "value", Revision::Any, expiry)).unwrap()
}

#[test]
fn values_are_not_shown() {
    let (rig, bucket) = rig();
    put(&bucket, "a", None);
    let entry = get(&bucket, "a");
    for shown in [format!("{entry:?}"), format!("{:?}", rig.transport)] {
        assert!(!shown.contains("\"value\""), "{shown}");
    }
}

#[test]
fn an_entry_expires_at_its_time_and_not_before() {
    let (rig, bucket) = rig();
    put(&bucket, "short", Some(10 * SECOND));
    put(&bucket, "plain", None);
    put(&bucket, "long", Some(2 * HOUR));
    rig.step(Duration::from_nanos(9_999_999_999));
    assert_eq!(keys(&bucket, ""), ["long", "plain", "short"]);
    rig.step(Duration::from_nanos(1));
    assert_eq!(keys(&bucket, ""), ["long", "plain"]);
    assert_eq!(get(&bucket, "short"), None);
    rig.step(Duration::from_secs(3589));
    assert_eq!(keys(&bucket, ""), ["long", "plain"]);
    // The age of the bucket ends a longer expiry, too.
    rig.step(SECOND);
    assert_eq!(keys(&bucket, ""), [""; 0]);
}

#[test]
fn each_put_begins_the_expiry_anew() {
    let (rig, bucket) = rig();
    for _ in 0..5 {
        put(&bucket, "lease", Some(10 * SECOND));
        rig.step(9 * SECOND);
        assert!(get(&bucket, "lease").is_some());
    }
    // The last put has no expiry of its own.
    put(&bucket, "lease", None);
    rig.step(Duration::from_secs(3599));
    assert!(get(&bucket, "lease").is_some());
    rig.step(SECOND);
    assert_eq!(get(&bucket, "lease"), None);
}

#[test]
fn revisions_increase_over_expiry_and_deletion() {
    let (rig, bucket) = rig();
    let absent = |value: &'static str| bucket.put("k", value, Revision::Absent, Some(SECOND));
    let first = now(absent("a")).unwrap();
    let error = now(absent("b")).unwrap_err();
    let last = Some(first);
    assert_eq!(*error.kind(), ErrorKind::WrongRevision { last });
    assert_eq!((error.bucket(), error.subject()), (Some("B"), Some("k")));
    rig.step(SECOND);
    let second = now(absent("c")).unwrap();
    now(bucket.delete("k", Revision::Exactly(second))).unwrap();
    let third = now(absent("d")).unwrap();
    assert!(first < second && second < third, "{first} {second} {third}");
    let old = now(bucket.delete("k", Revision::Exactly(second))).unwrap_err();
    let last = Some(third);
    assert_eq!(*old.kind(), ErrorKind::WrongRevision { last });
    let entry = get(&bucket, "k").unwrap();
    assert_eq!((&*entry.value, entry.revision), (&b"d"[..], third));
    assert_eq!(entry.written_at, at(SECOND));
}

#[test]
fn the_time_of_day_expires_nothing() {
    let (rig, bucket) = rig();
    put(&bucket, "k", Some(SECOND));
    rig.clock.set_ahead(jiff::SignedDuration::from_hours(1000));
    assert!(get(&bucket, "k").is_some());
}

#[test]
fn a_changed_age_counts_for_entries_that_exist() {
    let (rig, bucket) = rig();
    put(&bucket, "plain", None);
    put(&bucket, "own", Some(10 * SECOND));
    let apply = |config: BucketConfig| now(rig.transport.apply_bucket(&config));
    assert_eq!(apply(config()).unwrap(), StreamChange::Unchanged);
    let forever = config().unlimited_age();
    let StreamChange::Updated { differences } = apply(forever).unwrap() else {
        panic!("nothing was changed");
    };
    assert_eq!(differences[0].field, "max age");
    rig.step(2 * HOUR);
    assert_eq!(keys(&bucket, ""), ["plain"]);
    apply(config()).unwrap();
    assert_eq!(keys(&bucket, ""), [""; 0]);
    let stays = apply(config().storage(Storage::Memory)).unwrap_err();
    assert_eq!(*stays.kind(), ErrorKind::InvalidOption);
    let new = BucketConfig::new("C");
    assert_eq!(apply(new).unwrap(), StreamChange::Created);
}

#[test]
fn connections_share_buckets_until_the_last_is_closed() {
    let (rig, one) = rig();
    let other = rig.transport.connect().unwrap();
    let two = bucket(&other);
    let revision = put(&one, "k", None);
    assert_eq!(get(&two, "k").unwrap().revision, revision);
    rig.close();
    let closed = now(one.get("k")).unwrap_err();
    assert_eq!(*closed.kind(), ErrorKind::Closed);
    assert_eq!(get(&two, "k").unwrap().revision, revision);
    now(other.close()).unwrap();
    let closed = now(two.list("")).unwrap_err();
    assert_eq!(*closed.kind(), ErrorKind::Closed);
}

#[test]
fn a_drain_leaves_coordination_until_it_is_over() {
    let (rig, bucket) = rig();
    let mut subscriber = rig.subscribe(durable("d"));
    rig.publish("a");
    let held = subscriber.message();
    let draining = rig.transport.drain(HOUR);
    let revision = put(&bucket, "attempt", None);
    assert_eq!(get(&bucket, "attempt").unwrap().revision, revision);
    let refused = now(rig.transport.apply_bucket(&config())).unwrap_err();
    assert_eq!(*refused.kind(), ErrorKind::Closed);
    now(bucket.delete("attempt", Revision::Any)).unwrap();
    held.settle(Settlement::Ack);
    draining.now_or_never().unwrap().unwrap();
    let closed = now(bucket.put("attempt", "", Revision::Any, None)).unwrap_err();
    assert_eq!(*closed.kind(), ErrorKind::Closed);
}

#[test]
fn a_bucket_has_to_exist() {
    let rig = Rig::plain();
    let error = now(bucket(&rig.transport).get("k")).unwrap_err();
    assert_eq!(*error.kind(), ErrorKind::BucketNotFound);
    assert!(error.to_string().contains("`apply`"), "{error}");
    for wrong in [BucketConfig::new("a b"), BucketConfig::new("B").replicas(0)] {
        let refused = now(rig.transport.apply_bucket(&wrong)).unwrap_err();
        assert_eq!(*refused.kind(), ErrorKind::InvalidOption);
        let refused = MemoryTransport::builder().bucket(wrong).build();
        assert_eq!(*refused.unwrap_err().kind(), ErrorKind::InvalidOption);
    }
    let twice = MemoryTransport::builder().bucket(config()).bucket(config());
    let refused = twice.build().unwrap_err();
    assert_eq!(*refused.kind(), ErrorKind::InvalidOption);
}
