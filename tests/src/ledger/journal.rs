//! `Journal`: the file to which a process appends a line for each start and end of a handler, with
//! the time of a clock that all processes of the machine share.
//!
//! Each line is one write, so that a process that is killed has written everything before.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::path::Path;

use rustix::time::{ClockId, clock_gettime};

/// What happened to a handler.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// It was started.
    Started,
    /// It has done its work, and returns success.
    Completed,
    /// It returns a failure, or panics.
    Failed,
    /// It was dropped before it returned.
    Dropped,
}

/// A line of a journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line {
    /// Nanoseconds of the monotonic clock of the machine.
    pub at: u64,
    /// What happened.
    pub what: What,
    /// The sequence of the event in its stream.
    pub sequence: u64,
    /// The key of the event.
    pub key: u32,
}

/// Nanoseconds of the monotonic clock, which all processes of a machine share.
#[must_use]
pub fn now() -> u64 {
    let now = clock_gettime(ClockId::Monotonic);
    let (seconds, nanos) = (now.tv_sec.unsigned_abs(), now.tv_nsec.unsigned_abs());
    seconds.saturating_mul(1_000_000_000).saturating_add(nanos)
}

/// Where a process writes.
#[derive(Debug)]
pub struct Journal(File);

impl Journal {
    /// Makes the file, or appends to it.
    ///
    /// # Errors
    ///
    /// Those of the file system.
    pub fn open(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new().create(true).append(true).open(path)?;
        Ok(Self(file))
    }

    /// Appends a line with the time of now.
    ///
    /// # Errors
    ///
    /// Those of the file system.
    pub fn write(&self, what: What, sequence: u64, key: u32) -> io::Result<()> {
        let line = Line {
            at: now(),
            what,
            sequence,
            key,
        };
        (&self.0).write_all(format!("{line}\n").as_bytes())
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.what {
            What::Started => "started",
            What::Completed => "completed",
            What::Failed => "failed",
            What::Dropped => "dropped",
        };
        write!(f, "{} {what} {} {}", self.at, self.sequence, self.key)
    }
}

impl Line {
    /// Reads a line; `None` if it is none.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let words: Vec<_> = text.split(' ').collect();
        let [at, what, sequence, key] = words[..] else {
            return None;
        };
        let what = match what {
            "started" => What::Started,
            "completed" => What::Completed,
            "failed" => What::Failed,
            "dropped" => What::Dropped,
            _ => return None,
        };
        Some(Self {
            at: at.parse().ok()?,
            what,
            sequence: sequence.parse().ok()?,
            key: key.parse().ok()?,
        })
    }
}
