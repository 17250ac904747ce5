//! `Tokens`: random numbers by which a process knows its own starts again.

use std::hash::{BuildHasher as _, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};

/// Numbers that no other start has, in any process.
#[derive(Debug)]
pub(super) struct Tokens {
    /// `None` if the numbers are those of the counter.
    hasher: Option<RandomState>,
    next: AtomicU64,
}

impl Tokens {
    /// Random numbers.
    pub(super) fn random() -> Self {
        Self {
            hasher: Some(RandomState::new()),
            next: AtomicU64::new(0),
        }
    }

    /// The numbers from `first` on.
    #[cfg(test)]
    pub(super) fn from(first: u64) -> Self {
        Self {
            hasher: None,
            next: AtomicU64::new(first),
        }
    }

    /// The next number.
    pub(super) fn next(&self) -> u64 {
        let next = self.next.fetch_add(1, Ordering::Relaxed);
        match &self.hasher {
            Some(hasher) => hasher.hash_one(next),
            None => next,
        }
    }
}
