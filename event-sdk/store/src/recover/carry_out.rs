//! `Recover::carry_out`: repairs the divergences of a plan, in an order that lets a new plan find
//! what an interrupted repair has left.

use std::collections::{BTreeMap, BTreeSet};

use event_sdk::text::Text;
use event_sdk::transport::TransportExt as _;
use event_sdk::{Pattern, StoredEvent, Untyped};

use super::Recover;
use super::divergence::{Divergence, Durable};
use super::error::RecoverError;
use super::plan::{RecoverPlan, RecoverReport};
use super::repair::Repair;
use super::reset;
use super::store::{AdoptedMessage, RecordPlace, RecoverableOutbox, RowAt};
use crate::inbox::InboxSource;
use crate::outbox::OutboxMessage;

/// Rows that are changed in one transaction.
const BATCH: usize = 500;

impl Recover {
    /// Repairs the divergences of the plan.
    ///
    /// `carry_out` first compares again. It repairs a divergence only if the plan has it and the
    /// new comparison finds it too. It skips divergences that were repaired in the meantime, and
    /// those that are not in the plan. So the same plan may be carried out several times.
    /// Afterwards start the relays, which publish the rows that this call has made ready, and
    /// [plan](Self::plan) again.
    ///
    /// Not cancel-safe, but it can be resumed: if the future is dropped or the process ends, make a
    /// new plan and carry it out. Each step is one transaction of a database or one change of a
    /// consumer.
    ///
    /// # Errors
    ///
    /// [`RecoverError::RelaysRunning`] and [`RecoverError::ConsumerRunning`] before anything is
    /// changed; the errors of [`plan`](Self::plan); [`RecoverError::Bus`] with
    /// [`PermissionDenied`](event_sdk::ErrorKind::PermissionDenied) if the user may not change
    /// consumers.
    pub async fn carry_out(&self, plan: &RecoverPlan) -> Result<RecoverReport, RecoverError> {
        let mut now = self.plan().await?;
        now.retain(|divergence| plan.has(divergence));
        let mut report = RecoverReport::default();
        let (by_hand, now): (Vec<_>, Vec<_>) = (now.divergences.into_iter())
            .partition(|divergence| matches!(divergence.repair(), Repair::ByHand(_)));
        report.by_hand = by_hand;
        let resets = resets(&now);
        self.check_stopped(&now, &resets).await?;
        for divergence in &now {
            if let Divergence::ResetUnfinished(it) = divergence {
                reset::finish(&self.bus, &it.stream, &it.consumer).await?;
                let finished = (it.stream.clone(), it.consumer.clone());
                report.resets_finished.push(finished);
            }
        }
        for ((stream, name), (durable, to)) in resets {
            reset::reset(&self.bus, &stream, durable, to).await?;
            report.consumers_reset.push((stream, name, to));
        }
        for divergence in &now {
            self.repair(divergence, &mut report).await?;
        }
        Ok(report)
    }

    /// Checks that neither relays nor the consumers that are reset are running.
    async fn check_stopped(
        &self,
        divergences: &[Divergence],
        resets: &Resets<'_>,
    ) -> Result<(), RecoverError> {
        if let Some(outbox) = &self.outbox {
            let relays = outbox.relays().await;
            let relays = relays.map_err(RecoverError::store(outbox.name()))?;
            if relays > 0 && !divergences.is_empty() {
                return Err(RecoverError::RelaysRunning { relays });
            }
        }
        for (stream, name) in resets.keys() {
            let info = self.bus.transport().consumer_info(stream, name).await?;
            if info.waiting.is_some_and(|waiting| waiting > 0) {
                return Err(RecoverError::ConsumerRunning {
                    stream: stream.clone(),
                    consumer: name.clone(),
                });
            }
        }
        Ok(())
    }

    async fn repair(
        &self,
        divergence: &Divergence,
        report: &mut RecoverReport,
    ) -> Result<(), RecoverError> {
        match divergence {
            Divergence::FloorBeyondStream(it) => {
                let stream = Some(it.stream.clone());
                let source = InboxSource::new(it.consumer.clone(), stream, it.lower_to);
                for inbox in self
                    .inboxes
                    .iter()
                    .filter(|inbox| inbox.name() == &*it.inbox)
                {
                    let lowered = inbox.lower_floor(source.clone()).await;
                    let lowered = lowered.map_err(RecoverError::store(inbox.name()))?;
                    report.floors_lowered += u64::from(lowered);
                }
            }
            Divergence::RecordsMisplaced(it) => {
                let stream = Some(it.stream.clone());
                let source = InboxSource::new(it.consumer.clone(), stream, 0);
                let placed = self.place(&it.inbox, &source, &it.items).await?;
                report.records_placed += placed;
            }
            Divergence::DatabaseOlder(it) => {
                report.marked += self.mark(&it.marks).await?;
                report.adopted += self.adopt(&it.stream, &it.lost).await?;
            }
            Divergence::RowsMoved(it) => report.places_noted += self.mark(&it.items).await?,
            Divergence::StreamOlder(it) | Divergence::StreamAnew(it) => {
                let Some(outbox) = &self.outbox else {
                    return Ok(());
                };
                for rows in it.items.chunks(BATCH) {
                    let ready = outbox.publish_again(rows.to_vec()).await;
                    report.made_ready += ready.map_err(RecoverError::store(outbox.name()))?;
                }
            }
            _ => {}
        }
        Ok(())
    }

    async fn place(
        &self,
        name: &str,
        source: &InboxSource,
        items: &[RecordPlace],
    ) -> Result<u64, RecoverError> {
        let mut placed = 0;
        for inbox in self.inboxes.iter().filter(|inbox| inbox.name() == name) {
            for places in items.chunks(BATCH) {
                let done = inbox.place_records(source.clone(), places.to_vec()).await;
                placed += done.map_err(RecoverError::store(inbox.name()))?;
            }
        }
        Ok(placed)
    }

    async fn mark(&self, rows: &[RowAt]) -> Result<u64, RecoverError> {
        let Some(outbox) = &self.outbox else {
            return Ok(0);
        };
        let now = self.bus.clock().now();
        let mut marked = 0;
        for rows in rows.chunks(BATCH) {
            let done = outbox.mark_found(rows.to_vec(), now).await;
            marked += done.map_err(RecoverError::store(outbox.name()))?;
        }
        Ok(marked)
    }

    /// Makes rows of the messages at these sequences.
    async fn adopt(&self, stream: &Text, sequences: &[u64]) -> Result<u64, RecoverError> {
        let (Some(outbox), Some(first)) = (&self.outbox, sequences.iter().min()) else {
            return Ok(0);
        };
        let wanted: BTreeSet<u64> = sequences.iter().copied().collect();
        let raw = self.bus.raw().absolute();
        let history = raw.history(Pattern::everything()).stream(stream.clone());
        let mut history = history.from_sequence(*first).await?;
        let (mut batch, mut adopted, mut found) = (Vec::new(), 0, 0);
        while found < wanted.len() {
            let Some(message) = history.next().await.transpose()? else {
                break;
            };
            if wanted.contains(&message.sequence()) {
                found += 1;
                batch.extend(adopted_message(stream, &message));
            }
            if batch.len() >= BATCH {
                adopted += insert(outbox.as_ref(), &mut batch).await?;
            }
        }
        adopted += insert(outbox.as_ref(), &mut batch).await?;
        Ok(adopted)
    }
}

async fn insert(
    outbox: &dyn RecoverableOutbox,
    batch: &mut Vec<AdoptedMessage>,
) -> Result<u64, RecoverError> {
    let batch = std::mem::take(batch);
    if batch.is_empty() {
        return Ok(0);
    }
    let count = super::divergence::count(batch.len());
    let adopted = outbox.adopt(batch).await;
    adopted.map_err(RecoverError::store(outbox.name()))?;
    Ok(count)
}

/// The row of a message; `None` if it is not an event any more.
fn adopted_message(stream: &Text, message: &StoredEvent<Untyped>) -> Option<AdoptedMessage> {
    let id = message.event_id().ok()?.to_string();
    let body = message.body().ok()?;
    let stored_at = message.stored_at();
    let mut row = OutboxMessage::new(message.subject().clone(), body, id, stored_at);
    row.headers = message.headers().clone();
    row.key = message.key().map(|key| Text::copy_of(&key));
    Some(AdoptedMessage {
        message: row,
        stream: stream.clone(),
        sequence: message.sequence(),
        stored_at,
    })
}

/// The durables that are created again, by stream and name, and where they begin: at the lowest sequence that
/// a divergence asks for.
type Resets<'a> = BTreeMap<(Text, Text), (&'a Durable, u64)>;

fn resets(divergences: &[Divergence]) -> Resets<'_> {
    let mut resets: Resets<'_> = BTreeMap::new();
    for divergence in divergences {
        let (stream, durables, to) = match divergence {
            Divergence::ConsumerAhead(it) => {
                (&it.stream, std::slice::from_ref(&it.durable), it.reset_to)
            }
            Divergence::InboxOlder(it) => (&it.stream, &it.durables[..], it.first),
            _ => continue,
        };
        for durable in durables {
            let place = (stream.clone(), durable.name.clone());
            let begin = resets.entry(place).or_insert((durable, to));
            begin.1 = begin.1.min(to);
        }
    }
    resets
}
