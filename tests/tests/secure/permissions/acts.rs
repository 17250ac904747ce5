//! What services do under their permissions: one function for each row of the table.

use std::time::Duration;

use bytes::Bytes;
use event_sdk::stream::StreamSpec;
use event_sdk::transport::nats::Nats;
use event_sdk::transport::{
    AckPolicy, AdvisoryRequest, BucketConfig, Cancellation, ConsumerConfig, ConsumerName, Deletion,
    DeliverPolicy, Error, PurgeRequest, RestoreRequest, Revision, SnapshotInfo, SnapshotRequest,
    TransportExt as _, WhichMessage,
};
use event_sdk::{EventBus, EventSet, Incoming, Pattern, Subscribe};
use event_sdk_test_servers::Server;
use event_sdk_tests::orders::{AllOrderEvents, OrderEvents, OrderPlaced, placed};
use futures_util::{StreamExt as _, stream};

use super::{Act, Case, HOUR, runtime};
use crate::support::{next, publish, within};

/// What a service does, by the first words of its row.
pub(super) const ACTS: &[(&str, Act)] = &[
    ("publishes", |case| Box::pin(publishes(case))),
    ("publishes and expects", |case| Box::pin(expects(case))),
    ("consumes a durable or a group", |case| {
        Box::pin(durable(case))
    }),
    ("consumes a durable or a group", |case| {
        Box::pin(group(case))
    }),
    (
        "consumes a durable or a group with several filters",
        |case| Box::pin(several(case)),
    ),
    ("consumes a durable with one filter", |case| {
        Box::pin(exhausted(case))
    }),
    ("consumes without a name", |case| Box::pin(unnamed(case))),
    ("only takes", |case| Box::pin(only_takes(case))),
    ("reads history", |case| Box::pin(history(case))),
    ("gets single messages", |case| Box::pin(gets(case))),
    ("deletes single messages", |case| Box::pin(deletes(case))),
    ("purges messages by a filter", |case| Box::pin(purges(case))),
    ("purges everything before", |case| {
        Box::pin(purges_before(case))
    }),
    ("backs up", |case| Box::pin(backs_up(case))),
    ("restores a stream", |case| Box::pin(restores(case))),
    ("listens to advisories", |case| Box::pin(listens(case))),
    ("declares no streams", |case| {
        Box::pin(consume(undeclared(&case)))
    }),
    ("names the stream", |case| {
        Box::pin(consume(undeclared(&case).stream(case.own("ORDERS"))))
    }),
    ("applies its durable", |case| {
        Box::pin(applies_durable(case))
    }),
    ("applies the streams", |case| Box::pin(applies(case))),
    ("lists the consumers", |case| {
        Box::pin(lists_consumers(case))
    }),
    ("pauses a consumer", |case| Box::pin(pauses(case))),
    ("resets a consumer", |case| Box::pin(resets(case))),
    ("coordinates", |case| Box::pin(coordinates(case))),
    ("applies its bucket", |case| Box::pin(applies_bucket(case))),
    ("keeps dead letters", |case| {
        Box::pin(runtime::keeps_letters(case))
    }),
    ("reads and redrives", |case| {
        Box::pin(runtime::redrives(case))
    }),
    ("parks", |case| Box::pin(runtime::parks(case))),
    ("counts attempts", |case| {
        Box::pin(runtime::counts_attempts(case))
    }),
    ("writes letters of advisories", |case| {
        Box::pin(runtime::writes_advisory_letters(case))
    }),
    ("schedules events", |case| Box::pin(schedules(case))),
    ("cancels and lists", |case| Box::pin(cancels(case))),
    ("publishes without streams", |case| {
        Box::pin(plain_publish(case))
    }),
    ("subscribes without streams", |case| {
        Box::pin(plain_subscribe(case))
    }),
];

async fn publishes(case: Case) -> Result<(), Error> {
    publish(&case.bus(), 3).await.map(drop)
}

async fn expects(case: Case) -> Result<(), Error> {
    let orders = case.bus().publisher::<OrderPlaced>();
    let third = orders.prepare(placed(3));
    for duplicate in [false, true] {
        let published = orders.publish(&third).expect_last_sequence(2).await?;
        assert_eq!(published.is_duplicate(), duplicate);
    }
    Ok(())
}

async fn durable(case: Case) -> Result<(), Error> {
    consume(
        case.bus()
            .subscribe::<AllOrderEvents>()
            .durable(case.own("billing")),
    )
    .await
}

async fn group(case: Case) -> Result<(), Error> {
    consume(
        case.bus()
            .subscribe::<AllOrderEvents>()
            .group(case.own("billing")),
    )
    .await
}

async fn several(case: Case) -> Result<(), Error> {
    consume(
        case.bus()
            .subscribe::<OrderEvents>()
            .durable(case.own("billing")),
    )
    .await
}

async fn unnamed(case: Case) -> Result<(), Error> {
    consume(case.bus().subscribe::<AllOrderEvents>()).await
}

async fn lists_consumers(case: Case) -> Result<(), Error> {
    let list = case.nats().list_consumers(&case.own("ORDERS")).await?;
    assert_eq!(list.len(), 1);
    Ok(())
}

async fn pauses(case: Case) -> Result<(), Error> {
    let (nats, stream, consumer) = (case.nats(), case.own("ORDERS"), case.own("billing"));
    let until = jiff::Timestamp::now() + HOUR;
    nats.pause_consumer(&stream, &consumer, Some(until)).await?;
    let info = nats.consumer_info(&stream, &consumer).await?;
    assert!(info.paused_until.is_some());
    nats.pause_consumer(&stream, &consumer, None).await
}

async fn resets(case: Case) -> Result<(), Error> {
    let (stream, consumer) = (case.own("ORDERS"), case.own("billing"));
    case.nats().reset_consumer(&stream, &consumer, 2).await
}

async fn only_takes(case: Case) -> Result<(), Error> {
    durable(case).await
}

/// More than one chunk, so that there is something to acknowledge.
async fn fill(bus: &EventBus) {
    let mut random = fastrand::Rng::with_seed(7);
    let noise: String = std::iter::repeat_with(|| random.alphanumeric())
        .take(300_000)
        .collect();
    let mut large = placed(9);
    large.item = noise;
    let orders = bus.publisher::<OrderPlaced>();
    orders.publish(large).await.expect("a large event");
}

/// The snapshot of the stream, read to its end.
async fn snapshot(bus: &EventBus, stream: String) -> Result<(SnapshotInfo, Vec<Bytes>), Error> {
    let request = SnapshotRequest::new(stream);
    let mut snapshot = bus.transport().snapshot_stream(request).await?;
    let mut pieces = Vec::new();
    while let Some(piece) = snapshot.content.next().await {
        pieces.push(piece?);
    }
    Ok((snapshot.info, pieces))
}

async fn backs_up(case: Case) -> Result<(), Error> {
    fill(&case.admin_bus()).await;
    snapshot(&case.bus(), case.own("ORDERS")).await.map(drop)
}

async fn restores(case: Case) -> Result<(), Error> {
    let server = Server::start().await.expect("another server");
    let nats = Nats::connect(Nats::options(server.url())).await?;
    let bus = case.builder().transport(nats)?;
    bus.apply_streams().await?;
    fill(&bus).await;
    let (info, pieces) = snapshot(&bus, case.own("ORDERS")).await?;
    let content = Box::pin(stream::iter(pieces.into_iter().map(Ok)));
    let name = case.own("ORDERS");
    let request = RestoreRequest::new(name, info.kind, info.description, content);
    let restored = case.nats().restore_stream(request).await?;
    assert_eq!(restored.messages, 1);
    Ok(())
}

fn undeclared(case: &Case) -> Subscribe<AllOrderEvents> {
    let bus = EventBus::builder().prefix(case.own("events.").trim_end_matches('.').to_owned());
    let bus = bus.transport(case.nats()).unwrap();
    bus.subscribe().durable(case.own("billing"))
}

/// Receives, acknowledges, puts back.
async fn consume<S: EventSet>(subscribe: Subscribe<S>) -> Result<(), Error> {
    let mut orders = within("a subscription", subscribe.into_future()).await?;
    next(&mut orders).await?.ack_confirmed().await?;
    next(&mut orders).await?.nak(Duration::ZERO).await?;
    let again = next(&mut orders).await?;
    assert_eq!((again.sequence(), again.attempt()), (Some(2), 2));
    again.ack_confirmed().await
}

async fn exhausted(case: Case) -> Result<(), Error> {
    let orders = case
        .bus()
        .subscribe::<AllOrderEvents>()
        .durable(case.own("billing"));
    let mut orders = within("a subscription", orders.max_deliver(1).into_future()).await?;
    next(&mut orders).await?.nak(Duration::ZERO).await?;
    loop {
        let incoming = within("a notice", orders.next_incoming()).await;
        match incoming.expect("the subscription goes on")? {
            Incoming::Delivery(delivery) => delivery.ack_confirmed().await?,
            Incoming::Notice(notice) if notice.exhausted().is_some() => return Ok(()),
            Incoming::Notice(_) => {}
        }
    }
}

async fn history(case: Case) -> Result<(), Error> {
    let bus = case.bus();
    let oldest = bus.history::<AllOrderEvents>();
    let newest = bus.history::<AllOrderEvents>().newest_first();
    for (history, sequences) in [(oldest, [1, 2]), (newest, [2, 1])] {
        let mut orders = within("history", history.into_future()).await?;
        for sequence in sequences {
            let recorded = within("an event", orders.next()).await.expect("an event")?;
            assert_eq!(recorded.sequence(), sequence);
        }
    }
    Ok(())
}

async fn gets(case: Case) -> Result<(), Error> {
    let (nats, stream) = (case.nats(), case.own("ORDERS"));
    let under = Pattern::parse(case.own("events.") + "orders.>").unwrap();
    for (which, sequence) in [
        (WhichMessage::Sequence(1), 1),
        (WhichMessage::LastUnder(under), 2),
    ] {
        let found = within("a message", nats.get_message(&stream, which)).await?;
        assert_eq!(found.map(|found| found.sequence), Some(sequence));
    }
    Ok(())
}

async fn deletes(case: Case) -> Result<(), Error> {
    let (nats, stream) = (case.nats(), case.own("ORDERS"));
    for deletion in [Deletion::Remove, Deletion::Erase] {
        let sequence = if deletion == Deletion::Erase { 1 } else { 2 };
        let deleted = nats.delete_message(&stream, sequence, deletion);
        assert!(within("a deletion", deleted).await?);
    }
    Ok(())
}

async fn purges(case: Case) -> Result<(), Error> {
    let mut request = PurgeRequest::all(case.own("ORDERS"));
    request.filter = Some(Pattern::parse(case.own("events.") + "orders.>").unwrap());
    request.keep = Some(1);
    let purged = within("a purge", case.nats().purge_messages(request.clone())).await?;
    assert_eq!(purged, 1);
    request.keep = None;
    request.before = Some(9);
    let purged = within("a purge", case.nats().purge_messages(request)).await?;
    assert_eq!(purged, 1);
    Ok(())
}

async fn purges_before(case: Case) -> Result<(), Error> {
    let mut request = PurgeRequest::all(case.own("ORDERS"));
    request.before = Some(2);
    let purged = within("a purge", case.nats().purge_messages(request)).await?;
    assert_eq!(purged, 1);
    Ok(())
}

async fn listens(case: Case) -> Result<(), Error> {
    let mut request = AdvisoryRequest::default();
    request.stream = Some(case.own("ORDERS").into());
    let listening = case.nats().listen_to_advisories(request);
    within("listening", listening).await.map(drop)
}

async fn applies_durable(case: Case) -> Result<(), Error> {
    let prefix = case.bus().prefix().to_owned();
    for wait in [10, 20] {
        let stream = StreamSpec::new(case.own("ORDERS")).subject("orders.>");
        let config = stream.config(&prefix).unwrap();
        let name = ConsumerName::Durable(case.own("billing").into());
        let mut durable = ConsumerConfig::new(name, config.subjects.clone());
        durable.ack_wait = Duration::from_secs(wait);
        let nats = case.nats();
        within("the durable", nats.apply_consumer(&config.name, &durable)).await?;
    }
    Ok(())
}

async fn applies(case: Case) -> Result<(), Error> {
    within("the stream", case.bus().apply_streams()).await?;
    let stream = StreamSpec::new(case.own("ORDERS"))
        .subject("orders.>")
        .max_messages(10);
    let prefix = case.bus().prefix().to_owned();
    let changed = EventBus::builder().prefix(prefix).stream(stream);
    let changed = changed.transport(case.nats()).unwrap();
    within("the change", changed.apply_streams())
        .await
        .map(drop)
}

async fn coordinates(case: Case) -> Result<(), Error> {
    let bus = case.builder().coordination(&*case.own("EVENT_SDK"));
    let bucket = bus.transport(case.nats()).unwrap().coordination();
    for _ in 0..2 {
        let put = bucket.put("lease.1", "me", Revision::Absent, None);
        let revision = within("a put", put).await?;
        let entry = within("an entry", bucket.get("lease.1")).await?;
        assert_eq!(entry.expect("an entry").revision, revision);
        assert_eq!(within("a list", bucket.list("lease")).await?.len(), 1);
        let deleted = bucket.delete("lease.1", Revision::Exactly(revision));
        within("a deletion", deleted).await?;
    }
    Ok(())
}

async fn applies_bucket(case: Case) -> Result<(), Error> {
    let config = BucketConfig::new(case.own("EVENT_SDK"));
    for config in [config.clone(), config.unlimited_age()] {
        let bus = EventBus::builder().coordination(config);
        let bus = bus.transport(case.nats()).unwrap();
        let applied = within("the bucket", bus.apply()).await?;
        assert!(!applied.is_unchanged(), "{applied}");
    }
    Ok(())
}

async fn schedules(case: Case) -> Result<(), Error> {
    let orders = case.bus().publisher::<OrderPlaced>();
    // The second replaces the first.
    for replaces in [false, true] {
        let later = orders.publish_after(placed(3), HOUR).into_future();
        let scheduled = within("a schedule", later).await?;
        assert_eq!(scheduled.replaced(), replaces);
    }
    Ok(())
}

async fn cancels(case: Case) -> Result<(), Error> {
    let schedules = case.bus().schedules();
    let waiting = within("a list", schedules.list::<OrderPlaced>()).await?;
    assert_eq!(waiting.len(), 1);
    for wanted in [Cancellation::InTime, Cancellation::Unknown] {
        let cancelled = within("a cancellation", schedules.cancel::<OrderPlaced>(9)).await?;
        assert_eq!(cancelled, wanted);
    }
    Ok(())
}

async fn plain_publish(case: Case) -> Result<(), Error> {
    let prefix = case.bus().prefix().to_owned();
    let bus = EventBus::builder()
        .prefix(prefix)
        .transport(case.nats().core())?;
    publish(&bus, 1).await.map(drop)
}

async fn plain_subscribe(case: Case) -> Result<(), Error> {
    let prefix = case.bus().prefix().to_owned();
    let bus = EventBus::builder()
        .prefix(prefix)
        .transport(case.nats().core())?;
    let orders = bus
        .subscribe::<AllOrderEvents>()
        .ack_policy(AckPolicy::None);
    let orders = orders.deliver(DeliverPolicy::New).into_future();
    within("a subscription", orders).await.map(drop)
}
