//! Cases for batches: several deliveries settled together.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::case::cases;
use crate::failure::{Outcome, ensure, ensure_eq, within};
use crate::fixture::Fixture;
use crate::reader::{Got, Reader};
use crate::rig::Rig;
use event_sdk_core::transport::{ConsumerConfig, ErrorKind, Settlement, Settler, Unsettled};

cases! { "settling together":
    what_is_acked_together_stays_away [Store]
        "Of deliveries that are acknowledged together none comes again, and all others do.";
    what_is_confirmed_together_stays_away [Store]
        "Deliveries whose acks were confirmed together are not delivered again.";
    what_is_put_back_together_comes_again [Store]
        "Deliveries that are put back together are delivered again, each of them.";
    what_was_settled_before_harms_no_batch [Store]
        "Deliveries can be settled together with some that were settled already.";
    a_batch_names_what_was_not_settled [Store]
        "Of deliveries that are settled together, the answer names those that were not; the others are.";
    a_batch_that_was_given_up_can_be_settled [Store]
        "Deliveries of which settling together was given up half-way can be settled again.";
    after_closing_no_batch_is_settled [Store]
        "After closing, the answer to settling together names each delivery.";
}

/// Settles these together.
async fn settle(
    rig: &Rig,
    those: &[&Got],
    settlement: Settlement,
) -> Outcome<Result<(), Unsettled>> {
    let settlers: Outcome<Vec<Settler>> = those.iter().map(|got| got.settler()).collect();
    let settlers = settlers?;
    let settlers: Vec<&Settler> = settlers.iter().collect();
    let answer = Settler::settle_all(&settlers, &settlement);
    within(rig.patience(), "the answer to settling together", answer).await
}

/// A consumer that has received so many messages and settled none.
async fn received(rig: &Rig, name: &str, count: u64) -> Outcome<(Reader, Vec<Got>)> {
    let mut config = rig.durable(name)?;
    config.ack_wait = rig.ack_wait();
    received_as(rig, &config, count).await
}

async fn received_as(
    rig: &Rig,
    config: &ConsumerConfig,
    count: u64,
) -> Outcome<(Reader, Vec<Got>)> {
    let mut reader = rig.subscribe(config).await?;
    let mut received = Vec::new();
    for number in 0..count {
        received.push(reader.expect(number).await?);
    }
    Ok((reader, received))
}

async fn what_is_acked_together_stays_away(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    rig.publish_all("a", 0..6).await?;
    let (mut reader, all) = received(&rig, "d", 6).await?;
    settle(&rig, &[&all[4], &all[0], &all[5], &all[2]], Settlement::Ack).await??;
    // What is held is not handed out again.
    drop(all);
    let mut missing = BTreeSet::from([1, 3]);
    while !missing.is_empty() {
        let again = reader.message().await?;
        let number = again.number()?;
        ensure!(missing.remove(&number), "message {number} came again");
        ensure_eq!(again.attempt(), 2, "the attempt of message {number}");
        again.ack().await?;
    }
    reader.expect_nothing_for_an_ack_wait(&rig, "a").await
}

async fn what_is_confirmed_together_stays_away(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    rig.publish_all("a", 0..5).await?;
    let (mut reader, all) = received(&rig, "d", 5).await?;
    let those: Vec<&Got> = all.iter().collect();
    settle(&rig, &those, Settlement::AckConfirmed).await??;
    drop(all);
    reader.expect_nothing_for_an_ack_wait(&rig, "a").await
}

async fn what_is_put_back_together_comes_again(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    rig.publish_all("a", 0..4).await?;
    // With an ack wait that is not waited out.
    let (mut reader, all) = received_as(&rig, &rig.durable("d")?, 4).await?;
    let those: Vec<&Got> = all.iter().collect();
    settle(&rig, &those, Settlement::Nak(Duration::ZERO)).await??;
    let mut missing: BTreeSet<u64> = (0..4).collect();
    while !missing.is_empty() {
        let again = reader.message().await?;
        let number = again.number()?;
        ensure!(missing.remove(&number), "message {number} came twice");
        ensure_eq!(again.attempt(), 2, "the attempt of message {number}");
        again.ack().await?;
    }
    Ok(())
}

async fn what_was_settled_before_harms_no_batch(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    rig.publish_all("a", 0..4).await?;
    let (mut reader, all) = received(&rig, "d", 4).await?;
    all[1].ack().await?;
    all[2].term().await?;
    // One of them twice.
    let those = [&all[0], &all[1], &all[2], &all[3], &all[0]];
    settle(&rig, &those, Settlement::Ack).await??;
    drop(all);
    reader.expect_nothing_for_an_ack_wait(&rig, "a").await
}

async fn a_batch_names_what_was_not_settled(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    rig.publish_all("a", 0..2).await?;
    let (mut reader, stays) = received(&rig, "stays", 2).await?;
    let (_, gone) = received(&rig, "gone", 2).await?;
    rig.delete_consumer("gone").await??;
    let those = [&gone[0], &stays[0], &gone[1], &stays[1]];
    let settled = settle(&rig, &those, Settlement::AckConfirmed).await?;
    let failed = settled.err().map_or_else(Vec::new, Unsettled::into_errors);
    let failed: Vec<_> = failed
        .iter()
        .map(|(place, error)| (*place, error.kind()))
        .collect();
    ensure_eq!(
        failed,
        [
            (0, &ErrorKind::ConsumerNotFound),
            (2, &ErrorKind::ConsumerNotFound)
        ],
        "what was not settled, where the consumer of the first and the third is gone"
    );
    drop(stays);
    reader.expect_nothing_for_an_ack_wait(&rig, "a").await
}

async fn a_batch_that_was_given_up_can_be_settled(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    rig.publish_all("a", 0..5).await?;
    let (mut reader, all) = received(&rig, "d", 5).await?;
    let settlers: Outcome<Vec<Settler>> = all.iter().map(Got::settler).collect();
    let settlers = settlers?;
    let each: Vec<&Settler> = settlers.iter().collect();
    // Looked at once: some of it may be done.
    let mut given_up = Settler::settle_all(&each, &Settlement::AckConfirmed);
    let _ = futures_util::future::poll_immediate(&mut given_up).await;
    drop(given_up);
    let those: Vec<&Got> = all.iter().collect();
    settle(&rig, &those, Settlement::AckConfirmed).await??;
    drop((all, settlers));
    reader.expect_nothing_for_an_ack_wait(&rig, "a").await
}

async fn after_closing_no_batch_is_settled(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    rig.publish_all("a", 0..3).await?;
    let (_reader, all) = received(&rig, "d", 3).await?;
    rig.close().await??;
    let those: Vec<&Got> = all.iter().collect();
    for settlement in [Settlement::Ack, Settlement::AckConfirmed] {
        let settled = settle(&rig, &those, settlement).await?;
        let failed = settled.err().map_or_else(Vec::new, Unsettled::into_errors);
        let failed: Vec<_> = failed
            .iter()
            .map(|(place, error)| (*place, error.kind()))
            .collect();
        let all: Vec<_> = (0..3).map(|place| (place, &ErrorKind::Closed)).collect();
        ensure_eq!(failed, all, "what was not settled after closing");
    }
    Ok(())
}
