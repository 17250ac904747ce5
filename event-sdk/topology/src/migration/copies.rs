//! Mirrors and sources: what a server refuses to change, and what to know before a change.

use event_sdk::stream::{CopyFrom, StreamConfig, UpstreamConfig};
use event_sdk::transport::Difference;

use crate::copies::Cycle;
use crate::plan::Refusal;

/// Why no server changes what this existing stream mirrors, with the steps instead and without the
/// differences; `None` if nothing is in the way.
pub(crate) fn unchangeable_mirror(
    existing: &StreamConfig,
    wanted: &StreamConfig,
    promotes: bool,
) -> Option<Refusal> {
    let name = &wanted.name;
    let (reason, steps) = match (&existing.mirror, &wanted.mirror) {
        (Some(has), Some(wants)) if has != wants => (
            format!("it mirrors {has}, and no server changes what a stream mirrors ({wants})"),
            vec![
                format!(
                    "stop the subscribers of {name}, and note the stream sequence of each ack floor (`nats consumer info {name} …`): a mirror has the sequences of its original"
                ),
                format!(
                    "copy the messages that its original has no more, if they are needed: `nats stream add {name}_COPY --source {name}`, without subjects and limits, and with a duplicate window of 100 ms; wait until {name}_COPY has as many messages as {name}"
                ),
                format!("delete it, with its consumers: `nats stream rm {name}`"),
                "declare its consumers with `DeliverPolicy::ByStartSequence`, at the ack floor plus one if the original is the same stream; then apply this topology: the mirror is created again, and fills from its original".to_owned(),
                "start the subscribers again".to_owned(),
            ],
        ),
        (None, Some(wants)) => (
            format!("it is no mirror, and no server makes it one ({wants})"),
            vec![
                format!("stop what publishes to {name}, and its subscribers"),
                format!(
                    "copy the messages that only {name} has, if they are needed: `nats stream add {name}_COPY --source {name}`, without subjects and limits, and with a duplicate window of 100 ms; wait until {name}_COPY has as many messages as {name}"
                ),
                format!("delete it, with its consumers: `nats stream rm {name}`"),
                "apply this topology again: the mirror is created, and fills from its original"
                    .to_owned(),
            ],
        ),
        (Some(has), None) if !promotes => (
            format!(
                "it mirrors {has}, and a NATS server before 2.12 does not make a mirror a stream of its own"
            ),
            vec![
                format!(
                    "upgrade the servers to 2.12 or newer, and apply this topology again; without an upgrade, go on: stop what publishes to the original, and wait until {name} has all its messages (`nats stream info {name}`: lag 0)"
                ),
                format!(
                    "let each consumer of {name} handle everything: nothing pending, and nothing unsettled; then stop the subscribers"
                ),
                format!(
                    "declare a stream of another name with the subjects, and `.sources(…)` with `Upstream::of(\"{name}\")`; apply it, and wait until it has as many messages"
                ),
                "declare the consumers in the new stream with `DeliverPolicy::ByStartSequence`, at the number of its messages plus one, since it gives the messages new sequences and times; apply, and start subscribers and publishers with it".to_owned(),
                format!("take the source out of the declaration, apply, and delete the mirror: `nats stream rm {name}`"),
            ],
        ),
        (Some(has), None) if !wanted.sources.is_empty() => (
            format!(
                "it mirrors {has}; with sources it would copy again what it has, so that events would be stored twice"
            ),
            vec![
                format!("declare {name} without a mirror and without sources, and apply this topology: it becomes a stream of its own"),
                "then declare the sources with `start(CopyFrom::Sequence(…))`, each at the first sequence of its original that is missing here, and apply this topology again".to_owned(),
            ],
        ),
        _ => return None,
    };
    Some(Refusal {
        reason,
        exists: true,
        differences: Vec::new(),
        overlaps: Vec::new(),
        steps,
    })
}

/// Why a source of an existing stream is not changed, with the steps instead; `None` if no source
/// would be copied again. A server takes a source with another filter or other subjects for a new one
/// (nats-server, `composeIName`), and begins with the first message of the original.
pub(crate) fn copied_again(
    existing: &StreamConfig,
    wanted: &StreamConfig,
    differences: &[Difference],
) -> Option<Refusal> {
    let changed = |has: &UpstreamConfig, source: &UpstreamConfig| {
        (&has.stream, &has.api_prefix) == (&source.stream, &source.api_prefix)
            && !wanted.sources.contains(has)
    };
    let source = wanted.sources.iter().find(|source| {
        source.start == CopyFrom::Oldest
            && !existing.sources.contains(source)
            && existing.sources.iter().any(|has| changed(has, source))
    })?;
    Some(Refusal {
        reason: format!(
            "a server takes {source} for a new source and copies it from its first message, so that events which are here would be stored twice"
        ),
        exists: true,
        differences: differences.to_vec(),
        overlaps: Vec::new(),
        steps: vec![
            format!(
                "declare the changed source of {} with `start(CopyFrom::Sequence(…))`, at the first sequence of the original that is missing here",
                wanted.name
            ),
            "or declare a stream of another name with the changed source, move the consumers there, and delete this one".to_owned(),
            "then apply this topology again".to_owned(),
        ],
    })
}

/// What to know of a source that is not declared any more.
pub(crate) fn ended(name: &str, source: &UpstreamConfig) -> String {
    format!(
        "stream {name} stops copying {source}: events that are stored there and not yet copied are missing here; declare it among the sources if it should go on"
    )
}

/// A stream that would copy its own messages.
pub(crate) fn round(
    name: &str,
    round: &[String],
    exists: bool,
    differences: Vec<Difference>,
) -> Refusal {
    Refusal {
        reason: format!(
            "its messages would come back to it and be copied again without an end: {}",
            round.join(" → ")
        ),
        exists,
        differences,
        overlaps: Vec::new(),
        steps: vec![format!(
            "leave one of the sources on the way out, or give them filters that no message of {name} passes all; then apply this topology again"
        )],
    }
}

/// A stream whose sources a server takes for a cycle.
pub(crate) fn cycle(
    name: &str,
    cycle: &Cycle,
    exists: bool,
    differences: Vec<Difference>,
) -> Refusal {
    let original = cycle.original.escape_debug();
    let copy = cycle.copy.escape_debug();
    let reason = if cycle.original == name {
        format!(
            "a server refuses it as a cycle, whatever `moved_to` makes of the subjects: its sources lead back to it, as a source of {copy}"
        )
    } else {
        format!(
            "a server refuses it as a cycle, although no message comes back: its sources lead to {original} more than once, at last as a source of {copy}"
        )
    };
    Refusal {
        reason,
        exists,
        differences,
        overlaps: Vec::new(),
        steps: vec![
            format!(
                "give {original} as a source of {copy} a filter that meets no subject which {copy} has itself, without `moved_to`; or leave one of the sources on the way out"
            ),
            "then apply this topology again".to_owned(),
        ],
    }
}

/// What to know of a stream that copies one which does not exist.
pub(crate) fn missing_original(name: &str, original: &str) -> String {
    format!(
        "stream {name} copies {}, which does not exist and is not declared: it has none of its messages until that stream is made; correct the name, or declare the domain of the stream",
        original.escape_debug()
    )
}

/// What to know of a mirror that becomes a stream of its own.
pub(crate) fn promoted(existing: &StreamConfig) -> String {
    let originals = existing.mirror.iter().map(ToString::to_string);
    let originals: Vec<_> = originals.collect();
    format!(
        "stream {} stops copying {}, for good: end what publishes to the original first, since events that are stored there and not yet copied are missing here; an event whose confirmation was lost there is stored twice if it is published again, since a mirror knows no message ids",
        existing.name,
        originals.join(", ")
    )
}
