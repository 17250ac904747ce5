//! The subscriptions of one consumer, and which of them wait to be woken.

use std::collections::VecDeque;
use std::task::Waker;
use std::time::Duration;

use super::after::After;
use super::held::ConnectionId;
use super::slab::{Key, Slab};

/// The subscriptions of one consumer. Those that wait are woken in the order in
/// which they began to.
#[derive(Debug)]
pub(super) struct Subscribers {
    members: Slab<Member>,
    /// Those that wait, in order; some may wait no more.
    queue: VecDeque<Key>,
    waiting: usize,
    /// One that waited with a timer when it was last looked at.
    watcher: Option<Key>,
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
    /// It was polled and had something, or was never polled.
    Busy,
    /// It was polled and had nothing; its timer runs until then, if it has one.
    Waiting(Waker, Option<Duration>),
    /// It was woken and has not been polled since.
    Woken,
}

impl Subscribers {
    pub(super) const fn new() -> Self {
        Self {
            members: Slab::new(),
            queue: VecDeque::new(),
            waiting: 0,
            watcher: None,
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
    pub(super) fn busy(&mut self, key: Key, after: &mut After) {
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
        after: &mut After,
    ) {
        let Some(member) = self.members.get_mut(key) else {
            return;
        };
        if let State::Waiting(known, until) = &mut member.state
            && known.will_wake(waker)
        {
            *until = timer;
            return;
        }
        let before = std::mem::replace(&mut member.state, State::Waiting(waker.clone(), timer));
        if !member.queued {
            member.queued = true;
            self.queue.push_back(key);
        }
        self.waiting += 1;
        self.ended_to_wait(before, after);
    }

    /// Wakes the one that waits longest.
    pub(super) fn wake_one(&mut self, after: &mut After) {
        while let Some(key) = self.queue.pop_front() {
            let Some(member) = self.members.get_mut(key) else {
                continue;
            };
            member.queued = false;
            if !matches!(member.state, State::Waiting(..)) {
                continue;
            }
            if let State::Waiting(waker, _) = std::mem::replace(&mut member.state, State::Woken) {
                self.waiting -= 1;
                after.wake(waker);
                return;
            }
        }
    }

    pub(super) fn wake_all(&mut self, after: &mut After) {
        while self.any_waiting() {
            self.wake_one(after);
        }
    }

    /// Sees to it that, while some subscription waits, one of them has a timer
    /// that runs no longer than until `deadline`: if there is none, one is woken
    /// to set it.
    pub(super) fn watch(&mut self, deadline: Duration, after: &mut After) {
        if !self.any_waiting() {
            return;
        }
        let watches = |key: &Key| {
            matches!(
                self.members.get(*key),
                Some(Member { state: State::Waiting(_, Some(until)), .. }) if *until <= deadline
            )
        };
        if self.watcher.as_ref().is_some_and(watches) {
            return;
        }
        self.watcher = self.queue.iter().copied().find(watches);
        if self.watcher.is_none() {
            self.wake_one(after);
        }
    }

    /// A subscription was dropped. Whether it was woken for something that it
    /// has not come to fetch.
    pub(super) fn leave(&mut self, key: Key, after: &mut After) -> bool {
        let Some(member) = self.members.remove(key) else {
            return false;
        };
        if self.queue.len() > 2 * self.members.len() + 8 {
            let members = &self.members;
            self.queue.retain(|key| members.get(*key).is_some());
        }
        let woken = matches!(member.state, State::Woken);
        self.ended_to_wait(member.state, after);
        woken
    }

    /// Ends the subscriptions of `connection`; those that wait are woken to find
    /// that out.
    pub(super) fn end_those_of(&mut self, connection: ConnectionId, after: &mut After) {
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

    fn ended_to_wait(&mut self, before: State, after: &mut After) {
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
    use crate::transport::memory::after::After;
    use crate::transport::memory::held::ConnectionId;

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

    fn run(f: impl FnOnce(&mut After)) {
        f(&mut After::default());
    }

    #[test]
    fn they_are_woken_in_the_order_in_which_they_began_to_wait() {
        let mut subscribers = Subscribers::new();
        let (a, b) = (subscribers.join(ME), subscribers.join(ME));
        let ((woken_a, waker_a), (woken_b, waker_b)) = (counter(), counter());
        run(|after| {
            subscribers.wait(a, &waker_a, None, after);
            subscribers.wait(b, &waker_b, None, after);
            // A second poll keeps the place.
            subscribers.wait(a, &waker_a, None, after);
        });
        run(|after| subscribers.wake_one(after));
        assert_eq!((woken_a.take(), woken_b.take()), (1, 0));
        run(|after| subscribers.wake_one(after));
        assert_eq!((woken_a.take(), woken_b.take()), (0, 1));
        assert!(!subscribers.any_waiting());
        run(|after| subscribers.wake_one(after));
        assert_eq!((woken_a.take(), woken_b.take()), (0, 0));
    }

    #[test]
    fn one_that_became_busy_is_not_woken() {
        let mut subscribers = Subscribers::new();
        let (a, b) = (subscribers.join(ME), subscribers.join(ME));
        let ((woken_a, waker_a), (woken_b, waker_b)) = (counter(), counter());
        run(|after| {
            subscribers.wait(a, &waker_a, None, after);
            subscribers.wait(b, &waker_b, None, after);
            subscribers.busy(a, after);
            subscribers.wake_one(after);
        });
        assert_eq!((woken_a.take(), woken_b.take()), (0, 1));
    }

    #[test]
    fn one_that_leaves_says_whether_it_owes_a_wake() {
        let mut subscribers = Subscribers::new();
        let (a, b) = (subscribers.join(ME), subscribers.join(ME));
        let (_, waker) = counter();
        run(|after| {
            subscribers.wait(a, &waker, None, after);
            subscribers.wait(b, &waker, None, after);
            subscribers.wake_one(after);
            assert!(subscribers.leave(a, after));
            assert!(!subscribers.leave(b, after));
            assert!(!subscribers.leave(b, after));
        });
        assert!(subscribers.is_empty() && !subscribers.any_waiting());
    }

    #[test]
    fn one_is_woken_to_set_a_timer_unless_one_runs() {
        let mut subscribers = Subscribers::new();
        let (a, b) = (subscribers.join(ME), subscribers.join(ME));
        let ((woken_a, waker_a), (woken_b, waker_b)) = (counter(), counter());
        let second = Duration::from_secs(1);
        run(|after| {
            subscribers.wait(a, &waker_a, None, after);
            subscribers.wait(b, &waker_b, Some(2 * second), after);
        });
        run(|after| subscribers.watch(2 * second, after));
        assert_eq!((woken_a.take(), woken_b.take()), (0, 0));
        run(|after| subscribers.watch(second, after));
        assert_eq!((woken_a.take(), woken_b.take()), (1, 0));
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
            assert!(!subscribers.leave(a, after));
            subscribers.wake_one(after);
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
