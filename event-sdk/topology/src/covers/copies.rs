//! Mirrors and streams with sources, while compiling: they are well formed, do not go round, and have the
//! events of their consumers.

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
pub(super) const fn check(streams: &[StreamSpec], index: usize) {
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
    check_rounds(streams, index, index, &[]);
}

/// The filters of the streams between, the last first.
struct Passed<'a>(&'a str, &'a [&'a Self]);

/// Checks that no message comes back to the stream at `start`. Copies under another prefix are followed
/// when the topology is planned.
#[track_caller]
const fn check_rounds(streams: &[StreamSpec], start: usize, index: usize, passed: &[&Passed<'_>]) {
    let mut at = 0;
    while at < count(&streams[index]) {
        let other = upstream(&streams[index], at);
        at += 1;
        let filter = match other.relative_filter() {
            Some(filter) => filter,
            None => ">",
        };
        let (name, next) = (other.stream(), find(streams, other.stream()));
        if !other.is_here() || !other.keeps_prefix() || next >= streams.len() {
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
        if depth(passed) < streams.len() {
            check_rounds(streams, start, next, &[&Passed(filter, passed)]);
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
pub(super) const fn check_consumer(streams: &[StreamSpec], index: usize, consumer: &DurableSpec) {
    let mut at = 0;
    while at < consumer.members.len() {
        let event = consumer.members[at];
        if event.is_absolute() || !has(streams, index, event.filter(), streams.len()) {
            fail(&[
                "the consumer `",
                consumer.name,
                "` reads the stream `",
                constant(&streams[index]).0,
                "`, which does not copy `",
                event.filter(),
                "`, the subjects of `",
                event.name(),
                "`; widen its filter, or read the stream that stores them",
            ]);
        }
        at += 1;
    }
    let pattern = match (consumer.pattern, consumer.other) {
        (Some(pattern), _) | (None, Some(pattern)) => pattern,
        (None, None) => return,
    };
    if !has(streams, index, pattern, streams.len()) {
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

/// Whether a stream has all messages of a pattern: it stores them, or copies them. What streams of other
/// accounts, domains and topologies have is not known, and taken to be there.
const fn has(streams: &[StreamSpec], index: usize, pattern: &str, depth: usize) -> bool {
    let (_, subjects) = constant(&streams[index]);
    let mut at = 0;
    while at < subjects.len() {
        if covers(subjects[at], pattern) {
            return true;
        }
        at += 1;
    }
    let mut at = 0;
    while at < count(&streams[index]) {
        let other = upstream(&streams[index], at);
        at += 1;
        if !other.keeps_prefix() {
            return true;
        }
        if let Some(filter) = other.relative_filter()
            && !covers(filter, pattern)
        {
            continue;
        }
        let next = find(streams, other.stream());
        if !other.is_here() || next >= streams.len() {
            return true;
        }
        if depth > 0 && has(streams, next, pattern, depth - 1) {
            return true;
        }
    }
    false
}
