//! Logs the settings in which a bound consumer differs from the requested ones, and the filters that
//! match events which the set lacks.

use event_sdk_core::Pattern;
use event_sdk_core::transport::{BoundConsumer, ConsumerName};

use crate::TRACING_TARGET;

/// Logs one warning if the consumer differs, and a notice if a durable was created. `known` are the
/// subjects of the whole set.
pub(super) fn report(stream: &str, bound: &BoundConsumer, known: &[Pattern]) {
    let name = bound.config.name.as_str().unwrap_or_default();
    if bound.created {
        if matches!(bound.config.name, ConsumerName::Durable(_)) {
            tracing::info!(
                target: TRACING_TARGET,
                stream,
                consumer = name,
                "the durable did not exist and was created; `must_exist()` forbids that"
            );
        }
        return;
    }
    if bound.differences.is_empty() {
        return;
    }
    let list = |texts: &mut dyn Iterator<Item = String>| texts.collect::<Vec<_>>().join("; ");
    let differences = list(&mut bound.differences.iter().map(ToString::to_string));
    let beyond = list(&mut bound.beyond(known).map(ToString::to_string));
    let known = list(&mut known.iter().map(ToString::to_string));
    if beyond.is_empty() {
        tracing::warn!(
            target: TRACING_TARGET,
            stream,
            consumer = name,
            differences,
            "the existing consumer differs from the requested settings, and is used unchanged"
        );
    } else {
        tracing::warn!(
            target: TRACING_TARGET,
            stream,
            consumer = name,
            differences,
            beyond,
            known,
            "the existing consumer differs from the requested settings, and is used unchanged; its filters match subjects beyond the known ones of the set, whose events arrive too: `refuse` delays them for a replica that knows them, and terminates what exceeds `delay_unknown`"
        );
    }
}
