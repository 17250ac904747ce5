//! Cases for consumers: created or bound, never changed; durable, ephemeral and group
//! lifetimes.

use std::collections::BTreeSet;

use futures_util::future::try_join_all;

use super::{Failure, joined, messages};
use crate::case::cases;
use crate::failure::{Outcome, ensure, ensure_eq, within};
use crate::fixture::Fixture;
use event_sdk_core::transport::{Capability, DeliverPolicy, ErrorKind, SubscribeRequest};

cases! { "consumers":
    a_durable_goes_on_where_it_was [Store]
        "A durable remembers what was settled: the next subscription goes on there.";
    a_durable_collects_while_nobody_listens [Store]
        "What is published while a durable has no subscription is delivered to its next one.";
    an_ephemeral_ends_with_its_subscription [Store, StreamAdmin]
        "An ephemeral consumer ends with its subscription.";
    a_group_ends_with_its_last_subscription [Store, StreamAdmin]
        "A group lives as long as one subscription uses it; after that it starts anew.";
    a_name_belongs_to_its_stream [Store]
        "Consumers of the same name on two streams are two consumers.";
    many_may_bind_at_once [Store, StreamAdmin]
        "Many that subscribe to one durable at the same time share one consumer.";
    a_missing_stream_is_an_error [Store]
        "Subscribing to a stream that does not exist is refused and names it.";
    overlapping_filters_are_refused [Store, SeveralFilters, StreamAdmin]
        "Filters that overlap are refused.";
    requests_that_ask_for_nothing_are_refused [Store, StreamAdmin]
        "A consumer has at least one filter, and a subscription takes at least one message ahead.";
    deleting_ends_the_subscriptions [Store, ConsumerAdmin]
        "The subscriptions of a deleted consumer end and say why.";
    deleting_forgets_the_consumer_alone [Store, StreamAdmin, ConsumerAdmin]
        "A deleted consumer is forgotten, what the stream stores stays, and others go on.";
    deleting_what_is_not_there_is_an_error [Store, ConsumerAdmin]
        "Deleting a consumer that does not exist is an error that names it.";
}

async fn a_durable_goes_on_where_it_was(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    let config = rig.durable("d")?;
    rig.publish_all("a", 0..10).await?;
    let mut seen = BTreeSet::new();
    for _ in 0..5 {
        let mut reader = rig.subscribe_ahead(&config, 1).await?;
        for _ in 0..2 {
            let got = reader.message().await?;
            let number = got.number()?;
            ensure!(
                seen.insert(number),
                "message {number} came again after its ack"
            );
            got.ack().await?;
        }
    }
    ensure_eq!(seen, (0..10).collect(), "what five subscriptions received");
    let mut reader = rig.subscribe(&config).await?;
    reader.expect_nothing_before_fence(&rig, "a").await
}

async fn a_durable_collects_while_nobody_listens(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    let mut config = rig.durable("d")?;
    config.deliver = DeliverPolicy::New;
    drop(rig.subscribe(&config).await?);
    rig.publish_all("a", 0..10).await?;
    rig.subscribe(&config).await?.expect_and_ack(0..10).await
}

async fn an_ephemeral_ends_with_its_subscription(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    let readers = [
        rig.subscribe(&rig.ephemeral()?).await?,
        rig.subscribe(&rig.ephemeral()?).await?,
    ];
    rig.has_consumers(2).await?;
    drop(readers);
    rig.comes_to_have_consumers(0).await
}

async fn a_group_ends_with_its_last_subscription(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    let config = rig.group("g")?;
    rig.publish_all("a", 0..5).await?;
    let mut one = rig.subscribe(&config).await?;
    one.expect_and_ack(0..5).await?;
    let two = rig.subscribe(&config).await?;
    drop(one);
    rig.has_consumers(1).await?;
    drop(two);
    rig.comes_to_have_consumers(0).await?;
    if rig.can(Capability::ConsumerAdmin) {
        // Where several servers keep it, it may have ended on one of them alone.
        rig.eventually("a group that is gone", async |rig| {
            Ok(rig.consumer_info("g").await?.err())
        })
        .await?;
    }
    rig.subscribe(&config).await?.expect_and_ack(0..5).await
}

async fn a_name_belongs_to_its_stream(fixture: Fixture) -> Outcome {
    let (one, other) = fixture.two_rigs().await?;
    let config = one.durable("same")?;
    let mut same = config.clone();
    same.filters = vec![other.pattern("a")?];
    let mut reader = one.subscribe(&config).await?;
    let mut second = other.subscribe(&same).await?;
    one.publish("a", 1).await?;
    other.publish("a", 2).await?;
    reader.expect_and_ack([1]).await?;
    second.expect_and_ack([2]).await
}

async fn many_may_bind_at_once(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    let config = rig.durable("d")?;
    let subscribing = (0..8).map(|_| {
        let (rig, config) = (rig.clone(), config.clone());
        joined(async move { rig.subscribe_ahead(&config, 1).await })
    });
    let _readers = try_join_all(subscribing).await?;
    rig.has_consumers(1).await?;
    Ok(())
}

async fn a_missing_stream_is_an_error(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    let stream = format!("{}-missing", rig.stream);
    let request = SubscribeRequest::new(stream.clone(), rig.durable("d")?);
    let answer = rig.transport.subscribe(request);
    let answer = within(rig.patience(), "the answer to a subscribe", answer).await?;
    let Err(error) = answer else {
        return Err(Failure::new(
            "subscribing to a stream that does not exist was accepted",
        ));
    };
    ensure_eq!(
        *error.kind(),
        ErrorKind::StreamNotFound,
        "the kind of {error}"
    );
    ensure_eq!(error.stream(), Some(&*stream), "the stream in {error}");
    Ok(())
}

async fn overlapping_filters_are_refused(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    let mut config = rig.durable("d")?;
    config.filters = vec![rig.pattern("a.*")?, rig.pattern("a.b")?];
    let error = rig
        .subscribe_refused(&config, "overlapping filters")
        .await?;
    ensure_eq!(
        *error.kind(),
        ErrorKind::InvalidOption,
        "the kind of {error}"
    );
    rig.has_consumers(0).await?;
    Ok(())
}

async fn requests_that_ask_for_nothing_are_refused(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    let config = rig.durable("d")?;
    let mut unfiltered = config.clone();
    unfiltered.filters.clear();
    for (config, prefetch) in [(&unfiltered, 1), (&config, 0)] {
        let Err(error) = rig.try_subscribe(config, prefetch).await? else {
            return Err(Failure::new(format!(
                "{} filters and {prefetch} messages ahead were accepted",
                config.filters.len()
            )));
        };
        ensure_eq!(
            *error.kind(),
            ErrorKind::InvalidOption,
            "the kind of {error}"
        );
    }
    rig.has_consumers(0).await?;
    Ok(())
}

async fn deleting_ends_the_subscriptions(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    let config = rig.durable("d")?;
    let mut readers = [rig.subscribe(&config).await?, rig.subscribe(&config).await?];
    let mut waiting = rig.subscribe(&config).await?;
    let waiting = joined(async move { waiting.failure().await });
    rig.delete_consumer("d").await??;
    for reader in &mut readers {
        let error = reader.failure().await?;
        ensure_eq!(
            *error.kind(),
            ErrorKind::ConsumerNotFound,
            "the kind of {error}"
        );
    }
    let error = waiting.await?;
    ensure_eq!(
        *error.kind(),
        ErrorKind::ConsumerNotFound,
        "the kind of {error}"
    );
    Ok(())
}

async fn deleting_forgets_the_consumer_alone(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    rig.publish_all("a", 0..5).await?;
    let (config, other) = (rig.durable("d")?, rig.durable("other")?);
    let mut reader = rig.subscribe(&config).await?;
    reader.expect_and_ack(0..5).await?;
    let mut staying = rig.subscribe(&other).await?;
    staying.expect_and_ack(0..3).await?;
    rig.delete_consumer("d").await??;
    messages(&rig, 5).await?;
    staying.expect_and_ack(3..5).await?;
    rig.has_consumers(1).await?;
    rig.subscribe(&config).await?.expect_and_ack(0..5).await
}

async fn deleting_what_is_not_there_is_an_error(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    let Err(error) = rig.delete_consumer("missing").await? else {
        return Err(Failure::new("a consumer that does not exist was deleted"));
    };
    ensure_eq!(
        *error.kind(),
        ErrorKind::ConsumerNotFound,
        "the kind of {error}"
    );
    ensure_eq!(
        error.consumer(),
        Some(&*rig.consumer_name("missing")),
        "the consumer in {error}"
    );
    Ok(())
}
