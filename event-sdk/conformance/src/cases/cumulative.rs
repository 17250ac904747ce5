//! Cases for the ack policy `All`: an acknowledgement settles everything before it, and nothing else.

use std::time::Duration;

use super::Got;
use crate::case::cases;
use crate::failure::{Outcome, ensure, ensure_eq};
use crate::fixture::Fixture;
use crate::reader::Reader;
use crate::rig::Rig;
use event_sdk_core::transport::{AckPolicy, Settlement};

cases! { "cumulative":
    an_ack_settles_what_came_before [Store, AckAll]
        "With the policy `All`, an ack settles its message and all before it.";
    a_confirmed_ack_settles_what_came_before [Store, AckAll]
        "With the policy `All`, a confirmed ack settles its message and all before it.";
    a_term_settles_what_came_before [Store, AckAll]
        "With the policy `All`, a term settles its message and all before it.";
    an_ack_settles_what_another_subscription_has [Store, AckAll]
        "With the policy `All`, an ack settles what came before it, whichever subscription has it.";
    an_ack_leaves_what_came_after [Store, AckAll]
        "With the policy `All`, an ack leaves unsettled what came after its message.";
    a_nak_is_for_one_message [Store, AckAll]
        "With the policy `All`, a nak puts back its message alone.";
    acks_go_on_after_a_redelivery [Store, AckAll]
        "With the policy `All`, the ack of a message that was delivered again settles it, and so do later acks.";
}

async fn reader(rig: &Rig) -> Outcome<Reader> {
    let mut config = rig.durable("all")?;
    config.ack = AckPolicy::All;
    config.ack_wait = rig.ack_wait();
    rig.subscribe(&config).await
}

/// A reader that has five messages.
async fn five(rig: &Rig) -> Outcome<(Reader, Vec<Got>)> {
    let mut reader = reader(rig).await?;
    rig.publish_all("a", 0..5).await?;
    let mut held = Vec::new();
    for number in 0..5 {
        held.push(reader.expect(number).await?);
    }
    Ok((reader, held))
}

async fn settled_by(fixture: Fixture, settlement: Settlement) -> Outcome {
    let rig = fixture.rig().await?;
    let (mut reader, held) = five(&rig).await?;
    held[4].settle(settlement).await?;
    // What is held would not be handed out again in any case.
    drop(held);
    reader.expect_nothing_for_an_ack_wait(&rig, "a").await
}

async fn an_ack_settles_what_came_before(fixture: Fixture) -> Outcome {
    settled_by(fixture, Settlement::Ack).await
}

async fn a_confirmed_ack_settles_what_came_before(fixture: Fixture) -> Outcome {
    settled_by(fixture, Settlement::AckConfirmed).await
}

async fn a_term_settles_what_came_before(fixture: Fixture) -> Outcome {
    settled_by(fixture, Settlement::Term("not for us".to_owned())).await
}

async fn an_ack_settles_what_another_subscription_has(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    let mut first = reader(&rig).await?;
    rig.publish_all("a", 0..2).await?;
    let held = [first.expect(0).await?, first.expect(1).await?];
    let mut second = reader(&rig).await?;
    drop(first);
    rig.publish("a", 2).await?;
    let mut came = vec![second.message().await?];
    // The others may have come again meanwhile.
    while came[came.len() - 1].number()? != 2 {
        came.push(second.message().await?);
    }
    came[came.len() - 1].ack().await?;
    drop((held, came));
    second.expect_nothing_for_an_ack_wait(&rig, "a").await
}

/// The next messages are these, in any order, each for another time.
async fn expect_again(reader: &mut Reader, numbers: &[u64]) -> Outcome<Vec<Got>> {
    let (mut again, mut missing) = (Vec::new(), numbers.to_vec());
    while !missing.is_empty() {
        let got = reader.message().await?;
        let number = got.number()?;
        let place = missing.iter().position(|missing| *missing == number);
        ensure!(
            place.is_some() && got.attempt() > 1,
            "message {number} came (attempt {}) where {missing:?} were to come again",
            got.attempt()
        );
        missing.retain(|missing| *missing != number);
        again.push(got);
    }
    Ok(again)
}

async fn an_ack_leaves_what_came_after(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    let (mut reader, held) = five(&rig).await?;
    held[2].ack().await?;
    drop(held);
    for got in expect_again(&mut reader, &[3, 4]).await? {
        if got.number()? == 4 {
            got.ack().await?;
        }
    }
    reader.expect_nothing_for_an_ack_wait(&rig, "a").await
}

async fn a_nak_is_for_one_message(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    let mut reader = reader(&rig).await?;
    rig.publish_all("a", 0..3).await?;
    let held = [
        reader.expect(0).await?,
        reader.expect(1).await?,
        reader.expect(2).await?,
    ];
    held[1].nak(Duration::ZERO).await?;
    let again = expect_again(&mut reader, &[1]).await?;
    ensure_eq!(again.len(), 1, "messages that came again");
    held[2].ack().await?;
    drop((held, again));
    reader.expect_nothing_for_an_ack_wait(&rig, "a").await
}

async fn acks_go_on_after_a_redelivery(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    let (mut reader, mut held) = five(&rig).await?;
    held[0].nak(Duration::ZERO).await?;
    let mut again = expect_again(&mut reader, &[0]).await?;
    held.splice(0..1, again.drain(..));
    // Its second delivery has a later number than those of all others.
    for got in &held {
        got.ack().await?;
    }
    drop(held);
    reader.expect_nothing_for_an_ack_wait(&rig, "a").await?;
    rig.publish("a", 5).await?;
    reader.expect(5).await?.ack().await?;
    reader.expect_nothing_for_an_ack_wait(&rig, "a").await
}
