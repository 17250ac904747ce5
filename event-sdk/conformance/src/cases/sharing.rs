//! Cases for sharing: subscriptions of a durable or group divide its messages.

use std::collections::BTreeSet;
use std::pin::pin;

use futures_util::future::{Either, select};

use super::numbers;
use crate::case::cases;
use crate::failure::{Outcome, ensure, ensure_eq};
use crate::fence::FENCE;
use crate::fixture::Fixture;
use crate::reader::Reader;
use crate::rig::{Rig, SHORT};
use event_sdk_core::transport::{
    AckPolicy, ConsumerConfig, ConsumerName, DeliverPolicy, Settlement,
};

cases! { "sharing":
    a_live_group_shares []
        "A live message goes to one subscription of a group, with or without a stream.";
    a_group_shares [Store]
        "Each message of a group goes to one of its subscriptions.";
    a_durable_shares [Store]
        "Each message of a durable goes to one of its subscriptions.";
    an_idle_member_leaves_the_rest [Store]
        "A subscription that is not read keeps only what it takes ahead; the others get the rest.";
    a_member_that_leaves_loses_nothing [Store]
        "What a subscription that goes away had not settled is delivered to those that stay.";
    a_member_that_joins_gets_its_share [Store]
        "A subscription that joins receives what is published then, if the others are busy.";
    groups_do_not_share_with_each_other [Store]
        "Every group receives every message.";
}

/// Three members receive each message once between them.
async fn shared(rig: &Rig, config: &ConsumerConfig, count: u64) -> Outcome {
    let mut members = Vec::new();
    for _ in 0..3 {
        members.push(rig.subscribe_ahead(config, 1).await?);
    }
    let mut members = Reader::merge(members, rig.patience());
    for number in 0..count {
        rig.store(rig.draft("a", number)?).await?;
    }
    let mut seen = BTreeSet::new();
    while (seen.len() as u64) < count {
        let got = members.message().await?;
        let number = got.number()?;
        ensure!(seen.insert(number), "message {number} came to two members");
        got.settle_if_any(Settlement::Ack).await?;
    }
    rig.store(rig.draft("a", FENCE)?).await?;
    members
        .expect(FENCE)
        .await?
        .settle_if_any(Settlement::Ack)
        .await?;
    let more = members.ready().await;
    ensure!(
        more.is_none(),
        "{more:?} came after everything was delivered"
    );
    Ok(())
}

async fn a_live_group_shares(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    let mut config = rig.group("g")?;
    config.ack = AckPolicy::None;
    config.deliver = DeliverPolicy::New;
    shared(&rig, &config, numbers(&fixture, 30)).await
}

async fn a_group_shares(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    shared(&rig, &rig.group("g")?, numbers(&fixture, 100)).await
}

async fn a_durable_shares(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    shared(&rig, &rig.durable("d")?, numbers(&fixture, 100)).await
}

async fn an_idle_member_leaves_the_rest(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    let mut config = rig.durable("d")?;
    config.ack_wait = rig.patience() * 10;
    let mut idle = rig.subscribe_ahead(&config, 1).await?;
    let mut busy = rig.subscribe_ahead(&config, 1).await?;
    rig.publish_all("a", 0..20).await?;
    let mut seen = BTreeSet::new();
    for _ in 0..19 {
        let got = busy.message().await?;
        seen.insert(got.number()?);
        got.ack().await?;
    }
    ensure_eq!(
        seen.len(),
        19,
        "different messages that the busy member received"
    );
    // The last is with the one or with the other.
    let last = match select(pin!(idle.message()), pin!(busy.message())).await {
        Either::Left((got, _)) | Either::Right((got, _)) => got?,
    };
    seen.insert(last.number()?);
    ensure_eq!(seen.len(), 20, "different messages that both received");
    Ok(())
}

async fn a_member_that_leaves_loses_nothing(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    let mut config = rig.durable("d")?;
    config.ack_wait = SHORT;
    rig.publish_all("a", 0..20).await?;
    let mut leaving = rig.subscribe_ahead(&config, 4).await?;
    for _ in 0..3 {
        leaving.message().await?;
    }
    let mut staying = rig.subscribe_ahead(&config, 1).await?;
    drop(leaving);
    let mut missing: BTreeSet<u64> = (0..20).collect();
    while !missing.is_empty() {
        let got = staying.message().await?;
        missing.remove(&got.number()?);
        got.ack().await?;
    }
    Ok(())
}

async fn a_member_that_joins_gets_its_share(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    let config = rig.group("g")?;
    let mut first = rig.subscribe_ahead(&config, 1).await?;
    rig.publish_all("a", 0..5).await?;
    // It has one in its hands and takes one ahead.
    first.expect(0).await?;
    let mut second = rig.subscribe_ahead(&config, 1).await?;
    for _ in 0..3 {
        let got = second.message().await?;
        ensure!(got.number()? > 0, "the message of another member came");
        got.ack().await?;
    }
    Ok(())
}

async fn groups_do_not_share_with_each_other(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    let mut readers = Vec::new();
    for name in ["one", "two", "three"] {
        let config = rig.group(name)?;
        ensure!(
            matches!(config.name, ConsumerName::Group(_)),
            "the name of a group"
        );
        readers.push(rig.subscribe(&config).await?);
    }
    rig.publish_all("a", 0..10).await?;
    for reader in &mut readers {
        reader.expect_and_ack(0..10).await?;
    }
    Ok(())
}
