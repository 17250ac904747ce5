//! `RedriveOutcome`: the outcomes of redriven events.

use std::collections::{BTreeMap, HashMap};

use event_sdk_core::text::Text;
use event_sdk_core::transport::{ConsumerInfo, Error, ErrorKind, TransportExt as _};

use super::super::state::LetterStatus;
use super::DeadLetterQueue;
use super::filter::LetterFilter;
use super::summary::LetterSummary;
use crate::partition::Partition;

/// The outcome of a redriven event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum RedriveOutcome {
    /// Its consumer handled it.
    Handled,
    /// The event failed again, and became another letter.
    FailedAgain {
        /// The id of that letter.
        letter: u64,
    },
    /// Its consumer has not settled it yet, or has not settled an earlier redriven event.
    Waiting,
    /// The transport cannot say which events the consumer has settled.
    Unknown,
}

impl DeadLetterQueue {
    /// Reads the outcomes of redriven letters, by id. Other letters are not included.
    ///
    /// The consumer reads redriven events from a durable of its own name on the retry stream. With
    /// partitions, it has one durable for each partition, and an event counts as handled when all
    /// of these durables have settled it.
    ///
    /// Cancel-safe: it changes nothing.
    ///
    /// # Errors
    ///
    /// The [errors of every operation](DeadLetterQueue).
    pub async fn outcomes(
        &self,
        filter: &LetterFilter,
    ) -> Result<BTreeMap<u64, RedriveOutcome>, Error> {
        let redriven = |letter: &LetterSummary| letter.state.status == LetterStatus::Redriven;
        let letters: Vec<_> = self.matching(filter).await?.filter(redriven).collect();
        let mut settled = HashMap::new();
        for letter in &letters {
            if !settled.contains_key(&letter.consumer) {
                let consumer = letter.consumer.clone();
                settled.insert(consumer, self.settled(&letter.consumer).await?);
            }
        }
        // A letter is put before its event is settled: read after that, none is missing.
        let scan = self.scan(filter.consumer.as_deref()).await?;
        let all = scan.letters.into_values();
        let all: HashMap<_, _> = all.map(|it| (Identity::of(&it, 0), it.id)).collect();
        let outcome = |letter: &LetterSummary| {
            if let Some(letter) = all.get(&Identity::of(letter, 1)) {
                return RedriveOutcome::FailedAgain { letter: *letter };
            }
            let settled = settled.get(&letter.consumer).copied().flatten();
            match (settled, letter.state.retry_sequence) {
                (Some(settled), Some(sequence)) if sequence <= settled => RedriveOutcome::Handled,
                (Some(_), Some(_)) => RedriveOutcome::Waiting,
                _ => RedriveOutcome::Unknown,
            }
        };
        let outcomes = letters.iter().map(|letter| (letter.id, outcome(letter)));
        Ok(outcomes.collect())
    }

    /// Up to which sequence a consumer has settled its redriven events; `None` if that cannot be
    /// known.
    pub(super) async fn settled(&self, consumer: &str) -> Result<Option<u64>, Error> {
        let mut settled = self.acknowledged(consumer).await?;
        if settled != Settled::NoDurable {
            return Ok(settled.sequence());
        }
        // A consumer with partitions has a durable for each. If the first one exists, all do.
        for index in 0..=Partition::MOST {
            let durable = Partition::durable(consumer, index);
            match (self.acknowledged(&durable).await?, settled) {
                (Settled::NoDurable, _) => break,
                (Settled::UpTo(one), Settled::UpTo(others)) => {
                    settled = Settled::UpTo(one.min(others));
                }
                (one, _) => settled = one,
            }
            if settled == Settled::Unknown {
                break;
            }
        }
        Ok(settled.sequence())
    }

    /// What one durable has settled.
    async fn acknowledged(&self, durable: &str) -> Result<Settled, Error> {
        let info = self.bus.transport();
        let info = info.consumer_info(self.place.retry_name(), durable).await;
        match info {
            Ok(ConsumerInfo { acknowledged, .. }) => Ok(Settled::UpTo(acknowledged)),
            Err(error) => match error.kind() {
                ErrorKind::ConsumerNotFound => Ok(Settled::NoDurable),
                ErrorKind::Unsupported(_) | ErrorKind::PermissionDenied => Ok(Settled::Unknown),
                _ => Err(error),
            },
        }
    }
}

/// Up to which sequence a durable has settled its events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Settled {
    UpTo(u64),
    NoDurable,
    Unknown,
}

impl Settled {
    fn sequence(self) -> Option<u64> {
        match self {
            Self::UpTo(sequence) => Some(sequence),
            Self::NoDurable => Some(0),
            Self::Unknown => None,
        }
    }
}

/// Consumer and event, with the number of the redrive.
#[derive(PartialEq, Eq, Hash)]
struct Identity {
    consumer: Text,
    stream: Text,
    sequence: u64,
    redrive: u64,
}

impl Identity {
    /// Of the letter that comes this many redrives later.
    fn of(letter: &LetterSummary, later: u64) -> Self {
        Self {
            consumer: letter.consumer.clone(),
            stream: letter.origin.stream.clone(),
            sequence: letter.origin.sequence,
            redrive: u64::from(letter.redrive) + later,
        }
    }
}
