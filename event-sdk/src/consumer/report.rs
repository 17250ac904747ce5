//! `ConsumerReport`: what a consumer did until its end, and which events it left unfinished.

use std::fmt;
use std::time::Duration;

use event_sdk_core::Subject;
use event_sdk_core::text::Text;

/// What a consumer did. [`Consumer::run_until`](super::Consumer::run_until) returns it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConsumerReport {
    /// Events that were handled and acknowledged.
    pub handled: u64,
    /// Events that were acknowledged without effect, because the [inbox](super::Inbox) has a record
    /// that an earlier delivery was handled.
    pub done_before: u64,
    /// Events that a [filter](super::Consumer::filter) excluded. They were acknowledged.
    pub filtered: u64,
    /// Events of other partitions. With partitions, each durable delivers the events of all
    /// partitions. These events were acknowledged without being handled; see
    /// [`Consumer::partitions`](super::Consumer::partitions).
    pub of_other_partitions: u64,
    /// Attempts that failed: errors, timeouts and panics of handlers. Outages do not count.
    pub failed_attempts: u64,
    /// Handlers that ended in an outage.
    pub outages: u64,
    /// Events that became dead letters.
    pub dead_lettered: u64,
    /// Events that were terminated, because the consumer has no dead letters.
    pub terminated: u64,
    /// Events that were put into the park of their key, to be handled later; see
    /// [`ordered_by_key`](super::Consumer::ordered_by_key). An event that is handled later also
    /// counts as `handled`.
    pub parked: u64,
    /// Unknown events that were given back, so that a newer version can receive them.
    pub delayed: u64,
    /// Events that were given back at the end.
    pub given_back: u64,
    /// Events that were handled, but given back at the end. This happens with
    /// [`ack_all`](super::Consumer::ack_all): an event is acknowledged only after all events before
    /// it, and one of these events was given back.
    pub repeated: u64,
    /// Settlements that failed: the events may be delivered again.
    pub settlements_failed: u64,
    /// Events whose handler ran when the drain time was over. They were given back.
    pub unfinished: Vec<Unfinished>,
}

impl ConsumerReport {
    /// Adds what the consumer did in another ownership.
    pub(super) fn add(&mut self, other: Self) {
        self.handled += other.handled;
        self.done_before += other.done_before;
        self.filtered += other.filtered;
        self.of_other_partitions += other.of_other_partitions;
        self.failed_attempts += other.failed_attempts;
        self.outages += other.outages;
        self.dead_lettered += other.dead_lettered;
        self.terminated += other.terminated;
        self.parked += other.parked;
        self.delayed += other.delayed;
        self.given_back += other.given_back;
        self.repeated += other.repeated;
        self.settlements_failed += other.settlements_failed;
        self.unfinished.extend(other.unfinished);
    }
}

impl fmt::Display for ConsumerReport {
    /// One line: what is zero is left out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} handled", self.handled)?;
        let counts = [
            (self.done_before, "done before"),
            (self.failed_attempts, "failed attempts"),
            (self.outages, "outages"),
            (self.dead_lettered, "dead letters"),
            (self.terminated, "terminated"),
            (self.filtered, "filtered"),
            (self.of_other_partitions, "of other partitions"),
            (self.parked, "parked"),
            (self.delayed, "delayed for a newer version"),
            (self.given_back, "given back"),
            (self.repeated, "to be repeated"),
            (self.settlements_failed, "settlements failed"),
            (self.unfinished.len() as u64, "unfinished"),
        ];
        for (count, what) in counts.into_iter().filter(|(count, _)| *count > 0) {
            write!(f, ", {count} {what}")?;
        }
        Ok(())
    }
}

/// An event whose handler did not end within the drain time.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Unfinished {
    /// The subject of the event.
    pub subject: Subject,
    /// Its stream.
    pub stream: Option<Text>,
    /// Its sequence in the stream.
    pub sequence: Option<u64>,
    /// The number of the attempt.
    pub attempt: u32,
    /// How long the consumer has held the event.
    pub held_for: Duration,
}

impl fmt::Display for Unfinished {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the handler of {}", self.subject)?;
        if let (Some(stream), Some(sequence)) = (&self.stream, self.sequence) {
            write!(f, " ({stream}, sequence {sequence})")?;
        }
        write!(
            f,
            " did not end within the drain time; attempt {}, held for {:?}",
            self.attempt, self.held_for
        )
    }
}
