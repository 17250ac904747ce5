//! The engine at the gate of the process: its handlers run beside those of other consumers, and
//! suspects, whose handler may have ended the process, run alone.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::future::{Either, select};

use super::entry::State;
use super::start::{LayersAlone, May};
use super::{Boxed, Engine};
use crate::process_gate::{Exclude, ProcessGate, Share, WaitForShare};

/// The place of an engine at the gate of the process.
pub(super) struct Gate {
    process: Arc<ProcessGate>,
    /// Held while handlers run beside others.
    share: Option<Share>,
    /// The place in the queue for a share.
    place: Option<WaitForShare>,
    suspects: Vec<Suspect>,
    /// When others no longer wait for the one that runs alone, if it has no time limit.
    alone_until: Option<Duration>,
}

/// An event that waits until it can run alone in the process.
struct Suspect {
    id: usize,
    /// `None` while it pauses, since it has waited in vain.
    exclude: Option<Exclude>,
    /// When it gives up the wait for a while, or ends its pause.
    until: Duration,
    /// Whether its start is recorded; otherwise the records cannot be reached.
    recorded: bool,
}

/// How long a suspect waits until it can run alone, before others go on. A handler that never ends
/// must not stop all others of the process.
pub(super) const WAIT_ALONE: Duration = Duration::from_secs(60);

/// How long it then waits before it tries again.
const PAUSE_ALONE: Duration = Duration::from_secs(30);

/// How long a handler without a time limit runs alone, before others run beside it.
const MAX_ALONE: Duration = Duration::from_secs(300);

/// How long others wait at most until it is recorded that they run beside a handler.
const BESIDE_WITHIN: Duration = Duration::from_secs(10);

impl Gate {
    pub(super) fn new(process: Arc<ProcessGate>) -> Self {
        Self {
            process,
            share: None,
            place: None,
            suspects: Vec::new(),
            alone_until: None,
        }
    }

    /// All handlers that could start have started: one that waits to run alone is next.
    pub(super) fn has_started(&mut self) {
        self.place = None;
    }

    /// Whether no event waits to run alone.
    pub(super) fn suspects_nobody(&self) -> bool {
        self.suspects.is_empty()
    }

    /// The suspects are given back.
    pub(super) fn suspect_nobody(&mut self) {
        self.suspects.clear();
    }
}

impl Engine {
    /// Whether handlers may start beside those of the whole process; otherwise the engine is woken
    /// when they may.
    pub(super) fn may_run_beside(&mut self, cx: &mut Context<'_>) -> bool {
        let runs = self.running() > 0;
        let gate = &mut self.recorder.gate;
        if gate.share.is_some() {
            if !gate.process.is_closed() {
                return true;
            }
            if !runs {
                gate.share = None;
            }
        }
        loop {
            if gate.share.is_none() {
                gate.share = gate.process.try_share();
                if gate.share.is_some() {
                    return true;
                }
            }
            if let Some(place) = &gate.place {
                place.set_waker(cx.waker());
                return false;
            }
            gate.place = gate.process.wait_for_share(cx.waker());
            if gate.place.is_none() && gate.share.is_some() {
                return true;
            }
        }
    }

    /// Lets others run alone while no handler of this consumer runs.
    pub(super) fn leave_gate(&mut self) {
        if self.running() == 0 {
            self.recorder.gate.share = None;
        }
    }

    /// The event may have ended the process: it runs as soon as nothing else does.
    pub(super) fn suspect(&mut self, id: usize, recorded: bool) {
        let until = self.now.saturating_add(WAIT_ALONE);
        let Some(entry) = self.held.get_mut(id) else {
            return;
        };
        entry.state = State::Suspect;
        if recorded {
            let delivery = entry.held.delivery();
            tracing::warn!(
                target: crate::TRACING_TARGET,
                consumer = %self.shared.name,
                subject = %delivery.subject(),
                sequence = delivery.sequence(),
                "the process ended while the handler of this event ran: it runs alone now"
            );
        }
        self.recorder.gate.suspects.push(Suspect {
            id,
            exclude: Some(self.recorder.gate.process.exclude()),
            until,
            recorded,
        });
        self.wake_by(until);
        self.hold_key(id);
    }

    /// Starts a suspect that may run alone.
    pub(super) fn poll_suspects(&mut self, cx: &mut Context<'_>) -> bool {
        if self.recorder.gate.suspects.is_empty() || !self.may_start() {
            return false;
        }
        self.leave_gate();
        let mut next = None;
        for (index, suspect) in self.recorder.gate.suspects.iter_mut().enumerate() {
            let Some(exclude) = &mut suspect.exclude else {
                continue;
            };
            if let Poll::Ready(alone) = Pin::new(exclude).poll(cx) {
                next = Some((index, alone));
                break;
            }
        }
        let Some((index, alone)) = next else {
            return false;
        };
        let suspect = self.recorder.gate.suspects.remove(index);
        if self.options.handler_timeout.is_none() {
            self.limit_alone(self.now.saturating_add(MAX_ALONE));
        }
        let Suspect { id, recorded, .. } = suspect;
        if self.has_layers() {
            self.wait_for_layers(id, Some(LayersAlone { alone, recorded }));
        } else {
            self.start_alone(id, recorded, May::alone(alone));
        }
        true
    }

    /// Starts a suspect; `recorded` if its record can be used.
    pub(super) fn start_alone(&mut self, id: usize, recorded: bool, may: May) {
        if recorded {
            self.begin(id, may);
        } else {
            self.start_unrecorded(id, may);
        }
    }

    /// Lets other events go on, if suspects have waited long in vain.
    pub(super) fn end_long_waits(&mut self, now: Duration) {
        self.end_long_run(now);
        let waits = std::mem::take(&mut self.recorder.gate.suspects);
        let (mut over, mut waits): (Vec<_>, Vec<_>) =
            waits.into_iter().partition(|suspect| suspect.until <= now);
        for mut rested in over.extract_if(.., |suspect| suspect.exclude.is_none()) {
            rested.exclude = Some(self.recorder.gate.process.exclude());
            rested.until = now.saturating_add(WAIT_ALONE);
            waits.push(rested);
        }
        if let Some(next) = waits.iter().map(|suspect| suspect.until).min() {
            self.wake_by(next);
        }
        self.recorder.gate.suspects = waits;
        for suspect in over {
            tracing::warn!(
                target: crate::TRACING_TARGET,
                consumer = %self.shared.name,
                "an event cannot run alone, since a handler of this process does not end; \
                 it tries again in {PAUSE_ALONE:?}"
            );
            self.tell_breaker(suspect.id, false);
            self.wait_until(suspect.id, now.saturating_add(PAUSE_ALONE));
        }
        if let Some(id) = self.end_wait_for_layers(now) {
            tracing::warn!(
                target: crate::TRACING_TARGET,
                consumer = %self.shared.name,
                "an event that runs alone has waited for the layers for {WAIT_ALONE:?}; \
                 it tries again in {PAUSE_ALONE:?}"
            );
            self.tell_breaker(id, false);
            self.suspect_later(id, now.saturating_add(PAUSE_ALONE));
        }
    }

    /// Until when others wait for the handler that runs alone; it is the only one of the process.
    fn limit_alone(&mut self, until: Duration) {
        self.recorder.gate.alone_until = Some(until);
        self.wake_by(until);
    }

    /// Lets others run beside a handler without a time limit that has run alone for long.
    fn end_long_run(&mut self, now: Duration) {
        let Some(until) = self.recorder.gate.alone_until.take() else {
            return;
        };
        if until > now {
            self.limit_alone(until);
        } else if self.recorder.starting() > 0 || self.runs_alone_next() {
            // It has not started yet, and these waits have limits of their own.
            self.limit_alone(now.saturating_add(WAIT_ALONE));
        } else {
            self.end_running_alone();
        }
    }

    /// The event runs alone, but not before this time.
    pub(super) fn suspect_later(&mut self, id: usize, until: Duration) {
        let Some(entry) = self.held.get_mut(id) else {
            return;
        };
        entry.state = State::Suspect;
        self.recorder.gate.suspects.push(Suspect {
            id,
            exclude: None,
            until,
            recorded: true,
        });
        self.wake_by(until);
    }

    /// Others may run beside a handler that ran alone in the process and does not end, as soon as
    /// that is recorded: the event is not to blame alone if the process ends from then on.
    pub(super) fn runs_beside(&mut self, id: usize) {
        let Some(entry) = self.held.get_mut(id) else {
            return;
        };
        let State::Running(running) = &mut entry.state else {
            return;
        };
        let Some(alone) = running.alone.take() else {
            return;
        };
        let records = Arc::clone(&self.recorder.records);
        let known = entry.known.as_mut();
        let Some(beside) = known.and_then(|known| known.run_beside()) else {
            return;
        };
        let until = self.read_clock().saturating_add(BESIDE_WITHIN);
        let late = self.clock.sleep_until(until);
        self.recorder.do_last(async move {
            let recorded: Boxed<_> = Box::pin(async move { records.record_beside(&beside).await });
            match select(recorded, late).await {
                Either::Left((recorded, _)) => recorded,
                Either::Right(((), rest)) => {
                    drop(alone);
                    rest.await
                }
            }
        });
    }
}
