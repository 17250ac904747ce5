//! Decides from the numbers of deliveries and of the stream what was lost.
//!
//! A consumer makes its first deliveries in the order of the stream, and numbers its deliveries. So
//! the messages between two consecutive first deliveries were either for other consumers, or
//! dropped before they were read.

mod looked;

pub(super) use looked::unsettled;

use jiff::Timestamp;

use super::super::bind::{Bound, Delivered};
use super::super::reply::Reply;
use super::look::{StreamLook, StreamRules};
use super::ranges::{Missing, Range, Ranges};
use event_sdk_core::subject::Pattern;
use event_sdk_core::transport::{ConsumerConfig, ConsumerName, DeliverPolicy, Gap, LostCount};

/// How far a subscription knows its consumer to have read, and what is missing.
#[derive(Debug)]
pub(super) struct Tracker {
    filters: Vec<Pattern>,
    coverage: Coverage,
    rules: StreamRules,
    /// What is missing and was so before, or is reported.
    known: Ranges,
    /// What is missing up to here may have been before the subscription began.
    unknown_to: u64,
    start: Start,
    /// Whether it is known where the consumer was before the next delivery.
    is_placed: bool,
    /// The highest sequence that was delivered for the first time.
    position: u64,
    /// How many deliveries the consumer had made.
    number: u64,
    /// How many of them went elsewhere, or again, since that first delivery.
    elsewhere: u64,
    /// How many of those may have been no first deliveries.
    again: u64,
    /// Whether the subscription waits and nothing for it was missing or pending.
    caught_up: bool,
    /// What was passed over, where only the stream knows whether it was dropped.
    jumps: Vec<Range>,
    /// Up to where it is known that the filters and the subjects were as they are.
    steady: Steady,
    /// What was passed over, while filters or subjects may have changed.
    doubt: Option<Doubt>,
    /// Whether the stream has still to be asked for its subjects and rules: it did not answer
    /// when the subscription began.
    must_learn: bool,
}

/// What the sequences between two deliveries say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Coverage {
    /// All messages of the stream are for the consumer.
    All,
    /// Some are not, so that the stream has to be asked what is missing.
    Part,
    /// Nothing: what is missing may have been acknowledged by other consumers, or
    /// is not known.
    Nothing,
}

/// Up to where filters and subjects were the same at two looks, so that what the deliveries
/// say is certain.
#[derive(Debug, Clone, Copy)]
struct Steady {
    /// The last message that was stored under these subjects.
    sequence: u64,
    /// The last delivery that was made with these filters; the highest number if nobody else can
    /// change them.
    number: u64,
    /// The last message that may have been stored or passed over under others.
    since: u64,
}

/// A jump of a consumer of everything, which is judged when stream and consumer were asked.
#[derive(Debug, Clone, Copy)]
struct Doubt {
    jump: Range,
    missing: Missing,
    /// How many deliveries went elsewhere meanwhile.
    elsewhere: u64,
}

/// What a delivery says of the messages before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Found {
    /// Nothing that is certain.
    Nothing,
    /// They were dropped.
    Gap(Gap),
    /// They were dropped, unless filters or subjects have changed: it has to be looked.
    Doubt,
}

impl Found {
    pub(in super::super) fn gap(self) -> Option<Gap> {
        match self {
            Self::Gap(gap) => Some(gap),
            Self::Nothing | Self::Doubt => None,
        }
    }
}

/// Where a consumer begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Start {
    /// With the last message of each subject.
    Lasts,
    /// At a place in the stream.
    Place,
    /// It has delivered something here.
    Begun,
}

/// The most jumps that are remembered one by one.
const MOST_JUMPS: usize = 1024;

impl Tracker {
    /// Begins where a consumer is bound, with what it has lost before.
    pub(super) fn begin(
        config: &ConsumerConfig,
        bound: &Bound,
        look: Option<&StreamLook>,
    ) -> (Self, Vec<Gap>) {
        let Delivered {
            consumer_seq,
            stream_seq,
        } = bound.delivered;
        // What was dropped behind the start is lost, though the server begins after it.
        let start = match config.deliver {
            DeliverPolicy::ByStartSequence(start) if consumer_seq == 0 => {
                Some(start.saturating_sub(1))
            }
            _ => None,
        };
        let mut tracker = Self {
            filters: config.filters.clone(),
            coverage: Coverage::Nothing,
            rules: StreamRules::default(),
            known: Ranges::default(),
            unknown_to: u64::MAX,
            start: match config.deliver {
                DeliverPolicy::LastPerSubject => Start::Lasts,
                _ => Start::Place,
            },
            is_placed: bound.next > 0 && !skips_to_a_time(config, bound),
            position: start.unwrap_or(stream_seq),
            number: consumer_seq,
            elsewhere: 0,
            again: 0,
            caught_up: false,
            jumps: Vec::new(),
            steady: Steady {
                sequence: look.map_or(0, |look| look.last),
                number: match config.name {
                    // Nobody else changes it.
                    ConsumerName::Ephemeral => u64::MAX,
                    _ => consumer_seq,
                },
                since: 0,
            },
            doubt: None,
            must_learn: look.is_none(),
        };
        let mut gaps = Vec::new();
        if let Some(look) = look {
            tracker.learn(look);
            let found = !bound.consumer.created;
            if !found && start.is_none() && look.rules.copies > 1 {
                // It was created on a copy that may be behind, and have what is gone.
                tracker.position = tracker.position.max(look.first - 1);
            }
            let is_old = found && start.is_none();
            if tracker.start == Start::Lasts {
                // It passes over what is not the last of its subject.
                tracker.unknown_to = look.last;
            } else if !tracker.is_placed {
                tracker.unknown_to = 0;
            } else {
                tracker.unknown_to = 0;
                gaps.extend(tracker.before(look, is_old));
                gaps.extend(tracker.inside(look, is_old, found || start.is_some()));
            }
        } else if tracker.filters.contains(&Pattern::everything()) {
            tracker.coverage = Coverage::All;
            tracker.unknown_to = 0;
        }
        (tracker, gaps)
    }

    /// What the stream says about itself.
    fn learn(&mut self, look: &StreamLook) {
        self.rules = look.rules.clone();
        let everything = self.filters.contains(&Pattern::everything());
        let covers = |stored: &Pattern| self.filters.iter().any(|filter| filter.covers(stored));
        let covered = match &look.rules.subjects {
            Some(subjects) => subjects.iter().all(covers),
            None => false,
        };
        self.coverage = if (everything || covered) && !look.rules.skips {
            Coverage::All
        } else if look.rules.keeps_read {
            Coverage::Part
        } else {
            Coverage::Nothing
        };
    }

    /// What was dropped from the beginning of the stream.
    fn before(&mut self, look: &StreamLook, is_old: bool) -> Option<Gap> {
        if self.coverage == Coverage::Nothing {
            return None;
        }
        let range = (self.position.saturating_add(1), look.first - 1);
        let mut missing = Missing::default();
        missing.add(range);
        self.known.extend([range]);
        // Of several of one subject, some may have been dropped before the consumer was
        // there to read them.
        self.gap(missing, !(is_old && self.rules.per_subject))
    }

    /// What was dropped from its middle.
    fn inside(&mut self, look: &StreamLook, is_old: bool, is_lost: bool) -> Option<Gap> {
        let from = look.first.max(self.position.saturating_add(1));
        if self.coverage == Coverage::Nothing || look.deleted == 0 || from > look.last {
            return None;
        }
        let mut missing = Missing::default();
        if let Some(deleted) = &look.details {
            let unread = || deleted.iter().filter(|sequence| **sequence >= from);
            unread().for_each(|sequence| missing.add((*sequence, *sequence)));
            self.known
                .extend(unread().map(|sequence| (*sequence, *sequence)));
        } else {
            self.unknown_to = look.last;
            missing.add((from, look.last));
            missing.count = missing.count.min(look.deleted);
        }
        // It may have been missing before the consumer was there.
        is_lost.then(|| self.gap(missing, !is_old && look.details.is_some()))?
    }

    fn gap(&self, missing: Missing, is_certain: bool) -> Option<Gap> {
        let (from, to) = missing.ends()?;
        let lost = if is_certain && self.coverage == Coverage::All {
            LostCount::Exactly(missing.count)
        } else {
            LostCount::AtMost(missing.count)
        };
        Some(Gap { from, to, lost })
    }

    /// The subjects that the stream stores, if that is known and it stores no others.
    pub(super) fn subjects(&self) -> Option<&[Pattern]> {
        self.rules.subjects.as_deref()
    }

    /// A message was delivered. What was lost before it; `is_blind` where it cannot be looked
    /// whether filters and subjects are as they were.
    pub(super) fn delivered(&mut self, reply: &Reply, is_blind: bool) -> Found {
        let caught_up = std::mem::take(&mut self.caught_up);
        self.start = Start::Begun;
        // A server that was restarted may have forgotten how far it was.
        let Some(others) = reply.number.checked_sub(self.number.saturating_add(1)) else {
            self.number = reply.number;
            if self.steady.number != u64::MAX {
                self.steady.number = self.steady.number.min(reply.number);
            }
            self.elsewhere = self.elsewhere.saturating_add(1);
            self.again = self.again.saturating_add(1);
            self.position = self.position.max(reply.sequence);
            return Found::Nothing;
        };
        self.number = reply.number;
        self.elsewhere = self.elsewhere.saturating_add(others);
        if reply.sequence <= self.position {
            return Found::Nothing;
        }
        if reply.attempt > 1 {
            // Another subscription has had it first.
            self.elsewhere = self.elsewhere.saturating_add(1);
            self.again = self.again.saturating_add(1);
            return Found::Nothing;
        }
        let jump = (self.unread_from(self.position), reply.sequence - 1);
        self.position = reply.sequence;
        if !std::mem::replace(&mut self.is_placed, true) {
            return Found::Nothing;
        }
        let elsewhere = std::mem::take(&mut self.elsewhere);
        let again = std::mem::take(&mut self.again);
        if jump.0 > jump.1 {
            return Found::Nothing;
        }
        let mut missing = Missing::default();
        self.known.outside(jump, &mut missing);
        let remembered = self.jumps.first().map_or(reply.sequence, |first| first.0);
        self.known.forget_below(remembered);
        if missing.count == 0 {
            return Found::Nothing;
        }
        if self.coverage == Coverage::All && missing.count > elsewhere {
            let Steady {
                sequence,
                number,
                since,
            } = self.steady;
            let is_steady = jump.1 <= sequence && reply.number <= number && jump.0 > since;
            if is_steady || is_blind {
                let gap = self.gap(missing, is_steady && elsewhere == 0);
                return gap.map_or(Found::Nothing, Found::Gap);
            }
            self.doubt = Some(Doubt {
                jump,
                missing,
                elsewhere,
            });
            return Found::Doubt;
        }
        // One delivery for each message: other members have read them.
        let is_read = self.coverage == Coverage::All && missing.count == elsewhere && again == 0;
        let may_be_lost = !caught_up && !is_read;
        if self.coverage != Coverage::Nothing && self.rules.keeps_read && may_be_lost {
            self.remember(jump);
        }
        Found::Nothing
    }

    fn remember(&mut self, jump: Range) {
        if self.jumps.len() >= MOST_JUMPS {
            // Pairs become one: what was read between counts as if it had not been.
            let pairs = self.jumps.chunks(2).filter_map(|pair| {
                let (first, last) = (pair.first()?, pair.last()?);
                Some((first.0, last.1))
            });
            self.jumps = pairs.collect();
        }
        self.jumps.push(jump);
    }

    /// Whether a look at the stream may tell more; `is_idle` where nothing comes.
    pub(super) fn wants_look(&self, is_idle: bool) -> bool {
        self.must_learn
            || self.coverage != Coverage::Nothing
                && (!self.jumps.is_empty() || (is_idle && !self.caught_up))
    }

    /// From where on the middle of the stream is of interest, if it is.
    pub(super) fn details_above(&self) -> Option<u64> {
        let (first, _) = self.jumps.first()?;
        // Of a subject of which a number is kept, others' messages go all the time.
        (!self.rules.per_subject && !self.rules.skips).then(|| first.saturating_sub(1))
    }

    /// The first sequence after `read` of which it means something that it is missing.
    fn unread_from(&self, read: u64) -> u64 {
        read.max(self.unknown_to).saturating_add(1)
    }

    /// Nothing came, and the consumer cannot be asked: if nothing was dropped behind its last
    /// delivery, it has had all that was for it.
    pub(super) fn waits(&mut self, look: &StreamLook) {
        self.caught_up = look.first <= self.position.saturating_add(1);
        if self.caught_up && self.unknown_to == u64::MAX {
            self.unknown_to = self.position;
        }
    }

    /// What was pending before may be gone: the subscription was interrupted.
    pub(super) fn interrupted(&mut self) {
        self.caught_up = false;
    }

    /// Another consumer takes the place of this one.
    pub(super) fn remade(&mut self, bound: &Bound) {
        self.caught_up = false;
        self.number = bound.delivered.consumer_seq;
        if self.steady.number != u64::MAX {
            self.steady.number = self.number;
        }
        self.elsewhere = 0;
        if self.start != Start::Begun {
            self.position = self.position.max(bound.delivered.stream_seq);
        }
        if self.start == Start::Lasts {
            // Up to where it passes over messages is known when it has none left.
            self.unknown_to = u64::MAX;
        }
    }
}

/// Whether the consumer may pass over what was stored after it was created, for it begins
/// at a time that was still to come.
fn skips_to_a_time(config: &ConsumerConfig, bound: &Bound) -> bool {
    match config.deliver {
        DeliverPolicy::ByStartTime(start) => {
            bound.delivered.consumer_seq == 0
                && (!bound.consumer.created || start > Timestamp::now())
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests;
