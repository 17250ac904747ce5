//! `Activity`: whether a consumer has anything to do in this process, and the streams of its
//! durables, for [`Consumers::idle`](super::Consumers::idle).

use std::sync::{Mutex, PoisonError};

use event_sdk_core::text::Text;
use tokio::sync::watch;

/// What one consumer does.
#[derive(Debug)]
pub(super) struct Activity {
    /// Whether it holds no event, settles none, and has asked its subscriptions in vain.
    idle: watch::Sender<bool>,
    streams: Mutex<Vec<Text>>,
}

impl Activity {
    /// That of a consumer that has not started.
    pub(super) fn new() -> Self {
        Self {
            idle: watch::Sender::new(false),
            streams: Mutex::default(),
        }
    }

    /// It receives from its durables on these streams.
    pub(super) fn receives_from(&self, streams: impl Iterator<Item = Text>) {
        let mut of_consumer = self.streams.lock().unwrap_or_else(PoisonError::into_inner);
        *of_consumer = streams.collect();
    }

    pub(super) fn set_idle(&self, idle: bool) {
        self.idle.send_replace(idle);
    }

    pub(super) fn is_idle(&self) -> bool {
        *self.idle.borrow()
    }

    /// The streams of its durables.
    pub(super) fn streams(&self) -> Vec<Text> {
        let streams = self.streams.lock().unwrap_or_else(PoisonError::into_inner);
        streams.clone()
    }

    /// Waits until it is idle.
    pub(super) async fn idle(&self) {
        let mut idle = self.idle.subscribe();
        // This value has the sender.
        let _ = idle.wait_for(|idle| *idle).await;
    }
}
