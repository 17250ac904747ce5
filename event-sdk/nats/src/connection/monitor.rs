//! `ConnectionMonitor`: collects connection events and server errors, and decides the phase
//! (connected, disconnected, draining, ended).

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use async_nats::{ClientError, ConnectErrorKind, Event, ServerError};
use jiff::Timestamp;
use tokio::sync::{broadcast, watch};

use super::{
    ConnectionListener, ConnectionState, ConnectionWatch, Denial, DisconnectReason, Phase, Unasked,
    is_about_credentials,
};
use event_sdk_core::shown::Shown;
use event_sdk_core::transport::{
    ConnectionStatus, Disconnect, Error, ErrorKind, LinkState, Operation,
};

/// Collects the events of both connections, and keeps their state.
pub(crate) struct ConnectionMonitor {
    /// The state of async-nats's connection.
    state: watch::Sender<ConnectionState>,
    /// The state of both connections, as users see it.
    shown: watch::Sender<ConnectionState>,
    /// Why there is no connection for deliveries, if one is needed.
    deliveries: Mutex<Option<DisconnectReason>>,
    denials: broadcast::Sender<Denial>,
    /// When a connection was last lost, and the latest reason.
    last: Mutex<Option<Disconnect>>,
    /// Since when there is no connection, and why.
    lost: Mutex<Option<(Instant, DisconnectReason)>>,
    /// When the connection was made, and how many short-lived connections preceded it.
    made: Mutex<Made>,
    phase: watch::Sender<Phase>,
    /// Why the connection ended, if the caller did not end it.
    unasked: OnceLock<Unasked>,
    /// Whether the tokio runtime in which it was made has ended.
    lost_runtime: AtomicBool,
    listeners: Mutex<Vec<Arc<dyn ConnectionListener>>>,
}

/// The durations of connections.
#[derive(Debug, Default)]
struct Made {
    at: Option<Instant>,
    /// The same by the clock of this machine.
    at_wall: Option<Timestamp>,
    short_lived: u32,
    /// How many connections there have been.
    count: u64,
}

/// A connection that is lost sooner counts as short-lived.
const LASTING: Duration = Duration::from_secs(5);

impl Made {
    fn lost(&mut self, now: Instant) {
        let Some(at) = self.at.take() else { return };
        if now.saturating_duration_since(at) < LASTING {
            self.short_lived = self.short_lived.saturating_add(1);
        } else {
            self.short_lived = 0;
        }
    }
}

/// Maximum number of characters of a server's text in a log line.
const MAX_TEXT: usize = 500;

/// Capacity of the channel of denials.
const DENIALS: usize = 64;

impl ConnectionMonitor {
    pub(crate) fn new() -> Self {
        Self {
            state: watch::Sender::new(ConnectionState::Connected),
            shown: watch::Sender::new(ConnectionState::Connected),
            deliveries: Mutex::new(None),
            denials: broadcast::Sender::new(DENIALS),
            last: Mutex::new(None),
            lost: Mutex::new(None),
            made: Mutex::new(Made::default()),
            phase: watch::Sender::new(Phase::Open),
            unasked: OnceLock::new(),
            lost_runtime: AtomicBool::new(false),
            listeners: Mutex::new(Vec::new()),
        }
    }

    pub(crate) fn watch(&self) -> ConnectionWatch {
        ConnectionWatch(self.state.subscribe())
    }

    /// The state of this connection and of that for deliveries: connected if both are.
    pub(crate) fn watch_both(&self) -> ConnectionWatch {
        ConnectionWatch(self.shown.subscribe())
    }

    /// The state of both connections, and when one of them was last missing.
    pub(crate) fn status(&self) -> ConnectionStatus {
        let mut status = ConnectionStatus::new(match *self.shown.borrow() {
            ConnectionState::Connected => LinkState::Connected,
            ConnectionState::Disconnected { .. } => LinkState::Disconnected,
            ConnectionState::Closed => LinkState::Closed,
        });
        status.last_disconnect.clone_from(&lock(&self.last));
        let made = lock(&self.made);
        status.connected_at = made.at.and(made.at_wall);
        status
    }

    /// The connection for deliveries was lost for this reason; `None`: there is one, or none is
    /// needed.
    pub(crate) fn hear_deliveries(&self, lost: Option<DisconnectReason>) {
        *lock(&self.deliveries) = lost;
        self.show();
    }

    /// Permission violations that the server reports from now on.
    pub(crate) fn denials(&self) -> broadcast::Receiver<Denial> {
        self.denials.subscribe()
    }

    /// Adds a listener; `false` if the connection has already ended.
    pub(crate) fn add(&self, listener: Arc<impl ConnectionListener + 'static>) -> bool {
        let mut listeners = lock(&self.listeners);
        let open = *self.phase.borrow() < Phase::Confirming;
        if open {
            listeners.push(listener);
        }
        open
    }

    /// Whether new operations are accepted.
    pub(crate) fn is_open(&self) -> bool {
        *self.phase.borrow() == Phase::Open
    }

    /// Refuses new operations except publishing.
    pub(crate) fn begin_drain(&self) {
        self.go_to(Phase::Draining);
    }

    /// Refuses publishing too.
    pub(crate) fn end_publishing(&self) {
        let listeners = lock(&self.listeners);
        self.go_to(Phase::Confirming);
        for listener in &*listeners {
            listener.end_publishing();
        }
    }

    /// Whether new publishes are accepted.
    pub(crate) fn accepts_publishes(&self) -> bool {
        *self.phase.borrow() < Phase::Confirming
    }

    /// Whether the client should reconnect.
    pub(crate) fn is_wanted(&self) -> bool {
        *self.phase.borrow() != Phase::Ended
    }

    /// How many connections in a row were lost within a moment. Each counts as a failed round of
    /// attempts, so that the waits grow although the client counts from one again.
    pub(crate) fn short_lived(&self) -> u32 {
        lock(&self.made).short_lived
    }

    /// How many connections to a server there have been.
    pub(crate) fn connections(&self) -> u64 {
        lock(&self.made).count
    }

    /// A watch on the phase of the transport.
    pub(crate) fn phase(&self) -> watch::Receiver<Phase> {
        self.phase.subscribe()
    }

    /// Moves forward to this phase; `false` if it was already reached.
    fn go_to(&self, phase: Phase) -> bool {
        self.phase.send_if_modified(|current| {
            let goes_on = *current < phase;
            *current = phase.max(*current);
            goes_on
        })
    }

    /// Ends the transport; `false` if it had already ended.
    pub(crate) fn end(&self) -> bool {
        let listeners = {
            let mut listeners = lock(&self.listeners);
            if !self.go_to(Phase::Ended) {
                return false;
            }
            std::mem::take(&mut *listeners)
        };
        for listener in listeners {
            listener.end();
        }
        true
    }

    /// The error of a refused operation, with the reason.
    pub(crate) fn refusal(&self, operation: Operation) -> Error {
        if let Some(why) = self.unasked.get() {
            why.error(operation)
        } else if *self.phase.borrow() == Phase::Draining {
            Error::draining(operation)
        } else {
            Error::closed(operation)
        }
    }

    /// Whether the caller has started a drain or close, as opposed to an end by failed reconnects.
    pub(crate) fn was_told_to_end(&self) -> bool {
        !self.is_open() && self.unasked.get().is_none()
    }

    /// Why the connection has ended, if the caller did not end it.
    pub(crate) fn failure(&self) -> Option<Error> {
        (!self.was_told_to_end()).then(|| self.unasked(Operation::Subscribe))
    }

    /// Why it has ended without being asked to.
    pub(crate) fn unasked(&self, operation: Operation) -> Error {
        // The client may have ended before that was noticed.
        let why = self.unasked.get().unwrap_or(&Unasked::ClientEnded);
        why.error(operation)
    }

    /// The connection has ended for good without being asked to.
    pub(crate) fn end_unasked(&self, why: Unasked) {
        if self.is_wanted() {
            tracing::error!(target: crate::TRACING_TARGET, "the connection to NATS has ended: {}", why.reason());
            // The first reason stays.
            let _ = self.unasked.set(why);
            self.end();
        }
        self.closed();
    }

    /// The tokio runtime in which the connection was made has ended, and its tasks with it.
    pub(crate) fn lose_runtime(&self) {
        self.lost_runtime.store(true, Ordering::Release);
        self.end_unasked(Unasked::RuntimeEnded);
    }

    /// Whether the connection's runtime has ended, so that its timers and tasks do not run.
    pub(crate) fn has_lost_runtime(&self) -> bool {
        self.lost_runtime.load(Ordering::Acquire)
    }

    /// The connection has ended for good.
    pub(crate) fn closed(&self) {
        self.set(ConnectionState::Closed);
    }

    /// The error of an operation that waited this long for a connection.
    pub(crate) fn disconnected(&self, operation: Operation, waited: Duration) -> Error {
        let lost = *lock(&self.lost);
        let (_, reason) = lost.unwrap_or((Instant::now(), DisconnectReason::Lost));
        let (kind, advice) = match reason {
            DisconnectReason::Unauthenticated => (
                ErrorKind::Unauthenticated,
                "renew them; they are tried again meanwhile",
            ),
            DisconnectReason::Tls => (ErrorKind::Tls, "look at the certificates on both sides"),
            DisconnectReason::Lost | DisconnectReason::Unreachable => {
                (ErrorKind::Disconnected, "try again")
            }
        };
        Error::new(
            kind,
            operation,
            format!("{reason}, and there was no connection within {waited:?}; {advice}"),
        )
    }

    /// Updates the state from the client's, because an event may be lost. Returns for how long
    /// there has been no connection.
    pub(crate) fn reconcile(&self, connected: bool, now: Instant) -> Duration {
        let mut lost = lock(&self.lost);
        if connected {
            if lost.take().is_some() {
                self.set(ConnectionState::Connected);
            }
            return Duration::ZERO;
        }
        let (since, reason) = *lost.get_or_insert((now, DisconnectReason::Lost));
        self.set(ConnectionState::Disconnected { reason });
        now.saturating_duration_since(since)
    }

    /// Handles an event of the client.
    pub(crate) fn hear(&self, event: &Event) {
        match event {
            Event::Connected => {
                tracing::info!(target: crate::TRACING_TARGET, "connected to NATS");
                let now = Instant::now();
                {
                    let mut made = lock(&self.made);
                    made.at = Some(now);
                    made.at_wall = Some(Timestamp::now());
                    made.count += 1;
                }
                self.reconcile(true, now);
                for listener in &*lock(&self.listeners) {
                    listener.connected();
                }
            }
            Event::Disconnected => {
                tracing::warn!(target: crate::TRACING_TARGET, "the connection to NATS was lost");
                let now = Instant::now();
                lock(&self.made).lost(now);
                self.reconcile(false, now);
                for listener in &*lock(&self.listeners) {
                    listener.disconnected();
                }
            }
            Event::LameDuckMode => {
                tracing::info!(target: crate::TRACING_TARGET, "the NATS server is about to stop; it will move its clients");
            }
            Event::Draining => {}
            Event::Closed => self.closed(),
            Event::SlowConsumer(subscription) => tracing::warn!(target: crate::TRACING_TARGET,
                subscription,
                "a subscription was too slow, and the client dropped a message for it"
            ),
            Event::ServerError(error) => self.hear_server(error),
            Event::ClientError(ClientError::MaxReconnects) => {
                self.end_unasked(Unasked::GivenUp);
            }
            Event::ClientError(ClientError::Other(error)) => self.hear_attempt(error),
            Event::ClientError(error) => {
                tracing::warn!(target: crate::TRACING_TARGET, %error, "the NATS client reports an error");
            }
        }
    }

    fn hear_server(&self, error: &ServerError) {
        let text = match error {
            ServerError::Other(text) => text.as_str(),
            ServerError::AuthorizationViolation => "Authorization Violation",
            ServerError::SlowConsumer(_) => "Slow Consumer",
        };
        if let Some(denial) = Denial::parse(text) {
            self.hear_denial(denial);
            return;
        }
        let error = Shown(text, MAX_TEXT);
        tracing::warn!(target: crate::TRACING_TARGET, %error, "the NATS server reports an error");
        if is_about_credentials(text) {
            self.note(DisconnectReason::Unauthenticated);
        }
    }

    /// The server reported a permission violation, on either connection.
    pub(crate) fn hear_denial(&self, denial: Denial) {
        let text = format!("{denial:?}");
        let denial_shown = Shown(&text, MAX_TEXT);
        tracing::warn!(target: crate::TRACING_TARGET, denial = %denial_shown, "the NATS server denies a permission");
        for listener in &*lock(&self.listeners) {
            listener.denied(&denial);
        }
        // There may be no receiver.
        let _ = self.denials.send(denial);
    }

    /// An attempt to connect has failed.
    fn hear_attempt(&self, error: &str) {
        // async-nats reports only the text of the kind.
        use ConnectErrorKind as Kind;
        let is = |kind: Kind| error == kind.to_string();
        let reason = if is(Kind::AuthorizationViolation) || is(Kind::Authentication) {
            DisconnectReason::Unauthenticated
        } else if is(Kind::Tls) {
            DisconnectReason::Tls
        } else {
            DisconnectReason::Unreachable
        };
        let error = Shown(error, MAX_TEXT);
        tracing::warn!(target: crate::TRACING_TARGET, %error, "an attempt to connect to NATS failed");
        self.note(reason);
    }

    /// Stores the reason why there is no connection. `Lost` does not replace `Unauthenticated`,
    /// which has a remedy.
    fn note(&self, reason: DisconnectReason) {
        let mut lost = lock(&self.lost);
        let (since, known) = lost.unwrap_or((Instant::now(), DisconnectReason::Lost));
        let reason = match (known, reason) {
            (DisconnectReason::Unauthenticated, DisconnectReason::Lost) => known,
            _ => reason,
        };
        *lost = Some((since, reason));
        if *self.state.borrow() != ConnectionState::Connected {
            self.set(ConnectionState::Disconnected { reason });
        }
    }

    fn set(&self, state: ConnectionState) {
        self.state.send_if_modified(|current| {
            if *current == state || *current == ConnectionState::Closed {
                return false;
            }
            *current = state;
            true
        });
        self.show();
    }

    /// Updates the public state from both connections.
    fn show(&self) {
        let deliveries = lock(&self.deliveries);
        let state = self.state.borrow().clone();
        let state = match (state, *deliveries) {
            (ConnectionState::Connected, Some(reason)) => ConnectionState::Disconnected { reason },
            (state, _) => state,
        };
        self.shown.send_if_modified(|shown| {
            let changes = *shown != state;
            if let (true, ConnectionState::Disconnected { reason }) = (changes, &state) {
                let mut last = lock(&self.last);
                let known = last.take().filter(|_| *shown != ConnectionState::Connected);
                let at = known.map_or_else(Timestamp::now, |known| known.at);
                *last = Some(Disconnect::new(at, reason.to_string()));
            }
            *shown = state;
            changes
        });
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    // No code under this lock panics.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl fmt::Debug for ConnectionMonitor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConnectionMonitor")
            .field("state", &*self.state.borrow())
            .finish_non_exhaustive()
    }
}
