//! Applying durables: created and changed on purpose, without losing their position.

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::num::NonZeroU32;
use std::time::Duration;

use futures_util::future::try_join_all;

use super::{Failure, joined};
use crate::case::cases;
use crate::failure::{Outcome, ensure, ensure_eq};
use crate::fixture::Fixture;
use crate::reader::Reader;
use crate::rig::Rig;
use event_sdk_core::stream::StreamSpec;
use event_sdk_core::subject::Pattern;
use event_sdk_core::transport::{
    AckPolicy, ConsumerChange, ConsumerConfig, ConsumerInfo, ConsumerName, Error, ErrorKind,
    Outcome as Done, Settlement,
};

cases! { "applying":
    a_durable_is_created_and_found [Store, ConsumerAdmin]
        "Applying creates a durable, applying it again changes nothing, and subscribing binds it.";
    a_change_keeps_the_position [Store, ConsumerAdmin]
        "A durable that is changed goes on where it was, with its new settings.";
    wider_filters_go_on_where_it_was [Store, SeveralFilters, ConsumerAdmin]
        "With wider filters a durable delivers what comes from then on, and nothing before its position.";
    narrower_filters_go_on_where_it_was [Store, SeveralFilters, ConsumerAdmin]
        "With narrower filters a durable delivers the rest of what it still wants.";
    unsettled_deliveries_stay [Store, ConsumerAdmin]
        "What is unsettled when a durable is changed stays so, and its subscriptions go on.";
    another_ack_policy_cannot_be_applied [Store, ConsumerAdmin]
        "Another ack policy is refused, and nothing is changed.";
    only_durables_are_applied [Store, ConsumerAdmin]
        "Applying a group or a consumer without a name is refused.";
    applying_to_a_missing_stream_is_an_error [Store, ConsumerAdmin]
        "Applying a durable to a stream that does not exist is refused and names it.";
    filters_that_match_nothing_are_not_applied [Store, StreamAdmin, ConsumerAdmin]
        "A durable none of whose messages the stream stores is refused, and not created.";
    filters_that_match_nothing_any_more_are_not_unchanged [Store, StreamAdmin, ConsumerAdmin]
        "Applying a durable as it is, whose subject was taken from its stream, is refused.";
    many_may_apply_a_durable_at_once [Store, StreamAdmin, ConsumerAdmin]
        "Many may apply the same durable at once, and there is one.";
    the_info_counts [Store, ConsumerAdmin]
        "The info of a consumer says how far it is, and what is unsettled.";
    deliveries_are_numbered [Store, ConsumerAdmin]
        "The deliveries of a consumer are numbered without a gap, and its info has the last number.";
    the_info_of_a_missing_consumer_is_an_error [Store, ConsumerAdmin]
        "Asking about a consumer that does not exist is an error that names it.";
}

/// What an update says that it changed, by the names of the settings.
fn updated(change: ConsumerChange) -> Outcome<Vec<&'static str>> {
    match change {
        ConsumerChange::Updated { differences } => {
            Ok(differences.iter().map(|found| found.field).collect())
        }
        other => Err(Failure::new(format!(
            "a durable that differs was {other:?}"
        ))),
    }
}

/// Applying is refused for this reason.
async fn refused(rig: &Rig, config: &ConsumerConfig, why: &str) -> Outcome<Error> {
    match rig.try_apply_consumer(config).await? {
        Ok(change) => Err(Failure::new(format!("{why} was applied: {change:?}"))),
        Err(error) => {
            ensure_eq!(error.outcome(), Done::NotDone, "the outcome in {error}");
            Ok(error)
        }
    }
}

/// Reads and acknowledges messages, whichever delivery of them it is.
async fn numbers(reader: &mut Reader, many: usize) -> Outcome<BTreeSet<u64>> {
    let mut seen = BTreeSet::new();
    for _ in 0..many {
        let got = reader.message().await?;
        let number = got.number()?;
        ensure!(seen.insert(number), "message {number} came twice");
        got.settle(Settlement::AckConfirmed).await?;
    }
    Ok(seen)
}

async fn a_durable_is_created_and_found(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    let mut config = rig.durable("d")?;
    config.ack_wait = Duration::from_secs(17);
    let change = rig.apply_consumer(&config).await?;
    ensure_eq!(change, ConsumerChange::Created, "what applying it did");
    let change = rig.apply_consumer(&config).await?;
    ensure_eq!(
        change,
        ConsumerChange::Unchanged,
        "what applying it again did"
    );
    let info = rig.consumer_info("d").await??;
    ensure_eq!(info.config, config, "the configuration in the info");
    let reader = rig.subscribe(&config).await?;
    ensure!(!reader.bound()?.created, "it was created again");
    ensure_eq!(reader.bound()?.config, config, "the consumer that is bound");
    Ok(())
}

async fn a_change_keeps_the_position(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    rig.publish_all("a", 0..6).await?;
    let mut config = rig.durable("d")?;
    let mut reader = rig.subscribe_ahead(&config, 1).await?;
    let seen = numbers(&mut reader, 3).await?;
    ensure_eq!(seen, (0..3).collect(), "what came before the change");
    drop(reader);
    config.ack_wait *= 2;
    config.max_deliver = NonZeroU32::new(9);
    let fields = updated(rig.apply_consumer(&config).await?)?;
    ensure_eq!(fields, ["ack wait", "max deliver"], "what was changed");
    let change = rig.apply_consumer(&config).await?;
    ensure_eq!(
        change,
        ConsumerChange::Unchanged,
        "what applying it again did"
    );
    let mut reader = rig.subscribe(&config).await?;
    ensure_eq!(reader.bound()?.config, config, "the consumer that is bound");
    let seen = numbers(&mut reader, 3).await?;
    ensure_eq!(seen, (3..6).collect(), "what came after the change");
    reader.expect_nothing_before_fence(&rig, "a").await
}

async fn wider_filters_go_on_where_it_was(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    let mut config = rig.durable("d")?;
    config.filters = vec![rig.pattern("a")?];
    let mut reader = rig.subscribe(&config).await?;
    for (subject, number) in [("a", 0), ("b", 1), ("a", 2)] {
        rig.publish(subject, number).await?;
    }
    reader.expect_and_ack([0, 2]).await?;
    config.filters.push(rig.pattern("b")?);
    let fields = updated(rig.apply_consumer(&config).await?)?;
    ensure_eq!(fields, ["filters"], "what was changed");
    rig.publish("b", 3).await?;
    rig.publish("a", 4).await?;
    reader.expect_and_ack([3, 4]).await
}

async fn narrower_filters_go_on_where_it_was(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    let mut config = rig.durable("d")?;
    config.filters = vec![rig.pattern("a")?, rig.pattern("b")?];
    rig.apply_consumer(&config).await?;
    for (subject, number) in [("b", 0), ("a", 1), ("b", 2), ("a", 3)] {
        rig.publish(subject, number).await?;
    }
    config.filters.truncate(1);
    updated(rig.apply_consumer(&config).await?)?;
    let pending = rig.consumer_info("d").await??.pending;
    ensure_eq!(pending, 2, "what is still to be delivered");
    rig.publish("b", 4).await?;
    rig.publish("a", 5).await?;
    let mut reader = rig.subscribe(&config).await?;
    reader.expect_and_ack([1, 3, 5]).await
}

async fn unsettled_deliveries_stay(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    let mut config = rig.durable("d")?;
    let mut reader = rig.subscribe(&config).await?;
    rig.publish_all("a", 0..2).await?;
    let (first, second) = (reader.expect(0).await?, reader.expect(1).await?);
    config.max_ack_pending = NonZeroU32::new(50);
    updated(rig.apply_consumer(&config).await?)?;
    let info = rig.consumer_info("d").await??;
    ensure_eq!(info.ack_pending, 2, "unsettled deliveries after the change");
    first.settle(Settlement::AckConfirmed).await?;
    second.nak(Duration::ZERO).await?;
    let again = reader.expect(1).await?;
    ensure_eq!(again.attempt(), 2, "the attempt");
    again.settle(Settlement::AckConfirmed).await?;
    rig.publish("a", 2).await?;
    reader.expect_and_ack([2]).await
}

async fn another_ack_policy_cannot_be_applied(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    let existing = rig.durable("d")?;
    rig.apply_consumer(&existing).await?;
    let mut config = existing.clone();
    config.ack = AckPolicy::None;
    let error = refused(&rig, &config, "another ack policy").await?;
    ensure!(
        matches!(error.kind(), ErrorKind::ConsumerMismatch { .. }),
        "the kind of {error} is {:?}",
        error.kind()
    );
    let name = rig.consumer_name("d");
    ensure_eq!(error.consumer(), Some(&*name), "the consumer in {error}");
    let info = rig.consumer_info("d").await??;
    ensure_eq!(info.config, existing, "the consumer after that");
    Ok(())
}

async fn only_durables_are_applied(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    for name in [
        ConsumerName::Group(rig.consumer_name("d")),
        ConsumerName::Ephemeral,
    ] {
        let mut config = rig.durable("d")?;
        config.name = name;
        let error = refused(&rig, &config, "what is no durable").await?;
        let kind = error.kind();
        ensure_eq!(*kind, ErrorKind::InvalidOption, "the kind of {error}");
    }
    Ok(())
}

async fn applying_to_a_missing_stream_is_an_error(fixture: Fixture) -> Outcome {
    let mut rig = fixture.rig().await?;
    let config = rig.durable("d")?;
    let missing = format!("{}-missing", rig.stream);
    rig.stream = missing.clone().into();
    let error = refused(&rig, &config, "a durable of a missing stream").await?;
    let kind = error.kind();
    ensure_eq!(*kind, ErrorKind::StreamNotFound, "the kind of {error}");
    ensure_eq!(error.stream(), Some(&*missing), "the stream in {error}");
    Ok(())
}

async fn filters_that_match_nothing_are_not_applied(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    let mut config = rig.durable("d")?;
    config.filters = vec![Pattern::parse("nowhere.>".to_owned())?];
    let error = refused(&rig, &config, "what the stream never stores").await?;
    let kind = error.kind();
    ensure_eq!(*kind, ErrorKind::InvalidSubject, "the kind of {error}");
    rig.has_consumers(0).await?;
    Ok(())
}

async fn filters_that_match_nothing_any_more_are_not_unchanged(fixture: Fixture) -> Outcome {
    let narrow = |stream: StreamSpec| stream.subject("x.>");
    let wide = fixture.config('a', |stream| narrow(stream).subject("y.>"))?;
    let rig = fixture.rig_of(wide).await?;
    let mut config = rig.durable("d")?;
    config.filters = vec![rig.pattern("y.>")?];
    rig.apply_consumer(&config).await?;
    rig.apply(&fixture.config('a', narrow)?).await?;
    let error = refused(&rig, &config, "what the stream stores no more").await?;
    let kind = error.kind();
    ensure_eq!(*kind, ErrorKind::InvalidSubject, "the kind of {error}");
    for named in [rig.pattern("y.>")?, rig.pattern("x.>")?] {
        ensure!(
            error.to_string().contains(named.as_str()),
            "{error} does not name {named}"
        );
    }
    Ok(())
}

async fn many_may_apply_a_durable_at_once(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    let config = rig.durable("d")?;
    let applying = (0..8).map(|_| {
        let (rig, config) = (rig.clone(), config.clone());
        joined(async move { rig.apply_consumer(&config).await })
    });
    try_join_all(applying).await?;
    rig.has_consumers(1).await?;
    Ok(())
}

/// The info of a consumer says so. Where several servers keep it, it soon will: they agree on what was
/// delivered and acknowledged after that.
async fn says<T: PartialEq + Debug>(
    rig: &Rig,
    name: &str,
    what: &str,
    wanted: T,
    found: impl Fn(&ConsumerInfo) -> T,
) -> Outcome {
    if rig.copies() > 1 {
        rig.eventually(what, async |rig| {
            let info = rig.consumer_info(name).await??;
            Ok((found(&info) == wanted).then_some(()))
        })
        .await?;
    }
    ensure_eq!(found(&rig.consumer_info(name).await??), wanted, "{what}");
    Ok(())
}

async fn deliveries_are_numbered(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    let config = rig.durable("d")?;
    let mut reader = rig.subscribe(&config).await?;
    rig.publish_all("a", 0..3).await?;
    let mut held = Vec::new();
    for message in 0..3 {
        held.push(reader.expect(message).await?);
    }
    held[1].nak(Duration::ZERO).await?;
    held.push(reader.expect(1).await?);
    for (number, got) in (1..).zip(&held) {
        ensure_eq!(got.delivery(), Some(number), "number of a delivery");
    }
    says(&rig, "d", "deliveries", 4, |info| info.deliveries).await
}

async fn the_info_counts(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    let config = rig.durable("d")?;
    let mut reader = rig.subscribe(&config).await?;
    rig.publish_all("a", 0..5).await?;
    let mut held = Vec::new();
    for number in 0..5 {
        held.push(reader.expect(number).await?);
    }
    for got in held.drain(..2) {
        got.settle(Settlement::AckConfirmed).await?;
    }
    held.remove(0).nak(Duration::ZERO).await?;
    held.push(reader.expect(2).await?);
    let what = "delivered, acknowledged and unsettled";
    says(&rig, "d", what, (5, 2, 3), |info| {
        (info.delivered, info.acknowledged, info.ack_pending)
    })
    .await?;
    let info = rig.consumer_info("d").await??;
    ensure_eq!(info.redelivered, 1, "delivered more than once");
    ensure_eq!(info.pending, 0, "still to be delivered");
    for got in held {
        got.settle(Settlement::AckConfirmed).await?;
    }
    let what = "acknowledged, unsettled and redelivered";
    says(&rig, "d", what, (5, 0, 0), |info| {
        (info.acknowledged, info.ack_pending, info.redelivered)
    })
    .await?;
    rig.apply_consumer(&rig.durable("late")?).await?;
    let info = rig.consumer_info("late").await??;
    let found = (info.delivered, info.acknowledged, info.pending);
    ensure_eq!(found, (0, 0, 5), "delivered, acknowledged and pending");
    Ok(())
}

async fn the_info_of_a_missing_consumer_is_an_error(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    let Err(error) = rig.consumer_info("missing").await? else {
        return Err(Failure::new("a consumer that does not exist has an info"));
    };
    let kind = error.kind();
    ensure_eq!(*kind, ErrorKind::ConsumerNotFound, "the kind of {error}");
    let name = rig.consumer_name("missing");
    ensure_eq!(error.consumer(), Some(&*name), "the consumer in {error}");
    Ok(())
}
