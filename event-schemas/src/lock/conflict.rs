//! `Conflict`: why `generate` refuses to write over a committed version.

use std::fmt;

use event_sdk::Version;
use thiserror::Error;

use super::{Lock, LockedEvent, LockedVersion, Options};
use crate::schema::contract;
use crate::{Catalogue, EventEntry};

/// A reason why a lock is not written.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Conflict {
    /// A version that is in the lock would get a different contract.
    #[error(
        "{subject} {version} is in the lock and its contract has changed: {}. Give the event another version: `{}` if who reads {version} can read it, else `{}` with `upcast_from` the struct as it was. If nobody has seen {version} yet, replace it with `--replace {subject}`",
        Listed(changes),
        Version::new(version.major(), version.minor().saturating_add(1)),
        Version::new(version.major().saturating_add(1), 0)
    )]
    Changed {
        /// The event.
        subject: String,
        /// The version.
        version: Version,
        /// What has changed.
        changes: Vec<Change>,
    },
    /// The newest version in the code is older than one in the lock.
    #[error(
        "{subject} is of version {version} in the code, but {newest} is in the lock; a version cannot be lowered: set a version above {newest}"
    )]
    WentBack {
        /// The event.
        subject: String,
        /// The newest version in the catalogue.
        version: Version,
        /// The newest version in the lock.
        newest: Version,
    },
    /// An event in the lock is not in the catalogue.
    #[error(
        "{subject} is in the lock and no longer in the catalogue; put it back, or if nobody publishes it any longer, note that with `--retire {subject}` (its files stay, since streams have its messages)"
    )]
    Gone {
        /// The event.
        subject: String,
    },
    /// A golden document could not be generated.
    #[error(
        "{subject} {version} needs an example for its golden document: give one with `Catalogue::example` or `#[schemars(example = …)]`, since none could be generated ({why})"
    )]
    NoExample {
        /// The event.
        subject: String,
        /// The version.
        version: Version,
        /// The cause.
        why: String,
    },
    /// An option names an event to which it cannot apply.
    #[error("`--{option} {subject}`: {why}")]
    NoSuchEvent {
        /// `replace` or `retire`.
        option: &'static str,
        /// The subject that the option names.
        subject: String,
        /// Why the option cannot apply.
        why: String,
    },
}

/// What has changed in the contract of a version.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Change {
    /// The schema of the data, as a publisher writes them.
    Written,
    /// The schema of the data, as a subscriber reads them.
    Read,
    /// The `event_type` of the envelope.
    EventType {
        /// The type in the lock.
        old: String,
        /// The type in the catalogue.
        new: String,
    },
    /// The use of the key.
    Key,
    /// Data are no longer marked as personal.
    NotPersonal {
        /// The path of the data.
        path: String,
    },
    /// No stream stores the event any longer.
    NotStored {
        /// The stream that stored the event.
        stream: String,
    },
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Written => f.write_str("what is written is something else"),
            Self::Read => f.write_str("what can be read is something else"),
            Self::EventType { old, new } => write!(f, "its type was `{old}` and is `{new}`"),
            Self::Key => f.write_str("it does something else with its key"),
            Self::NotPersonal { path } => write!(f, "`{path}` is no longer marked as personal"),
            Self::NotStored { stream } => write!(f, "the stream {stream} no longer stores it"),
        }
    }
}

struct Listed<'a>(&'a [Change]);

impl fmt::Display for Listed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, change) in self.0.iter().enumerate() {
            write!(f, "{}{change}", if index == 0 { "" } else { "; " })?;
        }
        Ok(())
    }
}

/// What has changed since the version was locked.
pub(super) fn changes(
    catalogue: &Catalogue,
    entry: &EventEntry,
    locked: &LockedVersion,
) -> Vec<Change> {
    let spec = entry.spec();
    let mut changes = Vec::new();
    if !contract::same(locked.writer(), entry.writer()) {
        changes.push(Change::Written);
    }
    if !contract::same(locked.reader(), entry.reader()) {
        changes.push(Change::Read);
    }
    if locked.event_type() != spec.event_type() {
        changes.push(Change::EventType {
            old: locked.event_type().to_owned(),
            new: spec.event_type().to_owned(),
        });
    }
    if locked.key_use() != spec.key_use() {
        changes.push(Change::Key);
    }
    let personal: Vec<String> = entry.pii().iter().map(ToString::to_string).collect();
    let gone = locked.pii().iter().filter(|path| !personal.contains(path));
    // A path that is gone altogether is a change of the schema, which is named.
    if changes.is_empty() {
        changes.extend(gone.map(|path| Change::NotPersonal { path: path.clone() }));
    }
    if let Some(stream) = locked.stream()
        && catalogue.stream_of(spec).is_none()
    {
        changes.push(Change::NotStored {
            stream: stream.to_owned(),
        });
    }
    changes
}

/// Whether the newest version in the code is older than the one in the lock.
pub(super) fn went_back(newest: &EventEntry, locked: &LockedEvent) -> Option<Conflict> {
    let (version, last) = (newest.spec().version(), locked.newest()?.version());
    (version < last).then(|| Conflict::WentBack {
        subject: locked.subject().to_owned(),
        version,
        newest: last,
    })
}

/// The events that options name and that are not there.
pub(super) fn unknown_names(
    catalogue: &Catalogue,
    lock: Option<&Lock>,
    options: &Options,
) -> Vec<Conflict> {
    let in_code = |subject: &str| {
        let mut events = catalogue.published();
        events.any(|entry| entry.spec().subject() == subject)
    };
    let in_lock = |subject: &str| {
        let mut events = lock.map_or(&[][..], Lock::events).iter();
        events.any(|event| event.subject() == subject)
    };
    let no_such = |option, subject: &String, why: &str| Conflict::NoSuchEvent {
        option,
        subject: subject.clone(),
        why: why.to_owned(),
    };
    let mut conflicts = Vec::new();
    for subject in &options.replace {
        if !in_code(subject) {
            conflicts.push(no_such(
                "replace",
                subject,
                "there is no such event in the catalogue",
            ));
        }
    }
    for subject in &options.retire {
        if in_code(subject) {
            let why = "it is in the catalogue; take it out there first";
            conflicts.push(no_such("retire", subject, why));
        } else if !in_lock(subject) {
            conflicts.push(no_such(
                "retire",
                subject,
                "there is no such event in the lock",
            ));
        }
    }
    conflicts
}
