//! Simulates a consumer around the breaker on virtual time, with outages, and with events that claim
//! an outage for ever.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use super::{Action, Admission, Breaker, Held, Pass, ProbeInterval};

/// One event of a simulated stream.
#[derive(Debug, Clone, Copy)]
pub(super) struct Simulated {
    pub(super) published_at: Duration,
    pub(super) key: u64,
    /// How long its handler runs.
    pub(super) runs_for: Duration,
    /// Whether its handler always claims an outage.
    pub(super) liar: bool,
}

/// What happens in the world of a simulation.
#[derive(Debug, Clone)]
pub(super) struct World {
    /// In the order in which they are published.
    pub(super) events: Vec<Simulated>,
    /// When the dependency is unavailable.
    pub(super) outages: Vec<(Duration, Duration)>,
    pub(super) concurrency: usize,
    pub(super) capacity: usize,
    pub(super) max_attempts: u32,
}

/// What a simulation has counted, by event.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    pub(super) counted: BTreeMap<u64, u32>,
    pub(super) starts: BTreeMap<u64, u32>,
    pub(super) done: BTreeMap<u64, Duration>,
    pub(super) dead: BTreeMap<u64, Duration>,
    /// The most events that were held at a time while the breaker was open.
    pub(super) most_fetched_while_open: usize,
    /// Whether an outage was claimed while the consumer could receive nothing more.
    pub(super) claimed_while_full: bool,
    /// Handlers that were started during an outage.
    pub(super) starts_in_outage: u32,
    /// How often the breaker was opened.
    pub(super) opened: u32,
    pub(super) ended_at: Duration,
    /// Whether it ended with an open breaker and no room for another event.
    pub(super) ended_full_and_open: bool,
}

struct Consumer<'a> {
    world: &'a World,
    breaker: Breaker,
    now: Duration,
    next_event: u64,
    /// Held events by key; only the first of each may run.
    lanes: BTreeMap<u64, VecDeque<u64>>,
    held: usize,
    ready: VecDeque<(u64, Option<Pass>)>,
    running: BTreeMap<(Duration, u64), Pass>,
    /// When a counted event is repeated.
    retries: BTreeSet<(Duration, u64)>,
    held_when_opened: usize,
    ledger: Ledger,
}

const RETRY_DELAY: Duration = Duration::from_secs(1);

/// Runs until all events are done or dead, or until the deadline.
pub(super) fn run(world: &World, deadline: Duration) -> Ledger {
    let mut consumer = Consumer {
        world,
        breaker: Breaker::new(ProbeInterval::default(), 1000),
        now: Duration::ZERO,
        next_event: 0,
        lanes: BTreeMap::new(),
        held: 0,
        ready: VecDeque::new(),
        running: BTreeMap::new(),
        retries: BTreeSet::new(),
        held_when_opened: 0,
        ledger: Ledger::default(),
    };
    while consumer.step() && consumer.now < deadline {}
    consumer.ledger.ended_at = consumer.now;
    consumer.ledger.ended_full_and_open =
        consumer.held >= world.capacity && consumer.breaker.is_open("");
    consumer.ledger
}

impl Consumer<'_> {
    /// Does all that is due, and goes on to the next time at which something is due.
    fn step(&mut self) -> bool {
        self.breaker.advance(self.now);
        self.act();
        self.fetch();
        self.start();
        let next = [
            self.running.keys().next().map(|(at, _)| *at),
            self.retries.first().map(|(at, _)| *at),
            self.breaker.wake_at(),
            self.published_at(self.next_event)
                .filter(|at| *at > self.now),
        ];
        let Some(next) = next.into_iter().flatten().min() else {
            return false;
        };
        self.now = self.now.max(next);
        while let Some(((at, id), pass)) = self.running.pop_first() {
            if at > self.now {
                self.running.insert((at, id), pass);
                break;
            }
            self.end(id, pass);
        }
        while let Some((at, id)) = self.retries.pop_first() {
            if at > self.now {
                self.retries.insert((at, id));
                break;
            }
            self.ready.push_back((id, None));
        }
        true
    }

    fn published_at(&self, id: u64) -> Option<Duration> {
        let event = self.world.events.get(usize::try_from(id).unwrap())?;
        Some(event.published_at)
    }

    fn fetch(&mut self) {
        while self.held < self.world.capacity
            && self
                .published_at(self.next_event)
                .is_some_and(|at| at <= self.now)
            && !self.breaker.fetching_paused()
        {
            let id = self.next_event;
            self.next_event += 1;
            self.held += 1;
            let lane = self.lanes.entry(self.event(id).key).or_default();
            lane.push_back(id);
            if lane.len() == 1 {
                // Only what has been asked for shows that it waits.
                self.admit_or_queue(id);
            }
            if self.breaker.is_open("") {
                let fetched = self.held.saturating_sub(self.held_when_opened);
                let most = &mut self.ledger.most_fetched_while_open;
                *most = fetched.max(*most);
            }
        }
    }

    fn admit_or_queue(&mut self, id: u64) {
        if self.breaker.is_open("") {
            let admission = self.breaker.admit(self.held(id), self.now);
            assert_eq!(admission, Admission::Wait);
            self.act();
        } else {
            self.ready.push_back((id, None));
        }
    }

    fn start(&mut self) {
        while self.running.len() < self.world.concurrency {
            let Some((id, probe)) = self.ready.pop_front() else {
                return;
            };
            let pass = match probe {
                Some(pass) => pass,
                None => match self.breaker.admit(self.held(id), self.now) {
                    Admission::Run(pass) => pass,
                    Admission::Wait => {
                        self.act();
                        continue;
                    }
                },
            };
            *self.ledger.starts.entry(id).or_default() += 1;
            self.ledger.starts_in_outage += u32::from(self.away());
            let until = self.now + self.event(id).runs_for;
            self.running.insert((until, id), pass);
        }
    }

    fn end(&mut self, id: u64, pass: Pass) {
        let event = self.held(id);
        if self.event(id).liar || self.away() {
            let was_open = self.breaker.is_open("");
            let full = self.held >= self.world.capacity;
            self.ledger.claimed_while_full |= full;
            self.breaker.outage(event, pass, self.now, full);
            if !was_open {
                self.held_when_opened = self.held;
            }
        } else {
            self.breaker.success(event, pass, self.now);
            self.ledger.done.insert(id, self.now);
            self.leave(id);
        }
        self.act();
    }

    fn leave(&mut self, id: u64) {
        self.held -= 1;
        let lane = self.lanes.get_mut(&self.event(id).key).unwrap();
        assert_eq!(lane.pop_front(), Some(id));
        if let Some(next) = lane.front().copied() {
            self.admit_or_queue(next);
        }
    }

    fn act(&mut self) {
        while let Some(action) = self.breaker.next_action() {
            match action {
                Action::Probe { id, pass } => self.ready.push_front((id, Some(pass))),
                Action::Release { id } => self.ready.push_back((id, None)),
                Action::Count { id } => {
                    let counted = self.ledger.counted.entry(id).or_default();
                    *counted += 1;
                    if *counted >= self.world.max_attempts {
                        self.breaker.forget(self.held(id), self.now);
                        self.ledger.dead.insert(id, self.now);
                        self.leave(id);
                    } else {
                        self.retries.insert((self.now + RETRY_DELAY, id));
                    }
                }
                Action::Opened { .. } => self.ledger.opened += 1,
                Action::ProbeFailed { .. }
                | Action::Contradicted { .. }
                | Action::Closed { .. } => {}
            }
        }
    }

    fn away(&self) -> bool {
        let mut outages = self.world.outages.iter();
        outages.any(|(from, to)| (*from..*to).contains(&self.now))
    }

    fn event(&self, id: u64) -> Simulated {
        self.world.events[usize::try_from(id).unwrap()]
    }

    fn held(&self, id: u64) -> Held<'static> {
        Held {
            scope: "",
            id,
            key: self.event(id).key,
        }
    }
}
