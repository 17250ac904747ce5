//! Cases for gaps: messages that a stream dropped before a consumer read them are reported.

use std::time::Duration;

use super::Failure;
use crate::case::cases;
use crate::failure::{Outcome, ensure, ensure_eq};
use crate::fixture::Fixture;
use crate::reader::Reader;
use crate::rig::Rig;
use event_sdk_core::stream::StreamSpec;
use event_sdk_core::transport::{
    Capability, DeliverPolicy, Gap, Incoming, LostCount, NoticeKind, Settlement,
};

cases! { "gaps":
    a_slow_subscription_hears_of_a_gap [Store, ReportsGaps]
        "What is dropped before a subscription read it arrives there as a gap.";
    a_durable_that_comes_back_hears_of_a_gap [Store, ReportsGaps]
        "What is dropped while a durable has no subscription arrives at the next as a gap.";
    a_gap_counts_what_was_for_the_consumer [Store, ReportsGaps]
        "A gap says how many of its messages were for this consumer, or at most how many.";
    holes_are_gaps [Store, ReportsGaps]
        "What is dropped from the middle of a stream is reported as well.";
    what_grew_too_old_is_a_gap [Store, ReportsGaps, StreamAdmin]
        "What grows too old before it was read is reported.";
    a_gap_spans_no_more_than_what_was_dropped [Store, ReportsGaps]
        "A gap begins and ends with messages that were dropped, whatever is there between them.";
    what_was_dropped_behind_the_start_is_a_gap [Store, ReportsGaps]
        "What was dropped from the sequence on at which a consumer is to start arrives as a gap.";
    what_was_deleted_is_a_gap [Store, ReportsGaps, MessageAdmin]
        "What is deleted before a consumer read it is reported.";
    what_was_read_is_no_gap [Store, ReportsGaps]
        "What a consumer has read is no gap when it is dropped.";
    what_went_before_is_no_gap [Store, ReportsGaps]
        "What was gone before a consumer was created is no gap for it.";
}

/// What a reader received.
#[derive(Debug, Default)]
struct Seen {
    messages: Vec<u64>,
    gaps: Vec<Gap>,
}

/// Reads until each of these sequences, which are all that was for the
/// consumer, has come or lies in a gap. A gap may span messages that come; it
/// counts only those that do not, and begins and ends with such.
async fn read_all(reader: &mut Reader, wanted: &[u64]) -> Outcome<Seen> {
    let mut seen = Seen::default();
    while !seen.covers(wanted) {
        match reader.incoming().await {
            Ok(Incoming::Message(received)) => {
                let sequence = received.info.sequence.unwrap_or(0);
                let last = seen.messages.last();
                ensure!(
                    last < Some(&sequence),
                    "sequence {sequence} came after {last:?}"
                );
                seen.messages.push(sequence);
                if let Some(settler) = received.settler {
                    settler.settle(Settlement::Ack).await?;
                }
            }
            Ok(Incoming::Notice(notice)) => {
                let NoticeKind::Gap(gap) = *notice.kind() else {
                    return Err(Failure::new(format!("{notice:?} came")));
                };
                ensure!(
                    gap.from <= gap.to,
                    "{gap:?} has its end before its beginning"
                );
                seen.gaps.push(gap);
            }
            Err(failure) => {
                return Err(Failure::new(format!(
                    "{failure}; of sequences {wanted:?} {:?} came, and {:?}",
                    seen.messages, seen.gaps
                )));
            }
        }
    }
    let dropped = wanted
        .iter()
        .filter(|sequence| !seen.messages.contains(sequence));
    let (dropped, mut lost, mut exact) = (dropped.count() as u64, 0, true);
    for gap in &seen.gaps {
        match gap.lost {
            LostCount::Exactly(messages) => lost += messages,
            LostCount::AtMost(messages) => (lost, exact) = (lost + messages, false),
        }
    }
    ensure!(
        lost == dropped || (lost > dropped && !exact),
        "{dropped} messages for this consumer were dropped, reported are {:?}",
        seen.gaps
    );
    for gap in &seen.gaps {
        let came = [gap.from, gap.to].map(|end| seen.messages.contains(&end));
        let own = [gap.from, gap.to].map(|end| wanted.contains(&end));
        ensure!(
            came == [false; 2] && (own == [true; 2] || matches!(gap.lost, LostCount::AtMost(_))),
            "{gap:?} is to begin and end with what was dropped of {wanted:?}; {:?} came",
            seen.messages
        );
    }
    Ok(seen)
}

impl Seen {
    fn covers(&self, wanted: &[u64]) -> bool {
        let last = wanted
            .last()
            .is_none_or(|last| self.messages.contains(last));
        last && wanted.iter().all(|sequence| {
            let inside = |gap: &Gap| (gap.from..=gap.to).contains(sequence);
            self.messages.contains(sequence) || self.gaps.iter().any(inside)
        })
    }
}

async fn five(fixture: &Fixture) -> Outcome<Rig> {
    fixture.rig_with(|stream| stream.max_messages(5)).await
}

async fn a_slow_subscription_hears_of_a_gap(fixture: Fixture) -> Outcome {
    let rig = five(&fixture).await?;
    // Not what is new: a copy that is behind would have more of it.
    let mut new = 1;
    for mut config in [rig.durable("d")?, rig.group("g")?, rig.ephemeral()?] {
        config.deliver = DeliverPolicy::ByStartSequence(new);
        let mut reader = rig.subscribe_ahead(&config, 1).await?;
        let sequences = rig.publish_all("a", 0..50).await?;
        new += 50;
        let seen = read_all(&mut reader, &sequences).await?;
        ensure!(
            seen.messages.len() < 10,
            "a stream of five kept {:?}",
            seen.messages
        );
    }
    Ok(())
}

async fn a_durable_that_comes_back_hears_of_a_gap(fixture: Fixture) -> Outcome {
    let sides = fixture.both_sides_with(|stream| stream.max_messages(5));
    let (first, rig) = sides.await?;
    let config = rig.durable("d")?;
    let mut reader = first.subscribe(&config).await?;
    rig.publish_all("a", 0..3).await?;
    reader.expect_and_ack(0..3).await?;
    // What is on its way to a subscription that leaves is put back; it is waited for, since
    // what the stream drops of it is not unread.
    first.drain(first.patience()).await??;
    drop(reader);
    let sequences = rig.publish_all("a", 3..20).await?;
    let mut reader = rig.subscribe(&config).await?;
    let seen = read_all(&mut reader, &sequences).await?;
    ensure_eq!(
        seen.messages,
        sequences[12..],
        "the messages that were left"
    );
    let dropped = sequences[0]..=sequences[11];
    for gap in &seen.gaps {
        ensure!(
            dropped.contains(&gap.from) && dropped.contains(&gap.to),
            "{dropped:?} were dropped, {gap:?} came"
        );
    }
    Ok(())
}

async fn a_gap_counts_what_was_for_the_consumer(fixture: Fixture) -> Outcome {
    let rig = five(&fixture).await?;
    let mut config = rig.durable("d")?;
    config.filters = vec![rig.pattern("a")?];
    drop(rig.subscribe(&config).await?);
    let mut own = Vec::new();
    for number in 0..31 {
        let subject = if number % 3 == 0 { "a" } else { "b" };
        let sequence = rig.publish(subject, number).await?;
        if subject == "a" {
            own.push(sequence);
        }
    }
    let mut reader = rig.subscribe(&config).await?;
    rig.publish("a", 31).await.map(|last| own.push(last))?;
    read_all(&mut reader, &own).await?;
    Ok(())
}

async fn holes_are_gaps(fixture: Fixture) -> Outcome {
    let rig = fixture
        .rig_with(|stream| stream.max_messages_per_subject(1))
        .await?;
    let config = rig.durable("d")?;
    drop(rig.subscribe(&config).await?);
    let mut sequences = Vec::new();
    for (number, subject) in (0..).zip(["a", "b", "c", "b", "d", "b", "e"]) {
        sequences.push(rig.publish(subject, number).await?);
    }
    let mut reader = rig.subscribe(&config).await?;
    let seen = read_all(&mut reader, &sequences).await?;
    ensure_eq!(
        seen.messages,
        [1, 3, 5, 6, 7],
        "the messages that were left"
    );
    Ok(())
}

async fn a_gap_spans_no_more_than_what_was_dropped(fixture: Fixture) -> Outcome {
    let rig = fixture
        .rig_with(|stream| stream.max_messages_per_subject(1))
        .await?;
    let mut config = rig.durable("d")?;
    config.filters = vec![rig.pattern("a.*")?];
    drop(rig.subscribe(&config).await?);
    let mut own = Vec::new();
    for (number, subject) in (0..).zip(["b", "a.1", "a.2", "b", "a.3", "a.1", "a.3", "b"]) {
        let sequence = rig.publish(subject, number).await?;
        if subject != "b" {
            own.push(sequence);
        }
    }
    let mut reader = rig.subscribe(&config).await?;
    let seen = read_all(&mut reader, &own).await?;
    ensure_eq!(seen.messages, [3, 6, 7], "the messages that were left");
    Ok(())
}

async fn what_was_dropped_behind_the_start_is_a_gap(fixture: Fixture) -> Outcome {
    let rig = fixture
        .rig_with(|stream| stream.max_messages_per_subject(1))
        .await?;
    let mut sequences = Vec::new();
    for (number, subject) in (0..).zip(["a", "b", "c", "b", "a", "d", "b", "d"]) {
        sequences.push(rig.publish(subject, number).await?);
    }
    let mut config = rig.ephemeral()?;
    config.deliver = DeliverPolicy::ByStartSequence(sequences[2]);
    let mut reader = rig.subscribe(&config).await?;
    let seen = read_all(&mut reader, &sequences[2..]).await?;
    ensure_eq!(seen.messages, [3, 5, 7, 8], "the messages that were left");
    Ok(())
}

async fn what_grew_too_old_is_a_gap(fixture: Fixture) -> Outcome {
    let age = Duration::from_millis(300);
    let spec = |stream: StreamSpec| stream.subject(">").duplicate_window(age);
    let with_age = fixture.config('a', |stream| spec(stream).max_age(age))?;
    let rig = fixture.rig_of(with_age).await?;
    let config = rig.durable("d")?;
    drop(rig.subscribe(&config).await?);
    let mut sequences = rig.publish_all("a", 0..5).await?;
    rig.eventually("an empty stream", |rig| async move {
        Ok((rig.state().await?.messages == 0).then_some(()))
    })
    .await?;
    if rig.can(Capability::ConsumerAdmin) {
        // Each copy drops by a timer of its own, and a consumer reads from the copy of its leader.
        rig.eventually("a consumer with nothing to deliver", |rig| async move {
            Ok((rig.consumer_info("d").await??.pending == 0).then_some(()))
        })
        .await?;
    }
    // What follows stays, however long its reader takes.
    rig.apply(&fixture.config('a', spec)?).await?;
    let mut reader = rig.subscribe(&config).await?;
    sequences.push(rig.publish("a", 5).await?);
    let seen = read_all(&mut reader, &sequences).await?;
    ensure_eq!(seen.messages, [6], "the messages that were left");
    Ok(())
}

async fn what_was_deleted_is_a_gap(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    let config = rig.durable("d")?;
    drop(rig.subscribe(&config).await?);
    let sequences = rig.publish_all("a", 1..7).await?;
    for sequence in [2, 4] {
        ensure!(rig.delete(sequence).await?, "there was one at {sequence}");
    }
    let mut reader = rig.subscribe(&config).await?;
    let seen = read_all(&mut reader, &sequences).await?;
    ensure_eq!(seen.messages, [1, 3, 5, 6], "the messages that were left");
    Ok(())
}

async fn what_was_read_is_no_gap(fixture: Fixture) -> Outcome {
    let rig = five(&fixture).await?;
    let mut reader = rig.subscribe(&rig.durable("d")?).await?;
    for number in 0..30 {
        rig.publish("a", number).await?;
        // A gap in place of a message fails this.
        reader.expect_and_ack([number]).await?;
    }
    Ok(())
}

async fn what_went_before_is_no_gap(fixture: Fixture) -> Outcome {
    let rig = five(&fixture).await?;
    rig.publish_all("a", 0..30).await?;
    let mut reader = rig.subscribe(&rig.durable("d")?).await?;
    reader.expect_and_ack(25..30).await
}
