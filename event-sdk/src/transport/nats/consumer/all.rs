//! All subscriptions of a connection, which end together.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use futures_util::future::{Either, join, join_all, select};
use tokio::time::{Instant, timeout_at};

use super::core::Core;
use super::held::open;
use super::inbox::GiveBack;
use super::send::{send, spawn};
use super::settle::{Held, NAK};
use crate::transport::Drained;
use crate::transport::nats::connection::Phase;
use crate::transport::nats::link::Link;

/// The subscriptions of one connection.
#[derive(Debug, Default)]
pub(in crate::transport::nats) struct Consumers {
    cores: Mutex<Vec<Weak<Core>>>,
}

/// A drain that has begun: the subscriptions have ended.
pub(in crate::transport::nats) struct Draining {
    cores: Vec<(Arc<Core>, InHand)>,
    deadline: Instant,
    given_back: u64,
    giving_back: Vec<Pin<Box<dyn Future<Output = u64> + Send>>>,
}

/// What somebody had of a subscription when its drain began.
struct InHand {
    deliveries: Vec<Weak<Held>>,
    /// How many had been put back before.
    given_back: u64,
}

impl Consumers {
    pub(super) fn add(&self, core: &Arc<Core>) {
        let mut cores = self.lock();
        // Only when the list would grow, and then all of it: each addition costs
        // the same.
        if cores.len() == cores.capacity() {
            cores.retain(|core| core.strong_count() > 0);
        }
        cores.push(Arc::downgrade(core));
    }

    /// Ends all subscriptions, and puts back what they had not handed out, as far
    /// as that goes without waiting.
    pub(in crate::transport::nats) fn end(&self) {
        for core in self.all() {
            if let (_, Some(rest)) = core.end(GiveBack::AtOnce) {
                spawn(rest);
            }
        }
    }

    /// Ends all subscriptions.
    pub(in crate::transport::nats) fn drain(&self, within: Duration) -> Draining {
        let mut draining = Draining {
            cores: Vec::new(),
            deadline: Instant::now() + within,
            given_back: 0,
            giving_back: Vec::new(),
        };
        for core in self.all() {
            let (given_back, rest) = core.end(GiveBack::All);
            draining.given_back += given_back;
            if let Some(rest) = rest {
                draining.giving_back.push(Box::pin(rest));
            }
            let in_hand = InHand {
                given_back: core.via.given_back(),
                deliveries: core.in_hand(),
            };
            draining.cores.push((core, in_hand));
        }
        draining
    }

    fn all(&self) -> Vec<Arc<Core>> {
        self.lock().iter().filter_map(Weak::upgrade).collect()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Weak<Core>>> {
        // Nothing in here panics half way.
        self.cores.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Draining {
    /// Puts back what was not handed out, waits until the rest is settled, and
    /// puts that back too when the time is over or the connection ends.
    ///
    /// Dropped before it is ready, no more is put back.
    pub(in crate::transport::nats) async fn run(self, link: &Link) -> Drained {
        let deadline = self.deadline;
        let mut phase = link.phase();
        let ended = std::pin::pin!(async {
            // That nobody changes it any more says the same.
            let _ = phase.wait_for(|phase| *phase == Phase::Ended).await;
        });
        let settling = self
            .cores
            .iter()
            .map(|(core, in_hand)| wait(core, in_hand, deadline));
        let all = std::pin::pin!(join(
            timeout_at(deadline, join_all(self.giving_back)),
            join_all(settling),
        ));
        let given_back = match select(all, ended).await {
            Either::Left(((given_back, _), _)) => given_back.unwrap_or_default(),
            Either::Right(_) => Vec::new(),
        };
        let mut drained = Drained {
            settled: 0,
            given_back: self.given_back + given_back.into_iter().sum::<u64>(),
        };
        for (core, in_hand) in &self.cores {
            give_back(core, in_hand).await;
            let given_back = core.via.given_back() - in_hand.given_back;
            let all = in_hand.deliveries.len() as u64;
            drained.given_back += given_back;
            drained.settled += all.saturating_sub(given_back);
        }
        drained
    }
}

/// Waits until what somebody has of this subscription is settled.
async fn wait(core: &Core, in_hand: &InHand, deadline: Instant) {
    loop {
        // Before the look, so that nothing is missed between.
        let mut settled = std::pin::pin!(core.via.settled());
        settled.as_mut().enable();
        if in_hand.deliveries.iter().all(|held| open(held).is_none())
            || timeout_at(deadline, settled).await.is_err()
        {
            return;
        }
    }
}

/// Puts back what is not settled.
async fn give_back(core: &Core, in_hand: &InHand) {
    for held in in_hand.deliveries.iter().filter_map(open) {
        if let Some(reply) = held.give_back() {
            // Where it cannot be sent it comes again after its ack wait.
            let _ = send(core.via.link.client(), &reply, None, NAK).await;
        }
    }
}
