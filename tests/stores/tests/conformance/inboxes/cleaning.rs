//! The retention of the inbox in memory: what a cleaner uses.

use std::time::Duration;

use event_sdk::dead_letters::DeadLetter;
use event_sdk::text::Text;
use event_sdk_store::inbox::{InboxSource, InboxStatus, InboxStore};
use event_sdk_store::outbox::StoreFuture;
use jiff::Timestamp;
use uuid::Uuid;

use super::memory::{MemoryInbox, Record, Source};
use super::sabotage::Sabotage;

impl InboxStore for MemoryInbox {
    fn name(&self) -> &'static str {
        "memory"
    }

    fn sources(&self) -> StoreFuture<'_, Vec<InboxSource>> {
        Box::pin(async move {
            let state = self.state.lock().await;
            let source = |((consumer, stream), source): (&(String, String), &Source)| {
                let stream = Some(stream.clone()).filter(|stream| !stream.is_empty());
                let stream = stream.map(Text::from);
                InboxSource::new(consumer.clone().into(), stream, source.floor)
            };
            Ok(state.sources.iter().map(source).collect())
        })
    }

    fn claim_cleaning(
        &self,
        source: InboxSource,
        cleaner: Uuid,
        now: Timestamp,
        ttl: Duration,
    ) -> StoreFuture<'_, bool> {
        Box::pin(async move {
            match self.how {
                Sabotage::EveryoneCleans => return Ok(true),
                Sabotage::NobodyCleans => return Ok(false),
                _ => {}
            }
            let mut state = self.state.lock().await;
            let Some(found) = state.sources.get_mut(&place(&source)) else {
                return Ok(false);
            };
            let is_free = |(other, until): (Uuid, Timestamp)| other == cleaner || until < now;
            let free = found.cleaner.is_none_or(is_free);
            if free {
                found.cleaner = Some((cleaner, now + ttl));
            }
            Ok(free)
        })
    }

    fn raise_floor(
        &self,
        source: InboxSource,
        acknowledged: u64,
        before: Timestamp,
    ) -> StoreFuture<'_, u64> {
        Box::pin(async move {
            let mut state = self.state.lock().await;
            let place = place(&source);
            let records = state.records.iter().filter(|((consumer, _), record)| {
                (consumer, &record.stream) == (&place.0, &place.1) && record.at < before
            });
            let old = records.map(|(_, record)| record.sequence);
            let top = old.filter(|sequence| *sequence <= acknowledged).max();
            let Some(found) = state.sources.get_mut(&place) else {
                return Ok(0);
            };
            let top = top.unwrap_or(0);
            found.floor = match self.how {
                Sabotage::LowersFloors => top,
                _ => top.max(found.floor),
            };
            Ok(found.floor)
        })
    }

    fn clean(&self, source: InboxSource, before: Timestamp, limit: u32) -> StoreFuture<'_, u64> {
        Box::pin(async move {
            let mut state = self.state.lock().await;
            let (how, place) = (self.how, place(&source));
            let has_letter = |consumer: &str, event: Uuid| {
                let of = |letter: &DeadLetter| {
                    &*letter.consumer == consumer && letter.event_id == Some(event)
                };
                state.letters.iter().any(of) && how != Sabotage::CleansBesideLetters
            };
            let is_old = |((consumer, event), record): &(&(String, Uuid), &Record)| {
                let of_others = how == Sabotage::CleansOtherConsumers;
                (*consumer == place.0 || of_others)
                    && record.stream == place.1
                    && (record.at < before || how == Sabotage::CleansTheYoung)
                    && (record.sequence <= source.floor || how == Sabotage::CleansAboveTheFloor)
                    && match &record.dead {
                        Some(_) => !has_letter(consumer, *event),
                        None => record.redrive == 0 || how == Sabotage::CleansRedrives,
                    }
            };
            let mut old: Vec<_> = state.records.iter().filter(is_old).collect();
            old.sort_by_key(|(_, record)| record.at);
            let limit = match how {
                Sabotage::CleansNothing => 0,
                Sabotage::CleansAllAtOnce => usize::MAX,
                _ => limit as usize,
            };
            let old: Vec<_> = old.into_iter().take(limit).map(|it| it.0.clone()).collect();
            for place in &old {
                state.records.remove(place);
            }
            Ok(old.len() as u64)
        })
    }

    fn inbox_status(&self, consumer: Text) -> StoreFuture<'_, InboxStatus> {
        Box::pin(async move {
            let state = self.state.lock().await;
            let own = state
                .records
                .iter()
                .filter(|((of, _), _)| self.how == Sabotage::SharesRecords || *of == *consumer);
            let own: Vec<_> = own.map(|(_, record)| record).collect();
            let dead = own.iter().filter(|record| record.dead.is_some()).count() as u64;
            let oldest = own.iter().map(|record| record.at).min();
            Ok(InboxStatus::new(own.len() as u64 - dead, dead, oldest))
        })
    }
}

fn place(source: &InboxSource) -> (String, String) {
    let stream = source.stream.as_deref().unwrap_or_default();
    (source.consumer.to_string(), stream.to_owned())
}
