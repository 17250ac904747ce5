//! Expected `Unsupported` answers of a transport that lacks a capability.

use std::fmt::Debug;
use std::num::NonZeroU32;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream;

use super::failure::{Failure, Outcome, ensure, ensure_eq, within};
use super::fence::FENCE;
use super::fixture::Fixture;
use super::note::Note;
use super::place::Place;
use super::reader::number;
use super::rig::{Draft, Rig};
use super::timetable::{far, in_millis};
use super::unheard::two_ran_out;
use event_sdk_core::stream::{Compression, Placement, Retention, StreamSpec, Upstream};
use event_sdk_core::transport::{
    AckPolicy, AdvisoryRequest, Capability, ConsumerConfig, Deletion, Error, ErrorKind,
    HistoryRequest, Incoming, Order, Outcome as Done, PurgeRequest, PutRequest, RestoreRequest,
    Revision, RollUp, TransportExt as _, WhichMessage,
};

/// The transport refuses to use each of these, or nobody gets what it would
/// bring.
pub(super) async fn refuses(fixture: Fixture, missing: Vec<Capability>) -> Outcome {
    for capability in missing {
        match capability {
            Capability::Store => no_store(&fixture).await?,
            Capability::Deduplication => {
                publish(&fixture, capability, |rig| {
                    Ok(rig.draft("a", 1)?.id("same"))
                })
                .await?;
            }
            Capability::ExpectStream => {
                publish(&fixture, capability, |rig| {
                    let mut draft = rig.draft("a", 1)?;
                    draft.expect.last_sequence = Some(0);
                    Ok(draft)
                })
                .await?;
            }
            Capability::ExpectSubject => {
                publish(&fixture, capability, |rig| {
                    let mut draft = rig.draft("a", 1)?;
                    draft.expect.last_subject_sequence = Some(0);
                    Ok(draft)
                })
                .await?;
            }
            Capability::ExpectPattern => {
                publish(&fixture, capability, |rig| {
                    let mut draft = rig.draft("a.b", 1)?;
                    draft.expect.last_pattern_sequence = Some((rig.pattern("a.*")?, 0));
                    Ok(draft)
                })
                .await?;
            }
            Capability::ValueHandover => {
                publish(&fixture, capability, |rig| {
                    let mut draft = rig.draft("a", 1)?;
                    draft.body = Note::new(1).body();
                    Ok(draft)
                })
                .await?;
            }
            Capability::SeveralFilters => {
                subscribe(&fixture, capability, |rig, config| {
                    config.filters = vec![rig.pattern("a")?, rig.pattern("b")?];
                    Ok(())
                })
                .await?;
            }
            Capability::AckAll => {
                subscribe(&fixture, capability, |_, config| {
                    config.ack = AckPolicy::All;
                    Ok(())
                })
                .await?;
            }
            Capability::Backoff => {
                subscribe(&fixture, capability, |_, config| {
                    config.backoff = vec![config.ack_wait, config.ack_wait * 2];
                    config.max_deliver = NonZeroU32::new(5);
                    Ok(())
                })
                .await?;
            }
            Capability::RetentionByAck
            | Capability::DeduplicationOff
            | Capability::Copies
            | Capability::Placement
            | Capability::ChangeRetention
            | Capability::PromoteMirror
            | Capability::DenyDeletion
            | Capability::Compression => no_setting(&fixture, capability).await?,
            Capability::RollUp => no_roll_up(&fixture).await?,
            Capability::Coordination => no_coordination(&fixture).await?,
            Capability::CoordinationExpiry => no_expiry(&fixture).await?,
            Capability::Scheduler => no_scheduler(&fixture).await?,
            Capability::PauseConsumer => {
                let rig = fixture.rig().await?;
                let paused = rig.pause_consumer("d", Some(far())).await?;
                unsupported(capability, "a pause", paused)?;
            }
            Capability::ResetConsumer => {
                let rig = fixture.rig().await?;
                unsupported(capability, "a reset", rig.reset_consumer("d", 1).await?)?;
            }
            Capability::ReportsGaps => no_gaps(&fixture).await?,
            Capability::ReportsExhausted => no_exhausted(&fixture).await?,
            Capability::ReportsExhaustedLater => not_all_exhausted(&fixture).await?,
            other => no_ability(&fixture, other).await?,
        }
    }
    Ok(())
}

/// A stream with a setting that needs the capability is refused.
async fn no_setting(fixture: &Fixture, capability: Capability) -> Outcome {
    match capability {
        Capability::RetentionByAck => {
            let interest = |stream: StreamSpec| stream.retention(Retention::Interest);
            apply(fixture, capability, interest).await?;
            let queue = |stream: StreamSpec| stream.retention(Retention::WorkQueue);
            apply(fixture, capability, queue).await?;
        }
        Capability::DeduplicationOff => {
            let off = |stream: StreamSpec| stream.duplicate_window(Duration::ZERO);
            apply(fixture, capability, off).await?;
        }
        Capability::Copies => {
            let sources = |stream: StreamSpec| stream.sources(const { &[Upstream::of("OTHER")] });
            apply(fixture, capability, sources).await?;
        }
        Capability::Placement => {
            let placed = |stream: StreamSpec| stream.placement(Placement::tagged(&["ssd"]));
            apply(fixture, capability, placed).await?;
        }
        Capability::ChangeRetention => {
            let rig = fixture.rig().await?;
            if rig.can(Capability::RetentionByAck) {
                let interest =
                    |stream: StreamSpec| stream.subject(">").retention(Retention::Interest);
                let changed = rig.try_apply(&fixture.config('a', interest)?).await?;
                unsupported(capability, "another retention", changed)?;
            }
        }
        Capability::DenyDeletion => {
            let deletion = |stream: StreamSpec| stream.deny_delete(true);
            apply(fixture, capability, deletion).await?;
            let purge = |stream: StreamSpec| stream.deny_purge(true);
            apply(fixture, capability, purge).await?;
        }
        Capability::PromoteMirror => no_promotion(fixture).await?,
        Capability::Compression => {
            let compressed = |stream: StreamSpec| stream.compression(Compression::S2);
            apply(fixture, capability, compressed).await?;
        }
        _ => {}
    }
    Ok(())
}

/// An ability that is not returned is refused.
async fn no_ability(fixture: &Fixture, ability: Capability) -> Outcome {
    match ability {
        Capability::History => {
            let rig = fixture.rig().await?;
            unsupported(ability, "history", history(&rig).await?)
        }
        Capability::StreamAdmin => no_stream_admin(fixture).await,
        Capability::ConsumerAdmin => {
            let rig = fixture.rig().await?;
            unsupported(ability, "a deletion", rig.delete_consumer("d").await?)?;
            unsupported(ability, "an info", rig.consumer_info("d").await?)?;
            unsupported(ability, "a list", rig.list_consumers().await?)?;
            unsupported(ability, "a pause", rig.pause_consumer("d", None).await?)?;
            unsupported(ability, "a reset", rig.reset_consumer("d", 1).await?)?;
            let applied = rig.try_apply_consumer(&rig.durable("d")?).await?;
            unsupported(ability, "applying a durable", applied)
        }
        Capability::MessageAdmin => no_message_admin(fixture).await,
        Capability::Snapshots => no_snapshots(fixture).await,
        Capability::Advisories => {
            let rig = fixture.rig().await?;
            let listening = rig.try_listen(AdvisoryRequest::default()).await?;
            unsupported(ability, "listening", listening.map(drop))
        }
        other => Err(Failure::new(format!(
            "the suite does not know how to ask for {other}"
        ))),
    }
}

fn unsupported<T: Debug>(capability: Capability, what: &str, answer: Result<T, Error>) -> Outcome {
    match answer {
        Ok(done) => Err(Failure::new(format!(
            "{capability} is not declared, and {what} was answered with {done:?}"
        ))),
        Err(error) => {
            ensure_eq!(
                *error.kind(),
                ErrorKind::Unsupported(capability),
                "the kind of {error}, the answer to {what}"
            );
            ensure_eq!(error.outcome(), Done::NotDone, "the outcome in {error}");
            Ok(())
        }
    }
}

/// A message that asks for the capability is refused, one that does not is
/// published.
async fn publish(
    fixture: &Fixture,
    capability: Capability,
    draft: impl FnOnce(&Rig) -> Outcome<Draft>,
) -> Outcome {
    let rig = fixture.rig().await?;
    let refused = rig.attempt(draft(&rig)?).await?;
    unsupported(capability, "a publish that asks for it", refused)?;
    rig.store(rig.draft("a", 2)?).await?;
    Ok(())
}

/// A consumer that asks for the capability is refused and not created, one
/// that does not is.
async fn subscribe(
    fixture: &Fixture,
    capability: Capability,
    ask: impl FnOnce(&Rig, &mut ConsumerConfig) -> Outcome,
) -> Outcome {
    let rig = fixture.rig().await?;
    let plain = rig.durable("d")?;
    let mut config = plain.clone();
    ask(&rig, &mut config)?;
    let refused = rig.try_subscribe(&config, 1).await?;
    unsupported(capability, "a subscribe that asks for it", refused)?;
    rig.subscribe(&plain).await?;
    Ok(())
}

/// A stream that asks for the capability is refused and not created.
async fn apply(
    fixture: &Fixture,
    capability: Capability,
    ask: impl FnOnce(StreamSpec) -> StreamSpec,
) -> Outcome {
    let rig = fixture.rig().await?;
    let config = fixture.config('b', |stream| ask(stream.subject(">")))?;
    fixture.will_apply(&config);
    let refused = rig.try_apply(&config).await?;
    unsupported(capability, "applying a stream that asks for it", refused)?;
    let made = rig.under(&config, &fixture.prefix('b'));
    if let Ok(state) = made.try_state().await? {
        return Err(Failure::new(format!(
            "applying a stream was refused, and it is there: {state:?}"
        )));
    }
    Ok(())
}

async fn history(rig: &Rig) -> Outcome<Result<(), Error>> {
    let answer = rig.transport.read_history({
        let mut request = HistoryRequest::new(rig.stream.clone(), vec![rig.pattern(">")?]);
        request.order = Order::NewestFirst;
        request
    });
    let what = "the answer to a request for history";
    Ok(within(rig.patience(), what, answer).await?.map(drop))
}

/// A mirror stays one. Without mirrors there is none.
async fn no_promotion(fixture: &Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    let mirror = |stream: StreamSpec| stream.mirror(Upstream::of("OTHER"));
    let mirror = fixture.config('b', mirror)?;
    fixture.will_apply(&mirror);
    if !rig.can(Capability::Copies) {
        let refused = rig.try_apply(&mirror).await?;
        return unsupported(Capability::Copies, "applying a mirror", refused);
    }
    rig.apply(&mirror).await?;
    let promoted = fixture.config('b', |stream| stream.subject(">"))?;
    let refused = rig.try_apply(&promoted).await?;
    unsupported(Capability::PromoteMirror, "taking a mirror away", refused)
}

/// Streams are neither found, looked at nor changed.
async fn no_stream_admin(fixture: &Fixture) -> Outcome {
    let capability = Capability::StreamAdmin;
    apply(fixture, capability, |stream| stream).await?;
    let rig = fixture.rig().await?;
    unsupported(capability, "a state", rig.try_state().await?)?;
    unsupported(capability, "streams", rig.try_streams_for(">").await?)
}

/// Messages are neither got nor deleted.
async fn no_message_admin(fixture: &Fixture) -> Outcome {
    let capability = Capability::MessageAdmin;
    let rig = fixture.rig().await?;
    rig.publish("a", 1).await?;
    let which = WhichMessage::Sequence(1);
    unsupported(capability, "getting", rig.try_get(which).await?)?;
    let deleted = rig.try_delete(1, Deletion::Remove).await?;
    unsupported(capability, "deleting", deleted)?;
    let all = PurgeRequest::all(rig.stream.clone());
    unsupported(capability, "a purge", rig.try_purge(all).await?)?;
    let mut reader = rig.subscribe(&rig.ephemeral()?).await?;
    reader.expect_and_ack([1]).await
}

/// No snapshot is made and none is restored.
async fn no_snapshots(fixture: &Fixture) -> Outcome {
    let capability = Capability::Snapshots;
    let rig = fixture.rig().await?;
    let made = rig.try_snapshot(rig.stream.clone().into()).await?;
    unsupported(capability, "a snapshot", made)?;
    let (name, nothing) = (rig.consumer_name("s"), Box::pin(stream::empty()));
    let request = RestoreRequest::new(name, "any", Bytes::new(), nothing);
    unsupported(capability, "a restore", rig.try_restore(request).await?)
}

/// No bucket is created, read or written.
async fn no_coordination(fixture: &Fixture) -> Outcome {
    let capability = Capability::Coordination;
    let config = fixture.bucket('a');
    let place = Place::new(fixture, fixture.start(Vec::new()).await?, &config);
    unsupported(capability, "a bucket", place.try_apply(&config).await?)?;
    unsupported(capability, "a get", place.try_get("k").await?)?;
    let put = place.try_put("k", "x", Revision::Any, None).await?;
    unsupported(capability, "a put", put)?;
    let deleted = place.try_delete("k", Revision::Any).await?;
    unsupported(capability, "a deletion", deleted)?;
    unsupported(capability, "a list", place.try_list("").await?)
}

/// No message deletes earlier ones, and no stream comes to allow it.
async fn no_roll_up(fixture: &Fixture) -> Outcome {
    let capability = Capability::RollUp;
    publish(fixture, capability, |rig| {
        let mut draft = rig.draft("a", 1)?;
        draft.roll_up = Some(RollUp::Subject);
        Ok(draft)
    })
    .await?;
    let rolling = |stream: StreamSpec| stream.allow_rollup(true);
    apply(fixture, capability, rolling).await
}

/// No message is scheduled, and no stream comes to allow it.
async fn no_scheduler(fixture: &Fixture) -> Outcome {
    let capability = Capability::Scheduler;
    let rig = fixture.rig().await?;
    let request = rig.request("k", rig.draft("a", 1)?, in_millis(0));
    let scheduled = rig.try_schedule(request).await?;
    unsupported(capability, "a schedule", scheduled)?;
    unsupported(capability, "a cancellation", rig.try_cancel("k").await?)?;
    let listed = rig.try_list_schedules("").await?;
    unsupported(capability, "a list of schedules", listed)?;
    if rig.can(Capability::StreamAdmin) {
        apply(fixture, capability, StreamSpec::schedules).await?;
    }
    let mut reader = rig.subscribe(&rig.ephemeral()?).await?;
    reader.expect_nothing_before_fence(&rig, "a").await
}

/// An entry with an expiry is refused and not written, one without is written.
async fn no_expiry(fixture: &Fixture) -> Outcome {
    let capability = Capability::CoordinationExpiry;
    let place = fixture.place().await?;
    let expiry = Some(Duration::from_secs(1));
    let put = place.transport.coordination_put({
        let mut request = PutRequest::new(place.name().to_owned(), "k", "x");
        request.expiry = expiry;
        request
    });
    let put = within(place.patience(), "the answer to a put", put).await?;
    unsupported(capability, "a put that asks for it", put)?;
    place.has_no("k").await?;
    let revision = place.put("k", "x", Revision::Absent).await?;
    place.has("k", b"x", revision).await
}

/// Nothing is stored, and whoever asks for what is stored hears so.
async fn no_store(fixture: &Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    let stored = rig.store(rig.draft("a", 1)?).await?;
    ensure_eq!(
        stored.stream,
        None,
        "the stream of a message that is not stored"
    );
    ensure_eq!(
        stored.sequence,
        None,
        "the sequence of a message that is not stored"
    );
    let capability = Capability::Store;
    let durable = rig.try_subscribe(&rig.durable("d")?, 1).await?;
    unsupported(capability, "a durable", durable)?;
    let acks = rig.try_subscribe(&rig.ephemeral()?, 1).await?;
    unsupported(capability, "a consumer that acknowledges", acks)?;
    let capability = Capability::StreamAdmin;
    let state = rig.try_state().await?;
    unsupported(capability, "the state of a stream", state)?;
    let applied = rig
        .try_apply(&fixture.config('a', |stream| stream.subject(">"))?)
        .await?;
    unsupported(capability, "applying a stream", applied)?;
    unsupported(
        Capability::ConsumerAdmin,
        "deleting a consumer",
        rig.delete_consumer("d").await?,
    )
}

/// What is dropped before a consumer read it is passed over.
async fn no_gaps(fixture: &Fixture) -> Outcome {
    let rig = fixture.rig_with(|stream| stream.max_messages(5)).await?;
    let config = rig.durable("d")?;
    drop(rig.subscribe(&config).await?);
    rig.publish_all("a", 0..20).await?;
    // A report in place of a message fails this.
    rig.subscribe(&config).await?.expect_and_ack(15..20).await
}

/// What ran out of deliveries comes no more.
async fn no_exhausted(fixture: &Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    let mut config = rig.durable("d")?;
    config.max_deliver = NonZeroU32::new(2);
    let mut reader = rig.subscribe(&config).await?;
    rig.publish("a", 1).await?;
    for _ in 0..2 {
        reader.expect(1).await?.nak(Duration::ZERO).await?;
    }
    // A report in place of a message fails this.
    reader.expect_nothing_before_fence(&rig, "a").await
}

/// What ran out of deliveries unheard comes no more; some of it may be reported.
async fn not_all_exhausted(fixture: &Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    let mut reader = two_ran_out(&rig).await?;
    rig.publish("a", FENCE).await?;
    let mut reports = 0;
    let got = loop {
        match reader.incoming().await? {
            Incoming::Notice(notice) if notice.exhausted().is_some() => reports += 1,
            Incoming::Message(received) => break number(&received.body)?,
            other @ Incoming::Notice(_) => {
                return Err(Failure::new(format!("{other:?} came instead of a message")));
            }
        }
    };
    ensure_eq!(got, FENCE, "what came after what ran out");
    ensure!(
        reports < 2,
        "{} is not declared, and all were reported",
        Capability::ReportsExhaustedLater
    );
    Ok(())
}
