//! Plans durables: what is changed, and what would lose or double events.

use event_sdk::Pattern;
use event_sdk::transport::{
    ConsumerConfig, ConsumerInfo, Difference, Error, ErrorKind, Operation, Transport,
    TransportExt as _,
};

use crate::durable::DurableSpec;
use crate::lookup::{self, exists};
use crate::migration;
use crate::plan::{Action, Refusal};

/// What happens to a declared durable of a stream that exists.
pub(crate) async fn plan(
    transport: &dyn Transport,
    consumers: &[DurableSpec],
    stream: &str,
    config: &ConsumerConfig,
) -> Result<Action, Error> {
    let name = config.name.as_str().unwrap_or_default();
    let info = lookup::durable(transport, stream, name).await?;
    let (fixed, differences) = match &info {
        None => (Vec::new(), Vec::new()),
        Some(info) => compare(info, config)?,
    };
    if let Some(found) = other_partitions(transport, consumers, stream, name).await? {
        let refusal = migration::partitions(found, info.is_some(), differences);
        return Ok(Action::Refuse(refusal));
    }
    if info.is_some() && differences.is_empty() {
        return Ok(Action::Keep);
    }
    if !fixed.is_empty() {
        let refusal = migration::durable(stream, name, &fixed, differences);
        return Ok(Action::Refuse(refusal));
    }
    if let Some(refusal) = info.and_then(|info| lost_filters(stream, &info, config, &differences)) {
        return Ok(Action::Refuse(refusal));
    }
    if let Err(error) = transport.check_needs(config.needs(), Operation::Manage) {
        let refusal = migration::unsupported(error.to_string(), differences);
        return Ok(Action::Refuse(refusal));
    }
    Ok(if differences.is_empty() {
        Action::Create
    } else {
        Action::Change(differences)
    })
}

/// The settings that no server changes, and all that differ.
fn compare(
    info: &ConsumerInfo,
    config: &ConsumerConfig,
) -> Result<(Vec<Difference>, Vec<Difference>), Error> {
    let existing = &info.config;
    let mut wanted = config.clone();
    // A server writes the first wait of a backoff into the ack wait.
    if existing.backoff == wanted.backoff && existing.backoff.first() == Some(&existing.ack_wait) {
        wanted.ack_wait = existing.ack_wait;
    }
    let changeable = |one: &Difference| {
        one.field == ConsumerConfig::FILTERS || one.existing == ConsumerConfig::HEADERS_ONLY
    };
    let fixed = info.foreign.iter().filter(|one| !changeable(one));
    let fixed = match existing.changes(&wanted, fixed.cloned().collect()) {
        Ok(_) => Vec::new(),
        Err(error) => match error.kind() {
            ErrorKind::ConsumerMismatch { differences } => differences.clone(),
            _ => return Err(error),
        },
    };
    // Words of the transport are more exact than ours.
    let mut all = existing.differences(&wanted);
    all.retain(|ours| info.foreign.iter().all(|theirs| theirs.field != ours.field));
    all.extend(info.foreign.iter().cloned());
    Ok((fixed, all))
}

/// The durables of a consumer that had another number of partitions, or none; `None` if it had the
/// declared number. A consumer with partitions is looked at once, at its first partition.
async fn other_partitions(
    transport: &dyn Transport,
    consumers: &[DurableSpec],
    stream: &str,
    name: &str,
) -> Result<Option<Difference>, Error> {
    let first = |spec: &DurableSpec| format!("{}-p0", spec.name);
    let mut specs = consumers.iter();
    let Some(spec) = specs.find(|spec| match spec.partitions {
        Some(_) => first(spec) == name,
        None => spec.name == name,
    }) else {
        return Ok(None);
    };
    let exists = async |name: String| exists(transport, stream, &name).await;
    let found = match spec.partitions {
        None if exists(first(spec)).await? => format!("with {}", first(spec)),
        None => return Ok(None),
        Some(number) => {
            let of = |index| format!("{}-p{index}", spec.name);
            let (last, beyond) = (of(number.saturating_sub(1)), of(number));
            let begun = exists(first(spec)).await?;
            if exists(beyond.clone()).await? {
                format!("with {beyond}")
            } else if begun && !exists(last.clone()).await? {
                format!("without {last}")
            } else if !begun && exists(spec.name.to_owned()).await? {
                "none".to_owned()
            } else {
                return Ok(None);
            }
        }
    };
    Ok(Some(Difference {
        field: "partitions",
        existing: found,
        wanted: (spec.partitions).map_or_else(|| "none".to_owned(), |number| number.to_string()),
    }))
}

/// Filters that an existing durable would lose while it has events to handle.
fn lost_filters(
    stream: &str,
    info: &ConsumerInfo,
    wanted: &ConsumerConfig,
    differences: &[Difference],
) -> Option<Refusal> {
    let lost = wanted.missing(&info.config);
    let unhandled = info.pending.saturating_add(info.ack_pending);
    let name = wanted.name.as_str().unwrap_or_default();
    (!lost.is_empty() && unhandled > 0)
        .then(|| migration::unhandled(stream, name, &lost, unhandled, differences.to_vec()))
}

/// A durable of the topology that has events to handle of subjects which its stream would lose.
pub(crate) async fn lost_subjects(
    transport: &dyn Transport,
    consumers: &[DurableSpec],
    stream: &str,
    lost: &[Pattern],
    differences: &[Difference],
) -> Result<Option<Refusal>, Error> {
    for spec in consumers {
        for name in spec.durables() {
            let Some(info) = lookup::durable(transport, stream, &name).await? else {
                continue;
            };
            let mut filters = info.config.filters.iter();
            let reads = filters.any(|filter| lost.iter().any(|lost| lost.overlaps(filter)));
            let unhandled = info.pending.saturating_add(info.ack_pending);
            if reads && unhandled > 0 {
                let differences = differences.to_vec();
                let refusal = migration::unhandled(stream, &name, lost, unhandled, differences);
                return Ok(Some(refusal));
            }
        }
    }
    Ok(None)
}
