//! `Shared`: what subscriptions and the task of the connection have in common.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, watch};

use super::link::{Link, LinkState};
use super::outgoing::{Departure, Outgoing, Pong};
use super::queue::Queue;

/// The state of the connection, from the point of view of its users.
#[derive(Debug)]
pub(crate) struct Shared {
    outgoing: Mutex<Outgoing>,
    /// Locked after `outgoing` where both are.
    subscriptions: Mutex<Subscriptions>,
    pub(super) link: Link,
    /// How many subscriptions and callers need a connection.
    pub(super) wanted: watch::Sender<usize>,
    /// How many members of groups are leaving them.
    pub(super) departing: Arc<watch::Sender<usize>>,
    /// Notified when settlements were written.
    pub(super) room: Notify,
}

#[derive(Debug, Default)]
struct Subscriptions {
    all: HashMap<u64, Entry>,
    last: u64,
}

#[derive(Debug)]
struct Entry {
    subject: String,
    group: Option<String>,
    queue: Arc<Queue>,
    /// Whether the server was told to send nothing more.
    left: bool,
}

impl Shared {
    pub(super) fn new() -> Self {
        Self {
            outgoing: Mutex::new(Outgoing::new()),
            subscriptions: Mutex::default(),
            link: Link::new(),
            wanted: watch::Sender::new(0),
            departing: Arc::new(watch::Sender::new(0)),
            room: Notify::new(),
        }
    }

    pub(super) fn outgoing(&self) -> MutexGuard<'_, Outgoing> {
        // Nothing in here panics half way.
        self.outgoing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn subscriptions(&self) -> MutexGuard<'_, Subscriptions> {
        self.subscriptions
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Subscribes, now and on each connection that follows.
    pub(super) fn subscribe(
        &self,
        subject: String,
        group: Option<String>,
        most_bytes: usize,
    ) -> (u64, Arc<Queue>) {
        let queue = Arc::new(Queue::new(most_bytes));
        let mut outgoing = self.outgoing();
        let mut subscriptions = self.subscriptions();
        subscriptions.last += 1;
        let sid = subscriptions.last;
        outgoing.subscribe(&subject, group.as_deref(), sid);
        if outgoing.has_ended() {
            queue.end();
        }
        let entry = Entry {
            subject,
            group,
            queue: Arc::clone(&queue),
            left: false,
        };
        subscriptions.all.insert(sid, entry);
        drop((subscriptions, outgoing));
        self.want();
        (sid, queue)
    }

    /// Tells the server to send nothing more; what it has sent before is still taken.
    pub(super) fn unsubscribe(&self, sid: u64) {
        let mut outgoing = self.outgoing();
        let mut subscriptions = self.subscriptions();
        if let Some(entry) = subscriptions.all.get_mut(&sid)
            && !std::mem::replace(&mut entry.left, true)
        {
            outgoing.unsubscribe(sid);
            if entry.group.is_some() {
                outgoing.ping(Pong::Departed(Departure::begin(&self.departing)));
            }
        }
    }

    /// Ends a subscription at once.
    pub(super) fn forget(&self, sid: u64) {
        self.unsubscribe(sid);
        if self.subscriptions().all.remove(&sid).is_some() {
            self.want_no_more();
        }
    }

    /// One more needs a connection.
    pub(super) fn want(&self) {
        self.wanted.send_modify(|wanted| *wanted += 1);
    }

    /// One needs none any more.
    pub(super) fn want_no_more(&self) {
        self.wanted
            .send_modify(|wanted| *wanted = wanted.saturating_sub(1));
    }

    /// There is a new connection: subscribes again.
    pub(super) fn connect(&self) {
        let mut outgoing = self.outgoing();
        outgoing.connect();
        let subscriptions = self.subscriptions();
        for (sid, entry) in subscriptions.all.iter().filter(|(_, entry)| !entry.left) {
            outgoing.subscribe(&entry.subject, entry.group.as_deref(), *sid);
        }
    }

    /// Tells the server to send nothing more to any subscription on this connection.
    pub(super) fn leave_all(&self) {
        let mut outgoing = self.outgoing();
        let subscriptions = self.subscriptions();
        for (sid, _) in subscriptions.all.iter().filter(|(_, entry)| !entry.left) {
            outgoing.unsubscribe(*sid);
        }
    }

    /// Where the messages of a subscription go.
    pub(super) fn queue(&self, sid: u64) -> Option<Arc<Queue>> {
        let subscriptions = self.subscriptions();
        let entry = subscriptions.all.get(&sid)?;
        Some(Arc::clone(&entry.queue))
    }

    /// There will be no connection any more.
    pub(super) fn end(&self) {
        self.outgoing().end();
        for entry in self.subscriptions().all.values() {
            entry.queue.end();
        }
        self.link.set(LinkState::Ended);
        self.room.notify_waiters();
    }
}
