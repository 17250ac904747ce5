//! Cases under load: many publishers, subscriptions and changes of members.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use futures_util::future::try_join_all;

use super::{joined, numbers};
use crate::case::cases;
use crate::failure::{Outcome, ensure, ensure_eq};
use crate::fixture::Fixture;
use crate::rig::SHORT;

cases! { "stress":
    many_publishers_and_consumers [Store]
        "Each of several consumers receives each publisher's messages once and in that publisher's order.";
    many_members_share_the_load [Store]
        "Many members of a group, each in a task of its own, handle each message once.";
    members_come_and_go [Store]
        "While subscriptions of a durable come and go, no message is lost.";
    settlements_of_all_kinds [Store]
        "Of many messages that are put back, terminated and acknowledged, each comes as often as it has to.";
    many_subscriptions [Store]
        "Many subscriptions receive every message.";
    a_large_backlog [Store]
        "A large backlog is delivered whole and in order.";
}

async fn many_publishers_and_consumers(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    let (publishers, each) = (8, numbers(&fixture, 50));
    let publishing = (0..publishers).map(|publisher| {
        let rig = rig.clone();
        let subject = format!("publisher.{publisher}");
        joined(async move { rig.publish_all(&subject, 0..each).await })
    });
    let receiving: Vec<_> = (0..4)
        .map(|consumer| {
            let rig = rig.clone();
            joined(async move {
                let mut reader = rig
                    .subscribe(&rig.durable(&format!("d{consumer}"))?)
                    .await?;
                let mut next = BTreeMap::new();
                for _ in 0..publishers * each {
                    let got = reader.message().await?;
                    let wanted = next.entry(got.received.subject.clone()).or_insert(0);
                    ensure_eq!(
                        got.number()?,
                        *wanted,
                        "the next of {}",
                        got.received.subject
                    );
                    *wanted += 1;
                    got.ack().await?;
                }
                Ok(())
            })
        })
        .collect();
    try_join_all(publishing).await?;
    try_join_all(receiving).await?;
    Ok(())
}

async fn many_members_share_the_load(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    let count = fixture.scaled(400);
    let config = rig.group("g")?;
    let patience = rig.patience();
    let handled = Arc::new(AtomicUsize::new(0));
    let mut members = Vec::new();
    for _ in 0..6 {
        let mut reader = rig.subscribe_ahead(&config, 4).await?;
        let handled = Arc::clone(&handled);
        members.push(joined(async move {
            let mut own = Vec::new();
            let (mut before, mut since) = (0, Instant::now());
            loop {
                // Whoever comes too late for the last message hears no more.
                let now = handled.load(Ordering::SeqCst);
                if now >= count {
                    return Ok((own, reader));
                }
                if now > before {
                    (before, since) = (now, Instant::now());
                }
                ensure!(
                    since.elapsed() < patience,
                    "{now} messages of {count} were handled, and no more come"
                );
                let moment = Duration::from_millis(20);
                let Ok(got) = tokio::time::timeout(moment, reader.message()).await else {
                    continue;
                };
                let got = got?;
                own.push(got.number()?);
                got.ack().await?;
                handled.fetch_add(1, Ordering::SeqCst);
            }
        }));
    }
    rig.publish_all("a", 0..count as u64).await?;
    let (all, readers): (Vec<_>, Vec<_>) = try_join_all(members).await?.into_iter().unzip();
    let mut all: Vec<u64> = all.concat();
    all.sort_unstable();
    ensure!(
        all.iter().copied().eq(0..count as u64),
        "six members together received {} messages of {count}: {all:?}",
        all.len()
    );
    // One may have been quick enough to receive all.
    for mut reader in readers {
        let more = reader.ready().await;
        ensure!(more.is_none(), "{more:?} came when all were received");
    }
    Ok(())
}

async fn members_come_and_go(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    let count = numbers(&fixture, 100);
    let mut config = rig.durable("d")?;
    config.ack_wait = SHORT;
    let publishing = joined({
        let rig = rig.clone();
        async move { rig.publish_all("a", 0..count).await }
    });
    let mut missing: BTreeSet<u64> = (0..count).collect();
    let mut turn = 0_u64;
    while !missing.is_empty() {
        turn += 1;
        let mut reader = rig.subscribe_ahead(&config, 3).await?;
        for read in 0..5 {
            if missing.is_empty() {
                break;
            }
            let got = reader.message().await?;
            // Every few it goes away with one that it did not settle.
            if !(turn + read).is_multiple_of(7) {
                got.ack().await?;
                missing.remove(&got.number()?);
            }
        }
    }
    publishing.await?;
    Ok(())
}

async fn settlements_of_all_kinds(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    let count = numbers(&fixture, 100);
    let mut reader = rig.subscribe(&rig.durable("d")?).await?;
    rig.publish_all("a", 0..count).await?;
    // How often message `number` is to come: put back until then.
    let due = |number: u64| u32::try_from(number % 4).unwrap_or(0) + 1;
    let mut came: BTreeMap<u64, u32> = BTreeMap::new();
    for _ in 0..(0..count).map(due).sum() {
        let got = reader.message().await?;
        let number = got.number()?;
        let times = came.entry(number).or_insert(0);
        *times += 1;
        ensure_eq!(got.attempt(), *times, "the attempt of message {number}");
        if *times < due(number) {
            got.nak(Duration::from_millis(number % 3 * 10)).await?;
        } else if number % 5 == 0 {
            got.term().await?;
        } else {
            got.ack().await?;
        }
    }
    for number in 0..count {
        ensure_eq!(
            came.get(&number),
            Some(&due(number)),
            "how often message {number} came"
        );
    }
    reader.expect_nothing_before_fence(&rig, "a").await
}

async fn many_subscriptions(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    let mut receiving = Vec::new();
    for _ in 0..fixture.scaled(50) {
        let mut reader = rig.subscribe(&rig.ephemeral()?).await?;
        receiving.push(joined(async move { reader.expect_and_ack(0..20).await }));
    }
    rig.publish_all("a", 0..20).await?;
    try_join_all(receiving).await?;
    Ok(())
}

async fn a_large_backlog(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    let count = numbers(&fixture, 1000);
    let mut confirmations = Vec::new();
    for number in 0..count {
        confirmations.push(rig.send(rig.draft("a", number)?).await??);
    }
    for confirmation in confirmations {
        rig.confirm(confirmation).await??;
    }
    let mut reader = rig.subscribe_ahead(&rig.ephemeral()?, 256).await?;
    reader.expect_and_ack(0..count).await
}
