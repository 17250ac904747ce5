//! Simulates a process with handlers that end it: attempt records and gate are the real ones, the
//! server and the handlers are simulated.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use event_sdk_core::text::Text;
use futures_util::FutureExt as _;
use jiff::Timestamp;
use proptest::prelude::*;

use super::store::LocalStore;
use super::{AttemptRecords, Begun, EventPlace, Known, LastOutcome, Verdict};
use crate::process_gate::{Alone, Exclude, ProcessGate, Share};

/// What the handler of an event does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Handler {
    Succeeds,
    EndsTheProcess,
    /// It fails so often, and then succeeds.
    Fails(u32),
}

#[derive(Debug, Default)]
struct Ledger {
    starts: BTreeMap<u64, u32>,
    /// How often an event ran when the process ended.
    in_flight: BTreeMap<u64, u32>,
    done: BTreeSet<u64>,
    dead: BTreeMap<u64, Option<LastOutcome>>,
    aborts: u32,
}

struct World {
    handlers: Vec<Handler>,
    concurrency: usize,
    prefetch: usize,
    max_attempts: u32,
    /// Consumers in one process, which take the events by turns.
    consumers: u64,
    store: Arc<LocalStore>,
    /// The deliveries of each event that is not settled.
    deliveries: BTreeMap<u64, u32>,
    random: u64,
    ledger: Ledger,
}

/// One life of the process.
struct Process {
    gate: Arc<ProcessGate>,
    records: Vec<Arc<AttemptRecords>>,
    ready: VecDeque<u64>,
    suspects: VecDeque<(u64, Exclude)>,
    known: BTreeMap<u64, Known>,
    running: Vec<(u64, Right)>,
}

enum Right {
    Beside(#[expect(dead_code, reason = "held until the handler ends")] Share),
    Alone(#[expect(dead_code, reason = "held until the handler ends")] Alone),
}

impl World {
    fn new(handlers: Vec<Handler>, concurrency: usize, prefetch: usize, seed: u64) -> Self {
        Self {
            deliveries: (0..handlers.len() as u64).map(|id| (id, 0)).collect(),
            handlers,
            concurrency,
            prefetch,
            max_attempts: 3,
            consumers: 2,
            store: Arc::default(),
            random: seed,
            ledger: Ledger::default(),
        }
    }

    fn random(&mut self, below: usize) -> usize {
        self.random = self
            .random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (self.random >> 33) as usize % below
    }

    fn run(mut self) -> Ledger {
        let most = 5 * self.handlers.len() + 5;
        for _ in 0..most {
            if self.deliveries.is_empty() {
                return self.ledger;
            }
            self.live();
        }
        panic!("not settled: {:?}, {:?}", self.deliveries, self.ledger);
    }

    /// Runs the process until it ends by itself, or is done.
    fn live(&mut self) {
        let gate = Arc::<ProcessGate>::default();
        let records = (0..self.consumers).map(|consumer| {
            let name = Text::from(format!("consumer-{consumer}"));
            let store = Arc::clone(&self.store);
            Arc::new(AttemptRecords::new(name, self.max_attempts, store))
        });
        let mut process = Process {
            gate,
            records: records.collect(),
            ready: VecDeque::new(),
            suspects: VecDeque::new(),
            known: BTreeMap::new(),
            running: Vec::new(),
        };
        let mut to_deliver: VecDeque<u64> = self.deliveries.keys().copied().collect();
        let mut steps = 0;
        loop {
            steps += 1;
            assert!(steps < 100_000, "the process makes no progress");
            let held = process.ready.len() + process.suspects.len() + process.running.len();
            if held == 0 && to_deliver.is_empty() {
                return;
            }
            match self.random(3) {
                0 if held < self.prefetch => {
                    if let Some(id) = to_deliver.pop_front() {
                        self.deliver(&mut process, id);
                    }
                }
                1 => self.start(&mut process),
                _ if !process.running.is_empty() => {
                    let index = self.random(process.running.len());
                    let (id, _right) = process.running.swap_remove(index);
                    if self.ends_the_process(&mut process, id) {
                        self.ledger.aborts += 1;
                        let others = process.running.iter().map(|(id, _)| *id);
                        for id in others.chain([id]) {
                            *self.ledger.in_flight.entry(id).or_default() += 1;
                        }
                        return;
                    }
                }
                _ => {}
            }
        }
    }

    fn deliver(&mut self, process: &mut Process, id: u64) {
        let count = self.deliveries.get_mut(&id).unwrap();
        *count += 1;
        if *count == 1 {
            process.ready.push_back(id);
            return;
        }
        let records = self.records(process, id);
        let mut known = records.know(place(id));
        let verdict = now(records.look(&mut known, time())).unwrap();
        process.known.insert(id, known);
        self.by_verdict(process, id, verdict);
    }

    fn by_verdict(&mut self, process: &mut Process, id: u64, verdict: Verdict) {
        match verdict {
            Verdict::Beside => process.ready.push_back(id),
            Verdict::Alone => process.suspects.push_back((id, process.gate.exclude())),
            Verdict::Dead => self.give_up(process, id),
        }
    }

    fn give_up(&mut self, process: &mut Process, id: u64) {
        let mut known = process.known.remove(&id).unwrap();
        self.ledger.dead.insert(id, known.last_outcome());
        self.settle(process, id, &mut known);
    }

    fn settle(&mut self, process: &Process, id: u64, known: &mut Known) {
        self.deliveries.remove(&id);
        now(self.records(process, id).settled(known)).unwrap();
    }

    fn start(&mut self, process: &mut Process) {
        let mut context = Context::from_waker(Waker::noop());
        for index in 0..process.suspects.len() {
            let (id, exclude) = &mut process.suspects[index];
            let id = *id;
            if let Poll::Ready(alone) = Pin::new(exclude).poll(&mut context) {
                process.suspects.remove(index);
                self.begin(process, id, Right::Alone(alone));
                return;
            }
        }
        let beside = process.running.len() < self.concurrency;
        if beside
            && !process.ready.is_empty()
            && let Some(share) = process.gate.try_share()
            && let Some(id) = process.ready.pop_front()
        {
            self.begin(process, id, Right::Beside(share));
        }
    }

    fn begin(&mut self, process: &mut Process, id: u64, right: Right) {
        if self.deliveries[&id] > 1 {
            let records = self.records(process, id);
            let known = process.known.get_mut(&id).unwrap();
            let alone = matches!(right, Right::Alone(_));
            match now(records.begin(known, alone, time())).unwrap() {
                Begun::Started => {}
                Begun::Instead(verdict) => return self.by_verdict(process, id, verdict),
            }
        }
        if let Right::Alone(_) = right {
            assert!(process.running.is_empty(), "a suspect runs alone");
        }
        *self.ledger.starts.entry(id).or_default() += 1;
        process.running.push((id, right));
    }

    /// Ends the handler of an event. Returns whether it ends the process.
    fn ends_the_process(&mut self, process: &mut Process, id: u64) -> bool {
        let records = self.records(process, id);
        let starts = self.ledger.starts[&id];
        let interrupted = self.ledger.in_flight.get(&id).copied().unwrap_or_default();
        match self.handlers[usize::try_from(id).unwrap()] {
            Handler::EndsTheProcess => return true,
            Handler::Fails(times) if starts - interrupted <= times => {
                let mut known = process
                    .known
                    .remove(&id)
                    .unwrap_or_else(|| records.know(place(id)));
                if self.deliveries[&id] == 1 {
                    records.begin_unrecorded(&mut known, false, time());
                }
                let dead = known.attempts() >= self.max_attempts;
                now(records.failed(&mut known, LastOutcome::Retry, dead, time())).unwrap();
                process.known.insert(id, known);
                if dead {
                    self.give_up(process, id);
                } else {
                    process.ready.push_back(id);
                }
            }
            Handler::Succeeds | Handler::Fails(_) => {
                self.ledger.done.insert(id);
                match process.known.remove(&id) {
                    Some(mut known) => self.settle(process, id, &mut known),
                    None => drop(self.deliveries.remove(&id)),
                }
            }
        }
        false
    }

    fn records(&self, process: &Process, id: u64) -> Arc<AttemptRecords> {
        Arc::clone(&process.records[usize::try_from(id % self.consumers).unwrap()])
    }
}

fn place(sequence: u64) -> EventPlace<'static> {
    EventPlace {
        stream: "EVENTS",
        sequence,
        stored_at: Some(time()),
    }
}

fn time() -> Timestamp {
    Timestamp::UNIX_EPOCH
}

fn now<T>(future: impl Future<Output = T>) -> T {
    future.now_or_never().expect("the store answers at once")
}

fn check(ledger: &Ledger, handlers: &[Handler]) {
    for (id, handler) in handlers.iter().enumerate() {
        let id = id as u64;
        let starts = ledger.starts[&id];
        let interrupted = ledger.in_flight.get(&id).copied().unwrap_or_default();
        match handler {
            Handler::EndsTheProcess => {
                assert_eq!(ledger.dead.get(&id), Some(&Some(LastOutcome::ProcessEnded)));
                assert!(
                    (3..=4).contains(&starts),
                    "event {id} was started {starts} times"
                );
            }
            Handler::Succeeds => {
                assert!(ledger.done.contains(&id), "event {id} is not done");
                assert_eq!(
                    starts,
                    1 + interrupted,
                    "event {id}: only interrupted ones repeat"
                );
            }
            Handler::Fails(_) => {
                assert!(ledger.done.contains(&id) != ledger.dead.contains_key(&id));
                assert!(starts <= 3 + interrupted);
            }
        }
    }
}

#[test]
fn exactly_those_that_end_the_process_die() {
    for seed in 0..20 {
        let mut handlers = vec![Handler::Succeeds; 200];
        for id in [17, 18, 90, 199] {
            handlers[id] = Handler::EndsTheProcess;
        }
        let ledger = World::new(handlers.clone(), 16, 64, seed).run();
        check(&ledger, &handlers);
        assert_eq!(
            ledger.dead.keys().copied().collect::<Vec<_>>(),
            [17, 18, 90, 199]
        );
        assert_eq!(ledger.done.len(), 196);
        assert!(ledger.aborts <= 16, "{} aborts", ledger.aborts);
    }
}

#[test]
fn an_event_that_fails_too_often_dies_and_its_neighbours_do_not() {
    let mut handlers = vec![Handler::Succeeds; 50];
    handlers[7] = Handler::Fails(9);
    handlers[8] = Handler::Fails(2);
    let ledger = World::new(handlers.clone(), 8, 16, 1).run();
    check(&ledger, &handlers);
    assert_eq!(ledger.dead.keys().collect::<Vec<_>>(), [&7]);
    assert_eq!((ledger.starts[&7], ledger.starts[&8]), (3, 3));
}

fn any_handler() -> impl Strategy<Value = Handler> {
    prop_oneof![
        20 => Just(Handler::Succeeds),
        1 => Just(Handler::EndsTheProcess),
        2 => (0..5_u32).prop_map(Handler::Fails),
    ]
}

proptest! {
    #[test]
    fn nobody_is_blamed_for_a_neighbour(
        handlers in proptest::collection::vec(any_handler(), 1..80),
        concurrency in 1..20_usize,
        prefetch in 1..60_usize,
        seed: u64,
    ) {
        let ledger = World::new(handlers.clone(), concurrency, prefetch, seed).run();
        check(&ledger, &handlers);
    }
}
