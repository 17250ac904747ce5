//! Reads what exists, and plans what has to be changed.

use std::time::Duration;

use event_sdk::stream::{Deduplication, StreamConfig};
use event_sdk::text::Text;
use event_sdk::transport::{
    AccountUsage, BucketConfig, Capability, Difference, Error, ErrorKind, Operation, Transport,
    TransportExt as _,
};
use event_sdk::{EventBus, Pattern};

use crate::copies::Copies;
use crate::durable::DurableSpec;
use crate::lookup::found;
use crate::plan::{Action, Item, Overlap, Plan, Planned, Refusal};
use crate::reservation::Reservations;
use crate::{durables, limits, losses, migration, swaps};

/// Plans these streams, this bucket, and the durables that `bus` declares.
pub(crate) async fn plan(
    bus: &EventBus,
    wanted: &[StreamConfig],
    declared_bucket: Option<&BucketConfig>,
    consumers: &[DurableSpec],
) -> Result<Plan, Error> {
    let transport = &**bus.transport();
    let everything = Pattern::everything().under(bus.prefix());
    let ours = everything.map_err(|why| {
        let (kind, operation) = (ErrorKind::InvalidOption, Operation::Configure);
        Error::new(kind, operation, why.to_string())
    })?;
    let usage = transport.account_usage().await?;
    let mut reservations = Reservations::now(&usage);
    let mut parts = Vec::new();
    let mut warnings = Vec::new();
    let mut unchecked = Vec::new();
    let mut copies = Copies::new(transport, wanted);
    let mut existing = Vec::with_capacity(wanted.len());
    for (place, config) in wanted.iter().enumerate() {
        let found = found(transport.stream_state(&config.name).await)?;
        let found = found.map(|state| state.config);
        if let Some(found) = &found {
            reservations.correct(found);
        }
        let declared = Declared {
            streams: wanted,
            place,
            consumers,
            ours: &ours,
            usage: &usage,
        };
        let found_out = (&mut copies, &mut warnings);
        let action = stream(transport, &declared, found.as_ref(), found_out).await?;
        unchecked.extend(copies.unchecked());
        let losses = match (&action, &found) {
            (Action::Change(differences), Some(found)) => losses::of(found, config, differences),
            _ => Vec::new(),
        };
        if let Action::Create | Action::Change(_) = action {
            reservations.count(config, found.as_ref());
        }
        if config.limits.bytes.is_none() {
            reservations.unlimited.push(config.name.clone());
        }
        parts.push(Planned {
            item: Item::Stream(config.name.clone()),
            action,
            losses,
        });
        existing.push(found.is_some());
    }
    if let Some(config) = declared_bucket {
        let action = bucket(transport, config, &usage).await?;
        if action == Action::Create {
            reservations.count_bucket(config.replicas);
        }
        parts.push(Planned {
            item: Item::Bucket(config.name.clone()),
            action,
            losses: Vec::new(),
        });
    }
    for (stream, config) in bus.durables().await? {
        let name = Text::copy_of(config.name.as_str().unwrap_or_default());
        let mut streams = wanted.iter().zip(&existing);
        let is_new = streams.any(|(wanted, exists)| wanted.name == stream && !exists);
        let action = if is_new {
            Action::Create
        } else {
            durables::plan(transport, consumers, &stream, &config).await?
        };
        let mut streams = wanted.iter().filter(|wanted| wanted.name == stream);
        let replicas = streams.next().map_or(1, |wanted| wanted.replicas);
        let action = match limits::of_durable(&usage, replicas, &config) {
            Some(reason) => within_limits(action, reason, "max_ack_pending"),
            None => action,
        };
        parts.push(Planned {
            item: Item::Durable {
                stream,
                durable: name,
            },
            action,
            losses: Vec::new(),
        });
    }
    Ok(Plan {
        parts,
        reservations,
        warnings,
        unchecked,
    })
}

/// Refuses what the account cannot have, unless nothing is done.
fn within_limits(action: Action, reason: String, setting: &str) -> Action {
    let (exists, differences) = match action {
        Action::Create => (false, Vec::new()),
        Action::Change(differences) => (true, differences),
        keep_or_refuse => return keep_or_refuse,
    };
    Action::Refuse(migration::over_limit(reason, exists, setting, differences))
}

/// The declared stream at `place`, and what it is declared with.
struct Declared<'a> {
    streams: &'a [StreamConfig],
    place: usize,
    consumers: &'a [DurableSpec],
    /// Everything under the prefix.
    ours: &'a Pattern,
    /// The account and its limits.
    usage: &'a AccountUsage,
}

/// What happens to a declared stream.
async fn stream(
    transport: &dyn Transport,
    declared: &Declared<'_>,
    existing: Option<&StreamConfig>,
    (copies, warnings): (&mut Copies<'_>, &mut Vec<String>),
) -> Result<Action, Error> {
    let wanted = &declared.streams[declared.place];
    let differences = existing.map_or_else(Vec::new, |existing| differences(existing, wanted));
    for missing in &copies.missing(wanted).await? {
        warnings.push(migration::missing_original(&wanted.name, missing));
    }
    if existing.is_some() && differences.is_empty() {
        return Ok(Action::Keep);
    }
    if let Err(error) = transport.check_needs(wanted.needs(), Operation::Manage) {
        let refusal = migration::unsupported(error.to_string(), differences);
        return Ok(Action::Refuse(refusal));
    }
    if let Some(round) = copies.round(wanted).await? {
        let refusal = migration::round(&wanted.name, &round, existing.is_some(), differences);
        return Ok(Action::Refuse(refusal));
    }
    if let Some(cycle) = copies.cycle(declared.place).await? {
        let refusal = migration::cycle(&wanted.name, &cycle, existing.is_some(), differences);
        return Ok(Action::Refuse(refusal));
    }
    if existing.is_some_and(|existing| is_of_another_prefix(existing, wanted, declared.ours)) {
        let refusal = migration::other_prefix(&wanted.name, declared.ours, differences);
        return Ok(Action::Refuse(refusal));
    }
    if let Some(existing) = existing {
        let refusal = unchangeable(transport, existing, wanted, &differences);
        if let Some(refusal) = refusal {
            return Ok(Action::Refuse(refusal));
        }
        if existing.mirror.is_some() && wanted.mirror.is_none() {
            warnings.push(migration::promoted(existing));
        }
        let ended = existing.sources.iter();
        let ended = ended.filter(|source| !wanted.sources.contains(source));
        warnings.extend(ended.map(|source| migration::ended(&wanted.name, source)));
    }
    if let Some(reason) = limits::of_stream(declared.usage, wanted) {
        let exists = existing.is_some();
        let refusal = migration::over_limit(reason, exists, "max_bytes` or `replicas", differences);
        return Ok(Action::Refuse(refusal));
    }
    let moves = differences.iter().any(|one| one.field == "subjects");
    if existing.is_none() || moves {
        let overlaps = overlaps(transport, declared.streams, declared.place).await?;
        if !overlaps.is_empty() {
            let swapped = swaps::of(transport, declared.streams, declared.place, &overlaps).await?;
            let refusal = match swapped {
                Some(other) => {
                    migration::swap(&wanted.name, &other, declared.ours, overlaps, differences)
                }
                None => migration::overlap(&wanted.name, overlaps, differences),
            };
            return Ok(Action::Refuse(refusal));
        }
    }
    let Some(existing) = existing else {
        return Ok(Action::Create);
    };
    let is_lost = |lost: &&Pattern| !wanted.subjects.iter().any(|subject| subject.covers(lost));
    let lost: Vec<_> = existing.subjects.iter().filter(is_lost).cloned().collect();
    if !lost.is_empty() {
        let (consumers, name) = (declared.consumers, &wanted.name);
        let refusal = durables::lost_subjects(transport, consumers, name, &lost, &differences);
        if let Some(refusal) = refusal.await? {
            return Ok(Action::Refuse(refusal));
        }
    }
    Ok(Action::Change(differences))
}

/// Whether a stream that is to store events under this prefix alone stores none of them, but others.
fn is_of_another_prefix(existing: &StreamConfig, wanted: &StreamConfig, ours: &Pattern) -> bool {
    let mut stored = existing.subjects.iter();
    !existing.subjects.is_empty()
        && !wanted.subjects.is_empty()
        && wanted.subjects.iter().all(|subject| ours.covers(subject))
        && stored.all(|subject| !ours.overlaps(subject))
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
    if !wanted.has_window_of_copies()
        && wants.window == default
        && age < default
        && has.window == age
    {
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
                    // Its name says enough; a newer server may have settings that cannot be read.
                    ErrorKind::PermissionDenied | ErrorKind::Other => Vec::new(),
                    _ => return Err(error),
                },
            };
            let overlapping = |stored: &Pattern| {
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

/// Why no server changes an existing stream to what it is to be, with the steps instead.
fn unchangeable(
    transport: &dyn Transport,
    existing: &StreamConfig,
    wanted: &StreamConfig,
    differences: &[Difference],
) -> Option<Refusal> {
    let has = |capability| transport.supports(capability);
    let name = &wanted.name;
    let of_mirror =
        migration::unchangeable_mirror(existing, wanted, has(Capability::PromoteMirror));
    if of_mirror.is_some() {
        return of_mirror.map(|refusal| Refusal {
            differences: differences.to_vec(),
            ..refusal
        });
    }
    let again = migration::copied_again(existing, wanted, differences);
    if again.is_some() {
        return again;
    }
    let reason = migration::unchangeable(existing, wanted, has(Capability::ChangeRetention));
    if let Some(reason) = reason {
        return Some(migration::stream(name, reason, differences.to_vec()));
    }
    let reason = existing.rollup_to_declare(wanted)?;
    Some(migration::rollup(name, reason, differences.to_vec()))
}

async fn bucket(
    transport: &dyn Transport,
    config: &BucketConfig,
    usage: &AccountUsage,
) -> Result<Action, Error> {
    let action = compared_bucket(transport, config).await?;
    Ok(match limits::of_bucket(usage, config) {
        Some(reason) => within_limits(action, reason, "replicas"),
        None => action,
    })
}

async fn compared_bucket(
    transport: &dyn Transport,
    config: &BucketConfig,
) -> Result<Action, Error> {
    let Some(differences) = found(transport.compare_bucket(config).await)? else {
        return Ok(Action::Create);
    };
    let differs = |field| differences.iter().any(|one| one.field == field);
    Ok(match &differences[..] {
        [] => Action::Keep,
        _ if differs("subjects") || differs("retention") => {
            Action::Refuse(migration::no_bucket(&config.name, differences))
        }
        _ if differs("storage") => Action::Refuse(migration::bucket(&config.name, differences)),
        _ => Action::Change(differences),
    })
}
