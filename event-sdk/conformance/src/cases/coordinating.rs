//! Cases for coordination: puts, deletions and the revisions that they expect, and expiry.

use std::time::{Duration, Instant};

use futures_util::future::try_join_all;

use super::{Failure, joined};
use crate::case::cases;
use crate::failure::{Outcome, ensure, ensure_eq};
use crate::fixture::Fixture;
use crate::place::{Place, refused, wrong_revision};
use event_sdk_core::transport::{ErrorKind, Revision};

cases! { "coordinating":
    an_absent_key_is_put_once [Coordination]
        "A put that expects an absent key succeeds once; the second is refused and changes nothing.";
    a_put_expects_a_revision [Coordination]
        "A put succeeds if the entry has the expected revision, and is refused otherwise.";
    any_revision_is_overwritten [Coordination]
        "A put that expects nothing succeeds; each write has a higher revision.";
    a_deletion_expects_a_revision [Coordination]
        "A deletion succeeds if the entry has the expected revision, and is refused otherwise.";
    a_deleted_key_is_absent [Coordination]
        "A deleted key is neither found nor listed, and can be put as an absent one, with a higher revision.";
    one_of_many_writers_wins_a_key [Coordination]
        "Of many writers on two transports that expect the same revision, exactly one succeeds.";
    two_transports_share_a_bucket [Coordination]
        "What one transport wrote or deleted is read by another at once.";
    an_entry_expires [Coordination, CoordinationExpiry]
        "An entry with an expiry is absent after it, and not before.";
    the_last_put_says_when_it_expires [Coordination, CoordinationExpiry]
        "A put without an expiry ends that of the put before.";
    the_age_ends_a_longer_expiry [Coordination, CoordinationExpiry]
        "An entry whose expiry is longer than the maximum age of its bucket is absent after that age.";
    an_expiry_of_zero_is_refused [Coordination, CoordinationExpiry]
        "An expiry of zero is refused, and nothing is written.";
}

async fn an_absent_key_is_put_once(fixture: Fixture) -> Outcome {
    let place = fixture.place().await?;
    place.has_no("k").await?;
    let revision = place.put("k", "first", Revision::Absent).await?;
    ensure!(revision > 0, "a revision of zero");
    let again = place.try_put("k", "second", Revision::Absent, None).await?;
    wrong_revision("a second put of an absent key", again, Some(revision))?;
    place.has("k", b"first", revision).await
}

async fn a_put_expects_a_revision(fixture: Fixture) -> Outcome {
    let place = fixture.place().await?;
    let first = place.put("k", "first", Revision::Absent).await?;
    let expected = Revision::Exactly(first);
    let second = place.put("k", "second", expected).await?;
    ensure!(second > first, "revision {second} after {first}");
    let late = place.try_put("k", "late", expected, None).await?;
    wrong_revision("a put that expects an old revision", late, Some(second))?;
    let early = Revision::Exactly(second + 1);
    let early = place.try_put("k", "early", early, None).await?;
    wrong_revision("a put that expects a later revision", early, Some(second))?;
    place.has("k", b"second", second).await?;
    let absent = place.try_put("other", "x", expected, None).await?;
    wrong_revision(
        "a put that expects a revision of an absent key",
        absent,
        None,
    )?;
    place.has_no("other").await?;
    let zero = Revision::Exactly(0);
    let zero = place.try_put("other", "x", zero, None).await?;
    refused(
        "a put that expects revision 0",
        zero,
        &ErrorKind::InvalidOption,
    )
}

async fn any_revision_is_overwritten(fixture: Fixture) -> Outcome {
    let place = fixture.place().await?;
    let mut last = 0;
    for value in ["first", "second", "third"] {
        for key in ["a", "b"] {
            let revision = place.put(key, value, Revision::Any).await?;
            ensure!(revision > last, "revision {revision} after {last}");
            place.has(key, value.as_bytes(), revision).await?;
            last = revision;
        }
    }
    Ok(())
}

async fn a_deletion_expects_a_revision(fixture: Fixture) -> Outcome {
    let place = fixture.place().await?;
    let first = place.put("k", "first", Revision::Absent).await?;
    let second = place.put("k", "second", Revision::Exactly(first)).await?;
    let late = place.try_delete("k", Revision::Exactly(first)).await?;
    wrong_revision("a deletion of an old revision", late, Some(second))?;
    place.has("k", b"second", second).await?;
    place.delete("k", Revision::Exactly(second)).await?;
    place.has_no("k").await?;
    let again = place.try_delete("k", Revision::Exactly(second)).await?;
    wrong_revision("a second deletion", again, None)?;
    place.delete("k", Revision::Any).await?;
    place.delete("never", Revision::Any).await?;
    let absent = place.try_delete("k", Revision::Absent).await?;
    refused(
        "a deletion of an absent key",
        absent,
        &ErrorKind::InvalidOption,
    )
}

async fn a_deleted_key_is_absent(fixture: Fixture) -> Outcome {
    let place = fixture.place().await?;
    place.put("p.other", "stays", Revision::Absent).await?;
    let mut last = 0;
    for round in 0..3 {
        let revision = place.put("p.k", "value", Revision::Absent).await?;
        ensure!(revision > last, "revision {revision} after {last}");
        let old = Revision::Exactly(last.max(1));
        let old = place.try_put("p.k", "old", old, None).await?;
        wrong_revision("a put that expects what was deleted", old, Some(revision))?;
        let expected = match round {
            0 => Revision::Any,
            _ => Revision::Exactly(revision),
        };
        place.delete("p.k", expected).await?;
        place.has_no("p.k").await?;
        ensure_eq!(
            place.keys("p").await?,
            ["p.other"],
            "the keys that are left"
        );
        last = revision;
    }
    Ok(())
}

async fn one_of_many_writers_wins_a_key(fixture: Fixture) -> Outcome {
    let places = fixture.two_places().await?;
    let mut expected = Revision::Absent;
    for _ in 0..5 {
        let writers = (0..8_usize).map(|writer| {
            let place = places[writer % 2].clone();
            joined(async move {
                let value = writer.to_string();
                let put = place.try_put("k", value, expected, None).await?;
                match put {
                    Ok(revision) => Ok(Some((writer, revision))),
                    refused => wrong_revision("a put that lost", refused, None).map(|()| None),
                }
            })
        });
        let won: Vec<_> = try_join_all(writers).await?.into_iter().flatten().collect();
        let [(writer, revision)] = won[..] else {
            return Err(Failure::new(format!("these have won: {won:?}")));
        };
        for place in &places {
            place
                .has("k", writer.to_string().as_bytes(), revision)
                .await?;
        }
        expected = Revision::Exactly(revision);
    }
    Ok(())
}

async fn two_transports_share_a_bucket(fixture: Fixture) -> Outcome {
    let [one, other] = fixture.two_places().await?;
    for _ in 0..10 {
        let revision = one.put("k", "value", Revision::Absent).await?;
        other.has("k", b"value", revision).await?;
        other.delete("k", Revision::Exactly(revision)).await?;
        one.has_no("k").await?;
        ensure_eq!(
            one.keys("").await?,
            [""; 0],
            "the keys of the other transport"
        );
    }
    Ok(())
}

/// The shortest expiry that every transport has.
const SECOND: Duration = Duration::from_secs(1);

/// Writes an entry that expires; its revision.
async fn put_for(place: &Place, key: &str, expiry: Duration) -> Outcome<u64> {
    let put = place.try_put(key, "value", Revision::Absent, Some(expiry));
    Ok(put.await??)
}

async fn an_entry_expires(fixture: Fixture) -> Outcome {
    let place = fixture.place().await?;
    let begun = Instant::now();
    let first = put_for(&place, "k", SECOND).await?;
    place.put("stays", "value", Revision::Absent).await?;
    place.loses("k").await?;
    let lived = begun.elapsed();
    ensure!(lived >= SECOND, "it was gone after {lived:?}");
    ensure_eq!(place.keys("").await?, ["stays"], "the keys that are left");
    let old = Revision::Exactly(first);
    let old = place.try_put("k", "old", old, None).await?;
    wrong_revision("a put that expects what has expired", old, None)?;
    let second = put_for(&place, "k", Duration::from_secs(3600)).await?;
    ensure!(second > first, "revision {second} after {first}");
    place.has("k", b"value", second).await
}

async fn the_last_put_says_when_it_expires(fixture: Fixture) -> Outcome {
    let place = fixture.place().await?;
    put_for(&place, "k", SECOND).await?;
    let revision = place.put("k", "longer", Revision::Any).await?;
    // It was put later than the first, so that this would have expired before it.
    put_for(&place, "later", SECOND).await?;
    place.loses("later").await?;
    place.has("k", b"longer", revision).await
}

async fn the_age_ends_a_longer_expiry(fixture: Fixture) -> Outcome {
    let config = fixture.bucket('a').max_age(SECOND);
    let place = Place::new(&fixture, fixture.start(Vec::new()).await?, &config);
    place.apply(&config).await?;
    put_for(&place, "k", Duration::from_secs(3600)).await?;
    place.loses("k").await?;
    ensure_eq!(place.keys("").await?, [""; 0], "the keys that are left");
    Ok(())
}

async fn an_expiry_of_zero_is_refused(fixture: Fixture) -> Outcome {
    let place = fixture.place().await?;
    let never = Some(Duration::ZERO);
    let put = place.try_put("k", "value", Revision::Any, never).await?;
    refused("an expiry of zero", put, &ErrorKind::InvalidOption)?;
    place.has_no("k").await
}
