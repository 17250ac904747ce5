//! `Places`: how many handlers the partitions of an instance run at the same time. Each partition has
//! an engine of its own, and they share the places.

use std::sync::Arc;
use std::task::{Context, Poll};

use futures_util::FutureExt as _;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::Boxed;

/// The places of all partitions of an instance.
#[derive(Clone)]
pub(in crate::consumer) struct Places(Arc<Semaphore>);

impl Places {
    /// Makes `number` places. None is taken.
    pub(in crate::consumer) fn new(number: usize) -> Self {
        Self(Arc::new(Semaphore::new(number.min(Semaphore::MAX_PERMITS))))
    }
}

/// The places that an engine has taken: one for each handler that runs.
pub(super) struct PlacesTaken {
    all: Arc<Semaphore>,
    taken: Vec<OwnedSemaphorePermit>,
    /// The place in the queue for another one.
    waiting: Option<Boxed<Option<OwnedSemaphorePermit>>>,
    /// Whether it is still wanted.
    waits: bool,
}

impl PlacesTaken {
    /// None of these places so far.
    pub(super) fn none_of(all: Places) -> Self {
        Self {
            all: all.0,
            taken: Vec::new(),
            waiting: None,
            waits: false,
        }
    }

    /// Whether there is a place for one handler more than run; takes it. Otherwise the task is woken
    /// when there may be one.
    pub(super) fn take(&mut self, running: usize, cx: &mut Context<'_>) -> bool {
        while self.taken.len() <= running {
            // In the order of the queue: an engine that is always busy does not keep others out.
            let all = &self.all;
            let waiting = self.waiting.get_or_insert_with(|| {
                let place = Arc::clone(all).acquire_owned();
                Box::pin(place.map(Result::ok))
            });
            let Poll::Ready(place) = waiting.as_mut().poll(cx) else {
                self.waits = true;
                return false;
            };
            self.waiting = None;
            match place {
                Some(place) => self.taken.push(place),
                // The semaphore is never closed.
                None => return true,
            }
        }
        true
    }

    /// Gives back the places without a handler, and the one in the queue if none was asked for in
    /// vain since.
    pub(super) fn give_back(&mut self, running: usize) {
        self.taken.truncate(running);
        if !std::mem::take(&mut self.waits) {
            self.waiting = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use super::*;

    #[test]
    fn engines_share_the_places_in_turn() {
        let mut cx = Context::from_waker(Waker::noop());
        let all = Places::new(2);
        let mut one = PlacesTaken::none_of(all.clone());
        let mut other = PlacesTaken::none_of(all);
        assert!(one.take(0, &mut cx) && one.take(1, &mut cx));
        assert!(!other.take(0, &mut cx));
        // It waits before the first one asks again.
        other.give_back(0);
        one.give_back(1);
        assert!(!one.take(1, &mut cx));
        assert!(other.take(0, &mut cx));
        other.give_back(0);
        assert!(one.take(1, &mut cx));
    }

    #[test]
    fn a_place_in_the_queue_is_given_up_with_the_wish() {
        let mut cx = Context::from_waker(Waker::noop());
        let all = Places::new(1);
        let mut one = PlacesTaken::none_of(all.clone());
        let mut two = PlacesTaken::none_of(all.clone());
        let mut three = PlacesTaken::none_of(all);
        assert!(one.take(0, &mut cx));
        assert!(!two.take(0, &mut cx) && !three.take(0, &mut cx));
        // The first time, it has asked in vain; then it does not ask any more.
        two.give_back(0);
        two.give_back(0);
        one.give_back(0);
        assert!(three.take(0, &mut cx));
    }
}
