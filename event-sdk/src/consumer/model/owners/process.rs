//! What a process does with its lease, its gate and its handlers, and the promises about that.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::{Action, Owners, time};
use crate::consumer::model::mistake::Mistake;
use crate::consumer::model::world::{
    Expectation, Ownership, Passed, Process, Question, Reading, Running, World, Writing,
};
use crate::consumer::owner::entry::LeaseEntry;
use crate::consumer::owner::gate::{Arrival, Gate, Passage};
use crate::consumer::owner::lease::{Answer, Step};

/// When a gate opens whatever is missing: beyond the end of time, except in `recovers`. That the
/// server has delivered everything again until then is a matter of time, not of the order of
/// events.
pub(super) const LONGEST: u64 = 50;

impl Owners {
    pub(super) fn lease_step(&self, world: &mut World, p: usize) {
        let now = time(world.now);
        if self.has(Mistake::CountedFromAnswer) {
            world.processes[p].before = Some(world.processes[p].lease.clone());
        }
        let (expected, entry) = match world.processes[p].lease.next(now) {
            Step::Write(expected, entry) => (expected.into(), Some(entry)),
            Step::Delete(revision) => (Expectation::Exactly(revision), None),
            Step::Read | Step::Wait(_) => {
                let ticket = world.processes[p].lease.read_ticket();
                if self.prompt_store {
                    let read = seen(self, world, true);
                    world.processes[p].lease.observed(ticket, read, now);
                } else {
                    world.processes[p].read = Some(Reading::Asked(ticket, world.now));
                }
                return;
            }
        };
        let any = self.has(Mistake::AnyRevision);
        let expected = if any { Expectation::Any } else { expected };
        if self.prompt_store {
            let answer = world.store.write(expected, entry);
            answer_write(&mut world.processes[p], answer, time(world.now));
        } else {
            world.processes[p].write = Some(Writing::Sent(expected, entry));
        }
    }

    /// A process no longer waits for an answer. The write may still be made.
    pub(super) fn time_out(&self, world: &mut World, p: usize) {
        world.left.timeouts -= 1;
        let write = world.processes[p].write.take();
        let mut answer = Answer::Unknown;
        if let Some(Writing::Sent(expected, Some(entry))) = write {
            if self.has(Mistake::SilenceIsSuccess)
                && let Expectation::Exactly(revision) = expected
            {
                answer = Answer::Done(revision + 1);
            }
            let owner = entry.owner.0.as_u128();
            world.orphans.insert((expected, owner, entry.counter));
        }
        world.processes[p].lease.answered(answer, time(world.now));
    }

    pub(super) fn gate_step(&self, world: &mut World, p: usize, action: Action) {
        let now = time(world.now);
        let Process {
            ownership,
            arrivals,
            pulls,
            ..
        } = &mut world.processes[p];
        let Some(owned) = ownership else {
            return;
        };
        match action {
            Action::Ask(_) => {
                owned.question = match &mut owned.gate {
                    None => Some(Question::Asked(None)),
                    Some(gate) => gate.asks(now).map(|ticket| Question::Asked(Some(ticket))),
                };
            }
            Action::Answer(_) => match owned.question.take() {
                Some(Question::Served(None, mut position)) => {
                    if self.has(Mistake::NoGate) {
                        position.ack_pending = 0;
                    }
                    let never = time(LONGEST);
                    owned.gate = Some(Gate::taken_over(position, never, never, now));
                    *pulls = true;
                }
                Some(Question::Served(Some(ticket), position)) => {
                    if let Some(gate) = &mut owned.gate {
                        gate.answered(ticket, position);
                    }
                }
                _ => {}
            },
            _ => {
                if let (Some(gate), Some(arrival)) = (&mut owned.gate, arrivals.pop_front()) {
                    let arrival = self.arrived(arrival);
                    let again = arrival.redelivered;
                    if let Passage::Pass(again) = gate.delivered(arrival, again, now) {
                        owned.passed.insert(arrival.sequence, Passed::new(again));
                    }
                }
            }
        }
        if let Some(released) = owned.gate.as_mut().and_then(|gate| gate.release(now)) {
            let items = released.items.into_iter();
            owned
                .passed
                .extend(items.map(|(sequence, again)| (sequence, Passed::new(again))));
        }
    }

    fn arrived(&self, mut arrival: Arrival) -> Arrival {
        if self.has(Mistake::MissingNumbersIgnored) || self.has(Mistake::NoGate) {
            arrival.number = None;
        }
        if self.has(Mistake::LateAcksIgnored) {
            arrival.redelivered = false;
        }
        arrival
    }

    pub(super) fn start(&self, world: &mut World, p: usize, sequence: u64) -> Result<(), String> {
        let now = time(world.now);
        let process = &world.processes[p];
        let (Some(_), Some(deadlines)) = (&process.ownership, process.lease.deadlines()) else {
            return Ok(());
        };
        if now >= deadlines.start_until && !self.has(Mistake::NoFence) {
            return Ok(());
        }
        if !self.is_recorded(world, p, sequence) {
            return Ok(());
        }
        let process = &world.processes[p];
        let Some(owned) = &process.ownership else {
            return Ok(());
        };
        let key = |sequence: u64| sequence % self.keys;
        let mut running = process.running.iter();
        if running.any(|running| key(running.sequence) == key(sequence)) {
            return Err(format!("process {p} runs two handlers of a key"));
        }
        for (q, other) in world.processes.iter().enumerate() {
            if q != p && other.lease.epoch(now).is_some() {
                return Err(format!(
                    "process {p} starts {sequence} while {q} is the owner"
                ));
            }
            let released = !other.running.is_empty() && other.lease.deadlines().is_none();
            if q != p && released {
                return Err(format!(
                    "process {p} starts {sequence}, and {q} has not stopped"
                ));
            }
        }
        for lower in (1..sequence).filter(|lower| key(*lower) == key(sequence)) {
            if !world.server.acked.contains(&lower) && !owned.done.contains(&lower) {
                return Err(format!("process {p} starts {sequence} before {lower}"));
            }
        }
        let epoch = owned.epoch;
        world.processes[p].running.push(Running { sequence, epoch });
        self.started(world, p, sequence)
    }

    pub(super) fn finish(&self, world: &mut World, p: usize, sequence: u64) -> Result<(), String> {
        let now = time(world.now);
        let process = &mut world.processes[p];
        let mut all = process.running.iter();
        let Some(at) = all.position(|running| running.sequence == sequence) else {
            return Ok(());
        };
        let running = process.running.remove(at);
        if process.lease.epoch(now) != Some(running.epoch) {
            if self.has(Mistake::AcquiresUncleared) || self.has(Mistake::ReleaseWhileRunning) {
                return Ok(());
            }
            return Err(format!("process {p} completes a handler after its lease"));
        }
        if self.messages == 0 {
            return Ok(());
        }
        self.ended(world, p, sequence)
    }

    /// A process notices that it has lost its lease, or has it now.
    pub(super) fn notice(&self, world: &mut World, p: usize) {
        let now = time(world.now);
        let process = &mut world.processes[p];
        let epoch = process.lease.epoch(now);
        if process.ownership.as_ref().map(|owned| owned.epoch) != epoch {
            process.pulls = false;
            process.arrivals.clear();
            process.ownership = None;
            process.lease.expire(now);
            let released = self.has(Mistake::ReleaseWhileRunning) && world.left.releases == 0;
            if !self.has(Mistake::AcquiresUncleared) && !released {
                for running in process.running.drain(..) {
                    let history = world.history.entry(running.sequence).or_default();
                    history.dropped += 1;
                }
            }
            process.lease.cleared();
        }
        if process.ownership.is_none()
            && let Some(epoch) = process.lease.epoch(now)
        {
            process.ownership = Some(Ownership {
                epoch,
                gate: None,
                question: None,
                passed: BTreeMap::new(),
                done: BTreeSet::new(),
            });
        }
    }

    /// The entry as a process sees it, with the planted mistake.
    pub(super) fn shown(
        &self,
        read: Option<(u64, LeaseEntry)>,
    ) -> Option<(u64, Option<LeaseEntry>)> {
        let (revision, mut entry) = read?;
        if self.has(Mistake::TakesOverEarly) {
            entry.term = time(1);
        }
        Some((revision, Some(entry)))
    }
}

/// An owner acknowledges a message that it has completed or given up.
pub(super) fn settle(world: &mut World, p: usize, sequence: u64) {
    if let Some(owned) = &mut world.processes[p].ownership {
        owned.passed.remove(&sequence);
        owned.done.insert(sequence);
        if let Some(gate) = &mut owned.gate {
            gate.settled(sequence);
        }
    }
    world.acks.insert((sequence, p));
}

/// Reports an answer to the lease.
pub(super) fn answer_write(process: &mut Process, answer: Answer, now: Duration) {
    if let Some(mut before) = process.before.take() {
        // As if it had been sent now.
        before.next(now);
        process.lease = before;
    }
    process.lease.answered(answer, now);
}

/// What the bucket shows to a process.
pub(super) fn seen(
    model: &Owners,
    world: &World,
    mistakes: bool,
) -> Option<(u64, Option<LeaseEntry>)> {
    let entry = world.store.entry.clone();
    if mistakes {
        model.shown(entry)
    } else {
        entry.map(|(revision, entry)| (revision, Some(entry)))
    }
}
