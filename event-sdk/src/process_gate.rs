//! `ProcessGate`: lets handlers of all consumers of a process run beside each other, or one of them
//! alone, so that a handler that ends the process can be told from its neighbours.
//!
//! A consumer holds a [`Share`] while its handlers run beside others, and an [`Alone`] while one runs
//! alone. As long as no handler waits to run alone, taking a share is one atomic operation, and
//! asking whether another handler may start is one load.
//!
//! The gate is fair in both directions. Once a handler waits to run alone, no further share is given,
//! so it runs as soon as the running handlers have ended. After it, whoever waits for a share gets
//! one before the next handler runs alone.
//!
//! A share is held only while handlers run: not while an event waits for a retry, at the breaker,
//! or for its key. A handler that waits for the effect of another handler of its process can
//! therefore delay a handler that waits to run alone, and all others behind that one, at most until
//! its time limit. A handler that never ends would delay it for ever, so the owner drops the
//! [`Exclude`] after a while, and tries again later.

use std::collections::{BTreeSet, VecDeque};
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

/// The gate of a process, or of a bus that a test takes for one.
#[derive(Debug, Default)]
pub(crate) struct ProcessGate {
    /// The number of shares times two, plus [`CLOSED`].
    state: AtomicUsize,
    queue: Mutex<Queue>,
}

/// No share is given: a handler runs alone, or is next to.
const CLOSED: usize = 1;
const SHARE: usize = 2;

#[derive(Debug, Default)]
struct Queue {
    next_id: u64,
    /// The handler that runs alone.
    alone: Option<u64>,
    /// Those that wait to run alone.
    excluding: VecDeque<(u64, Waker)>,
    /// Those that wait for a share.
    sharing: VecDeque<(u64, Waker)>,
    /// Those that were woken to take their shares. They come before the next one that runs alone.
    before_next: BTreeSet<u64>,
}

/// The right to run handlers beside those of other consumers.
#[derive(Debug)]
pub(crate) struct Share(Arc<ProcessGate>);

/// The right to run a handler alone.
#[derive(Debug)]
pub(crate) struct Alone {
    gate: Arc<ProcessGate>,
    id: u64,
}

/// Waits until a handler may run alone. Dropping it gives up the wait.
#[derive(Debug)]
#[must_use = "futures do nothing unless polled"]
pub(crate) struct Exclude {
    gate: Arc<ProcessGate>,
    id: Option<u64>,
}

/// A place in the queue for shares: its task is woken when shares are given again. Drop it after
/// taking them, since the next handler that runs alone waits for that.
#[derive(Debug)]
pub(crate) struct WaitForShare {
    gate: Arc<ProcessGate>,
    id: u64,
}

impl ProcessGate {
    /// The gate of this process.
    pub(crate) fn of_process() -> Arc<Self> {
        static GATE: LazyLock<Arc<ProcessGate>> = LazyLock::new(Arc::default);
        Arc::clone(&GATE)
    }

    /// Takes a share, unless a handler runs alone or waits to.
    pub(crate) fn try_share(self: &Arc<Self>) -> Option<Share> {
        let take = |state: usize| (state & CLOSED == 0).then_some(state.wrapping_add(SHARE));
        self.state
            .fetch_update(Ordering::Acquire, Ordering::Relaxed, take)
            .ok()?;
        Some(Share(Arc::clone(self)))
    }

    /// Whether a handler runs alone or waits to, so that no share is given.
    pub(crate) fn is_closed(&self) -> bool {
        self.state.load(Ordering::Acquire) & CLOSED != 0
    }

    /// Waits until shares are given; `None` if they are given now.
    pub(crate) fn wait_for_share(self: &Arc<Self>, waker: &Waker) -> Option<WaitForShare> {
        let mut queue = self.lock();
        if !self.is_closed() {
            return None;
        }
        let id = queue.next_id();
        queue.sharing.push_back((id, waker.clone()));
        Some(WaitForShare {
            gate: Arc::clone(self),
            id,
        })
    }

    /// Waits until a handler may run alone.
    pub(crate) fn exclude(self: &Arc<Self>) -> Exclude {
        Exclude {
            gate: Arc::clone(self),
            id: None,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Opens or closes the gate, and lets the next handler run alone if nothing else runs.
    ///
    /// Wakers are called without the lock, since they may run any code.
    fn update(&self, mut queue: MutexGuard<'_, Queue>) {
        let mut woken = Vec::new();
        if queue.alone.is_none() {
            if queue.excluding.is_empty() || !queue.before_next.is_empty() {
                self.state.fetch_and(!CLOSED, Ordering::AcqRel);
                // The gate stays open until they have had their turn.
                let (ids, wakers): (Vec<_>, Vec<_>) = queue.sharing.drain(..).unzip();
                queue.before_next.extend(ids);
                woken = wakers;
            } else {
                let before = self.state.fetch_or(CLOSED, Ordering::AcqRel);
                if before & !CLOSED == 0
                    && let Some((id, waker)) = queue.excluding.pop_front()
                {
                    queue.alone = Some(id);
                    woken.push(waker);
                }
            }
        }
        drop(queue);
        for waker in woken {
            waker.wake();
        }
    }
}

impl Queue {
    fn next_id(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id
    }
}

impl WaitForShare {
    /// Sets the task that is woken.
    pub(crate) fn set_waker(&self, waker: &Waker) {
        let mut queue = self.gate.lock();
        if let Some((_, old)) = queue.sharing.iter_mut().find(|(id, _)| *id == self.id) {
            old.clone_from(waker);
        }
    }
}

impl Drop for WaitForShare {
    fn drop(&mut self) {
        let mut queue = self.gate.lock();
        queue.sharing.retain(|(id, _)| *id != self.id);
        queue.before_next.remove(&self.id);
        self.gate.update(queue);
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let before = self.0.state.fetch_sub(SHARE, Ordering::AcqRel);
        if before == SHARE | CLOSED {
            self.0.update(self.0.lock());
        }
    }
}

impl Drop for Alone {
    fn drop(&mut self) {
        let mut queue = self.gate.lock();
        if queue.alone == Some(self.id) {
            queue.alone = None;
            // They come before the next one that runs alone, and are woken by the update.
            let waiting: Vec<_> = queue.sharing.iter().map(|(id, _)| *id).collect();
            queue.before_next.extend(waiting);
        }
        self.gate.update(queue);
    }
}

impl Future for Exclude {
    type Output = Alone;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Alone> {
        let gate = Arc::clone(&self.gate);
        let mut queue = gate.lock();
        let id = if let Some(id) = self.id {
            id
        } else {
            let id = queue.next_id();
            queue.excluding.push_back((id, cx.waker().clone()));
            self.id = Some(id);
            gate.update(queue);
            queue = gate.lock();
            id
        };
        if queue.alone == Some(id) {
            drop(queue);
            self.id = None;
            return Poll::Ready(Alone { gate, id });
        }
        if let Some((_, waker)) = queue.excluding.iter_mut().find(|(other, _)| *other == id) {
            waker.clone_from(cx.waker());
        }
        Poll::Pending
    }
}

impl Drop for Exclude {
    fn drop(&mut self) {
        let Some(id) = self.id else { return };
        let mut queue = self.gate.lock();
        queue.excluding.retain(|(other, _)| *other != id);
        if queue.alone == Some(id) {
            queue.alone = None;
        }
        self.gate.update(queue);
    }
}

#[cfg(test)]
mod tests;
