//! What the letters of a dead-letter stream mean for the events that an inbox has as dead.

use std::collections::HashSet;

use event_sdk::dead_letters::{LetterFilter, Page};
use event_sdk::transport::ErrorKind;
use jiff::Timestamp;
use uuid::Uuid;

use super::super::Recover;
use super::super::divergence::{Divergence, StreamMissing, count};
use super::super::error::RecoverError;
use super::super::known::KnownRecords;
use super::super::plan::RecoverPlan;
use super::super::unknown::{Unknown, UnknownReason};
use super::{Known, not_readable};

impl Recover {
    /// Compares the letters of consumers with what their inboxes have as dead.
    pub(super) async fn judge_letters(
        &self,
        known: &Known,
        plan: &mut RecoverPlan,
    ) -> Result<(), RecoverError> {
        for (consumer, place) in &self.letters {
            let is_of = |known: &&KnownRecords| known.source.consumer == *consumer;
            let of_consumer = || known.records.iter().filter(is_of);
            let dead: usize = of_consumer().map(|known| self.dead(known).count()).sum();
            if dead == 0 {
                continue;
            }
            let filter = LetterFilter::all().consumer(consumer.clone());
            let letters = self.bus.dead_letters(place.clone());
            let letters = match letters.list(&filter, Page::ALL).await {
                Ok(letters) => letters,
                Err(error) if *error.kind() == ErrorKind::StreamNotFound => {
                    let missing = StreamMissing {
                        stream: place.name().to_owned().into(),
                        rows: 0,
                        records: count(dead),
                    };
                    plan.divergences.push(Divergence::StreamMissing(missing));
                    continue;
                }
                Err(error) => {
                    not_readable(&place.name().to_owned().into(), error, plan)?;
                    continue;
                }
            };
            let there: HashSet<Uuid> = letters.iter().filter_map(|it| it.event_id).collect();
            for known in of_consumer() {
                let missing = || self.dead(known).filter(|event| !there.contains(event));
                let events = count(missing().count());
                if events == 0 {
                    continue;
                }
                let sequences = missing().filter_map(|event| *known.records.get(event)?);
                let reason = UnknownReason::LettersMissing {
                    events,
                    of: known.source.stream.clone(),
                    first: sequences.min(),
                };
                let mut unknown = Unknown::of(Some(place.name().to_owned().into()), reason);
                unknown.consumer = Some(consumer.clone());
                plan.unknown.push(unknown);
            }
        }
        Ok(())
    }

    /// The events that are dead, and whose letters are compared: as the letters were written when the
    /// events died, those that died before [`since`](Self::since) are not.
    fn dead<'a>(&self, known: &'a KnownRecords) -> impl Iterator<Item = &'a Uuid> {
        let since = self.since.map(|since| {
            let earlier = since.checked_sub(self.clock_skew);
            earlier.unwrap_or(Timestamp::MIN)
        });
        let is_compared = move |at: Option<Timestamp>| at.is_none_or(|at| Some(at) >= since);
        let dead = known.dead.iter();
        dead.filter_map(move |(event, at)| is_compared(*at).then_some(event))
    }
}
