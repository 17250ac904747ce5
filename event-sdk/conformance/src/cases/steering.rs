//! Listing, pausing and resetting consumers.

use std::collections::BTreeSet;

use crate::case::cases;
use crate::failure::{Failure, Outcome, ensure, ensure_eq};
use crate::fixture::Fixture;
use crate::rig::Rig;
use crate::timetable::{far, in_millis};
use event_sdk_core::transport::{DeliverPolicy, Error, ErrorKind, Settlement};

cases! { "steering":
    the_list_has_each_durable [Store, ConsumerAdmin]
        "The list of a stream has each durable with its configuration and position, and no other stream's.";
    the_list_of_a_missing_stream_is_an_error [Store, ConsumerAdmin]
        "Listing the consumers of a stream that does not exist is refused and names it.";
    a_paused_consumer_delivers_nothing [Store, ConsumerAdmin, PauseConsumer]
        "A paused consumer delivers nothing to its open subscriptions, and goes on when it may.";
    a_paused_consumer_repeats_nothing [Store, ConsumerAdmin, PauseConsumer]
        "A paused consumer delivers nothing again, and what is acknowledged meanwhile stays away.";
    a_pause_ends_at_its_time [Store, ConsumerAdmin, PauseConsumer]
        "A pause ends at its time by itself; one whose time has passed is none.";
    a_reset_goes_back [Store, ConsumerAdmin, ResetConsumer]
        "A consumer that is reset delivers again from there on, whatever was acknowledged.";
    a_reset_goes_forward [Store, ConsumerAdmin, ResetConsumer]
        "A consumer that is reset to a later sequence leaves out what lies before it.";
    a_reset_forgets_the_unsettled [Store, ConsumerAdmin, ResetConsumer]
        "What was unsettled before a reset is not unsettled after it.";
    a_reset_before_the_start_is_refused [Store, ConsumerAdmin, ResetConsumer]
        "A consumer cannot be reset to before its start, nor one that began at new messages.";
    steering_what_is_not_there_is_an_error [Store, ConsumerAdmin, PauseConsumer, ResetConsumer]
        "Pausing or resetting a consumer that does not exist is an error that names it.";
}

async fn the_list_has_each_durable(fixture: Fixture) -> Outcome {
    let (rig, other) = fixture.two_rigs().await?;
    for name in ["b", "a"] {
        rig.apply_consumer(&rig.durable(name)?).await?;
    }
    other.apply_consumer(&other.durable("c")?).await?;
    rig.publish_all("a", 0..3).await?;
    let mut reader = rig.subscribe(&rig.durable("a")?).await?;
    reader
        .message()
        .await?
        .settle(Settlement::AckConfirmed)
        .await?;
    let expected = [(rig.durable("a")?, 1), (rig.durable("b")?, 0)];
    let list = async |rig: Rig| -> Outcome<Vec<_>> {
        let list = rig.list_consumers().await??.into_iter();
        Ok(list.map(|info| (info.config, info.acknowledged)).collect())
    };
    if rig.copies() > 1 {
        // The one that answers may be behind.
        rig.eventually("the durables in the list", async |rig| {
            Ok((list(rig).await? == expected).then_some(()))
        })
        .await?;
    }
    ensure_eq!(list(rig).await?, expected, "the durables in the list");
    Ok(())
}

async fn the_list_of_a_missing_stream_is_an_error(fixture: Fixture) -> Outcome {
    let mut rig = fixture.rig().await?;
    rig.stream = format!("{}-missing", rig.stream).into();
    match rig.list_consumers().await? {
        Ok(list) => Err(Failure::new(format!("the list was {list:?}"))),
        Err(error) => {
            ensure_eq!(*error.kind(), ErrorKind::StreamNotFound, "{error}");
            ensure_eq!(error.stream(), Some(&*rig.stream), "the stream in {error}");
            Ok(())
        }
    }
}

/// Everything that is stored now was delivered to another consumer, so what a consumer does not
/// deliver by then it does not deliver at all.
async fn others_have(rig: &Rig, messages: u64) -> Outcome {
    let mut other = rig.subscribe(&rig.durable("other")?).await?;
    other.expect_and_ack(0..messages).await
}

async fn a_paused_consumer_delivers_nothing(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    let mut reader = rig.subscribe(&rig.durable("d")?).await?;
    let until = far();
    rig.pause_consumer("d", Some(until)).await??;
    let paused = rig.consumer_info("d").await??.paused_until;
    ensure_eq!(paused, Some(until), "until when it is paused");
    rig.publish_all("a", 0..10).await?;
    others_have(&rig, 10).await?;
    if let Some(item) = reader.ready().await {
        return Err(Failure::new(format!("while paused came {item:?}")));
    }
    rig.pause_consumer("d", None).await??;
    let paused = rig.consumer_info("d").await??.paused_until;
    ensure_eq!(paused, None, "until when it is paused after it went on");
    reader.expect_and_ack(0..10).await
}

async fn a_paused_consumer_repeats_nothing(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    rig.publish_all("a", 0..2).await?;
    let mut reader = rig.subscribe_ahead(&rig.durable("d")?, 2).await?;
    let (first, second) = (reader.expect(0).await?, reader.expect(1).await?);
    rig.pause_consumer("d", Some(far())).await??;
    first
        .settle(Settlement::Nak(std::time::Duration::ZERO))
        .await?;
    second.settle(Settlement::AckConfirmed).await?;
    others_have(&rig, 2).await?;
    if let Some(item) = reader.ready().await {
        return Err(Failure::new(format!("while paused came {item:?}")));
    }
    rig.pause_consumer("d", None).await??;
    let again = reader.expect(0).await?;
    ensure_eq!(again.attempt(), 2, "the attempt after the pause");
    again.ack().await?;
    reader.expect_nothing_before_fence(&rig, "a").await
}

async fn a_pause_ends_at_its_time(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    let mut reader = rig.subscribe(&rig.durable("d")?).await?;
    rig.pause_consumer("d", Some(in_millis(300))).await??;
    rig.publish_all("a", 0..3).await?;
    reader.expect_and_ack(0..3).await?;
    rig.pause_consumer("d", Some(far())).await??;
    rig.pause_consumer("d", Some(in_millis(-1_000))).await??;
    let paused = rig.consumer_info("d").await??.paused_until;
    ensure_eq!(paused, None, "until when it is paused");
    rig.publish("a", 3).await?;
    reader.expect_and_ack([3]).await
}

/// No subscription of the consumer asks for messages any more, so that none receives what a reset
/// makes the server deliver.
async fn nobody_asks(rig: &Rig, name: &str) -> Outcome {
    rig.eventually("a consumer without a request", async |rig: Rig| {
        let waiting = rig.consumer_info(name).await??.waiting;
        Ok(waiting.is_none_or(|waiting| waiting == 0).then_some(()))
    })
    .await
}

/// A durable that has acknowledged everything, and has no subscription.
async fn handled(rig: &Rig, messages: u64) -> Outcome {
    rig.publish_all("a", 0..messages).await?;
    let mut reader = rig.subscribe(&rig.durable("d")?).await?;
    for number in 0..messages {
        let got = reader.expect(number).await?;
        got.settle(Settlement::AckConfirmed).await?;
    }
    drop(reader);
    nobody_asks(rig, "d").await
}

async fn a_reset_goes_back(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    handled(&rig, 10).await?;
    rig.reset_consumer("d", 4).await??;
    let info = rig.consumer_info("d").await??;
    ensure_eq!(
        (info.acknowledged, info.pending, info.ack_pending),
        (3, 7, 0),
        "ack floor, pending and unsettled after the reset"
    );
    let mut reader = rig.subscribe(&rig.durable("d")?).await?;
    let mut attempts = BTreeSet::new();
    for number in 3..10 {
        let got = reader.expect(number).await?;
        attempts.insert(got.attempt());
        got.ack().await?;
    }
    ensure_eq!(attempts, BTreeSet::from([1]), "the attempts");
    reader.expect_nothing_before_fence(&rig, "a").await
}

async fn a_reset_goes_forward(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    rig.apply_consumer(&rig.durable("d")?).await?;
    rig.publish_all("a", 0..10).await?;
    rig.reset_consumer("d", 8).await??;
    let mut reader = rig.subscribe(&rig.durable("d")?).await?;
    reader.expect_and_ack(7..10).await?;
    reader.expect_nothing_before_fence(&rig, "a").await
}

async fn a_reset_forgets_the_unsettled(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    rig.publish_all("a", 0..4).await?;
    let mut config = rig.durable("d")?;
    config.ack_wait = rig.ack_wait();
    let mut reader = rig.subscribe_ahead(&config, 1).await?;
    let unsettled = (reader.expect(0).await?, reader.expect(1).await?);
    drop(reader);
    nobody_asks(&rig, "d").await?;
    rig.reset_consumer("d", 4).await??;
    let info = rig.consumer_info("d").await??;
    ensure_eq!(
        (info.ack_pending, info.pending),
        (0, 1),
        "unsettled and pending after the reset"
    );
    drop(unsettled);
    let mut reader = rig.subscribe(&config).await?;
    reader.expect_and_ack([3]).await?;
    reader.expect_nothing_for_an_ack_wait(&rig, "a").await
}

/// A reset is refused as an invalid option.
async fn refused(rig: &Rig, name: &str, sequence: u64) -> Outcome {
    match rig.reset_consumer(name, sequence).await? {
        Ok(()) => Err(Failure::new(format!("{name} was reset to {sequence}"))),
        Err(error) => {
            ensure_eq!(*error.kind(), ErrorKind::InvalidOption, "{error}");
            Ok(())
        }
    }
}

async fn a_reset_before_the_start_is_refused(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    rig.publish_all("a", 0..10).await?;
    let mut later = rig.durable("later")?;
    later.deliver = DeliverPolicy::ByStartSequence(5);
    let mut new = rig.durable("new")?;
    new.deliver = DeliverPolicy::New;
    for config in [&later, &new] {
        rig.apply_consumer(config).await?;
    }
    refused(&rig, "later", 4).await?;
    refused(&rig, "later", 0).await?;
    refused(&rig, "new", 1).await?;
    rig.reset_consumer("later", 5).await??;
    rig.subscribe(&later).await?.expect_and_ack(4..10).await
}

async fn steering_what_is_not_there_is_an_error(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    let name = rig.consumer_name("nobody");
    let names_it = |what: &str, answer: Result<(), Error>| match answer {
        Ok(()) => Err(Failure::new(format!("{what} succeeded"))),
        Err(error) => {
            ensure_eq!(*error.kind(), ErrorKind::ConsumerNotFound, "{error}");
            ensure!(
                error.consumer() == Some(&*name),
                "{what} names no consumer: {error}"
            );
            Ok(())
        }
    };
    let paused = rig.pause_consumer("nobody", Some(far())).await?;
    names_it("a pause", paused)?;
    names_it("going on", rig.pause_consumer("nobody", None).await?)?;
    names_it("a reset", rig.reset_consumer("nobody", 1).await?)
}
