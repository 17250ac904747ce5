//! `Breaker`: the circuit breaker of a consumer, as a state machine without a clock. Outages open
//! it, probes rotate over the held events, a success closes it.
//!
//! Each *scope* has a breaker of its own; without `breaker_by` there is one scope. While a scope is
//! open, its events wait here, and one at a time runs as a *probe*.
//!
//! **A claim and its judgement.** A handler that fails with an outage *claims* that a dependency is
//! away. A success of another key, whose handler started after the claim, makes the event *doubted*:
//! from then on its claims neither open the breaker nor confirm those of others.
//!
//! Each claim is judged. A claim of another key that is not doubted confirms it. A success of
//! another key, whose handler started after the claim, contradicts it, provided that the last result
//! of another key before the claim was a success too. After the first contradicted claim of an
//! event, each further one counts as an attempt.
//!
//! Time alone counts no claim: events whose claims are shared only by doubted events wait for the
//! next event of another key. The exception is a consumer that is *full*, which receives no other
//! event until some of its events are gone. There, a claim of a doubted event counts too if nothing
//! has judged it for the longest interval.
//!
//! So one event that claims an outage for ever comes to the end of its attempts while others
//! succeed, and delays nobody. In an outage that all events claim, no attempt is counted. What
//! remains: an event that is held over several outages may count one attempt for each outage after
//! the first, if no other event ran in that outage before it. A claim after which no other key has
//! ever succeeded is never counted: where all that the consumer may hold claims an outage, there is
//! one.
//!
//! The owner calls a method for each start and end of a handler, and then takes the
//! [`Action`]s until there are none. It calls [`Breaker::advance`] at [`Breaker::wake_at`].

mod interval;
mod open;
mod results;
mod scope;
#[cfg(test)]
mod simulation;
#[cfg(test)]
mod tests;

pub use interval::{InvalidProbeInterval, ProbeInterval};

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use event_sdk_core::text::Text;

use scope::Scope;

/// The breakers of one consumer, by scope.
///
/// An event has an `id`, which is unique among the held events, and a `key`: events with equal
/// numbers must stay in order. For an event without a key, the key is its id.
#[derive(Debug)]
pub(crate) struct Breaker {
    interval: ProbeInterval,
    /// From this number of waiting events on, fetching pauses, whatever their scopes.
    max_waiting: usize,
    ticks: Ticks,
    /// The scopes with an outage now or not long ago.
    scopes: HashMap<Text, Scope>,
    actions: VecDeque<Action>,
}

/// The start of a handler; returned to the breaker when the handler ends. A younger start is
/// greater.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Pass(u64);

/// Whether a handler may start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use = "an event that waits must not be started"]
pub(crate) enum Admission {
    /// It starts now.
    Run(Pass),
    /// The event waits in the breaker, until an action with its id.
    Wait,
}

/// What the owner of the breaker has to do, or to report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Action {
    /// Start the handler of this waiting event, as a probe.
    Probe { id: u64, pass: Pass },
    /// This event no longer waits here: ask again whether its handler may start.
    Release { id: u64 },
    /// The outage that this waiting event claimed counts as an attempt. The event no longer waits
    /// here: repeat it after its retry delay, or give it up.
    Count { id: u64 },
    /// A scope was opened by the outage of this event.
    Opened { scope: Text, id: u64 },
    /// A probe has claimed an outage again; the next one follows after this time.
    ProbeFailed { scope: Text, next_in: Duration },
    /// An event claims an outage while others succeed: from now on its claims count.
    Contradicted { scope: Text, id: u64 },
    /// A scope was closed by a success, after this time and number of failed probes.
    Closed {
        scope: Text,
        open_for: Duration,
        probes: u32,
    },
}

/// The identity of an event at the breaker.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Held<'a> {
    pub(crate) scope: &'a str,
    pub(crate) id: u64,
    pub(crate) key: u64,
}

impl Breaker {
    /// The scope of all events without `breaker_by`.
    pub(crate) const DEFAULT_SCOPE: &'static str = "";

    /// A breaker with all scopes closed.
    pub(crate) fn new(interval: ProbeInterval, max_waiting: usize) -> Self {
        Self {
            interval,
            max_waiting,
            ticks: Ticks(0),
            scopes: HashMap::new(),
            actions: VecDeque::new(),
        }
    }

    /// Asks whether the handler of an event may start. If not, the event waits here until an action
    /// with its id, or until [`forget`](Self::forget).
    pub(crate) fn admit(&mut self, event: Held<'_>, now: Duration) -> Admission {
        match self.scopes.get_mut(event.scope) {
            None => Admission::Run(self.ticks.next()),
            Some(scope) => {
                let admission = scope.admit(event, &mut self.ticks);
                scope.advance(now, &mut self.ticks, &mut self.actions);
                admission
            }
        }
    }

    /// The handler of an event failed with an outage. The event waits here now. `full`: the consumer
    /// holds as many events as it may.
    pub(crate) fn outage(&mut self, event: Held<'_>, pass: Pass, now: Duration, full: bool) {
        let claim = Claimed {
            by: pass,
            at: self.ticks.next(),
            now,
            full,
        };
        if !self.scopes.contains_key(event.scope) {
            self.scopes.retain(|_, scope| !scope.is_over(now));
        }
        let scope = self
            .scopes
            .entry(Text::copy_of(event.scope))
            .or_insert_with_key(|name| Scope::new(name.clone(), self.interval));
        scope.outage(event, claim, &mut self.actions);
    }

    /// The handler of an event succeeded. The breaker no longer knows the event.
    pub(crate) fn success(&mut self, event: Held<'_>, pass: Pass, now: Duration) {
        let Some(scope) = self.scopes.get_mut(event.scope) else {
            return;
        };
        scope.success(event, pass, now, &mut self.ticks, &mut self.actions);
        if scope.is_over(now) {
            self.scopes.remove(event.scope);
        }
    }

    /// The handler of an event ended in another way: it failed by itself, or was cancelled. This
    /// tells nothing about the dependency, so another probe may follow at once.
    pub(crate) fn other(&mut self, event: Held<'_>, now: Duration) {
        if let Some(scope) = self.scopes.get_mut(event.scope) {
            scope.other(event.id, now);
            scope.advance(now, &mut self.ticks, &mut self.actions);
        }
    }

    /// The event is no longer held: it was given up, or given back to the server.
    pub(crate) fn forget(&mut self, event: Held<'_>, now: Duration) {
        if let Some(scope) = self.scopes.get_mut(event.scope) {
            scope.forget(event.id, now);
            scope.advance(now, &mut self.ticks, &mut self.actions);
        }
    }

    /// Starts the probes and repetitions that are due.
    pub(crate) fn advance(&mut self, now: Duration) {
        for scope in self.scopes.values_mut() {
            scope.advance(now, &mut self.ticks, &mut self.actions);
        }
    }

    /// When to call [`advance`](Self::advance); `None`: after another event only.
    pub(crate) fn wake_at(&self) -> Option<Duration> {
        self.scopes.values().filter_map(Scope::wake_at).min()
    }

    /// The next action; the owner takes them until there are none.
    pub(crate) fn next_action(&mut self) -> Option<Action> {
        self.actions.pop_front()
    }

    /// Whether the events of a scope wait.
    pub(crate) fn is_open(&self, scope: &str) -> bool {
        self.scopes.get(scope).is_some_and(Scope::is_open)
    }

    /// The number of events that wait here.
    pub(crate) fn waiting(&self) -> usize {
        self.scopes.values().map(Scope::waiting).sum()
    }

    /// Whether no event is known here: there was no outage lately.
    pub(crate) fn is_idle(&self) -> bool {
        self.scopes.is_empty()
    }

    /// Whether no further event should be fetched: the default scope is open and has enough events
    /// to probe with, or too many events wait.
    ///
    /// Two events of different keys are enough at first, so that no single event decides. After each
    /// round of failed probes one more is wanted, up to 16:
    /// several events that claim an outage for ever must not hold up all others.
    /// Another scope does not pause fetching until `max_waiting` events wait, since events of other
    /// scopes can be handled.
    pub(crate) fn fetching_paused(&self) -> bool {
        if self.scopes.is_empty() {
            return false;
        }
        self.scopes
            .get(Self::DEFAULT_SCOPE)
            .is_some_and(Scope::has_enough_witnesses)
            || self.waiting() >= self.max_waiting
    }
}

/// Counts starts, claims and successes, and so orders them.
#[derive(Debug)]
struct Ticks(u64);

impl Ticks {
    fn next(&mut self) -> Pass {
        self.0 += 1;
        Pass(self.0)
    }
}

/// A claim of an outage.
#[derive(Debug, Clone, Copy)]
struct Claimed {
    /// The start of the handler that claims it.
    by: Pass,
    at: Pass,
    now: Duration,
    /// Whether the consumer can receive nothing more.
    full: bool,
}
