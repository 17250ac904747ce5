//! Polls until something is so, or a deadline has passed.

use std::time::{Duration, Instant};

/// How often to look: a server needs about 15 ms to start.
const INTERVAL: Duration = Duration::from_millis(5);

/// Looks until the answer is `Ok`; after `within`, the last `Err` is the outcome.
///
/// It looks at least once, and once more when the time is over.
pub(crate) async fn until<T, E>(
    within: Duration,
    mut look: impl AsyncFnMut() -> Result<T, E>,
) -> Result<T, E> {
    let deadline = Instant::now() + within;
    loop {
        let last = Instant::now() >= deadline;
        match look().await {
            Err(_) if !last => tokio::time::sleep(INTERVAL).await,
            outcome => return outcome,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_first_good_answer_counts() {
        let mut looks = 0;
        let found = until(Duration::from_mins(1), async || {
            looks += 1;
            if looks < 3 { Err(()) } else { Ok(looks) }
        });
        assert_eq!(found.await, Ok(3));
    }

    #[tokio::test]
    async fn the_last_bad_answer_counts_when_the_time_is_over() {
        let mut looks = 0;
        let never = until(Duration::from_millis(20), async || {
            looks += 1;
            Err::<(), _>(looks)
        });
        let seen = never.await.unwrap_err();
        assert!(seen > 1);
        assert_eq!(seen, looks);
    }
}
