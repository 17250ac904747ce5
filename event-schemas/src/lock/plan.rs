//! `Plan`: which files `generate` will write, and which conflicts forbid it.

use std::collections::BTreeMap;

use event_sdk::Version;

use super::conflict::{self, Conflict};
use super::index::{EventFacts, FORMAT, Index, VersionFacts};
use super::{Lock, LockedEvent, LockedVersion, Options, facts, golden, names};
use crate::schema::{envelope, text};
use crate::{Catalogue, EventEntry, parallel};

/// The files to write for a catalogue.
#[derive(Debug)]
pub struct Plan {
    files: BTreeMap<String, Vec<u8>>,
    conflicts: Vec<Conflict>,
}

impl Plan {
    /// Plans the files for a catalogue without faults, over an existing lock.
    pub fn of(catalogue: &Catalogue, lock: Option<&Lock>, options: &Options) -> Self {
        let mut plan = Self {
            files: BTreeMap::new(),
            conflicts: conflict::unknown_names(catalogue, lock, options),
        };
        let mut events = BTreeMap::new();
        for event in lock.map_or(&[][..], Lock::events) {
            let (key, facts) = plan.locked(catalogue, event, options);
            events.insert(key, facts);
        }
        let published: Vec<_> = catalogue.published().collect();
        let made = parallel::map(&published, |entry| Made::of(catalogue, entry, lock));
        for (entry, made) in published.into_iter().zip(made) {
            plan.entry(catalogue, entry, made, options, &mut events);
        }
        plan.index(catalogue, events);
        plan
    }

    /// The files to write, by their paths in the lock's folder. The files of older versions are
    /// unchanged, and not included.
    pub fn files(&self) -> &BTreeMap<String, Vec<u8>> {
        &self.files
    }

    /// The reasons why the files cannot be written. If there is a conflict, nothing is written.
    pub fn conflicts(&self) -> &[Conflict] {
        &self.conflicts
    }

    /// Returns the conflicts by value.
    pub fn into_conflicts(self) -> Vec<Conflict> {
        self.conflicts
    }

    /// What the index keeps of an event that is in the lock.
    fn locked(
        &mut self,
        catalogue: &Catalogue,
        event: &LockedEvent,
        options: &Options,
    ) -> (Key, EventFacts) {
        let newest = catalogue.newest(event.subject(), event.is_absolute());
        // What is only received has no version to be written; its contracts stay as they are.
        let is_received = newest.is_some_and(|entry| !entry.is_published());
        let newest = newest.filter(|entry| entry.is_published());
        let is_retired = event.is_retired() || options.retire.contains(event.subject());
        match newest {
            None if !is_retired && !is_received => {
                self.conflicts.push(Conflict::Gone {
                    subject: event.subject().to_owned(),
                });
            }
            Some(entry) => self.conflicts.extend(conflict::went_back(entry, event)),
            None => {}
        }
        let versions = event.versions().iter().map(|one| one.facts.clone());
        let facts = EventFacts {
            subject: event.subject().to_owned(),
            absolute: event.is_absolute(),
            retired: newest.is_none() && (is_retired || !is_received),
            versions: versions.collect(),
        };
        ((event.subject().to_owned(), event.is_absolute()), facts)
    }

    fn entry(
        &mut self,
        catalogue: &Catalogue,
        entry: &EventEntry,
        made: Made<'_>,
        options: &Options,
        events: &mut BTreeMap<Key, EventFacts>,
    ) {
        let spec = entry.spec();
        let (subject, absolute, version) = (spec.subject(), spec.is_absolute(), spec.version());
        let Made {
            locked,
            changes,
            schema,
            hash,
        } = made;
        let replaced = !changes.is_empty() && options.replace.contains(subject);
        if !changes.is_empty() && !replaced {
            self.conflicts.push(Conflict::Changed {
                subject: subject.to_owned(),
                version,
                changes,
            });
        }
        let golden = match locked.filter(|_| !replaced) {
            Some(locked) => locked.golden().envelope().to_vec(),
            None => match golden::write(catalogue, entry) {
                Ok(text) => text.into_bytes(),
                Err(why) => {
                    let subject = subject.to_owned();
                    self.conflicts.push(Conflict::NoExample {
                        subject,
                        version,
                        why,
                    });
                    return;
                }
            },
        };
        let golden = self.file(names::golden(subject, absolute, version), golden);
        self.files
            .insert(names::schema(subject, absolute, version), schema);
        let facts = facts::version(catalogue, entry, hash, golden);
        let event = events
            .entry((subject.to_owned(), absolute))
            .or_insert_with(|| EventFacts {
                subject: subject.to_owned(),
                absolute,
                retired: false,
                versions: Vec::new(),
            });
        put(&mut event.versions, facts);
    }

    fn index(&mut self, catalogue: &Catalogue, events: BTreeMap<Key, EventFacts>) {
        let envelope = text::of_schema(&envelope::read()).into_bytes();
        let index = Index {
            format: FORMAT,
            title: catalogue.title().to_owned(),
            description: catalogue.description().to_owned(),
            version: catalogue.own_version().map(str::to_owned),
            prefix: catalogue.bus_prefix().to_owned(),
            services: facts::services(catalogue),
            streams: facts::streams(catalogue),
            events: events.into_values().collect(),
            envelope: self.file(names::ENVELOPE.to_owned(), envelope),
        };
        // Texts and numbers are what JSON carries: there is no way to fail.
        let mut text = serde_json::to_string_pretty(&index).unwrap_or_default();
        text.push('\n');
        self.file(names::INDEX.to_owned(), text.into_bytes());
    }

    /// Adds a file and answers its hash.
    fn file(&mut self, path: String, bytes: Vec<u8>) -> String {
        let hash = names::hash(&bytes);
        self.files.insert(path, bytes);
        hash
    }
}

/// The current version of one event: its schema, and its changes against the lock.
struct Made<'a> {
    locked: Option<&'a LockedVersion>,
    changes: Vec<conflict::Change>,
    schema: Vec<u8>,
    hash: String,
}

impl<'a> Made<'a> {
    fn of(catalogue: &Catalogue, entry: &EventEntry, lock: Option<&'a Lock>) -> Self {
        let spec = entry.spec();
        let locked = lock
            .and_then(|lock| lock.event(spec.subject(), spec.is_absolute()))
            .and_then(|event| event.version(spec.version()));
        let schema = text::of_schema(&entry.envelope()).into_bytes();
        Self {
            locked,
            changes: locked.map_or(Vec::new(), |locked| {
                conflict::changes(catalogue, entry, locked)
            }),
            hash: names::hash(&schema),
            schema,
        }
    }
}

/// The subject, and whether it takes no prefix.
type Key = (String, bool);

/// Puts a version in its place among those that are there.
fn put(versions: &mut Vec<VersionFacts>, facts: VersionFacts) {
    let number = |facts: &VersionFacts| facts.version.parse::<Version>().ok();
    match versions.binary_search_by_key(&number(&facts), number) {
        Ok(at) => versions[at] = facts,
        Err(at) => versions.insert(at, facts),
    }
}
