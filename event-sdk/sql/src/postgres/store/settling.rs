//! `Settling`: the id below which no transaction can insert a row any more.
//!
//! A transaction locks the table before it takes an id, and ids are taken in order. So all ids up to that
//! of a visible row are settled when the transactions have ended that held the lock after that row was
//! seen. Transactions that only read hold another lock, however long they are open.

use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use event_sdk_store::StoreError;
use sqlx::Row as _;

use super::PostgresOutbox;
use crate::error::store_error;

/// The shortest time between two observations.
const PACE: Duration = Duration::from_millis(100);

#[derive(Debug, Default)]
pub(super) struct Settling(Mutex<Observed>);

#[derive(Debug)]
struct Observed {
    settled: i64,
    /// The next id that is settled, and the transactions that may still insert a lower one.
    waiting: Option<(i64, HashSet<String>)>,
    /// Raised by each observation: one that began before another one says nothing about that.
    number: u64,
    begun: Option<Instant>,
}

impl Default for Observed {
    fn default() -> Self {
        Self {
            settled: i64::MIN,
            waiting: None,
            number: 0,
            begun: None,
        }
    }
}

impl Observed {
    /// The number of an observation that begins; `None` if the last one is recent.
    fn begin(&mut self, now: Instant) -> Option<u64> {
        if self.begun.is_some_and(|begun| now < begun + PACE) {
            return None;
        }
        self.begun = Some(now);
        Some(self.number)
    }

    /// All ids below `next` were taken when these transactions had the lock.
    fn observe(&mut self, number: u64, next: i64, writing: HashSet<String>) {
        if number != self.number {
            return;
        }
        self.number += 1;
        if writing.is_empty() {
            self.settled = self.settled.max(next);
            self.waiting = None;
            return;
        }
        if let Some((id, before)) = &self.waiting {
            if !before.is_disjoint(&writing) {
                return;
            }
            self.settled = self.settled.max(*id);
        }
        self.waiting = Some((next, writing));
    }
}

impl Settling {
    fn lock(&self) -> MutexGuard<'_, Observed> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl PostgresOutbox {
    pub(super) async fn settled_id(&self) -> Result<i64, StoreError> {
        let begun = self.0.settling.lock().begin(Instant::now());
        if let Some(number) = begun {
            let sql = self.sql();
            let mut tx = self.begin().await?;
            // In this order.
            let newest: i64 = self
                .query(&sql.newest)
                .bind(i64::MIN)
                .fetch_one(&mut *tx)
                .await
                .and_then(|row| row.try_get(0))
                .map_err(store_error)?;
            let writing = self
                .query(&sql.writing)
                .fetch_all(&mut *tx)
                .await
                .map_err(store_error)?;
            tx.commit().await.map_err(store_error)?;
            let writing = writing.iter().map(|row| row.try_get(0));
            let writing = writing
                .collect::<Result<_, sqlx::Error>>()
                .map_err(store_error)?;
            let next = newest.saturating_add(1);
            self.0.settling.lock().observe(number, next, writing);
        }
        Ok(self.0.settling.lock().settled)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn observe(observed: &mut Observed, next: i64, writing: &[&str]) -> i64 {
        let writing = writing.iter().map(|&name| name.to_owned()).collect();
        observed.observe(observed.number, next, writing);
        observed.settled
    }

    #[test]
    fn an_id_is_settled_when_the_transactions_that_were_seen_with_it_have_ended() {
        let mut observed = Observed::default();
        assert_eq!(observe(&mut observed, 10, &["1/1", "2/1"]), i64::MIN);
        assert_eq!(observe(&mut observed, 20, &["2/1", "3/1"]), i64::MIN);
        assert_eq!(observe(&mut observed, 30, &["3/1", "4/1"]), 10);
        assert_eq!(observe(&mut observed, 40, &["4/1"]), 10);
        assert_eq!(observe(&mut observed, 50, &["5/1"]), 30);
        assert_eq!(observe(&mut observed, 60, &[]), 60);
        assert_eq!(observe(&mut observed, 5, &[]), 60);
    }

    #[test]
    fn an_observation_that_began_before_the_last_one_says_nothing() {
        let mut observed = Observed::default();
        let (first, second) = (observed.number, observed.number);
        observed.observe(first, 10, HashSet::from(["1/1".to_owned()]));
        observed.observe(second, 9, HashSet::from(["2/1".to_owned()]));
        assert_eq!(observed.settled, i64::MIN);
        observed.observe(second, 9, HashSet::new());
        assert_eq!(observed.settled, i64::MIN);
    }

    #[test]
    fn observations_are_made_now_and_then() {
        let (mut observed, now) = (Observed::default(), Instant::now());
        assert_eq!(observed.begin(now), Some(0));
        assert_eq!(observed.begin(now + PACE / 2), None);
        assert_eq!(observed.begin(now + PACE), Some(0));
    }
}
