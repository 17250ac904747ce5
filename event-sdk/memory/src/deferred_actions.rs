//! `DeferredActions`: wakes tasks and drops values after a stream's lock is released.

use std::any::Any;
use std::sync::Arc;
use std::task::Waker;

use tokio::sync::Notify;

use super::log::Message;
use super::reporter::Report;

/// Wakes tasks and drops messages when it is dropped itself.
///
/// Both run code that is not ours (a task may be polled, a value has a
/// destructor), and that code may call the transport: it must not find the lock
/// held.
#[derive(Debug, Default)]
pub(super) struct DeferredActions {
    wake: Option<Waker>,
    drop: Option<Message>,
    /// Mostly there is one of each at the most, which takes no allocation.
    more: Vec<Task>,
}

#[derive(Debug)]
enum Task {
    Wake(Waker),
    /// Only to be dropped: both may be the last owners of something.
    Drop(#[expect(dead_code, reason = "it is there to be dropped")] Message),
    DropHolder(#[expect(dead_code, reason = "it is there to be dropped")] Box<dyn Any + Send>),
    Notify(Arc<Notify>),
    Report(Report),
    Forget(#[expect(dead_code, reason = "it is there to be dropped")] Waker),
}

impl DeferredActions {
    pub(super) fn wake(&mut self, waker: Waker) {
        if self.wake.is_none() {
            self.wake = Some(waker);
        } else {
            self.more.push(Task::Wake(waker));
        }
    }

    /// Drops a waker without waking: it may be the last owner of its task.
    pub(super) fn forget(&mut self, waker: Waker) {
        self.more.push(Task::Forget(waker));
    }

    pub(super) fn drop(&mut self, message: Message) {
        if self.drop.is_none() {
            self.drop = Some(message);
        } else {
            self.more.push(Task::Drop(message));
        }
    }

    /// Drops something that holds messages or wakers.
    pub(super) fn drop_holder(&mut self, holder: impl Any + Send) {
        self.more.push(Task::DropHolder(Box::new(holder)));
    }

    /// Passes on what happened to a consumer.
    pub(super) fn report(&mut self, report: Report) {
        self.more.push(Task::Report(report));
    }

    /// Tells all who wait for it.
    pub(super) fn notify(&mut self, waiting: &Arc<Notify>) {
        self.more.push(Task::Notify(Arc::clone(waiting)));
    }
}

impl Drop for DeferredActions {
    fn drop(&mut self) {
        if let Some(waker) = self.wake.take() {
            waker.wake();
        }
        if self.more.is_empty() {
            return;
        }
        for task in std::mem::take(&mut self.more) {
            match task {
                Task::Wake(waker) => waker.wake(),
                Task::Notify(waiting) => waiting.notify_waiters(),
                Task::Report(report) => report.tell(),
                Task::Drop(_) | Task::DropHolder(_) | Task::Forget(_) => {}
            }
        }
    }
}
