//! `FaultySettle`: settles one delivery, or loses its acknowledgement, or delivers it again.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use event_sdk::transport::{
    Completion, Error, ErrorKind, Operation, Received, Settle, Settlement, Settler,
};

use super::Fault;
use super::injector::{Injector, never};
use super::line::Line;

/// The settler of one delivery.
pub(super) struct FaultySettle {
    inner: Settler,
    injector: Injector,
    /// Where it comes again; gone with the subscription.
    line: Weak<Line>,
    /// The delivery, without a settler.
    copy: Received,
    message: String,
    /// Whether it was acknowledged on the transport already, and comes again by a fault.
    again: bool,
    /// A second settlement has no effect.
    settled: AtomicBool,
}

impl FaultySettle {
    pub(super) fn new(
        inner: Settler,
        injector: Injector,
        line: &Arc<Line>,
        copy: Received,
        message: String,
    ) -> Self {
        Self {
            inner,
            injector,
            line: Arc::downgrade(line),
            copy,
            message,
            again: false,
            settled: AtomicBool::new(false),
        }
    }

    /// Delivers it once more, after this time.
    fn deliver_again(&self, after: Duration) {
        let Some(line) = self.line.upgrade() else {
            return;
        };
        let mut next = copy_of(&self.copy);
        let sequence = next.info.sequence.unwrap_or_default();
        line.count(sequence);
        next.info.attempt = next.info.attempt.saturating_add(1);
        let sink = Self {
            inner: self.inner.clone(),
            injector: self.injector.clone(),
            line: Weak::clone(&self.line),
            copy: copy_of(&next),
            message: self.message.clone(),
            again: true,
            settled: AtomicBool::new(false),
        };
        next.settler = Some(Settler::new(Arc::new(sink), sequence));
        let now = self.injector.faults().clock.monotonic();
        line.add(now.saturating_add(after), next);
    }

    fn ack(&self, settlement: Settlement) -> Completion<Result<(), Error>> {
        let confirmed = settlement != Settlement::Ack;
        if self.injector.injects(Fault::Crash, &self.message) {
            self.injector.crash();
            return never();
        }
        if let Some(part) = self.injector.fraction(Fault::LostAck, &self.message) {
            if !confirmed {
                return Completion::ready(Ok(()));
            }
            let error = Error::new(
                ErrorKind::Timeout,
                Operation::Settle,
                "an injected fault: the confirmation did not come",
            );
            let error = error.with_unknown_outcome();
            if part < 0.5 {
                return Completion::ready(Err(error));
            }
            let acknowledging = self.inner.settle(settlement);
            return Completion::later(async move {
                acknowledging.await?;
                Err(error)
            });
        }
        // One that came again does so once, whatever the rate.
        if !confirmed && !self.again {
            if self.injector.injects(Fault::Duplicate, &self.message) {
                self.deliver_again(Duration::ZERO);
            } else if let Some(part) = self.injector.fraction(Fault::Redelivered, &self.message) {
                self.deliver_again(self.injector.rates().delay_limit().mul_f64(part));
            }
        }
        self.inner.settle(settlement)
    }
}

impl Settle for FaultySettle {
    fn settle(&self, _: u64, settlement: Settlement) -> Completion<Result<(), Error>> {
        if self.injector.is_dead() {
            return never();
        }
        let first =
            settlement == Settlement::InProgress || !self.settled.swap(true, Ordering::AcqRel);
        match settlement {
            Settlement::Ack | Settlement::AckConfirmed | Settlement::TermConfirmed(_) if first => {
                self.ack(settlement)
            }
            // The transport knows nothing of this delivery.
            Settlement::Nak(delay) if self.again => {
                if first {
                    self.deliver_again(delay);
                }
                Completion::ready(Ok(()))
            }
            settlement => self.inner.settle(settlement),
        }
    }
}

/// The same delivery without its settler.
pub(super) fn copy_of(received: &Received) -> Received {
    Received {
        subject: received.subject.clone(),
        headers: received.headers.clone(),
        body: received.body.clone(),
        info: received.info.clone(),
        settler: None,
    }
}
