//! `Rig`: the inbox of a case, with a bus on memory, events to handle and consumers to handle them.

use std::sync::Arc;
use std::time::{Duration, Instant};

use event_sdk::consumer::{Consumer, ConsumerReport, OwnerEpoch, ProbeInterval, Retry};
use event_sdk::dead_letters::{
    Audit, DeadLetter, DeadLetterClass, DeadLetterStream, DeadLetters, GivenUp, MemoryDeadLetters,
    Origin,
};
use event_sdk::stream::StreamSpec;
use event_sdk::transport::{DeliverPolicy, TransportExt as _};
use event_sdk::{EventBus, Prepared};
use event_sdk_store::inbox::InboxSource;
use jiff::Timestamp;
use uuid::Uuid;

use super::effect::{EffectDue, SuiteEffect};
use super::harness::TestedInbox;
use crate::failure::{Failure, Outcome};

/// The consumer of all cases.
pub(crate) const CONSUMER: &str = "suite";
/// The stream of its events.
pub(crate) const STREAM: &str = "EVENTS";

pub(crate) struct Rig {
    pub(crate) tested: Arc<dyn TestedInbox>,
    pub(crate) bus: EventBus,
    /// The letters of consumers that keep none in the database.
    pub(crate) letters: MemoryDeadLetters,
    place: DeadLetterStream,
    patience: Duration,
}

/// After all records of a case.
pub(crate) fn later() -> Timestamp {
    Timestamp::now() + jiff::SignedDuration::from_hours(24)
}

/// Before all records of a case.
pub(crate) fn earlier() -> Timestamp {
    Timestamp::now() - jiff::SignedDuration::from_hours(24)
}

/// A letter of an event that was never published.
pub(crate) fn letter(sequence: u64) -> DeadLetter {
    let failed = Timestamp::from_microsecond(1_900_000_000_123_456).unwrap_or_default();
    let origin = Origin::new(STREAM, sequence, "events.suite.effect.due.k", "events");
    let class = DeadLetterClass::RetryExhausted;
    let mut letter = DeadLetter::new(CONSUMER, origin, class, failed, "{}".into());
    letter.event_id = Some(Uuid::from_u128(u128::from(sequence)));
    letter.errors = vec!["the suite gives it up".to_owned()];
    letter
}

impl Rig {
    pub(crate) fn new(tested: Box<dyn TestedInbox>, patience: Duration) -> Outcome<Self> {
        let place = DeadLetterStream::new("DLQ");
        let bus = EventBus::builder()
            .stream(StreamSpec::new(STREAM).subject(">"))
            .stream(place.spec())
            .stream(place.retry_spec())
            .memory()?;
        Ok(Self {
            tested: tested.into(),
            bus,
            letters: MemoryDeadLetters::new(),
            place,
            patience,
        })
    }

    /// Publishes effects of one key.
    pub(crate) async fn publish(&self, names: &[&str]) -> Outcome {
        for name in names {
            self.publish_for("k", name).await?;
        }
        Ok(())
    }

    pub(crate) async fn publish_for(&self, key: &str, name: &str) -> Outcome {
        let due = due(key, name);
        let published = self.bus.publisher().publish(due).await;
        published.map_err(unexpected)?;
        Ok(())
    }

    /// Publishes an event so that it is stored twice, under two sequences.
    pub(crate) async fn publish_twice(&self, name: &str) -> Outcome {
        let publisher = self.bus.publisher();
        let event: Prepared<EffectDue> = publisher.prepare(due("k", name));
        publisher.publish(&event).await.map_err(unexpected)?;
        let again = event.message_id(format!("{name} again"));
        publisher.publish(again).await.map_err(unexpected)?;
        Ok(())
    }

    /// A letter of the published event with this sequence.
    pub(crate) async fn letter_of(&self, sequence: u64) -> Outcome<DeadLetter> {
        let mut history = self.bus.history::<EffectDue>().await?;
        while let Some(event) = history.next().await {
            let event = event?;
            if event.sequence() == sequence {
                let mut letter = letter(sequence);
                let subject = event.subject().as_str().to_owned();
                letter.origin = Origin::new(STREAM, sequence, subject, self.bus.prefix());
                let head = event.head().map_err(unexpected)?;
                letter.event_id = Some(head.event_id);
                letter.event_type = Some(head.event_type.clone());
                letter.headers = event.headers().clone();
                letter.body = event.body().map_err(unexpected)?;
                return Ok(letter);
            }
        }
        Err(Failure::new(format!(
            "no event has the sequence {sequence}"
        )))
    }

    pub(crate) async fn give_up(&self, letter: &DeadLetter) -> Outcome<GivenUp> {
        Ok(self.tested.inbox().give_up(letter, None).await?)
    }

    /// Gives an event up in an ownership of this epoch.
    pub(crate) async fn give_up_as(
        &self,
        letter: &DeadLetter,
        partition: u32,
        epoch: u64,
    ) -> Result<GivenUp, event_sdk::transport::Error> {
        let owner = Some(OwnerEpoch::new(partition, epoch));
        self.tested.inbox().give_up(letter, owner).await
    }

    /// Sends the event of a letter to its consumer again.
    pub(crate) async fn redrive(&self, letter: &DeadLetter) -> Outcome {
        let audit = Audit::by("the suite");
        let sent = self
            .bus
            .redrive_letter(&self.place, 1, letter, None, &audit);
        sent.await?;
        Ok(())
    }

    /// A consumer with quick retries, whose letters are in memory.
    pub(crate) fn consumer(&self) -> Consumer<EffectDue> {
        let letters = DeadLetters::memory(&self.letters);
        self.bus
            .consumer(CONSUMER)
            .retry(Retry::steps([Duration::from_millis(5)]).max_attempts(3))
            .probe_interval(ProbeInterval::every(Duration::from_millis(10)))
            .dead_letters(letters.retried_through(self.place.clone()))
    }

    /// Handles each event in a transaction of its own, until nothing is left.
    pub(crate) async fn handle(&self, effect: &SuiteEffect) -> Outcome<ConsumerReport> {
        let consumer = self.tested.handle(self.consumer(), effect.clone());
        self.run(consumer).await
    }

    /// The same, with a consumer that begins at the first event if it is new.
    pub(crate) async fn handle_from_the_start(
        &self,
        effect: &SuiteEffect,
    ) -> Outcome<ConsumerReport> {
        let consumer = self.consumer().deliver(DeliverPolicy::All);
        self.run(self.tested.handle(consumer, effect.clone())).await
    }

    /// Deletes the durable of the consumer: its position is lost.
    pub(crate) async fn lose_position(&self) -> Outcome {
        let transport = self.bus.transport();
        transport.delete_consumer(STREAM, CONSUMER).await?;
        Ok(())
    }

    /// Handles the events in batches, until nothing is left.
    pub(crate) async fn handle_batches(
        &self,
        consumer: Consumer<EffectDue>,
        effect: &SuiteEffect,
    ) -> Outcome<ConsumerReport> {
        let (consumer, within) = (consumer.prefetch(64), Duration::from_millis(20));
        let tested = &self.tested;
        let consumer = tested.handle_batches(consumer, 64, within, effect.clone());
        self.run(consumer).await
    }

    /// Runs a consumer until nothing is left for it.
    pub(crate) async fn run(&self, consumer: Consumer<EffectDue>) -> Outcome<ConsumerReport> {
        let mut ended = Ok(());
        let report = consumer
            .run_until(async { ended = self.until("the end", || self.is_settled()).await })
            .await?;
        ended?;
        Ok(report)
    }

    async fn is_settled(&self) -> Outcome<bool> {
        for stream in [STREAM, self.place.retry_name()] {
            match self.bus.transport().consumer_info(stream, CONSUMER).await {
                Ok(info) if info.pending == 0 && info.ack_pending == 0 => {}
                // Without retries, it has none of the retry stream.
                Err(_) if stream != STREAM => {}
                _ => return Ok(false),
            }
        }
        Ok(true)
    }

    /// The records of the events of the stream.
    pub(crate) async fn source(&self) -> Outcome<InboxSource> {
        let sources = self.tested.store().sources().await?;
        let source = sources.into_iter().find(|it| &*it.consumer == CONSUMER);
        source.ok_or_else(|| Failure::new("the consumer has no source"))
    }

    /// Deletes records that were written before a time, as a cleaner does that finds everything up to
    /// a sequence acknowledged. Returns their number.
    pub(crate) async fn clean(
        &self,
        acknowledged: u64,
        before: Timestamp,
        limit: u32,
    ) -> Outcome<u64> {
        let (store, source) = (self.tested.store(), self.source().await?);
        let floor = store.raise_floor(source.clone(), acknowledged, before);
        let source = InboxSource::new(source.consumer, source.stream, floor.await?);
        Ok(store.clean(source, before, limit).await?)
    }

    /// The names that effects have written, sorted.
    pub(crate) async fn effects(&self) -> Outcome<Vec<String>> {
        let mut effects = self.tested.effects().await?;
        effects.sort();
        Ok(effects)
    }

    /// How many events are done, and how many dead.
    pub(crate) async fn status(&self) -> Outcome<(u64, u64)> {
        let store = self.tested.store();
        let status = store.inbox_status(CONSUMER.into()).await?;
        Ok((status.done, status.dead))
    }

    /// Polls a condition until it holds.
    pub(crate) async fn until<F>(&self, what: &str, holds: impl Fn() -> F) -> Outcome
    where
        F: Future<Output = Outcome<bool>>,
    {
        let deadline = Instant::now() + self.patience;
        while !holds().await? {
            if Instant::now() > deadline {
                let patience = self.patience;
                return Err(Failure::new(format!(
                    "{what} did not come within {patience:?}"
                )));
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        Ok(())
    }
}

#[track_caller]
fn unexpected(why: impl std::fmt::Display) -> Failure {
    Failure::new(format!("unexpected error: {why}"))
}

fn due(key: &str, name: &str) -> EffectDue {
    EffectDue {
        key: key.to_owned(),
        name: name.to_owned(),
    }
}
