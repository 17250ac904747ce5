//! Decodes the golden documents of committed versions with the current code.

use super::current::{Current, Reading};
use super::{Contract, EventRule, Finding, Versions};
use crate::schema::masked::masked;

/// Reads the golden document of each committed version with the newest type of the code.
///
/// This check does not depend on the mode, because streams still store events of old versions.
pub fn read_goldens<'a>(
    committed: impl IntoIterator<Item = &'a Contract>,
    newest: &Current<'_>,
) -> Vec<Finding> {
    let new = newest.contract.version;
    committed
        .into_iter()
        // What is of a newer major is for a newer consumer.
        .filter(|old| old.version.major() <= new.major())
        .filter_map(|old| {
            read(old, newest).map(|finding| {
                finding.about(&old.facts.subject).between(Versions {
                    old: old.version,
                    new,
                    direction: None,
                })
            })
        })
        .collect()
}

fn read(old: &Contract, newest: &Current<'_>) -> Option<Finding> {
    let Contract {
        version, golden, ..
    } = old;
    let into = &newest.contract.facts.rust_type;
    let Some(golden) = golden else {
        if !newest.has_way_from(*version) {
            return Some(no_way(old, newest));
        }
        let why = format!(
            "Version {version} has no golden document, so nothing shows that its events can still be read."
        );
        return Some(Finding::new(EventRule::GoldenMissing, why).way_out(
            "take the file back from git; for the version that the code has, run `schemas generate`",
        ));
    };
    match newest.read(*version, golden) {
        Reading::Read => None,
        Reading::NoWay(_) => Some(no_way(old, newest)),
        Reading::Refused(why) => Some(
            Finding::new(
                EventRule::GoldenRefused,
                format!("{into} does not read the golden document of {version} any more: {why}."),
            )
            .shown_by(
                masked(golden, &old.writer),
                format!("written by {version}, refused by the code"),
            )
            .way_out(format!("make {into}, or its upcasters, read it again")),
        ),
    }
}

fn no_way(old: &Contract, newest: &Current<'_>) -> Finding {
    let into = &newest.contract.facts.rust_type;
    let (version, new) = (old.version, newest.contract.version);
    let why = format!(
        "No way leads from {version} to {new}: {into} refuses every event of major {}, stored or still being published.",
        version.major()
    );
    let before = new.major().saturating_sub(1);
    let finding = Finding::new(EventRule::UpcasterMissing, why).way_out(format!(
        "keep the struct of major {before} as `{into}V{before}`, write `upcast_from = {into}V{before}` on {into}, and implement `From<{into}V{before}>` or `TryFrom` for it"
    ));
    match &old.golden {
        Some(golden) => finding.shown_by(
            masked(golden, &old.writer),
            format!("written by {version}, refused by {new}"),
        ),
        None => finding,
    }
}
