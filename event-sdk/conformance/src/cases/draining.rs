//! Cases for draining: unsettled deliveries can be settled, undelivered ones go to other
//! subscriptions.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use futures_util::future::try_join_all;

use super::closing::{is_closed, refused};
use super::{Failure, Got, joined, messages};
use crate::case::cases;
use crate::failure::{Outcome, ensure, ensure_eq, within};
use crate::fixture::Fixture;
use crate::reader::Reader;
use crate::rig::{Rig, SHORT};
use event_sdk_core::transport::{
    AckPolicy, Capability, ConsumerConfig, DeliverPolicy, Drained, Error, PurgeRequest, Settlement,
};

cases! { "draining":
    a_drain_of_nothing_ends_at_once []
        "With nothing in hand a drain does not wait.";
    draining_ends_the_subscriptions []
        "Draining ends the subscriptions, also one that waits, without an error.";
    after_a_drain_everything_is_refused []
        "After a drain the transport is closed for publishing and subscribing.";
    after_a_drain_nothing_is_settled [Store]
        "After a drain the transport is closed for settling, reading and managing.";
    while_draining_nothing_is_begun [Store]
        "Once a drain has begun, everything but publishing and settling answers that the transport was closed.";
    a_handler_publishes_while_draining [Store]
        "What a handler publishes during a drain is confirmed and stored, and its delivery is settled after it.";
    a_drain_ends_with_the_last_settlement [Store]
        "A drain ends when the last delivery is settled, though nobody publishes; then publishing is refused.";
    draining_hands_nothing_more_out [Store]
        "Once a drain has begun, a subscription hands out no message, not even one that it has.";
    the_unread_goes_to_others_at_once [Store]
        "What a subscription had received and not handed out is there for others after a drain.";
    so_does_what_a_dropped_subscription_left [Store]
        "What a subscription had not handed out when it was dropped is there for others after a drain, too.";
    what_is_in_hand_can_be_settled [Store]
        "What was handed out can be settled during a drain, which ends when all of it is.";
    so_can_what_ends_with_its_subscription [Store]
        "Deliveries of a consumer that ends with its last subscription can be settled during a drain, too.";
    what_is_not_settled_in_time_is_given_back [Store]
        "What is not settled when the time of a drain is over is put back at once.";
    a_drain_waits_as_long_as_it_was_told [Store]
        "A drain does not end before its time is over while something is in hand.";
    a_drain_counts_what_it_found [Store]
        "A drain says how many deliveries were settled during it, and how many were given back.";
    publishes_in_flight_are_confirmed [Store, StreamAdmin]
        "A publish that was handed over before a drain is confirmed, and what was confirmed is stored.";
    a_drain_is_for_one_transport_alone [Store, StreamAdmin]
        "Another transport to the same streams goes on.";
    draining_twice_harms_nobody []
        "A transport may be drained twice, and by many at the same time.";
    the_shorter_of_two_drains_ends_both [Store]
        "Of two drains at once, the first whose time is over ends both.";
    a_drain_that_was_given_up_is_gone_on_with [Store]
        "What a drain whose answer was dropped has not given back, the next one does.";
    closing_ends_a_drain [Store]
        "A drain that waits ends when the transport is closed.";
}

/// Longer than any case waits.
const LONG: Duration = Duration::from_secs(600);

/// A consumer that works without a stream.
fn live(rig: &Rig) -> Outcome<ConsumerConfig> {
    let mut config = rig.ephemeral()?;
    config.ack = AckPolicy::None;
    config.deliver = DeliverPolicy::New;
    Ok(config)
}

/// Drains in a task of its own, while the case goes on.
fn draining(
    rig: &Rig,
    within: Duration,
) -> impl Future<Output = Outcome<Result<Drained, Error>>> + Send + use<> {
    let rig = rig.clone();
    joined(async move { rig.drain(within).await })
}

/// What a drain of a transport that was drained or closed may answer.
fn ended(drained: Result<Drained, Error>) -> Outcome {
    drained.map(drop).or_else(|error| is_closed(&error))
}

/// Publishes so many messages and takes all of them in hand.
async fn take(rig: &Rig, reader: &mut Reader, count: u64) -> Outcome<Vec<Got>> {
    rig.publish_all("a", 0..count).await?;
    let mut held = Vec::new();
    for number in 0..count {
        held.push(reader.expect(number).await?);
    }
    Ok(held)
}

/// The durable of the other side gets these messages, and so before an ack wait
/// has ended.
async fn others_get(rig: &Rig, wanted: impl IntoIterator<Item = u64>) -> Outcome<Vec<Got>> {
    let wanted: BTreeSet<u64> = wanted.into_iter().collect();
    let mut reader = rig.subscribe(&rig.durable("d")?).await?;
    let (mut numbers, mut found) = (BTreeSet::new(), Vec::new());
    while numbers.len() < wanted.len() {
        let got = reader.message().await?;
        numbers.insert(got.number()?);
        got.ack().await?;
        found.push(got);
    }
    ensure_eq!(numbers, wanted, "the messages that others got");
    reader.expect_nothing_before_fence(rig, "a").await?;
    Ok(found)
}

async fn a_drain_of_nothing_ends_at_once(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    rig.store(rig.draft("a", 0)?).await?;
    let drained = rig.drain(LONG).await??;
    ensure_eq!(drained, Drained::default(), "what a drain of nothing found");
    Ok(())
}

async fn draining_ends_the_subscriptions(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    let mut waiting = rig.subscribe(&live(&rig)?).await?;
    let mut unread = rig.subscribe(&live(&rig)?).await?;
    rig.store(rig.draft("a", 0)?).await?;
    waiting.expect(0).await?;
    let waiting = joined(async move { waiting.end().await });
    rig.drain(LONG).await??;
    waiting.await?;
    unread.end().await
}

async fn after_a_drain_everything_is_refused(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    rig.store(rig.draft("a", 0)?).await?;
    rig.drain(LONG).await??;
    refused("a publish", rig.attempt(rig.draft("a", 1)?).await?)?;
    refused("a subscribe", rig.try_subscribe(&live(&rig)?, 1).await?)
}

async fn after_a_drain_nothing_is_settled(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    let mut reader = rig.subscribe(&rig.durable("d")?).await?;
    let held = take(&rig, &mut reader, 1).await?;
    rig.drain(Duration::ZERO).await??;
    for settlement in [
        Settlement::Ack,
        Settlement::AckConfirmed,
        Settlement::Nak(Duration::ZERO),
        Settlement::InProgress,
    ] {
        let what = format!("{settlement:?}");
        refused(&what, held[0].try_settle(settlement).await?)?;
    }
    nothing_is_managed(&rig).await
}

async fn nothing_is_managed(rig: &Rig) -> Outcome {
    if rig.can(Capability::StreamAdmin) {
        refused("asking for a state", rig.try_state().await?)?;
    }
    if rig.can(Capability::MessageAdmin) {
        let all = PurgeRequest::all(rig.stream.clone());
        refused("a purge", rig.try_purge(all).await?)?;
    }
    if rig.can(Capability::ConsumerAdmin) {
        refused("deleting a consumer", rig.delete_consumer("d").await?)?;
    }
    Ok(())
}

async fn while_draining_nothing_is_begun(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    let mut reader = rig.subscribe(&rig.durable("d")?).await?;
    let held = take(&rig, &mut reader, 1).await?;
    let drain = draining(&rig, LONG);
    reader.end().await?;
    let other = rig.try_subscribe(&rig.durable("e")?, 1).await?;
    refused("a subscribe", other)?;
    nothing_is_managed(&rig).await?;
    held[0].in_progress().await?;
    held[0].ack().await?;
    drain.await??;
    Ok(())
}

async fn a_handler_publishes_while_draining(fixture: Fixture) -> Outcome {
    let (one, other) = fixture.both_sides().await?;
    let mut follower = other.subscribe(&live(&other)?).await?;
    let mut reader = one.subscribe(&one.durable("d")?).await?;
    let held = take(&one, &mut reader, 2).await?;
    for number in 0..2 {
        follower.expect(number).await?;
    }
    let drain = draining(&one, LONG);
    reader.end().await?;
    for (number, got) in (10..).zip(&held) {
        one.store(one.draft("b", number)?).await?;
        follower.expect(number).await?;
        got.settle(Settlement::AckConfirmed).await?;
    }
    let drained = drain.await??;
    ensure_eq!(drained.settled, 2, "deliveries settled");
    refused("a publish", one.attempt(one.draft("b", 12)?).await?)
}

async fn a_drain_ends_with_the_last_settlement(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    let mut reader = rig.subscribe(&rig.durable("d")?).await?;
    let held = take(&rig, &mut reader, 2).await?;
    let drain = draining(&rig, LONG);
    reader.end().await?;
    rig.store(rig.draft("b", 0)?).await?;
    for got in &held {
        got.ack().await?;
    }
    within(rig.patience(), "the end of a drain", drain).await???;
    refused("a publish", rig.attempt(rig.draft("b", 1)?).await?)
}

async fn draining_hands_nothing_more_out(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    let mut reader = rig.subscribe(&rig.durable("d")?).await?;
    rig.publish_all("a", 0..10).await?;
    let held = reader.expect(0).await?;
    let drain = draining(&rig, LONG);
    rig.eventually("the beginning of a drain", async |rig| {
        match rig.try_subscribe(&rig.durable("e")?, 1).await? {
            Ok(_) => Ok(None),
            Err(error) => is_closed(&error).map(Some),
        }
    })
    .await?;
    let found = reader.item().await?;
    ensure!(
        found.is_none(),
        "{found:?} was handed out after a drain had begun"
    );
    held.ack().await?;
    drain.await??;
    Ok(())
}

async fn the_unread_goes_to_others_at_once(fixture: Fixture) -> Outcome {
    let (one, other) = fixture.both_sides().await?;
    let mut reader = one.subscribe(&one.durable("d")?).await?;
    one.publish_all("a", 0..10).await?;
    reader.expect_and_ack(0..1).await?;
    one.drain(LONG).await??;
    others_get(&other, 1..10).await?;
    Ok(())
}

async fn so_does_what_a_dropped_subscription_left(fixture: Fixture) -> Outcome {
    let (one, other) = fixture.both_sides().await?;
    let mut reader = one.subscribe(&one.durable("d")?).await?;
    one.publish_all("a", 0..3).await?;
    reader.expect_and_ack(0..1).await?;
    drop(reader);
    one.drain(Duration::ZERO).await??;
    others_get(&other, 1..3).await?;
    Ok(())
}

async fn what_is_in_hand_can_be_settled(fixture: Fixture) -> Outcome {
    let (one, other) = fixture.both_sides().await?;
    let mut reader = one.subscribe(&one.durable("d")?).await?;
    let held = take(&one, &mut reader, 4).await?;
    let drain = draining(&one, LONG);
    reader.end().await?;
    for (got, settlement) in held.iter().zip([
        Settlement::Ack,
        Settlement::AckConfirmed,
        Settlement::Term("not for us".to_owned()),
        Settlement::Nak(Duration::ZERO),
    ]) {
        got.settle(settlement).await?;
    }
    drain.await??;
    others_get(&other, [3]).await?;
    Ok(())
}

async fn so_can_what_ends_with_its_subscription(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    let mut group = rig.subscribe(&rig.group("g")?).await?;
    let mut ephemeral = rig.subscribe(&rig.ephemeral()?).await?;
    let mut held = take(&rig, &mut group, 2).await?;
    for number in 0..2 {
        held.push(ephemeral.expect(number).await?);
    }
    let drain = draining(&rig, LONG);
    group.end().await?;
    ephemeral.end().await?;
    drop((group, ephemeral));
    for got in &held {
        got.settle(Settlement::AckConfirmed).await?;
    }
    let drained = drain.await??;
    ensure_eq!(drained.settled, 4, "deliveries settled");
    Ok(())
}

async fn what_is_not_settled_in_time_is_given_back(fixture: Fixture) -> Outcome {
    let (one, other) = fixture.both_sides().await?;
    let mut reader = one.subscribe(&one.durable("d")?).await?;
    let held = take(&one, &mut reader, 3).await?;
    held[0].settle(Settlement::AckConfirmed).await?;
    one.drain(Duration::ZERO).await??;
    for got in others_get(&other, 1..3).await? {
        ensure_eq!(got.attempt(), 2, "the attempt of what was given back");
    }
    Ok(())
}

async fn a_drain_waits_as_long_as_it_was_told(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    let mut reader = rig.subscribe(&rig.durable("d")?).await?;
    let _held = take(&rig, &mut reader, 1).await?;
    let begun = Instant::now();
    rig.drain(SHORT).await??;
    let passed = begun.elapsed();
    ensure!(
        passed >= SHORT,
        "a drain of {SHORT:?} ended after {passed:?}"
    );
    Ok(())
}

async fn a_drain_counts_what_it_found(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    let mut reader = rig.subscribe(&rig.durable("d")?).await?;
    let held = take(&rig, &mut reader, 6).await?;
    held[0].settle(Settlement::AckConfirmed).await?;
    let drain = draining(&rig, 2 * rig.ack_wait());
    reader.end().await?;
    held[1].ack().await?;
    held[1].ack().await?;
    held[2].term().await?;
    held[3].nak(Duration::ZERO).await?;
    held[4].in_progress().await?;
    let found = drain.await??;
    let wanted = Drained {
        settled: 3,
        given_back: 2,
    };
    ensure_eq!(found, wanted, "what a drain found");
    Ok(())
}

async fn publishes_in_flight_are_confirmed(fixture: Fixture) -> Outcome {
    let (one, other) = fixture.both_sides().await?;
    let mut reader = other.subscribe(&live(&other)?).await?;
    let drained = Arc::new(AtomicBool::new(false));
    let publishers: Vec<_> = (0..4)
        .map(|publisher| {
            let (rig, drained) = (one.clone(), Arc::clone(&drained));
            joined(async move { publish_until_closed(&rig, publisher, &drained).await })
        })
        .collect();
    // Until they are in the middle of it.
    for _ in 0..20 {
        reader.message().await?;
    }
    one.drain(LONG).await??;
    drained.store(true, Ordering::SeqCst);
    let confirmed: u64 = try_join_all(publishers).await?.into_iter().sum();
    messages(&other, confirmed).await
}

/// Publishes several at a time until that is refused; how many were confirmed.
async fn publish_until_closed(rig: &Rig, publisher: u64, drained: &AtomicBool) -> Outcome<u64> {
    let subject = format!("publisher.{publisher}");
    let mut confirmed = 0;
    loop {
        let late = drained.load(Ordering::SeqCst);
        let (mut on_the_way, mut closed) = (Vec::new(), false);
        for number in 0..4 {
            match rig.send(rig.draft(&subject, number)?).await? {
                Ok(_) if late => return Err(Failure::new("a publish was accepted after a drain")),
                Ok(confirmation) => on_the_way.push(confirmation),
                Err(error) => {
                    is_closed(&error)?;
                    closed = true;
                }
            }
        }
        for confirmation in on_the_way {
            rig.confirm(confirmation).await??;
            confirmed += 1;
        }
        if closed {
            return Ok(confirmed);
        }
        tokio::task::yield_now().await;
    }
}

async fn a_drain_is_for_one_transport_alone(fixture: Fixture) -> Outcome {
    let (one, other) = fixture.both_sides().await?;
    let mut ending = one.subscribe_ahead(&one.group("g")?, 1).await?;
    let mut staying = other.subscribe(&other.group("g")?).await?;
    one.publish("b", 0).await?;
    one.drain(LONG).await??;
    ending.end().await?;
    other.publish_all("a", 1..5).await?;
    let mut numbers = BTreeSet::new();
    while numbers.len() < 5 {
        let got = staying.message().await?;
        numbers.insert(got.number()?);
        got.ack().await?;
    }
    ensure_eq!(
        numbers,
        (0..5).collect::<BTreeSet<u64>>(),
        "what the other one of the group got"
    );
    messages(&other, 5).await
}

async fn draining_twice_harms_nobody(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    let drains = (0..8).map(|_| draining(&rig, LONG));
    for drained in try_join_all(drains).await? {
        ended(drained)?;
    }
    ended(rig.drain(LONG).await?)?;
    if let Err(error) = rig.close().await? {
        is_closed(&error)?;
    }
    refused("a publish", rig.attempt(rig.draft("a", 0)?).await?)
}

async fn the_shorter_of_two_drains_ends_both(fixture: Fixture) -> Outcome {
    let (one, other) = fixture.both_sides().await?;
    let mut reader = one.subscribe(&one.durable("d")?).await?;
    let _held = take(&one, &mut reader, 1).await?;
    let long = draining(&one, LONG);
    reader.end().await?;
    ended(one.drain(Duration::ZERO).await?)?;
    ended(long.await?)?;
    others_get(&other, [0]).await?;
    Ok(())
}

async fn a_drain_that_was_given_up_is_gone_on_with(fixture: Fixture) -> Outcome {
    let (one, other) = fixture.both_sides().await?;
    let mut reader = one.subscribe(&one.durable("d")?).await?;
    one.publish_all("a", 0..3).await?;
    let _held = reader.expect(0).await?;
    // Begun, and never looked at.
    drop(one.transport.drain(LONG));
    reader.end().await?;
    ended(one.drain(Duration::ZERO).await?)?;
    others_get(&other, 0..3).await?;
    Ok(())
}

async fn closing_ends_a_drain(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    let mut reader = rig.subscribe(&rig.durable("d")?).await?;
    let held = take(&rig, &mut reader, 1).await?;
    let drain = draining(&rig, LONG);
    reader.end().await?;
    rig.close().await??;
    ended(drain.await?)?;
    refused("an ack", held[0].try_settle(Settlement::Ack).await?)
}
