//! `Lease`: the state machine of one lease: acquire, renew, fence, take over, release.
//!
//! The machine reads no clock and sends nothing. It is told the time, gives out the
//! [`Step`] to make next, and is told the answers. All times are those of one clock of this
//! process, which also runs while the machine sleeps.
//!
//! # Rules
//!
//! 1. A lease is an entry in the coordination bucket that is written with its exact revision, so
//!    only one of two writers succeeds. The revision of a takeover is the *epoch*.
//! 2. The owner counts the validity from when the renewal was *sent*. The entry was stored later,
//!    so whoever sees the entry counts from a later time.
//! 3. The owner starts handlers for two thirds of the term, and cancels them at its end.
//! 4. A contender takes over after it has seen the same revision for the whole term and a margin,
//!    counted from when the *answer* of its first read came.
//! 5. A write without an answer may have been made, or may yet be made. The owner then reads the
//!    entry, and recognizes its write by the counter. A contender writes again.
//! 6. An owner whose lease expired becomes a contender. If the entry is still its own, no other
//!    owner came between, and it takes over at once, with a new epoch; but not before its handlers
//!    are gone ([`Lease::cleared`]).

use std::time::Duration;

use super::entry::{LeaseEntry, OwnerId};

/// The times of a lease, derived from the length of its term.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Term(Duration);

impl Term {
    /// A term of this length, at least 100 milliseconds and at most an hour.
    pub(crate) fn new(length: Duration) -> Self {
        Self(length.clamp(Duration::from_millis(100), LeaseEntry::LONGEST_TERM))
    }

    /// The length: the lease ends so long after its renewal was sent.
    pub(crate) const fn length(self) -> Duration {
        self.0
    }

    /// The lease is renewed so long after its last renewal was sent.
    pub(crate) fn renew_after(self) -> Duration {
        self.0 / 3
    }

    /// No handler starts so long after the last renewal was sent.
    pub(crate) fn start_until(self) -> Duration {
        self.0 * 2 / 3
    }

    /// Pause after a write without an answer.
    pub(crate) fn retry_after(self) -> Duration {
        self.0 / 12
    }
}

/// The expected state of the entry in a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Expected {
    /// There is none.
    Absent,
    /// It has this revision.
    Exactly(u64),
}

/// What to do next.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Step {
    /// Write this entry now, then report the [answer](Lease::answered).
    Write(Expected, LeaseEntry),
    /// Delete the entry with this revision now, then report the [answer](Lease::answered).
    Delete(u64),
    /// Read the entry now, then report [what was read](Lease::observed).
    Read,
    /// Nothing until this time, or an earlier event.
    Wait(Duration),
}

/// The answer to a write or a deletion.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Answer {
    /// It was made, and the entry has this revision.
    Done(u64),
    /// It was refused, because the entry had another revision.
    WrongRevision,
    /// None came, or an error that does not say whether it was made.
    Unknown,
}

/// Tells whether a read was asked for after the last write was answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct ReadTicket(Option<u64>);

/// One lease, as one process sees it. See the [module](self) for the rules.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Lease {
    me: OwnerId,
    term: Term,
    /// Whether this process wants to own it.
    wanted: bool,
    /// Whether handlers of an ownership that was lost may still exist.
    uncleared: bool,
    owned: Option<Owned>,
    /// What was last known of the entry.
    entry: Entry,
    /// Whether `entry` has to be read again before it is relied on.
    outdated: bool,
    /// The write in flight.
    writing: Option<Write>,
    /// Number of writes and deletions sent.
    writes: u64,
    /// No write before this time.
    paused_until: Duration,
}

/// The ownership of a lease.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Owned {
    epoch: u64,
    /// When the last known renewal was sent.
    sent: Duration,
    /// Renewals after that without an answer: counter, and when it was sent.
    unknown: Vec<(u64, Duration)>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Entry {
    Absent,
    /// Written by this process.
    Mine(u64),
    /// Written by another owner, and first seen with this revision at this time.
    Other {
        revision: u64,
        owner: Option<OwnerId>,
        since: Duration,
        term: Duration,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Write {
    kind: Kind,
    counter: u64,
    sent: Duration,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Kind {
    Acquire,
    Renew,
    Delete,
}

impl Lease {
    /// A lease of which nothing is known yet.
    pub(crate) fn new(me: OwnerId, term: Term) -> Self {
        Self {
            me,
            term,
            wanted: true,
            uncleared: false,
            owned: None,
            entry: Entry::Absent,
            outdated: true,
            writing: None,
            writes: 0,
            paused_until: Duration::ZERO,
        }
    }

    /// The epoch, while this process is the owner. It may be past the time to start handlers.
    pub(crate) fn epoch(&self, now: Duration) -> Option<u64> {
        let owned = self.owned.as_ref()?;
        (now < owned.sent.saturating_add(self.term.length())).then_some(owned.epoch)
    }

    /// Until when handlers may start, and when those that run are cancelled; `None` if this
    /// process is not the owner.
    pub(crate) fn deadlines(&self) -> Option<Deadlines> {
        let owned = self.owned.as_ref()?;
        Some(Deadlines {
            start_until: owned.sent.saturating_add(self.term.start_until()),
            cancel_at: owned.sent.saturating_add(self.term.length()),
        })
    }

    /// Who owns it, as was last seen; this process only while it is the owner itself.
    pub(crate) fn owner(&self, now: Duration) -> Option<OwnerId> {
        if self.epoch(now).is_some() {
            return Some(self.me);
        }
        match &self.entry {
            Entry::Other { owner, .. } if now < self.taken_until() => *owner,
            Entry::Absent | Entry::Mine(_) | Entry::Other { .. } => None,
        }
    }

    /// Whether the lease is known to have no owner, so that it can be acquired at once.
    pub(crate) fn is_free(&self, now: Duration) -> bool {
        self.owned.is_none() && !self.outdated && self.taken_until() <= now
    }

    /// Sets whether this process wants to own the lease. An owner that no longer wants it
    /// releases it at once: nothing may run any more, and every settlement must be confirmed.
    pub(crate) fn want(&mut self, wanted: bool) {
        self.wanted = wanted;
        if !wanted {
            self.owned = None;
        }
    }

    /// Whether this process wants to own it.
    pub(crate) fn is_wanted(&self) -> bool {
        self.wanted
    }

    /// Whether no entry of this process is left, and none can be on its way.
    pub(crate) fn is_released(&self) -> bool {
        let mine = matches!(self.entry, Entry::Mine(_));
        self.writing.is_none() && !self.outdated && !mine
    }

    /// Reports that every handler of earlier ownerships is gone: dropped, not only cancelled. A
    /// process that lost the lease does not acquire it before.
    pub(crate) fn cleared(&mut self) {
        self.uncleared = false;
    }

    /// The next step. A returned write or deletion counts as sent at `now`.
    pub(crate) fn next(&mut self, now: Duration) -> Step {
        self.expire(now);
        if self.writing.is_some() {
            return Step::Wait(self.expiry());
        }
        if self.outdated {
            return Step::Read;
        }
        if now < self.paused_until {
            return Step::Wait(self.paused_until.min(self.expiry()));
        }
        let acquires = self.wanted && !self.uncleared;
        match (&self.owned, &self.entry) {
            (Some(owned), Entry::Mine(revision)) => {
                let due = owned.sent.saturating_add(self.term.renew_after());
                if now < due {
                    return Step::Wait(due);
                }
                let expected = Expected::Exactly(*revision);
                self.write(Kind::Renew, expected, now)
            }
            (None, Entry::Mine(revision)) if acquires => {
                let expected = Expected::Exactly(*revision);
                self.write(Kind::Acquire, expected, now)
            }
            (None, Entry::Mine(revision)) if !self.wanted => {
                let revision = *revision;
                self.send(Kind::Delete, now);
                Step::Delete(revision)
            }
            (None, Entry::Absent) if acquires => self.write(Kind::Acquire, Expected::Absent, now),
            (None, Entry::Other { revision, .. }) if acquires => {
                let until = self.taken_until();
                if now < until {
                    return Step::Wait(until);
                }
                let expected = Expected::Exactly(*revision);
                self.write(Kind::Acquire, expected, now)
            }
            // Nothing is wanted, or handlers have to go first. An owner without an entry of its
            // own does not exist: `observed` ends it.
            (None, _) | (Some(_), Entry::Absent | Entry::Other { .. }) => Step::Wait(Duration::MAX),
        }
    }

    /// Reports the answer to the write or deletion that [`next`](Self::next) returned last.
    pub(crate) fn answered(&mut self, answer: Answer, now: Duration) {
        self.expire(now);
        let Some(write) = self.writing.take() else {
            return;
        };
        match (answer, write.kind) {
            (Answer::Done(revision), Kind::Acquire) => {
                self.entry = Entry::Mine(revision);
                self.outdated = false;
                let ends = write.sent.saturating_add(self.term.length());
                if self.wanted && now < ends {
                    self.owned = Some(Owned {
                        epoch: revision,
                        sent: write.sent,
                        unknown: Vec::new(),
                    });
                }
            }
            (Answer::Done(revision), Kind::Renew) => {
                self.entry = Entry::Mine(revision);
                self.outdated = false;
                if let Some(owned) = &mut self.owned {
                    owned.sent = write.sent;
                    owned.unknown.clear();
                }
            }
            (Answer::Done(_), Kind::Delete) => {
                self.entry = Entry::Absent;
                self.outdated = false;
            }
            // Refused writes are read back too: a transport that repeats a write is refused the
            // second time, though the first was made.
            (Answer::WrongRevision | Answer::Unknown, kind) => {
                self.outdated = true;
                if let (Some(owned), Kind::Renew) = (&mut self.owned, kind) {
                    owned.unknown.push((write.counter, write.sent));
                }
                if answer == Answer::Unknown {
                    self.paused_until = now.saturating_add(self.term.retry_after());
                }
            }
        }
    }

    /// Makes a ticket for a read that is sent now.
    pub(crate) fn read_ticket(&self) -> ReadTicket {
        ReadTicket(self.writing.is_none().then_some(self.writes))
    }

    /// Reports the entry that was read; `now` is when the answer came. An answer that may be older
    /// than this process's last write is ignored.
    ///
    /// `read` has the revision of the entry and its value, or `None` as the value where that is
    /// not the value of a lease.
    pub(crate) fn observed(
        &mut self,
        ticket: ReadTicket,
        read: Option<(u64, Option<LeaseEntry>)>,
        now: Duration,
    ) {
        self.expire(now);
        if self.writing.is_some() || ticket.0 != Some(self.writes) {
            return;
        }
        self.outdated = false;
        let before = std::mem::replace(&mut self.entry, Entry::Absent);
        let Some((revision, value)) = read else {
            self.lose();
            return;
        };
        if let Some(value) = &value
            && value.owner == self.me
        {
            self.entry = Entry::Mine(revision);
            self.found_mine(revision, value.counter, &before);
            return;
        }
        self.lose();
        let since = match before {
            Entry::Other {
                revision: earlier,
                since,
                ..
            } if earlier == revision => since,
            _ => now,
        };
        self.entry = Entry::Other {
            revision,
            owner: value.as_ref().map(|value| value.owner),
            since,
            term: value.map_or(self.term.length(), |value| value.term),
        };
    }

    /// The owner found an entry of its own. If the revision is another than before, the entry was
    /// written by a renewal without an answer.
    fn found_mine(&mut self, revision: u64, counter: u64, before: &Entry) {
        let Some(owned) = &mut self.owned else {
            return;
        };
        if *before == Entry::Mine(revision) {
            return;
        }
        let made = owned.unknown.iter().find(|(sent, _)| *sent == counter);
        match made {
            Some((_, sent)) => {
                owned.sent = *sent;
                owned.unknown.clear();
            }
            None => self.lose(),
        }
    }

    /// Until when an entry of another owner is respected; zero without one.
    fn taken_until(&self) -> Duration {
        match &self.entry {
            // The margin is for clocks that run at different rates.
            Entry::Other { since, term, .. } => {
                since.saturating_add(*term).saturating_add(*term / 8)
            }
            Entry::Absent | Entry::Mine(_) => Duration::ZERO,
        }
    }

    fn expiry(&self) -> Duration {
        self.deadlines()
            .map_or(Duration::MAX, |deadlines| deadlines.cancel_at)
    }

    /// Ends an ownership whose time is over.
    pub(crate) fn expire(&mut self, now: Duration) {
        if now >= self.expiry() {
            self.lose();
        }
    }

    fn lose(&mut self) {
        if self.owned.take().is_some() {
            self.uncleared = true;
        }
    }

    fn write(&mut self, kind: Kind, expected: Expected, now: Duration) -> Step {
        let counter = self.send(kind, now);
        let entry = LeaseEntry {
            owner: self.me,
            term: self.term.length(),
            counter,
        };
        Step::Write(expected, entry)
    }

    fn send(&mut self, kind: Kind, now: Duration) -> u64 {
        self.writes += 1;
        self.writing = Some(Write {
            kind,
            counter: self.writes,
            sent: now,
        });
        self.writes
    }
}

/// The times of the self-fence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Deadlines {
    /// No handler starts at this time or later.
    pub(crate) start_until: Duration,
    /// Handlers that run are cancelled at this time, and nothing is settled any more.
    pub(crate) cancel_at: Duration,
}

#[cfg(test)]
mod tests;
