//! Cases for binding an existing consumer: settings that a subscription follows, and consumers
//! that it refuses.

use std::collections::BTreeSet;
use std::num::NonZeroU32;
use std::time::Duration;

use super::Failure;
use crate::case::cases;
use crate::failure::{Outcome, ensure, ensure_eq, within};
use crate::fixture::Fixture;
use crate::rig::Rig;
use event_sdk_core::stream::StreamSpec;
use event_sdk_core::subject::Pattern;
use event_sdk_core::transport::{
    AckPolicy, BoundConsumer, ConsumerConfig, ConsumerName, DeliverPolicy, Error, ErrorKind,
    Outcome as Done, SubscribeRequest, Transport as _,
};

cases! { "binding":
    binding_takes_the_consumer_as_it_is [Store, StreamAdmin]
        "Subscribing with the configuration that a consumer has binds it, and nothing differs.";
    other_settings_are_followed_and_told [Store]
        "Another ack wait, limit of deliveries or lifetime than asked for is followed, and told.";
    another_backoff_is_followed_and_told [Store, Backoff]
        "Another backoff than asked for is followed, and told.";
    the_ack_wait_of_the_consumer_holds [Store]
        "A message is delivered again after the consumer's ack wait, whatever was asked for.";
    another_start_is_no_difference [Store]
        "Where a consumer starts is not compared once it exists.";
    filters_may_cover_more [Store, SeveralFilters]
        "A consumer whose filters cover more than is asked for is bound and delivers all of it.";
    a_filter_that_misses_some_is_a_mismatch [Store]
        "A consumer whose filters do not cover what is asked for is refused, and what is missing named.";
    another_ack_policy_is_a_mismatch [Store]
        "A consumer with another ack policy is refused.";
    a_mismatch_changes_nothing [Store, StreamAdmin]
        "A refused subscription leaves the consumer as it is.";
    the_order_of_filters_is_no_difference [Store, SeveralFilters]
        "The same filters in another order are the same configuration.";
    what_must_exist_is_not_created [Store, StreamAdmin]
        "A subscription whose consumer has to exist binds it, and does not create it.";
    what_the_stream_never_stores_is_refused [Store, StreamAdmin]
        "A consumer none of whose messages the stream stores is refused, and not created.";
    what_the_stream_stores_no_more_is_refused [Store, StreamAdmin]
        "A durable whose subject was taken from its stream is bound until it is empty, and then refused.";
}

/// A durable none of whose settings is the default.
fn particular(rig: &Rig) -> Outcome<ConsumerConfig> {
    let mut config = rig.durable("d")?;
    config.filters = vec![rig.pattern("a")?];
    config.deliver = DeliverPolicy::ByStartSequence(2);
    config.ack_wait = Duration::from_secs(17);
    config.max_deliver = NonZeroU32::new(7);
    config.max_ack_pending = NonZeroU32::new(77);
    Ok(config)
}

async fn binding_takes_the_consumer_as_it_is(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    let config = particular(&rig)?;
    for _ in 0..3 {
        let reader = rig.subscribe(&config).await?;
        let bound = reader.bound()?;
        ensure_eq!(
            bound.differences,
            [],
            "the differences of the same consumer"
        );
        ensure_eq!(bound.config, config, "the consumer that is bound");
        rig.has_consumers(1).await?;
    }
    Ok(())
}

async fn other_settings_are_followed_and_told(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    let existing = particular(&rig)?;
    let _reader = rig.subscribe(&existing).await?;
    let mut others = Vec::new();
    let mut other = |field, change: &dyn Fn(&mut ConsumerConfig)| {
        let mut config = existing.clone();
        change(&mut config);
        others.push((field, config));
    };
    other("ack wait", &|config| config.ack_wait *= 2);
    other("max deliver", &|config| config.max_deliver = None);
    other("max ack pending", &|config| {
        config.max_ack_pending = NonZeroU32::new(78);
    });
    let group = ConsumerName::Group(rig.consumer_name("d"));
    other("lifetime", &|config| config.name = group.clone());
    for (field, config) in others {
        let reader = rig.subscribe(&config).await?;
        followed(reader.bound()?, &existing, field)?;
    }
    Ok(())
}

async fn another_backoff_is_followed_and_told(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    let mut existing = particular(&rig)?;
    existing.backoff = vec![existing.ack_wait, Duration::from_secs(60)];
    let _reader = rig.subscribe(&existing).await?;
    let mut config = existing.clone();
    config.backoff.clear();
    let reader = rig.subscribe(&config).await?;
    followed(reader.bound()?, &existing, "backoff")
}

/// The consumer is the one that exists, and differs in `field` alone.
fn followed(bound: &BoundConsumer, existing: &ConsumerConfig, field: &str) -> Outcome {
    let fields: Vec<_> = bound.differences.iter().map(|one| one.field).collect();
    ensure_eq!(fields, [field], "the settings that differ");
    ensure_eq!(bound.config, *existing, "the consumer that is bound");
    ensure!(!bound.created, "a consumer that existed was created");
    Ok(())
}

async fn the_ack_wait_of_the_consumer_holds(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    let mut config = rig.durable("d")?;
    config.ack_wait = rig.ack_wait();
    drop(rig.subscribe(&config).await?);
    config.ack_wait = Duration::from_secs(3600);
    let mut reader = rig.subscribe(&config).await?;
    rig.publish("a", 1).await?;
    drop(reader.expect(1).await?);
    let again = reader.expect(1).await?;
    ensure_eq!(again.attempt(), 2, "the attempt after the ack wait");
    again.ack().await
}

async fn another_start_is_no_difference(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    rig.publish_all("a", 0..4).await?;
    let mut config = rig.durable("d")?;
    rig.subscribe(&config).await?.expect_and_ack(0..2).await?;
    for deliver in [
        DeliverPolicy::New,
        DeliverPolicy::ByStartSequence(1),
        DeliverPolicy::ByStartTime(jiff::Timestamp::now()),
    ] {
        config.deliver = deliver;
        let reader = rig.subscribe(&config).await?;
        let bound = reader.bound()?;
        ensure_eq!(bound.differences, [], "the differences for {deliver:?}");
        ensure_eq!(bound.config.deliver, DeliverPolicy::All, "the start");
    }
    // What the first subscription had taken ahead comes for a second time.
    let mut reader = rig.subscribe(&config).await?;
    let mut seen = BTreeSet::new();
    for _ in 0..2 {
        let got = reader.message().await?;
        seen.insert(got.number()?);
        got.ack().await?;
    }
    ensure_eq!(seen, (2..4).collect(), "what was left to be read");
    Ok(())
}

async fn filters_may_cover_more(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    let mut existing = rig.durable("d")?;
    existing.filters = vec![rig.pattern("a.>")?, rig.pattern("b")?];
    drop(rig.subscribe(&existing).await?);
    let mut config = existing.clone();
    config.filters = vec![rig.pattern("a.x")?];
    let mut reader = rig.subscribe(&config).await?;
    followed(reader.bound()?, &existing, "filters")?;
    rig.publish("a.x", 0).await?;
    rig.publish("a.y", 1).await?;
    rig.publish("b", 2).await?;
    reader.expect_and_ack(0..3).await
}

async fn a_filter_that_misses_some_is_a_mismatch(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    let existing = particular(&rig)?;
    let _reader = rig.subscribe(&existing).await?;
    for wanted in ["b", ">"] {
        let mut config = existing.clone();
        config.filters = vec![rig.pattern(wanted)?];
        let error = rig.subscribe_refused(&config, "another filter").await?;
        differs(&rig, &error, ConsumerConfig::FILTERS)?;
        let missing = rig.pattern(wanted)?;
        ensure!(
            error.to_string().contains(missing.as_str()),
            "{error} does not name {missing}"
        );
    }
    Ok(())
}

async fn another_ack_policy_is_a_mismatch(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    let existing = particular(&rig)?;
    let _reader = rig.subscribe(&existing).await?;
    let mut config = existing.clone();
    config.ack = AckPolicy::None;
    // What is delivered once has no limit of deliveries.
    config.max_deliver = None;
    let error = rig.subscribe_refused(&config, "another ack policy").await?;
    differs(&rig, &error, ConsumerConfig::ACK_POLICY)
}

fn differs(rig: &Rig, error: &Error, field: &str) -> Outcome {
    let ErrorKind::ConsumerMismatch { differences } = error.kind() else {
        return Err(Failure::new(format!(
            "the kind of {error} is {:?}",
            error.kind()
        )));
    };
    ensure!(
        differences
            .iter()
            .any(|difference| difference.field == field),
        "the differences do not name the {field}: {differences:?}"
    );
    ensure_eq!(error.outcome(), Done::NotDone, "the outcome in {error}");
    ensure_eq!(
        error.consumer(),
        Some(&*rig.consumer_name("d")),
        "the consumer in {error}"
    );
    Ok(())
}

async fn a_mismatch_changes_nothing(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    let mut config = rig.durable("d")?;
    config.filters = vec![rig.pattern("a")?];
    let mut reader = rig.subscribe(&config).await?;
    rig.publish("a", 0).await?;
    reader.expect_and_ack([0]).await?;
    let mut other = config.clone();
    other.filters = vec![rig.pattern("b")?];
    rig.subscribe_refused(&other, "another filter").await?;
    for (subject, number) in [("b", 1), ("a", 2), ("b", 3), ("a", 4)] {
        rig.publish(subject, number).await?;
    }
    reader.expect_and_ack([2]).await?;
    drop(reader);
    let mut reader = rig.subscribe(&config).await?;
    reader.expect(4).await?.ack().await?;
    rig.has_consumers(1).await?;
    Ok(())
}

async fn the_order_of_filters_is_no_difference(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    let mut config = rig.durable("d")?;
    config.filters = vec![rig.pattern("a")?, rig.pattern("b")?];
    drop(rig.subscribe(&config).await?);
    config.filters.reverse();
    drop(rig.subscribe(&config).await?);
    Ok(())
}

async fn what_must_exist_is_not_created(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    let config = rig.durable("d")?;
    let subscribing = || {
        let mut request = SubscribeRequest::new(rig.stream.clone(), config.clone());
        request.prefetch = 1.into();
        request.must_exist = true;
        let answer = rig.transport.subscribe(request);
        within(rig.patience(), "the answer to a subscribe", answer)
    };
    let Err(error) = subscribing().await? else {
        return Err(Failure::new("a consumer that does not exist was bound"));
    };
    let kind = error.kind();
    ensure_eq!(*kind, ErrorKind::ConsumerNotFound, "the kind of {error}");
    let name = rig.consumer_name("d");
    ensure_eq!(error.consumer(), Some(&*name), "the consumer in {error}");
    rig.has_consumers(0).await?;
    let _creates = rig.subscribe(&config).await?;
    let bound = subscribing().await??.bound;
    ensure!(!bound.created, "a consumer that existed was created");
    Ok(())
}

async fn what_the_stream_never_stores_is_refused(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    let config = rig.durable("d")?;
    for wanted in ["nowhere.to.be.found", "nowhere.>"] {
        let mut config = config.clone();
        config.filters = vec![Pattern::parse(wanted.to_owned())?];
        let error = rig.subscribe_refused(&config, "what is not stored").await?;
        ensure_eq!(
            *error.kind(),
            ErrorKind::InvalidSubject,
            "the kind of {error}"
        );
        for named in [wanted, rig.pattern(">")?.as_str()] {
            ensure!(
                error.to_string().contains(named),
                "{error} does not name {named}"
            );
        }
    }
    rig.has_consumers(0).await?;
    Ok(())
}

async fn what_the_stream_stores_no_more_is_refused(fixture: Fixture) -> Outcome {
    let narrow = |stream: StreamSpec| stream.subject("x.>");
    let wide = fixture.config('a', |stream| narrow(stream).subject("y.>"))?;
    let rig = fixture.rig_of(wide).await?;
    let mut config = rig.durable("d")?;
    config.filters = vec![rig.pattern("y.>")?];
    drop(rig.subscribe(&config).await?);
    rig.publish("y.1", 1).await?;
    rig.apply(&fixture.config('a', narrow)?).await?;
    let mut reader = rig.subscribe(&config).await?;
    reader.expect(1).await?.ack().await?;
    drop(reader);
    let error = rig
        .eventually("a durable without messages to be refused", async |rig| {
            // A server hears of the ack in its own time.
            Ok(rig.try_subscribe(&config, 1).await?.err())
        })
        .await?;
    let kind = error.kind();
    ensure_eq!(*kind, ErrorKind::InvalidSubject, "the kind of {error}");
    for named in [rig.pattern("y.>")?, rig.pattern("x.>")?] {
        ensure!(
            error.to_string().contains(named.as_str()),
            "{error} does not name {named}"
        );
    }
    let name = rig.consumer_name("d");
    ensure_eq!(error.consumer(), Some(&*name), "the consumer in {error}");
    Ok(())
}
