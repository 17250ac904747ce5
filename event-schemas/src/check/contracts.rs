//! Pairs the contracts of each event: from the code, from the lock, and from the git ref.

use std::collections::BTreeMap;

use crate::compat::{Contract, Current, Decode, Facts, History, Reread};
use crate::lock::{Lock, LockedEvent, LockedVersion};
use crate::{Catalogue, EventEntry};

/// What there is of one event: in the code, in the folder, and at the ref.
#[derive(Debug, Default)]
pub(super) struct Sides<'a> {
    /// The code's versions, oldest first.
    pub(super) code: Vec<&'a EventEntry>,
    /// The types that are only received.
    pub(super) views: Vec<&'a EventEntry>,
    /// The event in the folder.
    pub(super) files: Option<&'a LockedEvent>,
    /// The event at the ref.
    pub(super) reference: Option<&'a LockedEvent>,
}

/// The identity of an event: its subject, and whether that takes no prefix.
pub(super) type Identity<'a> = (&'a str, bool);

/// All events of code and files, sorted.
pub(super) fn sides<'a>(
    catalogue: &'a Catalogue,
    files: Option<&'a Lock>,
    reference: Option<&'a Lock>,
) -> BTreeMap<Identity<'a>, Sides<'a>> {
    let mut events: BTreeMap<Identity<'_>, Sides<'_>> = BTreeMap::new();
    for entry in catalogue.published() {
        let spec = entry.spec();
        let sides = events.entry((spec.subject(), spec.is_absolute()));
        sides.or_default().code.push(entry);
    }
    for view in catalogue.views() {
        let spec = view.spec();
        let sides = events.entry((spec.subject(), spec.is_absolute()));
        sides.or_default().views.push(view);
    }
    for event in files.map_or(&[][..], Lock::events) {
        let sides = events.entry((event.subject(), event.is_absolute()));
        sides.or_default().files = Some(event);
    }
    for event in reference.map_or(&[][..], Lock::events) {
        let sides = events.entry((event.subject(), event.is_absolute()));
        sides.or_default().reference = Some(event);
    }
    events
}

/// What the files say of an event.
pub(super) fn history(event: &LockedEvent) -> History {
    let contracts = event.versions().iter();
    History::new(
        event.subject(),
        event.is_absolute(),
        contracts.map(|version| locked(event, version)).collect(),
    )
}

/// What the files say of a version.
pub(super) fn locked(event: &LockedEvent, version: &LockedVersion) -> Contract {
    Contract {
        version: version.version(),
        facts: Facts {
            subject: event.subject().to_owned(),
            absolute: event.is_absolute(),
            event_type: version.event_type().to_owned(),
            key: version.key_use(),
            stream: version.stream().map(str::to_owned),
            publishers: version.publishers().to_vec(),
            rust_type: version.name().to_owned(),
        },
        writer: version.writer().clone(),
        reader: version.reader().clone(),
        pii: version.pii().to_vec(),
        golden: Some(version.golden().data().clone()),
        file: version.schema_path().to_owned(),
    }
}

/// What the code says of a version, and how it reads.
pub(super) fn current<'a>(
    catalogue: &Catalogue,
    (decode, reread): (&'a Decode<'a>, &'a Reread<'a>),
    entry: &EventEntry,
) -> Current<'a> {
    Current::new(of_code(catalogue, entry), decode).rereading(reread)
}

/// A version as the code declares it.
pub(super) fn of_code(catalogue: &Catalogue, entry: &EventEntry) -> Contract {
    let spec = entry.spec();
    let mut publishers: Vec<_> = catalogue
        .publishers_of(spec)
        .map(|service| service.name().to_owned())
        .collect();
    publishers.sort();
    publishers.dedup();
    Contract {
        version: spec.version(),
        facts: Facts {
            subject: spec.subject().to_owned(),
            absolute: spec.is_absolute(),
            event_type: spec.event_type().to_owned(),
            key: spec.key_use(),
            stream: catalogue
                .stream_of(spec)
                .map(|stream| stream.name().to_owned()),
            publishers,
            rust_type: spec.name().to_owned(),
        },
        writer: entry.writer().clone(),
        reader: entry.reader().clone(),
        pii: entry.pii().iter().map(ToString::to_string).collect(),
        golden: None,
        file: crate::lock::schema_path(spec.subject(), spec.is_absolute(), spec.version()),
    }
}
