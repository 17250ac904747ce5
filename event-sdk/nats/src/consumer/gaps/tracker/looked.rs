//! Judges what was passed over or is missing, after a look at the stream and the consumer; a number
//! is exact only if filters and subjects are as they were.

use std::collections::BTreeSet;

use super::super::look::{ConsumerLook, StreamLook};
use super::super::ranges::{Missing, Range};
use super::{Coverage, Doubt, Tracker};
use event_sdk_core::subject::Pattern;
use event_sdk_core::transport::{Gap, LostCount};

impl Tracker {
    /// Whether it waits for a look to judge the last delivery.
    pub(in super::super) fn doubts(&self) -> bool {
        self.doubt.is_some()
    }

    /// Whether something was passed over that only the stream can judge.
    pub(in super::super) fn has_jumps(&self) -> bool {
        !self.jumps.is_empty()
    }

    /// Judges the last delivery, in doubt, without a look: the number is not certain.
    pub(in super::super) fn judge_blindly(&mut self) -> Option<Gap> {
        let doubt = self.doubt.take()?;
        self.gap(doubt.missing, false)
    }

    /// What the stream says was lost. `consumer` is how far the consumer was after that, where it
    /// was asked, and `is_idle` says that nothing came. `judges` where the look was begun for the
    /// last delivery.
    pub(in super::super) fn looked(
        &mut self,
        look: &StreamLook,
        consumer: Option<&ConsumerLook>,
        is_idle: bool,
        judges: bool,
    ) -> Vec<Gap> {
        let learns = std::mem::take(&mut self.must_learn);
        let is_steady = self.look_again(look, consumer) && !learns;
        if learns {
            // What is missing so far may have been missing before.
            self.unknown_to = look.last;
        }
        let mut gaps = Vec::new();
        if judges && let Some(doubt) = self.doubt.take() {
            gaps.extend(self.judge(&doubt, look, is_steady));
        }
        gaps.extend(self.judge_jumps(look));
        if let (true, Some(at)) = (is_idle, consumer) {
            gaps.extend(self.idle(look, at, is_steady));
        }
        gaps
    }

    /// Learns the filters and subjects as they are now; whether they were so at the last look.
    fn look_again(&mut self, look: &StreamLook, consumer: Option<&ConsumerLook>) -> bool {
        let same_rules = self.rules == look.rules;
        let filters = consumer.and_then(|at| at.filters.as_ref());
        let same_filters = match filters {
            Some(filters) => is_same(filters, &self.filters),
            // It can be asked only if it has a name.
            None => self.steady.number == u64::MAX,
        };
        if let Some(filters) = filters.filter(|_| !same_filters) {
            self.filters.clone_from(filters);
        }
        self.learn(look);
        if !same_rules || filters.is_some() && !same_filters {
            self.steady.since = look.last;
        }
        self.steady.sequence = look.last;
        if let (Some(at), true) = (consumer, self.steady.number != u64::MAX) {
            self.steady.number = at.delivered.consumer_seq;
        }
        same_rules && same_filters
    }

    /// What a jump of a consumer of everything means.
    fn judge(&self, doubt: &Doubt, look: &StreamLook, is_steady: bool) -> Option<Gap> {
        if is_steady {
            let is_certain = doubt.elsewhere == 0
                && doubt.jump.1 <= look.last
                && doubt.jump.0 > self.steady.since;
            return self.gap(doubt.missing, is_certain);
        }
        if look.details.is_none() {
            return self.gap(doubt.missing, false);
        }
        // Some of it was not for the consumer: what is still there was passed over.
        let mut gone = Missing::default();
        self.gone(doubt.jump, look, &mut gone);
        self.gap(gone, false)
    }

    /// What of the jumps was dropped. A jump to what was stored after the look stays.
    fn judge_jumps(&mut self, look: &StreamLook) -> Option<Gap> {
        let jumps = std::mem::take(&mut self.jumps);
        let (jumps, later) = jumps.into_iter().partition(|(_, to)| *to <= look.last);
        self.jumps = later;
        let jumps: Vec<Range> = jumps;
        let mut passed = Missing::default();
        for jump in jumps {
            self.gone(jump, look, &mut passed);
        }
        self.gap(passed, false)
    }

    /// Adds what is not in the stream any more, of what a delivery passed over.
    fn gone(&self, (from, to): Range, look: &StreamLook, gone: &mut Missing) {
        self.known.outside((from, to.min(look.first - 1)), gone);
        let inside = (from.max(look.first), to);
        match &look.details {
            Some(deleted) => {
                let range = inside.0..=inside.1;
                let deleted = deleted.iter().filter(|sequence| range.contains(sequence));
                for sequence in deleted {
                    self.known.outside((*sequence, *sequence), gone);
                }
            }
            // Of a subject of which a number is kept, others' messages go all the time.
            None if self.rules.per_subject || self.rules.skips => {}
            // Too many to be listed: so many at most.
            None => {
                let mut unlisted = Missing::default();
                self.known.outside(inside, &mut unlisted);
                unlisted.count = unlisted.count.min(look.deleted);
                gone.join(unlisted);
            }
        }
    }

    /// What was dropped behind the last delivery, where nothing comes.
    fn idle(&mut self, look: &StreamLook, at: &ConsumerLook, is_steady: bool) -> Option<Gap> {
        let delivered = at.delivered;
        let is_alone = delivered.consumer_seq <= self.number && self.elsewhere == 0;
        let read = if is_alone && self.is_placed {
            self.position
        } else {
            self.position.max(delivered.stream_seq)
        };
        let range = (self.unread_from(read), look.first - 1);
        let mut unread = Missing::default();
        self.known.outside(range, &mut unread);
        self.known.extend([range]);
        let gap = if self.coverage == Coverage::Nothing {
            None
        } else {
            self.gap(unread, is_alone && is_steady)
        };
        self.caught_up = at.pending == 0;
        if self.caught_up {
            // All that was for it up to the end of the stream has been delivered.
            let known = match self.unknown_to {
                u64::MAX => read,
                known => known,
            };
            self.unknown_to = known.max(look.last);
        }
        gap
    }
}

/// Judges deliveries that are to come again: what the stream has dropped of them never comes,
/// unless another member has had it before. Answers the gap, and which are not to be waited for.
pub(in super::super) fn unsettled(
    look: &StreamLook,
    consumer: Option<&ConsumerLook>,
    away: &BTreeSet<u64>,
) -> (Option<Gap>, Vec<u64>) {
    // Elsewhere, what other members have acknowledged is gone too.
    let is_told = look.rules.keeps_read;
    let listed = look.details.as_deref().unwrap_or_default();
    let is_gone = |sequence: &u64| *sequence < look.first || listed.contains(sequence);
    let settled_to = consumer.map_or(0, |at| at.settled_to);
    let (mut gone, mut over) = (Missing::default(), Vec::new());
    for sequence in away {
        if is_gone(sequence) {
            gone.add((*sequence, *sequence));
            over.push(*sequence);
        } else if *sequence <= settled_to {
            over.push(*sequence);
        }
    }
    let lost = LostCount::AtMost(gone.count);
    let gap = gone.ends().filter(|_| is_told);
    (gap.map(|(from, to)| Gap { from, to, lost }), over)
}

/// Whether these are the same filters, in whichever order.
fn is_same(one: &[Pattern], other: &[Pattern]) -> bool {
    one.len() == other.len() && one.iter().all(|filter| other.contains(filter))
}
