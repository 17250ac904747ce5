//! `Problem`: an event in the sources that the catalogue lacks or describes differently.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::Path;

use super::item::Found;
use super::{SourceEvent, UnsaidForm};
use crate::Catalogue;

/// A problem that a scan of the sources has found.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Problem {
    /// No set of the catalogue has an event.
    NotInCatalogue(SourceEvent),
    /// A function writes a field, and no attribute declares the form.
    UnsaidForm(UnsaidForm),
}

impl Problem {
    /// The file.
    pub fn file(&self) -> &Path {
        match self {
            Self::NotInCatalogue(event) => &event.file,
            Self::UnsaidForm(form) => &form.file,
        }
    }

    /// The line, counted from 1.
    pub fn line(&self) -> usize {
        match self {
            Self::NotInCatalogue(event) => event.line,
            Self::UnsaidForm(form) => form.line,
        }
    }
}

impl fmt::Display for Problem {
    /// Says it without the file and the line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotInCatalogue(event) => write!(
                f,
                "the event `{}` ({} {}) is in no catalogue; add a set that has it (`Service::publishes`, or `Catalogue::events_of`), or make a newer version from it with `upcast_from`",
                event.name, event.subject, event.version
            ),
            Self::UnsaidForm(form) => write!(
                f,
                "the field `{}` of `{}` has `#[serde(serialize_with = …)]`, and no schema knows what the function does with it; say it with `#[schemars(with = \"…\")]` or `#[schemars(schema_with = \"…\")]`",
                form.field, form.ty
            ),
        }
    }
}

/// All problems, in the order of the files.
pub(super) fn find(found: &Found, catalogue: &Catalogue) -> Vec<Problem> {
    let missing = found
        .events
        .iter()
        .filter(|event| !is_known(event, catalogue) && !is_older(event, found, catalogue));
    let mut problems: Vec<Problem> = missing.cloned().map(Problem::NotInCatalogue).collect();
    let reached = reached(found);
    for (ty, forms) in &found.unsaid {
        if let Some(events) = reached.get(ty.as_str()) {
            let events: Vec<String> = events.iter().map(|event| (*event).to_owned()).collect();
            problems.extend(forms.iter().map(|form| {
                Problem::UnsaidForm(UnsaidForm {
                    events: events.clone(),
                    ..form.clone()
                })
            }));
        }
    }
    problems.sort_by(|one, other| (one.file(), one.line()).cmp(&(other.file(), other.line())));
    problems
}

fn is_known(event: &SourceEvent, catalogue: &Catalogue) -> bool {
    catalogue.events().iter().any(|entry| {
        let spec = entry.spec();
        (spec.subject(), spec.is_absolute(), spec.version())
            == (event.subject.as_str(), event.absolute, event.version)
    })
}

/// Whether a newer version is made from it that is known, or is older in turn.
fn is_older(event: &SourceEvent, found: &Found, catalogue: &Catalogue) -> bool {
    let mut newer = found.events.iter().filter(|other| {
        other.upcast_from.as_ref() == Some(&event.name)
            && (&other.subject, other.absolute) == (&event.subject, event.absolute)
            && other.version > event.version
    });
    newer.any(|newer| is_known(newer, catalogue) || is_older(newer, found, catalogue))
}

/// The names of the types that events have in them, each with the subjects of these events.
///
/// A name stands for every type that is called so: which of them is meant, only a compiler knows.
fn reached(found: &Found) -> BTreeMap<&str, BTreeSet<&str>> {
    let mut reached: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for event in &found.events {
        let mut next = vec![event.name.as_str()];
        while let Some(name) = next.pop() {
            if reached.entry(name).or_default().insert(&event.subject)
                && let Some(uses) = found.uses.get(name)
            {
                next.extend(uses.iter().map(String::as_str));
            }
        }
    }
    reached
}
