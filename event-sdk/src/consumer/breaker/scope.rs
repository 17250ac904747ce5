//! `Scope`: one circuit of a breaker: open or closed, its waiting events, their claims and the
//! judgement of these.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use event_sdk_core::text::Text;

use super::open::{MAX_WITNESSES, Open};
use super::results::{Dependency, Results};
use super::{Action, Admission, Claimed, Held, Pass, ProbeInterval, Ticks};

/// How long a closed scope remembers its last success, so that a handler that started before the
/// success and claims an outage after it does not open the scope.
const REMEMBERED: Duration = Duration::from_secs(60);

#[derive(Debug)]
pub(super) struct Scope {
    name: Text,
    interval: ProbeInterval,
    open: Option<Open>,
    /// The events that wait here, that run as a probe, that have an unjudged claim, or that are
    /// doubted.
    events: BTreeMap<u64, Event>,
    waiting: usize,
    /// The start of the youngest handler that succeeded.
    succeeded: Pass,
    /// The last credible claim.
    claimed: Pass,
    results: Results,
    /// When the scope was closed.
    closed_at: Duration,
}

#[derive(Debug)]
struct Event {
    key: u64,
    place: Place,
    /// The earliest claim that is not judged.
    claim: Option<Claim>,
    /// The first claim.
    claimed: Option<Pass>,
    /// Since when its claims are doubted.
    doubted: Option<Pass>,
    /// Whether its claims count.
    contradicted: bool,
    /// Its next claim counts.
    guilty: bool,
    /// The last start.
    started: Pass,
    /// How long it waits after a claim that does not open the scope.
    pause: Duration,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// It waits here; if the scope is closed, until this time.
    Waiting { until: Duration },
    /// It runs, or waits for its retry elsewhere.
    Away,
}

#[derive(Debug, Clone, Copy)]
struct Claim {
    at: Pass,
    since: Duration,
    /// What another key told last before the claim.
    before: Dependency,
}

impl Scope {
    pub(super) fn new(name: Text, interval: ProbeInterval) -> Self {
        Self {
            name,
            interval,
            open: None,
            events: BTreeMap::new(),
            waiting: 0,
            succeeded: Pass(0),
            claimed: Pass(0),
            results: Results::default(),
            closed_at: Duration::ZERO,
        }
    }

    pub(super) fn is_open(&self) -> bool {
        self.open.is_some()
    }

    pub(super) fn waiting(&self) -> usize {
        self.waiting
    }

    /// Whether nothing would change if the scope was forgotten.
    pub(super) fn is_over(&self, now: Duration) -> bool {
        self.open.is_none()
            && self.events.is_empty()
            && now >= self.closed_at.saturating_add(REMEMBERED)
    }

    pub(super) fn admit(&mut self, event: Held<'_>, ticks: &mut Ticks) -> Admission {
        if self.open.is_some() {
            self.wait(event, Duration::ZERO);
            return Admission::Wait;
        }
        self.take(event.id);
        Admission::Run(ticks.next())
    }

    pub(super) fn outage(
        &mut self,
        event: Held<'_>,
        claimed: Claimed,
        actions: &mut VecDeque<Action>,
    ) {
        let doubted = self.claim(event, claimed, actions);
        // A younger handler has succeeded meanwhile.
        let stale = claimed.by < self.succeeded;
        if !doubted && !stale {
            self.confirm(event.key, claimed.at);
        }
        match &mut self.open {
            Some(open) if open.probe == Some(event.id) => {
                open.probe_failed(claimed.now, self.interval);
                let witnesses = witnesses(&self.events, open);
                open.want_more(witnesses);
                actions.push_back(Action::ProbeFailed {
                    scope: self.name.clone(),
                    next_in: open.interval,
                });
            }
            Some(_) => {}
            None if doubted || stale => {}
            None => {
                self.open = Some(Open::new(event.key, claimed, self.interval));
                actions.push_back(Action::Opened {
                    scope: self.name.clone(),
                    id: event.id,
                });
            }
        }
    }

    /// Lets an event wait after its claim, and returns whether it is doubted.
    fn claim(&mut self, event: Held<'_>, claimed: Claimed, actions: &mut VecDeque<Action>) -> bool {
        let before = self.results.of_another(event.key);
        let closed = self.open.is_none();
        let interval = self.interval;
        let known = self.wait(event, Duration::ZERO);
        let pause = if closed {
            known.pause
        } else {
            interval.first()
        };
        known.place = Place::Waiting {
            until: claimed.now.saturating_add(pause),
        };
        known.pause = interval.after(pause);
        known.started = claimed.by;
        known.claimed.get_or_insert(claimed.at);
        // A handler that started before the doubt may have waited long for its dependency.
        if known.doubted.is_none_or(|since| claimed.by > since) {
            known.claim.get_or_insert(Claim {
                at: claimed.at,
                since: claimed.now,
                before,
            });
        }
        let doubted = known.doubted.is_some();
        // Where nothing more can be received, no other event comes to judge this one.
        let unjudged = claimed.full
            && doubted
            && known.claim.is_some_and(|claim| {
                claim.before == Dependency::Up
                    && claimed.now.saturating_sub(claim.since) >= interval.longest()
            });
        if std::mem::take(&mut known.guilty) || unjudged {
            self.count(event.id, actions);
        }
        doubted
    }

    pub(super) fn success(
        &mut self,
        event: Held<'_>,
        pass: Pass,
        now: Duration,
        ticks: &mut Ticks,
        actions: &mut VecDeque<Action>,
    ) {
        self.forget(event.id, now);
        self.succeeded = self.succeeded.max(pass);
        if self.open.is_none() && self.events.is_empty() {
            return;
        }
        self.contradict(event.key, pass, ticks.next(), actions);
        let Some(open) = self.open.take_if(|open| pass > open.claim) else {
            return;
        };
        self.closed_at = now;
        actions.push_back(Action::Closed {
            scope: self.name.clone(),
            open_for: now.saturating_sub(open.since),
            probes: open.failed,
        });
        self.release(Duration::MAX, actions);
    }

    pub(super) fn other(&mut self, id: u64, now: Duration) {
        if let Some(known) = self.events.get_mut(&id) {
            known.claim = None;
            known.guilty = false;
            if known.doubted.is_none() {
                self.remove(id);
            }
        }
        self.free_probe(id, now);
    }

    pub(super) fn forget(&mut self, id: u64, now: Duration) {
        self.remove(id);
        self.free_probe(id, now);
    }

    pub(super) fn advance(
        &mut self,
        now: Duration,
        ticks: &mut Ticks,
        actions: &mut VecDeque<Action>,
    ) {
        match &self.open {
            None => self.release(now, actions),
            Some(open) if now < open.next => {}
            Some(open) => {
                if let Some((id, key)) = self.candidate(open.last_probed) {
                    self.take(id);
                    if let Some(open) = &mut self.open {
                        open.probe = Some(id);
                        open.last_probed = Some(key);
                        // A handler that hangs does not keep the scope open.
                        open.next = now.saturating_add(self.interval.longest());
                    }
                    let pass = ticks.next();
                    actions.push_back(Action::Probe { id, pass });
                }
            }
        }
    }

    pub(super) fn wake_at(&self) -> Option<Duration> {
        if self.waiting == 0 {
            return None;
        }
        match &self.open {
            Some(open) => Some(open.next),
            None => self
                .events
                .values()
                .filter_map(|event| match event.place {
                    Place::Waiting { until } => Some(until),
                    Place::Away => None,
                })
                .min(),
        }
    }

    pub(super) fn has_enough_witnesses(&self) -> bool {
        self.open
            .as_ref()
            .is_some_and(|open| witnesses(&self.events, open) >= open.wanted)
    }

    /// The waiting event that is probed next: rather one that is not doubted, rather of another key
    /// than the last, and then the one that has not run for the longest time.
    fn candidate(&self, last: Option<u64>) -> Option<(u64, u64)> {
        self.events
            .iter()
            .filter(|(_, event)| matches!(event.place, Place::Waiting { .. }))
            .min_by_key(|(_, event)| {
                (
                    event.doubted.is_some(),
                    last == Some(event.key),
                    event.started,
                )
            })
            .map(|(id, event)| (*id, event.key))
    }

    /// Releases the events that wait until `now` at the latest.
    fn release(&mut self, now: Duration, actions: &mut VecDeque<Action>) {
        if self.waiting == 0 {
            return;
        }
        for (id, event) in &mut self.events {
            if matches!(event.place, Place::Waiting { until } if until <= now) {
                event.place = Place::Away;
                self.waiting -= 1;
                actions.push_back(Action::Release { id: *id });
            }
        }
    }

    /// Lets an event wait here.
    fn wait(&mut self, event: Held<'_>, until: Duration) -> &mut Event {
        let known = self.events.entry(event.id).or_insert(Event {
            key: event.key,
            place: Place::Away,
            claim: None,
            claimed: None,
            doubted: None,
            contradicted: false,
            guilty: false,
            started: Pass(0),
            pause: self.interval.first(),
        });
        if known.place == Place::Away {
            self.waiting += 1;
        }
        known.place = Place::Waiting { until };
        known
    }

    /// Ends the waiting of an event, and returns whether it waited.
    fn take(&mut self, id: u64) -> bool {
        let waited = self
            .events
            .get_mut(&id)
            .is_some_and(|event| std::mem::replace(&mut event.place, Place::Away) != Place::Away);
        self.waiting -= usize::from(waited);
        waited
    }

    fn remove(&mut self, id: u64) {
        self.take(id);
        self.events.remove(&id);
    }

    fn free_probe(&mut self, id: u64, now: Duration) {
        if let Some(open) = &mut self.open
            && open.probe == Some(id)
        {
            open.probe = None;
            open.next = now;
        }
    }

    /// Lets a waiting event count its claim.
    fn count(&mut self, id: u64, actions: &mut VecDeque<Action>) {
        if self.take(id) {
            if let Some(event) = self.events.get_mut(&id) {
                event.claim = None;
            }
            actions.push_back(Action::Count { id });
        }
    }

    /// A credible claim of this key confirms those of others.
    fn confirm(&mut self, key: u64, at: Pass) {
        self.claimed = at;
        self.results.tell(key, Dependency::Down);
        for event in self.events.values_mut() {
            if event.key != key {
                event.claim = None;
                event.guilty = false;
            }
        }
    }

    /// A success of this key contradicts the claims of others that were made before it started.
    fn contradict(&mut self, key: u64, pass: Pass, now: Pass, actions: &mut VecDeque<Action>) {
        if pass > self.claimed {
            self.results.tell(key, Dependency::Up);
        }
        let mut counted = Vec::new();
        for (id, event) in &mut self.events {
            if event.key == key || event.claimed.is_none_or(|claimed| claimed > pass) {
                continue;
            }
            event.doubted.get_or_insert(now);
            let Some(claim) = event.claim.take_if(|claim| claim.at < pass) else {
                continue;
            };
            if claim.before == Dependency::Down {
                continue;
            }
            if !event.contradicted {
                event.contradicted = true;
                actions.push_back(Action::Contradicted {
                    scope: self.name.clone(),
                    id: *id,
                });
            } else if event.place == Place::Away {
                event.guilty = true;
            } else {
                counted.push(*id);
            }
        }
        for id in counted {
            self.count(id, actions);
        }
    }
}

/// The number of different keys among the events to probe with, up to the wanted number.
fn witnesses(events: &BTreeMap<u64, Event>, open: &Open) -> usize {
    let mut keys = [0; MAX_WITNESSES];
    let mut count = 0;
    for (id, event) in events {
        let here = event.place != Place::Away || open.probe == Some(*id);
        let known = keys
            .get(..count)
            .is_some_and(|keys| keys.contains(&event.key));
        if !here || event.doubted.is_some() || known {
            continue;
        }
        let Some(free) = keys.get_mut(count) else {
            break;
        };
        *free = event.key;
        count += 1;
        if count >= open.wanted {
            break;
        }
    }
    count
}
