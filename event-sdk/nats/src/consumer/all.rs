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

/// How long a drain without time may take until what was not handed out is put back: as long
/// as requests that end by themselves are open.
const LEAVING: Duration = Duration::from_secs(2);

/// How much longer than its time a drain may take, to put back what is not settled, to have
/// publishes confirmed and to write all that.
const GRACE: Duration = Duration::from_millis(500);

const A_YEAR: Duration = Duration::from_secs(365 * 24 * 3600);

/// The subscriptions of one connection.
#[derive(Debug, Default)]
pub(crate) struct Consumers {
    cores: Mutex<Vec<Weak<PullLoop>>>,
}

/// A drain that has begun: the subscriptions have ended.
pub(crate) struct Draining {
    all: Vec<One>,
    begun: Instant,
    deadline: Instant,
}

/// One of its subscriptions, and what somebody had of it when the drain began.
struct One {
    pull_loop: Arc<PullLoop>,
    in_hand: Vec<Weak<AckPending>>,
    sequences: BTreeSet<u64>,
}

impl Consumers {
    pub(super) fn add(&self, pull_loop: &Arc<PullLoop>) {
        let mut cores = self.lock();
        // Only when the list would grow, and then all of it: each addition costs
        // the same.
        if cores.len() == cores.capacity() {
            cores.retain(|pull_loop| pull_loop.strong_count() > 0);
        }
        cores.push(Arc::downgrade(pull_loop));
    }

    /// Ends all subscriptions, and naks what they had not delivered, as far
    /// as that goes without waiting.
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
        // Nothing in here panics half way.
        self.cores.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Draining {
    /// Whether no handler has an unsettled delivery.
    pub(crate) fn is_settled(&self) -> bool {
        self.all.iter().all(One::is_settled)
    }

    /// Naks what was not delivered, and waits until the rest is settled, the time is over or the
    /// connection ends. From then on publishing is refused: published messages are confirmed,
    /// unsettled deliveries are returned by a nak, and the connection is closed.
    ///
    /// Dropped before it is ready, no more is returned by a nak.
    pub(crate) async fn run(self, context: &NatsContext) -> Drained {
        let mut phase = context.phase();
        let ended = std::pin::pin!(async {
            // That nobody changes it any more says the same.
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

    /// Until when everything has to be done. Without a connection nothing can be done after
    /// the drain's time.
    fn limit(&self, context: &NatsContext) -> Instant {
        if context.watch().current() == ConnectionState::Connected {
            self.deadline.max(self.begun + LEAVING) + GRACE
        } else {
            self.deadline
        }
    }

    /// Waits until everything has to be done.
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

    /// Naks what was not delivered, and waits until the rest is settled.
    async fn settle(&self, deadline: Instant) {
        let settled = async {
            loop {
                // Before the look, so that nothing is missed between.
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
        // Only when the requests have ended: otherwise it would come here again.
        self.pull_loop.hurry();
        let receiver = self.pull_loop.ack_context.context.receiver();
        let giving_back = timeout_at(limit, self.pull_loop.ack_context.giving_back()).await;
        for ack_pending in self.in_hand.iter().filter_map(open) {
            if let Some(reply) = ack_pending.give_back() {
                // Where it cannot be sent it comes again after its ack wait.
                let _ = timeout_at(limit, send(receiver, &reply, NAK)).await;
            }
        }
        drop(giving_back);
        self.pull_loop.delete();
        let given_back = self.pull_loop.ack_context.given_back();
        let given_back = given_back.intersection(&self.sequences).count() as u64;
        // What a handler has put back may have come here again.
        let unread = self.pull_loop.unread();
        Drained {
            settled: self.sequences.len() as u64 - given_back,
            given_back: unread.difference(&self.sequences).count() as u64 + given_back,
        }
    }
}

/// The end of a time that begins now.
fn after(time: Duration) -> Instant {
    let now = Instant::now();
    // As good as for ever, where that is more than can be counted.
    now.checked_add(time.min(A_YEAR)).unwrap_or(now)
}
