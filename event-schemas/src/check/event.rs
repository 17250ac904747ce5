//! Checks one event: its versions, its golden documents, and whether it was removed.

use std::collections::{BTreeMap, BTreeSet};

use super::contracts::{self, Identity, Sides};
use super::{kept, receivers};
use crate::Catalogue;
use crate::compat::{
    BadSchema, Current, EventRule, Finding, History, Mode, Options, Severity, compare_event,
    read_goldens,
};
use crate::lock::LockedEvent;

/// What holds for all events of a check.
pub(super) struct Check<'a> {
    pub(super) catalogue: &'a Catalogue,
    pub(super) options: Options,
    /// Whether the files at a ref are what was agreed on, and not those in the folder.
    pub(super) by_reference: bool,
    /// The events that are gone and have come up elsewhere.
    pub(super) moved: BTreeMap<Identity<'a>, &'a str>,
}

impl Check<'_> {
    pub(super) fn one(
        &self,
        identity: Identity<'_>,
        sides: &Sides<'_>,
    ) -> Result<Vec<Finding>, BadSchema> {
        let committed = agreed(sides, self.by_reference);
        let mut findings = Vec::new();
        if self.by_reference {
            findings.extend(kept::compare(sides));
        }
        let history = match committed {
            Some(event) => contracts::history(event),
            None => History::new(identity.0, identity.1, Vec::new()),
        };
        findings.extend(receivers::compare(
            self.catalogue,
            sides,
            &history,
            self.options,
        )?);
        if sides.code.is_empty() {
            let missing = committed.and_then(|event| {
                if sides.views.is_empty() || self.moved.contains_key(&identity) {
                    self.gone(identity, sides, event)
                } else {
                    receivers::unpublished(event, self.options)
                }
            });
            findings.extend(missing);
            return Ok(findings);
        }
        let decoders: Vec<_> = sides
            .code
            .iter()
            .map(|entry| {
                (
                    move |version, data: &[u8]| entry.decode(version, data),
                    move |version, data: &[u8]| entry.reread(version, data),
                )
            })
            .collect();
        let code: Vec<Current<'_>> = sides
            .code
            .iter()
            .zip(&decoders)
            .map(|(entry, (decode, reread))| {
                contracts::current(self.catalogue, (decode, reread), entry)
            })
            .collect();
        if let Some(newest) = code.last() {
            findings.extend(read_goldens(&known(sides), newest));
        }
        findings.extend(compare_event(&history, &code, self.options)?);
        Ok(findings)
    }

    /// The finding that an event is not in the catalogue any more.
    fn gone(
        &self,
        identity: Identity<'_>,
        sides: &Sides<'_>,
        committed: &LockedEvent,
    ) -> Option<Finding> {
        let retired = sides.files.is_some_and(LockedEvent::is_retired);
        if self.options.mode == Mode::None || committed.is_retired() {
            return None;
        }
        let subject = committed.subject();
        let newest = committed.newest()?;
        if let Some(to) = self.moved.get(&identity) {
            let name = newest.name();
            let why = format!(
                "{name} was on {subject} and is on {to} now. That is another event to everybody else: consumers, streams and permissions of {subject} know nothing of it."
            );
            return Some(
                Finding::new(EventRule::SubjectChanged, why)
                    .about(subject)
                    .way_out(format!("write the old subject on {name} again: `subject = \"{subject}\"`"))
                    .way_out(format!("to move in earnest, keep an event on {subject} until every consumer has moved")),
            );
        }
        let consumers = match newest.consumers() {
            [] => "Whoever consumes it waits for events that never come".to_owned(),
            names => format!(
                "{} consumed it and wait for events that never come",
                names.join(", ")
            ),
        };
        let why = format!(
            "{subject} is committed, and the catalogue does not have it any more. {consumers}; what is stored of it can no longer be read here."
        );
        let mut finding = Finding::new(EventRule::EventRemoved, why).about(subject);
        if retired {
            // Said on purpose, and to be seen by whoever reviews it.
            finding.severity = Severity::Warning;
            return Some(finding.way_out("make sure that its consumers are gone"));
        }
        Some(
            finding
                .way_out(format!("put {} back into the catalogue", newest.name()))
                .way_out(format!(
                    "if nobody publishes it any more and its consumers are gone, run `schemas generate --retire {subject}`"
                )),
        )
    }
}

/// The versions of which there is a golden document: those of the folder, and those of
/// the ref that the folder does not have.
fn known(sides: &Sides<'_>) -> Vec<crate::compat::Contract> {
    let mut seen = BTreeSet::new();
    [sides.files, sides.reference]
        .into_iter()
        .flatten()
        .flat_map(|event| event.versions().iter().map(move |version| (event, version)))
        .filter(|(_, version)| seen.insert(version.version()))
        .map(|(event, version)| contracts::locked(event, version))
        .collect()
}

/// What was agreed on of an event.
fn agreed<'a>(sides: &Sides<'a>, by_reference: bool) -> Option<&'a LockedEvent> {
    if by_reference {
        sides.reference
    } else {
        sides.files
    }
}

/// The events that are gone from the code and have, by the name of their type, come up
/// on another subject, which was not there before.
pub(super) fn moved<'a>(
    events: &BTreeMap<Identity<'a>, Sides<'a>>,
    by_reference: bool,
) -> BTreeMap<Identity<'a>, &'a str> {
    let mut new: BTreeMap<&str, &'a str> = BTreeMap::new();
    for sides in events.values() {
        if let Some(entry) = sides.code.last()
            && agreed(sides, by_reference).is_none()
        {
            new.insert(entry.spec().name(), entry.spec().subject());
        }
    }
    let gone = events.iter().filter(|(_, sides)| sides.code.is_empty());
    gone.filter_map(|(identity, sides)| {
        let newest = agreed(sides, by_reference)?.newest()?;
        Some((*identity, *new.get(newest.name())?))
    })
    .collect()
}
