//! Cases for expectations: a publish is stored only if the last sequence is the expected one.

use futures_util::future::try_join_all;

use super::{joined, messages};
use crate::case::cases;
use crate::failure::{Outcome, ensure, ensure_eq};
use crate::fixture::Fixture;
use crate::rig::{Draft, Rig};
use event_sdk_core::transport::{ErrorKind, Outcome as Done};

cases! { "expectations":
    expected_stream_sequence_is_stored [Store, ExpectStream, StreamAdmin]
        "A message that expects the stream's last sequence is stored; zero expects an empty stream.";
    unexpected_stream_sequence_is_refused [Store, ExpectStream, StreamAdmin]
        "A message that expects another last sequence of the stream is refused with that sequence.";
    expected_subject_sequence_is_stored [Store, ExpectSubject, StreamAdmin]
        "A message that expects its subject's last sequence is stored, whatever came on others.";
    unexpected_subject_sequence_is_refused [Store, ExpectSubject, StreamAdmin]
        "A message that expects another last sequence of its subject is refused.";
    expected_entity_sequence_is_stored [Store, ExpectPattern, StreamAdmin]
        "A message that expects the last sequence under a pattern is stored, whatever came outside it.";
    unexpected_entity_sequence_is_refused [Store, ExpectPattern, StreamAdmin]
        "A message that expects another last sequence under a pattern is refused, \
         whichever subject of the pattern moved on.";
    every_expectation_has_to_hold [Store, ExpectStream, ExpectSubject, StreamAdmin]
        "Of several expectations, one that fails is enough to refuse.";
    refused_messages_are_not_delivered [Store, ExpectStream, StreamAdmin]
        "A failed expectation stores nothing.";
    one_of_many_writers_wins [Store, ExpectSubject]
        "Of many writers who expect the same sequence at the same time, one is stored.";
}

/// Publishes it and expects that it is refused because of its expectation, and
/// that the stream has as many messages as before.
async fn refused(rig: &Rig, draft: Draft, last: u64) -> Outcome {
    let before = rig.state().await?;
    let expected = format!("a message that expects {:?}", draft.expect);
    let error = rig.refused(draft, &expected).await?;
    let ErrorKind::WrongLastSequence { last: found } = *error.kind() else {
        return Err(super::Failure::new(format!(
            "the kind of {error} is {:?}",
            error.kind()
        )));
    };
    ensure!(
        found.is_none_or(|found| found == last),
        "the error says {found:?}, the last sequence is {last}"
    );
    ensure_eq!(error.outcome(), Done::NotDone, "the outcome in {error}");
    let after = rig.state().await?;
    ensure_eq!(after.messages, before.messages, "messages after a refusal");
    ensure_eq!(
        after.last_sequence,
        before.last_sequence,
        "the last sequence after a refusal"
    );
    Ok(())
}

fn expecting(rig: &Rig, subject: &str, stream: Option<u64>, own: Option<u64>) -> Outcome<Draft> {
    let mut draft = rig.draft(subject, 0)?;
    draft.expect.last_sequence = stream;
    draft.expect.last_subject_sequence = own;
    Ok(draft)
}

fn expecting_under(rig: &Rig, subject: &str, pattern: &str, last: u64) -> Outcome<Draft> {
    let mut draft = rig.draft(subject, 0)?;
    draft.expect.last_pattern_sequence = Some((rig.pattern(pattern)?, last));
    Ok(draft)
}

async fn expected_stream_sequence_is_stored(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    for last in 0..4 {
        let subject = if last % 2 == 0 { "a" } else { "b" };
        rig.store(expecting(&rig, subject, Some(last), None)?)
            .await?;
    }
    messages(&rig, 4).await
}

async fn unexpected_stream_sequence_is_refused(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    refused(&rig, expecting(&rig, "a", Some(1), None)?, 0).await?;
    rig.publish_all("a", 0..3).await?;
    for last in [0, 2, 4] {
        refused(&rig, expecting(&rig, "a", Some(last), None)?, 3).await?;
    }
    rig.store(expecting(&rig, "a", Some(3), None)?).await?;
    Ok(())
}

async fn expected_subject_sequence_is_stored(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    rig.store(expecting(&rig, "a", None, Some(0))?).await?;
    rig.publish_all("b", 0..3).await?;
    rig.store(expecting(&rig, "a", None, Some(1))?).await?;
    rig.store(expecting(&rig, "c", None, Some(0))?).await?;
    rig.store(expecting(&rig, "a", None, Some(5))?).await?;
    messages(&rig, 7).await
}

async fn unexpected_subject_sequence_is_refused(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    rig.publish("a", 0).await?;
    rig.publish("b", 1).await?;
    refused(&rig, expecting(&rig, "a", None, Some(0))?, 1).await?;
    refused(&rig, expecting(&rig, "a", None, Some(2))?, 1).await?;
    refused(&rig, expecting(&rig, "c", None, Some(2))?, 0).await
}

async fn expected_entity_sequence_is_stored(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    let pattern = "order.*.7";
    rig.store(expecting_under(&rig, "order.placed.7", pattern, 0)?)
        .await?;
    rig.publish("order.placed.8", 0).await?;
    rig.store(expecting_under(&rig, "order.paid.7", pattern, 1)?)
        .await?;
    rig.publish("order.paid.8", 0).await?;
    rig.store(expecting_under(&rig, "order.placed.7", pattern, 3)?)
        .await?;
    messages(&rig, 5).await
}

async fn unexpected_entity_sequence_is_refused(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    let pattern = "order.*.7";
    rig.publish("order.placed.7", 0).await?;
    refused(&rig, expecting_under(&rig, "order.paid.7", pattern, 0)?, 1).await?;
    rig.publish("order.paid.7", 0).await?;
    refused(
        &rig,
        expecting_under(&rig, "order.placed.7", pattern, 1)?,
        2,
    )
    .await?;
    refused(
        &rig,
        expecting_under(&rig, "order.shipped.7", pattern, 1)?,
        2,
    )
    .await
}

async fn every_expectation_has_to_hold(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    rig.publish("a", 0).await?;
    rig.publish("b", 1).await?;
    refused(&rig, expecting(&rig, "a", Some(2), Some(2))?, 1).await?;
    refused(&rig, expecting(&rig, "a", Some(1), Some(1))?, 2).await?;
    rig.store(expecting(&rig, "a", Some(2), Some(1))?).await?;
    messages(&rig, 3).await
}

async fn refused_messages_are_not_delivered(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    let mut reader = rig.subscribe(&rig.ephemeral()?).await?;
    rig.publish("a", 1).await?;
    refused(&rig, expecting(&rig, "a", Some(0), None)?, 1).await?;
    rig.publish("a", 2).await?;
    reader.expect_and_ack([1, 2]).await
}

async fn one_of_many_writers_wins(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    let mut last = 0;
    for round in 1..=fixture.scaled(10) {
        let writers = (0..8).map(|_| {
            let rig = rig.clone();
            joined(async move { rig.attempt(expecting(&rig, "a", None, Some(last))?).await })
        });
        let answers = try_join_all(writers).await?;
        let stored: Vec<_> = answers
            .iter()
            .flatten()
            .filter_map(|stored| stored.sequence)
            .collect();
        ensure_eq!(stored.len(), 1, "writers of round {round} that were stored");
        for error in answers.iter().filter_map(|answer| answer.as_ref().err()) {
            ensure!(
                matches!(error.kind(), ErrorKind::WrongLastSequence { .. }),
                "the kind of {error} is {:?}",
                error.kind()
            );
        }
        last = stored[0];
    }
    Ok(())
}
