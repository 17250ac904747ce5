//! Cases for publishing: the stream and sequence of a stored message, and its confirmation.

use std::collections::BTreeSet;

use futures_util::future::try_join_all;

use super::joined;
use crate::case::cases;
use crate::failure::{Outcome, ensure, ensure_eq};
use crate::fixture::Fixture;
use crate::rig::sequence;
use event_sdk_core::stream::Discard;
use event_sdk_core::subject::Subject;
use event_sdk_core::transport::{AckPolicy, DeliverPolicy, ErrorKind, Outcome as Done};

cases! { "publishing":
    a_live_subscription_receives []
        "What is published reaches a subscription that is there, with or without a stream.";
    stored_with_stream_and_sequence [Store]
        "The second answer says in which stream and under which sequence a message is stored.";
    sequences_count_up_by_one [Store, StreamAdmin]
        "Sequences are those of the stream: each stored message has the next one.";
    only_the_matching_stream_stores [Store, StreamAdmin]
        "A message is stored in the one stream whose subjects match its subject.";
    no_stream_is_an_error [Store, StreamAdmin]
        "If no stream stores the subject, the error says so, names it, and nothing was done.";
    order_of_one_publisher [Store]
        "Messages that were handed over one after the other are stored in that order, \
         without waiting for the confirmations.";
    dropped_confirmation_takes_nothing_back [Store]
        "Dropping the confirmation takes the message not back.";
    dropped_answer_harms_nobody [Store]
        "Dropping the first answer neither blocks nor damages what is published later.";
    parallel_publishers_share_no_sequence [Store]
        "PublisherSet at the same time get sequences of their own, each in its own order.";
    full_stream_refuses [Store, StreamAdmin]
        "A full stream that is to refuse new messages refuses them and stores nothing.";
    subjects_are_told_apart_exactly [Store]
        "Subjects are compared byte by byte, long and escaped ones too.";
}

async fn a_live_subscription_receives(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    let mut config = rig.ephemeral()?;
    config.ack = AckPolicy::None;
    config.deliver = DeliverPolicy::New;
    let mut reader = rig.subscribe(&config).await?;
    for number in 0..10 {
        rig.store(rig.draft("a", number)?).await?;
        let got = reader.expect(number).await?;
        ensure_eq!(got.received.subject, rig.subject("a")?, "the subject");
        ensure_eq!(got.attempt(), 1, "the attempt");
    }
    Ok(())
}

async fn stored_with_stream_and_sequence(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    let mut reader = rig.subscribe(&rig.ephemeral()?).await?;
    for number in 0..5 {
        let stored = rig.store(rig.draft("a", number)?).await?;
        ensure_eq!(
            stored.stream,
            Some(rig.stream.clone()),
            "the stream in the answer"
        );
        ensure!(!stored.duplicate, "message {number} was called a duplicate");
        let got = reader.expect(number).await?;
        ensure_eq!(
            got.sequence()?,
            sequence(&stored)?,
            "the sequence of the delivery"
        );
    }
    Ok(())
}

async fn sequences_count_up_by_one(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    let mut sequences = rig.publish_all("a", 0..3).await?;
    sequences.extend(rig.publish_all("b", 0..3).await?);
    ensure_eq!(
        sequences,
        [1, 2, 3, 4, 5, 6],
        "the sequences of a new stream"
    );
    ensure_eq!(
        rig.state().await?.last_sequence,
        6,
        "the stream's last sequence"
    );
    Ok(())
}

async fn only_the_matching_stream_stores(fixture: Fixture) -> Outcome {
    let (one, other) = fixture.two_rigs().await?;
    for (rig, number) in [(&one, 1), (&other, 2), (&one, 3)] {
        let stored = rig.store(rig.draft("a", number)?).await?;
        ensure_eq!(
            stored.stream,
            Some(rig.stream.clone()),
            "the stream in the answer"
        );
    }
    ensure_eq!(
        one.state().await?.messages,
        2,
        "messages in the first stream"
    );
    ensure_eq!(
        other.state().await?.messages,
        1,
        "messages in the second stream"
    );
    let mut reader = other.subscribe(&other.ephemeral()?).await?;
    reader.expect_and_ack([2]).await?;
    reader.expect_nothing_before_fence(&other, "a").await
}

async fn no_stream_is_an_error(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    let mut draft = rig.draft("a", 1)?;
    draft.subject = Subject::parse(format!(
        "{}x",
        rig.subject("a")?.as_str().replace('.', "y.")
    ))?;
    let subject = draft.subject.clone();
    let error = rig.refused(draft, "a message for no stream").await?;
    ensure_eq!(*error.kind(), ErrorKind::NoStream, "the kind of {error}");
    ensure_eq!(error.outcome(), Done::NotDone, "the outcome in {error}");
    ensure_eq!(
        error.subject(),
        Some(subject.as_str()),
        "the subject in {error}"
    );
    ensure_eq!(
        rig.state().await?.messages,
        0,
        "messages in a stream of other subjects"
    );
    Ok(())
}

async fn order_of_one_publisher(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    let count = u64::try_from(fixture.scaled(200)).unwrap_or(u64::MAX);
    let mut confirmations = Vec::new();
    for number in 0..count {
        confirmations.push(rig.send(rig.draft("a", number)?).await??);
    }
    let mut last = 0;
    for (number, confirmation) in confirmations.into_iter().enumerate() {
        let sequence = sequence(&rig.confirm(confirmation).await??)?;
        ensure!(
            sequence > last,
            "message {number} has sequence {sequence}, the one handed over before it {last}"
        );
        last = sequence;
    }
    let mut reader = rig.subscribe(&rig.ephemeral()?).await?;
    reader.expect_and_ack(0..count).await
}

async fn dropped_confirmation_takes_nothing_back(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    for number in 0..20 {
        drop(rig.send(rig.draft("a", number)?).await??);
    }
    rig.publish("a", 20).await?;
    let mut reader = rig.subscribe(&rig.ephemeral()?).await?;
    reader.expect_and_ack(0..=20).await
}

async fn dropped_answer_harms_nobody(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    for number in 0..20 {
        if number % 2 == 0 {
            rig.abandon(rig.draft("a", number)?);
        } else {
            rig.publish("a", number).await?;
        }
    }
    let mut reader = rig.subscribe(&rig.ephemeral()?).await?;
    let mut next = 1;
    while next < 20 {
        let got = reader.message().await?;
        let number = got.number()?;
        ensure!(
            number == next || number + 1 == next,
            "message {number} came where {next} was due"
        );
        if number == next {
            next += 2;
        }
        got.ack().await?;
    }
    Ok(())
}

async fn parallel_publishers_share_no_sequence(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    let each = u64::try_from(fixture.scaled(50)).unwrap_or(u64::MAX);
    let publishers = (0..8).map(|publisher| {
        let rig = rig.clone();
        let subject = format!("publisher.{publisher}");
        joined(async move { rig.publish_all(&subject, 0..each).await })
    });
    let all = try_join_all(publishers).await?;
    for sequences in &all {
        ensure!(
            sequences.is_sorted(),
            "one publisher's sequences: {sequences:?}"
        );
    }
    let distinct: BTreeSet<_> = all.iter().flatten().collect();
    ensure_eq!(
        distinct.len(),
        all.iter().map(Vec::len).sum::<usize>(),
        "distinct sequences"
    );
    Ok(())
}

async fn full_stream_refuses(fixture: Fixture) -> Outcome {
    let rig = fixture
        .rig_with(|stream| stream.max_messages(3).when_full(Discard::New))
        .await?;
    rig.publish_all("a", 0..3).await?;
    for number in 3..5 {
        let error = rig
            .refused(rig.draft("a", number)?, "a fourth message of three")
            .await?;
        ensure_eq!(*error.kind(), ErrorKind::StreamFull, "the kind of {error}");
        ensure_eq!(error.outcome(), Done::NotDone, "the outcome in {error}");
    }
    ensure_eq!(
        rig.state().await?.messages,
        3,
        "messages in the full stream"
    );
    let mut reader = rig.subscribe(&rig.ephemeral()?).await?;
    reader.expect_and_ack(0..3).await
}

async fn subjects_are_told_apart_exactly(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    let long = format!("long.{}", "k".repeat(200));
    let subjects = [
        "order.a",
        "order.A",
        "order.a-1",
        "order.a_1",
        "order.=41",
        "order.=",
        "order.a.b",
        &long,
    ];
    for (number, subject) in (0..).zip(subjects) {
        rig.publish(subject, number).await?;
    }
    for (number, subject) in (0..).zip(subjects) {
        let mut config = rig.ephemeral()?;
        config.filters = vec![rig.pattern(subject)?];
        let mut reader = rig.subscribe(&config).await?;
        let got = reader.expect(number).await?;
        ensure_eq!(got.received.subject, rig.subject(subject)?, "the subject");
        got.ack().await?;
        reader.expect_nothing_before_fence(&rig, subject).await?;
    }
    Ok(())
}
