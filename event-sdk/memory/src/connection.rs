//! `Connection`: one handle to shared streams with its phase (open, draining, closed); drain
//! and close.

use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::future::{Either, select};
use tokio::sync::Notify;

use super::ack_pending::{ConnectionId, Counts};
use super::deferred_actions::DeferredActions;
use super::phase::Phase;
use super::stream::MemoryStream;
use super::streams::Streams;
use event_sdk_core::transport::{Completion, Drained, Error};

/// One way to the streams: what is published, subscribed to and settled through
/// one transport and its clones.
#[derive(Debug)]
pub(super) struct Connection {
    id: ConnectionId,
    streams: Arc<Streams>,
    phase: Phase,
    /// Held while it goes from one phase to another.
    ending: Mutex<Ending>,
    /// Told when a delivery may have been settled, and when it was closed.
    progress: Arc<Notify>,
}

/// How far it has come to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ending {
    Open,
    Draining,
    Closed(Drained),
}

impl Connection {
    pub(super) fn new(id: ConnectionId, streams: Arc<Streams>) -> Self {
        Self {
            id,
            streams,
            phase: Phase::open(),
            ending: Mutex::new(Ending::Open),
            progress: Arc::default(),
        }
    }

    pub(super) fn id(&self) -> ConnectionId {
        self.id
    }

    pub(super) fn streams(&self) -> &Arc<Streams> {
        &self.streams
    }

    /// What may still be done through it.
    pub(super) fn phase(&self) -> &Phase {
        &self.phase
    }

    /// Ends everything but what is outstanding, and waits for that.
    pub(super) fn drain(self: &Arc<Self>, within: Duration) -> Completion<Result<Drained, Error>> {
        let deadline = self.streams.clock().monotonic().saturating_add(within);
        self.begin_drain();
        if let Some(drained) = self.end_drain_at(deadline) {
            return Completion::ready(Ok(drained));
        }
        let this = Arc::clone(self);
        Completion::later(async move { Ok(this.wait(deadline).await) })
    }

    async fn wait(&self, deadline: Duration) -> Drained {
        let mut over = self.streams.clock().sleep_until(deadline);
        loop {
            let mut progress = pin!(self.progress.notified());
            // From here on nothing is missed.
            progress.as_mut().enable();
            if let Some(drained) = self.end_drain_at(deadline) {
                return drained;
            }
            if let Either::Right(_) = select(progress, &mut over).await {
                return self.end_drain();
            }
        }
    }

    fn begin_drain(&self) {
        // Declared before the guard, so dropped after it.
        let mut after = DeferredActions::default();
        let mut ending = self.ending();
        if *ending != Ending::Open {
            return;
        }
        *ending = Ending::Draining;
        self.phase.begin_drain();
        self.end_listening(&mut after);
        for stream in self.streams.list().iter() {
            stream.begin_drain(self.id, &self.progress, &mut after);
        }
    }

    /// Closes it if nothing is outstanding any more, or the time is over; what became
    /// of everything.
    fn end_drain_at(&self, deadline: Duration) -> Option<Drained> {
        let streams = self.streams.list();
        let pending = streams.iter().any(|stream| stream.held_by(self.id) > 0);
        let over = self.streams.clock().monotonic() >= deadline;
        let closed = matches!(*self.ending(), Ending::Closed(_));
        (closed || over || !pending).then(|| self.end_drain())
    }

    /// Gives back what is outstanding, and closes.
    fn end_drain(&self) -> Drained {
        let mut after = DeferredActions::default();
        let mut ending = self.ending();
        if let Ending::Closed(drained) = *ending {
            return drained;
        }
        self.phase.close();
        let ended = |stream: &Arc<MemoryStream>| stream.end_drain(self.id, &mut after);
        let drained = count(self.streams.list().iter().map(ended));
        *ending = Ending::Closed(drained);
        self.streams.leave(&mut after);
        after.notify(&self.progress);
        drained
    }

    /// Ends everything.
    pub(super) fn close(&self) {
        let mut after = DeferredActions::default();
        let mut ending = self.ending();
        if let Ending::Closed(_) = *ending {
            return;
        }
        self.phase.close();
        self.end_listening(&mut after);
        let closed = |stream: &Arc<MemoryStream>| stream.close_connection(self.id, &mut after);
        let counts: Vec<Counts> = self.streams.list().iter().map(closed).collect();
        *ending = Ending::Closed(match *ending {
            Ending::Draining => count(counts.into_iter()),
            _ => Drained::default(),
        });
        self.streams.leave(&mut after);
        after.notify(&self.progress);
    }

    /// Wakes those who listen to advisories, to find out that they do no more.
    fn end_listening(&self, after: &mut DeferredActions) {
        for waker in self.streams.desk().waiting() {
            after.wake(waker);
        }
    }

    fn ending(&self) -> MutexGuard<'_, Ending> {
        self.ending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn count(counts: impl Iterator<Item = Counts>) -> Drained {
    counts.fold(Drained::default(), |drained, counts| Drained {
        settled: drained.settled + counts.settled,
        given_back: drained.given_back + counts.lapsed,
    })
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.close();
    }
}
