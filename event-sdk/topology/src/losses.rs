//! Changes of a stream that can delete stored events as soon as they are applied.

use event_sdk::stream::{Retention, StreamConfig};
use event_sdk::transport::Difference;

/// Those of the differences that can delete stored events as soon as they are applied.
pub(crate) fn of(
    existing: &StreamConfig,
    wanted: &StreamConfig,
    differences: &[Difference],
) -> Vec<Difference> {
    let (has, wants) = (&existing.limits, &wanted.limits);
    let loses = |one: &&Difference| match one.field {
        "max messages" => lowers(has.messages, wants.messages),
        "max messages per subject" => lowers(has.messages_per_subject, wants.messages_per_subject),
        "max bytes" => lowers(has.bytes, wants.bytes),
        "max age" => lowers(has.age, wants.age),
        // What every consumer has acknowledged, and what none wants, is deleted.
        "retention" => wanted.retention == Retention::Interest,
        _ => false,
    };
    differences.iter().filter(loses).cloned().collect()
}

fn lowers<T: Ord>(has: Option<T>, wants: Option<T>) -> bool {
    wants.is_some_and(|wants| has.is_none_or(|has| wants < has))
}
