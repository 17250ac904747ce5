//! Versions of different majors: which breaks an upcaster covers, shown by decoding documents.

use event_schemas_subset::Break;

use super::current::{Current, Reading};
use super::fit::Pair;
use super::prepared::Prepared;
use super::{Direction, EventRule, Finding, Mitigation, Mode, Versions};

/// Compares a committed version of an older major with the code's.
pub(super) fn compare(
    mode: Mode,
    old: &Prepared<'_>,
    new: &Prepared<'_>,
    code: &Current<'_>,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    if mode.is_backward() && is_covered(old, code) {
        findings.extend(covered_breaks(old, new, code));
    }
    if mode.is_forward() {
        // An old consumer does not read a newer major: it puts it back.
        let breaks = Pair::new(old, new, Direction::Forward).breaks();
        findings.extend(
            breaks
                .into_iter()
                .map(|finding| finding.mitigated(Mitigation::PutBack)),
        );
    }
    findings
}

/// Whether there is a way to the code's version on which the golden document comes
/// through. Where there is none, that is said of the golden document.
fn is_covered(old: &Prepared<'_>, code: &Current<'_>) -> bool {
    let version = old.contract.version;
    match &old.contract.golden {
        Some(golden) => matches!(code.read(version, golden), Reading::Read),
        None => code.has_way_from(version),
    }
}

/// The breaks between the schemas, each with what the upcasters make of its document.
fn covered_breaks(old: &Prepared<'_>, new: &Prepared<'_>, code: &Current<'_>) -> Vec<Finding> {
    let pair = Pair::new(old, new, Direction::Backward);
    let comparison = old.read_by(new);
    let into = &new.contract.facts.rust_type;
    comparison
        .breaks()
        .iter()
        .map(
            |found| match code.read(old.contract.version, &found.document) {
                Reading::Read => pair
                    .describe(found)
                    .mitigated(Mitigation::Upcaster { into: into.clone() }),
                Reading::NoWay(why) | Reading::Refused(why) => refused(&pair, found, &why, into),
            },
        )
        .collect()
}

fn refused(pair: &Pair<'_>, found: &Break, why: &str, into: &str) -> Finding {
    let Versions { old, new, .. } = pair.versions();
    let why = format!(
        "A document that the schema of {old} allows does not come through the upcasters into {into}: {why}."
    );
    Finding::new(EventRule::UpcasterRefuses, why)
        .about(pair.subject())
        .between(pair.versions())
        .field(found.path.to_string())
        .shown_by(
            found.document.clone(),
            format!("allowed by {old}, refused on its way to {new}"),
        )
        .standing_at(&found.path)
        .way_out(format!(
            "let the conversion into {into} take such a document"
        ))
        .way_out("if no publisher ever wrote one, say so in a waiver")
}
