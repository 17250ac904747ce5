//! `covers!`: checks of a topology while compiling.
//!
//! Each function fails the compilation with a text that names the event or the stream, and says what
//! to write instead.

use event_sdk::__private::fail;
use event_sdk::event::EventSpec;
use event_sdk::stream::StreamSpec;
use event_sdk::subject::grammar::{check_pattern, covers, overlaps};

use crate::durable::DurableSpec;
use crate::topology::Topology;

/// Checks while compiling that a topology is consistent, and that each event of the given sets is
/// stored in exactly one of its streams.
///
/// `covers!(TOPOLOGY)` checks that no two streams overlap or have the same name, that patterns are
/// well formed, and that each consumer finds its events: those of its set, or its pattern in its
/// stream. `covers!(TOPOLOGY, Set, …)` also checks the events of these sets.
///
/// Checked are the relative subjects of [`StreamSpec::constant`]; an event with an `absolute` subject
/// is refused. If a wrong topology compiled, events would be lost:
///
/// ```compile_fail
/// use event_sdk::stream::StreamSpec;
/// use event_sdk_topology::{Topology, covers};
///
/// const SHOP: Topology = Topology::new(const {
///     &[StreamSpec::constant("ALL", &[">"]), StreamSpec::constant("ORDERS", &["orders.>"])]
/// });
/// covers!(SHOP); // the streams `ALL` and `ORDERS` overlap
/// ```
#[macro_export]
macro_rules! covers {
    ($topology:expr $(, $set:ty)* $(,)?) => {
        const _: () = {
            let topology: $crate::Topology = $topology;
            $crate::__private::check(&topology);
            $($crate::__private::check_set(
                &topology,
                <$set as $crate::__private::EventSet>::MEMBERS,
            );)*
        };
    };
}

/// Checks the streams and consumers of a topology.
///
/// # Panics
///
/// While compiling, with the names.
#[track_caller]
pub const fn check(topology: &Topology) {
    let streams = topology.streams;
    let mut index = 0;
    while index < streams.len() {
        check_stream(streams, index);
        index += 1;
    }
    let mut index = 0;
    while index < topology.consumers.len() {
        check_consumer(topology, &topology.consumers[index]);
        let mut before = 0;
        while before < index {
            if same(
                topology.consumers[before].name,
                topology.consumers[index].name,
            ) {
                fail(&[
                    "the consumer `",
                    topology.consumers[index].name,
                    "` is declared twice; a durable has one declaration",
                ]);
            }
            before += 1;
        }
        index += 1;
    }
}

/// Checks that each event of a set is stored in one stream.
///
/// # Panics
///
/// While compiling, with the event.
#[track_caller]
pub const fn check_set(topology: &Topology, members: &[&EventSpec]) {
    let mut index = 0;
    while index < members.len() {
        check_event(topology.streams, members[index]);
        index += 1;
    }
}

/// The name and the subjects of a stream.
#[track_caller]
const fn constant(spec: &StreamSpec) -> (&'static str, &'static [&'static str]) {
    match spec.as_constant() {
        Some(constant) => constant,
        None => {
            fail(&["the name of a stream is no constant; declare it with `StreamSpec::constant`"])
        }
    }
}

/// Checks a stream, and that it overlaps none before it, nor itself.
#[track_caller]
const fn check_stream(streams: &[StreamSpec], index: usize) {
    let (name, subjects) = constant(&streams[index]);
    if subjects.is_empty() {
        fail(&[
            "the stream `",
            name,
            "` has no subject; give `StreamSpec::constant` at least one, such as `orders.>`",
        ]);
    }
    let mut at = 0;
    while at < subjects.len() {
        if check_pattern(subjects[at]).is_err() {
            fail(&[
                "the subject `",
                subjects[at],
                "` of the stream `",
                name,
                "` is malformed; join tokens by dots, where `*` stands for one token and a last `>` for all that follow",
            ]);
        }
        let mut before = 0;
        while before <= index {
            let (other, others) = constant(&streams[before]);
            if before < index && same(other, name) {
                fail(&[
                    "the stream `",
                    name,
                    "` is declared twice; give one of them another name",
                ]);
            }
            let end = if before == index { at } else { others.len() };
            let mut beside = 0;
            while beside < end {
                if overlaps(others[beside], subjects[at]) {
                    fail(&[
                        "the subject `",
                        others[beside],
                        "` of the stream `",
                        other,
                        "` overlaps `",
                        subjects[at],
                        "` of the stream `",
                        name,
                        "`, so that both would store an event; narrow one of them",
                    ]);
                }
                beside += 1;
            }
            before += 1;
        }
        at += 1;
    }
}

/// Checks that one stream stores an event. Two cannot, since streams do not overlap.
#[track_caller]
const fn check_event(streams: &[StreamSpec], event: &EventSpec) {
    if event.is_absolute() {
        fail(&[
            "`",
            event.name(),
            "` has the absolute subject `",
            event.subject(),
            "`, and the streams that are checked have relative ones; leave the event out of `covers!`",
        ]);
    }
    let mut index = 0;
    while index < streams.len() {
        let (name, subjects) = constant(&streams[index]);
        let mut at = 0;
        while at < subjects.len() {
            if covers(subjects[at], event.filter()) {
                return;
            }
            if overlaps(subjects[at], event.filter()) {
                fail(&[
                    "the subject `",
                    subjects[at],
                    "` of the stream `",
                    name,
                    "` matches only some of `",
                    event.filter(),
                    "`, the subjects of `",
                    event.name(),
                    "`; widen it, with `>` as the last token",
                ]);
            }
            at += 1;
        }
        index += 1;
    }
    fail(&[
        "`",
        event.name(),
        "` lies in no stream of the topology: none stores `",
        event.filter(),
        "`; add it to the subjects of a stream, or widen one (`*` stands for exactly one token, `>` for all that follow)",
    ]);
}

/// Checks that a consumer finds its events.
#[track_caller]
const fn check_consumer(topology: &Topology, consumer: &DurableSpec) {
    check_set(topology, consumer.members);
    let Some(wanted) = consumer.stream else {
        return;
    };
    let mut index = 0;
    while index < topology.streams.len() {
        let (name, subjects) = constant(&topology.streams[index]);
        if same(name, wanted) {
            let Some(pattern) = consumer.pattern else {
                return;
            };
            let mut at = 0;
            while at < subjects.len() {
                if covers(subjects[at], pattern) {
                    return;
                }
                at += 1;
            }
            fail(&[
                "the pattern `",
                pattern,
                "` of the consumer `",
                consumer.name,
                "` is not within a subject of its stream `",
                name,
                "`, so that it would miss events or receive none; narrow it",
            ]);
        }
        index += 1;
    }
    fail(&[
        "the consumer `",
        consumer.name,
        "` reads the stream `",
        wanted,
        "`, which the topology does not have; declare the stream, or correct the name",
    ]);
}

/// Whether two names are the same. They have no wildcards, so one matches only itself.
const fn same(one: &str, other: &str) -> bool {
    covers(one, other) && one.len() == other.len()
}
