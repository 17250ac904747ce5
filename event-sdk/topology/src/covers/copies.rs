//! Mirrors and streams with sources, while compiling: they are well formed, do not go round, and have the
//! events of their consumers.

mod cycle;

use event_sdk::__private::fail;
use event_sdk::stream::{StreamSpec, Upstream};
use event_sdk::subject::grammar::{covers, overlaps};

use super::constant;
use super::names::same;
use crate::durable::DurableSpec;

/// Whether a stream copies others.
pub(super) const fn is_copy(spec: &StreamSpec) -> bool {
    spec.constant_mirror().is_some() || !spec.constant_sources().is_empty()
}

/// The number of streams that a stream copies.
const fn count(spec: &StreamSpec) -> usize {
    match spec.constant_mirror() {
        Some(_) => 1,
        None => spec.constant_sources().len(),
    }
}

/// One of the streams that a stream copies.
const fn upstream(spec: &StreamSpec, at: usize) -> Upstream {
    match spec.constant_mirror() {
        Some(mirror) => mirror,
        None => spec.constant_sources()[at],
    }
}

/// Checks what a stream copies.
#[track_caller]
pub(super) const fn check<const N: usize>(streams: &[StreamSpec], index: usize) {
    let spec = &streams[index];
    let (name, subjects) = constant(spec);
    let has_sources = !spec.constant_sources().is_empty();
    if spec.constant_mirror().is_some() && (has_sources || !subjects.is_empty()) {
        fail(&[
            "the stream `",
            name,
            "` is a mirror, and has subjects or sources too; give it neither, or copy the other stream as a source",
        ]);
    }
    let mut at = 0;
    while at < count(spec) {
        let other = upstream(spec, at);
        if let Err((text, why)) = other.check() {
            fail(&[
                "the stream `",
                name,
                "` cannot copy `",
                other.stream(),
                "`: `",
                text,
                "`: ",
                why,
            ]);
        }
        at += 1;
    }
    let back = leading_to::<N>(streams, index);
    check_rounds(streams, index, index, &back, &[]);
    cycle::check::<N>(streams, index);
}

/// Which streams have messages of this one, directly or through others.
const fn leading_to<const N: usize>(streams: &[StreamSpec], start: usize) -> [bool; N] {
    let mut back = [false; N];
    let mut grows = true;
    while grows {
        grows = false;
        let mut one = 0;
        while one < N {
            let mut at = 0;
            while !back[one] && at < count(&streams[one]) {
                let next = find(streams, upstream(&streams[one], at).stream());
                if next == start || (next < N && back[next]) {
                    back[one] = true;
                    grows = true;
                }
                at += 1;
            }
            one += 1;
        }
    }
    back
}

/// The filters of the streams between, the last first.
struct Passed<'a>(&'a str, &'a [&'a Self]);

/// Checks that no message comes back to the stream at `start`, through streams that lead back to it. Copies
/// under another prefix are followed when the topology is planned.
#[track_caller]
const fn check_rounds(
    streams: &[StreamSpec],
    start: usize,
    index: usize,
    back: &[bool],
    passed: &[&Passed<'_>],
) {
    let mut at = 0;
    while at < count(&streams[index]) {
        let other = upstream(&streams[index], at);
        at += 1;
        let filter = match other.relative_filter() {
            Some(filter) => filter,
            None => ">",
        };
        let (name, next) = (other.stream(), find(streams, other.stream()));
        let keeps_prefix = other.constant_prefix().is_none() && other.constant_moved_to().is_none();
        if !other.is_here() || !keeps_prefix || next >= streams.len() {
            continue;
        }
        if !passes(filter, passed) {
            continue;
        }
        if next == start {
            fail(&[
                "the stream `",
                name,
                "` would copy its own messages, which come back through `",
                constant(&streams[index]).0,
                "`; leave one of the sources out, or give them filters that no message passes all",
            ]);
        }
        // A circle that does not pass the start is found where it begins.
        if back[next] && depth(passed) < streams.len() {
            check_rounds(streams, start, next, back, &[&Passed(filter, passed)]);
        }
    }
}

const fn depth(passed: &[&Passed<'_>]) -> usize {
    match passed {
        [] => 0,
        [Passed(_, before), ..] => 1 + depth(before),
    }
}

/// Whether a message can pass this filter and all before it: each two of them overlap.
const fn passes(filter: &str, passed: &[&Passed<'_>]) -> bool {
    match passed {
        [] => true,
        [Passed(other, before), ..] => overlaps(filter, other) && passes(filter, before),
    }
}

/// The place of the stream of this name, or the number of streams.
const fn find(streams: &[StreamSpec], name: &str) -> usize {
    let mut index = 0;
    while index < streams.len() && !same(constant(&streams[index]).0, name) {
        index += 1;
    }
    index
}

/// Checks that a copy has the events of a consumer that names it.
#[track_caller]
pub(super) const fn check_consumer<const N: usize>(
    streams: &[StreamSpec],
    index: usize,
    consumer: &DurableSpec,
) {
    let mut at = 0;
    while at < consumer.members.len() {
        let event = consumer.members[at];
        let wanted = if event.is_absolute() {
            Wanted::Absolute
        } else {
            Wanted::All(event.filter())
        };
        if !has::<N>(streams, index, wanted) {
            fail(&[
                "the consumer `",
                consumer.name,
                "` reads the stream `",
                constant(&streams[index]).0,
                "`, which does not copy `",
                event.filter(),
                "`, the subjects of `",
                event.name(),
                "`, under the prefix of the bus; widen its filter, or read the stream that stores them",
            ]);
        }
        at += 1;
    }
    if let Some(pattern) = consumer.pattern {
        // No single stream has to have all that a consumer of everything reads.
        let wanted = if same(pattern, ">") {
            Wanted::Some(pattern)
        } else {
            Wanted::All(pattern)
        };
        if !has::<N>(streams, index, wanted) {
            fail(&[
                "the consumer `",
                consumer.name,
                "` reads the stream `",
                constant(&streams[index]).0,
                "`, which does not copy `",
                pattern,
                "`; narrow the pattern, or widen the filter of the stream",
            ]);
        }
    }
    if let Some(other) = consumer.other
        && !has::<N>(streams, index, Wanted::Some(other))
    {
        fail(&[
            "the consumer `",
            consumer.name,
            "` takes other events under `",
            other,
            "`, and its stream `",
            constant(&streams[index]).0,
            "` copies none of them; widen the filter of the stream, or correct the pattern",
        ]);
    }
}

/// Messages that a consumer reads from a copy.
#[derive(Clone, Copy)]
enum Wanted<'a> {
    /// All that a pattern matches.
    All(&'a str),
    /// Some that a pattern matches.
    Some(&'a str),
    /// Those of a subject that does not lie under the prefix of the bus.
    Absolute,
}

impl Wanted<'_> {
    /// Whether these relative subjects have them.
    const fn are_in(self, subjects: &str) -> bool {
        match self {
            Self::All(pattern) => covers(subjects, pattern),
            Self::Some(pattern) => overlaps(subjects, pattern),
            Self::Absolute => false,
        }
    }

    /// Whether a copy has them under subjects that the bus reads, if its original does.
    const fn pass(self, upstream: &Upstream) -> bool {
        match (upstream.constant_prefix(), upstream.constant_moved_to()) {
            // They get another prefix than that of the bus.
            (None, Some(_)) => return false,
            // They may get that of the bus.
            (Some(_), Some(_)) if matches!(self, Self::Absolute) => return false,
            _ => {}
        }
        match upstream.relative_filter() {
            Some(filter) => self.are_in(filter),
            None => true,
        }
    }
}

/// Whether a stream has messages: it stores them, or copies them under subjects that the bus reads. What
/// streams of other accounts, domains, prefixes and topologies have is not known, and taken to be there.
const fn has<const N: usize>(streams: &[StreamSpec], index: usize, wanted: Wanted<'_>) -> bool {
    let (mut reached, mut done) = ([false; N], [false; N]);
    reached[index] = true;
    let mut one = 0;
    while one < N {
        if done[one] || !reached[one] {
            one += 1;
            continue;
        }
        done[one] = true;
        let (_, subjects) = constant(&streams[one]);
        let mut at = 0;
        while at < subjects.len() {
            if wanted.are_in(subjects[at]) {
                return true;
            }
            at += 1;
        }
        let mut at = 0;
        while at < count(&streams[one]) {
            let other = upstream(&streams[one], at);
            at += 1;
            if !wanted.pass(&other) {
                continue;
            }
            let next = find(streams, other.stream());
            if !other.is_here() || other.constant_prefix().is_some() || next >= N {
                return true;
            }
            reached[next] = true;
        }
        one = 0;
    }
    false
}
