//! The world of the model: a coordination bucket, a consumer at a server, processes that use the
//! real lease and the real gate, and everything that is on its way between them.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use uuid::Uuid;

use super::super::attempts::Known;
use super::super::owner::entry::{LeaseEntry, OwnerId};
use super::super::owner::gate::{Arrival, Baseline, BaselineTicket, Gate};
use super::super::owner::lease::{Answer, Expected, Lease, ReadTicket, Term};

/// The length of a lease's term, in ticks.
pub(super) const TERM: u64 = 3;

/// Number of processes.
pub(super) const PROCESSES: usize = 2;

/// Everything.
#[derive(Debug, Clone, Hash)]
pub(super) struct World {
    /// The time; the same everywhere.
    pub(super) now: u64,
    pub(super) store: Store,
    pub(super) server: Server,
    pub(super) processes: [Process; PROCESSES],
    /// Writes whose sender no longer waits for the answer: they may be made at any time.
    pub(super) orphans: BTreeSet<(Expectation, u128, u64)>,
    /// Acknowledgements on their way: by sequence and process.
    pub(super) acks: BTreeSet<(u64, usize)>,
    /// Messages that a handler has completed, by any process.
    pub(super) completed: BTreeSet<u64>,
    /// Dead letters, by sequence.
    pub(super) letters: BTreeSet<u64>,
    /// Attempt records in the bucket.
    pub(super) records: Records,
    /// Writes of records that are on their way.
    pub(super) late_records: BTreeSet<LateRecord>,
    /// What happened to a message, by sequence; of those that are not completed.
    pub(super) history: BTreeMap<u64, History>,
    pub(super) left: Faults,
}

impl World {
    /// The server delivers a message to the pull of a process.
    pub(super) fn deliver(&mut self, p: usize, sequence: u64) {
        self.server.deliveries += 1;
        let times = self.server.pending.entry(sequence).or_default();
        *times += 1;
        // How often does not matter beyond the limit of a search.
        *times = (*times).min(100);
        let arrival = Arrival {
            sequence,
            number: Some(self.server.deliveries),
            redelivered: *times > 1,
        };
        self.processes[p].arrivals.push_back(arrival);
    }

    /// The server delivers everything unsettled again, to a process that takes it.
    pub(super) fn redeliver_all(&mut self, alone: Option<usize>) {
        let takes = |p: &usize| self.processes[*p].pulls && alone.is_none_or(|alone| alone == *p);
        if let Some(p) = (0..PROCESSES).rev().find(takes) {
            for sequence in self.server.pending.clone().into_keys() {
                self.deliver(p, sequence);
            }
        }
    }
}

/// How many faults may still happen.
#[derive(Debug, Clone, Copy, Hash, Default)]
pub(super) struct Faults {
    pub(super) timeouts: u8,
    pub(super) releases: u8,
    /// Writes of attempt records that are made late.
    pub(super) late_records: u8,
}

/// The attempt records in the bucket.
#[derive(Debug, Clone, Hash, Default)]
pub(super) struct Records {
    /// Revision and text, by key.
    pub(super) entries: BTreeMap<String, (u64, String)>,
    /// Number of writes.
    pub(super) changes: u64,
}

/// A write of an attempt record that is on its way.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct LateRecord {
    pub(super) process: usize,
    pub(super) sequence: u64,
    pub(super) key: String,
    /// The revision that it expects; `None` for a new record.
    pub(super) expected: Option<u64>,
    pub(super) text: String,
}

/// What happened to the handlers of one message.
#[derive(Debug, Clone, Copy, Hash, Default)]
pub(super) struct History {
    /// Handlers that were started.
    pub(super) starts: u8,
    /// Handlers that were dropped at the end of an ownership.
    pub(super) dropped: u8,
}

/// A write's expectation, in a form that can be ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Expectation {
    Absent,
    Exactly(u64),
    Any,
}

impl From<Expected> for Expectation {
    fn from(expected: Expected) -> Self {
        match expected {
            Expected::Absent => Self::Absent,
            Expected::Exactly(revision) => Self::Exactly(revision),
        }
    }
}

/// The entry of the lease in the bucket.
#[derive(Debug, Clone, Hash)]
pub(super) struct Store {
    pub(super) entry: Option<(u64, LeaseEntry)>,
    pub(super) revision: u64,
}

impl Store {
    fn accepts(&self, expected: Expectation) -> bool {
        match (expected, &self.entry) {
            (Expectation::Any, _) | (Expectation::Absent, None) => true,
            (Expectation::Exactly(expected), Some((revision, _))) => expected == *revision,
            _ => false,
        }
    }

    /// Makes a write, or a deletion where there is no entry.
    pub(super) fn write(&mut self, expected: Expectation, entry: Option<LeaseEntry>) -> Answer {
        if !self.accepts(expected) {
            return Answer::WrongRevision;
        }
        self.revision += 1;
        self.entry = entry.map(|entry| (self.revision, entry));
        Answer::Done(self.revision)
    }
}

/// The durable consumer at the server.
#[derive(Debug, Clone, Hash)]
pub(super) struct Server {
    /// The highest sequence that was delivered.
    pub(super) delivered: u64,
    /// Number of deliveries.
    pub(super) deliveries: u64,
    /// Unsettled messages, with the number of their deliveries.
    pub(super) pending: BTreeMap<u64, u8>,
    pub(super) acked: BTreeSet<u64>,
}

impl Server {
    pub(super) fn position(&self) -> Baseline {
        Baseline {
            ack_pending: self.pending.len() as u64,
            delivered: self.delivered,
            deliveries: Some(self.deliveries),
        }
    }

    pub(super) fn acknowledge(&mut self, sequence: u64) {
        if self.pending.remove(&sequence).is_some() {
            self.acked.insert(sequence);
        }
    }
}

/// One process.
#[derive(Debug, Clone, Hash)]
pub(super) struct Process {
    pub(super) id: OwnerId,
    pub(super) lease: Lease,
    pub(super) write: Option<Writing>,
    /// With a planted mistake: the lease before that write.
    pub(super) before: Option<Lease>,
    pub(super) read: Option<Reading>,
    /// Whether a pull of this process is open at the server.
    pub(super) pulls: bool,
    /// Deliveries on their way to it.
    pub(super) arrivals: VecDeque<Arrival>,
    pub(super) ownership: Option<Ownership>,
    /// Handlers that run: one for each key at most.
    pub(super) running: Vec<Running>,
    /// How often it was started again.
    pub(super) lives: u8,
}

/// A handler that runs.
#[derive(Debug, Clone, Copy, Hash)]
pub(super) struct Running {
    pub(super) sequence: u64,
    /// The epoch of the ownership that started it.
    pub(super) epoch: u64,
}

/// A write of the lease.
#[derive(Debug, Clone, Hash)]
pub(super) enum Writing {
    Sent(Expectation, Option<LeaseEntry>),
    Made(Answer),
}

/// A read of the lease.
#[derive(Debug, Clone, Hash)]
pub(super) enum Reading {
    Asked(ReadTicket, u64),
    Served(ReadTicket, u64, Option<(u64, LeaseEntry)>),
}

/// What a process has while it owns the lease.
#[derive(Debug, Clone, Hash)]
pub(super) struct Ownership {
    pub(super) epoch: u64,
    /// The gate; `None` until the first baseline is known.
    pub(super) gate: Option<Gate<bool>>,
    pub(super) question: Option<Question>,
    /// Messages that passed the gate and are not settled.
    pub(super) passed: BTreeMap<u64, Passed>,
    /// Messages that were handled in this ownership.
    pub(super) done: BTreeSet<u64>,
}

/// A message that passed the gate.
#[derive(Debug, Clone, Hash)]
pub(super) struct Passed {
    /// Whether the server had delivered it before.
    pub(super) redelivered: bool,
    pub(super) stage: Stage,
    /// Whether its next start, or the one that runs, is recorded.
    pub(super) counted: bool,
    pub(super) known: Option<Known>,
}

/// How far an event is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Stage {
    /// It may start.
    Ready,
    /// It runs alone in the process.
    Suspect,
    /// The record of its start is on its way.
    Recording {
        /// Whether it runs alone.
        alone: bool,
    },
    /// Its start is recorded.
    Recorded {
        /// Whether it runs alone.
        alone: bool,
    },
    Running {
        /// Whether it runs alone.
        alone: bool,
    },
    /// Its record says that it is dead; its letter is not written yet.
    GivingUp,
}

/// A question for the consumer's position.
#[derive(Debug, Clone, Copy, Hash)]
pub(super) enum Question {
    Asked(Option<BaselineTicket>),
    Served(Option<BaselineTicket>, Baseline),
}

impl Process {
    /// A process that has just started.
    pub(super) fn new(number: usize) -> Self {
        Self::started_again(number, 0)
    }

    /// A process that was started again so many times.
    pub(super) fn started_again(number: usize, lives: u8) -> Self {
        let id = number + PROCESSES * usize::from(lives) + 1;
        let id = OwnerId(Uuid::from_u128(id as u128));
        Self {
            id,
            lease: Lease::new(id, Term::new(Duration::from_secs(TERM))),
            write: None,
            before: None,
            read: None,
            pulls: false,
            arrivals: VecDeque::new(),
            ownership: None,
            running: Vec::new(),
            lives,
        }
    }

    /// The time when its handlers are cancelled; zero if it is not the owner.
    pub(super) fn cancel_at(&self) -> Duration {
        self.lease
            .deadlines()
            .map_or(Duration::ZERO, |d| d.cancel_at)
    }
}
