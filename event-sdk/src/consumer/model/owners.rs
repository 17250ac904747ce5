//! `Owners`: processes that contend for one lease and handle the events of one key.
//!
//! A process that takes no action while time passes is one that was frozen, so that every process
//! may be frozen at any point, for any time. One that is frozen for ever has crashed. Requests,
//! answers, deliveries and acknowledgements take any time.
//!
//! # Promises
//!
//! - No handler starts while another process is the owner. A handler that ran when its process was
//!   stopped is the exception; it does not complete.
//! - No handler starts while another one runs in the same process.
//! - A handler starts only when all earlier events of the key are settled, or were completed or
//!   given up in the same ownership.
//! - A handler that ends the process is started once more than it has attempts at most, beside those
//!   starts that ended with an ownership, and becomes a dead letter. So does one that always fails.
//!   Another event becomes one only if an ownership ended while its handler ran alone.
//! - A suspect runs alone in its process.
//! - Nothing is acknowledged that was neither completed nor has a dead letter, nothing has both, and from every state everything is completed
//!   or dead, and acknowledged in the end by the processes that go on, also by one alone.

mod attempts;
mod process;
mod recovery;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use uuid::Uuid;

use self::process::{answer_write, seen};
use super::super::owner::entry::{LeaseEntry, OwnerId};
use super::super::owner::lease::Step;
use super::mistake::Mistake;
use super::search::Model;
use super::world::{
    Faults, PROCESSES, Passed, Process, Question, Reading, Records, Running, Server, Stage, Store,
    TERM, World, Writing,
};

/// The size of the world.
#[derive(Debug, Clone, Copy)]
pub(super) struct Owners {
    /// The time at which no more time passes.
    pub(super) ticks: u64,
    /// Number of messages. Without messages there is no server, and an owner may
    /// start a handler at any time.
    pub(super) messages: u64,
    /// Number of keys, which the messages have by turns.
    pub(super) keys: u64,
    /// What the handlers of the first messages do. Others succeed.
    pub(super) handlers: &'static [Handler],
    /// How many attempts a message has.
    pub(super) max_attempts: u32,
    /// How often the server delivers a message at most.
    pub(super) deliveries: u8,
    /// The faults that may happen, beside those of time.
    pub(super) faults: Faults,
    /// Whether requests to the bucket are answered at once.
    pub(super) prompt_store: bool,
    /// Whether questions for the consumer's position are answered at once.
    pub(super) prompt_server: bool,
    /// What has happened before the search begins.
    pub(super) begins_with: &'static [Action],
    /// The planted mistake.
    pub(super) mistake: Option<Mistake>,
}

/// What a handler does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Handler {
    Succeeds,
    Fails,
    EndsTheProcess,
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
    /// An owner makes the next step to start the handler of a message.
    Start(usize, u64),
    /// An owner sends the record of a start, and the bucket does not make it yet.
    SendRecord(usize, u64),
    /// The bucket makes a write whose sender is no longer the owner.
    MakeLateRecord(usize),
    /// A handler ends.
    Finish(usize, u64),
    /// An owner writes a dead letter.
    Letter(usize, u64),
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
        let mut world = World {
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
            letters: BTreeSet::new(),
            records: Records::default(),
            late_records: BTreeSet::new(),
            history: BTreeMap::new(),
            left: self.faults,
        };
        for action in self.begins_with {
            let mut possible = Vec::new();
            self.actions(&world, &mut possible);
            assert!(
                possible.contains(action),
                "{action:?} is not possible: {possible:?}"
            );
            if let Err(broken) = self.act(&mut world, *action) {
                panic!("{action:?}: {broken}");
            }
        }
        world
    }

    fn actions(&self, world: &World, actions: &mut Vec<Action>) {
        if world.now < self.ticks {
            actions.push(Action::Tick);
        }
        actions.extend((0..world.orphans.len()).map(Action::MakeOrphan));
        for (at, late) in world.late_records.iter().enumerate() {
            if !attempts::is_awaited(world, late) {
                actions.push(Action::MakeLateRecord(at));
            }
        }
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

    fn checks_one_in(&self) -> u128 {
        // The order matters in few states.
        if self.faults.late_records > 0 {
            200
        } else {
            1_000
        }
    }

    fn check(&self, world: &World) -> Result<(), String> {
        let alone = (0..PROCESSES).map(Some);
        let mut who_goes_on = std::iter::once(None).chain(alone);
        who_goes_on.try_for_each(|alone| self.recovers(world, alone))
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
        let finish = |running: &Running| Action::Finish(p, running.sequence);
        actions.extend(process.running.iter().map(finish));
        let Some(owned) = &process.ownership else {
            return;
        };
        if process.cancel_at() <= time(world.now) {
            actions.push(Action::Poll(p));
        }
        let drained = process.running.is_empty() && !world.acks.iter().any(|(_, from)| *from == p);
        if world.left.releases > 0 && (drained || self.has(Mistake::ReleaseWhileRunning)) {
            actions.push(Action::Release(p));
        }
        if self.messages == 0 {
            if process.running.is_empty() {
                actions.push(Action::Start(p, 0));
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
        // The first of a key holds it from its start to its end, also while it is retried.
        let begun = |passed: &Passed| passed.stage != Stage::Ready || passed.known.is_some();
        let all = owned.passed.iter();
        let begun_keys = all.filter(|(_, passed)| begun(passed));
        let mut keys: BTreeSet<u64> = begun_keys.map(|(s, _)| s % self.keys).collect();
        for (sequence, passed) in &owned.passed {
            if keys.contains(&(sequence % self.keys)) && !begun(passed) {
                continue;
            }
            keys.insert(sequence % self.keys);
            match passed.stage {
                Stage::GivingUp => actions.push(Action::Letter(p, *sequence)),
                Stage::Running { .. } => {}
                stage if self.may_start(process, stage) => {
                    actions.push(Action::Start(p, *sequence));
                    if world.left.late_records > 0
                        && passed.redelivered
                        && matches!(stage, Stage::Ready | Stage::Suspect)
                    {
                        actions.push(Action::SendRecord(p, *sequence));
                    }
                }
                _ => {}
            }
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
            Action::MakeLateRecord(at) => self.make_late_record(world, at),
            Action::Ack(sequence, p) => {
                world.acks.remove(&(sequence, p));
                if !world.completed.contains(&sequence) && !world.letters.contains(&sequence) {
                    return Err(format!("{sequence} is acknowledged and was not handled"));
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
                if self.prompt_server {
                    return self.act(world, Action::Answer(p));
                }
            }
            Action::Lease(p)
            | Action::AnswerWrite(p)
            | Action::TimeOut(p)
            | Action::AnswerRead(p)
            | Action::Ask(p)
            | Action::Answer(p)
            | Action::Receive(p)
            | Action::Start(p, _)
            | Action::SendRecord(p, _)
            | Action::Finish(p, _)
            | Action::Letter(p, _)
            | Action::Poll(p)
            | Action::Release(p) => {
                let late = matches!(action, Action::Start(..)) && self.has(Mistake::NoFence)
                    || matches!(action, Action::Finish(..)) && self.has(Mistake::NoCancel);
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
                    answer_write(&mut world.processes[p], answer, time(world.now));
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
                self.gate_step(world, p, action);
            }
            Action::Start(_, sequence) => return self.start(world, p, sequence),
            Action::SendRecord(_, sequence) => self.send_record(world, p, sequence),
            Action::Finish(_, sequence) => return self.finish(world, p, sequence),
            Action::Letter(_, sequence) => return self.write_letter(world, p, sequence),
            Action::Release(_) => {
                world.left.releases -= 1;
                let process = &mut world.processes[p];
                process.lease.want(false);
                if !self.has(Mistake::ReleaseWhileRunning) {
                    process.running.clear();
                }
            }
            _ => {}
        }
        Ok(())
    }
}
