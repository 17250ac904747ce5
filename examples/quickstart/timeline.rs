//! Turns rows into events sorted by time.
//!
//! A file has one row per flight, sorted by day; a flight's events are hours
//! apart. The timeline holds each row until no row to come can have an earlier
//! event, which is about two days of rows, and never more than a fixed number.
//!
//! Rows may go back by up to a day. A row that goes back further, as after the
//! last day of a month where a file has its months out of order, starts a new
//! run: everything held is handed out first, then time goes on from that row.
//! So nothing is lost, order holds within each run, and [`Timeline::steps_back`]
//! counts the places where it does not.

mod story;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use self::story::Story;
use crate::events::FlightEvents;
use crate::flights_file::Row;

/// How far a row's day may lie before the latest day so far.
const SLACK: SignedDuration = SignedDuration::from_hours(24);

/// The order in which events are handed out: by run, time, and line.
type Position = (u64, Timestamp, u64);

/// Events that wait for their time.
#[derive(Debug)]
pub(crate) struct Timeline {
    /// Each flight waits with its next event, at that event's position.
    waiting: BTreeMap<Position, Story>,
    /// How many flights may wait.
    max_waiting: usize,
    run: u64,
    /// No row of the run is to have an event before this.
    watermark: Timestamp,
    ended: bool,
    chunk: Vec<Moment>,
    told: u64,
    last: Timestamp,
    steps_back: u64,
}

/// An event, when it happens, and what caused it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Moment {
    /// When the event happens.
    pub(crate) at: Timestamp,
    /// Its number: how many events were handed out before it.
    pub(crate) number: u64,
    /// The number of the event that caused it: a departure's or a
    /// cancellation's schedule, an arrival's departure.
    pub(crate) cause: Option<u64>,
    /// Whether one event to come, and only one, has this as its cause.
    pub(crate) has_effect: bool,
    /// What happens.
    pub(crate) event: FlightEvents,
}

impl Timeline {
    /// An empty timeline that holds at most so many flights; when more of one
    /// day come, the earliest is handed out before the day is complete.
    pub(crate) fn new(max_waiting: usize) -> Self {
        Self {
            waiting: BTreeMap::new(),
            max_waiting,
            run: 0,
            watermark: Timestamp::MIN,
            ended: false,
            chunk: Vec::new(),
            told: 0,
            last: Timestamp::MIN,
            steps_back: 0,
        }
    }

    /// Takes the next row. What is now ready must be fetched with
    /// [`next_chunk`](Self::next_chunk) before the next row is taken.
    pub(crate) fn push(&mut self, row: Row) {
        let watermark = row.day_start() - SLACK;
        if row.day_start() < self.watermark {
            self.run += 1;
            self.watermark = watermark;
        }
        self.watermark = self.watermark.max(watermark);
        let line = row.line;
        self.wait(Story::of(row), line);
    }

    /// Says that no more rows come: all that is held is ready.
    pub(crate) fn end(&mut self) {
        self.ended = true;
    }

    /// The next so many events, or `None` while fewer are ready. After the
    /// [`end`](Self::end) the last chunk may be smaller.
    pub(crate) fn next_chunk(&mut self, size: usize) -> Option<Vec<Moment>> {
        while self.chunk.len() < size
            && let Some(moment) = self.next_ready()
        {
            self.chunk.push(moment);
        }
        let is_full = self.chunk.len() >= size;
        let is_last = self.ended && !self.chunk.is_empty();
        (is_full || is_last).then(|| std::mem::take(&mut self.chunk))
    }

    /// How often an event was handed out that happens before the one before it.
    pub(crate) fn steps_back(&self) -> u64 {
        self.steps_back
    }

    fn next_ready(&mut self) -> Option<Moment> {
        let (run, at, _) = *self.waiting.first_key_value()?.0;
        let is_ready = (run, at) < (self.run, self.watermark)
            || self.waiting.len() > self.max_waiting
            || self.ended;
        if !is_ready {
            return None;
        }
        let ((_, at, line), story) = self.waiting.pop_first()?;
        let number = self.told;
        self.told += 1;
        if at < self.last {
            self.steps_back += 1;
        }
        self.last = at;

        let (event, cause, rest) = story.tell(number);
        let moment = Moment {
            at,
            number,
            cause,
            has_effect: rest.is_some(),
            event,
        };
        if let Some(rest) = rest {
            self.waiting.insert((run, rest.at(), line), rest);
        }
        Some(moment)
    }

    fn wait(&mut self, story: Story, line: u64) {
        self.waiting.insert((self.run, story.at(), line), story);
    }
}
