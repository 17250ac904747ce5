//! Reads a lock, validating paths, hashes and contents.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;

use event_schemas_subset::Schema;
use event_sdk::Version;
use event_sdk::event::KeyUse;
use serde_json::Value;

use super::index::{EventFacts, FORMAT, Index, VersionFacts};
use super::{Golden, Lock, LockError, LockedEvent, LockedVersion, json, names};
use crate::parallel;
use crate::schema::defs;

/// Gives the bytes of a file, or `None` if it is not there.
pub(super) type Source<'a> = dyn Fn(&str) -> Result<Option<Vec<u8>>, LockError> + Sync + 'a;

/// The lock in a folder.
pub(super) fn folder(dir: &Path) -> Result<Lock, LockError> {
    lock(&|path| {
        let path = dir.join(path);
        match fs::read(&path) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(why) if why.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(LockError::Io { path, source }),
        }
    })
}

/// One of `files`.
pub(super) fn file_of(files: &BTreeMap<String, Vec<u8>>, path: &str) -> Option<Vec<u8>> {
    files.get(path).cloned()
}

/// The lock that `source` has.
pub(super) fn lock(source: &Source<'_>) -> Result<Lock, LockError> {
    let bytes = source(names::INDEX)?.ok_or(LockError::NoLock)?;
    let index = index(&bytes)?;
    locked_file(source, names::ENVELOPE, &index.envelope)?;
    let events = parallel::map(&index.events, |facts| event(source, facts));
    let mut events = events.into_iter().collect::<Result<Vec<_>, _>>()?;
    events.sort_by(|one: &LockedEvent, other| {
        (&one.subject, one.absolute).cmp(&(&other.subject, other.absolute))
    });
    let twice = events
        .windows(2)
        .find(|two| (&two[0].subject, two[0].absolute) == (&two[1].subject, two[1].absolute));
    if let Some(two) = twice {
        return Err(LockError::TwoEvents {
            subject: two[0].subject.clone(),
        });
    }
    Ok(Lock { index, events })
}

/// The index, whose format is looked at before anything else in it.
fn index(bytes: &[u8]) -> Result<Index, LockError> {
    let value = json::parse(names::INDEX, bytes)?;
    let malformed = |why: String| LockError::Malformed {
        path: names::INDEX.to_owned(),
        why,
    };
    let format = value.get("format").and_then(Value::as_u64);
    let format = format
        .ok_or_else(|| malformed("it has no number as `format`, so it is no index".to_owned()))?;
    if format > u64::from(FORMAT) {
        return Err(LockError::NewerFormat {
            found: format,
            known: FORMAT,
        });
    }
    if format == 0 {
        return Err(malformed("there is no format 0; the first is 1".to_owned()));
    }
    serde_json::from_value(value).map_err(|why| malformed(why.to_string()))
}

fn event(source: &Source<'_>, facts: &EventFacts) -> Result<LockedEvent, LockError> {
    let mut versions = Vec::with_capacity(facts.versions.len());
    for one in &facts.versions {
        versions.push(version(source, facts, one)?);
    }
    versions.sort_by_key(|one| one.version);
    let twice = versions
        .windows(2)
        .find(|two| two[0].version == two[1].version);
    if let Some(two) = twice {
        return Err(LockError::TwoVersions {
            subject: facts.subject.clone(),
            version: two[0].version.to_string(),
        });
    }
    if versions.is_empty() {
        return Err(LockError::Malformed {
            path: names::INDEX.to_owned(),
            why: format!("the event {} has no version", facts.subject),
        });
    }
    Ok(LockedEvent {
        subject: facts.subject.clone(),
        absolute: facts.absolute,
        retired: facts.retired,
        versions,
    })
}

fn version(
    source: &Source<'_>,
    event: &EventFacts,
    facts: &VersionFacts,
) -> Result<LockedVersion, LockError> {
    let malformed = |why: String| LockError::Malformed {
        path: names::INDEX.to_owned(),
        why: format!("{} {}: {why}", event.subject, facts.version),
    };
    let version: Version = facts
        .version
        .parse()
        .map_err(|why| malformed(format!("{why}")))?;
    let key = match facts.key.as_str() {
        "none" => KeyUse::None,
        "order" => KeyUse::Order,
        "subject" => KeyUse::InSubject,
        other => {
            return Err(malformed(format!(
                "`key` is {other:?} and not `none`, `order` or `subject`"
            )));
        }
    };
    let schema_path = names::schema(&event.subject, event.absolute, version);
    let envelope = locked_file(source, &schema_path, &facts.schema)?;
    let (writer, reader) = sides(&schema_path, &envelope)?;
    let path = names::golden(&event.subject, event.absolute, version);
    let bytes = locked_bytes(source, &path, &facts.golden)?;
    let golden = Golden::parse(path, bytes)?;
    Ok(LockedVersion {
        version,
        facts: facts.clone(),
        key,
        schema_path,
        envelope,
        writer,
        reader,
        golden,
    })
}

/// The schemas of the data in the schema of an envelope, as written and as read.
fn sides(path: &str, envelope: &Value) -> Result<(Value, Value), LockError> {
    Schema::parse(envelope).map_err(|source| LockError::NotASchema {
        path: path.to_owned(),
        source,
    })?;
    let side = |name: &str| {
        let reference = envelope.get("x-event").and_then(|event| event.get(name));
        let schema = reference
            .and_then(Value::as_str)
            .and_then(|reference| defs::alone(envelope, reference));
        schema.ok_or_else(|| LockError::Malformed {
            path: path.to_owned(),
            why: format!(
                "`x-event` does not say under `{name}` where in `$defs` the data are; put it back as it was committed (`git checkout`)"
            ),
        })
    };
    Ok((side("written")?, side("read")?))
}

fn locked_file(source: &Source<'_>, path: &str, hash: &str) -> Result<Value, LockError> {
    let bytes = locked_bytes(source, path, hash)?;
    json::parse(path, &bytes)
}

fn locked_bytes(source: &Source<'_>, path: &str, hash: &str) -> Result<Vec<u8>, LockError> {
    let bytes = source(path)?.ok_or_else(|| LockError::MissingFile {
        path: path.to_owned(),
    })?;
    if names::hash(&bytes) == hash {
        return Ok(bytes);
    }
    // Not even JSON: that says more than that it is not the same.
    json::parse(path, &bytes)?;
    Err(LockError::Edited {
        path: path.to_owned(),
    })
}
