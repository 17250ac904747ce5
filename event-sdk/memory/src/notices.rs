//! Gaps and exhausted deliveries that a consumer reports beside its messages; adjacent gaps are
//! merged.

use std::collections::VecDeque;

use event_sdk_core::transport::{Exhausted, Gap, LostCount, NoticeKind};

/// What a consumer is told beside its messages, in the order in which it is.
#[derive(Debug, Default)]
pub(super) struct Notices {
    unread: Option<Gap>,
    unsettled: Option<Gap>,
    exhausted: VecDeque<Exhausted>,
}

impl Notices {
    pub(super) fn is_empty(&self) -> bool {
        self.unread.is_none() && self.unsettled.is_none() && self.exhausted.is_empty()
    }

    /// These messages were dropped before the consumer read them. Until it is
    /// told, it is one gap: the consumer reads nothing in between.
    pub(super) fn unread(&mut self, gap: Gap) {
        merge(&mut self.unread, gap);
    }

    /// This message was dropped when it was to be delivered again.
    pub(super) fn unsettled(&mut self, sequence: u64) {
        merge(&mut self.unsettled, one(sequence));
    }

    pub(super) fn exhausted(&mut self, exhausted: Exhausted) {
        self.exhausted.push_back(exhausted);
    }

    pub(super) fn next(&mut self) -> Option<NoticeKind> {
        if let Some(gap) = self.unsettled.take().or_else(|| self.unread.take()) {
            return Some(NoticeKind::Gap(gap));
        }
        self.exhausted.pop_front().map(NoticeKind::Exhausted)
    }
}

/// The gap of one message.
pub(super) fn one(sequence: u64) -> Gap {
    Gap {
        from: sequence,
        to: sequence,
        lost: LostCount::Exactly(1),
    }
}

fn merge(known: &mut Option<Gap>, gap: Gap) {
    let Some(known) = known else {
        *known = Some(gap);
        return;
    };
    known.from = known.from.min(gap.from);
    known.to = known.to.max(gap.to);
    known.lost = match (known.lost, gap.lost) {
        (LostCount::Exactly(a), LostCount::Exactly(b)) => LostCount::Exactly(a + b),
        (
            LostCount::Exactly(a) | LostCount::AtMost(a),
            LostCount::Exactly(b) | LostCount::AtMost(b),
        ) => LostCount::AtMost(a + b),
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_are_told_as_one_until_they_are_told() {
        let mut notices = Notices::default();
        notices.unread(one(4));
        notices.unread(one(5));
        notices.unread(one(9));
        assert!(matches!(
            notices.next(),
            Some(NoticeKind::Gap(Gap {
                from: 4,
                to: 9,
                lost: LostCount::Exactly(3)
            }))
        ));
        notices.unread(one(10));
        notices.unsettled(2);
        assert!(matches!(
            notices.next(),
            Some(NoticeKind::Gap(Gap { from: 2, to: 2, .. }))
        ));
        assert!(matches!(
            notices.next(),
            Some(NoticeKind::Gap(Gap {
                from: 10,
                to: 10,
                ..
            }))
        ));
        assert!(notices.next().is_none() && notices.is_empty());
    }

    #[test]
    fn an_uncertain_count_makes_the_sum_uncertain() {
        let mut notices = Notices::default();
        notices.unread(Gap {
            from: 1,
            to: 8,
            lost: LostCount::AtMost(8),
        });
        notices.unread(one(9));
        assert!(matches!(
            notices.next(),
            Some(NoticeKind::Gap(Gap {
                from: 1,
                to: 9,
                lost: LostCount::AtMost(9)
            }))
        ));
    }
}
