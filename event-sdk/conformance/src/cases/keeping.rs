//! Cases for work-queue and interest retention.

use std::num::NonZeroU32;
use std::time::Duration;

use super::messages;
use crate::case::cases;
use crate::failure::{Outcome, ensure, ensure_eq};
use crate::fixture::Fixture;
use crate::reader::Reader;
use crate::rig::Rig;
use event_sdk_core::stream::Retention;
use event_sdk_core::transport::{AckPolicy, DeliverPolicy, ErrorKind, Settlement};

cases! { "keeping":
    a_work_queue_drops_what_was_acked [Store, RetentionByAck, StreamAdmin]
        "A work queue keeps a message until it was acknowledged.";
    a_work_queue_drops_what_was_terminated [Store, RetentionByAck, StreamAdmin]
        "A work queue keeps a message that was put back, and drops one that was terminated.";
    what_ran_out_of_deliveries_stays_in_a_work_queue [Store, RetentionByAck, StreamAdmin]
        "A message of a work queue that ran out of deliveries stays.";
    what_ran_out_of_deliveries_may_be_acked_late [Store, RetentionByAck, StreamAdmin]
        "The last delivery of a message can be acknowledged after it was put back, too, and then it goes.";
    it_goes_in_whichever_order_it_was_acked [Store, RetentionByAck, StreamAdmin]
        "A message goes when it was acknowledged, whatever was stored before it, and the others stay.";
    a_message_of_a_work_queue_is_for_one_consumer [Store, RetentionByAck, StreamAdmin]
        "A consumer whose filter overlaps another's is refused by a work queue; one apart from it is not.";
    a_work_queue_refuses_who_would_leave_messages [Store, RetentionByAck, StreamAdmin]
        "A consumer that does not acknowledge each message, or begins later, is refused by a work queue.";
    interest_keeps_it_for_each_consumer [Store, RetentionByAck, StreamAdmin, ConsumerAdmin]
        "A stream that is kept by interest keeps a message until each consumer that it is for has acknowledged it.";
    interest_keeps_it_for_whom_it_is_for [Store, RetentionByAck, StreamAdmin]
        "A consumer with a filter is not waited for where that does not match.";
    what_is_for_nobody_has_a_sequence [Store, RetentionByAck, StreamAdmin]
        "What no consumer is for has the next sequence, and is not kept.";
    a_later_consumer_is_waited_for_too [Store, RetentionByAck, StreamAdmin]
        "A consumer that is created later gets what is left, which is kept until it has acknowledged that as well.";
    a_deleted_consumer_is_waited_for_no_more [Store, RetentionByAck, StreamAdmin, ConsumerAdmin]
        "With a consumer goes what only that had not acknowledged, whether it had read it or not.";
    without_acks_it_goes_once_delivered [Store, RetentionByAck, StreamAdmin]
        "Where nothing is acknowledged, a message is kept by interest until it was delivered.";
    limits_hold_all_the_same [Store, RetentionByAck, StreamAdmin]
        "A limit drops what nobody has acknowledged, too.";
    the_retention_of_a_stream_stays [Store, StreamAdmin, RetentionByAck]
        "A stream does not become a work queue, nor a work queue another; nothing is changed.";
}

async fn queue(fixture: &Fixture) -> Outcome<Rig> {
    fixture
        .rig_with(|stream| stream.retention(Retention::WorkQueue))
        .await
}

async fn by_interest(fixture: &Fixture) -> Outcome<Rig> {
    fixture
        .rig_with(|stream| stream.retention(Retention::Interest))
        .await
}

/// Waits until the stream has so many consumers, where several servers keep it: one may confirm a
/// consumer before the others know of it, and these keep nothing for it yet.
async fn all_know(rig: &Rig, consumers: usize) -> Outcome {
    if rig.copies() > 1 {
        rig.comes_to_have_consumers(consumers).await?;
    }
    Ok(())
}

/// The stream comes to hold so many messages.
async fn becomes(rig: &Rig, wanted: u64) -> Outcome {
    let what = format!("a stream of {wanted} messages");
    rig.eventually(&what, async |rig| {
        Ok((rig.state().await?.messages == wanted).then_some(()))
    })
    .await
}

async fn a_work_queue_drops_what_was_acked(fixture: Fixture) -> Outcome {
    let rig = queue(&fixture).await?;
    rig.publish_all("a", 0..3).await?;
    messages(&rig, 3).await?;
    let mut reader = rig.subscribe(&rig.durable("d")?).await?;
    let first = reader.expect(0).await?;
    messages(&rig, 3).await?;
    first.settle(Settlement::AckConfirmed).await?;
    becomes(&rig, 2).await?;
    reader.expect_and_ack(1..3).await?;
    becomes(&rig, 0).await?;
    let next = rig.publish("a", 3).await?;
    ensure_eq!(next, 4, "the sequence after those that are gone");
    reader.expect_and_ack(3..4).await
}

async fn a_work_queue_drops_what_was_terminated(fixture: Fixture) -> Outcome {
    let rig = queue(&fixture).await?;
    let mut reader = rig.subscribe(&rig.durable("d")?).await?;
    rig.publish_all("a", 0..2).await?;
    reader.expect(0).await?.term().await?;
    reader.expect(1).await?.nak(Duration::ZERO).await?;
    becomes(&rig, 1).await?;
    reader.expect(1).await?.ack().await?;
    becomes(&rig, 0).await
}

/// A consumer that delivers twice, and waits for long.
async fn twice(rig: &Rig) -> Outcome<Reader> {
    let mut config = rig.durable("twice")?;
    config.ack_wait = rig.patience() * 10;
    config.max_deliver = NonZeroU32::new(2);
    rig.subscribe(&config).await
}

async fn what_ran_out_of_deliveries_stays_in_a_work_queue(fixture: Fixture) -> Outcome {
    let rig = queue(&fixture).await?;
    let mut reader = twice(&rig).await?;
    rig.publish("a", 1).await?;
    for _ in 0..2 {
        reader.expect(1).await?.nak(Duration::ZERO).await?;
    }
    drop(reader);
    rig.publish("a", 2).await?;
    messages(&rig, 2).await
}

async fn what_ran_out_of_deliveries_may_be_acked_late(fixture: Fixture) -> Outcome {
    let rig = queue(&fixture).await?;
    let mut reader = twice(&rig).await?;
    rig.publish("a", 1).await?;
    reader.expect(1).await?.nak(Duration::ZERO).await?;
    let last = reader.expect(1).await?;
    last.nak(Duration::ZERO).await?;
    last.settle(Settlement::AckConfirmed).await?;
    becomes(&rig, 0).await
}

async fn it_goes_in_whichever_order_it_was_acked(fixture: Fixture) -> Outcome {
    let rig = queue(&fixture).await?;
    let mut reader = rig.subscribe(&rig.durable("d")?).await?;
    rig.publish_all("a", 0..5).await?;
    let mut got = Vec::new();
    for number in 0..5 {
        got.push(reader.expect(number).await?);
    }
    for (number, left) in [(2, 4), (4, 3), (0, 2)] {
        got[number].settle(Settlement::AckConfirmed).await?;
        becomes(&rig, left).await?;
    }
    // Numbers 1 and 3 are left.
    for number in [1, 3] {
        got[number].nak(Duration::ZERO).await?;
        reader.expect(number as u64).await?.ack().await?;
    }
    becomes(&rig, 0).await
}

async fn a_message_of_a_work_queue_is_for_one_consumer(fixture: Fixture) -> Outcome {
    let rig = queue(&fixture).await?;
    let filtered = |name: &str, filter: &str| {
        let mut config = rig.durable(name)?;
        config.filters = vec![rig.pattern(filter)?];
        Outcome::Ok(config)
    };
    let mut one = rig.subscribe(&filtered("one", "x.*")?).await?;
    for (name, filter) in [("two", "x.1"), ("three", ">")] {
        let error = rig
            .subscribe_refused(&filtered(name, filter)?, "what is another consumer's")
            .await?;
        ensure_eq!(
            *error.kind(),
            ErrorKind::InvalidOption,
            "the kind of {error}"
        );
    }
    let mut four = rig.subscribe(&filtered("four", "y.*")?).await?;
    rig.publish("x.1", 1).await?;
    rig.publish("y.1", 2).await?;
    one.expect_and_ack(1..2).await?;
    four.expect_and_ack(2..3).await?;
    becomes(&rig, 0).await
}

async fn a_work_queue_refuses_who_would_leave_messages(fixture: Fixture) -> Outcome {
    let rig = queue(&fixture).await?;
    let mut without = rig.durable("without")?;
    without.ack = AckPolicy::None;
    let mut later = rig.durable("later")?;
    later.deliver = DeliverPolicy::New;
    for (config, why) in [(without, "without acks"), (later, "what is new alone")] {
        let error = rig.subscribe_refused(&config, why).await?;
        ensure_eq!(
            *error.kind(),
            ErrorKind::InvalidOption,
            "the kind of {error}"
        );
    }
    rig.has_consumers(0).await
}

async fn interest_keeps_it_for_each_consumer(fixture: Fixture) -> Outcome {
    let rig = by_interest(&fixture).await?;
    let mut one = rig.subscribe(&rig.durable("one")?).await?;
    let mut two = rig.subscribe(&rig.durable("two")?).await?;
    all_know(&rig, 2).await?;
    rig.publish("a", 1).await?;
    one.expect_and_ack(1..2).await?;
    two.expect(1)
        .await?
        .settle(Settlement::AckConfirmed)
        .await?;
    becomes(&rig, 0).await?;
    rig.publish("a", 2).await?;
    one.expect(2)
        .await?
        .settle(Settlement::AckConfirmed)
        .await?;
    messages(&rig, 1).await?;
    two.expect_and_ack(2..3).await?;
    becomes(&rig, 0).await?;
    // Without a consumer there is nobody to keep anything for.
    for name in ["one", "two"] {
        rig.delete_consumer(name).await??;
    }
    rig.has_consumers(0).await?;
    rig.publish("a", 3).await?;
    becomes(&rig, 0).await
}

async fn interest_keeps_it_for_whom_it_is_for(fixture: Fixture) -> Outcome {
    let rig = by_interest(&fixture).await?;
    let mut narrow = rig.durable("narrow")?;
    narrow.filters = vec![rig.pattern("x.*")?];
    let mut all = rig.subscribe(&rig.durable("all")?).await?;
    let mut narrow = rig.subscribe(&narrow).await?;
    all_know(&rig, 2).await?;
    rig.publish("x.1", 1).await?;
    rig.publish("y.1", 2).await?;
    all.expect_and_ack(1..3).await?;
    becomes(&rig, 1).await?;
    narrow.expect_and_ack(1..2).await?;
    becomes(&rig, 0).await
}

async fn what_is_for_nobody_has_a_sequence(fixture: Fixture) -> Outcome {
    let rig = by_interest(&fixture).await?;
    let mut config = rig.durable("d")?;
    config.filters = vec![rig.pattern("x.*")?];
    let mut reader = rig.subscribe(&config).await?;
    all_know(&rig, 1).await?;
    let mut sequences = Vec::new();
    for (number, subject) in (1..).zip(["y.1", "x.1", "y.1", "x.1"]) {
        sequences.push(rig.publish(subject, number).await?);
    }
    ensure_eq!(sequences, [1, 2, 3, 4], "the sequences");
    becomes(&rig, 2).await?;
    reader.expect_and_ack([2, 4]).await?;
    becomes(&rig, 0).await?;
    ensure_eq!(rig.state().await?.last_sequence, 4, "the last sequence");
    Ok(())
}

async fn a_later_consumer_is_waited_for_too(fixture: Fixture) -> Outcome {
    let rig = by_interest(&fixture).await?;
    let mut one = rig.subscribe(&rig.durable("one")?).await?;
    all_know(&rig, 1).await?;
    rig.publish_all("a", 0..3).await?;
    one.expect(0)
        .await?
        .settle(Settlement::AckConfirmed)
        .await?;
    becomes(&rig, 2).await?;
    let mut two = rig.subscribe(&rig.durable("two")?).await?;
    all_know(&rig, 2).await?;
    for number in 1..3 {
        let got = one.expect(number).await?;
        got.settle(Settlement::AckConfirmed).await?;
    }
    messages(&rig, 2).await?;
    two.expect_and_ack(1..3).await?;
    becomes(&rig, 0).await
}

async fn a_deleted_consumer_is_waited_for_no_more(fixture: Fixture) -> Outcome {
    let rig = by_interest(&fixture).await?;
    let mut one = rig.subscribe(&rig.durable("one")?).await?;
    let mut two = rig.subscribe_ahead(&rig.durable("two")?, 1).await?;
    all_know(&rig, 2).await?;
    rig.publish_all("a", 0..3).await?;
    let _in_hand = two.expect(0).await?;
    for number in 0..2 {
        let got = one.expect(number).await?;
        got.settle(Settlement::AckConfirmed).await?;
    }
    messages(&rig, 3).await?;
    rig.delete_consumer("two").await??;
    becomes(&rig, 1).await?;
    one.expect_and_ack(2..3).await?;
    becomes(&rig, 0).await
}

async fn without_acks_it_goes_once_delivered(fixture: Fixture) -> Outcome {
    let rig = by_interest(&fixture).await?;
    let mut config = rig.durable("d")?;
    config.ack = AckPolicy::None;
    let mut reader = rig.subscribe(&config).await?;
    all_know(&rig, 1).await?;
    rig.publish_all("a", 0..5).await?;
    for number in 0..5 {
        reader.expect(number).await?;
    }
    // It asks for more, of which there is none.
    let more = reader.ready().await;
    ensure!(more.is_none(), "{more:?} came after the last");
    becomes(&rig, 0).await?;
    rig.publish("a", 5).await?;
    reader.expect(5).await.map(drop)
}

async fn limits_hold_all_the_same(fixture: Fixture) -> Outcome {
    let rig = fixture
        .rig_with(|stream| stream.retention(Retention::WorkQueue).max_messages(3))
        .await?;
    rig.publish_all("a", 0..5).await?;
    messages(&rig, 3).await?;
    let mut reader = rig.subscribe(&rig.durable("d")?).await?;
    reader.expect_and_ack(2..5).await?;
    becomes(&rig, 0).await
}

async fn the_retention_of_a_stream_stays(fixture: Fixture) -> Outcome {
    let rig = queue(&fixture).await?;
    let limits = fixture.config('a', |stream| stream.subject(">").max_messages(7))?;
    let Err(error) = rig.try_apply(&limits).await? else {
        return Err(super::Failure::new("another retention was applied"));
    };
    ensure_eq!(
        *error.kind(),
        ErrorKind::InvalidOption,
        "the kind of {error}"
    );
    let config = rig.state().await?.config;
    ensure_eq!(
        (config.retention, config.limits.messages),
        (Retention::WorkQueue, None),
        "the stream after a change that was refused"
    );
    Ok(())
}
