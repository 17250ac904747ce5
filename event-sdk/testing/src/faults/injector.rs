//! `Injector`: decides about the faults of one connection, and whether its process has crashed.

use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use event_sdk::transport::Completion;

use super::{Fault, Faults, Injected, Rates};

/// Injects faults into the calls of one connection; see [`Faults`].
#[derive(Debug, Clone)]
pub struct Injector {
    faults: Faults,
    /// Whether the process at the other end of this connection has crashed.
    dead: Arc<AtomicBool>,
}

impl Injector {
    pub(super) fn new(faults: Faults) -> Self {
        Self {
            faults,
            dead: Arc::default(),
        }
    }

    /// Whether this fault is injected now; it is then in the log.
    pub(super) fn injects(&self, fault: Fault, message: &str) -> bool {
        self.fraction(fault, message).is_some()
    }

    /// Whether this fault is injected now, and a number in `0.0..1.0` that says how much.
    pub(super) fn fraction(&self, fault: Fault, message: &str) -> Option<f64> {
        let rate = self.rates().of(fault);
        // Not asked, the dice are the same as without this kind.
        if rate <= 0.0 || self.is_dead() {
            return None;
        }
        let roll = self.faults.shared.dice.roll(fault, message);
        (roll < rate).then(|| {
            self.faults.shared.log.add(Injected {
                fault,
                at: self.faults.clock.monotonic(),
                message: message.to_owned(),
            });
            roll / rate
        })
    }

    pub(super) fn rates(&self) -> &Rates {
        &self.faults.rates
    }

    pub(super) fn faults(&self) -> &Faults {
        &self.faults
    }

    pub(super) fn is_dead(&self) -> bool {
        self.dead.load(Ordering::Acquire)
    }

    /// The process ends here.
    pub(super) fn crash(&self) {
        self.dead.store(true, Ordering::Release);
        self.faults.shared.crash.notify_one();
    }
}

/// A process that has crashed sees no call complete.
pub(super) fn never<T: Send + 'static>() -> Completion<T> {
    Completion::later(pending())
}
