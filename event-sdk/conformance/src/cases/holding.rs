//! Messages that a subscription holds: stale copies, redeliveries of what is handled, and slow
//! handlers.

use std::collections::BTreeSet;

use crate::case::cases;
use crate::failure::{Failure, Outcome, ensure_eq};
use crate::fixture::Fixture;
use crate::rig::SHORT;
use crate::unheard::two_ran_out;
use event_sdk_core::transport::{Incoming, Settlement};

cases! { "holding":
    a_redelivery_of_what_runs_starts_nothing [Store]
        "A message whose handler runs is not handed out again by its subscription when its ack wait ends, and the settlement counts.";
    a_stale_copy_is_not_handed_out [Store]
        "A message that waited for its handler until another member received and settled it is not handed out.";
    a_slow_handler_repeats_nothing [Store]
        "Where the prefetch is left to the transport, a handler that is slow but faster than its ack wait handles each message once.";
    what_ran_out_unheard_is_reported [Store, ReportsExhausted, ReportsExhaustedLater]
        "Messages whose last delivery ends while the consumer has no subscription are reported to the next.";
}

async fn a_redelivery_of_what_runs_starts_nothing(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    let mut config = rig.durable("d")?;
    config.ack_wait = SHORT;
    let mut reader = rig.subscribe(&config).await?;
    rig.publish("a", 0).await?;
    let running = reader.expect(0).await?;
    reader.expect_nothing_for_an_ack_wait(&rig, "a").await?;
    reader.expect_nothing_for_an_ack_wait(&rig, "a").await?;
    // What nobody has settled yet would come to the next subscription.
    running.settle(Settlement::AckConfirmed).await?;
    drop(reader);
    let mut reader = rig.subscribe(&config).await?;
    reader.expect_nothing_for_an_ack_wait(&rig, "a").await
}

async fn a_stale_copy_is_not_handed_out(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    let mut config = rig.durable("d")?;
    config.ack_wait = SHORT;
    rig.publish_all("a", 0..5).await?;
    // It asks for no more than those.
    let mut reader = rig.subscribe_ahead(&config, 5).await?;
    let first = reader.expect(0).await?;
    first.ack().await?;
    let mut other = rig.subscribe(&config).await?;
    let mut missing: BTreeSet<u64> = (1..5).collect();
    while !missing.is_empty() {
        let got = other.message().await?;
        missing.remove(&got.number()?);
        got.settle(Settlement::AckConfirmed).await?;
    }
    drop(other);
    // What was sent to the first before that is old then, however long it all took.
    rig.an_ack_wait_passes().await?;
    reader.expect_nothing_before_fence(&rig, "a").await
}

async fn a_slow_handler_repeats_nothing(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    let mut config = rig.durable("d")?;
    config.ack_wait = rig.ack_wait().max(SHORT * 3);
    // All eight of them together take longer than the ack wait.
    let handling = config.ack_wait / 6;
    rig.publish_all("a", 0..8).await?;
    let mut reader = rig.subscribe(&config).await?;
    for number in 0..8 {
        let got = reader.expect(number).await?;
        ensure_eq!(got.attempt(), 1, "the attempt of message {number}");
        // It handles the message.
        tokio::time::sleep(handling).await;
        got.ack().await?;
    }
    reader.expect_nothing_before_fence(&rig, "a").await
}

async fn what_ran_out_unheard_is_reported(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    let mut reader = two_ran_out(&rig).await?;
    let mut reported = BTreeSet::new();
    for _ in 0..2 {
        match reader.incoming().await? {
            Incoming::Notice(notice) if notice.exhausted().is_some() => {
                reported.extend(notice.exhausted().map(|exhausted| exhausted.sequence));
            }
            other => return Err(Failure::new(format!("{other:?} came instead of a report"))),
        }
    }
    ensure_eq!(reported, BTreeSet::from([1, 2]), "what was reported");
    reader.expect_nothing_before_fence(&rig, "a").await
}
