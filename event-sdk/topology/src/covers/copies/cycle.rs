//! Cycles as a server sees them, while compiling: see `copies/cycle.rs`, which a plan uses.

use event_sdk::__private::fail;
use event_sdk::stream::{StreamSpec, Upstream};
use event_sdk::subject::grammar::overlaps;

use super::super::constant;
use super::{count, find, upstream};

/// When a server visits each stream, the first and the last time; zero: not at all.
struct Visits<const N: usize> {
    first: [usize; N],
    last: [usize; N],
    /// Of the latest one that was planned.
    planned: usize,
}

impl<const N: usize> Visits<N> {
    const fn plan(mut self, stream: usize) -> Self {
        self.planned += 1;
        if self.first[stream] == 0 {
            self.first[stream] = self.planned;
        }
        self.last[stream] = self.planned;
        self
    }

    /// The visit after this one, and its stream.
    const fn after(&self, now: usize) -> Option<(usize, usize)> {
        let mut next: Option<(usize, usize)> = None;
        let mut stream = 0;
        while stream < N {
            let first = self.first[stream];
            let visit = if first > now {
                first
            } else {
                self.last[stream]
            };
            let is_earlier = match next {
                Some((earliest, _)) => visit < earliest,
                None => true,
            };
            if visit > now && is_earlier {
                next = Some((visit, stream));
            }
            stream += 1;
        }
        next
    }
}

/// Checks that a server does not take the sources of a stream for a cycle, once all streams are there: it
/// would refuse each change of the stream.
#[track_caller]
pub(super) const fn check<const N: usize>(streams: &[StreamSpec], start: usize) {
    let nothing = Visits::<N> {
        first: [0; N],
        last: [0; N],
        planned: 0,
    };
    let mut visits = nothing.plan(start);
    let mut now = 0;
    while let Some((visit, stream)) = visits.after(now) {
        now = visit;
        let mut at = 0;
        while at < count(&streams[stream]) {
            let other = upstream(&streams[stream], at);
            at += 1;
            let next = find(streams, other.stream());
            if !other.is_here() || next >= N {
                continue;
            }
            if visits.first[next] == 0 || visits.first[next] > now {
                visits = visits.plan(next);
            } else if closes(&streams[stream], &other) {
                fail(&[
                    "a server refuses the stream `",
                    constant(&streams[start]).0,
                    "` as a cycle: its sources lead to `",
                    other.stream(),
                    "` more than once, at last as a source of `",
                    constant(&streams[stream]).0,
                    "`; give that source a filter that meets no subject which its stream has itself, without `moved_to`, or leave one of the sources out",
                ]);
            }
        }
    }
}

/// Whether a server refuses this source of a stream if it has visited the original.
const fn closes(stream: &StreamSpec, source: &Upstream) -> bool {
    let (Some(filter), None) = (source.relative_filter(), source.constant_moved_to()) else {
        return true;
    };
    if stream.constant_mirror().is_some() {
        return true;
    }
    // Subjects under another prefix are those of the stream if it is that of the bus: see the plan.
    let (_, subjects) = constant(stream);
    let mut at = 0;
    while at < subjects.len() {
        if source.constant_prefix().is_none() && overlaps(subjects[at], filter) {
            return true;
        }
        at += 1;
    }
    false
}
