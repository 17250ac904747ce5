//! Committed versions must stay as they were: compares the lock with the git ref.

use super::contracts::Sides;
use crate::compat::{EventRule, Finding};
use crate::lock::{LockedEvent, LockedVersion};
use crate::schema::contract;

/// Compares the files of an event's versions with those at the ref.
pub(super) fn compare(sides: &Sides<'_>) -> Vec<Finding> {
    let Some(reference) = sides.reference else {
        return Vec::new();
    };
    let versions = reference.versions().iter();
    versions
        .flat_map(|old| {
            let new = sides.files.and_then(|files| files.version(old.version()));
            match new {
                None => vec![removed(reference, old)],
                Some(new) => changed(sides, old, new),
            }
        })
        .map(|finding| finding.about(reference.subject()))
        .collect()
}

fn removed(event: &LockedEvent, old: &LockedVersion) -> Finding {
    let why = format!(
        "Version {} of {} is at the ref, and its files are not in the folder. Events of it may be stored still, and nothing would be compared with it any more.",
        old.version(),
        event.subject()
    );
    Finding::new(EventRule::VersionRemoved, why)
        .way_out("take the folder back from git, and run `schemas generate` again")
        .at(old.schema_path(), None)
}

fn changed(sides: &Sides<'_>, old: &LockedVersion, new: &LockedVersion) -> Vec<Finding> {
    let mut findings = Vec::new();
    let version = old.version();
    // What the code has is compared by itself, with more to say.
    let in_code = sides
        .code
        .iter()
        .any(|entry| entry.spec().version() == version);
    let same =
        contract::same(old.writer(), new.writer()) && contract::same(old.reader(), new.reader());
    if !in_code && !same {
        let why = format!(
            "The schema of version {version} is another than at the ref. What was published under a version cannot be unsaid."
        );
        findings.push(
            Finding::new(EventRule::VersionRewritten, why)
                .way_out("take the file back from git")
                .at(new.schema_path(), None),
        );
    }
    if old.golden().data() != new.golden().data() {
        let why = format!(
            "The golden document of version {version} is another than at the ref, where it is evidence of what was written."
        );
        findings.push(
            Finding::new(EventRule::GoldenChanged, why)
                .shown_by(
                    old.golden().data().clone(),
                    format!("the document of {version} at the ref"),
                )
                .way_out("take the file back from git")
                .at(new.golden().path(), None),
        );
    }
    findings
}
