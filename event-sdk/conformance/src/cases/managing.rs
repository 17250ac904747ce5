//! Cases for managing: streams created and changed by `apply`, consumers deleted.

use std::num::NonZeroU64;
use std::time::Duration;

use futures_util::future::try_join_all;

use super::{Failure, joined, messages};
use crate::beginning::begin;
use crate::case::cases;
use crate::failure::{Outcome, ensure, ensure_eq};
use crate::fixture::Fixture;
use crate::rig::Rig;
use event_sdk_core::stream::{Compression, Storage, StreamConfig, StreamSpec};
use event_sdk_core::transport::{
    Capability, ErrorKind, Gap, Incoming, LostCount, Outcome as Done, StreamChange,
};

cases! { "managing":
    a_stream_is_created [Store, StreamAdmin]
        "Applying a stream that does not exist creates it as it is configured.";
    applying_it_again_changes_nothing [Store, StreamAdmin]
        "Applying a stream that is as it should be changes nothing and says so.";
    what_differs_is_changed_and_told [Store, StreamAdmin]
        "Applying a stream that differs changes it, says in what, and leaves everything else.";
    a_smaller_limit_drops_the_oldest [Store, StreamAdmin]
        "What a new limit leaves no room for is dropped, the oldest first.";
    what_a_new_limit_drops_is_a_gap [Store, StreamAdmin, ReportsGaps]
        "What a new limit drops before a consumer read it is reported to that consumer.";
    an_age_that_is_set_later_counts [Store, StreamAdmin]
        "A new greatest age holds for what is stored already.";
    a_new_subject_is_stored [Store, StreamAdmin]
        "A subject that a stream is given is stored from then on.";
    a_subject_that_is_taken_away_is_kept [Store, StreamAdmin]
        "A subject that is taken from a stream is not stored any more; what there is of it stays.";
    a_subject_moves_to_another_stream [Store, StreamAdmin]
        "A subject that one stream gives up can be another's.";
    subjects_of_another_stream_are_refused [Store, StreamAdmin]
        "A subject that another stream stores is refused, and nothing is changed.";
    a_stream_that_cannot_be_is_refused [Store, StreamAdmin]
        "A configuration that cannot be is refused, and nothing is created.";
    the_storage_of_a_stream_stays [Store, StreamAdmin]
        "Another storage for a stream that exists is refused, and nothing is changed.";
    many_may_apply_at_once [Store, StreamAdmin]
        "Many may apply the same stream at once, and it is created.";
    a_compressed_stream_is_read_as_it_was_written [Store, StreamAdmin, Compression]
        "A compressed stream says that it is, and its messages are what was published.";
}

/// The stream that [`Fixture::rig`] has, of which more is said.
fn same(fixture: &Fixture, say: impl FnOnce(StreamSpec) -> StreamSpec) -> Outcome<StreamConfig> {
    fixture.config('a', |stream| say(stream.subject(">")))
}

/// Another stream, which is removed when the case is over.
fn other(fixture: &Fixture, say: impl FnOnce(StreamSpec) -> StreamSpec) -> Outcome<StreamConfig> {
    let config = fixture.config('b', say)?;
    fixture.will_apply(&config);
    Ok(config)
}

/// What an update says that it changed, by the names of the settings.
fn updated(change: StreamChange) -> Outcome<Vec<&'static str>> {
    let StreamChange::Updated { differences } = change else {
        return Err(Failure::new(format!(
            "a stream that differs was {change:?}"
        )));
    };
    for difference in &differences {
        ensure!(
            difference.existing != difference.wanted,
            "it was changed to what it was: {difference}"
        );
    }
    Ok(differences.iter().map(|found| found.field).collect())
}

/// Applying is refused because it cannot be, and that is said of the stream.
async fn refused(rig: &Rig, config: &StreamConfig, why: &str) -> Outcome {
    let Err(error) = rig.try_apply(config).await? else {
        return Err(Failure::new(format!("{why} was applied")));
    };
    ensure_eq!(
        *error.kind(),
        ErrorKind::InvalidOption,
        "the kind of {error}, the answer to {why}"
    );
    ensure_eq!(error.stream(), Some(&*config.name), "the stream in {error}");
    ensure_eq!(error.outcome(), Done::NotDone, "the outcome in {error}");
    Ok(())
}

/// There is no stream of that name.
async fn missing(rig: &Rig, config: &StreamConfig) -> Outcome {
    let Err(error) = rig.under(config, "").try_state().await? else {
        return Err(Failure::new("a stream that was refused has a state"));
    };
    ensure_eq!(
        *error.kind(),
        ErrorKind::StreamNotFound,
        "the kind of {error}"
    );
    Ok(())
}

async fn a_stream_is_created(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    let config = other(&fixture, |stream| stream.subject("x.*").max_messages(100))?;
    missing(&rig, &config).await?;
    let change = rig.apply(&config).await?;
    ensure_eq!(
        change,
        StreamChange::Created,
        "what applying a new stream did"
    );
    let made = rig.under(&config, &fixture.prefix('b'));
    let found = made.state().await?.config;
    ensure_eq!(found.name, config.name, "the name");
    ensure_eq!(found.subjects, config.subjects, "the subjects");
    ensure_eq!(found.limits, config.limits, "the limits");
    let stored = made.store(made.draft("x.y", 1)?).await?;
    ensure_eq!(
        stored.stream.as_deref(),
        Some(&*config.name),
        "the stream that stored a message for the new one"
    );
    messages(&made, 1).await
}

async fn applying_it_again_changes_nothing(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    rig.publish_all("a", 0..3).await?;
    let mut reader = rig.subscribe(&rig.durable("d")?).await?;
    reader.expect_and_ack(0..1).await?;
    for _ in 0..2 {
        let change = rig.apply(&same(&fixture, |stream| stream)?).await?;
        ensure_eq!(
            change,
            StreamChange::Unchanged,
            "what applying a stream as it is did"
        );
    }
    reader.expect_and_ack(1..3).await?;
    messages(&rig, 3).await
}

async fn what_differs_is_changed_and_told(fixture: Fixture) -> Outcome {
    let rig = fixture.rig_with(|stream| stream.max_messages(100)).await?;
    rig.publish_all("a", 0..3).await?;
    let mut reader = rig.subscribe(&rig.durable("d")?).await?;
    reader.expect_and_ack(0..1).await?;
    let hour = Duration::from_secs(3600);
    let wanted = same(&fixture, |stream| {
        stream.max_messages(50).max_age(hour).max_message_size(1000)
    })?;
    let changed = updated(rig.apply(&wanted).await?)?;
    for field in ["max messages", "max age", "max message size"] {
        ensure!(changed.contains(&field), "{field} is not in {changed:?}");
    }
    ensure_eq!(changed.len(), 3, "how much was changed: {changed:?}");
    let state = rig.state().await?;
    ensure_eq!(state.config.limits, wanted.limits, "the limits");
    ensure_eq!(state.config.subjects, wanted.subjects, "the subjects");
    ensure_eq!(
        (state.messages, state.last_sequence, state.consumers),
        (3, 3, 1),
        "messages, last sequence and consumers after a change"
    );
    reader.expect_and_ack(1..3).await?;
    rig.publish_all("a", 3..5).await?;
    reader.expect_and_ack(3..5).await?;
    let large = rig.draft("a", 5)?.bytes(vec![b'x'; 2000]);
    let error = rig.refused(large, "a message above the new limit").await?;
    ensure!(
        matches!(error.kind(), ErrorKind::TooLarge { .. }),
        "{error} is no TooLarge"
    );
    let again = rig.apply(&wanted).await?;
    ensure_eq!(again, StreamChange::Unchanged, "what applying it again did");
    Ok(())
}

async fn a_smaller_limit_drops_the_oldest(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    rig.publish_all("a", 0..10).await?;
    rig.apply(&same(&fixture, |stream| stream.max_messages(3))?)
        .await?;
    let state = rig.state().await?;
    ensure_eq!(state.messages, 3, "messages under a limit of three");
    ensure_eq!(
        (state.first_sequence, state.last_sequence),
        (8, 10),
        "its sequences"
    );
    let mut reader = begin(&rig, &rig.ephemeral()?, 7).await?;
    reader.expect_and_ack(8..10).await?;
    rig.publish("a", 10).await?;
    messages(&rig, 3).await
}

async fn what_a_new_limit_drops_is_a_gap(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    let mut reader = rig.subscribe_ahead(&rig.durable("d")?, 1).await?;
    rig.publish_all("a", 0..10).await?;
    reader.expect_and_ack(0..1).await?;
    drop(reader);
    // A request of the dropped subscription would take the message behind the gap.
    if rig.can(Capability::ConsumerAdmin) {
        let ended = |rig: Rig| async move {
            let waiting = rig.consumer_info("d").await??.waiting;
            Ok((waiting.unwrap_or_default() == 0).then_some(()))
        };
        rig.eventually("the end of its requests", ended).await?;
    }
    rig.apply(&same(&fixture, |stream| stream.max_messages(3))?)
        .await?;
    let mut reader = rig.subscribe(&rig.durable("d")?).await?;
    let found = reader.incoming().await?;
    let gap = match &found {
        Incoming::Notice(notice) => notice.gap(),
        Incoming::Message(_) => None,
    };
    let Some(Gap { from, to, lost }) = gap else {
        return Err(Failure::new(format!("{found:?} came instead of a gap")));
    };
    // What a transport takes ahead may lie before it.
    ensure!(from >= 2 && to == 7, "the gap is from {from} to {to}");
    let (LostCount::Exactly(lost) | LostCount::AtMost(lost)) = lost;
    ensure_eq!(lost, to + 1 - from, "how many were lost");
    let mut next = reader.message().await?;
    while rig.copies() > 1 && next.attempt() > 1 && next.number()? < 7 {
        // What was taken ahead comes again from a copy that has not dropped it yet.
        next = reader.message().await?;
    }
    ensure_eq!(next.number()?, 7, "the number behind the gap");
    Ok(())
}

async fn an_age_that_is_set_later_counts(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    rig.publish_all("a", 0..5).await?;
    messages(&rig, 5).await?;
    let second = Duration::from_secs(1);
    let short = same(&fixture, |stream| {
        stream.max_age(second).duplicate_window(second)
    })?;
    rig.apply(&short).await?;
    rig.eventually("the end of what grew too old", async |rig| {
        Ok((rig.state().await?.messages == 0).then_some(()))
    })
    .await
}

async fn a_new_subject_is_stored(fixture: Fixture) -> Outcome {
    let narrow = |stream: StreamSpec| stream.subject("x.>");
    let config = fixture.config('a', narrow)?;
    let rig = fixture.rig_of(config).await?;
    rig.refused(rig.draft("y.1", 0)?, "a subject of no stream")
        .await?;
    rig.publish("x.1", 1).await?;
    let wide = fixture.config('a', |stream| narrow(stream).subject("y.>"))?;
    let changed = updated(rig.apply(&wide).await?)?;
    ensure_eq!(changed, ["subjects"], "what was changed");
    rig.publish("y.1", 2).await?;
    let mut config = rig.ephemeral()?;
    config.filters = vec![rig.pattern("y.*")?];
    rig.subscribe(&config).await?.expect_and_ack(2..3).await?;
    let found = rig.streams_for("y.1").await?;
    ensure_eq!(found, [rig.stream], "the streams of the new subject");
    Ok(())
}

async fn a_subject_that_is_taken_away_is_kept(fixture: Fixture) -> Outcome {
    let narrow = |stream: StreamSpec| stream.subject("x.>");
    let wide = fixture.config('a', |stream| narrow(stream).subject("y.>"))?;
    let rig = fixture.rig_of(wide).await?;
    let mut config = rig.durable("d")?;
    config.filters = vec![rig.pattern("y.>")?];
    let mut reader = rig.subscribe_ahead(&config, 1).await?;
    rig.publish("x.1", 1).await?;
    rig.publish("y.1", 2).await?;
    rig.publish("y.2", 3).await?;
    reader.expect_and_ack(2..3).await?;
    rig.apply(&fixture.config('a', narrow)?).await?;
    let error = rig
        .refused(rig.draft("y.1", 4)?, "a subject that was taken away")
        .await?;
    ensure_eq!(*error.kind(), ErrorKind::NoStream, "the kind of {error}");
    messages(&rig, 3).await?;
    reader.expect_and_ack(3..4).await
}

async fn a_subject_moves_to_another_stream(fixture: Fixture) -> Outcome {
    let narrow = |stream: StreamSpec| stream.subject("x.>");
    let wide = fixture.config('a', |stream| narrow(stream).subject("y.>"))?;
    let rig = fixture.rig_of(wide).await?;
    rig.publish("y.1", 1).await?;
    let taken = rig.pattern("y.>")?;
    let next = other(&fixture, |stream| {
        stream.absolute(taken.as_str().to_owned())
    })?;
    refused(&rig, &next, "a subject that is still another's").await?;
    rig.apply(&fixture.config('a', narrow)?).await?;
    let change = rig.apply(&next).await?;
    ensure_eq!(
        change,
        StreamChange::Created,
        "what applying a new stream did"
    );
    let stored = rig.store(rig.draft("y.1", 2)?).await?;
    ensure_eq!(
        (stored.stream.as_deref(), stored.sequence),
        (Some(&*next.name), Some(1)),
        "where a message went whose subject has moved"
    );
    let found = rig.streams_for("y.>").await?;
    ensure_eq!(found, [next.name], "the streams of a subject that moved");
    Ok(())
}

async fn subjects_of_another_stream_are_refused(fixture: Fixture) -> Outcome {
    let (one, two) = fixture.two_rigs().await?;
    rig_is_refused(&fixture, &one, &two).await?;
    let mut new = fixture.config('c', |stream| stream.subject(">"))?;
    fixture.will_apply(&new);
    new.subjects.push(one.pattern("x.*")?);
    refused(&one, &new, "a new stream with another's subject").await?;
    missing(&one, &new).await
}

/// The stream of `two` cannot have a subject of `one`, too.
async fn rig_is_refused(fixture: &Fixture, one: &Rig, two: &Rig) -> Outcome {
    let before = two.state().await?.config;
    let mut wider = fixture.config('b', |stream| stream.subject(">").max_messages(7))?;
    wider.subjects.push(one.pattern("x.*")?);
    refused(two, &wider, "another stream's subject").await?;
    let after = two.state().await?.config;
    ensure_eq!(
        (after.subjects, after.limits),
        (before.subjects, before.limits),
        "the stream after a change that was refused"
    );
    let stored = one.store(one.draft("x.1", 1)?).await?;
    ensure_eq!(
        stored.stream,
        Some(one.stream.clone()),
        "where a message went whose subject somebody wanted"
    );
    Ok(())
}

async fn a_stream_that_cannot_be_is_refused(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    let right = other(&fixture, |stream| stream.subject("x.>"))?;
    let mut nothing = right.clone();
    nothing.subjects.clear();
    let mut twice = right.clone();
    twice.subjects.extend(right.subjects.clone());
    let mut uncopied = right.clone();
    uncopied.replicas = 0;
    let mut copied = right.clone();
    copied.replicas = StreamConfig::MAX_REPLICAS + 1;
    for (wrong, why) in [
        (&nothing, "a stream without subjects"),
        (&twice, "a stream with a subject twice"),
        (&uncopied, "a stream in no copy"),
        (&copied, "a stream in too many copies"),
    ] {
        refused(&rig, wrong, why).await?;
    }
    let mut unnamed = right.clone();
    unnamed.name = format!("{} x", right.name).into();
    refused(&rig, &unnamed, "a stream with a blank in its name").await?;
    missing(&rig, &right).await
}

async fn the_storage_of_a_stream_stays(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    rig.publish("a", 1).await?;
    let memory = same(&fixture, |stream| {
        stream.storage(Storage::Memory).max_messages(7)
    })?;
    refused(&rig, &memory, "another storage").await?;
    let state = rig.state().await?;
    ensure_eq!(state.config.storage, Storage::File, "the storage");
    ensure_eq!(
        state.config.limits.messages,
        NonZeroU64::new(0),
        "the limit that came with a change that was refused"
    );
    messages(&rig, 1).await
}

async fn many_may_apply_at_once(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    let config = other(&fixture, |stream| stream.subject(">").max_messages(100))?;
    let applying = (0..8).map(|_| {
        let (rig, config) = (rig.clone(), config.clone());
        joined(async move { rig.apply(&config).await })
    });
    let changes = try_join_all(applying).await?;
    ensure!(
        changes.contains(&StreamChange::Created),
        "nobody created it: {changes:?}"
    );
    for change in changes {
        ensure!(
            matches!(change, StreamChange::Created | StreamChange::Unchanged),
            "a stream that all want the same was {change:?}"
        );
    }
    messages(&rig.under(&config, &fixture.prefix('b')), 0).await
}

async fn a_compressed_stream_is_read_as_it_was_written(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    rig.publish_all("a", 0..5).await?;
    let wanted = same(&fixture, |stream| stream.compression(Compression::S2))?;
    let changed = updated(rig.apply(&wanted).await?)?;
    ensure_eq!(changed, ["compression"], "what was changed");
    ensure_eq!(
        rig.state().await?.config.compression,
        Compression::S2,
        "the compression"
    );
    rig.publish_all("a", 5..10).await?;
    rig.subscribe(&rig.ephemeral()?)
        .await?
        .expect_and_ack(0..10)
        .await
}
