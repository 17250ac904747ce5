//! `in_parts`: handles a batch in one transaction and, after a failure, in smaller transactions,
//! until it is known which events fail.

use event_sdk::consumer::{Failure, FailureClass};

/// A part of a batch that failed. Its transaction was rolled back.
#[derive(Debug)]
pub struct PartFailure {
    /// Why the part failed.
    pub failure: Failure,
    /// The index, within the part, of the event that failed; `None` if it is unknown, for example
    /// because the commit failed.
    pub at: Option<usize>,
}

/// The outcome of an event of a batch.
#[derive(Debug)]
pub enum PartOutcome {
    /// The effect of the event is committed.
    Done,
    /// The event failed, alone in its transaction.
    Failed(Failure),
    /// The event was not handled, because it follows an event that failed.
    Waits,
}

/// Handles the events `0..len` in one transaction, or in several after a failure. Each call of
/// `attempt` gets the indices of a part in order, and commits the events of this part together or
/// not at all.
///
/// The first part has all events. If a part fails, it is divided: at the event that failed, or in
/// halves if that event is unknown. An event counts as failed when it fails alone. Later events
/// that [follow](PartOutcome::Waits) a failed event are not handled; `follows` decides this from
/// the later and the earlier index. If one event fails, `attempt` is called at most four times when
/// it says which event failed, and about 2 · log₂(`len`) times when it does not.
///
/// Cancel-safe if `attempt` is: the parts that were committed stay committed.
///
/// # Errors
///
/// The failure of `attempt` if its class is [`Outage`](FailureClass::Outage). The events of parts
/// that were committed before are done, and no others.
pub async fn in_parts<A, Fut>(
    len: usize,
    follows: impl Fn(usize, usize) -> bool,
    mut attempt: A,
) -> Result<Vec<PartOutcome>, Failure>
where
    A: FnMut(Vec<usize>) -> Fut,
    Fut: Future<Output = Result<(), PartFailure>>,
{
    let mut outcomes: Vec<PartOutcome> = (0..len).map(|_| PartOutcome::Done).collect();
    let mut failed: Vec<usize> = Vec::new();
    // The next part is the last one.
    let mut parts: Vec<Vec<usize>> = vec![(0..len).collect()];
    while let Some(mut part) = parts.pop() {
        part.retain(|&event| {
            let waits = failed.iter().any(|&earlier| follows(event, earlier));
            if waits {
                outcomes[event] = PartOutcome::Waits;
            }
            !waits
        });
        let Some((&first, rest)) = part.split_first() else {
            continue;
        };
        let Err(PartFailure { failure, at }) = attempt(part.clone()).await else {
            continue;
        };
        if failure.class() == FailureClass::Outage {
            return Err(failure);
        }
        if rest.is_empty() {
            outcomes[first] = PartOutcome::Failed(failure);
            failed.push(first);
            continue;
        }
        if let Some(at) = at.filter(|&at| at < part.len()) {
            parts.push(part[at + 1..].to_vec());
            parts.push(vec![part[at]]);
            parts.push(part[..at].to_vec());
        } else {
            let (one, other) = part.split_at(part.len() / 2);
            parts.push(other.to_vec());
            parts.push(one.to_vec());
        }
    }
    Ok(outcomes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Handles events of which those in `poisoned` fail; returns the outcomes as a text, what was
    /// committed, and how often it was attempted.
    async fn handle(
        len: usize,
        poisoned: &[usize],
        says_which: bool,
        follows: impl Fn(usize, usize) -> bool,
    ) -> (String, Vec<usize>, usize) {
        let (mut committed, mut attempts) = (Vec::new(), 0);
        let outcomes = in_parts(len, follows, |part: Vec<usize>| {
            attempts += 1;
            let at = part.iter().position(|event| poisoned.contains(event));
            std::future::ready(match at {
                None => {
                    committed.extend(part);
                    Ok(())
                }
                at => Err(PartFailure {
                    failure: Failure::retry("poisoned"),
                    at: at.filter(|_| says_which),
                }),
            })
        });
        let outcomes = outcomes.await.unwrap();
        let text = outcomes.iter().map(|outcome| match outcome {
            PartOutcome::Done => 'd',
            PartOutcome::Failed(_) => 'f',
            PartOutcome::Waits => 'w',
        });
        (text.collect(), committed, attempts)
    }

    #[tokio::test]
    async fn a_batch_without_failures_is_one_transaction_in_order() {
        let (outcomes, committed, attempts) = handle(4, &[], true, |_, _| false).await;
        assert_eq!((outcomes.as_str(), attempts), ("dddd", 1));
        assert_eq!(committed, [0, 1, 2, 3]);
        assert_eq!(handle(0, &[], true, |_, _| false).await.2, 0);
    }

    #[tokio::test]
    async fn exactly_the_poisoned_events_fail_whether_or_not_the_attempt_says_which() {
        for says_which in [true, false] {
            let (outcomes, committed, attempts) =
                handle(64, &[0, 17, 63], says_which, |_, _| false).await;
            let failed: Vec<_> = outcomes.match_indices('f').map(|(at, _)| at).collect();
            assert_eq!(failed, [0, 17, 63]);
            let all = (0..64).filter(|event| !failed.contains(event));
            assert_eq!(committed, all.collect::<Vec<_>>());
            assert!(attempts <= if says_which { 10 } else { 40 }, "{attempts}");
        }
        assert_eq!(handle(100, &[50], true, |_, _| false).await.2, 4);
    }

    #[tokio::test]
    async fn later_events_of_a_failed_key_wait_and_earlier_ones_are_done() {
        // Keys by parity.
        let follows = |later: usize, earlier: usize| later % 2 == earlier % 2 && later > earlier;
        for says_which in [true, false] {
            let (outcomes, committed, _) = handle(8, &[4], says_which, follows).await;
            assert_eq!(outcomes, "ddddfdwd");
            assert_eq!(committed, [0, 1, 2, 3, 5, 7]);
        }
    }

    #[tokio::test]
    async fn an_outage_ends_the_batch() {
        let mut attempts = 0;
        let outage = in_parts(
            4,
            |_, _| false,
            |_| {
                attempts += 1;
                std::future::ready(Err(PartFailure {
                    failure: Failure::outage("away"),
                    at: None,
                }))
            },
        );
        assert_eq!(outage.await.unwrap_err().class(), FailureClass::Outage);
        assert_eq!(attempts, 1);
    }
}
