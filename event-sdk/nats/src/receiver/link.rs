//! `Link` and `LinkWatch`: whether there is a connection, and which one.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::watch;

use event_sdk_core::transport::ErrorKind;

/// The state of the connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum LinkState {
    /// No subscription has needed one.
    Idle,
    /// There is none; it is being made.
    Connecting {
        /// Why the last attempt failed, if one did.
        failure: Option<Failure>,
    },
    /// There is one: the first, the second, …
    Connected(u64),
    /// There will be none.
    Ended,
}

/// Why a connection could not be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) kind: ErrorKind,
    pub(crate) reason: String,
}

/// The side of the connection.
#[derive(Debug)]
pub(super) struct Link {
    state: watch::Sender<LinkState>,
    /// The number of the connection that there is; zero without one.
    number: Arc<AtomicU64>,
}

/// Shows the state, and waits for it to change.
#[derive(Debug, Clone)]
pub(crate) struct LinkWatch {
    state: watch::Receiver<LinkState>,
    number: Arc<AtomicU64>,
    /// The last connection that was seen.
    seen: u64,
}

impl Link {
    pub(super) fn new() -> Self {
        Self {
            state: watch::Sender::new(LinkState::Idle),
            number: Arc::default(),
        }
    }

    pub(super) fn set(&self, state: LinkState) {
        let number = match state {
            LinkState::Connected(number) => number,
            _ => 0,
        };
        self.number.store(number, Ordering::Release);
        self.state.send_replace(state);
    }

    pub(super) fn subscribe(&self) -> watch::Receiver<LinkState> {
        self.state.subscribe()
    }

    pub(super) fn watch(&self) -> LinkWatch {
        let mut watch = LinkWatch {
            state: self.subscribe(),
            number: Arc::clone(&self.number),
            seen: 0,
        };
        watch.see();
        watch
    }
}

impl LinkWatch {
    /// Whether there is a connection.
    pub(crate) fn is_connected(&self) -> bool {
        self.number.load(Ordering::Acquire) != 0
    }

    /// Whether there is the connection that was seen last: what was requested on another is
    /// lost.
    pub(crate) fn is_same(&self) -> bool {
        self.seen != 0 && self.number.load(Ordering::Acquire) == self.seen
    }

    /// Waits until there is another connection than the one that was seen last, and sees it.
    pub(crate) async fn reconnected(mut self) -> Self {
        let seen = self.seen;
        let other = |state: &LinkState| matches!(state, LinkState::Connected(n) if *n != seen);
        if self.state.wait_for(other).await.is_err() {
            std::future::pending::<()>().await;
        }
        self.see();
        self
    }

    /// Waits until the connection that was seen last is lost.
    pub(crate) async fn lost(&self) {
        let (mut state, seen) = (self.state.clone(), self.seen);
        let lost = |state: &LinkState| *state != LinkState::Connected(seen);
        // An error says that it has ended.
        let _ = state.wait_for(lost).await;
    }

    fn see(&mut self) {
        if let LinkState::Connected(number) = *self.state.borrow_and_update() {
            self.seen = number;
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    #[test]
    fn another_connection_is_told_from_the_same() {
        let link = Link::new();
        link.set(LinkState::Connected(1));
        let watch = link.watch();
        assert!(watch.is_same() && watch.is_connected());
        let mut reconnected = Box::pin(watch.clone().reconnected());
        assert!(reconnected.as_mut().now_or_never().is_none());
        link.set(LinkState::Connecting { failure: None });
        assert!(!watch.is_same() && !watch.is_connected());
        assert!(reconnected.as_mut().now_or_never().is_none());
        link.set(LinkState::Connected(2));
        assert!(!watch.is_same() && watch.is_connected());
        let watch = reconnected.now_or_never().unwrap();
        assert!(watch.is_same());
    }
}
