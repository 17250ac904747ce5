//! Attempts of owners: the real attempt records, in the bucket of the model, decide how an event
//! starts, and when it is dead.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use event_sdk_core::text::Text;
use event_sdk_core::transport::Completion;
use futures_util::FutureExt as _;
use jiff::Timestamp;

use super::process::settle;
use super::{Handler, Owners};
use crate::consumer::attempts::{
    AttemptRecords, Begun, EventPlace, Expected, Known, LastOutcome, RecordStore, StoreError,
    Stored, Verdict,
};
use crate::consumer::model::mistake::Mistake;
use crate::consumer::model::world::{LateRecord, Passed, Process, Records, Stage, World};

/// The time of all attempts: it is part of a record, and changes no decision.
const NOW: Timestamp = Timestamp::UNIX_EPOCH;

impl Owners {
    fn handler(&self, sequence: u64) -> Handler {
        let at = usize::try_from(sequence).unwrap_or_default();
        let handler = at.checked_sub(1).and_then(|at| self.handlers.get(at));
        handler.copied().unwrap_or(Handler::Succeeds)
    }

    /// Whether the event may make its next step beside the others of its process.
    pub(super) fn may_start(&self, process: &Process, stage: Stage) -> bool {
        let passed = process
            .ownership
            .iter()
            .flat_map(|owned| owned.passed.values());
        let mut stages = passed.map(|passed| passed.stage);
        match stage {
            Stage::Ready => {
                let is_alone = |stage| {
                    matches!(
                        stage,
                        Stage::Suspect
                            | Stage::Recording { alone: true }
                            | Stage::Recorded { alone: true }
                            | Stage::Running { alone: true }
                    )
                };
                self.has(Mistake::OthersStartBesideSuspect) || !stages.any(is_alone)
            }
            Stage::Suspect => {
                let starts = |stage| {
                    matches!(
                        stage,
                        Stage::Recording { .. } | Stage::Recorded { .. } | Stage::Running { .. }
                    )
                };
                process.running.is_empty() && !stages.any(starts)
            }
            Stage::Recording { .. } | Stage::Recorded { .. } => true,
            Stage::Running { .. } | Stage::GivingUp => false,
        }
    }

    /// Records the start of a message, if that has to be done first; whether its handler starts now.
    pub(super) fn is_recorded(&self, world: &mut World, p: usize, sequence: u64) -> bool {
        let passed = world.processes[p].ownership.as_ref();
        let Some(passed) = passed.and_then(|owned| owned.passed.get(&sequence)) else {
            // Without messages, there is nothing to record.
            return self.messages == 0;
        };
        let alone = match passed.stage {
            Stage::Ready if passed.redelivered && !self.has(Mistake::StartsUnrecorded) => false,
            Stage::Suspect => true,
            Stage::Recording { alone } => alone,
            _ => return true,
        };
        world
            .late_records
            .retain(|late| (late.process, late.sequence) != (p, sequence));
        let mut known = passed.known.clone();
        let begun = self.with_records(world, p, sequence, &mut known, |records, known| {
            records.begin(known, alone, NOW).now_or_never()
        });
        let stage = match begun {
            Some(Ok(Begun::Started)) => Stage::Recorded { alone },
            Some(Ok(Begun::Instead(Verdict::Alone))) if self.has(Mistake::InterruptedIsFailed) => {
                if known
                    .as_ref()
                    .is_some_and(|known| known.attempts() >= self.max_attempts)
                {
                    Stage::GivingUp
                } else {
                    return true;
                }
            }
            Some(Ok(Begun::Instead(Verdict::Alone))) => Stage::Suspect,
            Some(Ok(Begun::Instead(Verdict::Dead))) => Stage::GivingUp,
            _ => Stage::Ready,
        };
        if let Some(passed) = passed_of(world, p, sequence) {
            passed.known = known;
            passed.counted = matches!(stage, Stage::Recorded { .. });
            passed.stage = stage;
        }
        if stage == Stage::GivingUp && self.has(Mistake::DeadWithoutLetter) {
            settle(world, p, sequence);
        }
        false
    }

    /// An owner sends the record of a start, which the bucket makes later.
    pub(super) fn send_record(&self, world: &mut World, p: usize, sequence: u64) {
        let Some(passed) = passed_of(world, p, sequence).cloned() else {
            return;
        };
        let alone = passed.stage == Stage::Suspect;
        let bucket = Bucket::of(world, true);
        let records = self.records(world, p, &bucket);
        let mut known = passed.known.unwrap_or_else(|| known_of(&records, sequence));
        let done = records.begin(&mut known, alone, NOW).now_or_never();
        world.records = std::mem::take(&mut bucket.lock());
        let sent = bucket
            .sent
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let (None, Some((key, expected, text))) = (done, sent) {
            world.left.late_records -= 1;
            world.late_records.insert(LateRecord {
                process: p,
                sequence,
                key,
                expected,
                text,
            });
            if let Some(passed) = passed_of(world, p, sequence) {
                passed.stage = Stage::Recording { alone };
            }
        }
    }

    /// The bucket makes a write whose sender is no longer the owner.
    pub(super) fn make_late_record(&self, world: &mut World, at: usize) {
        let Some(late) = world.late_records.iter().nth(at).cloned() else {
            return;
        };
        world.late_records.remove(&late);
        let overwrites = self.has(Mistake::RecordOverwritten);
        world
            .records
            .put(&late.key, late.text, late.expected, overwrites);
    }

    /// The handler of a message has started.
    pub(super) fn started(&self, world: &mut World, p: usize, sequence: u64) -> Result<(), String> {
        let Some(passed) = passed_of(world, p, sequence) else {
            return Ok(());
        };
        let alone = passed.stage == Stage::Recorded { alone: true };
        passed.stage = Stage::Running { alone };
        let owned = world.processes[p].ownership.iter();
        let running = owned.flat_map(|owned| owned.passed.values());
        let running: Vec<Stage> = running
            .map(|passed| passed.stage)
            .filter(|stage| matches!(stage, Stage::Running { .. }))
            .collect();
        if running.len() > 1 && running.contains(&Stage::Running { alone: true }) {
            return Err(format!("process {p} runs a suspect beside another handler"));
        }
        if self.handler(sequence) == Handler::Succeeds {
            return Ok(());
        }
        let runs = |process: &Process| process.running.iter().any(|r| r.sequence == sequence);
        let stopped = world
            .processes
            .iter()
            .filter(|process| runs(process))
            .count()
            - 1;
        let history = world.history.entry(sequence).or_default();
        history.starts += 1;
        // A first start is not recorded, and another one may run beside the one that ends the process.
        let is_killer = self.handler(sequence) == Handler::EndsTheProcess;
        let most = self.max_attempts + u32::from(history.dropped) + if is_killer { 2 } else { 0 };
        if u32::from(history.starts) > most + u32::try_from(stopped).unwrap_or_default() {
            return Err(format!("{sequence} is started {} times", history.starts));
        }
        Ok(())
    }

    /// The handler of a message has ended, while its process is the owner.
    pub(super) fn ended(&self, world: &mut World, p: usize, sequence: u64) -> Result<(), String> {
        match self.handler(sequence) {
            Handler::Succeeds => {
                if world.letters.contains(&sequence) {
                    return Err(format!("{sequence} is completed and has a dead letter"));
                }
                world.completed.insert(sequence);
                world.history.remove(&sequence);
                self.forget(world, p, sequence);
                settle(world, p, sequence);
            }
            Handler::Fails => {
                let passed = passed_of(world, p, sequence);
                let Some(mut passed) = passed.map(|passed| passed.clone()) else {
                    return Ok(());
                };
                let dead = self.with_records(world, p, sequence, &mut passed.known, |r, known| {
                    if !passed.counted {
                        r.begin_unrecorded(known, false, NOW);
                    }
                    let dead = known.attempts() >= self.max_attempts;
                    let outcome = LastOutcome::Retry;
                    let _ = r.failed(known, outcome, dead, NOW).now_or_never();
                    dead
                });
                passed.counted = false;
                passed.stage = if dead { Stage::GivingUp } else { Stage::Ready };
                if let Some(owned) = &mut world.processes[p].ownership {
                    owned.passed.insert(sequence, passed);
                }
                if dead && self.has(Mistake::ForgottenBeforeLetter) {
                    self.forget(world, p, sequence);
                }
            }
            Handler::EndsTheProcess => {
                let lives = world.processes[p].lives + 1;
                world.processes[p] = Process::started_again(p, lives);
            }
        }
        Ok(())
    }

    /// An owner writes the dead letter of a message, and acknowledges it.
    pub(super) fn write_letter(
        &self,
        world: &mut World,
        p: usize,
        sequence: u64,
    ) -> Result<(), String> {
        let history = world.history.get(&sequence).copied().unwrap_or_default();
        if world.completed.contains(&sequence) {
            return Err(format!("{sequence} is completed and has a dead letter"));
        }
        let blameless = self.handler(sequence) == Handler::Succeeds;
        if blameless && history.dropped == 0 {
            return Err(format!("{sequence} is blamed for another one"));
        }
        world.letters.insert(sequence);
        world.history.remove(&sequence);
        self.forget(world, p, sequence);
        settle(world, p, sequence);
        Ok(())
    }

    /// Deletes the record of a message.
    fn forget(&self, world: &mut World, p: usize, sequence: u64) {
        let mut known = passed_of(world, p, sequence).and_then(|passed| passed.known.take());
        if known.is_some() {
            self.with_records(world, p, sequence, &mut known, |records, known| {
                let _ = records.settled(known).now_or_never();
            });
        }
    }

    /// Uses the records of the bucket.
    fn with_records<T>(
        &self,
        world: &mut World,
        p: usize,
        sequence: u64,
        known: &mut Option<Known>,
        act: impl FnOnce(&AttemptRecords, &mut Known) -> T,
    ) -> T {
        let bucket = Bucket::of(world, false);
        let records = self.records(world, p, &bucket);
        let known = known.get_or_insert_with(|| known_of(&records, sequence));
        let done = act(&records, known);
        world.records = std::mem::take(&mut bucket.lock());
        done
    }

    fn records(&self, world: &World, p: usize, bucket: &Arc<Bucket>) -> AttemptRecords {
        // No other start has this one: each recorded start changes the bucket.
        let changes = bucket.lock().changes;
        let token = changes << 8 | (p as u64) << 6 | u64::from(world.processes[p].lives);
        let store = Arc::clone(bucket);
        AttemptRecords::new("model".into(), self.max_attempts, store).with_tokens_from(token)
    }
}

/// Whether the sender of a record still waits for it.
pub(super) fn is_awaited(world: &World, late: &LateRecord) -> bool {
    let owned = world.processes[late.process].ownership.as_ref();
    let passed = owned.and_then(|owned| owned.passed.get(&late.sequence));
    passed.is_some_and(|passed| matches!(passed.stage, Stage::Recording { .. }))
}

fn known_of(records: &AttemptRecords, sequence: u64) -> Known {
    records.know(EventPlace {
        stream: "MODEL",
        sequence,
        stored_at: None,
    })
}

impl Passed {
    pub(super) fn new(redelivered: bool) -> Self {
        Self {
            redelivered,
            stage: Stage::Ready,
            counted: false,
            known: None,
        }
    }
}

fn passed_of(world: &mut World, p: usize, sequence: u64) -> Option<&mut Passed> {
    let owned = world.processes[p].ownership.as_mut()?;
    owned.passed.get_mut(&sequence)
}

/// The bucket.
#[derive(Debug)]
struct Bucket {
    records: Mutex<Records>,
    /// Whether a write is not made yet, but is on its way.
    is_slow: bool,
    sent: Mutex<Option<(String, Option<u64>, String)>>,
}

impl Bucket {
    fn of(world: &mut World, is_slow: bool) -> Arc<Self> {
        Arc::new(Self {
            records: Mutex::new(std::mem::take(&mut world.records)),
            is_slow,
            sent: Mutex::new(None),
        })
    }

    fn lock(&self) -> MutexGuard<'_, Records> {
        self.records.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Records {
    fn put(
        &mut self,
        key: &str,
        text: String,
        expected: Option<u64>,
        overwrites: bool,
    ) -> Option<u64> {
        let now = self.entries.get(key).map(|(revision, _)| *revision);
        if now != expected && !overwrites {
            return None;
        }
        self.changes += 1;
        self.entries.insert(key.to_owned(), (self.changes, text));
        Some(self.changes)
    }
}

impl RecordStore for Bucket {
    fn get(&self, key: &Text) -> Completion<Result<Option<Stored>, StoreError>> {
        let records = self.lock();
        let stored = records.entries.get(key.as_str());
        let stored = stored.map(|(revision, text)| Stored {
            value: Bytes::copy_from_slice(text.as_bytes()),
            revision: *revision,
        });
        Completion::ready(Ok(stored))
    }

    fn put(
        &self,
        key: &Text,
        value: String,
        expected: Expected,
    ) -> Completion<Result<u64, StoreError>> {
        let expected = match expected {
            Expected::Absent => None,
            Expected::Exactly(revision) => Some(revision),
        };
        if self.is_slow {
            let mut sent = self.sent.lock().unwrap_or_else(PoisonError::into_inner);
            *sent = Some((key.to_string(), expected, value));
            return Completion::later(std::future::pending());
        }
        let made = self.lock().put(key.as_str(), value, expected, false);
        Completion::ready(made.ok_or(StoreError::WrongRevision))
    }

    fn delete(&self, key: &Text) -> Completion<Result<(), StoreError>> {
        self.lock().entries.remove(key.as_str());
        Completion::ready(Ok(()))
    }
}
