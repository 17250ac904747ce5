//! Cases for start positions: all, new, last, last per subject, by sequence, by time.

use std::collections::BTreeSet;
use std::time::Instant;

use jiff::Timestamp;

use super::{Failure, Got};
use crate::beginning::{begin, begins_with, is_behind};
use crate::case::cases;
use crate::failure::{Outcome, ensure, ensure_eq};
use crate::fixture::Fixture;
use crate::reader::{Reader, number};
use crate::rig::Rig;
use event_sdk_core::transport::{DeliverPolicy, Incoming};

cases! { "starting":
    all_begins_at_the_oldest [Store]
        "A consumer of all messages begins at the oldest, however late it comes.";
    new_begins_now [Store]
        "A consumer of new messages begins at what is published from then on.";
    last_begins_at_the_newest_that_matches [Store]
        "A consumer from the last message begins at the newest that its filter matches.";
    last_of_nothing_begins_now [Store]
        "A consumer from the last message begins at the next where there is none.";
    last_per_subject_begins_with_each_newest [Store]
        "A consumer from the last per subject begins with the newest of each, then all that is new.";
    a_start_sequence_is_included [Store]
        "A consumer from a sequence begins at that sequence.";
    a_start_sequence_may_lie_ahead [Store]
        "A consumer from a sequence that is not there yet begins when it comes.";
    a_start_sequence_that_is_gone [Store]
        "A consumer from a sequence that the stream has dropped begins at the oldest.";
    a_start_time_is_included [Store]
        "A consumer from a time begins at the first message stored then or later.";
    the_start_counts_once [Store]
        "Where a durable begins is decided when it is created, not when it is bound again.";
}

async fn starting(rig: &Rig, deliver: DeliverPolicy) -> Outcome<Reader> {
    let mut config = rig.ephemeral()?;
    config.deliver = deliver;
    rig.subscribe(&config).await
}

async fn all_begins_at_the_oldest(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    rig.publish_all("a", 0..20).await?;
    let mut reader = starting(&rig, DeliverPolicy::All).await?;
    rig.publish_all("a", 20..25).await?;
    reader.expect_and_ack(0..25).await
}

async fn new_begins_now(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    rig.publish_all("a", 0..20).await?;
    let begun = Instant::now();
    for new in (20..).step_by(5) {
        let mut reader = starting(&rig, DeliverPolicy::New).await?;
        rig.publish_all("a", new..new + 5).await?;
        if begins_with(&mut reader, &rig, new, begun).await? {
            return reader.expect_and_ack(new + 1..new + 5).await;
        }
    }
    Ok(())
}

async fn last_begins_at_the_newest_that_matches(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    for (number, subject) in (0..).zip(["a", "b", "a", "b"]) {
        rig.publish(subject, number).await?;
    }
    let mut config = rig.ephemeral()?;
    config.deliver = DeliverPolicy::Last;
    config.filters = vec![rig.pattern("a")?];
    let mut reader = begin(&rig, &config, 2).await?;
    config.filters = rig.ephemeral()?.filters;
    let mut whole = begin(&rig, &config, 3).await?;
    rig.publish("a", 4).await?;
    reader.expect_and_ack([4]).await?;
    whole.expect_and_ack([4]).await
}

async fn last_of_nothing_begins_now(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    let mut config = rig.ephemeral()?;
    config.deliver = DeliverPolicy::Last;
    config.filters = vec![rig.pattern("a")?];
    rig.publish("b", 0).await?;
    let mut reader = rig.subscribe(&config).await?;
    rig.publish_all("a", 1..4).await?;
    reader.expect_and_ack(1..4).await
}

async fn last_per_subject_begins_with_each_newest(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    for (number, subject) in (0..).zip(["a", "b", "a", "c", "b"]) {
        rig.publish(subject, number).await?;
    }
    let mut config = rig.ephemeral()?;
    config.deliver = DeliverPolicy::LastPerSubject;
    let mut reader = begin(&rig, &config, 2).await?;
    for (number, subject) in (5..).zip(["a", "d", "a"]) {
        rig.publish(subject, number).await?;
    }
    reader.expect_and_ack(3..8).await
}

async fn a_start_sequence_is_included(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    let sequences = rig.publish_all("a", 0..10).await?;
    let mut reader = starting(&rig, DeliverPolicy::ByStartSequence(sequences[6])).await?;
    reader.expect_and_ack(6..10).await?;
    reader.expect_nothing_before_fence(&rig, "a").await
}

async fn a_start_sequence_may_lie_ahead(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    let first = rig.publish("a", 0).await?;
    let mut reader = starting(&rig, DeliverPolicy::ByStartSequence(first + 3)).await?;
    rig.publish_all("a", 1..6).await?;
    reader.expect_and_ack(3..6).await
}

async fn a_start_sequence_that_is_gone(fixture: Fixture) -> Outcome {
    let rig = fixture.rig_with(|stream| stream.max_messages(5)).await?;
    let sequences = rig.publish_all("a", 0..20).await?;
    let begun = Instant::now();
    loop {
        let mut reader = starting(&rig, DeliverPolicy::ByStartSequence(sequences[3])).await?;
        // That something is missing may be reported: the start was asked for.
        let received = loop {
            match reader.incoming().await? {
                Incoming::Message(received) => break received,
                Incoming::Notice(notice) if notice.gap().is_some() => {}
                Incoming::Notice(notice) => return Err(Failure::new(format!("{notice:?} came"))),
            }
        };
        let found = number(&received.body)?;
        if !is_behind(&rig, found, 15, begun) {
            ensure_eq!(found, 15, "the number of the first message");
            return reader.expect_and_ack(16..20).await;
        }
    }
}

async fn a_start_time_is_included(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    let mut watching = rig.subscribe(&rig.ephemeral()?).await?;
    let mut times = Vec::new();
    // Until the clock has ticked twice.
    let mut ticks = 0;
    while ticks < 2 {
        ensure!(
            times.len() < 100_000,
            "every message was stored at the same time: {times:?}"
        );
        let number = times.len() as u64;
        rig.publish("a", number).await?;
        let got = watching.expect(number).await?;
        got.ack().await?;
        let stored_at = stored_at(&got)?;
        ticks += usize::from(times.last().is_some_and(|last| *last < stored_at));
        times.push(stored_at);
    }
    let count = times.len();
    let start = times[count - 1];
    let first = times.partition_point(|time| *time < start) as u64;
    let mut config = rig.ephemeral()?;
    config.deliver = DeliverPolicy::ByStartTime(start);
    let mut reader = begin(&rig, &config, first).await?;
    reader.expect_and_ack(first + 1..count as u64).await?;
    let before = times[0] - jiff::SignedDuration::from_secs(1);
    let mut reader = starting(&rig, DeliverPolicy::ByStartTime(before)).await?;
    reader.expect_and_ack(0..count as u64).await
}

fn stored_at(got: &Got) -> Outcome<Timestamp> {
    let info = &got.received.info;
    info.stored_at
        .ok_or_else(|| Failure::new(format!("it is not known when it was stored: {info:?}")))
}

async fn the_start_counts_once(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    for (name, deliver) in [
        ("new", DeliverPolicy::New),
        ("last", DeliverPolicy::Last),
        ("sequence", DeliverPolicy::ByStartSequence(1)),
    ] {
        let mut config = rig.durable(name)?;
        config.filters = vec![rig.pattern(name)?];
        config.deliver = deliver;
        drop(rig.subscribe(&config).await?);
        rig.publish_all(name, 0..5).await?;
        let mut reader = rig.subscribe(&config).await?;
        reader.expect_and_ack(0..3).await?;
        // Before it leaves: what is published in that very moment may be on its way to
        // it, which is not what this is about.
        rig.publish_all(name, 5..7).await?;
        drop(reader);
        let mut reader = rig.subscribe(&config).await?;
        let mut rest = BTreeSet::new();
        for _ in 3..7 {
            let got = reader.message().await?;
            rest.insert(got.number()?);
            got.ack().await?;
        }
        ensure_eq!(
            rest,
            (3..7).collect(),
            "what came after binding {name} again"
        );
    }
    Ok(())
}
