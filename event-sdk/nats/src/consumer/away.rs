//! `Away`: the sequences of a subscription that are to come again: they were returned by a nak, or
//! dropped by who had them.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use event_sdk_core::transport::{AckPolicy, ConsumerConfig, ConsumerName};

/// The sequences that are to come again, where that has to be known.
#[derive(Debug)]
pub(super) struct Away {
    remembered: Mutex<Remembered>,
    /// Whether there ever was one.
    had: AtomicBool,
    /// Whether a consumer is made again from them, so that none may be forgotten.
    is_ephemeral: bool,
}

#[derive(Debug)]
struct Remembered {
    sequences: BTreeSet<u64>,
    /// How many there may be: none where nothing is settled, or nobody asks for them any more.
    most: usize,
}

/// The most sequences of a shared consumer that are remembered. What the stream drops of those that
/// are forgotten, the lowest, is told as no gap. An ephemeral consumer is made again from all of
/// them, and has no more than its `max_ack_pending` allows.
const MOST: usize = 16 * 1024;

impl Away {
    pub(super) fn new(config: &ConsumerConfig) -> Self {
        let is_ephemeral = config.name == ConsumerName::Ephemeral;
        let most = match config.ack {
            AckPolicy::None => 0,
            AckPolicy::Explicit | AckPolicy::All if is_ephemeral => usize::MAX,
            AckPolicy::Explicit | AckPolicy::All => MOST,
        };
        Self {
            remembered: Mutex::new(Remembered {
                sequences: BTreeSet::new(),
                most,
            }),
            had: AtomicBool::new(false),
            is_ephemeral,
        }
    }

    /// All of them.
    pub(super) fn all(&self) -> BTreeSet<u64> {
        self.lock().sequences.clone()
    }

    pub(super) fn is_empty(&self) -> bool {
        !self.had.load(Ordering::Acquire) || self.lock().sequences.is_empty()
    }

    pub(super) fn contains(&self, sequence: u64) -> bool {
        self.had.load(Ordering::Acquire) && self.lock().sequences.contains(&sequence)
    }

    /// This one is to come again.
    pub(super) fn insert(&self, sequence: u64) {
        let mut remembered = self.lock();
        if remembered.most == 0 {
            return;
        }
        remembered.sequences.insert(sequence);
        if remembered.sequences.len() > remembered.most {
            remembered.sequences.pop_first();
        }
        self.had.store(true, Ordering::Release);
    }

    /// This one has come, or does not come any more.
    pub(super) fn remove(&self, sequence: u64) {
        if self.had.load(Ordering::Acquire) {
            self.lock().sequences.remove(&sequence);
        }
    }

    /// Nobody can be asked what became of them. Of a consumer that is shared, where others may get
    /// them, they are not remembered any more.
    pub(super) fn stop(&self) {
        if !self.is_ephemeral {
            let mut remembered = self.lock();
            remembered.most = 0;
            remembered.sequences.clear();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Remembered> {
        // Nothing in here panics half way.
        self.remembered
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn away(name: ConsumerName, ack: AckPolicy) -> Away {
        let mut config = ConsumerConfig::new(name, Vec::new());
        config.ack = ack;
        Away::new(&config)
    }

    fn shared() -> Away {
        away(ConsumerName::Durable("d".into()), AckPolicy::Explicit)
    }

    #[test]
    fn of_a_shared_consumer_only_the_highest_are_remembered() {
        let away = shared();
        let most = MOST as u64;
        (1..=most + 3).for_each(|sequence| away.insert(sequence));
        assert_eq!(away.all().len(), MOST);
        assert!(!away.contains(3) && away.contains(4) && away.contains(most + 3));
        away.remove(4);
        assert!(!away.contains(4) && !away.is_empty());
    }

    #[test]
    fn of_an_ephemeral_consumer_all_are_remembered() {
        let away = away(ConsumerName::Ephemeral, AckPolicy::Explicit);
        let more = MOST as u64 + 3;
        (1..=more).for_each(|sequence| away.insert(sequence));
        away.stop();
        assert_eq!(away.all().len() as u64, more);
    }

    #[test]
    fn none_are_remembered_that_nobody_asks_for() {
        let stopped = shared();
        stopped.insert(1);
        stopped.stop();
        assert!(stopped.is_empty());
        let unacked = away(ConsumerName::Ephemeral, AckPolicy::None);
        for away in [stopped, unacked] {
            away.insert(2);
            assert!(away.is_empty() && !away.contains(2));
        }
    }
}
