//! `Record`: what is known of the attempts at one event, and its text in the coordination bucket.
//!
//! A record is a line of ASCII words, `v1 at=1733030400123 starts=2 last=retry …`, so that an operator
//! can read it. A reader skips words that it does not know: the next version of the SDK may add
//! words, and two adjacent versions work on the same records.

use std::fmt::Write as _;

/// What is known of the attempts at one event.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub(crate) struct Record {
    /// When the event was stored, in milliseconds since 1970. A record with another time belongs to
    /// an event of an earlier stream of the same name.
    pub(super) stored_at: i64,
    /// Handlers that were started, but those that ended in an outage or were given back.
    pub(super) starts: u32,
    /// The start that has no outcome yet.
    pub(super) running: Option<Running>,
    /// How the last attempt that ended has ended.
    pub(super) last: Option<LastOutcome>,
    /// Whether the event was given up: its dead letter is written, or about to be.
    pub(super) dead: bool,
    /// When the first and the last attempt failed, in milliseconds since 1970.
    pub(super) failed_at: Option<(i64, i64)>,
}

/// A start without an outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Running {
    /// A random number by which the starting process knows its own start again.
    pub(super) token: u64,
    /// Whether no other handler ran in the process.
    pub(super) alone: bool,
}

/// How an attempt ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum LastOutcome {
    /// The handler failed, panicked or exceeded its time limit.
    Retry,
    /// The handler failed for good.
    Reject,
    /// The handler claimed an outage while others succeeded.
    Outage,
    /// The process ended while the handler ran.
    ProcessEnded,
}

impl LastOutcome {
    const ALL: [(Self, &'static str); 4] = [
        (Self::Retry, "retry"),
        (Self::Reject, "reject"),
        (Self::Outage, "outage"),
        (Self::ProcessEnded, "process-ended"),
    ];

    /// The word in records and logs.
    pub(crate) fn as_str(self) -> &'static str {
        let mut all = Self::ALL.iter();
        all.find(|(outcome, _)| *outcome == self)
            .map_or("retry", |(_, word)| word)
    }

    /// The outcome of a word. One that only a later version knows is a failed attempt all the same.
    fn of(word: &str) -> Self {
        let mut all = Self::ALL.iter();
        all.find(|(_, known)| *known == word)
            .map_or(Self::Retry, |(outcome, _)| *outcome)
    }
}

/// How an event may be started, by its record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Beside others.
    Beside,
    /// Alone in the process: the last start has no outcome, so the handler may have ended the
    /// process.
    Alone,
    /// Not at all: its attempts are over.
    Dead,
}

impl Record {
    /// The record of an event without failed attempts.
    pub(super) fn new(stored_at: i64) -> Self {
        Self {
            stored_at,
            ..Self::default()
        }
    }

    /// Decides about the next start, where `max_attempts` may be started.
    pub(super) fn verdict(&self, max_attempts: u32) -> Verdict {
        match self.running {
            _ if self.dead => Verdict::Dead,
            Some(running) if running.alone && self.starts >= max_attempts => Verdict::Dead,
            Some(_) => Verdict::Alone,
            None if self.starts >= max_attempts => Verdict::Dead,
            None => Verdict::Beside,
        }
    }

    /// A handler starts.
    pub(super) fn start(&mut self, running: Running, now: i64) {
        self.process_ended(now);
        self.starts = self.starts.saturating_add(1);
        self.running = Some(running);
    }

    /// The last start, which has no outcome, is known to have ended with its process.
    pub(super) fn process_ended(&mut self, now: i64) {
        if self.running.take().is_some() {
            self.fail(LastOutcome::ProcessEnded, now);
        }
    }

    /// The attempt that runs has failed.
    pub(super) fn fail(&mut self, outcome: LastOutcome, now: i64) {
        self.running = None;
        self.last = Some(outcome);
        let first = self.failed_at.map_or(now, |(first, _)| first);
        self.failed_at = Some((first, now));
    }

    /// The attempt that runs does not count: it ended in an outage, or was given back.
    pub(super) fn take_back(&mut self) {
        self.running = None;
        self.starts = self.starts.saturating_sub(1);
    }

    /// Whether the record says nothing.
    pub(super) fn is_empty(&self) -> bool {
        self.starts == 0 && self.running.is_none() && !self.dead
    }

    /// The text in the bucket.
    pub(super) fn encode(&self) -> String {
        let mut text = format!("v1 at={} starts={}", self.stored_at, self.starts);
        if let Some(Running { token, alone }) = self.running {
            let how = if alone { "alone" } else { "beside" };
            // Writing to a string cannot fail.
            let _ = write!(text, " running={token:x}:{how}");
        }
        if let Some(last) = self.last {
            let _ = write!(text, " last={}", last.as_str());
        }
        if let Some((first, last)) = self.failed_at {
            let _ = write!(text, " failed={first}:{last}");
        }
        if self.dead {
            text.push_str(" dead");
        }
        text
    }

    /// Reads a record; `None` for bytes that are none.
    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let text = str::from_utf8(bytes).ok()?;
        let mut words = text.split_ascii_whitespace();
        // A version that cannot be read by this one changes the letter.
        let version = words.next()?.strip_prefix('v')?;
        version.parse::<u32>().ok()?;
        let mut record = Self::default();
        let (mut stored_at, mut starts) = (None, None);
        for word in words {
            let (name, value) = word.split_once('=').unwrap_or((word, ""));
            match name {
                "at" => stored_at = Some(value.parse().ok()?),
                "starts" => starts = Some(value.parse().ok()?),
                "running" => record.running = Some(Running::decode(value)?),
                "last" => record.last = Some(LastOutcome::of(value)),
                "failed" => {
                    let (first, last) = value.split_once(':')?;
                    record.failed_at = Some((first.parse().ok()?, last.parse().ok()?));
                }
                "dead" => record.dead = true,
                _ => {}
            }
        }
        record.stored_at = stored_at?;
        record.starts = starts?;
        Some(record)
    }
}

impl Running {
    fn decode(value: &str) -> Option<Self> {
        let (token, how) = value.split_once(':')?;
        Some(Self {
            token: u64::from_str_radix(token, 16).ok()?,
            alone: how == "alone",
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const BESIDE: Running = Running {
        token: 1,
        alone: false,
    };
    const ALONE: Running = Running {
        token: 2,
        alone: true,
    };

    #[test]
    fn the_text_is_what_operators_and_other_versions_read() {
        let mut record = Record::new(1_733_030_400_123);
        record.start(BESIDE, 10);
        assert_eq!(
            record.encode(),
            "v1 at=1733030400123 starts=1 running=1:beside"
        );
        record.fail(LastOutcome::Outage, 20);
        record.start(ALONE, 30);
        record.fail(LastOutcome::Retry, 40);
        record.dead = true;
        assert_eq!(
            record.encode(),
            "v1 at=1733030400123 starts=2 last=retry failed=20:40 dead"
        );
    }

    #[test]
    fn a_record_of_the_next_version_is_read() {
        let text = b"v2 at=5 new=thing starts=3 last=teleported flag running=ff:alone:more";
        let record = Record::decode(text).unwrap();
        assert_eq!(record.starts, 3);
        assert_eq!(record.last, Some(LastOutcome::Retry));
        // `alone:more` is not known to be alone, so it is run alone once more.
        assert_eq!(
            record.running,
            Some(Running {
                token: 255,
                alone: false
            })
        );
    }

    #[test]
    fn other_bytes_are_no_records() {
        for bytes in [
            &b""[..],
            b"v1",
            b"v1 starts=1",
            b"v1 at=1",
            b"w1 at=1 starts=1",
            b"v1 at=1 starts=-1",
            b"v1 at=1 starts=1 running=zz:alone",
            b"v1 at=1 starts=1 failed=3",
            b"\xff\xfe",
        ] {
            assert_eq!(Record::decode(bytes), None, "{bytes:?}");
        }
    }

    #[test]
    fn an_event_dies_only_after_a_start_alone_or_a_known_outcome() {
        let mut record = Record::new(0);
        assert_eq!(record.verdict(3), Verdict::Beside);
        record.start(BESIDE, 0);
        assert_eq!(record.verdict(3), Verdict::Alone);
        record.start(BESIDE, 0);
        record.start(BESIDE, 0);
        assert_eq!(record.starts, 3);
        assert_eq!(
            record.verdict(3),
            Verdict::Alone,
            "its neighbours may be to blame"
        );
        record.start(ALONE, 0);
        assert_eq!(record.verdict(3), Verdict::Dead);
        assert_eq!(record.verdict(9), Verdict::Alone);
        record.fail(LastOutcome::Retry, 0);
        assert_eq!(record.verdict(9), Verdict::Beside);
        assert_eq!(record.verdict(4), Verdict::Dead);
        record.take_back();
        assert_eq!(record.verdict(4), Verdict::Beside);
        record.dead = true;
        assert_eq!(record.verdict(9), Verdict::Dead);
    }

    prop_compose! {
        fn any_record()(
            stored_at: i64,
            starts: u32,
            running in proptest::option::of((any::<u64>(), any::<bool>())),
            last in proptest::option::of(0..LastOutcome::ALL.len()),
            dead: bool,
            failed_at in proptest::option::of(any::<(i64, i64)>()),
        ) -> Record {
            let running = running.map(|(token, alone)| Running { token, alone });
            let last = last.map(|index| LastOutcome::ALL[index].0);
            Record { stored_at, starts, running, last, dead, failed_at }
        }
    }

    proptest! {
        #[test]
        fn records_are_read_back(record in any_record()) {
            let text = record.encode();
            prop_assert!(text.is_ascii() && text.len() < 200);
            prop_assert_eq!(Record::decode(text.as_bytes()), Some(record));
        }

        #[test]
        fn reading_never_panics(bytes: Vec<u8>, text in "v1( [a-z]{0,8}=?[-:a-z0-9]{0,8}){0,6}") {
            let _ = Record::decode(&bytes);
            let _ = Record::decode(text.as_bytes());
        }
    }
}
