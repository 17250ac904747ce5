//! Cases for deduplication: message ids within the duplicate window.

use std::time::{Duration, Instant};

use futures_util::future::try_join_all;
use uuid::Uuid;

use super::{joined, messages};
use crate::case::cases;
use crate::failure::{Outcome, ensure, ensure_eq};
use crate::fixture::Fixture;
use crate::rig::sequence;
use event_sdk_core::transport::{ErrorKind, MessageId};

cases! { "deduplication":
    a_duplicate_is_not_stored [Store, Deduplication, StreamAdmin]
        "A message with the id of one that is stored is not stored again.";
    a_duplicate_answers_with_the_first [Store, Deduplication]
        "The answer to a duplicate says so and has the sequence of the first.";
    other_ids_are_no_duplicates [Store, Deduplication, StreamAdmin]
        "Messages that are the same but for their ids are different messages.";
    without_an_id_there_are_no_duplicates [Store, StreamAdmin]
        "Messages without an id are never duplicates.";
    an_event_id_is_its_text [Store, Deduplication]
        "An event's id and the same id as a text are the same id.";
    ids_belong_to_their_stream [Store, Deduplication, StreamAdmin]
        "An id is remembered by the stream that stored its message, and by no other.";
    ids_outlive_their_messages [Store, Deduplication]
        "An id is remembered for the window, even if its message is gone before that.";
    the_window_ends [Store, Deduplication, StreamAdmin]
        "After the window a message of the same id is stored again.";
    no_window_no_deduplication [Store, Deduplication, DeduplicationOff, StreamAdmin]
        "A window of zero turns deduplication off.";
    a_refused_id_is_not_remembered [Store, Deduplication, ExpectStream, StreamAdmin]
        "The id of a message that was refused is not remembered.";
    an_id_that_cannot_travel_is_refused [Store, Deduplication, StreamAdmin]
        "An id that is empty, too long or has a control character is refused, and nothing is stored.";
    parallel_duplicates_are_stored_once [Store, Deduplication]
        "Of messages with one id that are published at the same time, one is stored.";
}

async fn a_duplicate_is_not_stored(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    let mut reader = rig.subscribe(&rig.ephemeral()?).await?;
    for number in 0..3 {
        rig.store(rig.draft("a", number)?.id("same")).await?;
    }
    rig.publish("a", 3).await?;
    reader.expect_and_ack([0, 3]).await?;
    messages(&rig, 2).await
}

async fn a_duplicate_answers_with_the_first(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    rig.publish("a", 0).await?;
    let first = rig.store(rig.draft("a", 1)?.id("same")).await?;
    ensure!(
        !first.duplicate,
        "the first of its id was called a duplicate"
    );
    rig.publish("a", 2).await?;
    let second = rig.store(rig.draft("a", 3)?.id("same")).await?;
    ensure!(
        second.duplicate,
        "the second of its id was not called a duplicate"
    );
    ensure_eq!(
        second.stream,
        Some(rig.stream.clone()),
        "the stream of the first"
    );
    ensure_eq!(
        sequence(&second)?,
        sequence(&first)?,
        "the sequence of the first"
    );
    Ok(())
}

async fn other_ids_are_no_duplicates(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    for id in ["one", "One", "two"] {
        let stored = rig.store(rig.draft("a", 7)?.id(id)).await?;
        ensure!(
            !stored.duplicate,
            "the first message with id {id} was called a duplicate"
        );
    }
    messages(&rig, 3).await
}

async fn without_an_id_there_are_no_duplicates(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    // `publish` fails when the transport calls it a duplicate.
    rig.publish_all("a", [7, 7, 7]).await?;
    messages(&rig, 3).await
}

async fn an_event_id_is_its_text(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    let id = Uuid::new_v4();
    let mut draft = rig.draft("a", 1)?;
    draft.message_id = Some(MessageId::Event(id));
    let first = rig.store(draft).await?;
    let second = rig.store(rig.draft("a", 2)?.id(&id.to_string())).await?;
    ensure!(
        second.duplicate,
        "the text of an event's id was taken for another id"
    );
    ensure_eq!(
        sequence(&second)?,
        sequence(&first)?,
        "the sequence of the first"
    );
    Ok(())
}

async fn ids_belong_to_their_stream(fixture: Fixture) -> Outcome {
    let (one, other) = fixture.two_rigs().await?;
    for rig in [&one, &other] {
        let stored = rig.store(rig.draft("a", 1)?.id("same")).await?;
        ensure!(
            !stored.duplicate,
            "the first of its id in {} was called a duplicate",
            rig.stream
        );
    }
    messages(&one, 1).await?;
    messages(&other, 1).await
}

async fn ids_outlive_their_messages(fixture: Fixture) -> Outcome {
    let rig = fixture.rig_with(|stream| stream.max_messages(1)).await?;
    let first = rig.store(rig.draft("a", 1)?.id("one")).await?;
    rig.store(rig.draft("a", 2)?.id("two")).await?;
    let again = rig.store(rig.draft("a", 3)?.id("one")).await?;
    ensure!(
        again.duplicate,
        "an id within its window was forgotten with its message"
    );
    ensure_eq!(
        sequence(&again)?,
        sequence(&first)?,
        "the sequence of the first"
    );
    Ok(())
}

async fn the_window_ends(fixture: Fixture) -> Outcome {
    // Long enough for a second publish within it on a machine that is busy.
    let window = Duration::from_secs(1);
    let rig = fixture
        .rig_with(|stream| stream.duplicate_window(window))
        .await?;
    let begun = Instant::now();
    let first = sequence(&rig.store(rig.draft("a", 0)?.id("same")).await?)?;
    let again = rig
        .eventually("the end of the deduplication window", |rig| async move {
            let stored = rig.store(rig.draft("a", 1)?.id("same")).await?;
            if stored.duplicate {
                ensure_eq!(sequence(&stored)?, first, "the sequence of the first");
                return Ok(None);
            }
            Ok(Some(sequence(&stored)?))
        })
        .await?;
    let elapsed = begun.elapsed();
    ensure!(
        elapsed >= window,
        "the same id was stored again after {elapsed:?}, within the window of {window:?}"
    );
    ensure_eq!(
        again,
        first + 1,
        "the sequence of the message that was stored again"
    );
    messages(&rig, 2).await
}

async fn no_window_no_deduplication(fixture: Fixture) -> Outcome {
    let rig = fixture
        .rig_with(|stream| stream.duplicate_window(Duration::ZERO))
        .await?;
    for number in 0..3 {
        let stored = rig.store(rig.draft("a", number)?.id("same")).await?;
        ensure!(!stored.duplicate, "message {number} was called a duplicate");
    }
    messages(&rig, 3).await
}

async fn a_refused_id_is_not_remembered(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    let mut draft = rig.draft("a", 1)?.id("same");
    draft.expect.last_sequence = Some(41);
    let error = rig
        .refused(draft, "a message that expected another sequence")
        .await?;
    ensure!(
        matches!(error.kind(), ErrorKind::WrongLastSequence { .. }),
        "the kind of {error} is {:?}",
        error.kind()
    );
    let stored = rig.store(rig.draft("a", 1)?.id("same")).await?;
    ensure!(
        !stored.duplicate,
        "a message that was never stored has a duplicate"
    );
    messages(&rig, 1).await
}

async fn an_id_that_cannot_travel_is_refused(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    let too_long = "i".repeat(MessageId::MAX_LEN + 1);
    for id in ["", "two\r\nlines", &too_long, " same", "same "] {
        let error = rig.refused(rig.draft("a", 0)?.id(id), "such an id").await?;
        ensure_eq!(*error.kind(), ErrorKind::InvalidHeader, "the kind");
    }
    let longest = "i".repeat(MessageId::MAX_LEN);
    rig.store(rig.draft("a", 1)?.id(&longest)).await?;
    messages(&rig, 1).await
}

async fn parallel_duplicates_are_stored_once(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    for round in 0..fixture.scaled(10) {
        let publishers = (0..8).map(|number| {
            let rig = rig.clone();
            joined(async move {
                rig.store(rig.draft("a", number)?.id(&format!("round {round}")))
                    .await
            })
        });
        let all = try_join_all(publishers).await?;
        let first = all.iter().filter(|stored| !stored.duplicate).count();
        ensure_eq!(first, 1, "messages with one id that were stored");
        for stored in &all {
            ensure_eq!(
                sequence(stored)?,
                sequence(&all[0])?,
                "the sequence in each answer"
            );
        }
    }
    Ok(())
}
