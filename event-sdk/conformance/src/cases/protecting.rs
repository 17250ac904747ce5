//! Cases for what a stream protects: deletions and purges that it denies, roll-ups that it allows.

use super::{Failure, messages};
use crate::case::cases;
use crate::failure::{Outcome, ensure_eq};
use crate::fixture::Fixture;
use crate::rig::{Draft, Rig};
use crate::timetable::far;
use event_sdk_core::stream::{Discard, StreamSpec};
use event_sdk_core::transport::{
    Deletion, Error, ErrorKind, Outcome as Done, PurgeRequest, RollUp, StreamChange,
};

cases! { "protecting":
    a_denied_deletion_is_refused [Store, StreamAdmin, MessageAdmin, DenyDeletion]
        "A stream that denies deletion refuses to delete a message, and may be purged.";
    a_denied_purge_is_refused [Store, StreamAdmin, MessageAdmin, DenyDeletion]
        "A stream that denies purging refuses a purge, and single messages may be deleted.";
    what_a_stream_denies_stays_denied [Store, StreamAdmin, DenyDeletion]
        "What a stream denies cannot be allowed again, and stays where it is not declared.";
    a_roll_up_replaces_its_subject [Store, StreamAdmin, RollUp]
        "A message that rolls up its subject deletes the earlier ones of that subject alone.";
    a_roll_up_replaces_the_stream [Store, StreamAdmin, RollUp]
        "A message that rolls up the stream deletes all earlier ones.";
    a_roll_up_has_to_be_allowed [Store, StreamAdmin, RollUp]
        "A roll-up in a stream that does not allow it is refused, and deletes and stores nothing.";
    a_duplicate_rolls_nothing_up [Store, StreamAdmin, RollUp, Deduplication]
        "A message that rolls up and is a duplicate deletes nothing.";
    what_is_refused_rolls_nothing_up [Store, StreamAdmin, RollUp, ExpectStream]
        "A message that rolls up and is refused, by an expectation or a full stream, deletes nothing.";
    a_roll_up_or_purge_of_all_deletes_schedules [Store, StreamAdmin, MessageAdmin, RollUp, Scheduler]
        "A message that rolls up the stream deletes waiting schedules, and so does a purge of all.";
    roll_ups_are_allowed_and_forbidden_later [Store, StreamAdmin, RollUp]
        "Whether a stream allows roll-ups can be changed, and stays where it is not declared.";
}

fn denied<T>(answer: Result<T, Error>, what: &str) -> Outcome {
    let Err(error) = answer else {
        return Err(Failure::new(format!("{what} that is denied was done")));
    };
    let kind = ErrorKind::DeletionDenied;
    ensure_eq!(*error.kind(), kind, "the kind of {error}");
    ensure_eq!(error.outcome(), Done::NotDone, "the outcome in {error}");
    Ok(())
}

fn rolling_up(rig: &Rig, subject: &str, number: u64, earlier: RollUp) -> Outcome<Draft> {
    let mut draft = rig.draft(subject, number)?;
    draft.roll_up = Some(earlier);
    Ok(draft)
}

/// A consumer that starts now receives these.
async fn has(rig: &Rig, numbers: impl IntoIterator<Item = u64>) -> Outcome {
    let mut reader = rig.subscribe(&rig.ephemeral()?).await?;
    reader.expect_and_ack(numbers).await
}

/// Applies the stream that [`Fixture::rig`] has, of which more is said.
async fn apply(
    fixture: &Fixture,
    rig: &Rig,
    say: impl FnOnce(StreamSpec) -> StreamSpec,
) -> Outcome<Result<StreamChange, Error>> {
    let config = fixture.config('a', |stream| say(stream.subject(">")))?;
    rig.try_apply(&config).await
}

async fn a_denied_deletion_is_refused(fixture: Fixture) -> Outcome {
    let rig = fixture.rig_with(|stream| stream.deny_delete(true)).await?;
    rig.publish_all("a", 1..4).await?;
    for deletion in [Deletion::Remove, Deletion::Erase] {
        denied(rig.try_delete(2, deletion).await?, "a deletion")?;
    }
    messages(&rig, 3).await?;
    has(&rig, 1..4).await?;
    let all = PurgeRequest::all(rig.stream.clone());
    rig.try_purge(all).await??;
    messages(&rig, 0).await
}

async fn a_denied_purge_is_refused(fixture: Fixture) -> Outcome {
    let rig = fixture.rig_with(|stream| stream.deny_purge(true)).await?;
    rig.publish_all("a", 1..4).await?;
    for before in [None, Some(2)] {
        let mut request = PurgeRequest::all(rig.stream.clone());
        request.before = before;
        denied(rig.try_purge(request).await?, "a purge")?;
    }
    messages(&rig, 3).await?;
    rig.try_delete(2, Deletion::Remove).await??;
    has(&rig, [1, 3]).await
}

async fn what_a_stream_denies_stays_denied(fixture: Fixture) -> Outcome {
    let denying = |stream: StreamSpec| stream.deny_delete(true).deny_purge(true);
    let rig = fixture.rig_with(denying).await?;
    let unchanged = apply(&fixture, &rig, |stream| stream).await??;
    ensure_eq!(
        unchanged,
        StreamChange::Unchanged,
        "what applying a stream without the flags did"
    );
    for (what, open) in [
        ("deletion", StreamSpec::deny_delete as fn(_, _) -> _),
        ("purging", StreamSpec::deny_purge),
    ] {
        let Err(error) = apply(&fixture, &rig, |stream| open(stream, false)).await? else {
            return Err(Failure::new(format!("{what} was allowed again")));
        };
        let kind = ErrorKind::InvalidOption;
        ensure_eq!(*error.kind(), kind, "the kind of {error}");
        ensure_eq!(error.outcome(), Done::NotDone, "the outcome in {error}");
    }
    let config = rig.state().await?.config;
    let flags = (config.denies_delete(), config.denies_purge());
    ensure_eq!(flags, (true, true), "what the stream denies");
    Ok(())
}

async fn a_roll_up_replaces_its_subject(fixture: Fixture) -> Outcome {
    let rig = fixture.rig_with(|stream| stream.allow_rollup(true)).await?;
    for (number, subject) in (1..).zip(["a", "b", "a", "b"]) {
        rig.publish(subject, number).await?;
    }
    let draft = rolling_up(&rig, "a", 5, RollUp::Subject)?;
    rig.store(draft).await?;
    rig.publish("a", 6).await?;
    messages(&rig, 4).await?;
    has(&rig, [2, 4, 5, 6]).await
}

async fn a_roll_up_replaces_the_stream(fixture: Fixture) -> Outcome {
    let rig = fixture.rig_with(|stream| stream.allow_rollup(true)).await?;
    for (number, subject) in (1..).zip(["a", "b", "a"]) {
        rig.publish(subject, number).await?;
    }
    let draft = rolling_up(&rig, "a", 4, RollUp::Stream)?;
    rig.store(draft).await?;
    rig.publish("b", 5).await?;
    messages(&rig, 2).await?;
    has(&rig, [4, 5]).await
}

async fn a_roll_up_has_to_be_allowed(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    rig.publish_all("a", 1..4).await?;
    for earlier in [RollUp::Subject, RollUp::Stream] {
        let draft = rolling_up(&rig, "a", 4, earlier)?;
        denied(rig.attempt(draft).await?, "a roll-up")?;
    }
    messages(&rig, 3).await?;
    has(&rig, 1..4).await
}

async fn a_duplicate_rolls_nothing_up(fixture: Fixture) -> Outcome {
    let rig = fixture.rig_with(|stream| stream.allow_rollup(true)).await?;
    rig.publish_all("a", 1..3).await?;
    rig.store(rig.draft("a", 3)?.id("x")).await?;
    for earlier in [RollUp::Subject, RollUp::Stream] {
        let stored = rig
            .store(rolling_up(&rig, "a", 4, earlier)?.id("x"))
            .await?;
        ensure_eq!(stored.duplicate, true, "whether it is a duplicate");
    }
    messages(&rig, 3).await?;
    has(&rig, 1..4).await
}

async fn what_is_refused_rolls_nothing_up(fixture: Fixture) -> Outcome {
    let full = |stream: StreamSpec| stream.max_messages(3).when_full(Discard::New);
    let rig = fixture
        .rig_with(|stream| full(stream).allow_rollup(true))
        .await?;
    rig.publish_all("a", 1..4).await?;
    for earlier in [RollUp::Subject, RollUp::Stream] {
        let mut draft = rolling_up(&rig, "a", 4, earlier)?;
        draft.expect.last_sequence = Some(1);
        let error = rig
            .refused(draft, "a roll-up behind another sequence")
            .await?;
        let kind = ErrorKind::WrongLastSequence { last: Some(3) };
        ensure_eq!(*error.kind(), kind, "the kind of {error}");
        let draft = rolling_up(&rig, "a", 4, earlier)?;
        let error = rig.refused(draft, "a roll-up in a full stream").await?;
        ensure_eq!(*error.kind(), ErrorKind::StreamFull, "the kind of {error}");
    }
    messages(&rig, 3).await?;
    has(&rig, 1..4).await
}

async fn a_roll_up_or_purge_of_all_deletes_schedules(fixture: Fixture) -> Outcome {
    let rig = fixture.timed_rig().await?;
    rig.publish("a", 1).await?;
    rig.schedule("k", "a", 2, far()).await?;
    rig.store(rolling_up(&rig, "a", 3, RollUp::Subject)?)
        .await?;
    ensure_eq!(
        rig.scheduled("").await?,
        ["k"],
        "what waits behind a roll-up of a subject"
    );
    rig.store(rolling_up(&rig, "a", 4, RollUp::Stream)?).await?;
    ensure_eq!(
        rig.scheduled("").await?,
        [""; 0],
        "what waits behind a roll-up of all"
    );
    rig.schedule("k", "a", 5, far()).await?;
    let all = PurgeRequest::all(rig.stream.clone());
    let purged = rig.try_purge(all).await??;
    ensure_eq!(purged, 2, "how many a purge of all deleted");
    ensure_eq!(
        rig.scheduled("").await?,
        [""; 0],
        "what waits behind a purge of all"
    );
    messages(&rig, 0).await
}

async fn roll_ups_are_allowed_and_forbidden_later(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    rig.publish_all("a", 1..4).await?;
    apply(&fixture, &rig, |stream| stream.allow_rollup(true)).await??;
    let unchanged = apply(&fixture, &rig, |stream| stream).await??;
    ensure_eq!(
        unchanged,
        StreamChange::Unchanged,
        "what applying a stream without the flag did"
    );
    rig.store(rolling_up(&rig, "a", 4, RollUp::Subject)?)
        .await?;
    messages(&rig, 1).await?;
    apply(&fixture, &rig, |stream| stream.allow_rollup(false)).await??;
    let draft = rolling_up(&rig, "a", 5, RollUp::Subject)?;
    denied(rig.attempt(draft).await?, "a roll-up")?;
    has(&rig, [4]).await
}
