//! Field-by-field differences between two versions of an event, for `schemas diff`.

use std::path::PathBuf;

use event_sdk::Version;
use event_sdk::event::KeyUse;

use super::contracts::{self, Identity, Sides};
use super::{CheckError, Reference};
use crate::Catalogue;
use crate::compat::{Change, Contract, changes};
use crate::lock::{Lock, LockError, LockedEvent};

/// What to compare.
#[derive(Debug, Clone, Default)]
pub(crate) struct DiffRequest {
    /// The folder of the contracts.
    pub(crate) folder: PathBuf,
    /// The subject of the event; all events if absent.
    pub(crate) event: Option<String>,
    /// The older version; the newest of the files if absent.
    pub(crate) old: Option<Version>,
    /// The newer version, of the files; that of the code if absent.
    pub(crate) new: Option<Version>,
    /// The git ref whose files are meant.
    pub(crate) against: Option<String>,
}

/// What differs between two versions of an event.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Diff {
    /// The event.
    pub(crate) subject: String,
    /// The older version, and where it is; `None` if there is none.
    pub(crate) old: Option<(Version, String)>,
    /// The newer version, and where it is; `None` if there is none.
    pub(crate) new: Option<(Version, String)>,
    /// What is promised beside the data: what, as it was, as it is.
    pub(crate) facts: Vec<(&'static str, String, String)>,
    /// The fields as they are written.
    pub(crate) written: Vec<Change>,
    /// The fields as they are read, where that is another change.
    pub(crate) read: Vec<Change>,
}

/// Compares the versions that are asked for; what does not differ is left out.
pub(crate) fn diff(catalogue: &Catalogue, request: &DiffRequest) -> Result<Vec<Diff>, DiffError> {
    let lock = agreed(request)?;
    let events = contracts::sides(catalogue, lock.as_ref(), None);
    let wanted = |(subject, _): &Identity<'_>| {
        request
            .event
            .as_deref()
            .is_none_or(|event| event == *subject)
    };
    let events: Vec<_> = events.iter().filter(|(event, _)| wanted(event)).collect();
    if let (true, Some(subject)) = (events.is_empty(), &request.event) {
        return Err(DiffError::NoSuchEvent(subject.clone()));
    }
    let mut diffs = Vec::new();
    for (identity, sides) in events {
        diffs.extend(one(catalogue, request, *identity, sides)?);
    }
    Ok(diffs)
}

fn agreed(request: &DiffRequest) -> Result<Option<Lock>, DiffError> {
    if let Some(reference) = &request.against {
        return Ok(Reference::read(&request.folder, reference)?.lock);
    }
    match Lock::read(&request.folder) {
        Ok(lock) => Ok(Some(lock)),
        Err(LockError::NoLock) => Ok(None),
        Err(source) => Err(CheckError::files(&request.folder, source).into()),
    }
}

fn one(
    catalogue: &Catalogue,
    request: &DiffRequest,
    (subject, _): Identity<'_>,
    sides: &Sides<'_>,
) -> Result<Option<Diff>, DiffError> {
    let place = match &request.against {
        Some(reference) => reference.clone(),
        None => request.folder.display().to_string(),
    };
    let locked = |version: Option<Version>| match (sides.files, version) {
        (None, None) => Ok(None),
        (Some(event), None) => Ok(event
            .newest()
            .map(|version| contracts::locked(event, version))),
        (files, Some(version)) => files
            .and_then(|event| Some(contracts::locked(event, event.version(version)?)))
            .map(Some)
            .ok_or_else(|| DiffError::NoSuchVersion {
                subject: subject.to_owned(),
                version,
                place: place.clone(),
                known: files.map(versions).unwrap_or_default(),
            }),
    };
    let old = locked(request.old)?.map(|contract| (contract, place.clone()));
    let new = match request.new {
        Some(version) => locked(Some(version))?.map(|contract| (contract, place.clone())),
        None => sides
            .code
            .last()
            .map(|entry| (contracts::of_code(catalogue, entry), "code".to_owned())),
    };
    if old.is_none() && new.is_none() {
        return Ok(None);
    }
    let diff = between(subject, old, new);
    Ok(Some(diff).filter(Diff::says_something))
}

fn versions(event: &LockedEvent) -> String {
    let versions = event.versions().iter();
    let versions: Vec<_> = versions.map(|one| one.version().to_string()).collect();
    versions.join(", ")
}

fn between(
    subject: &str,
    old: Option<(Contract, String)>,
    new: Option<(Contract, String)>,
) -> Diff {
    // A side that is not there has no fields.
    let nothing = serde_json::Value::Bool(false);
    let schema = |side: &Option<(Contract, String)>, of: fn(&Contract) -> &serde_json::Value| {
        side.as_ref()
            .map_or(nothing.clone(), |(contract, _)| of(contract).clone())
    };
    let writer: fn(&Contract) -> &serde_json::Value = |contract| &contract.writer;
    let reader: fn(&Contract) -> &serde_json::Value = |contract| &contract.reader;
    let written = changes::between(&schema(&old, writer), &schema(&new, writer));
    let mut read = changes::between(&schema(&old, reader), &schema(&new, reader));
    if read == written || old.is_none() || new.is_none() {
        read = Vec::new();
    }
    let facts = match (&old, &new) {
        (Some((old, _)), Some((new, _))) => facts(old, new),
        _ => Vec::new(),
    };
    let side =
        |side: Option<(Contract, String)>| side.map(|(contract, place)| (contract.version, place));
    Diff {
        subject: subject.to_owned(),
        facts,
        written,
        read,
        old: side(old),
        new: side(new),
    }
}

fn facts(old: &Contract, new: &Contract) -> Vec<(&'static str, String, String)> {
    let key = |key: KeyUse| match key {
        KeyUse::None => "none",
        KeyUse::Order => "orders by it",
        KeyUse::InSubject => "in the subject",
    };
    let none = || "none".to_owned();
    let list = |texts: &[String]| {
        if texts.is_empty() {
            none()
        } else {
            texts.join(", ")
        }
    };
    let (was, is) = (&old.facts, &new.facts);
    [
        ("type", was.event_type.clone(), is.event_type.clone()),
        ("key", key(was.key).to_owned(), key(is.key).to_owned()),
        (
            "stream",
            was.stream.clone().unwrap_or_else(none),
            is.stream.clone().unwrap_or_else(none),
        ),
        ("published by", list(&was.publishers), list(&is.publishers)),
        ("personal", list(&old.pii), list(&new.pii)),
    ]
    .into_iter()
    .filter(|(_, was, is)| was != is)
    .collect()
}

impl Diff {
    fn says_something(&self) -> bool {
        let versions =
            |side: &Option<(Version, String)>| side.as_ref().map(|(version, _)| *version);
        versions(&self.old) != versions(&self.new)
            || !(self.facts.is_empty() && self.written.is_empty() && self.read.is_empty())
    }
}

/// Why nothing could be compared.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DiffError {
    /// Neither code nor files have the event.
    #[error(
        "neither the catalogue nor the files have the event {0:?}; `schemas list` lists the known events by subject"
    )]
    NoSuchEvent(String),
    /// The files do not have the version.
    #[error("{subject} has no version {version} in {place}{}", if known.is_empty() { String::new() } else { format!("; there are {known}") })]
    NoSuchVersion {
        /// The event.
        subject: String,
        /// The version.
        version: Version,
        /// Where it was looked for.
        place: String,
        /// Those there are.
        known: String,
    },
    /// The files cannot be read.
    #[error(transparent)]
    Check(#[from] CheckError),
}
