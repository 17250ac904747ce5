//! The circuit breaker of an engine: events wait at it while a dependency is unavailable, and run
//! as its probes.

use std::hash::{BuildHasher as _, RandomState};
use std::time::Duration;

use super::Engine;
use super::entry::{Entry, State};
use crate::consumer::breaker::{Action, Admission, Breaker, Held, Pass};
use crate::consumer::{Failure, FailureClass};

/// The breaker, and the probes that it has asked for.
pub(super) struct Circuit {
    breaker: Breaker,
    probes: Vec<(usize, Pass)>,
    hasher: RandomState,
}

impl Circuit {
    pub(super) fn new(breaker: Breaker) -> Self {
        Self {
            breaker,
            probes: Vec::new(),
            hasher: RandomState::new(),
        }
    }

    /// Whether nothing more should be received, when so many events are held. A quarter is enough to
    /// find events of other keys.
    pub(super) fn pauses_fetching(&self, held: usize, max_held: usize) -> bool {
        self.breaker.fetching_paused()
            || (held > max_held / 4 && self.breaker.is_open(Breaker::DEFAULT_SCOPE))
    }

    /// Starts no probe any more.
    pub(super) fn forget_probes(&mut self) {
        self.probes.clear();
    }

    /// Whether the events of this scope wait.
    pub(super) fn is_open(&self, scope: &str) -> bool {
        self.breaker.is_open(scope)
    }

    /// Whether a probe waits for its start.
    pub(super) fn has_probes(&self) -> bool {
        !self.probes.is_empty()
    }

    /// Whether no event is known here, as long as all dependencies are there.
    pub(super) fn is_idle(&self) -> bool {
        self.breaker.is_idle()
    }

    fn held<'a>(&self, id: usize, entry: &'a Entry) -> Held<'a> {
        let id = id as u64;
        Held {
            scope: &entry.scope,
            id,
            key: (entry.key.as_ref()).map_or(id, |key| self.hasher.hash_one(key)),
        }
    }
}

impl Engine {
    /// Whether the handler of an event may start; otherwise the event waits at the breaker.
    pub(super) fn passes_breaker(&mut self, id: usize) -> bool {
        let Some(entry) = self.held.get_mut(id) else {
            return false;
        };
        let event = self.circuit.held(id, entry);
        let admission = self.circuit.breaker.admit(event, self.now);
        match admission {
            Admission::Run(pass) => entry.pass = Some(pass),
            Admission::Wait => entry.state = State::AtBreaker,
        }
        let passes = matches!(admission, Admission::Run(_));
        if !passes {
            self.hold_key(id);
            self.act();
        }
        passes
    }

    /// An event of a batch that waits at the breaker: later ones of its key follow it.
    pub(super) fn block_at_breaker(&mut self, id: usize) {
        if let Some(entry) = self.held.get_mut(id) {
            entry.blocks_key = entry.key.is_some();
        }
    }

    /// The next event that runs as a probe.
    pub(super) fn next_probe(&mut self) -> Option<usize> {
        while let Some((id, pass)) = self.circuit.probes.pop() {
            if let Some(entry) = self.held.get_mut(id)
                && matches!(entry.state, State::AtBreaker)
            {
                entry.pass = Some(pass);
                return Some(id);
            }
        }
        None
    }

    /// A handler said that a dependency is unavailable. The event waits at the breaker.
    pub(super) fn claim_outage(&mut self, id: usize) {
        let now = self.read_clock();
        let full = self.unsettled() >= self.max_held;
        let Some(entry) = self.held.get_mut(id) else {
            return;
        };
        entry.state = State::AtBreaker;
        if let Some(pass) = entry.pass.take() {
            let event = self.circuit.held(id, entry);
            self.circuit.breaker.outage(event, pass, now, full);
        }
        self.hold_key(id);
        self.act();
    }

    /// A handler succeeded, or failed by itself.
    pub(super) fn tell_breaker(&mut self, id: usize, success: bool) {
        if self.circuit.is_idle() {
            return;
        }
        let now = self.read_clock();
        let Some(entry) = self.held.get_mut(id) else {
            return;
        };
        let pass = entry.pass.take();
        let event = self.circuit.held(id, entry);
        match pass {
            Some(pass) if success => self.circuit.breaker.success(event, pass, now),
            _ => self.circuit.breaker.other(event, now),
        }
        self.act();
    }

    /// An event that is no longer held.
    pub(super) fn leave_breaker(&mut self, id: usize, entry: &Entry) {
        if self.circuit.is_idle() {
            return;
        }
        let event = self.circuit.held(id, entry);
        self.circuit.breaker.forget(event, self.now);
        self.act();
    }

    /// Starts the probes that are due.
    pub(super) fn advance_breaker(&mut self, now: Duration) {
        if self.circuit.is_idle() {
            return;
        }
        self.circuit.breaker.advance(now);
        self.act();
    }

    /// Does what the breaker asks for.
    fn act(&mut self) {
        while let Some(action) = self.circuit.breaker.next_action() {
            match action {
                Action::Probe { id, pass } => {
                    if let Ok(id) = usize::try_from(id) {
                        self.circuit.probes.push((id, pass));
                    }
                }
                Action::Release { id } => self.release_from_breaker(id),
                Action::Count { id } => self.count_outage(id),
                other => self.log(&other),
            }
        }
        if let Some(at) = self.circuit.breaker.wake_at() {
            self.wake_by(at);
        }
    }

    fn release_from_breaker(&mut self, id: u64) {
        let Ok(id) = usize::try_from(id) else { return };
        if let Some(entry) = self.held.get_mut(id)
            && matches!(entry.state, State::AtBreaker)
        {
            entry.state = State::Queued;
            self.ready.push_back(id);
        }
    }

    /// The outage that an event claims alone is an attempt.
    fn count_outage(&mut self, id: u64) {
        let Ok(id) = usize::try_from(id) else { return };
        if let Some(entry) = self.held.get_mut(id)
            && matches!(entry.state, State::AtBreaker)
        {
            entry.starts = entry.starts.saturating_add(1);
            let text = "claims an outage while other events succeed";
            self.retry(id, Failure::of_consumer(FailureClass::Outage, text));
        }
    }

    fn log(&self, action: &Action) {
        let consumer = &*self.shared.name;
        let target_fields = |scope: &str, text: &str| {
            tracing::warn!(target: crate::TRACING_TARGET, consumer, scope, "{text}");
        };
        match action {
            Action::Opened { scope, .. } => target_fields(
                scope,
                "a dependency is away: events wait, and one at a time probes it",
            ),
            Action::ProbeFailed { scope, next_in } => {
                target_fields(
                    scope,
                    &format!("the dependency is still away; next probe in {next_in:?}"),
                );
            }
            Action::Contradicted { scope, .. } => target_fields(
                scope,
                "an event claims an outage while others succeed: its outages count as attempts",
            ),
            Action::Closed {
                scope,
                open_for,
                probes,
            } => {
                target_fields(
                    scope,
                    &format!(
                        "the dependency is back after {open_for:?} and {probes} failed probes"
                    ),
                );
            }
            Action::Probe { .. } | Action::Release { .. } | Action::Count { .. } => {}
        }
    }
}
