//! `covers!`: checks of a topology while compiling.
//!
//! Each function fails the compilation with a text that names the event or the stream, and says what
//! to write instead.

use event_sdk::__private::fail;
use event_sdk::EventSet;
use event_sdk::event::EventSpec;
use event_sdk::stream::StreamSpec;
use event_sdk::subject::grammar::{check_pattern, covers, overlaps};

mod copies;

mod names;

use names::same;

use crate::durable::DurableSpec;
use crate::topology::Topology;

/// Checks while compiling that a topology is consistent, and that each event of the given sets is
/// stored in exactly one of its streams.
///
/// `covers!(TOPOLOGY)` checks that names and patterns are well formed, that no two streams overlap
/// or have the same name, and that no stream copies its own messages through others. It also checks
/// that each consumer finds its events: the events of its set, or its pattern in its stream. A
/// consumer that names a mirror, or a stream with sources, finds the events of the copied streams
/// there. Such copies do not count as the one stream that stores an event of a set.
/// `covers!(TOPOLOGY, Set, …)` also checks the events of these sets.
///
/// The macro checks the relative subjects of [`StreamSpec::constant`], and refuses an event with an
/// `absolute` subject. This does not compile, because two streams overlap:
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
///
/// This does not compile either, because the consumer's stream does not store its events:
///
/// ```compile_fail,E0080
/// use event_sdk::Event;
/// use event_sdk::stream::StreamSpec;
/// use event_sdk_topology::{DurableSpec, Topology, covers};
/// use serde::{Deserialize, Serialize};
///
/// /// An order was placed.
/// #[derive(Event, Serialize, Deserialize)]
/// #[event(domain = "orders")]
/// struct OrderPlaced { #[event(key)] order: String }
///
/// const SHOP: Topology = Topology::new(const {
///     &[StreamSpec::constant("ORDERS", &["orders.>"]), StreamSpec::constant("PAYMENTS", &["payments.>"])]
/// })
/// .consumers(const { &[DurableSpec::of::<OrderPlaced>("billing").stream("PAYMENTS")] });
/// covers!(SHOP); // the stream `PAYMENTS` does not store `orders.order.placed`
/// ```
///
/// This does not compile either, because no stream stores any event of the set's pattern:
///
/// ```compile_fail,E0080
/// use event_sdk::{EventSet, RawEvent};
/// use event_sdk::stream::StreamSpec;
/// use event_sdk_topology::{Topology, covers};
///
/// #[derive(EventSet)]
/// #[event(pattern = "refunds.>")]
/// enum Refunds {
///     #[event(other)]
///     Other(RawEvent),
/// }
///
/// const SHOP: Topology =
///     Topology::new(const { &[StreamSpec::constant("ORDERS", &["orders.>"])] });
/// covers!(SHOP, Refunds); // no stream stores anything under `refunds.>`
/// ```
#[macro_export]
macro_rules! covers {
    ($topology:expr $(, $set:ty)* $(,)?) => {
        const _: () = {
            // Names that a constant of the caller does not have.
            const __CHECKED: $crate::Topology = $topology;
            const __STREAMS: usize = $crate::__private::streams(&__CHECKED);
            $crate::__private::check::<__STREAMS>(&__CHECKED);
            $($crate::__private::check_set::<$set>(&__CHECKED);)*
        };
    };
}

/// The number of streams of a topology.
#[must_use]
pub const fn streams(topology: &Topology) -> usize {
    topology.streams.len()
}

/// Checks the streams and consumers of a topology; `N` is the number of its streams.
///
/// # Panics
///
/// While compiling, with the names.
#[track_caller]
pub const fn check<const N: usize>(topology: &Topology) {
    let streams = topology.streams;
    let mut index = 0;
    while index < streams.len() {
        check_stream::<N>(streams, index);
        index += 1;
    }
    names::check_dead_letters(topology);
    if let Some(bucket) = topology.bucket {
        names::check_bucket(bucket);
    }
    let mut index = 0;
    while index < topology.consumers.len() {
        names::check_consumer(&topology.consumers[index]);
        check_consumer::<N>(topology, &topology.consumers[index]);
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
pub const fn check_set<S: EventSet>(topology: &Topology) {
    let mut index = 0;
    while index < S::MEMBERS.len() {
        check_event(topology.streams, S::MEMBERS[index], None);
        index += 1;
    }
    if let (Some(pattern), true) = (S::PATTERN, S::TAKES_OTHER) {
        check_other(topology.streams, pattern, None);
    }
}

/// The name and the subjects of a stream.
#[track_caller]
pub(super) const fn constant(spec: &StreamSpec) -> (&'static str, &'static [&'static str]) {
    match spec.as_constant() {
        Some(constant) => constant,
        None => {
            fail(&["the name of a stream is no constant; declare it with `StreamSpec::constant`"])
        }
    }
}

/// Checks a stream, and that it overlaps none before it, nor itself.
#[track_caller]
const fn check_stream<const N: usize>(streams: &[StreamSpec], index: usize) {
    let (name, subjects) = constant(&streams[index]);
    names::check_stream(name);
    copies::check::<N>(streams, index);
    if subjects.is_empty() && !copies::is_copy(&streams[index]) {
        fail(&[
            "the stream `",
            name,
            "` has no subject; give `StreamSpec::constant` at least one, such as `orders.>`",
        ]);
    }
    let mut before = 0;
    while before < index {
        names::differ(constant(&streams[before]).0, name);
        before += 1;
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

/// Checks that one of these streams stores an event, which a consumer receives if one is given. Two
/// cannot, since streams do not overlap.
#[track_caller]
const fn check_event(streams: &[StreamSpec], event: &EventSpec, consumer: Option<&DurableSpec>) {
    if event.is_absolute() {
        match consumer {
            None => fail(&[
                "`",
                event.name(),
                "` has the absolute subject `",
                event.subject(),
                "`, and the streams that are checked have relative ones; leave the event out of `covers!`",
            ]),
            Some(consumer) => fail(&[
                "the consumer `",
                consumer.name,
                "` has the event `",
                event.name(),
                "` with the absolute subject `",
                event.subject(),
                "`, which no stream of the topology stores; take the consumer out of the topology, and declare it at the bus (`BusBuilder::consumer`)",
            ]),
        }
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
    if let Some(DurableSpec {
        name,
        stream: Some(stream),
        ..
    }) = consumer
    {
        fail(&[
            "the consumer `",
            name,
            "` reads the stream `",
            stream,
            "`, which does not store `",
            event.filter(),
            "`, the subjects of `",
            event.name(),
            "`; name the stream that does, or leave `stream` out",
        ]);
    }
    fail(&[
        "`",
        event.name(),
        "` lies in no stream of the topology: none stores `",
        event.filter(),
        "`; add it to the subjects of a stream, or widen one (`*` stands for exactly one token, `>` for all that follow)",
    ]);
}

/// Checks that one of these streams stores some of the unknown events that a set takes.
#[track_caller]
const fn check_other(streams: &[StreamSpec], pattern: &str, consumer: Option<&DurableSpec>) {
    let mut index = 0;
    while index < streams.len() {
        let (_, subjects) = constant(&streams[index]);
        let mut at = 0;
        while at < subjects.len() {
            if overlaps(subjects[at], pattern) {
                return;
            }
            at += 1;
        }
        index += 1;
    }
    let whose = match consumer {
        Some(consumer) => consumer.name,
        None => "covers!",
    };
    fail(&[
        "the set of `",
        whose,
        "` takes other events under `",
        pattern,
        "`, and no stream of it stores any of them; add the pattern to the subjects of a stream, or correct it",
    ]);
}

/// Checks that a consumer finds its events.
#[track_caller]
const fn check_consumer<const N: usize>(topology: &Topology, consumer: &DurableSpec) {
    let Some(wanted) = consumer.stream else {
        return check_events(topology.streams, consumer);
    };
    let mut index = 0;
    while index < topology.streams.len() {
        let (name, subjects) = constant(&topology.streams[index]);
        if same(name, wanted) && copies::is_copy(&topology.streams[index]) {
            return copies::check_consumer::<N>(topology.streams, index, consumer);
        }
        if same(name, wanted) {
            check_events(std::slice::from_ref(&topology.streams[index]), consumer);
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

/// Checks that these streams store the events of a consumer.
#[track_caller]
const fn check_events(streams: &[StreamSpec], consumer: &DurableSpec) {
    let mut index = 0;
    while index < consumer.members.len() {
        check_event(streams, consumer.members[index], Some(consumer));
        index += 1;
    }
    if let Some(other) = consumer.other {
        check_other(streams, other, Some(consumer));
    }
}
