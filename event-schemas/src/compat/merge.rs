//! Merges findings that are the same for several old versions.

use event_sdk::envelope::Version;

use super::{Finding, Rule};

/// The findings, in which those that differ only in their old version are one: that of
/// the newest old version, which also names the others.
///
/// They come with the newest old version first.
pub(super) fn merge(findings: Vec<Finding>) -> Vec<Finding> {
    let mut merged: Vec<(Finding, Vec<Version>)> = Vec::new();
    for finding in findings {
        let like = merged.iter_mut().find(|(known, _)| same(known, &finding));
        match (like, finding.versions) {
            (Some((_, others)), Some(versions)) => others.push(versions.old),
            _ => merged.push((finding, Vec::new())),
        }
    }
    merged
        .into_iter()
        .map(|(finding, others)| name_others(finding, others))
        .collect()
}

fn same(one: &Finding, other: &Finding) -> bool {
    let key = |finding: &Finding| -> (Rule, Option<String>, _, _) {
        let direction = finding.versions.and_then(|versions| versions.direction);
        (
            finding.rule,
            finding.path.clone(),
            direction,
            finding.mitigation.clone(),
        )
    };
    key(one) == key(other)
}

fn name_others(mut finding: Finding, mut others: Vec<Version>) -> Finding {
    others.sort_unstable();
    others.dedup();
    if !others.is_empty() {
        let names: Vec<_> = others.iter().map(ToString::to_string).collect();
        finding.why = format!("{} The same holds of {}.", finding.why, names.join(", "));
    }
    finding
}
