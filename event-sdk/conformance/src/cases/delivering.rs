//! Cases for delivering: order, metadata, pending counts, and independence of consumers.

use std::time::{Duration, Instant};

use futures_util::StreamExt;
use futures_util::future::{join_all, try_join_all};

use super::{Failure, joined, numbers};
use crate::case::cases;
use crate::failure::{Outcome, ensure, ensure_eq, within};
use crate::fixture::Fixture;
use crate::reader::number;
use event_sdk_core::transport::Incoming;

cases! { "delivering":
    a_delivery_says_where_it_comes_from [Store]
        "A delivery knows its stream, its sequence, its attempt and when it was stored.";
    messages_come_in_order [Store]
        "Messages come in order of sequence, whatever their subjects.";
    times_of_storing_never_go_back [Store]
        "What has a higher sequence was not stored earlier.";
    pending_counts_what_is_to_come [Store]
        "A delivery knows how many messages the consumer has still to receive after it.";
    every_consumer_gets_its_own_copy [Store]
        "Consumers that are not of one group each receive every message.";
    backlog_and_live_meet [Store]
        "A consumer that starts while messages are published receives each once and in order.";
    a_waiting_subscription_wakes [Store]
        "A subscription that waits receives what is published then.";
    a_slow_subscription_slows_no_publisher [Store]
        "A subscription that is not read slows no publisher and loses nothing.";
    a_slow_subscription_slows_no_other [Store]
        "A subscription that is not read slows no other consumer.";
    polling_is_cancel_safe [Store]
        "Whoever stops waiting for the next item loses none.";
    prefetch_is_no_limit_of_unsettled [Store]
        "A subscription goes on while what it delivered is unsettled, however little it takes ahead.";
}

async fn a_delivery_says_where_it_comes_from(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    let mut reader = rig.subscribe(&rig.ephemeral()?).await?;
    for (number, subject) in [(1, "a"), (2, "b.c")] {
        let sequence = rig.publish(subject, number).await?;
        let got = reader.expect(number).await?;
        let info = &got.received.info;
        ensure_eq!(got.received.subject, rig.subject(subject)?, "the subject");
        ensure_eq!(info.stream, Some(rig.stream.clone()), "the stream");
        ensure_eq!(info.sequence, Some(sequence), "the sequence");
        ensure_eq!(info.attempt, 1, "the attempt");
        ensure!(
            info.stored_at.is_some(),
            "it is not known when message {number} was stored"
        );
        got.ack().await?;
    }
    Ok(())
}

async fn messages_come_in_order(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    let count = numbers(&fixture, 200);
    for number in 0..count {
        let subject = format!("subject.{}", number % 7);
        rig.publish(&subject, number).await?;
    }
    let mut reader = rig.subscribe(&rig.ephemeral()?).await?;
    let mut last = 0;
    for number in 0..count {
        let got = reader.expect(number).await?;
        let sequence = got.sequence()?;
        ensure!(sequence > last, "sequence {sequence} came after {last}");
        last = sequence;
        got.ack().await?;
    }
    Ok(())
}

async fn times_of_storing_never_go_back(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    rig.publish_all("a", 0..50).await?;
    let mut reader = rig.subscribe(&rig.ephemeral()?).await?;
    let mut last = None;
    for number in 0..50 {
        let got = reader.expect(number).await?;
        let stored_at = got.received.info.stored_at;
        ensure!(
            stored_at >= last,
            "message {number} was stored at {stored_at:?}, the one before it at {last:?}"
        );
        last = stored_at;
        got.ack().await?;
    }
    Ok(())
}

async fn pending_counts_what_is_to_come(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    rig.publish_all("a", 0..5).await?;
    let mut reader = rig.subscribe(&rig.ephemeral()?).await?;
    for number in 0..5 {
        let got = reader.expect(number).await?;
        let pending = got.received.info.pending;
        ensure_eq!(
            pending,
            Some(4 - number),
            "messages to come after message {number} of five"
        );
        got.ack().await?;
    }
    Ok(())
}

async fn every_consumer_gets_its_own_copy(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    let configs = [
        rig.durable("one")?,
        rig.durable("two")?,
        rig.group("three")?,
        rig.group("four")?,
        rig.ephemeral()?,
        rig.ephemeral()?,
    ];
    let mut readers = Vec::new();
    for config in &configs {
        readers.push(rig.subscribe(config).await?);
    }
    rig.publish_all("a", 0..20).await?;
    for reader in &mut readers {
        reader.expect_and_ack(0..20).await?;
    }
    for reader in &mut readers {
        let more = reader.ready().await;
        ensure!(
            more.is_none(),
            "{more:?} came after everything was delivered"
        );
    }
    Ok(())
}

async fn backlog_and_live_meet(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    let count = numbers(&fixture, 300);
    rig.publish_all("a", 0..20).await?;
    let publishing = joined({
        let rig = rig.clone();
        async move { rig.publish_all("a", 20..count).await }
    });
    let subscribing = (0..4).map(|_| {
        let rig = rig.clone();
        joined(async move {
            let mut reader = rig.subscribe(&rig.ephemeral()?).await?;
            reader.expect_and_ack(0..count).await
        })
    });
    let subscribing = try_join_all(subscribing);
    let (published, received) = futures_util::future::join(publishing, subscribing).await;
    published?;
    received?;
    Ok(())
}

async fn a_waiting_subscription_wakes(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    let mut reader = rig.subscribe(&rig.ephemeral()?).await?;
    for number in 0..5 {
        ensure!(
            reader.ready().await.is_none(),
            "something came before it was published"
        );
        let reading = joined(async move {
            let got = reader.expect(number).await?;
            got.ack().await?;
            Ok(reader)
        });
        rig.publish("a", number).await?;
        reader = reading.await?;
    }
    Ok(())
}

async fn a_slow_subscription_slows_no_publisher(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    let count = numbers(&fixture, 500);
    let mut config = rig.durable("slow")?;
    config.max_ack_pending = None;
    let mut slow = rig.subscribe_ahead(&config, 1).await?;
    // Each of these fails when it takes longer than the suite's patience.
    rig.publish_all("a", 0..count).await?;
    slow.expect_and_ack(0..count).await
}

async fn a_slow_subscription_slows_no_other(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    let count = numbers(&fixture, 200);
    let _unread = [
        rig.subscribe_ahead(&rig.durable("slow")?, 1).await?,
        rig.subscribe_ahead(&rig.ephemeral()?, 1).await?,
    ];
    // One message for each of them, which they have taken and not settled.
    let mut stuck = rig.subscribe_ahead(&rig.durable("stuck")?, 1).await?;
    let mut quick = rig.subscribe(&rig.durable("quick")?).await?;
    for number in 0..count {
        rig.publish("a", number).await?;
        if number == 0 {
            stuck.expect(0).await?;
        }
        quick.expect_and_ack([number]).await?;
    }
    Ok(())
}

async fn polling_is_cancel_safe(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    let count = numbers(&fixture, 200);
    let mut reader = rig.subscribe(&rig.ephemeral()?).await?;
    let publishing = joined({
        let rig = rig.clone();
        async move { rig.publish_all("a", 0..count).await }
    });
    let until = Instant::now() + rig.patience();
    for wanted in 0..count {
        let item = loop {
            // Given up at once, then after a moment, and so on.
            if let Some(item) = reader.ready().await {
                break item;
            }
            let moment = Duration::from_micros(100);
            let next = tokio::time::timeout(moment, reader.deliveries.next()).await;
            if let Ok(Some(item)) = next {
                break item;
            }
            ensure!(Instant::now() < until, "message {wanted} did not come");
        };
        let Incoming::Message(received) = item? else {
            return Err(Failure::new("something else came instead of a message"));
        };
        ensure_eq!(
            number(&received.body)?,
            wanted,
            "the number of the next message"
        );
        if let Some(settler) = received.settler {
            settler
                .settle(event_sdk_core::transport::Settlement::Ack)
                .await?;
        }
    }
    publishing.await?;
    Ok(())
}

async fn prefetch_is_no_limit_of_unsettled(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    let mut reader = rig.subscribe_ahead(&rig.ephemeral()?, 1).await?;
    rig.publish_all("a", 0..50).await?;
    let mut held = Vec::new();
    for number in 0..50 {
        held.push(reader.expect(number).await?);
    }
    let acks = join_all(held.iter().map(super::Got::ack));
    within(rig.patience(), "the acks of fifty messages", acks)
        .await?
        .into_iter()
        .collect()
}
