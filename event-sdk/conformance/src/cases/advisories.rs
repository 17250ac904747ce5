//! Cases for advisories: what is heard of consumers, and what a stream stores of it.

use std::num::NonZeroU32;
use std::pin::pin;
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::future::{Either, select};

use super::Failure;
use crate::case::cases;
use crate::failure::{Outcome, ensure, ensure_eq, within};
use crate::fixture::Fixture;
use crate::reader::Reader;
use crate::rig::Rig;
use event_sdk_core::stream::StreamConfig;
use event_sdk_core::subject::{Pattern, Subject};
use event_sdk_core::transport::{
    Advisory, AdvisoryItem, AdvisoryKind, AdvisoryRequest, AdvisoryStream, Body, Error, ErrorKind,
    NoticeKind, PublishRequest, Settlement, StoredAdvisories, StoredAdvisory, SubscribeRequest,
    TransportExt as _,
};

cases! { "advisories":
    a_termination_is_heard [Store, Advisories]
        "An advisory says which message a client terminated, where, and why.";
    a_message_without_deliveries_left_is_heard [Store, Advisories]
        "An advisory says which message was delivered as often as it may be, and how often.";
    what_others_do_is_heard [Store, Advisories]
        "An advisory tells what any client does, also through another transport.";
    advisories_are_chosen [Store, Advisories]
        "A listener hears the kind, the stream and the consumer that it asked for, and no other.";
    a_stream_stores_advisories [Store, StreamAdmin, Advisories]
        "A stream for the subjects of advisories stores them; a durable that reads it keeps its place.";
    what_is_no_advisory_is_passed_over [Store, StreamAdmin, Advisories]
        "A message in a stream of advisories that is none is reported once, and those behind it come.";
    listening_ends_with_the_transport [Store, Advisories]
        "Listening ends without an error when the transport is closed, and cannot begin after that.";
}

const REASON: &str = "it is no order";

impl Rig {
    pub(crate) async fn try_listen(
        &self,
        request: AdvisoryRequest,
    ) -> Outcome<Result<AdvisoryStream, Error>> {
        let answer = self.transport.listen_to_advisories(request);
        within(self.patience(), "listening to advisories", answer).await
    }

    /// Listens to what is said of this case's stream.
    async fn listen(&self, say: impl FnOnce(&mut AdvisoryRequest)) -> Outcome<Listener> {
        let mut request = AdvisoryRequest::default();
        request.stream = Some(self.stream.clone());
        say(&mut request);
        let advisories = self.try_listen(request).await??;
        Ok(Listener {
            advisories,
            patience: self.patience(),
        })
    }
}

struct Listener {
    advisories: AdvisoryStream,
    patience: Duration,
}

impl Listener {
    async fn next(&mut self) -> Outcome<Advisory> {
        let next = within(self.patience, "an advisory", self.advisories.next()).await?;
        match next {
            Some(Ok(AdvisoryItem::Advisory(advisory))) => Ok(advisory),
            other => Err(Failure::new(format!("{other:?} came and no advisory"))),
        }
    }
}

/// Terminates messages of a consumer.
struct Terminator {
    rig: Rig,
    reader: Reader,
    number: u64,
}

impl Terminator {
    async fn of(rig: &Rig, consumer: &str) -> Outcome<Self> {
        Ok(Self {
            rig: rig.clone(),
            reader: rig.subscribe(&rig.durable(consumer)?).await?,
            number: 0,
        })
    }

    /// Publishes a message and terminates it; its sequence.
    async fn terminate(&mut self) -> Outcome<u64> {
        self.number += 1;
        let sequence = self.rig.publish("a", self.number).await?;
        loop {
            let got = self.reader.message().await?;
            if got.sequence()? == sequence {
                got.settle(Settlement::Term(REASON.to_owned())).await?;
                return Ok(sequence);
            }
            got.ack().await?;
        }
    }

    /// Terminates messages until it is heard of one; that one's sequence and what was heard.
    /// Between the servers of a cluster it takes a while until one knows who listens at another.
    async fn until_heard(&mut self, listener: &mut Listener) -> Outcome<(u64, Advisory)> {
        let patience = listener.patience;
        if self.rig.copies() == 1 {
            let sequence = self.terminate().await?;
            return Ok((sequence, listener.next().await?));
        }
        listener.patience = Duration::from_secs(2);
        let mut sequences = Vec::new();
        for _ in 0..20 {
            let last = self.terminate().await?;
            sequences.push(last);
            if let Ok(advisory) = listener.next().await {
                listener.patience = patience;
                // It may be about an earlier one, and late.
                let heard = |sequence: &u64| *sequence == advisory.stream_sequence;
                let sequence = sequences.into_iter().find(heard).unwrap_or(last);
                return Ok((sequence, advisory));
            }
        }
        Err(Failure::new("none of 20 terminations was heard"))
    }
}

async fn a_termination_is_heard(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    let mut listener = rig.listen(|_| {}).await?;
    let mut terminator = Terminator::of(&rig, "d").await?;
    let (sequence, advisory) = terminator.until_heard(&mut listener).await?;
    ensure_eq!(advisory.kind, AdvisoryKind::Terminated, "the kind");
    ensure_eq!(advisory.stream, rig.stream, "the stream");
    ensure_eq!(advisory.consumer, rig.consumer_name("d"), "the consumer");
    ensure_eq!(advisory.stream_sequence, sequence, "the sequence");
    ensure_eq!(advisory.deliveries, 1, "the deliveries");
    ensure_eq!(advisory.reason.as_deref(), Some(REASON), "the reason");
    Ok(())
}

async fn a_message_without_deliveries_left_is_heard(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    let mut listener = rig.listen(|_| {}).await?;
    let mut terminator = Terminator::of(&rig, "d").await?;
    terminator.until_heard(&mut listener).await?;
    drop(terminator);
    let mut config = rig.durable("e")?;
    config.max_deliver = NonZeroU32::new(2);
    // Behind the messages of the other consumer.
    config.filters = vec![rig.pattern("b")?];
    let mut reader = rig.subscribe(&config).await?;
    let sequence = rig.publish("b", 9).await?;
    for _ in 0..2 {
        reader.expect(9).await?.nak(Duration::ZERO).await?;
    }
    // A server finds out when it is asked for messages.
    let asking = async {
        while reader.deliveries.next().await.is_some() {}
        std::future::pending::<Outcome<Advisory>>().await
    };
    let hearing = async {
        loop {
            let advisory = listener.next().await?;
            if advisory.consumer == rig.consumer_name("e") {
                break Ok(advisory);
            }
        }
    };
    let (Either::Left((advisory, _)) | Either::Right((advisory, _))) =
        select(pin!(hearing), pin!(asking)).await;
    let advisory = advisory?;
    ensure_eq!(advisory.kind, AdvisoryKind::MaxDeliveries, "the kind");
    ensure_eq!(advisory.stream, rig.stream, "the stream");
    ensure_eq!(advisory.stream_sequence, sequence, "the sequence");
    ensure_eq!(advisory.deliveries, 2, "the deliveries");
    ensure_eq!(advisory.reason, None, "the reason");
    Ok(())
}

async fn what_others_do_is_heard(fixture: Fixture) -> Outcome {
    let (one, other) = fixture.both_sides().await?;
    let mut listener = one.listen(|_| {}).await?;
    let mut terminator = Terminator::of(&other, "d").await?;
    let (sequence, advisory) = terminator.until_heard(&mut listener).await?;
    ensure_eq!(advisory.stream_sequence, sequence, "the sequence");
    Ok(())
}

async fn advisories_are_chosen(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    let mut own = rig
        .listen(|request| {
            request.kind = Some(AdvisoryKind::Terminated);
            request.consumer = Some(rig.consumer_name("d"));
        })
        .await?;
    let mut exhausted = rig
        .listen(|request| request.kind = Some(AdvisoryKind::MaxDeliveries))
        .await?;
    let mut elsewhere = rig
        .listen(|request| request.stream = Some(format!("{}X", rig.stream).into()))
        .await?;
    let mut all = rig.listen(|_| {}).await?;
    let mut other = Terminator::of(&rig, "e").await?;
    let (_, advisory) = other.until_heard(&mut all).await?;
    ensure_eq!(advisory.consumer, rig.consumer_name("e"), "the consumer");
    let mut terminator = Terminator::of(&rig, "d").await?;
    let (sequence, advisory) = terminator.until_heard(&mut own).await?;
    ensure_eq!(advisory.consumer, rig.consumer_name("d"), "the consumer");
    ensure_eq!(advisory.stream_sequence, sequence, "the sequence");
    for (what, listener) in [
        ("messages without deliveries", &mut exhausted),
        ("another stream", &mut elsewhere),
    ] {
        let next = futures_util::future::poll_immediate(listener.advisories.next()).await;
        ensure!(next.is_none(), "{next:?} came to who listens to {what}");
    }
    Ok(())
}

/// A stream of the terminations in this case's stream.
async fn storing(fixture: &Fixture, rig: &Rig) -> Outcome<StreamConfig> {
    let mut config = fixture.config('b', |stream| stream.subject("unused"))?;
    let subjects = AdvisoryKind::Terminated.subjects();
    let own = format!("{}.{}.*", subjects.trim_end_matches(".>"), rig.stream);
    config.subjects = vec![Pattern::parse(own)?];
    fixture.will_apply(&config);
    rig.apply(&config).await?;
    Ok(config)
}

async fn reading(rig: &Rig, config: &StreamConfig) -> Outcome<StoredAdvisories> {
    let mut durable = rig.durable("reader")?;
    durable.filters.clone_from(&config.subjects);
    let request = SubscribeRequest::new(config.name.clone(), durable);
    let answer = rig.transport.subscribe_advisories(request);
    Ok(within(rig.patience(), "subscribing to advisories", answer).await??)
}

async fn next(rig: &Rig, advisories: &mut StoredAdvisories) -> Outcome<StoredAdvisory> {
    let next = within(rig.patience(), "a stored advisory", advisories.next()).await?;
    Ok(next.ok_or_else(|| Failure::new("the advisories ended"))??)
}

/// The next advisory, which is of this message; it is acknowledged.
async fn expect(rig: &Rig, advisories: &mut StoredAdvisories, sequence: u64) -> Outcome {
    let StoredAdvisory::Advisory(advisory, received) = next(rig, advisories).await? else {
        return Err(Failure::new("a notice came instead of an advisory"));
    };
    ensure_eq!(advisory.stream_sequence, sequence, "the sequence");
    ensure_eq!(advisory.stream, rig.stream, "the stream");
    ensure_eq!(advisory.reason.as_deref(), Some(REASON), "the reason");
    let Some(settler) = received.settler else {
        return Err(Failure::new("a stored advisory cannot be acknowledged"));
    };
    let acked = settler.settle(Settlement::AckConfirmed);
    within(rig.patience(), "an acknowledgement", acked).await??;
    Ok(())
}

async fn a_stream_stores_advisories(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    let config = storing(&fixture, &rig).await?;
    let mut terminator = Terminator::of(&rig, "d").await?;
    let first = terminator.terminate().await?;
    let second = terminator.terminate().await?;
    let mut advisories = reading(&rig, &config).await?;
    expect(&rig, &mut advisories, first).await?;
    drop(advisories);
    let third = terminator.terminate().await?;
    let mut advisories = reading(&rig, &config).await?;
    expect(&rig, &mut advisories, second).await?;
    expect(&rig, &mut advisories, third).await
}

async fn what_is_no_advisory_is_passed_over(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    let config = storing(&fixture, &rig).await?;
    let pattern = config.subjects.first().map_or("", Pattern::as_str);
    let subject = Subject::parse(pattern.replace('*', "d"))?;
    let body = Body::Encoded(Bytes::from_static(b"no advisory"));
    let publish = rig.transport.publish(PublishRequest::new(&subject, body));
    let stored = within(rig.patience(), "a publish", publish).await??;
    within(rig.patience(), "its confirmation", stored).await??;
    let mut terminator = Terminator::of(&rig, "d").await?;
    let sequence = terminator.terminate().await?;
    let mut advisories = reading(&rig, &config).await?;
    let StoredAdvisory::Notice(notice) = next(&rig, &mut advisories).await? else {
        return Err(Failure::new("what is no advisory was read as one"));
    };
    let NoticeKind::Unreadable { sequence: at, .. } = notice.kind() else {
        return Err(Failure::new(format!("{notice:?} came")));
    };
    ensure_eq!(*at, Some(1), "the sequence of what is no advisory");
    expect(&rig, &mut advisories, sequence).await?;
    drop(advisories);
    let sequence = terminator.terminate().await?;
    let mut advisories = reading(&rig, &config).await?;
    expect(&rig, &mut advisories, sequence).await
}

async fn listening_ends_with_the_transport(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    let mut listener = rig.listen(|_| {}).await?;
    let waiting = super::joined(async move {
        let patience = listener.patience;
        let end = within(patience, "the end", listener.advisories.next()).await?;
        ensure!(end.is_none(), "{end:?} came at the end");
        Ok(())
    });
    rig.close().await??;
    waiting.await?;
    let Err(error) = rig.try_listen(AdvisoryRequest::default()).await? else {
        return Err(Failure::new("listening began after closing"));
    };
    ensure_eq!(*error.kind(), ErrorKind::Closed, "the kind of {error}");
    Ok(())
}
