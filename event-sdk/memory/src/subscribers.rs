//! `Subscribers`: the subscriptions of a consumer, their wakers and their timers.

use std::task::Waker;
use std::time::Duration;

use super::ack_pending::ConnectionId;
use super::deferred_actions::DeferredActions;
use super::slab::{Key, Slab};

/// The subscriptions of one consumer.
///
/// What comes is for whichever of them asks first, so all that wait are woken for
/// it: one that was woken may be busy with something else for as long as it
/// likes, and must not keep a message, or the care for a deadline, from the
/// others. Those that began to wait first are woken first.
#[derive(Debug)]
pub(super) struct Subscribers {
    members: Slab<Member>,
    /// Those that wait, in order; some may wait no more.
    queue: Vec<Key>,
    waiting: usize,
    /// No timer of those that wait runs longer.
    longest: Duration,
}

#[derive(Debug)]
struct Member {
    connection: ConnectionId,
    state: State,
    /// Whether it has a place in the queue.
    queued: bool,
}

#[derive(Debug)]
enum State {
    /// It will ask by itself: it had something when it was last polled, was
    /// woken since, or was never polled.
    Busy,
    /// It was polled and had nothing; its timer runs until then.
    Waiting(Waker, Duration),
}

/// Until when a timer runs that there is not.
const FOR_EVER: Duration = Duration::MAX;

impl Subscribers {
    pub(super) const fn new() -> Self {
        Self {
            members: Slab::new(),
            queue: Vec::new(),
            waiting: 0,
            longest: Duration::ZERO,
        }
    }

    /// A subscription of `connection` begins.
    pub(super) fn join(&mut self, connection: ConnectionId) -> Key {
        self.members.insert(Member {
            connection,
            state: State::Busy,
            queued: false,
        })
    }

    pub(super) fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// Whether some subscription waits.
    pub(super) fn any_waiting(&self) -> bool {
        self.waiting > 0
    }

    /// A subscription is polled and has something to return.
    pub(super) fn busy(&mut self, key: Key, after: &mut DeferredActions) {
        if let Some(member) = self.members.get_mut(key) {
            let before = std::mem::replace(&mut member.state, State::Busy);
            self.ended_to_wait(before, after);
        }
    }

    /// A subscription was polled and waits; its timer runs until `timer`.
    pub(super) fn wait(
        &mut self,
        key: Key,
        waker: &Waker,
        timer: Option<Duration>,
        after: &mut DeferredActions,
    ) {
        let Some(member) = self.members.get_mut(key) else {
            return;
        };
        let timer = timer.unwrap_or(FOR_EVER);
        self.longest = self.longest.max(timer);
        if let State::Waiting(known, until) = &mut member.state
            && known.will_wake(waker)
        {
            *until = timer;
            return;
        }
        let before = std::mem::replace(&mut member.state, State::Waiting(waker.clone(), timer));
        if !member.queued {
            member.queued = true;
            self.queue.push(key);
        }
        self.waiting += 1;
        self.ended_to_wait(before, after);
    }

    /// Wakes all that wait.
    pub(super) fn wake(&mut self, after: &mut DeferredActions) {
        self.wake_those(after, |_| true);
    }

    /// Sees to it that the timers of all that wait run no longer than until
    /// `deadline`: wakes those whose do, to set others.
    pub(super) fn watch(&mut self, deadline: Duration, after: &mut DeferredActions) {
        if self.longest > deadline {
            self.wake_those(after, |timer| timer > deadline);
        }
    }

    /// Wakes those that wait with such a timer.
    fn wake_those(&mut self, after: &mut DeferredActions, which: impl Fn(Duration) -> bool) {
        if !self.any_waiting() {
            return;
        }
        let (members, waiting) = (&mut self.members, &mut self.waiting);
        let mut longest = Duration::ZERO;
        self.queue.retain(|key| {
            let Some(member) = members.get_mut(*key) else {
                return false;
            };
            match std::mem::replace(&mut member.state, State::Busy) {
                State::Waiting(waker, timer) if which(timer) => {
                    *waiting -= 1;
                    after.wake(waker);
                }
                State::Waiting(waker, timer) => {
                    longest = longest.max(timer);
                    member.state = State::Waiting(waker, timer);
                    return true;
                }
                State::Busy => {}
            }
            member.queued = false;
            false
        });
        self.longest = longest;
    }

    /// A subscription was dropped.
    pub(super) fn leave(&mut self, key: Key, after: &mut DeferredActions) {
        let Some(member) = self.members.remove(key) else {
            return;
        };
        if self.queue.len() > 2 * self.members.len() + 8 {
            let members = &self.members;
            self.queue.retain(|key| members.get(*key).is_some());
        }
        self.ended_to_wait(member.state, after);
    }

    /// Ends the subscriptions of `connection`; those that wait are woken to find
    /// that out.
    pub(super) fn end_those_of(&mut self, connection: ConnectionId, after: &mut DeferredActions) {
        for member in self
            .members
            .take_those(|member| member.connection == connection)
        {
            if let State::Waiting(waker, _) = member.state {
                self.waiting -= 1;
                after.wake(waker);
            }
        }
    }

    fn ended_to_wait(&mut self, before: State, after: &mut DeferredActions) {
        if let State::Waiting(waker, _) = before {
            self.waiting -= 1;
            after.forget(waker);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::{Wake, Waker};
    use std::time::Duration;

    use super::Subscribers;
    use crate::ack_pending::ConnectionId;
    use crate::deferred_actions::DeferredActions;

    /// The only connection.
    const ME: ConnectionId = ConnectionId(1);

    #[derive(Default)]
    struct Counter(AtomicUsize);

    impl Wake for Counter {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn counter() -> (Arc<Counter>, Waker) {
        let counter = Arc::new(Counter::default());
        (counter.clone(), counter.into())
    }

    impl Counter {
        fn take(&self) -> usize {
            self.0.swap(0, Ordering::Relaxed)
        }
    }

    fn run(f: impl FnOnce(&mut DeferredActions)) {
        f(&mut DeferredActions::default());
    }

    #[test]
    fn all_that_wait_are_woken_once() {
        let mut subscribers = Subscribers::new();
        let (a, b) = (subscribers.join(ME), subscribers.join(ME));
        let ((woken_a, waker_a), (woken_b, waker_b)) = (counter(), counter());
        run(|after| {
            subscribers.wait(a, &waker_a, None, after);
            subscribers.wait(b, &waker_b, None, after);
            // A second poll changes nothing.
            subscribers.wait(a, &waker_a, None, after);
        });
        run(|after| subscribers.wake(after));
        assert_eq!((woken_a.take(), woken_b.take()), (1, 1));
        assert!(!subscribers.any_waiting());
        run(|after| subscribers.wake(after));
        assert_eq!((woken_a.take(), woken_b.take()), (0, 0));
    }

    #[test]
    fn one_that_became_busy_or_left_is_not_woken() {
        let mut subscribers = Subscribers::new();
        let [a, b, c] = [(); 3].map(|()| subscribers.join(ME));
        let ((woken_a, waker_a), (woken_b, waker_b)) = (counter(), counter());
        let (woken_c, waker_c) = counter();
        run(|after| {
            subscribers.wait(a, &waker_a, None, after);
            subscribers.wait(b, &waker_b, None, after);
            subscribers.wait(c, &waker_c, None, after);
            subscribers.busy(a, after);
            subscribers.leave(c, after);
            subscribers.wake(after);
        });
        assert_eq!((woken_a.take(), woken_b.take(), woken_c.take()), (0, 1, 0));
    }

    #[test]
    fn those_are_woken_whose_timer_runs_too_long() {
        let mut subscribers = Subscribers::new();
        let (a, b) = (subscribers.join(ME), subscribers.join(ME));
        let ((woken_a, waker_a), (woken_b, waker_b)) = (counter(), counter());
        let second = Duration::from_secs(1);
        let woken = |subscribers: &mut Subscribers, deadline| {
            run(|after| subscribers.watch(deadline, after));
            (woken_a.take(), woken_b.take())
        };
        run(|after| {
            subscribers.wait(a, &waker_a, None, after);
            subscribers.wait(b, &waker_b, Some(2 * second), after);
        });
        assert_eq!(woken(&mut subscribers, 2 * second), (1, 0));
        run(|after| subscribers.wait(a, &waker_a, Some(second), after));
        assert_eq!(woken(&mut subscribers, 2 * second), (0, 0));
        assert_eq!(woken(&mut subscribers, second), (0, 1));
        assert_eq!(woken(&mut subscribers, Duration::ZERO), (1, 0));
        assert_eq!(subscribers.longest, Duration::ZERO);
    }

    #[test]
    fn those_of_one_connection_end_together_and_are_woken() {
        let mut subscribers = Subscribers::new();
        let other = ConnectionId(2);
        let (a, b) = (subscribers.join(ME), subscribers.join(other));
        let ((woken_a, waker_a), (woken_b, waker_b)) = (counter(), counter());
        run(|after| {
            subscribers.wait(a, &waker_a, None, after);
            subscribers.wait(b, &waker_b, None, after);
            subscribers.end_those_of(ME, after);
        });
        assert_eq!((woken_a.take(), woken_b.take()), (1, 0));
        run(|after| {
            subscribers.leave(a, after);
            subscribers.wake(after);
        });
        assert_eq!((woken_a.take(), woken_b.take()), (0, 1));
        run(|after| subscribers.end_those_of(other, after));
        assert!(subscribers.is_empty() && !subscribers.any_waiting());
    }

    #[test]
    fn the_queue_does_not_grow_with_those_who_left() {
        let mut subscribers = Subscribers::new();
        let (_, waker) = counter();
        for _ in 0..1000 {
            let key = subscribers.join(ME);
            run(|after| {
                subscribers.wait(key, &waker, None, after);
                subscribers.leave(key, after);
            });
        }
        assert!(subscribers.queue.len() <= 9, "{}", subscribers.queue.len());
    }
}
