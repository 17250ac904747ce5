//! Reads what exists, and plans what has to be changed.

use std::time::Duration;

use event_sdk::EventBus;
use event_sdk::stream::{Deduplication, StreamConfig};
use event_sdk::text::Text;
use event_sdk::transport::{
    BucketConfig, ConsumerConfig, Difference, Error, ErrorKind, Operation, Transport,
    TransportExt as _,
};

use crate::migration;
use crate::plan::{Action, Item, Overlap, Plan, Planned};
use crate::reservation::Reservations;

/// Plans these streams, this bucket, and the durables that `bus` declares.
pub(crate) async fn plan(
    bus: &EventBus,
    wanted: &[StreamConfig],
    declared_bucket: Option<&BucketConfig>,
) -> Result<Plan, Error> {
    let transport = &**bus.transport();
    let mut reservations = Reservations::now(&transport.account_usage().await?);
    let mut parts = Vec::new();
    let mut existing = Vec::with_capacity(wanted.len());
    for (place, config) in wanted.iter().enumerate() {
        let found = found(transport.stream_state(&config.name).await)?;
        let found = found.map(|state| state.config);
        let action = stream(transport, wanted, place, found.as_ref()).await?;
        if let Action::Create | Action::Change(_) = action {
            reservations.count(config, found.as_ref());
        }
        if config.limits.bytes.is_none() {
            reservations.unlimited.push(config.name.clone());
        }
        parts.push(Planned {
            item: Item::Stream(config.name.clone()),
            action,
        });
        existing.push(found.is_some());
    }
    if let Some(config) = declared_bucket {
        let action = bucket(transport, config).await?;
        if action == Action::Create {
            reservations.streams.after += 1;
        }
        parts.push(Planned {
            item: Item::Bucket(config.name.clone()),
            action,
        });
    }
    for (stream, config) in bus.durables().await? {
        let name = Text::copy_of(config.name.as_str().unwrap_or_default());
        let mut streams = wanted.iter().zip(&existing);
        let is_new = streams.any(|(wanted, exists)| wanted.name == stream && !exists);
        let action = if is_new {
            Action::Create
        } else {
            durable(transport, &stream, &name, &config).await?
        };
        parts.push(Planned {
            item: Item::Durable {
                stream,
                durable: name,
            },
            action,
        });
    }
    Ok(Plan {
        parts,
        reservations,
    })
}

/// What exists; `None` if it does not.
fn found<T>(answer: Result<T, Error>) -> Result<Option<T>, Error> {
    match answer {
        Ok(found) => Ok(Some(found)),
        Err(error) => match error.kind() {
            ErrorKind::StreamNotFound | ErrorKind::ConsumerNotFound | ErrorKind::BucketNotFound => {
                Ok(None)
            }
            _ => Err(error),
        },
    }
}

/// What happens to the stream at `place` of the declared ones.
async fn stream(
    transport: &dyn Transport,
    declared: &[StreamConfig],
    place: usize,
    existing: Option<&StreamConfig>,
) -> Result<Action, Error> {
    let wanted = &declared[place];
    let differences = existing.map_or_else(Vec::new, |existing| differences(existing, wanted));
    if existing.is_some() && differences.is_empty() {
        return Ok(Action::Keep);
    }
    if let Err(error) = transport.check_needs(wanted.needs(), Operation::Manage) {
        let refusal = migration::unsupported(error.to_string(), differences);
        return Ok(Action::Refuse(refusal));
    }
    if let Some(reason) = existing.and_then(|existing| migration::unchangeable(existing, wanted)) {
        let refusal = migration::stream(&wanted.name, reason, differences);
        return Ok(Action::Refuse(refusal));
    }
    let moves = differences.iter().any(|one| one.field == "subjects");
    if existing.is_none() || moves {
        let overlaps = overlaps(transport, declared, place).await?;
        if !overlaps.is_empty() {
            let refusal = migration::overlap(&wanted.name, overlaps, differences);
            return Ok(Action::Refuse(refusal));
        }
    }
    Ok(match existing {
        None => Action::Create,
        Some(_) => Action::Change(differences),
    })
}

/// What a transport would change. What it bounds in another way is no difference.
fn differences(existing: &StreamConfig, wanted: &StreamConfig) -> Vec<Difference> {
    let mut existing = existing.clone();
    let has = &mut existing.deduplication;
    let wants = wanted.deduplication;
    // A server bounds message ids by time alone.
    if has.capacity == usize::MAX {
        has.capacity = wants.capacity;
    }
    // Nothing is remembered longer than it is kept: a server shortens the default window.
    let age = wanted.limits.age.unwrap_or(Duration::MAX);
    let default = Deduplication::DEFAULT.window;
    if wants.window == default && age < default && has.window == age {
        has.window = default;
    }
    existing.differences(wanted)
}

/// The other streams that store some of its subjects now, and go on to when it is applied.
async fn overlaps(
    transport: &dyn Transport,
    declared: &[StreamConfig],
    place: usize,
) -> Result<Vec<Overlap>, Error> {
    let (before, wanted) = (&declared[..place], &declared[place]);
    let mut overlaps: Vec<Overlap> = Vec::new();
    for pattern in &wanted.subjects {
        for name in transport.streams_for(pattern).await? {
            let known = overlaps.iter().any(|overlap| overlap.stream == name);
            // One that is applied before gives its subjects up then.
            let gives_up = before.iter().any(|config| config.name == name);
            if known || gives_up || name == wanted.name {
                continue;
            }
            let stored = match transport.stream_state(&name).await {
                Ok(state) => state.config.subjects,
                Err(error) => match error.kind() {
                    // Deleted meanwhile.
                    ErrorKind::StreamNotFound => continue,
                    // Its name says enough.
                    ErrorKind::PermissionDenied => Vec::new(),
                    _ => return Err(error),
                },
            };
            let overlapping = |stored: &event_sdk::Pattern| {
                let mut subjects = wanted.subjects.iter();
                subjects.any(|subject| subject.overlaps(stored))
            };
            overlaps.push(Overlap {
                is_declared: declared.iter().any(|config| config.name == name),
                subjects: stored.into_iter().filter(overlapping).collect(),
                stream: name,
            });
        }
    }
    Ok(overlaps)
}

async fn bucket(transport: &dyn Transport, config: &BucketConfig) -> Result<Action, Error> {
    let Some(differences) = found(transport.compare_bucket(config).await)? else {
        return Ok(Action::Create);
    };
    let moves = differences.iter().any(|one| one.field == "storage");
    Ok(match &differences[..] {
        [] => Action::Keep,
        _ if moves => Action::Refuse(migration::bucket(&config.name, differences)),
        _ => Action::Change(differences),
    })
}

async fn durable(
    transport: &dyn Transport,
    stream: &str,
    name: &str,
    config: &ConsumerConfig,
) -> Result<Action, Error> {
    let differences = match found(transport.consumer_info(stream, name).await)? {
        None => None,
        Some(info) => match info.config.changes(config, info.foreign) {
            Ok(differences) if differences.is_empty() => return Ok(Action::Keep),
            Ok(differences) => Some(differences),
            Err(error) => {
                return match error.kind() {
                    ErrorKind::ConsumerMismatch { differences } => {
                        let refusal = migration::durable(stream, name, differences.clone());
                        Ok(Action::Refuse(refusal))
                    }
                    _ => Err(error),
                };
            }
        },
    };
    if let Err(error) = transport.check_needs(config.needs(), Operation::Manage) {
        let refusal = migration::unsupported(error.to_string(), differences.unwrap_or_default());
        return Ok(Action::Refuse(refusal));
    }
    Ok(differences.map_or(Action::Create, Action::Change))
}
