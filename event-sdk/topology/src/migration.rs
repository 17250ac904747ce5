//! Migrations: what a server refuses to change, why, and the steps instead.

use event_sdk::stream::{Retention, StreamConfig};
use event_sdk::transport::Difference;

use crate::plan::{Overlap, Refusal};

/// Why no server changes this existing stream to `wanted`; `None` if nothing is in the way.
pub(crate) fn unchangeable(existing: &StreamConfig, wanted: &StreamConfig) -> Option<String> {
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
    if existing.schedules && !wanted.schedules {
        reasons.push("it allows schedules, which no server takes back".to_owned());
    }
    (!reasons.is_empty()).then(|| reasons.join("; "))
}

/// A stream that has to be made anew.
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
                "if its events must be kept, back it up: `nats stream backup {name} {name}.backup`"
            ),
            format!("delete it, with its consumers: `nats stream rm {name}`"),
            "apply this topology: the stream and its consumers are made anew; sequences begin at 1"
                .to_owned(),
            "start the publishers again".to_owned(),
        ],
    }
}

/// A bucket that has to be made anew.
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

/// A durable that has to be made anew.
pub(crate) fn durable(stream: &str, name: &str, differences: Vec<Difference>) -> Refusal {
    let fixed: Vec<_> = differences.iter().map(ToString::to_string).collect();
    Refusal {
        reason: format!("no server changes {}", fixed.join("; ")),
        exists: true,
        differences,
        overlaps: Vec::new(),
        steps: vec![
            format!("stop the subscribers of {name}"),
            format!(
                "read the stream sequence of its ack floor: `nats consumer info {stream} {name}`"
            ),
            "declare a durable of another name that starts with the next sequence (`DeliverPolicy::ByStartSequence`), and apply the topology".to_owned(),
            "start the subscribers with the new name".to_owned(),
            format!("delete the old one: `nats consumer rm {stream} {name}`"),
        ],
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
