//! Drift: whether the files of the lock are what the code generates.

use std::collections::BTreeSet;
use std::path::Path;

use crate::Catalogue;
use crate::compat::{EventRule, Finding, Severity};
use crate::lock::{self, Lock, Options, Plan, WriteError};

/// A finding for each file that `schemas generate` would write. Events about which there are
/// errors already are left out: what is to be done about them is said there.
pub(super) fn find(
    catalogue: &Catalogue,
    folder: &Path,
    files: Option<&Lock>,
    findings: &[Finding],
) -> Result<Vec<Finding>, WriteError> {
    if files.is_none() {
        return Ok(vec![nothing_there()]);
    }
    let plan = Plan::of(catalogue, files, &Options::default());
    let told: BTreeSet<_> = findings
        .iter()
        .filter(|finding| finding.severity == Severity::Error)
        .filter_map(|finding| finding.event.as_deref())
        .collect();
    let mut differing = Vec::new();
    let changed = lock::changed(folder, plan.files())?;
    for (path, _) in changed {
        match event_of(catalogue, path) {
            Some(subject) if told.contains(subject) => {}
            event => differing.push((path, event)),
        }
    }
    // The index has the hashes of all files: alone it says something, else it repeats.
    let alone = differing.len() == 1 && told.is_empty();
    differing.retain(|(path, event)| event.is_some() || alone || path.as_str() != lock::INDEX);
    let findings = differing
        .into_iter()
        .map(|(path, event)| differs(folder, path, event));
    Ok(findings.collect())
}

fn nothing_there() -> Finding {
    Finding::new(
        EventRule::FilesDiffer,
        "There are no contracts in the folder yet, so there is nothing to hold the code to.",
    )
    .way_out("run `schemas generate`, and commit what it writes")
    .at(lock::INDEX, None)
}

fn differs(folder: &Path, path: &str, event: Option<&str>) -> Finding {
    let why = if folder.join(path).exists() {
        format!("{path} is not what the code says.")
    } else {
        format!("The code has what would be in {path}, and the file is not there.")
    };
    let finding = Finding::new(EventRule::FilesDiffer, why)
        .way_out("run `schemas generate`, read the difference, and commit it")
        .at(path, None);
    match event {
        Some(event) => finding.about(event),
        None => finding,
    }
}

/// The event whose version has this file.
fn event_of<'a>(catalogue: &'a Catalogue, path: &str) -> Option<&'a str> {
    let (folder, _) = path.split_once('/')?;
    let mut events = catalogue.events().iter().map(crate::EventEntry::spec);
    events
        .find(|spec| {
            let own = lock::schema_path(spec.subject(), spec.is_absolute(), spec.version());
            own.split_once('/').is_some_and(|(own, _)| own == folder)
        })
        .map(event_sdk::event::EventSpec::subject)
}
