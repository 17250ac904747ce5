//! Where an acknowledgement is for everything before it: who receives, and that
//! nothing is settled which nobody has handled.

use std::collections::BTreeSet;
use std::future::IntoFuture;
use std::ops::Range;
use std::time::Duration;

use super::joined;
use crate::stream::Stream;
use crate::testing::conformance::case::cases;
use crate::testing::conformance::failure::{Failure, Outcome, ensure, ensure_eq, within};
use crate::testing::conformance::fixture::Fixture;
use crate::testing::conformance::note::Note;
use crate::testing::conformance::reader::{FENCE, number};
use crate::testing::conformance::rig::{Rig, SHORT};
use crate::transport::{AckPolicy, Body, ConsumerConfig, ErrorKind};
use crate::{Batch, Delivery, EventBus, Subscriber};

cases! { "in order":
    one_receives_at_a_time [Store, AckAll]
        "Where an ack is for everything before it, one subscription of a consumer receives at a time.";
    the_next_begins_with_the_unsettled [Store, AckAll]
        "There, the next subscription begins with what is unsettled.";
    it_begins_in_order [Store, AckAll]
        "There, what is unsettled comes in order of sequence, whenever it was put back.";
    a_batch_is_settled_together [Store, AckAll]
        "A batch that was acknowledged is not delivered again.";
    a_batch_is_confirmed_together [Store, AckAll]
        "A batch whose ack was confirmed is not delivered again.";
    a_batch_that_was_dropped_comes_again [Store, AckAll]
        "A batch that was dropped comes again, though the next one was acknowledged.";
    what_is_put_back_in_between_comes_again [Store, AckAll]
        "A delivery of a batch that was put back comes again, though the others were acknowledged.";
    an_ack_settles_nothing_before_it [Store, AckAll]
        "An ack of one delivery leaves those before it, which come again alone.";
    a_term_settles_nothing_before_it [Store, AckAll]
        "A delivery that is given up leaves those before it.";
    an_early_confirmed_ack_is_refused [Store, AckAll]
        "A confirmed ack is refused while one before it is not settled.";
}

fn config(rig: &Rig) -> Outcome<ConsumerConfig> {
    let mut config = rig.durable("all")?;
    config.ack = AckPolicy::All;
    config.ack_wait = SHORT;
    Ok(config)
}

async fn one_receives_at_a_time(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    let config = config(&rig)?;
    let mut first = rig.subscribe(&config).await?;
    rig.publish_all("a", 0..5).await?;
    first.expect_and_ack(0..5).await?;
    let mut second = rig.subscribe(&config).await?;
    for number in 5..20 {
        let more = second.ready().await;
        ensure!(more.is_none(), "{more:?} came to a second subscription");
        rig.publish("a", number).await?;
    }
    let second = joined(async move { second.expect(20).await });
    first.expect_and_ack(5..20).await?;
    drop(first);
    rig.publish("a", 20).await?;
    second.await?.ack().await
}

async fn the_next_begins_with_the_unsettled(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    let config = config(&rig)?;
    let mut first = rig.subscribe(&config).await?;
    rig.publish_all("a", 0..4).await?;
    let mut held = Vec::new();
    for number in 0..4 {
        held.push(first.expect(number).await?);
    }
    held[1].ack().await?;
    drop(first);
    rig.publish("a", 4).await?;
    let mut second = rig.subscribe(&config).await?;
    for number in 2..4 {
        let got = second.expect(number).await?;
        ensure!(
            got.attempt() > 1,
            "message {number} came for the first time"
        );
        got.ack().await?;
    }
    second.expect(4).await?.ack().await
}

async fn it_begins_in_order(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    let config = config(&rig)?;
    let mut first = rig.subscribe(&config).await?;
    rig.publish_all("a", 0..4).await?;
    let mut held = Vec::new();
    for number in 0..4 {
        held.push(first.expect(number).await?);
    }
    held[2].nak(Duration::ZERO).await?;
    held[0].nak(2 * SHORT).await?;
    drop(first);
    rig.publish("a", 4).await?;
    let mut second = rig.subscribe(&config).await?;
    for number in 0..5 {
        second.expect(number).await?.ack().await?;
    }
    Ok(())
}

/// A subscriber as services have one, and the rig to publish to it.
struct Notes {
    rig: Rig,
    bus: EventBus,
    subscriber: Subscriber<Note>,
}

/// Where the suite's own event is published.
const NOTES: &str = "conformance.note.written";

impl Notes {
    async fn subscribe(fixture: Fixture) -> Outcome<Self> {
        let rig = fixture.rig().await?;
        let bus = EventBus::builder()
            .source("conformance")
            .prefix(rig.prefix().to_owned())
            .stream(Stream::new(rig.stream.clone()).subject("conformance.>"))
            .transport(rig.transport.clone())?;
        let subscriber = Self::open(&bus, &rig).await?;
        Ok(Self {
            rig,
            bus,
            subscriber,
        })
    }

    async fn open(bus: &EventBus, rig: &Rig) -> Outcome<Subscriber<Note>> {
        let config = config(rig)?;
        let subscribe = bus
            .subscribe::<Note>()
            .durable(rig.consumer_name("all"))
            .ack_policy(config.ack)
            .ack_wait(config.ack_wait)
            .prefetch(16);
        let subscribe = subscribe.into_future();
        Ok(within(rig.patience(), "the answer to a subscribe", subscribe).await??)
    }

    async fn publish(&mut self, numbers: Range<u64>) -> Outcome {
        self.rig.publish_all(NOTES, numbers).await.map(drop)
    }

    async fn delivery(&mut self) -> Outcome<Delivery<Note>> {
        let next = self.subscriber.next();
        let next = within(self.rig.patience(), "the next delivery", next).await?;
        Ok(next.ok_or_else(|| Failure::new("the subscriber ended"))??)
    }

    /// The next delivery, which must be this one.
    async fn expect(&mut self, wanted: u64) -> Outcome<Delivery<Note>> {
        let delivery = self.delivery().await?;
        let attempt = delivery.attempt();
        ensure_eq!(
            number_of(&delivery)?,
            wanted,
            "the number of the next delivery (attempt {attempt})"
        );
        Ok(delivery)
    }

    /// The next batch, which must have these.
    async fn batch(&mut self, wanted: Range<u64>) -> Outcome<Batch<Note>> {
        let count = usize::try_from(wanted.end - wanted.start).unwrap_or(usize::MAX);
        let patience = self.rig.patience();
        let batch = self.subscriber.next_batch(count, patience);
        let batch = within(patience, "the next batch", batch).await?;
        let batch = batch.ok_or_else(|| Failure::new("the subscriber ended"))??;
        let numbers: Outcome<Vec<u64>> = batch.iter().map(number_of).collect();
        ensure_eq!(numbers?, wanted.collect::<Vec<_>>(), "a batch");
        Ok(batch)
    }

    /// Nothing comes within an ack wait to another subscriber, which does not know
    /// what this one has settled: what is published now comes twice, and nothing
    /// before that or between.
    async fn expect_nothing_for_an_ack_wait(&mut self) -> Outcome {
        self.subscriber = Self::open(&self.bus, &self.rig).await?;
        self.publish(FENCE..FENCE + 1).await?;
        drop(self.expect(FENCE).await?);
        self.expect(FENCE).await?.ack().await?;
        Ok(())
    }

    /// The next deliveries are these, each once and for another time; they are
    /// acknowledged, and nothing more comes. Redeliveries have no order: a server that
    /// has no request for one puts it behind the others (nats-server, `addToRedeliverQueue`).
    async fn expect_again_and_nothing_else(&mut self, numbers: Range<u64>) -> Outcome {
        let mut missing: BTreeSet<u64> = numbers.collect();
        while !missing.is_empty() {
            let again = self.delivery().await?;
            let number = number_of(&again)?;
            let attempt = again.attempt();
            ensure!(
                missing.remove(&number) && attempt > 1,
                "{number} came (attempt {attempt}) where {missing:?} were to come again"
            );
            again.ack().await?;
        }
        self.expect_nothing_for_an_ack_wait().await
    }
}

fn number_of(delivery: &Delivery<Note>) -> Outcome<u64> {
    let body = delivery
        .body()
        .map_err(|error| Failure::new(format!("a body cannot be read: {error}")))?;
    number(&Body::Encoded(body))
}

async fn a_batch_is_settled_together(fixture: Fixture) -> Outcome {
    let mut notes = Notes::subscribe(fixture).await?;
    notes.publish(0..5).await?;
    notes.batch(0..5).await?.ack().await?;
    notes.expect_nothing_for_an_ack_wait().await
}

async fn a_batch_is_confirmed_together(fixture: Fixture) -> Outcome {
    let mut notes = Notes::subscribe(fixture).await?;
    notes.publish(0..5).await?;
    notes.batch(0..5).await?.ack_confirmed().await?;
    notes.expect_nothing_for_an_ack_wait().await
}

async fn a_batch_that_was_dropped_comes_again(fixture: Fixture) -> Outcome {
    let mut notes = Notes::subscribe(fixture).await?;
    notes.publish(0..6).await?;
    drop(notes.batch(0..3).await?);
    notes.batch(3..6).await?.ack().await?;
    notes.expect_again_and_nothing_else(0..3).await
}

async fn what_is_put_back_in_between_comes_again(fixture: Fixture) -> Outcome {
    let mut notes = Notes::subscribe(fixture).await?;
    notes.publish(0..5).await?;
    let mut batch = notes.batch(0..5).await?;
    let mut rest = batch.split_off(2);
    let last = rest.split_off(1);
    batch.ack().await?;
    rest.nak(Duration::ZERO).await?;
    last.ack().await?;
    notes.expect_again_and_nothing_else(2..3).await
}

async fn an_ack_settles_nothing_before_it(fixture: Fixture) -> Outcome {
    let mut notes = Notes::subscribe(fixture).await?;
    notes.publish(0..3).await?;
    let first = notes.expect(0).await?;
    notes.expect(1).await?.ack().await?;
    notes.expect(2).await?.ack().await?;
    drop(first);
    notes.expect_again_and_nothing_else(0..1).await
}

async fn a_term_settles_nothing_before_it(fixture: Fixture) -> Outcome {
    let mut notes = Notes::subscribe(fixture).await?;
    notes.publish(0..2).await?;
    let first = notes.expect(0).await?;
    let second = notes.expect(1).await?;
    second
        .term("the conformance suite cannot handle it")
        .await?;
    drop(first);
    notes.expect_again_and_nothing_else(0..1).await
}

async fn an_early_confirmed_ack_is_refused(fixture: Fixture) -> Outcome {
    let mut notes = Notes::subscribe(fixture).await?;
    notes.publish(0..2).await?;
    let first = notes.expect(0).await?;
    let second = notes.expect(1).await?;
    let Err(error) = second.ack_confirmed().await else {
        return Err(Failure::new("an ack was confirmed before one before it"));
    };
    let sequence = first.sequence().unwrap_or_default();
    ensure_eq!(
        *error.kind(),
        ErrorKind::EarlierUnsettled { sequence },
        "the kind of the error"
    );
    first.ack().await?;
    second.ack_confirmed().await?;
    notes.expect_nothing_for_an_ack_wait().await
}
