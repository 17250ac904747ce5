//! `Signals`: SIGTERM and SIGINT, of which the first is awaited and the second ends the process.
//!
//! Two flags of the process are changed by its signal handlers, which were registered in this order:
//! the signal ends the process if `EXITS` is set; then it sets `RECEIVED`, and then `EXITS`. While a
//! future exists and nothing was received, `EXITS` is not set.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::task::{Context, Poll};

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Whether the next signal ends the process.
static EXITS: AtomicBool = AtomicBool::new(true);

/// Whether a signal has arrived.
static RECEIVED: AtomicBool = AtomicBool::new(false);

/// How many futures exist.
static ALIVE: Mutex<usize> = Mutex::new(0);

/// What one future waits for.
pub(super) struct Signals {
    /// Empty if nothing can be registered: the signals then keep their effect.
    listeners: Vec<(&'static str, Signal)>,
    /// Dropped at the end of the future.
    _alive: Option<Alive>,
}

impl Signals {
    pub(super) fn new() -> Self {
        match register_once().and_then(|()| listen()) {
            Ok(listeners) => Self {
                listeners,
                _alive: Some(Alive::new()),
            },
            Err(error) => {
                tracing::error!(
                    target: crate::TRACING_TARGET,
                    "SIGTERM and SIGINT cannot be awaited, and end the process at once: {error}"
                );
                Self {
                    listeners: Vec::new(),
                    _alive: None,
                }
            }
        }
    }

    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        for (name, listener) in &mut self.listeners {
            if listener.poll_recv(cx).is_ready() {
                tracing::info!(
                    target: crate::TRACING_TARGET,
                    "received {name}; a second signal ends the process at once"
                );
                return Poll::Ready(());
            }
        }
        // An earlier future has received it.
        if RECEIVED.load(Ordering::SeqCst) && !self.listeners.is_empty() {
            return Poll::Ready(());
        }
        Poll::Pending
    }
}

/// A future that exists.
struct Alive;

impl Alive {
    fn new() -> Self {
        let mut alive = ALIVE.lock().unwrap_or_else(PoisonError::into_inner);
        *alive += 1;
        EXITS.store(false, Ordering::SeqCst);
        // A signal that arrived before, or since the line above, has set both.
        if RECEIVED.load(Ordering::SeqCst) {
            EXITS.store(true, Ordering::SeqCst);
        }
        Self
    }
}

impl Drop for Alive {
    fn drop(&mut self) {
        let mut alive = ALIVE.lock().unwrap_or_else(PoisonError::into_inner);
        *alive -= 1;
        if *alive == 0 {
            EXITS.store(true, Ordering::SeqCst);
        }
    }
}

fn listen() -> std::io::Result<Vec<(&'static str, Signal)>> {
    Ok(vec![
        ("SIGTERM", signal(SignalKind::terminate())?),
        ("SIGINT", signal(SignalKind::interrupt())?),
    ])
}

/// Registers the handlers, once in a process.
fn register_once() -> std::io::Result<()> {
    static REGISTERED: OnceLock<Result<(), std::io::ErrorKind>> = OnceLock::new();
    let register = || {
        for (number, status) in [(SIGTERM, 143), (SIGINT, 130)] {
            flag::register_conditional_shutdown(number, status, &EXITS)?;
            flag::register(number, &RECEIVED)?;
            flag::register(number, &EXITS)?;
        }
        Ok(())
    };
    let registered =
        REGISTERED.get_or_init(|| register().map_err(|error: std::io::Error| error.kind()));
    (*registered).map_err(Into::into)
}
