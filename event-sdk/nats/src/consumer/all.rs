//! All subscriptions of a connection, which are drained or closed together.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use futures_util::future::{join, join_all, select};
use tokio::time::{Instant, sleep_until, timeout_at};

use super::ack_pending::open;
use super::pull_loop::PullLoop;
use super::send::send;
use super::settle::{AckPending, NAK};
use crate::connection::{ConnectionState, Phase};
use crate::context::NatsContext;
use event_sdk_core::transport::Drained;

/// Minimum time of a drain to give back messages that were not returned to the caller: as long as
/// requests that end by themselves stay open.
const LEAVING: Duration = Duration::from_secs(2);

/// How much longer than its time a drain may take, to give back unsettled deliveries, to confirm
/// publishes, and to write.
const GRACE: Duration = Duration::from_millis(500);

const A_YEAR: Duration = Duration::from_secs(365 * 24 * 3600);

/// The subscriptions of one connection.
#[derive(Debug, Default)]
pub(crate) struct Consumers {
    cores: Mutex<Vec<Weak<PullLoop>>>,
}

/// A drain in progress: the subscriptions have ended.
pub(crate) struct Draining {
    all: Vec<One>,
    begun: Instant,
    deadline: Instant,
}

/// One subscription, and its unsettled deliveries when the drain began.
struct One {
    pull_loop: Arc<PullLoop>,
    in_hand: Vec<Weak<AckPending>>,
    sequences: BTreeSet<u64>,
}

impl Consumers {
    pub(super) fn add(&self, pull_loop: &Arc<PullLoop>) {
        let mut cores = self.lock();
        // Only when the list would grow, and then the whole list: so an addition has constant
        // amortized cost.
        if cores.len() == cores.capacity() {
            cores.retain(|pull_loop| pull_loop.strong_count() > 0);
        }
        cores.push(Arc::downgrade(pull_loop));
    }

    /// Ends all subscriptions, and naks messages that were not returned to the caller, as far as
    /// possible without waiting.
    pub(crate) fn end(&self) {
        for pull_loop in self.all() {
            drop(pull_loop.end());
            pull_loop.hurry();
            pull_loop.delete();
        }
    }

    /// Ends all subscriptions.
    pub(crate) fn drain(&self, within: Duration) -> Draining {
        let begin = |pull_loop: Arc<PullLoop>| {
            pull_loop.ack_context.watch();
            let in_hand = pull_loop.end();
            One {
                sequences: in_hand
                    .iter()
                    .map(|ack_pending| ack_pending.sequence())
                    .collect(),
                in_hand: in_hand.iter().map(Arc::downgrade).collect(),
                pull_loop,
            }
        };
        Draining {
            all: self.all().into_iter().map(begin).collect(),
            begun: Instant::now(),
            deadline: after(within),
        }
    }

    fn all(&self) -> Vec<Arc<PullLoop>> {
        self.lock().iter().filter_map(Weak::upgrade).collect()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Weak<PullLoop>>> {
        // No code under this lock panics.
        self.cores.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Draining {
    /// Whether no handler has an unsettled delivery.
    pub(crate) fn is_settled(&self) -> bool {
        self.all.iter().all(One::is_settled)
    }

    /// Naks messages that were not returned to the caller, and waits until all deliveries are
    /// settled, the time is over, or the connection ends. After that, publishing is refused,
    /// publishes in flight are confirmed, unsettled deliveries are given back by a nak, and the
    /// connection is closed.
    ///
    /// If the future is dropped, no further deliveries are given back.
    pub(crate) async fn run(self, context: &NatsContext) -> Drained {
        let mut phase = context.phase();
        let ended = std::pin::pin!(async {
            // A closed channel means the same.
            let _ = phase.wait_for(|phase| *phase == Phase::Ended).await;
        });
        let deadline = self.deadline;
        {
            let settling = join_all(self.all.iter().map(|one| one.settle(deadline)));
            let over = std::pin::pin!(self.over(context));
            // Whichever comes first.
            let _ = select(std::pin::pin!(settling), select(over, ended)).await;
        }
        context.end_publishing();
        let limit = self.limit(context);
        let confirmed = timeout_at(limit, context.confirmed());
        let finishing = async {
            let mut drained = Drained::default();
            for one in self.all {
                let found = one.finish(limit).await;
                drained.settled += found.settled;
                drained.given_back += found.given_back;
            }
            drained
        };
        let (drained, _) = join(finishing, confirmed).await;
        context.close_by(limit).await;
        drained
    }

    /// The time at which the drain must end. Without a connection it ends with the drain's time,
    /// because nothing can be sent.
    fn limit(&self, context: &NatsContext) -> Instant {
        if context.watch().current() == ConnectionState::Connected {
            self.deadline.max(self.begun + LEAVING) + GRACE
        } else {
            self.deadline
        }
    }

    /// Waits until the drain must end.
    async fn over(&self, context: &NatsContext) {
        sleep_until(self.deadline).await;
        sleep_until(self.limit(context)).await;
    }
}

impl One {
    fn is_settled(&self) -> bool {
        self.in_hand
            .iter()
            .all(|ack_pending| open(ack_pending).is_none())
    }

    /// Naks messages that were not returned to the caller, and waits until all deliveries are
    /// settled.
    async fn settle(&self, deadline: Instant) {
        let settled = async {
            loop {
                // Enabled before the check, so that no notification is missed.
                let mut settled = std::pin::pin!(self.pull_loop.ack_context.settled());
                settled.as_mut().enable();
                if self.is_settled() || timeout_at(deadline, settled).await.is_err() {
                    break;
                }
            }
        };
        join(self.pull_loop.left(), settled).await;
    }

    /// Naks the unsettled deliveries, within the limit.
    async fn finish(self, limit: Instant) -> Drained {
        // Only after the requests have ended: otherwise the server would deliver the messages here
        // again.
        self.pull_loop.hurry();
        let receiver = self.pull_loop.ack_context.context.receiver();
        let giving_back = timeout_at(limit, self.pull_loop.ack_context.giving_back()).await;
        for ack_pending in self.in_hand.iter().filter_map(open) {
            if let Some(reply) = ack_pending.give_back() {
                // If the nak cannot be sent, the message is delivered again after its ack wait.
                let _ = timeout_at(limit, send(receiver, &reply, NAK)).await;
            }
        }
        drop(giving_back);
        self.pull_loop.delete();
        let given_back = self.pull_loop.ack_context.given_back();
        let given_back = given_back.intersection(&self.sequences).count() as u64;
        // A message that a handler gave back may have been delivered here again.
        let unread = self.pull_loop.unread();
        Drained {
            settled: self.sequences.len() as u64 - given_back,
            given_back: unread.difference(&self.sequences).count() as u64 + given_back,
        }
    }
}

/// The instant after `time`.
fn after(time: Duration) -> Instant {
    let now = Instant::now();
    // A time that is too long for `Instant` is limited to a year.
    now.checked_add(time.min(A_YEAR)).unwrap_or(now)
}
