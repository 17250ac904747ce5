//! Cases for retention limits: number, bytes, age, discard policy.

use std::time::{Duration, Instant};

use super::{Failure, messages};
use crate::beginning::{begin, is_behind};
use crate::case::cases;
use crate::failure::{Outcome, ensure, ensure_eq};
use crate::fence::FENCE;
use crate::fixture::Fixture;
use crate::reader::number;
use event_sdk_core::transport::{Capability, Incoming, NoticeKind};

cases! { "retention":
    without_limits_everything_stays [Store, StreamAdmin]
        "A stream without limits keeps what was acknowledged too.";
    max_messages_keeps_the_newest [Store, StreamAdmin]
        "A limited number of messages are the newest.";
    max_messages_per_subject_keeps_the_newest [Store, StreamAdmin]
        "A limited number of messages of one subject are the newest of it; other subjects are not touched.";
    max_bytes_keeps_the_newest [Store, StreamAdmin]
        "A limited number of bytes are those of the newest messages.";
    max_age_drops_the_old [Store, StreamAdmin]
        "A message goes when its time is over, not earlier, though nothing is published.";
    sequences_are_never_given_again [Store, StreamAdmin]
        "A sequence is never given again, not even when everything is gone.";
    what_is_gone_is_not_delivered [Store]
        "A consumer that begins after messages were dropped begins at the oldest that is left.";
}

async fn without_limits_everything_stays(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    rig.publish_all("a", 0..50).await?;
    let mut reader = rig.subscribe(&rig.durable("d")?).await?;
    reader.expect_and_ack(0..50).await?;
    messages(&rig, 50).await?;
    rig.subscribe(&rig.ephemeral()?)
        .await?
        .expect_and_ack(0..50)
        .await
}

async fn max_messages_keeps_the_newest(fixture: Fixture) -> Outcome {
    let rig = fixture.rig_with(|stream| stream.max_messages(5)).await?;
    rig.publish_all("a", 0..20).await?;
    let state = rig.state().await?;
    ensure_eq!(state.messages, 5, "messages in a stream of five");
    ensure_eq!(
        (state.first_sequence, state.last_sequence),
        (16, 20),
        "its sequences"
    );
    let mut reader = begin(&rig, &rig.ephemeral()?, 15).await?;
    reader.expect_and_ack(16..20).await
}

async fn max_messages_per_subject_keeps_the_newest(fixture: Fixture) -> Outcome {
    let rig = fixture
        .rig_with(|stream| stream.max_messages_per_subject(2))
        .await?;
    for (number, subject) in (0..).zip(["a", "b", "a", "a", "c", "a"]) {
        rig.publish(subject, number).await?;
    }
    messages(&rig, 4).await?;
    let begun = Instant::now();
    loop {
        let mut reader = rig.subscribe(&rig.ephemeral()?).await?;
        let mut found = Vec::new();
        while found.last() != Some(&5) {
            let got = reader.message().await?;
            found.push(got.number()?);
            got.ack().await?;
        }
        // A copy that is behind has what the last messages drop, in the middle too.
        let behind = found.len() > 4 && is_behind(&rig, 0, 5, begun);
        if !behind {
            ensure_eq!(found, [1, 3, 4, 5], "what was delivered");
            return Ok(());
        }
    }
}

async fn max_bytes_keeps_the_newest(fixture: Fixture) -> Outcome {
    let rig = fixture.rig_with(|stream| stream.max_bytes(10_000)).await?;
    for number in 0..50 {
        let draft = rig
            .draft("a", number)?
            .header("Padding", &"x".repeat(1000))?;
        rig.store(draft).await?;
    }
    let state = rig.state().await?;
    ensure!(
        (1..=9).contains(&state.messages),
        "{} messages of more than 1000 bytes are in a stream of 10000",
        state.messages
    );
    ensure!(
        state.bytes <= 10_000,
        "a stream of 10000 bytes holds {}",
        state.bytes
    );
    ensure_eq!(state.last_sequence, 50, "its last sequence");
    let oldest = 50 - state.messages;
    let mut reader = begin(&rig, &rig.ephemeral()?, oldest).await?;
    reader.expect_and_ack(oldest + 1..50).await
}

async fn max_age_drops_the_old(fixture: Fixture) -> Outcome {
    let age = Duration::from_secs(1);
    let rig = fixture
        .rig_with(|stream| stream.max_age(age).duplicate_window(age))
        .await?;
    let begun = Instant::now();
    rig.publish_all("a", 0..3).await?;
    rig.eventually(
        "a stream whose messages are all too old",
        |rig| async move {
            let asked = begun.elapsed();
            let found = rig.state().await?.messages;
            ensure!(
                found == 3 || begun.elapsed() >= age,
                "{found} messages of three were left after {asked:?}, all are to stay for {age:?}"
            );
            Ok((found == 0).then_some(()))
        },
    )
    .await?;
    let state = rig.state().await?;
    ensure_eq!(
        (state.first_sequence, state.last_sequence),
        (4, 3),
        "the sequences of what is left"
    );
    let config = rig.durable("d")?;
    let copies = rig.copies() > 1 && rig.can(Capability::ConsumerAdmin);
    if copies {
        // Each copy drops what is too old by a timer of its own, and a consumer reads
        // from the copy of its own leader.
        rig.apply_consumer(&config).await?;
        rig.eventually("a consumer that finds nothing too old", |rig| async move {
            Ok((rig.consumer_info("d").await??.pending == 0).then_some(()))
        })
        .await?;
    }
    // What follows stays, however long its reader takes.
    rig.apply(&fixture.config('a', |stream| stream.subject(">").duplicate_window(age))?)
        .await?;
    let mut reader = rig.subscribe(&config).await?;
    if !copies {
        return reader.expect_nothing_before_fence(&rig, "a").await;
    }
    rig.publish("a", FENCE).await?;
    loop {
        match reader.incoming().await? {
            // Of what the consumer has found on its copy at first.
            Incoming::Notice(notice) if matches!(notice.kind(), NoticeKind::Gap(_)) => {}
            Incoming::Message(received) => {
                let found = number(&received.body)?;
                ensure_eq!(found, FENCE, "what came after everything was too old");
                return Ok(());
            }
            other @ Incoming::Notice(_) => {
                return Err(Failure::new(format!("{other:?} came")));
            }
        }
    }
}

async fn sequences_are_never_given_again(fixture: Fixture) -> Outcome {
    let age = Duration::from_millis(300);
    let rig = fixture
        .rig_with(|stream| stream.max_age(age).duplicate_window(age))
        .await?;
    let last = rig.publish_all("a", 0..3).await?[2];
    rig.eventually("an empty stream", |rig| async move {
        Ok((rig.state().await?.messages == 0).then_some(()))
    })
    .await?;
    let next = rig.publish("a", 3).await?;
    ensure_eq!(next, last + 1, "the sequence after those that are gone");
    Ok(())
}

async fn what_is_gone_is_not_delivered(fixture: Fixture) -> Outcome {
    let rig = fixture.rig_with(|stream| stream.max_messages(3)).await?;
    rig.publish_all("a", 0..10).await?;
    for config in [rig.ephemeral()?, rig.durable("d")?, rig.group("g")?] {
        let mut reader = begin(&rig, &config, 7).await?;
        reader.expect_and_ack(8..10).await?;
    }
    Ok(())
}
