//! `Position`: how far a consumer has read its stream, and which messages it has not read.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::filters::Filters;
use super::interest::Interest;
use super::log::{Log, Message};
use super::subjects::Entry;
use event_sdk_core::subject::Pattern;
use event_sdk_core::transport::{DeliverPolicy, Gap, LostCount};

/// How far a consumer has read its stream: what it has not read lies at the
/// cursor and behind it, but for a backlog of single messages before it.
///
/// How many there are is counted as messages come and go, so a consumer that
/// has read everything never looks at what is not for it.
#[derive(Debug)]
pub(super) struct Position {
    /// Its place among the consumers, by which the subjects know it.
    consumer: usize,
    /// Whether it reads every message of the stream.
    everything: bool,
    cursor: u64,
    /// How many messages for it lie at the cursor and behind it.
    ahead: u64,
    /// What it reads although it lies before the cursor.
    backlog: BTreeSet<u64>,
    /// Where it starts, if that is still to come.
    not_before: Option<Timestamp>,
}

/// A position as a snapshot keeps it.
#[derive(Debug, Clone)]
pub(super) struct StoredPosition {
    pub(super) cursor: u64,
    pub(super) not_before: Option<Timestamp>,
    /// The unread sequences before the cursor, in order.
    pub(super) backlog: Vec<u64>,
}

/// A message that a consumer reads for the first time.
#[derive(Debug)]
pub(super) struct Read<'a> {
    pub(super) sequence: u64,
    pub(super) message: &'a Message,
    pub(super) subject: &'a Entry,
    /// How many it has still to read.
    pub(super) unread: u64,
}

/// How many messages that are not for it a consumer looks at under one lock.
const MAX_SKIPPED: usize = 512;

impl Position {
    /// Where `policy` says to start in what `log` holds now, and what is there no
    /// more although the policy asks for it.
    ///
    /// What is held lies under `stored`, and whatever ever was under `ever_stored`.
    pub(super) fn start(
        consumer: usize,
        filters: &Filters,
        stored: &[Pattern],
        ever_stored: &[Pattern],
        policy: DeliverPolicy,
        log: &Log,
    ) -> (Self, Option<Gap>) {
        let everything = filters.cover(stored);
        let mut position = Self {
            consumer,
            everything,
            cursor: log.last_sequence() + 1,
            ahead: 0,
            backlog: BTreeSet::new(),
            not_before: None,
        };
        let mut gap = None;
        match policy {
            DeliverPolicy::All => {
                position.cursor = log.first_sequence();
                position.ahead = position.count(filters, log);
            }
            DeliverPolicy::Last => {
                let last = if everything {
                    log.messages().last_sequence()
                } else {
                    entries(filters, log).map(Entry::last).max()
                };
                if let Some(last) = last {
                    position.cursor = last;
                    position.ahead = 1;
                }
            }
            DeliverPolicy::LastPerSubject => {
                position.backlog = entries(filters, log).map(Entry::last).collect();
            }
            DeliverPolicy::ByStartSequence(start) => {
                gap = log
                    .dropped_from(start)
                    .map(|dropped| gap_of(dropped, filters.cover(ever_stored)));
                position.cursor = start.max(log.first_sequence());
                position.ahead = position.count(filters, log);
            }
            DeliverPolicy::ByStartTime(start) => {
                match log
                    .messages()
                    .partition(|message| message.stored_at < start)
                {
                    Some(first) => {
                        position.cursor = first;
                        position.ahead = position.count(filters, log);
                    }
                    None if start > log.newest() => {
                        position.cursor = u64::MAX;
                        position.not_before = Some(start);
                    }
                    None => {}
                }
            }
            // Nothing but what is still to come.
            DeliverPolicy::New => {}
        }
        (position, gap)
    }

    /// What a snapshot keeps of it.
    pub(super) fn to_stored(&self) -> StoredPosition {
        StoredPosition {
            cursor: self.cursor,
            not_before: self.not_before,
            backlog: self.backlog.iter().copied().collect(),
        }
    }

    /// The position in what `log` holds, all of it under `stored`, from a snapshot.
    pub(super) fn revive(
        consumer: usize,
        filters: &Filters,
        stored: &[Pattern],
        position: StoredPosition,
        log: &Log,
    ) -> Self {
        let backlog = position.backlog.into_iter();
        let mut revived = Self {
            consumer,
            everything: filters.cover(stored),
            cursor: position.cursor.max(1),
            ahead: 0,
            backlog: backlog.filter(|at| log.get(*at).is_some()).collect(),
            not_before: position.not_before,
        };
        if revived.cursor <= log.last_sequence() {
            revived.ahead = revived.count(filters, log);
        }
        revived
    }

    /// The stream stores these subjects from now on.
    pub(super) fn stream_stores(&mut self, filters: &[Pattern], stream: &[Pattern]) {
        let covered = |stored| filters.iter().any(|filter| filter.covers(stored));
        self.everything = self.everything && stream.iter().all(covered);
    }

    /// Its consumer wants what these filters match, from the cursor on.
    pub(super) fn change_filters(&mut self, filters: &Filters, stored: &[Pattern], log: &Log) {
        self.everything = filters.cover(stored);
        self.backlog.retain(|sequence| {
            let message = log.get(*sequence);
            message.is_some_and(|(_, subject)| filters.matches(subject.subject()))
        });
        self.ahead = self.count(filters, log);
    }

    /// The sequence up to which it has read, or passed what is not for it.
    pub(super) fn read_to(&self, log: &Log) -> u64 {
        self.cursor.saturating_sub(1).min(log.last_sequence())
    }

    /// The first message before the cursor that it has not read.
    pub(super) fn first_left(&self) -> Option<u64> {
        self.backlog.first().copied()
    }

    /// How many messages it has not read.
    pub(super) fn unread(&self) -> u64 {
        self.ahead + self.backlog.len() as u64
    }

    /// Whether it is to read a message that is stored for it under this sequence.
    pub(super) fn would_read(&self, sequence: u64, stored_at: Timestamp) -> bool {
        sequence >= self.cursor || self.not_before.is_some_and(|start| stored_at >= start)
    }

    /// A message for it was stored. Whether it is to read that.
    pub(super) fn stored(&mut self, sequence: u64, stored_at: Timestamp) -> bool {
        if !self.would_read(sequence, stored_at) {
            return false;
        }
        if sequence < self.cursor {
            self.not_before = None;
            self.cursor = sequence;
        }
        if self.ahead == 0 {
            self.cursor = sequence;
        }
        self.ahead += 1;
        true
    }

    /// A message for it was dropped. Whether it had not read that.
    pub(super) fn dropped(&mut self, sequence: u64) -> bool {
        if sequence >= self.cursor {
            self.ahead -= 1;
            return true;
        }
        self.backlog.remove(&sequence)
    }

    /// The messages that it has not read.
    pub(super) fn each_unread(
        &self,
        log: &mut Log,
        interest: &mut Interest,
        mut each: impl FnMut(u64),
    ) {
        self.backlog.iter().copied().for_each(&mut each);
        if self.ahead == 0 {
            return;
        }
        let (messages, subjects) = log.parts_mut();
        for (sequence, message) in messages.from(self.cursor) {
            if self.everything || subjects.wants(message.subject, self.consumer, interest) {
                each(sequence);
            }
        }
    }

    /// It has not read this message after all.
    pub(super) fn give_back(&mut self, sequence: u64) {
        self.backlog.insert(sequence);
    }

    /// Reads on, up to `most` messages. Whether it stopped for having passed
    /// many that are not for it.
    pub(super) fn read(
        &mut self,
        log: &mut Log,
        interest: &mut Interest,
        most: usize,
        mut read: impl FnMut(Read<'_>),
    ) -> bool {
        let mut left = most;
        while left > 0
            && let Some(sequence) = self.backlog.pop_first()
        {
            let unread = self.unread();
            if let Some((message, subject)) = log.get(sequence) {
                left -= 1;
                read(Read {
                    sequence,
                    message,
                    subject,
                    unread,
                });
            }
        }
        if left == 0 || self.ahead == 0 {
            return false;
        }
        let mut skipped = 0;
        let (messages, subjects) = log.parts_mut();
        for (sequence, message) in messages.from(self.cursor) {
            self.cursor = sequence + 1;
            if !self.everything && !subjects.wants(message.subject, self.consumer, interest) {
                skipped += 1;
                if skipped == MAX_SKIPPED {
                    return true;
                }
                continue;
            }
            self.ahead -= 1;
            left -= 1;
            if let Some(subject) = subjects.at(message.subject) {
                read(Read {
                    sequence,
                    message,
                    subject,
                    unread: self.ahead,
                });
            }
            if left == 0 || self.ahead == 0 {
                return false;
            }
        }
        debug_assert!(false, "{} messages ahead, none found", self.ahead);
        self.ahead = 0;
        false
    }

    /// How many messages from the cursor on are for it, counted on the side of
    /// the cursor where there are fewer.
    fn count(&self, filters: &Filters, log: &Log) -> u64 {
        let messages = log.messages();
        if self.everything {
            return messages.count_from(self.cursor) as u64;
        }
        let mut all = 0;
        let mut wanted = vec![false; log.subjects().places()];
        log.subjects().matching(filters, |place, entry| {
            all += entry.count();
            wanted[place] = true;
        });
        let count = |messages: &mut dyn Iterator<Item = (u64, &Message)>| {
            let wanted = messages.filter(|(_, message)| wanted[message.subject]);
            wanted.count() as u64
        };
        let before = self.cursor.saturating_sub(log.first_sequence());
        if before < log.last_sequence().saturating_sub(self.cursor) {
            all - count(&mut messages.up_to(self.cursor - 1))
        } else {
            count(&mut messages.from(self.cursor))
        }
    }
}

/// The gap of what was dropped. Which of it was for a consumer is known only if
/// everything was.
fn gap_of((from, to, dropped): (u64, u64, u64), everything: bool) -> Gap {
    let lost = if everything {
        LostCount::Exactly(dropped)
    } else {
        LostCount::AtMost(dropped)
    };
    Gap { from, to, lost }
}

/// The subjects that the filters match.
fn entries<'a>(filters: &Filters, log: &'a Log) -> impl Iterator<Item = &'a Entry> {
    let mut entries = Vec::new();
    log.subjects()
        .matching(filters, |_, entry| entries.push(entry));
    entries.into_iter()
}
