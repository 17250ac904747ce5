//! `Owners`: processes that contend for one lease and handle the events of one key.
//!
//! A process that takes no action while time passes is one that was stopped, so that every process
//! may be stopped at any point, for any time. One that is stopped for ever has crashed. Requests, answers, deliveries and acknowledgements
//! take any time.
//!
//! # Promises
//!
//! - No handler starts while another process is the owner. A handler that ran when its process was
//!   stopped is the exception; it does not complete.
//! - No handler starts while another one runs in the same process.
//! - A handler starts only when all earlier events of the key are settled, or were completed in
//!   the same ownership.
//! - Nothing is acknowledged that was not completed, and from every state everything is completed
//!   and acknowledged in the end by the processes that go on, also by one alone.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use uuid::Uuid;

use super::super::owner::entry::{LeaseEntry, OwnerId};
use super::super::owner::gate::{Arrival, Gate, Passage};
use super::super::owner::lease::{Answer, Step};
use super::mistake::Mistake;
use super::search::{Model, fingerprint};
use super::world::{
    Expectation, Faults, Ownership, PROCESSES, Process, Question, Reading, Running, Server, Store,
    TERM, World, Writing,
};

/// When a gate opens whatever is missing: beyond the end of time, except in `recovers`. That the
/// server has delivered everything again until then is a matter of time, not of the order of
/// events.
const LONGEST: u64 = 50;

/// The size of the world.
#[derive(Debug, Clone, Copy)]
pub(super) struct Owners {
    /// The time at which no more time passes.
    pub(super) ticks: u64,
    /// Number of messages, all of one key. Without messages there is no server, and an owner may
    /// start a handler at any time.
    pub(super) messages: u64,
    /// How often the server delivers a message at most.
    pub(super) deliveries: u8,
    /// The faults that may happen, beside those of time.
    pub(super) faults: Faults,
    /// Whether requests to the bucket are answered at once.
    pub(super) prompt_store: bool,
    /// The planted mistake.
    pub(super) mistake: Option<Mistake>,
}

/// What can happen.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Action {
    /// Time passes.
    Tick,
    /// A process makes the next step of its lease.
    Lease(usize),
    /// The bucket makes the write of a process.
    MakeWrite(usize),
    /// The answer arrives.
    AnswerWrite(usize),
    /// A process no longer waits for an answer.
    TimeOut(usize),
    /// A write that its process no longer waits for arrives.
    MakeOrphan(usize),
    /// The bucket serves a read.
    ServeRead(usize),
    /// The answer arrives.
    AnswerRead(usize),
    /// An owner asks for the consumer's position.
    Ask(usize),
    /// The server serves it.
    Serve(usize),
    /// The answer arrives.
    Answer(usize),
    /// The server delivers the next message to a pull.
    Deliver(usize),
    /// It delivers an unsettled message again.
    Redeliver(usize, u64),
    /// A delivery arrives.
    Receive(usize),
    /// An owner starts the next handler.
    Start(usize),
    /// A handler completes.
    Finish(usize),
    /// An acknowledgement arrives at the server.
    Ack(u64, usize),
    /// A process notices the time.
    Poll(usize),
    /// An owner releases its lease.
    Release(usize),
}

fn time(ticks: u64) -> Duration {
    Duration::from_secs(ticks)
}

impl Model for Owners {
    type State = World;
    type Action = Action;

    fn initial(&self) -> World {
        World {
            now: 0,
            store: Store {
                entry: None,
                revision: 0,
            },
            server: Server {
                delivered: 0,
                deliveries: 0,
                pending: BTreeMap::new(),
                acked: BTreeSet::new(),
            },
            processes: std::array::from_fn(Process::new),
            orphans: BTreeSet::new(),
            acks: BTreeSet::new(),
            completed: BTreeSet::new(),
            left: self.faults,
        }
    }

    fn actions(&self, world: &World, actions: &mut Vec<Action>) {
        if world.now < self.ticks {
            actions.push(Action::Tick);
        }
        actions.extend((0..world.orphans.len()).map(Action::MakeOrphan));
        actions.extend(
            world
                .acks
                .iter()
                .map(|(sequence, p)| Action::Ack(*sequence, *p)),
        );
        // The processes are alike: the first one makes the first step.
        let begun =
            world.processes[0].lease != Process::new(0).lease || world.processes[0].read.is_some();
        for p in 0..if begun { PROCESSES } else { 1 } {
            self.actions_of(world, p, actions);
        }
    }

    fn step(&self, world: &World, action: Action) -> Result<World, String> {
        let mut world = world.clone();
        self.act(&mut world, action)?;
        Ok(world)
    }

    fn check(&self, world: &World) -> Result<(), String> {
        let alone = (0..PROCESSES).map(Some);
        let mut who_goes_on = std::iter::once(None).chain(alone);
        who_goes_on.try_for_each(|alone| self.recovers(world.clone(), alone))
    }
}

impl Owners {
    pub(super) fn has(&self, mistake: Mistake) -> bool {
        self.mistake == Some(mistake)
    }

    fn actions_of(&self, world: &World, p: usize, actions: &mut Vec<Action>) {
        let process = &world.processes[p];
        let server = &world.server;
        if process.pulls {
            if server.delivered < self.messages {
                actions.push(Action::Deliver(p));
            }
            let again = server
                .pending
                .iter()
                .filter(|(_, times)| **times < self.deliveries);
            actions.extend(again.map(|(sequence, _)| Action::Redeliver(p, *sequence)));
        }
        match &process.write {
            Some(Writing::Sent(..)) => actions.push(Action::MakeWrite(p)),
            Some(Writing::Made(_)) => actions.push(Action::AnswerWrite(p)),
            None => {}
        }
        if process.write.is_some() && world.left.timeouts > 0 {
            actions.push(Action::TimeOut(p));
        }
        match &process.read {
            Some(Reading::Asked(..)) => actions.push(Action::ServeRead(p)),
            Some(Reading::Served(..)) => actions.push(Action::AnswerRead(p)),
            None => {}
        }
        if self.has_step(world, p) {
            actions.push(Action::Lease(p));
        }
        let Some(owned) = &process.ownership else {
            if process.running.is_some() {
                actions.push(Action::Finish(p));
            }
            return;
        };
        if process.cancel_at() <= time(world.now) {
            actions.push(Action::Poll(p));
        }
        if self.messages == 0 {
            match process.running {
                Some(_) => actions.push(Action::Finish(p)),
                None => actions.push(Action::Start(p)),
            }
            return;
        }
        match owned.question {
            Some(Question::Asked(_)) => actions.push(Action::Serve(p)),
            Some(Question::Served(..)) => actions.push(Action::Answer(p)),
            None => actions.push(Action::Ask(p)),
        }
        if owned.gate.is_some() && !process.arrivals.is_empty() {
            actions.push(Action::Receive(p));
        }
        if process.running.is_some() {
            actions.push(Action::Finish(p));
        }
        let holds_the_key = |running: Running| running.epoch == owned.epoch;
        if !process.running.is_some_and(holds_the_key) && !owned.passed.is_empty() {
            actions.push(Action::Start(p));
        }
        let drained = process.running.is_none() && !world.acks.iter().any(|(_, from)| *from == p);
        if world.left.releases > 0 && (drained || self.has(Mistake::ReleaseWhileRunning)) {
            actions.push(Action::Release(p));
        }
    }

    /// Whether the lease of a process has something to send now. A read of what it knows already
    /// would change nothing.
    fn has_step(&self, world: &World, p: usize) -> bool {
        let process = &world.processes[p];
        if process.write.is_some() || process.read.is_some() {
            return false;
        }
        let now = time(world.now);
        match process.lease.clone().next(now) {
            Step::Wait(_) => {
                let mut lease = process.lease.clone();
                lease.observed(lease.read_ticket(), seen(self, world, false), now);
                lease.deadlines().is_none() && lease != process.lease
            }
            Step::Write(..) | Step::Delete(_) | Step::Read => true,
        }
    }

    fn act(&self, world: &mut World, action: Action) -> Result<(), String> {
        match action {
            Action::Tick => world.now += 1,
            Action::MakeOrphan(which) => {
                let write = world.orphans.iter().nth(which).copied();
                if let Some((expected, owner, counter)) = write {
                    world.orphans.retain(|other| Some(*other) != write);
                    let entry = LeaseEntry {
                        owner: OwnerId(Uuid::from_u128(owner)),
                        term: time(TERM),
                        counter,
                    };
                    world.store.write(expected, Some(entry));
                }
            }
            Action::Ack(sequence, p) => {
                world.acks.remove(&(sequence, p));
                if !world.completed.contains(&sequence) {
                    return Err(format!("{sequence} is acknowledged and was not completed"));
                }
                world.server.acknowledge(sequence);
            }
            Action::Deliver(p) => {
                world.server.delivered += 1;
                let sequence = world.server.delivered;
                world.deliver(p, sequence);
            }
            Action::Redeliver(p, sequence) => world.deliver(p, sequence),
            Action::MakeWrite(p) => {
                if let Some(Writing::Sent(expected, entry)) = world.processes[p].write.take() {
                    let answer = world.store.write(expected, entry);
                    world.processes[p].write = Some(Writing::Made(answer));
                }
            }
            Action::ServeRead(p) => {
                if let Some(Reading::Asked(ticket, at)) = world.processes[p].read {
                    let entry = world.store.entry.clone();
                    world.processes[p].read = Some(Reading::Served(ticket, at, entry));
                }
            }
            Action::Serve(p) => {
                let position = world.server.position();
                if let Some(owned) = &mut world.processes[p].ownership
                    && let Some(Question::Asked(ticket)) = owned.question
                {
                    owned.question = Some(Question::Served(ticket, position));
                }
            }
            Action::Lease(p)
            | Action::AnswerWrite(p)
            | Action::TimeOut(p)
            | Action::AnswerRead(p)
            | Action::Ask(p)
            | Action::Answer(p)
            | Action::Receive(p)
            | Action::Start(p)
            | Action::Finish(p)
            | Action::Poll(p)
            | Action::Release(p) => {
                let late = matches!(action, Action::Start(_)) && self.has(Mistake::NoFence)
                    || matches!(action, Action::Finish(_)) && self.has(Mistake::NoCancel);
                if !late {
                    self.notice(world, p);
                }
                self.act_in(world, p, action)?;
                if !late {
                    self.notice(world, p);
                }
            }
        }
        Ok(())
    }

    /// What a process does, after it has noticed the time.
    fn act_in(&self, world: &mut World, p: usize, action: Action) -> Result<(), String> {
        match action {
            Action::Lease(_) => self.lease_step(world, p),
            Action::AnswerWrite(_) => {
                if let Some(Writing::Made(answer)) = world.processes[p].write.take() {
                    self.answer_write(world, p, answer);
                }
            }
            Action::TimeOut(_) => self.time_out(world, p),
            Action::AnswerRead(_) => {
                if let Some(Reading::Served(ticket, at, read)) = world.processes[p].read.take() {
                    let at = if self.has(Mistake::SeenFromAsking) {
                        at
                    } else {
                        world.now
                    };
                    let read = self.shown(read);
                    world.processes[p].lease.observed(ticket, read, time(at));
                }
            }
            Action::Ask(_) | Action::Answer(_) | Action::Receive(_) => {
                self.gate_step(world, p, action)
            }
            Action::Start(_) => return self.start(world, p),
            Action::Finish(_) => return self.finish(world, p),
            Action::Release(_) => {
                world.left.releases -= 1;
                let process = &mut world.processes[p];
                process.lease.want(false);
                if !self.has(Mistake::ReleaseWhileRunning) {
                    process.running = None;
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn lease_step(&self, world: &mut World, p: usize) {
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
        let expected = match self.has(Mistake::AnyRevision) {
            true => Expectation::Any,
            false => expected,
        };
        if self.prompt_store {
            let answer = world.store.write(expected, entry);
            self.answer_write(world, p, answer);
        } else {
            world.processes[p].write = Some(Writing::Sent(expected, entry));
        }
    }

    fn answer_write(&self, world: &mut World, p: usize, answer: Answer) {
        let now = time(world.now);
        let process = &mut world.processes[p];
        if let Some(mut before) = process.before.take() {
            // As if it had been sent now.
            before.next(now);
            process.lease = before;
        }
        process.lease.answered(answer, now);
    }

    /// A process no longer waits for an answer. The write may still be made.
    fn time_out(&self, world: &mut World, p: usize) {
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

    fn gate_step(&self, world: &mut World, p: usize, action: Action) {
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
                    if let Passage::Pass(()) = gate.delivered(arrival, (), now) {
                        owned.passed.insert(arrival.sequence);
                    }
                }
            }
        }
        if let Some(released) = owned.gate.as_mut().and_then(|gate| gate.release(now)) {
            owned.passed.extend(released.items.into_keys());
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

    fn start(&self, world: &mut World, p: usize) -> Result<(), String> {
        let now = time(world.now);
        let process = &world.processes[p];
        let (Some(owned), Some(deadlines)) = (&process.ownership, process.lease.deadlines()) else {
            return Ok(());
        };
        let any = Some(0).filter(|_| self.messages == 0);
        let Some(sequence) = owned.passed.first().copied().or(any) else {
            return Ok(());
        };
        if now >= deadlines.start_until && !self.has(Mistake::NoFence) {
            return Ok(());
        }
        if process.running.is_some() {
            return Err(format!("process {p} runs two handlers of a key"));
        }
        for (q, other) in world.processes.iter().enumerate() {
            let owner = other.lease.epoch(now).is_some();
            if q != p && owner {
                return Err(format!(
                    "process {p} starts {sequence} while {q} is the owner"
                ));
            }
            let released = other.running.is_some() && other.lease.deadlines().is_none();
            if q != p && released {
                return Err(format!(
                    "process {p} starts {sequence}, and {q} has not stopped"
                ));
            }
        }
        for lower in 1..sequence {
            if !world.server.acked.contains(&lower) && !owned.done.contains(&lower) {
                return Err(format!("process {p} starts {sequence} before {lower}"));
            }
        }
        let running = Running {
            sequence,
            epoch: owned.epoch,
        };
        world.processes[p].running = Some(running);
        Ok(())
    }

    fn finish(&self, world: &mut World, p: usize) -> Result<(), String> {
        let now = time(world.now);
        let Some(running) = world.processes[p].running.take() else {
            return Ok(());
        };
        let process = &mut world.processes[p];
        if process.lease.epoch(now) != Some(running.epoch) {
            if self.has(Mistake::AcquiresUncleared) || self.has(Mistake::ReleaseWhileRunning) {
                return Ok(());
            }
            return Err(format!("process {p} completes a handler after its lease"));
        }
        if let Some(owned) = &mut process.ownership {
            owned.passed.remove(&running.sequence);
            if self.messages > 0 {
                owned.done.insert(running.sequence);
            }
            if let Some(gate) = &mut owned.gate {
                gate.settled(running.sequence);
            }
        }
        if self.messages > 0 {
            world.completed.insert(running.sequence);
            world.acks.insert((running.sequence, p));
        }
        Ok(())
    }

    /// A process notices that it has lost its lease, or has it now.
    fn notice(&self, world: &mut World, p: usize) {
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
                process.running = None;
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
                passed: BTreeSet::new(),
                done: BTreeSet::new(),
            });
        }
    }

    /// The entry as a process sees it, with the planted mistake.
    fn shown(&self, read: Option<(u64, LeaseEntry)>) -> Option<(u64, Option<LeaseEntry>)> {
        let (revision, mut entry) = read?;
        if self.has(Mistake::TakesOverEarly) {
            entry.term = time(1);
        }
        Some((revision, Some(entry)))
    }

    /// Without more faults, everything is completed and acknowledged; by one process, if the others
    /// are stopped for ever.
    fn recovers(&self, mut world: World, alone: Option<usize>) -> Result<(), String> {
        for process in &mut world.processes {
            process.lease.want(true);
        }
        world.left = Faults {
            timeouts: 0,
            releases: 0,
        };
        for round in 0..20 {
            // Everything that is possible is done, before time passes. The server delivers again
            // at last.
            let mut times = 0;
            while times < 30 && self.all_prompt(&mut world, alone) {
                times += 1;
            }
            world.redeliver_all(alone);
            world.now += if round == 10 { LONGEST } else { 1 };
        }
        let count = world.server.acked.len() as u64;
        if count == self.messages {
            return Ok(());
        }
        Err(format!(
            "only {count} messages are acknowledged in the end: {world:?}"
        ))
    }

    /// Does what is possible without delays and faults; whether that changed anything.
    fn all_prompt(&self, world: &mut World, alone: Option<usize>) -> bool {
        let before = fingerprint(world);
        let (mut planned, mut possible) = (Vec::new(), Vec::new());
        self.actions(world, &mut planned);
        for action in planned {
            possible.clear();
            self.actions(world, &mut possible);
            let prompt = match action {
                Action::Tick | Action::Redeliver(..) => false,
                Action::Lease(p) | Action::Deliver(p) | Action::Poll(p) => {
                    alone.is_none_or(|alone| alone == p)
                }
                _ => true,
            };
            if prompt && possible.contains(&action) {
                let _ = self.act(world, action);
            }
        }
        before != fingerprint(world)
    }
}

/// What the bucket shows to a process.
fn seen(model: &Owners, world: &World, mistakes: bool) -> Option<(u64, Option<LeaseEntry>)> {
    let entry = world.store.entry.clone();
    match mistakes {
        true => model.shown(entry),
        false => entry.map(|(revision, entry)| (revision, Some(entry))),
    }
}
