//! The steps of two streams that take subjects of each other.

use event_sdk::Pattern;
use event_sdk::transport::Difference;

use crate::plan::{Overlap, Refusal};

/// A stream that waits for subjects of `other`, which waits for some of its own.
pub(crate) fn swap(
    name: &str,
    other: &str,
    ours: &Pattern,
    overlaps: Vec<Overlap>,
    differences: Vec<Difference>,
) -> Refusal {
    let prefix = ours.as_str().trim_end_matches('>');
    let steps = vec![
        format!(
            "stop what publishes to the subjects of {name} and {other}; an outbox keeps the events meanwhile"
        ),
        format!(
            "wait until each consumer of them has nothing pending and nothing unsettled (`nats consumer report {name}`, `nats consumer report {other}`)"
        ),
        format!(
            "take its subjects away from {other}, with one that no event has: `nats stream edit {other} --subjects {prefix}moving.{}`",
            other.to_lowercase()
        ),
        format!(
            "apply this topology again: {name} is changed first and gives its subjects up, then {other} takes them"
        ),
        "start the publishers again".to_owned(),
    ];
    let list: Vec<_> = overlaps.iter().map(ToString::to_string).collect();
    Refusal {
        reason: format!(
            "it is to take subjects of {}, which is to take subjects of others in turn, so that none can be changed first",
            list.join(", ")
        ),
        exists: !differences.is_empty(),
        steps,
        differences,
        overlaps,
    }
}
