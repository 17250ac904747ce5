//! Cases for closing: operations end with `Closed`, and none hangs.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::future::{join_all, try_join_all};

use super::{Failure, joined};
use crate::case::cases;
use crate::failure::{Outcome, ensure, ensure_eq, within};
use crate::fixture::Fixture;
use crate::rig::Rig;
use event_sdk_core::transport::{
    AckPolicy, Capability, Deletion, DeliverPolicy, Error, ErrorKind, HistoryRequest, LinkState,
    PurgeRequest, Settlement, TransportExt as _, WhichMessage,
};

cases! { "closing":
    after_closing_nothing_is_published []
        "After closing, publishing answers that the transport was closed.";
    after_closing_nobody_subscribes []
        "After closing, subscribing answers that the transport was closed.";
    after_closing_nothing_is_read [Store]
        "After closing, asking for states, streams and history answers that the transport was closed.";
    after_closing_nothing_is_managed [Store]
        "After closing, deleting a consumer and applying a stream answer that the transport was closed.";
    after_closing_nothing_is_settled [Store]
        "After closing, settling a delivery answers that the transport was closed.";
    closing_ends_the_subscriptions []
        "Closing ends the subscriptions, also one that waits, without an error.";
    closing_twice_harms_nobody []
        "A transport may be closed twice, and by many at the same time.";
    the_state_of_the_connection_is_told []
        "A transport says that it is connected while it works, and that it is closed after its end.";
    closing_while_publishing []
        "A publish that is overtaken by closing is answered: it is stored or the transport was closed.";
    closing_while_subscribing []
        "A subscribe that is overtaken by closing is answered, and its subscription ends.";
}

pub(super) fn is_closed(error: &Error) -> Outcome {
    ensure_eq!(*error.kind(), ErrorKind::Closed, "the kind of {error}");
    Ok(())
}

/// What was asked for has to be refused because the transport was closed.
pub(super) fn refused<T>(what: &str, answer: Result<T, Error>) -> Outcome {
    match answer {
        Ok(_) => Err(Failure::new(format!("{what} was accepted after the end"))),
        Err(error) => is_closed(&error),
    }
}

async fn after_closing_nothing_is_published(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    rig.store(rig.draft("a", 0)?).await?;
    rig.close().await??;
    for number in 1..4 {
        refused("a publish", rig.attempt(rig.draft("a", number)?).await?)?;
    }
    Ok(())
}

async fn after_closing_nobody_subscribes(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    let mut config = rig.ephemeral()?;
    config.ack = AckPolicy::None;
    config.deliver = DeliverPolicy::New;
    rig.close().await??;
    refused("a subscribe", rig.try_subscribe(&config, 1).await?)
}

async fn after_closing_nothing_is_read(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    rig.close().await??;
    let (patience, transport) = (rig.patience(), &rig.transport);
    let pattern = rig.pattern(">")?;
    if rig.can(Capability::StreamAdmin) {
        let state = within(patience, "a state", transport.stream_state(&rig.stream)).await?;
        refused("asking for a state", state)?;
        let streams = within(patience, "streams", transport.streams_for(&pattern)).await?;
        refused("asking for streams", streams)?;
    }
    if rig.can(Capability::History) {
        let answer = transport.read_history(HistoryRequest::new(rig.stream.clone(), vec![pattern]));
        refused(
            "asking for history",
            within(patience, "history", answer).await?,
        )?;
    }
    Ok(())
}

async fn after_closing_nothing_is_managed(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    let _reader = rig.subscribe(&rig.durable("d")?).await?;
    rig.close().await??;
    if rig.can(Capability::ConsumerAdmin) {
        refused("deleting a consumer", rig.delete_consumer("d").await?)?;
    }
    if rig.can(Capability::MessageAdmin) {
        let which = WhichMessage::Sequence(1);
        refused("getting a message", rig.try_get(which).await?)?;
        let deleted = rig.try_delete(1, Deletion::Remove).await?;
        refused("deleting a message", deleted)?;
        let all = PurgeRequest::all(rig.stream.clone());
        refused("a purge", rig.try_purge(all).await?)?;
    }
    if rig.can(Capability::StreamAdmin) {
        let config = fixture.config('a', |stream| stream.subject(">"))?;
        refused("applying a stream", rig.try_apply(&config).await?)?;
    }
    Ok(())
}

async fn after_closing_nothing_is_settled(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    let mut reader = rig.subscribe(&rig.durable("d")?).await?;
    rig.publish_all("a", 0..6).await?;
    let settlements = [
        Settlement::Ack,
        Settlement::AckConfirmed,
        Settlement::Nak(Duration::ZERO),
        Settlement::Term("closed".to_owned()),
        Settlement::TermConfirmed("closed".to_owned()),
        Settlement::InProgress,
    ];
    let mut held = Vec::new();
    for number in 0..6 {
        held.push(reader.expect(number).await?);
    }
    rig.close().await??;
    for (got, settlement) in held.iter().zip(settlements) {
        let what = format!("{settlement:?}");
        refused(&what, got.try_settle(settlement).await?)?;
    }
    Ok(())
}

async fn closing_ends_the_subscriptions(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    let mut config = rig.ephemeral()?;
    config.ack = AckPolicy::None;
    config.deliver = DeliverPolicy::New;
    let mut waiting = rig.subscribe(&config).await?;
    let mut unread = rig.subscribe(&config).await?;
    rig.store(rig.draft("a", 0)?).await?;
    waiting.expect(0).await?;
    ensure!(
        waiting.ready().await.is_none(),
        "a second message came of one"
    );
    let waiting = joined(async move { waiting.end().await });
    rig.close().await??;
    waiting.await?;
    unread.end().await
}

/// Closes it as many times at once.
async fn close_at_once(rig: &Rig, times: usize) -> Outcome {
    let closing = (0..times).map(|_| {
        let rig = rig.clone();
        joined(async move { rig.close().await })
    });
    for closed in try_join_all(closing).await? {
        if let Err(error) = closed {
            is_closed(&error)?;
        }
    }
    Ok(())
}

async fn closing_twice_harms_nobody(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    close_at_once(&rig, 8).await?;
    close_at_once(&rig, 1).await?;
    refused("a publish", rig.attempt(rig.draft("a", 0)?).await?)
}

async fn the_state_of_the_connection_is_told(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    rig.store(rig.draft("a", 0)?).await?;
    let state = || rig.transport.connection_status().state;
    ensure_eq!(state(), LinkState::Connected, "the state while it works");
    rig.close().await??;
    // The client may report its end a moment later.
    let ended = async {
        while state() != LinkState::Closed {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    within(rig.patience(), "the state `Closed`", ended).await
}

async fn closing_while_publishing(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    let mut config = rig.ephemeral()?;
    config.ack = AckPolicy::None;
    config.deliver = DeliverPolicy::New;
    let mut reader = rig.subscribe(&config).await?;
    let closed = Arc::new(AtomicBool::new(false));
    let publishers: Vec<_> = (0..4)
        .map(|publisher| {
            let (rig, closed) = (rig.clone(), Arc::clone(&closed));
            joined(async move {
                let subject = format!("publisher.{publisher}");
                for number in 0.. {
                    let late = closed.load(Ordering::SeqCst);
                    match rig.attempt(rig.draft(&subject, number)?).await? {
                        Ok(_) if late => break,
                        Ok(_) => tokio::task::yield_now().await,
                        Err(error) => return is_closed(&error),
                    }
                }
                Err(Failure::new("a publish was accepted after closing"))
            })
        })
        .collect();
    // Until they are in the middle of it.
    for _ in 0..20 {
        reader.message().await?;
    }
    rig.close().await??;
    closed.store(true, Ordering::SeqCst);
    try_join_all(publishers).await?;
    reader.end().await
}

async fn closing_while_subscribing(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    let mut config = rig.ephemeral()?;
    config.ack = AckPolicy::None;
    config.deliver = DeliverPolicy::New;
    let subscribing: Vec<_> = (0..8)
        .map(|_| {
            let (rig, config) = (rig.clone(), config.clone());
            joined(async move {
                match rig.try_subscribe(&config, 1).await? {
                    Ok(mut reader) => reader.end().await,
                    Err(error) => is_closed(&error),
                }
            })
        })
        .collect();
    tokio::task::yield_now().await;
    rig.close().await??;
    for ended in join_all(subscribing).await {
        ended?;
    }
    Ok(())
}
