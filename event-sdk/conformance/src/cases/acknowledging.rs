//! Cases for acknowledging: ack, confirmed ack, nak, term, and repeated settlements.

use std::collections::VecDeque;
use std::num::NonZeroU32;
use std::time::Duration;

use super::{Got, joined};
use crate::case::cases;
use crate::failure::{Outcome, ensure, ensure_eq};
use crate::fixture::Fixture;
use crate::reader::Reader;
use crate::rig::{Rig, SHORT};
use event_sdk_core::transport::{AckPolicy, Settlement};

cases! { "acknowledging":
    an_acked_message_stays_away [Store]
        "A message that was acknowledged is not delivered again.";
    acking_twice_is_fine [Store]
        "A second ack of a delivery is fine.";
    a_confirmed_ack_keeps_it_away [Store]
        "A message whose ack was confirmed is not delivered again.";
    a_confirmed_ack_after_an_ack_is_fine [Store]
        "The ack of a delivery that was acknowledged already can be confirmed.";
    a_nak_after_a_confirmed_ack_does_nothing [Store]
        "A nak of a message whose ack was confirmed does nothing.";
    a_nak_after_the_ack_does_nothing [Store]
        "A nak of an acknowledged message does nothing.";
    in_progress_after_the_ack_does_nothing [Store]
        "Saying that an acknowledged message is in progress does nothing.";
    a_terminated_message_stays_away [Store]
        "A message that was terminated is not delivered again.";
    a_confirmed_term_keeps_it_away [Store]
        "A message whose term was confirmed is not delivered again.";
    a_nak_after_the_term_does_nothing [Store]
        "A nak of a terminated message does nothing.";
    a_late_ack_counts [Store]
        "An ack of a delivery whose message was delivered again in the meantime acknowledges it.";
    a_late_confirmed_ack_counts [Store]
        "A confirmed ack of a delivery whose message was delivered again acknowledges it.";
    an_ack_outlives_its_subscription [Store]
        "A delivery can be acknowledged after its subscription is gone.";
    an_ack_comes_from_anywhere [Store]
        "A delivery can be acknowledged from any task, in any order.";
    an_ack_is_for_its_consumer_alone [Store]
        "An ack settles a message for the consumer that received it and for no other.";
    without_acks_nothing_comes_again [Store]
        "A consumer that does not acknowledge has nothing to settle and gets nothing twice.";
    max_ack_pending_holds_back [Store]
        "No more deliveries are unsettled at once than the consumer allows.";
    max_ack_pending_is_for_all_members [Store]
        "The subscriptions of a consumer together have no more unsettled deliveries than it allows.";
    settling_lets_the_next_in [Store]
        "With an ack or a term of one that was unsettled, the next is delivered.";
    one_at_a_time_keeps_the_order [Store]
        "With one unsettled delivery at the most, a message that is put back comes before the next.";
}

/// A reader whose deliveries come again after a short ack wait.
async fn short(rig: &Rig) -> Outcome<Reader> {
    let mut config = rig.durable("short")?;
    config.ack_wait = rig.ack_wait();
    rig.subscribe(&config).await
}

/// Settles one message in this order; it must not come again.
async fn settled_by(fixture: Fixture, settlements: &[Settlement]) -> Outcome {
    let rig = fixture.rig().await?;
    let mut reader = short(&rig).await?;
    rig.publish("a", 1).await?;
    let got = reader.expect(1).await?;
    for settlement in settlements {
        got.settle(settlement.clone()).await?;
    }
    // What is held would not be handed out again in any case.
    drop(got);
    reader.expect_nothing_for_an_ack_wait(&rig, "a").await
}

async fn an_acked_message_stays_away(fixture: Fixture) -> Outcome {
    settled_by(fixture, &[Settlement::Ack]).await
}

async fn acking_twice_is_fine(fixture: Fixture) -> Outcome {
    settled_by(fixture, &[Settlement::Ack, Settlement::Ack]).await
}

async fn a_confirmed_ack_keeps_it_away(fixture: Fixture) -> Outcome {
    settled_by(fixture, &[Settlement::AckConfirmed]).await
}

async fn a_confirmed_ack_after_an_ack_is_fine(fixture: Fixture) -> Outcome {
    let (ack, confirmed) = (Settlement::Ack, Settlement::AckConfirmed);
    settled_by(fixture, &[confirmed.clone(), ack, confirmed]).await
}

async fn a_nak_after_a_confirmed_ack_does_nothing(fixture: Fixture) -> Outcome {
    let nak = Settlement::Nak(Duration::ZERO);
    settled_by(fixture, &[Settlement::AckConfirmed, nak]).await
}

async fn a_nak_after_the_ack_does_nothing(fixture: Fixture) -> Outcome {
    settled_by(fixture, &[Settlement::Ack, Settlement::Nak(Duration::ZERO)]).await
}

async fn in_progress_after_the_ack_does_nothing(fixture: Fixture) -> Outcome {
    settled_by(fixture, &[Settlement::Ack, Settlement::InProgress]).await
}

async fn a_terminated_message_stays_away(fixture: Fixture) -> Outcome {
    settled_by(fixture, &[Settlement::Term("not for us".to_owned())]).await
}

async fn a_confirmed_term_keeps_it_away(fixture: Fixture) -> Outcome {
    let term = Settlement::TermConfirmed("not for us".to_owned());
    settled_by(fixture, &[term]).await
}

async fn a_nak_after_the_term_does_nothing(fixture: Fixture) -> Outcome {
    let term = Settlement::Term("not for us".to_owned());
    settled_by(fixture, &[term, Settlement::Nak(Duration::ZERO)]).await
}

async fn a_late_ack_counts(fixture: Fixture) -> Outcome {
    settled_late(fixture, Settlement::Ack).await
}

async fn a_late_confirmed_ack_counts(fixture: Fixture) -> Outcome {
    settled_late(fixture, Settlement::AckConfirmed).await
}

/// The first delivery of a message is settled after the second has come.
async fn settled_late(fixture: Fixture, settlement: Settlement) -> Outcome {
    let rig = fixture.rig().await?;
    let mut reader = short(&rig).await?;
    rig.publish("a", 1).await?;
    let first = reader.expect(1).await?;
    // The subscription that handed it out does not do so again while it is handled.
    drop(reader);
    let mut other = short(&rig).await?;
    let second = other.expect(1).await?;
    ensure_eq!(second.attempt(), 2, "the attempt of the second delivery");
    first.settle(settlement).await?;
    // Of these it would come again.
    drop(second);
    other.expect_nothing_for_an_ack_wait(&rig, "a").await
}

async fn an_ack_outlives_its_subscription(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    let mut reader = short(&rig).await?;
    rig.publish("a", 1).await?;
    let got = reader.expect(1).await?;
    drop(reader);
    got.ack().await?;
    let mut reader = short(&rig).await?;
    reader.expect_nothing_for_an_ack_wait(&rig, "a").await
}

async fn an_ack_comes_from_anywhere(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    let mut reader = short(&rig).await?;
    rig.publish_all("a", 0..20).await?;
    let mut held: Vec<Got> = Vec::new();
    for number in 0..20 {
        held.push(reader.expect(number).await?);
    }
    let tasks: Vec<_> = held
        .into_iter()
        .rev()
        .map(|got| joined(async move { got.ack().await }))
        .collect();
    for task in tasks {
        task.await?;
    }
    reader.expect_nothing_for_an_ack_wait(&rig, "a").await
}

async fn an_ack_is_for_its_consumer_alone(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    rig.publish_all("a", 0..3).await?;
    for name in ["one", "two"] {
        let mut reader = rig.subscribe(&rig.durable(name)?).await?;
        reader.expect_and_ack(0..3).await?;
    }
    let mut config = rig.durable("three")?;
    config.ack_wait = rig.ack_wait();
    let mut three = rig.subscribe(&config).await?;
    three.expect(0).await?;
    three.expect_and_ack(1..3).await?;
    let again = three.expect(0).await?;
    ensure_eq!(
        again.attempt(),
        2,
        "the attempt of what this consumer did not acknowledge"
    );
    again.ack().await
}

async fn without_acks_nothing_comes_again(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    let mut config = rig.durable("short")?;
    config.filters = vec![rig.pattern("a")?];
    config.ack = AckPolicy::None;
    config.ack_wait = SHORT;
    let mut reader = rig.subscribe(&config).await?;
    rig.publish("a", 1).await?;
    let got = reader.expect(1).await?;
    let settler = &got.received.settler;
    ensure!(
        settler.is_none(),
        "a consumer without acks has something to settle: {settler:?}"
    );
    rig.an_ack_wait_passes().await?;
    reader.expect_nothing_before_fence(&rig, "a").await
}

async fn max_ack_pending_holds_back(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    let mut config = rig.durable("few")?;
    config.max_ack_pending = NonZeroU32::new(2);
    config.ack_wait = rig.ack_wait();
    let mut reader = rig.subscribe(&config).await?;
    rig.publish_all("a", 0..5).await?;
    reader.expect(0).await?;
    reader.expect(1).await?;
    // They come again because nobody settled them; nothing else may come first.
    for _ in 0..2 {
        let got = reader.message().await?;
        let number = got.number()?;
        ensure!(number < 2, "message {number} came while two were unsettled");
        ensure_eq!(got.attempt(), 2, "the attempt of message {number}");
    }
    Ok(())
}

async fn max_ack_pending_is_for_all_members(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    let mut config = rig.durable("few")?;
    config.max_ack_pending = NonZeroU32::new(2);
    config.ack_wait = SHORT;
    let members = vec![rig.subscribe(&config).await?, rig.subscribe(&config).await?];
    let mut members = Reader::merge(members, rig.patience());
    rig.publish_all("a", 0..5).await?;
    // Each comes twice before any other comes once.
    for _ in 0..4 {
        let number = members.message().await?.number()?;
        ensure!(number < 2, "message {number} came while two were unsettled");
    }
    Ok(())
}

async fn settling_lets_the_next_in(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    let mut config = rig.durable("few")?;
    config.max_ack_pending = NonZeroU32::new(2);
    let mut reader = rig.subscribe(&config).await?;
    rig.publish_all("a", 0..20).await?;
    let mut held = VecDeque::new();
    for number in 0..20 {
        if held.len() == 2
            && let Some(oldest) = held.pop_front()
        {
            let oldest: Got = oldest;
            if number % 2 == 0 {
                oldest.ack().await?;
            } else {
                oldest.term().await?;
            }
        }
        held.push_back(reader.expect(number).await?);
    }
    Ok(())
}

async fn one_at_a_time_keeps_the_order(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    let mut config = rig.durable("one")?;
    config.max_ack_pending = NonZeroU32::new(1);
    let mut reader = rig.subscribe(&config).await?;
    rig.publish_all("a", 0..5).await?;
    for number in 0..5 {
        reader.expect(number).await?.nak(Duration::ZERO).await?;
        let again = reader.expect(number).await?;
        ensure_eq!(again.attempt(), 2, "the attempt of message {number}");
        again.ack().await?;
    }
    Ok(())
}
