//! What a pass means for consumers and their inboxes.

use event_sdk::stream::Retention;
use event_sdk::text::Text;
use event_sdk::transport::StreamState;
use uuid::Uuid;

use super::super::Recover;
use super::super::divergence::{
    ConsumerAhead, Divergence, FloorBeyondStream, InboxOlder, RecordsMisplaced, RestoredApart,
    count,
};
use super::super::known::KnownRecords;
use super::super::plan::RecoverPlan;
use super::super::position::Position;
use super::super::scan::{ConsumerScan, RecordFate, Scan, Seen};
use super::super::store::RecordPlace;
use super::super::unknown::{Unknown, UnknownReason};
use super::Known;
use super::outbox::Agreement;

pub(super) fn judge(
    recover: &Recover,
    stream: &Text,
    known: &Known,
    scan: &Scan,
    agreement: &Agreement,
    plan: &mut RecoverPlan,
) {
    for consumer in &scan.consumers {
        let Some(records) = known.records.get(consumer.known) else {
            continue;
        };
        let inbox = recover.inboxes.get(records.inbox);
        let one = One {
            inbox: Text::copy_of(inbox.map_or("", |inbox| inbox.name())),
            stream,
            known,
            records,
            scan,
            consumer,
            agreement,
        };
        if let Some(position) = &consumer.position {
            let ahead = ahead(stream, position, &scan.state, agreement);
            plan.divergences.extend(ahead);
            plan.unknown.extend(one.unknown(position));
            plan.divergences.extend(one.older(position));
        }
        plan.divergences.extend(one.misplaced());
        plan.divergences.extend(one.floor());
        plan.divergences.extend(one.apart());
    }
}

/// The durables whose position lies beyond what the stream still has.
pub(super) fn ahead(
    stream: &Text,
    position: &Position,
    state: &StreamState,
    agreement: &Agreement,
) -> Vec<Divergence> {
    // If a stream was deleted and created again, its durables are new too.
    let breaks_at = agreement.breaks_at.filter(|_| !agreement.anew);
    let reset_to = match agreement.agrees_to {
        Some(to) => to + 1,
        None => state.first_sequence.max(1),
    };
    let is_ahead = |delivered: u64| {
        delivered > state.last_sequence || breaks_at.is_some_and(|end| delivered >= end)
    };
    let durables = position.durables.iter();
    durables
        .filter(|(_, info)| is_ahead(info.delivered.max(info.acknowledged)))
        .map(|(durable, info)| {
            Divergence::ConsumerAhead(ConsumerAhead {
                stream: stream.clone(),
                consumer: durable.name.clone(),
                position: info.delivered.max(info.acknowledged),
                last_sequence: state.last_sequence,
                reset_to,
                durable: durable.clone(),
            })
        })
        .collect()
}

/// One consumer with its records.
struct One<'a> {
    inbox: Text,
    stream: &'a Text,
    known: &'a Known,
    records: &'a KnownRecords,
    scan: &'a Scan,
    consumer: &'a ConsumerScan,
    agreement: &'a Agreement,
}

impl One<'_> {
    fn name(&self) -> Text {
        self.records.source.consumer.clone()
    }

    /// What cannot be said of the effects.
    fn unknown(&self, position: &Position) -> Option<Unknown> {
        let floor = self.records.source.floor;
        let from = self.scan.from;
        let missing = || self.missing().into_iter().min();
        let is_recorded = |before: u64| {
            let mut sequences = self.consumer.records.values().filter_map(|it| it.sequence);
            sequences.any(|it| (from..before).contains(&it))
        };
        let reason = if self.scan.state.config.retention == Retention::Limits {
            missing()
                .filter(|first| from > floor + 1 && !is_recorded(*first))
                .map(|_| UnknownReason::DroppedBefore { sequence: from })
        } else {
            (position.acknowledged > floor).then_some(UnknownReason::AcknowledgedDeleted)
        };
        let mut unknown = Unknown::of(Some(self.stream.clone()), reason?);
        unknown.consumer = Some(self.name());
        Some(unknown)
    }

    /// Sequences of events that were acknowledged and have no record.
    fn missing(&self) -> Vec<u64> {
        // What follows a break was never delivered: that is the consumer ahead.
        let breaks_at = self.agreement.breaks_at.unwrap_or(u64::MAX);
        let mut missing = self.consumer.acknowledged_without_record();
        missing.retain(|sequence| *sequence < breaks_at);
        missing
    }

    /// Events that were acknowledged and have no record.
    fn older(&self, position: &Position) -> Option<Divergence> {
        let missing = self.missing();
        Some(Divergence::InboxOlder(InboxOlder {
            inbox: self.inbox.clone(),
            stream: self.stream.clone(),
            consumer: self.name(),
            missing: count(missing.len()),
            first: missing.iter().copied().min()?,
            acknowledged: position.acknowledged,
            durables: (position.durables.iter())
                .map(|(durable, _)| durable.clone())
                .collect(),
        }))
    }

    fn misplaced(&self) -> Option<Divergence> {
        let (mut items, mut orphans) = (Vec::new(), Vec::new());
        let (mut moved, mut gone) = (0, 0);
        for (event, fate) in &self.consumer.records {
            let Some(sequence) = fate.sequence.filter(|it| *it >= self.scan.from) else {
                continue;
            };
            let place = match fate.seen {
                Seen::Elsewhere(at) => {
                    moved += 1;
                    Some(at)
                }
                Seen::Nowhere if self.is_gone(sequence, fate) => {
                    gone += 1;
                    if self.is_orphan(*event) {
                        orphans.push(*event);
                    }
                    None
                }
                // The message is there, or was deleted.
                Seen::AtPlace | Seen::Nowhere => continue,
            };
            items.push(RecordPlace {
                event: *event,
                sequence: place,
            });
        }
        if items.is_empty() {
            return None;
        }
        items.sort_by_key(|item| item.event);
        orphans.sort();
        Some(Divergence::RecordsMisplaced(RecordsMisplaced {
            inbox: self.inbox.clone(),
            stream: self.stream.clone(),
            consumer: self.name(),
            moved,
            orphans,
            gone,
            items,
        }))
    }

    /// Whether the stream has lost the event at this sequence.
    fn is_gone(&self, sequence: u64, fate: &RecordFate) -> bool {
        let is_lost = fate.replaced || sequence > self.scan.state.last_sequence;
        fate.seen == Seen::Nowhere && is_lost
    }

    /// Whether the outbox does not have the event, so that it is not published again.
    fn is_orphan(&self, event: Uuid) -> bool {
        let rows = self.known.rows.as_ref();
        rows.is_some_and(|rows| !rows.by_event.contains_key(&event))
    }

    fn floor(&self) -> Option<Divergence> {
        let last = self.scan.state.last_sequence;
        let limit = match self.agreement {
            Agreement { anew: true, .. } => 0,
            Agreement {
                breaks_at: Some(_),
                agrees_to,
                ..
            } => agrees_to.unwrap_or(0),
            _ => last,
        };
        let floor = self.records.source.floor;
        (floor > limit).then(|| {
            Divergence::FloorBeyondStream(FloorBeyondStream {
                inbox: self.inbox.clone(),
                stream: self.stream.clone(),
                consumer: self.name(),
                floor,
                lower_to: limit,
            })
        })
    }

    /// Outbox and inbox know different parts of what the outbox published.
    fn apart(&self) -> Option<Divergence> {
        let rows = || self.scan.rows.iter();
        let oldest_kept = rows().map(|fate| fate.sequence).min()?;
        let is_behind = !self.scan.unmarked.is_empty() || !self.scan.lost.is_empty();
        // Effects whose events neither the stream nor the outbox has. Rows of older events may have been
        // deleted.
        let effects = self.consumer.records.iter().filter(|(event, fate)| {
            let kept = fate.sequence.filter(|it| *it > oldest_kept);
            kept.is_some_and(|it| self.is_gone(it, fate)) && self.is_orphan(**event)
        });
        let only_in_inbox = self.consumer.only_in_inbox + count(effects.count());
        let only_in_outbox = self.consumer.only_in_outbox;
        if only_in_inbox == 0 && !(is_behind && only_in_outbox > 0) {
            return None;
        }
        let at_place = rows()
            .filter(|fate| fate.seen == Seen::AtPlace)
            .map(|fate| fate.sequence);
        Some(Divergence::RestoredApart(RestoredApart {
            inbox: self.inbox.clone(),
            stream: self.stream.clone(),
            consumer: self.name(),
            outbox_to: at_place.max(),
            inbox_to: self.consumer.highest,
            only_in_inbox,
            only_in_outbox,
        }))
    }
}
