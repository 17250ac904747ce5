//! `check`: reads what all processes did, and finds what is lost, out of order, or done twice at
//! once.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::journal::{Line, What};

/// What one process did, and what was done to it.
#[derive(Debug, Clone, Default)]
pub struct Process {
    /// Its lines, in the order in which it wrote them.
    pub lines: Vec<Line>,
    /// When it had ended.
    pub ended: u64,
    /// When it was stopped, and when it went on: from before the signal to before the other.
    pub stops: Vec<(u64, u64)>,
}

/// What the processes have to have done.
#[derive(Debug, Clone, Default)]
pub struct Expected {
    /// The sequences of all events.
    pub events: BTreeSet<u64>,
    /// The sequences of those that are dead letters.
    pub dead: BTreeSet<u64>,
    /// The sequences of those that have to be dead letters.
    pub has_to_be_dead: BTreeSet<u64>,
}

/// A promise that was broken.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Violation {
    /// The event was neither completed nor is it a dead letter.
    Lost(u64),
    /// The event is a dead letter, though its handler succeeds, or none, though it does not.
    WrongEnd(u64),
    /// The first start of the second event came before the first completion, or the last attempt
    /// if it is dead, of the first one, which has the same key and stands before it in the stream.
    OutOfOrder(u64, u64),
    /// Handlers of these events of one key ran at the same time.
    TwoAtOnce(u64, u64),
    /// A process has written something that cannot be.
    Malformed(u64),
}

/// What was found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Findings {
    /// The promises that were broken.
    pub violations: Vec<Violation>,
    /// Events that were completed.
    pub completed: u64,
    /// Dead letters.
    pub dead: u64,
    /// Completions beyond the first one of each event.
    pub repeated: u64,
    /// Starts of handlers.
    pub starts: u64,
    /// Handlers that ran while their process was stopped.
    pub stopped: u64,
    /// Of these, handlers beside which another one of the same key ran.
    pub beside_stopped: u64,
}

impl fmt::Display for Findings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} completed, {} dead letters, {} starts, {} repeated, {} stopped handlers, {} of them beside another of their key, {} violations",
            self.completed,
            self.dead,
            self.starts,
            self.repeated,
            self.stopped,
            self.beside_stopped,
            self.violations.len()
        )
    }
}

/// The time in which a handler ran.
#[derive(Debug, Clone, Copy)]
struct Run {
    sequence: u64,
    from: u64,
    to: u64,
    completed: bool,
    /// Whether its process was stopped meanwhile.
    stopped: bool,
}

/// Checks what the processes did.
#[must_use]
pub fn check(expected: &Expected, processes: &[Process]) -> Findings {
    let mut findings = Findings::default();
    let mut keys = BTreeMap::<u32, Vec<Run>>::new();
    for process in processes {
        read(process, &mut keys, &mut findings);
    }
    let mut completed = BTreeMap::<u64, u64>::new();
    for runs in keys.values_mut() {
        runs.sort_by_key(|run| (run.from, run.sequence));
        two_at_once(runs, &mut findings);
        order(runs, expected, &mut findings);
        for run in runs.iter().filter(|run| run.completed) {
            *completed.entry(run.sequence).or_default() += 1;
        }
    }
    findings.completed = completed.len() as u64;
    findings.repeated = completed.values().map(|times| times - 1).sum();
    findings.dead = expected.dead.len() as u64;
    for event in &expected.events {
        let dead = expected.dead.contains(event);
        if !dead && !completed.contains_key(event) {
            findings.violations.push(Violation::Lost(*event));
        }
        if dead != expected.has_to_be_dead.contains(event) {
            findings.violations.push(Violation::WrongEnd(*event));
        }
    }
    let known = expected.events.iter().max().copied().unwrap_or_default();
    let beyond = completed.keys().filter(|event| **event > known);
    let beyond = beyond.map(|event| Violation::Malformed(*event));
    findings.violations.extend(beyond);
    findings.violations.sort();
    findings.violations.dedup();
    findings
}

/// Joins the starts and ends of one process.
fn read(process: &Process, keys: &mut BTreeMap<u32, Vec<Run>>, findings: &mut Findings) {
    let mut open = BTreeMap::<u64, Line>::new();
    let mut close = |start: Line, at: u64, completed: bool, findings: &mut Findings| {
        let stopped = process
            .stops
            .iter()
            .any(|(from, to)| start.at < *to && at >= *from);
        findings.stopped += u64::from(stopped);
        keys.entry(start.key).or_default().push(Run {
            sequence: start.sequence,
            from: start.at,
            to: at,
            completed,
            stopped,
        });
    };
    for line in &process.lines {
        if line.what == What::Started {
            findings.starts += 1;
            if open.insert(line.sequence, *line).is_some() {
                // Two handlers of one event.
                let event = line.sequence;
                findings.violations.push(Violation::TwoAtOnce(event, event));
            }
        } else if let Some(start) = open.remove(&line.sequence) {
            close(start, line.at, line.what == What::Completed, findings);
        } else {
            findings
                .violations
                .push(Violation::Malformed(line.sequence));
        }
    }
    for start in open.into_values() {
        close(start, process.ended, false, findings);
    }
}

/// Runs of one key, by their start.
fn two_at_once(runs: &[Run], findings: &mut Findings) {
    let mut beside = BTreeSet::new();
    for (index, run) in runs.iter().enumerate() {
        let others = runs[index + 1..].iter().enumerate();
        for (other_index, other) in others.take_while(|(_, other)| other.from < run.to) {
            if run.stopped {
                beside.insert(index);
            }
            if other.stopped {
                beside.insert(index + 1 + other_index);
            }
            if !run.stopped && !other.stopped {
                let violation = Violation::TwoAtOnce(run.sequence, other.sequence);
                findings.violations.push(violation);
            }
        }
    }
    findings.beside_stopped += beside.len() as u64;
}

/// Each event begins after the one before it is done. What a stopped handler did is left out.
fn order(runs: &[Run], expected: &Expected, findings: &mut Findings) {
    let mut events = BTreeMap::<u64, (u64, Option<u64>)>::new();
    for run in runs.iter().filter(|run| !run.stopped) {
        let dead = expected.dead.contains(&run.sequence);
        let (first, done) = events.entry(run.sequence).or_insert((run.from, None));
        *first = run.from.min(*first);
        *done = match *done {
            // The last attempt.
            done if dead => Some(done.map_or(run.to, |done| done.max(run.to))),
            None => run.completed.then_some(run.to),
            Some(done) if run.completed => Some(done.min(run.to)),
            done => done,
        };
    }
    let mut before: Option<(u64, u64)> = None;
    for (sequence, (first, done)) in events {
        if let Some((earlier, until)) = before
            && first < until
        {
            let violation = Violation::OutOfOrder(earlier, sequence);
            findings.violations.push(violation);
        }
        // Later events wait for the latest of those before.
        before = match (before, done) {
            (Some(before), Some(done)) if before.1 > done => Some(before),
            (_, Some(done)) => Some((sequence, done)),
            (before, None) => before,
        };
    }
}

#[cfg(test)]
mod tests;
