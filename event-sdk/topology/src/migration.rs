//! Migrations: what a server refuses to change, why, and the steps instead.

mod copies;

mod swap;

pub(crate) use copies::{
    copied_again, cycle, ended, missing_original, promoted, round, unchangeable_mirror,
};
pub(crate) use swap::swap;

use event_sdk::Pattern;
use event_sdk::stream::{Retention, StreamConfig};
use event_sdk::transport::Difference;

use crate::plan::{Overlap, Refusal};

/// Why no server changes this existing stream to `wanted`; `None` if nothing is in the way.
pub(crate) fn unchangeable(
    existing: &StreamConfig,
    wanted: &StreamConfig,
    changes_retention: bool,
) -> Option<String> {
    let queue = |config: &StreamConfig| config.retention == Retention::WorkQueue;
    let mut reasons = Vec::new();
    if existing.storage != wanted.storage {
        reasons.push(format!(
            "its storage is {:?}, and no server moves a stream to {:?}",
            existing.storage, wanted.storage
        ));
    }
    if existing.retention != wanted.retention && (queue(existing) || queue(wanted)) {
        reasons.push(format!(
            "its retention is {:?}, and no server changes a stream to or from a work queue ({:?})",
            existing.retention, wanted.retention
        ));
    }
    if existing.retention != wanted.retention
        && !queue(existing)
        && !queue(wanted)
        && !changes_retention
    {
        reasons.push(format!(
            "its retention is {:?}, and this transport does not change it to {:?}",
            existing.retention, wanted.retention
        ));
    }
    if existing.schedules && !wanted.schedules {
        reasons.push("it allows schedules, which no server takes back".to_owned());
    }
    if let Some(reason) = existing.denial_to_keep(wanted) {
        reasons.push(reason.to_owned());
    }
    (!reasons.is_empty()).then(|| reasons.join("; "))
}

/// A stream that must be deleted and created again.
pub(crate) fn stream(name: &str, reason: String, differences: Vec<Difference>) -> Refusal {
    Refusal {
        reason,
        exists: true,
        differences,
        overlaps: Vec::new(),
        steps: vec![
            format!("stop what publishes to {name}; an outbox keeps the events meanwhile"),
            format!(
                "wait until each consumer of {name} has nothing pending and nothing unsettled (`nats consumer report {name}`)"
            ),
            format!(
                "if it keeps events that were handled, copy them: `nats stream add {name}_COPY --source {name}`, without subjects and limits; wait until both have the same number of messages (`nats stream info`)"
            ),
            format!("delete it, with its consumers: `nats stream rm {name}`"),
            "declare its consumers with `DeliverPolicy::ByStartSequence`, at the number of copied messages plus one, since they have handled these; then apply this topology: the stream is created again, and its sequences begin at one"
                .to_owned(),
            format!(
                "copy the events back: `nats stream edit {name} --source {name}_COPY`; once it has all of them, remove `sources` from its configuration (`nats stream info {name} --json`, `nats stream edit {name} --config FILE`), then `nats stream rm {name}_COPY`"
            ),
            "start the publishers again".to_owned(),
        ],
    }
}

/// A stream that allows roll-ups, which its declaration leaves open, and is to deny purging.
pub(crate) fn rollup(name: &str, reason: &str, differences: Vec<Difference>) -> Refusal {
    Refusal {
        reason: reason.to_owned(),
        exists: true,
        differences,
        overlaps: Vec::new(),
        steps: vec![
            format!(
                "find out which publishers send the header `Nats-Rollup` to {name}: they would be refused"
            ),
            format!("declare {name} with `allow_rollup(false)`, or without `deny_purge(true)`"),
            "apply this topology again".to_owned(),
        ],
    }
}

/// A bucket that must be replaced by one of another name.
pub(crate) fn bucket(name: &str, differences: Vec<Difference>) -> Refusal {
    Refusal {
        reason: "its storage is another one, and no server moves a bucket".to_owned(),
        exists: true,
        differences,
        overlaps: Vec::new(),
        steps: vec![
            format!("declare a bucket of another name than {name}, and apply the topology"),
            "stop all instances that use the old bucket, then start them with the new one: leases are taken again, and attempts are counted from zero".to_owned(),
            format!("delete the old one: `nats kv del {name}`"),
        ],
    }
}

/// A stream of others that has the name of a bucket.
pub(crate) fn no_bucket(name: &str, differences: Vec<Difference>) -> Refusal {
    Refusal {
        reason: format!(
            "the stream KV_{name} exists and is no bucket: its subjects or its retention are others"
        ),
        exists: true,
        differences,
        overlaps: Vec::new(),
        steps: vec![
            format!("find out who uses it: `nats stream info KV_{name}`"),
            "declare a bucket of another name, or use another account".to_owned(),
        ],
    }
}

/// A durable that must be created again, since these settings are fixed.
pub(crate) fn durable(
    stream: &str,
    name: &str,
    fixed: &[Difference],
    differences: Vec<Difference>,
) -> Refusal {
    let fixed: Vec<_> = fixed.iter().map(ToString::to_string).collect();
    Refusal {
        reason: format!("no server changes {}", fixed.join("; ")),
        exists: true,
        differences,
        overlaps: Vec::new(),
        steps: vec![
            format!("stop the subscribers of {name}, and let them settle what they have"),
            format!(
                "wait until nothing is unsettled (`nats consumer info {stream} {name}`), since an unsettled event holds the ack floor, and those behind it would be handled once more; if some stay, stop the publishers, and start the subscribers again until nothing is pending or unsettled"
            ),
            format!(
                "read the stream sequence of its ack floor: `nats consumer info {stream} {name}`"
            ),
            "declare a durable of another name that starts with the next sequence (`DeliverPolicy::ByStartSequence`), and apply the topology".to_owned(),
            "start the subscribers with the new name".to_owned(),
            format!("delete the old one: `nats consumer rm {stream} {name}`"),
        ],
    }
}

/// A consumer with other partitions than it had.
pub(crate) fn partitions(
    found: Difference,
    exists: bool,
    mut differences: Vec<Difference>,
) -> Refusal {
    let reason =
        format!("{found}: the events of a key would be handled twice, or by two instances at once");
    differences.push(found);
    Refusal {
        reason,
        exists,
        differences,
        overlaps: Vec::new(),
        steps: vec![
            "end all instances of the consumer; to handle no event twice, stop the publishers first, and wait until no durable has anything pending or unsettled".to_owned(),
            "note the lowest acknowledged sequence of its durables (`ack_floor.stream_seq` of `nats consumer info`), and delete them, in each stream of the consumer; in the retry stream of dead letters too, when no redriven event waits there".to_owned(),
            "declare the new number with `DeliverPolicy::ByStartSequence(lowest + 1)`, or with `ByStartTime` if the events are in several streams; apply the topology, and start the instances (docs/ordering.md)".to_owned(),
        ],
    }
}

/// A durable that has events to handle, and would lose these subjects.
pub(crate) fn unhandled(
    stream: &str,
    name: &str,
    lost: &[Pattern],
    unhandled: u64,
    differences: Vec<Difference>,
) -> Refusal {
    let lost: Vec<_> = lost.iter().map(Pattern::as_str).collect();
    let lost = lost.join(", ");
    Refusal {
        reason: format!(
            "the consumer {name} of {stream} has {unhandled} events to handle, and those of {lost} would not reach it any more"
        ),
        exists: true,
        differences,
        overlaps: Vec::new(),
        steps: vec![
            format!("stop what publishes to {lost}; an outbox keeps the events meanwhile"),
            format!(
                "let {name} handle its events first: wait until it has nothing pending and nothing unsettled (`nats consumer info {stream} {name}`)"
            ),
            "apply this topology again, and start the publishers".to_owned(),
        ],
    }
}

/// A stream of this name that stores events of another prefix.
pub(crate) fn other_prefix(name: &str, ours: &Pattern, differences: Vec<Difference>) -> Refusal {
    Refusal {
        reason: format!(
            "the stream belongs to another prefix: none of its subjects lies under {ours}, and its events would have no stream any more"
        ),
        exists: true,
        differences,
        overlaps: Vec::new(),
        steps: vec![format!(
            "use another account for this prefix, or declare {name} with another name"
        )],
    }
}

/// A stream whose subjects other streams store.
pub(crate) fn overlap(name: &str, overlaps: Vec<Overlap>, differences: Vec<Difference>) -> Refusal {
    let list: Vec<_> = overlaps.iter().map(ToString::to_string).collect();
    let steps = overlaps.iter().flat_map(|other| {
        let other_name = other.stream.escape_debug();
        if other.is_declared {
            return vec![format!(
                "declare {name} behind {other_name}, so that {other_name} gives its subjects up first"
            )];
        }
        vec![
            format!("find out who uses {other_name}: `nats stream info {other_name}`, `nats consumer report {other_name}`"),
            format!("give {other_name} narrower subjects (`nats stream edit {other_name} --subjects …`), or delete it once its events are handled or copied"),
        ]
    });
    let steps = steps.chain(["apply this topology again".to_owned()]);
    Refusal {
        reason: format!(
            "a subject belongs to one stream, and these store some of its subjects: {}",
            list.join(", ")
        ),
        exists: !differences.is_empty(),
        steps: steps.collect(),
        differences,
        overlaps,
    }
}

/// A part that the limits of the account do not allow.
pub(crate) fn over_limit(
    reason: String,
    exists: bool,
    setting: &str,
    differences: Vec<Difference>,
) -> Refusal {
    Refusal {
        reason,
        exists,
        differences,
        overlaps: Vec::new(),
        steps: vec![
            format!(
                "change `{setting}` of the declaration, or let who operates the servers change the limits of the account (`nats account info`)"
            ),
            "apply this topology again".to_owned(),
        ],
    }
}

/// A part that the transport has no means for.
pub(crate) fn unsupported(reason: String, differences: Vec<Difference>) -> Refusal {
    Refusal {
        reason,
        exists: !differences.is_empty(),
        differences,
        overlaps: Vec::new(),
        steps: vec!["use a server that can, or declare it without this setting".to_owned()],
    }
}
