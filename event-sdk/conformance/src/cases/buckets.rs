//! Cases for buckets: created by `apply` alone, keys and values, lists, ages, closing and
//! draining.

use std::time::{Duration, Instant};

use futures_util::future::try_join_all;

use super::joined;
use crate::case::cases;
use crate::failure::{Outcome, ensure, ensure_eq, within};
use crate::fixture::Fixture;
use crate::place::{Place, refused};
use event_sdk_core::stream::Storage;
use event_sdk_core::transport::{BucketConfig, ErrorKind, PutRequest, Revision, StreamChange};

cases! { "buckets":
    a_bucket_is_created_by_apply [Coordination]
        "A bucket has to exist: no operation but applying creates it.";
    a_bucket_is_changed_and_told [Coordination]
        "Applying a bucket that differs changes it, says in what, and leaves its entries.";
    a_bucket_is_compared_and_left [Coordination]
        "Comparing a bucket says in what it differs, or that it does not exist, and changes nothing.";
    a_bucket_that_cannot_be_is_refused [Coordination]
        "A configuration that cannot be is refused, and nothing is created or changed.";
    buckets_are_apart [Coordination]
        "The same key in two buckets is two entries.";
    the_age_of_a_bucket_ends_its_entries [Coordination]
        "An entry without an expiry is absent after the maximum age of its bucket, and not before.";
    a_list_has_what_is_below_a_prefix [Coordination]
        "A list has the entries whose keys begin with the prefix and a dot, in the order of their keys.";
    a_long_list_is_complete [Coordination]
        "A list of more than a thousand entries is complete.";
    keys_may_be_what_subjects_may_be [Coordination]
        "Every key that a subject could be is kept as it is.";
    other_keys_are_refused [Coordination]
        "A key that no subject could be is refused by every operation.";
    values_are_any_bytes [Coordination]
        "A value is what was written, whatever its bytes are.";
    a_large_value_survives [Coordination]
        "A value of a mebibyte, or as large as it may be, is what was written; a larger one is refused.";
    after_closing_nothing_is_coordinated [Coordination]
        "After closing, every operation on a bucket answers that the transport was closed.";
    a_drain_leaves_coordination [Coordination, Store]
        "During a drain, entries can be read and written until the last delivery is settled.";
}

async fn a_bucket_is_created_by_apply(fixture: Fixture) -> Outcome {
    let config = fixture.bucket('a');
    let place = Place::new(&fixture, fixture.start(Vec::new()).await?, &config);
    let missing = &ErrorKind::BucketNotFound;
    for _ in 0..2 {
        refused("a get", place.try_get("k").await?, missing)?;
        let put = place.try_put("k", "x", Revision::Any, None).await?;
        refused("a put", put, missing)?;
        let put = place.try_put("k", "x", Revision::Absent, None).await?;
        refused("a put of an absent key", put, missing)?;
        let deleted = place.try_delete("k", Revision::Any).await?;
        refused("a deletion", deleted, missing)?;
        refused("a list", place.try_list("").await?, missing)?;
    }
    let created = place.apply(&config).await?;
    ensure_eq!(
        created,
        StreamChange::Created,
        "what applying a new bucket did"
    );
    place.has_no("k").await?;
    ensure_eq!(place.keys("").await?, [""; 0], "the keys of a new bucket");
    let revision = place.put("k", "x", Revision::Absent).await?;
    let again = place.apply(&config).await?;
    ensure_eq!(again, StreamChange::Unchanged, "what applying it again did");
    place.has("k", b"x", revision).await
}

async fn a_bucket_is_changed_and_told(fixture: Fixture) -> Outcome {
    let place = fixture.place().await?;
    let revision = place.put("k", "x", Revision::Absent).await?;
    let day = fixture.bucket('a').max_age(Duration::from_secs(24 * 3600));
    let changed = place.apply(&day).await?;
    let StreamChange::Updated { differences } = &changed else {
        return Err(super::Failure::new(format!("another age was {changed:?}")));
    };
    let fields: Vec<_> = differences.iter().map(|found| found.field).collect();
    ensure_eq!(fields, ["max age"], "what was changed");
    place.has("k", b"x", revision).await?;
    let again = place.apply(&day).await?;
    ensure_eq!(again, StreamChange::Unchanged, "what applying it again did");
    Ok(())
}

async fn a_bucket_is_compared_and_left(fixture: Fixture) -> Outcome {
    let place = fixture.place().await?;
    let day = fixture.bucket('a').max_age(Duration::from_secs(24 * 3600));
    for _ in 0..2 {
        let differences = place.try_compare(&day).await??;
        let fields: Vec<_> = differences.iter().map(|found| found.field).collect();
        ensure_eq!(fields, ["max age"], "what differs");
    }
    place.apply(&day).await?;
    let differences = place.try_compare(&day).await??;
    ensure_eq!(differences, [], "what differs after applying it");
    let missing = place.try_compare(&fixture.bucket('b')).await?;
    refused("comparing", missing, &ErrorKind::BucketNotFound)?;
    let wrong = place.try_compare(&day.replicas(0)).await?;
    refused("comparing", wrong, &ErrorKind::InvalidOption)
}

async fn a_bucket_that_cannot_be_is_refused(fixture: Fixture) -> Outcome {
    let place = fixture.place().await?;
    let revision = place.put("k", "x", Revision::Absent).await?;
    let right = fixture.bucket('b');
    let mut unnamed = right.clone();
    unnamed.name = format!("{} x", right.name).into();
    let most = event_sdk_core::stream::StreamConfig::MAX_REPLICAS;
    for (wrong, why) in [
        (unnamed, "a bucket with a blank in its name"),
        (right.clone().replicas(0), "a bucket in no copy"),
        (
            right.clone().replicas(most + 1),
            "a bucket in too many copies",
        ),
        (
            right.clone().max_age(Duration::ZERO),
            "a bucket that keeps nothing",
        ),
        (
            fixture.bucket('a').storage(Storage::Memory),
            "another storage",
        ),
    ] {
        let applied = place.try_apply(&wrong).await?;
        refused(why, applied, &ErrorKind::InvalidOption)?;
    }
    let missing = Place::new(&fixture, place.transport.clone(), &right);
    let got = missing.try_get("k").await?;
    refused(
        "a get from what was refused",
        got,
        &ErrorKind::BucketNotFound,
    )?;
    place.has("k", b"x", revision).await
}

async fn buckets_are_apart(fixture: Fixture) -> Outcome {
    let one = fixture.place().await?;
    let config = fixture.bucket('b');
    let other = Place::new(&fixture, one.transport.clone(), &config);
    other.apply(&config).await?;
    let first = one.put("k", "one", Revision::Absent).await?;
    other.has_no("k").await?;
    let second = other.put("k", "other", Revision::Absent).await?;
    one.has("k", b"one", first).await?;
    one.delete("k", Revision::Any).await?;
    ensure_eq!(one.keys("").await?, [""; 0], "the keys of the first bucket");
    other.has("k", b"other", second).await
}

async fn the_age_of_a_bucket_ends_its_entries(fixture: Fixture) -> Outcome {
    let config = fixture.bucket('a').max_age(Duration::from_secs(1));
    let place = Place::new(&fixture, fixture.start(Vec::new()).await?, &config);
    place.apply(&config).await?;
    let begun = Instant::now();
    let first = place.put("k", "x", Revision::Absent).await?;
    place.loses("k").await?;
    let lived = begun.elapsed();
    ensure!(
        lived >= Duration::from_secs(1),
        "it was gone after {lived:?}"
    );
    let second = place.put("k", "x", Revision::Absent).await?;
    ensure!(second > first, "revision {second} after {first}");
    Ok(())
}

async fn a_list_has_what_is_below_a_prefix(fixture: Fixture) -> Outcome {
    let place = fixture.place().await?;
    ensure_eq!(place.keys("p").await?, [""; 0], "the keys below nothing");
    let keys = ["q.1", "p.2.x", "p", "pp.1", "p.1", "p-.1"];
    for key in keys {
        place.put(key, key, Revision::Absent).await?;
    }
    ensure_eq!(place.keys("p").await?, ["p.1", "p.2.x"], "the keys below p");
    ensure_eq!(place.keys("p.2").await?, ["p.2.x"], "the keys below p.2");
    ensure_eq!(place.keys("p.1").await?, [""; 0], "the keys below p.1");
    let all = ["p", "p-.1", "p.1", "p.2.x", "pp.1", "q.1"];
    ensure_eq!(place.keys("").await?, all, "all keys");
    for entry in place.list("").await? {
        let got = place.get(&entry.key).await?;
        ensure_eq!(got.as_ref(), Some(&entry), "the entry of {}", entry.key);
    }
    Ok(())
}

/// Of which more are left than a server lists in one answer.
const MANY: usize = 1_300;

async fn a_long_list_is_complete(fixture: Fixture) -> Outcome {
    let place = fixture.place().await?;
    let writers = (0..16).map(|writer| {
        let place = place.clone();
        joined(async move {
            for number in (writer..MANY).step_by(16) {
                let key = format!("many.{number:05}");
                place.put(&key, key.clone(), Revision::Absent).await?;
                // Some have an older revision, and some are deleted.
                match number % 10 {
                    3 => place
                        .put(&key, key.clone(), Revision::Any)
                        .await
                        .map(drop)?,
                    7 => place.delete(&key, Revision::Any).await?,
                    _ => {}
                }
            }
            Ok(())
        })
    });
    try_join_all(writers).await?;
    place.put("other.1", "x", Revision::Absent).await?;
    let entries = place.list("many").await?;
    let wanted = (0..MANY).filter(|number| number % 10 != 7);
    let wanted: Vec<_> = wanted.map(|number| format!("many.{number:05}")).collect();
    let found: Vec<_> = entries.iter().map(|entry| entry.key.to_string()).collect();
    ensure!(
        found == wanted,
        "{} keys of {} were listed, the first {:?} and the last {:?}",
        found.len(),
        wanted.len(),
        found.first(),
        found.last()
    );
    let wrong = entries
        .iter()
        .find(|entry| entry.value != entry.key.as_bytes());
    ensure_eq!(wrong, None, "an entry with another value");
    let all = place.list("").await?;
    ensure_eq!(all.len(), wanted.len() + 1, "the number of all entries");
    Ok(())
}

/// Keys near the limits of the grammar.
fn keys() -> Vec<String> {
    let token = "t".repeat(255);
    let longest = format!("{token}.{token}.{}", "l".repeat(640 - 2 * 256));
    let mut keys = vec![token, longest];
    let others = [
        "a",
        "A.b-c_d",
        "a.$b",
        "x/y=z",
        "Zürich.東京",
        "a:b;c,d",
        "{}.[]",
        "'.\"",
    ];
    keys.extend(others.map(str::to_owned));
    keys
}

async fn keys_may_be_what_subjects_may_be(fixture: Fixture) -> Outcome {
    let place = fixture.place().await?;
    let mut keys = keys();
    for key in &keys {
        let revision = place.put(key, key.clone(), Revision::Absent).await?;
        place.has(key, key.as_bytes(), revision).await?;
        let revision = place
            .put(key, key.clone(), Revision::Exactly(revision))
            .await?;
        place.has(key, key.as_bytes(), revision).await?;
    }
    keys.sort_unstable();
    ensure_eq!(place.keys("").await?, keys, "the keys");
    for key in &keys {
        place.delete(key, Revision::Any).await?;
        place.has_no(key).await?;
    }
    Ok(())
}

async fn other_keys_are_refused(fixture: Fixture) -> Outcome {
    let place = fixture.place().await?;
    let token = "t".repeat(255);
    let too_long = format!("{token}.{token}.{}", "l".repeat(641 - 2 * 256));
    let long_token = format!("{token}t");
    let invalid = &ErrorKind::InvalidSubject;
    for key in [
        "",
        ".",
        "a.",
        ".a",
        "a..b",
        "a b",
        "a\u{a0}b",
        "a\tb",
        "a\r\nb",
        "a\u{85}b",
        "a\0b",
        "a\u{202e}b",
        "a\u{200b}b",
        "*",
        "a.*",
        ">",
        "a.>",
        "a*",
        "$KV.a.b",
        &too_long,
        &long_token,
    ] {
        let what = format!("the key {key:?}");
        refused(&what, place.try_get(key).await?, invalid)?;
        let put = place.try_put(key, "x", Revision::Any, None).await?;
        refused(&what, put, invalid)?;
        refused(&what, place.try_delete(key, Revision::Any).await?, invalid)?;
        // Nothing is the prefix of all.
        if !key.is_empty() {
            refused(&what, place.try_list(key).await?, invalid)?;
        }
    }
    ensure_eq!(place.keys("").await?, [""; 0], "the keys");
    Ok(())
}

async fn values_are_any_bytes(fixture: Fixture) -> Outcome {
    let place = fixture.place().await?;
    let every: Vec<u8> = (0..=u8::MAX).collect();
    let values: [&[u8]; 6] = [
        b"",
        &every,
        b"\r\n",
        b"NATS/1.0\r\nKV-Operation: DEL\r\n\r\n",
        b"{\"error\":{\"code\":404}}",
        "Zürich: 東京".as_bytes(),
    ];
    for (number, value) in values.into_iter().enumerate() {
        let key = format!("k.{number}");
        let revision = place.put(&key, value.to_vec(), Revision::Absent).await?;
        place.has(&key, value, revision).await?;
    }
    let listed: Vec<_> = place
        .list("k")
        .await?
        .into_iter()
        .map(|entry| entry.value)
        .collect();
    ensure_eq!(listed, values, "the values of a list");
    Ok(())
}

async fn a_large_value_survives(fixture: Fixture) -> Outcome {
    let place = fixture.place().await?;
    let limit = place.transport.capabilities().max_payload() - PutRequest::OVERHEAD;
    let largest = (limit - "k".len()).min(1024 * 1024);
    let mut value: Vec<u8> = (0..=u8::MAX).cycle().take(largest).collect();
    let revision = place.put("k", value.clone(), Revision::Absent).await?;
    let has = |entry: Option<&event_sdk_core::transport::CoordinationEntry>| {
        entry.is_some_and(|entry| entry.value == value && entry.revision == revision)
    };
    let got = place.get("k").await?;
    ensure!(has(got.as_ref()), "a large value is another one");
    let listed = place.list("").await?;
    ensure!(
        has(listed.first()),
        "a large value is another one in a list"
    );
    value.resize(limit, 0);
    let size = value.len() + 1;
    let put = place.try_put("k", value, Revision::Any, None).await?;
    refused(
        "a value that is too large",
        put,
        &ErrorKind::TooLarge { size, limit },
    )
}

async fn after_closing_nothing_is_coordinated(fixture: Fixture) -> Outcome {
    let place = fixture.place().await?;
    place.put("k", "x", Revision::Absent).await?;
    let closing = place.transport.close();
    within(place.patience(), "closing", closing).await??;
    everything_is_closed(&place, &fixture.bucket('a')).await
}

async fn everything_is_closed(place: &Place, config: &BucketConfig) -> Outcome {
    let closed = &ErrorKind::Closed;
    refused("a get", place.try_get("k").await?, closed)?;
    let put = place.try_put("k", "y", Revision::Any, None).await?;
    refused("a put", put, closed)?;
    refused(
        "a deletion",
        place.try_delete("k", Revision::Any).await?,
        closed,
    )?;
    refused("a list", place.try_list("").await?, closed)?;
    refused("applying", place.try_apply(config).await?, closed)
}

async fn a_drain_leaves_coordination(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    let config = fixture.bucket('a');
    let place = Place::new(&fixture, rig.transport.clone(), &config);
    place.apply(&config).await?;
    let mut reader = rig.subscribe(&rig.durable("d")?).await?;
    rig.publish("a", 1).await?;
    let held = reader.expect(1).await?;
    let draining = {
        let rig = rig.clone();
        joined(async move { rig.drain(Duration::from_secs(60)).await })
    };
    reader.end().await?;
    let applied = place.try_apply(&config).await?;
    refused("applying during a drain", applied, &ErrorKind::Closed)?;
    let revision = place.put("k", "x", Revision::Absent).await?;
    place.has("k", b"x", revision).await?;
    ensure_eq!(place.keys("").await?, ["k"], "the keys during a drain");
    place.delete("k", Revision::Exactly(revision)).await?;
    held.ack().await?;
    draining.await??;
    everything_is_closed(&place, &config).await
}
