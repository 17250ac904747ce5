//! `Activity`: whether a consumer has anything to do in this process, for
//! [`Consumers::idle`](super::Consumers::idle); its durables, how many events have ended, and what it is denied,
//! for its monitor.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use event_sdk_core::text::Text;
use tokio::sync::watch;

use crate::observer::EventEnd;

/// What one consumer does.
#[derive(Debug)]
pub(super) struct Activity {
    engines: watch::Sender<Engines>,
    /// Its durables, each with its stream.
    durables: Mutex<Vec<(Text, Text)>>,
    handled: AtomicU64,
    ended: AtomicU64,
    /// The error of a request that the server denies to the consumer.
    denied: Mutex<Option<Text>>,
}

/// The engines of a consumer: one, or one for each partition that this process owns.
#[derive(Debug, Clone, Copy, Default)]
struct Engines {
    /// Whether the consumer has started.
    started: bool,
    /// How many hold or settle an event, or have not asked their subscriptions in vain.
    busy: usize,
}

impl Engines {
    fn are_idle(self) -> bool {
        self.started && self.busy == 0
    }
}

impl Activity {
    /// That of a consumer that has not started.
    pub(super) fn new() -> Self {
        Self {
            engines: watch::Sender::new(Engines::default()),
            durables: Mutex::default(),
            handled: AtomicU64::new(0),
            ended: AtomicU64::new(0),
            denied: Mutex::default(),
        }
    }

    /// It receives from this durable on this stream, here or in another instance.
    pub(super) fn receives_from(&self, stream: Text, durable: Text) {
        let mut durables = self.durables.lock().unwrap_or_else(PoisonError::into_inner);
        let added = (stream, durable);
        if !durables.contains(&added) {
            durables.push(added);
        }
    }

    /// The consumer has started, and holds nothing so far.
    pub(super) fn started(&self) {
        self.engines.send_modify(|engines| engines.started = true);
    }

    /// An engine begins to have something to do; that of a new one begins so.
    pub(super) fn begins(&self) {
        self.engines.send_modify(|engines| {
            engines.started = true;
            engines.busy += 1;
        });
    }

    /// An engine that had something to do has nothing more to do.
    pub(super) fn rests(&self) {
        self.engines
            .send_modify(|engines| engines.busy = engines.busy.saturating_sub(1));
    }

    pub(super) fn is_idle(&self) -> bool {
        self.engines.borrow().are_idle()
    }

    /// An event has ended so.
    pub(super) fn counts(&self, end: EventEnd) {
        self.ended.fetch_add(1, Ordering::Relaxed);
        if end == EventEnd::Handled {
            self.handled.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// How many events were handled.
    pub(super) fn handled(&self) -> u64 {
        self.handled.load(Ordering::Relaxed)
    }

    /// How many events have ended, in whatever way.
    pub(super) fn ended(&self) -> u64 {
        self.ended.load(Ordering::Relaxed)
    }

    /// Its durables, each with its stream.
    pub(super) fn durables(&self) -> Vec<(Text, Text)> {
        let durables = self.durables.lock().unwrap_or_else(PoisonError::into_inner);
        durables.clone()
    }

    /// Sets the error of a request that the server denies to the consumer; `None` if it denies none.
    pub(super) fn set_denied(&self, why: Option<Text>) {
        *self.denied.lock().unwrap_or_else(PoisonError::into_inner) = why;
    }

    /// The error of a request that the server denies to the consumer.
    pub(super) fn denied(&self) -> Option<Text> {
        let denied = self.denied.lock().unwrap_or_else(PoisonError::into_inner);
        denied.clone()
    }

    /// Waits until it is idle.
    pub(super) async fn idle(&self) {
        let mut engines = self.engines.subscribe();
        // This value has the sender.
        let _ = engines.wait_for(|engines| engines.are_idle()).await;
    }
}
